//! The form about a checkpoint with missing facts about its network: one field for each missing
//! fact. The usual values beside a field state nothing until they are clicked. The form does not
//! import. Main thread.

use std::borrow::Cow;

use egui::{Align, Id, Layout, Ui, vec2};

use super::{Cx, modal};
use crate::{
    engine::{ModelTask, SAMPLE_RATE},
    i18n::fl,
    model::recognition::MissingFact,
    ui::{
        action::Action,
        state::facts_form::{FactsForm, Lack, usual_stems},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            field::field,
            label,
            layout::{rest, row_from_right},
            paragraph,
        },
        words,
    },
};

/// Maximum rows of the text and of an error; the tooltip has the full text.
const TEXT_ROWS: usize = 6;
/// Maximum rows of the text beside the buttons.
const LACK_ROWS: usize = 2;
/// Maximum number of values offered for one fact.
const MOST_USUAL: usize = 3;

/// Draws the form, if an import needs it.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(form) = &ui_state.facts else { return };
    let modal = modal::show(ui, cx, "facts", |ui, cx| contents(ui, cx, form));
    if modal.should_close() {
        cx.act(Action::CloseFacts);
    }
}

/// Whether the form asks for the name of the rest, as with a single named output.
fn asks_for_rest(form: &FactsForm) -> bool {
    form.missing.iter().any(|fact| matches!(fact, MissingFact::Stems { count: 1 }))
}

/// One field: its name, an example, and the meaning of the typed text. The usual values each have
/// the button's label and the text to fill in.
struct Row<'a> {
    salt: &'static str,
    name: Cow<'a, str>,
    hint: String,
    meaning: Option<String>,
    usual: Vec<(String, String)>,
}

impl Row<'_> {
    fn of<'a>(fact: &MissingFact, form: &FactsForm) -> Row<'a> {
        let first = |usual: &[usize]| usual.first().map_or_else(String::new, usize::to_string);
        let listed = |usual: &[usize], text: &dyn Fn(usize) -> String| {
            usual.iter().take(MOST_USUAL).map(|value| (text(*value), value.to_string())).collect()
        };
        match fact {
            MissingFact::Hop { usual } => Row {
                salt: "hop",
                name: fl!(facts_hop).into(),
                hint: first(usual),
                meaning: None,
                usual: listed(usual, &|hop| hop.to_string()),
            },
            MissingFact::Chunk { usual } => Row {
                salt: "chunk",
                name: fl!(facts_chunk).into(),
                hint: first(usual),
                meaning: form.seconds().map(|seconds| format!("= {}", in_seconds(seconds))),
                usual: listed(usual, &|chunk| in_seconds(chunk as f64 / f64::from(SAMPLE_RATE))),
            },
            MissingFact::Stems { count } => {
                let hint = usual_stems(*count);
                let usual = (*count == 1).then(|| (hint.clone(), hint.clone()));
                Row {
                    salt: "stems",
                    name: fl!(facts_stems, count = *count).into(),
                    usual: usual.into_iter().collect(),
                    hint,
                    meaning: None,
                }
            }
        }
    }
}

/// A duration, such as "8 s" or "13.35 s".
fn in_seconds(seconds: f64) -> String {
    let is_whole = (seconds - seconds.round()).abs() < 0.005;
    fl!(facts_seconds, seconds = words::decimal(seconds, if is_whole { 0 } else { 2 }))
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, form: &FactsForm) {
    let tokens = cx.tokens;
    modal::title(ui, cx, &fl!(facts_title, kind = form.kind));
    ui.add_space(space::SMALL);
    let text = fl!(facts_text, file = words::file_name(&form.file));
    paragraph(ui, &text, font(text::BODY, Weight::Regular), tokens.dim, TEXT_ROWS);
    ui.add_space(space::LINKS);
    let mut new = form.clone();
    for fact in &form.missing {
        let typed = match fact {
            MissingFact::Hop { .. } => &mut new.hop,
            MissingFact::Chunk { .. } => &mut new.chunk,
            MissingFact::Stems { .. } => &mut new.stems,
        };
        fact_ui(ui, cx, &Row::of(fact, form), typed);
    }
    if asks_for_rest(form) {
        let (hint, usual) = (form.usual_rest().to_owned(), Vec::new());
        let name = fl!(facts_rest).into();
        let rest = Row { salt: "rest", name, hint, meaning: None, usual };
        fact_ui(ui, cx, &rest, &mut new.rest);
    }
    if let Some(error) = &form.error {
        let error = words::sentence(error);
        paragraph(ui, &error, font(text::SMALL, Weight::Regular), tokens.error, TEXT_ROWS);
        ui.add_space(space::LINKS);
    }
    buttons(ui, cx, form);
    if new != *form {
        cx.act(Action::State(Box::new(new)));
    }
}

