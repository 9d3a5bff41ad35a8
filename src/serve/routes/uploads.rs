//! Resumable uploads by the protocol tus 1.0.0 (<https://tus.io/protocols/resumable-upload>), with its
//! extensions creation, termination and expiration. Used by the page, and by any client of tus.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    engine::SongId,
    serve::{
        App,
        answers::{answer, blocking},
        fault::Fault,
        headers::metadata,
        hub::state::Change,
        uploads::{NewUpload, Record, Stage, Writer, is_id, receive_part},
        views::{self, BASE, Upload, http_date},
    },
};

const VERSION: &str = "1.0.0";
/// Content type of the bytes of an upload.
const BYTES: &str = "application/offset+octet-stream";
/// Interval between looks for expired uploads.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// Adds the headers of the protocol.
fn tus(status: StatusCode, record: Option<&Record>) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(record) = record {
        headers.insert(UPLOAD_OFFSET, record.received.into());
        headers.insert(UPLOAD_LENGTH, record.bytes.into());
        if let (Stage::Receiving, Ok(date)) =
            (&record.stage, HeaderValue::try_from(http_date(record.expires())))
        {
            headers.insert(UPLOAD_EXPIRES, date);
        }
    }
    response
}

fn check_version(headers: &HeaderMap) -> Result<(), Fault> {
    let is_right = headers.get(TUS_RESUMABLE).is_some_and(|version| version == VERSION);
    if is_right { Ok(()) } else { Err(Fault::Protocol) }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Fault> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| Fault::Request(format!("{name} must be a number")))
}

fn known(app: &App, id: &str) -> Result<Record, Fault> {
    let found = Some(id).filter(|id| is_id(id)).and_then(|id| app.uploads.get(id));
    found.ok_or_else(|| Fault::UnknownThing { what: "upload", id: id.chars().take(100).collect() })
}

/// Checks that the library may hold another song.
pub(super) fn check_count(app: &App) -> Result<(), Fault> {
    let most = app.options.limits.songs;
    if app.hub.state().songs.len() >= most { Err(Fault::TooManySongs { most }) } else { Ok(()) }
}

/// Show what the server supports of tus.
#[utoipa::path(options, path = "/api/v1/uploads", tag = "uploads", responses((status = 204)))]
pub(super) async fn options(State(app): State<App>) -> Response {
    let mut response = tus(StatusCode::NO_CONTENT, None);
    let headers = response.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(VERSION));
    let extensions = HeaderValue::from_static("creation,termination,expiration");
    headers.insert("tus-extension", extensions);
    headers.insert("tus-max-size", app.uploads.most_bytes().into());
    response
}

/// Begin an upload.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "uploads",
    params(("Upload-Length" = u64, Header), ("Upload-Metadata" = Option<String>, Header),
        ("Tus-Resumable" = String, Header)),
    responses((status = 201), (status = "4XX", body = views::Problem),
        (status = 507, body = views::Problem)))]
pub(super) async fn create(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    check_version(&headers)?;
    check_count(&app)?;
    let bytes = number(&headers, &UPLOAD_LENGTH)?;
    let text = headers.get(UPLOAD_METADATA).map_or(Ok(""), HeaderValue::to_str).ok();
    let wrong = || Fault::Request(format!("{UPLOAD_METADATA} must be pairs of a key and Base64"));
    let file_name = text.and_then(|text| metadata::file_name(text).ok()).ok_or_else(wrong)?;
    let file_name = file_name.unwrap_or_else(|| "song".into());
    let new = NewUpload { file_name, bytes, is_resumable: true };
    let shared = Arc::clone(&app);
    let record = blocking(move || shared.uploads.begin(&new)).await?;
    app.hub.feed().push(Change::Upload(record.id.clone()));
    let mut response = tus(StatusCode::CREATED, Some(&record));
    if let Ok(location) = HeaderValue::try_from(format!("{BASE}/uploads/{}", record.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if bytes == 0 {
        start_import(&app, record);
    }
    Ok(response)
}

/// Show how much was received.
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub(super) async fn offset(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    Ok(tus(StatusCode::OK, Some(&known(&app, &id)?)))
}

/// Show an upload and what became of it.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = 200, body = Upload), (status = 404, body = views::Problem)))]
pub(super) async fn get_upload(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let record = known(&app, &id)?;
    Ok(answer(|| Upload::of(&record)))
}

/// Send bytes. After the last, the import begins.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Upload-Offset" = u64, Header), ("Tus-Resumable" = String, Header)),
    request_body(content_type = "application/offset+octet-stream", content = Vec<u8>),
    responses((status = 204), (status = "4XX", body = views::Problem)))]
