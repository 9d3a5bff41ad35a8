//! A server without sockets, for tests: the router with a real engine, and no model.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::serve::{
    App, Limits, Options, Shared,
    access::Access,
    hub::Hub,
    listener::Peer,
    metrics::Metrics,
    routes::{Exports, router},
    uploads::Uploads,
};

/// A server without sockets.
pub(super) struct Server {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) app: App,
    pub(super) router: Router,
    end: tokio::sync::watch::Sender<bool>,
    pub(super) token: Option<String>,
    _home: tempfile::TempDir,
}

impl Server {
    pub(super) fn start(limits: Limits, is_local: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let address = if is_local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let options = Options {
            home: home.path().to_owned(),
            flags: crate::engine::settings::Flags::default(),
            address: address.into(),
            port: 0,
            names: Vec::new(),
            requires_token: false,
            new_token: false,
            tls: None,
            limits,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (access, token) = Access::open(&options).unwrap();
        let hub = Hub::start(&options, runtime.handle().clone()).unwrap();
        let (end, ending) = tokio::sync::watch::channel(false);
        let app = Arc::new(Shared {
            access,
            uploads: Uploads::open(home.path(), limits).unwrap(),
            exports: Exports::open(home.path()).unwrap(),
            metrics: Metrics::default(),
            tracks: tokio::sync::Mutex::default(),
            hub,
            options,
            ending,
        });
        let router = router(Arc::clone(&app));
        let peer = ConnectInfo(Peer(Ipv4Addr::LOCALHOST.into()));
        let router = router.layer(axum::Extension(peer));
        Self { runtime, app, router, end, token, _home: home }
    }

    pub(super) fn local() -> Self {
        Self::start(Limits::default(), true)
    }

    /// Sends a request; returns status, headers and body.
    pub(super) fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            (parts.status, parts.headers, body)
        })
    }

    pub(super) fn json(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
        let request = request(method, path).header("content-type", "application/json");
        let (status, _, body) = self.send(request.body(body).unwrap());
        let json =
            if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        (status.as_u16(), json)
    }

    pub(super) fn get(&self, path: &str) -> (u16, Value) {
        self.json(Method::GET, path, &Value::Null)
    }

    /// Submits files in a form.
    pub(super) fn submit(&self, files: &[(&str, &[u8])]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, content) in files {
            let head = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        self.submit_bytes("multipart/form-data; boundary=edge", body)
    }

    pub(super) fn submit_bytes(&self, content_type: &str, body: Vec<u8>) -> (u16, Value) {
        let request = request(Method::POST, "/api/v1/songs")
            .header("content-type", content_type)
            .header("content-length", body.len());
        let (status, _, body) = self.send(request.body(body.into()).unwrap());
        (status.as_u16(), serde_json::from_slice(&body).unwrap())
    }

    pub(super) fn files(&self) -> usize {
        files_in(&self.app.options.home.join("uploads"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end.send_replace(true);
        self.app.hub.end();
    }
}

fn files_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => files_in(&path),
            _ => 1,
        })
        .sum()
}

pub(super) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8077")
}

/// A WAV file with `frames` frames of noise.
pub(super) fn wav(frames: u32, seed: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    let mut state = seed;
    for _ in 0..2 * frames {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writer.write_sample((state >> 18) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}
