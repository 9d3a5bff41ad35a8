//! The window's frame: receives events, lays out the panels, and performs their actions.
//!
//! [`eframe::App::logic`] drains events into [`ViewState`]. [`eframe::App::ui`] draws from the
//! state and collects [`Action`]s, and [`App::perform`] (in `perform.rs`) performs them at the end
//! of the frame. Main thread; it never waits and never accesses a disk.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use egui::{
    Align2, CentralPanel, Frame, Id, LayerId, Order, Panel, Rect, Stroke, Ui, ViewportCommand,
};

use super::{
    action::{Action, UiCommand},
    panels::{self, Cx, jobs::Jobs, library::Library},
    platform::{
        dialogs::{Answer, Dialogs, Outcome},
        drag_out,
        dropped::Sorter,
        keys::Keys,
        reveal::Revealer,
    },
    state::{
        engine_link::EngineLink,
        ui_state::{Page, UiState},
        view_state::{Said, ViewState},
    },
    theme::{self, Tokens, Weight, font, size, text},
    widgets::{cover::Covers, dashed_outline, meter::Meter, paint_text, waveform},
};
use crate::{
    engine::{Command, Event, ExportState, JobId, Preferences, SongId},
    i18n::fl,
};

/// Longest time spent on events before a frame is drawn.
const EVENT_BUDGET: Duration = Duration::from_millis(4);
/// Interval between two frames of an animation.
const FRAME: Duration = Duration::from_millis(33);
/// How long the notice of a removed song is displayed.
const UNDO: Duration = Duration::from_secs(6);

/// The main window.
pub struct App {
    pub(super) link: EngineLink,
    pub(super) state: ViewState,
    pub(super) ui_state: UiState,
    pub(super) dialogs: Dialogs,
    pub(super) revealer: Revealer,
    pub(super) sorter: Sorter,
    pub(super) library: Library,
    jobs: Jobs,
    /// The job whose result files are shown once they exist.
    pub(super) wanted_tracks: Option<JobId>,
    /// The settings as last saved, and the time of the first unsaved change.
    pub(super) kept: Preferences,
    pub(super) changed_at: Option<Instant>,
    /// Files handed over by later starts of the program.
    arrivals: Receiver<Vec<PathBuf>>,
    pub(super) waves: waveform::Cache,
    /// The files being dragged out of the window.
    pub(super) drag: Option<drag_out::Drag>,
    /// Requests a frame; callable from any thread.
    pub(super) waker: Arc<dyn Fn() + Send + Sync>,
    /// Whether the lanes follow the play head.
    pub(super) follows: bool,
    covers: Covers,
    meter: Meter,
    /// One meter for each lane: the stems in the model's order, then the residual.
    lane_meters: Vec<Meter>,
    keys: Keys,
    last_frame: Instant,
}

impl App {
    /// Creates the window on `link`; `terms` are shown before the model is installed.
    pub fn new(ctx: &egui::Context, link: EngineLink, terms: impl Into<String>) -> Self {
        theme::apply(ctx);
        let repaint = ctx.clone();
        let waker: Arc<dyn Fn() + Send + Sync> = Arc::new(move || repaint.request_repaint());
        Self {
            link,
            state: ViewState::new(terms),
            ui_state: UiState::default(),
            dialogs: Dialogs::new(Arc::clone(&waker)),
            revealer: Revealer::new(Arc::clone(&waker)),
            sorter: Sorter::new(Arc::clone(&waker)),
            library: Library::default(),
            jobs: Jobs::default(),
            wanted_tracks: None,
            kept: Preferences::default(),
            changed_at: None,
            arrivals: crossbeam_channel::never(),
            waves: waveform::Cache::default(),
            drag: None,
            waker,
            follows: true,
            covers: Covers::default(),
            meter: Meter::default(),
            lane_meters: Vec::new(),
            keys: Keys::default(),
            last_frame: Instant::now(),
        }
    }

    /// Sets whether lanes can be dragged out of the window (default: no).
    pub fn offer_drag_out(&mut self, is_possible: bool) {
        self.ui_state.can_drag_out = is_possible;
    }

    /// Sets the channel that delivers files of later starts; each delivery raises the window.
    pub fn expect_arrivals(&mut self, arrivals: Receiver<Vec<PathBuf>>) {
        self.arrivals = arrivals;
    }

    /// The engine's state as known from its events.
    pub fn state(&self) -> &ViewState {
        &self.state
    }

    /// The state that the user controls.
    pub fn ui_state(&self) -> &UiState {
        &self.ui_state
    }

    /// Number of waveforms built since the start.
    pub fn num_waveforms_built(&self) -> u64 {
        self.waves.num_built
    }

