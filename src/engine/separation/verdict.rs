//! What separating a song takes of this machine: time, memory and disk, said before the work begins.
//!
//! Pure; [`super::batch`] fills it in.

/// What a separation takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Seconds; `None` where the network's work is unknown.
    pub seconds: Option<f64>,
    /// Peak of memory, in bytes, with the weights.
    pub memory: u64,
    /// Bytes on the disk while it works: the mix and the stems. The files that are written then come on
    /// top.
    pub disk: u64,
}
