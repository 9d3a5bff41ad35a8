//! Whether a file that is called a library is one: its layout is ours, and every row can be read.
//!
//! A database file is a program as much as data: views, triggers and computed columns run when it is
//! looked at. So its layout is compared with our own before anything is asked of it, and what runs
//! none the less may call nothing. What is found here counts as damage: the file is set aside.
//! Runs on the thread that opens the library.

use rusqlite::{Connection, config::DbConfig};

use super::{Library, MIGRATIONS};
use crate::engine::problem::Result;

/// Settings for a file that anybody may have written.
pub(super) fn distrust(db: &Connection) -> Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// Compares the layout with the one that `version` has.
///
/// # Errors
/// [`crate::engine::Problem::Library`], as of a damaged file, when it is another.
pub(super) fn check(db: &Connection, version: usize) -> Result<()> {
    let own = Connection::open_in_memory()?;
    for step in MIGRATIONS.iter().take(version) {
        own.execute_batch(step)?;
    }
    if layout(db)? == layout(&own)? { Ok(()) } else { Err(damage("its layout is another").into()) }
}

/// Everything that is defined, as far as it does not follow from the rest.
fn layout(db: &Connection) -> rusqlite::Result<Vec<(String, String, String, String)>> {
    let mut query = db.prepare(
        "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema
         WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4'))
         AND NOT (type = 'index' AND name LIKE 'sqlite\\_autoindex\\_%' ESCAPE '\\')
         ORDER BY type, name LIMIT 1000",
    )?;
    let rows = query.query_map([], |row| {
        let (name, sql): (String, String) = (row.get(1)?, row.get(3)?);
        // SQLite knows its own table by these letters alone.
        let sql = if name == "sqlite_sequence" { sql } else { plain(&sql) };
        Ok((row.get(0)?, name, row.get(2)?, sql))
    })?;
    rows.collect()
}

/// Without what versions of SQLite write differently when they rewrite a definition.
fn plain(sql: &str) -> String {
    let kept = sql.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '`' | '[' | ']'));
    kept.collect::<String>().to_lowercase()
}

impl Library {
    /// Reads every page and every row, and looks every row up in the indices: 10,000 songs take some
    /// 10 ms.
    pub(super) fn check(&self) -> Result<()> {
        let check = "PRAGMA integrity_check(1)";
        let verdict: String = self.db.query_row(check, [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(damage(&verdict).into());
        }
        let hashes = self.records()?.into_iter().map(|record| record.hash);
        if let Some(odd) = hashes.into_iter().find(|hash| !is_hash(hash)) {
            return Err(damage(&format!("{odd:?} is no song's name")).into());
        }
        self.jobs()?;
        Ok(())
    }
}

/// Whether this is a content's hash, or the beginning that a song's folder is called by. Paths are
/// made of it, so it may be nothing else.
pub(super) fn is_hash(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn damage(what: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::{library::DATABASE, problem::Problem};

    /// A whole library, but for what `change` does to it.
    fn changed(change: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        Library::open(home.path()).unwrap();
        let db = Connection::open(home.path().join(DATABASE)).unwrap();
        db.execute_batch(change).unwrap();
        home
    }

    fn is_set_aside(home: &Path) -> bool {
        let (library, aside) = Library::open_or_set_aside(home).unwrap();
        assert!(library.songs().unwrap().is_empty() && library.jobs().unwrap().is_empty());
        aside.is_some()
    }

    #[test]
    fn what_would_run_is_not_run() {
        const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
        for change in [
            &format!("DROP TABLE paces; CREATE VIEW paces AS {ENDLESS} SELECT i, i FROM n;"),
            "CREATE TRIGGER t AFTER INSERT ON songs BEGIN DELETE FROM songs; END;",
            "ALTER TABLE jobs ADD COLUMN bomb TEXT AS (hex(zeroblob(1000000000)));",
            "CREATE INDEX i ON songs (abs(frames));",
            "CREATE VIRTUAL TABLE t USING fts5 (x);",
            "DROP TABLE jobs;",
            "CREATE TABLE more (x);",
        ] {
            let home = changed(change);
            assert!(matches!(Library::open(home.path()), Err(Problem::Library { .. })), "{change}");
            assert!(is_set_aside(home.path()), "{change}");
        }
    }

    #[test]
    fn a_library_that_was_looked_over_by_sqlite_stays() {
        for change in ["ANALYZE;", "VACUUM;", "PRAGMA journal_mode = DELETE;"] {
            assert!(!is_set_aside(changed(change).path()), "{change}");
        }
    }

    #[test]
    fn rows_that_cannot_be_read_are_damage() {
        let song = |hash: &str, title: &str| {
            format!(
                "INSERT INTO songs (hash, path, title, format, frames, added_at)
                 VALUES ({hash}, x'2f', {title}, '{{}}', 1, 1);"
            )
        };
        let hash = format!("'{}'", "0a".repeat(32));
        for change in [
            song(&hash, "CAST(x'fffe' AS TEXT)"),
            song("'../../../somewhere/else/in/the/system'", "'a'"),
            song("'/somewhere/else'", "'a'"),
        ] {
            assert!(is_set_aside(changed(&change).path()), "{change}");
        }
        let home = changed(&song(&hash, "'a'"));
        assert!(Library::open_or_set_aside(home.path()).unwrap().1.is_none());
    }
}
