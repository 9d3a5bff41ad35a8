//! Drafts in the engine: they are shown while the final stems are made, and removed when those are
//! complete. The worker makes them first.

use std::sync::Arc;

use super::{Core, Open, songs::remove_folder};
use crate::engine::{
    problem::Result,
    separation::{chain::draft::draft_of, installed::stem_index, options::SeparationOptions},
    store::track::SongTrack,
    types::Job,
};

impl Core {
    /// Loads the draft of a job that starts into the player, if the song was opened without a draft, and
    /// the parts that are heard from now on.
    pub(super) fn show_started(&mut self, job: &Job, track: &SongTrack) {
        let options = job.options();
        let Some(open) = &mut self.open else { return };
        if open.song != job.song || open.options != options {
            return;
        }
        let has_new_draft = open.track.draft.is_none() && track.draft.is_some();
        let has_new_parts = open.track.heard() != track.heard();
        if has_new_draft || has_new_parts {
            open.track = track.clone();
            let (options, track) = (open.options.clone(), open.track.clone());
            self.player.exchange(Arc::new(track.as_heard()));
            self.waveforms.open(job.song, track.clone());
            self.emit_shown(job.song, &options, &track);
        }
    }

    /// Adds the draft of a track's stems, if one was begun.
    pub(super) fn with_draft(
        &self,
        track: SongTrack,
        folder: &std::path::Path,
        options: &SeparationOptions,
    ) -> Result<SongTrack> {
        let Some(chain) = self.chain(options).filter(|_| !options.quality.is_draft) else {
            return Ok(track);
        };
        let (draft, quality) = draft_of(chain, &self.chains);
        if draft.has_stems(folder, quality) {
            track.with_draft(folder, &draft, quality)
        } else {
            Ok(track)
        }
    }

    /// Removes the draft of complete stems, because only the stems are played. A draft that the user
    /// requested stays. Takes the track, because not every disk on Windows removes open files.
    pub(super) fn drop_draft(&mut self, job: &Job, track: SongTrack) -> Result<()> {
        let (Some(stems), Some(draft)) = (&track.stems, &track.draft) else { return Ok(()) };
        let (chain, quality) = (draft.chain(), draft.quality());
        let options = SeparationOptions { model: chain.name.clone(), quality };
        let is_refined = |stem: usize| {
            let name = &draft.names()[stem];
            draft.done_count_of(&[stem]) == 0
                || stem_index(stems.names(), name)
                    .ok()
                    .is_none_or(|stem| !stems.is_claimed(stem) || stems.missing(&[stem]) == 0)
        };
        // If the song shows another version with the same draft, the draft is played in that version's
        // gaps.
        let shown = self.options_of(job.song);
        let drafted = self.chain(&shown).map(|chain| draft_of(chain, &self.chains));
        let is_heard =
            shown != job.options() && drafted.is_some_and(|(other, _)| other.name == options.model);
        let is_wanted = is_heard || self.library.last_job_of(job.song, &options)?.is_some();
        if is_wanted || !(0..draft.names().len()).all(is_refined) {
            return Ok(());
        }
        let folder = self.library.song_folder(&self.library.song(job.song)?.hash);
        let folders = chain.folders(&folder, quality);
        // The open song's draft may be another one.
        let is_it = |open: &&mut Open| {
            let its = open.track.draft.as_ref().map(|draft| draft.chain().name.clone());
            open.song == job.song && its.as_ref() == Some(&options.model)
        };
        if let Some(open) = self.open.as_mut().filter(is_it)
            && open.track.draft.take().is_some()
        {
            self.player.exchange(Arc::new(open.track.as_heard()));
        }
        drop(track);
        folders.iter().try_for_each(|folder| remove_folder(folder))
    }
}
