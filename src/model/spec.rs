//! Specification of a network: its input and output, and how the engine cuts, joins and normalises
//! a song for it.
//!
//! Pure data; usable from any thread.

use super::{
    CHANNELS, ModelError, Result, SAMPLE_RATE,
    findings::{Misfit, NameFault},
};

/// Maximum overlap of any network, in percent of a segment.
pub const MOST_OVERLAP: u8 = 75;

/// Maximum number of stems of a network.
pub(super) const MOST_STEMS: usize = 64;

/// Maximum length of a stem's name in bytes.
const MOST_BYTES: usize = 64;

/// Names that exports and the command line use for other purposes.
const RESERVED: [&str; 5] = ["residual", "mix", "original", "stems", "none"];

/// Characters forbidden in stem names, because file names or lists of stems do not allow them.
const FORBIDDEN: [char; 11] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|', ',', '='];

/// Input and output of a network, and its processing of a whole song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Stem names in the order of the network's output, as in the checkpoint ("drums", …).
    pub sources: Vec<String>,
    /// Name of the stem that no output holds: the mix minus all sources. `None` if the sources are
    /// all stems.
    pub rest: Option<String>,
    /// Sample rate of the training data in Hz.
    pub sample_rate: u32,
    /// Number of channels of mix and stems.
    pub channels: usize,
    /// Length of one forward pass in frames; the caller pads shorter input.
    pub segment_frames: usize,
    /// Normalisation of the mix before the network, and of the stems after it.
    pub level: Level,
    /// Kind of joint between neighbouring segments.
    pub joint: Joint,
    /// Overlap of neighbouring segments.
    pub overlap: Overlap,
    /// Whether the song may be separated several times with random delays, to average the results.
    pub allows_shifts: bool,
    /// Work per segment in millions of floating-point operations, for time estimates; 0 if unknown.
    pub megaflop: u64,
    /// Time of that work, relative to a measured product.
    pub effort: Effort,
}

/// Time of a network's operations, relative to the product that [`super::rate`] measures. The figures
/// of each kind were measured on networks of the published sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Time per operation, in percent of the measured product's. It is below 100 if an algorithm such
    /// as Winograd's needs fewer operations than are counted.
    pub percent: u16,
    /// The share of the time, in percent, spent in products that are faster than f32 if the precision
    /// or the processor allows it.
    pub fast_share: u8,
}

/// Normalisation of a song for a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Subtract the mean and divide by the deviation of the whole track; undone in the stems.
    Track,
    /// No normalisation.
    AsIs,
}

/// Joint of neighbouring segments, and treatment of the song's ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Triangular weights, with silence before and after the song, as in `demucs/apply.py`.
    Triangle,
    /// Fades over a tenth of a segment, except at the song's ends, where the song is reflected.
    /// This follows `demix` of Music-Source-Separation-Training.
    Fade,
}

/// Overlap of neighbouring segments, in percent of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Recommended overlap of the network.
    pub default: u8,
    /// Minimum overlap, used by drafts.
    pub least: u8,
    /// Maximum overlap.
    pub most: u8,
}

impl Joint {
    /// Length in frames of the fades of a segment: a tenth, or 0 without fades.
    pub fn fade_frames(self, segment_frames: usize) -> usize {
        match self {
            Self::Triangle => 0,
            Self::Fade => segment_frames / 10,
        }
    }
}

impl Spec {
    /// Creates the specification of a network like HTDemucs: triangular joint, 44.1 kHz, stereo, no
    /// rest.
    pub fn triangle(sources: Vec<String>, segment_frames: usize) -> Self {
        Self {
            sources,
            rest: None,
            sample_rate: SAMPLE_RATE,
            channels: CHANNELS,
            segment_frames,
            level: Level::Track,
            joint: Joint::Triangle,
            overlap: Overlap { default: 25, least: 0, most: 50 },
            allows_shifts: true,
            megaflop: 0,
            effort: Effort { percent: 100, fast_share: 0 },
        }
    }

