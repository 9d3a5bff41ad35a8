//! Operating system errors as data: cloneable, comparable, and deserialisable.
//!
//! This module has no dependencies, so every layer may use it. It contains no policy:
//! [`crate::engine::Problem::class`] decides whether an error is retried.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, Serializer};

/// An I/O error: its kind, the system's number if any, and its English text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Kind of the error, as far as the program distinguishes kinds.
    pub kind: OsKind,
    /// Error number of the system; `None` for an error that a library derived from the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
    /// Text of the error, as [`io::Error`] displays it.
    pub text: String,
}

/// Kinds of I/O errors with distinct handling or texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OsKind {
    /// The file or folder does not exist.
    NotFound,
    /// The user lacks the permission.
    Denied,
    /// The disk is full, or the user's quota is used up.
    NoSpace,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The device or its server does not respond: unplugged, disconnected, or failing.
    Gone,
    /// A handle of a network file system is stale.
    Stale,
    /// A folder was found instead of a file.
    IsFolder,
    /// A file was found instead of a folder.
    NotFolder,
    /// The operation timed out.
    TimedOut,
    /// The server refused the connection.
    Refused,
    /// This computer has no way to the server.
    NoNetwork,
    /// The data ends too early.
    Truncated,
    /// The data is invalid.
    Invalid,
    /// Any other error.
    Other,
}

impl From<&io::Error> for Os {
    fn from(error: &io::Error) -> Self {
        // Libraries wrap the system's error: tempfile adds a temporary name that users never see.
        let error = innermost(error);
        if let Some(number) = number_in_text(error) {
            return Self::from(io::Error::from_raw_os_error(number));
        }
        Self { kind: kind_of(error), number: error.raw_os_error(), text: error.to_string() }
    }
}

impl From<io::Error> for Os {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl Os {
    /// Creates an error from the text of a library's error.
    pub fn other(error: impl fmt::Display) -> Self {
        Self { kind: OsKind::Other, number: None, text: error.to_string() }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}

/// Returns the last I/O error in the chain of causes of `error`, which may be `error` itself.
fn innermost(error: &io::Error) -> &io::Error {
    /// Limit of the chain's length, as a library could return itself as its cause.
    const DEEPEST: usize = 8;
    let (mut found, mut next) = (error, error.get_ref().map(|inner| inner as &dyn Error));
    for _ in 0..DEEPEST {
        let Some(inner) = next else { break };
        next = match inner.downcast_ref::<io::Error>() {
            Some(io) => {
                found = io;
                io.get_ref().map(|inner| inner as &dyn Error)
            }
            None => inner.source(),
        };
    }
    found
}

/// The system's number in an error of tempfile, "… (os error 30) at path …". That crate hides the error
/// itself: its `source` is the cause of the system's error.
fn number_in_text(error: &io::Error) -> Option<i32> {
    error.get_ref()?;
    let text = error.to_string();
    let (system, _) = text.split_once(") at path \"")?;
    system.rsplit_once("(os error ")?.1.parse().ok()
}

fn kind_of(error: &io::Error) -> OsKind {
    use io::ErrorKind as Kind;
    // Input/output error, no such device (or address), not connected.
    if cfg!(target_os = "linux") && matches!(error.raw_os_error(), Some(5 | 6 | 19 | 107)) {
        return OsKind::Gone;
    }
    match error.kind() {
        Kind::NotFound => OsKind::NotFound,
        Kind::PermissionDenied => OsKind::Denied,
        Kind::StorageFull | Kind::QuotaExceeded => OsKind::NoSpace,
        Kind::ReadOnlyFilesystem => OsKind::ReadOnly,
        Kind::StaleNetworkFileHandle => OsKind::Stale,
        Kind::IsADirectory => OsKind::IsFolder,
        Kind::NotADirectory => OsKind::NotFolder,
        Kind::TimedOut => OsKind::TimedOut,
        Kind::ConnectionRefused => OsKind::Refused,
        Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::NetworkDown => OsKind::NoNetwork,
        Kind::UnexpectedEof => OsKind::Truncated,
        Kind::InvalidData | Kind::InvalidInput => OsKind::Invalid,
        _ => OsKind::Other,
    }
}

/// Serialises a path as text; invalid Unicode is replaced and never an error.
///
/// # Errors
/// Fails with the errors of the serialiser.
pub fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// Serialises paths like [`as_text`].
///
/// # Errors
/// Fails with the errors of the serialiser.
pub fn as_texts<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_json() {
        for error in [
            io::Error::from(io::ErrorKind::StorageFull),
            io::Error::from_raw_os_error(13),
            io::Error::other("no number"),
        ] {
            let os = Os::from(&error);
            assert_eq!(os.to_string(), error.to_string());
            let text = serde_json::to_string(&os).unwrap();
            assert_eq!(serde_json::from_str::<Os>(&text).unwrap(), os);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_wrapped_error_has_the_systems_number_and_text() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = tempfile::Builder::new().tempfile_in(&missing).unwrap_err();
        let os = Os::from(&error);
        let plain = std::fs::File::open(&missing).unwrap_err();
        assert!(error.raw_os_error().is_none(), "tempfile no longer wraps the error");
        assert_eq!(os, Os::from(&plain), "{error}");
        let twice = io::Error::new(io::ErrorKind::NotFound, error);
        assert_eq!(Os::from(twice), os);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn recognises_an_unplugged_disk_by_its_error_number() {
        for number in [5, 6, 19, 107] {
            assert_eq!(Os::from(io::Error::from_raw_os_error(number)).kind, OsKind::Gone);
        }
    }
}
