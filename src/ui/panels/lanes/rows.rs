//! The lanes themselves: the original, the stems and the residual.

use egui::{Align, Color32, Frame, Layout, Margin, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::{Cx, TimeScale, head, row::Row, seek_by_pointer};
use crate::{
    engine::{Lane, player::Monitor, separation::plan::without},
    i18n::fl,
    ui::{
        state::{ui_state::DragOut, view_state::OpenSong},
        theme::{
            DRAFT_VEIL, GLOW_ALPHA, MUTED_ALPHA, Tokens, Weight, font, margin, radius, size, space,
            text,
        },
        widgets::{
            at, label,
            layout::{row, stack},
            surface::within,
            waveform,
        },
        words,
    },
};

/// Largest number of steps by which a lane is inset.
const DEEPEST: usize = 3;

/// Draws a lane with its background, a bar in its colour, and its head. Returns the area of the
/// waveform. The lane begins further right by the `depth` of its stem.
fn lane(
    ui: &mut Ui,
    height: f32,
    depth: usize,
    color: Color32,
    head: impl FnOnce(&mut Ui, Rect),
) -> Rect {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    // The heads of deeper lanes would be too narrow.
    let inset = size::LANE_PART * depth.min(DEEPEST) as f32;
    let rect = rect.with_min_x((rect.left() + inset).min(rect.right()));
    ui.painter().rect_filled(rect, radius::LANE, Tokens::of(ui).panel);
    within(ui, rect, egui::Margin::ZERO, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        row(ui, height, |ui| {
            let cell = vec2(size::LANE_HEAD - inset, height);
            ui.allocate_ui_with_layout(cell, Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_size(cell);
                let bar = vec2(size::LANE_BAR, (height - space::GROUPS).max(0.0));
                let (_, bar) = ui.allocate_space(bar);
                ui.painter().rect_filled(bar, size::LANE_BAR / 2.0, color);
                head(ui, rect);
            });
            let wave = vec2(ui.available_width(), (height - 2.0 * space::TINY).max(0.0));
            let (_, wave) = ui.allocate_space(wave);
            wave
        })
        .inner
    })
}

/// Draws the lane of the original.
pub fn original(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    height: f32,
    scale: TimeScale,
    open: &OpenSong,
) {
    let tokens = cx.tokens;
    let is_original = cx.ui_state.monitor == Monitor::Original;
    let hint = if is_original { fl!(lane_original_heard) } else { fl!(lane_original_compare) };
    let place = lane(ui, height, 0, tokens.original, |ui, _| {
        ui.add_space(space::MEDIUM);
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width() - space::LARGE);
            stack(ui, 2.0 * size::TEXT_LINE, |ui| {
                let strong = font(text::LANE, Weight::SemiBold);
                row(ui, size::TEXT_LINE, |ui| label(ui, fl!(lane_original), strong, tokens.text));
                let small = font(text::SMALL, Weight::Regular);
                row(ui, size::TEXT_LINE, |ui| label(ui, hint, small, tokens.faint));
            });
        });
    });
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
pub fn row_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    waves: &mut waveform::Cache,
    height: f32,
    scale: TimeScale,
    open: &OpenSong,
    row: &Row<'_>,
) {
    let tokens = cx.tokens;
    let color = row.color;
    let place = lane(ui, height, row.depth, color, |ui, rect| head::ui(ui, cx, rect, open, row));
    let response = at(ui, ("wave", row.key), place, Sense::CLICK | Sense::DRAG);
    seek_by_pointer(cx, &response, scale);
    let name = fl!(lane_wave, stem = &row.name);
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
fn state_ui(ui: &mut Ui, cx: &Cx<'_>, wave: Rect, row: &Row<'_>) {
    let is_muted = row.settings.muted && !row.settings.soloed;
    let text = match (row.is_residual(), is_muted) {
        (true, true) => format!("{} · {}", fl!(lane_residual_note), fl!(lane_muted)),
        (true, false) => fl!(lane_residual_note).to_owned(),
        (false, true) => fl!(lane_muted).to_owned(),
        (false, false) => return,
    };
    over(ui, wave, margin::LANE_STATE, |ui| {
        let plate = Frame::NONE.fill(cx.tokens.panel).corner_radius(radius::TICK);
        plate.inner_margin(margin::IN_LANE_STATE).show(ui, |ui| {
            label(ui, &text, font(text::TINY, Weight::Regular), cx.tokens.faint);
        });
    });
}

/// Draws contents over a waveform, from its top left.
fn over(ui: &mut Ui, wave: Rect, margin: Margin, add: impl FnOnce(&mut Ui)) {
    within(ui, wave, margin, |ui| ui.with_layout(Layout::top_down(Align::Min), add));
}

/// Draws a notice on a dragged lane while its file is being prepared.
fn preparing_ui(ui: &mut Ui, cx: &Cx<'_>, wave: Rect, row: &Row<'_>) {
    let is_dragged = |drag: &DragOut| {
        let is_same = drag.stems.iter().any(|name| name == row.key);
        drag.song == row.song.id && !drag.is_under_way && is_same
    };
    if !cx.ui_state.drag_out.as_ref().is_some_and(is_dragged) {
        return;
    }
    let text = fl!(lane_preparing, stem = words::stem(row.key));
    over(ui, wave, margin::PREPARING, |ui| {
        let plate = Frame::NONE.fill(cx.tokens.raised).corner_radius(radius::FIELD);
        plate.inner_margin(margin::IN_PREPARING).show(ui, |ui| {
            label(ui, &text, font(text::SMALL, Weight::Regular), cx.tokens.text);
        });
    });
}
