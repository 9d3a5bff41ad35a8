//! Exports in the engine: what is asked for becomes files, each export on its own thread.

use super::{Core, Message};
use crate::engine::{
    event::{Event, ExportState},
    export::{Exported, Origin, Place, Selection, Settings, song_export::SongExport},
    problem::{Activity, Problem, Result},
    system::{panics::caught, threads},
    types::{CancelToken, ExportId, SongId},
};

impl Core {
    /// Emits the fields that can name the files of a song; a thread reads its tags.
    pub(super) fn tell_fields(&self, song: SongId) -> Result<()> {
        let song = self.library.song(song)?;
        let folder = self.library.song_folder(&song.hash);
        let model = self.options_of(song.id).model;
        let sink = self.sink.clone();
        let work = move || {
            let origin = Origin::of_song(&song, &folder, &model, &CancelToken::default());
            if let Ok(origin) = origin {
                sink.send(Event::Described { song: song.id, fields: origin.fields() });
            }
        };
        // Detached: it reads one file and writes none.
        threads::start("describe", work)?.detach();
        Ok(())
    }

    /// Starts an export; what becomes of it is told in events.
    pub(super) fn export(
        &mut self,
        id: ExportId,
        song: SongId,
        selection: Selection,
        place: Place,
        settings: Settings,
    ) {
        let (sink, progress_sink) = (self.sink.clone(), self.sink.clone());
        let tell = move |state| sink.send(Event::Export { id, state });
        let started = self.order(song, selection, place).and_then(|order| {
            let cancel = CancelToken::default();
            let token = cancel.clone();
            let (tell, outbox) = (tell.clone(), self.outbox.clone());
            let work = move || {
                let mut progress = |fraction| {
                    let state = ExportState::Running(fraction);
                    progress_sink.try_send(Event::Export { id, state });
                };
                // A bug ends this export with a word, not silently.
                let work = || order.carry_out(&settings, &mut progress, &token);
                tell(state_of(caught(Activity::WritingFiles, work)));
                drop(outbox.send(Message::ExportEnded(id)));
            };
            self.exports.insert(id, (cancel, threads::start("export", work)?));
            Ok(())
        });
        if let Err(e) = started {
            tell(ExportState::Failed(e));
        }
    }

    fn order(&self, song: SongId, selection: Selection, place: Place) -> Result<SongExport> {
        let song = self.library.song(song)?;
        let folder = self.library.song_folder(&song.hash);
        let options = self.options_of(song.id);
        let track = self.track(&song, &options)?;
        Ok(SongExport { song, folder, recipe: options, track, selection, place })
    }
}

fn state_of(result: Result<Exported>) -> ExportState {
    match result {
        Ok(Exported { files, gain_db, notes }) => {
            let files = files.into_iter().map(|(_, path)| path).collect();
            ExportState::Done { files, gain_db, notes }
        }
        Err(Problem::Exists(paths)) => ExportState::Exists(paths),
        Err(Problem::Cancelled) => ExportState::Cancelled,
        Err(e) => ExportState::Failed(e),
    }
}
