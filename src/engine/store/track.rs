//! A song as read by the player and by exports: its mix and, with a chain, its stems.

use std::{io, path::Path, sync::Arc};

use super::{MixStore, StemTree, tree::subtract};
use crate::{
    engine::{
        audio::peaks::file::PeakFile,
        player::Track,
        problem::{Problem, Result, StoreFault},
        separation::{
            chain::{Chain, Terms},
            installed::stem_index,
            options::Quality,
            plan::{intersection, union},
        },
        types::{CHANNELS, SAMPLE_RATE},
    },
    os::OsKind,
};

/// Length of the crossfade between a draft and the final version, in frames: 20 ms.
const JOINT_FRAMES: u64 = SAMPLE_RATE as u64 / 50;

/// Stores of one song.
#[derive(Clone, Debug)]
pub struct SongTrack {
    /// Store of the original.
    pub mix: Arc<MixStore>,
    /// The stems, complete or not.
    pub stems: Option<Arc<StemTree>>,
    /// Draft of the stems by a quick network, which plays where they are unfinished, but never counts as
    /// finished. Its stems are found by name.
    pub draft: Option<Arc<StemTree>>,
    /// Stems that are heard; see [`StemTree::heard`].
    heard: Arc<[bool]>,
}

impl SongTrack {
    /// Creates a track.
    pub fn new(mix: Arc<MixStore>, stems: Option<Arc<StemTree>>) -> Self {
        let heard = stems.as_ref().map(|stems| stems.heard()).unwrap_or_default().into();
        Self { mix, stems, draft: None, heard }
    }

    /// Opens the stores in a song's folder; without a chain there are no stems.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Store`] if a store is missing or damaged.
    pub fn open(song_folder: &Path, chain: Option<&Arc<Chain>>, quality: Quality) -> Result<Self> {
        let mix = Arc::new(MixStore::open(song_folder).map_err(with_remedy)?);
        let open = |chain: &Arc<Chain>| {
            StemTree::open(Arc::clone(chain), song_folder, Arc::clone(&mix), quality).map(Arc::new)
        };
        let stems = chain.map(open).transpose()?;
        Ok(Self::new(mix, stems))
    }

    /// Adds a draft by this chain, unless there is one; its stems are created only when they are
    /// requested.
    ///
    /// # Errors
    /// Fails with the errors of [`Self::open`].
    pub fn with_draft(
        self,
        song_folder: &Path,
        chain: &Arc<Chain>,
        quality: Quality,
    ) -> Result<Self> {
        if self.draft.is_some() {
            return Ok(self);
        }
        let mix = Arc::clone(&self.mix);
        let draft = StemTree::open(Arc::clone(chain), song_folder, mix, quality)?;
        Ok(Self { draft: Some(draft.into()), ..self })
    }

    /// The track with the stems that are heard now, after stems were requested.
    #[must_use]
    pub fn refreshed(&self) -> Self {
        let heard = self.stems.as_ref().map(|stems| stems.heard()).unwrap_or_default().into();
        Self { heard, ..self.clone() }
    }

    /// Stems that are heard: together with the residual they are the song.
    pub fn heard(&self) -> &[bool] {
        &self.heard
    }

    /// The track as it is heard: stems that are heard through their parts, and parts that were not
    /// requested, are silent.
    pub fn as_heard(&self) -> HeardTrack {
        HeardTrack(self.clone())
    }

    /// Whether the stores are still in place; see [`StemTree::is_in_place`].
    pub fn is_in_place(&self) -> bool {
        self.mix.is_in_place()
            && self.stems.iter().chain(&self.draft).all(|stems| stems.is_in_place())
    }

    /// Cache file of the original's peaks.
    ///
    /// # Errors
    /// I/O errors of the samples' metadata.
    pub(in crate::engine) fn peaks_of_original(&self) -> io::Result<PeakFile> {
        let samples = self.mix.path();
        PeakFile::new(samples.with_extension("peaks"), &[samples], self.mix.frames())
    }

