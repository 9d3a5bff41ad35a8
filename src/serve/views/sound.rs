//! Lanes of a song: their sound, waveforms and mixer settings. Pure.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BASE, escaped};
use crate::{
    engine::{LaneSettings, SAMPLE_RATE, SongId, SongTrack, export::RESIDUAL, player::Track as _},
    serve::{fault::Fault, hub::state::State},
};

/// Name of the original's lane.
pub(in crate::serve) const ORIGINAL: &str = "original";

/// The lanes of a song.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct SongLanes {
    pub song: i64,
    /// Length of every lane in frames.
    pub frames: u64,
    /// Sample rate of every lane in Hz.
    pub sample_rate: u32,
    pub lanes: Vec<Lane>,
}

/// A lane.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Lane {
    pub name: String,
    pub kind: LaneKind,
    /// The stem that it is a part of.
    pub parent: Option<String>,
    /// Whether it is what is left of its branch.
    pub is_rest: bool,
    /// Whether it is heard together with the other lanes that are: their sum is the song.
    pub is_heard: bool,
    /// Frames `[from, to)` that can be read, drafts included.
    pub covered: Vec<(u64, u64)>,
    /// Frames `[from, to)` that do not change any more.
    pub refined: Vec<(u64, u64)>,
    /// Address of the sound.
    pub sound: String,
    /// Address of the waveform.
    pub peaks: String,
}

/// Kind of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::serve) enum LaneKind {
    /// The song as it is.
    Original,
    /// A stem.
    Stem,
    /// The song minus all stems.
    Residual,
}

impl SongLanes {
    pub fn of(song: SongId, track: &SongTrack) -> Self {
        let frames = track.frames();
        let lane = |name: &str, kind, covered, refined| {
            let address = format!("{BASE}/songs/{}/lanes/{}", song.0, escaped(name));
            Lane {
                name: name.to_owned(),
                kind,
                parent: None,
                is_rest: false,
                is_heard: false,
                covered,
                refined,
                sound: format!("{address}/sound"),
                peaks: format!("{address}/peaks"),
            }
        };
        let all = || vec![(0, frames)];
        let of = |stem| (track.covered_of(stem), track.finished_of(stem));
        let mut lanes = vec![lane(ORIGINAL, LaneKind::Original, all(), all())];
        if let Some(stems) = &track.stems {
            let tree = stems.tree();
            for (index, stem) in tree.stems().iter().enumerate() {
                let (covered, refined) = of(Some(index));
                lanes.push(Lane {
                    parent: stem.parent.map(|parent| tree.stems()[parent].name.clone()),
                    is_rest: stem.made.is_none(),
                    is_heard: track.heard().get(index).copied().unwrap_or(false),
                    ..lane(&stem.name, LaneKind::Stem, covered, refined)
                });
            }
            if !tree.has_rest() {
                let (covered, refined) = of(None);
                lanes.push(Lane {
                    is_heard: true,
                    ..lane(RESIDUAL, LaneKind::Residual, covered, refined)
                });
            }
        }
        Self { song: song.0, frames, sample_rate: SAMPLE_RATE, lanes }
    }
}

/// A waveform.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Peaks {
    pub from: u64,
    pub to: u64,
    /// Least and greatest sample of each bin, and its RMS; `null` where the lane is not computed.
    pub bins: Vec<Option<(f32, f32, f32)>>,
}

/// Mixer settings of a song.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(in crate::serve) struct Mixer {
    pub lanes: BTreeMap<String, MixerLane>,
}

impl Mixer {
    pub fn of(state: &State, song: SongId) -> Self {
        let lanes = state.lanes.get(&song).into_iter().flatten();
        Self { lanes: lanes.map(|(name, lane)| (name.clone(), (*lane).into())).collect() }
    }
}

/// Mixer settings of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(in crate::serve) struct MixerLane {
    /// Whether it is in the mix at all.
    #[serde(default = "yes")]
    pub ticked: bool,
    /// Fader in dB; `null` is silence.
    pub gain_db: Option<f32>,
    /// Balance, -1 (left only) to 1 (right only).
    #[serde(default)]
    pub pan: f32,
    #[serde(default)]
    pub muted: bool,
    #[serde(default)]
    pub soloed: bool,
}

fn yes() -> bool {
    true
}

/// Range of a fader in dB.
const GAINS_DB: RangeInclusive<f32> = -200.0..=24.0;

/// Range of a balance.
const PANS: RangeInclusive<f32> = -1.0..=1.0;

/// Checks the gain and the balance of a lane; `None` is silence.
///
/// # Errors
/// [`Fault::Value`] for a value out of range.
pub(in crate::serve) fn check_lane(gain_db: Option<f32>, pan: f32) -> Result<(), Fault> {
    for (field, value, range) in [("gain_db", gain_db.unwrap_or(0.0), GAINS_DB), ("pan", pan, PANS)]
    {
        if !range.contains(&value) {
            let accepted = format!("{}–{}", range.start(), range.end());
            return Err(Fault::Value { field, accepted });
        }
    }
    Ok(())
}

impl From<LaneSettings> for MixerLane {
    fn from(settings: LaneSettings) -> Self {
        let LaneSettings { ticked, gain_db, pan, muted, soloed } = settings;
        Self { ticked, gain_db: Some(gain_db).filter(|db| db.is_finite()), pan, muted, soloed }
    }
}

impl From<MixerLane> for LaneSettings {
    fn from(lane: MixerLane) -> Self {
        let MixerLane { ticked, gain_db, pan, muted, soloed } = lane;
        Self { ticked, gain_db: gain_db.unwrap_or(f32::NEG_INFINITY), pan, muted, soloed }
    }
}
