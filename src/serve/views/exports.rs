//! Exports and the formats of their files. Pure.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::BASE;
use crate::{
    engine::{self, ExportState},
    serve::fault::Fault,
    words,
};

/// An export.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Export {
    pub id: u64,
    pub song: i64,
    pub state: ExportStage,
    /// Finished part, 0 to 1.
    pub fraction: f32,
    pub files: Vec<ExportFile>,
    /// Gain in dB that kept the files from clipping.
    pub gain_db: f32,
    pub notes: Vec<String>,
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
    /// Address of all files in a ZIP archive.
    pub archive: Option<String>,
}

/// State of an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::serve) enum ExportStage {
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A file of an export.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ExportFile {
    pub name: String,
    pub bytes: u64,
    pub href: String,
}

impl Export {
    /// `files`: names and sizes, in order.
    pub fn of(id: u64, song: i64, state: Option<&ExportState>, files: &[(String, u64)]) -> Self {
        let mut export = Self {
            id,
            song,
            state: ExportStage::Running,
            fraction: 0.0,
            files: Vec::new(),
            gain_db: 0.0,
            notes: Vec::new(),
            problem: None,
            archive: None,
        };
        match state {
            None => {}
            Some(ExportState::Running(fraction)) => export.fraction = *fraction,
            Some(ExportState::Done { notes, gain_db, .. }) => {
                export.state = ExportStage::Done;
                export.fraction = 1.0;
                export.gain_db = *gain_db;
                export.notes = notes.0.iter().map(words::note).collect();
                let file = |(index, (name, bytes)): (usize, &(String, u64))| ExportFile {
                    name: name.clone(),
                    bytes: *bytes,
                    href: format!("{BASE}/exports/{id}/files/{index}"),
                };
                export.files = files.iter().enumerate().map(file).collect();
                export.archive = Some(format!("{BASE}/exports/{id}/archive"));
            }
            Some(ExportState::Exists(paths)) => {
                export.state = ExportStage::Failed;
                let problem = engine::Problem::Exists(paths.clone());
                export.problem = Some(Fault::Problem(problem).json());
            }
            Some(ExportState::Failed(problem)) => {
                export.state = ExportStage::Failed;
                export.problem = Some(Fault::Problem(problem.clone()).json());
            }
            Some(ExportState::Cancelled) => export.state = ExportStage::Cancelled,
        }
        export
    }
}

/// A file format of exports.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct FormatInfo {
    pub name: String,
    pub title: String,
    pub extension: String,
    pub is_lossy: bool,
    /// Sample formats that the format keeps.
    pub depths: Vec<String>,
}
