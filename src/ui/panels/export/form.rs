//! The layout of the export dialog's rows, and the choices that the rows depend on.

use egui::{Ui, Vec2, vec2};

use crate::ui::{
    commands::export_plan::{Objection, Plan},
    panels::form,
    theme::{Tokens, size},
};

/// The choices that the rows depend on.
pub struct Chosen<'a> {
    /// The stems of the song.
    pub stems: &'a [String],
    /// The ticked stems.
    pub ticked: Vec<String>,
    /// The planned files, or the objection to them.
    pub plan: Result<Plan, Objection>,
    /// Whether the plan is a single file.
    pub is_one: bool,
}

/// Height of a control.
pub const ROW: f32 = size::EXPORT_ROW;
/// Draws a row: its name, and its controls at the right.
pub fn named<R>(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    form::named(ui, vec2(size::EXPORT_NAME, ROW), name, add)
}

/// Draws a note below a control.
pub fn note(ui: &mut Ui, text: &str, is_wrong: bool) {
    let tokens = Tokens::of(ui);
    form::note(ui, text, if is_wrong { tokens.error } else { tokens.dim });
}

/// The available width, as the size of a control.
pub fn wide(ui: &Ui) -> Vec2 {
    form::wide(ui, ROW)
}
