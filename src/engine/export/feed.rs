//! Source of an export: the original and the stems, block by block, at the files' rate and channel
//! count.
//!
//! The stores hold stereo at [`SAMPLE_RATE`]. For another rate, the stems are resampled and the
//! original is decoded again from the user's file. That loses nothing and keeps frequencies above
//! the model's range. The feed runs on the export thread; a separate thread decodes the file a few
//! blocks ahead.
//!
//! For another key or speed, all lanes pass one [`Stretch`] that the stored mix leads. Its frames
//! are thus at the same places in each file of a song, also in files of separate exports, and the
//! changed stems add up to the changed song.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crossbeam_channel::{Receiver, bounded};

use super::{Form, Origin};
use crate::engine::{
    audio::{
        decode::{self, DecodeError},
        repitch::Stretch,
        resample::Resampler,
    },
    player::Track,
    problem::{Activity, Problem, Result},
    system::{
        panics::caught,
        threads::{self, Thread},
    },
    types::{CHANNELS, CancelToken, SAMPLE_RATE},
};

/// Number of frames read from a store at a time.
const STORE_FRAMES: u64 = 1 << 14;

/// Capacity of the queue of decoded blocks.
const BLOCKS_AHEAD: usize = 4;

/// One block of all lanes, interleaved, with the files' channel count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Number of frames in each lane.
    pub frames: usize,
    /// Samples of the original; empty if no item needs it.
    pub original: Vec<f32>,
    /// Samples of the needed stems, by stem index.
    pub stems: BTreeMap<usize, Vec<f32>>,
}

impl Block {
    /// Samples of a stem, or of the original.
    pub fn whole(&self, stem: Option<usize>) -> &[f32] {
        stem.map_or(&self.original, |stem| &self.stems[&stem])
    }
}

/// Reads the song from the first frame to the last.
pub struct Feed<'a> {
    original: Option<Original<'a>>,
    stems: BTreeMap<usize, StoreReader<'a>>,
    change: Option<Change<'a>>,
    channels: u16,
    frames_left: u64,
    stereo: Vec<f32>,
}

/// A change of key or speed: lane 0 is the stored mix, then come the original and the stems.
struct Change<'a> {
    lead: StoreReader<'a>,
    stretch: Stretch,
    /// Finished samples of all lanes but the lead.
    ready: Vec<Vec<f32>>,
}

enum Original<'a> {
    Store(Box<StoreReader<'a>>),
    File(FileReader),
}

impl<'a> Feed<'a> {
    /// Creates a feed of these stems and optionally of the original, `form.frames` long.
    ///
    /// # Errors
    /// Fails if the rate cannot be converted or the decoder thread cannot be started.
    pub fn new(
        track: &'a dyn Track,
        origin: &Origin,
        form: &Form,
        wants_original: bool,
        stems: &BTreeSet<usize>,
    ) -> Result<Self> {
        let store = |lane| StoreReader::new(track, lane, form.rate);
        let original = match wants_original {
            false => None,
            true if origin.is_better_than_store(form.rate) => {
                if !origin.is_at_hand {
                    return Err(origin.is_needed());
                }
                Some(Original::File(FileReader::start(&origin.path, origin.track, form.rate)?))
            }
            true => Some(Original::Store(Box::new(store(None)?))),
        };
        let change = if form.key_speed.is_plain() {
            None
        } else {
            let lanes = usize::from(original.is_some()) + stems.len();
            Some(Change {
                lead: store(None)?,
                stretch: Stretch::new(form.rate, 1 + lanes, form.key_speed.factors())
                    .map_err(DecodeError::from)?,
                ready: vec![Vec::new(); lanes],
            })
        };
        let stems = stems.iter().map(|&stem| Ok((stem, store(Some(stem))?)));
        Ok(Self {
            original,
            stems: stems.collect::<Result<_>>()?,
            change,
            channels: form.channels,
            frames_left: form.frames,
            stereo: Vec::new(),
        })
    }

    /// Reads at most `most` frames into `block`; returns false at the end.
    ///
    /// # Errors
    /// Fails if a store cannot be read or the file cannot be decoded.
    pub fn next(&mut self, most: usize, block: &mut Block) -> Result<bool> {
        let frames = self.frames_left.min(most as u64) as usize;
        self.frames_left -= frames as u64;
        block.frames = frames;
        self.change(frames)?;
        let mut lanes = 0..;
        if let Some(original) = &mut self.original {
            match (&mut self.change, lanes.next()) {
                (Some(change), Some(lane)) => change.take(lane, frames, &mut self.stereo),
                _ => original.pull(frames, &mut self.stereo)?,
            }
            narrow(&self.stereo, self.channels, &mut block.original);
        }
        for (&stem, reader) in &mut self.stems {
            match (&mut self.change, lanes.next()) {
                (Some(change), Some(lane)) => change.take(lane, frames, &mut self.stereo),
                _ => reader.pull(frames, &mut self.stereo)?,
            }
            narrow(&self.stereo, self.channels, block.stems.entry(stem).or_default());
        }
        Ok(frames > 0)
    }

