//! Receipts: a mark that a song's files were begun, and a record of the complete ones.
//!
//! Mark and receipt are two files, each written atomically, so that neither can undo the other. A
//! process that begins late cannot turn a complete song into an incomplete one. The order of writes
//! holds for any number of processes on one song, with or without a claim:
//!
//! 1. the mark, before any file of the song gets its final name;
//! 2. the files;
//! 3. the receipt, after all files have their final names;
//! 4. the mark is removed.
//!
//! A reader uses the reverse order: files, mark, receipt. A file that it saw is therefore foreign
//! exactly if it finds neither mark nor receipt.

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

/// Folder in [`super::STATE`], with a subfolder for each of 256 key prefixes.
const FOLDER: &str = "songs";
/// Extensions of a receipt and of a mark.
const RECEIPT: &str = "json";
const MARK: &str = "begun";

/// Record of a song whose files are complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Always true. Version 1 wrote `false` for a song that was begun, which is now a mark.
    pub is_done: bool,
    /// Path of the song's file, for display.
    pub song: String,
    /// Key of the song; see [`super::key`].
    pub key: String,
    /// Model, digest of its weights, quality and precision.
    pub model: String,
    /// Length and modification time of the song's file; a changed file is a different song.
    pub source: Option<Source>,
    /// Files that were written.
    pub files: Vec<Written>,
    /// Length of the song in seconds.
    pub seconds: f64,
    /// Number of segments of the song.
    pub segments: usize,
    /// Number of segments computed in all tries, including lost ones.
    pub computed: usize,
    /// Duration of the last try in seconds.
    pub took: f64,
    /// Machine that finished the song.
    pub host: String,
    /// Time of completion, in seconds since 1970.
    pub at: u64,
    /// Gain of all files in dB.
    pub gain_db: f32,
    /// Notes for the user; sentences of earlier versions are also accepted.
    pub notes: Notes,
}

/// An output file of a song.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Content of the file: "vocals".
    pub name: String,
    /// Path below the folder of the results.
    pub path: PathBuf,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
}

impl Written {
    /// Describes a finished file below `out`.
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

    /// Whether the file exists with unchanged length; with `is_deep`, also with unchanged content.
    pub fn is_whole(&self, out: &Path, is_deep: bool) -> bool {
        let path = out.join(&self.path);
        let exists = path
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == self.bytes);
        let is_same = || {
            content_hash(&path, &CancelToken::default()).is_ok_and(|digest| digest == self.sha256)
        };
        exists && (!is_deep || is_same())
    }
}

impl Receipt {
    /// Finds the receipt of a song; `None` without a readable one, which counts as not done.
    pub fn find(state: &Path, keys: &Keys) -> Option<Self> {
        let first_version = || Self::read(state, keys.first_version.as_deref()?);
        Self::read(state, &keys.song).or_else(first_version)
    }

    fn read(state: &Path, key: &str) -> Option<Self> {
        let bytes = fs::read(place(state, key, RECEIPT)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|receipt: &Self| receipt.key == key)
    }

    /// Writes the receipt, then removes the mark. All files have their final names by now.
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
            // The receipt takes precedence; a remaining mark only costs its space.
            tracing::warn!("could not remove {}: {error}", mark.display());
        }
        Ok(())
    }

    /// Whether the song is done and its files are unchanged. A modified song has to be separated
    /// again; an inaccessible one is no longer needed.
    pub fn holds(&self, song: &Path, out: &Path) -> bool {
        let is_same = || match (self.source, Source::of(song)) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        };
        self.is_done && is_same() && self.missing(out, false).is_empty()
    }

    /// Files that are missing or changed.
    pub fn missing(&self, out: &Path, is_deep: bool) -> Vec<PathBuf> {
        let files = self.files.iter().filter(|file| !file.is_whole(out, is_deep));
        files.map(|file| out.join(&file.path)).collect()
    }
}

/// Marks a song as begun: from now on, files with its names belong to it.
///
/// # Errors
/// [`Problem::File`].
pub fn begin(state: &Path, keys: &Keys, song: &Path) -> Result<()> {
    write_at(&place(state, &keys.song, MARK), song.display().to_string().as_bytes())
}

/// Whether files with the song's names belong to it, because it was begun or completed. Only valid
/// for files seen before this call; see the order in the module description.
pub fn is_begun(state: &Path, keys: &Keys) -> bool {
    place(state, &keys.song, MARK).exists() || Receipt::find(state, keys).is_some()
}

fn write_at(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folders(folder).map_err(|source| cannot_write(path, source))?;
    // Remove temporary files of a process that was killed while writing here.
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
    fn truncated_or_changed_songs_are_not_done() {
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
        assert!(!receipt.holds(&song, &out), "a begun song must not count as done");
        receipt.is_done = true;
        receipt.write(&state).unwrap();
        let found = Receipt::find(&state, &keys).unwrap();
        assert_eq!(found, receipt);
        assert!(found.holds(&song, &out));

        fs::write(&stem, "a noise").unwrap();
        assert!(found.holds(&song, &out), "unchanged length");
        assert_eq!(
            found.missing(&out, true),
            std::slice::from_ref(&stem),
            "a deep check must detect the change"
        );
        fs::write(&stem, "a voi").unwrap();
        assert!(!found.holds(&song, &out), "truncated file");
        fs::write(&stem, "a voice").unwrap();
        fs::write(&song, "another song").unwrap();
        assert!(!found.holds(&song, &out));
        fs::remove_file(&song).unwrap();
        assert!(found.holds(&song, &out), "a completed song no longer needs its source");
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
