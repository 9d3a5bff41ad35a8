//! The state that the user controls: the selected song, ticks, faders, the monitored signal,
//! dialogs.
//!
//! Only actions change this state; the engine's events do not. Main thread.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    time::Instant,
};

use crate::{
    engine::{
        ExportId, LaneSettings, Preferences, RequestId, SongId,
        audio::repitch::KeySpeed,
        library::{Lanes, RESIDUAL},
        player::Monitor,
        settings::Flags,
    },
    ui::{
        commands::export_plan::{Asked, ExportChoices},
        state::{chain_form::ChainForm, facts_form::FactsForm, instruments::Instruments},
        timeline::viewport::Viewport,
    },
};

/// The prompt for a path, used where the system has no file dialog.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPrompt {
    /// The purpose of the path.
    pub purpose: Purpose,
    /// The typed text.
    pub text: String,
}

/// Songs that were removed together and can be restored.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The removed songs.
    pub songs: BTreeSet<SongId>,
    /// The title, for a single song.
    pub title: String,
    /// The time of the removal.
    pub at: Instant,
}

/// Stems whose files are being dragged out of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct DragOut {
    /// The command that requests the files.
    pub request: RequestId,
    /// The song of the stems.
    pub song: SongId,
    /// The names of the stems.
    pub stems: Vec<String>,
    /// Whether the files exist and the drag has started.
    pub is_under_way: bool,
}

/// The page in the middle of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The selected song.
    #[default]
    Song,
    /// All jobs.
    Jobs,
    /// The settings.
    Settings,
}

/// A confirmation before something that cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Remove everything.
    Reset,
    /// Remove the stems of all songs.
    ClearStems,
}

/// A song that is being renamed.
#[derive(Clone, Debug, PartialEq)]
pub struct Renaming {
    /// The renamed song.
    pub song: SongId,
    /// The typed title.
    pub text: String,
}

/// The purpose of a requested path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Songs to import.
    Songs,
    /// A folder of songs to import.
    SongFolder,
    /// The model's weights.
    Weights,
    /// A chain file.
    Chain,
    /// The folder of exports.
    ExportFolder,
    /// The file for a bug report.
    Report,
}

/// A loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The first frame of the loop and the frame after the last.
    pub region: (u64, u64),
    /// Whether playback repeats the loop.
    pub is_on: bool,
}

/// A request for finer peaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// The song.
    pub song: SongId,
    /// The frames.
    pub frames: Range<u64>,
    /// Frames of one peak.
    pub frames_per_peak: usize,
    /// Number of these frames that the stems covered at the time of the request.
    pub covered: u64,
}

/// A list of instruments whose parts can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// The instruments to tick.
    Ticks,
    /// The lanes.
    Lanes,
}

/// The state that the user controls.
#[derive(Clone, Debug)]
pub struct UiState {
    /// The selected song.
    pub selected: Option<SongId>,
    /// Whether a song of the running import has been displayed.
    pub import_is_shown: bool,
    /// The monitored signal: the mix or the original.
    pub monitor: Monitor,
    /// Position of the volume fader, 0 to 1.
    pub volume: f32,
    /// Playback speed.
    pub speed: f32,
    /// Change of the key in semitones.
    pub key: i32,
    /// Further change of the key in cents, -50 to 50.
    pub cents: i32,
    /// The loop of the song.
    pub repeat: Option<Repeat>,
    /// The position where playback started; stopping returns there.
    pub began_at: u64,
    /// Whether the sheet of shortcuts is open.
    pub help: bool,
    /// The visible range of the song; all of it when `None`.
    pub look: Option<Viewport>,
    /// The last request for finer peaks.
    pub detail: Option<Detail>,
    /// The song whose export dialog is open.
    pub export: Option<SongId>,
    /// The current or last choices of the export dialog.
    pub choices: ExportChoices,
    /// The open path prompt.
    pub prompt: Option<PathPrompt>,
    /// The page in the middle of the window.
    pub page: Page,
    /// The marked songs; empty while only the selected song counts.
    pub marked: BTreeSet<SongId>,
    /// The song at which a range of marked songs starts.
    pub anchor: Option<SongId>,
    /// The song that is being renamed.
    pub renaming: Option<Renaming>,
    /// The open confirmation.
    pub question: Option<Question>,
    /// The settings.
    pub preferences: Preferences,
    /// Settings from the command line, which override `preferences`.
    pub flags: Flags,
    /// The model whose terms are shown in the settings.
    pub terms_of: Option<String>,
    /// The open form about the network of a checkpoint.
    pub facts: Option<FactsForm>,
    /// The open form for a chain.
    pub chain: Option<ChainForm>,
    /// Whether the parts of stems are displayed, where the user has changed that.
    pub folds: BTreeMap<(List, String), bool>,
    /// The configuration that accompanied the last imported model.
    pub model_config: Option<PathBuf>,
    /// Other songs that are exported with the same choices as the dialog's song.
    pub export_with: Vec<SongId>,
    /// The last removal, while its notice is displayed.
    pub removal: Option<Removal>,
    /// Earlier removals that can be undone, the latest at the end.
    pub removed: Vec<BTreeSet<SongId>>,
    /// The song to select once it is restored.
    pub coming_back: Option<SongId>,
    /// The requests of the displayed exports.
    pub exports: BTreeMap<ExportId, Asked>,
    /// Whether lanes can be dragged out of the window on this system.
    pub can_drag_out: bool,
    /// The drag out of the window.
    pub drag_out: Option<DragOut>,
    /// Songs whose lanes have unsaved changes.
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
            key: 0,
            cents: 0,
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
            chain: None,
            folds: BTreeMap::new(),
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
    /// Key and speed as heard.
    pub fn key_speed(&self) -> KeySpeed {
        KeySpeed::new(100 * self.key + self.cents, self.speed)
    }

