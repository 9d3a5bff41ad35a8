//! Waveforms of the open song: peaks computed from the stores and sent in parts. Peaks of whole
//! lanes are cached for the next time.
//!
//! Two threads: one for the whole song, one for the visible section, so that zooming does not wait
//! for the whole. Opening another song or viewing another section cancels the previous work.

use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::peaks::{
    FRAMES_PER_PEAK, Peak,
    file::{PeakFile, PeakWriter},
    peaks_of,
};
use crate::engine::{
    event::{Event, EventSink, Lane},
    player::Track as _,
    problem::{Activity, Problem, Result},
    store::track::SongTrack,
    system::{panics::caught, threads},
    types::{CHANNELS, SongId},
};

/// Frames read at once: about half a minute.
const FRAMES_AT_ONCE: usize = 2500 * FRAMES_PER_PEAK;
/// Maximum number of bins of a close-up.
const DETAIL_BINS: u64 = 32_768;
const WAITING: usize = 4096;

/// Handle of the waveform threads.
#[derive(Clone)]
pub(in crate::engine) struct Waveforms {
    whole: Line,
    close: Line,
}

/// Inbox of one thread, and the number of the current request.
#[derive(Clone)]
struct Line {
    inbox: Sender<Request>,
    current: Arc<AtomicU64>,
}

struct Request {
    /// Number of this request; stale once the line's current number differs.
    number: u64,
    song: SongId,
    track: SongTrack,
    scope: Scope,
}

enum Scope {
    /// The original, and every stem where it is finished.
    All,
    /// Every stem in a range of frames.
    Stems(Range<u64>),
    /// Every lane in a range of frames, with the number of frames per bin.
    Detail(Range<u64>, usize),
}

impl Waveforms {
    pub(in crate::engine) fn start(sink: &EventSink) -> Result<Self> {
        let whole = Line::start("waveforms", sink.clone())?;
        Ok(Self { whole, close: Line::start("close-waveforms", sink.clone())? })
    }

    /// Sends all peaks of a song that was opened.
    pub(in crate::engine) fn open(&self, song: SongId, track: SongTrack) {
        self.close.turn();
        let number = self.whole.turn();
        self.whole.request(Request { number, song, track, scope: Scope::All });
    }

    /// Sends the peaks of stems that changed in the open song.
    pub(in crate::engine) fn update(&self, song: SongId, track: SongTrack, frames: Range<u64>) {
        let number = self.whole.current.load(Ordering::Relaxed);
        self.whole.request(Request { number, song, track, scope: Scope::Stems(frames) });
    }

    /// Sends peaks of a section with this many frames per bin, and cancels the previous section.
    pub(in crate::engine) fn detail(
        &self,
        song: SongId,
        track: SongTrack,
        frames: Range<u64>,
        frames_per_peak: usize,
    ) {
        let (number, each) = (self.close.turn(), frames_per_peak.max(1));
        let end = frames.end.min(frames.start.saturating_add(DETAIL_BINS * each as u64));
        let scope = Scope::Detail(frames.start..end.min(track.frames()), each);
        self.close.request(Request { number, song, track, scope });
    }
}

impl Line {
    fn start(name: &str, sink: EventSink) -> Result<Self> {
        let (inbox, requests) = bounded(WAITING);
        let current = Arc::new(AtomicU64::new(0));
        let line = Self { inbox, current: Arc::clone(&current) };
        // Detached: it ends with its channel, and leaves nothing behind.
        threads::start(name, move || run(&requests, &current, &sink))?.detach();
        Ok(line)
    }

