//! Songs: lists, forms with files, titles, covers, removal and reset.

use std::{io::Cursor, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Json, Query},
    known::{known_song, song_id},
};
use crate::{
    engine::{self, Command, SongId},
    serve::{
        App,
        answers::{
            Page, answer, answer_with, blocking, etag, is_known, no_cache, state_version, versioned,
        },
        fault::Fault,
        hub::state::State as Known,
        language,
        uploads::{Record, receive_form},
        views::{self, BASE, FailedFile, Removed, Song, SongPage, Submitted},
    },
};

/// Selection and order of songs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Search {
    /// Words that title, artist or album contain.
    search: String,
    /// Order: the newest first, or by title or artist.
    #[param(inline)]
    sort: Sort,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Newest,
    Title,
    Artist,
}

/// List songs.
#[utoipa::path(get, path = "/api/v1/songs", tag = "songs", params(Search, Page),
    responses((status = 200, body = SongPage), (status = 400, body = views::Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(search): Query<Search>,
    Query(page): Query<Page>,
) -> Response {
    let state = app.hub.state();
    versioned(&headers, &state_version(&app, &state), || songs_of(&state, &search, page))
}

fn songs_of(state: &Known, search: &Search, page: Page) -> SongPage {
    let words: Vec<String> = search.search.split_whitespace().map(str::to_lowercase).collect();
    let fits = |song: &&engine::Song| {
        let fields = [Some(&song.title), song.artist.as_ref(), song.album.as_ref()];
        let mut fields = fields.into_iter().flatten().map(|field| field.to_lowercase());
        words.is_empty() || {
            let text = fields.by_ref().collect::<Vec<_>>().join("\n");
            words.iter().all(|word| text.contains(word))
        }
    };
    let mut songs: Vec<&engine::Song> = state.songs.values().rev().filter(fits).collect();
    match search.sort {
        Sort::Newest => {}
        Sort::Title => songs.sort_by_cached_key(|song| song.title.to_lowercase()),
        Sort::Artist => songs.sort_by_cached_key(|song| {
            let artist = song.artist.as_ref().map(|artist| artist.to_lowercase());
            (artist.is_none(), artist, song.title.to_lowercase())
        }),
    }
    let (total, now) = (songs.len(), Instant::now());
    let songs = page.of(songs.into_iter()).map(|song| Song::of(song, state, now)).collect();
    SongPage { total, offset: page.offset, songs }
}

/// Submit files in a form. The answer comes when they are imported.
#[utoipa::path(post, path = "/api/v1/songs", tag = "songs",
    request_body(content_type = "multipart/form-data", content = Vec<u8>),
    responses((status = 201, body = Submitted), (status = "4XX", body = views::Problem),
        (status = 507, body = views::Problem)))]
pub(super) async fn submit(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    super::uploads::check_count(&app)?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let length: Option<u64> = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let most = app.uploads.most_bytes();
    let most = length.map_or(most, |length| length.min(most));
    let files = Arc::new(std::sync::Mutex::new(Vec::<(String, Result<SongId, Fault>)>::new()));
    let each = |name: String, received: Result<Record, Fault>| {
        let (app, files) = (Arc::clone(&app), Arc::clone(&files));
        async move {
            let imported = match received {
                Ok(record) => super::uploads::import_now(&app, record).await,
                Err(fault) => Err(fault),
            };
            let mut files = files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            files.push((name, imported));
        }
    };
    let received = receive_form(&app, content_type, most, body, each).await;
    let files =
        std::mem::take(&mut *files.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    if let Err(fault) = received {
        // Files that came before the fault are songs now.
        if files.iter().all(|(_, file)| file.is_err()) {
            return Err(fault);
        }
    }
    submitted(&app, files)
}

fn submitted(app: &App, files: Vec<(String, Result<SongId, Fault>)>) -> Result<Response, Fault> {
    let first = files.iter().find_map(|(_, file)| file.as_ref().ok().copied());
    let Some(first) = first else {
        let failed = files.into_iter().find_map(|(_, file)| file.err());
        return Err(failed.unwrap_or(Fault::NoFile));
    };
    let (state, now) = (app.hub.state(), Instant::now());
    let mut response = answer_with(StatusCode::CREATED, || {
        let mut submitted = Submitted { songs: Vec::new(), failed: Vec::new() };
        for (file_name, file) in files {
            match file {
                Ok(id) => {
                    let song = state.songs.get(&id).map(|song| Song::of(song, &state, now));
                    submitted.songs.extend(song);
                }
                Err(fault) => {
                    submitted.failed.push(FailedFile { file_name, problem: fault.json() });
                }
            }
        }
        submitted
    });
    if let Ok(location) = HeaderValue::try_from(format!("{BASE}/songs/{}", first.0)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Show a song.
#[utoipa::path(get, path = "/api/v1/songs/{id}", tag = "songs", params(("id" = i64, Path)),
    responses((status = 200, body = Song), (status = 404, body = views::Problem)))]
pub(super) async fn get_song(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let state = app.hub.state();
    let song = known_song(&state, &id)?;
    let version = state_version(&app, &state);
    Ok(versioned(&headers, &version, || Song::of(song, &state, Instant::now())))
}

/// Changes of a song.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SongChange {
    /// New title.
    title: String,
}

