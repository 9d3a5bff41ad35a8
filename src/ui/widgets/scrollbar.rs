//! The scrollbar below the lanes, for the visible range of the song.

use egui::{EventFilter, Key, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};

use super::{Salt, at, focus_ring};
use crate::ui::{theme::Tokens, timeline::viewport::Viewport};

/// Height of the scrollbar in points.
pub const HEIGHT: f32 = 8.0;
/// Minimum length of the thumb in points.
const THUMB_MIN: f32 = 24.0;

/// Draws a scrollbar over the width of the waveforms. Returns the new view after scrolling.
pub fn scrollbar(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    name: &str,
    view: Viewport,
    frames: u64,
) -> Option<Viewport> {
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, Sense::click_and_drag());
    let span = view.span(rect.width());
    let thumb = thumb(rect, view, frames);
    let round = rect.height() / 2.0;
    ui.painter().rect_filled(rect, round, tokens.panel);
    let is_hot = response.hovered() || response.dragged();
    ui.painter().rect_filled(thumb, round, if is_hot { tokens.faint } else { tokens.hovered });
    focus_ring(ui, &response, rect, round);
    response.widget_info(|| WidgetInfo {
        value: Some(100.0 * view.first_frame / (frames as f64 - span).max(1.0)),
        ..WidgetInfo::labeled(Role::ScrollBar, true, name)
    });
    let per_point =
        (frames as f64 - span).max(0.0) / f64::from((rect.width() - thumb.width()).max(1.0));
    let to = |first_frame: f64| Some(Viewport { first_frame, ..view });
    if response.dragged() && response.drag_delta().x != 0.0 {
        return to(view.first_frame + f64::from(response.drag_delta().x) * per_point);
    }
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.clicked()) {
        // A click beside the thumb centres the view there.
        if !thumb.contains(pointer) {
            let part = f64::from((pointer.x - rect.left()) / rect.width().max(1.0));
            return to(part * frames as f64 - span / 2.0);
        }
    }
    keys(ui, &response).and_then(|pages| to(view.first_frame + pages * span))
}

fn thumb(rect: Rect, view: Viewport, frames: u64) -> Rect {
    let span = view.span(rect.width());
    let wide = (f64::from(rect.width()) * span / frames.max(1) as f64) as f32;
    let wide = wide.max(THUMB_MIN).min(rect.width());
    let part = (view.first_frame / (frames as f64 - span).max(1.0)).clamp(0.0, 1.0) as f32;
    let left = rect.left() + part * (rect.width() - wide);
    Rect::from_min_max(pos2(left, rect.top()), pos2(left + wide, rect.bottom()))
}

/// Number of pages requested by the arrow keys.
fn keys(ui: &Ui, response: &Response) -> Option<f64> {
    if !response.has_focus() {
        return None;
    }
    let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let pages = ui.input(|input| {
        let presses = |key: Key| input.num_presses(key) as f64;
        0.2 * (presses(Key::ArrowRight) - presses(Key::ArrowLeft))
    });
    (pages != 0.0).then_some(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumb_shows_which_part_is_in_sight() {
        let rect = Rect::from_min_max(pos2(100.0, 0.0), pos2(900.0, 8.0));
        let frames = 8_000_000;
        let whole = Viewport::whole(frames, 800.0);
        assert_eq!(thumb(rect, whole, frames), rect);
        let quarter = whole.zoomed(4.0, 800.0);
        let there = thumb(rect, quarter, frames);
        assert!((there.width() - 200.0).abs() < 0.5 && (there.right() - 900.0).abs() < 0.5);
        let tiny = thumb(rect, whole.zoomed(1e6, 0.0), frames);
        assert_eq!((tiny.width(), tiny.left()), (THUMB_MIN, 100.0));
    }
}
