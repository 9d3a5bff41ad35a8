//! A surface with contents, as large as they need: a card or a notice, optionally filled from the left
//! by progress. The contents and their names are the caller's. Main thread.

use egui::{Color32, InnerResponse, Margin, Rect, Shape, Ui, UiBuilder, Vec2, vec2};

/// The appearance of a surface.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// The background.
    pub fill: Color32,
    /// The corners' radius.
    pub radius: u8,
    /// The space around the contents.
    pub margin: Margin,
    /// The completed fraction and its colour.
    pub progress: Option<(f32, Color32)>,
}

impl Surface {
    /// Adds the contents, without gaps between them, with the surface below them, across the available
    /// width.
    pub fn show<R>(self, ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
        let (background, done) = (ui.painter().add(Shape::Noop), ui.painter().add(Shape::Noop));
        let frame = egui::Frame::NONE.inner_margin(self.margin);
        let shown = frame.show(ui, |ui| {
            ui.spacing_mut().item_spacing = Vec2::ZERO;
            ui.take_available_width();
            add(ui)
        });
        let rect = shown.response.rect;
        ui.painter().set(background, Shape::rect_filled(rect, self.radius, self.fill));
        if let Some((fraction, color)) = self.progress {
            // Clips a full-size surface, so that the progress has its rounded corners.
            let mut part = rect;
            part.set_width(rect.width() * fraction.clamp(0.0, 1.0));
            let painter = ui.painter().with_clip_rect(part.intersect(ui.clip_rect()));
            painter.set(done, Shape::rect_filled(rect, self.radius, color));
        }
        shown
    }
}

/// Adds contents within `rect`, which was allocated before, with `margin` around them.
pub fn within<R>(
    ui: &mut Ui,
    rect: Rect,
    margin: impl Into<egui::epaint::MarginF32>,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let inner = rect - margin.into();
    let inner = Rect::from_min_max(inner.min, inner.max.max(inner.min));
    add(&mut ui.new_child(UiBuilder::new().max_rect(inner)))
}

/// Adds a thin bar across the available width, filled from the left by progress.
pub fn progress_bar(ui: &mut Ui, height: f32, fraction: f32, color: Color32, rest: Color32) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    ui.painter().rect_filled(rect, height / 2.0, rest);
    let mut done = rect;
    done.set_width(rect.width() * fraction.clamp(0.0, 1.0));
    if done.width() > 0.0 {
        ui.painter().rect_filled(done, height / 2.0, color);
    }
}
