//! Separation options: the trade-off between time and quality. Pure data.
//!
//! The names follow the reference (`demucs.apply.apply_model`): `overlap` of neighbouring segments,
//! and `shifts`. Each shift separates the song once more with a small delay; the results are
//! averaged.

use serde::{Deserialize, Serialize};

use crate::model::{MOST_OVERLAP, Spec};

/// Maximum number of shifts.
pub const MOST_SHIFTS: u8 = 10;

/// Quality of a separation; different qualities mean different stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// Overlap of neighbouring segments, in percent of a segment: 0 to [`MOST_OVERLAP`].
    pub overlap: u8,
    /// Number of passes with random delays up to half a second, which are averaged: 0 to
    /// [`MOST_SHIFTS`]. With 0, there is one pass without delay.
    pub shifts: u8,
    /// Seed of the random delays; equal seeds produce equal stems.
    pub seed: u32,
    /// Whether this is a draft, computed in the fast precision if the processor supports that.
    pub is_draft: bool,
}

/// A named quality, whose numbers depend on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The fastest: minimum overlap.
    Draft,
    /// The network's own default.
    Standard,
    /// The best: maximum overlap and, if the network allows them, two shifts.
    Best,
}

impl Preset {
    /// All presets, the fastest first.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Standard, Self::Best];

    /// Quality of this preset for a network.
    pub fn quality(self, spec: &Spec) -> Quality {
        let overlap = spec.overlap;
        let plain = Quality { overlap: overlap.default, shifts: 0, seed: 0, is_draft: false };
        let best_shifts = if spec.allows_shifts { Quality::BEST.shifts } else { 0 };
        match self {
            Self::Draft => Quality { overlap: overlap.least, is_draft: true, ..plain },
            Self::Standard => plain,
            Self::Best => Quality { overlap: overlap.most, shifts: best_shifts, ..plain },
        }
    }

    /// Distinct qualities of all presets for a network.
    pub fn qualities(spec: &Spec) -> Vec<Quality> {
        let mut all = Self::ALL.map(|preset| preset.quality(spec)).to_vec();
        all.dedup();
        all
    }
}

impl Quality {
    /// [`Preset::Draft`] in settings, which apply to every network, and for HTDemucs.
    pub const DRAFT: Self = Self { overlap: 0, shifts: 0, seed: 0, is_draft: true };
    /// [`Preset::Standard`] in settings and for HTDemucs; the reference's own default.
    pub const STANDARD: Self = Self { overlap: 25, shifts: 0, seed: 0, is_draft: false };
    /// [`Preset::Best`] in settings and for HTDemucs.
    pub const BEST: Self = Self { overlap: 50, shifts: 2, seed: 0, is_draft: false };

    /// Qualities offered as presets in settings.
    pub const PRESETS: [Self; 3] = [Self::DRAFT, Self::STANDARD, Self::BEST];

    /// Clamps this quality to the limits of all networks.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        let (overlap, shifts) = (self.overlap.min(MOST_OVERLAP), self.shifts.min(MOST_SHIFTS));
        Self { overlap, shifts, ..self }
    }

    /// Clamps this quality to the limits of a network.
    #[must_use]
    pub fn within(self, spec: &Spec) -> Self {
        let overlap = self.overlap.clamp(spec.overlap.least, spec.overlap.most);
        let (shifts, seed) =
            if spec.allows_shifts { (self.shifts.min(MOST_SHIFTS), self.seed) } else { (0, 0) };
        Self { overlap, shifts, seed, ..self }
    }

    /// Converts a quality of the settings for a network: the preset of the same name, or the
    /// nearest quality.
    #[must_use]
    pub fn for_network(self, spec: &Spec) -> Self {
        let named = Self::PRESETS.iter().position(|preset| *preset == self);
        named.map_or_else(|| self.within(spec), |at| Preset::ALL[at].quality(spec))
    }

    /// Preset that equals this quality for a network, if any.
    pub fn preset(self, spec: &Spec) -> Option<Preset> {
        let named = |preset: &Preset| preset.quality(spec) == self;
        // If the default has maximum overlap, it equals the best; prefer the name of the default.
        [Preset::Standard, Preset::Draft, Preset::Best].into_iter().find(named)
    }

    /// Suffix of the stem folder's name that identifies this quality.
    pub fn suffix(self) -> String {
        let Self { overlap, shifts, seed, is_draft } = self;
        let shifted = if shifts > 0 { format!("-s{shifts}-r{seed}") } else { String::new() };
        let draft = if is_draft { "-draft" } else { "" };
        format!("o{overlap}{shifted}{draft}")
    }

    /// Parses a [`Self::suffix`]; `None` if invalid.
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        let mut quality = Self { overlap: 0, shifts: 0, seed: 0, is_draft: false };
        for part in suffix.split('-') {
            let number = |of: &str| part.strip_prefix(of)?.parse::<u32>().ok();
            match part {
                "draft" => quality.is_draft = true,
                _ if part.starts_with('o') => quality.overlap = number("o")?.try_into().ok()?,
                _ if part.starts_with('s') => quality.shifts = number("s")?.try_into().ok()?,
                _ if part.starts_with('r') => quality.seed = number("r")?,
                _ => return None,
            }
        }
        // Only accept suffixes that survive a round trip.
        (quality.suffix() == suffix && quality == quality.within_bounds()).then_some(quality)
    }

    /// Delay of each pass in frames; empty for one pass without delay. `most` is the largest delay.
    pub fn delays(self, most: u16) -> Vec<u16> {
        let mut state = u64::from(self.seed).wrapping_add(0x5EED);
        let mut next = || {
            // SplitMix64 has the same results on every machine and in every version.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((mixed ^ (mixed >> 31)) % (u64::from(most) + 1)) as u16
        };
        (0..self.shifts).map(|_| next()).collect()
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// Options that determine stems: a model and a quality.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeparationOptions {
    /// Name of the model.
    pub model: String,
    /// Quality of the separation.
    pub quality: Quality,
}

