//! A single-line text field.

use egui::{Align2, Frame, Id, Response, TextEdit, Ui, Vec2, vec2};

use super::{focus_ring, label, layout::row, surface::within};
use crate::ui::theme::{Tokens, Weight, font, radius, text};

/// Space at the left and right of the text.
const PADDING: i8 = 12;

/// Adds a field of a width and a height; `hint` is displayed while the field is empty.
pub fn field(
    ui: &mut Ui,
    id: Id,
    size: Vec2,
    name: &str,
    hint: &str,
    typed: &mut String,
) -> Response {
    let (_, rect) = ui.allocate_space(size);
    ui.painter().rect_filled(rect, radius::FIELD, Tokens::of(ui).raised);
    let inner = rect.shrink2(vec2(f32::from(PADDING), 0.0));
    let edit = TextEdit::singleline(typed)
        .id(id)
        .hint_text(hint.to_owned())
        .frame(Frame::NONE)
        .margin(0)
        .align(Align2::LEFT_CENTER)
        .min_size(inner.size())
        .font(font(text::BODY, Weight::Regular))
        .desired_width(inner.width());
    let response = ui.place(inner, edit).accessible_name(name);
    focus_ring(ui, &response, rect, radius::FIELD);
    response
}

/// Adds a text that is displayed like the contents of a field, such as a path; if truncated, the
/// tooltip has the full text.
pub fn shown_text(ui: &mut Ui, size: Vec2, shown: &str) {
    let (_, rect) = ui.allocate_space(size);
    let tokens = Tokens::of(ui);
    ui.painter().rect_filled(rect, radius::FIELD, tokens.raised);
    within(ui, rect, egui::Margin::symmetric(PADDING, 0), |ui| {
        row(ui, size.y, |ui| label(ui, shown, font(text::BODY, Weight::Regular), tokens.text));
    });
}
