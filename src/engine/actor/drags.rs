//! Files to drag in the engine: each request on its own thread, one after another.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::ThreadId,
};

use super::{Core, Message};
use crate::engine::{
    event::Event,
    export::drag_files,
    library::paths::DRAGGED,
    problem::{Activity, Problem, Result},
    system::{
        panics::caught,
        threads::{self, Thread},
    },
    types::{CancelToken, RequestId, SongId},
};

/// Files that are being made.
#[derive(Default)]
pub(super) struct Drags {
    running: Vec<Running>,
    /// Held by the one that works: the next finds its files.
    turn: Arc<Mutex<()>>,
}

struct Running {
    song: SongId,
    /// The song's folder.
    folder: PathBuf,
    cancel: CancelToken,
    thread: Thread,
}

impl Drags {
    /// Ends those of a song, or all.
    pub(super) fn cancel(&self, song: Option<SongId>) {
        for running in self.running.iter().filter(|drag| song.is_none_or(|song| drag.song == song))
        {
            running.cancel.cancel();
        }
    }

    /// Waits for all to end.
    pub(super) fn join(&mut self) {
        self.running.clear();
    }
}

impl Core {
    /// Makes files of stems, and tells where they are.
    pub(super) fn prepare_drag(
        &mut self,
        request: RequestId,
        id: SongId,
        stems: Vec<String>,
    ) -> Result<()> {
        let song = self.library.song(id)?;
        let folder = self.library.song_folder(&song.hash);
        let options = self.options_of(id);
        let Some(model) = self.model(&options).cloned() else {
            return Err(self.why_missing(&options, Problem::NoModel));
        };
        let track = self.track(&song, &options)?;
        let (sink, outbox) = (self.sink.clone(), self.outbox.clone());
        let (cancel, turn) = (CancelToken::default(), Arc::clone(&self.drags.turn));
        let (token, to) = (cancel.clone(), folder.clone());
        let work = move || {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let make =
                || drag_files::files(&song, &to, (&model, options.quality), &track, &stems, &token);
            // A bug ends this with a word, not silently.
            let made = caught(Activity::WritingFiles, make);
            drop(turn);
            match made {
                Ok(files) => sink.send(Event::DragReady { song: id, stems, files }),
                // By the song's removal, or the program's end.
                Err(Problem::Cancelled) => {}
                Err(e) => {
                    let (request, song) = (Some(request), Some(id));
                    sink.send(Event::Failed { request, song, problem: e });
                }
            }
            drop(outbox.send(Message::DragEnded(threads::current())));
        };
        let thread = threads::start("drag files", work)?;
        self.drags.running.push(Running { song: id, folder, cancel, thread });
        Ok(())
    }

    /// The files are there, or are not. If their song was removed meanwhile, a folder may have been
    /// made once more.
    pub(super) fn drag_ended(&mut self, thread: ThreadId) {
        let ended = |running: &mut Running| running.thread.id() == Some(thread);
        for Running { song, folder, thread, .. } in self.drags.running.extract_if(.., ended) {
            thread.detach(); // it has ended, but for freeing what it held
            if self.library.song(song).is_ok() {
                continue;
            }
            let dragged = folder.join(DRAGGED);
            if dragged.exists() && std::fs::remove_dir_all(&dragged).is_err() {
                tracing::warn!(path = %dragged.display(), "cannot remove");
            }
            // Only where nothing else is in it: the song may be on its way back.
            drop(std::fs::remove_dir(&folder));
        }
    }
}
