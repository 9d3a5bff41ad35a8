//! What each action does: a command to the engine, a call to the player, or a change of the desk.
//! The only place where the desk is written. Main thread, at the end of a frame.

mod drag;
mod export;

use std::{path::PathBuf, time::Instant};

use egui::{Theme, ThemePreference};

use super::{
    action::{Action, Verb},
    app::{App, lane_of},
    desk::{PathPrompt, Purpose, Removal},
    dialogs,
    state::ViewState,
};
use crate::engine::{
    Command, ModelState, SAMPLE_RATE,
    player::{LaneSettings, Monitor, gains},
};

/// How far the arrows go.
const LEAP_FRAMES: i64 = 5 * SAMPLE_RATE as i64;

impl App {
    /// Does what was asked for.
    pub(super) fn perform(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::Do(verb) => self.perform_verb(ctx, verb),
            Action::Import(paths) => self.link.send(Command::Import(paths)),
            Action::Select(id) => self.select(id),
            Action::Remove(id) => {
                self.finish_removal();
                let title = self.state.song(id).map(|song| song.title.clone()).unwrap_or_default();
                self.desk.removal = Some(Removal { song: id, title, at: Instant::now() });
            }
            Action::UndoRemove => {
                if let Some(removal) = self.desk.removal.take() {
                    self.select(removal.song);
                }
            }
            Action::Tick(stem, ticked) => self.change_lane(&stem, |lane| lane.ticked = ticked),
            Action::TickOnly(wanted) => {
                for stem in self.stems() {
                    let ticked = wanted.contains(&stem);
                    self.change_lane(&stem, |lane| lane.ticked = ticked);
                }
            }
            Action::Gain(stem, db) => self.change_lane(&stem, |lane| lane.gain_db = db),
            Action::Mute(stem, on) => self.change_lane(&stem, |lane| lane.muted = on),
            Action::Solo(stem, on) => self.change_lane(&stem, |lane| lane.soloed = on),
            Action::DragOut { stem, with_ticked } => self.drag_out(stem, with_ticked),
            Action::Seek(frame) => self.link.player().seek(frame),
            Action::Monitor(monitor) => self.set_monitor(monitor),
            Action::Volume(place) => {
                self.desk.volume = place;
                // A fader that is square in amplitude goes evenly to the ear.
                self.link.player().set_volume(place * place);
            }
            Action::Cancel(job) => self.link.send(Command::Cancel(job)),
            Action::ImportModel(path) => self.link.send(Command::ImportModel(path)),
            Action::Choose(choices) => self.desk.choices = *choices,
            Action::ChooseFolder => {
                self.dialogs.open(Purpose::ExportFolder, self.desk.choices.folder.clone());
            }
            Action::Export => self.export(),
            Action::CloseExport => self.desk.export = None,
            Action::ExportAgain(id, on_exists) => self.export_again(id, on_exists),
            Action::CancelExport(id) => self.link.send(Command::CancelExport(id)),
            Action::DismissExport(id) => self.dismiss_export(id),
            Action::Show(file) => self.revealer.show(file),
            Action::Dismiss(notice) => self.state.dismiss(notice),
            Action::PromptText(typed) => {
                if let Some(prompt) = &mut self.desk.prompt {
                    prompt.text = typed;
                }
            }
            Action::AcceptPrompt => self.accept_prompt(ctx),
            Action::ClosePrompt => self.desk.prompt = None,
            Action::Chosen(purpose, paths) => self.chosen(ctx, purpose, paths),
        }
    }

    fn perform_verb(&mut self, ctx: &egui::Context, verb: Verb) {
        match verb {
            Verb::PlayPause => self.play_or_pause(),
            Verb::Back => self.leap(-LEAP_FRAMES),
            Verb::Forward => self.leap(LEAP_FRAMES),
            Verb::ToStart => self.link.player().seek(0),
            Verb::CompareOriginal => self.set_monitor(match self.desk.monitor {
                Monitor::Mix => Monitor::Original,
                Monitor::Original => Monitor::Mix,
            }),
            Verb::PreviousSong => self.step_song(-1),
            Verb::NextSong => self.step_song(1),
            Verb::Solo(_) | Verb::Mute(_) => self.change_numbered_lane(verb),
            Verb::AddFiles => self.dialogs.open(Purpose::Songs, PathBuf::new()),
            Verb::AddFolder => self.dialogs.open(Purpose::SongFolder, PathBuf::new()),
            Verb::Search => self.library.focus_search = true,
            Verb::Process => self.process(),
            Verb::CancelJob => {
                if let Some(job) = self.desk.selected.and_then(|id| self.state.active_job(id)) {
                    self.link.send(Command::Cancel(job.id));
                }
            }
            Verb::Export => self.open_export(),
            Verb::InstallModel => self.link.send(Command::InstallModel),
            Verb::ChooseModel => self.dialogs.open(Purpose::Weights, PathBuf::new()),
            Verb::CancelInstall => self.link.send(Command::CancelInstall),
            Verb::ToggleTheme => ctx.set_theme(match ctx.theme() {
                Theme::Dark => ThemePreference::Light,
                Theme::Light => ThemePreference::Dark,
            }),
        }
    }

    /// The stems of the chosen song, in the model's order.
    fn stems(&self) -> Vec<String> {
        self.desk.selected.map(|id| self.state.stems(id).to_vec()).unwrap_or_default()
    }

    fn play_or_pause(&mut self) {
        let is_open = self.state.open().is_some_and(|open| Some(open.id) == self.desk.selected);
        let player = self.link.player();
        if player.is_playing() {
            player.pause();
        } else if is_open {
            player.play();
        }
    }

    fn leap(&mut self, frames: i64) {
        let end = self.state.open().map_or(0, |open| open.frames);
        let player = self.link.player();
        player.seek(player.position().saturating_add_signed(frames).min(end));
    }

    fn step_song(&mut self, steps: isize) {
        if let Some(id) = self.neighbour(steps) {
            self.select(id);
        }
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.desk.monitor = monitor;
        self.link.player().set_monitor(monitor);
    }

    fn change_lane(&mut self, stem: &str, change: impl FnOnce(&mut LaneSettings)) {
        if let Some(song) = self.desk.selected {
            change(self.desk.lane_mut(song, stem));
            self.set_gains();
        }
    }

    /// Solo or mute on the lane of a number, as the lanes are shown.
    fn change_numbered_lane(&mut self, verb: Verb) {
        let (Some(song), Some(lane)) = (self.desk.selected, lane_of(verb)) else { return };
        let stems = self.stems();
        let mut shown = ViewState::display_order(&stems)
            .into_iter()
            .map(|i| &stems[i])
            .filter(|stem| self.desk.lane(song, stem).ticked);
        let Some(stem) = shown.nth(lane) else { return };
        self.change_lane(stem, |lane| match verb {
            Verb::Solo(_) => lane.soloed = !lane.soloed,
            _ => lane.muted = !lane.muted,
        });
    }

    /// Gives the player the gains of the open song.
    pub(super) fn set_gains(&self) {
        if let Some(open) = self.state.open() {
            let lanes = self.desk.lanes(open.id, &open.stems);
            self.link.player().set_gains(&gains(&lanes, self.desk.residual(open.id)));
        }
    }

    fn process(&mut self) {
        let Some(song) = self.desk.selected else { return };
        let is_ready = matches!(self.state.model(), Some(ModelState::Ready { .. }));
        let is_busy = self.state.active_job(song).is_some() || self.state.is_separated(song);
        let stems = self.desk.ticked(song, self.state.stems(song));
        if !is_ready || is_busy || stems.is_empty() {
            return;
        }
        let is_open = self.state.open().is_some_and(|open| open.id == song);
        let from_frame = if is_open { self.link.player().position() } else { 0 };
        self.link.send(Command::Process { song, stems, from_frame });
    }

    /// Asks for a path in the window, where the system has no dialog.
    pub(super) fn ask_for_path(&mut self, purpose: Purpose) {
        let text = match purpose {
            Purpose::ExportFolder => self.desk.choices.folder.display().to_string(),
            _ => String::new(),
        };
        self.desk.prompt = Some(PathPrompt { purpose, text });
    }

    fn accept_prompt(&mut self, ctx: &egui::Context) {
        let Some(prompt) = &self.desk.prompt else { return };
        let Some(path) = dialogs::typed_path(&prompt.text) else { return };
        let purpose = prompt.purpose;
        self.desk.prompt = None;
        self.perform(ctx, Action::Chosen(purpose, vec![path]));
    }

    fn chosen(&mut self, ctx: &egui::Context, purpose: Purpose, paths: Vec<PathBuf>) {
        let Some(first) = paths.first().cloned() else { return };
        match purpose {
            Purpose::Songs | Purpose::SongFolder => self.perform(ctx, Action::Import(paths)),
            Purpose::Weights => self.perform(ctx, Action::ImportModel(first)),
            Purpose::ExportFolder => self.desk.choices.folder = first,
        }
    }

    /// Makes a removal that can be undone one that cannot.
    pub(super) fn finish_removal(&mut self) {
        if let Some(removal) = self.desk.removal.take() {
            self.link.send(Command::Remove(removal.song));
        }
    }
}

impl App {
    /// Adds files and folders, as if they were dropped on the window.
    pub fn import(&mut self, ctx: &egui::Context, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.perform(ctx, Action::Import(paths));
        }
    }
}
