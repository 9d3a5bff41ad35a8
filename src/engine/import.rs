//! Imports: a user's file becomes a mix store, a cover and a row of the library.
//!
//! Runs on its own thread, one file after the other; a file that fails does so alone.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest as _, Sha256};

use super::{
    CHANNELS, CancelToken, EngineError, Event, Result, Song, cover, decode,
    files::check_room,
    inputs::songs_in,
    library::{Library, NewSong, Record},
    mishap::caught,
    sink::EventSink,
    store::{MixStore, MixWriter},
    upkeep::ImportLock,
};
use crate::model::weights::hex;

/// Requests that may wait; each can be a whole folder tree.
const WAITING: usize = 256;

/// Times that a song is imported where another program removes it each time before it counts.
const ATTEMPTS: usize = 5;

/// What the import thread tells the engine.
pub(super) enum Imported {
    /// A file's song is in the library.
    Song(PathBuf, Box<Song>),
    /// There was no room for a file's song, in words.
    NoRoom(PathBuf, String),
    /// All files of one request were handled.
    All,
}

/// The import thread.
pub(super) struct Importer {
    inbox: Option<Sender<Vec<PathBuf>>>,
    cancel: CancelToken,
    thread: Option<JoinHandle<()>>,
}

impl Importer {
    /// Starts the thread. `imported` is told what came.
    pub(super) fn start(
        home: PathBuf,
        sink: EventSink,
        imported: impl Fn(Imported) + Send + 'static,
    ) -> Result<Self> {
        let (inbox, requests) = bounded(WAITING);
        let cancel = CancelToken::default();
        let work = Work { home, sink, cancel: cancel.clone(), imported: Box::new(imported) };
        let thread = std::thread::Builder::new()
            .name("import".into())
            .spawn(move || work.run(&requests))
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
        Ok(Self { inbox: Some(inbox), cancel, thread: Some(thread) })
    }

    /// Puts files and folders into the queue; says no when it is full.
    pub(super) fn import(&self, paths: Vec<PathBuf>) -> Result<()> {
        let sent = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(paths).is_ok());
        if sent { Ok(()) } else { Err(EngineError::Busy("too many imports are waiting".into())) }
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.inbox = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the import thread panicked");
        }
    }
}

struct Work {
    home: PathBuf,
    sink: EventSink,
    cancel: CancelToken,
    imported: Box<dyn Fn(Imported) + Send>,
}

impl Work {
    fn run(self, requests: &Receiver<Vec<PathBuf>>) {
        for paths in requests {
            for path in paths {
                for file in self.files_of(path) {
                    if self.cancel.is_cancelled() {
                        return;
                    }
                    self.import(&file);
                }
            }
            (self.imported)(Imported::All);
        }
    }

    fn files_of(&self, path: PathBuf) -> Vec<PathBuf> {
        if !path.is_dir() {
            return vec![path];
        }
        match songs_in(&path, &self.cancel) {
            Ok(found) => {
                if found.passed_over.all() > 0 {
                    let reason = found.passed_over.to_string();
                    self.sink.send(Event::PassedOver { folder: path, reason });
                }
                found.songs
            }
            Err(error) => {
                self.sink.send(Event::ImportFailed { path, reason: error.to_string() });
                Vec::new()
            }
        }
    }

    /// The library as it is now: meanwhile another program may have put a new one in its place. Where
    /// there is none any more, none is made: its disk may be gone.
    fn open_library(&self) -> Result<Library> {
        let file = Library::file_in(&self.home);
        file.metadata().map_err(|e| cannot_read(&file, e))?;
        Library::open(&self.home)
    }

    fn import(&self, path: &Path) {
        let (sink, cancel) = (self.sink.clone(), self.cancel.clone());
        let mut progress = |fraction| {
            sink.try_send(Event::Importing { path: path.to_owned(), fraction });
        };
        progress(0.0);
        // A bug ends one import, not the thread.
        let song = caught("importing a file", || {
            import_file(&mut self.open_library()?, path, &cancel, &mut progress)
        });
        match song {
            Ok(song) => (self.imported)(Imported::Song(path.to_owned(), Box::new(song))),
            Err(EngineError::Cancelled) => {}
            Err(e) if e.is_no_room() => {
                (self.imported)(Imported::NoRoom(path.to_owned(), e.in_words()));
            }
            Err(e) => {
                self.sink.send(Event::ImportFailed { path: path.to_owned(), reason: e.in_words() });
            }
        }
    }
}

