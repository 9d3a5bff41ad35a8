//! Buttons: primary and quiet ones, links, icons, and a choice of a few.

use std::ops::Range;

use egui::{
    Align2, Color32, FontId, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::{Salt, at, focus_ring, icon::Icon, one_line, paint_text};
use crate::ui::theme::{Tokens, Weight, font, radius, text};

/// The appearance of a button, by importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The primary button.
    Primary,
    /// Any other button.
    Quiet,
    /// Any other button, on a raised surface.
    OnRaised,
    /// An action that cannot be undone.
    Danger,
    /// Text in the accent colour.
    Link,
    /// A small button beside others of its kind, such as a placeholder.
    Chip,
}

/// The height below which a button has smaller text and corners.
const SMALL: f32 = 34.0;

impl Kind {
    fn font(self, height: f32) -> FontId {
        match self {
            Self::Link | Self::Chip => font(text::BODY, Weight::Medium),
            _ if height < SMALL => font(text::BODY, Weight::Medium),
            _ => font(text::LANE, Weight::SemiBold),
        }
    }

    /// Space to the left and right of the text.
    fn padding(self, height: f32) -> f32 {
        match self {
            Self::Link => 2.0,
            Self::Chip => 8.0,
            _ if height < SMALL => 18.0,
            _ => 20.0,
        }
    }
}

/// Adds a button of a height, as wide as its text needs.
pub fn button(
    ui: &mut Ui,
    salt: impl Salt,
    height: f32,
    text: &str,
    kind: Kind,
    enabled: bool,
) -> Response {
    wide_button(ui, salt, vec2(0.0, height), text, kind, enabled)
}

/// Adds a button of a height and a minimum width.
pub fn wide_button(
    ui: &mut Ui,
    salt: impl Salt,
    least: Vec2,
    text: &str,
    kind: Kind,
    enabled: bool,
) -> Response {
    let wide = width(ui, text, kind, least.y).max(least.x);
    let (_, rect) = ui.allocate_space(vec2(wide.min(ui.available_width()), least.y));
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, if enabled { Sense::click() } else { Sense::hover() });
    let hot = enabled && (response.hovered() || response.is_pointer_button_down_on());
    let (fill, ink) = match kind {
        Kind::Primary if enabled => (tokens.accent, tokens.on_accent),
        Kind::Danger => (if hot { tokens.hovered } else { tokens.raised }, tokens.error),
        Kind::Primary | Kind::Quiet | Kind::Chip if !enabled => (tokens.raised, tokens.faint),
        Kind::OnRaised if !enabled => (tokens.panel, tokens.faint),
        Kind::OnRaised => (if hot { tokens.hovered } else { tokens.panel }, tokens.text),
        Kind::Primary | Kind::Quiet | Kind::Chip => {
            (if hot { tokens.hovered } else { tokens.raised }, tokens.text)
        }
        Kind::Link => (Color32::TRANSPARENT, if enabled { tokens.accent } else { tokens.faint }),
    };
    let rounding = if rect.height() < SMALL { radius::FIELD } else { radius::LANE };
    ui.painter().rect_filled(rect, rounding, fill);
    if kind == Kind::Primary && hot {
        ui.painter().rect_filled(rect, rounding, tokens.on_accent.gamma_multiply(0.12));
    }
    let font = kind.font(rect.height());
    let place = paint_text(ui.painter(), rect, Align2::CENTER_CENTER, text, font, ink);
    if kind == Kind::Link && hot {
        let y = place.bottom() - 1.0;
        ui.painter().hline(place.x_range(), y, egui::Stroke::new(1.0, ink));
    }
    focus_ring(ui, &response, rect, rounding);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, text));
    if enabled { response.on_hover_cursor(egui::CursorIcon::PointingHand) } else { response }
}

