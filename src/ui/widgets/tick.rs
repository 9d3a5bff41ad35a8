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
    let tokens = Tokens::of(ui);
    let response = at(ui, salt, rect, Sense::click());
    let round = rect.height() / 2.0;
    let fill = if is_ticked { color.gamma_multiply(0.08) } else { Color32::TRANSPARENT };
    let rim = match (is_ticked, response.hovered()) {
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
        let stroke = Stroke::new(1.5, tokens.faint);
        ui.painter().rect_stroke(tick_box, radius::TICK, stroke, StrokeKind::Inside);
    }
    let mut text = rect;
    text.min.x = tick_box.right() + 8.0;
    let ink = if is_ticked { tokens.text } else { tokens.dim };
    let words_font = font(text::BODY, Weight::Medium);
    paint_text(ui.painter(), text, Align2::LEFT_CENTER, name, words_font, ink);
    focus_ring(ui, &response, rect, round);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_ticked, name));
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}
