//! Applies changed settings at once, and saves them. Main thread, at the end of a frame.

use std::time::{Duration, Instant};

use egui::{Theme, ThemePreference};

use crate::{
    engine::{
        Command, Preferences, Problem,
        settings::{self, Flags, WindowPlace},
    },
    i18n::{self, Language},
    ui::{
        app::App,
        state::ui_state::{Page, Question},
    },
};

/// Delay between a change and saving, so that dragging a slider does not write a file in each
/// frame.
const KEEP_AFTER: Duration = Duration::from_secs(1);

fn show_theme(ctx: &egui::Context, preferences: &Preferences) {
    ctx.set_theme(match preferences.theme {
        settings::Theme::System => ThemePreference::System,
        settings::Theme::Light => ThemePreference::Light,
        settings::Theme::Dark => ThemePreference::Dark,
    });
}

fn show_zoom(ctx: &egui::Context, preferences: &Preferences) {
    ctx.set_zoom_factor(f32::from(preferences.zoom) / 100.0);
}

impl App {
    /// Applies the saved settings, the command line's overrides, and the notice about loading the
    /// settings, before the first frame.
    pub fn begin(
        &mut self,
        ctx: &egui::Context,
        preferences: Preferences,
        flags: Flags,
        notice: Option<Problem>,
    ) {
        if let Some(notice) = notice {
            self.state.say(None, notice);
        }
        self.ui_state.flags = flags;
        self.ui_state.volume = preferences.volume;
        self.link.player().set_output(preferences.output.clone());
        self.link.player().set_volume(preferences.volume * preferences.volume);
        self.kept = preferences.clone();
        show_theme(ctx, &preferences);
        show_zoom(ctx, &preferences);
        i18n::speak(Language::of_setting(preferences.language.as_deref()));
        self.ui_state.preferences = preferences;
    }

    /// Changes the settings; every change takes effect at once.
    pub(super) fn prefer(&mut self, ctx: &egui::Context, new: Preferences) {
        let flags = self.ui_state.flags;
        let (before, after) = (flags.compute(&self.ui_state.preferences), flags.compute(&new));
        if before != after {
            self.link.send(Command::SetCompute(after));
        }
        let old = std::mem::replace(&mut self.ui_state.preferences, new);
        let new = &self.ui_state.preferences;
        if new.output != old.output {
            self.link.player().set_output(new.output.clone());
        }
        if new.theme != old.theme {
            show_theme(ctx, new);
        }
        if new.zoom != old.zoom {
            show_zoom(ctx, new);
        }
        if new.language != old.language {
            i18n::speak(Language::of_setting(new.language.as_deref()));
        }
        if new.ticks != old.ticks {
            self.set_gains();
        }
        if new.defaults() != old.defaults() {
            self.link.send(Command::SetDefaults(new.defaults()));
        }
    }

    pub(super) fn toggle_theme(&mut self, ctx: &egui::Context) {
        let theme = match ctx.theme() {
            Theme::Dark => settings::Theme::Light,
            Theme::Light => settings::Theme::Dark,
        };
        self.prefer(ctx, Preferences { theme, ..self.ui_state.preferences.clone() });
    }

    pub(super) fn toggle_page(&mut self, page: Page) {
        self.open_page(if self.ui_state.page == page { Page::Song } else { page });
    }

    pub(super) fn open_page(&mut self, page: Page) {
        self.ui_state.page = page;
        if page == Page::Settings {
            self.link.send(Command::MeasureHome);
            self.link.send(Command::ListOutputs);
            self.link.send(Command::ListDevices);
            self.link.send(Command::ListModels);
        }
    }

    pub(super) fn ask(&mut self, question: Option<Question>) {
        self.ui_state.question = question;
        if question.is_some() {
            self.link.send(Command::MeasureHome);
        }
    }

    pub(super) fn confirm(&mut self) {
        let Some(question) = self.ui_state.question.take() else { return };
        self.finish_removal();
        if question == Question::Reset {
            self.ui_state.removed.clear(); // a reset deletes the removed songs, too
        }
        self.link.send(match question {
            Question::Reset => Command::Reset,
            Question::ClearStems => Command::ClearStems,
        });
        self.link.send(Command::MeasureHome);
    }

    /// Records changes that the window itself has made, and saves changed settings after a delay.
    pub(in crate::ui) fn follow_preferences(&mut self, ctx: &egui::Context) {
        self.note_window(ctx);
        if self.ui_state.preferences == self.kept && !self.ui_state.has_touched_lanes() {
            self.changed_at = None;
            return;
        }
        let since = *self.changed_at.get_or_insert_with(Instant::now);
        match KEEP_AFTER.checked_sub(since.elapsed()) {
            Some(rest) => ctx.request_repaint_after(rest),
            None => self.keep_preferences(),
        }
    }

    /// Sends changed settings to the engine for saving.
    pub(in crate::ui) fn keep_preferences(&mut self) {
        self.changed_at = None;
        for (song, lanes) in self.ui_state.touched_lanes() {
            self.link.send(Command::KeepLanes(song, lanes));
        }
        if self.ui_state.preferences != self.kept {
            self.kept = self.ui_state.preferences.clone();
            self.link.send(Command::KeepPreferences(Box::new(self.kept.clone())));
        }
    }

    fn note_window(&mut self, ctx: &egui::Context) {
        let preferences = &mut self.ui_state.preferences;
        preferences.song = self.ui_state.selected.map(|song| song.0).or(preferences.song);
        // egui itself handles Ctrl with + and −.
        preferences.zoom = (ctx.zoom_factor() * 100.0).round().clamp(80.0, 200.0) as u16;
        // Pixels instead of points, because the next window is created before its zoom is set.
        let zoom = ctx.zoom_factor();
        let place = ctx.input(|input| {
            let viewport = input.viewport();
            let inner = viewport.inner_rect?;
            let position =
                viewport.outer_rect.map(|outer| [outer.left(), outer.top()].map(|at| at * zoom));
            let is_maximized = viewport.maximized.unwrap_or_default();
            let is_small = viewport.minimized.unwrap_or_default();
            let size = [inner.width(), inner.height()].map(|edge| edge * zoom);
            (!is_small).then_some(WindowPlace { position, size, is_maximized })
        });
        match (place, &mut preferences.window) {
            (None, _) => {}
            // While maximized, the known size is kept for restoring the window.
            (Some(place), Some(known)) if place.is_maximized => known.is_maximized = true,
            (Some(place), known) => *known = Some(place),
        }
    }
}