    /// Creates the specification of a network of Music-Source-Separation-Training: fades, 44.1 kHz,
    /// stereo, no rest, no normalisation. The default overlap in percent is clamped to 10 to 75.
    pub fn fade(sources: Vec<String>, segment_frames: usize, overlap: u8) -> Self {
        let (least, most) = (10, MOST_OVERLAP);
        Self {
            level: Level::AsIs,
            joint: Joint::Fade,
            overlap: Overlap { default: overlap.clamp(least, most), least, most },
            allows_shifts: false,
            ..Self::triangle(sources, segment_frames)
        }
    }

    /// Names of all stems: the sources in the network's order, then the rest.
    pub fn stems(&self) -> Vec<String> {
        self.sources.iter().chain(&self.rest).cloned().collect()
    }

    /// Frames from the start of a segment to the start of the next, for an overlap in percent.
    pub fn stride(&self, overlap: u8) -> usize {
        let (segment, fade) = (self.segment_frames, self.joint.fade_frames(self.segment_frames));
        let stride = match self.joint {
            // The reference rounds the same way.
            Joint::Triangle => ((1.0 - f64::from(overlap) / 100.0) * segment as f64) as usize,
            // Two thirds in whole percent: three segments per frame.
            Joint::Fade if overlap == 67 => segment / 3,
            Joint::Fade if segment * usize::from(overlap) / 100 <= fade => segment - fade,
            Joint::Fade => segment * 100_usize.saturating_sub(overlap.into()) / 100,
        };
        stride.max(1)
    }

    /// Work per segment of another network, as a multiple of this network's; `None` if one of them
    /// is unknown.
    pub fn work_of(&self, other: &Self) -> Option<f64> {
        let is_known = self.megaflop > 0 && other.megaflop > 0;
        let work = |spec: &Self| spec.megaflop as f64 * f64::from(spec.effort.percent);
        is_known.then(|| work(other) / work(self))
    }

    /// The expected seconds per segment, from the operations per second of products in f32 (`single`)
    /// and in the wanted precision (`wanted`); `None` if the work is unknown.
    pub fn seconds(&self, single: f64, wanted: f64) -> Option<f64> {
        let Effort { percent, fast_share } = self.effort;
        let seconds = self.megaflop as f64 * 1e6 * f64::from(percent) / 100.0 / single;
        let sped_up = f64::from(fast_share) / 100.0;
        (self.megaflop > 0).then(|| seconds * (1.0 - sped_up + sped_up * single / wanted))
    }

    /// Checks that `mix` is one segment.
    ///
    /// # Errors
    /// [`ModelError::Segment`] for another length.
    pub fn check_segment(&self, mix: &[f32]) -> Result<()> {
        let expected = self.channels * self.segment_frames;
        if mix.len() == expected {
            return Ok(());
        }
        Err(ModelError::Segment { found: mix.len(), expected })
    }

    /// Rejects a network that the engine cannot use. With another sample rate or channel count, the
    /// result would be wrong without an error. Also rejects stem names that fail [`check_names`].
    pub(super) fn check(&self) -> Result<()> {
        let Self { sample_rate, channels, .. } = *self;
        if (sample_rate, channels) != (SAMPLE_RATE, CHANNELS) {
            return Err(ModelError::OtherSound { path: None, sample_rate, channels });
        }
        check_names(&self.stems())
    }
}

