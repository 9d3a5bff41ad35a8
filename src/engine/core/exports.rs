//! Exports in the engine: what is asked for becomes files, each export on its own thread.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    super::{
        CancelToken, Depth, EngineError, Event, ExportId, ExportState, Result, SongId,
        export::{self, ExportItem},
        models::stem_index,
        store::StemStore,
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

    /// Writes one file per stem into a folder.
    pub(super) fn export_stems(
        &mut self,
        id: ExportId,
        song: SongId,
        stems: &[String],
        depth: Depth,
        to: &Path,
    ) {
        self.export(id, song, depth, |sources| {
            std::fs::create_dir_all(to).map_err(|source| EngineError::Io {
                what: "cannot make",
                path: to.to_owned(),
                source,
            })?;
            let item = |name: &String| {
                let stems = vec![(stem_index(sources, name)?, 1.0)];
                let file = format!("{}.wav", export::safe_file_name(name));
                Ok(ExportItem { to: to.join(file), stems })
            };
            stems.iter().map(item).collect()
        });
    }

    fn export(
        &mut self,
        id: ExportId,
        song: SongId,
        depth: Depth,
        items: impl FnOnce(&[String]) -> Result<Vec<ExportItem>>,
    ) {
        let sink = self.sink.clone();
        let tell = move |state| sink.send(Event::Export { id, state });
        let started = self.prepare(song, items).and_then(|(track, items)| {
            let cancel = CancelToken::default();
            self.exports.insert(id, cancel.clone());
            let (tell, outbox) = (tell.clone(), self.outbox.clone());
            let work = move || {
                let mut progress = |fraction| tell(ExportState::Running(fraction));
                let state = match export::export(&*track, &items, depth, &mut progress, &cancel) {
                    Ok(done) => ExportState::Done { files: done.files, gain_db: done.gain_db },
                    Err(EngineError::Cancelled) => ExportState::Cancelled,
                    Err(e) => ExportState::Failed(e.in_words()),
                };
                tell(state);
                drop(outbox.send(Message::ExportEnded(id)));
            };
            std::thread::Builder::new()
                .name("export".into())
                .spawn(work)
                .map(drop)
                .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))
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
        if !track.stems.as_ref().is_some_and(|stems: &Arc<StemStore>| stems.is_complete()) {
            return Err(EngineError::Busy(format!(
                "\"{}\" is not separated to its end yet; process it first",
                song.title
            )));
        }
        let items = items(track.stems.as_ref().map(|stems| stems.sources()).unwrap_or_default())?;
        Ok((Arc::new(track), items))
    }
}
