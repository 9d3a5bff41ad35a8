//! Messages that stay until they are dismissed: kept as data, and put into words when they are shown.
//! Main thread.

use std::path::PathBuf;

use crate::{
    engine::{Note, Problem, SongId, problem::LeftOut},
    i18n::fl,
    model::recognition::Summary,
    ui::words,
};

/// A message that can be dismissed.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The id for [`super::ViewState::dismiss`].
    pub id: u64,
    /// The song concerned; `None` for the library.
    pub song: Option<SongId>,
    /// The message.
    pub said: Said,
}

impl Notice {
    /// Whether the message reports a success.
    pub fn is_good(&self) -> bool {
        matches!(self.said, Said::ModelImported(..))
    }

    /// The message in the language of this thread.
    pub fn text(&self) -> String {
        match &self.said {
            Said::Problem(problem) => words::sentence(problem),
            Said::Note(note) => words::note(note),
            Said::File(path, problem) => {
                format!("{}: {}", words::file_name(path), words::problem_of(path, problem))
            }
            Said::LeftOut(folder, numbers) => {
                format!("{}: {}", words::file_name(folder), words::left_out(numbers))
            }
            Said::NotTaken => fl!(notice_not_taken).to_owned(),
            Said::ModelImported(model, Some(summary)) => {
                fl!(notice_model_imported, model = model, what = words::recognised(summary))
            }
            Said::ModelImported(model, None) => fl!(notice_model_imported_bare, model = model),
            Said::Text(text) => text.clone(),
        }
    }
}

impl From<Note> for Said {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}

/// The content of a [`Notice`].
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A failure.
    Problem(Problem),
    /// A remark of the engine.
    Note(Note),
    /// A failure with a file.
    File(PathBuf, Problem),
    /// Files of a folder that an import left out.
    LeftOut(PathBuf, LeftOut),
    /// The program on which files were dropped did not take them.
    NotTaken,
    /// A model was imported under this name, with the facts recognised in its file.
    ModelImported(String, Option<Summary>),
    /// A text of the window, already translated.
    Text(String),
}

impl From<Problem> for Said {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
