//! What the user has set in the window: the chosen song, ticks, faders, what is heard, dialogs.
//!
//! Written by actions alone. Nothing of it comes from the engine. Main thread.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    time::Instant,
};

use crate::{
    engine::{
        ExportId, LaneSettings, Preferences, RequestId, SongId,
        library::{Lanes, RESIDUAL},
        player::Monitor,
        settings::Flags,
    },
    ui::{
        commands::export_plan::{Asked, ExportChoices},
        state::facts_form::FactsForm,
        timeline::viewport::Viewport,
    },
};

/// A question for a path, where the system has no file dialog.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPrompt {
    /// What the path is for.
    pub purpose: Purpose,
    /// What has been typed.
    pub text: String,
}

/// Songs that were taken out of the library together, and can be brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// Which.
    pub songs: BTreeSet<SongId>,
    /// The title, where it is one.
    pub title: String,
    /// When the user asked for it.
    pub at: Instant,
}

/// Stems whose files are dragged out of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct DragOut {
    /// The command that asks for their files.
    pub request: RequestId,
    /// Of which song.
    pub song: SongId,
    /// Their names.
    pub stems: Vec<String>,
    /// Whether their files are there, and follow the pointer.
    pub is_under_way: bool,
}

/// What the middle of the window shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The chosen song.
    #[default]
    Song,
    /// All jobs.
    Jobs,
    /// The settings.
    Settings,
}

/// What is asked before it is done, because it cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether everything is removed.
    Reset,
    /// Whether the stems of all songs are removed.
    ClearStems,
}

/// A song that is being given another title.
#[derive(Clone, Debug, PartialEq)]
pub struct Renaming {
    /// Which.
    pub song: SongId,
    /// What has been typed.
    pub text: String,
}

/// What a path is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Songs for the library.
    Songs,
    /// A folder of songs.
    SongFolder,
    /// The model's weights.
    Weights,
    /// Where exports are written.
    ExportFolder,
    /// The file for a report.
    Report,
}

/// A stretch of the song to hear again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Its first frame, and the one after its last.
    pub region: (u64, u64),
    /// Whether it is repeated, or only marked.
    pub is_on: bool,
}

/// Finer peaks that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Of which song.
    pub song: SongId,
    /// Which frames.
    pub frames: Range<u64>,
    /// Frames that a peak stands for.
    pub frames_per_peak: usize,
    /// What of these frames the stems covered when they were asked for.
    pub covered: u64,
}

/// What the user has set.
#[derive(Clone, Debug)]
pub struct UiState {
    /// The song that is shown.
    pub selected: Option<SongId>,
    /// Whether a song of the import that runs has been shown.
    pub import_is_shown: bool,
    /// What is heard.
    pub monitor: Monitor,
    /// Position of the volume fader, 0 to 1.
    pub volume: f32,
    /// Speed of playing.
    pub speed: f32,
    /// The stretch of the song that is marked to be repeated.
    pub repeat: Option<Repeat>,
    /// Where playing began, for who stops.
    pub began_at: u64,
    /// Whether the sheet of shortcuts is open.
    pub help: bool,
    /// The stretch of the song that is looked at; all of it when `None`.
    pub look: Option<Viewport>,
    /// The finer peaks that were asked for last.
    pub detail: Option<Detail>,
    /// The song whose export dialog is open.
    pub export: Option<SongId>,
    /// What was chosen in the export dialog, now or the last time.
    pub choices: ExportChoices,
    /// The open question for a path.
    pub prompt: Option<PathPrompt>,
    /// What the middle of the window shows.
    pub page: Page,
    /// Songs that are chosen together; none while only the shown one is.
    pub marked: BTreeSet<SongId>,
    /// Where a stretch of chosen songs begins.
    pub anchor: Option<SongId>,
    /// The song that is being given another title.
    pub renaming: Option<Renaming>,
    /// The open question.
    pub question: Option<Question>,
    /// The settings.
    pub preferences: Preferences,
    /// What of them the command line has set.
    pub flags: Flags,
    /// The model whose terms are shown in the settings.
    pub terms_of: Option<String>,
    /// The facts that are asked about the network of a file.
    pub facts: Option<FactsForm>,
    /// The configuration that came with the model that was imported last.
    pub model_config: Option<PathBuf>,
    /// Other songs that are exported with the one whose dialog is open, in the same way.
    pub export_with: Vec<SongId>,
    /// The songs that were taken out just now: the window says so.
    pub removal: Option<Removal>,
    /// Those that were taken out before, the last ones at the end.
    pub removed: Vec<BTreeSet<SongId>>,
    /// The song that is shown once it is back.
    pub coming_back: Option<SongId>,
    /// What was asked for by the exports whose cards are shown.
    pub exports: BTreeMap<ExportId, Asked>,
    /// Whether lanes can be dragged out of the window on this system.
    pub can_drag_out: bool,
    /// What is being dragged out of the window.
    pub drag_out: Option<DragOut>,
    /// Songs whose lanes were set since they were kept last.
    touched: BTreeSet<SongId>,
    next_export: u64,
    lanes: BTreeMap<SongId, BTreeMap<String, LaneSettings>>,
    residuals: BTreeMap<SongId, LaneSettings>,
}

