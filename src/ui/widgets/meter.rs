//! The level meter: two bars that rise at once and fall slowly.

use egui::{Rect, Role, Sense, Ui, WidgetInfo, vec2};

use super::at;
use crate::ui::{theme::Tokens, words};

/// How fast a bar falls.
const FALL_DB_PER_SEC: f32 = 24.0;
/// The lowest level that is shown.
const FLOOR_DB: f32 = -54.0;

/// What the bars show, in dB.
#[derive(Clone, Debug)]
pub struct Meter {
    levels_db: [f32; 2],
}

impl Default for Meter {
    fn default() -> Self {
        Self { levels_db: [f32::NEG_INFINITY; 2] }
    }
}

impl Meter {
    /// Takes the peaks since the last call, `elapsed_secs` ago. Whether the bars still move.
    pub fn update(&mut self, peaks: [f32; 2], elapsed_secs: f32) -> bool {
        for (level, peak) in self.levels_db.iter_mut().zip(peaks) {
            let fallen = *level - FALL_DB_PER_SEC * elapsed_secs;
            *level = fallen.max(20.0 * peak.max(0.0).log10());
            if *level < FLOOR_DB {
                *level = f32::NEG_INFINITY;
            }
        }
        self.levels_db.iter().any(|level| level.is_finite())
    }

    /// Draws the two bars, left above right.
    pub fn ui(&self, ui: &Ui, rect: Rect) {
        let tokens = Tokens::of(ui);
        for (i, level) in self.levels_db.iter().enumerate() {
            let top = rect.center().y + if i == 0 { -6.0 } else { 2.0 };
            let bar = Rect::from_min_size(egui::pos2(rect.left(), top), vec2(rect.width(), 4.0));
            ui.painter().rect_filled(bar, 2, tokens.raised);
            let part = ((level - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0);
            let mut filled = bar;
            filled.set_width(bar.width() * part);
            let color = if *level >= -0.1 { tokens.error } else { tokens.meter };
            if part > 0.0 {
                ui.painter().rect_filled(filled, 2, color);
            }
        }
        let loudest = self.levels_db[0].max(self.levels_db[1]).max(FLOOR_DB);
        at(ui, "level meter", rect, Sense::hover()).widget_info(|| WidgetInfo {
            value: Some(f64::from(loudest)),
            ..WidgetInfo::labeled(Role::Meter, true, words::get().transport.level)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_and_falls_slowly() {
        let mut meter = Meter::default();
        assert!(meter.update([1.0, 0.5], 0.1));
        assert_eq!(meter.levels_db[0], 0.0);
        assert!(meter.update([0.0, 0.0], 1.0));
        assert_eq!(meter.levels_db[0], -FALL_DB_PER_SEC);
        assert!(!meter.update([0.0, 0.0], 10.0));
    }
}
