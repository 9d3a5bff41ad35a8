//! The facts about an upload, in memory and in its folder.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{EXPIRY, FACTS, NewUpload, PART, age};
use crate::{engine::SongId, serve::fault::Fault};

/// Maximum length of a folder's facts in bytes.
const MOST_BYTES: u64 = 16 << 10;

/// State of an upload.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::serve) enum Stage {
    /// Bytes are missing.
    Receiving,
    /// The file is being decoded; the finished fraction, 0 to 1.
    Importing(f32),
    /// The library has the song.
    Imported(SongId),
    /// The import failed.
    Failed(Box<Fault>),
}

/// An upload.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::serve) struct Record {
    pub id: String,
    /// Safe name of the file.
    pub file_name: String,
    /// Length of the file in bytes.
    pub bytes: u64,
    pub received: u64,
    pub stage: Stage,
    pub is_resumable: bool,
    /// Whether a request is sending bytes.
    pub is_busy: bool,
    pub created: SystemTime,
}

impl Record {
    pub(super) fn new(id: &str, file_name: &str, new: &NewUpload) -> Self {
        Self {
            id: id.to_owned(),
            file_name: file_name.to_owned(),
            bytes: new.bytes,
            received: 0,
            stage: Stage::Receiving,
            is_resumable: new.is_resumable,
            is_busy: false,
            created: SystemTime::now(),
        }
    }

    /// Whether its file is not a song yet.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.stage, Stage::Receiving | Stage::Importing(_))
    }

    /// Time since its begin.
    pub fn age(&self) -> Duration {
        age(self.created)
    }

    /// Time of its removal, if it is not finished.
    pub fn expires(&self) -> SystemTime {
        self.created + EXPIRY
    }
}

/// The facts about a resumable upload in its folder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    file_name: String,
    bytes: u64,
    created: SystemTime,
}

impl Stored {
    pub fn of(record: &Record) -> Self {
        let Record { file_name, bytes, created, .. } = record;
        Self { file_name: file_name.clone(), bytes: *bytes, created: *created }
    }

    /// Reads the facts in a folder.
    pub fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(FACTS);
        if fs::metadata(&path).ok()?.len() > MOST_BYTES {
            return None;
        }
        let stored: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        // Only the server writes this file, and only with safe names.
        (crate::engine::export::safe_file_name(&stored.file_name) == stored.file_name)
            .then_some(stored)
    }

    pub fn is_expired(&self) -> bool {
        age(self.created) > EXPIRY
    }

    /// The upload as far as it was received.
    pub fn record(self, id: &str, folder: &Path) -> Record {
        let Self { file_name, bytes, created } = self;
        let whole = || fs::metadata(folder.join(&file_name));
        let received = fs::metadata(folder.join(PART)).or_else(|_| whole());
        let received = received.map_or(0, |file| file.len()).min(bytes);
        Record {
            id: id.to_owned(),
            file_name,
            bytes,
            received,
            stage: Stage::Receiving,
            is_resumable: true,
            is_busy: false,
            created,
        }
    }
}
