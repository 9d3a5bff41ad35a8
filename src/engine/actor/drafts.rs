//! Drafts in the engine: they are shown while the final stems are made, and removed when those are
//! complete. The worker makes them first.

use std::sync::Arc;

use super::{Core, Open, songs::remove_folder};
use crate::engine::{
    problem::Result,
    separation::options::{Preset, SeparationOptions},
    store::track::SongTrack,
    types::Job,
};

impl Core {
    /// Loads the draft of a job that starts into the player, if the song was opened without a draft.
    pub(super) fn show_draft(&mut self, job: &Job, track: &SongTrack) {
        let options = job.options();
        let Some(open) = &mut self.open else { return };
        if open.song == job.song
            && open.options == options
            && open.track.draft.is_none()
            && track.draft.is_some()
        {
            open.track = track.clone();
            self.player.exchange(Arc::new(track.clone()));
            self.waveforms.open(job.song, track.clone());
        }
    }

    /// Removes the draft of complete stems, because only the stems are played. A draft that the user
    /// requested stays.
    pub(super) fn drop_draft(&mut self, job: &Job, track: &SongTrack) -> Result<()> {
        let (Some(stems), Some(draft)) = (&track.stems, &track.draft) else { return Ok(()) };
        let is_refined =
            |stem: usize| draft.done_count_of(&[stem]) == 0 || stems.missing(&[stem]) == 0;
        let Some(model) = self.model(&job.options()) else { return Ok(()) };
        let quality = Preset::Draft.quality(&model.spec);
        let options = SeparationOptions { quality, ..job.options() };
        let shown = self.options_of(job.song);
        // If the song shows another quality of this model, the draft is played in that quality's
        // gaps.
        let is_heard = shown.model == options.model && shown.quality != job.quality;
        let is_wanted = is_heard || self.library.last_job_of(job.song, &options)?.is_some();
        if is_wanted || !(0..stems.names().len()).all(is_refined) {
            return Ok(());
        }
        let folder = self.library.song_folder(&self.library.song(job.song)?.hash);
        let folder = model.stem_folder(&folder, quality);
        // The open song's draft is of the model that the song shows, which may be another one.
        let is_of = |open: &&mut Open| open.song == job.song && open.options.model == options.model;
        if let Some(open) = self.open.as_mut().filter(is_of)
            && open.track.draft.take().is_some()
        {
            self.player.exchange(Arc::new(open.track.clone()));
        }
        remove_folder(&folder)
    }
}
