//! The lanes: the original, each stem in the mix, and the residual, one below another, with a common
//! ruler, loop and play head. The lanes of parts stand within that of their whole.

mod head;
mod row;
mod rows;
mod ruler;

use egui::{Align, Layout, Rect, Ui, Vec2, vec2};

use super::Cx;
use crate::{
    engine::{Song, player::Monitor},
    i18n::fl,
    ui::{
        action::Action,
        state::{ui_state::List, view_state::OpenSong},
        theme::{LOOP_ALPHA, Weight, font, size, space, text},
        timeline::viewport::Viewport,
        widgets::{
            layout::{row, scrolled},
            lines, scrollbar,
            surface::within,
            waveform,
        },
    },
};
use row::Row;

/// Maximum rows of the hint below the original.
const HINT_ROWS: usize = 3;

/// Draws the lanes of a song in the available space.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, waves: &mut waveform::Cache, song: &Song) {
    let state = cx.state;
    let Some(open) = state.open().filter(|open| open.id == song.id) else { return };
    let rect = ui.available_rect_before_wrap();
    if rect.height() < size::RULER + size::TEXT_LINE {
        return;
    }
    let times = beside_heads(ui, size::RULER);
    waves.width = times.width();
    let view = cx.ui_state.view(open.frames, times.width());
    let scale = TimeScale { x: times.x_range(), frames: open.frames, view };
    ruler::ui(ui, cx, times, scale);
    let is_whole = view.is_whole(open.frames, times.width());
    let below = if is_whole { 0.0 } else { scrollbar::HEIGHT + space::CLOSE };
    let rows = rows(cx, song, open);
    let body = (ui.available_size() - vec2(0.0, below)).max(Vec2::ZERO);
    let (_, body) = ui.allocate_space(body);
    let bottom =
        within(ui, body, egui::Margin::ZERO, |ui| rows_ui(ui, cx, waves, scale, song, open, &rows));
    if !is_whole {
        ui.add_space(space::CLOSE);
        let (place, name) = (beside_heads(ui, scrollbar::HEIGHT), fl!(lane_scroll));
        if let Some(to) = scrollbar::scrollbar(ui, "time", place, name, view, open.frames) {
            cx.act(Action::Look(to));
        }
    }
    look_ui(ui, cx, scale, times.union(body).with_min_x(times.left()));
    let lanes = Rect::from_x_y_ranges(times.x_range(), body.top()..=bottom.min(body.bottom()));
    over_ui(ui, cx, scale, rect, lanes);
}

/// Adds a row beside the heads of the lanes, and returns its area: that of the waveforms.
fn beside_heads(ui: &mut Ui, height: f32) -> Rect {
    row(ui, height, |ui| {
        ui.add_space(size::LANE_HEAD);
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
        rect
    })
    .inner
}

/// Draws the rows below the ruler; returns their bottom.
fn rows_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    scale: TimeScale,
    song: &Song,
    open: &OpenSong,
    rows: &[Row<'_>],
) -> f32 {
    let heights = Heights::fitting(ui.available_height(), rows.len().saturating_sub(1));
    scrolled(ui, ("lanes", open.id), space::TINY, |ui, area| {
        area.show(ui, |ui| {
            // The scrollbar lies over the waveforms.
            ui.spacing_mut().item_spacing.y = size::GAP;
            rows::original(ui, cx, waves, heights.original, scale, open);
            for row in rows {
                let high = if row.is_residual() { size::STEM_MIN } else { heights.stem };
                rows::row_ui(ui, cx, waves, high, scale, open, row);
            }
            let bottom = ui.min_rect().bottom();
            if rows.is_empty() {
                hint_ui(ui, cx, song);
            }
            bottom
        })
        .inner
    })
}

/// Draws the loop and the play head over all lanes.
fn over_ui(ui: &Ui, cx: &Cx<'_>, scale: TimeScale, rect: Rect, lanes: Rect) {
    if let Some(repeat) = cx.ui_state.repeat.filter(|repeat| repeat.is_on) {
        let (start, end) = repeat.region;
        let x = scale.x_of(start)..=scale.x_of(end);
        let place = Rect::from_x_y_ranges(x, lanes.y_range()).intersect(lanes);
        if place.is_positive() {
            ui.painter().rect_filled(place, 0, cx.tokens.accent.gamma_multiply(LOOP_ALPHA));
        }
    }
    let (head, width) = (cx.player.position(), lanes.width());
    let is_at_end = head >= scale.frames && scale.view.is_whole(scale.frames, width);
    if is_at_end || scale.view.shows(head as f64, width) {
        let painter = ui.painter().with_clip_rect(rect.expand2(vec2(8.0, 8.0)));
        let (top, bottom) = (lanes.top() - 4.0, lanes.bottom());
        waveform::play_head(&painter, scale.x_of(head), top, bottom, cx.tokens.text);
    }
}

