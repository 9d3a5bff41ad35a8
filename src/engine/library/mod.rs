//! The library: songs and jobs in SQLite, in the data folder.
//!
//! Knows no samples and no threads. The engine's thread owns one; commands that only look open
//! another (WAL mode lets them read beside it).

mod find;
mod jobs;
mod paces;
mod path_bytes;
mod records;
mod songs;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{EngineError, Result, SongId};
pub use find::find_song;
pub use records::Record;
pub use songs::NewSong;
pub(super) use songs::song_folder;

/// Each entry takes the schema one version further; `user_version` counts them.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE songs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash TEXT NOT NULL UNIQUE,
        path BLOB NOT NULL,
        title TEXT NOT NULL,
        artist TEXT,
        album TEXT,
        format TEXT NOT NULL,
        frames INTEGER NOT NULL,
        warning TEXT,
        added_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        song INTEGER NOT NULL REFERENCES songs(id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        stems TEXT NOT NULL,
        state TEXT NOT NULL,
        segments_done INTEGER NOT NULL,
        segments_total INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        seconds REAL NOT NULL
    ) STRICT;
    CREATE INDEX jobs_of_song ON jobs(song);
",
    "
    CREATE TABLE paces (
        model TEXT PRIMARY KEY,
        seconds REAL NOT NULL
    ) STRICT;
",
];

/// The file in the data folder.
const DATABASE: &str = "library.db";

/// An open library.
#[derive(Debug)]
pub struct Library {
    db: Connection,
    home: PathBuf,
}

impl Library {
    /// Opens the library in the data folder `home`; makes both if they are missing.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the folder cannot be made, [`EngineError::Library`] when the file
    /// cannot be used, [`EngineError::Busy`] when a newer Partita wrote it.
    pub fn open(home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home.join("songs")).map_err(|source| EngineError::Io {
            what: "cannot make",
            path: home.to_owned(),
            source,
        })?;
        let mut db = Connection::open(home.join(DATABASE))?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        migrate(&mut db)?;
        Ok(Self { db, home: home.to_owned() })
    }

    /// The data folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder that holds all songs' stores.
    pub fn songs_folder(&self) -> PathBuf {
        self.home.join("songs")
    }

    /// A number that changes when another connection has changed the library.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn version(&self) -> Result<i64> {
        Ok(self.db.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Removes every song and job; the stores are the caller's.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn clear(&mut self) -> Result<()> {
        Ok(self.db.execute_batch("BEGIN; DELETE FROM jobs; DELETE FROM songs; COMMIT;")?)
    }
}

fn migrate(db: &mut Connection) -> Result<()> {
    // Immediate: two programs that open a new library at once take turns.
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newer = || {
        EngineError::Busy(format!(
            "the library was written by a newer Partita (version {version} of its layout); \
             update this one"
        ))
    };
    let done = usize::try_from(version).map_err(|_| newer())?;
    for step in MIGRATIONS.get(done..).ok_or_else(newer)? {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(change.commit()?)
}

/// Seconds since 1970.
fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// The error for a song that is not there.
fn unknown_song(id: SongId) -> EngineError {
    EngineError::Unknown(format!("there is no song {} in the library", id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_library_is_refused_untouched() {
        let home = tempfile::tempdir().unwrap();
        Library::open(home.path()).unwrap().db.pragma_update(None, "user_version", 99).unwrap();
        let error = Library::open(home.path()).unwrap_err();
        assert!(error.to_string().contains("newer"), "{error}");
        let db = Connection::open(home.path().join("library.db")).unwrap();
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 99);
    }

    #[test]
    fn a_file_that_is_no_library_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("library.db"), [7u8; 5000]).unwrap();
        assert!(matches!(Library::open(home.path()), Err(EngineError::Library(_))));
    }
}
