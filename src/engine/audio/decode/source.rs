//! Contents of a file: its container, its codec, and its audible frames.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use symphonia::core::{
    codecs::audio::{
        AudioCodecParameters,
        well_known::{CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_OPUS},
    },
    errors::Error,
    formats::FormatReader,
    packet::Packet,
    units::{Duration, TimeBase, Timestamp},
};

use super::{
    DecodeError, Unsupported,
    bounds::Allowance,
    container::{Completeness, Container, Doubt, Request, Shape, Timing},
    decoder::{self, Decoder, codec_name},
    file::{self, Counted, Opened},
    flac_frame,
    mpeg::{AAC_RATES, Frames, Framing},
    output::Trim,
    packets::{Next, Packets, codec_of},
    probe::{nothing_begins, playable_track, probe, probe_error},
};
use crate::engine::{
    problem::{Problem, Result},
    system::panics::guarded,
    types::{AudioFormat, AudioTrack, CancelToken, SAMPLE_RATE},
};

/// Rate at which Opus is always decoded, in Hz.
const OPUS_RATE: u32 = 48_000;
/// Largest plausible padding in frames; LAME's info tag can hold 4095. Padding is buffered in
/// memory.
const MOST_PADDING: u64 = 1 << 16;
/// Frames at the core's rate that an AAC decoder outputs before the first real one: the overlap of
/// the first block. Applies if the file does not state them.
const AAC_PRIMING: u64 = 1024;

/// An audio file whose container has been read.
pub struct Source {
    /// Kind of container.
    pub container: Container,
    /// Audio tracks of the file.
    pub tracks: Vec<AudioTrack>,
    /// Number of the decoded track, from 1.
    pub track: usize,
    /// Codec parameters for [`Decoder::new`].
    pub codec: AudioCodecParameters,
    /// Encoding for display; channels and rate as far as the header states them.
    pub format: AudioFormat,
    /// Audible parts, one list per pass over the stream.
    pub passes: Vec<Trim>,
    /// Number of audible frames, if stated exactly.
    pub promised: Option<u64>,
    /// Whether the file is complete.
    pub completeness: Completeness,
    /// Unit of the time stamps; `None` if time stamps do not reveal losses.
    pub gap_base: Option<TimeBase>,
    /// Unit of the packets' durations; `None` for frames.
    time_base: Option<TimeBase>,
    /// Expected start of the first packet, if its time stamp reveals losses before it.
    pub start: Option<Timestamp>,
    /// Damaged sections that are decoded nevertheless.
    pub doubts: Vec<Doubt>,
    /// Number of chained streams that ended.
    chapter: usize,
    /// Approximate length in seconds, if stated.
    seconds: Option<f64>,
    packets: Packets,
    /// Packets that were read ahead.
    read: VecDeque<Packet>,
    /// Track number used by Symphonia.
    id: u32,
    position: Arc<AtomicU64>,
    /// Length of the view, and of the whole file, in bytes.
    shown: u64,
    bytes: u64,
}

impl Source {
    /// Opens the audio track `track` of `path`, counted from 1; `None` is the file's default track.
    ///
    /// # Errors
    /// Fails if the file or track is missing, the file cannot be read or decoded, or the operation
    /// is cancelled.
    pub fn open(path: &Path, track: Option<usize>, cancel: &CancelToken) -> Result<Self> {
        Self::open_within(path, u64::MAX, Request { track, headers_only: false }, cancel)
    }

    /// Opens a file for its length instead of its sound, and reads at most `most` bytes.
    ///
    /// # Errors
    /// Like [`Self::open`].
    pub fn open_headers(
        path: &Path,
        most: u64,
        track: Option<usize>,
        cancel: &CancelToken,
    ) -> Result<Self> {
        Self::open_within(path, most, Request { track, headers_only: true }, cancel)
    }

    fn open_within(path: &Path, most: u64, request: Request, cancel: &CancelToken) -> Result<Self> {
        let Opened { file, shape, position, bytes } = file::open(path, most, request, cancel)?;
        let cannot_read = |error| {
            if cancel.is_cancelled() { Problem::Cancelled } else { probe_error(error, path) }
        };
        let framing = match shape.container {
            Container::Mpeg => Some(Framing::Mpeg),
            Container::Adts => Some(Framing::Adts),
            _ => None,
        };
        if let Some(track) = shape.tracks.get(shape.track.wrapping_sub(1))
            && !track.is_decodable
        {
            let codec = Some(track.codec.clone());
            return Err(DecodeError::Unsupported(Unsupported::Codec(codec)).into());
        }
        let place = Place { position, shown: shape.view.len(), bytes };
        let source = match framing {
            Some(framing) => {
                let frames = Frames::new(file, framing).map_err(|e| cannot_read(e.into()))?;
                let frames = frames.ok_or_else(nothing_begins)?;
                Self::of_frames(frames, shape, place).map_err(|e| cannot_read(e.into()))?
            }
            None => Self::of_reader(probe(file).map_err(cannot_read)?, shape, place)?,
        };
        source.prepared()
    }

