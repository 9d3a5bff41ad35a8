//! The feeder: reads the track ahead of the play head into the current deck's ring, on its own
//! thread, the only one of the player's that touches a disk. It also frees the decks that come
//! back from the callback, and tells the window when the track has ended.

use std::{sync::Arc, time::Duration};

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Track,
    coverage::Coverage,
    deck::{Deck, Part, STEMS_AT, stride},
    mixer::Mixer,
    ramp::FADE_FRAMES,
    shared::{Shared, Wanted},
};

/// Frames a deck holds, 0.74 s: outlasts a disk that is slow to answer, and a sound server that
/// takes half a second in one gulp when it starts. Costs no time: gains act behind the ring.
const DECK_FRAMES: usize = 32_768;

/// Frames read in one go.
const CHUNK_FRAMES: usize = 1024;

/// Frames that are read before a deck is sent off, 93 ms.
const PREFILL_FRAMES: usize = 4096;

/// How far ahead of the callback a refreshed deck takes over, in frames: 93 ms, while which it is
/// prepared.
const HORIZON_FRAMES: u64 = 4096;

/// How often the feeder looks while playing.
const PERIOD: Duration = Duration::from_millis(20);

/// Decks that may be on their way; more wait for the callback to take these up.
const DECKS_ARRIVING: usize = 4;

/// Decks there may be at once: on their way, and next, current and leaving in the mixer.
const DECKS: usize = DECKS_ARRIVING + 4;

/// See the module.
pub(super) struct Feeder {
    shared: Arc<Shared>,
    arriving: Producer<Box<Deck>>,
    returned: Consumer<Box<Deck>>,
    /// Decks that are not here: the mixer's own first one, and what was sent and has not returned.
    out: usize,
    line: Line,
    was_playing: bool,
}

impl Feeder {
    /// A feeder and the mixer it feeds.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, Mixer) {
        let (arriving, arrived) = RingBuffer::new(DECKS_ARRIVING);
        let (returning, returned) = RingBuffer::new(DECKS);
        let mixer = Mixer::new(Arc::clone(&shared), arrived, returning);
        let line = Line::idle();
        (Self { shared, arriving, returned, out: 1, line, was_playing: false }, mixer)
    }

    /// Works until the player is dropped.
    pub(super) fn run(mut self) {
        loop {
            let wanted = self.shared.wanted();
            if wanted.quit {
                return;
            }
            let served = self.serve(&wanted);
            let playing = self.shared.is_playing();
            if self.was_playing && !playing {
                self.shared.tell();
            }
            self.was_playing = playing;
            let again = (playing || !served).then_some(PERIOD);
            self.shared.wait_for_change(wanted.version, again);
        }
    }

    /// Does what is wanted as far as there is room; says whether all is done.
    pub(super) fn serve(&mut self, wanted: &Wanted) -> bool {
        while let Ok(deck) = self.returned.pop() {
            self.out -= 1;
            drop(deck);
        }
        let served = self.line.is_of(wanted) || self.open(wanted);
        while self.line.fill() > 0 {
            if self.shared.has_changed(wanted.version) {
                return false;
            }
        }
        served
    }

    /// Starts reading where `wanted` says, and sends the deck off; says whether there was room.
    fn open(&mut self, wanted: &Wanted) -> bool {
        let mut start = wanted.target;
        if self.line.generation == wanted.generation {
            if self.out > 1 {
                return false; // one at a time: a deck that never gets to play bridges nothing
            }
            if let Some(position) = self.shared.followed_position(wanted) {
                start = position;
            }
            if self.shared.is_playing() {
                // What is already buffered must last through the cross-fade.
                let buffered = self.line.next.saturating_sub(u64::from(FADE_FRAMES));
                start = (start + HORIZON_FRAMES).min(buffered).max(start);
            }
            if start >= self.line.end {
                self.line.refresh = wanted.refresh;
                return true;
            }
        } else if self.out >= DECKS || self.arriving.is_full() {
            return false;
        }
        let (line, deck) = Line::open(wanted, start);
        self.line = line;
        let mut filled = 0;
        while filled < PREFILL_FRAMES {
            match self.line.fill() {
                0 => break,
                frames => filled += frames,
            }
        }
        if self.arriving.push(Box::new(deck)).is_ok() {
            self.out += 1;
        }
        self.shared.wake_stream();
        true
    }
}

/// The end of a deck that is being filled.
struct Line {
    track: Option<Arc<dyn Track>>,
    ring: Producer<f32>,
    stems: usize,
    generation: u64,
    refresh: u64,
    /// The next frame to be read.
    next: u64,
    end: u64,
    coverage: Coverage,
    stereo: Vec<f32>,
    lanes: Vec<f32>,
    /// Whether a read failed: said once, silence is fed instead.
    failed: bool,
}

impl Line {
    /// No track.
    fn idle() -> Self {
        Self::open(&Wanted::default(), 0).0
    }

    /// Opens a line and its deck at frame `start`.
    fn open(wanted: &Wanted, start: u64) -> (Self, Deck) {
        let Wanted { track, gains, generation, refresh, .. } = wanted.clone();
        let end = track.as_ref().map_or(0, |track| track.frames());
        let stems = gains.len();
        let ahead = (DECK_FRAMES as u64).min(end.saturating_sub(start)).max(1) as usize;
        let (ring, deck) = Deck::new(Part { generation, start, end, gains }, ahead);
        let line = Self {
            track,
            ring,
            stems,
            generation,
            refresh,
            next: start,
            end,
            coverage: Coverage::default(),
            stereo: vec![0.0; 2 * CHUNK_FRAMES],
            lanes: vec![0.0; stride(stems) * CHUNK_FRAMES],
            failed: false,
        };
        (line, deck)
    }

    fn is_of(&self, wanted: &Wanted) -> bool {
        self.generation == wanted.generation && self.refresh == wanted.refresh
    }

    /// Reads up to a chunk, whole frames only; says how many: 0 when the ring is full or the track
    /// at its end.
    fn fill(&mut self) -> usize {
        let Some(track) = self.track.clone() else { return 0 };
        let stride = stride(self.stems);
        let room = (self.ring.slots() / stride).min(CHUNK_FRAMES);
        let frames = (self.end.saturating_sub(self.next)).min(room as u64) as usize;
        if frames == 0 {
            return 0;
        }
        let lanes = &mut self.lanes[..frames * stride];
        let mut any = false;
        for (i, lane) in lanes.chunks_exact_mut(stride).enumerate() {
            lane[0] = self.coverage.weight(&*track, self.next + i as u64);
            any |= lane[0] > 0.0;
        }
        let stereo = &mut self.stereo[..2 * frames];
        for source in 0..=self.stems {
            let read = match source {
                0 => track.read_original(self.next, stereo),
                _ if !any => {
                    stereo.fill(0.0);
                    Ok(())
                }
                _ => track.read_stem(source - 1, self.next, stereo),
            };
            if let Err(error) = read {
                stereo.fill(0.0);
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::warn!("reading the song to play it failed, so it is silent: {error}");
                }
            }
            let at = if source == 0 { 1 } else { STEMS_AT + 2 * (source - 1) };
            for (lane, frame) in lanes.chunks_exact_mut(stride).zip(stereo.chunks_exact(2)) {
                lane[at..at + 2].copy_from_slice(frame);
            }
        }
        if self.ring.push_entire_slice(lanes).is_err() {
            return 0;
        }
        self.next += frames as u64;
        frames
    }
}
