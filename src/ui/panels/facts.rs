//! The form about a checkpoint with missing facts about its network: one field for each missing
//! fact. The usual values beside a field state nothing until they are clicked. The form does not
//! import. Main thread.

use std::borrow::Cow;

use egui::{Align2, Frame, Id, Modal, Rect, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    engine::{ModelTask, SAMPLE_RATE},
    i18n::fl,
    model::recognition::MissingFact,
    ui::{
        action::Action,
        state::facts_form::{FactsForm, Lack, usual_stems},
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            field::field,
            label, lines, paragraph,
        },
        words,
    },
};

/// Width of the form without its margins.
const WIDTH: f32 = 480.0;
/// Height of a field with its label.
const ROW: f32 = 66.0;
/// Height of a field and of the buttons beside it.
const FIELD: f32 = 38.0;
const TITLE: f32 = 26.0;
const BUTTONS: f32 = 42.0;
const GAP: f32 = 14.0;
/// Maximum rows of the text and of an error; the tooltip has the full text.
const TEXT_ROWS: usize = 6;
/// Maximum number of values offered for one fact.
const MOST_USUAL: usize = 3;

/// Draws the form, if an import needs it.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(form) = &ui_state.facts else { return };
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let texts = Texts::of(ui, form);
    let modal = Modal::new(Id::unique("facts")).frame(frame).backdrop_color(cx.tokens.veil).show(
        ui,
        |ui| {
            let rows = rows(form) as f32 * ROW;
            let tall = TITLE + 8.0 + texts.text_height + GAP + rows + texts.error_height + BUTTONS;
            let (rect, _) = ui.allocate_exact_size(vec2(WIDTH, tall), Sense::hover());
            contents(ui, cx, rect, form, &texts);
        },
    );
    if modal.should_close() {
        cx.act(Action::CloseFacts);
    }
}

/// The form's paragraphs with their heights, including the gaps below.
struct Texts {
    text: String,
    text_height: f32,
    error: Option<String>,
    error_height: f32,
}

impl Texts {
    fn of(ui: &Ui, form: &FactsForm) -> Self {
        let height = |words: &str, size: f32| {
            let (font, color) = (font(size, Weight::Regular), egui::Color32::PLACEHOLDER);
            lines(ui.painter(), words, font, color, WIDTH, TEXT_ROWS).size().y
        };
        let text = fl!(facts_text, file = words::file_name(&form.file));
        let error = form.error.as_ref().map(|error| words::capitalised(&words::problem(error)));
        let error_height = error.as_ref().map_or(0.0, |error| height(error, text::SMALL) + GAP);
        Self { text_height: height(&text, text::BODY), text, error, error_height }
    }
}

/// Number of fields. A single named output adds a field for the name of the rest.
fn rows(form: &FactsForm) -> usize {
    form.missing.len() + usize::from(asks_for_rest(form))
}

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

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, form: &FactsForm, texts: &Texts) {
    let tokens = cx.tokens;
    let name = font(text::NAME, Weight::SemiBold);
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), TITLE));
    let title = fl!(facts_title, kind = form.kind);
    label(ui, "facts title", line, Align2::LEFT_CENTER, &title, name, tokens.text);
    let place = line.translate(vec2(0.0, TITLE + 8.0));
    let body = font(text::BODY, Weight::Regular);
    paragraph(ui, "facts text", place, &texts.text, body, tokens.dim, TEXT_ROWS);

    let mut new = form.clone();
    let mut place = Rect::from_min_size(
        pos2(rect.left(), place.top() + texts.text_height + GAP),
        vec2(rect.width(), ROW),
    );
    for fact in &form.missing {
        let typed = match fact {
            MissingFact::Hop { .. } => &mut new.hop,
            MissingFact::Chunk { .. } => &mut new.chunk,
            MissingFact::Stems { .. } => &mut new.stems,
        };
        row(ui, cx, place, &Row::of(fact, form), typed);
        place = place.translate(vec2(0.0, ROW));
    }
    if asks_for_rest(form) {
        let (hint, usual) = (form.usual_rest().to_owned(), Vec::new());
        let name = fl!(facts_rest).into();
        let rest = Row { salt: "rest", name, hint, meaning: None, usual };
        row(ui, cx, place, &rest, &mut new.rest);
        place = place.translate(vec2(0.0, ROW));
    }
    if let Some(error) = &texts.error {
        let small = font(text::SMALL, Weight::Regular);
        paragraph(ui, "facts error", place, error, small, tokens.error, TEXT_ROWS);
    }
    let foot = Rect::from_min_max(pos2(rect.left(), rect.bottom() - BUTTONS), rect.max);
    buttons(ui, cx, foot, form);
    if new != *form {
        cx.act(Action::State(Box::new(new)));
    }
}

