//! Performs each action: a command to the engine, a call to the player, or a change of
//! [`UiState`](super::state::ui_state::UiState). The only module that changes that state. Main
//! thread, at the end of a frame.

mod chains;
mod drag;
mod export;
pub mod export_plan;
mod jobs;
mod library;
mod models;
mod playing;
mod preferences;
mod view;

use std::path::PathBuf;

use super::{
    action::{Action, UiCommand},
    app::{App, lane_of},
    platform::dialogs,
    state::{
        instruments::Instruments,
        ui_state::{List, Page, PathPrompt, Purpose},
    },
};
use crate::{
    engine::{
        Command, LaneSettings, ModelState, SAMPLE_RATE, SongId, export::RESIDUAL, player::Monitor,
        separation::installed::DEFAULT,
    },
    i18n::fl,
};

/// Distance of a seek by the arrow keys, in frames.
const LEAP_FRAMES: i64 = 5 * SAMPLE_RATE as i64;
/// Steps of the keys for speed, volume and zoom.
const SPEED_STEP: f32 = 0.05;
const CENTS_STEP: i32 = 5;
const VOLUME_STEP: f32 = 0.05;
const ZOOM_STEP: f64 = 1.5;

impl App {
    /// Performs an action.
    pub(super) fn perform(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::Do(verb) => self.perform_verb(ctx, verb),
            Action::Select(id) => {
                self.ui_state.marked.clear();
                self.ui_state.anchor = Some(id);
                self.ui_state.page = Page::Song;
                self.select(id);
            }
            Action::Import(_)
            | Action::ImportTrack(..)
            | Action::Remove(_)
            | Action::UndoRemove
            | Action::Mark(_)
            | Action::MarkTo(_)
            | Action::Unmark
            | Action::ProcessAll(_)
            | Action::ExportAll(_)
            | Action::Retitle(..)
            | Action::EndRetitle { .. } => self.perform_on_library(action),
            Action::PauseJob(_)
            | Action::ContinueJob(_)
            | Action::RetryJob(_)
            | Action::MoveJob(..)
            | Action::ClearJobs(_)
            | Action::ShowTracks(_) => self.perform_on_jobs(action),
            Action::Prefer(new) => self.prefer(ctx, *new),
            Action::Ask(question) => self.ask(question),
            Action::Confirm => self.confirm(),
            Action::Open(page) => self.open_page(page),
            Action::Tick(stem, ticked) => self.change_lane(&stem, |lane| lane.ticked = ticked),
            Action::Fold(list, stem, is_open) => {
                self.ui_state.folds.insert((list, stem), is_open);
            }
            Action::TickOnly(wanted) => self.tick_only(&wanted),
            Action::Gain(stem, db) => self.change_lane(&stem, |lane| lane.gain_db = db),
            Action::Pan(stem, to) => self.change_lane(&stem, |lane| lane.pan = to),
            Action::Mute(stem, on) => self.change_lane(&stem, |lane| lane.muted = on),
            Action::Solo(stem, on) => self.change_lane(&stem, |lane| lane.soloed = on),
            Action::DragOut { stem, with_ticked } => self.drag_out(stem, with_ticked),
            Action::Seek(frame) => self.seek(frame),
            Action::Look(view) => self.look(view),
            Action::Loop(start, end) => self.mark_loop(start, end),
            Action::Speed(to) => self.set_speed(to),
            Action::Key(to) => self.set_key(to.round() as i32),
            Action::Cents(to) => self.set_cents(to.round() as i32),
            Action::CloseHelp => self.ui_state.help = false,
            Action::Monitor(monitor) => self.set_monitor(monitor),
            Action::Volume(place) => self.set_volume(place),
            Action::Cancel(job) => self.link.send(Command::Cancel(job)),
            Action::ImportModel(..)
            | Action::State(_)
            | Action::AcceptFacts
            | Action::CloseFacts
            | Action::InstallModel(_)
            | Action::VerifyModel(_)
            | Action::RemoveModel(_)
            | Action::ShowTerms(_) => self.perform_on_models(action),
            Action::EditChain(_)
            | Action::ChainForm(_)
            | Action::SaveChain
            | Action::CloseChain
            | Action::RemoveChain(_)
            | Action::ChooseChain => self.perform_on_chains(action),
            Action::ChooseOptions(song, options) => {
                self.link.send(Command::Choose { song, options: Some(options) });
            }
            Action::UseModel(song, model) => self.link.send(Command::UseModel { song, model }),
            Action::Choose(choices) => self.ui_state.choices = *choices,
            Action::ChooseFolder => {
                self.dialogs.open(Purpose::ExportFolder, self.ui_state.choices.folder.clone());
            }
            Action::ChooseReport => self.dialogs.open(Purpose::Report, PathBuf::new()),
            Action::Export => self.export(),
            Action::CloseExport => self.ui_state.export = None,
            Action::ExportAgain(id, on_exists) => self.export_again(id, on_exists),
            Action::CancelExport(id) => self.link.send(Command::CancelExport(id)),
            Action::DismissExport(id) => self.dismiss_export(id),
            Action::Show(file) => self.revealer.show(file),
            Action::Dismiss(notice) => self.state.dismiss(notice),
            Action::PromptText(typed) => {
                if let Some(prompt) = &mut self.ui_state.prompt {
                    prompt.text = typed;
                }
            }
            Action::AcceptPrompt => self.accept_prompt(ctx),
            Action::ClosePrompt => self.ui_state.prompt = None,
            Action::Chosen(purpose, paths) => self.chosen(ctx, purpose, paths),
        }
    }

    fn tick_only(&mut self, wanted: &[String]) {
        for stem in self.stems().names().to_vec() {
            let ticked = wanted.contains(&stem);
            self.change_lane(&stem, |lane| lane.ticked = ticked);
        }
    }

    fn perform_verb(&mut self, ctx: &egui::Context, verb: UiCommand) {
        match verb {
            UiCommand::PlayPause => self.play_or_pause(),
            UiCommand::Back => self.leap(-LEAP_FRAMES),
            UiCommand::Forward => self.leap(LEAP_FRAMES),
            UiCommand::ToStart => self.seek(0),
            UiCommand::ToEnd => self.seek(self.state.open().map_or(0, |open| open.frames)),
            UiCommand::Stop => self.stop(),
            UiCommand::ToggleLoop => self.toggle_loop(),
            UiCommand::ClearLoop => self.set_repeat(None),
            UiCommand::LoopFrom | UiCommand::LoopTo => self.mark_loop_here(verb),
            UiCommand::Slower => self.set_speed(self.ui_state.speed - SPEED_STEP),
            UiCommand::Faster => self.set_speed(self.ui_state.speed + SPEED_STEP),
            UiCommand::KeyDown => self.set_key(self.ui_state.key - 1),
            UiCommand::KeyUp => self.set_key(self.ui_state.key + 1),
            UiCommand::CentsDown => self.set_cents(self.ui_state.cents - CENTS_STEP),
            UiCommand::CentsUp => self.set_cents(self.ui_state.cents + CENTS_STEP),
            UiCommand::Quieter => self.set_volume(self.ui_state.volume - VOLUME_STEP),
            UiCommand::Louder => self.set_volume(self.ui_state.volume + VOLUME_STEP),
            UiCommand::ZoomIn => self.zoom(ZOOM_STEP),
            UiCommand::ZoomOut => self.zoom(1.0 / ZOOM_STEP),
            UiCommand::WholeSong => self.ui_state.look = None,
            UiCommand::PageBack => self.turn_page(-1.0),
            UiCommand::PageOn => self.turn_page(1.0),
            UiCommand::Help => self.ui_state.help = !self.ui_state.help,
            UiCommand::CompareOriginal => self.set_monitor(match self.ui_state.monitor {
                Monitor::Mix => Monitor::Original,
                Monitor::Original => Monitor::Mix,
            }),
            UiCommand::PreviousSong => self.step_song(-1),
            UiCommand::NextSong => self.step_song(1),
            UiCommand::Solo(_) | UiCommand::Mute(_) => self.change_numbered_lane(verb),
            UiCommand::AddFiles => self.dialogs.open(Purpose::Songs, PathBuf::new()),
            UiCommand::AddFolder => self.dialogs.open(Purpose::SongFolder, PathBuf::new()),
            UiCommand::Search => self.library.focus_search = true,
            UiCommand::Process => self.process(),
            UiCommand::CancelJob => {
                if let Some(job) = self.ui_state.selected.and_then(|id| self.state.active_job(id)) {
                    self.link.send(Command::Cancel(job.id));
                }
            }
            UiCommand::Export => self.open_export(),
            UiCommand::InstallModel => self.link.send(Command::InstallModel(DEFAULT.to_owned())),
            UiCommand::ChooseModel => self.dialogs.open(Purpose::Weights, PathBuf::new()),
            UiCommand::CancelInstall => self.link.send(Command::CancelInstall),
            UiCommand::ToggleTheme => self.toggle_theme(ctx),
            UiCommand::OpenJobs => self.toggle_page(Page::Jobs),
            UiCommand::OpenSettings => self.toggle_page(Page::Settings),
            UiCommand::FoldLibrary => {
                let is_folded = &mut self.ui_state.preferences.library_is_folded;
                *is_folded = !*is_folded;
            }
            UiCommand::Rename => self.begin_renaming(),
            UiCommand::SelectAll => self.mark_all(),
            UiCommand::Undo => self.perform_on_library(Action::UndoRemove),
            UiCommand::NextVersion => {
                if let Some(open) = self.state.open() {
                    self.link.send(Command::NextVersion(open.id));
                }
            }
        }
    }

    /// The stems of the selected song.
    fn stems(&self) -> Instruments<'_> {
        let selected = self.ui_state.selected;
        selected.map_or(Instruments::new(&[], &[]), |id| self.state.instruments(id))
    }

    fn step_song(&mut self, steps: isize) {
        if let Some(id) = self.neighbour(steps) {
            self.select(id);
        }
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.ui_state.monitor = monitor;
        self.link.player().set_monitor(monitor);
    }

    fn change_lane(&mut self, stem: &str, change: impl FnOnce(&mut LaneSettings)) {
        if let Some(song) = self.ui_state.selected {
            let is_residual = stem == RESIDUAL;
            let is_part = self.stems().is_part(stem);
            change(if is_residual {
                self.ui_state.residual_mut(song)
            } else {
                self.ui_state.lane_mut(song, stem, is_part)
            });
            self.set_gains();
        }
    }

    /// Solos or mutes a lane by its number among the displayed ones.
    fn change_numbered_lane(&mut self, verb: UiCommand) {
        let (Some(song), Some(lane)) = (self.ui_state.selected, lane_of(verb)) else { return };
        let stems = self.stems();
        let is_folded = |stem: &str| !self.ui_state.is_open(List::Lanes, stem);
        let rows = stems.rows(&self.ui_state.lanes(song, stems), is_folded);
        let shown = rows.into_iter().map(|stem| stems.names()[stem].as_str());
        let residual = (!self.state.has_rest(song)).then_some(RESIDUAL);
        let Some(stem) = shown.chain(residual).nth(lane) else { return };
        let stem = stem.to_owned();
        self.change_lane(&stem, |lane| match verb {
            UiCommand::Solo(_) => lane.soloed = !lane.soloed,
            _ => lane.muted = !lane.muted,
        });
    }

    /// Sends the gains of the open song to the player.
    pub(super) fn set_gains(&self) {
        if let Some(open) = self.state.open() {
            let stems = open.instruments();
            let lanes = self.ui_state.lanes(open.id, stems);
            let residual = self.ui_state.residual(open.id, self.state.has_rest(open.id));
            self.link.player().set_gains(&stems.gains(&lanes, residual));
        }
    }

    fn process(&mut self) {
        if let Some(song) = self.ui_state.selected {
            self.process_song(song);
        }
    }

    fn process_song(&self, song: SongId) {
        let is_ready = matches!(self.state.model(), Some(ModelState::Ready { .. }));
        let stems = self.ui_state.ticked(song, self.state.instruments(song));
        let is_busy = self.state.active_job(song).is_some() || self.state.has_all_of(song, &stems);
        if !is_ready || is_busy || stems.is_empty() {
            return;
        }
        let is_open = self.state.open().is_some_and(|open| open.id == song);
        let from_frame = if is_open { self.link.player().position() } else { 0 };
        self.link.send(Command::Process { song, stems, from_frame });
    }

    /// Opens the path prompt, where the system has no dialog.
    pub(super) fn ask_for_path(&mut self, purpose: Purpose) {
        let text = match purpose {
            Purpose::ExportFolder => self.ui_state.choices.folder.display().to_string(),
            Purpose::Report => format!("~/{}", fl!(path_report_file)),
            _ => String::new(),
        };
        self.ui_state.prompt = Some(PathPrompt { purpose, text });
    }

    fn accept_prompt(&mut self, ctx: &egui::Context) {
        let Some(prompt) = &self.ui_state.prompt else { return };
        let Some(path) = dialogs::typed_path(&prompt.text) else { return };
        let purpose = prompt.purpose;
        self.ui_state.prompt = None;
        self.perform(ctx, Action::Chosen(purpose, vec![path]));
    }

    fn chosen(&mut self, ctx: &egui::Context, purpose: Purpose, paths: Vec<PathBuf>) {
        let Some(first) = paths.first().cloned() else { return };
        match purpose {
            Purpose::Songs => self.perform(ctx, Action::Import(paths)),
            Purpose::SongFolder => self.link.send(Command::Import(paths)),
            Purpose::Weights => self.perform(ctx, Action::ImportModel(first, None)),
            Purpose::Chain => self.link.send(Command::ImportChain(first)),
            Purpose::ExportFolder => self.ui_state.choices.folder = first,
            Purpose::Report => self.link.send(Command::SaveReport(first)),
        }
    }
}

impl App {
    /// Imports files and folders, as if they were dropped on the window.
    pub fn import(&mut self, ctx: &egui::Context, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.perform(ctx, Action::Import(paths));
        }
    }
}