/// Rename a song in the library; its file is unchanged.
#[utoipa::path(patch, path = "/api/v1/songs/{id}", tag = "songs", params(("id" = i64, Path)),
    request_body = SongChange,
    responses((status = 200, body = Song), (status = "4XX", body = views::Problem)))]
pub(super) async fn rename(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(SongChange { title }): Json<SongChange>,
) -> Result<Response, Fault> {
    const MOST: usize = 500;
    let song = song_id(&app, &id)?;
    let title = title.trim().to_owned();
    if title.is_empty() || title.chars().count() > MOST || title.chars().any(char::is_control) {
        let accepted = format!("1–{MOST} characters on one line");
        return Err(Fault::Value { field: "title", accepted });
    }
    app.hub.request(Command::Rename { song, title }).await?;
    let state = app.hub.state();
    let song = known_song(&state, &id)?;
    Ok(answer(|| Song::of(song, &state, Instant::now())))
}

/// Remove a song with its stems and jobs.
#[utoipa::path(delete, path = "/api/v1/songs/{id}", tag = "songs", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = views::Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let song = song_id(&app, &id)?;
    app.hub.close_tracks(Some(song));
    app.hub.request(Command::Remove(song)).await?;
    super::exports::clear(&app, Some(song)).await?;
    super::uploads::sweep(&app).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Show a song's cover.
#[utoipa::path(get, path = "/api/v1/songs/{id}/cover", tag = "songs", params(("id" = i64, Path)),
    responses((status = 200, content_type = "image/png", body = Vec<u8>),
        (status = 404, body = views::Problem)))]
pub(super) async fn cover(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let (cover, hash) = {
        let state = app.hub.state();
        let song = known_song(&state, &id)?;
        (song.cover.clone(), song.hash.clone())
    };
    let cover = cover.ok_or(Fault::UnknownThing { what: "cover", id })?;
    let tag = etag(
        &format!("{}-{}x{}", hash.get(..32).unwrap_or_default(), cover.width, cover.height),
        false,
    );
    let mut response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let png = blocking(move || {
            let mut png = Cursor::new(Vec::new());
            let size = (cover.width, cover.height);
            let kind = image::ExtendedColorType::Rgba8;
            let format = image::ImageFormat::Png;
            image::write_buffer_with_format(&mut png, &cover.rgba, size.0, size.1, kind, format)
                .map(|()| png.into_inner())
                .map_err(|_| Fault::Internal)
        });
        ([(header::CONTENT_TYPE, HeaderValue::from_static("image/png"))], png.await?)
            .into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache());
    Ok(response)
}

/// Confirmation of a reset.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Confirmation {
    /// `reset`
    confirm: String,
}

/// Cancel all jobs and remove all songs, stems and jobs.
#[utoipa::path(post, path = "/api/v1/reset", tag = "songs", request_body = Confirmation,
    responses((status = 200, body = Removed), (status = 422, body = views::Problem)))]
pub(super) async fn reset(
    State(app): State<App>,
    Json(Confirmation { confirm }): Json<Confirmation>,
) -> Result<Response, Fault> {
    let (songs, jobs) = {
        let state = app.hub.state();
        (state.songs.len(), state.jobs.len())
    };
    if confirm != "reset" {
        return Err(Fault::Confirmation { songs, jobs });
    }
    app.hub.close_tracks(None);
    app.hub.request(Command::Reset).await?;
    super::exports::clear(&app, None).await?;
    let shared = Arc::clone(&app);
    blocking(move || {
        shared.uploads.clear();
        Ok::<_, Fault>(())
    })
    .await?;
    super::uploads::sweep(&app).await;
    tracing::info!(
        "a client reset the library: {songs} songs, {jobs} jobs ({})",
        language::current().tag()
    );
    Ok(answer(|| Removed { songs, jobs }))
}
