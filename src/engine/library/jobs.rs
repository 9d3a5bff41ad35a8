//! Jobs of the library: the requests and their progress.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::{Library, now};
use crate::engine::{
    problem::{Problem, Result},
    separation::options::{Quality, SeparationOptions},
    types::{Job, JobId, JobState, SongId},
};

const COLUMNS: &str =
    "id, song, model, stems, state, segments_done, segments_total, created_at, seconds, how";

/// Options for using a job's model.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
struct How {
    #[serde(flatten)]
    quality: Quality,
    drafts_first: bool,
}

impl Library {
    /// Adds a waiting job.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn add_job(
        &mut self,
        song: SongId,
        options: &SeparationOptions,
        drafts_first: bool,
        stems: &[String],
    ) -> Result<Job> {
        let how = How { quality: options.quality, drafts_first };
        let job = self.db.query_row(
            &format!(
                "INSERT INTO jobs (song, model, stems, state, segments_done, segments_total,
                 created_at, seconds, how, place) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, 0, ?6,
                 (SELECT ifnull(max(place), 0) + 1 FROM jobs)) RETURNING {COLUMNS}"
            ),
            params![
                song.0,
                options.model,
                to_json(&stems),
                to_json(&JobState::Waiting),
                now(),
                to_json(&how)
            ],
            job_of_row,
        )?;
        Ok(job)
    }

    /// Writes the mutable fields of a job. A completed job also completes the jobs of other
    /// programs for the same stems.
    ///
    /// # Errors
    /// [`Problem::Library`].
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
            end_others(&change, job)?;
        }
        Ok(change.commit()?)
    }

    /// Completes other jobs whose stems a completed job has produced. If a model makes all stems in
    /// one pass, `stems` are all of them, whatever the job requested.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn end_others(&mut self, job: &Job, stems: &[String]) -> Result<()> {
        let change = self.db.transaction()?;
        end_others(&change, &Job { stems: stems.to_vec(), ..job.clone() })?;
        Ok(change.commit()?)
    }

    /// Newest job of a song.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn last_job(&self, song: SongId) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE song = ?1 ORDER BY id DESC LIMIT 1");
        Ok(self.db.query_row(&sql, [song.0], job_of_row).optional()?)
    }

    /// Newest job for these stems of a song.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn last_job_of(&self, song: SongId, options: &SeparationOptions) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE song = ?1 ORDER BY id DESC");
        let mut query = self.db.prepare(&sql)?;
        let mut jobs = query.query_map([song.0], job_of_row)?;
        let is_wanted =
            |job: &rusqlite::Result<Job>| job.as_ref().map_or(true, |job| job.is_of(song, options));
        Ok(jobs.find(is_wanted).transpose()?)
    }

    /// Every job, newest first.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn jobs(&self) -> Result<Vec<Job>> {
        let mut query = self.db.prepare(&format!("SELECT {COLUMNS} FROM jobs ORDER BY id DESC"))?;
        let jobs = query.query_map([], job_of_row)?.collect::<Result<_, _>>()?;
        Ok(jobs)
    }

    /// Loads a job by ID.
    ///
    /// # Errors
    /// Fails with [`Problem::UnknownJob`].
    pub fn job(&self, id: JobId) -> Result<Job> {
        let job = self
            .db
            .query_row(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"), [id.0], job_of_row)
            .optional()?;
        if let Some(job) = job {
            return Ok(job);
        }
        let known = self.jobs()?.iter().map(|job| job.id.0).collect();
        Err(Problem::UnknownJob { id: id.0, known })
    }

    /// Unfinished jobs in the order of execution.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn queue(&self) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs ORDER BY place, id");
        let mut query = self.db.prepare(&sql)?;
        let jobs = query.query_map([], job_of_row)?.collect::<Result<Vec<_>, _>>()?;
        Ok(jobs.into_iter().filter(|job| !job.is_ended()).collect())
    }

    /// Stores the order of execution; these jobs precede all others.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn set_queue(&mut self, jobs: &[JobId]) -> Result<()> {
        let change = self.db.transaction()?;
        let sql = "SELECT ifnull(min(place), 0) FROM jobs";
        let first: i64 = change.query_row(sql, [], |row| row.get(0))?;
        for (place, job) in (first - jobs.len() as i64..).zip(jobs) {
            change.execute("UPDATE jobs SET place = ?2 WHERE id = ?1", [job.0, place])?;
        }
        Ok(change.commit()?)
    }

    /// Removes jobs from the list.
    ///
    /// # Errors
    /// [`Problem::Library`].
    pub fn remove_jobs(&mut self, jobs: &[JobId]) -> Result<()> {
        let change = self.db.transaction()?;
        for job in jobs {
            change.execute("DELETE FROM jobs WHERE id = ?1", [job.0])?;
        }
        Ok(change.commit()?)
    }
}

