//! The head of a lane, left of its waveform: balance, mute, solo, gain, level, and the name, which
//! drags the file out.

use egui::{Align2, CursorIcon, PointerButton, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Cx, row::Row};
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::view_state::OpenSong,
        theme::{Weight, font, size, text},
        widgets::{
            at, button,
            dial::dial,
            fader::{Knob, Look, Scale, fader},
            figure::figure,
            label,
        },
    },
};

/// Width of the level meter at the right of a lane's head.
const METER: f32 = 28.0;
/// Width of the meter and the buttons beside the name.
const BUTTONS: f32 = METER + 92.0;

/// Draws the head of a lane.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, lane: Rect, open: &OpenSong, row: &Row<'_>) {
    drag_handle(ui, cx, lane, row);
    let end = lane.left() + size::LANE_HEAD;
    // Two rows, centred at any height of the lane.
    let step = (lane.height() * 0.26).clamp(15.0, 19.0);
    let (upper, lower) = (lane.center().y - step, lane.center().y + step);
    let name = Rect::from_min_max(
        pos2(lane.left() + 16.0, upper - 12.0),
        pos2(end - BUTTONS, upper + 12.0),
    );
    let strong = font(text::LANE, Weight::SemiBold);
    let ink = if row.is_heard { cx.tokens.text } else { cx.tokens.dim };
    label(ui, ("lane", row.key), name, Align2::LEFT_CENTER, &row.title, strong, ink);
    buttons(ui, cx, pos2(end - METER, upper), row);
    let right = end - METER;
    let place = Rect::from_min_max(pos2(name.left(), lower - 10.0), pos2(right, lower + 10.0));
    gain(ui, cx, place, row);
    let index = row.stem.unwrap_or(open.stems.len());
    if let Some(meter) = cx.lane_meters.get(index) {
        let bars = Rect::from_center_size(
            pos2(end - 13.0, lane.center().y),
            vec2(10.0, lane.height() - 20.0),
        );
        let name = fl!(lane_level, stem = &row.title);
        meter.rising(ui, bars, &name, cx.tokens.stem(row.key));
    }
}

/// Draws balance, mute and solo, leftwards from `end`.
fn buttons(ui: &Ui, cx: &mut Cx<'_>, end: egui::Pos2, row: &Row<'_>) {
    let tokens = cx.tokens;
    let key = || row.key.to_owned();
    let place = Rect::from_center_size(end - vec2(79.0, 0.0), vec2(24.0, 24.0));
    let look = Look { color: tokens.stem(row.key), is_faint: !row.is_heard };
    let (name, pan) = (fl!(lane_pan, stem = &row.title), row.settings.pan);
    if let Some(to) = dial(ui, ("pan", row.key), place, &name, Scale::Pan, pan, look) {
        cx.act(Action::Pan(key(), to));
    }
    let letter = |x: f32| Rect::from_center_size(end - vec2(x, 0.0), vec2(26.0, 24.0));
    let (name, muted) = (fl!(lane_mute, stem = &row.title), row.settings.muted);
    let color = tokens.stem("drums");
    if button::letter(ui, ("mute", row.key), letter(46.0), "M", &name, muted, color).clicked() {
        cx.act(Action::Mute(key(), !muted));
    }
    let (name, soloed) = (fl!(lane_solo, stem = &row.title), row.settings.soloed);
    let place = letter(13.0);
    if button::letter(ui, ("solo", row.key), place, "S", &name, soloed, tokens.accent).clicked() {
        cx.act(Action::Solo(key(), !soloed));
    }
}

/// Draws the gain as a fader and as a figure that accepts typing.
fn gain(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, row: &Row<'_>) {
    let look = Look { color: cx.tokens.stem(row.key), is_faint: !row.is_heard };
    let name = fl!(lane_gain, stem = &row.title);
    let gain = row.settings.gain_db;
    let way =
        Rect::from_min_max(rect.min - vec2(8.0, 0.0), pos2(rect.right() - 60.0, rect.bottom()));
    let moved = fader(ui, ("gain", row.key), way, &name, Scale::Gain, gain, look);
    let place = Rect::from_min_max(pos2(rect.right() - 54.0, rect.top() + 1.0), rect.max);
    let knob = Knob { name: &name, scale: Scale::Gain, value: gain };
    let typed = figure(ui, ("gain figure", row.key), place, knob);
    if let Some(db) = moved.or(typed) {
        cx.act(Action::Gain(row.key.to_owned(), db));
    }
}

/// The area of a lane that drags its file out of the window: the head without the buttons and the
/// fader. Keyboard users get the files from the export dialog.
fn drag_handle(ui: &Ui, cx: &mut Cx<'_>, lane: Rect, row: &Row<'_>) {
    let is_separated = cx.state.is_separated(row.song.id);
    if !cx.ui_state.can_drag_out || !is_separated || row.is_residual() {
        return;
    }
    let end = pos2(lane.left() + size::LANE_HEAD - BUTTONS, lane.center().y - 5.0);
    let place = Rect::from_min_max(lane.min, end);
    let response = at(ui, ("drag", row.key), place, Sense::CLICK | Sense::DRAG);
    let hint = fl!(lane_drag_hint);
    let name = format!("{}: {hint}", row.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name.as_str()));
    if response.drag_started_by(PointerButton::Primary) {
        let with_ticked = ui.input(|input| input.modifiers.command);
        cx.act(Action::DragOut { stem: row.key.to_owned(), with_ticked });
    }
    if cx.ui_state.drag_out.is_none() {
        response.on_hover_cursor(CursorIcon::Grab).on_hover_text(hint);
    }
}
