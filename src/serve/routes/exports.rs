//! Exports: files in any format, written into the data folder and downloaded from there.
//!
//! They are removed a day later, and when the server starts: the song has everything to write them again.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    archive::zipped,
    body::{self, Json, attachment, blocks},
    export_request::ExportRequest,
    known::song_id,
};
use crate::{
    engine::{
        Command, Depth, ExportId, ExportState, Problem, Result as EngineResult, SongId,
        export::{FORMATS, Fields, Format, NamePattern, Place, check},
        system::atomic_file::{make_folders, write_atomically},
    },
    file_moves,
    serve::{
        App,
        answers::{answer, answer_with, blocking},
        fault::Fault,
        views::{self, BASE, Export, FormatInfo},
    },
};

/// Folder in the data folder.
const FOLDER: &str = "exports";
/// File in it with the number of the newest export.
const LAST: &str = "last";
/// Names of the files.
const PATTERN: &str = "{artist} - {title} - {stem}";
/// Time for which files are kept.
const KEPT: Duration = Duration::from_hours(24);
/// Interval between looks for old exports.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// Maximum number of exports that are kept.
const MOST: usize = 200;

/// The exports of this run.
pub(in crate::serve) struct Exports {
    folder: PathBuf,
    all: Mutex<BTreeMap<u64, Kept>>,
    /// Number of the newest export, of earlier runs included.
    last: Mutex<u64>,
}

struct Kept {
    song: SongId,
    created: Instant,
}

impl Exports {
    /// Removes the files of earlier runs. Numbers go on, so that an old link never leads to another file.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn open(home: &FilePath) -> EngineResult<Self> {
        let home = std::path::absolute(home).map_err(|e| Problem::home_unwritable(home, e))?;
        let folder = home.join(FOLDER);
        make_folders(&folder).map_err(|e| Problem::home_unwritable(&home, e))?;
        let last = fs::read_to_string(folder.join(LAST)).ok();
        let last = last.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
        let exports = Self { folder, all: Mutex::default(), last: Mutex::new(last) };
        for entry in fs::read_dir(&exports.folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove_files(&entry.path());
            }
        }
        Ok(exports)
    }

    /// Lists a new export under the next number.
    ///
    /// # Errors
    /// Too many exports are kept, or the number cannot be written.
    fn begin(&self, kept: Kept) -> Result<ExportId, Fault> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.all().len() >= MOST {
            return Err(Fault::Busy);
        }
        let (number, path) = (*last + 1, self.folder.join(LAST));
        // Also after a reset, which may have removed the folder.
        make_folders(&self.folder).map_err(|error| Problem::write(&path, error))?;
        write_atomically(&path, number.to_string().as_bytes())?;
        *last = number;
        self.all().insert(number, kept);
        Ok(ExportId(number))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Kept>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder_of(&self, id: u64) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

fn remove_files(folder: &FilePath) {
    match file_moves::remove_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("could not remove {}: {error}", folder.display());
        }
        _ => {}
    }
}

/// Write files of a song's stems, or mixes of them.
#[utoipa::path(post, path = "/api/v1/songs/{id}/exports", tag = "exports", params(("id" = i64, Path)),
    request_body = ExportRequest,
    responses((status = 202, body = Export), (status = "4XX", body = views::Problem)))]
pub(super) async fn create(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(request): Json<ExportRequest>,
) -> Result<Response, Fault> {
    let song = song_id(&app, &id)?;
    let settings = request.settings()?;
    // Opened again, since a job may have ended since they were opened.
    app.hub.close_tracks(Some(song));
    let track = app.hub.track(song).await?;
    let stems = track.stems.as_ref().ok_or(Problem::NoModel)?;
    let selection = request.selection(stems.tree())?;
    let place = |folder| Ok::<_, Fault>(Place { folder, pattern: NamePattern::new(PATTERN)? });
    // A selection that cannot become files is rejected now, instead of failing later.
    let unplaced = place(PathBuf::new())?;
    let items = selection.items(stems.tree(), settings.format, &unplaced, Fields::default())?;
    check(&track, &items)?;
    let (shared, created) = (Arc::clone(&app), Instant::now());
    let id = blocking(move || shared.exports.begin(Kept { song, created })).await?;
    let place = place(app.exports.folder_of(id.0))?;
    app.hub.request(Command::Export { id, song, selection, place, settings }).await?;
    // An export that cannot begin is not listed.
    let state = app.hub.state().exports.get(&id).cloned();
    if let Some(ExportState::Failed(problem)) = state {
        drop_export(&app, id.0).await?;
        return Err(problem.into());
    }
    let mut response = answer_with(StatusCode::ACCEPTED, || view(&app, id.0));
    if let Ok(location) = HeaderValue::try_from(format!("{BASE}/exports/{}", id.0)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// An export as JSON.
pub(super) fn view(app: &App, id: u64) -> Option<Export> {
    let song = app.exports.all().get(&id)?.song;
    let state = app.hub.state().exports.get(&ExportId(id)).cloned();
    let files: Vec<(String, u64)> = files_of(state.as_ref())
        .iter()
        .map(|path| (name_of(path), fs::metadata(path).map_or(0, |file| file.len())))
        .collect();
    Some(Export::of(id, song.0, state.as_ref(), &files))
}

fn files_of(state: Option<&ExportState>) -> &[PathBuf] {
    match state {
        Some(ExportState::Done { files, .. }) => files,
        _ => &[],
    }
}

fn name_of(path: &FilePath) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn known(app: &App, id: &str) -> Result<u64, Fault> {
    let number = id.parse().ok().filter(|number| app.exports.all().contains_key(number));
    number.ok_or_else(|| Fault::UnknownThing { what: "export", id: id.chars().take(100).collect() })
}

/// List exports, the newest first.
#[utoipa::path(get, path = "/api/v1/exports", tag = "exports", responses((status = 200, body = Vec<Export>)))]
pub(super) async fn list(State(app): State<App>) -> Result<Response, Fault> {
    let ids: Vec<u64> = app.exports.all().keys().rev().copied().collect();
    Ok(answer(|| ids.iter().filter_map(|id| view(&app, *id)).collect::<Vec<_>>()))
}

/// Show an export.
#[utoipa::path(get, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = u64, Path)),
    responses((status = 200, body = Export), (status = 404, body = views::Problem)))]
