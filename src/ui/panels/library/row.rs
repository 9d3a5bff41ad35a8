//! One row of the library: a song with its state, or a running import.

use egui::{Align2, Color32, Id, Key, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::two_lines;
use crate::{
    engine::{JobState, ModelState, Song, SongId, SongState},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        panels::Cx,
        state::view_state::Importing,
        theme::{Weight, font, radius, text},
        widgets::{
            at,
            cover::Covers,
            field::field,
            focus_ring,
            icon::{self, Icon},
            one_line, paint_text,
            ring::ring,
        },
        words,
    },
};

/// Draws a running import.
pub fn importing(ui: &Ui, cx: &Cx<'_>, rect: Rect, file: &Importing) {
    let tile = Rect::from_min_size(rect.min + vec2(18.0, 9.0), vec2(40.0, 40.0));
    ui.painter().rect_filled(tile, radius::FIELD, cx.tokens.raised);
    let (centre, fraction) = (tile.center(), file.fraction);
    ring(ui.painter(), centre, 10.0, fraction, cx.tokens.accent, cx.tokens.line);
    let lines =
        Rect::from_min_max(pos2(tile.right() + 12.0, rect.top()), rect.max - vec2(16.0, 0.0));
    let name = words::file_name(&file.path);
    let doing = fl!(library_importing, percent = &words::percent(f64::from(file.fraction)));
    two_lines(ui, cx, lines, &name, &doing, "");
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

    fn width(&self, ui: &Ui) -> f32 {
        match self {
            Self::None => 0.0,
            Self::Word(word, color) => {
                let tiny = font(text::TINY, Weight::Medium);
                one_line(ui.painter(), word, tiny, *color, f32::INFINITY).size().x + 8.0
            }
            Self::Ring(_) => 58.0,
            Self::Stems | Self::Warning => 24.0,
        }
    }

    fn paint(&self, ui: &Ui, cx: &Cx<'_>, rect: Rect) {
        let (right, tokens) = (right_of(rect), cx.tokens);
        let tiny = font(text::TINY, Weight::Medium);
        let before =
            |x: f32| Rect::from_min_max(pos2(x - 120.0, rect.top()), pos2(x, rect.bottom()));
        match self {
            Self::None => {}
            Self::Word(word, color) => {
                let place = before(right.x + 4.0);
                paint_text(ui.painter(), place, Align2::RIGHT_CENTER, word, tiny, *color);
            }
            Self::Ring(fraction) => {
                let centre = right - vec2(6.0, 0.0);
                let fraction = *fraction;
                ring(ui.painter(), centre, 9.0, fraction as f32, tokens.accent, tokens.line);
                let (place, text) = (before(centre.x - 15.0), words::percent(fraction));
                paint_text(ui.painter(), place, Align2::RIGHT_CENTER, &text, tiny, tokens.dim);
            }
            Self::Stems => {
                let place = Rect::from_center_size(right - vec2(6.0, 0.0), vec2(18.0, 16.0));
                icon::stems(ui.painter(), place, tokens);
            }
            Self::Warning => {
                let place = Rect::from_center_size(right - vec2(6.0, 0.0), vec2(16.0, 16.0));
                Icon::Warning.paint(ui.painter(), place, tokens.warning);
            }
        }
    }
}

/// Draws a song's row.
pub fn song(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    covers: &mut Covers,
    rect: Rect,
    song: &Song,
) -> Response {
    let row = rect.shrink2(vec2(8.0, 1.0));
    let response = at(ui, ("song", song.id), row, Sense::click());
    let is_marked = cx.ui_state.marked.contains(&song.id);
    let is_selected = cx.ui_state.selected == Some(song.id);
    if is_marked {
        ui.painter().rect_filled(row, 10, cx.tokens.progress);
    } else if is_selected {
        ui.painter().rect_filled(row, 10, cx.tokens.raised);
    } else if response.hovered() {
        ui.painter().rect_filled(row, 10, cx.tokens.raised.gamma_multiply(0.6));
    }
    let tile = Rect::from_min_size(rect.min + vec2(18.0, 9.0), vec2(40.0, 40.0));
    covers.paint(ui, tile, song, radius::FIELD);
    let sign = Sign::of(cx, song);
    let lines = Rect::from_min_max(
        pos2(tile.right() + 12.0, rect.top()),
        pos2(rect.right() - 16.0 - sign.width(ui), rect.bottom()),
    );
    if cx.ui_state.renaming.as_ref().is_some_and(|renaming| renaming.song == song.id) {
        let place = Rect::from_min_max(lines.min, pos2(rect.right() - 16.0, lines.bottom()));
        title_field(ui, cx, place.shrink2(vec2(0.0, 12.0)));
    } else {
        let length = format!(" · {}", words::clock(song.frames));
        two_lines(ui, cx, lines, &song.title, words::artist(song), &length);
        sign.paint(ui, cx, rect);
    }
    focus_ring(ui, &response, row, 10);
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
fn title_field(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
    let Some(renaming) = &cx.ui_state.renaming else { return };
    let (song, mut typed) = (renaming.song, renaming.text.clone());
    let id = Id::unique("title field");
    let is_new = ui.memory(|memory| memory.focused() != Some(id));
    let name = fl!(library_title_field);
    let response = field(ui, id, rect, name, "", &mut typed);
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

/// The right end of a row's buttons.
fn right_of(rect: Rect) -> egui::Pos2 {
    pos2(rect.right() - 20.0, rect.center().y)
}
