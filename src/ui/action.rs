//! Everything the user can ask for. [`UiCommand`]s are the named commands: their shortcuts stand here,
//! once, and their texts are found from here. [`Action`]s also carry what they are about. Pure data.

use std::path::PathBuf;

use egui::{Key, KeyboardShortcut, Modifiers};

use super::{
    commands::export_plan::ExportChoices,
    state::{
        facts_form::FactsForm,
        ui_state::{Page, Purpose, Question},
    },
    timeline::viewport::Viewport,
    words,
};
use crate::{
    engine::{
        ExportId, JobId, Preferences, SongId, export::OnExists, player::Monitor,
        separation::options::SeparationOptions,
    },
    i18n::fl,
};

/// A command with a name and, mostly, a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UiCommand {
    /// Plays or pauses.
    PlayPause,
    /// Five seconds back.
    Back,
    /// Five seconds on.
    Forward,
    /// To the start of the song.
    ToStart,
    /// To the end of the song.
    ToEnd,
    /// Stops, and goes back to where playing began.
    Stop,
    /// Repeats the marked stretch or not.
    ToggleLoop,
    /// Takes the loop's marks away.
    ClearLoop,
    /// The loop begins at the play head.
    LoopFrom,
    /// The loop ends at the play head.
    LoopTo,
    /// Plays more slowly.
    Slower,
    /// Plays faster.
    Faster,
    /// Turns the volume down.
    Quieter,
    /// Turns the volume up.
    Louder,
    /// Looks closer.
    ZoomIn,
    /// Looks from further away.
    ZoomOut,
    /// Shows the whole song.
    WholeSong,
    /// Shows what is before.
    PageBack,
    /// Shows what is after.
    PageOn,
    /// The mix or the original: a tap changes, holding compares.
    CompareOriginal,
    /// The song above in the library.
    PreviousSong,
    /// The song below in the library.
    NextSong,
    /// Solo on a lane, counted from 0 in the order shown.
    Solo(u8),
    /// Mute on a lane, counted likewise.
    Mute(u8),
    /// Adds songs.
    AddFiles,
    /// Adds a folder of songs.
    AddFolder,
    /// To the search field.
    Search,
    /// Separates the song.
    Process,
    /// Ends the song's job.
    CancelJob,
    /// Opens the export dialog.
    Export,
    /// Fetches the model.
    InstallModel,
    /// Takes the model from a file.
    ChooseModel,
    /// Stops fetching the model.
    CancelInstall,
    /// Dark or light.
    ToggleTheme,
    /// Shows the jobs, or the song again.
    OpenJobs,
    /// Shows the settings, or the song again.
    OpenSettings,
    /// Folds the library away, or shows it.
    FoldLibrary,
    /// Gives the song another title.
    Rename,
    /// Chooses all songs that are shown.
    SelectAll,
    /// Brings back what was removed last.
    Undo,
    /// Shows the next version of the song's stems.
    NextVersion,
    /// Lists all shortcuts.
    Help,
}

/// Where a verb stands on the sheet of shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Playing and loops.
    Playing,
    /// What is heard of the lanes.
    Lanes,
    /// Zoom and scroll.
    Looking,
    /// Library, jobs and exports.
    Songs,
    /// The window itself.
    Window,
}

impl Group {
    /// Every group, in the order of the sheet.
    pub const ALL: [Self; 5] =
        [Self::Playing, Self::Lanes, Self::Looking, Self::Songs, Self::Window];
}

/// How a verb is shown and reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The words on its button; also its accessible name.
    pub text: &'static str,
    /// One sentence.
    pub tooltip: &'static str,
    /// Its key.
    pub shortcut: Option<KeyboardShortcut>,
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const NUMBERS: [Key; 6] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6];

