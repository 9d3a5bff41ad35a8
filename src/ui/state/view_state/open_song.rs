//! The song in the player: its stems, waveforms and computed ranges, as known from the engine's events.
//!
//! It holds no samples. Changed by [`super::apply`] alone. Main thread.

use std::collections::HashSet;

use crate::{
    engine::{
        Lane, SongId,
        audio::peaks::{FRAMES_PER_PEAK, Peak},
        separation::options::{QualityCost, SeparationOptions, Version},
    },
    ui::timeline::peaks::Waveform,
};

/// The song that is loaded in the player.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSong {
    /// The song's key.
    pub id: SongId,
    /// The song's length in frames.
    pub frames: u64,
    /// Stem names in the model's order.
    pub stems: Vec<String>,
    /// The waveform of the original.
    pub original: Waveform,
    /// The waveforms of the stems.
    pub waves: Vec<Waveform>,
    /// The waveform of the residual.
    pub residual: Waveform,
    /// Frame ranges that the stems cover, ascending and disjoint.
    pub covered: Vec<(u64, u64)>,
    /// The ranges with final stems; other covered ranges are drafts.
    pub refined: Vec<(u64, u64)>,
    /// The song's separation options and versions, once the engine has sent them.
    pub shown: Option<Shown>,
    /// The frames of the segment that is being computed.
    pub computing: Option<(u64, u64)>,
}

impl OpenSong {
    /// A song whose stems and waveforms are not known yet.
    pub(super) fn new(id: SongId, frames: u64, stems: Vec<String>) -> Self {
        Self {
            id,
            frames,
            waves: vec![Waveform::default(); stems.len()],
            stems,
            original: Waveform::default(),
            residual: Waveform::default(),
            covered: Vec::new(),
            refined: Vec::new(),
            shown: None,
            computing: None,
        }
    }

    pub(super) fn wave_mut(&mut self, lane: &Lane) -> Option<&mut Waveform> {
        match lane {
            Lane::Original => Some(&mut self.original),
            Lane::Stem(stem) => self.waves.get_mut(*stem),
            Lane::Residual => Some(&mut self.residual),
        }
    }

    pub(super) fn write(&mut self, lane: &Lane, first: usize, peaks: &[Peak]) {
        let bins = self.frames.div_ceil(FRAMES_PER_PEAK as u64) as usize;
        if let Some(wave) = self.wave_mut(lane) {
            wave.write(first, peaks, bins);
        }
    }

    /// The fraction of the song that the stems cover, 0 to 1.
    pub fn covered_fraction(&self) -> f64 {
        self.fraction(&self.covered)
    }

    /// The fraction of the song with final stems, 0 to 1.
    pub fn refined_fraction(&self) -> f64 {
        self.fraction(&self.refined)
    }

    fn fraction(&self, ranges: &[(u64, u64)]) -> f64 {
        let sum: u64 = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
        if self.frames == 0 { 0.0 } else { (sum as f64 / self.frames as f64).min(1.0) }
    }

    /// The fraction of the full work that these stems need, 0 to 1.
    pub fn part_for(&self, stems: &[String]) -> f64 {
        self.networks_for(stems) as f64 / self.networks_for(&self.stems) as f64
    }

    /// Number of networks that these stems need, at least 1.
    pub fn networks_for(&self, stems: &[String]) -> usize {
        let Some(shown) = &self.shown else { return 1 };
        let makers = self.stems.iter().zip(&shown.makers);
        let needed =
            makers.filter(|(stem, _)| stems.contains(stem)).flat_map(|(_, networks)| networks);
        needed.collect::<HashSet<_>>().len().max(1)
    }
}

/// The options and versions of an open song.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The options of the displayed stems.
    pub options: SeparationOptions,
    /// Whether the last stem is the rest of the song; then the residual is empty.
    pub has_rest: bool,
    /// For each stem, the networks that compute it.
    pub makers: Vec<Vec<usize>>,
    /// For each stem, the number of missing segments.
    pub missing: Vec<usize>,
    /// The costs of the available qualities.
    pub offers: Vec<QualityCost>,
    /// The existing versions of the stems.
    pub versions: Vec<Version>,
}

impl Shown {
    /// Expected seconds for a segment with one network at the selected quality.
    pub(super) fn seconds_each(&self) -> Option<f64> {
        let is_chosen = |offer: &&QualityCost| offer.quality == self.options.quality;
        self.offers.iter().find(is_chosen)?.seconds_each
    }
}
