//! The list of songs. Only visible rows are drawn. Arrow keys move the focus.

use egui::{EventFilter, Frame, Key, Modifiers, Rect, Ui};

use super::{Library, row, sort_ui};
use crate::{
    engine::SongId,
    i18n::fl,
    ui::{
        action::Action,
        panels::Cx,
        theme::{Weight, font, margin, size, text},
        widgets::{cover::Covers, label, layout::scrolled},
    },
};

/// A movement that the keyboard requests from a focused row.
#[derive(Clone, Copy)]
struct Step {
    from: SongId,
    steps: isize,
    extends: bool,
}

impl Library {
    pub(super) fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers) {
        let state = cx.state;
        let num_songs = self.order(state, cx.ui_state).len();
        let importing = state.importing();
        let count = importing.len() + num_songs;
        if count == 0 {
            if !self.search.is_empty() {
                Frame::NONE.inner_margin(margin::LIST_HEAD).show(ui, |ui| {
                    let small = font(text::SMALL, Weight::Regular);
                    let text = fl!(library_no_match, typed = &self.search);
                    label(ui, &text, small, cx.tokens.dim);
                });
            }
            return;
        }
        Frame::NONE.inner_margin(margin::LIST_HEAD).show(ui, |ui| sort_ui(ui, cx));
        let in_sight = self.wanted_in_sight(cx).map(|place| place + importing.len());
        let mut step = None;
        let (order, focus) = (self.order.known(), &mut self.focus);
        scrolled(ui, "songs", 0.0, |ui, area| {
            area.show_rows(ui, size::ROW, count, |ui, range| {
                if let Some(place) = in_sight {
                    let top = ui.max_rect().top() + (place as f32 - range.start as f32) * size::ROW;
                    let x = ui.max_rect().x_range();
                    ui.scroll_to_rect(Rect::from_x_y_ranges(x, top..=top + size::ROW), None);
                }
                for place in range {
                    if let Some(file) = importing.get(place) {
                        row::importing(ui, cx, file);
                    } else if let Some(song) =
                        order.get(place - importing.len()).and_then(|id| state.song(*id))
                    {
                        let response = row::song(ui, cx, covers, song);
                        if *focus == Some(song.id) {
                            response.request_focus();
                            *focus = None;
                        }
                        if response.has_focus() {
                            step = keys(ui, cx, &response, song.id).or(step);
                        }
                    }
                }
            })
        });
        if let Some(step) = step {
            self.walk(cx, step);
        }
    }

    /// Index of the row to scroll into view. A selected song's row is scrolled into view once, so
    /// that the user may scroll away.
    fn wanted_in_sight(&mut self, cx: &Cx<'_>) -> Option<usize> {
        let is_new = self.in_sight != cx.ui_state.selected;
        self.in_sight = cx.ui_state.selected;
        let wanted = self.focus.or(cx.ui_state.selected.filter(|_| is_new))?;
        self.order.known().iter().position(|id| *id == wanted)
    }

    /// Moves the focus up or down by rows.
    fn walk(&mut self, cx: &mut Cx<'_>, Step { from, steps, extends }: Step) {
        let order = self.order.known();
        let here = order.iter().position(|id| *id == from);
        let to = here.and_then(|here| here.checked_add_signed(steps)).and_then(|to| order.get(to));
        let Some(&to) = to else { return };
        self.focus = Some(to);
        cx.act(if extends { Action::MarkTo(to) } else { Action::Select(to) });
    }
}

fn keys(ui: &Ui, cx: &mut Cx<'_>, response: &egui::Response, song: SongId) -> Option<Step> {
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::NONE, Key::Delete) {
        cx.act(Action::Remove(cx.ui_state.meant(song)));
    }
    if pressed(Modifiers::NONE, Key::Escape) {
        cx.act(Action::Unmark);
    }
    for (key, steps) in [(Key::ArrowUp, -1), (Key::ArrowDown, 1)] {
        for (modifiers, extends) in [(Modifiers::SHIFT, true), (Modifiers::NONE, false)] {
            if pressed(modifiers, key) {
                return Some(Step { from: song, steps, extends });
            }
        }
    }
    None
}
