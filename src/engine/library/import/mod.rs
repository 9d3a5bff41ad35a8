//! Import: turns a user's file into a mix store, a cover and a row of the library.
//!
//! Runs on a dedicated thread, one file after the other; a failing file does not affect others.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest as _, Sha256};

use super::{Found, Keys, Library, NewSong, Record, cover, lock::ImportLock, song_files::songs_in};
use crate::{
    engine::{
        audio::decode::{self, Broadcast, SoundIdentity},
        event::{Event, EventSink},
        problem::{Activity, Advice, Problem, Result},
        store::{MixStore, MixWriter},
        system::{
            atomic_file::{self, check_room},
            digest::{content_hash, hex},
            panics::caught,
            threads::{self, Thread},
        },
        types::{CHANNELS, CancelToken, Song},
    },
    file_moves,
};

/// Capacity of the request queue; each request can be a whole folder tree.
const WAITING: usize = 256;

/// Number of attempts if another program keeps removing the song during the import.
const ATTEMPTS: usize = 5;

/// File in a song's folder that stores the time of recording.
const BROADCAST: &str = "broadcast.json";

/// Message from the import thread to the engine.
pub(in crate::engine) enum Imported {
    /// A file's song is in the library.
    Song(PathBuf, Box<Song>),
    /// The disk is full, for a file's song or for one of its tracks.
    NoRoom(PathBuf, Option<usize>, Problem),
    /// All files of one request were handled.
    All,
}

/// Files and folders, and the audio track to import from each.
type Request = (Vec<PathBuf>, Option<usize>);

/// Handle of the import thread.
pub(in crate::engine) struct Importer {
    inbox: Option<Sender<Request>>,
    cancel: CancelToken,
    _thread: Thread,
}

impl Importer {
    /// Starts the thread, which passes its messages to `imported`.
    pub(in crate::engine) fn start(
        home: PathBuf,
        sink: EventSink,
        imported: impl Fn(Imported) + Send + 'static,
    ) -> Result<Self> {
        let (inbox, requests) = bounded(WAITING);
        let cancel = CancelToken::default();
        let work = Work { home, sink, cancel: cancel.clone(), imported: Box::new(imported) };
        let thread = threads::start("import", move || work.run(&requests))?;
        Ok(Self { inbox: Some(inbox), cancel, _thread: thread })
    }

    /// Queues files and folders; fails if the queue is full.
    pub(in crate::engine) fn import(
        &self,
        paths: Vec<PathBuf>,
        track: Option<usize>,
    ) -> Result<()> {
        let request = (paths, track);
        let sent = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(request).is_ok());
        if sent { Ok(()) } else { Err(Problem::TooManyImports) }
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.inbox = None;
    }
}

struct Work {
    home: PathBuf,
    sink: EventSink,
    cancel: CancelToken,
    imported: Box<dyn Fn(Imported) + Send>,
}

impl Work {
    fn run(self, requests: &Receiver<Request>) {
        for (paths, track) in requests {
            for path in paths {
                for file in self.files_of(path) {
                    if self.cancel.is_cancelled() {
                        return;
                    }
                    self.import(&file, track);
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
                    let left_out = found.passed_over;
                    self.sink.send(Event::PassedOver { folder: path, left_out });
                }
                found.songs
            }
            Err(error) => {
                self.sink.send(Event::ImportFailed { path, problem: Problem::Folder(error) });
                Vec::new()
            }
        }
    }

    /// Opens the current library, which another program may have replaced in the meantime. A
    /// missing library is not created, because its disk may be disconnected.
    fn open_library(&self) -> Result<Library> {
        let file = Library::file_in(&self.home);
        file.metadata().map_err(|e| Problem::read(&file, e))?;
        Library::open(&self.home)
    }

