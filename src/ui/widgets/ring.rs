//! A ring that fills with progress.

use egui::{Color32, Painter, Pos2, Stroke, Ui, Vec2};

/// Radius of a ring that stands for a picture.
pub const LARGE: f32 = 10.0;
/// Space between a ring and the edge of its square.
const EDGE: f32 = 1.0;

/// Adds a ring as a square.
pub fn ring(ui: &mut Ui, edge: f32, fraction: f32, color: Color32, rest: Color32) {
    let (_, rect) = ui.allocate_space(Vec2::splat(edge));
    ring_at(ui.painter(), rect.center(), edge / 2.0 - EDGE, fraction, color, rest);
}

/// Paints a ring of `radius` around `centre`, filled clockwise from the top.
pub fn ring_at(
    painter: &Painter,
    centre: Pos2,
    radius: f32,
    fraction: f32,
    color: Color32,
    rest: Color32,
) {
    painter.circle_stroke(centre, radius, Stroke::new(2.0, rest));
    let fraction = fraction.clamp(0.0, 1.0);
    let steps = (fraction * 48.0).ceil() as usize;
    if steps == 0 {
        return;
    }
    let points = (0..=steps)
        .map(|step| {
            let turn = fraction * step as f32 / steps as f32 - 0.25;
            centre + radius * Vec2::angled(turn * std::f32::consts::TAU)
        })
        .collect();
    painter.line(points, Stroke::new(2.5, color));
}