/// Draws a field with its label and, at its right, the buttons that fill it.
fn fact_ui(ui: &mut Ui, cx: &Cx<'_>, row: &Row<'_>, typed: &mut String) {
    let size = vec2(ui.available_width(), size::TEXT_LINE + size::DIALOG_FIELD);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Max), |ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        for (at, (text, value)) in row.usual.iter().enumerate().rev() {
            let salt = ("facts usual", row.salt, at);
            if button(ui, salt, size::DIALOG_FIELD, text, Kind::Quiet, true).clicked() {
                value.clone_into(typed);
            }
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            let small = font(text::SMALL, Weight::Regular);
            row_from_right(ui, size::TEXT_LINE, |ui| {
                if let Some(meaning) = &row.meaning {
                    label(ui, meaning, small.clone(), cx.tokens.text);
                }
                rest(ui, |ui| label(ui, &row.name, small, cx.tokens.dim));
            });
            let (id, size) =
                (Id::unique(("facts", row.salt)), vec2(ui.available_width(), size::DIALOG_FIELD));
            field(ui, id, size, &row.name, &row.hint, typed);
        });
    });
    ui.add_space(space::SMALL);
}

/// Draws the buttons and, at their left, the progress or the reason why the import cannot start.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, form: &FactsForm) {
    let lack = form.stated().err();
    row_from_right(ui, size::DIALOG_BUTTON, |ui| {
        ui.spacing_mut().item_spacing.x = space::BUTTONS;
        let (height, can) = (size::DIALOG_BUTTON, lack.is_none() && !form.is_running());
        if button(ui, "facts go", height, fl!(facts_import), Kind::Primary, can).clicked() {
            cx.act(Action::AcceptFacts);
        }
        if button(ui, "facts cancel", height, fl!(cancel), Kind::Quiet, true).clicked() {
            cx.act(Action::CloseFacts);
        }
        let said = if form.is_running() {
            progress(cx)
        } else {
            lack.map(|lack| why(lack, form)).unwrap_or_default()
        };
        if !said.is_empty() {
            let small = font(text::SMALL, Weight::Regular);
            rest(ui, |ui| paragraph(ui, &said, small, cx.tokens.dim, LACK_ROWS));
        }
    });
}

/// The text about the progress of the import.
fn progress(cx: &Cx<'_>) -> String {
    match cx.state.model_task() {
        Some((None, ModelTask::Running { step, fraction })) => words::progress(step, *fraction),
        _ => fl!(facts_running).to_owned(),
    }
}

/// The reason why the file cannot be imported yet.
fn why(lack: Lack, form: &FactsForm) -> String {
    let usual = |pick: fn(&MissingFact) -> Option<&Vec<usize>>| {
        let usual = form.missing.iter().find_map(pick).and_then(|usual| usual.first());
        usual.map_or_else(String::new, usize::to_string)
    };
    match lack {
        Lack::Hop => fl!(facts_lack_hop).to_owned(),
        Lack::WrongHop => {
            let usual = usual(|fact| match fact {
                MissingFact::Hop { usual } => Some(usual),
                _ => None,
            });
            fl!(facts_wrong_hop, usual = usual)
        }
        Lack::Chunk => fl!(facts_lack_chunk).to_owned(),
        Lack::WrongChunk => {
            let usual = usual(|fact| match fact {
                MissingFact::Chunk { usual } => Some(usual),
                _ => None,
            });
            fl!(facts_wrong_chunk, usual = usual)
        }
        Lack::Stems { count: 1, given: 0 } => fl!(facts_lack_name).to_owned(),
        Lack::Stems { count, given } => fl!(facts_lack_names, count = count, given = given),
    }
}
