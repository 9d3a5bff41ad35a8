//! The transport: play, stop, loop, time, speed, mix or original, volume, level, and export.

use egui::{Align2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::Cx;
use crate::{
    engine::player::{Device, Monitor},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        theme::{Weight, font, size, text},
        widgets::{
            at,
            button::{Kind, button, choice, icon_button, icon_switch, width},
            dial::dial,
            digits,
            fader::{Knob, Look, Scale, fader},
            figure::figure,
            icon::Icon,
            label,
            meter::Meter,
            paint_text,
        },
        words,
    },
};

/// The width, in points, that each part needs to be shown. In a narrow or magnified window, parts
/// that have keyboard shortcuts are hidden first.
mod room {
    pub const SPEED: f32 = 950.0;
    pub const LEVEL: f32 = 870.0;
    pub const MONITOR: f32 = 790.0;
    pub const VOLUME: f32 = 620.0;
}

/// Draws the transport.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, meter: &Meter) {
    let full = ui.max_rect();
    ui.painter().rect_filled(full, 0, cx.tokens.panel);
    ui.painter().hline(full.x_range(), full.top() + 0.5, Stroke::new(1.0, cx.tokens.line));
    let is_wide = full.width() >= 1240.0;
    let library = super::library::width_in(cx.ui_state, full.width());
    let left = if is_wide { library + size::MARGIN } else { full.left() + 20.0 };
    let (y, has) = (full.center().y, |room: f32| full.right() - left >= room);
    let mut x = buttons(ui, cx, left, y);
    x = time(ui, cx, x + 16.0, y);
    if has(room::SPEED) {
        x = speed(ui, cx, x + 10.0, y);
    }
    if has(room::MONITOR) {
        monitor(ui, cx, Rect::from_min_size(pos2(x + 16.0, y - 16.0), vec2(148.0, 32.0)));
    }

    let right = full.right() - size::MARGIN;
    let wide = width(ui, UiCommand::Export.spec().text, Kind::Primary).max(116.0);
    let export = Rect::from_min_max(pos2(right - wide, y - 21.0), pos2(right, y + 21.0));
    export_button(ui, cx, export);
    let mut end = export.left();
    if has(room::LEVEL) {
        let level = Rect::from_min_size(pos2(end - 84.0, y - 10.0), vec2(66.0, 20.0));
        device(ui, cx, level, meter);
        end = level.left();
    }
    if has(room::VOLUME) {
        volume(ui, cx, Rect::from_min_size(pos2(end - 106.0, y - 12.0), vec2(96.0, 24.0)));
    }
}

fn volume(ui: &Ui, cx: &mut Cx<'_>, volume: Rect) {
    let y = volume.center().y;
    let sign = Rect::from_center_size(pos2(volume.left() - 8.0, y), vec2(18.0, 18.0));
    Icon::Volume.paint(ui.painter(), sign, cx.tokens.dim);
    let look = Look { color: cx.tokens.text, is_faint: false };
    if let Some(to) =
        fader(ui, "volume", volume, fl!(transport_volume), Scale::Volume, cx.ui_state.volume, look)
    {
        cx.act(Action::Volume(to));
    }
}

fn buttons(ui: &Ui, cx: &mut Cx<'_>, left: f32, y: f32) -> f32 {
    let tokens = cx.tokens;
    let is_playing = cx.player.is_playing();
    let (shown, name) = if is_playing {
        (Icon::Pause, fl!(transport_pause))
    } else {
        (Icon::Play, fl!(transport_play))
    };
    let middle = left + 51.0;
    let row = [
        (
            UiCommand::PreviousSong,
            Icon::Previous,
            UiCommand::PreviousSong.spec().text,
            left + 9.0,
            34.0,
        ),
        (UiCommand::PlayPause, shown, name, middle, 44.0),
        (UiCommand::NextSong, Icon::Next, UiCommand::NextSong.spec().text, left + 93.0, 34.0),
        (UiCommand::Stop, Icon::Stop, UiCommand::Stop.spec().text, left + 127.0, 34.0),
    ];
    for (verb, icon, name, x, edge) in row {
        let place = Rect::from_center_size(pos2(x, y), vec2(edge, edge));
        let (fill, ink) = match verb {
            UiCommand::PlayPause => (Some(tokens.accent), tokens.on_accent),
            _ => (None, tokens.dim),
        };
        let response = icon_button(ui, ("transport", verb), place, icon, name, fill, ink);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
    }
    let place = Rect::from_center_size(pos2(left + 163.0, y), vec2(34.0, 34.0));
    let loops = cx.ui_state.repeat.is_some_and(|repeat| repeat.is_on);
    let response =
        icon_switch(ui, "loop", place, Icon::Loop, UiCommand::ToggleLoop.spec().text, loops);
    if response.on_hover_text(UiCommand::ToggleLoop.hint(ui)).clicked() {
        cx.verb(UiCommand::ToggleLoop);
    }
    left + 180.0
}

