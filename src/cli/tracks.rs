//! How the command line shows the tracks of a job.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// A name and a path a line.
pub(super) fn words(tracks: &[(String, PathBuf)]) -> String {
    let line = |(name, path): &(String, PathBuf)| format!("{name}: {}", path.display());
    tracks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Paths by name. A path that is not Unicode is shown as well as it can be.
pub(super) fn json(tracks: &[(String, PathBuf)]) -> Value {
    let entry = |(name, path): &(String, PathBuf)| {
        (name.clone(), Value::String(path.to_string_lossy().into_owned()))
    };
    Value::Object(tracks.iter().map(entry).collect::<Map<_, _>>())
}
