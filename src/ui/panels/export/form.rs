//! The layout of the export dialog's rows, and the choices that the rows depend on.

use egui::{Align2, Rect, Ui, pos2, vec2};

use crate::ui::{
    commands::export_plan::{Objection, Plan},
    theme::{Tokens, Weight, font, text},
    widgets::label,
};

/// Space for the focus rings at the right edge; the padding is reduced by the same amount.
pub const RING: f32 = 4.0;

/// The choices that the rows depend on.
pub struct Chosen<'a> {
    /// The stems of the song.
    pub stems: &'a [String],
    /// The ticked stems.
    pub ticked: Vec<String>,
    /// The planned files, or the objection to them.
    pub plan: Result<Plan, Objection>,
    /// Whether the plan is a single file.
    pub is_one: bool,
}

/// Rows with their names on the left, from the top down.
pub struct Form {
    /// The remaining area for rows.
    pub rect: Rect,
    /// Colours of the active theme.
    pub tokens: &'static Tokens,
}

impl Form {
    /// Height of a control.
    pub const ROW: f32 = 32.0;
    const GAP: f32 = 10.0;
    const NAMES: f32 = 104.0;

    /// Adds a row and returns the area of its controls.
    pub fn row(&mut self, ui: &Ui, name: &str) -> Rect {
        let row = Rect::from_min_size(self.rect.min, vec2(self.rect.width(), Self::ROW));
        self.rect.min.y = row.bottom() + Self::GAP;
        let body = font(text::BODY, Weight::Medium);
        let place = Rect::from_min_size(row.min, vec2(Self::NAMES - 12.0, row.height()));
        label(ui, ("export row", name), place, Align2::LEFT_CENTER, name, body, self.tokens.dim);
        let left = row.left() + Self::NAMES;
        Rect::from_min_max(pos2(left, row.top()), pos2(row.right() - RING, row.bottom()))
    }

    /// Draws a line below the last row.
    pub fn note(&mut self, ui: &Ui, salt: &str, text: &str, is_wrong: bool) {
        let line = self.below(4.0, 16.0);
        let ink = if is_wrong { self.tokens.error } else { self.tokens.dim };
        let small = font(text::SMALL, Weight::Regular);
        label(ui, salt, line, Align2::LEFT_CENTER, text, small, ink);
    }

    /// Reserves an area under the controls, of a height and at distance `gap` from the last row.
    pub fn below(&mut self, gap: f32, height: f32) -> Rect {
        let top = self.rect.top() - Self::GAP + gap;
        self.rect.min.y = top + height + Self::GAP;
        let left = self.rect.left() + Self::NAMES;
        Rect::from_min_max(pos2(left, top), pos2(self.rect.right() - RING, top + height))
    }

    /// The remaining area under the controls.
    pub fn rest(&self, gap: f32) -> Rect {
        let min = self.rect.min + vec2(Self::NAMES, gap - Self::GAP);
        Rect::from_min_max(min, pos2(self.rect.right() - RING, self.rect.bottom()))
    }
}
