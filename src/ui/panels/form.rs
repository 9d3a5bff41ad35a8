//! The rows of a form: a name at the left, and its controls at the right with notes below them. The
//! settings and the dialog of an export are such forms. Main thread.

use egui::{Align, Color32, Layout, Ui, Vec2, vec2};

use crate::ui::{
    theme::{Tokens, Weight, font, space, text},
    widgets::paragraph,
};

/// Maximum rows of a name and of a note; the tooltip has the full text.
const NAME_ROWS: usize = 2;
const NOTE_ROWS: usize = 3;

/// Draws a row. `cell` is the width of the names and the height of a control.
pub fn named<R>(ui: &mut Ui, cell: Vec2, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.allocate_ui_with_layout(cell, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(cell);
            ui.scope(|ui| {
                ui.set_max_width(cell.x - space::MEDIUM);
                let (medium, dim) = (font(text::BODY, Weight::Medium), Tokens::of(ui).dim);
                paragraph(ui, name, medium, dim, NAME_ROWS);
            });
        });
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = space::TINY;
            add(ui)
        })
        .inner
    })
    .inner
}

/// Draws a note below a control.
pub fn note(ui: &mut Ui, text: &str, ink: Color32) {
    paragraph(ui, text, font(text::SMALL, Weight::Regular), ink, NOTE_ROWS);
}

/// The available width, as the size of a control.
pub fn wide(ui: &Ui, height: f32) -> Vec2 {
    vec2(ui.available_width(), height)
}
