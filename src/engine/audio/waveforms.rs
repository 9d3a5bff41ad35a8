//! Waveforms of the open song: peaks made of the stores, sent as they come. Those of whole lanes are
//! kept, and read the next time.
//!
//! Two threads of its own: one for the whole song, one for the stretch that is looked at closely,
//! so that the close look need not wait for the whole. Opening another song, or looking elsewhere,
//! ends the work on what was asked before.

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
/// Bins of a close look, at most.
const DETAIL_BINS: u64 = 32_768;
const WAITING: usize = 4096;

/// The waveform threads.
#[derive(Clone)]
pub(in crate::engine) struct Waveforms {
    whole: Line,
    close: Line,
}

/// One thread's inbox, and the number of the request that counts.
#[derive(Clone)]
struct Line {
    inbox: Sender<Request>,
    current: Arc<AtomicU64>,
}

struct Request {
    /// Worked on while this is the line's current number.
    number: u64,
    song: SongId,
    track: SongTrack,
    what: What,
}

enum What {
    /// The original, and every stem where it is finished.
    All,
    /// Every stem in these frames.
    Stems(Range<u64>),
    /// Every lane in these frames, with so many frames to a bin.
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
        self.whole.request(Request { number, song, track, what: What::All });
    }

    /// Sends the peaks of stems that changed in the open song.
    pub(in crate::engine) fn update(&self, song: SongId, track: SongTrack, frames: Range<u64>) {
        let number = self.whole.current.load(Ordering::Relaxed);
        self.whole.request(Request { number, song, track, what: What::Stems(frames) });
    }

    /// Sends peaks of a stretch with so many frames to a bin; instead of the stretch asked before.
    pub(in crate::engine) fn detail(
        &self,
        song: SongId,
        track: SongTrack,
        frames: Range<u64>,
        frames_per_peak: usize,
    ) {
        let (number, each) = (self.close.turn(), frames_per_peak.max(1));
        let end = frames.end.min(frames.start.saturating_add(DETAIL_BINS * each as u64));
        let what = What::Detail(frames.start..end.min(track.frames()), each);
        self.close.request(Request { number, song, track, what });
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

    /// Makes all requests stale that wait; returns the number of the next.
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
    let tell = Tell { request, sink, is_stale };
    match &request.what {
        What::All => {
            let whole = 0..track.frames();
            tell.whole(false, vec![whole.clone()], &[track.peaks_of_original()?])?;
            tell.whole(true, within(whole), &track.peaks_of_stems()?)
        }
        What::Stems(frames) => tell.made(true, vec![frames.clone()], FRAMES_PER_PEAK, &mut []),
        What::Detail(frames, each) => {
            tell.made(false, vec![frames.clone()], *each, &mut [])?;
            tell.made(true, within(frames.clone()), *each, &mut [])
        }
    }
}

/// What is told of one request.
struct Tell<'a> {
    request: &'a Request,
    sink: &'a EventSink,
    is_stale: &'a dyn Fn() -> bool,
}

impl Tell<'_> {
    /// The original, or the stems and what none of them holds, wherever they are: as they were kept in
    /// `files`, else made, and kept if there are files.
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

    /// What was kept; whether it was.
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

    /// What is made of the samples, with `each` frames to a bin; also given to the lanes' writers.
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

    /// A part of the original, or of every stem and what none of them holds.
    fn part(
        &self,
        is_of_stems: bool,
        frames: Range<u64>,
        each: usize,
        writers: &mut [Option<PeakWriter>],
    ) -> io::Result<()> {
        let (track, song, start) = (&self.request.track, self.request.song, frames.start);
        let mut writers = writers.iter_mut();
        let mut tell = |lane: Lane, samples: &[f32]| {
            let peaks = peaks_of(samples, each);
            if let Some(kept) = writers.next() {
                keep(kept, &peaks);
            }
            let peaks = peaks.into();
            self.sink.send(match self.request.what {
                What::Detail(..) => {
                    Event::Detail { song, lane, first_frame: start, frames_per_peak: each, peaks }
                }
                _ => Event::Peaks { song, lane, first: start as usize / each, peaks },
            });
        };
        let count = frames.end.min(track.frames()).saturating_sub(start) as usize;
        let mut rest = vec![0.0; count * CHANNELS];
        track.read_original(start, &mut rest)?;
        if !is_of_stems {
            tell(Lane::Original, &rest);
            return Ok(());
        }
        let mut samples = vec![0.0; rest.len()];
        for stem in 0..track.stems() {
            track.read_stem(stem, start, &mut samples)?;
            for (rest, sample) in rest.iter_mut().zip(&samples) {
                *rest -= sample;
            }
            tell(Lane::Stem(stem), &samples);
        }
        tell(Lane::Residual, &rest);
        Ok(())
    }
}

fn begin(files: &[PeakFile]) -> io::Result<Vec<Option<PeakWriter>>> {
    files.iter().map(|file| file.begin().map(Some)).collect()
}

/// Adds peaks to those that are being kept; a disk that does not take them is no reason not to draw.
fn keep(writer: &mut Option<PeakWriter>, peaks: &[Peak]) {
    if let Some(Err(e)) = writer.as_mut().map(|writer| writer.push(peaks)) {
        not_kept(&e);
        *writer = None;
    }
}

fn not_kept(error: &io::Error) -> Vec<Option<PeakWriter>> {
    tracing::debug!("the peaks are not kept: {error}");
    Vec::new()
}

/// Parts of a range, of whole bins that begin at multiples of `each`, to be read one by one.
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
    fn a_bug_is_told_and_the_next_waveform_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(folder.path()).unwrap();
        writer.push(&[0.5; 2000]).unwrap();
        drop(writer.finish().unwrap());
        let track = SongTrack::open(folder.path(), None, Quality::default()).unwrap();
        let (events, told) = bounded(8);
        let sink = EventSink::new(events, Arc::new(|| {}));
        let (inbox, requests) = bounded(2);
        // Peaks of no frames each divide by zero.
        for each in [0, 10] {
            let (track, what) = (track.clone(), What::Detail(0..1000, each));
            inbox.send(Request { number: 0, song: SongId(1), track, what }).unwrap();
        }
        drop(inbox);
        run(&requests, &AtomicU64::new(0), &sink);
        let Event::Failed { song: Some(SongId(1)), problem, .. } = told.recv().unwrap() else {
            panic!("nothing is told");
        };
        let doing = Activity::DrawingWaveform;
        assert!(
            matches!(&problem, Problem::Internal { doing: it, .. } if *it == doing),
            "{problem}"
        );
        assert!(matches!(told.recv().unwrap(), Event::Detail { peaks, .. } if peaks.len() == 100));
    }

    #[test]
    fn parts_are_whole_bins_and_leave_nothing_out() {
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
