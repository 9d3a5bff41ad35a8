//! Files in a form (`multipart/form-data`), as curl and HTML send them. Each is written as it arrives.
//!
//! multer reads whatever is there into its buffer. A gate before it lets a bounded number of bytes
//! through for each step, so that neither a long header nor a fast client fills the memory.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use multer::{Field, Multipart};

use super::{
    NewUpload, Record,
    receive::{Writer, in_time},
};
use crate::serve::{App, answers::blocking, fault::Fault};

/// Number of bytes that pass for each step. The head of a file must fit.
const STEP_BYTES: usize = 64 << 10;
/// Maximum number of fields of a form.
const MOST_FIELDS: usize = 1000;

/// Receives the files of a form. `each` gets every file, as soon as it is complete, with its name as the
/// client says, or the reason why it was not received. Fields without a file name are skipped.
///
/// # Errors
/// The form is invalid, or the client sends too slowly.
pub(in crate::serve) async fn receive_form<F: Future<Output = ()>>(
    app: &App,
    content_type: &str,
    most_bytes: u64,
    body: Body,
    mut each: impl FnMut(String, Result<Record, Fault>) -> F,
) -> Result<(), Fault> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| invalid(&error))?;
    let gate = Gate::default();
    let stream = Gated { body: body.into_data_stream(), gate: gate.clone() };
    let mut form = Multipart::new(stream, boundary);
    for _ in 0..MOST_FIELDS {
        let Some(mut field) = gate.pass(form.next_field()).await? else { return Ok(()) };
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            while gate.pass(field.chunk()).await?.is_some() {}
            continue;
        };
        let new = NewUpload { file_name, bytes: most_bytes, is_resumable: false };
        let (begun, name) = (begin(app, &new).await, new.file_name);
        let received = match begun {
            Ok(record) => receive_file(app, &gate, record, &mut field).await,
            Err(fault) => Err(fault),
        };
        // After a failure, the rest of the form is not read.
        let goes_on = received.is_ok();
        each(name, received).await;
        if !goes_on {
            return Ok(());
        }
    }
    Err(Fault::Request("the form has too many fields".into()))
}

async fn begin(app: &App, new: &NewUpload) -> Result<Record, Fault> {
    let (app, new) = (Arc::clone(app), new.clone());
    blocking(move || app.uploads.begin(&new)).await
}

/// Writes a file of a form. On failure, nothing of it stays.
async fn receive_file(
    app: &App,
    gate: &Gate,
    record: Record,
    field: &mut Field<'_>,
) -> Result<Record, Fault> {
    let unfinished = Unfinished { app, id: Some(record.id.clone()) };
    let mut writer = Writer::open(app, &record, 0).await?;
    while let Some(bytes) = gate.pass(field.chunk()).await? {
        writer.write(&bytes).await?;
    }
    let received = writer.close().await?;
    app.uploads.change(&record.id, |record| record.bytes = received);
    unfinished.keep();
    Ok(Record { bytes: received, received, ..record })
}

/// Removes an upload when it is dropped: the client may go away at any time.
struct Unfinished<'a> {
    app: &'a App,
    id: Option<String>,
}

impl Unfinished<'_> {
    fn keep(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let app = Arc::clone(self.app);
            drop(tokio::task::spawn_blocking(move || app.uploads.remove(&id)));
        }
    }
}

fn invalid(error: &multer::Error) -> Fault {
    Fault::Request(error.to_string())
}

/// Number of bytes that may still pass.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicUsize>);

impl Gate {
    /// Lets bytes through for a step of the form's reader.
    async fn pass<T>(&self, step: impl Future<Output = multer::Result<T>>) -> Result<T, Fault> {
        self.0.store(STEP_BYTES, Ordering::Relaxed);
        let mut step = pin!(step);
        let bounded = poll_fn(|context| match step.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result.map_err(|error| invalid(&error))),
            Poll::Pending if self.0.load(Ordering::Relaxed) == 0 => {
                Poll::Ready(Err(Fault::Request("the head of a part is too long".into())))
            }
            Poll::Pending => Poll::Pending,
        });
        in_time(bounded).await?
    }
}

/// A body behind a gate.
struct Gated {
    body: BodyDataStream,
    gate: Gate,
}

impl Stream for Gated {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let left = self.gate.0.load(Ordering::Relaxed);
        if left == 0 {
            // The reader returns what it has, or the gate's step fails: no waker is needed.
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.gate.0.store(left.saturating_sub(bytes.len()), Ordering::Relaxed);
        }
        next
    }
}
