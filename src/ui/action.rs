//! Everything the user can ask for. [`Verb`]s are the named commands: their shortcuts stand here,
//! once, and their texts are found from here. [`Action`]s also carry what they are about. Pure data.

use std::path::PathBuf;

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::engine::{
    ExportId, JobId, Preferences, SongId, export::OnExists, player::Monitor, recipe::Recipe,
};

use super::{
    desk::{Page, Purpose, Question},
    export::ExportChoices,
    keys,
    view::View,
    words::{self, Named, Verbs},
};

/// A command with a name and, mostly, a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
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

impl Verb {
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
        let Named { text, tooltip } = self.named(&words::get().verbs);
        Spec { text, tooltip, shortcut: self.shortcut() }
    }

    fn named(self, words: &Verbs) -> Named {
        match self {
            Self::PlayPause => words.play_pause,
            Self::Back => words.back,
            Self::Forward => words.forward,
            Self::ToStart => words.to_start,
            Self::ToEnd => words.to_end,
            Self::Stop => words.stop,
            Self::ToggleLoop => words.toggle_loop,
            Self::ClearLoop => words.clear_loop,
            Self::LoopFrom => words.loop_from,
            Self::LoopTo => words.loop_to,
            Self::Slower => words.slower,
            Self::Faster => words.faster,
            Self::Quieter => words.quieter,
            Self::Louder => words.louder,
            Self::ZoomIn => words.zoom_in,
            Self::ZoomOut => words.zoom_out,
            Self::WholeSong => words.whole_song,
            Self::PageBack => words.page_back,
            Self::PageOn => words.page_on,
            Self::Help => words.help,
            Self::CompareOriginal => words.compare,
            Self::PreviousSong => words.previous_song,
            Self::NextSong => words.next_song,
            Self::Solo(_) => words.solo,
            Self::Mute(_) => words.mute,
            Self::AddFiles => words.add_files,
            Self::AddFolder => words.add_folder,
            Self::Search => words.search,
            Self::Process => words.process,
            Self::CancelJob => words.cancel_job,
            Self::Export => words.export,
            Self::InstallModel => words.install_model,
            Self::ChooseModel => words.choose_model,
            Self::CancelInstall => words.cancel_install,
            Self::ToggleTheme => words.toggle_theme,
            Self::OpenJobs => words.open_jobs,
            Self::OpenSettings => words.open_settings,
            Self::FoldLibrary => words.fold_library,
            Self::Rename => words.rename,
            Self::SelectAll => words.select_all,
            Self::Undo => words.undo,
            Self::NextVersion => words.next_version,
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
            |shortcut| format!("{tooltip} ({})", keys::written(ctx, shortcut)),
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
    Do(Verb),
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
    Look(View),
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
    /// Takes the model's weights from a file.
    ImportModel(PathBuf),
    /// Fetches a model's weights; the terms are accepted.
    InstallModel(String),
    /// Looks at every byte of a model's weights.
    VerifyModel(String),
    /// Removes a model's weights.
    RemoveModel(String),
    /// Shows the terms of a model's weights, or of none.
    ShowTerms(Option<String>),
    /// Chooses what makes the stems of a song.
    ChooseRecipe(SongId, Recipe),
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

    use super::{super::words::Language, *};

    #[test]
    fn no_two_commands_share_a_shortcut() {
        let mut seen: HashMap<String, Verb> = HashMap::new();
        for verb in Verb::all() {
            for shortcut in verb.shortcuts() {
                let other = seen.insert(format!("{shortcut:?}"), verb);
                assert_eq!(other, None, "{verb:?} has the shortcut of another");
            }
        }
        assert!(seen.len() > 20);
    }

    #[test]
    fn texts_are_sentence_case_without_a_full_stop() {
        for language in Language::ALL {
            for verb in Verb::all() {
                let Named { text, tooltip } = verb.named(&language.words().verbs);
                for words in [text, tooltip] {
                    assert!(words.starts_with(char::is_uppercase), "{words}");
                    assert!(!words.ends_with('.'), "{words}");
                    let title_case =
                        words.split(' ').skip(1).any(|w| w.starts_with(char::is_uppercase));
                    assert!(!title_case, "{words}");
                }
            }
        }
    }
}
