//! The lanes themselves: the original, the stems and the residual.

use egui::{Align2, Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Cx, TimeScale, head, row::Row, seek_by_pointer};
use crate::{
    engine::{Lane, player::Monitor, separation::plan::without},
    i18n::fl,
    ui::{
        state::{ui_state::DragOut, view_state::OpenSong},
        theme::{DRAFT_VEIL, GLOW_ALPHA, MUTED_ALPHA, Weight, font, radius, size, text},
        widgets::{at, label, one_line, waveform},
        words,
    },
};

/// Draws a lane's background with a bar in its colour.
fn surface(ui: &Ui, cx: &Cx<'_>, rect: Rect, color: Color32) {
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

/// Draws the lane of the original.
pub fn original(
    ui: &Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    rect: Rect,
    scale: TimeScale,
    open: &OpenSong,
) {
    let tokens = cx.tokens;
    surface(ui, cx, rect, tokens.original);
    let head = Rect::from_min_size(
        pos2(rect.left() + 16.0, rect.center().y - 20.0),
        vec2(size::LANE_HEAD - 32.0, 20.0),
    );
    let strong = font(text::LANE, Weight::SemiBold);
    label(ui, "lane original", head, Align2::LEFT_CENTER, fl!(lane_original), strong, tokens.text);
    let place = head.translate(vec2(0.0, 21.0));
    let is_original = cx.ui_state.monitor == Monitor::Original;
    let hint = if is_original { fl!(lane_original_heard) } else { fl!(lane_original_compare) };
    let small = font(text::SMALL, Weight::Regular);
    label(ui, "lane original hint", place, Align2::LEFT_CENTER, hint, small, tokens.faint);
    let place = wave_rect(rect);
    let response = at(ui, "wave original", place, Sense::CLICK | Sense::DRAG);
    seek_by_pointer(cx, &response, scale);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, fl!(lane_original_wave)));
    waves.paint(
        ui.painter(),
        Lane::Original,
        place,
        waveform::Drawing {
            wave: &open.original,
            frames: open.frames,
            view: scale.view,
            covered: None,
            color: tokens.original,
            unknown: tokens.line,
        },
    );
}

/// Draws the lane of a stem or of the residual.
pub fn row(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    rect: Rect,
    scale: TimeScale,
    open: &OpenSong,
    row: &Row<'_>,
) {
    let tokens = cx.tokens;
    let color = tokens.stem(row.key);
    surface(ui, cx, rect, color);
    head::ui(ui, cx, rect, open, row);
    let place = wave_rect(rect);
    let response = at(ui, ("wave", row.key), place, Sense::CLICK | Sense::DRAG);
    seek_by_pointer(cx, &response, scale);
    let name = fl!(lane_wave, stem = &row.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    computing_ui(ui, scale, place, open, color);
    waves.paint(
        ui.painter(),
        row.stem.map_or(Lane::Residual, Lane::Stem),
        place,
        waveform::Drawing {
            wave: row.wave,
            frames: open.frames,
            view: scale.view,
            covered: Some(&open.covered),
            color: if row.is_heard { color } else { color.gamma_multiply(MUTED_ALPHA) },
            unknown: tokens.line,
        },
    );
    draft_ui(ui, cx, scale, place, open);
    state_ui(ui, cx, place, row);
    preparing_ui(ui, cx, place, row);
}

/// Draws a faint glow over the segment that is being computed.
fn computing_ui(ui: &Ui, scale: TimeScale, wave: Rect, open: &OpenSong, color: Color32) {
    let Some((start, end)) = open.computing else { return };
    let x = scale.x_of(start)..=scale.x_of(end);
    let glow = Rect::from_x_y_ranges(x, wave.y_range()).intersect(wave);
    if glow.is_positive() {
        ui.painter().rect_filled(glow, radius::TICK, color.gamma_multiply(GLOW_ALPHA));
    }
}

/// Draws a veil over the drafted part, with a line below it, until the final stems replace the
/// draft.
fn draft_ui(ui: &Ui, cx: &Cx<'_>, scale: TimeScale, wave: Rect, open: &OpenSong) {
    for covered in &open.covered {
        for (start, end) in without(*covered, &open.refined) {
            let x = scale.x_of(start)..=scale.x_of(end);
            let place = Rect::from_x_y_ranges(x, wave.y_range()).intersect(wave);
            if place.is_positive() {
                let veil = cx.tokens.panel.gamma_multiply(DRAFT_VEIL);
                ui.painter().rect_filled(place, 0, veil);
                let line = egui::Stroke::new(1.0, cx.tokens.faint);
                ui.painter().hline(place.x_range(), place.bottom() - 1.0, line);
            }
        }
    }
}

/// Draws the state of a lane as text: muted, and the meaning of the residual.
fn state_ui(ui: &Ui, cx: &Cx<'_>, wave: Rect, row: &Row<'_>) {
    let is_muted = row.settings.muted && !row.settings.soloed;
    let text = match (row.is_residual(), is_muted) {
        (true, true) => format!("{} · {}", fl!(lane_residual_note), fl!(lane_muted)),
        (true, false) => fl!(lane_residual_note).to_owned(),
        (false, true) => fl!(lane_muted).to_owned(),
        (false, false) => return,
    };
    let tiny = font(text::TINY, Weight::Regular);
    let ink = cx.tokens.faint;
    let galley = one_line(ui.painter(), &text, tiny.clone(), ink, wave.width());
    let place = Rect::from_min_size(wave.min + vec2(6.0, 2.0), galley.size() + vec2(8.0, 2.0));
    ui.painter().rect_filled(place, radius::TICK, cx.tokens.panel);
    label(ui, ("state", row.key), place, Align2::CENTER_CENTER, &text, tiny, ink);
}

/// Draws a notice on a dragged lane while its file is being prepared.
fn preparing_ui(ui: &Ui, cx: &Cx<'_>, wave: Rect, row: &Row<'_>) {
    let is_dragged = |drag: &DragOut| {
        let is_same = drag.stems.iter().any(|name| name == row.key);
        drag.song == row.song.id && !drag.is_under_way && is_same
    };
    if !cx.ui_state.drag_out.as_ref().is_some_and(is_dragged) {
        return;
    }
    let text = fl!(lane_preparing, stem = words::stem(row.key));
    let place = Rect::from_min_size(wave.min + vec2(6.0, 6.0), vec2(160.0, 24.0));
    ui.painter().rect_filled(place, radius::FIELD, cx.tokens.raised);
    let small = font(text::SMALL, Weight::Regular);
    let inner = place.shrink2(vec2(10.0, 0.0));
    label(ui, ("preparing", row.key), inner, Align2::LEFT_CENTER, &text, small, cx.tokens.text);
}
