//! Receipts: a mark that a song's files were begun, and a record of the complete ones.
//!
//! Mark and receipt are two files, each written whole or not at all, so that neither can undo the
//! other: a process that begins late cannot turn a complete song into a begun one. The order of writes
//! holds for any number of processes on one song, with or without a claim:
//!
//! 1. the mark, before any file of the song has its name;
//! 2. the files;
//! 3. the receipt, after all files have their names;
//! 4. the mark is removed.
//!
//! A reader goes the other way, files first, then mark, then receipt. So a file that it saw is foreign
//! exactly if it finds neither.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::key::{Keys, Source};
use crate::engine::{
    note::Notes,
    problem::{Problem, Result},
    system::{
        atomic_file::{make_folders, sweep, write_atomically},
        digest::content_hash,
    },
    types::CancelToken,
};

/// In [`super::STATE`]: a folder for each of 256 beginnings of keys.
const FOLDER: &str = "songs";
/// Extensions of a receipt and of a mark.
const RECEIPT: &str = "json";
const MARK: &str = "begun";

/// The record of a song whose files are complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// True. Version 1 wrote `false` for a song that was begun, where there is a mark now.
    pub is_done: bool,
    /// The song's file, for people.
    pub song: String,
    /// Its key; see [`super::key`].
    pub key: String,
    /// The model, the digest of its weights, the quality and the precision.
    pub model: String,
    /// Length of the song's file, and when it was written to; another is another song.
    pub source: Option<Source>,
    /// What was written.
    pub files: Vec<Written>,
    /// The song's length.
    pub seconds: f64,
    /// Its segments.
    pub segments: usize,
    /// Segments computed for it in all tries, those that were lost among them.
    pub computed: usize,
    /// Seconds that the last try took.
    pub took: f64,
    /// Which machine finished it.
    pub host: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Gain of all files in dB.
    pub gain_db: f32,
    /// Notes for the user; sentences of earlier versions are read too.
    pub notes: Notes,
}

/// A file of a song.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// What is in it: "vocals".
    pub name: String,
    /// Where, below the folder of the results.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl Written {
    /// A finished file below `out`.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Cancelled`].
    pub fn of(name: &str, path: &Path, out: &Path, cancel: &CancelToken) -> Result<Self> {
        let cannot = |error| Problem::read(path, error);
        Ok(Self {
            name: name.into(),
            path: path.strip_prefix(out).unwrap_or(path).into(),
            bytes: path.metadata().map_err(cannot)?.len(),
            sha256: content_hash(path, cancel)?,
        })
    }

    /// Whether it is there, as long as it was; with `is_deep`, whether its bytes are what they were.
    pub fn is_whole(&self, out: &Path, is_deep: bool) -> bool {
        let path = out.join(&self.path);
        let is_there = path
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == self.bytes);
        let is_same = || {
            content_hash(&path, &CancelToken::default()).is_ok_and(|digest| digest == self.sha256)
        };
        is_there && (!is_deep || is_same())
    }
}

impl Receipt {
    /// The receipt of a song; `None` where it has no readable one, which counts as not done.
    pub fn find(state: &Path, keys: &Keys) -> Option<Self> {
        let first_version = || Self::read(state, keys.first_version.as_deref()?);
        Self::read(state, &keys.song).or_else(first_version)
    }

    fn read(state: &Path, key: &str) -> Option<Self> {
        let bytes = fs::read(place(state, key, RECEIPT)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|receipt: &Self| receipt.key == key)
    }

    /// Writes the receipt, and then removes the mark: every file has its name.
    ///
    /// # Errors
    /// [`Problem::File`].
    pub fn write(&self, state: &Path) -> Result<()> {
        let cannot = |source| cannot_write(&place(state, &self.key, RECEIPT), source);
        let bytes = serde_json::to_vec(self).map_err(|e| cannot(io::Error::other(e)))?;
        write_at(&place(state, &self.key, RECEIPT), &bytes)?;
        let mark = place(state, &self.key, MARK);
        if let Err(error) = fs::remove_file(&mark)
            && error.kind() != io::ErrorKind::NotFound
        {
            // The receipt says more; the mark only costs its space.
            tracing::warn!("could not remove {}: {error}", mark.display());
        }
        Ok(())
    }

    /// Whether the song is done and its files are as they were written. A song that was changed since
    /// is to be separated again; one that cannot be seen is not needed any more.
    pub fn holds(&self, song: &Path, out: &Path) -> bool {
        let is_same = || match (self.source, Source::of(song)) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        };
        self.is_done && is_same() && self.missing(out, false).is_empty()
    }

    /// Files that are not whole.
    pub fn missing(&self, out: &Path, is_deep: bool) -> Vec<PathBuf> {
        let files = self.files.iter().filter(|file| !file.is_whole(out, is_deep));
        files.map(|file| out.join(&file.path)).collect()
    }
}

