//! The level meter: two bars with instant attack and slow decay.

use egui::{Color32, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::at;
use crate::{i18n::fl, ui::theme::Tokens};

/// Decay of a bar.
const FALL_DB_PER_SEC: f32 = 24.0;
/// The lowest displayed level.
const FLOOR_DB: f32 = -54.0;
/// The level from which a signal counts as clipped.
const CLIPS_DB: f32 = -0.1;

/// A stereo level meter, in dB.
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
    /// Updates the levels with the peaks since the last call, `elapsed_secs` ago. Returns whether
    /// the bars are still moving.
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

    /// Adds the two bars, left above right.
    pub fn ui(&self, ui: &mut Ui, size: Vec2) {
        let (_, rect) = ui.allocate_space(size);
        let tokens = Tokens::of(ui);
        for (i, level) in self.levels_db.iter().enumerate() {
            let top = rect.center().y + if i == 0 { -6.0 } else { 2.0 };
            let bar = Rect::from_min_size(egui::pos2(rect.left(), top), vec2(rect.width(), 4.0));
            ui.painter().rect_filled(bar, 2, tokens.raised);
            let mut filled = bar;
            filled.set_width(bar.width() * part(*level));
            let color = if *level >= CLIPS_DB { tokens.error } else { tokens.meter };
            if filled.is_positive() {
                ui.painter().rect_filled(filled, 2, color);
            }
        }
        self.describe(ui, rect, fl!(transport_level));
    }

    /// Adds the two bars side by side, vertically, in a lane's colour.
    pub fn rising(&self, ui: &mut Ui, size: Vec2, name: &str, color: Color32) {
        let (_, rect) = ui.allocate_space(size);
        let tokens = Tokens::of(ui);
        for (i, level) in self.levels_db.iter().enumerate() {
            let left = rect.left() + i as f32 * 6.0;
            let bar = Rect::from_min_max(
                egui::pos2(left, rect.top()),
                egui::pos2(left + 4.0, rect.bottom()),
            );
            ui.painter().rect_filled(bar, 2, tokens.raised);
            let filled = bar.with_min_y(bar.bottom() - bar.height() * part(*level));
            let color = if *level >= CLIPS_DB { tokens.error } else { color };
            if filled.is_positive() {
                ui.painter().rect_filled(filled, 2, color);
            }
        }
        self.describe(ui, rect, name);
    }

    /// Reports the louder channel to screen readers.
    fn describe(&self, ui: &Ui, rect: Rect, name: &str) {
        let loudest = self.levels_db[0].max(self.levels_db[1]).max(FLOOR_DB);
        at(ui, ("level meter", name), rect, Sense::hover()).widget_info(|| WidgetInfo {
            value: Some(f64::from(loudest)),
            ..WidgetInfo::labeled(Role::Meter, true, name)
        });
    }
}

/// The filled fraction of a bar at a level.
fn part(level_db: f32) -> f32 {
    ((level_db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
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
