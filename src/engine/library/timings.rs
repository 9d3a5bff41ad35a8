//! Measured seconds per segment on this machine, by model, for estimates.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::{DATABASE, Library};
use crate::engine::problem::Result;

/// Weight of past measurements in segments: about three minutes of music.
const REMEMBERED: f64 = 30.0;

impl Library {
    /// Expected seconds per segment of `model`, if measured.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn pace(&self, model: &str) -> Result<Option<f64>> {
        let mut query = self.db.prepare_cached("SELECT seconds FROM paces WHERE model = ?1")?;
        Ok(query.query_row([model], |row| row.get(0)).optional()?)
    }

    /// Reads [`Self::pace`] without creating a library.
    ///
    /// # Errors
    /// Fails with the errors of [`Self::open`].
    pub fn pace_in(home: &Path, model: &str) -> Result<Option<f64>> {
        if home.join(DATABASE).exists() { Self::open(home)?.pace(model) } else { Ok(None) }
    }

    /// Calls [`Self::add_to_pace`] if the library exists; does not create one.
    ///
    /// # Errors
    /// Fails with the errors of [`Self::open`].
    pub fn add_to_pace_in(home: &Path, model: &str, segments: usize, seconds: f64) -> Result<()> {
        if home.join(DATABASE).exists() {
            Self::open(home)?.add_to_pace(model, segments, seconds)?;
        }
        Ok(())
    }

    /// Stores the result of a deliberate measurement, replacing the average.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn set_pace(&mut self, model: &str, seconds_per_segment: f64) -> Result<()> {
        let sql = "INSERT INTO paces (model, seconds) VALUES (?1, ?2)
                   ON CONFLICT (model) DO UPDATE SET seconds = excluded.seconds";
        self.db.execute(sql, params![model, seconds_per_segment])?;
        Ok(())
    }

    /// Adds a job's segments to the running average.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn add_to_pace(&mut self, model: &str, segments: usize, seconds: f64) -> Result<()> {
        if segments == 0 {
            return Ok(());
        }
        let pace = match self.pace(model)? {
            Some(known) => (known * REMEMBERED + seconds) / (REMEMBERED + segments as f64),
            None => seconds / segments as f64,
        };
        self.set_pace(model, pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_update_the_average_and_a_measurement_replaces_it() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Library::pace_in(home.path(), "m").unwrap(), None);
        assert!(!home.path().join(DATABASE).exists(), "a query must not create a library");
        let mut library = Library::open(home.path()).unwrap();
        assert_eq!(library.pace("m").unwrap(), None);
        library.add_to_pace("m", 0, 1.0).unwrap();
        assert_eq!(library.pace("m").unwrap(), None, "a job without segments must not count");
        library.add_to_pace("m", 10, 20.0).unwrap();
        assert_eq!(library.pace("m").unwrap(), Some(2.0));
        library.add_to_pace("m", 30, 120.0).unwrap();
        assert_eq!(library.pace("m").unwrap(), Some(3.0));
        library.set_pace("m", 9.0).unwrap();
        assert_eq!(Library::pace_in(home.path(), "m").unwrap(), Some(9.0));
        assert_eq!(library.pace("other").unwrap(), None);
    }
}
