//! The question before something that cannot be undone: its exact effect, and two buttons.

use egui::{Align2, Frame, Id, Modal, Rect, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::Question,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            label, paragraph,
        },
        words,
    },
};

/// Draws the question, if one is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let Some(question) = cx.ui_state.question else { return };
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let modal = Modal::new(Id::unique("question"))
        .frame(frame)
        .backdrop_color(cx.tokens.veil)
        .show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(480.0, 176.0), Sense::hover());
            contents(ui, cx, rect, question);
        });
    if modal.should_close() {
        cx.act(Action::Ask(None));
    }
}

fn contents(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, question: Question) {
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
    let name = font(text::NAME, Weight::SemiBold);
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), 26.0));
    label(ui, "question", line, Align2::LEFT_CENTER, title, name, cx.tokens.text);
    let place = Rect::from_min_max(pos2(rect.left(), line.bottom() + 12.0), rect.max);
    let body = font(text::BODY, Weight::Regular);
    paragraph(ui, "question text", place, &text, body, cx.tokens.dim, 5);
    let top = rect.bottom() - 40.0;
    let wide = width(ui, go, Kind::Danger);
    let place = Rect::from_min_max(pos2(rect.right() - wide, top), rect.max);
    if button(ui, "question go", place, go, Kind::Danger, true).clicked() {
        cx.act(Action::Confirm);
    }
    let wide = width(ui, fl!(question_keep), Kind::Quiet);
    let place = Rect::from_min_size(pos2(place.left() - wide - 12.0, top), vec2(wide, 40.0));
    if button(ui, "question keep", place, fl!(question_keep), Kind::Quiet, true).clicked() {
        cx.act(Action::Ask(None));
    }
}
