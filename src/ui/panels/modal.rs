//! The frame that dialogs share: a surface over the veiled window, with a title. A dialog that is taller
//! than the window scrolls.

use egui::{Frame, Id, ModalResponse, ScrollArea, Ui, Vec2, vec2};

use super::Cx;
use crate::ui::{
    theme::{Tokens, Weight, font, margin, radius, size, space, text},
    widgets::lines,
};

/// Maximum rows of a title; the tooltip has the full text.
const TITLE_ROWS: usize = 3;

/// Draws a dialog as high as its contents.
pub fn show<R>(
    ui: &Ui,
    cx: &mut Cx<'_>,
    salt: &str,
    add: impl FnOnce(&mut Ui, &mut Cx<'_>) -> R,
) -> ModalResponse<R> {
    bare(ui, salt).show(ui, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let room = room(ui);
        ui.set_width(size::DIALOG.min(room.x));
        // Full-size from the first frame on.
        let area = ScrollArea::vertical().max_height(room.y).min_scrolled_height(room.y);
        area.show(ui, |ui| {
            show_rings(ui);
            add(ui, cx)
        })
        .inner
    })
}

/// Leaves space for the focus rings of parts that are as wide as their scroll area.
pub fn show_rings(ui: &mut Ui) {
    ui.set_clip_rect(ui.clip_rect().expand2(vec2(space::TINY, 0.0)));
}

/// The frame of a dialog that lays itself out.
pub fn bare(ui: &Ui, salt: &str) -> egui::Modal {
    let tokens = Tokens::of(ui);
    let frame = Frame::popup(ui.style())
        .fill(tokens.panel)
        .corner_radius(radius::CARD)
        .inner_margin(margin::DIALOG);
    egui::Modal::new(Id::unique(salt)).frame(frame).backdrop_color(tokens.veil)
}

/// The largest size of a dialog's contents.
pub fn room(ui: &Ui) -> Vec2 {
    (ui.content_rect() - margin::DIALOG).size() - Vec2::splat(2.0 * space::SMALL)
}

/// Draws the title of a dialog.
pub fn title(ui: &mut Ui, cx: &Cx<'_>, title: &str) {
    let name = font(text::NAME, Weight::SemiBold);
    lines(ui, size::DIALOG_TITLE, title, name, cx.tokens.text, TITLE_ROWS);
}
