//! The form for a chain of networks: its name, its steps, and the stems that they make. It checks the
//! chain while the user types, and does not save it. Main thread.

mod stems;
mod steps;

use egui::{Frame, Id, Popup, ScrollArea, Stroke, Ui, Vec2, vec2};

use super::{Cx, form, modal};
use crate::{
    i18n::fl,
    model::weights::State,
    ui::{
        action::Action,
        state::{
            chain_form::{ChainForm, Flaw},
            view_state::ViewState,
        },
        theme::{Tokens, Weight, font, margin, radius, size, space, text},
        widgets::{
            Salt,
            button::{Kind, button, icon_button},
            drop_down::DropDown,
            field::field,
            icon::Icon,
            label,
            layout::{rest, row_from_right},
            paragraph, tick,
        },
        words,
    },
};

/// Height of a control.
const ROW: f32 = size::EXPORT_ROW;
/// Maximum rows of the text beside the buttons.
const FLAW_ROWS: usize = 2;

/// Draws the form, if it is open.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let ui_state = cx.ui_state;
    let Some(form) = &ui_state.chain else { return };
    let modal = modal::bare(ui, "chain").show(ui, |ui| contents(ui, cx, form));
    if modal.should_close() {
        cx.act(Action::CloseChain);
    }
}

fn contents(ui: &mut Ui, cx: &mut Cx<'_>, form: &ChainForm) {
    let mut new = form.clone();
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let room = modal::room(ui);
    ui.set_width(size::EXPORT_DIALOG.min(room.x));
    modal::title(ui, cx, fl!(editor_title));
    ui.add_space(space::LARGE);
    let others = size::DIALOG_TITLE + space::LARGE + space::LINKS + size::DIALOG_BUTTON;
    let height = (room.y - others).max(0.0);
    let scroll = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
    scroll.show(ui, |ui| {
        modal::show_rings(ui);
        Frame::NONE.inner_margin(margin::SETTINGS).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::SMALL;
            about(ui, &mut new);
            heading(ui, cx, fl!(editor_steps), fl!(editor_steps_note));
            steps::ui(ui, cx.state, &mut new);
            heading(ui, cx, fl!(editor_stems), fl!(editor_stems_note));
            stems::ui(ui, &mut new);
        });
    });
    ui.add_space(space::LINKS);
    buttons(ui, cx, form);
    if new != *form {
        cx.act(Action::ChainForm(Box::new(new)));
    }
}

/// Draws the rows for name and title.
fn about(ui: &mut Ui, new: &mut ChainForm) {
    named(ui, fl!(editor_name), |ui| {
        text_field(ui, "chain name", fl!(editor_name), "vocals-in-parts", &mut new.name);
    });
    named(ui, fl!(editor_about), |ui| {
        text_field(ui, "chain about", fl!(editor_about), "", &mut new.title);
    });
}

fn heading(ui: &mut Ui, cx: &Cx<'_>, title: &str, note: &str) {
    ui.add_space(space::SMALL);
    label(ui, title, font(text::LANE, Weight::SemiBold), cx.tokens.text);
    form::note(ui, note, cx.tokens.dim);
}

/// Draws the buttons and, at their left, the reason why the chain cannot be saved.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, form: &ChainForm) {
    let state = cx.state;
    let flaw = form.flaw(|name| state.is_taken(name));
    row_from_right(ui, size::DIALOG_BUTTON, |ui| {
        ui.spacing_mut().item_spacing.x = space::BUTTONS;
        let (height, can) = (size::DIALOG_BUTTON, flaw.is_none() && form.request.is_none());
        if button(ui, "chain save", height, fl!(editor_save), Kind::Primary, can).clicked() {
            cx.act(Action::SaveChain);
        }
        if button(ui, "chain cancel", height, fl!(cancel), Kind::Quiet, true).clicked() {
            cx.act(Action::CloseChain);
        }
        let said = match (&flaw, &form.error) {
            (Some(Flaw::NoName), _) => fl!(editor_no_name).to_owned(),
            (Some(Flaw::TakenName), _) => fl!(editor_taken_name).to_owned(),
            (Some(Flaw::Fault(fault)), _) => words::capitalised(&words::chain_fault(fault)),
            (None, Some(problem)) => words::sentence(problem),
            (None, None) => return,
        };
        let ink = if flaw.is_some() { cx.tokens.dim } else { cx.tokens.error };
        let small = font(text::SMALL, Weight::Regular);
        rest(ui, |ui| paragraph(ui, &said, small, ink, FLAW_ROWS));
    });
}

/// Draws a row: its name, and its controls at the right.
fn named<R>(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    form::named(ui, vec2(size::EXPORT_NAME, ROW), name, add)
}

