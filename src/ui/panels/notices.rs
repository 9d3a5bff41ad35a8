//! Notices of failures and results, placed where they matter and dismissed by a click.

use egui::{Align2, Rangef, Rect, Ui, pos2, vec2};

use super::Cx;
use crate::{
    engine::{ModelState, ModelTask, Problem},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::view_state::Notice,
        theme::{Weight, font, radius, text},
        widgets::{
            Salt,
            button::{Kind, button, icon_button, width},
            icon::Icon,
            label, lines, paragraph,
        },
        words,
    },
};

/// Maximum number of the library's notices that are displayed at once.
const SHOWN: usize = 2;

/// Maximum rows of a notice; the tooltip has the full text.
const ROWS: usize = 5;

/// Draws the library's notices upwards from `bottom`, the newest lowest, and the number of hidden
/// ones. Returns the top of the covered area.
pub fn library(ui: &Ui, cx: &mut Cx<'_>, x: Rangef, bottom: f32) -> f32 {
    let state = cx.state;
    let mut top = bottom;
    let about_library: Vec<&Notice> =
        state.notices().iter().filter(|notice| notice.song.is_none()).collect();
    let hidden = about_library.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let rect = Rect::from_x_y_ranges(x, top - 26.0..=top);
        let text = fl!(and_more, count = hidden);
        let small = font(text::SMALL, Weight::Regular);
        let place = rect.shrink2(vec2(10.0, 0.0));
        label(ui, "more notices", place, Align2::LEFT_CENTER, &text, small, cx.tokens.dim);
        let dismiss = fl!(notice_dismiss_all);
        let wide = width(ui, dismiss, Kind::Link);
        let place = Rect::from_min_max(pos2(rect.right() - wide, rect.top()), rect.max);
        if button(ui, "dismiss all", place, dismiss, Kind::Link, true).clicked() {
            for notice in &about_library {
                cx.act(Action::Dismiss(notice.id));
            }
        }
        top = rect.top() - 4.0;
    }
    for notice in about_library.iter().rev().take(SHOWN) {
        let height = height(ui, &notice.text(), x.span());
        let rect = Rect::from_x_y_ranges(x, top - height..=top);
        notice_ui(ui, cx, rect, notice);
        top -= height + 6.0;
    }
    top
}

/// Draws the removal that can be undone. Returns its top.
pub fn undo(ui: &Ui, cx: &mut Cx<'_>, x: Rangef, bottom: f32) -> f32 {
    let ui_state = cx.ui_state;
    let Some(removal) = &ui_state.removal else { return bottom };
    let rect = Rect::from_x_y_ranges(x, bottom - 40.0..=bottom);
    ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
    let text = match removal.songs.len() {
        1 => fl!(notice_removed, title = &removal.title),
        many => fl!(notice_removed_many, count = many),
    };
    let place = Rect::from_min_max(rect.min + vec2(12.0, 0.0), rect.max - vec2(64.0, 0.0));
    let body = font(text::BODY, Weight::Regular);
    label(ui, "removed", place, Align2::LEFT_CENTER, &text, body, cx.tokens.text);
    let place = Rect::from_min_max(rect.right_top() + vec2(-60.0, 6.0), rect.max - vec2(8.0, 6.0));
    if button(ui, "undo remove", place, fl!(notice_undo), Kind::Link, true).clicked() {
        cx.act(Action::UndoRemove);
    }
    rect.top() - 6.0
}

