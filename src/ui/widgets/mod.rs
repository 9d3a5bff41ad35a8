//! The widgets of the window. Each draws itself into a rectangle, has an accessible name, and shows
//! the keyboard focus. No widget depends on the engine. Main thread.

pub mod button;
pub mod cover;
pub mod dial;
pub mod fader;
pub mod field;
pub mod figure;
pub mod icon;
pub mod meter;
pub mod ring;
pub mod scrollbar;
pub mod tick;
pub mod waveform;

use std::sync::Arc;

use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Id, Painter, Rect, Response, Role, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo,
    text::{LayoutJob, TextWrapping},
    vec2,
};

use super::theme::Tokens;

/// Identifies a widget: unique in the window, and the same in every frame.
pub trait Salt: std::hash::Hash + std::fmt::Debug {}
impl<T: std::hash::Hash + std::fmt::Debug> Salt for T {}

/// Adds an interactive area at `rect`.
pub fn at(ui: &Ui, salt: impl Salt, rect: Rect, sense: Sense) -> Response {
    ui.interact(rect, Id::unique(salt), sense)
}

/// Draws a ring around a focused widget and scrolls the widget into view.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect, radius: impl Into<CornerRadius>) {
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if response.has_focus() {
        let stroke = Stroke::new(2.0, Tokens::of(ui).accent);
        ui.painter().rect_stroke(rect.expand(2.0), radius, stroke, StrokeKind::Outside);
    }
}

/// Lays out text on one line, truncated with "…" at `width`.
pub fn one_line(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    painter.layout_job(job)
}

/// Paints text on one line within `rect`, without an accessibility node.
pub fn paint_text(
    painter: &Painter,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    color: Color32,
) -> Rect {
    let galley = one_line(painter, text, font, color, rect.width());
    let place = align.align_size_within_rect(galley.size(), rect);
    painter.galley(place.min, galley, color);
    place
}

/// Draws a line of text within `rect`; if truncated, the tooltip has the full text.
pub fn label(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    color: Color32,
) -> Rect {
    let galley = one_line(ui.painter(), text, font, color, rect.width());
    let place = align.align_size_within_rect(galley.size(), rect);
    let is_cut = galley.elided;
    ui.painter().galley(place.min, galley, color);
    let response = at(ui, salt, place, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    if is_cut {
        response.on_hover_text(text);
    }
    place
}

/// Lays out text over several lines, truncated with "…" after `max_rows`.
pub fn lines(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
    max_rows: usize,
) -> Arc<Galley> {
    let mut job = LayoutJob::simple(text.to_owned(), font, color, width.max(0.0));
    job.wrap.max_rows = max_rows;
    painter.layout_job(job)
}

/// Draws text over several lines from the top left of `rect`; if truncated, the tooltip has the
/// full text. Returns the covered rectangle.
pub fn paragraph(
    ui: &Ui,
    salt: impl Salt,
    rect: Rect,
    text: &str,
    font: FontId,
    color: Color32,
    max_rows: usize,
) -> Rect {
    let galley = lines(ui.painter(), text, font, color, rect.width(), max_rows);
    let place = Rect::from_min_size(rect.min, galley.size());
    let is_cut = galley.elided;
    ui.painter().galley(place.min, galley, color);
    let response = at(ui, salt, place, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    if is_cut {
        response.on_hover_text(text);
    }
    place
}

/// Draws text of fixed advance, so that changing digits do not move. Paints from `rect`'s left,
/// vertically centred, and returns the width.
pub fn digits(ui: &Ui, rect: Rect, text: &str, font: &FontId, color: Color32) -> f32 {
    let painter = ui.painter();
    let width_of = |c: char| painter.layout_no_wrap(c.to_string(), font.clone(), color).size().x;
    let digit_width = width_of('0');
    let mut x = rect.left();
    for c in text.chars() {
        let cell = if c.is_ascii_digit() { digit_width } else { width_of(c) };
        let centre = egui::pos2(x + cell / 2.0, rect.center().y);
        painter.text(centre, Align2::CENTER_CENTER, c, font.clone(), color);
        x += cell;
    }
    x - rect.left()
}

/// Draws a dashed outline with rounded corners.
pub fn dashed_outline(painter: &Painter, rect: Rect, radius: f32, stroke: Stroke) {
    let mut points = Vec::with_capacity(40);
    let corners = [
        (rect.right_top() + vec2(-radius, radius), -0.25),
        (rect.right_bottom() + vec2(-radius, -radius), 0.0),
        (rect.left_bottom() + vec2(radius, -radius), 0.25),
        (rect.left_top() + vec2(radius, radius), 0.5),
    ];
    for (centre, turn) in corners {
        for step in 0..=8 {
            let angle = (turn + f32::from(step as u8) / 32.0) * std::f32::consts::TAU;
            points.push(centre + radius * vec2(angle.cos(), angle.sin()));
        }
    }
    points.extend(points.first().copied());
    painter.extend(egui::Shape::dashed_line(&points, stroke, 6.0, 5.0));
}
