//! The ruler: times, a click to seek, a drag to set the loop.

use egui::{
    Align2, CursorIcon, EventFilter, Key, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::{Cx, TimeScale};
use crate::{
    engine::SAMPLE_RATE,
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::ui_state::Repeat,
        theme::{Weight, font, text},
        timeline::ruler,
        widgets::{at, focus_ring, paint_text},
        words,
    },
};

/// Frames in a second.
const SECOND: i64 = SAMPLE_RATE as i64;
/// Width of the handle at an end of the loop.
const HANDLE: f32 = 12.0;

/// Draws the ruler.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, scale: TimeScale) {
    let response = at(ui, "position", rect, Sense::click_and_drag());
    let here = cx.player.position();
    let steps = arrows(ui, &response);
    if steps != 0 {
        let to = here.saturating_add_signed(steps * SECOND).min(scale.frames);
        cx.act(Action::Seek(to));
    }
    let pointer = response.interact_pointer_pos();
    if let Some(pointer) = pointer.filter(|_| response.clicked()) {
        cx.act(Action::Seek(scale.frame_at(pointer.x)));
    }
    let origin = ui.input(|input| input.pointer.press_origin());
    if let (Some(pointer), Some(origin)) = (pointer.filter(|_| response.dragged()), origin) {
        cx.act(Action::Loop(scale.frame_at(origin.x), scale.frame_at(pointer.x)));
    }
    marks_ui(ui, cx, rect, scale);
    focus_ring(ui, &response, rect, 4);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(words::clock(here)),
        value: Some(here as f64 / f64::from(SAMPLE_RATE)),
        ..WidgetInfo::labeled(Role::Slider, true, fl!(lane_position))
    });
    if let Some(repeat) = cx.ui_state.repeat {
        loop_ui(ui, cx, rect, scale, repeat);
    }
}

/// Steps of the arrow keys while `response` has the focus.
fn arrows(ui: &Ui, response: &egui::Response) -> i64 {
    if !response.has_focus() {
        return 0;
    }
    let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    ui.input(|input| {
        input.num_presses(Key::ArrowRight) as i64 - input.num_presses(Key::ArrowLeft) as i64
    })
}

fn marks_ui(ui: &Ui, cx: &Cx<'_>, rect: Rect, scale: TimeScale) {
    let (tiny, ink) = (font(text::TINY, Weight::Regular), cx.tokens.faint);
    for mark in ruler::marks(scale.view, scale.frames, rect.width(), 64.0) {
        let x = scale.x.min + scale.view.points_to(mark.frame);
        let x = ui.painter().round_to_pixel_center(x);
        let top = rect.bottom() - if mark.label.is_some() { 10.0 } else { 7.0 };
        ui.painter().vline(x, top..=rect.bottom() - 5.0, Stroke::new(1.0, cx.tokens.line));
        let Some(text) = mark.label else { continue };
        let place = Rect::from_min_size(pos2(x - 32.0, rect.top()), vec2(64.0, 16.0));
        // At the left edge, the label goes beside the mark, so that it does not cover the lanes'
        // heads.
        let (place, align) = if x < rect.left() + 16.0 {
            (place.translate(vec2(32.0, 0.0)), Align2::LEFT_CENTER)
        } else {
            (place, Align2::CENTER_CENTER)
        };
        if place.right() <= rect.right() + 20.0 {
            paint_text(ui.painter(), place, align, &text, tiny.clone(), ink);
        }
    }
}

/// Draws the loop: a bar, filled while repetition is on, and a handle at each end.
fn loop_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, scale: TimeScale, repeat: Repeat) {
    let (start, end) = repeat.region;
    let x = scale.x_of(start)..=scale.x_of(end);
    let bar = Rect::from_x_y_ranges(x, rect.bottom() - 5.0..=rect.bottom() - 1.0);
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(1.0, 0.0)));
    if repeat.is_on {
        painter.rect_filled(bar, 2, cx.tokens.accent);
    } else {
        let rim = Stroke::new(1.0, cx.tokens.faint);
        painter.rect_stroke(bar, 2, rim, egui::StrokeKind::Inside);
    }
    for (is_start, name, frame) in
        [(true, fl!(lane_loop_start), start), (false, fl!(lane_loop_end), end)]
    {
        let x = scale.x_of(frame);
        if x < rect.left() - HANDLE || x > rect.right() + HANDLE {
            continue;
        }
        let middle = pos2(x, rect.bottom() - 8.0);
        let place = Rect::from_center_size(middle, vec2(HANDLE, 16.0));
        let response = at(ui, ("loop", is_start), place, Sense::click_and_drag());
        let is_hot = response.hovered() || response.dragged();
        let ink = if repeat.is_on { cx.tokens.accent } else { cx.tokens.faint };
        let wide = if is_hot { 3.0 } else { 2.0 };
        painter.vline(x, rect.bottom() - 12.0..=rect.bottom() - 1.0, Stroke::new(wide, ink));
        let mut to = frame.saturating_add_signed(arrows(ui, &response) * SECOND / 10);
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            to = scale.frame_at(pointer.x);
        }
        if to != frame {
            let (from, to) = if is_start { (to.min(end), end) } else { (start, to.max(start)) };
            cx.act(Action::Loop(from, to));
        }
        focus_ring(ui, &response, place, 3);
        let both = format!("{} – {}", words::clock_tenths(start), words::clock_tenths(end));
        response.widget_info(|| WidgetInfo {
            current_text_value: Some(words::clock_tenths(frame)),
            value: Some(frame as f64 / f64::from(SAMPLE_RATE)),
            ..WidgetInfo::labeled(Role::Slider, true, name)
        });
        response.on_hover_cursor(CursorIcon::ResizeHorizontal).on_hover_text(format!(
            "{}; {}",
            fl!(lane_loop, times = &both),
            UiCommand::ClearLoop.hint(ui)
        ));
    }
}
