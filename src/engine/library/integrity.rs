//! Validation of a library file: its schema must match, and every row must be readable.
//!
//! A database file can contain code: views, triggers and generated columns run when it is read. Its
//! schema is therefore compared with the expected one before any query, and remaining code may not
//! call functions. Deviations count as damage, and the file is set aside. Runs on the thread that
//! opens the library.

use rusqlite::{Connection, config::DbConfig};

use super::{Library, MIGRATIONS};
use crate::engine::problem::Result;

/// Applies settings for an untrusted file.
pub(super) fn distrust(db: &Connection) -> Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// Compares the schema with that of `version`.
///
/// # Errors
/// Fails with [`crate::engine::Problem::Library`] as for a damaged file if the schema differs.
pub(super) fn check(db: &Connection, version: usize) -> Result<()> {
    let own = Connection::open_in_memory()?;
    for step in MIGRATIONS.iter().take(version) {
        own.execute_batch(step)?;
    }
    if layout(db)? == layout(&own)? { Ok(()) } else { Err(damage("the schema differs").into()) }
}

/// Lists all definitions, except those implied by others.
fn layout(db: &Connection) -> rusqlite::Result<Vec<(String, String, String, String)>> {
    let mut query = db.prepare(
        "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema
         WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4'))
         AND NOT (type = 'index' AND name LIKE 'sqlite\\_autoindex\\_%' ESCAPE '\\')
         ORDER BY type, name LIMIT 1000",
    )?;
    let rows = query.query_map([], |row| {
        let (name, sql): (String, String) = (row.get(1)?, row.get(3)?);
        // SQLite recognises its own table by this exact spelling.
        let sql = if name == "sqlite_sequence" { sql } else { plain(&sql) };
        Ok((row.get(0)?, name, row.get(2)?, sql))
    })?;
    rows.collect()
}

/// Removes formatting that differs between SQLite versions when they rewrite a definition.
fn plain(sql: &str) -> String {
    let kept = sql.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '`' | '[' | ']'));
    kept.collect::<String>().to_lowercase()
}

impl Library {
    /// Reads every page and row, and checks every row against the indices. 10,000 songs take about
    /// 10 ms.
    pub(super) fn check(&self) -> Result<()> {
        let check = "PRAGMA integrity_check(1)";
        let verdict: String = self.db.query_row(check, [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(damage(&verdict).into());
        }
        let hashes = self.records()?.into_iter().map(|record| record.hash);
        if let Some(odd) = hashes.into_iter().find(|hash| !is_hash(hash)) {
            return Err(damage(&format!("{odd:?} is not a song hash")).into());
        }
        self.jobs()?;
        Ok(())
    }
}

/// Whether this is a content hash, or the prefix that names a song's folder. Nothing else is
/// allowed, because paths are built from hashes.
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

    /// Creates a valid library and applies `change`.
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
    fn never_runs_code_in_a_library() {
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
    fn accepts_a_library_after_sqlite_maintenance() {
        for change in ["ANALYZE;", "VACUUM;", "PRAGMA journal_mode = DELETE;"] {
            assert!(!is_set_aside(changed(change).path()), "{change}");
        }
    }

    #[test]
    fn unreadable_rows_are_damage() {
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
