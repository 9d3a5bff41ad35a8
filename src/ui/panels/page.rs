//! The head of a page: its title and the way back to the song.

use egui::{Align2, Key, Rect, Ui, pos2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::Page,
        theme::{Weight, font, size, text},
        widgets::{button::icon_button, icon::Icon, label},
    },
};

/// Maximum width of a page: longer lines are hard to read.
const WIDEST: f32 = 960.0;

/// Draws the head of a page over all of `ui`; returns the area below it.
pub fn head(ui: &Ui, cx: &mut Cx<'_>, title: &str) -> Rect {
    let full = ui.max_rect();
    let margin = ((full.width() - WIDEST) / 2.0).max(size::MARGIN);
    let area = Rect::from_min_max(full.min + vec2(margin, 24.0), full.max - vec2(margin, 12.0));
    let line = Rect::from_min_size(area.min, vec2(area.width(), 36.0));
    let heading = font(text::TITLE, Weight::SemiBold);
    label(ui, "page", line, Align2::LEFT_CENTER, title, heading, cx.tokens.text);
    let place = Rect::from_center_size(line.right_center() - vec2(18.0, 0.0), vec2(36.0, 36.0));
    let name = fl!(close);
    let response = icon_button(ui, "close page", place, Icon::Close, name, None, cx.tokens.dim);
    let is_free = cx.ui_state.question.is_none() && cx.ui_state.export.is_none();
    let is_given_up = is_free
        && ui.memory(|memory| memory.focused().is_none())
        && ui.input(|input| input.key_pressed(Key::Escape));
    if response.clicked() || is_given_up {
        cx.act(Action::Open(Page::Song));
    }
    Rect::from_min_max(pos2(area.left(), line.bottom() + 16.0), area.max)
}
