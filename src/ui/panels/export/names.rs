//! The names of exported files: a pattern to type, its placeholders as buttons, and a preview of
//! the names.

use egui::{
    Align2, Id, Rect, TextBuffer as _, Ui,
    text::{CCursor, CCursorRange},
    text_edit::TextEditState,
    vec2,
};

use super::form::{Chosen, Form};
use crate::{
    engine::export::pattern::FIELDS,
    i18n::fl,
    ui::{
        commands::export_plan::{ExportChoices, Objection},
        theme::{Weight, font, text},
        widgets::{
            button::{Kind, button},
            field::field,
            label, one_line,
        },
        words,
    },
};

/// Height of a line of the preview.
const LINE: f32 = 17.0;

/// Ids of the placeholder buttons.
pub fn buttons() -> impl Iterator<Item = Id> {
    FIELDS.into_iter().map(|field| Id::unique(salt(field)))
}

fn salt(field: &'static str) -> (&'static str, &'static str) {
    ("export placeholder", field)
}

/// Draws the rows about names in the remaining area.
pub fn names(ui: &mut Ui, form: &mut Form, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    let row = form.row(ui, fl!(export_names));
    let id = Id::unique("export names");
    let typed = new.name_mut(chosen.is_one);
    field(ui, id, row, fl!(export_pattern), "{title} ({stem})", typed);
    let row = form.below(8.0, 24.0);
    let small = font(text::BODY, Weight::Medium);
    let mut left = row.left();
    for name in FIELDS {
        let shown = format!("{{{name}}}");
        let ink = form.tokens.text;
        let wide =
            one_line(ui.painter(), &shown, small.clone(), ink, f32::INFINITY).size().x + 16.0;
        let place = Rect::from_min_size(egui::pos2(left, row.top()), vec2(wide, row.height()));
        let response = button(ui, salt(name), place, &shown, Kind::Quiet, true);
        if response.on_hover_text(words::placeholder(name)).clicked() {
            insert(ui, id, typed, &shown);
        }
        left += wide + 6.0;
    }
    preview(ui, form, chosen);
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
fn preview(ui: &Ui, form: &Form, chosen: &Chosen<'_>) {
    let rect = form.rest(8.0);
    let line = |i: usize| {
        Rect::from_min_size(rect.min + vec2(0.0, LINE * i as f32), vec2(rect.width(), LINE))
    };
    let small = font(text::SMALL, Weight::Regular);
    let names = match &chosen.plan {
        Ok(plan) => &plan.names,
        Err(Objection::Name(text)) => {
            let ink = form.tokens.error;
            label(ui, "export name wrong", line(0), Align2::LEFT_CENTER, text, small, ink);
            return;
        }
        Err(_) => return,
    };
    let room = ((rect.height() + 4.0) / LINE).floor().max(1.0) as usize;
    let shown = if names.len() > room { room.saturating_sub(1) } else { names.len() };
    let ink = form.tokens.dim;
    for (i, name) in names.iter().take(shown).enumerate() {
        let text = name.display().to_string();
        let salt = ("export name", i);
        label(ui, salt, line(i), Align2::LEFT_CENTER, &text, small.clone(), ink);
    }
    if shown < names.len() {
        let text = fl!(and_more, count = names.len() - shown);
        label(ui, "export names more", line(shown), Align2::LEFT_CENTER, &text, small, ink);
    }
}
