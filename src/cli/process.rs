//! `partita process SONG…`: separates songs of the library, and waits until they are done.

use std::{path::Path, process::ExitCode, time::Instant};

use serde_json::json;

use super::{
    StemArguments,
    events::Session,
    exit_code,
    output::{Output, Progress, note},
    recipe::RecipeArguments,
    tracks,
};
use crate::engine::{
    self, Command, Compute, Event, Job, JobState, Preferences, Song, SongId, estimate::Estimate,
    library::find_song,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Songs: a number of `partita list`, or a part of a title that fits one song
    #[arg(required = true)]
    songs: Vec<String>,
    #[command(flatten)]
    stems: StemArguments,
    /// Model and quality; those of a song are then what is shown and exported of it
    #[command(flatten)]
    recipe: RecipeArguments,
}

pub(super) fn run(
    arguments: &Arguments,
    compute: Compute,
    preferences: &Preferences,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let session = Session::start(home.to_owned(), compute)?;
    let mut any_failed = false;
    for words in &arguments.songs {
        let result =
            find_song(&session.songs, words).map_err(anyhow::Error::from).and_then(|song| {
                if arguments.recipe.is_given() {
                    let chosen = engine::look_into_library(home)?.recipes()?;
                    let recipe = arguments.recipe.recipe(chosen.get(&song.id), preferences);
                    arguments.recipe.installed(home, &recipe)?;
                    let (song, recipe) = (song.id, Some(recipe));
                    session.engine.send(Command::Choose { song, recipe });
                }
                separate(&session, &song, &arguments.stems.stems)
            });
        match result {
            Ok(job) if job.state == JobState::Done => match show_tracks(home, &job, output) {
                Ok(()) => {}
                Err(e) => {
                    any_failed = true;
                    output.failed(words, &e.in_words());
                }
            },
            Ok(job) => {
                any_failed = true;
                output.failed(words, &super::list::state_words(&job));
            }
            Err(e) => {
                any_failed = true;
                output.failed(words, &format!("{e:#}"));
            }
        }
    }
    Ok(exit_code(any_failed))
}

/// Writes the tracks of a job that is done, and says where they are.
fn show_tracks(home: &Path, job: &Job, output: &Output) -> engine::Result<()> {
    let found = engine::tracks::of_job(&engine::look_into_library(home)?, job)?;
    if found.gain_db != 0.0 {
        let db = -found.gain_db;
        note(&format!("all tracks were turned down by {db:.1} dB, so that none clips"));
    }
    let json =
        json!({ "job": job, "tracks": tracks::json(&found.files), "gain_db": found.gain_db });
    output.result(&tracks::words(&found.files), &json);
    Ok(())
}

/// Asks for one song and waits for the end of its job.
fn separate(session: &Session, song: &Song, stems: &[String]) -> anyhow::Result<Job> {
    let (id, stems) = (song.id, stems.to_vec());
    session.engine.send(Command::Process { song: id, stems, from_frame: 0 });
    let progress = Progress::new(&song.title);
    let mut estimate: Option<Estimate> = None;
    loop {
        match session.next()? {
            Event::Job(job) if job.song == id => {
                show(&progress, &job, &mut estimate, session.pace);
                if !job.is_active() {
                    return Ok(job);
                }
            }
            Event::Waiting { song, reason } if song == id => note(&reason),
            Event::Failed { song, reason } if is_about(song, id) => anyhow::bail!(reason),
            _ => {}
        }
    }
}

fn is_about(song: Option<SongId>, id: SongId) -> bool {
    song.is_none_or(|song| song == id)
}

fn show(progress: &Progress, job: &Job, estimate: &mut Option<Estimate>, pace: Option<f64>) {
    let (done, now) = (job.segments_done, Instant::now());
    let estimate = estimate.get_or_insert_with(|| Estimate::new(pace, done, now));
    estimate.advance(done, now);
    let left = estimate.seconds_left(job.segments_total, now);
    progress.set(&format!("finding {}", job.stems.join(", ")), job.fraction(), left);
}
