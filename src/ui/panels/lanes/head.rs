//! The head of a lane, left of its waveform: balance, mute, solo, gain, level, and the name, which
//! drags the file out.

use egui::{Align, CursorIcon, Layout, PointerButton, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use super::{Cx, row::Row};
use crate::{
    i18n::fl,
    ui::{
        action::Action,
        state::{ui_state::List, view_state::OpenSong},
        theme::{Weight, font, size, space, text},
        widgets::{
            at, button,
            dial::dial,
            fader::{Knob, Look, Scale, fader},
            figure::figure,
            fold, label,
            layout::{self, stack},
        },
    },
};

/// Draws the head of a lane: two rows, centred at any height of the lane, and the level at the right.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, lane: Rect, open: &OpenSong, row: &Row<'_>) {
    drag_handle(ui, cx, lane, row);
    ui.add_space(space::TINY);
    let [least, most] = size::LANE_STEP;
    let step = (lane.height() * size::LANE_STEP_SHARE).clamp(least, most);
    let meter = size::LANE_METER + space::BUTTONS + space::SMALL;
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width() - meter);
        stack(ui, 2.0 * step + size::LANE_NAME, |ui| {
            name_ui(ui, cx, row);
            ui.add_space(2.0 * step - size::LANE_NAME + space::HAIR);
            gain(ui, cx, row);
        });
    });
    ui.add_space(space::BUTTONS);
    let index = row.stem.unwrap_or(open.stems.len());
    if let Some(meter) = cx.lane_meters.get(index) {
        let size = vec2(size::LANE_METER, lane.height() - space::GROUPS);
        let (name, color) = (fl!(lane_level, stem = &row.name), row.color);
        meter.rising(ui, size, &name, color);
    }
}

/// Draws the name, and at its right balance, mute and solo.
fn name_ui(ui: &mut Ui, cx: &mut Cx<'_>, row: &Row<'_>) {
    layout::row(ui, size::LANE_NAME, |ui| {
        ui.spacing_mut().item_spacing.x = space::HAIR;
        if !arrow_ui(ui, cx, row) {
            ui.add_space(space::SMALL);
        }
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let buttons = size::DIAL + 2.0 * (space::SMALL + button::LETTER.x);
        let name = vec2(ui.available_width() - buttons - space::SMALL, size::LANE_NAME);
        ui.allocate_ui_with_layout(name, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(name);
            let ink = if row.is_heard { cx.tokens.text } else { cx.tokens.dim };
            label(ui, &row.title, font(text::LANE, Weight::SemiBold), ink);
        });
        buttons_ui(ui, cx, row);
    });
}

/// Draws the arrow of a group; returns whether there is one.
fn arrow_ui(ui: &mut Ui, cx: &mut Cx<'_>, row: &Row<'_>) -> bool {
    let Some(is_open) = row.is_open else { return false };
    let name = if is_open {
        fl!(song_hide_lanes, stem = &row.name)
    } else {
        fl!(song_show_lanes, stem = &row.name)
    };
    let cell = vec2(size::LANE_ARROW, size::LANE_NAME);
    let wanted = fold::arrow(ui, ("fold", row.key), cell, &name, is_open, cx.tokens.dim);
    if let Some(wanted) = wanted {
        cx.act(Action::Fold(List::Lanes, row.key.to_owned(), wanted));
    }
    true
}

fn buttons_ui(ui: &mut Ui, cx: &mut Cx<'_>, row: &Row<'_>) {
    let tokens = cx.tokens;
    let key = || row.key.to_owned();
    let look = Look { color: row.color, is_faint: !row.is_heard };
    let (name, pan) = (fl!(lane_pan, stem = &row.name), row.settings.pan);
    if let Some(to) = dial(ui, ("pan", row.key), size::DIAL, &name, Scale::Pan, pan, look) {
        cx.act(Action::Pan(key(), to));
    }
    let (name, muted) = (fl!(lane_mute, stem = &row.name), row.settings.muted);
    let color = tokens.stem("drums");
    if button::letter(ui, ("mute", row.key), "M", &name, muted, color).clicked() {
        cx.act(Action::Mute(key(), !muted));
    }
    let (name, soloed) = (fl!(lane_solo, stem = &row.name), row.settings.soloed);
    if button::letter(ui, ("solo", row.key), "S", &name, soloed, tokens.accent).clicked() {
        cx.act(Action::Solo(key(), !soloed));
    }
}

/// Draws the gain as a fader and as a figure that accepts typing.
fn gain(ui: &mut Ui, cx: &mut Cx<'_>, row: &Row<'_>) {
    let look = Look { color: row.color, is_faint: !row.is_heard };
    let name = fl!(lane_gain, stem = &row.name);
    let gain = row.settings.gain_db;
    layout::row(ui, size::TEXT_LINE, |ui| {
        ui.spacing_mut().item_spacing.x = space::CLOSE;
        let figure_size = vec2(size::LANE_GAIN, size::TEXT_LINE);
        let way = vec2(ui.available_width() - figure_size.x - space::CLOSE, size::TEXT_LINE);
        let moved = fader(ui, ("gain", row.key), way, &name, Scale::Gain, gain, look);
        let knob = Knob { name: &name, scale: Scale::Gain, value: gain };
        let typed = figure(ui, ("gain figure", row.key), figure_size, knob);
        if let Some(db) = moved.or(typed) {
            cx.act(Action::Gain(row.key.to_owned(), db));
        }
    });
}

/// The area of a lane that drags its file out of the window: the head without the buttons and the
/// fader. Keyboard users get the files from the export dialog.
fn drag_handle(ui: &Ui, cx: &mut Cx<'_>, lane: Rect, row: &Row<'_>) {
    let is_separated = cx.state.is_separated(row.song.id);
    if !cx.ui_state.can_drag_out || !is_separated || row.is_residual() {
        return;
    }
    let arrow = if row.is_open.is_some() { size::LANE_ARROW + space::SMALL } else { 0.0 };
    let place = lane.with_max_x(lane.left() + size::LANE_DRAG - size::LANE_PART * row.depth as f32);
    let place = place.with_min_x((place.left() + arrow).min(place.right()));
    let place = place.with_max_y(lane.center().y - space::TINY);
    let response = at(ui, ("drag", row.key), place, Sense::CLICK | Sense::DRAG);
    let hint = fl!(lane_drag_hint);
    let name = format!("{}: {hint}", row.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name.as_str()));
    if response.drag_started_by(PointerButton::Primary) {
        let with_ticked = ui.input(|input| input.modifiers.command);
        cx.act(Action::DragOut { stem: row.key.to_owned(), with_ticked });
    }
    if cx.ui_state.drag_out.is_none() {
        response.on_hover_cursor(CursorIcon::Grab).on_hover_text(hint);
    }
}
