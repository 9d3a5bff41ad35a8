//! Operating system errors as data: cloneable, comparable, and deserialisable.
//!
//! This module has no dependencies, so every layer may use it. It contains no policy:
//! [`crate::engine::Problem::class`] decides whether an error is retried.

use std::{
    env::consts::OS,
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
    if error.raw_os_error().is_some_and(|number| numbers::gone(OS).contains(&number)) {
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

/// Whether an error of locking means that the file system or its server has no locks.
pub fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error().is_some_and(|number| numbers::no_locks(OS).contains(&number))
}

/// Number on Windows of an error about a file in the place of a folder.
pub const NO_FOLDER_ON_WINDOWS: i32 = numbers::windows::DIRECTORY;

/// Whether an error's number on Windows means that another program may hold the file.
pub fn is_held_on_windows(number: i32) -> bool {
    use numbers::windows::{ACCESS_DENIED, LOCK_VIOLATION, SHARING_VIOLATION, USER_MAPPED_FILE};
    [ACCESS_DENIED, SHARING_VIOLATION, LOCK_VIOLATION, USER_MAPPED_FILE].contains(&number)
}

/// Error numbers of the systems, under the systems' names. They are compiled on every system, so
/// that tests see all of them.
mod numbers {
    mod linux {
        pub const EIO: i32 = 5;
        pub const ENXIO: i32 = 6;
        pub const ENODEV: i32 = 19;
        pub const ENOLCK: i32 = 37;
        pub const ENOSYS: i32 = 38;
        pub const EOPNOTSUPP: i32 = 95;
        pub const ENOTCONN: i32 = 107;
    }

    mod macos {
        pub const EIO: i32 = 5;
        pub const ENXIO: i32 = 6;
        pub const ENODEV: i32 = 19;
        pub const ENOTSUP: i32 = 45;
        pub const ENOTCONN: i32 = 57;
        pub const ENOLCK: i32 = 77;
        pub const ENOSYS: i32 = 78;
        pub const EOPNOTSUPP: i32 = 102;
    }

    /// Names of winerror.h, without `ERROR_`.
    pub mod windows {
        pub const INVALID_FUNCTION: i32 = 1;
        pub const ACCESS_DENIED: i32 = 5;
        pub const NOT_READY: i32 = 21;
        pub const GEN_FAILURE: i32 = 31;
        pub const SHARING_VIOLATION: i32 = 32;
        pub const LOCK_VIOLATION: i32 = 33;
        pub const NOT_SUPPORTED: i32 = 50;
        pub const BAD_NETPATH: i32 = 53;
        pub const DEV_NOT_EXIST: i32 = 55;
        pub const UNEXP_NET_ERR: i32 = 59;
        pub const NETNAME_DELETED: i32 = 64;
        pub const DIRECTORY: i32 = 267;
        pub const NO_SUCH_DEVICE: i32 = 433;
        pub const IO_DEVICE: i32 = 1117;
        pub const DEVICE_NOT_CONNECTED: i32 = 1167;
        pub const USER_MAPPED_FILE: i32 = 1224;
    }

    /// Numbers that mean that the device or its server does not respond.
    pub fn gone(system: &str) -> &'static [i32] {
        use windows::{
            BAD_NETPATH, DEV_NOT_EXIST, DEVICE_NOT_CONNECTED, GEN_FAILURE, IO_DEVICE,
            NETNAME_DELETED, NO_SUCH_DEVICE, NOT_READY, UNEXP_NET_ERR,
        };
        match system {
            "linux" => &[linux::EIO, linux::ENXIO, linux::ENODEV, linux::ENOTCONN],
            "macos" => &[macos::EIO, macos::ENXIO, macos::ENODEV, macos::ENOTCONN],
            "windows" => &[
                NOT_READY,
                GEN_FAILURE,
                BAD_NETPATH,
                DEV_NOT_EXIST,
                UNEXP_NET_ERR,
                NETNAME_DELETED,
                NO_SUCH_DEVICE,
                IO_DEVICE,
                DEVICE_NOT_CONNECTED,
            ],
            _ => &[],
        }
    }

    /// Numbers that mean that a file system has no locks.
    pub fn no_locks(system: &str) -> &'static [i32] {
        match system {
            "linux" => &[linux::ENOLCK, linux::ENOSYS, linux::EOPNOTSUPP],
            "macos" => &[macos::ENOLCK, macos::ENOSYS, macos::EOPNOTSUPP, macos::ENOTSUP],
            "windows" => &[windows::INVALID_FUNCTION, windows::NOT_SUPPORTED],
            _ => &[],
        }
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

    #[cfg(unix)] // Windows has two numbers for a missing file, depending on its folder
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

    #[test]
    fn recognises_an_unplugged_disk_by_its_error_number() {
        for number in numbers::gone(OS) {
            assert_eq!(Os::from(io::Error::from_raw_os_error(*number)).kind, OsKind::Gone);
        }
        assert_eq!(numbers::gone("linux"), [5, 6, 19, 107]);
        assert_eq!(numbers::gone("macos"), [5, 6, 19, 57]);
        assert_eq!(numbers::gone("windows"), [21, 31, 53, 55, 59, 64, 433, 1117, 1167]);
    }

    #[test]
    fn recognises_disks_without_locks() {
        for number in numbers::no_locks(OS) {
            assert!(has_no_locks(&io::Error::from_raw_os_error(*number)));
        }
        assert!(has_no_locks(&io::ErrorKind::Unsupported.into()));
        assert!(!has_no_locks(&io::ErrorKind::NotFound.into()));
        assert_eq!(numbers::no_locks("macos"), [77, 78, 102, 45]);
        assert_eq!(numbers::no_locks("windows"), [1, 50]);
    }
}
