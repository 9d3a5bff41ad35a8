//! From packet to packet: decodes, and deals with what is damaged, cut off, or changes on the way.

use std::{io, path::Path, time::Instant};

use symphonia::core::{
    audio::{AudioSpec, Channels},
    codecs::audio::{AudioDecoder, well_known::CODEC_ID_FLAC},
    errors::Error,
    packet::Packet,
    units::{Duration, Timestamp},
};

use super::{
    DecodeError,
    bounds::Allowance,
    downmix::{Downmix, layout_name},
    output::Output,
    source::{AGAIN, Source, new_decoder},
};
use crate::engine::{AudioFormat, CancelToken, EngineError, Result, SAMPLE_RATE, guard::guarded};

/// What was heard of a source.
pub struct Heard {
    /// Rate and channels as the first packet has them.
    pub format: AudioFormat,
    /// Frames given to the sink.
    pub frames: u64,
    /// What was odd, in words.
    pub warning: Option<String>,
}

/// Decodes all of `source` into `output`. See [`super::decode`].
///
/// # Errors
/// When nothing, or less than half, can be decoded; when cancelled; as the sink.
pub fn decode(
    mut source: Source,
    path: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    output: Output<'_>,
) -> Result<Heard> {
    let mut stream = Stream::new(&source, output)?;
    let mut shown = 0.0;
    progress(shown);
    let end = loop {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        if stream.output.is_full() {
            break Ending::Complete;
        }
        let since = Instant::now();
        let Some(next) = guarded(|| source.reader.next_packet()) else {
            break Ending::Damaged;
        };
        stream.allowance.time(since.elapsed())?;
        match next {
            Ok(Some(packet)) if packet.track_id == source.track => {
                stream.allowance.packet(packet.data.len())?;
                let goes_on = stream.take(&source, &packet)?;
                if !goes_on || holds_more_than_a_flac_frame(&source, &packet) {
                    break Ending::Damaged;
                }
            }
            Ok(Some(other)) => stream.allowance.packet(other.data.len())?,
            Ok(None) => break Ending::Complete,
            Err(Error::ResetRequired) => {
                stream.allowance.packet(0)?;
                source.next_chapter()?;
                stream.decoder = new_decoder(&source.codec)?;
            }
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                break Ending::CutOff;
            }
            Err(Error::IoError(_)) if cancel.is_cancelled() => return Err(EngineError::Cancelled),
            Err(Error::IoError(error)) => {
                return Err(EngineError::Io {
                    what: "cannot read",
                    path: path.into(),
                    source: error,
                });
            }
            Err(_) => break Ending::Damaged,
        }
        let fraction = source.fraction();
        if fraction - shown >= 0.005 {
            shown = fraction;
            progress(shown);
        }
    };
    let heard = stream.finish(&source, end)?;
    progress(1.0);
    Ok(heard)
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// After its last packet.
    Complete,
    /// Within a packet.
    CutOff,
    /// Where nothing could be made out any more.
    Damaged,
}

struct Stream<'a> {
    decoder: Box<dyn AudioDecoder>,
    output: Output<'a>,
    allowance: Allowance,
    /// Layout of the last packet, and how it becomes stereo.
    layout: Option<(AudioSpec, Downmix)>,
    /// Layout of the first packet.
    first: Option<AudioSpec>,
    /// Whether a later packet had another rate than the first.
    rate_changed: bool,
    /// Packets that came, and how many of them could not be decoded.
    packets: u64,
    failed: u64,
    /// Where the next FLAC packet should start.
    next_frame: Option<Timestamp>,
    /// Stretches replaced by silence, and the frame at which the first one is.
    losses: u64,
    first_loss: Option<u64>,
    warnings: Vec<String>,
    interleaved: Vec<f32>,
    stereo: Vec<f32>,
}

impl<'a> Stream<'a> {
    fn new(source: &Source, output: Output<'a>) -> Result<Self> {
        Ok(Self {
            decoder: new_decoder(&source.codec)?,
            output,
            allowance: Allowance::new(source.bytes()),
            layout: None,
            first: None,
            rate_changed: false,
            packets: 0,
            failed: 0,
            next_frame: None,
            losses: 0,
            first_loss: None,
            warnings: Vec::new(),
            interleaved: Vec::new(),
            stereo: Vec::new(),
        })
    }

