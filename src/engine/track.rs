//! A song as the player and the exports read it: its mix and, where there is a model, its stems.

use std::{io, path::Path, sync::Arc};

use super::{
    Result,
    models::InstalledModel,
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
        let mix = Arc::new(MixStore::open(song_folder)?);
        let open = |model: &InstalledModel| {
            let (plan, sources) = (model.plan(mix.frames()), &model.spec.sources);
            StemStore::open(&model.stem_folder(song_folder), plan, sources).map(Arc::new)
        };
        let stems = model.map(open).transpose()?;
        Ok(Self { mix, stems })
    }

    /// The frames that stems cover: ascending, disjoint.
    pub fn covered(&self) -> Vec<(u64, u64)> {
        let covered = |stems: &Arc<StemStore>| stems.plan().covered(|i| stems.is_done(i));
        self.stems.as_ref().map(covered).unwrap_or_default()
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