/// Draws a field with its label and the buttons that fill it.
fn row(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, row: &Row<'_>, typed: &mut String) {
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), 20.0));
    let small = font(text::SMALL, Weight::Regular);
    let salt = ("facts label", row.salt);
    label(ui, salt, line, Align2::LEFT_CENTER, &row.name, small.clone(), cx.tokens.dim);
    let mut place = Rect::from_min_size(line.left_bottom(), vec2(rect.width(), FIELD));
    for (at, (text, value)) in row.usual.iter().enumerate().rev() {
        let wide = width(ui, text, Kind::Quiet);
        let own = Rect::from_min_max(pos2(place.right() - wide, place.top()), place.max);
        if button(ui, ("facts usual", row.salt, at), own, text, Kind::Quiet, true).clicked() {
            value.clone_into(typed);
        }
        place.max.x = own.left() - 8.0;
    }
    if let Some(meaning) = &row.meaning {
        let line = Rect::from_min_max(line.min, pos2(place.right(), line.bottom()));
        let salt = ("facts meaning", row.salt);
        label(ui, salt, line, Align2::RIGHT_CENTER, meaning, small, cx.tokens.text);
    }
    field(ui, Id::unique(("facts", row.salt)), place, &row.name, &row.hint, typed);
}

fn buttons(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, form: &FactsForm) {
    let lack = form.stated().err();
    let wide = width(ui, fl!(facts_import), Kind::Primary);
    let place = Rect::from_min_max(pos2(rect.right() - wide, rect.top()), rect.max);
    let can = lack.is_none() && !form.is_running();
    if button(ui, "facts go", place, fl!(facts_import), Kind::Primary, can).clicked() {
        cx.act(Action::AcceptFacts);
    }
    let wide = width(ui, fl!(cancel), Kind::Quiet);
    let place = Rect::from_min_max(
        pos2(place.left() - wide - 10.0, rect.top()),
        pos2(place.left() - 10.0, rect.bottom()),
    );
    if button(ui, "facts cancel", place, fl!(cancel), Kind::Quiet, true).clicked() {
        cx.act(Action::CloseFacts);
    }
    let said = if form.is_running() {
        progress(cx)
    } else {
        lack.map(|lack| why(lack, form)).unwrap_or_default()
    };
    if !said.is_empty() {
        let line = Rect::from_min_max(rect.min, pos2(place.left() - 10.0, rect.bottom()));
        let small = font(text::SMALL, Weight::Regular);
        paragraph_centred(ui, cx, line, &said, small);
    }
}

/// Draws up to two lines, vertically centred in `rect`.
fn paragraph_centred(ui: &Ui, cx: &Cx<'_>, rect: Rect, text: &str, font: egui::FontId) {
    let color = cx.tokens.dim;
    let tall = lines(ui.painter(), text, font.clone(), color, rect.width(), 2).size().y;
    let place = rect.translate(vec2(0.0, ((rect.height() - tall) / 2.0).max(0.0)));
    paragraph(ui, "facts lack", place, text, font, color, 2);
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