    /// Decodes one packet. False when there is nothing to be done with this stream any more.
    fn take(&mut self, source: &Source, packet: &Packet) -> Result<bool> {
        self.packets += 1;
        self.fill_gap(source, packet)?;
        if is_joint_32_bit_flac(source, packet) {
            let text = "FLAC with 32 bits in joint stereo is not supported; convert it to 24 bits";
            return Err(DecodeError::Unsupported(text.into()).into());
        }
        let (decoder, since) = (self.decoder.as_mut(), Instant::now());
        let decoded = guarded(|| decode_packet(decoder, packet, &mut self.interleaved));
        self.allowance.time(since.elapsed())?;
        let spec = match decoded {
            Some(Some(spec)) => Some(spec),
            Some(None) => self.decode_anew(source, packet)?,
            None => return Ok(false),
        };
        let Some(spec) = spec else {
            self.failed += 1;
            self.lose(packet.block_dur().get())?;
            return Ok(true);
        };
        if self.interleaved.is_empty() {
            return Ok(true);
        }
        self.adapt(&spec)?;
        let frames = self.interleaved.len() / spec.channels().count().max(1);
        self.allowance.sound(frames as u64, spec.rate())?;
        if let Some((_, downmix)) = &self.layout {
            self.stereo.clear();
            downmix.apply(&self.interleaved, &mut self.stereo);
        }
        self.output.push(&mut self.stereo)?;
        Ok(true)
    }

    /// Tries once more with a new decoder: that of MPEG audio is bound to the rate and channels that
    /// it began with, and a stream may change its.
    fn decode_anew(&mut self, source: &Source, packet: &Packet) -> Result<Option<AudioSpec>> {
        if !source.is_mpeg() {
            return Ok(None);
        }
        let mut decoder = new_decoder(&source.codec)?;
        let spec = guarded(|| decode_packet(decoder.as_mut(), packet, &mut self.interleaved));
        let spec = spec.flatten();
        if spec.is_some() {
            self.decoder = decoder;
        }
        Ok(spec)
    }

    /// Where the container left out what it could not make out, keeps the time.
    fn fill_gap(&mut self, source: &Source, packet: &Packet) -> Result<()> {
        if !source.is_flac_file() {
            return Ok(()); // others' ticks are not precise enough
        }
        let next = packet.pts.saturating_add(packet.dur);
        let Some(expected) = self.next_frame.replace(next) else {
            return Ok(());
        };
        match packet.pts.duration_from(expected) {
            Some(gap) if gap > Duration::ZERO => self.lose(gap.get()),
            _ => Ok(()),
        }
    }

    /// Keeps the time of what cannot be decoded.
    fn lose(&mut self, frames: u64) -> Result<()> {
        const LONGEST_SECONDS: u64 = 10; // more is rather a wrong number than a loss
        self.losses += 1;
        self.first_loss.get_or_insert(self.output.frames_out);
        let Some((spec, _)) = &self.layout else {
            return Ok(());
        };
        let frames = frames.min(LONGEST_SECONDS * u64::from(spec.rate()));
        self.allowance.sound(frames, spec.rate())?;
        self.output.push_silence(frames)
    }

    /// Follows a change of rate or channels.
    fn adapt(&mut self, spec: &AudioSpec) -> Result<()> {
        if self.layout.as_ref().is_some_and(|(old, _)| old == spec) {
            return Ok(());
        }
        let Some(downmix) = Downmix::new(spec.channels()) else {
            let text = "this layout of channels is not supported; convert the file to stereo";
            return Err(DecodeError::Unsupported(text.into()).into());
        };
        if let Some((old, _)) = &self.layout {
            let at = clock(self.output.frames_out);
            if old.rate() != spec.rate() {
                self.rate_changed = true;
                self.warnings.push(format!("the sample rate changes at {at}"));
            }
            if old.channels().count() != spec.channels().count() {
                self.warnings.push(format!("the number of channels changes at {at}"));
            }
        }
        if downmix.channels() > 2 {
            self.warnings.push(format!("folded down from {}", layout_name(spec.channels())));
        }
        if self.output.rate() != spec.rate() {
            self.output.change_rate(spec.rate())?;
        }
        self.first.get_or_insert_with(|| spec.clone());
        self.layout = Some((spec.clone(), downmix));
        Ok(())
    }

