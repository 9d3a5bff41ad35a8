//! A field for a path, used where the system has no file dialog.

use egui::{Id, Key, Ui, vec2};

use super::{Cx, modal};
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::ui_state::{PathPrompt, Purpose},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            field::field,
            layout::row_from_right,
            paragraph,
        },
    },
};

/// Maximum rows of the note.
const NOTE_ROWS: usize = 3;

/// Draws the prompt, if it is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(prompt) = &ui_state.prompt else { return };
    let modal = modal::show(ui, cx, "path prompt", |ui, cx| contents(ui, cx, prompt));
    if modal.should_close() {
        cx.act(Action::ClosePrompt);
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, prompt: &PathPrompt) {
    let (title, go) = match prompt.purpose {
        Purpose::Songs => (fl!(path_song), fl!(path_add)),
        Purpose::SongFolder => (fl!(path_song_folder), fl!(path_add)),
        Purpose::Weights => (fl!(path_weights), fl!(path_use)),
        Purpose::Chain => (fl!(path_chain), fl!(path_use)),
        Purpose::ExportFolder => (fl!(path_export_folder), fl!(path_choose)),
        Purpose::Report => (fl!(path_report), fl!(path_save)),
    };
    modal::title(ui, cx, title);
    ui.add_space(space::LARGE);
    let mut typed = prompt.text.clone();
    let size = vec2(ui.available_width(), size::DIALOG_FIELD);
    let response = field(ui, Id::unique("path"), size, title, "", &mut typed);
    if response.changed() {
        cx.act(Action::PromptText(typed));
    }
    let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if ui.memory(|memory| memory.focused().is_none()) && !is_entered {
        response.request_focus();
    }
    ui.add_space(space::SMALL);
    paragraph(ui, fl!(path_note), font(text::SMALL, Weight::Regular), cx.tokens.dim, NOTE_ROWS);
    ui.add_space(space::GROUPS);
    row_from_right(ui, size::DIALOG_BUTTON, |ui| {
        ui.spacing_mut().item_spacing.x = space::BUTTONS;
        let (height, can) = (size::DIALOG_BUTTON, !prompt.text.trim().is_empty());
        let is_pressed = button(ui, "prompt go", height, go, Kind::Primary, can).clicked();
        if is_pressed || (is_entered && can) {
            cx.act(Action::AcceptPrompt);
        }
        if button(ui, "prompt cancel", height, fl!(cancel), Kind::Quiet, true).clicked() {
            cx.act(Action::ClosePrompt);
        }
    });
}
