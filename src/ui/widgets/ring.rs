//! A ring that fills with progress.

use egui::{Color32, Painter, Pos2, Stroke, Vec2};

/// Paints a ring of `radius` around `centre`, filled clockwise from the top.
pub fn ring(
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