    /// Cache files of the peaks of every stem, then of the residual; empty until the separation is
    /// complete, and for songs with stems that were not requested.
    ///
    /// # Errors
    /// I/O errors of the samples' metadata.
    pub(in crate::engine) fn peaks_of_stems(&self) -> io::Result<Vec<PeakFile>> {
        let Some(stems) = self.stems.as_ref().filter(|stems| stems.is_complete()) else {
            return Ok(Vec::new());
        };
        let (frames, mut files) = (self.mix.frames(), Vec::new());
        let (mut all, mut folder) = (Vec::new(), None);
        for stem in 0..stems.names().len() {
            let Some(samples) = stems.paths_of(stem).filter(|samples| !samples.is_empty()) else {
                return Ok(Vec::new());
            };
            // A stem that is one output has its peaks beside the output, for every chain.
            let path = match &samples[..] {
                [only] => only.with_extension("peaks"),
                [.., last] => {
                    let name = format!("{}-{stem}.peaks", stems.chain().short_digest());
                    last.with_file_name(name)
                }
                [] => return Ok(Vec::new()),
            };
            folder = path.parent().map(Path::to_owned).or(folder);
            files.push(PeakFile::new(path, &samples, frames)?);
            all.extend(samples);
        }
        all.push(self.mix.path());
        all.sort();
        all.dedup();
        if let Some(folder) = folder {
            let name = match stems.chain().model() {
                Some(_) => "residual.peaks".to_owned(),
                None => format!("{}-residual.peaks", stems.chain().short_digest()),
            };
            files.push(PeakFile::new(folder.join(name), &all, frames)?);
        }
        Ok(files)
    }

    /// Frame ranges with stems, including those of the draft: ascending, disjoint.
    pub fn covered(&self) -> Vec<(u64, u64)> {
        let covered = |stems: &Arc<StemTree>| stems.covered();
        match &self.draft {
            None => self.stems.as_ref().map(covered).unwrap_or_default(),
            Some(draft) => union(self.stems.iter().chain([draft]).flat_map(covered).collect()),
        }
    }

    /// Frame ranges with final stems in every pass: ascending, disjoint.
    pub fn refined(&self) -> Vec<(u64, u64)> {
        self.stems.as_ref().map(|stems| stems.refined()).unwrap_or_default()
    }

    /// Frame ranges of a stem, or of the residual if it is `None`, that can be read, those of the draft
    /// included: ascending, disjoint.
    pub fn covered_of(&self, stem: Option<usize>) -> Vec<(u64, u64)> {
        let is_drafted = stem.is_none_or(|stem| self.heard.get(stem) == Some(&true));
        let own = self.ranges_of(stem, StemTree::covered_of);
        if self.draft.is_some() && is_drafted { union([own, self.covered()].concat()) } else { own }
    }

    /// Frame ranges of a stem, or of the residual if it is `None`, that do not change any more:
    /// ascending, disjoint.
    pub fn finished_of(&self, stem: Option<usize>) -> Vec<(u64, u64)> {
        self.ranges_of(stem, StemTree::finished_of)
    }

    /// Frame ranges of everything from which a stem is computed.
    fn ranges_of(
        &self,
        stem: Option<usize>,
        of: impl Fn(&StemTree, usize) -> Vec<(u64, u64)>,
    ) -> Vec<(u64, u64)> {
        let Some(stems) = &self.stems else { return Vec::new() };
        let tree = stems.tree();
        let terms = match stem {
            Some(stem) => tree.terms(stem),
            None => Terms { of: None, minus: tree.made_in(None) },
        };
        let all = terms.of.iter().chain(&terms.minus).map(|made| of(stems, *made));
        all.reduce(|one, other| intersection(&one, &other)).unwrap_or_default()
    }

    /// Reads the residual: the original minus the stems of the song itself.
    ///
    /// # Errors
    /// I/O errors of the stores.
    pub fn read_residual(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        let Some(stems) = &self.stems else {
            return Err(io::Error::other("the song has no stems"));
        };
        self.mix.read(start, out)?;
        let minus = stems.tree().made_in(None);
        subtract(out, &minus, &mut |stem, part| self.read_made(stems, stem, start, part))
    }

    /// Reads a stem that networks make, or its draft where it is unfinished.
    fn read_made(
        &self,
        stems: &StemTree,
        stem: usize,
        start: u64,
        out: &mut [f32],
    ) -> io::Result<()> {
        let draft = self.draft.as_ref().filter(|_| !stems.has_all_of(stem));
        let of_draft = draft.and_then(|draft| {
            let name = &stems.names()[stem];
            stem_index(draft.names(), name).ok().map(|found| (draft, found))
        });
        match of_draft {
            Some((draft, found)) => self.read_over_draft((stems, stem), (draft, found), start, out),
            None => stems.read_made(stem, start, out),
        }
    }

