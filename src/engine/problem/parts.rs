//! The smaller enums that problems consist of.

use serde::{Deserialize, Serialize};

use crate::os::Os;

/// An attempt with a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum FileAction {
    Read,
    Write,
    Create,
    Remove,
    Rename,
    Restore,
}

/// The remedy for a full disk, besides freeing space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// No other remedy.
    #[default]
    None,
    /// Free space on the disk of the data folder.
    FreeSpace,
    /// Choose another folder.
    OtherFolder,
    /// Choose another folder, or fewer bits.
    OtherFolderOrBits,
}

/// The reason why a store of samples cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreFault {
    /// The store is shorter than its summary states.
    CutOff,
    /// The store belongs to another song or model.
    Foreign,
    /// The store was removed while it was open.
    Removed,
    /// The song's mix is missing from the data folder.
    Missing,
}

/// Kinds of errors of the library's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LibraryFault {
    /// The file is damaged, or is not a library.
    Damaged,
    /// The file cannot be opened.
    CannotOpen,
    /// The disk is full.
    NoSpace,
    /// The file is read-only.
    ReadOnly,
    /// The disk failed to read or write.
    Disk,
    /// Any other error.
    Other,
}

/// The reason why settings are invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsFault {
    /// The settings are larger than 1 MB.
    TooLarge,
    /// The settings are not a regular file.
    NotAFile,
    /// The settings are not valid TOML, or cannot be written as TOML.
    Invalid {
        /// The reader's text.
        detail: String,
    },
}

/// The reason why a folder contains no songs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderProblem {
    /// The folder could not be listed.
    Unreadable {
        /// The system's error.
        cause: Os,
    },
    /// Neither the folder nor any folder below it has a file.
    Empty,
    /// The folder has files, but no songs.
    NoSong(LeftOut),
}

/// Numbers of files that a search skipped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Files whose names are not those of audio files.
    pub not_audio: usize,
    /// Files that Partita wrote.
    pub own: usize,
    /// Audio files whose names begin with a dot.
    pub hidden: usize,
    /// Broken links, devices and pipes.
    pub not_files: usize,
    /// Files and folders that could not be read.
    pub unreadable: usize,
}

impl LeftOut {
    /// The sum of all reasons.
    pub fn all(&self) -> usize {
        let Self { not_audio, own, hidden, not_files, unreadable } = self;
        not_audio + own + hidden + not_files + unreadable
    }
}

/// The reason why a pattern of file names is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternProblem {
    /// The pattern is empty.
    Empty,
    /// A brace has no counterpart.
    UnmatchedBrace,
    /// No field has this name.
    UnknownField {
        /// The name.
        field: String,
    },
}

/// The reason why the sound device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceProblem {
    /// The computer has no sound device.
    None,
    /// The device could not be opened.
    CannotOpen {
        /// The device's name.
        device: String,
        /// The sound system's text.
        cause: String,
    },
    /// The device supports no format that the player can produce.
    NoFormat {
        /// The device's name.
        device: String,
    },
    /// The player's thread could not be started.
    NoThread {
        /// The system's error.
        cause: Os,
    },
}

/// The work that a bug ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are clear")]
pub enum Activity {
    Analysing,
    DrawingWaveform,
    Engine,
    Importing,
    InstallingModel,
    LoadingModel,
    Playing,
    ReadingFile,
    ReadingSong,
    Separating,
    WritingFiles,
    WritingReport,
}
