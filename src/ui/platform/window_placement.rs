//! The window's position at the start: the previous one, unless it is out of sight. Monitors come
//! and go, so a saved position may be on none of them. Main thread, once, before the window is
//! shown.

use egui::{Rect, pos2, vec2};
use winit::{
    dpi::{PhysicalPosition, PhysicalSize},
    window::Window,
};

/// The part of the window's upper edge that must be visible for dragging, in pixels.
const HANDLE: egui::Vec2 = vec2(160.0, 32.0);

/// Moves the window to a monitor if it is on none.
pub fn bring_into_sight(window: &Window) {
    let Ok(corner) = window.outer_position() else { return };
    if window.is_maximized() {
        return; // the system has chosen a monitor
    }
    let size = window.outer_size();
    let rect = |at: PhysicalPosition<i32>, size: PhysicalSize<u32>| {
        Rect::from_min_size(
            pos2(at.x as f32, at.y as f32),
            vec2(size.width as f32, size.height as f32),
        )
    };
    let mut screens: Vec<Rect> = window
        .available_monitors()
        .map(|monitor| rect(monitor.position(), monitor.size()))
        .collect();
    // The window moves to the first monitor of the list.
    if let Some(main) = window.primary_monitor() {
        screens.insert(0, rect(main.position(), main.size()));
    }
    if let Some(seen) = in_sight(rect(corner, size), &screens) {
        window.set_outer_position(PhysicalPosition::new(seen.left() as i32, seen.top() as i32));
        if seen.size() != rect(corner, size).size() {
            let size = PhysicalSize::new(seen.width() as u32, seen.height() as u32);
            // The frame makes the window slightly larger than this; the user can resize it.
            let _asked = window.request_inner_size(size);
        }
    }
}

/// The rectangle of a window that cannot be grasped, centred on the first monitor and no larger
/// than it. `None` for a window that can stay, and where no monitor is known.
fn in_sight(window: Rect, screens: &[Rect]) -> Option<Rect> {
    let edge = Rect::from_min_size(window.min, vec2(window.width(), HANDLE.y));
    let is_seen = |screen: &Rect| {
        let seen = screen.intersect(edge);
        seen.width() >= HANDLE.x.min(window.width()) && seen.height() >= HANDLE.y / 2.0
    };
    let first = screens.first()?;
    if screens.iter().any(is_seen) {
        return None;
    }
    Some(Rect::from_center_size(first.center(), window.size().min(first.size())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left: f32, top: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(left, top), vec2(width, height))
    }

    #[test]
    fn a_reachable_window_stays_where_it_is() {
        let screens = [rect(0.0, 0.0, 1920.0, 1080.0), rect(1920.0, 0.0, 1280.0, 1024.0)];
        for window in [
            rect(100.0, 50.0, 1280.0, 800.0),
            rect(1800.0, 900.0, 1280.0, 800.0),
            rect(-1000.0, 0.0, 1280.0, 800.0),
            rect(2500.0, 20.0, 1280.0, 800.0),
            rect(300.0, -10.0, 1280.0, 800.0),
        ] {
            assert_eq!(in_sight(window, &screens), None, "{window:?}");
        }
        assert_eq!(in_sight(rect(9e3, 9e3, 10.0, 10.0), &[]), None, "no monitor is known");
    }

    #[test]
    fn a_window_on_a_missing_screen_moves_to_the_first() {
        let screens = [rect(0.0, 0.0, 1920.0, 1080.0)];
        for window in [
            rect(2500.0, 20.0, 1280.0, 800.0),
            rect(-1250.0, 20.0, 1280.0, 800.0),
            rect(100.0, -700.0, 1280.0, 800.0),
            rect(100.0, 1075.0, 1280.0, 800.0),
        ] {
            let seen = in_sight(window, &screens).unwrap();
            assert_eq!(seen, rect(320.0, 140.0, 1280.0, 800.0), "{window:?}");
        }
        let large = in_sight(rect(5000.0, 0.0, 3840.0, 2160.0), &screens).unwrap();
        assert_eq!(large, screens[0]);
    }
}