impl UiCommand {
    /// Every verb.
    pub fn all() -> impl Iterator<Item = Self> {
        let lanes = (0..NUMBERS.len() as u8).flat_map(|lane| [Self::Solo(lane), Self::Mute(lane)]);
        [
            Self::PlayPause,
            Self::Back,
            Self::Forward,
            Self::Stop,
            Self::ToStart,
            Self::ToEnd,
            Self::ToggleLoop,
            Self::LoopFrom,
            Self::LoopTo,
            Self::ClearLoop,
            Self::Slower,
            Self::Faster,
            Self::Quieter,
            Self::Louder,
            Self::ZoomIn,
            Self::ZoomOut,
            Self::WholeSong,
            Self::PageBack,
            Self::PageOn,
            Self::CompareOriginal,
            Self::NextVersion,
            Self::PreviousSong,
            Self::NextSong,
            Self::AddFiles,
            Self::AddFolder,
            Self::Search,
            Self::Process,
            Self::CancelJob,
            Self::Export,
            Self::InstallModel,
            Self::ChooseModel,
            Self::CancelInstall,
            Self::ToggleTheme,
            Self::OpenJobs,
            Self::OpenSettings,
            Self::FoldLibrary,
            Self::Rename,
            Self::SelectAll,
            Self::Undo,
            Self::Help,
        ]
        .into_iter()
        .chain(lanes)
    }

    /// Text, tooltip and shortcut.
    pub fn spec(self) -> Spec {
        let (text, tooltip) = self.texts();
        Spec { text, tooltip, shortcut: self.shortcut() }
    }

