//! The packet loop: decoding, with handling of damage, truncation and format changes.

use std::{io, path::Path, time::Instant};

use symphonia::core::{
    audio::AudioSpec, codecs::audio::well_known::CODEC_ID_AAC, errors::Error, packet::Packet,
};

use super::{
    Damage, DecodeError, Empty, Unsupported,
    bounds::Allowance,
    clock::Clock,
    concealment::Concealment,
    container::{Completeness, Container},
    decoder::{Decoder, is_lossy, is_mpeg},
    downmix::{Downmix, layout_of},
    flac_frame,
    output::{Output, Trim},
    packets::Next,
    plausible::Judge,
    reports::{self, Suspects},
    source::Source,
    tags,
};
use crate::engine::{
    note::{Note, Notes},
    problem::{Problem, Result},
    system::panics::guarded,
    types::{AudioFormat, CancelToken, SAMPLE_RATE},
};

/// Result of decoding a source.
pub struct Heard {
    /// Rate and channels of the first packet.
    pub format: AudioFormat,
    /// Frames passed to the sink.
    pub frames: u64,
    /// Notes about the file.
    pub warning: Notes,
}

/// Decodes all of `source` into `output`. `bound` is the largest plausible magnitude of a sample,
/// unless the codec has its own. `reopen` opens the source again if its parts play in another
/// order. See [`super::decode`].
///
/// # Errors
/// Fails if nothing or less than half can be decoded, if the operation is cancelled, and with the
/// errors of the sink.
pub fn decode(
    mut source: Source,
    path: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
    output: Output<'_>,
    bound: f32,
    reopen: &dyn Fn() -> Result<Source>,
) -> Result<Heard> {
    reports::watch();
    let mut stream = Stream::new(&source, output, bound)?;
    progress(0.0);
    let passes = source.passes.clone();
    let mut end = Ending::Complete;
    for (index, trim) in passes.iter().enumerate() {
        if index > 0 {
            source = reopen()?;
            stream.begin(&source, trim.clone())?;
        }
        let share = |fraction: f32| (index as f32 + fraction) / passes.len() as f32;
        let ended =
            stream.read(&mut source, path, cancel, &mut |fraction| progress(share(fraction)))?;
        stream.end_pass(&source, ended)?;
        end = if ended == Ending::Complete { end } else { ended };
    }
    let heard = stream.finish(&source, path, end)?;
    progress(1.0);
    Ok(heard)
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// After the last packet.
    Complete,
    /// Within a packet.
    CutOff,
    /// At unreadable data.
    Damaged,
}

struct Stream<'a> {
    decoder: Decoder,
    concealment: Concealment<'a>,
    allowance: Allowance,
    /// Layout of the last packet, and its downmix to stereo.
    layout: Option<(AudioSpec, Downmix)>,
    /// Layout of the first packet.
    first: Option<AudioSpec>,
    /// Whether a later packet had another rate than the first.
    rate_changed: bool,
    /// Number of packets, and number of packets that failed to decode.
    packets: u64,
    failed: u64,
    clock: Clock,
    /// Frames lost since the last decoded packet.
    lost: Option<u64>,
    suspects: Suspects,
    warnings: Vec<Note>,
    interleaved: Vec<f32>,
    stereo: Vec<f32>,
}

impl<'a> Stream<'a> {
    fn new(source: &Source, output: Output<'a>, bound: f32) -> Result<Self> {
        let is_lossy = is_lossy(&source.codec);
        let judge = if is_lossy { Judge::of_blocks() } else { Judge::of_samples(bound) };
        Ok(Self {
            decoder: Decoder::new(&source.codec)?,
            concealment: Concealment::new(output, judge),
            allowance: Allowance::new(source.bytes()),
            layout: None,
            first: None,
            rate_changed: false,
            packets: 0,
            failed: 0,
            clock: Clock::new(source),
            lost: None,
            suspects: Suspects::default(),
            warnings: Vec::new(),
            interleaved: Vec::new(),
            stereo: Vec::new(),
        })
    }

    /// Starts another pass over the stream.
    fn begin(&mut self, source: &Source, trim: Trim) -> Result<()> {
        self.decoder = Decoder::new(&source.codec)?;
        self.allowance = Allowance::new(source.bytes());
        self.clock = Clock::new(source);
        self.concealment.output.begin(trim);
        Ok(())
    }