    fn take_in(&mut self, ctx: &egui::Context) {
        let began = Instant::now();
        while let Some(event) = self.link.next_event() {
            self.follow(event);
            if began.elapsed() > EVENT_BUDGET {
                ctx.request_repaint();
                break;
            }
        }
        while let Some(answer) = self.dialogs.next_answer() {
            self.answered(ctx, answer);
        }
        while let Ok(files) = self.arrivals.try_recv() {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            // Some desktops do not let a program take the focus, so attention is requested too.
            let attention = egui::UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
            self.import(ctx, files);
        }
        while let Some(sorted) = self.sorter.next_sorted() {
            self.import_sorted(sorted);
        }
        while let Some(failure) = self.revealer.next_failure() {
            self.state.say(None, Said::Text(failure));
        }
    }

    /// Applies an event and updates the window's own state and the player accordingly.
    fn follow(&mut self, event: Event) {
        let is_opened = matches!(event, Event::Opened { .. });
        // `Shown` says whether the song has a residual.
        let is_shown = matches!(event, Event::Shown { .. });
        let imported = match &event {
            Event::Imported { song, .. } => Some(*song),
            _ => None,
        };
        let back = match &event {
            Event::Song(song) => self.ui_state.coming_back.filter(|id| *id == song.id),
            _ => None,
        };
        if matches!(event, Event::ImportEnded) {
            self.ui_state.import_is_shown = false;
        }
        if let Event::Export { id, state: ExportState::Cancelled } = &event {
            self.ui_state.exports.remove(id);
        }
        self.follow_model_import(&event);
        self.follow_chain(&event);
        self.follow_drag_event(&event);
        self.follow_tracks(&event);
        if let Event::Lanes(lanes) = &event {
            self.ui_state.take_lanes(lanes.clone());
        }
        self.state.apply(event);
        if is_shown {
            self.set_gains();
        }
        if is_opened {
            self.waves.clear();
            (self.ui_state.look, self.ui_state.detail, self.follows) = (None, None, true);
            self.set_repeat(None);
            self.set_gains();
            self.link.player().set_monitor(self.ui_state.monitor);
        }
        if let Some(song) = imported {
            self.show_imported(song);
        }
        if let Some(song) = back {
            self.ui_state.coming_back = None;
            self.select(song);
        }
        self.keep_selection();
    }

    /// Selects the first song of an import, whether it is new or already in the library.
    fn show_imported(&mut self, song: SongId) {
        if !self.ui_state.import_is_shown {
            self.ui_state.import_is_shown = true;
            self.select(song);
        }
    }

    /// Selects the newest song when no visible song is selected.
    fn keep_selection(&mut self) {
        let is_shown = |id: SongId| self.state.song(id).is_some() && !self.ui_state.is_removed(id);
        if self.ui_state.selected.is_some_and(is_shown) {
            return;
        }
        let last = self.ui_state.preferences.song.map(SongId).filter(|id| is_shown(*id));
        let newest = || self.state.songs().map(|song| song.id).find(|id| is_shown(*id));
        let next = last.or_else(newest);
        self.ui_state.export = None;
        match next {
            Some(id) => self.select(id),
            None => self.ui_state.selected = None,
        }
    }

    pub(super) fn select(&mut self, id: SongId) {
        if self.ui_state.selected != Some(id) {
            self.ui_state.selected = Some(id);
            self.link.send(Command::Open(id));
        }
    }

    /// Handles the answer of a file dialog.
    pub fn answered(&mut self, ctx: &egui::Context, answer: Answer) {
        let Answer { purpose, outcome } = answer;
        match outcome {
            Outcome::Cancelled => {}
            Outcome::Picked(paths) => {
                self.ui_state.prompt = None;
                self.perform(ctx, Action::Chosen(purpose, paths));
            }
            Outcome::Unavailable => self.ask_for_path(purpose),
        }
    }

    fn draw(&mut self, ui: &mut Ui) -> Vec<Action> {
        let Self {
            state, ui_state, link, library, jobs, covers, waves, meter, lane_meters, ..
        } = self;
        let tokens = Tokens::of(ui);
        let (now, actions) = (Instant::now(), Vec::new());
        let player = link.player();
        let mut cx = Cx { state, ui_state, player, lane_meters, tokens, now, actions };
        let bare = Frame::NONE.fill(tokens.background);
        if ui_state.selected.is_some() {
            let transport = Panel::bottom("transport").exact_size(size::TRANSPORT).frame(bare);
            transport.show_separator_line(false).resizable(false).show(ui, |ui| {
                ui.take_available_space();
                panels::transport::ui(ui, &mut cx, meter);
            });
        }
        let window = ui.content_rect().width();
        let wide = panels::library::width_in(ui_state, window);
        let left = Panel::left("library").exact_size(wide).frame(bare);
        left.show_separator_line(false).resizable(false).show(ui, |ui| {
            ui.take_available_space();
            if panels::library::is_folded(ui_state, window) {
                panels::library::strip(ui, &mut cx);
            } else {
                library.ui(ui, &mut cx, covers);
            }
        });
        CentralPanel::default().frame(bare).show(ui, |ui| {
            ui.take_available_space();
            match ui_state.selected.and_then(|id| state.song(id)) {
                _ if ui_state.page == Page::Jobs => jobs.ui(ui, &mut cx, covers),
                _ if ui_state.page == Page::Settings => panels::settings::ui(ui, &mut cx),
                Some(song) => panels::song::ui(ui, &mut cx, covers, waves, song),
                None if state.library_known() => panels::empty::ui(ui, &mut cx),
                None => {}
            }
            if panels::library::is_folded(ui_state, window) {
                panels::library::notices_beside(ui, &mut cx);
            }
            panels::export::cards(ui, &mut cx);
        });
        panels::export::dialog(ui, &mut cx);
        panels::prompt::ui(ui, &mut cx);
        panels::help::ui(ui, &mut cx);
        panels::question::ui(ui, &mut cx);
        panels::facts::ui(ui, &mut cx);
        panels::chain::ui(ui, &mut cx);
        cx.actions
    }

