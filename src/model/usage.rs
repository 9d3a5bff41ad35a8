//! Parameters in the weight files of all kinds but HTDemucs, besides a network's constructor
//! arguments: stem names and the processing of a song.
//!
//! Written by the importer, but read from untrusted files; [`Usage::check`] validates them.

use serde::Deserialize;

use super::{
    Level, MOST_STEMS, ModelError, Result, Spec,
    findings::{Misfit, Printable},
};

/// Processing parameters of a network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Usage {
    /// Names of the network's outputs, in order.
    pub sources: Vec<String>,
    /// Name of the rest of the mix, if offered as a stem.
    pub rest: Option<String>,
    /// Sample rate in Hz.
    pub samplerate: u32,
    /// Length of a segment in frames.
    pub segment_frames: usize,
    /// Overlap of segments, in percent.
    pub overlap: u8,
    /// Whether the song is normalised.
    pub normalize: bool,
}

impl Usage {
    /// Input and output of a stereo network, without the work per segment.
    pub fn spec(&self) -> Spec {
        Spec {
            rest: self.rest.clone(),
            sample_rate: self.samplerate,
            level: if self.normalize { Level::Track } else { Level::AsIs },
            ..Spec::fade(self.sources.clone(), self.segment_frames, self.overlap)
        }
    }

    /// Checks names, rate and length; [`Spec`] checks the characters of the names.
    ///
    /// # Errors
    /// [`ModelError::Header`] with the invalid argument.
    pub fn check(&self) -> Result<()> {
        let names: Vec<&String> = self.sources.iter().chain(&self.rest).collect();
        if self.sources.is_empty()
            || names.len() > MOST_STEMS
            || names.iter().any(|name| name.is_empty())
            || names.iter().enumerate().any(|(at, name)| names[..at].contains(name))
        {
            return Err(Misfit::Sources { most: MOST_STEMS }.into());
        }
        within("samplerate", self.samplerate as usize, 1, 768_000)?;
        within("segment_frames", self.segment_frames, 1, 1 << 24)
    }

    /// Error for a segment that is too long for the memory.
    pub fn too_long(&self) -> ModelError {
        Misfit::TooLong { frames: self.segment_frames }.into()
    }
}

/// Checks that an argument is between `least` and `most`.
///
/// # Errors
/// [`ModelError::Header`] with the invalid argument.
pub fn within(name: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let [value, least, most] = [value, least, most].map(Printable::of);
    Err(Misfit::ArgumentRange { name: name.into(), value, least, most }.into())
}
