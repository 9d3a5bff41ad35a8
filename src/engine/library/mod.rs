//! The library: songs and jobs in an SQLite database in the data folder.
//!
//! It depends on neither samples nor threads. The engine's thread owns one connection; read-only
//! commands open another, as WAL mode allows concurrent readers.

pub mod cover;
mod find;
pub mod import;
mod integrity;
mod jobs;
pub mod lock;
pub(in crate::engine) mod missing_files;
pub(super) mod paths;
pub mod recovery;
mod sidecar;
pub mod song_files;
mod songs;
mod taken;
mod timings;
pub(in crate::engine) mod trash;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::{
    engine::{
        problem::{FileAction, LibraryFault, Problem, Result},
        system::atomic_file,
        types::SongId,
    },
    file_identity::identity,
    file_moves,
};
pub use find::find_song;
pub use sidecar::Record;
pub use songs::{Found, Keys, Lanes, NewSong, RESIDUAL};
pub use taken::Taken;

/// Schema migrations; each entry advances the schema by one version, counted in `user_version`.
pub(super) const MIGRATIONS: &[&str] = &[
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
    "
    ALTER TABLE songs ADD COLUMN bpm REAL;
    ALTER TABLE songs ADD COLUMN key TEXT;
    ALTER TABLE songs ADD COLUMN loudness_lufs REAL;
    ALTER TABLE songs ADD COLUMN analysed INTEGER NOT NULL DEFAULT 0;
",
    "
    ALTER TABLE jobs ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET place = id;
    ALTER TABLE songs ADD COLUMN lanes TEXT;
",
    "
    ALTER TABLE jobs ADD COLUMN how TEXT;
    ALTER TABLE songs ADD COLUMN recipe TEXT;
",
    "
    ALTER TABLE songs ADD COLUMN tag_bpm REAL;
    ALTER TABLE songs ADD COLUMN tag_key TEXT;
",
    "
    ALTER TABLE songs ADD COLUMN sound TEXT;
    ALTER TABLE songs ADD COLUMN tag_title TEXT;
    CREATE INDEX songs_by_sound ON songs(sound);
    ALTER TABLE songs ADD COLUMN track INTEGER;
    ALTER TABLE songs ADD COLUMN tracks TEXT;
",
    // Reasons and warnings were English sentences. CASE keeps text that is not JSON from json_type.
    "
    UPDATE jobs SET state = json_set(state, '$.reason',
        json_object('recorded', json_object('text', json_extract(state, '$.reason'))))
    WHERE CASE WHEN json_valid(state) THEN json_type(state, '$.reason') END = 'text';
    UPDATE songs SET warning = json_array(json_object('note', 'recorded', 'text', warning))
    WHERE warning IS NOT NULL;
",
];

/// Database file in the data folder.
const DATABASE: &str = "library.db";

/// Lock file next to the database, held while a damaged library is replaced.
const REPAIR_LOCK: &str = "repair.lock";

/// Target of log lines for bug reports alone: the user gets a message about the same event.
pub(in crate::engine) const REPORT: &str = "report";

/// An open library.
#[derive(Debug)]
pub struct Library {
    db: Connection,
    home: PathBuf,
    /// Device and inode of the database file.
    file: Option<(u64, u64)>,
}

/// Location of a library that was opened earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// The file is still in place.
    InPlace,
    /// The file no longer exists.
    Gone,
    /// Another file replaced it.
    Replaced,
}

impl Library {
    /// Opens the library in the data folder `home`; creates both if they are missing.
    ///
    /// # Errors
    /// [`Problem::HomeUnwritable`] if the folder cannot be created, [`Problem::Library`] if the file cannot
    /// be used, [`Problem::NewerLibrary`] if a newer Partita wrote it.
    pub fn open(home: &Path) -> Result<Self> {
        let songs = home.join("songs");
        atomic_file::make_folders(&songs).map_err(|e| Problem::home_unwritable(home, e))?;
        Self::open_file(home).map_err(|problem| cannot_open(problem, &Self::file_in(home)))
    }

