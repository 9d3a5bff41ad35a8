//! Buttons: primary and quiet ones, links, icons, and a choice of a few.

use egui::{Align2, Color32, Rect, Response, Role, Sense, Ui, WidgetInfo};

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
}

/// The width of a button with this text.
pub fn width(ui: &Ui, text: &str, kind: Kind) -> f32 {
    let weight = if kind == Kind::Link { Weight::Medium } else { Weight::SemiBold };
    let size = if kind == Kind::Link { text::BODY } else { text::LANE };
    let galley =
        one_line(ui.painter(), text, font(size, weight), Color32::PLACEHOLDER, f32::INFINITY);
    galley.size().x + if kind == Kind::Link { 4.0 } else { 40.0 }
}

/// Draws a button with a text.
pub fn button(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    text: &str,
    kind: Kind,
    enabled: bool,
) -> Response {
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, if enabled { Sense::click() } else { Sense::hover() });
    let hot = enabled && (response.hovered() || response.is_pointer_button_down_on());
    let (fill, ink) = match kind {
        Kind::Primary if enabled => (tokens.accent, tokens.on_accent),
        Kind::Danger => (if hot { tokens.hovered } else { tokens.raised }, tokens.error),
        Kind::Primary | Kind::Quiet if !enabled => (tokens.raised, tokens.faint),
        Kind::OnRaised if !enabled => (tokens.panel, tokens.faint),
        Kind::OnRaised => (if hot { tokens.hovered } else { tokens.panel }, tokens.text),
        Kind::Primary | Kind::Quiet => {
            (if hot { tokens.hovered } else { tokens.raised }, tokens.text)
        }
        Kind::Link => (Color32::TRANSPARENT, if enabled { tokens.accent } else { tokens.faint }),
    };
    let rounding = if rect.height() < 34.0 { radius::FIELD } else { radius::LANE };
    ui.painter().rect_filled(rect, rounding, fill);
    if kind == Kind::Primary && hot {
        ui.painter().rect_filled(rect, rounding, tokens.on_accent.gamma_multiply(0.12));
    }
    let (size, weight) = match kind {
        Kind::Link => (text::BODY, Weight::Medium),
        _ if rect.height() < 34.0 => (text::BODY, Weight::Medium),
        _ => (text::LANE, Weight::SemiBold),
    };
    let place =
        paint_text(ui.painter(), rect, Align2::CENTER_CENTER, text, font(size, weight), ink);
    if kind == Kind::Link && hot {
        let y = place.bottom() - 1.0;
        ui.painter().hline(place.x_range(), y, egui::Stroke::new(1.0, ink));
    }
    focus_ring(ui, &response, rect, rounding);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, text));
    if enabled { response.on_hover_cursor(egui::CursorIcon::PointingHand) } else { response }
}

/// Draws a button with an icon; `name` is its accessible name.
pub fn icon_button(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    icon: Icon,
    name: &str,
    fill: Option<Color32>,
    ink: Color32,
) -> Response {
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

/// Draws an icon that is on or off. The on state has a background and an underline, so that it is
/// visible without colour.
pub fn icon_switch(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    icon: Icon,
    name: &str,
    is_on: bool,
) -> Response {
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

/// Draws a letter that is on or off, such as M and S on a lane.
pub fn letter(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    shown: &str,
    name: &str,
    is_on: bool,
    on_color: Color32,
) -> Response {
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

/// Draws a choice of a few, side by side and equally wide. Returns the clicked one.
pub fn choice(
    ui: &Ui,
    salt: impl Salt + Copy,
    rect: Rect,
    names: &[&str],
    chosen: usize,
) -> Option<usize> {
    let inner = cells_ground(ui, rect);
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

/// Draws a choice whose cells fit their texts and share the remaining width evenly. `group` is part
/// of the accessible names, because two choices may have the same texts. No cell is on while
/// `chosen` is `None`.
pub fn fitted_choice(
    ui: &Ui,
    group: &str,
    rect: Rect,
    names: &[&str],
    chosen: Option<usize>,
) -> Option<usize> {
    let inner = cells_ground(ui, rect);
    let widest = font(text::BODY, Weight::SemiBold);
    let wide = |name: &&str| {
        let color = Color32::PLACEHOLDER;
        one_line(ui.painter(), name, widest.clone(), color, f32::INFINITY).size().x
    };
    let widths: Vec<f32> = names.iter().map(wide).collect();
    let share = (inner.width() - widths.iter().sum::<f32>()) / names.len().max(1) as f32;
    let (mut pressed, mut left) = (None, inner.left());
    for (i, (name, wide)) in names.iter().zip(widths).enumerate() {
        let right = left + wide + share;
        let place = Rect::from_x_y_ranges(left..=right, inner.y_range());
        if cell(ui, (group, i), place, name, &format!("{group}: {name}"), Some(i) == chosen) {
            pressed = Some(i);
        }
        left = right;
    }
    pressed
}

/// Paints the background of a choice; returns the area of its cells.
fn cells_ground(ui: &Ui, rect: Rect) -> Rect {
    ui.painter().rect_filled(rect, rect.height() / 2.0, Tokens::of(ui).raised);
    rect.shrink(3.0)
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