    /// Makes all waiting requests stale; returns the number of the next.
    fn turn(&self) -> u64 {
        self.current.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn request(&self, request: Request) {
        if self.inbox.try_send(request).is_err() {
            tracing::warn!("too many waveforms are waiting");
        }
    }
}

fn run(requests: &Receiver<Request>, current: &AtomicU64, sink: &EventSink) {
    for request in requests {
        let is_stale = || request.number != current.load(Ordering::Relaxed);
        let drawn = caught(Activity::DrawingWaveform, || {
            answer(&request, &is_stale, sink).map_err(|e| Problem::Waveform { cause: e.into() })
        });
        if let Err(e) = drawn {
            sink.send(Event::Failed { request: None, song: Some(request.song), problem: e });
        }
    }
}

fn answer(request: &Request, is_stale: &dyn Fn() -> bool, sink: &EventSink) -> io::Result<()> {
    let track = &request.track;
    let covered = track.covered();
    let within = |frames: Range<u64>| -> Vec<Range<u64>> {
        let cut = |&(a, b): &(u64, u64)| a.max(frames.start)..b.min(frames.end);
        covered.iter().map(cut).filter(|frames| !frames.is_empty()).collect()
    };
    let responder = Responder { request, sink, is_stale };
    match &request.scope {
        Scope::All => {
            let whole = 0..track.frames();
            responder.whole(false, vec![whole.clone()], &[track.peaks_of_original()?])?;
            responder.whole(true, within(whole), &track.peaks_of_stems()?)
        }
        Scope::Stems(frames) => {
            responder.made(true, vec![frames.clone()], FRAMES_PER_PEAK, &mut [])
        }
        Scope::Detail(frames, each) => {
            responder.made(false, vec![frames.clone()], *each, &mut [])?;
            responder.made(true, within(frames.clone()), *each, &mut [])
        }
    }
}

/// Sender of the answers to one request.
struct Responder<'a> {
    request: &'a Request,
    sink: &'a EventSink,
    is_stale: &'a dyn Fn() -> bool,
}

impl Responder<'_> {
    /// Sends the original, or the finished parts of stems and residual. Uses cached peaks from
    /// `files`; otherwise computes and caches them.
    fn whole(
        &self,
        is_of_stems: bool,
        frames: Vec<Range<u64>>,
        files: &[PeakFile],
    ) -> io::Result<()> {
        if !files.is_empty() && self.kept(is_of_stems, files)? {
            return Ok(());
        }
        let mut writers = begin(files).unwrap_or_else(|e| not_kept(&e));
        self.made(is_of_stems, frames, FRAMES_PER_PEAK, &mut writers)?;
        if !(self.is_stale)() {
            let kept = writers.into_iter().flatten().try_for_each(PeakWriter::finish);
            kept.unwrap_or_else(|e| drop(not_kept(&e)));
        }
        Ok(())
    }

    /// Sends cached peaks; returns false if there are none.
    fn kept(&self, is_of_stems: bool, files: &[PeakFile]) -> io::Result<bool> {
        let Some(readers) = files.iter().map(PeakFile::open).collect::<Option<Vec<_>>>() else {
            return Ok(false);
        };
        let last = readers.len() - 1;
        for (index, mut reader) in readers.into_iter().enumerate() {
            let mut first = 0;
            while !(self.is_stale)() {
                let peaks = reader.part()?;
                if peaks.is_empty() {
                    break;
                }
                let count = peaks.len();
                let lane = match (is_of_stems, index) {
                    (false, _) => Lane::Original,
                    (true, index) if index == last => Lane::Residual,
                    (true, stem) => Lane::Stem(stem),
                };
                let (song, peaks) = (self.request.song, peaks.into());
                self.sink.send(Event::Peaks { song, lane, first, peaks });
                first += count;
            }
        }
        Ok(true)
    }

    /// Computes and sends peaks with `each` frames per bin, and passes them to the lanes' writers.
    fn made(
        &self,
        is_of_stems: bool,
        stretches: Vec<Range<u64>>,
        each: usize,
        writers: &mut [Option<PeakWriter>],
    ) -> io::Result<()> {
        for frames in stretches {
            for frames in in_parts(&frames, each) {
                if (self.is_stale)() {
                    return Ok(());
                }
                self.part(is_of_stems, frames, each, writers)?;
            }
        }
        Ok(())
    }

    /// Sends a part of the original, or of every stem and the residual.
    fn part(
        &self,
        is_of_stems: bool,
        frames: Range<u64>,
        each: usize,
        writers: &mut [Option<PeakWriter>],
    ) -> io::Result<()> {
        let (track, song, start) = (&self.request.track, self.request.song, frames.start);
        let mut writers = writers.iter_mut();
        let mut send = |lane: Lane, samples: &[f32]| {
            let peaks = peaks_of(samples, each);
            if let Some(kept) = writers.next() {
                keep(kept, &peaks);
            }
            let peaks = peaks.into();
            self.sink.send(match self.request.scope {
                Scope::Detail(..) => {
                    Event::Detail { song, lane, first_frame: start, frames_per_peak: each, peaks }
                }
                _ => Event::Peaks { song, lane, first: start as usize / each, peaks },
            });
        };
        let count = frames.end.min(track.frames()).saturating_sub(start) as usize;
        let mut rest = vec![0.0; count * CHANNELS];
        track.read_original(start, &mut rest)?;
        if !is_of_stems {
            send(Lane::Original, &rest);
            return Ok(());
        }
        let mut samples = vec![0.0; rest.len()];
        for stem in 0..track.stems() {
            track.read_stem(stem, start, &mut samples)?;
            for (rest, sample) in rest.iter_mut().zip(&samples) {
                *rest -= sample;
            }
            send(Lane::Stem(stem), &samples);
        }
        send(Lane::Residual, &rest);
        Ok(())
    }
}

