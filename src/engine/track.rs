//! A song as the player and the exports read it: its mix and, where there is a model, its stems.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    EngineError, Result,
    models::InstalledModel,
    peak_files::PeakFile,
    player::Track,
    store::{MixStore, StemStore},
};

/// The stores of one song.
#[derive(Clone, Debug)]
pub struct SongTrack {
    /// The original.
    pub mix: Arc<MixStore>,
    /// The stems, finished or not.
    pub stems: Option<Arc<StemStore>>,
}

impl SongTrack {
    /// Opens the stores in a song's folder; without a model there are no stems.
    ///
    /// # Errors
    /// [`super::EngineError::Io`] when a store is missing or damaged.
    pub fn open(song_folder: &Path, model: Option<&InstalledModel>) -> Result<Self> {
        let mix = Arc::new(MixStore::open(song_folder).map_err(in_words)?);
        let open = |model: &InstalledModel| {
            let (plan, sources) = (model.plan(mix.frames()), &model.spec.sources);
            StemStore::open(&model.stem_folder(song_folder), plan, sources).map(Arc::new)
        };
        let stems = model.map(open).transpose()?;
        Ok(Self { mix, stems })
    }

    /// Whether the stores are where they were opened; see [`StemStore::is_in_place`].
    pub fn is_in_place(&self) -> bool {
        self.mix.is_in_place() && self.stems.as_ref().is_none_or(|stems| stems.is_in_place())
    }

    /// Where the original's peaks are kept.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn peaks_of_original(&self) -> io::Result<PeakFile> {
        let samples = self.mix.path();
        PeakFile::new(samples.with_extension("peaks"), &[samples], self.mix.frames())
    }

    /// Where those of every stem are, and of what none of them holds; none before all is separated.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn peaks_of_stems(&self) -> io::Result<Vec<PeakFile>> {
        let Some(stems) = self.stems.as_ref().filter(|stems| stems.is_complete()) else {
            return Ok(Vec::new());
        };
        let frames = self.mix.frames();
        let samples: Vec<PathBuf> =
            (0..stems.sources().len()).map(|stem| stems.path(stem)).collect();
        let of_stem = |samples: &PathBuf| {
            PeakFile::new(samples.with_extension("peaks"), std::slice::from_ref(samples), frames)
        };
        let mut files = samples.iter().map(of_stem).collect::<io::Result<Vec<_>>>()?;
        if let Some(first) = samples.first() {
            let path = first.with_file_name("residual.peaks");
            let all: Vec<PathBuf> = samples.iter().cloned().chain([self.mix.path()]).collect();
            files.push(PeakFile::new(path, &all, frames)?);
        }
        Ok(files)
    }

    /// The frames that stems cover: ascending, disjoint.
    pub fn covered(&self) -> Vec<(u64, u64)> {
        let covered = |stems: &Arc<StemStore>| stems.plan().covered(|i| stems.is_done(i));
        self.stems.as_ref().map(covered).unwrap_or_default()
    }
}

/// What to do about a mix that is not there.
fn in_words(error: EngineError) -> EngineError {
    match error {
        EngineError::Io { what, path, source } if source.kind() == io::ErrorKind::NotFound => {
            let words =
                "it is gone from the data folder; put it back, or add the song's file again";
            EngineError::Io { what, path, source: io::Error::new(source.kind(), words) }
        }
        other => other,
    }
}

impl Track for SongTrack {
    fn frames(&self) -> u64 {
        self.mix.frames()
    }

    fn stems(&self) -> usize {
        self.stems.as_ref().map_or(0, |stems| stems.sources().len())
    }

    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.mix.read(start, out)
    }

    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        match &self.stems {
            Some(stems) => stems.read(stem, start, out),
            None => Err(io::Error::other("the song has no stems")),
        }
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
}
