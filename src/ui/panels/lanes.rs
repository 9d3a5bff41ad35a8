//! The lanes: the original and each ticked stem, one under another, with one ruler and one play
//! head for all of them.

use egui::{
    Align2, Color32, CursorIcon, EventFilter, Key, PointerButton, Rect, Role, ScrollArea, Sense,
    Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::Cx;
use crate::{
    engine::{
        Lane, SAMPLE_RATE, Song,
        player::{LaneSettings, Monitor},
    },
    ui::{
        action::Action,
        desk::DragOut,
        state::{OpenSong, ViewState},
        theme::{MUTED_ALPHA, Weight, font, radius, size, text},
        widgets::{
            at, button,
            fader::{Look, Scale, fader},
            focus_ring, label, paint_text, waveform,
        },
        words,
    },
};

/// Room for a lane's two buttons, at the right of its head.
const BUTTONS: f32 = 84.0;

/// Draws the lanes of a song.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, waves: &mut waveform::Cache, song: &Song, rect: Rect) {
    let state = cx.state;
    let Some(open) = state.open().filter(|open| open.id == song.id) else { return };
    if rect.height() < size::RULER + 20.0 {
        return;
    }
    let times = Rect::from_min_max(
        pos2(rect.left() + size::LANE_HEAD, rect.top()),
        pos2(rect.right(), rect.top() + size::RULER),
    );
    let scale = TimeScale { x: times.x_range(), frames: open.frames };
    ruler_ui(ui, cx, times, scale);
    let shown = shown_stems(cx, song, open);
    let body = Rect::from_min_max(pos2(rect.left(), times.bottom()), rect.max);
    let heights = Heights::fitting(body.height(), shown.len());

    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(body).id_salt("lanes"));
    child.spacing_mut().item_spacing = vec2(0.0, 0.0);
    child.shrink_clip_rect(body.expand2(vec2(4.0, 0.0)));
    let mut bottom = body.top();
    ScrollArea::vertical().id_salt(("lanes", song.id)).auto_shrink(false).show(&mut child, |ui| {
        let wide = rect.width();
        let (place, _) = ui.allocate_exact_size(vec2(wide, heights.original), Sense::hover());
        original_ui(ui, cx, waves, place, scale, open);
        for stem in &shown {
            ui.add_space(size::GAP);
            let (place, _) = ui.allocate_exact_size(vec2(wide, heights.stem), Sense::hover());
            let lane = StemLane { song, open, stem: *stem, name: &open.stems[*stem] };
            stem_ui(ui, cx, waves, place, scale, lane);
        }
        bottom = ui.cursor().top();
    });
    hint_ui(ui, cx, song, &shown, Rect::from_min_max(pos2(body.left(), bottom + 10.0), body.max));

    let x = scale.x_of(cx.player.position());
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(8.0, 8.0)));
    waveform::play_head(
        &painter,
        x,
        times.bottom() - 4.0,
        bottom.min(body.bottom()),
        cx.tokens.text,
    );
}

/// Places of the stems that have a lane, as shown: those ticked, once there is anything of them.
pub fn shown_stems(cx: &Cx<'_>, song: &Song, open: &OpenSong) -> Vec<usize> {
    let is_there = !open.covered.is_empty()
        || cx.state.is_separated(song.id)
        || cx.state.active_job(song.id).is_some();
    ViewState::display_order(&open.stems)
        .into_iter()
        .filter(|i| is_there && cx.desk.lane(song.id, &open.stems[*i]).ticked)
        .collect()
}

/// Where frames are on the screen.
#[derive(Clone, Copy)]
struct TimeScale {
    x: egui::Rangef,
    frames: u64,
}

impl TimeScale {
    fn x_of(self, frame: u64) -> f32 {
        let part = frame as f64 / self.frames.max(1) as f64;
        self.x.min + self.x.span() * part.clamp(0.0, 1.0) as f32
    }

    fn frame_at(self, x: f32) -> u64 {
        let part = f64::from((x - self.x.min) / self.x.span().max(1.0)).clamp(0.0, 1.0);
        (part * self.frames as f64) as u64
    }
}