/// Default options for songs without explicit ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Separation options.
    pub options: SeparationOptions,
    /// Whether a draft is computed first, to play until the final stems are available.
    pub drafts_first: bool,
}

/// A complete or partial set of a song's stems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Options with which the stems are computed.
    pub options: SeparationOptions,
    /// Whether all requested segments are finished.
    pub is_complete: bool,
}

/// Cost of a quality for a song.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityCost {
    /// Quality of the separation.
    pub quality: Quality,
    /// Preset that equals the quality for the song's model, if any.
    pub preset: Option<Preset>,
    /// Seconds that each maker takes for the whole song on this machine, if known.
    pub seconds: Vec<Option<f64>>,
}

/// A network of a step, which makes stems.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Maker {
    /// Fraction of the song that is not finished, 0 to 1.
    pub missing: f64,
    /// Bytes on disk that this will take.
    pub bytes: u64,
}

/// A stem of a song, for display.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StemInfo {
    /// Index of the stem that this one is a part of.
    pub parent: Option<usize>,
    /// Whether the stem is what is left of its branch.
    pub is_rest: bool,
    /// Whether the stem is heard as itself: not through its parts, and not in the stem that it is a part
    /// of.
    pub is_heard: bool,
    /// Number of its unfinished segments.
    pub missing: usize,
    /// Indices of the makers that must run for it, those of its input included.
    pub makers: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_of_the_default_is_stable() {
        assert_eq!(Quality::default().suffix(), "o25");
        assert_eq!(Quality::DRAFT.suffix(), "o0-draft");
        let shifted = Quality { shifts: 2, seed: 7, ..Quality::default() };
        assert_eq!(shifted.suffix(), "o25-s2-r7");
    }

    #[test]
    fn presets_depend_on_the_network() {
        let demucs = Spec::triangle(Vec::new(), 343_980);
        assert_eq!(Preset::qualities(&demucs), Quality::PRESETS);
        for quality in Quality::PRESETS {
            assert_eq!(quality.for_network(&demucs), quality, "unchanged for HTDemucs");
        }
        let roformer = Spec::fade(Vec::new(), 352_800, 50);
        let suffixes = Preset::qualities(&roformer).into_iter().map(Quality::suffix);
        assert_eq!(suffixes.collect::<Vec<_>>(), ["o10-draft", "o50", "o75"]);
        for (quality, preset) in Quality::PRESETS.into_iter().zip(Preset::ALL) {
            let own = quality.for_network(&roformer);
            assert_eq!((own, own.preset(&roformer)), (preset.quality(&roformer), Some(preset)));
        }
        let odd = Quality { overlap: 60, shifts: 3, seed: 9, is_draft: false };
        assert_eq!(odd.for_network(&roformer).suffix(), "o60");
        assert_eq!(odd.for_network(&demucs).suffix(), "o50-s3-r9");
        assert_eq!(odd.preset(&roformer), None);
        let thorough = Spec::fade(Vec::new(), 352_800, 75);
        assert_eq!(Preset::qualities(&thorough).len(), 2);
        assert_eq!(Preset::Best.quality(&thorough).preset(&thorough), Some(Preset::Standard));
    }

    #[test]
    fn equal_seeds_repeat_and_others_differ() {
        let delays = |seed| Quality { shifts: 10, seed, ..Quality::default() }.delays(22_050);
        assert_eq!(delays(1), delays(1));
        assert_ne!(delays(1), delays(2));
        assert!(delays(3).iter().all(|delay| *delay <= 22_050) && delays(3).len() == 10);
        assert!(Quality::default().delays(22_050).is_empty());
    }
}