    /// Reads the stream to its end, or to the end of its audible parts.
    fn read(
        &mut self,
        source: &mut Source,
        path: &Path,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Ending> {
        let mut shown = 0.0;
        loop {
            if cancel.is_cancelled() {
                return Err(Problem::Cancelled);
            }
            if self.concealment.output.is_full() {
                return Ok(Ending::Complete);
            }
            let since = Instant::now();
            let Some(next) = guarded(|| source.next()) else { return Ok(Ending::Damaged) };
            self.allowance.time(since.elapsed())?;
            match next {
                Ok(Next::Packet(packet)) => {
                    self.allowance.packet(packet.data.len())?;
                    if source.is_ours(&packet) {
                        let goes_on = self.take(source, &packet)?;
                        let is_several = source.container == Container::Flac
                            && flac_frame::holds_more_than_one(&source.codec, &packet);
                        if !goes_on || is_several {
                            return Ok(Ending::Damaged);
                        }
                    }
                }
                Ok(Next::Lost(frames)) => {
                    self.allowance.packet(0)?;
                    self.lose(frames);
                }
                Ok(Next::End) => return Ok(Ending::Complete),
                Ok(Next::CutOff) => return Ok(Ending::CutOff),
                Ok(Next::Reset) => {
                    self.allowance.packet(0)?;
                    source.next_chapter()?;
                    self.decoder = Decoder::new(&source.codec)?;
                }
                Err(Error::IoError(_)) if cancel.is_cancelled() => {
                    return Err(Problem::Cancelled);
                }
                Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Ending::CutOff);
                }
                Err(Error::IoError(error)) => {
                    return Err(Problem::input(path, error));
                }
                Err(_) => return Ok(Ending::Damaged),
            }
            let fraction = source.fraction();
            if fraction - shown >= 0.005 {
                shown = fraction;
                progress(shown);
            }
        }
    }

    /// Decodes one packet. Returns false if the stream cannot be continued.
    fn take(&mut self, source: &Source, packet: &Packet) -> Result<bool> {
        self.packets += 1;
        let gap = self.clock.gap(source, packet, self.lost.is_some());
        self.lose_any(gap);
        self.suspects.reach(source.doubts_until(packet), self.position());
        if flac_frame::is_joint_32_bits(&source.codec, packet) {
            return Err(DecodeError::Unsupported(Unsupported::JointFlac).into());
        }
        reports::take();
        let (decoder, since) = (&mut self.decoder, Instant::now());
        let samples = &mut self.interleaved;
        let decoded = if source.is_refused(packet) {
            Some(None)
        } else {
            guarded(|| decoder.decode(packet, samples))
        };
        self.allowance.time(since.elapsed())?;
        let spec = match decoded {
            Some(Some(_)) if self.is_muted(source, packet) => {
                self.decode_with_new_decoder(source, packet)?
            }
            Some(Some(spec)) => Some(spec),
            Some(None) => self.decode_with_new_decoder(source, packet)?,
            None if source.is_doubtful(packet) => {
                self.decoder = Decoder::new(&source.codec)?;
                None
            }
            None => return Ok(false),
        };
        let Some(spec) = spec else {
            self.failed += 1;
            self.lose(self.clock.lost_with(source, packet));
            return Ok(true);
        };
        let channels = spec.channels().count().max(1);
        let missing = self.clock.fit(source, packet, &mut self.interleaved, channels);
        self.lose_any(missing);
        if self.interleaved.is_empty() {
            return Ok(true);
        }
        let is_reported = reports::take() > 0;
        let is_behind_loss = self.is_behind_loss();
        // Packets after a loss only lack the data of earlier packets.
        if is_reported && !is_behind_loss {
            self.suspect();
        }
        let is_doubtful = is_reported || is_behind_loss || source.is_doubtful(packet);
        self.adapt(&spec)?;
        self.stereo.clear();
        if let Some((_, downmix)) = &self.layout {
            downmix.apply(&self.interleaved, &mut self.stereo);
        }
        self.pass_lost()?;
        let frames = (self.interleaved.len() / channels) as u64;
        self.clock.advance(source, packet, frames);
        self.allowance.sound(frames, spec.rate())?;
        self.concealment.push(&self.stereo, is_doubtful)?;
        Ok(true)
    }

    /// Counts a packet that was decoded although its data is damaged. The first packets are excluded:
    /// after a cut, they lack the data of earlier packets.
    fn suspect(&mut self) {
        const BEHIND_A_CUT: u64 = 10;
        if self.packets > BEHIND_A_CUT {
            self.suspects.report(self.position());
        }
    }

    /// Whether packets were lost just before, or less than a quarter of a second ago.
    fn is_behind_loss(&self) -> bool {
        const SHORTLY_FRAMES: u64 = SAMPLE_RATE as u64 / 4;
        let last = self.concealment.last_loss;
        self.lost.is_some() || last.is_some_and(|last| self.position() < last + SHORTLY_FRAMES)
    }

    /// Frames of the output so far.
    fn position(&self) -> u64 {
        self.concealment.output.frames_out
    }

    /// Whether an AAC packet with sound decoded to silence, because a damaged packet before it may
    /// have changed the decoder's channels.
    fn is_muted(&self, source: &Source, packet: &Packet) -> bool {
        const LONGEST_SILENT_BYTES: usize = 100;
        source.codec.codec == CODEC_ID_AAC
            && packet.data.len() > LONGEST_SILENT_BYTES
            && self.interleaved.iter().all(|&sample| sample == 0.0)
    }

    /// Decodes the packet with a new decoder. An MPEG audio decoder is bound to its initial rate
    /// and channels, but a stream may change them. An AAC decoder keeps wrong settings from a
    /// damaged packet.
    fn decode_with_new_decoder(
        &mut self,
        source: &Source,
        packet: &Packet,
    ) -> Result<Option<AudioSpec>> {
        if !is_mpeg(&source.codec) && source.codec.codec != CODEC_ID_AAC {
            return Ok(None);
        }
        let mut decoder = Decoder::new(&source.codec)?;
        let spec = guarded(|| decoder.decode(packet, &mut self.interleaved)).flatten();
        if spec.is_some() {
            self.decoder = decoder;
        }
        Ok(spec)
    }

    /// Records lost frames; they are filled in once another packet follows.
    fn lose(&mut self, frames: u64) {
        self.lost = Some(self.lost.unwrap_or(0).saturating_add(frames));
    }

    fn lose_any(&mut self, frames: u64) {
        if frames > 0 {
            self.lose(frames);
        }
    }

    /// Passes lost frames on, once their rate is known.
    fn pass_lost(&mut self) -> Result<()> {
        const LONGEST_SECONDS: u64 = 60; // a longer gap is more likely a wrong number than a loss
        let (Some(frames), Some((spec, _))) = (self.lost.take(), &self.layout) else {
            return Ok(());
        };
        let frames = frames.min(LONGEST_SECONDS * u64::from(spec.rate()));
        self.allowance.sound(frames, spec.rate())?;
        self.concealment.lose(frames)
    }

    /// Adapts to a change of rate or channels.
    fn adapt(&mut self, spec: &AudioSpec) -> Result<()> {
        if self.layout.as_ref().is_some_and(|(old, _)| old == spec) {
            return Ok(());
        }
        let Some(downmix) = Downmix::new(spec.channels()) else {
            return Err(DecodeError::Unsupported(Unsupported::Layout).into());
        };
        if let Some((old, _)) = &self.layout {
            let at = self.position();
            if old.rate() != spec.rate() {
                self.rate_changed = true;
                self.warnings.push(Note::RateChange { at });
            }
            if old.channels().count() != spec.channels().count() {
                self.warnings.push(Note::ChannelChange { at });
            }
        }
        if downmix.channels() > 2 {
            self.warnings.push(Note::FoldedDown(layout_of(spec.channels())));
        }
        if self.concealment.output.rate() != spec.rate() {
            self.concealment.change_rate(spec.rate())?;
        }
        self.first.get_or_insert_with(|| spec.clone());
        self.layout = Some((spec.clone(), downmix));
        Ok(())
    }

    /// Ends one pass over the stream.
    fn end_pass(&mut self, source: &Source, end: Ending) -> Result<()> {
        if end == Ending::Complete {
            self.suspects.reach(source.doubts.len(), self.position());
        }
        // At the end of a truncated file, nothing but its remainder is missing.
        if end != Ending::Complete || source.completeness == Completeness::CutOff {
            self.lost = None;
        }
        self.pass_lost()?;
        self.concealment.end()?;
        // MPEG audio has no end marker. A truncated file ends like a complete one, and a stream
        // beyond its stated end has its padding elsewhere.
        let output = &mut self.concealment.output;
        let all_came = source.promised.is_none_or(|promised| output.frames_in == promised);
        output.end(end == Ending::Complete && all_came)
    }

    fn finish(mut self, source: &Source, path: &Path, end: Ending) -> Result<Heard> {
        if self.failed * 2 > self.packets {
            return Err(DecodeError::Damaged(Damage::Mostly).into());
        }
        self.concealment.output.finish()?;
        let frames = self.position();
        let Some(first) = self.first.as_ref().filter(|_| frames > 0) else {
            return Err(nothing_heard(source, end).into());
        };
        let format = AudioFormat {
            sample_rate: first.rate(),
            channels: first.channels().count() as u16,
            frames: (!self.rate_changed).then_some(self.concealment.output.frames_in),
            ..source.format.clone()
        };
        self.warn_of_damage(source, end);
        self.warn_of_change(source, path);
        let warning = Notes::of_file(self.warnings);
        Ok(Heard { format, frames, warning })
    }

    /// Warns of damage that no other sign reveals. MP3 frames have no checksums, but the whole
    /// stream usually has one.
    fn warn_of_change(&mut self, source: &Source, path: &Path) {
        let is_known = |note: &Note| {
            matches!(note, Note::Lost { .. } | Note::Suspect { .. } | Note::Implausible { .. })
        };
        if source.is_altered() && !self.warnings.iter().any(is_known) && !tags::has_gain(path) {
            self.warnings.push(Note::Altered);
        }
    }

    fn warn_of_damage(&mut self, source: &Source, end: Ending) {
        let (at, frames_in) = (self.position(), self.concealment.output.frames_in);
        let missing = source.promised.filter(|&promised| frames_in < promised);
        // A truncated tail may lie entirely after the sound.
        let is_whole = source.promised.is_some() && missing.is_none();
        if end == Ending::Damaged {
            self.warnings.push(Note::Unreadable { from: at });
        } else if let Some(promised) = missing.filter(|_| is_missing_believed(source)) {
            let rate = f64::from(self.first.as_ref().map_or(SAMPLE_RATE, AudioSpec::rate));
            let whole = (promised as f64 / rate * f64::from(SAMPLE_RATE)) as u64;
            self.warnings.push(Note::CutOff { at, whole: Some(whole) });
        } else if !is_whole
            && (source.completeness == Completeness::CutOff
                || end == Ending::CutOff && missing.is_none() && source.container != Container::Wav)
        {
            self.warnings.push(Note::CutOff { at, whole: None });
        } else if source.completeness == Completeness::Unfinished {
            self.warnings.push(Note::Unfinished);
        }
        if let Some(first) = self.concealment.first_loss {
            self.warnings.push(Note::Lost { places: self.concealment.losses, from: first });
        }
        self.warnings.extend(self.suspects.note(self.packets));
        if let Some(first) = self.concealment.first_implausible {
            let (count, in_blocks) = (self.concealment.implausible(), is_lossy(&source.codec));
            self.warnings.push(Note::Implausible { from: first, count, in_blocks });
        }
    }
}

/// Whether falling short of a stated length proves truncation. The frame count of an info tag is
/// ignored if its byte count contradicts it.
fn is_missing_believed(source: &Source) -> bool {
    !is_mpeg(&source.codec)
        || source.container != Container::Mpeg
        || source.completeness == Completeness::CutOff
}

fn nothing_heard(source: &Source, end: Ending) -> DecodeError {
    match end {
        Ending::Complete if source.promised.unwrap_or(0) == 0 => DecodeError::Empty(Empty::Track),
        Ending::Complete | Ending::CutOff => DecodeError::Damaged(Damage::CutOff),
        Ending::Damaged => DecodeError::Damaged(Damage::AtSound),
    }
}
