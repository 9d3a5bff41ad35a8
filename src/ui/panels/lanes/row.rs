//! A lane of the open song as displayed: its stem, name and settings. Pure.

use crate::{
    engine::{LaneSettings, Song, export::RESIDUAL},
    i18n::fl,
    ui::{state::view_state::OpenSong, timeline::peaks::Waveform, words},
};

/// A lane other than the original's.
pub struct Row<'a> {
    /// The song.
    pub song: &'a Song,
    /// The stem's index in the model's order; `None` for the residual.
    pub stem: Option<usize>,
    /// The name of the stem or of the residual.
    pub key: &'a str,
    /// The displayed name.
    pub title: String,
    /// The user's settings.
    pub settings: LaneSettings,
    /// Whether the lane is audible.
    pub is_heard: bool,
    pub(super) wave: &'a Waveform,
}

impl<'a> Row<'a> {
    /// The row of a stem, or of the residual.
    pub fn new(
        song: &'a Song,
        open: &'a OpenSong,
        stem: Option<usize>,
        settings: LaneSettings,
        is_heard: bool,
    ) -> Self {
        let key = stem.map_or(RESIDUAL, |stem| &open.stems[stem]);
        let title = match stem {
            Some(_) => words::stem_title(key),
            None => fl!(lane_residual).to_owned(),
        };
        let wave = stem.map_or(&open.residual, |stem| &open.waves[stem]);
        Self { song, stem, key, title, settings, is_heard, wave }
    }

    /// Whether this is the lane of the residual.
    pub fn is_residual(&self) -> bool {
        self.stem.is_none()
    }
}
