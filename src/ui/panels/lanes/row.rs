//! A lane of the open song as displayed: its stem, names and settings. Pure.

use egui::Color32;

use crate::{
    engine::{LaneSettings, Song, export::RESIDUAL},
    i18n::fl,
    ui::{state::view_state::OpenSong, theme::Tokens, timeline::peaks::Waveform, words},
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
    /// The accessible name: with that of the stem that this one is a part of.
    pub name: String,
    /// Number of stems that this one is a part of.
    pub depth: usize,
    /// Whether the parts are displayed, if the stem is heard through them.
    pub is_open: Option<bool>,
    /// The colour.
    pub color: Color32,
    /// The user's settings.
    pub settings: LaneSettings,
    /// Whether the lane is audible.
    pub is_heard: bool,
    pub(super) wave: &'a Waveform,
}

impl<'a> Row<'a> {
    /// The row of a stem.
    pub fn of_stem(
        song: &'a Song,
        open: &'a OpenSong,
        stem: usize,
        settings: LaneSettings,
        tokens: &Tokens,
    ) -> Self {
        let stems = open.instruments();
        Self {
            song,
            stem: Some(stem),
            key: &open.stems[stem],
            title: words::instrument(stems, stem),
            name: words::full_instrument(stems, stem),
            depth: stems.depth(stem),
            is_open: stems.is_group(stem).then_some(true),
            color: stems.color(tokens, stem),
            settings,
            is_heard: false,
            wave: &open.waves[stem],
        }
    }

    /// The row of the residual.
    pub fn of_residual(
        song: &'a Song,
        open: &'a OpenSong,
        settings: LaneSettings,
        tokens: &Tokens,
    ) -> Self {
        Self {
            song,
            stem: None,
            key: RESIDUAL,
            title: fl!(lane_residual).to_owned(),
            name: fl!(lane_residual).to_owned(),
            depth: 0,
            is_open: None,
            color: tokens.stem(RESIDUAL),
            settings,
            is_heard: false,
            wave: &open.residual,
        }
    }

    /// Whether this is the lane of the residual.
    pub fn is_residual(&self) -> bool {
        self.stem.is_none()
    }
}
