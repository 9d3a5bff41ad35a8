//! The question before something that cannot be undone: its exact effect, and two buttons.

use egui::Ui;

use super::{Cx, modal};
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::Question,
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            layout::row_from_right,
            paragraph,
        },
        words,
    },
};

/// Maximum rows of the text.
const ROWS: usize = 5;

/// Draws the question, if one is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let Some(question) = cx.ui_state.question else { return };
    let modal = modal::show(ui, cx, "question", |ui, cx| contents(ui, cx, question));
    if modal.should_close() {
        cx.act(Action::Ask(None));
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, question: Question) {
    let home = cx.state.home();
    let unknown = || fl!(settings_measuring).to_owned();
    let size = home.map_or_else(unknown, |home| words::bytes(home.stems));
    let (title, text, go) = match question {
        Question::Reset => {
            let songs = fl!(songs, count = cx.state.songs().len());
            let jobs = fl!(jobs, count = cx.state.jobs().len());
            let what = words::list(&[songs, jobs]);
            (
                fl!(question_reset),
                fl!(question_reset_text, what = &what, size = &size),
                fl!(question_reset_go),
            )
        }
        Question::ClearStems => {
            (fl!(question_clear), fl!(question_clear_text, size = &size), fl!(question_clear_go))
        }
    };
    modal::title(ui, cx, title);
    ui.add_space(space::MEDIUM);
    paragraph(ui, &text, font(text::BODY, Weight::Regular), cx.tokens.dim, ROWS);
    ui.add_space(space::GROUPS);
    row_from_right(ui, size::DIALOG_BUTTON, |ui| {
        ui.spacing_mut().item_spacing.x = space::MEDIUM;
        let height = size::DIALOG_BUTTON;
        if button(ui, "question go", height, go, Kind::Danger, true).clicked() {
            cx.act(Action::Confirm);
        }
        if button(ui, "question keep", height, fl!(question_keep), Kind::Quiet, true).clicked() {
            cx.act(Action::Ask(None));
        }
    });
}
