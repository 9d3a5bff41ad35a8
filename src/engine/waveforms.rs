//! Waveforms of the open song: peaks read from the stores, sent as they come.
//!
//! Runs on its own thread; opening another song ends the work on the one before.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    CHANNELS, EngineError, Event, Lane, Result, SongId, SongTrack,
    peaks::{FRAMES_PER_PEAK, peaks_of},
    player::Track as _,
    sink::EventSink,
};

/// Bins sent at once: about half a minute.
const BINS_PER_EVENT: usize = 2500;
const WAITING: usize = 4096;

/// The waveform thread.
#[derive(Clone)]
pub(super) struct Waveforms {
    inbox: Sender<Request>,
    opened: Arc<AtomicU64>,
}

struct Request {
    opened: u64,
    song: SongId,
    track: SongTrack,
    what: What,
}

enum What {
    /// The original, and every stem where it is finished.
    All,
    /// Every stem in these frames.
    Stems(Range<u64>),
}

impl Waveforms {
    pub(super) fn start(sink: EventSink) -> Result<Self> {
        let (inbox, requests) = bounded(WAITING);
        let opened = Arc::new(AtomicU64::new(0));
        let current = Arc::clone(&opened);
        std::thread::Builder::new()
            .name("waveforms".into())
            .spawn(move || run(&requests, &current, &sink))
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
        Ok(Self { inbox, opened })
    }

    /// Sends all peaks of a song that was opened.
    pub(super) fn open(&self, song: SongId, track: SongTrack) {
        let opened = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        self.request(Request { opened, song, track, what: What::All });
    }

    /// Sends the peaks of stems that changed in the open song.
    pub(super) fn update(&self, song: SongId, track: SongTrack, frames: Range<u64>) {
        let opened = self.opened.load(Ordering::Relaxed);
        self.request(Request { opened, song, track, what: What::Stems(frames) });
    }

    fn request(&self, request: Request) {
        if self.inbox.try_send(request).is_err() {
            tracing::warn!("too many waveforms are waiting");
        }
    }
}

fn run(requests: &Receiver<Request>, current: &AtomicU64, sink: &EventSink) {
    for request in requests {
        let is_stale = || request.opened != current.load(Ordering::Relaxed);
        if let Err(e) = answer(&request, &is_stale, sink) {
            let reason = format!("The waveform cannot be drawn: {e}");
            sink.send(Event::Failed { song: Some(request.song), reason });
        }
    }
}

fn answer(request: &Request, is_stale: &dyn Fn() -> bool, sink: &EventSink) -> std::io::Result<()> {
    let track = &request.track;
    let stems = (0..track.stems()).map(Lane::Stem);
    let work: Vec<(Lane, Range<u64>)> = match &request.what {
        What::All => {
            let covered = track.covered();
            let of_stem = |lane: Lane| covered.iter().map(move |&(a, b)| (lane.clone(), a..b));
            std::iter::once((Lane::Original, 0..track.frames()))
                .chain(stems.flat_map(of_stem))
                .collect()
        }
        What::Stems(frames) => stems.map(|lane| (lane, frames.clone())).collect(),
    };
    for (lane, frames) in work {
        let bins = (frames.start as usize / FRAMES_PER_PEAK)
            ..(frames.end as usize).div_ceil(FRAMES_PER_PEAK);
        for first in bins.clone().step_by(BINS_PER_EVENT) {
            if is_stale() {
                return Ok(());
            }
            let count = BINS_PER_EVENT.min(bins.end - first);
            let start = (first * FRAMES_PER_PEAK) as u64;
            let frames = (count * FRAMES_PER_PEAK).min((track.frames() - start) as usize);
            let mut samples = vec![0.0; frames * CHANNELS];
            match lane {
                Lane::Original => track.read_original(start, &mut samples)?,
                Lane::Stem(stem) => track.read_stem(stem, start, &mut samples)?,
            }
            sink.send(Event::Peaks {
                song: request.song,
                lane: lane.clone(),
                first,
                peaks: peaks_of(&samples).into(),
            });
        }
    }
    Ok(())
}
