//! The head of a page: its title and the way back to the song.

use egui::{Align, Key, Layout, Ui, Vec2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::Page,
        theme::{Weight, font, margin, size, space, text},
        widgets::{
            button::icon_button,
            icon::Icon,
            label,
            layout::{rest, row_from_right},
            surface::within,
        },
    },
};

/// Maximum width of a page: longer lines are hard to read.
const WIDEST: f32 = size::PAGE;

/// Draws a page: its head, and its contents below.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, title: &str, add: impl FnOnce(&mut Ui, &mut Cx<'_>)) {
    within(ui, ui.max_rect(), margin::PAGE, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            let size = vec2(ui.available_width().min(WIDEST), ui.available_height());
            ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                head(ui, cx, title);
                ui.add_space(space::LARGE);
                add(ui, cx);
            });
        });
    });
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, title: &str) {
    let edge = size::BUTTON;
    let response = row_from_right(ui, edge, |ui| {
        let name = fl!(close);
        let response = icon_button(ui, "close page", edge, Icon::Close, name, None, cx.tokens.dim);
        ui.add_space(space::MEDIUM);
        rest(ui, |ui| label(ui, title, font(text::TITLE, Weight::SemiBold), cx.tokens.text));
        response
    })
    .inner;
    let ui_state = cx.ui_state;
    let is_free =
        ui_state.question.is_none() && ui_state.export.is_none() && ui_state.chain.is_none();
    let is_given_up = is_free
        && ui.memory(|memory| memory.focused().is_none())
        && ui.input(|input| input.key_pressed(Key::Escape));
    if response.clicked() || is_given_up {
        cx.act(Action::Open(Page::Song));
    }
}
