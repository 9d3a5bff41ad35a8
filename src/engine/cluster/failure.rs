//! Songs that failed: the line that lists one.

use serde::Serialize;

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
