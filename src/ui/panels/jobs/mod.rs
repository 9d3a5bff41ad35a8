//! The page of all jobs: the running one, waiting ones in order, paused ones, and ended ones.
//! Waiting jobs are reordered by dragging or by keys.

mod row;

use std::collections::HashSet;

use egui::{Align, Align2, Aligned, Layout, Rect, Stroke, Ui};

use super::{Cx, page};
use crate::{
    engine::{Job, JobId, JobState},
    i18n::fl,
    ui::{
        action::Action,
        state::{ui_state::Question, view_state::ViewState},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            cover::Covers,
            label,
            layout::{scrolled, wrapped},
        },
    },
};

/// Height of a job, including the gap below it.
const ROW: f32 = size::JOB + space::SMALL;

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
        self.refresh(cx.state);
        page::show(ui, cx, fl!(job_title), |ui, cx| {
            links(ui, cx);
            ui.add_space(space::MEDIUM);
            if self.order.1.is_empty() {
                nothing(ui, cx);
            } else {
                self.list_ui(ui, cx, covers);
            }
        });
    }

    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers) {
        let list = ui.available_rect_before_wrap();
        let state = cx.state;
        let (mut dragged, mut top) = (self.dragged, list.top());
        scrolled(ui, "jobs", space::TINY, |ui, area| {
            let order = &self.order.1;
            area.show_rows(ui, ROW, order.len(), |ui, range| {
                top = ui.max_rect().top() - range.start as f32 * ROW;
                for job in order[range].iter().filter_map(|id| state.job(*id)) {
                    let response = row::job_ui(ui, cx, covers, job);
                    ui.add_space(space::SMALL);
                    if job.state == JobState::Waiting && response.drag_started() {
                        dragged = Some(job.id);
                    }
                }
            });
            self.dragged = dragged;
            self.drag_ui(ui, cx, list, top);
        });
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
        let y = top + (first + gap) as f32 * ROW - space::SMALL / 2.0;
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

/// Draws the page without jobs.
fn nothing(ui: &mut Ui, cx: &Cx<'_>) {
    Aligned::new(Align2::CENTER_CENTER).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::BUTTONS;
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            label(ui, fl!(job_none), font(text::NAME, Weight::SemiBold), cx.tokens.text);
            label(ui, fl!(job_none_hint), font(text::BODY, Weight::Regular), cx.tokens.dim);
        });
    });
}

/// Draws the actions that apply to all jobs.
fn links(ui: &mut Ui, cx: &mut Cx<'_>) {
    let ended: Vec<JobId> =
        cx.state.jobs().filter(|job| job.is_ended()).map(|job| job.id).collect();
    let reset = fl!(settings_reset);
    let can_clear = !ended.is_empty();
    wrapped(ui, size::LINK, |ui| {
        ui.spacing_mut().item_spacing.x = space::GROUPS;
        for (text, hint, can, action) in [
            (fl!(job_clear_all), fl!(job_clear_all_tooltip), can_clear, Action::ClearJobs(ended)),
            (reset, reset, cx.state.songs().len() > 0, Action::Ask(Some(Question::Reset))),
        ] {
            let response = button(ui, ("jobs", text), size::LINK, text, Kind::Link, can);
            if response.on_hover_text(hint).clicked() {
                cx.act(action);
            }
        }
    });
}