    fn open_file(home: &Path) -> Result<Self> {
        let file = Self::file_in(home);
        let mut db = Connection::open(&file)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        integrity::distrust(&db)?;
        // Check the version before any change: a newer library must stay unchanged to the byte.
        let version = known_version(&db)?;
        if version > 0 && version < MIGRATIONS.len() {
            back_up(&db, home, version)?;
        }
        db.pragma_update(None, "journal_mode", "WAL")?;
        // Completed changes must survive a power failure.
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        // Read-only users should not write.
        if version < MIGRATIONS.len() {
            migrate(&mut db)?;
        }
        let file = identity(&file).ok();
        Ok(Self { db, home: home.to_owned(), file })
    }

    /// Opens the library like [`Self::open`], but renames a damaged file and creates an empty
    /// library. Returns the new path of the damaged file.
    ///
    /// # Errors
    /// Fails like [`Self::open`], except for damage.
    pub fn open_or_set_aside(home: &Path) -> Result<(Self, Option<PathBuf>)> {
        let damage = match Self::open(home).and_then(|library| library.check().map(|()| library)) {
            Ok(library) => return Ok((library, None)),
            Err(error) if error.is_damage() => error,
            Err(other) => return Err(other),
        };
        // Two programs that find the damage at the same time take turns; the second one finds the
        // new library.
        let path = home.join(REPAIR_LOCK);
        let cannot = |error| Problem::write(&path, error);
        let lock = std::fs::File::create(&path).map_err(cannot)?;
        if let Err(e) = lock.lock() {
            tracing::debug!("could not lock {}: {e}", path.display());
        }
        if let Ok(library) = Self::open(home).and_then(|library| library.check().map(|()| library))
        {
            return Ok((library, None));
        }
        tracing::warn!(target: REPORT, "{damage}");
        let aside = set_aside(home)?;
        Ok((Self::open(home)?, Some(aside)))
    }

    /// Path of the library file in the data folder `home`.
    pub fn file_in(home: &Path) -> PathBuf {
        home.join(DATABASE)
    }

    /// The data folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the open file is still the library of its data folder.
    pub fn whereabouts(&self) -> Whereabouts {
        match identity(&Self::file_in(&self.home)).ok() {
            None => Whereabouts::Gone,
            file if file == self.file => Whereabouts::InPlace,
            Some(_) => Whereabouts::Replaced,
        }
    }

    /// Folder that contains all songs' stores.
    pub fn songs_folder(&self) -> PathBuf {
        self.home.join("songs")
    }

    /// Number that changes when another connection has changed the library.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn version(&self) -> Result<i64> {
        Ok(self.db.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Deletes every song and job; the caller deletes the stores.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn clear(&mut self) -> Result<()> {
        Ok(self.db.execute_batch("BEGIN; DELETE FROM jobs; DELETE FROM songs; COMMIT;")?)
    }
}

/// Adds the file's path to the error of opening a library, if the disk is at fault.
fn cannot_open(problem: Problem, path: &Path) -> Problem {
    use LibraryFault::{CannotOpen, Disk, NoSpace, ReadOnly};
    match problem {
        Problem::Library { fault: fault @ (CannotOpen | Disk | NoSpace | ReadOnly), text } => {
            Problem::OpenLibrary { path: path.to_owned(), fault, text }
        }
        other => other,
    }
}

/// Renames the damaged library and its log.
fn set_aside(home: &Path) -> Result<PathBuf> {
    let (mut count, mut aside) = (1, home.join(format!("library-damaged-{}.db", now())));
    while aside.exists() {
        count += 1;
        aside = home.join(format!("library-damaged-{}-{count}.db", now()));
    }
    for suffix in ["-wal", "-shm", ""] {
        let with = |path: &Path| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        let (from, to) = (with(&home.join(DATABASE)), with(&aside));
        match file_moves::rename(&from, &to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Problem::file(FileAction::Rename, &from, e));
            }
            _ => {}
        }
    }
    Ok(aside)
}