    fn of_frames(mut frames: Frames<Counted>, shape: Shape, place: Place) -> io::Result<Self> {
        let first = frames.first();
        let note = frames.note().copied().unwrap_or_default();
        let sound = note.count.map(|count| count * first.frames);
        let mut trim = Trim::default();
        let mut promised = sound;
        if let Some((delay, padding)) = note.added {
            trim = Trim::from(delay).padded(padding.min(MOST_PADDING));
            promised = sound.map(|sound| sound.saturating_sub(delay + trim.padding));
        }
        let average = frames.average_bytes()?;
        let estimate = place.shown as f64 / average.max(1.0) * first.frames as f64;
        let rate = f64::from(first.rate.max(1));
        let seconds = promised.map_or(estimate, |frames| frames as f64) / rate;
        // A file with as many bytes as the info tag states is complete, regardless of the number of
        // frames.
        let is_short = note.bytes.is_none_or(|stated| stated > place.shown + average as u64);
        let completeness = match shape.completeness {
            Completeness::Whole if is_short && note.bytes.is_some() => Completeness::CutOff,
            completeness => completeness,
        };
        let codec = codec_of(first);
        let packets = Packets::Frames(Box::new(frames), 0);
        let shape = Shape { completeness, ..shape };
        let mut source = Self::new(packets, codec, 0, shape, place);
        source.passes = vec![trim];
        source.promised = promised;
        source.seconds = Some(seconds);
        Ok(source)
    }

    fn of_reader(reader: Box<dyn FormatReader>, shape: Shape, place: Place) -> Result<Self> {
        let id = shape.tracks.get(shape.track.wrapping_sub(1)).map_or(0, |track| track.id);
        let (track, codec) = playable_track(reader.as_ref(), id)?;
        let (container, timing) = (shape.container, shape.timing.clone());
        let header = track.num_frames;
        let mut source = Self::new(Packets::Symphonia(reader), codec, track.id, shape, place);
        source.time_base = track.time_base;
        if timing.has_gaps || container == Container::Flac {
            source.gap_base = track.time_base;
        }
        source.start = timing.counts_from_zero.then_some(Timestamp::ZERO);
        source.promised = match container {
            // For a truncated file, the header length describes the remaining part.
            Container::Ogg => header.filter(|_| source.completeness != Completeness::CutOff),
            _ => timing.frames,
        };
        source.seconds = timing.seconds;
        source.doubts.clone_from(&timing.doubts);
        source.set_timing(&timing);
        Ok(source)
    }

    fn new(
        packets: Packets,
        codec: AudioCodecParameters,
        id: u32,
        shape: Shape,
        place: Place,
    ) -> Self {
        let format = AudioFormat {
            name: String::new(),
            sample_rate: codec.sample_rate.unwrap_or(0),
            channels: codec.channels.as_ref().map_or(0, |channels| channels.count() as u16),
            bits: decoder::lossless_bits(&codec),
            frames: None, // known after decoding
        };
        let mut source = Self {
            container: shape.container,
            tracks: shape.tracks,
            track: shape.track,
            codec,
            format,
            passes: Vec::new(),
            promised: None,
            completeness: shape.completeness,
            gap_base: None,
            time_base: None,
            start: None,
            doubts: Vec::new(),
            chapter: 0,
            seconds: None,
            packets,
            read: VecDeque::new(),
            id,
            position: place.position,
            shown: place.shown,
            bytes: place.bytes,
        };
        source.format.name = format_name(source.container, &source.codec);
        if source.tracks.is_empty() {
            source.tracks = vec![AudioTrack {
                number: 1,
                codec: codec_name(&source.codec),
                is_default: true,
                is_decodable: decoder::is_decodable(&source.codec),
                ..AudioTrack::default()
            }];
        }
        source
    }