/// Adds a round button with an icon; `name` is its accessible name.
pub fn icon_button(
    ui: &mut Ui,
    salt: impl Salt,
    edge: f32,
    icon: Icon,
    name: &str,
    fill: Option<Color32>,
    ink: Color32,
) -> Response {
    let (_, rect) = ui.allocate_space(Vec2::splat(edge));
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, Sense::click());
    let hot = response.hovered() || response.is_pointer_button_down_on();
    let background = fill.or(hot.then_some(tokens.raised));
    let round = rect.width() / 2.0;
    if let Some(background) = background {
        ui.painter().rect_filled(rect, round, background);
        if fill.is_some() && hot {
            ui.painter().rect_filled(rect, round, ink.gamma_multiply(0.12));
        }
    }
    icon.paint(ui.painter(), Rect::from_center_size(rect.center(), rect.size() * 0.44), ink);
    focus_ring(ui, &response, rect, round);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// Adds an icon that is on or off. The on state has a background and an underline, so that it is
/// visible without colour.
pub fn icon_switch(
    ui: &mut Ui,
    salt: impl Salt,
    edge: f32,
    icon: Icon,
    name: &str,
    is_on: bool,
) -> Response {
    let (_, rect) = ui.allocate_space(Vec2::splat(edge));
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, Sense::click());
    let hot = response.hovered() || response.is_pointer_button_down_on();
    if is_on || hot {
        ui.painter().rect_filled(rect, radius::FIELD, tokens.raised);
    }
    let ink = if is_on { tokens.accent } else { tokens.dim };
    icon.paint(ui.painter(), Rect::from_center_size(rect.center(), rect.size() * 0.5), ink);
    if is_on {
        let line = Rect::from_center_size(
            rect.center_bottom() - egui::vec2(0.0, 3.0),
            egui::vec2(rect.width() * 0.4, 2.0),
        );
        ui.painter().rect_filled(line, 1, ink);
    }
    focus_ring(ui, &response, rect, radius::FIELD);
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, is_on, name));
    response
}

/// Adds a letter that is on or off, such as M and S on a lane.
pub fn letter(
    ui: &mut Ui,
    salt: impl Salt,
    shown: &str,
    name: &str,
    is_on: bool,
    on_color: Color32,
) -> Response {
    let (_, rect) = ui.allocate_space(LETTER);
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, Sense::click());
    let fill = match (is_on, response.hovered()) {
        (true, _) => on_color,
        (false, true) => tokens.hovered,
        (false, false) => tokens.raised,
    };
    let ink = if is_on { tokens.on_stem } else { tokens.dim };
    ui.painter().rect_filled(rect, 7, fill);
    let letter_font = font(text::SMALL, Weight::SemiBold);
    paint_text(ui.painter(), rect, Align2::CENTER_CENTER, shown, letter_font, ink);
    focus_ring(ui, &response, rect, 7);
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, is_on, name));
    response
}

/// Size of a letter that is on or off.
pub const LETTER: Vec2 = vec2(26.0, 24.0);

/// Adds a choice of a few, side by side and equally wide. Returns the clicked one.
pub fn choice(
    ui: &mut Ui,
    salt: impl Salt + Copy,
    size: Vec2,
    names: &[&str],
    chosen: usize,
) -> Option<usize> {
    let (_, rect) = ui.allocate_space(size);
    ui.painter().rect_filled(rect, rect.height() / 2.0, Tokens::of(ui).raised);
    let inner = rect.shrink(CELL_EDGE);
    let wide = inner.width() / names.len().max(1) as f32;
    let mut pressed = None;
    for (i, name) in names.iter().enumerate() {
        let left = inner.left() + wide * i as f32;
        let place = Rect::from_x_y_ranges(left..=left + wide, inner.y_range());
        if cell(ui, (salt, i), place, name, name, i == chosen) {
            pressed = Some(i);
        }
    }
    pressed
}

