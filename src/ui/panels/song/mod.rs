//! The selected song: its head, its instruments to tick, and the next step.

mod audio_track;
mod quality;
mod ticks;

use egui::{Align, Layout, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use super::{Cx, lanes, model, notices};
use crate::{
    engine::{ModelState, Song},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::view_state::{OpenSong, Progress},
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            at,
            button::{Kind, icon_button, wide_button},
            cover::Covers,
            icon::{self, Icon},
            label,
            layout::{row, row_from_right, wrapped},
            lines, paragraph, plain_lines,
            surface::{Surface, within},
            waveform,
        },
        words,
    },
};

/// Maximum rows of a line that is longer than its place.
const ROWS: usize = 3;

/// Draws the song and its lanes.
pub fn ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    covers: &mut Covers,
    waves: &mut waveform::Cache,
    song: &Song,
) {
    within(ui, ui.max_rect(), margin::SONG, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        top_ui(ui, cx, covers, song);
        ui.add_space(space::GROUPS);
        let stems = cx.state.stems(song.id);
        if !stems.is_empty() {
            ticks::ui(ui, cx, song);
            ui.add_space(space::BUTTONS);
        }
        let open = cx.state.open().filter(|open| open.id == song.id);
        if let Some((open, shown)) = open.and_then(|open| Some((open, open.shown.as_ref()?))) {
            quality::ui(ui, cx, song, open, shown);
            ui.add_space(space::LARGE);
        } else if !stems.is_empty() {
            ui.add_space(space::LARGE - space::BUTTONS);
        }
        if model::card(ui, cx) {
            ui.add_space(space::LARGE);
        }
        let state = cx.state;
        if let Some(reason) = state.failure(song.id) {
            notices::failure(ui, cx, reason);
            ui.add_space(space::SMALL);
        }
        for notice in state.notices().iter().filter(|notice| notice.song == Some(song.id)) {
            notices::one(ui, cx, notice);
            ui.add_space(space::SMALL);
        }
        lanes::ui(ui, cx, waves, song);
    });
}

/// Draws the cover, the head, and the next step side by side.
fn top_ui(ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, song: &Song) {
    ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
        let [least, most] = size::NEXT;
        let next = (ui.available_width() * size::NEXT_SHARE).clamp(least, most);
        covers.show(ui, size::COVER, song, radius::ROW);
        ui.add_space(space::GROUPS);
        let head = (ui.available_width() - next - space::LARGE).max(0.0);
        let head = vec2(head, size::COVER);
        ui.allocate_ui_with_layout(head, Layout::top_down(Align::Min), |ui| {
            ui.set_min_size(head);
            head_ui(ui, cx, song);
        });
        ui.add_space(space::LARGE);
        ui.with_layout(Layout::top_down(Align::Max), |ui| next_ui(ui, cx, song));
    });
}

fn head_ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song) {
    let tokens = cx.tokens;
    ui.spacing_mut().item_spacing.y = space::LINES;
    let title = font(text::TITLE, Weight::SemiBold);
    row(ui, size::TITLE, |ui| label(ui, &song.title, title, tokens.text));
    let body = font(text::BODY, Weight::Regular);
    row(ui, size::TEXT_LINE, |ui| label(ui, &words::artist_and_album(song), body, tokens.dim));
    wrapped(ui, size::TEXT_LINE, |ui| {
        ui.spacing_mut().item_spacing.x = space::BUTTONS;
        let small = font(text::SMALL, Weight::Regular);
        let shown =
            paragraph(ui, &words::sound_line(song, cx.ui_state.key), small, tokens.faint, ROWS);
        if let Some(origin) = words::sound_origin(song) {
            shown.on_hover_text(origin);
        }
        audio_track::ui(ui, cx, song);
    });
    if let Some(warning) = cx.state.warning(song) {
        row(ui, size::SMALL_LINE, |ui| {
            Icon::Warning.show(ui, size::ICON_TEXT, tokens.warning);
            ui.add_space(space::CLOSE);
            label(ui, &warning, font(text::SMALL, Weight::Regular), tokens.warning);
        });
    }
}

