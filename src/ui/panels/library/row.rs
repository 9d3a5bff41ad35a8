//! One row of the library: a song with its state, or a running import.

use egui::{Color32, Id, Key, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::two_lines;
use crate::{
    engine::{JobState, ModelState, Song, SongId, SongState},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        panels::Cx,
        state::view_state::Importing,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            at,
            cover::Covers,
            field::field,
            focus_ring,
            icon::{self, Icon},
            layout::{rest, row, row_from_right},
            plain,
            ring::{self, ring, ring_at},
            surface::within,
        },
        words,
    },
};

/// Draws a running import.
pub fn importing(ui: &mut Ui, cx: &Cx<'_>, file: &Importing) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), size::ROW));
    let name = words::file_name(&file.path);
    let doing = fl!(library_importing, percent = &words::percent(f64::from(file.fraction)));
    within(ui, rect, margin::IN_ROW, |ui| {
        row(ui, size::ROW, |ui| {
            let (_, tile) = ui.allocate_space(Vec2::splat(size::ROW_COVER));
            ui.painter().rect_filled(tile, radius::FIELD, cx.tokens.raised);
            let (accent, line) = (cx.tokens.accent, cx.tokens.line);
            ring_at(ui.painter(), tile.center(), ring::LARGE, file.fraction, accent, line);
            ui.add_space(space::MEDIUM);
            two_lines(ui, cx, &name, &doing, "");
        });
    });
    at(ui, ("importing", &file.path), rect, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}, {doing}")));
}

/// The indicator at the right of a song's row.
enum Sign {
    None,
    /// A coloured word.
    Word(&'static str, Color32),
    /// The progress of the song's job.
    Ring(f64),
    /// The song has stems.
    Stems,
    /// The song has a warning.
    Warning,
}

impl Sign {
    fn of(cx: &Cx<'_>, song: &Song) -> Self {
        let tokens = cx.tokens;
        if cx.state.is_missing(song.id) {
            return Self::Word(fl!(library_missing), tokens.warning);
        }
        let job = cx.state.last_job(song.id);
        match job.map(|job| &job.state) {
            Some(JobState::Running) => Self::Ring(job.map_or(0.0, crate::engine::Job::fraction)),
            Some(JobState::Waiting) => {
                let is_next = cx.state.queue().first().copied() == job.map(|job| job.id);
                Self::Word(
                    if is_next { fl!(library_next) } else { fl!(library_waiting) },
                    tokens.dim,
                )
            }
            Some(JobState::Paused) => Self::Word(fl!(library_paused), tokens.dim),
            _ if song.state == SongState::Separated => Self::Stems,
            Some(JobState::Failed(_)) => Self::Word(fl!(library_failed), tokens.error),
            _ if !song.warning.is_empty() => Self::Warning,
            _ => Self::None,
        }
    }

    /// The indicator as text for screen readers.
    fn words(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Word(word, _) => Some((*word).to_owned()),
            Self::Ring(fraction) => {
                Some(fl!(library_processing, percent = &words::percent(*fraction)))
            }
            Self::Stems => Some(fl!(library_separated).to_owned()),
            Self::Warning => Some(fl!(library_has_warning).to_owned()),
        }
    }

    /// Draws the indicator and the gap before it, from the right.
    fn show(&self, ui: &mut Ui, cx: &Cx<'_>) {
        let tokens = cx.tokens;
        let tiny = font(text::TINY, Weight::Medium);
        let cell = Vec2::splat(size::ROW_SIGN);
        match self {
            Self::None => return,
            Self::Word(word, color) => {
                plain(ui, word, tiny, *color);
            }
            Self::Ring(fraction) => {
                ring(ui, size::ROW_SIGN, *fraction as f32, tokens.accent, tokens.line);
                ui.add_space(space::TINY);
                plain(ui, &words::percent(*fraction), tiny, tokens.dim);
            }
            Self::Stems => icon::stems(ui, cell, size::STEMS_MARK, tokens),
            Self::Warning => Icon::Warning.show_in(ui, cell, size::ICON, tokens.warning),
        }
        ui.add_space(space::TINY);
    }
}

