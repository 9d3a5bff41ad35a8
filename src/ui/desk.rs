//! What the user has set in the window: the chosen song, ticks, faders, what is heard, dialogs.
//!
//! Written by actions alone. Nothing of it comes from the engine. Main thread.

use std::{collections::BTreeMap, time::Instant};

use super::export::{Asked, ExportChoices};
use crate::engine::{
    ExportId, SongId,
    player::{LaneSettings, Monitor},
};

/// A question for a path, where the system has no file dialog.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPrompt {
    /// What the path is for.
    pub purpose: Purpose,
    /// What has been typed.
    pub text: String,
}

/// A song that is on its way out of the library, and can still be brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// Which.
    pub song: SongId,
    /// Its title.
    pub title: String,
    /// When the user asked for it.
    pub at: Instant,
}

/// Stems whose files are dragged out of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct DragOut {
    /// Of which song.
    pub song: SongId,
    /// Their names.
    pub stems: Vec<String>,
    /// Whether their files are there, and follow the pointer.
    pub is_under_way: bool,
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
}

/// What the user has set.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The song that is shown.
    pub selected: Option<SongId>,
    /// Whether a song of the import that runs has been shown.
    pub import_is_shown: bool,
    /// What is heard.
    pub monitor: Monitor,
    /// Position of the volume fader, 0 to 1.
    pub volume: f32,
    /// The song whose export dialog is open.
    pub export: Option<SongId>,
    /// What was chosen in the export dialog, now or the last time.
    pub choices: ExportChoices,
    /// The open question for a path.
    pub prompt: Option<PathPrompt>,
    /// The song that is on its way out.
    pub removal: Option<Removal>,
    /// What was asked for by the exports whose cards are shown.
    pub exports: BTreeMap<ExportId, Asked>,
    /// Whether lanes can be dragged out of the window on this system.
    pub can_drag_out: bool,
    /// What is being dragged out of the window.
    pub drag_out: Option<DragOut>,
    next_export: u64,
    lanes: BTreeMap<SongId, BTreeMap<String, LaneSettings>>,
    residuals: BTreeMap<SongId, LaneSettings>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            selected: None,
            import_is_shown: false,
            monitor: Monitor::default(),
            volume: 1.0,
            export: None,
            choices: ExportChoices::default(),
            prompt: None,
            removal: None,
            exports: BTreeMap::new(),
            can_drag_out: false,
            drag_out: None,
            next_export: 0,
            lanes: BTreeMap::new(),
            residuals: BTreeMap::new(),
        }
    }
}

impl Desk {
    /// The settings of one lane.
    pub fn lane(&self, song: SongId, stem: &str) -> LaneSettings {
        self.lanes.get(&song).and_then(|lanes| lanes.get(stem)).copied().unwrap_or_default()
    }

    /// The settings of a song's lanes, in the order of `stems`.
    pub fn lanes(&self, song: SongId, stems: &[String]) -> Vec<LaneSettings> {
        stems.iter().map(|stem| self.lane(song, stem)).collect()
    }

    /// The settings of one lane, to change them.
    pub fn lane_mut(&mut self, song: SongId, stem: &str) -> &mut LaneSettings {
        self.lanes.entry(song).or_default().entry(stem.to_owned()).or_default()
    }

    /// The settings of the lane of what no stem holds.
    pub fn residual(&self, song: SongId) -> LaneSettings {
        self.residuals.get(&song).copied().unwrap_or_else(LaneSettings::of_residual)
    }

    /// The settings of the residual's lane, to change them.
    pub fn residual_mut(&mut self, song: SongId) -> &mut LaneSettings {
        self.residuals.entry(song).or_insert_with(LaneSettings::of_residual)
    }

    /// Whether a song is on its way out.
    pub fn is_removed(&self, song: SongId) -> bool {
        self.removal.as_ref().is_some_and(|removal| removal.song == song)
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
