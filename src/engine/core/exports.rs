//! Exports in the engine: what is asked for becomes files, each export on its own thread.

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    super::{
        CancelToken, Depth, EngineError, Event, ExportId, ExportState, Result, SongId,
        export::{self, ExportItem, ExportSet, numbered, safe_file_name},
        models::stem_index,
    },
    Core, Message,
};

impl Core {
    /// Writes the weighted sum of stems to one file.
    pub(super) fn export_mix(
        &mut self,
        id: ExportId,
        song: SongId,
        stems: &[(String, f32)],
        depth: Depth,
        to: PathBuf,
    ) {
        self.export(id, song, depth, |sources| {
            let weigh = |(name, gain): &(String, f32)| Ok((stem_index(sources, name)?, *gain));
            let stems = stems.iter().map(weigh).collect::<Result<_>>()?;
            Ok(vec![ExportItem { to, stems }])
        });
    }

    /// Writes one file per stem into a new folder.
    pub(super) fn export_stems(
        &mut self,
        id: ExportId,
        song: SongId,
        stems: &[String],
        depth: Depth,
        to: &Path,
    ) {
        let title = self.library.song(song).map(|song| song.title).unwrap_or_default();
        self.export(id, song, depth, |sources| {
            Ok(ExportSet::new(sources, stems, &new_folder(to, &title), false)?.items)
        });
    }

    fn export(
        &mut self,
        id: ExportId,
        song: SongId,
        depth: Depth,
        items: impl FnOnce(&[String]) -> Result<Vec<ExportItem>>,
    ) {
        let (sink, progress_sink) = (self.sink.clone(), self.sink.clone());
        let tell = move |state| sink.send(Event::Export { id, state });
        let started = self.prepare(song, items).and_then(|(track, items)| {
            let cancel = CancelToken::default();
            let token = cancel.clone();
            let (tell, outbox) = (tell.clone(), self.outbox.clone());
            let work = move || {
                let mut progress = |fraction| {
                    let state = ExportState::Running(fraction);
                    progress_sink.try_send(Event::Export { id, state });
                };
                // A bug ends this export with a word, not silently.
                let work = AssertUnwindSafe(|| {
                    export::export(&*track, &items, depth, &mut progress, &token)
                });
                let state = match std::panic::catch_unwind(work) {
                    Ok(Ok(done)) => ExportState::Done { files: done.files, gain_db: done.gain_db },
                    Ok(Err(EngineError::Cancelled)) => ExportState::Cancelled,
                    Ok(Err(e)) => ExportState::Failed(e.in_words()),
                    Err(_) => ExportState::Failed("Partita stumbled; please report it".into()),
                };
                tell(state);
                drop(outbox.send(Message::ExportEnded(id)));
            };
            let thread = std::thread::Builder::new()
                .name("export".into())
                .spawn(work)
                .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
            self.exports.insert(id, (cancel, thread));
            Ok(())
        });
        if let Err(e) = started {
            tell(ExportState::Failed(e.in_words()));
        }
    }

    fn prepare(
        &self,
        song: SongId,
        items: impl FnOnce(&[String]) -> Result<Vec<ExportItem>>,
    ) -> Result<(Arc<super::super::SongTrack>, Vec<ExportItem>)> {
        let song = self.library.song(song)?;
        let track = self.track(&song)?;
        let items = items(track.stems.as_ref().map(|stems| stems.sources()).unwrap_or_default())?;
        Ok((Arc::new(track), items))
    }
}

/// A folder in `to` that is not there yet, named as the song.
fn new_folder(to: &Path, title: &str) -> PathBuf {
    let name = safe_file_name(title);
    let mut free = numbered(to, &name).filter(|folder| !folder.exists());
    free.next().unwrap_or_else(|| to.join(&name))
}
