//! The page of all jobs: the running one, waiting ones in order, paused ones, and ended ones.
//! Waiting jobs are reordered by dragging or by keys.

mod row;

use std::collections::HashSet;

use egui::{Align2, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::{Cx, page};
use crate::{
    engine::{Job, JobId, JobState},
    i18n::fl,
    ui::{
        action::Action,
        state::{ui_state::Question, view_state::ViewState},
        theme::{Weight, font, text},
        widgets::{
            button::{Kind, button, width},
            cover::Covers,
            label,
        },
    },
};

/// Height of a job, including the gap below it.
const ROW: f32 = 80.0;
const GAP: f32 = 8.0;

/// State of the page between frames.
#[derive(Default)]
pub struct Jobs {
    /// The listed jobs, and the version of the state that the list was made from.
    order: (Option<u64>, Vec<JobId>),
    /// The dragged job.
    dragged: Option<JobId>,
}

impl Jobs {
    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers) {
        let area = page::head(ui, cx, fl!(job_title));
        self.refresh(cx.state);
        links(ui, cx, Rect::from_min_size(area.min, vec2(area.width(), 24.0)));
        let list = Rect::from_min_max(area.min + vec2(0.0, 36.0), area.max);
        if self.order.1.is_empty() {
            let line = |y: f32| {
                Rect::from_center_size(list.center() + vec2(0.0, y), vec2(list.width(), 24.0))
            };
            let (name, body) =
                (font(text::NAME, Weight::SemiBold), font(text::BODY, Weight::Regular));
            let middle = Align2::CENTER_CENTER;
            label(ui, "no jobs", line(-14.0), middle, fl!(job_none), name, cx.tokens.text);
            label(ui, "no jobs hint", line(14.0), middle, fl!(job_none_hint), body, cx.tokens.dim);
            return;
        }
        self.list_ui(ui, cx, covers, list);
    }

    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, list: Rect) {
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(list).id_salt("jobs"));
        child.spacing_mut().item_spacing = vec2(0.0, 0.0);
        // Leaves space for focus rings.
        child.shrink_clip_rect(list.expand2(vec2(4.0, 0.0)));
        let (state, order) = (cx.state, &self.order.1);
        let (mut dragged, mut top) = (self.dragged, list.top());
        let area = ScrollArea::vertical().id_salt("jobs").auto_shrink(false);
        area.show_rows(&mut child, ROW, order.len(), |ui, range| {
            top = ui.max_rect().top() - range.start as f32 * ROW;
            for job in order[range].iter().filter_map(|id| state.job(*id)) {
                let wide = vec2(ui.available_width(), ROW);
                let (place, _) = ui.allocate_exact_size(wide, Sense::hover());
                let place = Rect::from_min_max(place.min, place.max - vec2(8.0, GAP));
                let response = row::row(ui, cx, covers, place, job);
                if job.state == JobState::Waiting && response.drag_started() {
                    dragged = Some(job.id);
                }
            }
        });
        self.dragged = dragged;
        self.drag_ui(&child, cx, list, top);
    }

    /// Draws the position that a dragged job would get, and moves the job there on release.
    fn drag_ui(&mut self, ui: &Ui, cx: &mut Cx<'_>, list: Rect, top: f32) {
        let Some(dragged) = self.dragged else { return };
        let queue = cx.state.queue();
        let first = self.order.1.iter().position(|id| queue.first() == Some(id));
        let here = queue.iter().position(|id| *id == dragged);
        let (is_held, pointer) =
            ui.input(|input| (input.pointer.primary_down(), input.pointer.latest_pos()));
        let (Some(first), Some(here), Some(pointer)) = (first, here, pointer) else {
            self.dragged = None;
            return;
        };
        // The gap between rows nearest to the pointer.
        let gap = ((pointer.y - top) / ROW).round() - first as f32;
        let gap = gap.clamp(0.0, queue.len() as f32) as usize;
        let y = top + (first + gap) as f32 * ROW - GAP / 2.0;
        ui.painter().hline(list.x_range(), y, Stroke::new(2.0, cx.tokens.accent));
        ui.set_cursor_icon(egui::CursorIcon::Grabbing);
        if !is_held {
            self.dragged = None;
            let to = if gap > here { gap - 1 } else { gap };
            if to != here {
                cx.act(Action::MoveJob(dragged, to));
            }
        }
    }

    fn refresh(&mut self, state: &ViewState) {
        if self.order.0 == Some(state.version()) {
            return;
        }
        let of = |wanted: fn(&Job) -> bool| state.jobs().filter(move |job| wanted(job));
        let running = of(|job| job.state == JobState::Running).map(|job| job.id);
        let queue = state.queue().iter().copied();
        let queue =
            queue.filter(|id| state.job(*id).is_some_and(|job| job.state == JobState::Waiting));
        // Jobs that the engine has not reported in the queue yet belong at its end.
        let late = of(|job| job.state == JobState::Waiting).map(|job| job.id);
        let named: HashSet<JobId> = state.queue().iter().copied().collect();
        let late = late.filter(|id| !named.contains(id));
        let paused = of(|job| job.state == JobState::Paused).map(|job| job.id);
        let ended = of(Job::is_ended).map(|job| job.id);
        let order = running.chain(queue).chain(late).chain(paused).chain(ended).collect();
        self.order = (Some(state.version()), order);
    }
}

/// Draws the actions that apply to all jobs.
fn links(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let ended: Vec<JobId> =
        cx.state.jobs().filter(|job| job.is_ended()).map(|job| job.id).collect();
    let reset = fl!(settings_reset);
    let mut x = rect.left() - 2.0;
    let can_clear = !ended.is_empty();
    for (text, hint, can, action) in [
        (fl!(job_clear_all), fl!(job_clear_all_tooltip), can_clear, Action::ClearJobs(ended)),
        (reset, reset, cx.state.songs().len() > 0, Action::Ask(Some(Question::Reset))),
    ] {
        let wide = width(ui, text, Kind::Link);
        let place = Rect::from_min_size(pos2(x, rect.top()), vec2(wide, rect.height()));
        let response = button(ui, ("jobs", text), place, text, Kind::Link, can);
        if response.on_hover_text(hint).clicked() {
            cx.act(action);
        }
        x += wide + 20.0;
    }
}