    /// The text on its button and its tooltip.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::PlayPause => (fl!(action_play_pause), fl!(action_play_pause_tooltip)),
            Self::Back => (fl!(action_back), fl!(action_back_tooltip)),
            Self::Forward => (fl!(action_forward), fl!(action_forward_tooltip)),
            Self::ToStart => (fl!(action_to_start), fl!(action_to_start_tooltip)),
            Self::ToEnd => (fl!(action_to_end), fl!(action_to_end_tooltip)),
            Self::Stop => (fl!(action_stop), fl!(action_stop_tooltip)),
            Self::ToggleLoop => (fl!(action_toggle_loop), fl!(action_toggle_loop_tooltip)),
            Self::ClearLoop => (fl!(action_clear_loop), fl!(action_clear_loop_tooltip)),
            Self::LoopFrom => (fl!(action_loop_from), fl!(action_loop_from_tooltip)),
            Self::LoopTo => (fl!(action_loop_to), fl!(action_loop_to_tooltip)),
            Self::Slower => (fl!(action_slower), fl!(action_slower_tooltip)),
            Self::Faster => (fl!(action_faster), fl!(action_faster_tooltip)),
            Self::Quieter => (fl!(action_quieter), fl!(action_quieter_tooltip)),
            Self::Louder => (fl!(action_louder), fl!(action_louder_tooltip)),
            Self::ZoomIn => (fl!(action_zoom_in), fl!(action_zoom_in_tooltip)),
            Self::ZoomOut => (fl!(action_zoom_out), fl!(action_zoom_out_tooltip)),
            Self::WholeSong => (fl!(action_whole_song), fl!(action_whole_song_tooltip)),
            Self::PageBack => (fl!(action_page_back), fl!(action_page_back_tooltip)),
            Self::PageOn => (fl!(action_page_forward), fl!(action_page_forward_tooltip)),
            Self::Help => (fl!(action_help), fl!(action_help_tooltip)),
            Self::CompareOriginal => (fl!(action_compare), fl!(action_compare_tooltip)),
            Self::PreviousSong => (fl!(action_previous_song), fl!(action_previous_song_tooltip)),
            Self::NextSong => (fl!(action_next_song), fl!(action_next_song_tooltip)),
            Self::Solo(_) => (fl!(action_solo), fl!(action_solo_tooltip)),
            Self::Mute(_) => (fl!(action_mute), fl!(action_mute_tooltip)),
            Self::AddFiles => (fl!(action_add_files), fl!(action_add_files_tooltip)),
            Self::AddFolder => (fl!(action_add_folder), fl!(action_add_folder_tooltip)),
            Self::Search => (fl!(action_search), fl!(action_search_tooltip)),
            Self::Process => (fl!(action_process), fl!(action_process_tooltip)),
            Self::CancelJob => (fl!(action_cancel_job), fl!(action_cancel_job_tooltip)),
            Self::Export => (fl!(action_export), fl!(action_export_tooltip)),
            Self::InstallModel => (fl!(action_install_model), fl!(action_install_model_tooltip)),
            Self::ChooseModel => (fl!(action_choose_model), fl!(action_choose_model_tooltip)),
            Self::CancelInstall => (fl!(action_cancel_install), fl!(action_cancel_install_tooltip)),
            Self::ToggleTheme => (fl!(action_toggle_theme), fl!(action_toggle_theme_tooltip)),
            Self::OpenJobs => (fl!(action_open_jobs), fl!(action_open_jobs_tooltip)),
            Self::OpenSettings => (fl!(action_open_settings), fl!(action_open_settings_tooltip)),
            Self::FoldLibrary => (fl!(action_fold_library), fl!(action_fold_library_tooltip)),
            Self::Rename => (fl!(action_rename), fl!(action_rename_tooltip)),
            Self::SelectAll => (fl!(action_select_all), fl!(action_select_all_tooltip)),
            Self::Undo => (fl!(action_undo), fl!(action_undo_tooltip)),
            Self::NextVersion => (fl!(action_next_version), fl!(action_next_version_tooltip)),
        }
    }

    /// Its key, as it is shown.
    fn shortcut(self) -> Option<KeyboardShortcut> {
        let shortcut = match self {
            Self::PlayPause => plain(Key::Space),
            Self::Back => plain(Key::ArrowLeft),
            Self::Forward => plain(Key::ArrowRight),
            Self::ToStart => plain(Key::Home),
            Self::ToEnd => plain(Key::End),
            Self::Stop => plain(Key::Period),
            Self::ToggleLoop => plain(Key::L),
            Self::ClearLoop => plain(Key::Escape),
            Self::LoopFrom => plain(Key::OpenBracket),
            Self::LoopTo => plain(Key::CloseBracket),
            Self::Slower => shift(Key::ArrowDown),
            Self::Faster => shift(Key::ArrowUp),
            Self::Quieter => plain(Key::ArrowDown),
            Self::Louder => plain(Key::ArrowUp),
            Self::ZoomIn => plain(Key::Plus),
            Self::ZoomOut => plain(Key::Minus),
            Self::WholeSong => plain(Key::Num0),
            Self::PageBack => plain(Key::PageUp),
            Self::PageOn => plain(Key::PageDown),
            Self::Help => plain(Key::F1),
            Self::CompareOriginal => plain(Key::O),
            Self::NextVersion => plain(Key::V),
            Self::PreviousSong => ctrl(Key::ArrowUp),
            Self::NextSong => ctrl(Key::ArrowDown),
            Self::Solo(lane) => plain(number(lane)),
            Self::Mute(lane) => shift(number(lane)),
            Self::AddFiles => ctrl(Key::O),
            Self::AddFolder => {
                KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O)
            }
            Self::Search => ctrl(Key::F),
            Self::Process => ctrl(Key::P),
            Self::Export => ctrl(Key::E),
            Self::ToggleTheme => ctrl(Key::T),
            Self::OpenJobs => ctrl(Key::J),
            Self::OpenSettings => ctrl(Key::Comma),
            Self::FoldLibrary => ctrl(Key::B),
            Self::Rename => plain(Key::F2),
            Self::SelectAll => ctrl(Key::A),
            Self::Undo => ctrl(Key::Z),
            Self::CancelJob | Self::InstallModel | Self::ChooseModel | Self::CancelInstall => {
                return None;
            }
        };
        Some(shortcut)
    }

    /// Its keys: the one that is shown, and others that are meant by it: Enter for the one primary
    /// thing, and what a plus is on keyboards where it is written with Shift.
    pub fn shortcuts(self) -> impl Iterator<Item = KeyboardShortcut> {
        const ENTER: &[KeyboardShortcut] = &[plain(Key::Enter)];
        const PLUS: &[KeyboardShortcut] = &[shift(Key::Plus), plain(Key::Equals)];
        let others = match self {
            Self::Process => ENTER,
            Self::ZoomIn => PLUS,
            _ => &[],
        };
        self.shortcut().into_iter().chain(others.iter().copied())
    }

    /// Whether holding its key does it again and again.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Self::Back
                | Self::Forward
                | Self::Slower
                | Self::Faster
                | Self::Quieter
                | Self::Louder
                | Self::ZoomIn
                | Self::ZoomOut
                | Self::PageBack
                | Self::PageOn
        )
    }

    /// Where it stands on the sheet of shortcuts.
    pub fn group(self) -> Group {
        match self {
            Self::PlayPause
            | Self::Back
            | Self::Forward
            | Self::Stop
            | Self::ToStart
            | Self::ToEnd
            | Self::ToggleLoop
            | Self::LoopFrom
            | Self::LoopTo
            | Self::ClearLoop
            | Self::Slower
            | Self::Faster
            | Self::Quieter
            | Self::Louder => Group::Playing,
            Self::CompareOriginal | Self::NextVersion | Self::Solo(_) | Self::Mute(_) => {
                Group::Lanes
            }
            Self::ZoomIn | Self::ZoomOut | Self::WholeSong | Self::PageBack | Self::PageOn => {
                Group::Looking
            }
            Self::ToggleTheme
            | Self::Help
            | Self::OpenSettings
            | Self::FoldLibrary
            | Self::InstallModel
            | Self::ChooseModel
            | Self::CancelInstall => Group::Window,
            _ => Group::Songs,
        }
    }

    /// The tooltip with the shortcut.
    pub fn hint(self, ctx: &egui::Context) -> String {
        let Spec { tooltip, shortcut, .. } = self.spec();
        shortcut.map_or_else(
            || tooltip.to_owned(),
            |shortcut| format!("{tooltip} ({})", words::written(ctx, shortcut)),
        )
    }

    /// Whether its key is for the whole window even while something has the keyboard focus.
    pub fn is_global(self) -> bool {
        // These two are also what a field does with what is typed in it.
        !matches!(self, Self::SelectAll | Self::Undo)
            && self.shortcut().is_some_and(|shortcut| shortcut.modifiers.command)
    }
}

