//! The window without a song: one sentence, and a large drop zone.

use egui::{Align, Align2, Aligned, Layout, Stroke, Ui, vec2};

use super::{Cx, model};
use crate::{
    i18n::fl,
    ui::{
        action::UiCommand,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            button::{Kind, wide_button},
            dashed_outline, icon,
            layout::at_bottom,
            paragraph,
            surface::within,
        },
    },
};

/// Maximum rows of each text.
const ROWS: usize = 3;

/// Draws the empty window.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    within(ui, ui.max_rect(), margin::EMPTY, |ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, space::GROUPS);
        if model::has_card(cx) {
            at_bottom(ui, "model card", |ui| model::card(ui, cx));
        }
        let zone = ui.available_rect_before_wrap();
        let line = Stroke::new(1.5, cx.tokens.line);
        dashed_outline(ui.painter(), zone, f32::from(radius::ZONE), line);
        ui.shrink_clip_rect(zone);
        ui.spacing_mut().item_spacing.y = 0.0;
        Aligned::new(Align2::CENTER_CENTER).show(ui, |ui| {
            ui.set_width(zone.width() - 2.0 * space::GROUPS);
            let middle = Layout::top_down(Align::Center);
            ui.with_layout(middle, |ui| contents(ui, cx, zone.height()));
        });
    });
}

/// Draws the mark, where it fits, the sentence, and the button.
fn contents(ui: &mut Ui, cx: &mut Cx<'_>, height: f32) {
    // A magnified window may have space for the text alone.
    let has_mark = height >= size::ZONE_WITH_MARK;
    if has_mark {
        icon::stems(ui, size::MARK_LARGE, size::MARK_LARGE, cx.tokens);
        ui.add_space(space::GROUPS);
    }
    let title = font(text::TITLE, Weight::SemiBold);
    paragraph(ui, fl!(empty_title), title, cx.tokens.text, ROWS);
    ui.add_space(space::MEDIUM);
    paragraph(ui, fl!(empty_line), font(text::LANE, Weight::Regular), cx.tokens.dim, ROWS);
    ui.add_space(if has_mark { space::GROUPS } else { space::LARGE });
    let text = UiCommand::AddFiles.spec().text;
    let least = size::ADD_FILES.into();
    let response = wide_button(ui, "empty choose", least, text, Kind::Primary, true);
    if response.on_hover_text(UiCommand::AddFiles.hint(ui)).clicked() {
        cx.verb(UiCommand::AddFiles);
    }
    if has_mark {
        ui.add_space(size::ZONE_BELOW);
    }
}
