//! Counters for monitoring, in Prometheus' text format. Atomic counters, usable from any thread.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::App;
use crate::engine::JobState;

/// Counters since the start.
#[derive(Default)]
pub(super) struct Metrics {
    /// Answers by the first digit of their status, 1 to 5.
    answers: [AtomicU64; 5],
    /// Bytes of files that clients sent.
    pub received_bytes: AtomicU64,
    /// Open streams of events.
    pub streams: AtomicU64,
}

impl Metrics {
    fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.answers[class - 1].fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts the answer to a request.
pub(super) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.metrics.count(response.status());
    response
}

/// All values as text.
pub(super) fn text(app: &App) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        // Writing to a string cannot fail.
        write!(text, "# HELP partita_{name} {help}\n# TYPE partita_{name} {kind}\n").ok();
        for (labels, value) in samples {
            writeln!(text, "partita_{name}{labels} {value}").ok();
        }
    };
    let one = |value: u64| vec![(String::new(), value)];
    let metrics = &app.metrics;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (songs, segments, jobs) = {
        let state = app.hub.state();
        let mut jobs = [0u64; 6];
        for job in state.jobs.values() {
            jobs[place(&job.state)] += 1;
        }
        (state.songs.len() as u64, state.segments, jobs)
    };
    family("songs", "gauge", "Songs in the library.", &one(songs));
    let jobs: Vec<(String, u64)> = STATES
        .into_iter()
        .zip(jobs)
        .map(|(state, count)| (format!("{{state=\"{state}\"}}"), count))
        .collect();
    family("jobs", "gauge", "Jobs by state.", &jobs);
    family("segments_total", "counter", "Segments computed since the start.", &one(segments));
    let answers: Vec<(String, u64)> = metrics
        .answers
        .iter()
        .zip(1..)
        .map(|(count, class)| (format!("{{class=\"{class}xx\"}}"), read(count)))
        .collect();
    family("http_answers_total", "counter", "Answers by class of status.", &answers);
    let received = one(read(&metrics.received_bytes));
    family("received_bytes_total", "counter", "Bytes of uploaded files.", &received);
    family("event_streams", "gauge", "Open streams of events.", &one(read(&metrics.streams)));
    let stored = one(app.uploads.stored_bytes());
    family("uploads_bytes", "gauge", "Size of all uploaded files.", &stored);
    text
}

const STATES: [&str; 6] = ["waiting", "running", "paused", "done", "failed", "cancelled"];

fn place(state: &JobState) -> usize {
    match state {
        JobState::Waiting => 0,
        JobState::Running => 1,
        JobState::Paused => 2,
        JobState::Done => 3,
        JobState::Failed(_) => 4,
        JobState::Cancelled => 5,
    }
}
