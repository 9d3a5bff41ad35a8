//! What exports are made of: the original and the stems, block by block, at the files' rate and
//! number of channels.
//!
//! The stores hold stereo at [`SAMPLE_RATE`]. Files at another rate get the stems resampled, and the
//! original from the user's file itself, decoded once more: nothing of it is lost then, and what
//! lies above the model's range is still in it. Runs on the export's thread; the file is decoded on
//! a thread of its own, a few blocks ahead.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crossbeam_channel::{Receiver, bounded};

use super::{Form, Origin};
use crate::engine::{
    audio::{
        decode::{self, DecodeError},
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

/// Frames that are read from a store at a time.
const STORE_FRAMES: u64 = 1 << 14;

/// Decoded blocks that may wait.
const BLOCKS_AHEAD: usize = 4;

/// One block of everything: interleaved, as wide as the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Frames of each.
    pub frames: usize,
    /// The original; empty where nobody needs it.
    pub original: Vec<f32>,
    /// The stems that somebody needs.
    pub stems: BTreeMap<usize, Vec<f32>>,
}

/// Reads it all, from the first frame to the last.
pub struct Feed<'a> {
    original: Option<Original<'a>>,
    stems: BTreeMap<usize, StoreReader<'a>>,
    channels: u16,
    frames_left: u64,
    stereo: Vec<f32>,
}

enum Original<'a> {
    Store(Box<StoreReader<'a>>),
    File(FileReader),
}

impl<'a> Feed<'a> {
    /// A feed of these stems and, if wanted, of the original, `form.frames` long.
    ///
    /// # Errors
    /// When the rate cannot be converted, or the system gives no thread.
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
        let stems = stems.iter().map(|&stem| Ok((stem, store(Some(stem))?)));
        Ok(Self {
            original,
            stems: stems.collect::<Result<_>>()?,
            channels: form.channels,
            frames_left: form.frames,
            stereo: Vec::new(),
        })
    }

    /// Reads at most `most` frames into `block`; false when there are no more.
    ///
    /// # Errors
    /// What the disk says, and the decoder.
    pub fn next(&mut self, most: usize, block: &mut Block) -> Result<bool> {
        let frames = self.frames_left.min(most as u64) as usize;
        self.frames_left -= frames as u64;
        block.frames = frames;
        if let Some(original) = &mut self.original {
            match original {
                Original::Store(reader) => reader.pull(frames, &mut self.stereo)?,
                Original::File(reader) => reader.pull(frames, &mut self.stereo)?,
            }
            narrow(&self.stereo, self.channels, &mut block.original);
        }
        for (&stem, reader) in &mut self.stems {
            reader.pull(frames, &mut self.stereo)?;
            narrow(&self.stereo, self.channels, block.stems.entry(stem).or_default());
        }
        Ok(frames > 0)
    }
}

/// Stereo as it is, or as mono.
fn narrow(stereo: &[f32], channels: u16, out: &mut Vec<f32>) {
    out.clear();
    if channels == 1 {
        out.extend(stereo.chunks_exact(CHANNELS).map(|frame| f32::midpoint(frame[0], frame[1])));
    } else {
        out.extend_from_slice(stereo);
    }
}

/// Gives `out` the first `frames` of `ready`, and silence for those that are missing.
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
                // Nobody listens any more: the export has ended.
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

    /// How the decoder ended.
    fn join(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join()?
    }
}

impl Drop for FileReader {
    fn drop(&mut self) {
        self.cancel.cancel();
        // A decoder that waits for room wakes up when its blocks are not wanted any more.
        self.blocks = crossbeam_channel::never();
        if let Err(e) = self.join() {
            tracing::debug!("the decoder of an export ended: {e}");
        }
    }
}
