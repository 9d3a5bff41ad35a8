//! The selected song: its head, its instruments to tick, and the next step.

mod audio_track;
mod quality;
mod ticks;

use egui::{Align2, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Cx, lanes, model, notices};
use crate::{
    engine::{ModelState, Song},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::view_state::{OpenSong, Progress},
        theme::{STEM_ORDER, Weight, font, radius, size, text},
        widgets::{
            at,
            button::{self, Kind, button, icon_button},
            cover::Covers,
            icon::{self, Icon},
            label, paint_text, waveform,
        },
        words,
    },
};

/// Draws the song and its lanes.
pub fn ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    covers: &mut Covers,
    waves: &mut waveform::Cache,
    song: &Song,
) {
    let full = ui.max_rect();
    let area = Rect::from_min_max(
        full.min + vec2(size::MARGIN, 24.0),
        full.max - vec2(size::MARGIN, 12.0),
    );
    let cover = Rect::from_min_size(area.min, vec2(size::COVER, size::COVER));
    covers.paint(ui, cover, song, 10);
    let next_width = (area.width() * 0.44).clamp(260.0, 420.0);
    let next = Rect::from_min_size(
        pos2(area.right() - next_width, area.top() + 4.0),
        vec2(next_width, 60.0),
    );
    let head = Rect::from_min_max(
        pos2(cover.right() + 20.0, area.top()),
        pos2(next.left() - 16.0, cover.bottom()),
    );
    head_ui(ui, cx, head, song);
    next_ui(ui, cx, next, song);

    let mut top = cover.bottom() + 20.0;
    let stems = cx.state.stems(song.id);
    if !stems.is_empty() {
        let row = Rect::from_min_max(pos2(area.left(), top), pos2(area.right(), top));
        top = ticks::ui(ui, cx, row, song, stems) + 16.0;
    }
    if let Some(open) = cx.state.open().filter(|open| open.id == song.id && open.shown.is_some()) {
        let row = Rect::from_min_max(pos2(area.left(), top - 6.0), pos2(area.right(), top));
        top = quality::ui(ui, cx, row, song, open) + 16.0;
    }
    let card_height = model::height(ui, cx, area.width());
    if card_height > 0.0 {
        let card = Rect::from_x_y_ranges(area.x_range(), top..=top + card_height);
        model::card(ui, cx, card);
        top = card.bottom() + 16.0;
    }
    let state = cx.state;
    if let Some(reason) = state.failure(song.id) {
        top = notices::failure(ui, cx, area.x_range(), top, reason) + 8.0;
    }
    for notice in state.notices().iter().filter(|notice| notice.song == Some(song.id)) {
        top = notices::one(ui, cx, area.x_range(), top, notice) + 8.0;
    }
    let below = Rect::from_min_max(pos2(area.left(), top), area.max);
    lanes::ui(ui, cx, waves, song, below);
}

fn head_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, song: &Song) {
    let line = |top: f32, height: f32| {
        Rect::from_min_size(pos2(rect.left(), rect.top() + top), vec2(rect.width(), height))
    };
    let tokens = cx.tokens;
    let title = font(text::TITLE, Weight::SemiBold);
    label(ui, "title", line(0.0, 34.0), Align2::LEFT_CENTER, &song.title, title, tokens.text);
    let body = font(text::BODY, Weight::Regular);
    let by = words::artist_and_album(song);
    label(ui, "by", line(37.0, 20.0), Align2::LEFT_CENTER, &by, body, tokens.dim);
    let small = font(text::SMALL, Weight::Regular);
    let sound = words::sound_line(song);
    let mut place = line(61.0, 18.0);
    place.max.x -= audio_track::width(ui, song);
    let used = label(ui, "format", place, Align2::LEFT_CENTER, &sound, small.clone(), tokens.faint);
    if let Some(origin) = words::sound_origin(song) {
        at(ui, "sound origin", used, Sense::hover()).on_hover_text(origin);
    }
    audio_track::ui(ui, cx, pos2(used.right(), place.top()), song);
    if let Some(warning) = cx.state.warning(song) {
        let place = line(81.0, 16.0);
        let sign = Rect::from_min_size(place.min, vec2(14.0, 14.0));
        Icon::Warning.paint(ui.painter(), sign, tokens.warning);
        let place = Rect::from_min_max(pos2(sign.right() + 6.0, place.top()), place.max);
        label(ui, "warning", place, Align2::LEFT_CENTER, &warning, small, tokens.warning);
    }
}

