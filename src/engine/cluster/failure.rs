//! Failed songs: a line of the file of failures.

use serde::Serialize;

/// A line of the file of failures, which is also a valid manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Path of the song.
    pub path: String,
    /// Name of the song's files.
    pub name: String,
    /// Folder below the root folder of results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Length of the song in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Audio track, if the manifest line names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<usize>,
    /// Options of the manifest line.
    #[serde(flatten)]
    pub options: std::collections::BTreeMap<String, String>,
    /// Line number in the manifest.
    pub line: usize,
    /// Reason as text.
    pub reason: String,
    /// Whether a retry may succeed.
    pub temporary: bool,
}