/// Backs up the library before a schema change; an earlier backup of the same version is replaced.
fn back_up(db: &Connection, home: &Path, version: usize) -> Result<()> {
    use rusqlite::types::{ToSqlOutput, ValueRef};
    let copy = home.join(format!("library-version-{version}.db"));
    let cannot = |error| Problem::write(&copy, error);
    // Not a temporary file: those are locked, and SQLite opens the copy by its name.
    let work = atomic_file::WorkFolder::make_in(home).map_err(cannot)?;
    let new = work.path().join(DATABASE);
    let name = paths::sqlite_name(&new).ok_or_else(|| Problem::write(&copy, not_unicode()))?;
    db.execute("VACUUM INTO ?1", [ToSqlOutput::Borrowed(ValueRef::Text(&name))])?;
    let file = std::fs::File::options().write(true).open(&new).map_err(cannot)?;
    file.sync_all().map_err(cannot)?;
    drop(file);
    file_moves::rename(&new, &copy).map_err(cannot)?;
    atomic_file::sync_folder(home);
    Ok(())
}

fn not_unicode() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, "the folder's name is not Unicode")
}

/// Schema version, after comparing the schema with that version.
fn known_version(db: &Connection) -> Result<usize> {
    // Use one transaction, because another program may be creating the library.
    let now = db.unchecked_transaction()?;
    let version = version_of(&now)?;
    integrity::check(&now, version)?;
    Ok(version)
}

/// Schema version.
fn version_of(db: &Connection) -> Result<usize> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = usize::try_from(version).ok().filter(|&version| version <= MIGRATIONS.len());
    known.ok_or(Problem::NewerLibrary(version))
}