    fn finish(mut self, source: &Source, end: Ending) -> Result<Heard> {
        if self.failed * 2 > self.packets {
            let text = "nearly nothing of this file can be decoded: it is damaged, or no audio";
            return Err(DecodeError::Damaged(text.into()).into());
        }
        // MPEG audio has no proper end: a file that was cut off ends like a whole one.
        let all_came = source.promised.is_none_or(|promised| self.output.frames_in >= promised);
        self.output.finish(end == Ending::Complete && all_came)?;
        let Some(first) = &self.first else {
            return Err(nothing_heard(source, end).into());
        };
        let frames = self.output.frames_out;
        if frames == 0 {
            return Err(nothing_heard(source, end).into());
        }
        let format = AudioFormat {
            sample_rate: first.rate(),
            channels: first.channels().count() as u16,
            frames: (!self.rate_changed).then_some(self.output.frames_in),
            ..source.format.clone()
        };
        self.warn_of_damage(source, end);
        let warning = warning_of(self.warnings);
        Ok(Heard { format, frames, warning })
    }

    fn warn_of_damage(&mut self, source: &Source, end: Ending) {
        const TOLERANCE_SECONDS: f64 = 0.05;
        let at = clock(self.output.frames_out);
        let rate = f64::from(self.first.as_ref().map_or(SAMPLE_RATE, AudioSpec::rate));
        let heard = self.output.frames_in as f64 / rate;
        if end == Ending::Damaged {
            let text = format!("damaged or different after {at}: what follows could not be read");
            self.warnings.push(text);
        } else if let Some(promised) = source.promised {
            let whole = promised as f64 / rate;
            if whole - heard > TOLERANCE_SECONDS {
                let whole = clock((whole * f64::from(SAMPLE_RATE)) as u64);
                self.warnings.push(format!("cut off after {at} of {whole}"));
            }
        } else if end == Ending::CutOff && !source.is_wav() {
            self.warnings.push(format!("cut off after {at}"));
        }
        if let Some(first) = self.first_loss {
            let places = if self.losses == 1 { "place" } else { "places" };
            let (count, at) = (self.losses, clock(first));
            self.warnings.push(format!("damaged in {count} {places} from {at} on, silent there"));
        }
        if self.output.not_finite > 0 {
            let count = self.output.not_finite;
            self.warnings.push(format!("{count} samples that were no numbers are silent"));
        }
    }
}

/// Decodes `packet` into `interleaved`; `None` where that fails.
fn decode_packet(
    decoder: &mut dyn AudioDecoder,
    packet: &Packet,
    interleaved: &mut Vec<f32>,
) -> Option<AudioSpec> {
    let buffer = decoder.decode(packet).ok()?;
    buffer.copy_to_vec_interleaved(interleaved);
    Some(buffer.spec().clone())
}

/// Symphonia 0.6.1 panics on the 33 bits of such a frame's side channel.
fn is_joint_32_bit_flac(source: &Source, packet: &Packet) -> bool {
    let joint = packet.data.get(3).is_some_and(|byte| (8..=10).contains(&(byte >> 4)));
    source.codec.codec == CODEC_ID_FLAC && source.codec.bits_per_sample == Some(32) && joint
}

/// Where the channels or the rate of a FLAC stream change, Symphonia hands out all that follows as
/// one packet. Told by the size: no frame is longer than its samples as they are.
fn holds_more_than_a_flac_frame(source: &Source, packet: &Packet) -> bool {
    const HEADERS: u64 = 1024;
    const WIDEST_SAMPLE_BYTES: u64 = 5; // the side channel of 32 bits has 33
    let channels = source.codec.channels.as_ref().map_or(8, Channels::count) as u64;
    let longest = packet.block_dur().get().saturating_mul(channels * WIDEST_SAMPLE_BYTES);
    source.is_flac_file() && packet.data.len() as u64 > longest.saturating_add(HEADERS)
}

fn nothing_heard(source: &Source, end: Ending) -> DecodeError {
    match end {
        Ending::Complete if source.promised.unwrap_or(0) == 0 => {
            DecodeError::Empty("there is no sound in this file".into())
        }
        Ending::Complete | Ending::CutOff => {
            DecodeError::Damaged(format!("the file is cut off before its sound begins; {AGAIN}"))
        }
        Ending::Damaged => {
            DecodeError::Damaged(format!("the file is damaged where its sound begins; {AGAIN}"))
        }
    }
}

/// The warnings in one line; of many, the first few.
fn warning_of(mut warnings: Vec<String>) -> Option<String> {
    const MOST: usize = 4;
    warnings.dedup();
    let more = warnings.len().saturating_sub(MOST);
    warnings.truncate(MOST);
    if more > 0 {
        warnings.push(format!("and {more} more"));
    }
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

/// Minutes and seconds of a number of frames at [`SAMPLE_RATE`].
fn clock(frames: u64) -> String {
    let seconds = frames / u64::from(SAMPLE_RATE);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}
