//! Removal of a song with all its rows from the library, so that it can be restored.
//!
//! Tables are found by their foreign keys, so rows are restored completely regardless of their
//! columns.

use rusqlite::{params_from_iter, types::Value};

use super::{Library, unknown_song};
use crate::engine::{problem::Result, types::SongId};

/// Rows of a song: its own, then those of every table that references it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// ID of the song.
    pub song: SongId,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    table: String,
    columns: Vec<String>,
    values: Vec<Value>,
}

impl Library {
    /// Removes a song and its jobs from the library; the caller handles the stores.
    ///
    /// # Errors
    /// [`crate::engine::Problem::UnknownSong`],
    /// [`crate::engine::Problem::Library`].
    pub fn take_out(&mut self, song: SongId) -> Result<Taken> {
        let change = self.db.transaction()?;
        let mut tables = vec![("songs".to_owned(), "id".to_owned())];
        tables.extend(
            change
                .prepare(
                    "SELECT t.name, f.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
                     WHERE t.type = 'table' AND f.\"table\" = 'songs' ORDER BY t.name",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<_>, _>>()?,
        );
        let mut rows = Vec::new();
        for (table, key) in tables {
            // The names come from the schema.
            let mut query =
                change.prepare(&format!("SELECT * FROM \"{table}\" WHERE \"{key}\" = ?1"))?;
            let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
            let mut found = query.query([song.0])?;
            while let Some(row) = found.next()? {
                let values = (0..columns.len()).map(|at| row.get(at)).collect::<Result<_, _>>()?;
                rows.push(Row { table: table.clone(), columns: columns.clone(), values });
            }
        }
        if rows.is_empty() {
            return Err(unknown_song(song));
        }
        change.execute("DELETE FROM songs WHERE id = ?1", [song.0])?;
        change.commit()?;
        Ok(Taken { song, rows })
    }

    /// Restores a song under its old ID, with all its rows. Returns `false` if its content was
    /// imported again in the meantime; the new song then stays.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn put_back(&mut self, taken: &Taken) -> Result<bool> {
        let change = self.db.transaction()?;
        for (index, row) in taken.rows.iter().enumerate() {
            let columns: Vec<String> =
                row.columns.iter().map(|column| format!("\"{column}\"")).collect();
            let places = vec!["?"; columns.len()].join(", ");
            let (table, columns) = (&row.table, columns.join(", "));
            let added = change.execute(
                &format!("INSERT OR IGNORE INTO \"{table}\" ({columns}) VALUES ({places})"),
                params_from_iter(&row.values),
            )?;
            if index == 0 && added == 0 {
                return Ok(false);
            }
        }
        change.commit()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        library::Record,
        separation::options::{Quality, SeparationOptions},
        types::JobState,
    };

    fn options() -> SeparationOptions {
        SeparationOptions { model: "m".into(), quality: Quality::default() }
    }

    #[test]
    fn restores_a_song_under_its_id_with_its_jobs() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        for hash in ["aa", "bb"] {
            library.adopt(&Record::of_nameless(hash, 7)).unwrap();
        }
        let before = library.songs().unwrap();
        let (first, second) = (before[1].id, before[0].id);
        let mut job = library.add_job(first, &options(), false, &["bass".into()]).unwrap();
        (job.state, job.segments_done) = (JobState::Done, 3);
        library.update_job(&job).unwrap();
        library.add_job(second, &options(), false, &[]).unwrap();
        let jobs = library.jobs().unwrap();

        let taken = library.take_out(first).unwrap();
        assert_eq!(library.songs().unwrap().len(), 1);
        assert_eq!(library.jobs().unwrap().len(), 1);
        assert!(library.take_out(first).is_err());
        assert!(library.put_back(&taken).unwrap());
        assert_eq!(library.songs().unwrap(), before);
        assert_eq!(library.jobs().unwrap(), jobs);

        let taken = library.take_out(first).unwrap();
        library.adopt(&Record::of_nameless("aa", 7)).unwrap();
        assert!(!library.put_back(&taken).unwrap());
        assert_eq!(library.songs().unwrap().len(), 2);
    }
}
