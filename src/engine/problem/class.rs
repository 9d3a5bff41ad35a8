//! The consequences of problems: the only place that decides on retries, waits for the disk, and exit
//! codes.

use super::{DecodeError, DeviceProblem, FolderProblem, LibraryFault, Problem, StoreFault};
use crate::{
    model::ModelError,
    os::{Os, OsKind},
};

/// The consequence of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Another attempt, perhaps later or on another machine, may succeed.
    Retry,
    /// The work can resume when the disk has space, permits writing, or is mounted.
    WaitForDisk,
    /// Another attempt with the same input fails again.
    Permanent,
    /// The request is wrong.
    Usage,
    /// The user cancelled the work.
    Cancelled,
    /// A bug.
    Internal,
}

impl Class {
    /// Whether another attempt with the same input may succeed.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Retry | Self::WaitForDisk)
    }
}

impl Problem {
    /// The consequence of the problem.
    pub fn class(&self) -> Class {
        match self {
            Self::File { cause, .. }
            | Self::Output { cause, .. }
            | Self::HomeUnwritable { cause, .. }
            | Self::Stores { cause } => of_own_file(cause),
            Self::Input { cause, folder_is_missing, .. } => of_input(cause, *folder_is_missing),
            Self::NoRoom { .. } | Self::HomeGone { .. } => Class::WaitForDisk,
            Self::Store { fault: StoreFault::Removed | StoreFault::Missing, .. } => {
                Class::WaitForDisk
            }
            Self::Library { fault, .. } | Self::OpenLibrary { fault, .. } => of_library(*fault),
            Self::Decode(error) => of_decode(error),
            Self::Model(error) => of_model(error),
            Self::WaitsForDisk { cause } => cause.class(),
            Self::Folder(FolderProblem::Unreadable { cause }) => of_input(cause, false),
            Self::Device(DeviceProblem::NoFormat { .. })
            | Self::Folder(FolderProblem::Empty | FolderProblem::NoSong(_))
            | Self::LibraryRebuilt { .. }
            | Self::SettingsUnreadable { .. }
            | Self::SettingsSetAside { .. }
            | Self::SettingsInvalid { .. }
            | Self::SettingsUnwritable { .. }
            | Self::NewerLibrary(_)
            | Self::OutsideHome { .. }
            | Self::SongRemoved
            | Self::NotRestorable
            | Self::NoNetwork { .. }
            | Self::NotNumbers { .. }
            | Self::Loudness { .. }
            | Self::Exists(_)
            | Self::ExistsUnasked(_)
            | Self::JobUnreadable { .. }
            | Self::Recorded { .. } => Class::Permanent,
            // Another machine may have the missing part, and a store may be rebuilt.
            Self::Store { fault: StoreFault::CutOff | StoreFault::Foreign, .. }
            | Self::Waveform { .. }
            | Self::TooManyImports
            | Self::NoModel
            | Self::ModelMissing { .. }
            | Self::ModelBusy
            | Self::OpenedWithoutModel
            | Self::NotSeparated
            | Self::Locked
            | Self::NoFastPrecision
            | Self::MemoryLimit { .. }
            | Self::SourceNeeded { .. }
            | Self::Device(_)
            | Self::UnseenSongs { .. }
            | Self::Elsewhere { .. }
            | Self::NoThread { .. }
            | Self::ThreadEnded => Class::Retry,
            Self::NoHome
            | Self::UnknownSong { .. }
            | Self::NoSuchSong { .. }
            | Self::SeveralSongs { .. }
            | Self::UnknownJob { .. }
            | Self::UnknownStem { .. }
            | Self::Chain { .. }
            | Self::UnknownChain { .. }
            | Self::MissingNetwork { .. }
            | Self::MissingChainModel { .. }
            | Self::NothingChosen
            | Self::StemIndex { .. }
            | Self::SamePath { .. }
            | Self::Depth { .. }
            | Self::DjStem { .. }
            | Self::Pattern(_)
            | Self::Manifest { .. }
            | Self::NoShare { .. } => Class::Usage,
            Self::Internal { .. } => Class::Internal,
            Self::Cancelled => Class::Cancelled,
        }
    }

