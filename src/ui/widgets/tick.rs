//! A checkbox for an instrument, drawn as a pill in its colour.

use egui::{
    Align2, Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};

use super::{Salt, at, focus_ring, icon::Icon, one_line, paint_text};
use crate::ui::theme::{Tokens, Weight, font, radius, text};

/// Height of a pill in points.
pub const HEIGHT: f32 = 36.0;

/// The width of a pill with this name.
pub fn width(ui: &Ui, name: &str) -> f32 {
    let text = font(text::BODY, Weight::Medium);
    one_line(ui.painter(), name, text, Color32::PLACEHOLDER, f32::INFINITY).size().x + 48.0
}

/// Adds a pill of a height, as wide as its name needs; `response.clicked()` requests the opposite
/// state.
pub fn tick(
    ui: &mut Ui,
    salt: impl Salt,
    height: f32,
    name: &str,
    is_ticked: bool,
    color: Color32,
) -> Response {
    let wide = width(ui, name).min(ui.available_width());
    let (_, rect) = ui.allocate_space(vec2(wide, height));
    Pill { shown: name, name, is_ticked, is_enabled: true, color }.show(ui, salt, rect, 0.0)
}

/// A pill in a place that was allocated before.
#[derive(Clone, Copy, Debug)]
pub struct Pill<'a> {
    /// The displayed name.
    pub shown: &'a str,
    /// The accessible name.
    pub name: &'a str,
    /// Whether the instrument is ticked.
    pub is_ticked: bool,
    /// Whether the pill reacts.
    pub is_enabled: bool,
    /// The colour of the instrument.
    pub color: Color32,
}

impl Pill<'_> {
    /// Draws the pill. `beside` is the width at its right end that another control takes.
    pub fn show(self, ui: &mut Ui, salt: impl Salt, rect: Rect, beside: f32) -> Response {
        let Self { shown, name, is_ticked, is_enabled, color } = self;
        let tokens = Tokens::of(ui);
        let own = rect.with_max_x(rect.right() - beside);
        let response = at(ui, salt, own, if is_enabled { Sense::click() } else { Sense::hover() });
        let round = rect.height() / 2.0;
        let fill = if is_ticked { color.gamma_multiply(0.08) } else { Color32::TRANSPARENT };
        let rim = match (is_ticked, is_enabled && response.hovered()) {
            (true, _) => color,
            (false, true) => tokens.dim,
            (false, false) => tokens.line,
        };
        let stroke = Stroke::new(1.5, rim);
        ui.painter().rect(rect, round, fill, stroke, StrokeKind::Inside);
        let box_centre = rect.left_center() + vec2(18.0, 0.0);
        let tick_box = Rect::from_center_size(box_centre, vec2(18.0, 18.0));
        if is_ticked {
            ui.painter().rect_filled(tick_box, radius::TICK, color);
            Icon::Check.paint(ui.painter(), tick_box.shrink(3.0), tokens.on_stem);
        } else {
            let stroke = Stroke::new(1.5, if is_enabled { tokens.faint } else { tokens.line });
            ui.painter().rect_stroke(tick_box, radius::TICK, stroke, StrokeKind::Inside);
        }
        let mut text = own;
        text.min.x = tick_box.right() + 8.0;
        let ink = match (is_ticked, is_enabled) {
            (true, _) => tokens.text,
            (false, true) => tokens.dim,
            (false, false) => tokens.faint,
        };
        let words_font = font(text::BODY, Weight::Medium);
        paint_text(ui.painter(), text, Align2::LEFT_CENTER, shown, words_font, ink);
        focus_ring(ui, &response, rect, round);
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, is_enabled, is_ticked, name));
        if is_enabled { response.on_hover_cursor(egui::CursorIcon::PointingHand) } else { response }
    }
}
