//! The list of songs. Only visible rows are drawn. Arrow keys move the focus.

use egui::{Align2, EventFilter, Key, Modifiers, Rect, ScrollArea, Sense, Ui, vec2};

use super::{Library, row, sort_ui};
use crate::{
    engine::SongId,
    i18n::fl,
    ui::{
        action::Action,
        panels::Cx,
        theme::{Weight, font, size, text},
        widgets::{cover::Covers, label},
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
    pub(super) fn list_ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        covers: &mut Covers,
        rect: Rect,
    ) {
        let state = cx.state;
        let num_songs = self.order(state, cx.ui_state).len();
        let importing = state.importing();
        let count = importing.len() + num_songs;
        if count == 0 {
            if !self.search.is_empty() {
                let text = fl!(library_no_match, typed = &self.search);
                let place = Rect::from_min_size(rect.min + vec2(20.0, 4.0), vec2(248.0, 20.0));
                let (small, dim) = (font(text::SMALL, Weight::Regular), cx.tokens.dim);
                label(ui, "no match", place, Align2::LEFT_CENTER, &text, small, dim);
            }
            return;
        }
        let heading = Rect::from_min_size(rect.min + vec2(16.0, 0.0), vec2(220.0, 20.0));
        sort_ui(ui, cx, heading);
        let mut list = rect;
        list.min.y += 26.0;
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(list).id_salt("songs"));
        child.spacing_mut().item_spacing = vec2(0.0, 0.0);
        child.shrink_clip_rect(list);
        let in_sight = self.wanted_in_sight(cx).map(|place| place + importing.len());
        let mut step = None;
        let area = ScrollArea::vertical().id_salt("songs").auto_shrink(false);
        area.show_rows(&mut child, size::ROW, count, |ui, range| {
            if let Some(place) = in_sight {
                let top = ui.max_rect().top() + (place as f32 - range.start as f32) * size::ROW;
                let x = ui.max_rect().x_range();
                ui.scroll_to_rect(Rect::from_x_y_ranges(x, top..=top + size::ROW), None);
            }
            for place in range {
                let wide = vec2(ui.available_width(), size::ROW);
                let (rect, _) = ui.allocate_exact_size(wide, Sense::hover());
                if let Some(file) = importing.get(place) {
                    row::importing(ui, cx, rect, file);
                } else if let Some(song) =
                    self.order.known().get(place - importing.len()).and_then(|id| state.song(*id))
                {
                    let response = row::song(ui, cx, covers, rect, song);
                    if self.focus == Some(song.id) {
                        response.request_focus();
                        self.focus = None;
                    }
                    if response.has_focus() {
                        step = keys(ui, cx, &response, song.id).or(step);
                    }
                }
            }
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