    fn import(&self, path: &Path, track: Option<usize>) {
        let (sink, cancel) = (self.sink.clone(), self.cancel.clone());
        let mut progress = |fraction| {
            sink.try_send(Event::Importing { path: path.to_owned(), fraction });
        };
        progress(0.0);
        // A panic ends one import, not the thread.
        let song = caught(Activity::Importing, || {
            import_file(&mut self.open_library()?, (path, track), &cancel, &mut progress)
        });
        match song {
            Ok(song) => (self.imported)(Imported::Song(path.to_owned(), Box::new(song))),
            Err(Problem::Cancelled) => {}
            Err(e) if e.is_no_room() => {
                (self.imported)(Imported::NoRoom(path.to_owned(), track, e));
            }
            Err(e) => {
                self.sink.send(Event::ImportFailed { path: path.to_owned(), problem: e });
            }
        }
    }
}

/// Adds one file to the library, or finds its existing song by its sound or its bytes.
fn import_file(
    library: &mut Library,
    (path, track): (&Path, Option<usize>),
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<Song> {
    let path = std::path::absolute(path).map_err(|e| cannot_read(path, e))?;
    let mut keys = keys_of(library, (&path, track), cancel)?;
    let busy = || tracing::warn!("waiting for another Partita to finish importing");
    let _lock = ImportLock::take(library.home(), cancel, busy)?;
    let known = library.song_of(&keys, &path)?;
    if let Some(song) = &known
        && MixStore::open(&library.song_folder(&song.hash)).is_ok()
    {
        return found_again(library, song, &keys, (&path, track), cancel);
    }
    if let Some(song) = &known {
        keys.hash.clone_from(&song.hash);
    } else if let Some(file) = keys.file.take()
        && library.forget_nameless(&file)?
    {
        keys.hash = file;
    } else {
        library.forget_nameless(&keys.hash)?;
    }
    let folder = library.song_folder(&keys.hash);
    let was_there = folder.exists();
    let library_file = &Library::file_in(library.home());
    let mut attempt = || {
        // `caught` ensures the cleanup below even after a panic in a decoder.
        caught(Activity::ReadingFile, || add(library, (&path, track), &keys, cancel, progress))
    };
    let mut added = attempt();
    for _ in 1..ATTEMPTS {
        if !was_taken_away(&added, library_file, &folder) {
            break;
        }
        tracing::info!("another Partita removed {} in the meantime; retrying", path.display());
        added = attempt();
    }
    let is_elsewhere = added.as_ref().is_ok_and(|song| song.hash != keys.hash);
    if (added.is_err() || is_elsewhere) && known.is_none() && !was_there {
        // Nothing of a failed file is kept. Its folder may not exist at all.
        if let Err(e) = file_moves::remove_folder(&folder) {
            tracing::debug!("{}: {e}", folder.display());
        }
    }
    added
}

/// Computes the keys of an audio track of the file at `path`. Songs known only by their file's
/// bytes always belong to its default track.
fn keys_of(
    library: &Library,
    (path, track): (&Path, Option<usize>),
    cancel: &CancelToken,
) -> Result<Keys> {
    let sound = SoundIdentity::of_file(path, track, cancel)?;
    let is_by_file = track.is_none() && library.has_songs_without_sound()?;
    let file = if sound.is_none() || is_by_file {
        let file = content_hash(path, cancel)?;
        Some(track.map_or_else(|| file.clone(), |track| hash_of_track(&file, track)))
    } else {
        None
    };
    let hash = sound.as_ref().map(|sound| sound.digest().to_owned()).or_else(|| file.clone());
    Ok(Keys { sound: sound.map(|sound| sound.versioned()), hash: hash.unwrap_or_default(), file })
}

/// Updates a library song from the file in which it was found: path, tags, cover, identity.
fn found_again(
    library: &mut Library,
    song: &Song,
    keys: &Keys,
    (path, track): (&Path, Option<usize>),
    cancel: &CancelToken,
) -> Result<Song> {
    let about = decode::About::read(path, cancel);
    let cover = library.song_folder(&song.hash).join(cover::FILE);
    if let Some(bytes) = &about.cover
        && std::fs::read(&cover).ok().as_ref() != Some(bytes)
    {
        atomic_file::write_atomically(&cover, bytes)?;
    }
    keep_broadcast(path, &library.song_folder(&song.hash), cancel)?;
    let is_same_file = song.sound.is_none() && keys.file.as_ref() == Some(&song.hash);
    let (sound, tags) = (keys.sound.as_deref(), &about.tags);
    let song = library.found_again(song.id, &Found { path, track, sound, tags, is_same_file })?;
    // Keep the record next to the stores up to date.
    library.write_record(&song.hash)?;
    Ok(song)
}

/// Whether an import failed because another program removed or reset the same song in the meantime.
/// If the library is gone, too, the disk was disconnected instead.
fn was_taken_away(added: &Result<Song>, library_file: &Path, folder: &Path) -> bool {
    added.as_ref().is_err_and(Problem::is_missing) && !folder.exists() && library_file.exists()
}

fn add(
    library: &mut Library,
    (path, track): (&Path, Option<usize>),
    keys: &Keys,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<Song> {
    let folder = library.song_folder(&keys.hash);
    let (decoded, mix) = decode_into(path, track, &folder, cancel, progress)?;
    // Songs of older versions have no sound identity: a retagged file is matched by its samples.
    for song in library.songs_without_sound(decoded.frames)? {
        let mix = MixStore::open(&library.song_folder(&song.hash));
        if song.hash != keys.hash && mix.is_ok_and(|mix| sounds_like((path, track), &mix, cancel)) {
            return found_again(library, &song, keys, (path, track), cancel);
        }
    }
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled);
    }
    if let Some(bytes) = &decoded.cover {
        atomic_file::write_atomically(&folder.join(cover::FILE), bytes)?;
    }
    keep_broadcast(path, &folder, cancel)?;
    let (hash, sound) = (keys.hash.clone(), keys.sound.clone());
    let new = NewSong { path: path.to_owned(), hash, sound, decoded };
    // Write the record before the mix becomes valid, so that a complete mix always has one.
    Record::of_new(&new).write(&folder)?;
    mix.finish()?;
    library.add_song(&new)
}