    fn set_timing(&mut self, timing: &Timing) {
        let priming = match self.codec.codec {
            CODEC_ID_AAC => self.find_aac_priming(),
            CODEC_ID_OPUS => opus_pre_skip(self.codec.extra_data.as_deref(), self.container),
            _ => 0,
        };
        if self.codec.codec == CODEC_ID_OPUS {
            self.codec.sample_rate = Some(OPUS_RATE);
            self.format.sample_rate = OPUS_RATE;
            // The decoder would trim only the first packet of a pre-skip that spans several.
            self.codec.extra_data = None;
            if self.container == Container::Ogg {
                // The length in an Ogg header includes the pre-skip.
                self.promised = self.promised.map(|frames| frames.saturating_sub(priming));
            }
        }
        if let Some(timeline) = &timing.timeline {
            self.passes = timeline.passes(self.format.sample_rate, priming);
            self.promised = self.passes.iter().map(Trim::frames).sum();
            return;
        }
        let skip = timing.skip.unwrap_or(priming);
        let is_stated = timing.skip.is_some() && timing.frames.is_some();
        self.passes = vec![match timing.frames.filter(|_| is_stated) {
            Some(frames) => Trim::range(skip, frames),
            None => Trim::from(skip).padded(timing.padding.min(MOST_PADDING)),
        }];
    }

    /// Determines the rate and channels of AAC by decoding. HE-AAC may be signalled only in the
    /// frames, and doubles the rate. Returns the frames of priming at the decoded rate.
    fn find_aac_priming(&mut self) -> u64 {
        const MOST_PACKETS: usize = 8;
        let Ok(mut decoder) = Decoder::new(&self.codec) else { return AAC_PRIMING };
        let mut samples = Vec::new();
        while self.read.len() < MOST_PACKETS {
            let Some(Ok(Next::Packet(packet))) = guarded(|| self.packets.next()) else { break };
            if packet.track_id != self.id {
                continue;
            }
            let spec = guarded(|| decoder.decode(&packet, &mut samples)).flatten();
            self.read.push_back(packet);
            if let Some(spec) = spec {
                self.format.sample_rate = spec.rate();
                self.format.channels = spec.channels().count() as u16;
                let frames = samples.len() / spec.channels().count().max(1);
                // A packet of ADTS may hold several blocks.
                return if frames.is_multiple_of(2 * AAC_PRIMING as usize)
                    && spec.rate() > self.core_rate()
                {
                    2 * AAC_PRIMING
                } else {
                    AAC_PRIMING
                };
            }
        }
        AAC_PRIMING
    }

    fn core_rate(&self) -> u32 {
        match self.codec.extra_data.as_deref() {
            Some([first, second, ..]) => {
                let index = usize::from((first & 7) << 1 | second >> 7);
                AAC_RATES.get(index).copied().unwrap_or(0)
            }
            _ => self.codec.sample_rate.unwrap_or(0),
        }
    }

    /// Completes the source once the codec is fully known; fails if no decoder accepts it.
    fn prepared(mut self) -> Result<Self> {
        Decoder::new(&self.codec)?;
        if matches!(self.packets, Packets::Frames(..)) && self.codec.codec == CODEC_ID_AAC {
            let priming = self.find_aac_priming();
            self.passes = vec![Trim::from(priming)];
        }
        Ok(self)
    }

    /// Reads the next packet of any track, or its replacement.
    ///
    /// # Errors
    /// Errors of the reader.
    pub fn next(&mut self) -> std::result::Result<Next, Error> {
        match self.read.pop_front() {
            Some(packet) => Ok(Next::Packet(packet)),
            None => self.packets.next(),
        }
    }

    /// Whether a packet belongs to the decoded track.
    pub fn is_ours(&self, packet: &Packet) -> bool {
        packet.track_id == self.id
    }

    /// Stated length in frames at [`SAMPLE_RATE`], limited to what the file can hold.
    pub fn expected_frames(&self) -> Option<u64> {
        let seconds = self.stated_seconds()?;
        let most = Allowance::new(self.bytes).seconds();
        Some((seconds.min(most) * f64::from(SAMPLE_RATE)).round() as u64)
    }

    /// Length in seconds, as stated or as estimated from the first frames.
    pub fn stated_seconds(&self) -> Option<f64> {
        let rate = self.format.sample_rate;
        let exact = self.promised.filter(|_| rate > 0);
        exact.map(|frames| frames as f64 / f64::from(rate)).or(self.seconds)
    }