/// Draws the progress of a model import above `bottom`; while no model is installed, the model's
/// card shows it instead. Returns its top.
pub fn model_import(ui: &Ui, cx: &mut Cx<'_>, x: Rangef, bottom: f32) -> f32 {
    let state = cx.state;
    let Some((None, ModelTask::Running { step, fraction })) = state.model_task() else {
        return bottom;
    };
    if matches!(state.model(), Some(ModelState::Installing { .. })) {
        return bottom;
    }
    let rect = Rect::from_x_y_ranges(x, bottom - 56.0..=bottom);
    ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
    let mut done = rect;
    done.set_width(rect.width() * fraction.unwrap_or(0.0).clamp(0.0, 1.0));
    let painter = ui.painter().with_clip_rect(done.intersect(ui.clip_rect()));
    painter.rect_filled(rect, radius::FIELD, cx.tokens.progress);
    let stop = UiCommand::CancelInstall.spec().text;
    let wide = width(ui, stop, Kind::Link);
    let place = Rect::from_min_max(
        pos2(rect.right() - wide - 10.0, rect.top() + 6.0),
        pos2(rect.right() - 10.0, rect.top() + 30.0),
    );
    if button(ui, "stop model import", place, stop, Kind::Link, true).clicked() {
        cx.verb(UiCommand::CancelInstall);
    }
    let line =
        Rect::from_min_max(rect.min + vec2(12.0, 8.0), pos2(place.left() - 8.0, rect.top() + 28.0));
    let (body, small) = (font(text::BODY, Weight::Regular), font(text::SMALL, Weight::Regular));
    let (heading, left) = (fl!(notice_model_importing), Align2::LEFT_CENTER);
    label(ui, "model import", line, left, heading, body, cx.tokens.text);
    let line = Rect::from_min_max(rect.min + vec2(12.0, 30.0), rect.max - vec2(12.0, 8.0));
    let step = words::progress(step, *fraction);
    label(ui, "model import step", line, left, &step, small, cx.tokens.dim);
    rect.top() - 6.0
}

/// Draws one notice across `x`, downwards from `top`. Returns its bottom.
pub fn one(ui: &Ui, cx: &mut Cx<'_>, x: Rangef, top: f32, notice: &Notice) -> f32 {
    let height = height(ui, &notice.text(), x.span());
    notice_ui(ui, cx, Rect::from_x_y_ranges(x, top..=top + height), notice);
    top + height
}

/// Draws the cause of a job's failure across `x`, downwards from `top`; it stays until the next
/// attempt. Returns its bottom.
pub fn failure(ui: &Ui, cx: &Cx<'_>, x: Rangef, top: f32, problem: &Problem) -> f32 {
    let text = &words::problem(problem);
    let rect = Rect::from_x_y_ranges(x, top..=top + height(ui, text, x.span()));
    surface(ui, cx, rect, "failure", text, false);
    rect.bottom()
}

fn height(ui: &Ui, text: &str, width: f32) -> f32 {
    let small = font(text::SMALL, Weight::Regular);
    let color = egui::Color32::PLACEHOLDER;
    lines(ui.painter(), text, small, color, width - 68.0, ROWS).size().y + 18.0
}

fn surface(ui: &Ui, cx: &Cx<'_>, rect: Rect, salt: impl Salt, text: &str, is_good: bool) {
    ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
    let sign = Rect::from_min_size(rect.min + vec2(10.0, 9.0), vec2(15.0, 15.0));
    if is_good {
        Icon::Check.paint(ui.painter(), sign, cx.tokens.accent);
    } else {
        Icon::Warning.paint(ui.painter(), sign, cx.tokens.error);
    }
    let place = Rect::from_min_max(
        pos2(sign.right() + 9.0, rect.top() + 9.0),
        pos2(rect.right() - 34.0, rect.bottom()),
    );
    let small = font(text::SMALL, Weight::Regular);
    paragraph(ui, salt, place, text, small, cx.tokens.text, ROWS);
}

fn notice_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, notice: &Notice) {
    surface(ui, cx, rect, ("notice", notice.id), &notice.text(), notice.is_good());
    let place = Rect::from_min_size(rect.right_top() + vec2(-30.0, 5.0), vec2(24.0, 24.0));
    let (name, dim) = (fl!(dismiss), cx.tokens.dim);
    if icon_button(ui, ("dismiss", notice.id), place, Icon::Close, name, None, dim).clicked() {
        cx.act(Action::Dismiss(notice.id));
    }
}
