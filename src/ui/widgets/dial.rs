//! A dial: a small round control, such as the balance of a lane. Drags go up and down or sideways;
//! wheel, keys and double-click work as on a fader.

use egui::{Rect, Sense, Stroke, Ui, Vec2};

use super::{
    Salt, at,
    fader::{Knob, Look, Scale},
    focus_ring,
};
use crate::ui::theme::{MUTED_ALPHA, Tokens};

/// Pointer travel over the full range, in points.
const TRAVEL: f32 = 120.0;
/// Angle from straight up to either end, in turns.
const REACH: f32 = 0.375;

/// Adds a dial. Returns the new value if it was turned.
pub fn dial(
    ui: &mut Ui,
    salt: impl Salt,
    edge: f32,
    name: &str,
    scale: Scale,
    value: f32,
    look: Look,
) -> Option<f32> {
    let (_, rect) = ui.allocate_space(Vec2::splat(edge));
    let response = at(ui, salt, rect, Sense::click_and_drag());
    // The exact value is kept during a drag, so that rounding does not swallow slow turns.
    let exact = response.id.with("exact");
    let mut pointed = None;
    if response.drag_started() {
        ui.data_mut(|data| data.insert_temp(exact, scale.place(value)));
    }
    let turned = response.drag_delta();
    if response.dragged() && turned != Vec2::ZERO {
        let place = ui.data(|data| data.get_temp(exact)).unwrap_or_else(|| scale.place(value));
        let place = (place + (turned.x - turned.y) / TRAVEL).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(exact, place));
        pointed = Some(scale.tidied(scale.value(place)));
    }
    let control = Knob { name, scale, value };
    let new = control.worked(ui, &response, pointed);
    let shown = new.unwrap_or(value);
    paint(ui, rect, scale.place(shown), look, response.hovered() || response.dragged());
    focus_ring(ui, &response, rect, rect.width() / 2.0);
    control.describe(ui, response, shown);
    new.filter(|new| *new != value)
}

fn paint(ui: &Ui, rect: Rect, place: f32, look: Look, is_hot: bool) {
    let tokens = Tokens::of(ui);
    let (centre, radius) = (rect.center(), rect.width() / 2.0);
    let at = |place: f32, distance: f32| {
        let angle = ((2.0 * place - 1.0) * REACH - 0.25) * std::f32::consts::TAU;
        centre + distance * Vec2::angled(angle)
    };
    let arc = |from: f32, to: f32| -> Vec<egui::Pos2> {
        (0..=16).map(|i| at(from + (to - from) * i as f32 / 16.0, radius - 2.0)).collect()
    };
    ui.painter().circle_filled(centre, radius, if is_hot { tokens.hovered } else { tokens.raised });
    ui.painter().line(arc(0.0, 1.0), Stroke::new(2.0, tokens.line));
    let color =
        if look.is_faint { look.color.gamma_multiply(MUTED_ALPHA + 0.2) } else { look.color };
    // The arc from straight up to the current value.
    if (place - 0.5).abs() > 0.01 {
        ui.painter().line(arc(0.5, place), Stroke::new(2.0, color));
    }
    ui.painter().line_segment([centre, at(place, radius - 3.0)], Stroke::new(2.0, tokens.text));
}