/// Completes other jobs whose stems a completed job has produced.
fn end_others(db: &Connection, job: &Job) -> rusqlite::Result<()> {
    for other in others_of(db, job)? {
        db.execute(
            "UPDATE jobs SET state = ?2, segments_done = ?3, segments_total = ?3 WHERE id = ?1",
            params![other.0, to_json(&job.state), job.segments_total as i64],
        )?;
    }
    Ok(())
}

/// Unfinished jobs that request no more than this job has produced.
fn others_of(db: &Connection, job: &Job) -> rusqlite::Result<Vec<JobId>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE song = ?1 AND id <> ?2");
    let mut query = db.prepare(&sql)?;
    let jobs =
        query.query_map([job.song.0, job.id.0], job_of_row)?.collect::<Result<Vec<_>, _>>()?;
    let is_met = |other: &&Job| {
        other.is_active()
            && other.is_of(job.song, &job.options())
            && other.stems.iter().all(|stem| job.stems.contains(stem))
    };
    Ok(jobs.iter().filter(is_met).map(|other| other.id).collect())
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn job_of_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    let (stems, state): (String, String) = (row.get(3)?, row.get(4)?);
    // Jobs from before this column was added have none.
    let how: Option<String> = row.get(9)?;
    let how: How = how.and_then(|how| serde_json::from_str(&how).ok()).unwrap_or_default();
    Ok(Job {
        quality: how.quality.within_bounds(),
        drafts_first: how.drafts_first,
        id: JobId(row.get(0)?),
        song: SongId(row.get(1)?),
        model: row.get(2)?,
        stems: serde_json::from_str(&stems).unwrap_or_default(),
        state: serde_json::from_str(&state)
            .unwrap_or_else(|e| JobState::Failed(Problem::JobUnreadable { detail: e.to_string() })),
        segments_done: row.get::<_, i64>(5)?.max(0) as usize,
        segments_total: row.get::<_, i64>(6)?.max(0) as usize,
        drafts_left: 0,
        created_at: row.get(7)?,
        seconds: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::Record;

    #[test]
    fn a_completed_job_completes_other_jobs_for_the_same_stems() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        for hash in ["aa", "bb"] {
            library.adopt(&Record::of_nameless(hash, 7)).unwrap();
        }
        let [second, first] = [0, 1].map(|at| library.songs().unwrap()[at].id);
        let mut add = |song, model: &str, state| {
            let options = SeparationOptions { model: model.into(), quality: Quality::default() };
            let job = library.add_job(song, &options, false, &["a".into()]).unwrap();
            library.update_job(&Job { state, segments_total: 3, ..job.clone() }).unwrap();
            job.id
        };
        let done = add(first, "m", JobState::Running);
        let of_another = add(first, "m", JobState::Waiting);
        let paused = add(first, "m", JobState::Paused);
        let of_another_model = add(first, "n", JobState::Running);
        let of_another_song = add(second, "m", JobState::Running);
        let best = SeparationOptions { model: "m".into(), quality: Quality::BEST };
        let better = library.add_job(first, &best, true, &["a".into()]).unwrap();
        assert!(better.drafts_first && better.options() == best);
        let usual = SeparationOptions { quality: Quality::default(), ..best.clone() };
        let more = library.add_job(first, &usual, false, &["a".into(), "b".into()]).unwrap().id;
        assert_eq!(library.last_job_of(first, &best).unwrap(), Some(better.clone()));
        let job = library.job(done).unwrap();
        library.update_job(&Job { state: JobState::Done, segments_done: 3, ..job }).unwrap();
        let state = |id| library.job(id).unwrap().state;
        assert_eq!(state(of_another), JobState::Done);
        assert_eq!(library.job(of_another).unwrap().segments_done, 3);
        assert_eq!(state(paused), JobState::Paused);
        assert_eq!(state(of_another_model), JobState::Running);
        assert_eq!(state(of_another_song), JobState::Running);
        assert_eq!(state(better.id), JobState::Waiting);
        assert_eq!(state(more), JobState::Waiting, "this job requests more stems");
    }
}