/// Saves the time of recording of the file at `path`, for exports after the file is gone.
fn keep_broadcast(path: &Path, folder: &Path, cancel: &CancelToken) -> Result<()> {
    let Some(broadcast) = decode::broadcast(path, cancel) else { return Ok(()) };
    let text = serde_json::to_vec(&broadcast).unwrap_or_default();
    atomic_file::write_atomically(&folder.join(BROADCAST), &text)
}

/// Time of recording stored in a song's folder; `None` if the file had none.
pub(in crate::engine) fn kept_broadcast(folder: &Path) -> Option<Broadcast> {
    serde_json::from_slice(&std::fs::read(folder.join(BROADCAST)).ok()?).ok()
}

/// Whether the file at `path` still has the sound of `song`. `folder` holds the song's stores.
///
/// # Errors
/// Fails with [`Problem::Cancelled`].
pub(in crate::engine) fn is_same_song(
    path: &Path,
    song: &Song,
    folder: &Path,
    cancel: &CancelToken,
) -> Result<bool> {
    let is_same = if let Some(sound) = &song.sound {
        SoundIdentity::of_file(path, song.track, cancel)
            .map(|found| found.is_some_and(|found| found.versioned() == *sound))
    } else {
        content_hash(path, cancel).map(|hash| {
            let sounds_the_same = |mix| sounds_like((path, song.track), &mix, cancel);
            is_hash_of(song, &hash) || MixStore::open(folder).is_ok_and(sounds_the_same)
        })
    };
    match is_same {
        _ if cancel.is_cancelled() => Err(Problem::Cancelled),
        is_same => Ok(is_same.unwrap_or(false)),
    }
}

/// Whether an audio track of the file at `path` decodes to exactly the samples of `mix`. Stops at
/// the first difference.
fn sounds_like(
    (path, track): (&Path, Option<usize>),
    mix: &MixStore,
    cancel: &CancelToken,
) -> bool {
    let (mut at, mut expected) = (0, Vec::new());
    let mut compare = |block: &[f32]| {
        expected.resize(block.len(), 0.0);
        mix.read(at, &mut expected).map_err(|e| Problem::read(&mix.path(), e))?;
        at += (block.len() / CHANNELS) as u64;
        let is_same = at <= mix.frames() && block == expected;
        if is_same { Ok(()) } else { Err(Problem::Cancelled) }
    };
    let decoded = decode::decode(path, track, cancel, &mut |_| (), &mut compare);
    decoded.is_ok_and(|decoded| decoded.frames == mix.frames())
}