    /// Schedules the next frame where the picture changes with time alone.
    fn schedule(&mut self, ui: &Ui) {
        let now = Instant::now();
        let elapsed = (now - self.last_frame).as_secs_f32();
        self.last_frame = now;
        let player = self.link.player();
        let mut meter_moves = self.meter.update(player.levels(), elapsed);
        let levels = player.lane_levels();
        let levels = match self.state.open() {
            Some(open) => open.instruments().levels(levels),
            None => levels,
        };
        self.lane_meters.resize_with(levels.len(), Meter::default);
        for (meter, level) in self.lane_meters.iter_mut().zip(levels) {
            meter_moves |= meter.update(level, elapsed);
        }
        if player.is_playing() || meter_moves {
            ui.request_repaint_after(FRAME);
        } else if self.state.job_counts().0 > 0 {
            // The displayed time remaining counts down.
            ui.request_repaint_after(Duration::from_secs(1));
        }
        if let Some(removal) = &self.ui_state.removal {
            let age = now.saturating_duration_since(removal.at);
            if age >= UNDO {
                self.finish_removal();
            } else {
                ui.request_repaint_after(UNDO.saturating_sub(age));
            }
        }
    }

    /// The song `steps` below the selected one in the library's order; negative is above.
    pub(super) fn neighbour(&mut self, steps: isize) -> Option<SongId> {
        let shown = self.library.order(&self.state, &self.ui_state);
        let here = shown.iter().position(|id| Some(*id) == self.ui_state.selected);
        let to = here.map_or(Some(0), |here| here.checked_add_signed(steps))?;
        shown.get(to).copied()
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.take_in(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let UiState { export, prompt, question, facts, chain, help, .. } = &self.ui_state;
        let is_asking = export.is_some()
            || prompt.is_some()
            || question.is_some()
            || facts.is_some()
            || chain.is_some()
            || *help;
        let mut actions = if is_asking { Vec::new() } else { self.keys.read(ui) };
        actions.extend(dropped_files(ui));
        actions.extend(self.draw(ui));
        let has_changed = !actions.is_empty();
        for action in actions {
            self.perform(ui, action);
        }
        self.keep_selection();
        self.follow_drag(ui);
        self.follow_head();
        self.ask_for_detail();
        self.follow_preferences(ui);
        self.schedule(ui);
        if has_changed {
            ui.request_repaint();
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.keep_preferences();
    }
}

/// Files that were dropped on the window; draws an overlay while files hover.
fn dropped_files(ui: &Ui) -> Option<Action> {
    let hovered = ui.input(|input| input.raw.hovered_files.len());
    if hovered > 0 {
        drop_overlay(ui, hovered);
    }
    let dropped: Vec<PathBuf> = ui.input(|input| {
        input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect()
    });
    (!dropped.is_empty()).then_some(Action::Import(dropped))
}

fn drop_overlay(ui: &Ui, count: usize) {
    let tokens = Tokens::of(ui);
    let full = ui.content_rect();
    let painter =
        ui.ctx().layer_painter(LayerId::new(Order::Foreground, Id::unique("drop overlay")));
    painter.rect_filled(full, 0, tokens.background.gamma_multiply(0.9));
    dashed_outline(&painter, full.shrink(24.0), 20.0, Stroke::new(2.0, tokens.accent));
    let text = fl!(drop_to_add, count = count);
    let place = Rect::from_center_size(full.center(), full.size());
    let title = font(text::TITLE, Weight::SemiBold);
    paint_text(&painter, place, Align2::CENTER_CENTER, &text, title, tokens.text);
}

/// The lane, counted from 0, that a command for a numbered lane refers to.
pub(super) fn lane_of(verb: UiCommand) -> Option<usize> {
    match verb {
        UiCommand::Solo(lane) | UiCommand::Mute(lane) => Some(usize::from(lane)),
        _ => None,
    }
}