    /// Changes key and speed of the next frames, if they are changed.
    fn change(&mut self, frames: usize) -> Result<()> {
        let Some(Change { lead, stretch, ready }) = &mut self.change else { return Ok(()) };
        while ready.first().is_some_and(|lane| lane.len() < frames * CHANNELS) {
            lead.pull(stretch.wanted(0), &mut self.stereo)?;
            stretch.push(0, &self.stereo);
            let first = 1 + usize::from(self.original.is_some());
            if let Some(original) = &mut self.original {
                original.pull(stretch.wanted(1), &mut self.stereo)?;
                stretch.push(1, &self.stereo);
            }
            for (reader, lane) in self.stems.values_mut().zip(first..) {
                reader.pull(stretch.wanted(lane), &mut self.stereo)?;
                stretch.push(lane, &self.stereo);
            }
            stretch.step();
            stretch.discard(0);
            for (lane, ready) in (1..).zip(ready.iter_mut()) {
                stretch.read_all(lane, ready);
            }
        }
        Ok(())
    }
}

impl Original<'_> {
    fn pull(&mut self, frames: usize, out: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Store(reader) => reader.pull(frames, out),
            Self::File(reader) => reader.pull(frames, out),
        }
    }
}

impl Change<'_> {
    fn take(&mut self, lane: usize, frames: usize, out: &mut Vec<f32>) {
        if let Some(ready) = self.ready.get_mut(lane) {
            take(ready, frames, out);
        }
    }
}

/// Copies stereo samples, mixing them to mono if `channels` is 1.
fn narrow(stereo: &[f32], channels: u16, out: &mut Vec<f32>) {
    out.clear();
    if channels == 1 {
        out.extend(stereo.chunks_exact(CHANNELS).map(|frame| f32::midpoint(frame[0], frame[1])));
    } else {
        out.extend_from_slice(stereo);
    }
}

/// Moves the first `frames` of `ready` into `out`, and pads with silence.
fn take(ready: &mut Vec<f32>, frames: usize, out: &mut Vec<f32>) {
    let samples = frames * CHANNELS;
    out.clear();
    out.extend(ready.drain(..samples.min(ready.len())));
    out.resize(samples, 0.0);
}

/// A lane of the song's stores; `None` is the original.
struct StoreReader<'a> {
    track: &'a dyn Track,
    lane: Option<usize>,
    at: u64,
    resampler: Resampler,
    has_ended: bool,
    read: Vec<f32>,
    ready: Vec<f32>,
}

impl<'a> StoreReader<'a> {
    fn new(track: &'a dyn Track, lane: Option<usize>, rate: u32) -> Result<Self> {
        let resampler = Resampler::new(SAMPLE_RATE, rate).map_err(DecodeError::from)?;
        let (read, ready) = (Vec::new(), Vec::new());
        Ok(Self { track, lane, at: 0, resampler, has_ended: false, read, ready })
    }

    fn pull(&mut self, frames: usize, out: &mut Vec<f32>) -> Result<()> {
        while self.ready.len() < frames * CHANNELS && !self.has_ended {
            let count = (self.track.frames() - self.at).min(STORE_FRAMES);
            if count == 0 {
                self.resampler.finish(&mut self.ready).map_err(DecodeError::from)?;
                self.has_ended = true;
                break;
            }
            self.read.resize(count as usize * CHANNELS, 0.0);
            let read = match self.lane {
                None => self.track.read_original(self.at, &mut self.read),
                Some(stem) => self.track.read_stem(stem, self.at, &mut self.read),
            };
            read.map_err(|e| Problem::Stores { cause: e.into() })?;
            self.resampler.push(&self.read, &mut self.ready).map_err(DecodeError::from)?;
            self.at += count;
        }
        take(&mut self.ready, frames, out);
        Ok(())
    }
}

/// The user's file, decoded on another thread.
struct FileReader {
    blocks: Receiver<Vec<f32>>,
    cancel: CancelToken,
    thread: Option<Thread<Result<()>>>,
    ready: Vec<f32>,
}

impl FileReader {
    fn start(path: &Path, track: Option<usize>, rate: u32) -> Result<Self> {
        let (sender, blocks) = bounded(BLOCKS_AHEAD);
        let cancel = CancelToken::default();
        let (token, path) = (cancel.clone(), path.to_owned());
        let work = move || {
            let mut sink = |block: &[f32]| {
                // The receiver is gone: the export has ended.
                sender.send(block.to_vec()).map_err(|_| Problem::Cancelled)
            };
            caught(Activity::ReadingSong, || {
                decode::decode_at(&path, track, rate, &token, &mut sink)
            })
        };
        let thread = threads::start("export decoder", work)?;
        Ok(Self { blocks, cancel, thread: Some(thread), ready: Vec::new() })
    }

    fn pull(&mut self, frames: usize, out: &mut Vec<f32>) -> Result<()> {
        while self.ready.len() < frames * CHANNELS {
            let Ok(block) = self.blocks.recv() else {
                self.join()?;
                break;
            };
            self.ready.extend(block);
        }
        take(&mut self.ready, frames, out);
        Ok(())
    }

    /// Waits for the decoder thread and returns its result.
    fn join(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join()?
    }
}

impl Drop for FileReader {
    fn drop(&mut self) {
        self.cancel.cancel();
        // Disconnect the channel, so that a decoder blocked on a full queue wakes up.
        self.blocks = crossbeam_channel::never();
        if let Err(e) = self.join() {
            tracing::debug!("the export decoder stopped: {e}");
        }
    }
}
