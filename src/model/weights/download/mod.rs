//! Downloads over HTTPS that resume after an interruption, and are checked before they get their
//! name.
//!
//! `<file>.part.json` beside `<file>.part` has the address, and the server's validator and length,
//! so that a download resumes only with the same content.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ureq::{
    Agent, Body,
    http::{Response, StatusCode, header},
};

use super::{
    catalog::{Network, Origin},
    checkpoint::hex,
    error::{Fault, Result},
    progress::{Step, Watch},
};
use crate::{
    file_moves,
    model::{
        error::FileFault,
        findings::{Bytes, Malformed, Printable},
        on_one_line,
    },
    os::Os,
};

/// A file to fetch, and its destination.
pub(super) struct Download<'a> {
    pub(super) url: &'a str,
    pub(super) path: &'a Path,
    /// First digits of the file's SHA-256, where known.
    pub(super) sha256: Option<&'a str>,
}

/// Largest length of a weight file, in bytes.
const LENGTH_LIMIT: u64 = 4 << 30;

/// Attempts without progress before the address is given up.
const FRUITLESS_ATTEMPTS: u32 = 4;

/// Timeouts of a server.
#[derive(Clone, Copy)]
struct Patience {
    connect: Duration,
    /// Time without data after which the connection counts as broken.
    silence: Duration,
    /// Time before the next attempt; doubled after each attempt without progress.
    pause: Duration,
}

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(15),
    silence: Duration::from_secs(20),
    pause: Duration::from_millis(500),
};

/// Reason why an attempt ended without the whole file.
#[derive(Debug)]
enum Setback {
    /// Another attempt would fail too.
    Final(Fault),
    /// The connection broke, or the server asks to retry later.
    Passing(FileFault),
}

impl From<Fault> for Setback {
    fn from(fault: Fault) -> Self {
        Self::Final(fault)
    }
}

impl From<io::Error> for Setback {
    fn from(error: io::Error) -> Self {
        Self::Final(Fault::Io(error.into()))
    }
}

/// Identity of the partial file on disk.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Part {
    url: String,
    /// The server's strong `ETag`, or else its `Last-Modified`.
    validator: Option<String>,
    total: Option<u64>,
}

/// Fetches the file, unless it exists.
pub(super) fn fetch(download: &Download<'_>, watch: &mut Watch<'_>) -> Result<()> {
    fetch_with(download, PATIENCE, watch)
}

fn fetch_with(download: &Download<'_>, patience: Patience, watch: &mut Watch<'_>) -> Result<()> {
    if download.path.is_file() {
        return Ok(());
    }
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .user_agent(concat!("partita/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut fruitless = 0;
    // The most bytes that any attempt reached, so that a server that always restarts is given up.
    let mut furthest = download.have();
    loop {
        match attempt(&agent, download, watch) {
            Ok(()) => break,
            Err(Setback::Final(fault)) => return Err(fault),
            Err(Setback::Passing(reason)) => {
                let have = download.have();
                fruitless = if have > furthest { 0 } else { fruitless + 1 };
                furthest = furthest.max(have);
                if fruitless == FRUITLESS_ATTEMPTS {
                    return Err(reason.into());
                }
                pause(patience.pause * (1 << fruitless), watch)?;
            }
        }
    }
    download.finish(watch)
}

/// Makes one request: for the rest of a partial file, or for all of it.
fn attempt(agent: &Agent, download: &Download<'_>, watch: &mut Watch<'_>) -> Result<(), Setback> {
    watch.report(download.step(), download.have(), None)?;
    let (part, have) = download.beginning()?;
    let mut request = agent.get(download.url).header(header::ACCEPT_ENCODING, "identity");
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
        if let Some(validator) = &part.validator {
            request = request.header(header::IF_RANGE, validator);
        }
    }
    let response = request.call().map_err(|error| broken_before(&error, have))?;
    match response.status() {
        StatusCode::OK => {
            let part = download.described_by(&response, content_length(&response));
            refuse_page(&response)?;
            download.restart(&part)?;
            receive(response, download, 0, part.total, watch)
        }
        StatusCode::PARTIAL_CONTENT => {
            let Some((start, total)) = content_range(&response) else {
                download.discard()?;
                return Err(passing(Malformed::Part));
            };
            if start != have || (part.total.is_some() && total != part.total) {
                download.discard()?;
                return Err(passing(Malformed::OtherPart));
            }
            receive(response, download, have, total, watch)
        }
        // No bytes follow those on disk: the file is complete, or it is another one.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
            if part.total == Some(have) {
                return Ok(());
            }
            download.discard()?;
            Err(passing(Malformed::Shrunk))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(passing(Malformed::Status { status: Printable::of(status) }))
        }
        status => Err(Fault::from(Malformed::Status { status: Printable::of(status) }).into()),
    }
}

/// Appends a response's body to the `have` bytes on disk.
fn receive(
    response: Response<Body>,
    download: &Download<'_>,
    have: u64,
    total: Option<u64>,
    watch: &mut Watch<'_>,
) -> Result<(), Setback> {
    if let Some(total) = total.filter(|total| *total > LENGTH_LIMIT) {
        let (size, limit) = (Bytes(total), Bytes(LENGTH_LIMIT));
        return Err(Fault::from(Malformed::Offer { size, limit }).into());
    }
    let mut file = OpenOptions::new().append(true).open(download.part_path())?;
    let mut body = response.into_body().into_reader();
    let mut chunk = vec![0; 1 << 17];
    let mut done = have;
    loop {
        watch.report(download.step(), done, total)?;
        let count = match body.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => {
                file.sync_all()?;
                return Err(passing(broke_off(done, total, Printable::of(error))));
            }
        };
        file.write_all(&chunk[..count])?;
        done += count as u64;
        if done > total.unwrap_or(LENGTH_LIMIT) {
            download.discard()?;
            return Err(Fault::from(Malformed::Surplus).into());
        }
    }
    file.sync_all()?;
    match total {
        Some(total) if done < total => {
            Err(passing(Malformed::Closed { done: Bytes(done), total: Bytes(total) }))
        }
        _ => Ok(()),
    }
}

