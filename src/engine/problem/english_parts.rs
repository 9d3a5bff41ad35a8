//! The English texts of the parts of problems, for log and JSON.

use std::fmt;

use super::{
    Activity, Advice, DeviceProblem, FileAction, FolderProblem, LeftOut, PatternProblem,
    SettingsFault, StoreFault,
};
use crate::engine::export::FIELDS;

impl fmt::Display for FileAction {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Restore => "restore",
        })
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::None => "",
            Self::FreeSpace => "; free space on that disk",
            Self::OtherFolder => "; choose another folder",
            Self::OtherFolderOrBits => "; choose another folder, or fewer bits",
        })
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::CutOff => "it is cut off",
            Self::Foreign => "it belongs to another song or model",
            Self::Removed => "it was removed",
            Self::Missing => {
                "it is missing from the data folder; put it back, or add the song's file again"
            }
        })
    }
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => to.write_str("they are larger than 1 MB"),
            Self::NotAFile => to.write_str("they are not a file"),
            Self::Invalid { detail } => to.write_str(detail),
        }
    }
}

impl fmt::Display for FolderProblem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { cause } => write!(to, "could not read this folder: {cause}"),
            Self::Empty => to.write_str("this folder is empty"),
            Self::NoSong(left_out) => write!(to, "this folder holds no song; {left_out}"),
        }
    }
}

/// "5 passed over (3 not audio by name; 2 made by Partita)".
impl fmt::Display for LeftOut {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.not_audio, "not audio by name"),
            (self.own, "made by Partita"),
            (self.hidden, "hidden by name"),
            (self.not_files, "broken links or devices"),
            (self.unreadable, "that could not be read"),
        ];
        let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
        let reasons: Vec<String> =
            reasons.map(|(count, reason)| format!("{count} {reason}")).collect();
        write!(to, "{} passed over ({})", self.all(), reasons.join("; "))
    }
}

impl fmt::Display for PatternProblem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => to.write_str("expected a name, such as {title} ({stem})"),
            Self::UnmatchedBrace => to.write_str("unmatched brace"),
            Self::UnknownField { field } => {
                let known: Vec<String> =
                    FIELDS.iter().map(|field| format!("{{{field}}}")).collect();
                write!(to, "unknown field {{{field}}}; expected one of: {}", known.join(" "))
            }
        }
    }
}

impl fmt::Display for DeviceProblem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => to.write_str("this computer has no sound device"),
            Self::CannotOpen { device, cause } => write!(to, "could not open {device}: {cause}"),
            Self::NoFormat { device } => {
                write!(to, "{device} takes no format that this program can give")
            }
            Self::NoThread { cause } => write!(to, "could not start a thread: {cause}"),
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Analysing => "analysing a song",
            Self::DrawingWaveform => "drawing the waveform",
            Self::Engine => "running the engine",
            Self::Importing => "importing a file",
            Self::InstallingModel => "installing the model",
            Self::LoadingModel => "loading the model",
            Self::Playing => "playing",
            Self::ReadingFile => "reading the file",
            Self::ReadingSong => "reading the song's file",
            Self::Separating => "separating this song",
            Self::WritingFiles => "writing the files",
            Self::WritingReport => "writing the report",
        })
    }
}
