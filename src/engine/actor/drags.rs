//! Files to drag out of the window: each request has its own thread, and they run one at a time.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::ThreadId,
};

use super::{Core, Message};
use crate::{
    engine::{
        event::Event,
        export::drag_files,
        library::paths::DRAGGED,
        problem::{Activity, Problem, Result},
        system::{
            panics::caught,
            threads::{self, Thread},
        },
        types::{CancelToken, RequestId, SongId},
    },
    file_moves,
};

/// The requests whose files are being made.
#[derive(Default)]
pub(super) struct Drags {
    running: Vec<Running>,
    /// Locked by the thread that writes, so that the next thread can reuse its files.
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
    /// Cancels the requests of a song, or all.
    pub(super) fn cancel(&self, song: Option<SongId>) {
        for running in self.running.iter().filter(|drag| song.is_none_or(|song| drag.song == song))
        {
            running.cancel.cancel();
        }
    }

    /// Waits for all threads to end.
    pub(super) fn join(&mut self) {
        self.running.clear();
    }
}

impl Core {
    /// Writes stems to files, and emits their paths.
    pub(super) fn prepare_drag(
        &mut self,
        request: RequestId,
        id: SongId,
        stems: Vec<String>,
    ) -> Result<()> {
        let song = self.library.song(id)?;
        let folder = self.library.song_folder(&song.hash);
        let options = self.options_of(id);
        let Some(chain) = self.chain(&options).cloned() else {
            return Err(self.why_missing(&options, Problem::NoModel));
        };
        let track = self.track(&song, &options)?;
        let (sink, outbox) = (self.sink.clone(), self.outbox.clone());
        let (cancel, turn) = (CancelToken::default(), Arc::clone(&self.drags.turn));
        let (token, to) = (cancel.clone(), folder.clone());
        let work = move || {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let make =
                || drag_files::files(&song, &to, (&chain, options.quality), &track, &stems, &token);
            // A panic is reported too.
            let made = caught(Activity::WritingFiles, make);
            drop(turn);
            match made {
                Ok(files) => sink.send(Event::DragReady { song: id, stems, files }),
                // Cancelled by the song's removal or the end of the program.
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

    /// Handles the end of a thread. If the song was removed meanwhile, removes the folder that the
    /// thread may have created again.
    pub(super) fn drag_ended(&mut self, thread: ThreadId) {
        let ended = |running: &mut Running| running.thread.id() == Some(thread);
        for Running { song, folder, thread, .. } in self.drags.running.extract_if(.., ended) {
            thread.detach(); // it has sent its last message and is about to end
            if self.library.song(song).is_ok() {
                continue;
            }
            let dragged = folder.join(DRAGGED);
            if dragged.exists() && file_moves::remove_folder(&dragged).is_err() {
                tracing::warn!(path = %dragged.display(), "could not remove the folder");
            }
            // Succeeds only if the folder is empty: the song may be about to be restored.
            drop(std::fs::remove_dir(&folder));
        }
    }
}