    /// Fraction of the file that has been read, 0 to 1.
    pub fn fraction(&self) -> f32 {
        (self.position.load(Ordering::Relaxed) as f64 / self.shown.max(1) as f64).min(1.0) as f32
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of chained streams that ended.
    pub fn chapter(&self) -> usize {
        self.chapter
    }

    /// Number of damaged sections that begin at or before a packet.
    pub fn doubts_until(&self, packet: &Packet) -> usize {
        let at = (self.chapter, u64::try_from(packet.pts.get()).unwrap_or(0));
        self.doubts.partition_point(|doubt| (doubt.chapter, doubt.time.start) <= at)
    }

    /// Whether a packet begins in or at the end of a damaged section that is decoded nevertheless.
    pub fn is_doubtful(&self, packet: &Packet) -> bool {
        let last = self.doubts_until(packet).checked_sub(1).map(|index| &self.doubts[index]);
        let time = u64::try_from(packet.pts.get()).unwrap_or(0);
        last.is_some_and(|doubt| doubt.chapter == self.chapter && time <= doubt.time.end)
    }

    /// Whether a FLAC frame in a damaged page contradicts its own checksum, which Symphonia does not
    /// verify.
    pub fn is_refused(&self, packet: &Packet) -> bool {
        self.codec.codec == CODEC_ID_FLAC
            && self.is_doubtful(packet)
            && flac_frame::is_damaged(&packet.data)
    }

    /// End of a packet by its own duration, else by the frames that it produced.
    pub fn end_of(&self, packet: &Packet, frames: u64) -> Timestamp {
        if packet.dur > Duration::ZERO {
            return packet.pts.saturating_add(packet.dur);
        }
        let Some(base) = self.gap_base else { return packet.pts };
        let seconds = frames as f64 / f64::from(self.format.sample_rate.max(1));
        let ticks = seconds * f64::from(base.denom.get()) / f64::from(base.numer.get());
        packet.pts.saturating_add(Duration::from(ticks.round() as u64))
    }

    /// Frames between the expected start of a packet and its actual start, by their time stamps.
    pub fn gap(&self, expected: Timestamp, packet: &Packet) -> u64 {
        let gap = packet.pts.duration_from(expected).filter(|_| self.gap_base.is_some());
        gap.map_or(0, |gap| self.frames_of(gap))
    }

    /// Frames of a duration in units of the time stamps.
    pub fn frames_of(&self, duration: Duration) -> u64 {
        let Some(base) = self.time_base else { return duration.get() };
        let seconds =
            duration.get() as f64 * f64::from(base.numer.get()) / f64::from(base.denom.get());
        (seconds * f64::from(self.format.sample_rate)).round() as u64
    }

    /// Whether the stream, read to its end, contradicts its encoder's checksum.
    pub fn is_altered(&self) -> bool {
        self.packets.is_altered()
    }

    /// Switches to the track and codec of the next chained stream.
    ///
    /// # Errors
    /// Fails if the next stream has no decodable track.
    pub fn next_chapter(&mut self) -> std::result::Result<(), DecodeError> {
        self.chapter += 1;
        if let Packets::Symphonia(reader) = &self.packets {
            let (track, codec) = playable_track(reader.as_ref(), 0)?;
            (self.id, self.codec) = (track.id, codec);
            if self.codec.codec == CODEC_ID_OPUS {
                self.codec.sample_rate = Some(OPUS_RATE);
                self.codec.extra_data = None;
            }
        }
        Ok(())
    }
}

/// Read position and lengths of a file.
struct Place {
    position: Arc<AtomicU64>,
    shown: u64,
    bytes: u64,
}

/// Frames to skip at the start of an Opus stream, from its identification header (RFC 7845).
fn opus_pre_skip(header: Option<&[u8]>, container: Container) -> u64 {
    match header {
        Some([b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, first, second, ..]) => {
            let bytes = [*first, *second];
            // Symphonia 0.6.1 leaves the bytes in MP4's order.
            let is_big = container == Container::Mp4;
            (if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }).into()
        }
        _ => 0,
    }
}

fn format_name(container: Container, codec: &AudioCodecParameters) -> String {
    match container {
        Container::Wav => "WAV".into(),
        Container::Aiff => "AIFF".into(),
        Container::Flac => "FLAC".into(),
        Container::Caf if codec.codec != CODEC_ID_ALAC && codec.codec != CODEC_ID_AAC => {
            "CAF".into()
        }
        Container::Matroska => format!("{} (Matroska)", codec_name(codec)),
        _ => codec_name(codec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_states_its_pre_skip_in_its_header() {
        let header = Some(&b"OpusHead\x01\x02\x38\x01rest"[..]);
        assert_eq!(opus_pre_skip(header, Container::Ogg), 312);
        let header = Some(&b"OpusHead\x01\x02\x01\x38rest"[..]);
        assert_eq!(opus_pre_skip(header, Container::Mp4), 312);
        assert_eq!(opus_pre_skip(Some(b"OpusHead"), Container::Ogg), 0);
        assert_eq!(opus_pre_skip(None, Container::Ogg), 0);
    }
}