/// Marks a song as begun: from now on, files of its names are its own.
///
/// # Errors
/// [`Problem::File`].
pub fn begin(state: &Path, keys: &Keys, song: &Path) -> Result<()> {
    write_at(&place(state, &keys.song, MARK), song.display().to_string().as_bytes())
}

/// Whether files of the song's names are its own: it was begun, or is complete. For files that were
/// seen before this call; see the order in the module's description.
pub fn is_begun(state: &Path, keys: &Keys) -> bool {
    place(state, &keys.song, MARK).exists() || Receipt::find(state, keys).is_some()
}

fn write_at(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folders(folder).map_err(|source| cannot_write(path, source))?;
    // Of a process that was killed while it wrote here.
    sweep(folder);
    write_atomically(path, bytes)
}

fn cannot_write(path: &Path, source: io::Error) -> Problem {
    Problem::write(path, source)
}

fn place(state: &Path, key: &str, extension: &str) -> PathBuf {
    state.join(FOLDER).join(key.get(..2).unwrap_or("00")).join(format!("{key}.{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_changed_is_not_done() {
        let home = tempfile::tempdir().unwrap();
        let (out, state) = (home.path().join("out"), home.path().join("state"));
        let (song, stem) = (home.path().join("song.wav"), out.join("song/vocals.wav"));
        fs::create_dir_all(stem.parent().unwrap()).unwrap();
        fs::write(&song, "a song").unwrap();
        fs::write(&stem, "a voice").unwrap();
        let never = CancelToken::default();
        let keys = Keys { song: "abcd".into(), first_version: Some("ef01".into()) };
        let mut receipt = Receipt { key: keys.song.clone(), ..Receipt::default() };
        receipt.files = vec![Written::of("vocals", &stem, &out, &never).unwrap()];
        assert_eq!(receipt.files[0].path, Path::new("song/vocals.wav"));
        receipt.source = Source::of(&song);
        assert!(!receipt.holds(&song, &out), "begun is not done");
        receipt.is_done = true;
        receipt.write(&state).unwrap();
        let found = Receipt::find(&state, &keys).unwrap();
        assert_eq!(found, receipt);
        assert!(found.holds(&song, &out));

        fs::write(&stem, "a noise").unwrap();
        assert!(found.holds(&song, &out), "as long as before");
        assert_eq!(found.missing(&out, true), std::slice::from_ref(&stem), "seen by a closer look");
        fs::write(&stem, "a voi").unwrap();
        assert!(!found.holds(&song, &out), "cut off");
        fs::write(&stem, "a voice").unwrap();
        fs::write(&song, "another song").unwrap();
        assert!(!found.holds(&song, &out));
        fs::remove_file(&song).unwrap();
        assert!(found.holds(&song, &out), "what is done needs its song no more");
        let other = Keys { song: "abce".into(), first_version: None };
        assert!(Receipt::find(&state, &other).is_none());
        fs::write(place(&state, "abcd", RECEIPT), "{\"is_do").unwrap();
        assert!(Receipt::find(&state, &keys).is_none(), "a truncated receipt does not count");
    }

    #[test]
    fn begins_late_without_undoing_a_receipt() {
        let state = tempfile::tempdir().unwrap();
        let (state, song) = (state.path(), Path::new("song.wav"));
        let keys = Keys { song: "abcd".into(), first_version: None };
        assert!(!is_begun(state, &keys));
        begin(state, &keys, song).unwrap();
        begin(state, &keys, song).unwrap();
        assert!(is_begun(state, &keys) && Receipt::find(state, &keys).is_none());
        let receipt = Receipt { key: keys.song.clone(), is_done: true, ..Receipt::default() };
        receipt.write(state).unwrap();
        assert!(!place(state, "abcd", MARK).exists());
        begin(state, &keys, song).unwrap();
        assert_eq!(Receipt::find(state, &keys), Some(receipt));
        assert!(is_begun(state, &keys));
    }

    #[test]
    fn finds_receipts_of_the_first_version() {
        let state = tempfile::tempdir().unwrap();
        let keys = Keys { song: "abcd".into(), first_version: Some("ef01".into()) };
        let path = place(state.path(), "ef01", RECEIPT);
        let first = Receipt { key: "ef01".into(), ..Receipt::default() };
        write_at(&path, &serde_json::to_vec(&first).unwrap()).unwrap();
        assert!(is_begun(state.path(), &keys), "version 1 marked a begun song with a receipt");
        let done = Receipt { key: keys.song.clone(), is_done: true, ..Receipt::default() };
        done.write(state.path()).unwrap();
        assert_eq!(Receipt::find(state.path(), &keys), Some(done), "the newest version wins");
    }
}
