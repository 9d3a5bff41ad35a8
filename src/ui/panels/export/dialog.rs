//! The export dialog: its frame, its rows from top to bottom, and its buttons.

use egui::{Id, Key, Modifiers, ScrollArea, Ui, Vec2, vec2};

use super::{form::Chosen, names, rows};
use crate::{
    engine::SongId,
    i18n::fl,
    ui::{
        action::Action,
        commands::export_plan::{ExportChoices, ExportWhat, Heard, Objection},
        panels::{Cx, modal},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button, wide_button},
            label,
            layout::{rest, row_from_right},
        },
    },
};

/// A button that Enter presses; elsewhere in the dialog, Enter exports.
const CANCEL: &str = "export cancel";

/// Draws the dialog, if it is open.
pub fn dialog(ui: &Ui, cx: &mut Cx<'_>) {
    // The dialog is hidden while the path prompt is open.
    let Some(song) = cx.ui_state.export.filter(|_| cx.ui_state.prompt.is_none()) else { return };
    let modal = modal::bare(ui, "export dialog").show(ui, |ui| contents(ui, cx, song));
    if modal.should_close() {
        cx.act(Action::CloseExport);
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, song: SongId) {
    let (state, ui_state) = (cx.state, cx.ui_state);
    let stems = state.instruments(song);
    let lanes = ui_state.lanes(song, stems);
    let has_rest = state.has_rest(song);
    let heard = Heard { stems, lanes: &lanes, residual: ui_state.residual(song, has_rest) };
    let choices = ui_state.choices.for_stems(has_rest);
    let plan = choices.plan(heard, &state.fields(song));
    let objection = plan.as_ref().err().cloned().or_else(|| ui_state.choices.settings().err());
    let is_entered = objection.is_none() && enter_is_pressed(ui);
    let chosen = Chosen {
        stems: stems.names(),
        ticked: stems.file_names(&lanes),
        plan,
        is_one: choices.is_one(heard),
    };

    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let room = modal::room(ui);
    ui.set_width(size::EXPORT_DIALOG.min(room.x));
    let title = state.song(song).map_or("", |song| song.title.as_str());
    modal::title(ui, cx, &fl!(export_title, title = title));
    ui.add_space(space::LARGE);
    let mut new = ui_state.choices.clone();
    let others = size::DIALOG_TITLE + space::LARGE + space::LINKS + size::EXPORT_BUTTON;
    let height = (room.y - others).clamp(0.0, size::EXPORT_ROWS);
    let scroll = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
    scroll.show(ui, |ui| {
        modal::show_rings(ui);
        ui.set_min_height(height);
        ui.set_max_height(size::EXPORT_ROWS_LEAST.max(height));
        ui.spacing_mut().item_spacing.y = space::BUTTONS;
        if rows(ui, &chosen, &mut new, has_rest) {
            cx.act(Action::ChooseFolder);
        }
    });
    if new != ui_state.choices {
        cx.act(Action::Choose(Box::new(new)));
    }
    ui.add_space(space::LINKS);
    buttons(ui, cx, objection.as_ref());
    if is_entered {
        cx.act(Action::Export);
    }
}

/// Draws the rows; returns whether the button for the folder was clicked.
fn rows(ui: &mut Ui, chosen: &Chosen<'_>, new: &mut ExportChoices, has_rest: bool) -> bool {
    rows::what(ui, chosen, new);
    rows::format(ui, new);
    rows::quality(ui, new);
    if !new.heard.is_plain() {
        rows::key_speed(ui, new);
    }
    match new.what() {
        Some(ExportWhat::Mix) => rows::loudness(ui, new),
        Some(_) if has_rest => {}
        Some(what) => rows::residual(ui, what, chosen, new),
        None => {}
    }
    let is_clicked = rows::folder(ui, new);
    rows::on_exists(ui, new);
    names::names(ui, chosen, new);
    is_clicked
}

/// Whether Enter exports: the key is pressed, and the focus is not on a button.
fn enter_is_pressed(ui: &Ui) -> bool {
    let focused = ui.memory(egui::Memory::focused);
    let is_on_button = names::buttons()
        .chain([rows::CHOOSE, CANCEL].map(Id::unique))
        .any(|id| Some(id) == focused);
    !is_on_button && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
}

fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, objection: Option<&Objection>) {
    row_from_right(ui, size::EXPORT_BUTTON, |ui| {
        ui.spacing_mut().item_spacing.x = space::BUTTONS;
        let least = vec2(size::EXPORT[0], size::EXPORT_BUTTON);
        let can = objection.is_none();
        let response = wide_button(ui, "export go", least, fl!(export_go), Kind::Primary, can);
        let response = match objection {
            Some(objection) => response.on_hover_text(objection.words()),
            None => response,
        };
        if response.clicked() {
            cx.act(Action::Export);
        }
        if button(ui, CANCEL, size::EXPORT_BUTTON, fl!(cancel), Kind::Quiet, true).clicked() {
            cx.act(Action::CloseExport);
        }
        // Other objections are displayed beside their rows.
        if let Some(Objection::What(text)) = objection {
            let body = font(text::BODY, Weight::Regular);
            rest(ui, |ui| label(ui, text, body, cx.tokens.error));
        }
    });
}