    /// Whether a disk is full.
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::File { cause, .. } | Self::Output { cause, .. } | Self::Stores { cause } => {
                cause.kind == OsKind::NoSpace
            }
            Self::Library { fault, .. } | Self::OpenLibrary { fault, .. } => {
                *fault == LibraryFault::NoSpace
            }
            _ => false,
        }
    }

    /// Whether every other song of an archive would fail too: the disk of the results is full or
    /// read-only.
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::File { cause, .. } | Self::Output { cause, .. } | Self::Stores { cause } => {
                matches!(cause.kind, OsKind::NoSpace | OsKind::ReadOnly)
            }
            _ => false,
        }
    }

    /// Whether a file or folder of Partita's own was missing.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::File { cause, .. } | Self::Output { cause, .. } => cause.kind == OsKind::NotFound,
            Self::Store { fault, .. } => {
                matches!(fault, StoreFault::Removed | StoreFault::Missing)
            }
            _ => false,
        }
    }

    /// Whether the library's file is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Library { fault: LibraryFault::Damaged, .. })
    }
}

/// The class of an error with a file of Partita's own: the work can resume when the disk is mounted,
/// has space, or can be written.
fn of_own_file(cause: &Os) -> Class {
    match cause.kind {
        OsKind::NotFound
        | OsKind::Denied
        | OsKind::NoSpace
        | OsKind::ReadOnly
        | OsKind::Gone
        | OsKind::Stale => Class::WaitForDisk,
        OsKind::IsFolder
        | OsKind::NotFolder
        | OsKind::TimedOut
        | OsKind::Refused
        | OsKind::NoNetwork
        | OsKind::Truncated
        | OsKind::Invalid
        | OsKind::Other => Class::Retry,
    }
}

/// The class of an error with a file that the user named.
fn of_input(cause: &Os, folder_is_missing: bool) -> Class {
    match cause.kind {
        OsKind::NotFound if folder_is_missing => Class::Retry,
        OsKind::NotFound | OsKind::Denied => Class::Permanent,
        // An error of the system, not one that a reader derived from the bytes.
        _ if cause.number.is_some() => Class::Retry,
        _ => Class::Permanent,
    }
}

fn of_library(fault: LibraryFault) -> Class {
    match fault {
        LibraryFault::CannotOpen
        | LibraryFault::NoSpace
        | LibraryFault::ReadOnly
        | LibraryFault::Disk => Class::WaitForDisk,
        LibraryFault::Damaged | LibraryFault::Other => Class::Permanent,
    }
}

fn of_decode(error: &DecodeError) -> Class {
    match error {
        DecodeError::NotAudio(_)
        | DecodeError::Unsupported(_)
        | DecodeError::Empty(_)
        | DecodeError::Damaged(_) => Class::Permanent,
    }
}