/// Draws the next step: process, the progress of the job, or only a note when the stems are
/// complete.
fn next_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, song: &Song) {
    let state = cx.state;
    if let Some(progress) = state.progress(song.id, cx.now) {
        progress_ui(ui, cx, rect, song, &progress);
        return;
    }
    let below =
        Rect::from_min_size(pos2(rect.left(), rect.bottom() + 4.0), vec2(rect.width(), 18.0));
    let small = font(text::SMALL, Weight::Regular);
    let ticked = cx.ui_state.ticked(song.id, state.stems(song.id));
    if state.has_all_of(song.id, &ticked) {
        let count = state.stems(song.id).len();
        let shown =
            state.open().filter(|open| open.id == song.id).and_then(|open| open.shown.as_ref());
        let text = match count {
            0 => fl!(song_separated).to_owned(),
            _ if shown.is_some_and(|shown| shown.options.quality.is_draft) => {
                fl!(song_is_draft).to_owned()
            }
            _ => fl!(song_separated_into, count = count),
        };
        let place = Rect::from_min_size(rect.min + vec2(0.0, 8.0), vec2(rect.width(), 20.0));
        let body = font(text::BODY, Weight::Medium);
        let used = label(ui, "separated", place, Align2::RIGHT_CENTER, &text, body, cx.tokens.dim);
        let mark = Rect::from_center_size(used.left_center() - vec2(18.0, 0.0), vec2(18.0, 16.0));
        icon::stems(ui.painter(), mark, cx.tokens);
        return;
    }
    if !matches!(state.model(), Some(ModelState::Ready { .. })) {
        return;
    }
    let stems = state.stems(song.id);
    let has_ticks = !cx.ui_state.ticked(song.id, stems).is_empty();
    let covered =
        state.open().filter(|open| open.id == song.id).map_or(0.0, OpenSong::refined_fraction);
    let text = if covered > 0.0 { fl!(song_continue) } else { UiCommand::Process.spec().text };
    let wide = button::width(ui, text, Kind::Primary).max(148.0);
    let place = Rect::from_min_size(pos2(rect.right() - wide, rect.top()), vec2(wide, 48.0));
    let response = button(ui, "process", place, text, Kind::Primary, has_ticks);
    if response.on_hover_text(UiCommand::Process.hint(ui)).clicked() {
        cx.verb(UiCommand::Process);
    }
    let text = if !has_ticks {
        fl!(song_select_first).to_owned()
    } else if covered > 0.0 {
        fl!(song_partly_done, percent = &words::percent(covered))
    } else if let Some(need) = state.need(song.id) {
        // A bag needs only the share of its networks that compute the ticked stems.
        let open = state.open().filter(|open| open.id == song.id);
        let part = open.map_or(1.0, |open| open.part_for(&ticked));
        let disk = words::bytes((need.bytes as f64 * part) as u64);
        match need.seconds {
            Some(seconds) => {
                fl!(song_takes_about, time = &words::duration(seconds * part), disk = &disk)
            }
            None => fl!(song_needs_disk, disk = &disk),
        }
    } else {
        return;
    };
    label(ui, "next hint", below, Align2::RIGHT_CENTER, &text, small, cx.tokens.dim);
}

fn progress_words(cx: &Cx<'_>, song: &Song, progress: &Progress) -> (String, String) {
    let stems = cx.state.stems(song.id);
    let job = cx.state.active_job(song.id);
    let asked: Vec<String> = job.map(|job| job.stems.clone()).unwrap_or_default();
    let asked = if asked.is_empty() { stems.to_vec() } else { asked };
    let mut asked = asked;
    asked.sort_by_key(|stem| STEM_ORDER.iter().position(|known| known == stem));
    if let Some(before) = progress.waiting_behind {
        let line = match before {
            0 => fl!(song_next_in_queue).to_owned(),
            more => fl!(song_after_others, count = more),
        };
        return (fl!(song_waiting).to_owned(), line);
    }
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

fn progress_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, song: &Song, progress: &Progress) {
    let tokens = cx.tokens;
    let (heading, line) = progress_words(cx, song, progress);
    ui.painter().rect_filled(rect, radius::CARD, tokens.raised);
    let mut done = rect;
    done.set_width(rect.width() * progress.fraction.clamp(0.0, 1.0) as f32);
    // Clips a full-size card, so that the progress has the card's rounded corners.
    ui.painter().with_clip_rect(done.intersect(ui.clip_rect())).rect_filled(
        rect,
        CornerRadius::same(radius::CARD),
        tokens.progress,
    );
    at(ui, "progress", rect, Sense::hover()).widget_info(|| WidgetInfo {
        value: Some(progress.fraction * 100.0),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, format!("{heading} {line}"))
    });
    let inner = Rect::from_min_max(rect.min + vec2(18.0, 9.0), rect.max - vec2(100.0, 9.0));
    let (upper, lower) = inner.split_top_bottom_at_fraction(0.54);
    let strong = font(text::BODY, Weight::SemiBold);
    paint_text(ui.painter(), upper, Align2::LEFT_CENTER, &heading, strong, tokens.text);
    let small = font(text::SMALL, Weight::Regular);
    let ink = tokens.text.gamma_multiply(0.86);
    paint_text(ui.painter(), lower, Align2::LEFT_CENTER, &line, small.clone(), ink);
    let place = Rect::from_center_size(rect.right_center() - vec2(34.0, 0.0), vec2(34.0, 34.0));
    let pause = place.translate(vec2(-42.0, 0.0));
    let (fill, ink) = (Some(tokens.background), tokens.text);
    let response = icon_button(ui, "pause job", pause, Icon::Pause, fl!(song_pause), fill, ink);
    if response.on_hover_text(fl!(song_pause_tooltip)).clicked() {
        cx.act(Action::PauseJob(progress.job));
    }
    let spec = UiCommand::CancelJob.spec();
    let response = icon_button(ui, "cancel job", place, Icon::Close, spec.text, fill, ink);
    if response.on_hover_text(spec.tooltip).clicked() {
        cx.verb(UiCommand::CancelJob);
    }
    if progress.waiting_behind.is_none() {
        let below =
            Rect::from_min_size(pos2(rect.left(), rect.bottom() + 10.0), vec2(rect.width(), 18.0));
        let segments = cx
            .state
            .active_job(song.id)
            .map(|job| fl!(song_segments, done = job.segments_done, total = job.segments_total));
        let text = segments.iter().map(String::as_str).chain([fl!(song_stems_play)]);
        let text = &text.collect::<Vec<_>>().join(" · ");
        label(ui, "as found", below, Align2::RIGHT_CENTER, text, small, tokens.dim);
    }
}
