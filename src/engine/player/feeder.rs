//! The feeder thread: reads the track ahead of playback into the current deck's ring. No other
//! thread of the player accesses the disk. The feeder also frees decks that the callback returns,
//! and notifies the window when the track has ended.

use std::{sync::Arc, time::Duration};

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Track,
    compare::Compare,
    coverage::Coverage,
    deck::{Deck, Part, STEMS_AT, stride},
    mixer::Mixer,
    ramp::FADE_FRAMES,
    shared::{Shared, Strips, Wanted},
    timeline::{Stretch, Timeline},
};
use crate::engine::{problem::Activity, system::panics::caught};

/// Frames per deck, 0.74 s. This covers a slow disk, and a sound server that requests half a second
/// at once when it starts. It adds no latency, as gains apply after the ring.
const DECK_FRAMES: usize = 32_768;

/// Number of frames read at once.
const CHUNK_FRAMES: usize = 1024;

/// Number of frames read before a deck is sent, 93 ms. A changed key or speed needs more ahead.
const PREFILL_FRAMES: usize = 4096;

/// Distance ahead of the callback at which a refreshed deck takes over, in frames: 46 ms for its
/// preparation. If that takes longer, the deck takes over slightly later.
const HORIZON_FRAMES: u64 = 2048;

/// Polling interval during playback.
const PERIOD: Duration = Duration::from_millis(20);

/// Maximum number of decks on the way to the callback; further ones wait.
const DECKS_ARRIVING: usize = 4;

/// Maximum number of decks: those on the way, and the mixer's next, current and leaving ones.
const DECKS: usize = DECKS_ARRIVING + 4;

/// State of the feeder thread.
pub(super) struct Feeder {
    shared: Arc<Shared>,
    arriving: Producer<Box<Deck>>,
    returned: Consumer<Box<Deck>>,
    /// Number of decks elsewhere: the mixer's initial one, and those sent but not yet returned.
    out: usize,
    line: Line,
    compare: Compare,
    was_playing: bool,
    /// Generation and refresh of a request that panicked; it is not retried.
    panicked: Option<(u64, u64)>,
}

