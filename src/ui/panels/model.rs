//! The model's card: terms, Install, Choose a file…, and the progress of the installation. Shown
//! where a model is needed, while none is installed.

use egui::{Ui, Vec2};

use super::Cx;
use crate::{
    engine::ModelState,
    i18n::fl,
    ui::{
        action::UiCommand,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            button::{Kind, button},
            label,
            layout::{row, row_from_right, stack, wrapped},
            paragraph,
            surface::{Surface, progress_bar},
        },
        words,
    },
};

/// Maximum rows of the terms; the tooltip has the full text.
const TERMS_ROWS: usize = 14;
/// Maximum rows of a failure.
const FAILURE_ROWS: usize = 6;

/// Draws the card, unless a model is installed or its state is unknown. Returns whether it is drawn.
pub fn card(ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
    let state = cx.state;
    match state.model() {
        None | Some(ModelState::Ready { .. }) => return false,
        Some(ModelState::Installing { step, fraction }) => {
            let text = words::progress(step, *fraction);
            surface(cx).show(ui, |ui| installing(ui, cx, &text, *fraction));
        }
        Some(ModelState::Missing) => {
            surface(cx).show(ui, |ui| offer(ui, cx, None));
        }
        Some(ModelState::Failed(problem)) => {
            surface(cx).show(ui, |ui| offer(ui, cx, Some(&words::sentence(problem))));
        }
    }
    true
}

/// Whether [`card`] draws something.
pub fn has_card(cx: &Cx<'_>) -> bool {
    !matches!(cx.state.model(), None | Some(ModelState::Ready { .. }))
}

fn surface(cx: &Cx<'_>) -> Surface {
    let fill = cx.tokens.panel;
    Surface { fill, radius: radius::CARD, margin: margin::CARD, progress: None }
}

fn heading(ui: &mut Ui, cx: &Cx<'_>, text: &str) {
    let strong = font(text::LANE, Weight::SemiBold);
    row(ui, size::TEXT_LINE, |ui| label(ui, text, strong, cx.tokens.text));
}

fn offer(ui: &mut Ui, cx: &mut Cx<'_>, failure: Option<&str>) {
    heading(ui, cx, if failure.is_some() { fl!(model_failed) } else { fl!(model_missing) });
    ui.add_space(space::CLOSE);
    let small = font(text::SMALL, Weight::Regular);
    if let Some(reason) = failure {
        paragraph(ui, reason, small.clone(), cx.tokens.error, FAILURE_ROWS);
        ui.add_space(space::SMALL);
    }
    paragraph(ui, cx.state.terms(), small, cx.tokens.dim, TERMS_ROWS);
    ui.add_space(space::LARGE);
    wrapped(ui, size::BUTTON, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::BUTTONS);
        for (verb, kind) in
            [(UiCommand::InstallModel, Kind::Primary), (UiCommand::ChooseModel, Kind::Quiet)]
        {
            let text = verb.spec().text;
            let response = button(ui, ("model", verb), size::BUTTON, text, kind, true);
            if response.on_hover_text(verb.hint(ui)).clicked() {
                cx.verb(verb);
            }
        }
    });
}

fn installing(ui: &mut Ui, cx: &mut Cx<'_>, text: &str, fraction: Option<f32>) {
    let height = size::TEXT_LINE + space::TINY + size::TEXT_LINE;
    row_from_right(ui, height, |ui| {
        let stop = UiCommand::CancelInstall.spec().text;
        if button(ui, "model stop", size::BUTTON, stop, Kind::Quiet, true).clicked() {
            cx.verb(UiCommand::CancelInstall);
        }
        ui.add_space(space::MEDIUM);
        stack(ui, height, |ui| {
            heading(ui, cx, fl!(model_installing));
            ui.add_space(space::TINY);
            let small = font(text::SMALL, Weight::Regular);
            row(ui, size::TEXT_LINE, |ui| label(ui, text, small, cx.tokens.dim));
        });
    });
    ui.add_space(space::MEDIUM);
    let (accent, rest) = (cx.tokens.accent, cx.tokens.raised);
    progress_bar(ui, size::PROGRESS_BAR, fraction.unwrap_or(0.0), accent, rest);
}
