//! The arrow that shows or hides the parts of an item, and the keys for it. Main thread.

use egui::{EventFilter, Key, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use super::{Salt, at, focus_ring, icon::Icon};
use crate::ui::theme::{radius, size};

/// Adds the arrow in a cell; `name` is its accessible name. Returns the requested state.
pub fn arrow(
    ui: &mut Ui,
    salt: impl Salt,
    cell: Vec2,
    name: &str,
    is_open: bool,
    ink: egui::Color32,
) -> Option<bool> {
    let (_, rect) = ui.allocate_space(cell);
    let response = at(ui, salt, rect, Sense::click());
    let icon = if is_open { Icon::ChevronDown } else { Icon::ChevronRight };
    let square = egui::Rect::from_center_size(rect.center(), Vec2::splat(size::ICON_TINY));
    icon.paint(ui.painter(), square, ink);
    focus_ring(ui, &response, rect, radius::TICK);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let key = keys(ui, &response).filter(|wanted| *wanted != is_open);
    let clicked = response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked();
    if clicked { Some(!is_open) } else { key }
}

/// The state that the arrow keys request while a control has the focus: right shows, left hides.
pub fn keys(ui: &Ui, response: &Response) -> Option<bool> {
    if !response.has_focus() {
        return None;
    }
    let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let is_pressed = |key| ui.input(|input| input.key_pressed(key));
    if is_pressed(Key::ArrowRight) {
        return Some(true);
    }
    is_pressed(Key::ArrowLeft).then_some(false)
}
