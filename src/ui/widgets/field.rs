//! A single-line text field.

use egui::{Align2, Frame, Id, Rect, Response, TextEdit, Ui, vec2};

use super::focus_ring;
use crate::ui::theme::{Tokens, Weight, font, radius, text};

/// Draws a field with its surface and focus ring; `hint` is displayed while the field is empty.
pub fn field(
    ui: &mut Ui,
    id: Id,
    rect: Rect,
    name: &str,
    hint: &str,
    typed: &mut String,
) -> Response {
    ui.painter().rect_filled(rect, radius::FIELD, Tokens::of(ui).raised);
    let inner = rect.shrink2(vec2(12.0, 0.0));
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