pub(super) async fn get_export(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let id = known(&app, &id)?;
    Ok(answer(|| view(&app, id)))
}

/// Cancel an export, or remove its files.
#[utoipa::path(delete, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = u64, Path)),
    responses((status = 204), (status = 404, body = views::Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let id = known(&app, &id)?;
    let is_running = {
        let state = app.hub.state();
        matches!(state.exports.get(&ExportId(id)), None | Some(ExportState::Running(_)))
    };
    if is_running {
        // It stays in the list as cancelled, since its end is not known yet.
        app.hub.request(Command::CancelExport(ExportId(id))).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    drop_export(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_export(app: &App, id: u64) -> Result<(), Fault> {
    app.exports.all().remove(&id);
    app.hub.forget_export(ExportId(id));
    let shared = Arc::clone(app);
    blocking(move || {
        remove_files(&shared.exports.folder_of(id));
        Ok::<_, Fault>(())
    })
    .await
}

/// Removes the exports of a song, or all, and cancels those that run.
///
/// # Errors
/// The engine has ended.
pub(super) async fn clear(app: &App, song: Option<SongId>) -> Result<(), Fault> {
    let is_one = |(_, kept): &(&u64, &Kept)| song.is_none_or(|song| kept.song == song);
    let ids: Vec<u64> = app.exports.all().iter().filter(is_one).map(|(id, _)| *id).collect();
    for id in ids {
        app.hub.request(Command::CancelExport(ExportId(id))).await?;
        drop_export(app, id).await?;
    }
    Ok(())
}

fn files(app: &App, id: u64) -> Vec<PathBuf> {
    files_of(app.hub.state().exports.get(&ExportId(id))).to_vec()
}

/// Download a file of an export.
#[utoipa::path(get, path = "/api/v1/exports/{id}/files/{number}", tag = "exports",
    params(("id" = u64, Path), ("number" = usize, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "*/*", body = Vec<u8>),
        (status = 206, content_type = "*/*", body = Vec<u8>),
        (status = "4XX", body = views::Problem)))]
pub(super) async fn file(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let id = known(&app, &id)?;
    let path = number.parse::<usize>().ok().and_then(|number| files(&app, id).get(number).cloned());
    let path = path.ok_or_else(|| Fault::UnknownThing {
        what: "file",
        id: number.chars().take(100).collect(),
    })?;
    let name = name_of(&path);
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("wav") => "audio/wav",
        Some("flac") => "audio/flac",
        Some("m4a" | "mp4") => "audio/mp4",
        Some("mp3") => "audio/mpeg",
        Some("opus") => "audio/ogg",
        _ => "application/octet-stream",
    };
    body::file(path, &name, kind, &headers).await
}

/// Download all files of an export in one archive.
#[utoipa::path(get, path = "/api/v1/exports/{id}/archive", tag = "exports", params(("id" = u64, Path)),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>),
        (status = "4XX", body = views::Problem)))]
pub(super) async fn archive(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let number = known(&app, &id)?;
    let files = files(&app, number);
    if files.is_empty() {
        return Err(Fault::UnknownThing { what: "archive", id });
    }
    let body = blocks(zipped(files));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_DISPOSITION, attachment(&format!("partita-{number}.zip")));
    Ok(response)
}

/// List the formats of exports.
#[utoipa::path(get, path = "/api/v1/formats", tag = "exports", responses((status = 200, body = Vec<FormatInfo>)))]
pub(super) async fn formats() -> Response {
    answer(|| FORMATS.map(info).to_vec())
}

fn info(format: &Format) -> FormatInfo {
    use crate::engine::export::format::Keeps;
    let depths = match format.keeps {
        Keeps::Exactly(depths) => depths,
        Keeps::Roughly(_) => &[],
    };
    let name = |depth: &Depth| match depth {
        Depth::Int16 => "16".to_owned(),
        Depth::Int24 => "24".to_owned(),
        Depth::Float32 => "32f".to_owned(),
    };
    FormatInfo {
        name: format.id.to_owned(),
        title: format.name.to_owned(),
        extension: format.extension.to_owned(),
        is_lossy: depths.is_empty(),
        depths: depths.iter().map(name).collect(),
    }
}

/// Removes old exports from time to time, until the server ends.
pub(super) async fn keep_house(app: App) {
    let mut ending = app.ending.clone();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = ending.changed() => return,
            _ = looks.tick() => {}
        }
        let is_old = |(_, kept): &(&u64, &Kept)| kept.created.elapsed() > KEPT;
        let old: Vec<u64> = app.exports.all().iter().filter(is_old).map(|(id, _)| *id).collect();
        for id in old {
            drop(drop_export(&app, id).await);
        }
    }
}
