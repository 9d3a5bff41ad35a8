//! The shape of a network, and what the engine needs to know to separate a song with it: how the
//! song is cut, joined and normalised, and which stem is left over.
//!
//! Pure data; any thread.

use super::{
    CHANNELS, ModelError, Result, SAMPLE_RATE,
    findings::{Misfit, NameFault},
};

/// The largest overlap of any network, in percent of a segment.
pub const MOST_OVERLAP: u8 = 75;

/// Most stems of a network.
pub(super) const MOST_STEMS: usize = 64;

/// Most bytes of a stem's name.
const MOST_BYTES: usize = 64;

/// Names that exports and the command line use for something else than a stem.
const RESERVED: [&str; 5] = ["residual", "mix", "original", "stems", "none"];

/// Characters that a stem's name cannot have: those that file names and lists of stems do not allow.
const FORBIDDEN: [char; 11] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|', ',', '='];

/// The shape of a network's input and output, and its policy for a whole song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Stem names in the order of the network's output, as in the checkpoint ("drums", …).
    pub sources: Vec<String>,
    /// The stem that no output holds: the mix minus all sources; `None` where the sources are all
    /// stems.
    pub rest: Option<String>,
    /// Samples per second that the network was trained on.
    pub sample_rate: u32,
    /// Channels of mix and stems.
    pub channels: usize,
    /// Frames of one forward pass; shorter input is padded by the caller.
    pub segment_frames: usize,
    /// Normalisation of the mix before, and of the stems after the network.
    pub level: Level,
    /// The joint of neighbouring segments.
    pub joint: Joint,
    /// Overlap of neighbouring segments.
    pub overlap: Overlap,
    /// Whether the song may be separated several times, each time delayed by a random time, to
    /// average the results.
    pub allows_shifts: bool,
    /// Work of one segment in millions of floating-point operations, for estimates of time; 0 where
    /// it is unknown.
    pub megaflop: u64,
    /// What that work takes.
    pub effort: Effort,
}

/// Time of a network's operations, compared with the product that [`super::rate`] measures. Figures of
/// kinds, measured on networks of the published sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Time of an operation, in percent of one of the measured product. Less than 100 where an algorithm
    /// needs fewer operations than are counted, such as Winograd's.
    pub percent: u16,
    /// The share of the time in percent that other products than those of f32 speed up, where a precision
    /// or the processor has some.
    pub fast_share: u8,
}

/// Normalisation of a song for a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Minus the mean and divided by the deviation of the whole track; undone in the stems.
    Track,
    /// None.
    AsIs,
}

/// The joint of neighbouring segments, and the treatment of the song's ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Each segment weighs as a triangle; the song begins and ends in silence. As
    /// `demucs/apply.py`.
    Triangle,
    /// Each segment fades in and out over a tenth of its length, but not at the song's ends, where
    /// the song is reflected. As `demix` of Music-Source-Separation-Training.
    Fade,
}

/// Overlap of neighbouring segments, in percent of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The overlap that the network is meant to be used with.
    pub default: u8,
    /// The smallest, which drafts use.
    pub least: u8,
    /// The largest.
    pub most: u8,
}

impl Joint {
    /// Frames over which a segment of this length fades in or out: a tenth, or none.
    pub fn fade_frames(self, segment_frames: usize) -> usize {
        match self {
            Self::Triangle => 0,
            Self::Fade => segment_frames / 10,
        }
    }
}

impl Spec {
    /// A network as HTDemucs: its policy for a whole song, 44.1 kHz, stereo, no rest.
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

    /// A network as Music-Source-Separation-Training uses its own: 44.1 kHz, stereo, no rest, not
    /// normalised, with this default overlap in percent, which is brought within 10 to 75.
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

    /// The names of all stems: the sources in the network's order, then the rest.
    pub fn stems(&self) -> Vec<String> {
        self.sources.iter().chain(&self.rest).cloned().collect()
    }

    /// Frames from the start of a segment to the start of the next at an overlap in percent.
    pub fn stride(&self, overlap: u8) -> usize {
        let (segment, fade) = (self.segment_frames, self.joint.fade_frames(self.segment_frames));
        let stride = match self.joint {
            // As the reference computes it, rounding included.
            Joint::Triangle => ((1.0 - f64::from(overlap) / 100.0) * segment as f64) as usize,
            // Two thirds in whole percents: three segments over each frame.
            Joint::Fade if overlap == 67 => segment / 3,
            Joint::Fade if segment * usize::from(overlap) / 100 <= fade => segment - fade,
            Joint::Fade => segment * 100_usize.saturating_sub(overlap.into()) / 100,
        };
        stride.max(1)
    }

    /// The work of another network's segment, as a multiple of this network's; `None` where one of
    /// them is unknown.
    pub fn work_of(&self, other: &Self) -> Option<f64> {
        let is_known = self.megaflop > 0 && other.megaflop > 0;
        let work = |spec: &Self| spec.megaflop as f64 * f64::from(spec.effort.percent);
        is_known.then(|| work(other) / work(self))
    }

    /// Seconds of a segment, by the operations per second of products in f32 and of those that a
    /// precision speeds up; `None` where the work is unknown.
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
    pub(super) fn check_segment(&self, mix: &[f32]) -> Result<()> {
        let expected = self.channels * self.segment_frames;
        if mix.len() == expected {
            return Ok(());
        }
        Err(ModelError::Segment { found: mix.len(), expected })
    }

    /// Fails for a network that the engine cannot use: with another sample rate or other channels,
    /// which it would separate wrongly, without an error; and with names of stems that
    /// [`check_names`] rejects.
    pub(super) fn check(&self) -> Result<()> {
        let Self { sample_rate, channels, .. } = *self;
        if (sample_rate, channels) != (SAMPLE_RATE, CHANNELS) {
            return Err(ModelError::OtherSound { path: None, sample_rate, channels });
        }
        check_names(&self.stems())
    }
}

/// Checks the names of a network's stems, which become parts of file names, and words of the command
/// line.
///
/// # Errors
/// [`ModelError::Header`] names the stem and the cause: empty, longer than 64 bytes, a character that
/// file names or lists of stems do not allow, a dot at an end, a name of Partita's own files, or a
/// second stem of that name in any case. Also for more than [`MOST_STEMS`].
pub(super) fn check_names(stems: &[String]) -> Result<()> {
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
    fn strides_are_the_references() {
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
