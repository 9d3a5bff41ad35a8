//! The jobs of the library: what was asked for, and how far it came.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Library, now};
use crate::engine::{EngineError, Job, JobId, JobState, Result, SongId};

const COLUMNS: &str =
    "id, song, model, stems, state, segments_done, segments_total, created_at, seconds";

impl Library {
    /// Adds a waiting job.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn add_job(&mut self, song: SongId, model: &str, stems: &[String]) -> Result<Job> {
        let job = self.db.query_row(
            &format!(
                "INSERT INTO jobs (song, model, stems, state, segments_done, segments_total,
                 created_at, seconds, place) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, 0,
                 (SELECT ifnull(max(place), 0) + 1 FROM jobs)) RETURNING {COLUMNS}"
            ),
            params![song.0, model, to_json(&stems), to_json(&JobState::Waiting), now()],
            job_of_row,
        )?;
        Ok(job)
    }

    /// Writes what changes in a job. One that is done has made every stem of its song: what other
    /// programs asked of that song and model is done with it.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn update_job(&mut self, job: &Job) -> Result<()> {
        let change = self.db.transaction()?;
        change.execute(
            "UPDATE jobs SET stems = ?2, state = ?3, segments_done = ?4, segments_total = ?5,
             seconds = ?6 WHERE id = ?1",
            params![
                job.id.0,
                to_json(&job.stems),
                to_json(&job.state),
                job.segments_done as i64,
                job.segments_total as i64,
                job.seconds
            ],
        )?;
        if job.state == JobState::Done {
            change.execute(
                "UPDATE jobs SET state = ?3, segments_done = ?4, segments_total = ?4
                 WHERE song = ?1 AND model = ?2 AND state IN (?5, ?6)",
                params![
                    job.song.0,
                    job.model,
                    to_json(&job.state),
                    job.segments_total as i64,
                    to_json(&JobState::Waiting),
                    to_json(&JobState::Running),
                ],
            )?;
        }
        Ok(change.commit()?)
    }

    /// Every job, newest first.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn jobs(&self) -> Result<Vec<Job>> {
        let mut query = self.db.prepare(&format!("SELECT {COLUMNS} FROM jobs ORDER BY id DESC"))?;
        let jobs = query.query_map([], job_of_row)?.collect::<Result<_, _>>()?;
        Ok(jobs)
    }

    /// One job.
    ///
    /// # Errors
    /// [`EngineError::Unknown`] when it is not there; names those that are.
    pub fn job(&self, id: JobId) -> Result<Job> {
        let job = self
            .db
            .query_row(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"), [id.0], job_of_row)
            .optional()?;
        if let Some(job) = job {
            return Ok(job);
        }
        let known: Vec<String> = self.jobs()?.iter().map(|job| job.id.0.to_string()).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        Err(EngineError::Unknown(format!("there is no job {}; there are: {known}", id.0)))
    }

    /// The newest job of a song.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn last_job(&self, song: SongId) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE song = ?1 ORDER BY id DESC LIMIT 1");
        Ok(self.db.query_row(&sql, [song.0], job_of_row).optional()?)
    }

    /// The jobs that are not over, in the order in which they are to be done.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn queue(&self) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs ORDER BY place, id");
        let mut query = self.db.prepare(&sql)?;
        let jobs = query.query_map([], job_of_row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(jobs.into_iter().filter(|job| !job.is_ended()).collect())
    }

    /// Notes the order in which jobs are to be done; they come before all that are not named.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn set_queue(&mut self, jobs: &[JobId]) -> Result<()> {
        let change = self.db.transaction()?;
        let sql = "SELECT ifnull(min(place), 0) FROM jobs";
        let first: i64 = change.query_row(sql, [], |row| row.get(0))?;
        for (place, job) in (first - jobs.len() as i64..).zip(jobs) {
            change.execute("UPDATE jobs SET place = ?2 WHERE id = ?1", [job.0, place])?;
        }
        Ok(change.commit()?)
    }

    /// Takes jobs off the list.
    ///
    /// # Errors
    /// [`EngineError::Library`].
    pub fn remove_jobs(&mut self, jobs: &[JobId]) -> Result<()> {
        let change = self.db.transaction()?;
        for job in jobs {
            change.execute("DELETE FROM jobs WHERE id = ?1", [job.0])?;
        }
        Ok(change.commit()?)
    }
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn job_of_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    let (stems, state): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(Job {
        id: JobId(row.get(0)?),
        song: SongId(row.get(1)?),
        model: row.get(2)?,
        stems: serde_json::from_str(&stems).unwrap_or_default(),
        state: serde_json::from_str(&state)
            .unwrap_or_else(|e| JobState::Failed(format!("its state is damaged: {e}"))),
        segments_done: row.get::<_, i64>(5)?.max(0) as usize,
        segments_total: row.get::<_, i64>(6)?.max(0) as usize,
        created_at: row.get(7)?,
        seconds: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::Record;

    #[test]
    fn a_job_that_is_done_ends_what_others_asked_of_its_song_and_model() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        for hash in ["aa", "bb"] {
            library.adopt(&Record::of_nameless(hash, 7)).unwrap();
        }
        let [second, first] = [0, 1].map(|at| library.songs().unwrap()[at].id);
        let mut add = |song, model, state| {
            let job = library.add_job(song, model, &[]).unwrap();
            library.update_job(&Job { state, segments_total: 3, ..job.clone() }).unwrap();
            job.id
        };
        let done = add(first, "m", JobState::Running);
        let of_another = add(first, "m", JobState::Waiting);
        let paused = add(first, "m", JobState::Paused);
        let of_another_model = add(first, "n", JobState::Running);
        let of_another_song = add(second, "m", JobState::Running);
        let job = library.job(done).unwrap();
        library.update_job(&Job { state: JobState::Done, segments_done: 3, ..job }).unwrap();
        let state = |id| library.job(id).unwrap().state;
        assert_eq!(state(of_another), JobState::Done);
        assert_eq!(library.job(of_another).unwrap().segments_done, 3);
        assert_eq!(state(paused), JobState::Paused);
        assert_eq!(state(of_another_model), JobState::Running);
        assert_eq!(state(of_another_song), JobState::Running);
    }
}