pub(super) async fn append(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    check_version(&headers)?;
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != BYTES) {
        return Err(Fault::NotBytes);
    }
    let (record, offset) = (known(&app, &id)?, number(&headers, &UPLOAD_OFFSET)?);
    if record.stage != Stage::Receiving {
        return Err(Fault::Offset { expected: record.received });
    }
    let writer = Writer::open(&app, &record, offset).await?;
    let received = receive_part(writer, body).await?;
    let record = Record { received, ..record };
    let response = tus(StatusCode::NO_CONTENT, Some(&record));
    if received == record.bytes {
        start_import(&app, record);
    }
    Ok(response)
}

/// Cancel an upload and remove what was received.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = 204), (status = "4XX", body = views::Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let record = known(&app, &id)?;
    match record.stage {
        Stage::Receiving if !record.is_busy => {
            let shared = Arc::clone(&app);
            blocking(move || {
                shared.uploads.remove(&id);
                Ok::<_, Fault>(())
            })
            .await?;
        }
        Stage::Receiving | Stage::Importing(_) => return Err(Fault::UploadBusy),
        // The song stays; it has an address of its own.
        Stage::Imported(_) | Stage::Failed(_) => app.uploads.forget(&id),
    }
    Ok(tus(StatusCode::NO_CONTENT, None))
}

/// Imports an upload of which everything was received, beside the request.
pub(in crate::serve) fn start_import(app: &App, record: Record) {
    let app = Arc::clone(app);
    set_stage(&app, &record.id, Stage::Importing(0.0));
    tokio::spawn(async move {
        let id = record.id.clone();
        let stage = match import(&app, &record).await {
            Ok(song) => Stage::Imported(song),
            Err(fault) => Stage::Failed(Box::new(fault)),
        };
        set_stage(&app, &id, stage);
    });
}

/// Imports an upload, waits for the end, and forgets the upload.
///
/// # Errors
/// The file is not audio, or the disk is full.
pub(super) async fn import_now(app: &App, record: Record) -> Result<SongId, Fault> {
    // In a task of its own, so that the import ends properly if the client goes away.
    let shared = Arc::clone(app);
    let imported = tokio::spawn(async move {
        set_stage(&shared, &record.id, Stage::Importing(0.0));
        let imported = import(&shared, &record).await;
        shared.uploads.forget(&record.id);
        imported
    });
    imported.await.unwrap_or(Err(Fault::Internal))
}

async fn import(app: &App, record: &Record) -> Result<SongId, Fault> {
    let (shared, finished) = (Arc::clone(app), record.clone());
    let imported = match blocking(move || shared.uploads.finish(&finished)).await {
        Ok(path) => {
            let progress = |part| set_stage(app, &record.id, Stage::Importing(part));
            app.hub.import(path, progress).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    let song_path = imported.as_ref().ok().and_then(|song| {
        let state = app.hub.state();
        state.songs.get(song).map(|song| song.path.clone())
    });
    let (shared, record) = (Arc::clone(app), record.clone());
    let tidied = blocking(move || {
        match song_path {
            Some(path) => shared.uploads.imported(&record, &path),
            None => shared.uploads.remove_files(&record.id),
        }
        Ok::<_, Fault>(())
    });
    tidied.await?;
    // A song that was sent again has its new file; nothing needs the old one.
    if app.uploads.kept_folders() > app.hub.songs_below(app.uploads.folder()) {
        sweep(app).await;
    }
    imported
}

fn set_stage(app: &App, id: &str, stage: Stage) {
    app.uploads.change(id, |record| record.stage = stage);
    app.hub.feed().push(Change::Upload(id.to_owned()));
}

/// Removes the files of songs that the library no longer has.
pub(super) async fn sweep(app: &App) {
    let shared = Arc::clone(app);
    let swept = blocking(move || {
        shared.uploads.sweep(shared.hub.song_finder());
        Ok::<_, Fault>(())
    });
    if let Err(fault) = swept.await {
        tracing::debug!("uploads were not swept: {fault:?}");
    }
}

/// Resumes imports that the end of an earlier run interrupted, and removes expired uploads from time to
/// time, until the server ends.
pub(in crate::serve) async fn keep_house(app: App) {
    for record in app.uploads.complete() {
        start_import(&app, record);
    }
    let mut ending = app.ending.clone();
    let mut changes = app.hub.feed().watch();
    let mut seen = app.hub.feed().newest();
    let mut expiry = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            _ = ending.changed() => return,
            _ = expiry.tick() => {
                let shared = Arc::clone(&app);
                drop(blocking(move || {
                    shared.uploads.expire();
                    Ok::<_, Fault>(())
                }).await);
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                // Songs that another program removed.
                let (newest, new) = app.hub.feed().after(seen);
                seen = newest;
                if new.iter().any(crate::serve::hub::frees_files) {
                    sweep(&app).await;
                }
            }
        }
    }
}