impl Feeder {
    /// Creates a feeder and the mixer that it feeds.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, Mixer) {
        let (arriving, arrived) = RingBuffer::new(DECKS_ARRIVING);
        let (returning, returned) = RingBuffer::new(DECKS);
        let mixer = Mixer::new(Arc::clone(&shared), arrived, returning);
        let (line, compare) = (Line::idle(), Compare::new());
        let (was_playing, panicked) = (false, None);
        (Self { shared, arriving, returned, out: 1, line, compare, was_playing, panicked }, mixer)
    }

    /// Runs until the player is dropped.
    pub(super) fn run(mut self) {
        loop {
            let wanted = self.shared.wanted();
            if wanted.quit {
                return;
            }
            let served = self.serve(&wanted);
            let playing = self.shared.is_playing();
            if self.was_playing && !playing {
                self.shared.notify();
            }
            self.was_playing = playing;
            let again = (playing || !served).then_some(PERIOD);
            self.shared.wait_for_change(wanted.version, again);
        }
    }

    /// Serves the current request as far as the ring has room; returns whether it is complete. A
    /// panic silences only the current request.
    pub(super) fn serve(&mut self, wanted: &Wanted) -> bool {
        let this = (wanted.generation, wanted.refresh);
        if self.panicked == Some(this) {
            return true;
        }
        caught(Activity::Playing, || Ok(self.obey(wanted))).unwrap_or_else(|_| {
            self.panicked = Some(this);
            self.line = Line::idle();
            true
        })
    }

    fn obey(&mut self, wanted: &Wanted) -> bool {
        while let Ok(deck) = self.returned.pop() {
            self.out -= 1;
            drop(deck);
        }
        let served = self.line.is_of(wanted) || self.open(wanted);
        while self.fill() > 0 {
            if self.shared.has_changed(wanted.version) {
                return false;
            }
        }
        served
    }

    /// Reads a chunk and measures its loudness.
    fn fill(&mut self) -> usize {
        let frames = self.line.fill();
        let lanes = &self.line.lanes[..frames * stride(self.line.stems)];
        if let Some(level) = self.compare.hear(&self.line.strips, lanes) {
            self.shared.set_original_level(level);
        }
        frames
    }

    /// Starts reading at the wanted position and sends the deck; returns whether there was room.
    fn open(&mut self, wanted: &Wanted) -> bool {
        let end = wanted.track.as_ref().map_or(0, |track| track.frames());
        let mut timeline = Timeline { start: 0, frame: wanted.target, end, region: wanted.region };
        if self.line.generation == wanted.generation {
            if self.out > 1 {
                return false; // one at a time: a deck that never plays would not bridge anything
            }
            if let Some(mut timeline_position) = self.shared.followed_timeline_position(wanted) {
                if self.shared.is_playing() {
                    // The buffered frames must last through the crossfade.
                    let buffered =
                        self.line.timeline_position.saturating_sub(u64::from(FADE_FRAMES));
                    timeline_position =
                        (timeline_position + HORIZON_FRAMES).min(buffered).max(timeline_position);
                }
                if timeline_position >= self.line.timeline.length() {
                    self.line.refresh = wanted.refresh;
                    return true;
                }
                timeline = Timeline {
                    start: timeline_position,
                    frame: self.line.timeline.frame_at(timeline_position),
                    ..timeline
                };
            }
        } else if self.out >= DECKS || self.arriving.is_full() {
            return false;
        }
        let (line, deck) = Line::open(wanted, timeline);
        self.line = line;
        let (pitch, speed) = self.shared.key_speed().factors();
        let is_plain = self.shared.key_speed().is_plain();
        let ahead = if is_plain { 1.0 } else { 1.25 * (speed / pitch).max(1.0) };
        let prefill = (ahead * PREFILL_FRAMES as f64) as usize;
        let mut filled = 0;
        while filled < prefill {
            match self.fill() {
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

/// Producer end of a deck that is being filled.
struct Line {
    track: Option<Arc<dyn Track>>,
    ring: Producer<f32>,
    strips: Strips,
    stems: usize,
    generation: u64,
    refresh: u64,
    timeline: Timeline,
    /// Timeline position of the next frame to read.
    timeline_position: u64,
    coverage: Coverage,
    stereo: Vec<f32>,
    lanes: Vec<f32>,
    /// Frames before the loop's start, the target of the fade at its end; read once.
    before_loop: Vec<f32>,
    /// Whether a read failed; this is logged once, and silence is fed instead.
    failed: bool,
}

impl Line {
    /// Creates a line without a track.
    fn idle() -> Self {
        Self::open(&Wanted::default(), Timeline::default()).0
    }

    /// Opens a line and its deck at the start of a timeline.
    fn open(wanted: &Wanted, timeline: Timeline) -> (Self, Deck) {
        let Wanted { track, strips, generation, refresh, .. } = wanted.clone();
        let stems = strips.len().saturating_sub(1);
        let left = timeline.length() - timeline.start;
        let ahead = left.clamp(1, DECK_FRAMES as u64) as usize;
        let (ring, deck) =
            Deck::new(Part { generation, timeline, strips: Arc::clone(&strips) }, ahead);
        let line = Self {
            track,
            ring,
            strips,
            stems,
            generation,
            refresh,
            timeline_position: timeline.start,
            timeline,
            coverage: Coverage::default(),
            stereo: vec![0.0; 2 * CHUNK_FRAMES],
            lanes: vec![0.0; stride(stems) * CHUNK_FRAMES],
            before_loop: Vec::new(),
            failed: false,
        };
        (line, deck)
    }

    fn is_of(&self, wanted: &Wanted) -> bool {
        self.generation == wanted.generation && self.refresh == wanted.refresh
    }

    /// Reads up to a chunk of whole frames. Returns their number, which is 0 if the ring is full or
    /// the track has ended.
    fn fill(&mut self) -> usize {
        let Some(track) = self.track.clone() else { return 0 };
        let stride = stride(self.stems);
        let room = (self.ring.slots() / stride).min(CHUNK_FRAMES);
        let stretch = self.timeline.stretch(self.timeline_position);
        let frames = stretch.frames.min(room as u64) as usize;
        if frames == 0 {
            return 0;
        }
        let mut lanes = std::mem::take(&mut self.lanes);
        self.read(&*track, stretch.frame, &mut lanes[..frames * stride]);
        self.join(&*track, stretch, &mut lanes[..frames * stride]);
        let pushed = self.ring.push_entire_slice(&lanes[..frames * stride]).is_ok();
        self.lanes = lanes;
        if !pushed {
            return 0;
        }
        self.timeline_position += frames as u64;
        if self.timeline.frame_at(self.timeline_position) != stretch.frame + frames as u64 {
            self.coverage = Coverage::default(); // the loop restarted
        }
        frames
    }

    /// Reads whole frames of all lanes.
    fn read(&mut self, track: &dyn Track, start: u64, lanes: &mut [f32]) {
        let stride = stride(self.stems);
        let mut any = false;
        for (frame, lane) in (start..).zip(lanes.chunks_exact_mut(stride)) {
            lane[0] = self.coverage.weight(track, frame);
            any |= lane[0] > 0.0;
        }
        let stereo = &mut self.stereo[..2 * (lanes.len() / stride)];
        for source in 0..=self.stems {
            let read = match source {
                0 => track.read_original(start, stereo),
                _ if !any => {
                    stereo.fill(0.0);
                    Ok(())
                }
                _ => track.read_stem(source - 1, start, stereo),
            };
            if let Err(error) = read {
                stereo.fill(0.0);
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::warn!("could not read the song; playing silence: {error}");
                }
            }
            let at = if source == 0 { 1 } else { STEMS_AT + 2 * (source - 1) };
            for (lane, frame) in lanes.chunks_exact_mut(stride).zip(stereo.chunks_exact(2)) {
                lane[at..at + 2].copy_from_slice(frame);
            }
        }
    }

    /// Smooths a loop's joint: its end fades into the frames before its start, so that the start
    /// follows as in the song. A start without preceding frames fades in from silence.
    fn join(&mut self, track: &dyn Track, stretch: Stretch, lanes: &mut [f32]) {
        let (stride, fade) = (stride(self.stems), self.timeline.fade_frames());
        if let Some(to_joint) = stretch.to_joint {
            if self.before_loop.is_empty() {
                self.read_before_loop(track);
            }
            let before = &self.before_loop[(fade - to_joint) as usize * stride..];
            let lanes = lanes.chunks_exact_mut(stride).zip(before.chunks_exact(stride));
            for (done, (lane, before)) in (fade - to_joint + 1..).zip(lanes) {
                let share = done as f32 / fade as f32;
                for (x, before) in lane.iter_mut().zip(before) {
                    *x = (1.0 - share) * *x + share * before;
                }
            }
        }
        if let Some(from_joint) = stretch.from_joint {
            for (done, lane) in (from_joint + 1..).zip(lanes.chunks_exact_mut(stride)) {
                for x in &mut lane[1..] {
                    *x *= done as f32 / fade as f32;
                }
            }
        }
    }

    /// Reads the frames before the loop's start, or silence if there are not enough.
    fn read_before_loop(&mut self, track: &dyn Track) {
        let (stride, start) = (stride(self.stems), self.timeline.loop_start());
        let fade = self.timeline.fade_frames();
        let mut before = vec![0.0; fade as usize * stride];
        if start >= fade {
            let coverage = std::mem::take(&mut self.coverage);
            self.read(track, start - fade, &mut before);
            self.coverage = coverage;
        }
        // The weight of the stems must match that at the start, which does not fade in.
        let there = Coverage::default().weight(track, start);
        for lane in before.chunks_exact_mut(stride) {
            lane[0] = there;
        }
        self.before_loop = before;
    }
}
