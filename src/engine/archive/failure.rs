//! Songs that failed: the line that lists one, and whether another try may succeed.

use std::{io, path::Path};

use serde::Serialize;

use crate::engine::EngineError;

/// A line of the file of failures, which is a manifest too.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The song.
    pub path: String,
    /// The name of its files.
    pub name: String,
    /// The folder below that of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Its audio track, where the line names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<usize>,
    /// Its line's options.
    #[serde(flatten)]
    pub options: std::collections::BTreeMap<String, String>,
    /// Its line in the manifest.
    pub line: usize,
    /// The reason, in words.
    pub reason: String,
    /// Whether another try may succeed.
    pub temporary: bool,
}

/// Whether every other song would fail, too: the disk of the results is full or read-only.
pub(super) fn concerns_all(error: &EngineError) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let EngineError::Io { source, .. } = error else { return false };
    [QuotaExceeded, ReadOnlyFilesystem, StorageFull].contains(&source.kind())
}

/// Whether another try, perhaps on another machine, may succeed.
pub fn is_temporary(error: &EngineError, song: &Path) -> bool {
    match error {
        EngineError::Io { path, source, .. } if path == song => match source.kind() {
            // Where its folder is missing, too, its disk is probably not mounted.
            io::ErrorKind::NotFound => !song.parent().is_some_and(is_folder),
            io::ErrorKind::PermissionDenied => false,
            // An error of the system, not one that a reader derived from the bytes.
            _ => source.raw_os_error().is_some(),
        },
        EngineError::Io { .. } | EngineError::Locked | EngineError::Busy(_) => true,
        _ => false,
    }
}

fn is_folder(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_another_try_may_mend_are_temporary() {
        let home = tempfile::tempdir().unwrap();
        let io = |path: &Path, source: io::Error| EngineError::Io {
            what: "cannot read",
            path: path.into(),
            source,
        };
        let (here, away) = (home.path().join("song.wav"), home.path().join("mount/song.wav"));
        let not_found = || io::Error::from(io::ErrorKind::NotFound);
        assert!(!is_temporary(&io(&here, not_found()), &here), "the song does not exist");
        assert!(is_temporary(&io(&away, not_found()), &away), "its disk is not mounted");
        assert!(!is_temporary(&io(&here, io::ErrorKind::PermissionDenied.into()), &here));
        assert!(!is_temporary(&io(&here, io::Error::other("it leads in circles")), &here));
        #[cfg(target_os = "linux")]
        for number in [5, 116, 110] {
            let error = io(&here, io::Error::from_raw_os_error(number));
            assert!(is_temporary(&error, &here), "{error}: {number}");
        }
        let full = io(&away, io::ErrorKind::StorageFull.into());
        assert!(is_temporary(&full, &here) && concerns_all(&full));
        assert!(!is_temporary(&EngineError::Exists(vec![here.clone()]), &here));
        assert!(!is_temporary(&EngineError::NotNumbers { segment: 0 }, &here));
    }
}