fn migrate(db: &mut Connection) -> Result<()> {
    // Immediate: two programs that open a new library at the same time take turns.
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done = version_of(&change)?;
    for step in MIGRATIONS.iter().skip(done) {
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

/// Error for an unknown song.
fn unknown_song(id: SongId) -> Problem {
    Problem::UnknownSong { id: id.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        note::{Note, Notes},
        types::{JobId, JobState},
    };

    #[test]
    fn rejects_a_newer_library_without_changing_it() {
        let home = tempfile::tempdir().unwrap();
        let library = Library::open(home.path()).unwrap();
        library.db.pragma_update(None, "user_version", 99).unwrap();
        drop(library);
        let before = std::fs::read(home.path().join(DATABASE)).unwrap();
        let error = Library::open(home.path()).unwrap_err();
        assert!(error.to_string().contains("newer"), "{error}");
        let db = Connection::open(home.path().join("library.db")).unwrap();
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 99);
        assert!(
            std::fs::read(home.path().join(DATABASE)).unwrap() == before,
            "the file must not change"
        );
        assert!(
            Library::open_or_set_aside(home.path()).is_err(),
            "a newer library does not count as damaged"
        );
    }

    #[test]
    fn backs_up_an_older_library_before_migration() {
        let home = tempfile::tempdir().unwrap();
        let db = Connection::open(home.path().join(DATABASE)).unwrap();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.execute_batch(
            "INSERT INTO songs (hash, path, title, format, frames, added_at)
             VALUES ('aa', x'2f61', 'Old', '{}', 7, 1); PRAGMA user_version = 1;",
        )
        .unwrap();
        drop(db);
        let library = Library::open(home.path()).unwrap();
        assert_eq!(library.songs().unwrap()[0].title, "Old");
        assert_eq!(library.pace("m").unwrap(), None, "the new schema");
        let copy = Connection::open(home.path().join("library-version-1.db")).unwrap();
        assert_eq!(version_of(&copy).unwrap(), 1);
        let title: String =
            copy.query_row("SELECT title FROM songs", [], |row| row.get(0)).unwrap();
        assert_eq!(title, "Old");
        let files = std::fs::read_dir(home.path()).unwrap();
        let parts = files.filter(|file| {
            file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "part")
        });
        assert_eq!(parts.count(), 0);
    }

    #[test]
    fn migrates_sentences_to_recorded_problems_and_notes() {
        const WITH_SENTENCES: usize = 7;
        let home = tempfile::tempdir().unwrap();
        let db = Connection::open(home.path().join(DATABASE)).unwrap();
        for step in &MIGRATIONS[..WITH_SENTENCES] {
            db.execute_batch(step).unwrap();
        }
        let job = |state: &str| {
            format!(
                "INSERT INTO jobs (song, model, stems, state, segments_done, segments_total,
                 created_at, seconds) VALUES (1, 'm', '[]', '{state}', 0, 1, 1, 0);"
            )
        };
        db.execute_batch(&format!(
            "INSERT INTO songs (hash, path, title, format, frames, warning, added_at) VALUES
             ('aa', x'2f61', 'Odd', '{{}}', 7, 'cut off after 1:02', 1),
             ('bb', x'2f62', 'Whole', '{{}}', 7, NULL, 1);
             {}{}{} PRAGMA user_version = {WITH_SENTENCES};",
            job(r#"{"state":"failed","reason":"the \"disk\" is full"}"#),
            job(r#"{"state":"done"}"#),
            job("no JSON"),
        ))
        .unwrap();
        drop(db);
        let library = Library::open(home.path()).unwrap();
        let songs = library.songs().unwrap();
        let recorded = Note::Recorded { text: "cut off after 1:02".into() };
        let warning = |title: &str| {
            songs.iter().find(|song| song.title == title).map(|song| song.warning.clone())
        };
        assert_eq!(warning("Odd"), Some(recorded.into()));
        assert_eq!(warning("Whole"), Some(Notes::default()));
        let state = |id| library.job(JobId(id)).unwrap().state;
        let text = "the \"disk\" is full".to_owned();
        assert_eq!(state(1), JobState::Failed(Problem::Recorded { text }));
        assert_eq!(state(2), JobState::Done);
        assert!(matches!(state(3), JobState::Failed(Problem::JobUnreadable { .. })));
    }

    #[cfg(unix)] // names on Windows are UTF-16
    #[test]
    fn a_data_folder_need_not_be_unicode() {
        let folder = tempfile::tempdir().unwrap();
        let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe");
        let home = folder.path().join(name);
        std::fs::create_dir(&home).unwrap();
        let db = Connection::open(home.join(DATABASE)).unwrap();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        drop(db);
        Library::open(&home).unwrap();
        assert!(home.join("library-version-1.db").is_file());
    }

    #[cfg(unix)] // SQLite does not let Windows rename its open files
    #[test]
    fn detects_a_removed_library() {
        let home = tempfile::tempdir().unwrap();
        let library = Library::open(home.path()).unwrap();
        assert_eq!(library.whereabouts(), Whereabouts::InPlace);
        let file = Library::file_in(home.path());
        std::fs::rename(&file, home.path().join("elsewhere")).unwrap();
        assert_eq!(library.whereabouts(), Whereabouts::Gone);
        Library::open(home.path()).unwrap();
        assert_eq!(library.whereabouts(), Whereabouts::Replaced);
    }

    #[test]
    fn a_damaged_library_is_set_aside_with_all_its_bytes() {
        let home = tempfile::tempdir().unwrap();
        Library::open(home.path()).unwrap();
        let (_, aside) = Library::open_or_set_aside(home.path()).unwrap();
        assert_eq!(aside, None, "a valid library must stay");
        let mut bytes = std::fs::read(home.path().join(DATABASE)).unwrap();
        bytes[4096..8192].fill(0x5a); // a page of a table
        for damaged in [bytes, vec![7; 5000]] {
            std::fs::write(home.path().join(DATABASE), &damaged).unwrap();
            let (library, aside) = Library::open_or_set_aside(home.path()).unwrap();
            assert!(library.songs().unwrap().is_empty());
            assert!(std::fs::read(aside.unwrap()).unwrap() == damaged);
        }
    }

    #[test]
    fn rejects_a_file_that_is_not_a_library() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("library.db"), [7u8; 5000]).unwrap();
        assert!(matches!(Library::open(home.path()), Err(Problem::Library { .. })));
    }
}