/// Draws the next step: process, the progress of the job, or only a note when the stems are
/// complete.
fn next_ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song) {
    ui.add_space(space::TINY);
    let state = cx.state;
    if let Some(progress) = state.progress(song.id, cx.now) {
        progress_ui(ui, cx, song, &progress);
        return;
    }
    let ticked = cx.ui_state.ticked(song.id, state.instruments(song.id));
    if state.has_all_of(song.id, &ticked) {
        let count = state.instruments(song.id).num_heard();
        let shown =
            state.open().filter(|open| open.id == song.id).and_then(|open| open.shown.as_ref());
        let text = match count {
            0 => fl!(song_separated).to_owned(),
            _ if shown.is_some_and(|shown| shown.options.quality.is_draft) => {
                fl!(song_is_draft).to_owned()
            }
            _ => fl!(song_separated_into, count = count),
        };
        ui.add_space(space::SMALL);
        row_from_right(ui, size::TEXT_LINE, |ui| {
            label(ui, &text, font(text::BODY, Weight::Medium), cx.tokens.dim);
            ui.add_space(space::SMALL);
            icon::stems(ui, size::STEMS_MARK, size::STEMS_MARK, cx.tokens);
        });
        return;
    }
    if !matches!(state.model(), Some(ModelState::Ready { .. })) {
        return;
    }
    let has_ticks = !ticked.is_empty();
    let covered =
        state.open().filter(|open| open.id == song.id).map_or(0.0, OpenSong::refined_fraction);
    let is_begun = covered > 0.0 && covered < 1.0;
    let text = if is_begun { fl!(song_continue) } else { UiCommand::Process.spec().text };
    let response = wide_button(ui, "process", size::PROCESS.into(), text, Kind::Primary, has_ticks);
    if response.on_hover_text(UiCommand::Process.hint(ui)).clicked() {
        cx.verb(UiCommand::Process);
    }
    let text = if !has_ticks {
        fl!(song_select_first).to_owned()
    } else if is_begun {
        fl!(song_partly_done, percent = &words::percent(covered))
    } else if let Some(need) = state.need(song.id, &ticked) {
        let disk = words::bytes(need.bytes);
        match need.seconds {
            Some(seconds) => {
                fl!(song_takes_about, time = &words::duration(seconds), disk = &disk)
            }
            None => fl!(song_needs_disk, disk = &disk),
        }
    } else {
        return;
    };
    ui.add_space(space::LARGE);
    lines(ui, size::TEXT_LINE, &text, font(text::SMALL, Weight::Regular), cx.tokens.dim, ROWS);
}

fn progress_words(cx: &Cx<'_>, song: &Song, progress: &Progress) -> (String, String) {
    let job = cx.state.active_job(song.id);
    if let Some(before) = progress.waiting_behind {
        let line = match before {
            0 => fl!(song_next_in_queue).to_owned(),
            more => fl!(song_after_others, count = more),
        };
        return (fl!(song_waiting).to_owned(), line);
    }
    let asked = job.map(|job| cx.state.requested(job)).unwrap_or_default();
    let heading = fl!(song_separating, stems = &words::stems(&asked));
    let drafted = job.filter(|job| job.drafts_first).and(cx.state.open());
    let mut parts = match drafted.filter(|open| open.id == song.id) {
        Some(open) => vec![
            fl!(song_drafting, percent = &words::percent(open.covered_fraction())),
            fl!(song_refined, percent = &words::percent(open.refined_fraction())),
        ],
        None => vec![words::percent(progress.fraction)],
    };
    match progress.seconds_left {
        Some(secs) => parts.push(words::time_left(secs)),
        None => parts.push(fl!(song_estimating).to_owned()),
    }
    if let Some(times) = progress.times_real_time {
        parts.push(fl!(song_real_time, times = &words::decimal(times, 1)));
    }
    (heading, parts.join(" · "))
}

fn progress_ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song, progress: &Progress) {
    let tokens = cx.tokens;
    let (heading, state) = progress_words(cx, song, progress);
    let surface = Surface {
        fill: tokens.raised,
        radius: radius::CARD,
        margin: margin::PROGRESS,
        progress: Some((progress.fraction as f32, tokens.progress)),
    };
    let shown = surface.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            // In their order for the keyboard.
            let line = size::PROGRESS_LINE;
            let both = vec2(2.0 * size::PROGRESS_BUTTON + space::SMALL, 2.0 * line);
            let in_row = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(both, in_row, |ui| job_buttons(ui, cx, progress));
            ui.add_space(space::MEDIUM);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let strong = font(text::BODY, Weight::SemiBold);
                plain_lines(ui, line, &heading, strong, tokens.text, ROWS);
                let small = font(text::SMALL, Weight::Regular);
                let ink = tokens.text.gamma_multiply(0.86);
                plain_lines(ui, line, &state, small, ink, ROWS);
            });
        });
    });
    at(ui, "progress", shown.response.rect, Sense::hover()).widget_info(|| WidgetInfo {
        value: Some(progress.fraction * 100.0),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, format!("{heading} {state}"))
    });
    if progress.waiting_behind.is_none() {
        ui.add_space(space::BUTTONS);
        let segments = cx
            .state
            .active_job(song.id)
            .map(|job| fl!(song_segments, done = job.segments_done, total = job.segments_total));
        let text = segments.iter().map(String::as_str).chain([fl!(song_stems_play)]);
        let text = text.collect::<Vec<_>>().join(" · ");
        lines(ui, size::TEXT_LINE, &text, font(text::SMALL, Weight::Regular), tokens.dim, ROWS);
    }
}

/// Draws the buttons that pause and cancel the song's job.
fn job_buttons(ui: &mut Ui, cx: &mut Cx<'_>, progress: &Progress) {
    let (fill, ink, edge) = (Some(cx.tokens.background), cx.tokens.text, size::PROGRESS_BUTTON);
    let response = icon_button(ui, "pause job", edge, Icon::Pause, fl!(song_pause), fill, ink);
    if response.on_hover_text(fl!(song_pause_tooltip)).clicked() {
        cx.act(Action::PauseJob(progress.job));
    }
    ui.add_space(space::SMALL);
    let spec = UiCommand::CancelJob.spec();
    let response = icon_button(ui, "cancel job", edge, Icon::Close, spec.text, fill, ink);
    if response.on_hover_text(spec.tooltip).clicked() {
        cx.verb(UiCommand::CancelJob);
    }
}
