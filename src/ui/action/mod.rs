//! Requests of the user to the window. [`UiCommand`]s are the named commands, with their shortcuts and
//! texts. [`Action`]s also carry their arguments. Pure data.

mod ui_command;

use std::path::PathBuf;

use super::{
    commands::export_plan::ExportChoices,
    state::{
        chain_form::ChainForm,
        facts_form::FactsForm,
        ui_state::{List, Page, Purpose, Question},
    },
    timeline::viewport::Viewport,
};
use crate::engine::{
    ExportId, JobId, Preferences, SongId, export::OnExists, player::Monitor,
    separation::options::SeparationOptions,
};

pub use ui_command::*;

/// A request of the user. Collected while drawing, performed at the end of the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Performs a named command.
    Do(UiCommand),
    /// Imports files and folders.
    Import(Vec<PathBuf>),
    /// Imports another audio track of a song's file, by its index, as a song of its own.
    ImportTrack(PathBuf, usize),
    /// Shows a song.
    Select(SongId),
    /// Removes songs from the library.
    Remove(Vec<SongId>),
    /// Restores the songs that were removed last.
    UndoRemove,
    /// Adds a song to the selection or removes it.
    Mark(SongId),
    /// Extends the selection from the current song to this one.
    MarkTo(SongId),
    /// Clears the multiple selection.
    Unmark,
    /// Separates these songs.
    ProcessAll(Vec<SongId>),
    /// Opens the export dialog for these songs.
    ExportAll(Vec<SongId>),
    /// Starts renaming a song, with the text in the field.
    Retitle(SongId, String),
    /// Ends renaming.
    EndRetitle {
        /// Whether the typed title is kept.
        is_kept: bool,
    },
    /// Changes the settings.
    Prefer(Box<Preferences>),
    /// Opens a question about something that cannot be undone, or closes it.
    Ask(Option<Question>),
    /// Confirms the open question.
    Confirm,
    /// Opens a page in the middle of the window.
    Open(Page),
    /// Pauses a job.
    PauseJob(JobId),
    /// Resumes a job.
    ContinueJob(JobId),
    /// Retries an ended job.
    RetryJob(JobId),
    /// Moves a waiting job to another position in the queue.
    MoveJob(JobId, usize),
    /// Removes ended jobs from the list.
    ClearJobs(Vec<JobId>),
    /// Writes a job's result files and shows them in the file manager.
    ShowTracks(JobId),
    /// Ticks or unticks an instrument.
    Tick(String, bool),
    /// Shows or hides the parts of a stem in a list.
    Fold(List, String, bool),
    /// Ticks these instruments and unticks all others.
    TickOnly(Vec<String>),
    /// Sets a lane's fader in dB.
    Gain(String, f32),
    /// Sets a lane's balance, -1 to 1.
    Pan(String, f32),
    /// Mutes or unmutes a lane.
    Mute(String, bool),
    /// Solos or unsolos a lane.
    Solo(String, bool),
    /// Drags a stem's file out of the window.
    DragOut {
        /// The stem of the dragged lane.
        stem: String,
        /// Whether the files of all ticked stems are dragged instead of this one.
        with_ticked: bool,
    },
    /// Seeks to a frame.
    Seek(u64),
    /// Sets the visible range of the song.
    Look(Viewport),
    /// Sets the loop, in frames, and turns repetition on.
    Loop(u64, u64),
    /// Sets the playback speed.
    Speed(f32),
    /// Sets the change of the key in semitones.
    Key(f32),
    /// Sets the further change of the key in cents.
    Cents(f32),
    /// Closes the sheet of shortcuts.
    CloseHelp,
    /// Selects the mix or the original for playback.
    Monitor(Monitor),
    /// Sets the volume fader, 0 to 1.
    Volume(f32),
    /// Cancels a job.
    Cancel(JobId),
    /// Imports a model's weights from a file, with an accompanying configuration.
    ImportModel(PathBuf, Option<PathBuf>),
    /// Replaces the form about a checkpoint's network.
    State(Box<FactsForm>),
    /// Imports the checkpoint with the facts entered in the form.
    AcceptFacts,
    /// Cancels the import of a checkpoint with missing facts.
    CloseFacts,
    /// Opens the form for a chain.
    EditChain(Box<ChainForm>),
    /// Replaces the open form for a chain.
    ChainForm(Box<ChainForm>),
    /// Saves the chain of the open form.
    SaveChain,
    /// Closes the form for a chain.
    CloseChain,
    /// Removes a chain of the user.
    RemoveChain(String),
    /// Opens the dialog for a chain file.
    ChooseChain,
    /// Downloads a model's weights; the user has accepted the terms.
    InstallModel(String),
    /// Verifies every byte of a model's weights.
    VerifyModel(String),
    /// Removes a model's weights.
    RemoveModel(String),
    /// Shows the terms of a model's weights, or hides them.
    ShowTerms(Option<String>),
    /// Sets the options that the next separation of a song uses.
    ChooseOptions(SongId, SeparationOptions),
    /// Sets the model that the next separation of a song uses.
    UseModel(SongId, String),
    /// Replaces the choices of the export dialog.
    Choose(Box<ExportChoices>),
    /// Opens the dialog for the export folder.
    ChooseFolder,
    /// Opens the dialog for the file of a bug report.
    ChooseReport,
    /// Starts the export.
    Export,
    /// Closes the export dialog.
    CloseExport,
    /// Retries an export whose files already exist, with an answer to that.
    ExportAgain(ExportId, OnExists),
    /// Cancels an export.
    CancelExport(ExportId),
    /// Dismisses an ended export.
    DismissExport(ExportId),
    /// Shows a file in the system's file manager.
    Show(PathBuf),
    /// Dismisses a notice.
    Dismiss(u64),
    /// Replaces the path being typed.
    PromptText(String),
    /// Accepts the typed path.
    AcceptPrompt,
    /// Closes the path prompt.
    ClosePrompt,
    /// Delivers the paths chosen for a purpose.
    Chosen(Purpose, Vec<PathBuf>),
}
