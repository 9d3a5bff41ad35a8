//! The names of exported files: a pattern to type, its placeholders as buttons, and a preview of
//! the names.

use egui::{
    Color32, Id, TextBuffer as _, Ui, Vec2,
    text::{CCursor, CCursorRange},
    text_edit::TextEditState,
};

use super::form::{Chosen, named, wide};
use crate::{
    engine::export::pattern::FIELDS,
    i18n::fl,
    ui::{
        commands::export_plan::{ExportChoices, Objection},
        theme::{Tokens, Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            field::field,
            label,
            layout::{row, wrapped},
        },
        words,
    },
};

/// Ids of the placeholder buttons.
pub fn buttons() -> impl Iterator<Item = Id> {
    FIELDS.into_iter().map(|field| Id::unique(salt(field)))
}

fn salt(field: &'static str) -> (&'static str, &'static str) {
    ("export placeholder", field)
}

/// Draws the rows about names in the remaining area.
pub fn names(ui: &mut Ui, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    named(ui, fl!(export_names), |ui| {
        ui.spacing_mut().item_spacing.y = space::SMALL;
        let id = Id::unique("export names");
        let typed = new.name_mut(chosen.is_one);
        field(ui, id, wide(ui), fl!(export_pattern), "{title} ({stem})", typed);
        wrapped(ui, size::CHIP, |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(space::CLOSE);
            for name in FIELDS {
                let shown = format!("{{{name}}}");
                let response = button(ui, salt(name), size::CHIP, &shown, Kind::Chip, true);
                if response.on_hover_text(words::placeholder(name)).clicked() {
                    insert(ui, id, typed, &shown);
                }
            }
        });
        preview(ui, chosen);
    });
}

/// Inserts `words` at the cursor or at the end, and moves the cursor behind them.
fn insert(ui: &Ui, id: Id, typed: &mut String, text: &str) {
    let mut state = TextEditState::load(ui, id).unwrap_or_default();
    let end = CCursor::end_of_str(typed);
    let range = state.cursor.char_range().unwrap_or(CCursorRange::one(end));
    let range = range.as_sorted_char_range();
    let (from, to) = (range.start.min(end.index), range.end.min(end.index));
    typed.delete_char_range(from..to);
    let count = typed.insert_text(text, from);
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(from + count))));
    state.store(ui, id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

/// Draws the names that the files would have, or the reason why the pattern is invalid.
fn preview(ui: &mut Ui, chosen: &Chosen<'_>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let tokens = Tokens::of(ui);
    let line = |ui: &mut Ui, text: &str, ink: Color32| {
        let small = font(text::SMALL, Weight::Regular);
        row(ui, size::PREVIEW_LINE, |ui| label(ui, text, small, ink));
    };
    let names = match &chosen.plan {
        Ok(plan) => &plan.names,
        Err(Objection::Name(text)) => return line(ui, text, tokens.error),
        Err(_) => return,
    };
    let room = ((ui.available_height() + space::TINY) / size::PREVIEW_LINE).floor();
    let room = room.max(size::PREVIEW_LINES) as usize;
    let shown = if names.len() > room { room.saturating_sub(1) } else { names.len() };
    for name in names.iter().take(shown) {
        line(ui, &name.display().to_string(), tokens.dim);
    }
    if shown < names.len() {
        line(ui, &fl!(and_more, count = names.len() - shown), tokens.dim);
    }
}