/// Decodes a file into a mix store in `folder`.
///
/// # Errors
/// Fails with the errors of [`decode::decode`] and of the disk.
pub fn decode_to_store(
    path: &Path,
    track: Option<usize>,
    folder: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(decode::Decoded, MixStore)> {
    let (decoded, mix) = decode_into(path, track, folder, cancel, progress)?;
    Ok((decoded, mix.finish()?))
}

fn decode_into(
    path: &Path,
    track: Option<usize>,
    folder: &Path,
    cancel: &CancelToken,
    progress: &mut dyn FnMut(f32),
) -> Result<(decode::Decoded, MixWriter)> {
    const FRAME_BYTES: u64 = (CHANNELS * size_of::<f32>()) as u64;
    /// Bytes for the cover, the record and the library.
    const BESIDES: u64 = 1 << 20;
    let mut writer = MixWriter::create(folder)?;
    let mut expect = |frames: u64| {
        let bytes = frames.saturating_mul(FRAME_BYTES).saturating_add(BESIDES);
        check_room(folder, bytes, folder, Advice::FreeSpace)
    };
    let mut sink = |block: &[f32]| writer.push(block);
    let decoded = decode::decode_expected(path, track, cancel, &mut expect, progress, &mut sink)?;
    Ok((decoded, writer))
}

/// Hash for a selected track of a file whose bytes have the hash `file`; each track is a separate
/// song.
fn hash_of_track(file: &str, track: usize) -> String {
    hex(&Sha256::digest(format!("{file} track {track}")))
}

/// Whether a song was made from a file whose bytes have the hash `file`.
fn is_hash_of(song: &Song, file: &str) -> bool {
    let of_track = song.track.is_some_and(|track| song.hash == hash_of_track(file, track));
    song.hash == file || of_track
}

fn cannot_read(path: &Path, source: std::io::Error) -> Problem {
    Problem::input(path, source)
}

#[cfg(test)]
mod retag_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::{recovery, trash::TrashBin};

    #[test]
    fn a_panic_while_reading_ends_one_import_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.ogg");
        let never = CancelToken::default();
        let mut shown = 0;
        let mut fail = |_: f32| {
            shown += 1;
            assert!(shown < 3, "on purpose");
        };
        let error = import_file(&mut library, (&file, None), &never, &mut fail).unwrap_err();
        assert!(matches!(error, Problem::Internal { .. }), "{error}");
        assert!(error.to_string().contains("on purpose"), "{error}");
        assert_eq!(library.songs().unwrap(), []);
        assert_eq!(std::fs::read_dir(library.songs_folder()).unwrap().count(), 0);
        let song = import_file(&mut library, (&file, None), &never, &mut |_| {}).unwrap();
        assert_eq!(library.songs().unwrap().len(), 1);
        assert!(MixStore::open(&library.song_folder(&song.hash)).is_ok());
    }

    /// Imports while another program removes the song as soon as its samples appear, for the first
    /// `times` attempts.
    fn import_while_removed(times: usize) -> (tempfile::TempDir, Result<Song>, usize) {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp.ogg");
        let songs = library.songs_folder();
        let (mut other, mut removed) = (TrashBin::default(), 0);
        let mut remove = |_: f32| {
            let here = recovery::song_folders(&songs);
            if removed < times && !here.is_empty() {
                assert!(other.take(home.path(), &here).1.is_empty());
                removed += 1;
            }
        };
        let song = import_file(&mut library, (&file, None), &CancelToken::default(), &mut remove);
        drop(other);
        (home, song, removed)
    }

    #[test]
    fn imports_a_song_that_is_removed_in_the_meantime() {
        let (home, song, removed) = import_while_removed(2);
        assert_eq!(removed, 2);
        let library = Library::open(home.path()).unwrap();
        assert!(MixStore::open(&library.song_folder(&song.unwrap().hash)).is_ok());
        assert_eq!(library.songs().unwrap().len(), 1);
        let (home, song, removed) = import_while_removed(usize::MAX);
        assert!(song.is_err() && removed == ATTEMPTS, "must stop after {removed}");
        assert_eq!(Library::open(home.path()).unwrap().songs().unwrap(), []);
    }
}
