//! Everything the user can ask for. [`Verb`]s are the named commands: their shortcuts stand here,
//! once, and their texts are found from here. [`Action`]s also carry what they are about. Pure data.

use std::path::PathBuf;

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::engine::{ExportId, JobId, SongId, export::OnExists, player::Monitor};

use super::{
    desk::Purpose,
    export::ExportChoices,
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

const NUMBERS: [Key; 6] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6];

impl Verb {
    /// Every verb.
    pub fn all() -> impl Iterator<Item = Self> {
        let lanes = (0..NUMBERS.len() as u8).flat_map(|lane| [Self::Solo(lane), Self::Mute(lane)]);
        [
            Self::PlayPause,
            Self::Back,
            Self::Forward,
            Self::ToStart,
            Self::CompareOriginal,
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
        }
    }

    /// Its key, as it is shown.
    fn shortcut(self) -> Option<KeyboardShortcut> {
        let shortcut = match self {
            Self::PlayPause => plain(Key::Space),
            Self::Back => plain(Key::ArrowLeft),
            Self::Forward => plain(Key::ArrowRight),
            Self::ToStart => plain(Key::Home),
            Self::CompareOriginal => plain(Key::O),
            Self::PreviousSong => ctrl(Key::ArrowUp),
            Self::NextSong => ctrl(Key::ArrowDown),
            Self::Solo(lane) => plain(number(lane)),
            Self::Mute(lane) => KeyboardShortcut::new(Modifiers::SHIFT, number(lane)),
            Self::AddFiles => ctrl(Key::O),
            Self::AddFolder => {
                KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O)
            }
            Self::Search => ctrl(Key::F),
            Self::Process => ctrl(Key::P),
            Self::Export => ctrl(Key::E),
            Self::ToggleTheme => ctrl(Key::T),
            Self::CancelJob | Self::InstallModel | Self::ChooseModel | Self::CancelInstall => {
                return None;
            }
        };
        Some(shortcut)
    }

    /// Its keys: the one that is shown, and for the one primary thing also Enter.
    pub fn shortcuts(self) -> impl Iterator<Item = KeyboardShortcut> {
        let enter = (self == Self::Process).then_some(plain(Key::Enter));
        self.shortcut().into_iter().chain(enter)
    }

    /// The tooltip with the shortcut.
    pub fn hint(self, ctx: &egui::Context) -> String {
        let Spec { tooltip, shortcut, .. } = self.spec();
        shortcut.map_or_else(
            || tooltip.to_owned(),
            |shortcut| format!("{tooltip} ({})", ctx.format_shortcut(&shortcut)),
        )
    }

    /// Whether its key is for the whole window even while something has the keyboard focus.
    pub fn is_global(self) -> bool {
        self.shortcut().is_some_and(|shortcut| shortcut.modifiers.command)
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
    /// Shows a song.
    Select(SongId),
    /// Takes a song out of the library.
    Remove(SongId),
    /// Brings the song back that was taken out last.
    UndoRemove,
    /// Ticks or unticks an instrument.
    Tick(String, bool),
    /// Ticks these instruments and no others.
    TickOnly(Vec<String>),
    /// Sets a lane's fader, in dB.
    Gain(String, f32),
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
    /// Chooses what is heard.
    Monitor(Monitor),
    /// Sets the volume fader, 0 to 1.
    Volume(f32),
    /// Ends a job.
    Cancel(JobId),
    /// Takes the model's weights from a file.
    ImportModel(PathBuf),
    /// Changes what is chosen in the export dialog.
    Choose(Box<ExportChoices>),
    /// Asks for the folder of exports.
    ChooseFolder,
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