/// Checks stem names, which become parts of file names and command line arguments.
///
/// # Errors
/// [`ModelError::Header`] with the stem and the cause. A name must not be empty, longer than 64
/// bytes, reserved, or equal to another one ignoring case. It must not have a dot or space at an
/// end, or a character that file names or lists of stems do not allow. Also fails for more than 64
/// names.
pub fn check_names(stems: &[String]) -> Result<()> {
    let wrong = |name: &str, fault| {
        let name: String = name.chars().take(80).collect();
        Err(Misfit::StemName { name: name.into(), fault }.into())
    };
    if stems.len() > MOST_STEMS {
        return Err(Misfit::ManyStems { count: stems.len(), limit: MOST_STEMS }.into());
    }
    for (index, name) in stems.iter().enumerate() {
        let lower = name.to_lowercase();
        let forbidden = |letter: &char| letter.is_control() || FORBIDDEN.contains(letter);
        if name.trim().is_empty() {
            return wrong(name, NameFault::Empty);
        }
        if name.len() > MOST_BYTES {
            return wrong(name, NameFault::TooLong { bytes: name.len(), limit: MOST_BYTES });
        }
        if let Some(letter) = name.chars().find(forbidden) {
            return wrong(name, NameFault::Character { letter: format!("{letter:?}").into() });
        }
        if name.starts_with('.') || name.ends_with('.') || name.trim() != name {
            return wrong(name, NameFault::Ends);
        }
        if RESERVED.contains(&lower.as_str()) || lower.starts_with("all but ") {
            return wrong(name, NameFault::Reserved);
        }
        if stems[..index].iter().any(|other| other.to_lowercase() == lower) {
            return wrong(name, NameFault::Twice);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_match_the_reference() {
        // int((1 - overlap) * segment_length) in Python.
        let demucs = Spec::triangle(Vec::new(), 343_980);
        let strides = [0, 10, 25, 50].map(|overlap| demucs.stride(overlap));
        assert_eq!(strides, [343_980, 309_582, 257_985, 171_990]);
        // chunk // num_overlap for 2, 3 and 4; and the fade alone.
        for segment in [352_800, 352_801, 485_100, 131_583] {
            let msst = Spec::fade(Vec::new(), segment, 50);
            assert_eq!(
                [50, 67, 75].map(|overlap| msst.stride(overlap)),
                [segment / 2, segment / 3, segment / 4]
            );
            assert_eq!(msst.stride(10), segment - segment / 10);
        }
        assert_eq!(Spec::triangle(Vec::new(), 7).stride(50), 3);
    }

    #[test]
    fn time_follows_work_and_rates() {
        let mut spec = Spec::fade(vec!["vocals".into()], 100, 50);
        assert_eq!(spec.seconds(1e9, 1e9), None);
        spec.megaflop = 2000;
        assert_eq!(spec.seconds(1e9, 1e9), Some(2.0));
        spec.effort = Effort { percent: 150, fast_share: 50 };
        assert_eq!(spec.seconds(1e9, 1e9), Some(3.0));
        assert_eq!(spec.seconds(1e9, 2e9), Some(2.25));
        let other =
            Spec { megaflop: 4000, effort: Effort { percent: 75, fast_share: 0 }, ..spec.clone() };
        assert_eq!(spec.work_of(&other), Some(1.0));
    }

    #[test]
    fn the_rest_is_the_last_stem() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut spec = Spec::fade(names(&["vocals"]), 100, 90);
        assert_eq!((spec.stems(), spec.overlap.default), (names(&["vocals"]), 75));
        spec.rest = Some("instrumental".into());
        assert_eq!(spec.stems(), names(&["vocals", "instrumental"]));
        spec.check().unwrap();
        spec.rest = Some("vocals".into());
        assert!(spec.check().unwrap_err().to_string().contains("\"vocals\" is the name of two"));
    }

    #[test]
    fn stem_names_are_safe_in_file_names_and_lists() {
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            check_names(&names).map_err(|error| error.to_string())
        };
        check(&["drums", "bass", "other", "vocals", "guitar", "piano"]).unwrap();
        check(&["Vocals", "lead voice", "Gesang-Ü (2)", "人声", "rest", &"x".repeat(64)]).unwrap();
        let long = "x".repeat(65);
        for (name, cause) in [
            ("a/b", "has the character '/'"),
            ("../../x", "has the character '/'"),
            ("a\\b", "has the character '\\\\'"),
            ("a,b", "has the character ','"),
            ("a\nb", "has the character '\\n'"),
            ("\u{1b}[31m", "has the character '\\u{1b}'"),
            ("", "is empty"),
            (" ", "is empty"),
            (".", "a dot or a space"),
            ("..", "a dot or a space"),
            (" a", "a dot or a space"),
            ("residual", "is reserved"),
            ("Mix", "is reserved"),
            ("original", "is reserved"),
            ("none", "is reserved"),
            ("all but drums", "is reserved"),
            ("VOCALS", "is the name of two stems"),
            (&long, "has 65 bytes; the limit is 64"),
        ] {
            let text = check(&["vocals", name]).unwrap_err();
            assert!(text.contains(cause), "{text}");
            assert!(text.contains("--stems") && !text.contains(['\n', '\u{1b}']), "{text}");
        }
        let many: Vec<String> = (0..65).map(|index| index.to_string()).collect();
        assert!(check_names(&many).unwrap_err().to_string().contains("the limit is 64"));
    }
}