fn of_model(error: &ModelError) -> Class {
    match error {
        // An error of the disk, not of the weights.
        ModelError::Io { cause, .. } => of_own_file(cause),
        ModelError::NotFetched { .. }
        | ModelError::Origin { .. }
        | ModelError::NotInstalled { .. }
        | ModelError::NoDevice { .. }
        | ModelError::Memory { .. }
        | ModelError::Replaced { .. }
        | ModelError::Installing { .. } => Class::Retry,
        ModelError::Unknown { .. } => Class::Usage,
        ModelError::Segment { .. } | ModelError::Device { .. } => Class::Internal,
        ModelError::Cancelled => Class::Cancelled,
        ModelError::Header { .. }
        | ModelError::Unusable { .. }
        | ModelError::File { .. }
        | ModelError::Digest { .. }
        | ModelError::OtherShape { .. }
        | ModelError::OtherStems { .. }
        | ModelError::Forbidden { .. }
        | ModelError::FactsMissing { .. }
        | ModelError::OtherSound { .. } => Class::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use std::{io, path::Path};

    use super::*;
    use crate::engine::problem::{FileAction, examples};

    fn own(kind: OsKind) -> Problem {
        let cause = Os { kind, number: Some(1), text: String::new() };
        Problem::File { action: FileAction::Write, path: "a".into(), cause }
    }

    #[test]
    fn every_kind_of_disk_error_has_its_class() {
        for (kind, own_class, input, input_unmounted) in [
            (OsKind::NotFound, Class::WaitForDisk, Class::Permanent, Class::Retry),
            (OsKind::Denied, Class::WaitForDisk, Class::Permanent, Class::Permanent),
            (OsKind::NoSpace, Class::WaitForDisk, Class::Retry, Class::Retry),
            (OsKind::ReadOnly, Class::WaitForDisk, Class::Retry, Class::Retry),
            (OsKind::Gone, Class::WaitForDisk, Class::Retry, Class::Retry),
            (OsKind::Stale, Class::WaitForDisk, Class::Retry, Class::Retry),
            (OsKind::IsFolder, Class::Retry, Class::Retry, Class::Retry),
            (OsKind::NotFolder, Class::Retry, Class::Retry, Class::Retry),
            (OsKind::TimedOut, Class::Retry, Class::Retry, Class::Retry),
            (OsKind::Truncated, Class::Retry, Class::Retry, Class::Retry),
            (OsKind::Invalid, Class::Retry, Class::Retry, Class::Retry),
            (OsKind::Other, Class::Retry, Class::Retry, Class::Retry),
        ] {
            let cause = Os { kind, number: Some(1), text: String::new() };
            assert_eq!(own(kind).class(), own_class, "{kind:?}");
            let weights = ModelError::Io { path: "w".into(), cause: cause.clone() };
            assert_eq!(Problem::Model(weights).class(), own_class, "{kind:?}: of weights");
            for (folder_is_missing, class) in [(false, input), (true, input_unmounted)] {
                let cause = cause.clone();
                let problem = Problem::Input { path: "a".into(), cause, folder_is_missing };
                assert_eq!(problem.class(), class, "{kind:?} {folder_is_missing}");
            }
            assert_eq!(
                own(kind).concerns_all(),
                matches!(kind, OsKind::NoSpace | OsKind::ReadOnly),
                "{kind:?}"
            );
            assert_eq!(own(kind).is_no_room(), kind == OsKind::NoSpace, "{kind:?}");
        }
        let derived = Os { kind: OsKind::Other, number: None, text: "odd bytes".into() };
        let problem = Problem::Input { path: "a".into(), cause: derived, folder_is_missing: false };
        assert_eq!(problem.class(), Class::Permanent, "a reader derived it from the bytes");
    }

    #[test]
    fn each_problem_has_its_class() {
        for (problem, class) in [
            (Problem::Locked, Class::Retry),
            (Problem::MemoryLimit { needed: 2, limit: 1 }, Class::Retry),
            (Problem::NoThread { cause: Os::other("no") }, Class::Retry),
            (Problem::NotNumbers { segment: 0 }, Class::Permanent),
            (Problem::Exists(Vec::new()), Class::Permanent),
            (Problem::NewerLibrary(9), Class::Permanent),
            (Problem::UnknownJob { id: 1, known: Vec::new() }, Class::Usage),
            (Problem::NothingChosen, Class::Usage),
            (Problem::Cancelled, Class::Cancelled),
            (Problem::Model(ModelError::Cancelled), Class::Cancelled),
            (Problem::Model(ModelError::Segment { found: 1, expected: 2 }), Class::Internal),
            (Problem::Model(ModelError::Forbidden { path: "w".into() }), Class::Permanent),
            (Problem::WaitsForDisk { cause: Box::new(own(OsKind::NoSpace)) }, Class::WaitForDisk),
            (
                Problem::Library { fault: LibraryFault::Damaged, text: String::new() },
                Class::Permanent,
            ),
            (
                Problem::Library { fault: LibraryFault::NoSpace, text: String::new() },
                Class::WaitForDisk,
            ),
        ] {
            assert_eq!(problem.class(), class, "{problem:?}");
        }
    }

    #[test]
    fn a_song_that_is_missing_fails_for_good_unless_its_disk_is_not_mounted() {
        let home = tempfile::tempdir().unwrap();
        let missing = |path: &Path| Problem::input(path, io::ErrorKind::NotFound.into());
        assert_eq!(missing(&home.path().join("song.wav")).class(), Class::Permanent);
        assert_eq!(missing(&home.path().join("mount/song.wav")).class(), Class::Retry);
        assert_eq!(missing(Path::new("song.wav")).class(), Class::Permanent);
        #[cfg(target_os = "linux")] // its error numbers
        for number in [5, 116, 110] {
            let problem = Problem::input(Path::new("a"), io::Error::from_raw_os_error(number));
            assert_eq!(problem.class(), Class::Retry, "{number}");
        }
    }

    #[test]
    fn a_full_or_failing_disk_makes_jobs_wait() {
        for problem in examples() {
            if problem.concerns_all() || problem.is_no_room() {
                assert_eq!(problem.class(), Class::WaitForDisk, "{problem}");
            }
        }
    }
}