/// Adds a choice of a width whose cells fit their texts and share the remaining width evenly. Where
/// the width is too small, the cells continue on another line; `size.y` is the height of a line.
/// `group` is part of the accessible names, because two choices may have the same texts. No cell is
/// on while `chosen` is `None`.
pub fn fitted_choice(
    ui: &mut Ui,
    group: &str,
    size: Vec2,
    names: &[&str],
    chosen: Option<usize>,
) -> Option<usize> {
    let widths: Vec<f32> = names.iter().map(|name| cell_width(ui, name)).collect();
    let lines = lines(&widths, size.x - 2.0 * CELL_EDGE);
    let (_, rect) = ui.allocate_space(size * vec2(1.0, lines.len().max(1) as f32));
    ui.painter().rect_filled(rect, size.y / 2.0, Tokens::of(ui).raised);
    let (mut pressed, mut top) = (None, rect.top());
    for line in lines {
        let inner = Rect::from_min_size(pos2(rect.left(), top), size).shrink(CELL_EDGE);
        let (widths, first) = (&widths[line.clone()], line.start);
        let share = (inner.width() - widths.iter().sum::<f32>()) / widths.len() as f32;
        let mut left = inner.left();
        for (i, wide) in widths.iter().enumerate() {
            let right = left + wide + share;
            let place = Rect::from_x_y_ranges(left..=right, inner.y_range());
            let (i, name) = (first + i, names[first + i]);
            if cell(ui, (group, i), place, name, &format!("{group}: {name}"), Some(i) == chosen) {
                pressed = Some(i);
            }
            left = right;
        }
        top += size.y;
    }
    pressed
}

/// Space between the cells of a choice and its edge.
const CELL_EDGE: f32 = 3.0;
/// Minimum and usual space beside the text of a cell.
const BESIDE_CELL: [f32; 2] = [8.0, 26.0];

/// The width of a cell's text.
fn cell_width(ui: &Ui, name: &str) -> f32 {
    let (widest, color) = (font(text::BODY, Weight::SemiBold), Color32::PLACEHOLDER);
    one_line(ui.painter(), name, widest, color, f32::INFINITY).size().x
}

/// Distributes cells over as few lines as possible.
fn lines(widths: &[f32], width: f32) -> Vec<Range<usize>> {
    let (mut lines, mut start, mut used) = (Vec::new(), 0, 0.0);
    for (i, wide) in widths.iter().enumerate() {
        let needed = wide + BESIDE_CELL[0];
        if i > start && used + needed > width {
            lines.push(start..i);
            (start, used) = (i, 0.0);
        }
        used += needed;
    }
    if start < widths.len() {
        lines.push(start..widths.len());
    }
    lines
}

/// The width at which a [`fitted_choice`] has its usual space beside the texts.
pub fn fitted_width(ui: &Ui, names: &[&str]) -> f32 {
    let cells = names.iter().map(|name| cell_width(ui, name) + BESIDE_CELL[1]);
    cells.sum::<f32>() + 2.0 * CELL_EDGE
}

/// The width of a button of a height with this text.
pub fn width(ui: &Ui, text: &str, kind: Kind, height: f32) -> f32 {
    let font = kind.font(height);
    let galley = one_line(ui.painter(), text, font, Color32::PLACEHOLDER, f32::INFINITY);
    galley.size().x + 2.0 * kind.padding(height)
}

/// Draws one cell of a choice; returns whether it was clicked.
fn cell(ui: &Ui, salt: impl Salt, place: Rect, shown: &str, name: &str, is_on: bool) -> bool {
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, place, Sense::click());
    let round = place.height() / 2.0;
    let ink = if is_on {
        ui.painter().rect_filled(place, round, tokens.accent);
        tokens.on_accent
    } else if response.hovered() {
        tokens.text
    } else {
        tokens.dim
    };
    let weight = if is_on { Weight::SemiBold } else { Weight::Medium };
    let words_font = font(text::BODY, weight);
    paint_text(ui.painter(), place, Align2::CENTER_CENTER, shown, words_font, ink);
    focus_ring(ui, &response, place, round);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_on, name));
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_continue_on_another_line() {
        let ends = |widths: &[f32], width| -> Vec<usize> {
            lines(widths, width).into_iter().map(|line| line.end).collect()
        };
        assert_eq!(ends(&[40.0, 40.0, 40.0], 150.0), [3]);
        assert_eq!(ends(&[40.0, 40.0, 40.0], 100.0), [2, 3]);
        assert_eq!(ends(&[400.0, 40.0], 100.0), [1, 2]);
        assert!(ends(&[], 100.0).is_empty());
    }
}