struct Heights {
    original: f32,
    stem: f32,
}

impl Heights {
    fn fitting(room: f32, stems: usize) -> Self {
        let original = if stems == 0 { size::ALONE.min(room) } else { size::ORIGINAL };
        let each = (room - original) / stems.max(1) as f32 - size::GAP;
        Self { original, stem: each.clamp(size::STEM_MIN, size::STEM) }
    }
}

/// Goes to where a surface is pressed or dragged.
fn seek_by_pointer(cx: &mut Cx<'_>, response: &egui::Response, scale: TimeScale) {
    // A quick click is pressed and let go within one frame.
    let is_at_it = response.is_pointer_button_down_on() || response.dragged() || response.clicked();
    if is_at_it && let Some(pointer) = response.interact_pointer_pos() {
        cx.act(Action::Seek(scale.frame_at(pointer.x)));
    }
}

fn ruler_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, scale: TimeScale) {
    let response = at(ui, "position", rect, Sense::click_and_drag());
    seek_by_pointer(cx, &response, scale);
    let here = cx.player.position();
    if response.has_focus() {
        let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let second = u64::from(SAMPLE_RATE);
        let steps = ui.input(|input| {
            input.num_presses(Key::ArrowRight) as i64 - input.num_presses(Key::ArrowLeft) as i64
        });
        if steps != 0 {
            let to = here.saturating_add_signed(steps * second as i64).min(scale.frames);
            cx.act(Action::Seek(to));
        }
    }
    let seconds = scale.frames as f64 / f64::from(SAMPLE_RATE);
    let step = waveform::ruler_step_secs(seconds, rect.width(), 64.0);
    let (tiny, ink) = (font(text::TINY, Weight::Regular), cx.tokens.faint);
    let marks = (seconds / step).floor() as u64;
    for mark in 0..=marks.min(500) {
        let frame = (mark as f64 * step * f64::from(SAMPLE_RATE)) as u64;
        let x = ui.painter().round_to_pixel_center(scale.x_of(frame));
        ui.painter().vline(
            x,
            rect.bottom() - 10.0..=rect.bottom() - 5.0,
            Stroke::new(1.0, cx.tokens.line),
        );
        let words = if step < 1.0 { words::clock_tenths(frame) } else { words::clock(frame) };
        let place = Rect::from_min_size(pos2(x - 32.0, rect.top()), vec2(64.0, 16.0));
        let (place, align) = if mark == 0 {
            (place.translate(vec2(32.0, 0.0)), Align2::LEFT_CENTER)
        } else {
            (place, Align2::CENTER_CENTER)
        };
        if place.right() <= rect.right() + 20.0 {
            paint_text(ui.painter(), place, align, &words, tiny.clone(), ink);
        }
    }
    focus_ring(ui, &response, rect, 4);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(words::clock(here)),
        value: Some(here as f64 / f64::from(SAMPLE_RATE)),
        ..WidgetInfo::labeled(Role::Slider, true, words::get().lanes.position)
    });
}

fn lane_surface(ui: &Ui, cx: &Cx<'_>, rect: Rect, color: Color32) {
    ui.painter().rect_filled(rect, radius::LANE, cx.tokens.panel);
    let bar = Rect::from_min_max(
        pos2(rect.left(), rect.top() + 10.0),
        pos2(rect.left() + 4.0, rect.bottom() - 10.0),
    );
    ui.painter().rect_filled(bar, 2, color);
}

fn wave_rect(rect: Rect) -> Rect {
    Rect::from_min_max(
        pos2(rect.left() + size::LANE_HEAD, rect.top() + 4.0),
        pos2(rect.right(), rect.bottom() - 4.0),
    )
}

