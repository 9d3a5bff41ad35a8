//! Reads the rest of a body that a handler rejected, within limits. Without this, the connection would
//! close while the client still sends, and the client would see that instead of the error.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, SizeHint};

/// Number of bytes that are read.
const MOST_BYTES: usize = 8 << 20;
/// Time for them.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what the handler of a request left of its body.
pub(super) async fn rest(request: Request, next: Next) -> Response {
    // This client waits for the answer before it sends.
    let waits = request.headers().contains_key(header::EXPECT);
    if waits || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let left = Left(Arc::new(Mutex::new(body)));
    let response = next.run(Request::from_parts(parts, Body::new(left.clone()))).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        // At the limit, the connection closes after all.
        drop(tokio::time::timeout(PATIENCE, read(left)).await);
    }
    response
}

async fn read(mut body: Left) {
    let mut bytes = 0;
    while bytes < MOST_BYTES {
        let Some(Ok(frame)) = body.frame().await else { return };
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// A body that its handler and this module read in turn.
#[derive(Clone)]
struct Left(Arc<Mutex<Body>>);

impl Left {
    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Left {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
