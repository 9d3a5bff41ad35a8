//! What is asked about a checkpoint that does not state everything about its network: one field for
//! each missing fact.

use egui::{Align2, Frame, Id, Modal, Rect, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    model::recognition::MissingFact,
    ui::{
        action::Action,
        state::facts_form::FactsForm,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            field::field,
            label, paragraph,
        },
    },
};

/// Height of a field with its label.
const ROW: f32 = 66.0;

/// Height of title, text and buttons.
const BARE: f32 = 26.0 + 96.0 + 52.0;

/// Draws it, if an import needs it.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(form) = &ui_state.facts else { return };
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let modal = Modal::new(Id::unique("facts")).frame(frame).backdrop_color(cx.tokens.veil).show(
        ui,
        |ui| {
            let tall = BARE + rows(form) as f32 * ROW;
            let (rect, _) = ui.allocate_exact_size(vec2(480.0, tall), Sense::hover());
            contents(ui, cx, rect, form);
        },
    );
    if modal.should_close() {
        cx.act(Action::CloseFacts);
    }
}

/// Number of fields. Beside the name of a single output stands that of the rest.
fn rows(form: &FactsForm) -> usize {
    form.missing.len() + usize::from(asks_for_rest(form))
}

fn asks_for_rest(form: &FactsForm) -> bool {
    form.missing.iter().any(|fact| matches!(fact, MissingFact::Stems { count: 1 }))
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, form: &FactsForm) {
    let tokens = cx.tokens;
    let name = font(text::NAME, Weight::SemiBold);
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), 26.0));
    let title = fl!(facts_title, kind = form.kind);
    label(ui, "facts title", line, Align2::LEFT_CENTER, &title, name, tokens.text);
    let place = Rect::from_min_size(line.left_bottom() + vec2(0.0, 8.0), vec2(rect.width(), 80.0));
    let file = form.file.file_name().unwrap_or_default().to_string_lossy();
    let words = fl!(facts_text, file = file);
    let body = font(text::BODY, Weight::Regular);
    paragraph(ui, "facts text", place, &words, body, tokens.dim, 4);

    let mut new = form.clone();
    let mut top = rect.top() + 26.0 + 96.0;
    let mut one = |ui: &mut Ui, salt: &str, words: &str, hint: &'static str, typed: &mut String| {
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), 20.0));
        let small = font(text::SMALL, Weight::Regular);
        label(ui, ("facts label", salt), line, Align2::LEFT_CENTER, words, small, tokens.dim);
        let place = Rect::from_min_size(line.left_bottom(), vec2(rect.width(), 38.0));
        field(ui, Id::unique(("facts", salt)), place, words, hint, typed);
        top += ROW;
    };
    for fact in &form.missing {
        match fact {
            MissingFact::Hop { .. } => one(ui, "hop", fl!(facts_hop), "441", &mut new.hop),
            MissingFact::Chunk { .. } => {
                one(ui, "chunk", fl!(facts_chunk), "352800", &mut new.chunk);
            }
            MissingFact::Stems { count } => {
                let words = fl!(facts_stems, count = *count);
                one(ui, "stems", &words, "vocals, other", &mut new.stems);
            }
        }
    }
    if asks_for_rest(form) {
        one(ui, "rest", fl!(facts_rest), "instrumental", &mut new.rest);
    }

    let wide = width(ui, fl!(facts_import), Kind::Primary);
    let place = Rect::from_min_max(pos2(rect.right() - wide, rect.bottom() - 42.0), rect.max);
    let can = form.stated().is_some();
    if button(ui, "facts go", place, fl!(facts_import), Kind::Primary, can).clicked() {
        cx.act(Action::AcceptFacts);
    }
    let cancel = width(ui, fl!(cancel), Kind::Quiet);
    let place =
        Rect::from_min_size(pos2(place.left() - cancel - 10.0, place.top()), vec2(cancel, 42.0));
    if button(ui, "facts cancel", place, fl!(cancel), Kind::Quiet, true).clicked() {
        cx.act(Action::CloseFacts);
    }
    if new != *form {
        cx.act(Action::State(Box::new(new)));
    }
}
