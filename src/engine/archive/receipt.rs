//! What is written down of a song: that its files were begun, or that they are complete, and which.
//!
//! A small file a song, written whole or not at all. It is what a later try believes, and only after a
//! look at the files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use crate::engine::{
    CancelToken, EngineError, Result,
    files::{make_folders, write_atomically},
    import::content_hash,
};

/// In [`super::STATE`]: a folder for each of 256 beginnings of keys.
const FOLDER: &str = "songs";

/// One song's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whether all files are complete; else they were begun, and whatever is there of them is ours.
    pub is_done: bool,
    /// The song's file, for people.
    pub song: String,
    /// What tells it from others.
    pub key: String,
    /// The model, and the digest of its weights.
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
    /// What there is to be said about it.
    pub notes: Vec<String>,
}

/// A song's own file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    bytes: u64,
    modified_ns: u64,
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

impl Source {
    /// The file as it is now; `None` where it cannot be seen.
    pub fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        let modified = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { bytes: about.len(), modified_ns: modified.as_nanos() as u64 })
    }
}

impl Written {
    /// A finished file below `out`.
    ///
    /// # Errors
    /// [`EngineError::Io`], [`EngineError::Cancelled`].
    pub fn of(name: &str, path: &Path, out: &Path, cancel: &CancelToken) -> Result<Self> {
        let cannot = |source| EngineError::Io { what: "cannot read", path: path.into(), source };
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
        let is_there = path.metadata().is_ok_and(|it| it.is_file() && it.len() == self.bytes);
        let is_same =
            || content_hash(&path, &CancelToken::default()).is_ok_and(|it| it == self.sha256);
        is_there && (!is_deep || is_same())
    }
}

impl Receipt {
    /// What is written down of the song `key`; `None` where nothing is, or it cannot be read: then it
    /// is as if nothing were done.
    pub fn read(state: &Path, key: &str) -> Option<Self> {
        let bytes = fs::read(place(state, key)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|receipt: &Self| receipt.key == key)
    }

    /// Writes it down.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn write(&self, state: &Path) -> Result<()> {
        let path = place(state, &self.key);
        let folder = path.parent().unwrap_or(state);
        let cannot = |source| EngineError::Io { what: "cannot write", path: path.clone(), source };
        make_folders(folder).map_err(cannot)?;
        let bytes = serde_json::to_vec(self).map_err(|e| cannot(io::Error::other(e)))?;
        write_atomically(&path, &bytes)
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

fn place(state: &Path, key: &str) -> PathBuf {
    state.join(FOLDER).join(key.get(..2).unwrap_or("00")).join(format!("{key}.json"))
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
        let mut receipt = Receipt { key: "abcd".into(), ..Receipt::default() };
        receipt.files = vec![Written::of("vocals", &stem, &out, &never).unwrap()];
        assert_eq!(receipt.files[0].path, Path::new("song/vocals.wav"));
        receipt.source = Source::of(&song);
        assert!(!receipt.holds(&song, &out), "begun is not done");
        receipt.is_done = true;
        receipt.write(&state).unwrap();
        let found = Receipt::read(&state, "abcd").unwrap();
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
        assert!(Receipt::read(&state, "abce").is_none());
        fs::write(place(&state, "abcd"), "{\"is_do").unwrap();
        assert!(Receipt::read(&state, "abcd").is_none(), "half of it is nothing");
    }
}