/// Draws the speed as a knob and as a figure that accepts typing.
fn speed(ui: &mut Ui, cx: &mut Cx<'_>, x: f32, y: f32) -> f32 {
    let (name, value) = (fl!(transport_speed), cx.ui_state.speed);
    let is_faint = value == 1.0;
    let look = Look { color: cx.tokens.accent, is_faint };
    let is_wide = ui.max_rect().width() >= 1440.0;
    let small = font(text::SMALL, Weight::Regular);
    let mut x = x;
    if is_wide {
        let place = Rect::from_min_size(pos2(x + 8.0, y - 10.0), vec2(80.0, 20.0));
        let ink = cx.tokens.dim;
        x = paint_text(ui.painter(), place, Align2::LEFT_CENTER, name, small, ink).right() + 6.0;
    }
    let place = Rect::from_center_size(pos2(x + 12.0, y), vec2(24.0, 24.0));
    let turned = dial(ui, "speed", place, name, Scale::Speed, value, look);
    let place = Rect::from_min_size(pos2(x + 30.0, y - 10.0), vec2(44.0, 20.0));
    let typed = figure(ui, "speed figure", place, Knob { name, scale: Scale::Speed, value });
    if let Some(to) = turned.or(typed) {
        cx.act(Action::Speed(to));
    }
    x + 74.0
}

fn time(ui: &Ui, cx: &Cx<'_>, x: f32, y: f32) -> f32 {
    let here = cx.player.position();
    let total = cx.state.open().map_or(0, |open| open.frames);
    let strong = font(text::TIME, Weight::SemiBold);
    let place = Rect::from_min_size(pos2(x, y - 12.0), vec2(160.0, 24.0));
    let shown = words::clock_tenths(here);
    let used = digits(ui, place, &shown, &strong, cx.tokens.text);
    let rest = Rect::from_min_size(pos2(x + used + 8.0, y - 11.0), vec2(90.0, 24.0));
    let body = font(text::BODY, Weight::Regular);
    let text = format!("/ {}", words::clock(total));
    let total = paint_text(ui.painter(), rest, Align2::LEFT_CENTER, &text, body, cx.tokens.dim);
    let all = Rect::from_min_max(place.min, total.max);
    at(ui, "time", all, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{shown} {text}")));
    total.right().max(x + 118.0)
}

fn monitor(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let chosen = usize::from(cx.ui_state.monitor == Monitor::Original);
    if let Some(pressed) =
        choice(ui, "monitor", rect, &[fl!(transport_mix), fl!(transport_original)], chosen)
    {
        let to = if pressed == 1 { Monitor::Original } else { Monitor::Mix };
        cx.act(Action::Monitor(to));
    }
}

fn device(ui: &Ui, cx: &Cx<'_>, rect: Rect, meter: &Meter) {
    let Device::Unavailable(problem) = cx.player.device() else {
        meter.ui(ui, rect);
        return;
    };
    let sign = Rect::from_center_size(rect.left_center() + vec2(6.0, 0.0), vec2(14.0, 14.0));
    Icon::Warning.paint(ui.painter(), sign, cx.tokens.warning);
    let place =
        Rect::from_min_max(pos2(sign.right() + 6.0, rect.top()), rect.max + vec2(14.0, 0.0));
    let small = font(text::SMALL, Weight::Medium);
    let ink = cx.tokens.warning;
    let used =
        label(ui, "no device", place, Align2::LEFT_CENTER, fl!(transport_no_sound), small, ink);
    let text = fl!(transport_no_device, reason = words::device_problem(&problem));
    let response = at(ui, "no device reason", used.union(sign), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(&text);
}

fn export_button(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let Some(song) = cx.ui_state.selected else { return };
    let is_done = cx.state.is_separated(song);
    let has_some = cx
        .state
        .open()
        .is_some_and(|open| open.id == song && (is_done || !open.covered.is_empty()));
    let is_running = cx.state.active_job(song).is_some();
    let kind = if is_done { Kind::Primary } else { Kind::Quiet };
    let spec = UiCommand::Export.spec();
    let can = is_done && has_some;
    let response = button(ui, "export", rect, spec.text, kind, can);
    let hint = match (can, is_running) {
        (true, _) => UiCommand::Export.hint(ui),
        (false, true) => fl!(transport_export_later).to_owned(),
        (false, false) => fl!(transport_process_first).to_owned(),
    };
    if response.on_hover_text(hint).clicked() {
        cx.verb(UiCommand::Export);
    }
}
