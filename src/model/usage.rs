//! What the weight files of every kind but HTDemucs state besides a network's own arguments: the
//! names of its stems, and how a song is given to it.
//!
//! The importer writes all of it. Comes from an untrusted file; [`Usage::check`] checks it.

use serde::Deserialize;

use super::{
    Level, MOST_STEMS, ModelError, Result, Spec,
    findings::{Misfit, Printable},
};

/// How a network is used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Usage {
    /// Names of the network's outputs, in its order.
    pub sources: Vec<String>,
    /// Name of what is left of the mix, if that is a stem.
    pub rest: Option<String>,
    /// Samples per second.
    pub samplerate: u32,
    /// Frames of a segment.
    pub segment_frames: usize,
    /// Overlap of segments, in percent.
    pub overlap: u8,
    /// Whether the song is normalised.
    pub normalize: bool,
}

impl Usage {
    /// The shape of the input and the output of a stereo network, without the work of a segment.
    pub fn spec(&self) -> Spec {
        Spec {
            rest: self.rest.clone(),
            sample_rate: self.samplerate,
            level: if self.normalize { Level::Track } else { Level::AsIs },
            ..Spec::fade(self.sources.clone(), self.segment_frames, self.overlap)
        }
    }

    /// Checks names, rate and length; the names' characters are checked with the [`Spec`].
    ///
    /// # Errors
    /// [`ModelError::Header`] names the argument.
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

    /// The error of a segment that is too long for the memory.
    pub fn too_long(&self) -> ModelError {
        Misfit::TooLong { frames: self.segment_frames }.into()
    }
}

/// Fails when an argument is not between `least` and `most`.
///
/// # Errors
/// [`ModelError::Header`] names the argument.
pub fn within(name: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let [value, least, most] = [value, least, most].map(Printable::of);
    Err(Misfit::ArgumentRange { name: name.into(), value, least, most }.into())
}
