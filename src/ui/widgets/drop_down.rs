//! A button that shows the chosen entry of a menu; the menu is the caller's. Main thread.

use egui::{FontId, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::{
    Salt, at, focus_ring,
    icon::Icon,
    layout::{rest, row_from_right},
    one_line, plain,
    surface::within,
};
use crate::ui::theme::{Tokens, radius};

/// The measures of a button.
#[derive(Clone, Debug)]
pub struct DropDown {
    /// The font of the text.
    pub font: FontId,
    /// The height.
    pub height: f32,
    /// The space at the left and at the right.
    pub padding: f32,
    /// The space between text and icon.
    pub gap: f32,
    /// The edge of the icon.
    pub icon: f32,
}

impl DropDown {
    /// The width that a text needs.
    pub fn width(&self, ui: &Ui, text: &str) -> f32 {
        let color = egui::Color32::PLACEHOLDER;
        let text = one_line(ui.painter(), text, self.font.clone(), color, f32::INFINITY);
        text.size().x.ceil() + self.gap + self.icon + 2.0 * self.padding
    }

    /// Adds the button in a width; `name` is its accessible name.
    pub fn show(
        &self,
        ui: &mut Ui,
        salt: impl Salt,
        width: f32,
        text: &str,
        name: &str,
    ) -> Response {
        let tokens = Tokens::of(ui);
        let (_, rect) = ui.allocate_space(vec2(width, self.height));
        let response = at(ui, salt, rect, Sense::click());
        let fill = if response.hovered() { tokens.hovered } else { tokens.raised };
        ui.painter().rect_filled(rect, radius::FIELD, fill);
        within(ui, rect, egui::Margin::symmetric(self.padding as i8, 0), |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(self.gap);
            row_from_right(ui, self.height, |ui| {
                Icon::ChevronDown.show(ui, self.icon, tokens.dim);
                rest(ui, |ui| plain(ui, text, self.font.clone(), tokens.text));
            });
        });
        focus_ring(ui, &response, rect, radius::FIELD);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
        response
    }
}
