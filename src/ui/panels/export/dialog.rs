//! The export dialog: its frame, its rows from top to bottom, and its buttons.

use egui::{
    Align2, Frame, Id, Key, Margin, Modal, Modifiers, Rect, ScrollArea, Sense, Ui, pos2, vec2,
};

use super::{
    form::{Chosen, Form, RING},
    names, rows,
};
use crate::{
    engine::SongId,
    i18n::fl,
    ui::{
        action::Action,
        commands::export_plan::{ExportWhat, Objection},
        panels::Cx,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, width},
            label,
        },
    },
};

const WIDTH: f32 = 704.0;
/// Minimum and preferred height of the rows. The preview of the names gets the space that other
/// rows leave.
const ROWS: [f32; 2] = [430.0, 450.0];
const PADDING: f32 = 24.0;
const TITLE: f32 = 44.0;
const BUTTONS: f32 = 54.0;
/// Margin around the dialog in the smallest window.
const AROUND: f32 = 8.0;

/// A button that Enter presses; elsewhere in the dialog, Enter exports.
const CANCEL: &str = "export cancel";

/// Draws the dialog, if it is open.
pub fn dialog(ui: &Ui, cx: &mut Cx<'_>) {
    // The dialog is hidden while the path prompt is open.
    let Some(song) = cx.ui_state.export.filter(|_| cx.ui_state.prompt.is_none()) else { return };
    let frame = Frame::popup(ui.style())
        .fill(cx.tokens.panel)
        .corner_radius(radius::CARD)
        .inner_margin(Margin { right: (PADDING - RING) as i8, ..Margin::same(PADDING as i8) });
    let modal = Modal::new(Id::unique("export dialog"))
        .frame(frame)
        .backdrop_color(cx.tokens.veil)
        .show(ui, |ui| contents(ui, cx, song));
    if modal.should_close() {
        cx.act(Action::CloseExport);
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, song: SongId) {
    let (state, ui_state) = (cx.state, cx.ui_state);
    let stems = state.stems(song);
    let lanes = ui_state.lanes(song, stems);
    let has_rest = state.has_rest(song);
    let lanes = (&lanes[..], ui_state.residual(song, has_rest));
    let choices = ui_state.choices.for_stems(has_rest);
    let plan = choices.plan(stems, lanes, &state.fields(song));
    let objection = plan.as_ref().err().cloned().or_else(|| ui_state.choices.settings().err());
    let is_entered = objection.is_none() && enter_is_pressed(ui);
    let chosen = Chosen {
        stems,
        ticked: ui_state.ticked(song, stems),
        plan,
        is_one: choices.is_one(stems, lanes),
    };

    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    let content = ui.content_rect();
    // In a magnified window, the rows scroll in both directions, and other parts are as wide as the
    // visible area.
    let wide = WIDTH.min(content.width() - 2.0 * (PADDING + AROUND));
    let (place, _) = ui.allocate_exact_size(vec2(wide, TITLE), Sense::hover());
    let title = state.song(song).map_or("", |song| song.title.as_str());
    let heading = font(text::NAME, Weight::SemiBold);
    let line = Rect::from_min_size(place.min, vec2(wide, 26.0));
    let text = fl!(export_title, title = title);
    label(ui, "export title", line, Align2::LEFT_CENTER, &text, heading, cx.tokens.text);

    let room = content.height() - TITLE - BUTTONS - 2.0 * (PADDING + AROUND);
    let mut new = ui_state.choices.clone();
    let [least, most] = ROWS;
    let height = room.clamp(least, most);
    // Full-size from the first frame on.
    let seen = height.min(room.max(100.0));
    let scroll = ScrollArea::both().max_height(seen).min_scrolled_height(seen).max_width(wide);
    scroll.show(ui, |ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(WIDTH, height), Sense::hover());
        let mut form = Form { rect, tokens: cx.tokens };
        rows::what(ui, &mut form, &chosen, &mut new);
        rows::format(ui, &mut form, &mut new);
        rows::quality(ui, &mut form, &mut new);
        match new.what() {
            Some(ExportWhat::Mix) => rows::loudness(ui, &mut form, &mut new),
            Some(_) if has_rest => {}
            Some(what) => rows::residual(ui, &mut form, what, &chosen, &mut new),
            None => {}
        }
        if rows::folder(ui, &mut form, &new) {
            cx.act(Action::ChooseFolder);
        }
        rows::on_exists(ui, &mut form, &mut new);
        names::names(ui, &mut form, &chosen, &mut new);
    });
    if new != ui_state.choices {
        cx.act(Action::Choose(Box::new(new)));
    }
    let (place, _) = ui.allocate_exact_size(vec2(wide, BUTTONS), Sense::hover());
    buttons(ui, cx, place, objection.as_ref());
    if is_entered {
        cx.act(Action::Export);
    }
}

/// Whether Enter exports: the key is pressed, and the focus is not on a button.
fn enter_is_pressed(ui: &Ui) -> bool {
    let focused = ui.memory(egui::Memory::focused);
    let is_on_button = names::buttons()
        .chain([rows::CHOOSE, CANCEL].map(Id::unique))
        .any(|id| Some(id) == focused);
    !is_on_button && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
}

fn buttons(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, objection: Option<&Objection>) {
    let top = rect.bottom() - 40.0;
    let (go, cancel) = (fl!(export_go), fl!(cancel));
    let wide = width(ui, go, Kind::Primary).max(112.0);
    let place =
        Rect::from_min_max(pos2(rect.right() - RING - wide, top), rect.max - vec2(RING, 0.0));
    let response = button(ui, "export go", place, go, Kind::Primary, objection.is_none());
    let response = match objection {
        Some(objection) => response.on_hover_text(objection.words()),
        None => response,
    };
    if response.clicked() {
        cx.act(Action::Export);
    }
    let wide = width(ui, cancel, Kind::Quiet);
    let place = Rect::from_min_size(pos2(place.left() - wide - 10.0, top), vec2(wide, 40.0));
    if button(ui, CANCEL, place, cancel, Kind::Quiet, true).clicked() {
        cx.act(Action::CloseExport);
    }
    // Other objections are displayed beside their rows.
    if let Some(Objection::What(text)) = objection {
        let line =
            Rect::from_min_max(pos2(rect.left(), top), pos2(place.left() - 16.0, rect.bottom()));
        let body = font(text::BODY, Weight::Regular);
        label(ui, "export reason", line, Align2::LEFT_CENTER, text, body, cx.tokens.error);
    }
}
