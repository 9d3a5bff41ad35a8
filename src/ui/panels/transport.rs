//! The transport: play, stop, loop, time, speed, key, mix or original, volume, level, and export.

use egui::{Align, Color32, FontId, Layout, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

use super::Cx;
use crate::{
    engine::player::{Device, Monitor},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        theme::{Weight, font, size, space, text},
        widgets::{
            at,
            button::{Kind, choice, icon_button, icon_switch, wide_button, width},
            dial::dial,
            digits,
            fader::{Knob, Look, Scale, fader},
            figure::figure,
            icon::Icon,
            label,
            layout::row,
            meter::Meter,
            one_line, plain,
        },
        words,
    },
};

/// The optional parts, in the order in which they are hidden where the width does not suffice. All
/// have keyboard shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Names,
    Cents,
    Key,
    Speed,
    Level,
    Monitor,
    Volume,
}

/// The parts that fit.
struct Parts {
    /// The space at the left.
    left: f32,
    hidden: Vec<Part>,
}

impl Parts {
    /// Aligns the parts with the song's area where all fit, and hides some where too few do.
    fn fitting(ui: &Ui, cx: &Cx<'_>) -> Self {
        let library = super::library::width_in(cx.ui_state, ui.max_rect().width());
        let [width, aligned] = [ui.max_rect().width() - size::MARGIN, library + size::MARGIN];
        let [control, gap] = [size::TRANSPORT_CONTROL, space::LARGE];
        let buttons = 4.0 * control + size::PLAY + 4.0 * space::HAIR;
        let always = buttons + gap + size::TIME + export_width(ui) + size::TRANSPORT_FREE;
        let small = font(text::SMALL, Weight::Regular);
        let name = |name: &str| text_width(ui, name, small.clone());
        let names = name(fl!(transport_speed)) + name(fl!(transport_key));
        let knob = |figure: [f32; 2]| space::BUTTONS + size::DIAL + space::CLOSE + figure[0];
        let parts = [
            (Part::Names, names + 2.0 * space::LINKS),
            (Part::Cents, knob(size::CENTS)),
            (Part::Key, knob(size::KEY)),
            (Part::Speed, knob(size::SPEED)),
            (Part::Level, space::GROUPS + size::LEVEL[0]),
            (Part::Monitor, gap + size::MONITOR[0]),
            (Part::Volume, space::BUTTONS + size::VOLUME[0] + size::ICON),
        ];
        let needed = |hidden: usize| -> f32 {
            always + parts[hidden..].iter().map(|(_, width)| width).sum::<f32>()
        };
        // The names and the cents do not decide.
        let left = if aligned + needed(2) <= width { aligned } else { space::GROUPS };
        let fits = (0..parts.len()).find(|hidden| left + needed(*hidden) <= width);
        let hidden = parts[..fits.unwrap_or(parts.len())].iter().map(|(part, _)| *part);
        Self { left, hidden: hidden.collect() }
    }

    fn has(&self, part: Part) -> bool {
        !self.hidden.contains(&part)
    }
}

/// Draws the transport.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, meter: &Meter) {
    let full = ui.max_rect();
    ui.painter().rect_filled(full, 0, cx.tokens.panel);
    ui.painter().hline(full.x_range(), full.top() + 0.5, Stroke::new(1.0, cx.tokens.line));
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let parts = Parts::fitting(ui, cx);
    row(ui, full.height(), |ui| {
        ui.add_space(parts.left - space::SMALL);
        buttons(ui, cx);
        ui.add_space(space::LARGE);
        time(ui, cx);
        if parts.has(Part::Speed) {
            ui.add_space(space::BUTTONS);
            let (name, value) = (fl!(transport_speed), cx.ui_state.speed);
            let knob = Knob { name, scale: Scale::Speed, value };
            if let Some(to) = knob_ui(ui, cx, "speed", knob, parts.has(Part::Names)) {
                cx.act(Action::Speed(to));
            }
        }
        if parts.has(Part::Key) {
            ui.add_space(space::BUTTONS);
            let (name, value) = (fl!(transport_key), cx.ui_state.key as f32);
            let knob = Knob { name, scale: Scale::Key, value };
            if let Some(to) = knob_ui(ui, cx, "key", knob, parts.has(Part::Names)) {
                cx.act(Action::Key(to));
            }
        }
        if parts.has(Part::Cents) {
            ui.add_space(space::BUTTONS);
            let (name, value) = (fl!(transport_cents), cx.ui_state.cents as f32);
            let knob = Knob { name, scale: Scale::Cents, value };
            if let Some(to) = knob_ui(ui, cx, "cents", knob, false) {
                cx.act(Action::Cents(to));
            }
        }
        if parts.has(Part::Monitor) {
            ui.add_space(space::LARGE);
            monitor(ui, cx);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(size::MARGIN);
            export_button(ui, cx);
            device(ui, cx, meter, parts.has(Part::Level));
            if parts.has(Part::Volume) {
                ui.add_space(space::BUTTONS);
                volume(ui, cx);
            }
        });
    });
}

fn volume(ui: &mut Ui, cx: &mut Cx<'_>) {
    let look = Look { color: cx.tokens.text, is_faint: false };
    let (size, volume) = (size::VOLUME.into(), cx.ui_state.volume);
    let name = fl!(transport_volume);
    if let Some(to) = fader(ui, "volume", size, name, Scale::Volume, volume, look) {
        cx.act(Action::Volume(to));
    }
    Icon::Volume.show(ui, size::ICON_LARGE, cx.tokens.dim);
}