fn original_ui(
    ui: &Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    rect: Rect,
    scale: TimeScale,
    open: &OpenSong,
) {
    let (tokens, say) = (cx.tokens, &words::get().lanes);
    lane_surface(ui, cx, rect, tokens.original);
    let head = Rect::from_min_size(
        pos2(rect.left() + 16.0, rect.center().y - 20.0),
        vec2(size::LANE_HEAD - 32.0, 20.0),
    );
    let strong = font(text::LANE, Weight::SemiBold);
    label(ui, "lane original", head, Align2::LEFT_CENTER, say.original, strong, tokens.text);
    let place = head.translate(vec2(0.0, 21.0));
    let hint =
        if cx.desk.monitor == Monitor::Original { say.is_heard } else { say.hold_to_compare };
    let small = font(text::SMALL, Weight::Regular);
    label(ui, "lane original hint", place, Align2::LEFT_CENTER, hint, small, tokens.faint);
    let place = wave_rect(rect);
    let response = at(ui, "wave original", place, Sense::CLICK | Sense::DRAG);
    seek_by_pointer(cx, &response, scale);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, say.original_wave));
    waves.paint(
        ui.painter(),
        Lane::Original,
        place,
        waveform::View {
            wave: &open.original,
            frames: open.frames,
            covered: None,
            color: tokens.original,
            unknown: tokens.line,
        },
    );
}

#[derive(Clone, Copy)]
struct StemLane<'a> {
    song: &'a Song,
    open: &'a OpenSong,
    stem: usize,
    name: &'a str,
}

fn stem_ui(
    ui: &Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    rect: Rect,
    scale: TimeScale,
    StemLane { song, open, stem, name }: StemLane<'_>,
) {
    let tokens = cx.tokens;
    let color = tokens.stem(name);
    let lanes = cx.desk.lanes(song.id, &open.stems);
    let settings = lanes[stem];
    let any_solo = lanes.iter().any(|lane| lane.ticked && lane.soloed);
    let is_heard =
        cx.desk.monitor == Monitor::Mix && if any_solo { settings.soloed } else { !settings.muted };
    lane_surface(ui, cx, rect, color);
    drag_handle(ui, cx, rect, song, name);
    lane_head(ui, cx, rect, name, settings, is_heard);
    let place = wave_rect(rect);
    let response = at(ui, ("wave", name), place, Sense::CLICK | Sense::DRAG);
    seek_by_pointer(cx, &response, scale);
    let shown = words::stem_title(name);
    response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, (words::get().lanes.wave)(&shown)));
    waves.paint(
        ui.painter(),
        Lane::Stem(stem),
        place,
        waveform::View {
            wave: &open.waves[stem],
            frames: open.frames,
            covered: Some(&open.covered),
            color: if is_heard { color } else { color.gamma_multiply(MUTED_ALPHA) },
            unknown: tokens.line,
        },
    );
    preparing_ui(ui, cx, place, song, name);
}

/// Where a lane is taken to be dragged out of the window: its name and what is around it, but for
/// the buttons and the fader. By the keyboard, files are had from the export dialog.
fn drag_handle(ui: &Ui, cx: &mut Cx<'_>, lane: Rect, song: &Song, stem: &str) {
    if !cx.desk.can_drag_out || !cx.state.is_separated(song.id) {
        return;
    }
    let end = pos2(lane.left() + size::LANE_HEAD - BUTTONS, lane.center().y - 5.0);
    let place = Rect::from_min_max(lane.min, end);
    let response = at(ui, ("drag", stem), place, Sense::CLICK | Sense::DRAG);
    let drag_hint = words::get().lanes.drag_hint;
    let name = format!("{}: {drag_hint}", words::stem_title(stem));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name.as_str()));
    if response.drag_started_by(PointerButton::Primary) {
        let with_ticked = ui.input(|input| input.modifiers.command);
        cx.act(Action::DragOut { stem: stem.to_owned(), with_ticked });
    }
    if cx.desk.drag_out.is_none() {
        response.on_hover_cursor(CursorIcon::Grab).on_hover_text(drag_hint);
    }
}

