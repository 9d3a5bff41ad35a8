//! Problems: the engine's errors as data.
//!
//! A [`Problem`] is the engine's error type. Events and the library store it, so it is cloneable,
//! comparable, and readable from JSON. Its `Display` is English, for log and JSON; `words` renders
//! it in the user's language. Only [`class`] decides the consequences of a problem.
//!
//! - [`class`]: retries, waiting for the disk, exit codes.
//! - [`english`]: the English texts.
//! - `english_parts`: those of the smaller enums.
//! - [`parts`]: the smaller enums that problems consist of.
//! - [`sources`]: conversions from the errors of the system and of libraries.

mod class;
mod english;
mod english_parts;
#[cfg(test)]
mod examples;
mod parts;
mod sources;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    engine::{audio::decode::DecodeError, separation::chain::fault::ChainFault},
    model::ModelError,
    os::{Os, as_text, as_texts},
};

pub use class::Class;
pub use english::megabytes;
#[cfg(test)]
pub use examples::examples;
pub use parts::{
    Activity, Advice, DeviceProblem, FileAction, FolderProblem, LeftOut, LibraryFault,
    PatternProblem, SettingsFault, StoreFault,
};

/// Result of the engine.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// An error of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A file or folder of Partita's own, or of an export, could not be read or written.
    File {
        /// The attempt.
        action: FileAction,
        /// The file or folder.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The system's error.
        cause: Os,
    },
    /// A file that the user named, a song or a manifest, could not be read.
    Input {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The system's error.
        cause: Os,
        /// Whether the file's folder is missing too: its disk may not be mounted.
        folder_is_missing: bool,
    },
    /// A file or folder that the user chose for results could not be written.
    Output {
        /// The file or folder, never a temporary one.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The system's error.
        cause: Os,
    },
    /// The disk has too little free space.
    NoRoom {
        /// The file or folder that could not be written.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// The remedy, besides freeing space.
        advice: Advice,
    },
    /// A store of samples in the data folder, or in a work folder, cannot be used.
    Store {
        /// The store's file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The finding.
        fault: StoreFault,
    },
    /// The stores of a song could not be read.
    Stores {
        /// The system's error.
        cause: Os,
    },
    /// A waveform could not be drawn.
    Waveform {
        /// The system's error.
        cause: Os,
    },
    /// Files exist that an export would replace.
    Exists(#[serde(serialize_with = "as_texts")] Vec<PathBuf>),
    /// Files exist that an export would replace, and there is no terminal on which to ask.
    ExistsUnasked(#[serde(serialize_with = "as_texts")] Vec<PathBuf>),
    /// The library could not be read or written.
    Library {
        /// The kind of error.
        fault: LibraryFault,
        /// SQLite's text.
        text: String,
    },
    /// The library's file could not be opened.
    OpenLibrary {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The kind of error.
        fault: LibraryFault,
        /// SQLite's text.
        text: String,
    },
    /// A newer Partita wrote the library, with this version of its layout.
    NewerLibrary(i64),
    /// The library was damaged, and was rebuilt from the songs' folders.
    LibraryRebuilt {
        /// The new place of the damaged file.
        #[serde(serialize_with = "as_text")]
        aside: PathBuf,
        /// Songs that were found.
        songs: usize,
    },
    /// The data folder no longer exists.
    HomeGone {
        /// The data folder.
        #[serde(serialize_with = "as_text")]
        home: PathBuf,
    },
    /// The data folder cannot be created or written.
    HomeUnwritable {
        /// The data folder.
        #[serde(serialize_with = "as_text")]
        home: PathBuf,
        /// The system's error.
        cause: Os,
    },
    /// The system names no data folder.
    NoHome,
    /// A folder is a link out of the data folder.
    OutsideHome {
        /// The folder.
        #[serde(serialize_with = "as_text")]
        folder: PathBuf,
        /// The link's target.
        #[serde(serialize_with = "as_text")]
        target: PathBuf,
    },
    /// The settings cannot be read; the defaults are used.
    SettingsUnreadable {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The system's error.
        cause: Os,
    },
    /// The settings are invalid and were renamed; the defaults are used.
    SettingsSetAside {
        /// The finding.
        fault: SettingsFault,
        /// The file's new name.
        #[serde(serialize_with = "as_text")]
        aside: PathBuf,
    },
    /// The settings are invalid and could not be renamed; the defaults are used.
    SettingsInvalid {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The finding.
        fault: SettingsFault,
        /// The reason why it could not be renamed.
        cause: Os,
    },
    /// The settings cannot be written.
    SettingsUnwritable {
        /// The finding.
        fault: SettingsFault,
    },
    /// No song has this number.
    UnknownSong {
        /// The number.
        id: i64,
    },
    /// No song has this name.
    NoSuchSong {
        /// The name.
        name: String,
        /// Some of the songs that exist, each with its number.
        songs: Vec<String>,
        /// Songs that are not listed.
        more: usize,
    },
    /// Several songs fit a name.
    SeveralSongs {
        /// The name.
        name: String,
        /// Some of the songs, each with its number.
        songs: Vec<String>,
        /// Songs that are not listed.
        more: usize,
    },
    /// No job has this number.
    UnknownJob {
        /// The number.
        id: i64,
        /// The numbers that exist.
        known: Vec<i64>,
    },
    /// The song was removed from the library meanwhile.
    SongRemoved,
    /// A removed song can no longer be restored.
    NotRestorable,
    /// A folder contains no songs.
    Folder(FolderProblem),
    /// Too many imports are waiting.
    TooManyImports,
    /// A source file is not audio that can be read.
    Decode(DecodeError),
    /// The loudness of a song or a mix could not be measured.
    Loudness {
        /// The meter's text.
        cause: String,
    },
    /// The model or its weights cannot be used.
    Model(ModelError),
    /// No model is installed.
    NoModel,
    /// The model is not installed, or was removed.
    ModelMissing {
        /// The model.
        model: String,
    },
    /// The model has no networks.
    NoNetwork {
        /// The model.
        model: String,
    },
    /// A model is being installed already.
    ModelBusy,
    /// The song was opened when no model was installed.
    OpenedWithoutModel,
    /// The model has no stem of this name.
    UnknownStem {
        /// The name.
        stem: String,
        /// The stems that it has.
        known: Vec<String>,
    },
    /// A chain file cannot be used.
    Chain {
        /// The file, or the name of a built-in chain.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The reason.
        fault: ChainFault,
    },
    /// No model or chain has this name.
    UnknownChain {
        /// The name.
        name: String,
        /// The chains that exist.
        known: Vec<String>,
    },
    /// The network for a stem of a chain is not installed.
    MissingNetwork {
        /// The stem.
        stem: String,
        /// The stems that a network must make.
        makes: Vec<String>,
    },
    /// The song is not separated, or only in part.
    NotSeparated,
    /// Another Partita writes the stems of this song.
    Locked,
    /// The processor does not support the fast precision.
    NoFastPrecision,
    /// The model needs more memory than the limit.
    MemoryLimit {
        /// Bytes that are needed.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The network's output for a segment has NaN or infinite samples.
    NotNumbers {
        /// The segment, from zero.
        segment: usize,
    },
    /// A job waits until the disk can be written again.
    #[serde(rename = "paused")]
    WaitsForDisk {
        /// The disk's problem.
        cause: Box<Problem>,
    },
    /// Nothing is chosen to be exported.
    NothingChosen,
    /// No stem has this index.
    StemIndex {
        /// The index, from zero.
        stem: usize,
        /// Stems of the song.
        stems: usize,
    },
    /// Two files of an export have the same path.
    SamePath {
        /// The path.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
    },
    /// The format does not have this number of bits.
    Depth {
        /// The format's name.
        format: String,
        /// The numbers of bits that it has.
        bits: Vec<u16>,
    },
    /// The export needs the song's own file, which is missing or changed.
    SourceNeeded {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
    },
    /// The model lacks a stem that stem files for DJs need.
    DjStem {
        /// The stem.
        stem: String,
    },
    /// A pattern of file names is invalid.
    Pattern(PatternProblem),
    /// The sound device cannot be used.
    Device(DeviceProblem),
    /// A manifest is invalid.
    Manifest {
        /// The file.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
        /// The parser's text, with the line.
        detail: String,
    },
    /// This machine cannot see some songs of a manifest, so it would divide the shares differently.
    UnseenSongs {
        /// Their number.
        count: usize,
        /// The line of the first one.
        line: usize,
        /// The first one's problem.
        first: Box<Problem>,
    },
    /// The folder has no share of an archive.
    NoShare {
        /// The folder.
        #[serde(serialize_with = "as_text")]
        path: PathBuf,
    },
    /// Another machine is working on the song.
    Elsewhere {
        /// The machine.
        host: String,
    },
    /// The system could not start a thread.
    NoThread {
        /// The system's error.
        cause: Os,
    },
    /// A thread of the engine has ended.
    ThreadEnded,
    /// A bug ended the work; the program continues.
    Internal {
        /// The work.
        doing: Activity,
        /// The panic's text.
        cause: String,
    },
    /// The state of a job in the library is unreadable.
    JobUnreadable {
        /// The reader's text.
        detail: String,
    },
    /// The user cancelled the work.
    Cancelled,
    /// A sentence that an earlier version stored in English.
    Recorded {
        /// The sentence.
        text: String,
    },
}

impl std::error::Error for Problem {}

impl std::error::Error for PatternProblem {}