/// Draws a field across the available width.
fn text_field(ui: &mut Ui, salt: impl Salt, name: &str, hint: &str, typed: &mut String) {
    let wide = vec2(ui.available_width(), ROW);
    field(ui, Id::unique(salt), wide, name, hint, typed);
}

/// Draws a step or a stem on a surface of its own.
fn card(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let frame = Frame::NONE.stroke(Stroke::new(1.0, Tokens::of(ui).line));
    frame.corner_radius(radius::FIELD).inner_margin(margin::CHAIN_CARD).show(ui, |ui| {
        ui.take_available_width();
        ui.spacing_mut().item_spacing.y = space::SMALL;
        add(ui);
    });
}

/// Draws a small button that is on or off; returns whether it was clicked.
fn chip(ui: &mut Ui, salt: impl Salt, shown: &str, name: &str, is_on: bool) -> bool {
    let wide = tick::width(ui, shown).min(ui.available_width());
    let (_, rect) = ui.allocate_space(vec2(wide, size::CHAIN_CHIP));
    let color = Tokens::of(ui).accent;
    let pill = tick::Pill { shown, name, is_ticked: is_on, is_enabled: true, color };
    pill.show(ui, salt, rect, 0.0).clicked()
}

/// The place of an item in its list, with the name of the item for its buttons.
#[derive(Clone, Copy)]
struct Place<'a> {
    salt: &'static str,
    at: usize,
    count: usize,
    name: &'a str,
}

/// A requested change of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Up,
    Down,
    Remove,
}

impl Place<'_> {
    /// Draws the head of an item: its name as a field, and the buttons that move and remove it.
    fn head(self, ui: &mut Ui, field_name: &str, typed: &mut String) -> Option<Change> {
        let Self { salt, at, count, name } = self;
        let mut change = None;
        row_from_right(ui, ROW, |ui| {
            ui.spacing_mut().item_spacing.x = space::TINY;
            let ink = Tokens::of(ui).dim;
            for (icon, words, wanted, is_possible) in [
                (Icon::Close, fl!(editor_remove, item = name), Change::Remove, true),
                (Icon::ChevronDown, fl!(editor_down, item = name), Change::Down, at + 1 < count),
                (Icon::ChevronUp, fl!(editor_up, item = name), Change::Up, at > 0),
            ] {
                if !is_possible {
                    ui.allocate_space(Vec2::splat(size::ICON_BUTTON_SMALL));
                    continue;
                }
                let (salt, edge) = ((salt, at, icon), size::ICON_BUTTON_SMALL);
                let response = icon_button(ui, salt, edge, icon, &words, None, ink);
                if response.on_hover_text(&words).clicked() {
                    change = Some(wanted);
                }
            }
            ui.add_space(space::SMALL);
            rest(ui, |ui| text_field(ui, (salt, at, "name"), field_name, "", typed));
        });
        change
    }

    /// Applies a change to a list.
    fn apply<T>(self, items: &mut Vec<T>, change: Change) {
        match change {
            Change::Up if self.at > 0 => items.swap(self.at - 1, self.at),
            Change::Down if self.at + 1 < items.len() => items.swap(self.at, self.at + 1),
            Change::Remove if self.at < items.len() => drop(items.remove(self.at)),
            Change::Up | Change::Down | Change::Remove => {}
        }
    }
}

/// Draws a menu of a width; returns the clicked entry.
fn menu<T: Clone + PartialEq>(
    ui: &mut Ui,
    salt: impl Salt,
    width: f32,
    name: &str,
    entries: &[(T, String)],
    chosen: &T,
    unknown: &str,
) -> Option<T> {
    let menu = DropDown {
        font: font(text::BODY, Weight::Regular),
        height: ROW,
        padding: space::MEDIUM,
        gap: space::MEDIUM,
        icon: size::ICON_SMALL,
    };
    let known = entries.iter().find(|(entry, _)| entry == chosen);
    let shown = known.map_or(unknown, |(_, shown)| shown.as_str());
    let response = menu.show(ui, salt, width, shown, &format!("{name}: {shown}"));
    let mut pressed = None;
    Popup::menu(&response).show(|ui| {
        ScrollArea::vertical().max_height(size::EXPORT_ROWS / 2.0).show(ui, |ui| {
            for (entry, text) in entries {
                if ui.selectable_label(entry == chosen, text).clicked() {
                    pressed = Some(entry.clone());
                }
            }
        });
    });
    pressed
}

/// Names of the installed models.
fn installed(state: &ViewState) -> impl Iterator<Item = &crate::engine::ModelEntry> {
    state.models().iter().filter(|model| matches!(model.state, State::Installed { .. }))
}
