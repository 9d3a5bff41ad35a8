//! Shortcuts as text.

use egui::{Key, KeyboardShortcut};

use crate::i18n::fl;

/// A shortcut as printed on keys, such as "Ctrl+↑" or "[".
pub fn written(ctx: &egui::Context, shortcut: KeyboardShortcut) -> String {
    let key = shortcut.logical_key;
    let sign = match key {
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Space => fl!(help_space),
        Key::Escape => "Esc",
        Key::PageUp => "PgUp",
        Key::PageDown => "PgDn",
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        Key::Period => ".",
        Key::Comma => ",",
        Key::Plus => "+",
        Key::Minus => "−",
        other => other.name(),
    };
    let all = ctx.format_shortcut(&shortcut);
    format!("{}{sign}", all.strip_suffix(key.name()).unwrap_or_default())
}
