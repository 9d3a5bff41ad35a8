//! The player without threads and device: tests drive handle, feeder and mixer block by block, so
//! that every sample is predictable.

mod decks;
mod exported;
mod loops;
mod output_adapter;
mod playing;
mod speeds;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Gains, Inner, Player, Track,
    feeder::Feeder,
    shared::Shared,
    source::{Source, Spares},
};

/// A track whose samples encode their position: the left channel rises slowly, the right is its
/// negative.
struct Rising {
    frames: u64,
    stems: usize,
    /// First frame whose stems are unfinished.
    covered: AtomicU64,
}

/// Left sample of a stem at a frame; exact in f32, as are sums of a few.
fn stem_at(stem: usize, frame: u64) -> f32 {
    (stem + 1) as f32 * frame as f32 / (1u32 << 22) as f32
}

/// Left sample of the original.
fn original_at(frame: u64) -> f32 {
    0.25 - stem_at(0, frame)
}

fn write(start: u64, end: u64, out: &mut [f32], left: impl Fn(u64) -> f32) {
    for (frame, pair) in (start..).zip(out.chunks_exact_mut(2)) {
        let left = if frame < end { left(frame) } else { 0.0 };
        (pair[0], pair[1]) = (left, -left);
    }
}

impl Track for Rising {
    fn frames(&self) -> u64 {
        self.frames
    }
    fn stems(&self) -> usize {
        self.stems
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        write(start, self.frames, out, original_at);
        Ok(())
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let end = self.covered.load(Ordering::Relaxed);
        write(start, end, out, |frame| stem_at(stem, frame));
        Ok(())
    }
    fn covered_at(&self, at: u64) -> (bool, u64) {
        let covered = self.covered.load(Ordering::Relaxed);
        if at < covered { (true, covered) } else { (false, self.frames) }
    }
}

/// A player whose threads are driven by the test.
struct Rig {
    player: Player,
    feeder: Feeder,
    mixer: Box<Source>,
    spares: Spares,
}

impl Rig {
    fn new(track: Arc<dyn Track>) -> Self {
        let (wake_stream, _) = crossbeam_channel::bounded(1);
        let shared = Arc::new(Shared::new(Arc::new(|| {}), wake_stream));
        let (feeder, mixer) = Feeder::new(Arc::clone(&shared));
        let player = Player { inner: Arc::new(Inner { shared, _threads: Vec::new() }) };
        player.load(Some(track));
        let (mixer, spares) = Source::new(mixer, Arc::clone(&player.inner.shared));
        Self { player, feeder, mixer: Box::new(mixer), spares }
    }

    /// Creates a rig with `stems` finished stems of `frames` frames.
    fn rising(stems: usize, frames: u64) -> (Self, Arc<Rising>) {
        let track = Arc::new(Rising { frames, stems, covered: AtomicU64::new(frames) });
        (Self::new(Arc::clone(&track) as Arc<dyn Track>), track)
    }

    fn feed(&mut self) {
        let wanted = self.player.inner.shared.wanted();
        self.feeder.serve(&wanted);
        self.spares.tend(self.player.key_speed());
    }

    /// Plays left samples, fed before every block of 512 frames; checks that the right ones match.
    fn run(&mut self, frames: usize) -> Vec<f32> {
        let mut left = Vec::new();
        while left.len() < frames {
            self.feed();
            left.extend(self.unfed((frames - left.len()).min(512)));
        }
        left
    }

    /// Plays left samples without feeding.
    fn unfed(&mut self, frames: usize) -> Vec<f32> {
        let mut block = vec![f32::NAN; 2 * frames];
        self.mixer.process(&mut block);
        block
            .chunks_exact(2)
            .map(|frame| {
                assert_eq!(frame[0], -frame[1], "channels are swapped or out of sync");
                frame[0]
            })
            .collect()
    }
}

/// Largest difference between neighbouring samples.
fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

/// Gains that are equal on both sides.
fn at_gains(stems: &[f32], residual: f32) -> Gains {
    Gains { stems: stems.iter().map(|&gain| [gain; 2]).collect(), residual: [residual; 2] }
}

fn all_at_one(stems: usize, frame: u64) -> f32 {
    (0..stems).map(|stem| stem_at(stem, frame)).sum()
}