/// Adds one file to the library, or finds it there by its content.
fn import_file(
    library: &mut Library,
    path: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<Song> {
    let path = std::path::absolute(path).map_err(|e| cannot_read(path, e))?;
    let hash = content_hash(&path, cancel)?;
    let busy = || tracing::warn!("another Partita is importing; this waits until it has finished");
    let _lock = ImportLock::take(library.home(), cancel, busy)?;
    let folder = library.song_folder(&hash);
    let was_there = folder.exists();
    let library_file = &Library::file_in(library.home());
    let known = library.song_by_hash(&hash, &path)?;
    if let Some(song) = known.clone().filter(|_| MixStore::open(&folder).is_ok()) {
        // It may have been moved: the record beside the stores knows its new place, too.
        library.write_record(&song.hash)?;
        return Ok(song);
    }
    let mut attempt = || {
        // Also after a bug in a decoder, what it left behind is taken away.
        caught("reading it", || add(library, &path, &hash, &folder, cancel, progress))
    };
    let mut added = attempt();
    for _ in 1..ATTEMPTS {
        if !was_taken_away(&added, library_file, &folder) {
            break;
        }
        tracing::info!("another Partita removed {} meanwhile; once more", path.display());
        added = attempt();
    }
    if added.is_err() && known.is_none() && !was_there {
        // Nothing of a file that failed is kept; it may never have been there.
        if let Err(e) = std::fs::remove_dir_all(&folder) {
            tracing::debug!("{}: {e}", folder.display());
        }
    }
    added
}

/// Whether an import failed because another program removed or reset the same song meanwhile. Where
/// the library is gone, too, its disk is.
fn was_taken_away(added: &Result<Song>, library_file: &Path, folder: &Path) -> bool {
    added.as_ref().is_err_and(EngineError::is_missing) && !folder.exists() && library_file.exists()
}

fn add(
    library: &mut Library,
    path: &Path,
    hash: &str,
    folder: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<Song> {
    let (decoded, mix) = decode_into(path, folder, cancel, progress)?;
    if let Some(bytes) = &decoded.cover {
        super::files::write_atomically(&folder.join(cover::FILE), bytes)?;
    }
    let new = NewSong { path: path.to_owned(), hash: hash.to_owned(), decoded };
    // Before the mix counts: whoever finds a whole mix finds the song's name beside it.
    Record::of_new(&new).write(folder)?;
    mix.finish()?;
    library.add_song(&new)
}

/// Decodes a file into a mix store in `folder`.
///
/// # Errors
/// Those of [`decode::decode`] and of the disk.
pub fn decode_to_store(
    path: &Path,
    folder: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(decode::Decoded, MixStore)> {
    let (decoded, mix) = decode_into(path, folder, cancel, progress)?;
    Ok((decoded, mix.finish()?))
}

fn decode_into(
    path: &Path,
    folder: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(decode::Decoded, MixWriter)> {
    const FRAME_BYTES: u64 = (CHANNELS * size_of::<f32>()) as u64;
    /// For the cover, the record and the library.
    const BESIDES: u64 = 1 << 20;
    let mut writer = MixWriter::create(folder)?;
    let mut expect = |frames: u64| {
        let bytes = frames.saturating_mul(FRAME_BYTES).saturating_add(BESIDES);
        check_room(folder, bytes, folder, "")
    };
    let mut sink = |block: &[f32]| writer.push(block);
    let decoded = decode::decode_expected(path, cancel, &mut expect, progress, &mut sink)?;
    Ok((decoded, writer))
}

/// SHA-256 of a file's bytes, hexadecimal.
///
/// # Errors
/// [`EngineError::Io`], [`EngineError::Cancelled`].
pub(super) fn content_hash(path: &Path, cancel: &CancelToken) -> Result<String> {
    let mut file = File::open(path).map_err(|e| cannot_read(path, e))?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match file.read(&mut block).map_err(|e| cannot_read(path, e))? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

fn cannot_read(path: &Path, source: std::io::Error) -> EngineError {
    EngineError::Io { what: "cannot read", path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::{super::removed::Holder, *};

    #[test]
    fn a_bug_while_reading_ends_one_import_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.ogg");
        let never = CancelToken::default();
        let mut shown = 0;
        let mut stumble = |_: f32| {
            shown += 1;
            assert!(shown < 3, "on purpose");
        };
        let error = import_file(&mut library, &file, &never, &mut stumble).unwrap_err();
        assert!(matches!(error, EngineError::Stumbled { .. }), "{}", error.in_words());
        assert!(error.in_words().contains("on purpose"), "{}", error.in_words());
        assert_eq!(library.songs().unwrap(), []);
        assert_eq!(std::fs::read_dir(library.songs_folder()).unwrap().count(), 0);
        let song = import_file(&mut library, &file, &never, &mut |_| {}).unwrap();
        assert_eq!(library.songs().unwrap().len(), 1);
        assert!(MixStore::open(&library.song_folder(&song.hash)).is_ok());
    }

    /// Imports while another program removes the song for the first `times`, each time that its
    /// samples begin to come.
    fn import_while_removed(times: usize) -> (tempfile::TempDir, Result<Song>, usize) {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.ogg");
        let songs = library.songs_folder();
        let (mut other, mut removed) = (Holder::default(), 0);
        let mut remove = |_: f32| {
            let here = crate::engine::upkeep::song_folders(&songs);
            if removed < times && !here.is_empty() {
                assert!(other.take(home.path(), &here).1.is_empty());
                removed += 1;
            }
        };
        let song = import_file(&mut library, &file, &CancelToken::default(), &mut remove);
        drop(other);
        (home, song, removed)
    }

    #[test]
    fn a_song_that_is_removed_while_it_comes_is_imported_all_the_same() {
        let (home, song, removed) = import_while_removed(2);
        assert_eq!(removed, 2);
        let library = Library::open(home.path()).unwrap();
        assert!(MixStore::open(&library.song_folder(&song.unwrap().hash)).is_ok());
        assert_eq!(library.songs().unwrap().len(), 1);
        let (home, song, removed) = import_while_removed(usize::MAX);
        assert!(song.is_err() && removed == ATTEMPTS, "after {removed} it gives up");
        assert_eq!(Library::open(home.path()).unwrap().songs().unwrap(), []);
    }
}