/// A setback after which another attempt may succeed.
fn passing(fault: Malformed) -> Setback {
    Setback::Passing(FileFault::Malformed(Box::new(fault)))
}

fn broke_off(done: u64, total: Option<u64>, cause: Printable) -> Malformed {
    let done = Bytes(done);
    match total.map(Bytes) {
        Some(total) => Malformed::BrokeOffOf { done, total, cause },
        None => Malformed::BrokeOff { done, cause },
    }
}

/// The error of a request without a response. If no byte was ever received, the next address is
/// tried.
fn broken_before(error: &ureq::Error, have: u64) -> Setback {
    let fault = unreachable(error);
    if have > 0 { Setback::Passing(fault) } else { Setback::Final(fault.into()) }
}

/// The reason why a server cannot be reached.
fn unreachable(error: &ureq::Error) -> FileFault {
    match error {
        ureq::Error::HostNotFound => FileFault::NoHost,
        ureq::Error::Io(error) => {
            let cause = Os::from(error);
            // The standard library's text for any failure of the resolver, which has no number.
            let is_unresolved = cause.text.starts_with("failed to lookup address information");
            if is_unresolved { FileFault::NoHost } else { FileFault::NoConnection { cause } }
        }
        other => FileFault::Unreachable { cause: on_one_line(&other.to_string()) },
    }
}

/// Fails for an HTML page: a login page, a captive portal, or an error with status 200.
fn refuse_page(response: &Response<Body>) -> Result<(), Setback> {
    let kind = text_header(response, header::CONTENT_TYPE).unwrap_or_default();
    if kind.starts_with("text/html") {
        return Err(Fault::from(Malformed::Page { kind: kind.into() }).into());
    }
    Ok(())
}

fn text_header(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

fn content_length(response: &Response<Body>) -> Option<u64> {
    text_header(response, header::CONTENT_LENGTH)?.parse().ok()
}

/// First byte and total length from `Content-Range: bytes 100-199/200`.
fn content_range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let range = text_header(response, header::CONTENT_RANGE)?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Sleeps; a cancellation ends it.
fn pause(duration: Duration, watch: &Watch<'_>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < duration {
        watch.check()?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

impl Download<'_> {
    fn step(&self) -> Step {
        Step::Downloading(self.url.split('/').nth(2).unwrap_or(self.url).to_owned())
    }

    fn part_path(&self) -> PathBuf {
        with_suffix(self.path, ".part")
    }

    fn note_path(&self) -> PathBuf {
        with_suffix(self.path, ".part.json")
    }

    /// Bytes of the partial file on disk.
    fn have(&self) -> u64 {
        fs::metadata(self.part_path()).map_or(0, |meta| meta.len())
    }

    /// The partial file, if it belongs to this address; another one is deleted.
    fn beginning(&self) -> Result<(Part, u64)> {
        let note = fs::read(self.note_path()).unwrap_or_default();
        let part: Part = serde_json::from_slice(&note).unwrap_or_default();
        // Without a validator, the server's content may have changed.
        if part.url == self.url && part.validator.is_some() {
            return Ok((part, self.have()));
        }
        self.discard()?;
        Ok((Part::default(), 0))
    }

    fn described_by(&self, response: &Response<Body>, total: Option<u64>) -> Part {
        let strong = text_header(response, header::ETAG).filter(|tag| !tag.starts_with("W/"));
        let validator = strong.or_else(|| text_header(response, header::LAST_MODIFIED));
        Part { url: self.url.to_owned(), validator: validator.map(str::to_owned), total }
    }

    /// Restarts with an empty partial file, and stores its identity.
    fn restart(&self, part: &Part) -> Result<()> {
        File::create(self.part_path())?;
        fs::write(self.note_path(), serde_json::to_vec(part).map_err(io::Error::from)?)?;
        Ok(())
    }

    fn discard(&self) -> Result<()> {
        for path in [self.part_path(), self.note_path()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks the complete file, and renames it.
    fn finish(&self, watch: &mut Watch<'_>) -> Result<()> {
        if let Some(expected) = self.sha256 {
            let found = sha256(&self.part_path(), watch)?;
            if !found.starts_with(expected) {
                self.discard()?;
                let (found, expected) = (found.into(), expected.into());
                return Err(Malformed::OtherDigest { found, expected }.into());
            }
        }
        file_moves::rename(&self.part_path(), self.path)?;
        self.discard()
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes the downloads of an installed network, which a killed process may have left.
pub(super) fn forget(network: &Network, downloads: &Path) {
    for origin in &network.origins {
        let Origin::Https { file, .. } = origin else { continue };
        for suffix in ["", ".part", ".part.json"] {
            match fs::remove_file(downloads.join(format!("{file}{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("{file}{suffix} is no longer needed, but stays: {error}");
                }
                _ => {}
            }
        }
    }
}

/// SHA-256 of a whole file, in hexadecimal.
pub(super) fn sha256(path: &Path, watch: &mut Watch<'_>) -> Result<String> {
    let mut file = File::open(path)?;
    let total = file.metadata()?.len();
    let (mut hash, mut done, mut chunk) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&chunk[..count]);
        done += count as u64;
        watch.report(Step::Checking, done, Some(total))?;
    }
}

#[cfg(test)]
mod tests;
