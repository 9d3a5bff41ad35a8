//! Comparison of time stamps with decoded frames: how much sound is missing before and within a
//! packet.
//!
//! Active only where a container skipped unreadable data or marks damaged data. Runs on the decoder
//! thread.

use symphonia::core::{
    codecs::audio::{
        AudioCodecParameters,
        well_known::{CODEC_ID_AAC, CODEC_ID_OPUS},
    },
    packet::Packet,
    units::{Duration, Timestamp},
};

use super::{container::Container, decoder::is_mpeg, source::Source};

/// Expected start of the next packet.
pub struct Clock {
    /// Expected time stamp; `None` before the first packet, and where time stamps do not reveal
    /// losses.
    next: Option<Timestamp>,
    /// Number of streams that ended before the last packet.
    chapter: usize,
    /// Frames of the packet that its predecessor already produced, in a damaged section.
    overlap: u64,
    /// Frames that the last packet produced.
    last_frames: Option<u64>,
}

impl Clock {
    /// Clock at the start of a source.
    pub fn new(source: &Source) -> Self {
        Self { next: source.start, chapter: 0, overlap: 0, last_frames: None }
    }

    /// Frames missing before a packet. `is_behind_loss` says whether preceding packets were lost.
    pub fn gap(&mut self, source: &Source, packet: &Packet, is_behind_loss: bool) -> u64 {
        const TOLERANCE_SECONDS: f64 = 0.01; // of ticks that are not frames
        const LONGEST_OVERLAP: u64 = 1 << 14; // of blocks that depend on each other
        self.overlap = 0;
        // In Ogg, the last packets of a damaged page may lie beyond its end and have no duration.
        let is_beyond = packet.trim_start == Duration::ZERO && packet.dur == Duration::ZERO;
        if source.gap_base.is_none() || is_beyond && source.container == Container::Ogg {
            return 0;
        }
        let end = source.end_of(packet, 0);
        let is_doubtful = source.container == Container::Ogg && source.is_doubtful(packet);
        let is_within = is_doubtful && self.chapter == source.chapter();
        self.chapter = source.chapter();
        let back =
            |expected: Timestamp| expected.duration_from(packet.pts).map_or(0, Duration::get);
        let restarts = |expected: Timestamp| !is_within && back(expected) > LONGEST_OVERLAP;
        let Some(expected) = self.next.filter(|&expected| !restarts(expected)) else {
            // The first packet of Vorbis produces no sound, so nothing is lost.
            self.next = Some(end.saturating_add(packet.trim_start));
            return 0;
        };
        if is_doubtful {
            self.overlap = back(expected).min(packet.dur.get());
        }
        self.next = Some(end.max(expected));
        let gap = source.gap(expected, packet);
        let is_exact = source.container == Container::Flac
            || source.container == Container::Ogg && (is_behind_loss || is_doubtful);
        let tolerance = f64::from(source.format.sample_rate) * TOLERANCE_SECONDS;
        if is_exact || gap as f64 > tolerance { gap } else { 0 }
    }

    /// Cuts the beginning of a decoded Ogg packet that is too long, because its time stamp marks
    /// the end. Returns the number of missing frames. Vorbis blocks have deviating lengths after a
    /// lost block.
    pub fn fit(
        &self,
        source: &Source,
        packet: &Packet,
        interleaved: &mut Vec<f32>,
        channels: usize,
    ) -> u64 {
        // The demuxer cannot compute packet durations if it does not understand the Vorbis headers.
        let is_known = packet.block_dur() > Duration::ZERO || source.is_doubtful(packet);
        let has_length = is_known || source.codec.codec == CODEC_ID_OPUS;
        if source.container != Container::Ogg || source.gap_base.is_none() || !has_length {
            return 0;
        }
        let frames = (interleaved.len() / channels) as u64;
        let wanted = packet.dur.get().saturating_sub(self.overlap);
        let excess = frames.saturating_sub(wanted) as usize;
        interleaved.drain(..excess * channels);
        wanted.saturating_sub(frames)
    }

    /// Frames lost with a packet that cannot be decoded.
    pub fn lost_with(&self, source: &Source, packet: &Packet) -> u64 {
        match source.container {
            // Trimmed frames are inaudible, or show up as a gap.
            Container::Ogg => packet.dur.get().saturating_sub(self.overlap),
            // All AAC and MP3 packets have the same length, whatever a sample table says.
            _ => match self.last_frames.filter(|_| has_fixed_length(&source.codec)) {
                Some(frames) => frames,
                None => source.frames_of(packet.block_dur()),
            },
        }
    }

    /// Advances the clock by a packet that produced `frames` frames.
    pub fn advance(&mut self, source: &Source, packet: &Packet, frames: u64) {
        self.next = self.next.map(|next| source.end_of(packet, frames).max(next));
        self.last_frames = Some(frames);
    }
}

fn has_fixed_length(codec: &AudioCodecParameters) -> bool {
    is_mpeg(codec) || codec.codec == CODEC_ID_AAC
}
