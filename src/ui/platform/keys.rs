//! Keyboard shortcuts of the whole window. A focused control keeps its own keys. Main thread.

use std::time::{Duration, Instant};

use egui::{Event, Key, KeyboardShortcut, Modifiers, Ui};

use crate::ui::action::{Action, UiCommand};

/// Minimum duration of a hold, which compares; a shorter press toggles.
const HOLD: Duration = Duration::from_millis(350);

/// State of the keyboard between frames.
#[derive(Default)]
pub struct Keys {
    comparing_since: Option<Instant>,
}

/// Whether a key event matches a shortcut. Digits match by their physical key, because Shift turns
/// them into characters that depend on the layout.
fn is_meant(shortcut: KeyboardShortcut, key: Key, physical: Option<Key>, held: Modifiers) -> bool {
    let same = |wanted: Key| key == wanted || (is_digit(wanted) && physical == Some(wanted));
    held.matches_exact(shortcut.modifiers) && same(shortcut.logical_key)
}

fn is_digit(key: Key) -> bool {
    (Key::Num1..=Key::Num9).contains(&key)
}

impl Keys {
    /// The commands requested since the last frame.
    pub fn read(&mut self, ui: &Ui) -> Vec<Action> {
        let has_focus = ui.egui_wants_keyboard_input();
        let is_typing = ui.text_edit_focused();
        let events = ui.input(|input| input.events.clone());
        let mut actions = Vec::new();
        for event in events {
            let Event::Key { key, physical_key, pressed, repeat, modifiers } = event else {
                continue;
            };
            if !pressed {
                if key == Key::O {
                    actions.extend(self.released());
                }
                continue;
            }
            let verb = UiCommand::all().find(|verb| {
                verb.shortcuts().any(|shortcut| is_meant(shortcut, key, physical_key, modifiers))
            });
            let Some(verb) = verb else { continue };
            // A focused field keeps Enter, even where Enter is an alternative key of a global
            // command.
            let is_global = verb.is_global() && modifiers.command;
            if has_focus && !is_global && (is_typing || belongs_to_focus(key)) {
                continue;
            }
            if repeat && !verb.repeats() {
                continue;
            }
            if verb == UiCommand::CompareOriginal {
                self.comparing_since = Some(Instant::now());
            }
            actions.push(Action::Do(verb));
        }
        actions
    }

    /// Releasing the compare key switches back if the key was held.
    fn released(&mut self) -> Option<Action> {
        let since = self.comparing_since.take()?;
        (since.elapsed() >= HOLD).then_some(Action::Do(UiCommand::CompareOriginal))
    }
}

/// Whether a focused control uses this key itself.
fn belongs_to_focus(key: Key) -> bool {
    matches!(
        key,
        Key::Space
            | Key::Enter
            | Key::ArrowLeft
            | Key::ArrowRight
            | Key::ArrowUp
            | Key::ArrowDown
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::words::written;

    #[test]
    fn keys_are_written_as_on_the_keyboard() {
        let ctx = egui::Context::default();
        for (verb, text) in [
            (UiCommand::LoopFrom, "["),
            (UiCommand::Stop, "."),
            (UiCommand::PreviousSong, "Ctrl+↑"),
            (UiCommand::PlayPause, "Space"),
            (UiCommand::Solo(2), "3"),
            (UiCommand::Mute(2), "Shift+3"),
            (UiCommand::Help, "F1"),
        ] {
            let shortcut = verb.spec().shortcut.unwrap();
            let is_mac = cfg!(target_os = "macos") && !shortcut.modifiers.is_none();
            assert!(is_mac || written(&ctx, shortcut) == text, "{}", written(&ctx, shortcut));
        }
    }

    #[test]
    fn shifted_digits_are_known_by_their_place() {
        let mute = UiCommand::Mute(0).spec().shortcut.unwrap();
        let solo = UiCommand::Solo(0).spec().shortcut.unwrap();
        let (bang, one) = (Key::Exclamationmark, Some(Key::Num1));
        assert!(is_meant(mute, bang, one, Modifiers::SHIFT));
        assert!(!is_meant(solo, bang, one, Modifiers::SHIFT));
        assert!(is_meant(solo, Key::Num1, one, Modifiers::NONE));
        assert!(!is_meant(solo, Key::Num1, one, Modifiers::CTRL));
    }
}
