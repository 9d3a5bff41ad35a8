//! The song in the player: its stems, waveforms and computed ranges, as known from the engine's events.
//!
//! It holds no samples. Changed by [`super::apply`] alone. Main thread.

use std::collections::BTreeSet;

use super::Need;
use crate::{
    engine::{
        Lane, SongId,
        audio::peaks::{FRAMES_PER_PEAK, Peak},
        separation::{
            chain::MissingStems,
            options::{Maker, QualityCost, SeparationOptions, StemInfo, Version},
        },
    },
    ui::{state::instruments::Instruments, timeline::peaks::Waveform},
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

    /// The stems as a tree; a flat one until the engine has sent it.
    pub fn instruments(&self) -> Instruments<'_> {
        Instruments::new(&self.stems, self.shown.as_ref().map_or(&[], |shown| &shown.stems))
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

    /// Indices of the makers that these stems need, each once.
    fn makers_for(&self, stems: &[String]) -> BTreeSet<usize> {
        let infos = self.shown.iter().flat_map(|shown| &shown.stems);
        let named = self.stems.iter().zip(infos).filter(|(stem, _)| stems.contains(stem));
        named.flat_map(|(_, info)| info.makers.iter().copied()).collect()
    }

    /// Expected seconds for these stems of the whole song, at a quality; `None` if unknown.
    pub fn seconds_for(&self, stems: &[String], offer: &QualityCost) -> Option<f64> {
        self.makers_for(stems).into_iter().map(|maker| *offer.seconds.get(maker)?).sum()
    }

    /// Time and disk space for the rest of these stems; `None` if nothing is left.
    pub fn need(&self, stems: &[String]) -> Option<Need> {
        let shown = self.shown.as_ref()?;
        let makers = self.makers_for(stems);
        let maker = |maker: &usize| shown.makers.get(*maker).copied().unwrap_or_default();
        let bytes = makers.iter().map(|index| maker(index).bytes).sum();
        let offer = shown.offers.iter().find(|offer| offer.quality == shown.options.quality);
        let seconds_of =
            |index: &usize| Some(maker(index).missing * (*offer?.seconds.get(*index)?)?);
        let seconds = makers.iter().map(seconds_of).sum();
        (bytes > 0).then_some(Need { seconds, bytes })
    }
}

/// The options and versions of an open song.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The options of the displayed stems.
    pub options: SeparationOptions,
    /// The stems.
    pub stems: Vec<StemInfo>,
    /// The networks that make them.
    pub makers: Vec<Maker>,
    /// Stems of the chain for which networks are missing.
    pub missing: Vec<MissingStems>,
    /// The costs of the available qualities.
    pub offers: Vec<QualityCost>,
    /// The existing versions of the stems.
    pub versions: Vec<Version>,
}

impl Shown {
    /// Whether the stems add up to the song; then the residual is empty.
    pub fn has_rest(&self) -> bool {
        self.stems.iter().any(|stem| stem.is_rest && stem.parent.is_none())
    }
}