/// Zooms and scrolls by wheel and pinch, over the ruler and the waveforms. Scrolling that the
/// lanes' scroll area has consumed is already removed from the input.
fn look_ui(ui: &Ui, cx: &mut Cx<'_>, scale: TimeScale, area: Rect) {
    let Some(pointer) = ui.pointer_hover_pos().filter(|at| area.contains(*at)) else { return };
    let is_on_top = ui.layer_id_at(pointer).is_none_or(|layer| layer == ui.layer_id());
    let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
    let moved = if scroll.x == 0.0 { scroll.y } else { scroll.x };
    if is_on_top && (zoom != 1.0 || moved != 0.0) {
        let view = scale.view.zoomed(f64::from(zoom), pointer.x - scale.x.min).scrolled(-moved);
        cx.act(Action::Look(view));
    }
}

/// The rows of a song: its stems in the mix, once any part of them exists, and the residual.
fn rows<'a>(cx: &Cx<'a>, song: &'a Song, open: &'a OpenSong) -> Vec<Row<'a>> {
    let has_stems = !open.covered.is_empty()
        || cx.state.is_separated(song.id)
        || cx.state.active_job(song.id).is_some();
    if !has_stems {
        return Vec::new();
    }
    let stems = open.instruments();
    let lanes = cx.ui_state.lanes(song.id, stems);
    let has_rest = cx.state.has_rest(song.id);
    let residual = cx.ui_state.residual(song.id, has_rest);
    let audible = stems.audible(&lanes, residual);
    let is_mix = cx.ui_state.monitor == Monitor::Mix;
    let is_open = |stem: &str| cx.ui_state.is_open(List::Lanes, stem);
    let make = |stem: usize| {
        let row = Row::of_stem(song, open, stem, lanes[stem], cx.tokens);
        let is_open = row.is_open.map(|_| is_open(row.key));
        Row { is_open, is_heard: is_mix && audible.stems[stem], ..row }
    };
    let mut rows: Vec<Row<'_>> =
        stems.rows(&lanes, |stem| !is_open(stem)).into_iter().map(make).collect();
    if !rows.is_empty() && !has_rest {
        let row = Row::of_residual(song, open, residual, cx.tokens);
        rows.push(Row { is_heard: is_mix && audible.residual, ..row });
    }
    rows
}

/// Maps frames to the screen.
#[derive(Clone, Copy)]
struct TimeScale {
    x: egui::Rangef,
    frames: u64,
    view: Viewport,
}

impl TimeScale {
    fn x_of(self, frame: u64) -> f32 {
        self.x.min + self.view.points_to(frame as f64)
    }

    fn frame_at(self, x: f32) -> u64 {
        let frame = self.view.frame_at(x.clamp(self.x.min, self.x.max) - self.x.min);
        frame.clamp(0.0, self.frames as f64) as u64
    }
}

struct Heights {
    original: f32,
    stem: f32,
}

impl Heights {
    fn fitting(room: f32, stems: usize) -> Self {
        if stems == 0 {
            return Self { original: size::ALONE.min(room), stem: size::STEM };
        }
        let others = size::ORIGINAL + size::GAP + size::STEM_MIN;
        let each = (room - others) / stems as f32 - size::GAP;
        Self { original: size::ORIGINAL, stem: each.clamp(size::STEM_MIN, size::STEM) }
    }
}

/// Seeks to the position where a surface is pressed or dragged.
fn seek_by_pointer(cx: &mut Cx<'_>, response: &egui::Response, scale: TimeScale) {
    // A quick click is pressed and released within one frame.
    let is_held = response.is_pointer_button_down_on() || response.dragged() || response.clicked();
    if is_held && let Some(pointer) = response.interact_pointer_pos() {
        cx.act(Action::Seek(scale.frame_at(pointer.x)));
    }
}

/// Draws the way to more lanes, where there is space.
fn hint_ui(ui: &mut Ui, cx: &Cx<'_>, song: &Song) {
    if cx.state.stems(song.id).is_empty() || ui.available_height() < size::TEXT_LINE {
        return;
    }
    let is_separated = cx.state.is_separated(song.id);
    let text = if is_separated { fl!(lane_select_to_hear) } else { fl!(lane_select_and_process) };
    ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
        ui.add_space(size::LANE_HEAD);
        let body = font(text::BODY, Weight::Regular);
        lines(ui, size::TEXT_LINE, text, body, cx.tokens.dim, HINT_ROWS);
    });
}
