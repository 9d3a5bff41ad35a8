//! Exports in the engine: each runs on its own thread.

use super::{Core, Message};
use crate::engine::{
    event::{Event, ExportState},
    export::{Exported, Origin, Place, Selection, Settings, song_export::SongExport},
    problem::{Activity, Problem, Result},
    system::{panics::caught, threads},
    types::{CancelToken, ExportId, SongId},
};

impl Core {
    /// Emits the fields for the file names of a song. A separate thread reads the tags.
    pub(super) fn emit_fields(&self, song: SongId) -> Result<()> {
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
        // Detached, because it is safe to interrupt: it only reads.
        threads::start("describe", work)?.detach();
        Ok(())
    }

    /// Starts an export. Events report its progress and result.
    pub(super) fn export(
        &mut self,
        id: ExportId,
        song: SongId,
        selection: Selection,
        place: Place,
        settings: Settings,
    ) {
        let (sink, progress_sink) = (self.sink.clone(), self.sink.clone());
        let report = move |state| sink.send(Event::Export { id, state });
        let started = self.order(song, selection, place).and_then(|order| {
            let cancel = CancelToken::default();
            let token = cancel.clone();
            let (report, outbox) = (report.clone(), self.outbox.clone());
            let work = move || {
                let mut progress = |fraction| {
                    let state = ExportState::Running(fraction);
                    progress_sink.try_send(Event::Export { id, state });
                };
                // A panic is reported too.
                let work = || order.carry_out(&settings, &mut progress, &token);
                report(state_of(caught(Activity::WritingFiles, work)));
                drop(outbox.send(Message::ExportEnded(id)));
            };
            self.exports.insert(id, (cancel, threads::start("export", work)?));
            Ok(())
        });
        if let Err(e) = started {
            report(ExportState::Failed(e));
        }
    }

    fn order(&self, song: SongId, selection: Selection, place: Place) -> Result<SongExport> {
        let song = self.library.song(song)?;
        let folder = self.library.song_folder(&song.hash);
        let options = self.options_of(song.id);
        let track = self.track(&song, &options)?;
        Ok(SongExport { song, folder, options, track, selection, place })
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
