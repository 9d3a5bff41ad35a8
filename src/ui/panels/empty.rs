//! The window without a song: one sentence, and a large drop zone.

use egui::{Align2, Rect, Stroke, Ui, vec2};

use super::{Cx, model};
use crate::{
    i18n::fl,
    ui::{
        action::UiCommand,
        theme::{Weight, font, size, text},
        widgets::{
            button::{Kind, button},
            dashed_outline, icon, label,
        },
    },
};

/// Draws the empty window.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let full = ui.max_rect();
    let model_height = model::height(ui, cx, full.width() - 2.0 * size::MARGIN);
    let mut zone = full.shrink(size::MARGIN);
    if model_height > 0.0 {
        zone.max.y -= model_height + 20.0;
    }
    dashed_outline(ui.painter(), zone, 20.0, Stroke::new(1.5, cx.tokens.line));
    // A magnified window may have space for the text alone.
    let has_mark = zone.height() >= 300.0;
    let middle = zone.center() - vec2(0.0, if has_mark { 20.0 } else { 36.0 });
    let row = |y: f32, height: f32| {
        Rect::from_center_size(middle + vec2(0.0, y), vec2(zone.width() - 40.0, height))
    };
    let mark = Rect::from_center_size(middle - vec2(0.0, 84.0), vec2(64.0, 68.0));
    if has_mark {
        icon::stems(ui.painter(), mark, cx.tokens);
    }
    let title = font(text::TITLE, Weight::SemiBold);
    let text = fl!(empty_title);
    label(ui, "empty title", row(-12.0, 36.0), Align2::CENTER_CENTER, text, title, cx.tokens.text);
    let body = font(text::LANE, Weight::Regular);
    let text = fl!(empty_line);
    label(ui, "empty line", row(24.0, 24.0), Align2::CENTER_CENTER, text, body, cx.tokens.dim);
    let spec = UiCommand::AddFiles.spec();
    let place = Rect::from_center_size(middle + vec2(0.0, 76.0), vec2(176.0, 44.0));
    let response = button(ui, "empty choose", place, spec.text, Kind::Primary, true);
    if response.on_hover_text(UiCommand::AddFiles.hint(ui)).clicked() {
        cx.verb(UiCommand::AddFiles);
    }
    if model_height > 0.0 {
        let card = Rect::from_min_max(
            egui::pos2(zone.left(), zone.bottom() + 20.0),
            egui::pos2(zone.right(), zone.bottom() + 20.0 + model_height),
        );
        model::card(ui, cx, card);
    }
}