/// Draws a song's row.
pub fn song(ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, song: &Song) -> Response {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), size::ROW));
    let ground = rect - margin::ROW;
    let response = at(ui, ("song", song.id), ground, Sense::click());
    let is_marked = cx.ui_state.marked.contains(&song.id);
    let is_selected = cx.ui_state.selected == Some(song.id);
    if is_marked {
        ui.painter().rect_filled(ground, radius::ROW, cx.tokens.progress);
    } else if is_selected {
        ui.painter().rect_filled(ground, radius::ROW, cx.tokens.raised);
    } else if response.hovered() {
        ui.painter().rect_filled(ground, radius::ROW, cx.tokens.raised.gamma_multiply(0.6));
    }
    let sign = Sign::of(cx, song);
    let is_renamed = cx.ui_state.renaming.as_ref().is_some_and(|renaming| renaming.song == song.id);
    within(ui, rect, margin::IN_ROW, |ui| {
        row_from_right(ui, size::ROW, |ui| {
            if !is_renamed {
                sign.show(ui, cx);
            }
            rest(ui, |ui| {
                covers.show(ui, size::ROW_COVER, song, radius::FIELD);
                ui.add_space(space::MEDIUM);
                if is_renamed {
                    title_field(ui, cx);
                } else {
                    let length = format!(" · {}", words::clock(song.frames));
                    two_lines(ui, cx, &song.title, words::artist(song), &length);
                }
            });
        });
    });
    focus_ring(ui, &response, ground, radius::ROW);
    let below = words::artist_and_length(song);
    let name = match sign.words() {
        Some(state) => format!("{}, {below}, {state}", song.title),
        None => format!("{}, {below}", song.title),
    };
    let is_on = is_marked || is_selected;
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_on, name.clone()));
    if response.clicked() {
        let held = ui.input(|input| input.modifiers);
        cx.act(match (held.command, held.shift) {
            (_, true) => Action::MarkTo(song.id),
            (true, false) => Action::Mark(song.id),
            (false, false) => Action::Select(song.id),
        });
    }
    let response = match cx.state.warning(song) {
        Some(warning) => response.on_hover_text(warning),
        None => response,
    };
    menu(cx, &response, song);
    response
}

/// Draws the field for a new title in place of the two lines.
fn title_field(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(renaming) = &cx.ui_state.renaming else { return };
    let (song, mut typed) = (renaming.song, renaming.text.clone());
    let id = Id::unique("title field");
    let is_new = ui.memory(|memory| memory.focused() != Some(id));
    let name = fl!(library_title_field);
    let size = vec2(ui.available_width(), size::LIBRARY_FIELD);
    let response = field(ui, id, size, name, "", &mut typed);
    if response.changed() {
        cx.act(Action::Retitle(song, typed));
    }
    if response.lost_focus() {
        let is_kept = !ui.input(|input| input.key_pressed(Key::Escape));
        cx.act(Action::EndRetitle { is_kept });
    } else if is_new {
        response.request_focus();
    }
}

fn menu(cx: &mut Cx<'_>, response: &Response, song: &Song) {
    let is_ready = matches!(cx.state.model(), Some(ModelState::Ready { .. }));
    response.context_menu(|ui| {
        let songs = cx.ui_state.meant(song.id);
        let jobs = songs.iter().filter_map(|id| cx.state.active_job(*id)).map(|job| job.id);
        let jobs: Vec<_> = jobs.collect();
        if !jobs.is_empty() && ui.button(fl!(library_cancel_processing)).clicked() {
            for job in jobs {
                cx.act(Action::Cancel(job));
            }
        }
        let is_to_do =
            |id: &SongId| !cx.state.is_separated(*id) && cx.state.active_job(*id).is_none();
        let to_do: Vec<SongId> = songs.iter().copied().filter(is_to_do).collect();
        if is_ready && !to_do.is_empty() && ui.button(fl!(library_process_all)).clicked() {
            cx.act(Action::ProcessAll(to_do));
        }
        let is_done = songs.iter().any(|id| cx.state.is_separated(*id));
        if is_done && ui.button(fl!(library_export_all)).clicked() {
            cx.act(Action::ExportAll(songs.clone()));
        }
        if songs.len() == 1 {
            if ui.button(UiCommand::Rename.spec().text).clicked() {
                cx.act(Action::Retitle(song.id, song.title.clone()));
            }
            if ui.button(fl!(library_reveal)).clicked() {
                cx.act(Action::Show(song.path.clone()));
            }
        }
        if ui.button(fl!(library_remove)).clicked() {
            cx.act(Action::Remove(songs));
        }
    });
}