impl Default for UiState {
    fn default() -> Self {
        Self {
            selected: None,
            import_is_shown: false,
            monitor: Monitor::default(),
            volume: 1.0,
            speed: 1.0,
            repeat: None,
            began_at: 0,
            help: false,
            look: None,
            detail: None,
            export: None,
            choices: ExportChoices::default(),
            prompt: None,
            page: Page::default(),
            marked: BTreeSet::new(),
            anchor: None,
            renaming: None,
            question: None,
            preferences: Preferences::default(),
            flags: Flags::default(),
            terms_of: None,
            facts: None,
            model_config: None,
            export_with: Vec::new(),
            removal: None,
            removed: Vec::new(),
            coming_back: None,
            exports: BTreeMap::new(),
            can_drag_out: false,
            drag_out: None,
            touched: BTreeSet::new(),
            next_export: 0,
            lanes: BTreeMap::new(),
            residuals: BTreeMap::new(),
        }
    }
}

impl UiState {
    /// The stretch of a song that is looked at, over `width` points.
    pub fn view(&self, frames: u64, width: f32) -> Viewport {
        self.look.unwrap_or_else(|| Viewport::whole(frames, width)).within(frames, width)
    }

    /// The settings of one lane.
    pub fn lane(&self, song: SongId, stem: &str) -> LaneSettings {
        let known = self.lanes.get(&song).and_then(|lanes| lanes.get(stem));
        known.copied().unwrap_or_else(|| self.new_lane(stem))
    }

    /// The settings of a lane that nobody has touched.
    fn new_lane(&self, stem: &str) -> LaneSettings {
        let ticks = self.preferences.ticks.as_ref();
        let ticked = ticks.is_none_or(|ticks| ticks.iter().any(|tick| tick == stem));
        LaneSettings { ticked, ..LaneSettings::default() }
    }

    /// The settings of a song's lanes, in the order of `stems`.
    pub fn lanes(&self, song: SongId, stems: &[String]) -> Vec<LaneSettings> {
        stems.iter().map(|stem| self.lane(song, stem)).collect()
    }

    /// The settings of one lane, to change them.
    pub fn lane_mut(&mut self, song: SongId, stem: &str) -> &mut LaneSettings {
        let new = self.new_lane(stem);
        self.touched.insert(song);
        self.lanes.entry(song).or_default().entry(stem.to_owned()).or_insert(new)
    }

    /// The settings of the lane of what no stem holds. Where one of the stems is the rest there is no
    /// such lane, and it is as if untouched.
    pub fn residual(&self, song: SongId, has_rest: bool) -> LaneSettings {
        let own = self.residuals.get(&song).filter(|_| !has_rest);
        own.copied().unwrap_or_else(LaneSettings::of_residual)
    }

    /// The settings of the residual's lane, to change them.
    pub fn residual_mut(&mut self, song: SongId) -> &mut LaneSettings {
        self.touched.insert(song);
        self.residuals.entry(song).or_insert_with(LaneSettings::of_residual)
    }

    /// Takes what was kept of lanes, for songs whose lanes nobody has touched since.
    pub fn take_lanes(&mut self, kept: Vec<(SongId, Lanes)>) {
        for (song, mut lanes) in kept {
            if self.lanes.contains_key(&song) {
                continue;
            }
            self.residuals.extend(lanes.remove(RESIDUAL).map(|lane| (song, lane)));
            self.lanes.insert(song, lanes);
        }
    }

    /// Whether there are lanes to keep.
    pub fn has_touched_lanes(&self) -> bool {
        !self.touched.is_empty()
    }

    /// What is to be kept of the lanes that were touched.
    pub fn touched_lanes(&mut self) -> Vec<(SongId, Lanes)> {
        let songs = std::mem::take(&mut self.touched);
        let lanes_of = |song| {
            let mut lanes = self.lanes.get(&song).cloned().unwrap_or_default();
            lanes.extend(self.residuals.get(&song).map(|lane| (RESIDUAL.to_owned(), *lane)));
            (song, lanes)
        };
        songs.into_iter().map(lanes_of).collect()
    }

    /// Whether a song was taken out just now; the engine may not have said so yet.
    pub fn is_removed(&self, song: SongId) -> bool {
        self.removal.as_ref().is_some_and(|removal| removal.songs.contains(&song))
    }

    /// The songs that are meant when one of them is pointed at: all that are chosen together, if it
    /// is one of them, else it alone.
    pub fn meant(&self, song: SongId) -> Vec<SongId> {
        if self.marked.contains(&song) { self.marked.iter().copied().collect() } else { vec![song] }
    }

    /// Names of the ticked stems, in the order of `stems`.
    pub fn ticked(&self, song: SongId, stems: &[String]) -> Vec<String> {
        stems.iter().filter(|stem| self.lane(song, stem).ticked).cloned().collect()
    }

    /// A new export's id.
    pub fn new_export(&mut self, asked: Asked) -> ExportId {
        self.next_export += 1;
        let id = ExportId(self.next_export);
        self.exports.insert(id, asked);
        id
    }
}
