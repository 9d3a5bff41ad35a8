//! The model's card: terms, Install, Choose a file…, and the progress of the installation. Shown
//! where a model is needed, while none is installed.

use egui::{Align2, Rect, Ui, pos2, vec2};

use super::Cx;
use crate::{
    engine::ModelState,
    i18n::fl,
    ui::{
        action::UiCommand,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            label, lines, paragraph,
        },
        words,
    },
};

const PADDING: f32 = 18.0;

/// Maximum rows of the terms; the tooltip has the full text.
const TERMS_ROWS: usize = 14;

/// Height of the card without its text: heading, buttons and gaps.
const BARE: f32 = 2.0 * PADDING + 26.0 + 16.0 + 36.0;

/// Height of the card at a width; 0 when a model is installed or its state is unknown.
pub fn height(ui: &Ui, cx: &Cx<'_>, width: f32) -> f32 {
    match cx.state.model() {
        None | Some(ModelState::Ready { .. }) => 0.0,
        Some(ModelState::Installing { .. }) => 100.0,
        Some(ModelState::Missing) => BARE + terms_height(ui, cx, width),
        Some(ModelState::Failed(problem)) => {
            BARE + terms_height(ui, cx, width)
                + text_height(ui, &words::problem(problem), width, 6)
                + 8.0
        }
    }
}

fn text_height(ui: &Ui, text: &str, width: f32, max_rows: usize) -> f32 {
    let small = font(text::SMALL, Weight::Regular);
    let (color, width) = (egui::Color32::PLACEHOLDER, width - 2.0 * PADDING);
    lines(ui.painter(), text, small, color, width, max_rows).size().y
}

fn terms_height(ui: &Ui, cx: &Cx<'_>, width: f32) -> f32 {
    text_height(ui, cx.state.terms(), width, TERMS_ROWS)
}

/// Draws the card, unless a model is installed.
pub fn card(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let state = cx.state;
    match state.model() {
        None | Some(ModelState::Ready { .. }) => {}
        Some(ModelState::Installing { step, fraction }) => {
            installing(ui, cx, rect, &words::progress(step, *fraction), *fraction);
        }
        Some(ModelState::Missing) => offer(ui, cx, rect, None),
        Some(ModelState::Failed(problem)) => offer(ui, cx, rect, Some(&words::problem(problem))),
    }
}

fn heading(ui: &Ui, cx: &Cx<'_>, inner: Rect, text: &str) {
    let place = Rect::from_min_size(inner.min, vec2(inner.width(), 20.0));
    let strong = font(text::LANE, Weight::SemiBold);
    label(ui, "model heading", place, Align2::LEFT_CENTER, text, strong, cx.tokens.text);
}

fn offer(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, failure: Option<&str>) {
    ui.painter().rect_filled(rect, radius::CARD, cx.tokens.panel);
    let inner = rect.shrink(PADDING);
    let text = if failure.is_some() { fl!(model_failed) } else { fl!(model_missing) };
    heading(ui, cx, inner, text);
    let mut top = inner.top() + 26.0;
    let small = font(text::SMALL, Weight::Regular);
    if let Some(reason) = failure {
        let place = Rect::from_min_max(pos2(inner.left(), top), inner.max);
        let used = paragraph(ui, "model failure", place, reason, small.clone(), cx.tokens.error, 6);
        top = used.bottom() + 8.0;
    }
    let place =
        Rect::from_min_max(pos2(inner.left(), top), pos2(inner.right(), inner.bottom() - 44.0));
    paragraph(ui, "model terms", place, cx.state.terms(), small, cx.tokens.dim, TERMS_ROWS);
    let mut x = inner.left();
    for (verb, kind) in
        [(UiCommand::InstallModel, Kind::Primary), (UiCommand::ChooseModel, Kind::Quiet)]
    {
        let spec = verb.spec();
        let wide = width(ui, spec.text, kind);
        let place = Rect::from_min_size(pos2(x, inner.bottom() - 36.0), vec2(wide, 36.0));
        let response = button(ui, ("model", verb), place, spec.text, kind, true);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
        x += wide + 10.0;
    }
}

fn installing(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, text: &str, fraction: Option<f32>) {
    ui.painter().rect_filled(rect, radius::CARD, cx.tokens.panel);
    let inner = rect.shrink(PADDING);
    heading(ui, cx, inner, fl!(model_installing));
    let spec = UiCommand::CancelInstall.spec();
    let wide = width(ui, spec.text, Kind::Quiet);
    let place = Rect::from_min_size(pos2(inner.right() - wide, inner.top()), vec2(wide, 36.0));
    if button(ui, "model stop", place, spec.text, Kind::Quiet, true).clicked() {
        cx.verb(UiCommand::CancelInstall);
    }
    let line =
        Rect::from_min_size(inner.min + vec2(0.0, 24.0), vec2(inner.width() - wide - 12.0, 18.0));
    let small = font(text::SMALL, Weight::Regular);
    label(ui, "model progress", line, Align2::LEFT_CENTER, text, small, cx.tokens.dim);
    let rail = Rect::from_min_max(
        pos2(inner.left(), inner.bottom() - 8.0),
        pos2(inner.right(), inner.bottom() - 2.0),
    );
    ui.painter().rect_filled(rail, 3, cx.tokens.raised);
    let mut done = rail;
    done.set_width(rail.width() * fraction.unwrap_or(0.0).clamp(0.0, 1.0));
    if done.width() > 0.0 {
        ui.painter().rect_filled(done, 3, cx.tokens.accent);
    }
}
