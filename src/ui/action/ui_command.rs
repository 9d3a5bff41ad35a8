//! The named commands of the window: texts, shortcuts and groups in one place. Pure data, except for
//! the language. Main thread.

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::{i18n::fl, ui::words};

/// A named command, usually with a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UiCommand {
    /// Starts or pauses playback.
    PlayPause,
    /// Seeks 5 s back.
    Back,
    /// Seeks 5 s forward.
    Forward,
    /// Seeks to the start of the song.
    ToStart,
    /// Seeks to the end of the song.
    ToEnd,
    /// Stops and returns to the position where playback started.
    Stop,
    /// Turns repetition of the loop on or off.
    ToggleLoop,
    /// Removes the loop.
    ClearLoop,
    /// Sets the start of the loop at the play head.
    LoopFrom,
    /// Sets the end of the loop at the play head.
    LoopTo,
    /// Lowers the playback speed.
    Slower,
    /// Raises the playback speed.
    Faster,
    /// Lowers the key by a semitone.
    KeyDown,
    /// Raises the key by a semitone.
    KeyUp,
    /// Lowers the key by a few cents.
    CentsDown,
    /// Raises the key by a few cents.
    CentsUp,
    /// Lowers the volume.
    Quieter,
    /// Raises the volume.
    Louder,
    /// Zooms in.
    ZoomIn,
    /// Zooms out.
    ZoomOut,
    /// Shows the whole song.
    WholeSong,
    /// Scrolls one page back.
    PageBack,
    /// Scrolls one page forward.
    PageOn,
    /// Switches between the mix and the original: a tap toggles, holding compares.
    CompareOriginal,
    /// Selects the song above in the library.
    PreviousSong,
    /// Selects the song below in the library.
    NextSong,
    /// Solos a lane, counted from 0 in the displayed order.
    Solo(u8),
    /// Mutes a lane, counted from 0 in the displayed order.
    Mute(u8),
    /// Adds audio files.
    AddFiles,
    /// Adds a folder of audio files.
    AddFolder,
    /// Focuses the search field.
    Search,
    /// Separates the song.
    Process,
    /// Cancels the song's job.
    CancelJob,
    /// Opens the export dialog.
    Export,
    /// Downloads the model.
    InstallModel,
    /// Imports the model from a file.
    ChooseModel,
    /// Cancels the download of the model.
    CancelInstall,
    /// Switches between the dark and the light theme.
    ToggleTheme,
    /// Opens the jobs page, or returns to the song.
    OpenJobs,
    /// Opens the settings page, or returns to the song.
    OpenSettings,
    /// Collapses or expands the library.
    FoldLibrary,
    /// Renames the song.
    Rename,
    /// Selects all displayed songs.
    SelectAll,
    /// Undoes the last removal.
    Undo,
    /// Shows the next version of the song's stems.
    NextVersion,
    /// Opens the sheet of shortcuts.
    Help,
}

/// A section of the sheet of shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Playback and loops.
    Playing,
    /// Audible lanes.
    Lanes,
    /// Zoom and scrolling.
    Looking,
    /// Library, jobs and exports.
    Songs,
    /// The window itself.
    Window,
}

impl Group {
    /// Every group, in the order on the sheet.
    pub const ALL: [Self; 5] =
        [Self::Playing, Self::Lanes, Self::Looking, Self::Songs, Self::Window];
}

/// Text and shortcut of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The label of its button; also its accessible name.
    pub text: &'static str,
    /// A tooltip of one sentence.
    pub tooltip: &'static str,
    /// The displayed shortcut.
    pub shortcut: Option<KeyboardShortcut>,
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn alt(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::ALT, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const NUMBERS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

impl UiCommand {
    /// Every command.
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
            Self::KeyDown,
            Self::KeyUp,
            Self::CentsDown,
            Self::CentsUp,
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

    /// Label and tooltip.
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
            Self::KeyDown => (fl!(action_key_down), fl!(action_key_down_tooltip)),
            Self::KeyUp => (fl!(action_key_up), fl!(action_key_up_tooltip)),
            Self::CentsDown => (fl!(action_cents_down), fl!(action_cents_down_tooltip)),
            Self::CentsUp => (fl!(action_cents_up), fl!(action_cents_up_tooltip)),
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

    /// The displayed shortcut.
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
            Self::KeyDown => alt(Key::ArrowDown),
            Self::KeyUp => alt(Key::ArrowUp),
            Self::CentsDown => alt(Key::ArrowLeft),
            Self::CentsUp => alt(Key::ArrowRight),
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

    /// The displayed shortcut and its alternatives: Enter for the primary command, and the equals
    /// and plus keys for zooming in, because some keyboard layouts need Shift for a plus.
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

    /// Whether the command repeats while its key is held.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Self::Back
                | Self::Forward
                | Self::Slower
                | Self::Faster
                | Self::KeyDown
                | Self::KeyUp
                | Self::CentsDown
                | Self::CentsUp
                | Self::Quieter
                | Self::Louder
                | Self::ZoomIn
                | Self::ZoomOut
                | Self::PageBack
                | Self::PageOn
        )
    }

    /// The section of the sheet of shortcuts.
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
            | Self::KeyDown
            | Self::KeyUp
            | Self::CentsDown
            | Self::CentsUp
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

    /// The tooltip with the shortcut appended.
    pub fn hint(self, ctx: &egui::Context) -> String {
        let Spec { tooltip, shortcut, .. } = self.spec();
        shortcut.map_or_else(
            || tooltip.to_owned(),
            |shortcut| format!("{tooltip} ({})", words::written(ctx, shortcut)),
        )
    }

    /// Whether the shortcut also works while a control has the keyboard focus.
    pub fn is_global(self) -> bool {
        // Text fields handle these two shortcuts themselves.
        !matches!(self, Self::SelectAll | Self::Undo)
            && self.shortcut().is_some_and(|shortcut| shortcut.modifiers.command)
    }
}

fn number(lane: u8) -> Key {
    NUMBERS.get(usize::from(lane)).copied().unwrap_or(Key::Num0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::i18n::{Language, speak};

    #[test]
    fn no_two_commands_share_a_shortcut() {
        let mut seen: HashMap<String, UiCommand> = HashMap::new();
        for command in UiCommand::all() {
            for shortcut in command.shortcuts() {
                let other = seen.insert(format!("{shortcut:?}"), command);
                assert_eq!(other, None, "{command:?} shares its shortcut with another command");
            }
        }
        assert!(seen.len() > 20);
    }

    #[test]
    fn texts_are_sentence_case_without_a_full_stop() {
        for language in Language::all() {
            speak(language);
            for command in UiCommand::all() {
                let (text, tooltip) = command.texts();
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
