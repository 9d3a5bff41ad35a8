//! Time stamps against what was decoded: how much sound is missing before a packet, and within it.
//!
//! Counts only where a container left out what it could not make out, or shows what is damaged. Decodes
//! nothing. Runs on the thread that decodes.

use symphonia::core::{packet::Packet, units::Timestamp};

use super::{container::Container, source::Source};

/// Where the next packet should start.
pub struct Clock {
    /// `None` where time stamps do not show what is missing, or nothing came yet.
    next: Option<Timestamp>,
}

impl Clock {
    /// The beginning of a source.
    pub fn new(source: &Source) -> Self {
        Self { next: source.start }
    }

    /// Frames that are missing before a packet. `is_behind_loss` where others before it were lost.
    pub fn gap(&mut self, source: &Source, packet: &Packet, is_behind_loss: bool) -> u64 {
        const TOLERANCE_SECONDS: f64 = 0.01; // of ticks that are not frames
        const LONGEST_OVERLAP: u64 = 1 << 14; // of blocks that depend on each other
        if source.gap_base.is_none() {
            return 0;
        }
        let end = source.end_of(packet, 0);
        let restarts = |expected: Timestamp| {
            expected.duration_from(packet.pts).is_some_and(|back| back.get() > LONGEST_OVERLAP)
        };
        let Some(expected) = self.next.filter(|&expected| !restarts(expected)) else {
            // The first packet of Vorbis gives no sound. Nothing is lost by that.
            self.next = Some(end.saturating_add(packet.trim_start));
            return 0;
        };
        self.next = Some(end.max(expected));
        let gap = source.gap(expected, packet);
        let is_exact = source.container == Container::Flac
            || source.container == Container::Ogg && (is_behind_loss || source.is_doubtful(packet));
        let tolerance = f64::from(source.format.sample_rate) * TOLERANCE_SECONDS;
        if is_exact || gap as f64 > tolerance { gap } else { 0 }
    }

    /// A packet gave so many frames of sound.
    pub fn advance(&mut self, source: &Source, packet: &Packet, frames: u64) {
        self.next = self.next.map(|next| source.end_of(packet, frames).max(next));
    }
}

/// Frames that are lost with a packet which cannot be decoded.
pub fn lost_with(source: &Source, packet: &Packet) -> u64 {
    // What is trimmed in Ogg is not heard, or shows as a gap.
    if source.container == Container::Ogg { packet.dur } else { packet.block_dur() }.get()
}

/// Cuts the beginning of what a packet of Ogg gave beyond its length: the end is where the time stamps have
/// it. Returns the frames that it gave too few. Vorbis blocks differ so behind a lost one.
pub fn fit(source: &Source, packet: &Packet, interleaved: &mut Vec<f32>, channels: usize) -> u64 {
    let has_length = source.container == Container::Ogg && packet.block_dur().get() > 0;
    if !has_length || source.gap_base.is_none() {
        return 0;
    }
    let (frames, wanted) = ((interleaved.len() / channels) as u64, packet.dur.get());
    let excess = frames.saturating_sub(wanted) as usize;
    interleaved.drain(..excess * channels);
    wanted.saturating_sub(frames)
}
