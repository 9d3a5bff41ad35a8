//! The widgets of the window. Each takes its space from the layout that it is added to, draws itself
//! there, has an accessible name, and shows the keyboard focus. No widget depends on the engine. Main
//! thread.

pub mod button;
pub mod cover;
pub mod dial;
pub mod drop_down;
pub mod fader;
pub mod field;
pub mod figure;
pub mod fold;
pub mod icon;
pub mod layout;
pub mod meter;
pub mod ring;
pub mod scrollbar;
pub mod surface;
pub mod tick;
pub mod waveform;

use std::sync::Arc;

use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Id, Label, Layout, Painter, Rect, Response,
    Sense, Stroke, StrokeKind, Ui,
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

/// Adds a line of text, truncated with "…" at the available width; if truncated, the tooltip has the
/// full text.
pub fn label(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Response {
    let job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    ui.add(Label::new(job).truncate())
}

/// Adds text over as many lines as needed, truncated with "…" after `max_rows`; if truncated, the
/// tooltip has the full text.
pub fn paragraph(
    ui: &mut Ui,
    text: &str,
    font: FontId,
    color: Color32,
    max_rows: usize,
) -> Response {
    let mut job = LayoutJob::simple(text.to_owned(), font, color, ui.available_width());
    job.wrap.max_rows = max_rows;
    ui.add(Label::new(job).wrap())
}

/// Like [`paragraph`], but each of its lines is in the vertical middle of a row `height` high.
pub fn lines(
    ui: &mut Ui,
    height: f32,
    text: &str,
    font: FontId,
    color: Color32,
    max_rows: usize,
) -> Response {
    spaced(ui, height, &font.clone(), |ui| paragraph(ui, text, font, color, max_rows))
}

/// Like [`lines`], without an accessibility node, for a widget whose name includes the text.
pub fn plain_lines(
    ui: &mut Ui,
    height: f32,
    text: &str,
    font: FontId,
    color: Color32,
    max_rows: usize,
) {
    spaced(ui, height, &font.clone(), |ui| {
        let mut job = LayoutJob::simple(text.to_owned(), font, color, ui.available_width());
        job.wrap.max_rows = max_rows;
        let galley = ui.painter().layout_job(job);
        let (_, rect) = ui.allocate_space(galley.size());
        ui.painter().galley(rect.min, galley, color);
    });
}

/// Adds text with half of the space above and below that its line has less than `height`.
fn spaced<R>(ui: &mut Ui, height: f32, font: &FontId, add: impl FnOnce(&mut Ui) -> R) -> R {
    let space = ((height - ui.fonts_mut(|fonts| fonts.row_height(font))) / 2.0).max(0.0);
    ui.with_layout(Layout::top_down(ui.layout().horizontal_placement()), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add_space(space);
        let added = add(ui);
        ui.add_space(space);
        added
    })
    .inner
}

/// Adds a line of text without an accessibility node, for a widget whose name includes the text.
pub fn plain(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Rect {
    let galley = one_line(ui.painter(), text, font, color, ui.available_width());
    let (_, rect) = ui.allocate_space(galley.size());
    ui.painter().galley(rect.min, galley, color);
    rect
}

/// Adds text of fixed advance, so that changing digits do not move.
pub fn digits(ui: &mut Ui, text: &str, font: &FontId, color: Color32) -> Rect {
    let width_of = |c: char| ui.painter().layout_no_wrap(c.to_string(), font.clone(), color).size();
    let digit = width_of('0');
    let cells: Vec<(char, f32)> = text
        .chars()
        .map(|c| (c, if c.is_ascii_digit() { digit.x } else { width_of(c).x }))
        .collect();
    let wide = cells.iter().map(|(_, wide)| wide).sum();
    let (_, rect) = ui.allocate_space(vec2(wide, digit.y));
    let mut x = rect.left();
    for (c, wide) in cells {
        let centre = egui::pos2(x + wide / 2.0, rect.center().y);
        ui.painter().text(centre, Align2::CENTER_CENTER, c, font.clone(), color);
        x += wide;
    }
    rect
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
