//! Separation models: what a network is, where its weights are, and how a segment goes through it.
//!
//! Knows tensors and no files but weights. Starts no threads: work runs on the rayon pool of the
//! caller.

use std::path::Path;

pub mod arena;
pub mod htdemucs;
pub mod kernels;
pub mod layers;
pub mod spectrogram;
pub mod transformer;
pub mod weights;

/// What can go wrong with a model or its weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The weights cannot be used; says which file, what is wrong with it, and what to do.
    #[error("{0}")]
    Weights(String),
    /// A tensor operation failed.
    #[error("the network could not be run")]
    Tensor(#[from] candle_core::Error),
    /// A file of the model folder could not be read or written.
    #[error("{path}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller ended it.
    #[error("cancelled")]
    Cancelled,
}

/// Result of this room.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

/// What the engine has to know of a network in order to feed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Stem names in the order of the network's output, as in the checkpoint ("drums", …).
    pub sources: Vec<String>,
    /// Samples per second that the network was trained on.
    pub sample_rate: u32,
    /// Channels of mix and stems.
    pub channels: usize,
    /// Frames of one forward pass; shorter input is padded by the caller.
    pub segment_frames: usize,
}

/// What the products of a network are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision (f32) throughout. Where the CPU has AMX the transformer's factors are taken
    /// apart into two bf16 each, which together hold 16 bits of a value's 24, and three products of
    /// those stand for one, summed in single precision ([`kernels::amx`]).
    #[default]
    Single,
    /// The transformer's factors rounded to bf16, summed in single precision; everything else as in
    /// [`Self::Single`]. For CPUs that multiply bf16 ([`kernels::bf16::is_fast`]): on others it is
    /// slower.
    Fast,
}

/// Asked now and then whether to end what is being computed; once it says so it always does.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// A network that separates one segment. The seam at which another kind of network joins.
pub trait Separator: Send + Sync {
    /// The network's shape.
    fn spec(&self) -> &Spec;

    /// Separates one segment of a mix that was normalised over its whole track.
    ///
    /// `mix` is planar, `[channels, segment_frames]`. The result is planar,
    /// `[sources, channels, segment_frames]`, with the track's normalisation still applied.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] when `mix` has another length, or an operation fails.
    fn separate(&self, mix: &[f32]) -> Result<Vec<f32>> {
        self.separate_unless(mix, &|| false)
    }

    /// As [`Self::separate`]; asks `stop` often, a tenth of the work apart or so.
    ///
    /// # Errors
    /// Also [`ModelError::Cancelled`] when `stop` said so.
    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>>;
}

/// Loads the network in a canonical weight file.
///
/// # Errors
/// [`ModelError::Weights`] when the file is not one, [`ModelError::Io`] when it cannot be read.
pub fn load(path: &Path, precision: Precision) -> Result<Box<dyn Separator>> {
    Ok(Box::new(htdemucs::load(path, precision)?))
}

/// Words for people, of which parts may come from a file: control characters are written out, so
/// that nothing but text reaches a terminal.
pub(crate) fn on_one_line(words: &str) -> String {
    let mut line = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            control if control.is_control() => line.extend(control.escape_default()),
            other => line.push(other),
        }
    }
    line
}

/// A weight file's shape and content digest, from its header alone.
///
/// # Errors
/// As [`load`].
pub fn describe(path: &Path) -> Result<(Spec, String)> {
    let header = weights::read_metadata(path)?;
    let spec = htdemucs::Config::from_metadata(&header)?.spec();
    Ok((spec, header.get("digest").cloned().unwrap_or_default()))
}