fn begin(files: &[PeakFile]) -> io::Result<Vec<Option<PeakWriter>>> {
    files.iter().map(|file| file.begin().map(Some)).collect()
}

/// Adds peaks to the cache. A failing disk disables caching but not drawing.
fn keep(writer: &mut Option<PeakWriter>, peaks: &[Peak]) {
    if let Some(Err(e)) = writer.as_mut().map(|writer| writer.push(peaks)) {
        not_kept(&e);
        *writer = None;
    }
}

fn not_kept(error: &io::Error) -> Vec<Option<PeakWriter>> {
    tracing::debug!("could not cache the peaks: {error}");
    Vec::new()
}

/// Splits a range into parts of whole bins that begin at multiples of `each`.
fn in_parts(frames: &Range<u64>, each: usize) -> impl Iterator<Item = Range<u64>> + use<> {
    let step = (FRAMES_AT_ONCE / each * each) as u64;
    let (mut start, each, end) = (frames.start, each as u64, frames.end);
    start -= start % each;
    std::iter::from_fn(move || {
        let part = start..(start + step).min(end.next_multiple_of(each));
        start = part.end;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{separation::options::Quality, store::MixWriter};

    #[test]
    fn reports_a_panic_and_draws_the_next_waveform() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&[0.5; 2000]).unwrap();
        drop(writer.finish().unwrap());
        let track = SongTrack::open(folder.path(), None, Quality::default()).unwrap();
        let (events, received) = bounded(8);
        let sink = EventSink::new(events, Arc::new(|| {}));
        let (inbox, requests) = bounded(2);
        // Peaks of 0 frames per bin divide by zero.
        for each in [0, 10] {
            let (track, scope) = (track.clone(), Scope::Detail(0..1000, each));
            inbox.send(Request { number: 0, song: SongId(1), track, scope }).unwrap();
        }
        drop(inbox);
        run(&requests, &AtomicU64::new(0), &sink);
        let Event::Failed { song: Some(SongId(1)), problem, .. } = received.recv().unwrap() else {
            panic!("no failure was reported");
        };
        let doing = Activity::DrawingWaveform;
        assert!(
            matches!(&problem, Problem::Internal { doing: reported, .. } if *reported == doing),
            "{problem}"
        );
        assert!(
            matches!(received.recv().unwrap(), Event::Detail { peaks, .. } if peaks.len() == 100)
        );
    }

    #[test]
    fn parts_are_whole_bins_and_cover_the_range() {
        for (frames, each) in [(0..1u64, 512), (700..3_000_000, 512), (1000..1001, 1), (7..9, 8)] {
            let parts: Vec<_> = in_parts(&frames, each).collect();
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts[0].start <= frames.start && parts[parts.len() - 1].end >= frames.end);
            assert!(parts.iter().all(|part| part.start % each as u64 == 0 && !part.is_empty()));
            assert!(parts[0].start + each as u64 > frames.start);
        }
        assert_eq!(in_parts(&(5..5), 1).count(), 0);
    }
}
