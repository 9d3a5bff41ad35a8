//! The rows of the export dialog: their places from the top down, and what they need to know.

use egui::{Align2, Rect, Ui, pos2, vec2};

use crate::ui::{
    commands::export_plan::{Objection, Plan},
    theme::{Tokens, Weight, font, text},
    widgets::label,
};

/// For the focus rings of what stands at the right edge; the padding is less by it.
pub const RING: f32 = 4.0;

/// The choices that the rows depend on.
pub struct Chosen<'a> {
    /// The stems of the song.
    pub stems: &'a [String],
    /// Those that are ticked.
    pub ticked: Vec<String>,
    /// The files that would be written, or the objection to them.
    pub plan: Result<Plan, Objection>,
    /// Whether that is one file.
    pub is_one: bool,
}

/// Rows with their names on the left, from the top down.
pub struct Form {
    /// The area that the next rows may take.
    pub rect: Rect,
    /// Colours.
    pub tokens: &'static Tokens,
}

impl Form {
    /// Height of a control.
    pub const ROW: f32 = 32.0;
    const GAP: f32 = 10.0;
    const NAMES: f32 = 104.0;

    /// The next row from the top; returns the place of its controls.
    pub fn row(&mut self, ui: &Ui, name: &str) -> Rect {
        let row = Rect::from_min_size(self.rect.min, vec2(self.rect.width(), Self::ROW));
        self.rect.min.y = row.bottom() + Self::GAP;
        let body = font(text::BODY, Weight::Medium);
        let place = Rect::from_min_size(row.min, vec2(Self::NAMES - 12.0, row.height()));
        label(ui, ("export row", name), place, Align2::LEFT_CENTER, name, body, self.tokens.dim);
        let left = row.left() + Self::NAMES;
        Rect::from_min_max(pos2(left, row.top()), pos2(row.right() - RING, row.bottom()))
    }

    /// A line below the row that came last.
    pub fn note(&mut self, ui: &Ui, salt: &str, words: &str, is_wrong: bool) {
        let line = self.below(4.0, 16.0);
        let ink = if is_wrong { self.tokens.error } else { self.tokens.dim };
        let small = font(text::SMALL, Weight::Regular);
        label(ui, salt, line, Align2::LEFT_CENTER, words, small, ink);
    }

    /// Room of a height below what came last, `gap` from it, under the controls.
    pub fn below(&mut self, gap: f32, height: f32) -> Rect {
        let top = self.rect.top() - Self::GAP + gap;
        self.rect.min.y = top + height + Self::GAP;
        let left = self.rect.left() + Self::NAMES;
        Rect::from_min_max(pos2(left, top), pos2(self.rect.right() - RING, top + height))
    }

    /// All that is still free under the controls.
    pub fn rest(&self, gap: f32) -> Rect {
        let min = self.rect.min + vec2(Self::NAMES, gap - Self::GAP);
        Rect::from_min_max(min, pos2(self.rect.right() - RING, self.rect.bottom()))
    }
}
