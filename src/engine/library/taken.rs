//! A song taken out of the library with all that belongs to it, to be put back as it was.
//!
//! Knows tables only by what they refer to: rows come back whole, whatever columns they have.

use rusqlite::{params_from_iter, types::Value};

use super::{Library, unknown_song};
use crate::engine::{problem::Result, types::SongId};

/// The rows of a song: its own, then those of every table that refers to it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The song.
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
    /// Takes a song and its jobs out of the library; the stores are the caller's.
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
            // The names are the schema's own.
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

    /// Puts a song back under its number, with all that it had. Where its content came back
    /// meanwhile, that song stays, and this says `false`.
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

    fn recipe() -> SeparationOptions {
        SeparationOptions { model: "m".into(), quality: Quality::default() }
    }

    #[test]
    fn a_song_comes_back_under_its_number_with_its_jobs() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        for hash in ["aa", "bb"] {
            library.adopt(&Record::of_nameless(hash, 7)).unwrap();
        }
        let before = library.songs().unwrap();
        let (first, second) = (before[1].id, before[0].id);
        let mut job = library.add_job(first, &recipe(), false, &["bass".into()]).unwrap();
        (job.state, job.segments_done) = (JobState::Done, 3);
        library.update_job(&job).unwrap();
        library.add_job(second, &recipe(), false, &[]).unwrap();
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