fn number(lane: u8) -> Key {
    NUMBERS.get(usize::from(lane)).copied().unwrap_or(Key::Num0)
}

/// One thing that the user asked for. Collected while drawing, done at the end of the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A named command.
    Do(UiCommand),
    /// Adds files and folders.
    Import(Vec<PathBuf>),
    /// Adds another audio track of a song's file, by its number, as a song.
    ImportTrack(PathBuf, usize),
    /// Shows a song.
    Select(SongId),
    /// Takes songs out of the library.
    Remove(Vec<SongId>),
    /// Brings the songs back that were taken out last.
    UndoRemove,
    /// Chooses a song together with others, or not any more.
    Mark(SongId),
    /// Chooses all songs from the one that was chosen before to this.
    MarkTo(SongId),
    /// Lets go of all songs that are chosen together.
    Unmark,
    /// Separates these songs.
    ProcessAll(Vec<SongId>),
    /// Opens the export dialog for these songs.
    ExportAll(Vec<SongId>),
    /// Begins to give a song another title, with what has been typed.
    Retitle(SongId, String),
    /// Gives it the title that was typed, or leaves it as it was.
    EndRetitle {
        /// Whether what was typed is taken.
        is_kept: bool,
    },
    /// Changes the settings.
    Prefer(Box<Preferences>),
    /// Asks before something that cannot be undone, or closes the question.
    Ask(Option<Question>),
    /// Does what the open question is about.
    Confirm,
    /// Shows something else in the middle of the window.
    Open(Page),
    /// Lets a job rest.
    PauseJob(JobId),
    /// Lets a job go on.
    ContinueJob(JobId),
    /// Does once more what an ended job was to do.
    RetryJob(JobId),
    /// Gives a waiting job another place.
    MoveJob(JobId, usize),
    /// Takes ended jobs off the list.
    ClearJobs(Vec<JobId>),
    /// Makes a job's result files, and shows them in the file manager.
    ShowTracks(JobId),
    /// Ticks or unticks an instrument.
    Tick(String, bool),
    /// Ticks these instruments and no others.
    TickOnly(Vec<String>),
    /// Sets a lane's fader, in dB.
    Gain(String, f32),
    /// Sets a lane's balance, -1 to 1.
    Pan(String, f32),
    /// Mutes a lane or not.
    Mute(String, bool),
    /// Solos a lane or not.
    Solo(String, bool),
    /// Drags a stem's file out of the window.
    DragOut {
        /// The stem of the lane that is dragged.
        stem: String,
        /// The files of all ticked stems, not of this one alone.
        with_ticked: bool,
    },
    /// Goes to a frame.
    Seek(u64),
    /// Looks at a stretch of the song.
    Look(Viewport),
    /// Marks the stretch to be repeated, and repeats it.
    Loop(u64, u64),
    /// Sets the speed of playing.
    Speed(f32),
    /// Closes the sheet of shortcuts.
    CloseHelp,
    /// Chooses what is heard.
    Monitor(Monitor),
    /// Sets the volume fader, 0 to 1.
    Volume(f32),
    /// Ends a job.
    Cancel(JobId),
    /// Takes a model's weights from a file, with the configuration that came with it.
    ImportModel(PathBuf, Option<PathBuf>),
    /// Changes what is stated about the network of a file.
    State(Box<FactsForm>),
    /// Imports the file with what is stated about its network.
    AcceptFacts,
    /// Gives up the import of a file that does not state everything.
    CloseFacts,
    /// Fetches a model's weights; the terms are accepted.
    InstallModel(String),
    /// Looks at every byte of a model's weights.
    VerifyModel(String),
    /// Removes a model's weights.
    RemoveModel(String),
    /// Shows the terms of a model's weights, or of none.
    ShowTerms(Option<String>),
    /// Chooses what makes the stems of a song.
    ChooseRecipe(SongId, SeparationOptions),
    /// Chooses the model that makes the stems of a song.
    UseModel(SongId, String),
    /// Changes what is chosen in the export dialog.
    Choose(Box<ExportChoices>),
    /// Asks for the folder of exports.
    ChooseFolder,
    /// Asks for the file of a report.
    ChooseReport,
    /// Exports what is chosen.
    Export,
    /// Closes the export dialog.
    CloseExport,
    /// Asks for an export again that has found files of its names.
    ExportAgain(ExportId, OnExists),
    /// Ends an export.
    CancelExport(ExportId),
    /// Waves an ended export away.
    DismissExport(ExportId),
    /// Shows a file in the system's file manager.
    Show(PathBuf),
    /// Waves a notice away.
    Dismiss(u64),
    /// What has been typed as a path.
    PromptText(String),
    /// Takes the typed path.
    AcceptPrompt,
    /// Closes the question for a path.
    ClosePrompt,
    /// A path was given for a purpose.
    Chosen(Purpose, Vec<PathBuf>),
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::i18n::{Language, speak};

    #[test]
    fn no_two_commands_share_a_shortcut() {
        let mut seen: HashMap<String, UiCommand> = HashMap::new();
        for verb in UiCommand::all() {
            for shortcut in verb.shortcuts() {
                let other = seen.insert(format!("{shortcut:?}"), verb);
                assert_eq!(other, None, "{verb:?} has the shortcut of another");
            }
        }
        assert!(seen.len() > 20);
    }

    #[test]
    fn texts_are_sentence_case_without_a_full_stop() {
        for language in Language::all() {
            speak(language);
            for verb in UiCommand::all() {
                let (text, tooltip) = verb.texts();
                for words in [text, tooltip] {
                    assert!(words.starts_with(char::is_uppercase), "{words}");
                    assert!(!words.ends_with('.'), "{words}");
                    let title_case =
                        words.split(' ').skip(1).any(|w| w.starts_with(char::is_uppercase));
                    assert!(!title_case, "{words}");
                }
            }
        }
        speak(Language::english());
    }
}
