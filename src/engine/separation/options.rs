//! How stems are made of a song: what may be traded between time and quality. Pure data.
//!
//! Named as the reference names it (`demucs.apply.apply_model`): `overlap` of neighbouring segments,
//! and `shifts`, of which each separates the song anew, delayed a little, and the results are
//! averaged.

use serde::{Deserialize, Serialize};

use crate::model::{MOST_OVERLAP, Spec};

/// The most shifts.
pub const MOST_SHIFTS: u8 = 10;

/// How thoroughly a song is separated. Stems of another quality are other stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// Overlap of neighbouring segments, in percent of a segment: 0 to [`MOST_OVERLAP`].
    pub overlap: u8,
    /// How often the song is separated, delayed by another random time up to half a second, to be
    /// averaged: 0 to [`MOST_SHIFTS`]. With 0 it is separated once, as it is.
    pub shifts: u8,
    /// Where the random times begin: the same seed gives the same stems.
    pub seed: u32,
    /// Whether it is a draft, which is computed in the fast precision where the processor has it.
    pub is_draft: bool,
}

/// A quality by its name. Its numbers depend on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The quickest: the least overlap.
    Draft,
    /// The network's own default.
    Standard,
    /// What more time buys: the most overlap and, where the network allows them, two shifts.
    Best,
}

impl Preset {
    /// All of them, the quickest first.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Standard, Self::Best];

    /// The quality of that name for a network.
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

    /// The qualities by name for a network, each once.
    pub fn qualities(spec: &Spec) -> Vec<Quality> {
        let mut all = Self::ALL.map(|preset| preset.quality(spec)).to_vec();
        all.dedup();
        all
    }
}

impl Quality {
    /// [`Preset::Draft`] in settings, which hold for every network, and of HTDemucs.
    pub const DRAFT: Self = Self { overlap: 0, shifts: 0, seed: 0, is_draft: true };
    /// [`Preset::Standard`] in settings and of HTDemucs; the reference's own default.
    pub const STANDARD: Self = Self { overlap: 25, shifts: 0, seed: 0, is_draft: false };
    /// [`Preset::Best`] in settings and of HTDemucs.
    pub const BEST: Self = Self { overlap: 50, shifts: 2, seed: 0, is_draft: false };

    /// The qualities that are offered by name in settings.
    pub const PRESETS: [Self; 3] = [Self::DRAFT, Self::STANDARD, Self::BEST];

    /// This quality, brought within what any network allows.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        let (overlap, shifts) = (self.overlap.min(MOST_OVERLAP), self.shifts.min(MOST_SHIFTS));
        Self { overlap, shifts, ..self }
    }

    /// This quality, brought within what a network allows.
    #[must_use]
    pub fn within(self, spec: &Spec) -> Self {
        let overlap = self.overlap.clamp(spec.overlap.least, spec.overlap.most);
        let (shifts, seed) =
            if spec.allows_shifts { (self.shifts.min(MOST_SHIFTS), self.seed) } else { (0, 0) };
        Self { overlap, shifts, seed, ..self }
    }

    /// This quality of the settings for a network: the one of the same name, or the nearest.
    #[must_use]
    pub fn for_network(self, spec: &Spec) -> Self {
        let named = Self::PRESETS.iter().position(|preset| *preset == self);
        named.map_or_else(|| self.within(spec), |at| Preset::ALL[at].quality(spec))
    }

    /// The name of this quality for a network, if it has one.
    pub fn preset(self, spec: &Spec) -> Option<Preset> {
        let named = |preset: &Preset| preset.quality(spec) == self;
        // Where the default is the most overlap, there is no better one.
        [Preset::Standard, Preset::Draft, Preset::Best].into_iter().find(named)
    }

    /// What tells stems of this quality from others in their folder's name.
    pub fn suffix(self) -> String {
        let Self { overlap, shifts, seed, is_draft } = self;
        let shifted = if shifts > 0 { format!("-s{shifts}-r{seed}") } else { String::new() };
        let draft = if is_draft { "-draft" } else { "" };
        format!("o{overlap}{shifted}{draft}")
    }

    /// The quality of which this is the [`Self::suffix`]; `None` for what is none.
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
        // What does not come out as it went in is not ours.
        (quality.suffix() == suffix && quality == quality.within_bounds()).then_some(quality)
    }

    /// By how many frames each pass over the song delays it; none for one pass without a delay.
    /// `most` is the largest delay.
    pub fn delays(self, most: u16) -> Vec<u16> {
        let mut state = u64::from(self.seed).wrapping_add(0x5EED);
        let mut next = || {
            // SplitMix64: the same numbers on every machine and in every version.
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

/// What makes stems: a model, and how thoroughly it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeparationOptions {
    /// The model by its name.
    pub model: String,
    /// The quality.
    pub quality: Quality,
}

/// What is used where nothing else is said of a song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// How stems are made.
    pub recipe: SeparationOptions,
    /// Whether a draft is made first, to be heard until the better stems are there.
    pub drafts_first: bool,
}

/// Stems of a song that are there, wholly or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// How they are made.
    pub recipe: SeparationOptions,
    /// Whether all that was asked for is there.
    pub is_complete: bool,
}

/// What a quality costs for a song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityCost {
    /// The quality.
    pub quality: Quality,
    /// Its name for the song's model, if it has one.
    pub preset: Option<Preset>,
    /// Segments of the whole song; each is computed once by every network that is needed.
    pub segments: usize,
    /// Seconds for one of them on this machine, where they are known.
    pub seconds_each: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_stems_are_where_they_always_were() {
        assert_eq!(Quality::default().suffix(), "o25");
        assert_eq!(Quality::DRAFT.suffix(), "o0-draft");
        let shifted = Quality { shifts: 2, seed: 7, ..Quality::default() };
        assert_eq!(shifted.suffix(), "o25-s2-r7");
    }

    #[test]
    fn a_name_means_what_the_network_makes_of_it() {
        let demucs = Spec::triangle(Vec::new(), 343_980);
        assert_eq!(Preset::qualities(&demucs), Quality::PRESETS);
        for quality in Quality::PRESETS {
            assert_eq!(quality.for_network(&demucs), quality, "as it always was");
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
    fn a_seed_repeats_and_another_does_not() {
        let delays = |seed| Quality { shifts: 10, seed, ..Quality::default() }.delays(22_050);
        assert_eq!(delays(1), delays(1));
        assert_ne!(delays(1), delays(2));
        assert!(delays(3).iter().all(|delay| *delay <= 22_050) && delays(3).len() == 10);
        assert!(Quality::default().delays(22_050).is_empty());
    }
}