/// Says on a dragged lane that its file is being made.
fn preparing_ui(ui: &Ui, cx: &Cx<'_>, wave: Rect, song: &Song, stem: &str) {
    let is_it = |drag: &DragOut| {
        drag.song == song.id && !drag.is_under_way && drag.stems.iter().any(|name| name == stem)
    };
    if !cx.desk.drag_out.as_ref().is_some_and(is_it) {
        return;
    }
    let words = (words::get().lanes.preparing)(words::stem(stem));
    let place = Rect::from_min_size(wave.min + vec2(6.0, 6.0), vec2(160.0, 24.0));
    ui.painter().rect_filled(place, radius::FIELD, cx.tokens.raised);
    let small = font(text::SMALL, Weight::Regular);
    let inner = place.shrink2(vec2(10.0, 0.0));
    label(ui, ("preparing", stem), inner, Align2::LEFT_CENTER, &words, small, cx.tokens.text);
}

fn lane_head(
    ui: &Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    stem: &str,
    settings: LaneSettings,
    is_heard: bool,
) {
    let tokens = cx.tokens;
    let color = tokens.stem(stem);
    let shown = words::stem_title(stem);
    let say = &words::get().lanes;
    // Two rows, centred in whatever height the lane has.
    let middle = rect.center().y;
    let upper = middle - 19.0;
    let lower = middle + 19.0;
    let left = rect.left() + 16.0;
    let right = rect.left() + size::LANE_HEAD - 18.0;
    let end = rect.left() + size::LANE_HEAD - BUTTONS;
    let name = Rect::from_min_max(pos2(left, upper - 12.0), pos2(end, upper + 12.0));
    let strong = font(text::LANE, Weight::SemiBold);
    let ink = if is_heard { tokens.text } else { tokens.dim };
    label(ui, ("lane", stem), name, Align2::LEFT_CENTER, &shown, strong, ink);
    let letter = |x: f32| Rect::from_center_size(pos2(x, upper), vec2(26.0, 24.0));
    let muted = settings.muted;
    let words = (say.mute)(&shown);
    let mute_color = tokens.stem("drums");
    let place = letter(right - 46.0);
    if button::letter(ui, ("mute", stem), place, "M", &words, muted, mute_color).clicked() {
        cx.act(Action::Mute(stem.to_owned(), !muted));
    }
    let soloed = settings.soloed;
    let words = (say.solo)(&shown);
    let place = letter(right - 13.0);
    if button::letter(ui, ("solo", stem), place, "S", &words, soloed, tokens.accent).clicked() {
        cx.act(Action::Solo(stem.to_owned(), !soloed));
    }
    let way = Rect::from_min_max(pos2(left - 8.0, lower - 10.0), pos2(right - 62.0, lower + 10.0));
    let words = (say.gain)(&shown);
    let look = Look { color, is_faint: !is_heard };
    let gain = settings.gain_db;
    if let Some(db) = fader(ui, ("gain", stem), way, &words, Scale::Gain, gain, look) {
        cx.act(Action::Gain(stem.to_owned(), db));
    }
    let value = Rect::from_min_max(pos2(right - 58.0, lower - 9.0), pos2(right, lower + 9.0));
    let small = font(text::SMALL, Weight::Regular);
    paint_text(
        ui.painter(),
        value,
        Align2::RIGHT_CENTER,
        &words::decibels(gain),
        small,
        tokens.dim,
    );
}

fn hint_ui(ui: &Ui, cx: &Cx<'_>, song: &Song, shown: &[usize], rect: Rect) {
    let stems = cx.state.stems(song.id);
    if !shown.is_empty() || stems.is_empty() || rect.height() < 20.0 {
        return;
    }
    let words = if cx.state.is_separated(song.id) {
        words::get().lanes.tick_to_hear
    } else {
        words::get().lanes.tick_and_process
    };
    let place = Rect::from_min_size(
        rect.min + vec2(size::LANE_HEAD, 0.0),
        vec2(rect.width() - size::LANE_HEAD, 20.0),
    );
    let body = font(text::BODY, Weight::Regular);
    label(ui, "lanes hint", place, Align2::LEFT_CENTER, words, body, cx.tokens.dim);
}
