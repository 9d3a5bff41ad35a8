//! What each action does: a command to the engine, a call to the player, or a change of the desk.
//! The only place where the desk is written. Main thread, at the end of a frame.

use std::{path::PathBuf, time::Instant};

use egui::{Theme, ThemePreference};

use super::{
    action::{Action, Verb},
    app::{App, lane_of},
    desk::{ExportDialog, ExportWhat, PathPrompt, Purpose, Removal},
    dialogs,
    state::ViewState,
};
use crate::engine::{
    Command, ModelState, SAMPLE_RATE, SongId,
    export::safe_file_name,
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
            Action::Seek(frame) => self.link.player().seek(frame),
            Action::Monitor(monitor) => self.set_monitor(monitor),
            Action::Volume(place) => {
                self.desk.volume = place;
                // A fader that is square in amplitude goes evenly to the ear.
                self.link.player().set_volume(place * place);
            }
            Action::Cancel(job) => self.link.send(Command::Cancel(job)),
            Action::ImportModel(path) => self.link.send(Command::ImportModel(path)),
            Action::ExportAs(what, depth) => {
                self.desk.last_depth = depth;
                if let Some(dialog) = &mut self.desk.export {
                    *dialog = ExportDialog { what, depth, ..*dialog };
                }
            }
            Action::CloseExport => self.desk.export = None,
            Action::ChoosePlace => self.choose_place(),
            Action::CancelExport(id) => self.link.send(Command::CancelExport(id)),
            Action::DismissExport(id) => self.state.dismiss_export(id),
            Action::Dismiss(notice) => self.state.dismiss(notice),
            Action::PromptText(typed) => {
                if let Some(prompt) = &mut self.desk.prompt {
                    *prompt = PathPrompt::new(prompt.purpose.clone(), typed);
                }
            }
            Action::AcceptPrompt => self.accept_prompt(ctx),
            Action::ClosePrompt => self.desk.prompt = None,
            Action::Chosen(purpose, paths) => self.chosen(ctx, &purpose, paths),
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
            Verb::AddFiles => self.dialogs.open(Purpose::Songs, String::new()),
            Verb::AddFolder => self.dialogs.open(Purpose::SongFolder, String::new()),
            Verb::Search => self.library.focus_search = true,
            Verb::Process => self.process(),
            Verb::CancelJob => {
                if let Some(job) = self.desk.selected.and_then(|id| self.state.active_job(id)) {
                    self.link.send(Command::Cancel(job.id));
                }
            }
            Verb::Export => self.open_export(),
            Verb::InstallModel => self.link.send(Command::InstallModel),
            Verb::ChooseModel => self.dialogs.open(Purpose::Weights, String::new()),
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
            self.link.player().set_gains(&gains(&self.desk.lanes(open.id, &open.stems)));
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

    fn open_export(&mut self) {
        if let Some(song) = self.desk.selected.filter(|id| self.state.is_separated(*id)) {
            let depth = self.desk.last_depth;
            self.desk.export = Some(ExportDialog { song, what: ExportWhat::Mix, depth });
        }
    }

    fn choose_place(&mut self) {
        let Some(dialog) = self.desk.export else { return };
        let purpose = match dialog.what {
            ExportWhat::Mix => Purpose::Mix,
            ExportWhat::Stems => Purpose::Stems,
        };
        let name = self.file_name(dialog.song);
        self.dialogs.open(purpose, name);
    }

    fn file_name(&self, song: SongId) -> String {
        let title = self.state.song(song).map_or("song", |song| song.title.as_str());
        format!("{} (mix).wav", safe_file_name(title))
    }

    /// Asks for a path in the window, where the system has no dialog.
    pub(super) fn ask_for_path(&mut self, purpose: Purpose) {
        let home = directories::UserDirs::new();
        let folder = home.as_ref().map(|dirs| dirs.audio_dir().unwrap_or(dirs.home_dir()));
        let song = self.desk.export.map(|dialog| dialog.song);
        let text = match (&purpose, folder, song) {
            (Purpose::Mix, Some(folder), Some(song)) => folder.join(self.file_name(song)),
            // The engine makes a folder for them in it.
            (Purpose::Stems, Some(folder), _) => folder.to_owned(),
            _ => PathBuf::new(),
        };
        self.desk.prompt = Some(PathPrompt::new(purpose, text.display().to_string()));
    }

    fn accept_prompt(&mut self, ctx: &egui::Context) {
        let Some(prompt) = self.desk.prompt.clone() else { return };
        let Some(path) = dialogs::typed_path(&prompt.text) else { return };
        if prompt.purpose == Purpose::Mix && !prompt.may_replace {
            self.dialogs.check_new_file(Purpose::Mix, dialogs::with_wav(&path));
            return;
        }
        self.desk.prompt = None;
        self.perform(ctx, Action::Chosen(prompt.purpose, vec![path]));
    }

    fn chosen(&mut self, ctx: &egui::Context, purpose: &Purpose, paths: Vec<PathBuf>) {
        let Some(first) = paths.first().cloned() else { return };
        match purpose {
            Purpose::Songs | Purpose::SongFolder => self.perform(ctx, Action::Import(paths)),
            Purpose::Weights => self.perform(ctx, Action::ImportModel(first)),
            Purpose::Mix => {
                let to = dialogs::with_wav(&first);
                if to == first {
                    self.export_mix(to);
                } else {
                    // Whether this name may be replaced, nobody has asked yet.
                    self.dialogs.check_new_file(Purpose::Mix, to);
                }
            }
            Purpose::Stems => self.export_stems(first),
        }
    }

    fn export_mix(&mut self, to: PathBuf) {
        let Some(ExportDialog { song, depth, .. }) = self.desk.export.take() else { return };
        let names = self.state.stems(song);
        let heard = gains(&self.desk.lanes(song, names));
        let stems = names.iter().cloned().zip(heard).filter(|(_, gain)| *gain > 0.0).collect();
        let id = self.new_export(song);
        self.link.send(Command::ExportMix { id, song, stems, depth, to });
    }

    fn export_stems(&mut self, to: PathBuf) {
        let Some(ExportDialog { song, depth, .. }) = self.desk.export.take() else { return };
        let stems = self.desk.ticked(song, self.state.stems(song));
        let id = self.new_export(song);
        self.link.send(Command::ExportStems { id, song, stems, depth, to });
    }

    fn new_export(&mut self, song: SongId) -> crate::engine::ExportId {
        let title = self.state.song(song).map(|song| song.title.clone()).unwrap_or_default();
        self.desk.new_export(&title)
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

    /// Asks in the window for the place of the export whose dialog is open, as it is done where
    /// the system has no file dialog.
    pub fn ask_for_export_path(&mut self) {
        if let Some(dialog) = self.desk.export {
            self.ask_for_path(match dialog.what {
                ExportWhat::Mix => Purpose::Mix,
                ExportWhat::Stems => Purpose::Stems,
            });
        }
    }
}
