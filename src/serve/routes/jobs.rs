//! Jobs: requests for stems, progress, and the tracks of jobs that are done.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{self, Json, Query},
    known::{known_song, song_id},
};
use crate::{
    engine::{
        self, Command, JobId, JobState, Problem, SAMPLE_RATE,
        export::{job_tracks, safe_file_name},
        library::Library,
    },
    serve::{
        App,
        answers::{Page, answer, answer_with, blocking, state_version, versioned},
        fault::{Fault, MOST_KNOWN},
        hub::state::State as Known,
        views::{self, BASE, Job, JobPage, JobStage, Progress},
    },
};

/// A request for stems.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    /// Names of stems; none for all.
    stems: Vec<String>,
    /// Position in the song whose segment is computed first, in seconds. Sent again for a running job,
    /// the job goes on from there.
    from_seconds: f64,
}

/// Separate a song into stems.
#[utoipa::path(post, path = "/api/v1/songs/{id}/jobs", tag = "jobs", params(("id" = i64, Path)),
    request_body = Request,
    responses((status = 202, body = Job), (status = "4XX", body = views::Problem)))]
pub(super) async fn process(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(Request { stems, from_seconds }): Json<Request>,
) -> Result<Response, Fault> {
    let song = song_id(&app, &id)?;
    let from_frame = (from_seconds.max(0.0) * f64::from(SAMPLE_RATE)) as u64;
    let answered = app.hub.request(Command::Process { song, stems, from_frame }).await?;
    // Without a job, another process works on the song; the engine repeats the request afterwards.
    let job = answered.job.ok_or(Problem::Locked)?;
    app.hub.close_tracks(Some(song));
    accepted(&app, job)
}

/// The answer for a job that goes on.
fn accepted(app: &App, id: JobId) -> Result<Response, Fault> {
    let state = app.hub.state();
    let job = known_job(&state, &id.0.to_string())?;
    let mut response = answer_with(StatusCode::ACCEPTED, || Job::of(job, &state, Instant::now()));
    if let Ok(location) = HeaderValue::try_from(format!("{BASE}/jobs/{}", id.0)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The job with the number `id`.
///
/// # Errors
/// [`Problem::UnknownJob`], which names jobs that exist.
fn known_job<'a>(state: &'a Known, id: &str) -> Result<&'a engine::Job, Fault> {
    let number = id.parse().ok();
    let job = number.and_then(|id| state.jobs.get(&JobId(id)));
    job.ok_or_else(|| {
        let known = state.jobs.keys().rev().take(MOST_KNOWN).map(|job| job.0).collect();
        Problem::UnknownJob { id: number.unwrap_or(0), known }.into()
    })
}

fn job_id(app: &App, id: &str) -> Result<JobId, Fault> {
    known_job(&app.hub.state(), id).map(|job| job.id)
}

/// Show the progress of a song, and the links to its tracks when it is done.
#[utoipa::path(get, path = "/api/v1/songs/{id}/progress", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, body = Progress), (status = 404, body = views::Problem)))]
pub(super) async fn progress(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let state = app.hub.state();
    let song = known_song(&state, &id)?.id;
    let job = state.last_job(song).ok_or(Fault::NotProcessed { song: song.0 })?;
    Ok(answer(|| Progress::of(job, &state, Instant::now())))
}

/// Selection of jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Filter {
    /// State of the jobs.
    #[param(inline)]
    state: Option<JobStage>,
    /// Song of the jobs.
    song: Option<i64>,
}

/// List jobs, the newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Filter, Page),
    responses((status = 200, body = JobPage), (status = 400, body = views::Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Response {
    let state = app.hub.state();
    let fits = |job: &&engine::Job| {
        filter.state.is_none_or(|wanted| JobStage::of(&job.state) == wanted)
            && filter.song.is_none_or(|song| job.song.0 == song)
    };
    versioned(&headers, &state_version(&app, &state), || {
        let jobs = || state.jobs.values().rev().filter(fits);
        let (total, now) = (jobs().count(), Instant::now());
        let jobs = page.of(jobs()).map(|job| Job::of(job, &state, now)).collect();
        JobPage { total, offset: page.offset, jobs }
    })
}

/// Show a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, body = Job), (status = 404, body = views::Problem)))]
pub(super) async fn get_job(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let state = app.hub.state();
    let job = known_job(&state, &id)?;
    let version = state_version(&app, &state);
    Ok(versioned(&headers, &version, || Job::of(job, &state, Instant::now())))
}

/// Remove an ended job from the list; its stems stay.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 204), (status = "4XX", body = views::Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let job = {
        let state = app.hub.state();
        let job = known_job(&state, &id)?;
        if !job.is_ended() {
            let accepted = "done, failed, cancelled".to_owned();
            return Err(Fault::Value { field: "state", accepted });
        }
        job.id
    };
    app.hub.request(Command::ClearJobs(vec![job])).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancel a job. Finished segments stay.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 202, body = Job), (status = "4XX", body = views::Problem)))]
pub(super) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    change(&app, &id, Command::Cancel).await
}

/// Pause a job until it is resumed.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/pause", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 202, body = Job), (status = "4XX", body = views::Problem)))]
pub(super) async fn pause(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    change(&app, &id, Command::Pause).await
}

/// Resume a paused job, as the next in the queue.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/continue", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 202, body = Job), (status = "4XX", body = views::Problem)))]
pub(super) async fn resume(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    change(&app, &id, Command::Continue).await
}

/// Request the stems of an ended job again. Stored segments are not computed again.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 202, body = Job), (status = "4XX", body = views::Problem)))]
pub(super) async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    change(&app, &id, Command::Retry).await
}

async fn change(app: &App, id: &str, command: fn(JobId) -> Command) -> Result<Response, Fault> {
    let job = job_id(app, id)?;
    let answered = app.hub.request(command(job)).await?;
    accepted(app, answered.job.unwrap_or(job))
}

/// Download a track of a job that is done, or the mix.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/tracks/{name}", tag = "jobs",
    params(("id" = i64, Path), ("name" = String, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>),
        (status = 206, content_type = "audio/wav", body = Vec<u8>),
        (status = "4XX", body = views::Problem)))]
pub(super) async fn track(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let (job, title) = {
        let state = app.hub.state();
        let job = known_job(&state, &id)?.clone();
        let title = state.songs.get(&job.song).map(|song| song.title.clone());
        (job, title.unwrap_or_default())
    };
    let known = || job.stems.iter().cloned().chain(["mix".to_owned()]).collect::<Vec<_>>();
    if !known().contains(&name) {
        let name = name.chars().take(100).collect();
        return Err(Fault::UnknownTrack { name, known: known() });
    }
    if job.state != JobState::Done {
        return Err(Problem::NotSeparated.into());
    }
    let (shared, wanted) = (Arc::clone(&app), job.clone());
    let _writing = app.tracks.lock().await; // one client at a time writes the files
    let tracks = blocking(move || {
        let library = Library::open(&shared.options.home)?;
        job_tracks::of_job(&library, &wanted)
    });
    let files = tracks.await?.files;
    let Some((_, path)) = files.into_iter().find(|(found, _)| *found == name) else {
        return Err(Fault::UnknownTrack { name, known: known() });
    };
    let file_name = format!("{} - {name}.wav", safe_file_name(&title));
    body::file(path, &file_name, "audio/wav", &headers).await
}
