//! A figure beside a control: displays the value, and accepts typing after a click or Enter.

use egui::{Align2, FontSelection, Key, Rect, Role, Sense, TextEdit, Ui, Vec2, WidgetInfo};

use super::{
    Salt, at,
    fader::{Knob, Scale},
    focus_ring, paint_text,
};
use crate::ui::theme::{Tokens, Weight, font, radius, text};

/// Adds the value of `knob` as text at the right of a width and a height. Returns a newly typed
/// value.
pub fn figure(ui: &mut Ui, salt: impl Salt, size: Vec2, knob: Knob<'_>) -> Option<f32> {
    let (_, rect) = ui.allocate_space(size);
    let Knob { name, scale, value } = knob;
    let response = at(ui, salt, rect, Sense::click());
    let typing = response.id.with("typing");
    if let Some(typed) = ui.data(|data| data.get_temp::<String>(typing)) {
        return typing_ui(ui, typing, rect, name, scale, typed);
    }
    let tokens = Tokens::of(ui);
    let shown = scale.words(value);
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(egui::vec2(4.0, 0.0)), radius::TICK, tokens.raised);
    }
    let small = font(text::SMALL, Weight::Regular);
    let ink = if response.hovered() { tokens.text } else { tokens.dim };
    paint_text(ui.painter(), rect, Align2::RIGHT_CENTER, &shown, small, ink);
    focus_ring(ui, &response, rect.expand2(egui::vec2(4.0, 0.0)), radius::TICK);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name}: {shown}")));
    if response.on_hover_cursor(egui::CursorIcon::Text).clicked() {
        ui.data_mut(|data| data.insert_temp(typing, shown));
        ui.request_repaint();
    }
    None
}

fn typing_ui(
    ui: &mut Ui,
    typing: egui::Id,
    rect: Rect,
    name: &str,
    scale: Scale,
    mut typed: String,
) -> Option<f32> {
    let field = typing.with("field");
    let edit = TextEdit::singleline(&mut typed)
        .id(field)
        .font(FontSelection::FontId(font(text::SMALL, Weight::Regular)))
        .align(Align2::RIGHT_CENTER)
        .margin(egui::Margin::symmetric(4, 1));
    let response = ui.place(rect.expand2(egui::vec2(6.0, 2.0)), edit);
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
    let is_new = ui.data(|data| data.get_temp::<bool>(field).is_none());
    if is_new {
        // Selects the whole text, so that typing replaces it.
        let all = egui::text::CCursorRange::two(
            egui::text::CCursor::new(0),
            egui::text::CCursor::new(typed.chars().count()),
        );
        let mut state = egui::text_edit::TextEditState::default();
        state.cursor.set_char_range(Some(all));
        state.store(ui, field);
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(field, true));
    }
    if !response.lost_focus() {
        ui.data_mut(|data| data.insert_temp(typing, typed));
        return None;
    }
    ui.data_mut(|data| {
        data.remove::<String>(typing);
        data.remove::<bool>(field);
    });
    let is_given_up = ui.input(|input| input.key_pressed(Key::Escape));
    if is_given_up { None } else { scale.typed(&typed) }
}