    /// Reads the final version of a stem where available, else its draft. The crossfades of
    /// [`JOINT_FRAMES`] lie inside the final version.
    fn read_over_draft(
        &self,
        (stems, stem): (&StemTree, usize),
        (draft, stem_of_draft): (&StemTree, usize),
        start: u64,
        out: &mut [f32],
    ) -> io::Result<()> {
        let end = start + (out.len() / CHANNELS) as u64;
        let better = stems.covered_of(stem);
        let is_inside = |&(from, to): &(u64, u64)| {
            // The joints lie inside; the ends of the song have none.
            let first = if from == 0 { 0 } else { from + JOINT_FRAMES };
            let last =
                if to >= self.mix.frames() { u64::MAX } else { to.saturating_sub(JOINT_FRAMES) };
            first <= start && end <= last
        };
        if better.iter().any(is_inside) {
            return stems.read_made(stem, start, out);
        }
        draft.read(stem_of_draft, start, out)?;
        let mut part = Vec::new();
        for (from, to) in better {
            let (first, last) = (from.max(start), to.min(end));
            if first >= last {
                continue;
            }
            part.resize((last - first) as usize * CHANNELS, 0.0);
            stems.read_made(stem, first, &mut part)?;
            let at = (first - start) as usize * CHANNELS;
            let frames = out[at..].chunks_exact_mut(CHANNELS).zip(part.chunks_exact(CHANNELS));
            for (frame, (out, better)) in (first..).zip(frames) {
                let coming = if from == 0 { JOINT_FRAMES } else { frame - from };
                let going = if to >= self.mix.frames() { JOINT_FRAMES } else { to - frame };
                let share = coming.min(going).min(JOINT_FRAMES) as f32 / JOINT_FRAMES as f32;
                for (out, better) in out.iter_mut().zip(better) {
                    *out += share * (better - *out);
                }
            }
        }
        Ok(())
    }
}

/// Adds the remedy to the error of a missing mix.
fn with_remedy(problem: Problem) -> Problem {
    match problem {
        Problem::File { path, cause, .. } if cause.kind == OsKind::NotFound => {
            Problem::store(&path, StoreFault::Missing)
        }
        other => other,
    }
}

impl Track for SongTrack {
    fn frames(&self) -> u64 {
        self.mix.frames()
    }

    fn stems(&self) -> usize {
        self.stems.as_ref().map_or(0, |stems| stems.names().len())
    }

    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.mix.read(start, out)
    }

    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let Some(stems) = &self.stems else {
            return Err(io::Error::other("the song has no stems"));
        };
        let Terms { of, minus } = stems.tree().terms(stem);
        match of {
            Some(stem) => self.read_made(stems, stem, start, out)?,
            None => self.mix.read(start, out)?,
        }
        subtract(out, &minus, &mut |stem, part| self.read_made(stems, stem, start, part))
    }

    fn covered_at(&self, at: u64) -> (bool, u64) {
        for (start, end) in self.covered() {
            if at < start {
                return (false, start);
            }
            if at < end {
                return (true, end);
            }
        }
        (false, self.frames())
    }

    fn has_all_of(&self, stem: usize) -> bool {
        self.stems.as_ref().is_some_and(|stems| stems.has_all_of(stem))
    }
}

/// A track as it is heard, for the player: the stems of all branches at once would be louder than the
/// song.
#[derive(Clone, Debug)]
pub struct HeardTrack(SongTrack);

impl Track for HeardTrack {
    fn frames(&self) -> u64 {
        self.0.frames()
    }

