//! A field for a path, used where the system has no file dialog.

use egui::{Align2, Frame, Id, Key, Modal, Rect, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::{PathPrompt, Purpose},
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            field::field,
            label,
        },
    },
};

/// Draws the prompt, if it is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(prompt) = &ui_state.prompt else { return };
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let modal = Modal::new(Id::unique("path prompt"))
        .frame(frame)
        .backdrop_color(cx.tokens.veil)
        .show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(480.0, 170.0), Sense::hover());
            contents(ui, cx, rect, prompt);
        });
    if modal.should_close() {
        cx.act(Action::ClosePrompt);
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, prompt: &PathPrompt) {
    let tokens = cx.tokens;
    let row = |top: f32, height: f32| {
        Rect::from_min_size(rect.min + vec2(0.0, top), vec2(rect.width(), height))
    };
    let (title, go) = match prompt.purpose {
        Purpose::Songs => (fl!(path_song), fl!(path_add)),
        Purpose::SongFolder => (fl!(path_song_folder), fl!(path_add)),
        Purpose::Weights => (fl!(path_weights), fl!(path_use)),
        Purpose::ExportFolder => (fl!(path_export_folder), fl!(path_choose)),
        Purpose::Report => (fl!(path_report), fl!(path_save)),
    };
    let name = font(text::NAME, Weight::SemiBold);
    label(ui, "prompt title", row(0.0, 26.0), Align2::LEFT_CENTER, title, name, tokens.text);
    let mut typed = prompt.text.clone();
    let response = field(ui, Id::unique("path"), row(42.0, 38.0), title, "", &mut typed);
    if response.changed() {
        cx.act(Action::PromptText(typed));
    }
    let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if ui.memory(|memory| memory.focused().is_none()) && !is_entered {
        response.request_focus();
    }
    let small = font(text::SMALL, Weight::Regular);
    let text = fl!(path_note);
    label(ui, "prompt note", row(88.0, 20.0), Align2::LEFT_CENTER, text, small, tokens.dim);
    let wide = width(ui, go, Kind::Primary);
    let place = Rect::from_min_max(pos2(rect.right() - wide, rect.bottom() - 42.0), rect.max);
    let can = !prompt.text.trim().is_empty();
    if button(ui, "prompt go", place, go, Kind::Primary, can).clicked() || (is_entered && can) {
        cx.act(Action::AcceptPrompt);
    }
    let cancel = width(ui, fl!(cancel), Kind::Quiet);
    let place =
        Rect::from_min_size(pos2(place.left() - cancel - 10.0, place.top()), vec2(cancel, 42.0));
    if button(ui, "prompt cancel", place, fl!(cancel), Kind::Quiet, true).clicked() {
        cx.act(Action::ClosePrompt);
    }
}