fn buttons(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = cx.tokens;
    let is_playing = cx.player.is_playing();
    let (shown, name) = if is_playing {
        (Icon::Pause, fl!(transport_pause))
    } else {
        (Icon::Play, fl!(transport_play))
    };
    let control = size::TRANSPORT_CONTROL;
    for (verb, icon, name, edge) in [
        (UiCommand::PreviousSong, Icon::Previous, UiCommand::PreviousSong.spec().text, control),
        (UiCommand::PlayPause, shown, name, size::PLAY),
        (UiCommand::NextSong, Icon::Next, UiCommand::NextSong.spec().text, control),
        (UiCommand::Stop, Icon::Stop, UiCommand::Stop.spec().text, control),
    ] {
        let (fill, ink) = match verb {
            UiCommand::PlayPause => (Some(tokens.accent), tokens.on_accent),
            _ => (None, tokens.dim),
        };
        let response = icon_button(ui, ("transport", verb), edge, icon, name, fill, ink);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
        ui.add_space(space::HAIR);
    }
    let loops = cx.ui_state.repeat.is_some_and(|repeat| repeat.is_on);
    let name = UiCommand::ToggleLoop.spec().text;
    let response = icon_switch(ui, "loop", control, Icon::Loop, name, loops);
    if response.on_hover_text(UiCommand::ToggleLoop.hint(ui)).clicked() {
        cx.verb(UiCommand::ToggleLoop);
    }
}

/// Draws speed, key or cents as a dial, and as a figure that accepts typing.
fn knob_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    salt: &'static str,
    knob: Knob<'_>,
    has_name: bool,
) -> Option<f32> {
    let Knob { name, scale, value } = knob;
    let look = Look { color: cx.tokens.accent, is_faint: scale.is_default(value) };
    if has_name {
        ui.add_space(space::SMALL);
        plain(ui, name, font(text::SMALL, Weight::Regular), cx.tokens.dim);
        ui.add_space(space::CLOSE);
    }
    let turned = dial(ui, salt, size::DIAL, name, scale, value, look);
    ui.add_space(space::CLOSE);
    let size = match scale {
        Scale::Key => size::KEY,
        Scale::Cents => size::CENTS,
        _ => size::SPEED,
    };
    let typed = figure(ui, (salt, "figure"), size.into(), knob);
    turned.or(typed)
}

fn time(ui: &mut Ui, cx: &Cx<'_>) {
    let here = cx.player.position();
    let total = cx.state.open().map_or(0, |open| open.frames);
    let (shown, text) = (words::clock_tenths(here), format!("/ {}", words::clock(total)));
    let height = vec2(0.0, ui.available_height());
    let in_row = Layout::left_to_right(Align::Center);
    let shown_at = ui.allocate_ui_with_layout(height, in_row, |ui| {
        ui.set_min_width(size::TIME);
        let here = digits(ui, &shown, &font(text::TIME, Weight::SemiBold), cx.tokens.text);
        ui.add_space(space::SMALL);
        here | plain(ui, &text, font(text::BODY, Weight::Regular), cx.tokens.dim)
    });
    at(ui, "time", shown_at.inner, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{shown} {text}")));
}

fn monitor(ui: &mut Ui, cx: &mut Cx<'_>) {
    let chosen = usize::from(cx.ui_state.monitor == Monitor::Original);
    let names = [fl!(transport_mix), fl!(transport_original)];
    if let Some(pressed) = choice(ui, "monitor", size::MONITOR.into(), &names, chosen) {
        let to = if pressed == 1 { Monitor::Original } else { Monitor::Mix };
        cx.act(Action::Monitor(to));
    }
}

/// Draws the level meter where it fits; a warning if the sound device is unavailable, as a sign alone
/// where the text does not fit. Right-aligned.
fn device(ui: &mut Ui, cx: &Cx<'_>, meter: &Meter, fits: bool) {
    let Device::Unavailable(problem) = cx.player.device() else {
        if fits {
            ui.add_space(space::GROUPS);
            meter.ui(ui, size::LEVEL.into());
        }
        return;
    };
    let (ink, small) = (cx.tokens.warning, font(text::SMALL, Weight::Medium));
    ui.add_space(if fits { space::GROUPS } else { space::SMALL });
    let mut used = egui::Rect::NOTHING;
    if fits {
        used = label(ui, fl!(transport_no_sound), small, ink).rect;
        ui.add_space(space::CLOSE);
    }
    let sign = Icon::Warning.show(ui, size::ICON_TEXT, ink);
    let text = fl!(transport_no_device, reason = words::device_problem(&problem));
    let response = at(ui, "no device reason", used.union(sign), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(&text);
}

/// The width of the button that exports.
fn export_width(ui: &Ui) -> f32 {
    let [least, height] = size::EXPORT;
    width(ui, UiCommand::Export.spec().text, Kind::Primary, height).max(least)
}

fn text_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    one_line(ui.painter(), text, font, Color32::PLACEHOLDER, f32::INFINITY).size().x
}

fn export_button(ui: &mut Ui, cx: &mut Cx<'_>) {
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
    let response = wide_button(ui, "export", size::EXPORT.into(), spec.text, kind, can);
    let hint = match (can, is_running) {
        (true, _) => UiCommand::Export.hint(ui),
        (false, true) => fl!(transport_export_later).to_owned(),
        (false, false) => fl!(transport_process_first).to_owned(),
    };
    if response.on_hover_text(hint).clicked() {
        cx.verb(UiCommand::Export);
    }
}
