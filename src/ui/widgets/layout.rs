//! Rows and stacks of a known height, made of egui's layouts: they centre their contents, and one part
//! takes the width that the others leave. Main thread.
//!
//! The panels are such rows, so neither `egui_taffy` nor `egui_flex` would pay: both compute their
//! layout from the sizes of the previous frame, and draw a frame again when one changes. Here only
//! contents at the bottom and in the middle do ([`at_bottom`], [`centred`]).

use egui::{Align, Align2, Aligned, InnerResponse, Layout, ScrollArea, Ui, UiBuilder, vec2};

use super::Salt;

/// A row of `height` across the available width, filled from the left and centred vertically.
pub fn row<R>(ui: &mut Ui, height: f32, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    across(ui, height, Layout::left_to_right(Align::Center), add)
}

/// A row of `height` across the available width, filled from the right and centred vertically.
pub fn row_from_right<R>(
    ui: &mut Ui,
    height: f32,
    add: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    across(ui, height, Layout::right_to_left(Align::Center), add)
}

/// The part of a row that [`row_from_right`] leaves, filled from the left.
pub fn rest<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.with_layout(Layout::left_to_right(Align::Center), add).inner
}

/// Lines below each other, `height` high together, across the available width: in a row, they are
/// centred vertically.
pub fn stack<R>(ui: &mut Ui, height: f32, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    across(ui, height, Layout::top_down(Align::Min), add)
}

/// Parts side by side, which continue on a new line where the width ends. `height` is that of the
/// parts.
pub fn wrapped<R>(ui: &mut Ui, height: f32, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let layout = Layout::left_to_right(Align::Center).with_main_wrap(true);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), layout, add)
}

/// Contents at the bottom of the available space; parts added later go above them.
pub fn at_bottom<R>(ui: &mut Ui, salt: impl Salt, add: impl FnOnce(&mut Ui) -> R) -> R {
    Aligned::new(Align2::LEFT_BOTTOM).id_salt(salt).show(ui, add).inner
}

/// Contents in the middle of the available width.
pub fn centred<R>(ui: &mut Ui, salt: impl Salt, add: impl FnOnce(&mut Ui) -> R) -> R {
    Aligned::new(Align2::CENTER_TOP).id_salt(salt).show(ui, add).inner
}

/// A vertical scroll area over the available space, without gaps between its parts. It is clipped
/// at its edges, except for `beside` points to the left and right: space for focus rings.
pub fn scrolled<R>(
    ui: &mut Ui,
    salt: impl Salt + Copy,
    beside: f32,
    add: impl FnOnce(&mut Ui, ScrollArea) -> R,
) -> R {
    ui.scope_builder(UiBuilder::new().id_salt(salt), |ui| {
        let area = ui.available_rect_before_wrap();
        ui.shrink_clip_rect(area.expand2(vec2(beside, 0.0)));
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        add(ui, ScrollArea::vertical().id_salt(salt).auto_shrink(false))
    })
    .inner
}

fn across<R>(
    ui: &mut Ui,
    height: f32,
    layout: Layout,
    add: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    let size = vec2(ui.available_width(), height);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.set_min_size(size);
        add(ui)
    })
}