    fn stems(&self) -> usize {
        self.0.stems()
    }

    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.0.read_original(start, out)
    }

    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        if self.0.heard.get(stem).is_some_and(|heard| *heard) {
            return self.0.read_stem(stem, start, out);
        }
        out.fill(0.0);
        Ok(())
    }

    fn covered_at(&self, at: u64) -> (bool, u64) {
        self.0.covered_at(at)
    }

    fn has_all_of(&self, stem: usize) -> bool {
        self.0.has_all_of(stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        separation::plan::Plan,
        store::{MixWriter, StemStore},
    };

    const FRAMES: u64 = 40_000;

    /// Creates a store whose finished segments all have this value, with the mix beside it.
    fn store(folder: &Path, value: f32, done: &[usize]) -> Arc<StemTree> {
        let plan = Plan::new(FRAMES, 8_000);
        let store = StemStore::open(folder, plan, &["one".to_owned()]).unwrap();
        let lock = store.lock().unwrap();
        for &segment in done {
            let own = plan.segment(segment);
            let samples = vec![value; (own.end - own.start) as usize * CHANNELS];
            store.write_segment(&lock, segment, 0, &samples).unwrap();
        }
        drop(lock);
        let mix = MixStore::open(&folder.with_file_name("mix")).unwrap();
        StemTree::of_store(store, mix.into()).into()
    }

    #[test]
    fn the_rest_is_the_mix_minus_the_stems_or_their_draft() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(&folder.path().join("mix")).unwrap();
        writer.push(&vec![0.7; FRAMES as usize * CHANNELS]).unwrap();
        let mix = Arc::new(writer.finish().unwrap());
        let plan = Plan::new(FRAMES, 8_000);
        let store = |name: &str, value: f32, done: std::ops::Range<usize>| {
            let names = (&["one".to_owned()][..], Some("rest"));
            let folder = folder.path().join(name);
            let store = StemStore::open_in_groups(&folder, plan, names, &[vec![0]]).unwrap();
            let lock = store.lock().unwrap();
            for segment in done {
                let own = plan.segment(segment);
                let samples = vec![value; (own.end - own.start) as usize * CHANNELS];
                store.write_segment(&lock, segment, 0, &samples).unwrap();
            }
            drop(lock);
            Arc::new(StemTree::of_store(store, mix.clone()))
        };
        let track = |done: std::ops::Range<usize>, draft| {
            let stems = store(&format!("{done:?}"), 0.5, done);
            SongTrack { draft, ..SongTrack::new(mix.clone(), Some(stems)) }
        };
        let read = |track: &SongTrack, at: u64| {
            let mut out = [f32::NAN; 2 * CHANNELS];
            track.read_stem(1, at, &mut out).unwrap();
            out[0]
        };
        let whole = track(0..plan.len(), None);
        assert_eq!((whole.stems(), whole.has_all_of(1)), (2, true));
        assert!((read(&whole, 0) - 0.2).abs() < 1e-6 && (read(&whole, 39_998) - 0.2).abs() < 1e-6);
        assert_eq!(whole.peaks_of_stems().unwrap().len(), 3, "the stem, the rest, the residual");
        let draft = store("draft", 0.1, 0..plan.len());
        let part = track(0..2, Some(draft));
        assert!(!part.has_all_of(1));
        assert!((read(&part, 1_000) - 0.2).abs() < 1e-6);
        assert!((read(&part, 30_000) - 0.6).abs() < 1e-6, "rest of the draft");
        assert!((read(&track(0..0, None), 5) - 0.7).abs() < 1e-6, "no stems to subtract yet");
    }

    #[test]
    fn a_draft_crossfades_and_never_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(&folder.path().join("mix")).unwrap();
        writer.push(&vec![0.1; FRAMES as usize * CHANNELS]).unwrap();
        let all: Vec<usize> = (0..Plan::new(FRAMES, 8_000).len()).collect();
        let mix = Arc::new(writer.finish().unwrap());
        let track = |done: &[usize], name: &str| {
            let stems = store(&folder.path().join(name), 0.5, done);
            let draft = Some(store(&folder.path().join("draft"), 0.2, &all));
            SongTrack { draft, ..SongTrack::new(mix.clone(), Some(stems)) }
        };
        for (done, name) in [(&[2][..], "middle"), (&[0, 5, 6], "ends"), (&[], "none")] {
            let track = track(done, name);
            assert_eq!(track.covered(), [(0, FRAMES)]);
            assert!(!track.has_all_of(0));
            let mut whole = vec![f32::NAN; FRAMES as usize * CHANNELS];
            track.read_stem(0, 0, &mut whole).unwrap();
            // Reading in pieces must have the same result.
            let mut pieces = whole.clone();
            for (at, piece) in pieces.chunks_mut(1_001 * CHANNELS).enumerate() {
                track.read_stem(0, at as u64 * 1_001, piece).unwrap();
            }
            assert_eq!(whole, pieces);
            let refined = track.refined();
            for (frame, pair) in whole.chunks_exact(CHANNELS).enumerate() {
                let inside = |joint: u64| {
                    let at = frame as u64;
                    refined.iter().any(|(a, b)| {
                        (*a == 0 || *a + joint <= at) && (*b == FRAMES || at + joint <= *b)
                    })
                };
                let is_refined = refined.iter().any(|(a, b)| (*a..*b).contains(&(frame as u64)));
                if inside(JOINT_FRAMES) && is_refined {
                    assert!((pair[0] - 0.5).abs() < 1e-6, "{name}: {frame}");
                } else if !is_refined {
                    assert!((pair[0] - 0.2).abs() < 1e-6, "{name}: {frame}");
                }
            }
            let steps = whole.windows(CHANNELS + 1).map(|w| (w[CHANNELS] - w[0]).abs());
            assert!(steps.fold(0.0, f32::max) < 1.1 * 0.3 / JOINT_FRAMES as f32, "must not click");
        }
        let whole = track(&all, "all");
        assert!(whole.has_all_of(0) && whole.refined() == [(0, FRAMES)]);
    }
}