    /// The visible range of a song over `width` points.
    pub fn view(&self, frames: u64, width: f32) -> Viewport {
        self.look.unwrap_or_else(|| Viewport::whole(frames, width)).within(frames, width)
    }

    /// The settings of one lane; `is_part` states whether its stem is a part of another one.
    pub fn lane(&self, song: SongId, stem: &str, is_part: bool) -> LaneSettings {
        let known = self.lanes.get(&song).and_then(|lanes| lanes.get(stem));
        known.copied().unwrap_or_else(|| self.new_lane(stem, is_part))
    }

    /// The settings of a lane that the user has not changed. Parts cost more time, so they are ticked
    /// by the user alone.
    fn new_lane(&self, stem: &str, is_part: bool) -> LaneSettings {
        let ticks = self.preferences.ticks.as_ref();
        let is_meant = ticks.is_none_or(|ticks| ticks.iter().any(|tick| tick == stem));
        LaneSettings { ticked: is_meant && !is_part, ..LaneSettings::default() }
    }

    /// The settings of a song's lanes, in the order of its stems.
    pub fn lanes(&self, song: SongId, stems: Instruments<'_>) -> Vec<LaneSettings> {
        let lane =
            |(stem, name): (usize, &String)| self.lane(song, name, stems.parent(stem).is_some());
        stems.names().iter().enumerate().map(lane).collect()
    }

    /// The settings of one lane, for changing them.
    pub fn lane_mut(&mut self, song: SongId, stem: &str, is_part: bool) -> &mut LaneSettings {
        let new = self.new_lane(stem, is_part);
        self.touched.insert(song);
        self.lanes.entry(song).or_default().entry(stem.to_owned()).or_insert(new)
    }

    /// The settings of the residual's lane. If one of the stems is the rest, that lane does not
    /// exist, and the defaults are returned.
    pub fn residual(&self, song: SongId, has_rest: bool) -> LaneSettings {
        let own = self.residuals.get(&song).filter(|_| !has_rest);
        own.copied().unwrap_or_else(LaneSettings::of_residual)
    }

    /// The settings of the residual's lane, for changing them.
    pub fn residual_mut(&mut self, song: SongId) -> &mut LaneSettings {
        self.touched.insert(song);
        self.residuals.entry(song).or_insert_with(LaneSettings::of_residual)
    }

    /// Adopts saved lanes, for songs whose lanes the user has not changed since.
    pub fn take_lanes(&mut self, kept: Vec<(SongId, Lanes)>) {
        for (song, mut lanes) in kept {
            if self.lanes.contains_key(&song) {
                continue;
            }
            self.residuals.extend(lanes.remove(RESIDUAL).map(|lane| (song, lane)));
            self.lanes.insert(song, lanes);
        }
    }

    /// Whether lanes have unsaved changes.
    pub fn has_touched_lanes(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Drains the lanes with unsaved changes.
    pub fn touched_lanes(&mut self) -> Vec<(SongId, Lanes)> {
        let songs = std::mem::take(&mut self.touched);
        let lanes_of = |song| {
            let mut lanes = self.lanes.get(&song).cloned().unwrap_or_default();
            lanes.extend(self.residuals.get(&song).map(|lane| (RESIDUAL.to_owned(), *lane)));
            (song, lanes)
        };
        songs.into_iter().map(lanes_of).collect()
    }

    /// Whether a song was just removed; the engine may not have confirmed that yet.
    pub fn is_removed(&self, song: SongId) -> bool {
        self.removal.as_ref().is_some_and(|removal| removal.songs.contains(&song))
    }

    /// The songs that an action on `song` applies to: all marked songs if `song` is one of them,
    /// otherwise only `song`.
    pub fn meant(&self, song: SongId) -> Vec<SongId> {
        if self.marked.contains(&song) { self.marked.iter().copied().collect() } else { vec![song] }
    }

    /// Names of the ticked stems, in their order.
    pub fn ticked(&self, song: SongId, stems: Instruments<'_>) -> Vec<String> {
        stems.ticked(&self.lanes(song, stems))
    }

    /// Whether the parts of a stem are displayed. At first they are displayed as lanes, and hidden in
    /// the list of ticks.
    pub fn is_open(&self, list: List, stem: &str) -> bool {
        self.folds.get(&(list, stem.to_owned())).copied().unwrap_or(list == List::Lanes)
    }

    /// Registers a new export and returns its id.
    pub fn new_export(&mut self, asked: Asked) -> ExportId {
        self.next_export += 1;
        let id = ExportId(self.next_export);
        self.exports.insert(id, asked);
        id
    }
}
