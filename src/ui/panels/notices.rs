//! Notices of failures and results, placed where they matter and dismissed by a click.

use egui::{Align, Frame, Layout, Margin, Ui, vec2};

use super::Cx;
use crate::{
    engine::{ModelState, ModelTask, Problem},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::view_state::Notice,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            button::{Kind, button, icon_button, wide_button},
            icon::Icon,
            label,
            layout::{at_bottom, rest, row, row_from_right},
            paragraph,
            surface::Surface,
        },
        words,
    },
};

/// Maximum number of the library's notices that are displayed at once.
const SHOWN: usize = 2;

/// Maximum rows of a notice; the tooltip has the full text.
const ROWS: usize = 12;

/// Draws the library's notices at the bottom, the newest lowest, and the number of hidden ones.
/// `around` is the space beside and below them.
pub fn library(ui: &mut Ui, cx: &mut Cx<'_>, around: Margin) {
    let state = cx.state;
    let about_library: Vec<&Notice> =
        state.notices().iter().filter(|notice| notice.song.is_none()).collect();
    let hidden = about_library.len().saturating_sub(SHOWN);
    let around = Frame::NONE.inner_margin(around);
    if hidden > 0 {
        at_bottom(ui, "more notices", |ui| {
            let surface = surface(cx, margin::UNDO);
            around.show(ui, |ui| surface.show(ui, |ui| more(ui, cx, &about_library, hidden)));
        });
    }
    for notice in about_library.iter().rev().take(SHOWN) {
        at_bottom(ui, ("notice", notice.id), |ui| {
            around.show(ui, |ui| one(ui, cx, notice));
        });
    }
}

/// Draws the number of hidden notices, and a link that dismisses all.
fn more(ui: &mut Ui, cx: &mut Cx<'_>, notices: &[&Notice], hidden: usize) {
    row_from_right(ui, size::LINK, |ui| {
        if button(ui, "dismiss all", size::LINK, fl!(notice_dismiss_all), Kind::Link, true)
            .clicked()
        {
            for notice in notices {
                cx.act(Action::Dismiss(notice.id));
            }
        }
        rest(ui, |ui| {
            let small = font(text::SMALL, Weight::Regular);
            label(ui, &fl!(and_more, count = hidden), small, cx.tokens.dim);
        });
    });
}

/// Draws the removal that can be undone, at the bottom.
pub fn undo(ui: &mut Ui, cx: &mut Cx<'_>, around: Margin) {
    let ui_state = cx.ui_state;
    let Some(removal) = &ui_state.removal else { return };
    let text = match removal.songs.len() {
        1 => fl!(notice_removed, title = &removal.title),
        many => fl!(notice_removed_many, count = many),
    };
    let surface = surface(cx, margin::UNDO);
    let add = |ui: &mut Ui| {
        row_from_right(ui, size::NOTICE, |ui| {
            let least = vec2(size::UNDO, size::LINK);
            if wide_button(ui, "undo remove", least, fl!(notice_undo), Kind::Link, true).clicked() {
                cx.act(Action::UndoRemove);
            }
            let body = font(text::BODY, Weight::Regular);
            rest(ui, |ui| label(ui, &text, body, cx.tokens.text));
        });
    };
    at_bottom(ui, "removed", |ui| {
        Frame::NONE.inner_margin(around).show(ui, |ui| surface.show(ui, add));
    });
}

/// Draws the progress of a model import at the bottom; while no model is installed, the model's card
/// shows it instead.
pub fn model_import(ui: &mut Ui, cx: &mut Cx<'_>, around: Margin) {
    let state = cx.state;
    let Some((None, ModelTask::Running { step, fraction })) = state.model_task() else { return };
    if matches!(state.model(), Some(ModelState::Installing { .. })) {
        return;
    }
    let progress = Some((fraction.unwrap_or(0.0), cx.tokens.progress));
    let surface = Surface { progress, ..surface(cx, margin::TASK) };
    let step = words::progress(step, *fraction);
    let add = |ui: &mut Ui| {
        let (body, small) = (font(text::BODY, Weight::Regular), font(text::SMALL, Weight::Regular));
        row_from_right(ui, size::LINE, |ui| {
            let stop = UiCommand::CancelInstall.spec().text;
            if button(ui, "stop model import", size::LINK, stop, Kind::Link, true).clicked() {
                cx.verb(UiCommand::CancelInstall);
            }
            ui.add_space(space::SMALL);
            rest(ui, |ui| label(ui, fl!(notice_model_importing), body, cx.tokens.text));
        });
        row(ui, size::LINE, |ui| label(ui, &step, small, cx.tokens.dim));
    };
    at_bottom(ui, "model import", |ui| {
        Frame::NONE.inner_margin(around).show(ui, |ui| surface.show(ui, add));
    });
}

/// Draws one notice.
pub fn one(ui: &mut Ui, cx: &mut Cx<'_>, notice: &Notice) {
    surface(cx, margin::NOTICE).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            let (salt, edge, dim) =
                (("dismiss", notice.id), size::ICON_BUTTON_SMALL, cx.tokens.dim);
            if icon_button(ui, salt, edge, Icon::Close, fl!(dismiss), None, dim).clicked() {
                cx.act(Action::Dismiss(notice.id));
            }
            ui.add_space(space::TINY);
            contents(ui, cx, &notice.text(), notice.is_good());
        });
    });
}

/// Draws the cause of a job's failure; it stays until the next attempt.
pub fn failure(ui: &mut Ui, cx: &Cx<'_>, problem: &Problem) {
    surface(cx, margin::NOTICE).show(ui, |ui| contents(ui, cx, &words::sentence(problem), false));
}

fn surface(cx: &Cx<'_>, margin: Margin) -> Surface {
    Surface { fill: cx.tokens.raised, radius: radius::FIELD, margin, progress: None }
}

/// Draws the icon and the text of a notice in the available width.
fn contents(ui: &mut Ui, cx: &Cx<'_>, text: &str, is_good: bool) {
    ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
        let (icon, ink) = if is_good {
            (Icon::Check, cx.tokens.accent)
        } else {
            (Icon::Warning, cx.tokens.error)
        };
        icon.show_in(ui, vec2(size::ICON, size::ICON_BUTTON_SMALL), size::ICON, ink);
        ui.add_space(space::SMALL);
        Frame::NONE.inner_margin(margin::IN_NOTICE).show(ui, |ui| {
            let small = font(text::SMALL, Weight::Regular);
            paragraph(ui, text, small, cx.tokens.text, ROWS);
        });
    });
}
