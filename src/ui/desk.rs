//! What the user has set in the window: the chosen song, ticks, faders, what is heard, dialogs.
//!
//! Written by actions alone. Nothing of it comes from the engine. Main thread.

use std::{collections::BTreeMap, time::Instant};

use crate::engine::{
    Depth, ExportId, SongId,
    player::{LaneSettings, Monitor},
};

/// A question for a path, where the system has no file dialog or has not asked about replacing.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPrompt {
    /// What the path is for.
    pub purpose: Purpose,
    /// What has been typed.
    pub text: String,
    /// Why the last answer was not taken.
    pub objection: Option<String>,
    /// A file of that name exists and the user has been told.
    pub may_replace: bool,
}

impl PathPrompt {
    /// A question that nothing has been objected to yet.
    pub fn new(purpose: Purpose, text: String) -> Self {
        Self { purpose, text, objection: None, may_replace: false }
    }
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

/// What a path is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Songs for the library.
    Songs,
    /// A folder of songs.
    SongFolder,
    /// The model's weights.
    Weights,
    /// Where a mix is written.
    Mix,
    /// Where stems are written.
    Stems,
}

/// What an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportWhat {
    /// One file with what is heard.
    #[default]
    Mix,
    /// One file for each ticked stem.
    Stems,
}

/// The open export dialog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportDialog {
    /// The song.
    pub song: SongId,
    /// What is written.
    pub what: ExportWhat,
    /// Sample format.
    pub depth: Depth,
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
    /// The open export dialog.
    pub export: Option<ExportDialog>,
    /// Format of the last export, offered again.
    pub last_depth: Depth,
    /// The open question for a path.
    pub prompt: Option<PathPrompt>,
    /// The song that is on its way out.
    pub removal: Option<Removal>,
    /// Titles of the songs that are being exported, for the notices.
    pub export_titles: BTreeMap<ExportId, String>,
    next_export: u64,
    lanes: BTreeMap<SongId, BTreeMap<String, LaneSettings>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            selected: None,
            import_is_shown: false,
            monitor: Monitor::default(),
            volume: 1.0,
            export: None,
            last_depth: Depth::default(),
            prompt: None,
            removal: None,
            export_titles: BTreeMap::new(),
            next_export: 0,
            lanes: BTreeMap::new(),
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

    /// Whether a song is on its way out.
    pub fn is_removed(&self, song: SongId) -> bool {
        self.removal.as_ref().is_some_and(|removal| removal.song == song)
    }

    /// Names of the ticked stems, in the order of `stems`.
    pub fn ticked(&self, song: SongId, stems: &[String]) -> Vec<String> {
        stems.iter().filter(|stem| self.lane(song, stem).ticked).cloned().collect()
    }

    /// A new export's id.
    pub fn new_export(&mut self, title: &str) -> ExportId {
        self.next_export += 1;
        let id = ExportId(self.next_export);
        self.export_titles.insert(id, title.to_owned());
        id
    }
}
