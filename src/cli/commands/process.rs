//! `partita process SONG…`: separates songs of the library and waits for completion.

use std::{path::Path, process::ExitCode, time::Instant};

use serde_json::json;

use super::list::state_words;
use crate::{
    cli::{
        StemArguments, exit_code,
        output::{Output, Progress, note, tracks_json, tracks_text, warn},
        reason::Reason,
        separation_options::SeparationArguments,
        session::{Session, open_library},
    },
    engine::{
        self, Command, Compute, Event, Job, JobId, JobState, Preferences, RequestId, Song, SongId,
        library::find_song, separation::estimate::Estimate,
    },
    i18n::{fl, numbers::decimal},
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Songs: a number from `partita list`, or a part of a title that matches one song
    #[arg(required = true)]
    songs: Vec<String>,
    #[command(flatten)]
    stems: StemArguments,
    /// Model and quality, which the songs keep for display and export
    #[command(flatten)]
    options: SeparationArguments,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    compute: Compute,
    preferences: &Preferences,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let session = Session::start(home.to_owned(), compute)?;
    let mut any_failed = false;
    for query in &arguments.songs {
        let result =
            find_song(&session.songs, query).map_err(anyhow::Error::from).and_then(|song| {
                let mut requests = Vec::new();
                if arguments.options.is_given() {
                    arguments.options.check_chain_is_kept()?;
                    let chosen = open_library(home)?.song_options()?;
                    let chosen = chosen.get(&song.id);
                    let (_, options) = arguments.options.options(home, chosen, preferences)?;
                    let (song, options) = (song.id, Some(options));
                    requests.push(session.engine.send(Command::Choose { song, options }));
                }
                let (id, stems) = (song.id, arguments.stems.stems.clone());
                let process = Command::Process { song: id, stems, from_frame: 0 };
                requests.push(session.engine.send(process));
                let progress = Progress::new(&song.title);
                let mut wait = Wait::new(&song, requests, session.pace);
                loop {
                    if let Some(job) = wait.hear(session.next()?, &progress)? {
                        return Ok(job);
                    }
                }
            });
        match result {
            Ok(job) if job.state == JobState::Done => match show_tracks(home, &job, output) {
                Ok(()) => {}
                Err(e) => {
                    any_failed = true;
                    output.failed(query, &e);
                }
            },
            Ok(job) => {
                any_failed = true;
                output.failed(query, Reason::new(|| state_words(&job)));
            }
            Err(e) => {
                any_failed = true;
                output.failed(query, &e);
            }
        }
    }
    Ok(exit_code(any_failed))
}

/// Writes the tracks of a completed job and prints their paths.
fn show_tracks(home: &Path, job: &Job, output: &Output) -> anyhow::Result<()> {
    let found = engine::export::job_tracks::of_job(&open_library(home)?, job)?;
    if found.gain_db != 0.0 {
        let db = decimal(-f64::from(found.gain_db), 1);
        note(&fl!(cli_tracks_turned_down, db = db));
    }
    let json = json!({ "job": job, "tracks": tracks_json(&found.files), "gain_db": found.gain_db });
    output.result(&tracks_text(&found.files), &json);
    Ok(())
}

/// The wait for the end of a requested job.
struct Wait {
    song: SongId,
    title: String,
    requests: Vec<RequestId>,
    /// The job, once the engine has accepted the request.
    job: Option<JobId>,
    pace: Option<f64>,
    estimate: Option<Estimate>,
}

impl Wait {
    /// Creates a wait for `requests`, none of which may fail; the last one requests the job.
    fn new(song: &Song, requests: Vec<RequestId>, pace: Option<f64>) -> Self {
        let (song, title) = (song.id, song.title.clone());
        Self { song, title, requests, job: None, pace, estimate: None }
    }

    /// Handles an event; returns the job once it has ended. Failures of other requests, and of the
    /// engine's own work, are only printed.
    fn hear(&mut self, event: Event, progress: &Progress) -> anyhow::Result<Option<Job>> {
        match event {
            Event::Accepted { request, job } if Some(&request) == self.requests.last() => {
                self.job = Some(job);
            }
            Event::Job(job) if Some(job.id) == self.job => {
                show(progress, &job, &mut self.estimate, self.pace);
                return Ok(Some(job).filter(|job| !job.is_active()));
            }
            Event::JobPace(job, seconds) if Some(job) == self.job => self.pace = Some(seconds),
            Event::Waiting { song, problem } if song == self.song => {
                note(&format!("{}: {}", self.title, words::problem(&problem)));
            }
            Event::Noted { song, note: text } if song == self.song => {
                note(&format!("{}: {}", self.title, words::note(&text)));
            }
            Event::Failed { request: Some(request), problem, .. }
                if self.requests.contains(&request) =>
            {
                anyhow::bail!(problem)
            }
            Event::Failed { problem, .. } => warn(&words::problem(&problem)),
            _ => {}
        }
        Ok(None)
    }
}

fn show(progress: &Progress, job: &Job, estimate: &mut Option<Estimate>, pace: Option<f64>) {
    let (done, now) = (job.segments_done, Instant::now());
    let estimate = estimate.get_or_insert_with(|| Estimate::new(pace, done, now));
    estimate.advance(done, now);
    let left = estimate.seconds_left(job.segments_total, now);
    progress.set(&fl!(cli_separating, stems = job.stems.join(", ")), job.fraction(), left);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Problem, separation::options::Quality};

    fn job(id: i64, state: JobState) -> Job {
        Job {
            id: JobId(id),
            song: SongId(1),
            model: "m".into(),
            quality: Quality::default(),
            drafts_first: false,
            drafts_left: 0,
            stems: Vec::new(),
            state,
            segments_done: 0,
            segments_total: 4,
            created_at: 0,
            seconds: 0.0,
        }
    }

    fn failed(request: Option<u64>, song: Option<SongId>) -> Event {
        let request = request.map(RequestId);
        Event::Failed { request, song, problem: Problem::NothingChosen }
    }

    fn wait() -> (Wait, Progress) {
        let requests = [RequestId(7), RequestId(8)].into();
        let (song, title, job, estimate) = (SongId(1), "song".into(), None, None);
        (Wait { song, title, requests, job, pace: None, estimate }, Progress::new("song"))
    }

    #[test]
    fn an_unrelated_failure_does_not_end_the_wait() {
        let (mut wait, progress) = wait();
        for event in [
            failed(None, None),
            failed(None, Some(SongId(1))),
            failed(Some(3), None),
            failed(Some(3), Some(SongId(1))),
        ] {
            assert_eq!(wait.hear(event, &progress).unwrap(), None);
        }
        for own in [7, 8] {
            let error = wait.hear(failed(Some(own), None), &progress).unwrap_err();
            assert_eq!(error.to_string(), Problem::NothingChosen.to_string());
        }
    }

    #[test]
    fn the_end_of_another_job_of_the_song_does_not_end_the_wait() {
        let (mut wait, progress) = wait();
        let mut hear = |event| wait.hear(event, &progress).unwrap();
        assert_eq!(hear(Event::Job(job(1, JobState::Cancelled))), None);
        assert_eq!(hear(Event::Accepted { request: RequestId(3), job: JobId(1) }), None);
        assert_eq!(hear(Event::Accepted { request: RequestId(8), job: JobId(2) }), None);
        assert_eq!(hear(Event::Job(job(1, JobState::Cancelled))), None);
        assert_eq!(hear(Event::Job(job(2, JobState::Running))), None);
        let done = job(2, JobState::Done);
        assert_eq!(hear(Event::Job(done.clone())), Some(done));
    }
}
