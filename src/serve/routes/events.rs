//! The stream of events (server-sent events): what changed, with its new state. A client that was
//! disconnected goes on after its last event.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::json;

use crate::{
    i18n::Language,
    serve::{
        App,
        fault::Fault,
        hub::state::Change,
        language::{self, speaking},
        views::{Job, Mixer, Song, Upload},
    },
};

/// Maximum number of open streams.
const MOST: u64 = 128;
/// Interval of comments that keep the connection open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Time in which changes are collected, so that a busy server does not send each.
const COLLECT: Duration = Duration::from_millis(100);

/// Follow changes.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn stream(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let open = Open::start(&app).ok_or(Fault::Busy)?;
    let run = app.hub.run();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = match last.map(|id| id.split_once('-')) {
        None => app.hub.feed().newest(),
        // The numbers of an earlier run mean nothing now: everything is read again.
        Some(parts) => parts
            .filter(|(of_run, _)| *of_run == format!("{run:x}"))
            .and_then(|(_, number)| number.parse().ok())
            .unwrap_or(u64::MAX),
    };
    let language = language::current();
    let events = changes(app, open, seen, language);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// An open stream, until dropped.
struct Open(App);

impl Open {
    fn start(app: &App) -> Option<Self> {
        let open = Self(Arc::clone(app));
        let others = app.metrics.streams.fetch_add(1, Ordering::Relaxed);
        (others < MOST).then_some(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn changes(
    app: App,
    open: Open,
    seen: u64,
    language: Language,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let newest = app.hub.feed().watch();
    let ending = app.ending.clone();
    let start = (app, open, seen, newest, ending, Vec::<Event>::new());
    stream::unfold(
        start,
        move |(app, open, mut seen, mut newest, mut ending, mut ready)| async move {
            loop {
                if let Some(event) = ready.pop() {
                    return Some((Ok(event), (app, open, seen, newest, ending, ready)));
                }
                newest.mark_unchanged();
                let (now, changes) = app.hub.feed().after(seen);
                seen = now;
                if !changes.is_empty() {
                    let id = format!("{:x}-{now}", app.hub.run());
                    ready = changes
                        .iter()
                        .rev()
                        .filter_map(|change| event(&app, change, language))
                        .map(|event| event.id(&id))
                        .collect();
                    continue;
                }
                tokio::select! {
                    _ = ending.changed() => return None,
                    changed = newest.changed() => changed.ok()?,
                }
                tokio::time::sleep(COLLECT).await;
            }
        },
    )
}

/// A change with the state that it led to; `None` if that is gone again.
fn event(app: &App, change: &Change, language: Language) -> Option<Event> {
    fn with<T: Serialize>(name: &str, data: T) -> Option<Event> {
        Event::default().event(name).json_data(data).ok()
    }
    speaking(language, || {
        let (state, now) = (app.hub.state(), Instant::now());
        match change {
            Change::Song(id) => with("song", Song::of(state.songs.get(id)?, &state, now)),
            Change::SongRemoved(id) => with("song_removed", json!({ "id": id.0 })),
            Change::Job(id) => with("job", Job::of(state.jobs.get(id)?, &state, now)),
            Change::JobRemoved(id) => with("job_removed", json!({ "id": id.0 })),
            Change::Queue => {
                let jobs: Vec<i64> = state.queue.iter().map(|job| job.0).collect();
                with("queue", json!({ "jobs": jobs }))
            }
            Change::Segments(id) => with("segments", json!({ "song": id.0 })),
            Change::Options(id) => with("options", json!({ "song": id.0 })),
            Change::Upload(id) => with("upload", Upload::of(&app.uploads.get(id)?)),
            Change::Export(id) => {
                drop(state); // the export reads it again
                with("export", super::exports::view(app, id.0)?)
            }
            Change::Mixer(id) => {
                let lanes = Mixer::of(&state, *id).lanes;
                with("mixer", json!({ "song": id.0, "lanes": lanes }))
            }
            Change::Model(name) => with("model", super::models::view(&state, name)?),
            Change::All => with("resync", json!({})),
        }
    })
}
