//! The time, memory and disk space that a separation needs, estimated before it begins.
//!
//! Pure data; [`super::batch`] computes the values.

/// The estimated needs of a separation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The time in seconds; `None` if the network's work is unknown.
    pub seconds: Option<f64>,
    /// The peak memory use, in bytes, including the weights.
    pub memory: u64,
    /// The disk space for the mix and the stems, in bytes, without the files that are written
    /// afterwards.
    pub disk: u64,
}
