//! The library: search, songs, files that come in, and a place to drop more.

use egui::{
    Align2, Color32, Id, Key, Margin, Rect, Role, ScrollArea, Sense, Stroke, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};

use super::{Cx, notices};
use crate::{
    engine::{Job, JobState, ModelState, Song, SongId, SongState},
    ui::{
        action::{Action, Verb},
        desk::Desk,
        state::Importing,
        theme::{Weight, font, radius, size, text},
        widgets::{
            at,
            button::{Kind, button, icon_button, width},
            cover::Covers,
            dashed_outline, focus_ring,
            icon::{self, Icon},
            label, one_line, paint_text,
            ring::ring,
        },
        words,
    },
};

/// What the library remembers between frames.
#[derive(Default)]
pub struct Library {
    search: String,
    /// The song that was last brought into sight.
    in_sight: Option<SongId>,
    /// Asks for the search field at the next frame.
    pub focus_search: bool,
}

/// What one row shows.
#[derive(Clone, Copy)]
enum Row<'a> {
    Importing(&'a Importing),
    Song(&'a Song),
}

impl Library {
    /// The songs that are shown, in order; also what "previous" and "next" go by.
    pub fn shown<'a>(&self, songs: &'a [Song], desk: &'a Desk) -> impl Iterator<Item = &'a Song> {
        let wanted: Vec<String> = self.search.split_whitespace().map(str::to_lowercase).collect();
        let matches = move |song: &Song| {
            if wanted.is_empty() {
                return true;
            }
            let artist = song.artist.as_deref().unwrap_or_default();
            let album = song.album.as_deref().unwrap_or_default();
            let all = format!("{} {artist} {album}", song.title).to_lowercase();
            wanted.iter().all(|word| all.contains(word.as_str()))
        };
        songs.iter().filter(move |song| !desk.is_removed(song.id) && matches(song))
    }

    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers) {
        let full = ui.max_rect();
        ui.painter().rect_filled(full, 0, cx.tokens.panel);
        ui.painter().vline(full.right() - 0.5, full.y_range(), Stroke::new(1.0, cx.tokens.line));
        head(ui, cx, full);
        self.search_ui(ui, cx, Rect::from_min_size(full.min + vec2(16.0, 64.0), vec2(256.0, 34.0)));

        let jobs_height = 36.0;
        let jobs = Rect::from_min_max(pos2(full.left(), full.bottom() - jobs_height), full.max);
        jobs_line(ui, cx, jobs);
        let mut zone = Rect::from_min_max(
            pos2(full.left() + 16.0, jobs.top() - 76.0),
            pos2(full.right() - 16.0, jobs.top() - 8.0),
        );
        if cx.desk.selected.is_some() {
            drop_zone(ui, cx, zone);
        } else {
            // The empty window is one big place to drop a song already.
            zone.min.y = zone.max.y;
        }
        let x = full.x_range().shrink(16.0);
        let undo_top = notices::undo(ui, cx, x, zone.top() - 8.0);
        let notices_top = notices::library(ui, cx, x, undo_top);

        let list = Rect::from_min_max(
            pos2(full.left(), full.top() + 110.0),
            pos2(full.right() - 1.0, notices_top - 8.0),
        );
        self.list(ui, cx, covers, list);
    }

    fn search_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, rect: Rect) {
        let words = &words::get().library;
        let hint = (words.search_hint)(cx.state.songs().len());
        ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
        let glass = Rect::from_center_size(rect.left_center() + vec2(18.0, 0.0), vec2(16.0, 16.0));
        Icon::Search.paint(ui.painter(), glass, cx.tokens.faint);
        let mut inner = rect;
        inner.min.x += 32.0;
        let edit = TextEdit::singleline(&mut self.search)
            .id(Id::unique("search"))
            .hint_text(hint)
            .font(font(text::BODY, Weight::Regular))
            .background_color(Color32::TRANSPARENT)
            .frame(egui::Frame::NONE)
            .margin(Margin::symmetric(2, 0))
            .align(egui::Align2::LEFT_CENTER)
            .min_size(inner.size() - vec2(12.0, 0.0))
            .desired_width(inner.width() - 12.0);
        let response = ui.place(inner, edit).accessible_name(words.search_name);
        if std::mem::take(&mut self.focus_search) {
            response.request_focus();
        }
        focus_ring(ui, &response, rect, radius::FIELD);
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
            self.search.clear();
        }
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, rect: Rect) {
        let state = cx.state;
        let rows: Vec<Row<'_>> = state
            .importing()
            .iter()
            .map(Row::Importing)
            .chain(self.shown(state.songs(), cx.desk).map(Row::Song))
            .collect();
        if rows.is_empty() {
            if !self.search.is_empty() {
                let words = (words::get().library.no_match)(&self.search);
                let place = Rect::from_min_size(rect.min + vec2(20.0, 4.0), vec2(248.0, 20.0));
                let (small, dim) = (font(text::SMALL, Weight::Regular), cx.tokens.dim);
                label(ui, "no match", place, Align2::LEFT_CENTER, &words, small, dim);
            }
            return;
        }
        // The chosen song comes into sight once, when it is chosen; then the user may scroll.
        let is_new = self.in_sight != cx.desk.selected;
        self.in_sight = cx.desk.selected;
        let is_chosen =
            |row: &Row<'_>| matches!(row, Row::Song(song) if Some(song.id) == cx.desk.selected);
        let wanted_row = is_new.then(|| rows.iter().position(is_chosen)).flatten();
        let heading = Rect::from_min_size(rect.min + vec2(20.0, 0.0), vec2(200.0, 20.0));
        let (small, dim) = (font(text::SMALL, Weight::Medium), cx.tokens.dim);
        label(
            ui,
            "heading",
            heading,
            Align2::LEFT_CENTER,
            words::get().library.recently_added,
            small,
            dim,
        );
        let mut list = rect;
        list.min.y += 26.0;
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(list).id_salt("songs"));
        child.spacing_mut().item_spacing = vec2(0.0, 0.0);
        child.shrink_clip_rect(list);
        ScrollArea::vertical().id_salt("songs").auto_shrink(false).show_rows(
            &mut child,
            size::ROW,
            rows.len(),
            |ui, range| {
                if let Some(row) = wanted_row {
                    let top = ui.max_rect().top() + (row as f32 - range.start as f32) * size::ROW;
                    let x = ui.max_rect().x_range();
                    ui.scroll_to_rect(Rect::from_x_y_ranges(x, top..=top + size::ROW), None);
                }
                for row in range.filter_map(|i| rows.get(i)) {
                    let (place, _) = ui
                        .allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
                    match row {
                        Row::Importing(file) => importing_row(ui, cx, place, file),
                        Row::Song(song) => song_row(ui, cx, covers, place, song),
                    }
                }
            },
        );
    }
}

fn head(ui: &Ui, cx: &mut Cx<'_>, full: Rect) {
    let mark = Rect::from_min_size(full.min + vec2(20.0, 24.0), vec2(22.0, 24.0));
    icon::stems(ui.painter(), mark, cx.tokens);
    let name = Rect::from_min_size(full.min + vec2(54.0, 24.0), vec2(160.0, 24.0));
    let heading = font(text::NAME, Weight::SemiBold);
    label(ui, "program", name, Align2::LEFT_CENTER, "Partita", heading, cx.tokens.text);
    let place = Rect::from_min_size(pos2(full.right() - 48.0, full.top() + 20.0), vec2(32.0, 32.0));
    let shown = if ui.theme() == egui::Theme::Dark { Icon::Sun } else { Icon::Moon };
    let spec = Verb::ToggleTheme.spec();
    let pressed = icon_button(ui, "theme", place, shown, spec.text, None, cx.tokens.dim)
        .on_hover_text(Verb::ToggleTheme.hint(ui));
    if pressed.clicked() {
        cx.verb(Verb::ToggleTheme);
    }
}

fn jobs_line(ui: &Ui, cx: &Cx<'_>, rect: Rect) {
    let (running, waiting) = cx.state.job_counts();
    let say = &words::get().library;
    let words = match (running, waiting) {
        (0, 0) => return,
        (0, waiting) => (say.num_waiting)(waiting),
        (running, 0) => (say.num_running)(running),
        (running, waiting) => (say.running_and_waiting)(running, waiting),
    };
    let mut place = rect.shrink2(vec2(20.0, 0.0));
    let strong = font(text::BODY, Weight::Medium);
    let word = label(ui, "jobs", place, Align2::LEFT_CENTER, say.jobs, strong, cx.tokens.text);
    place.min.x = word.right() + 8.0;
    let body = font(text::BODY, Weight::Regular);
    label(ui, "job counts", place, Align2::LEFT_CENTER, &words, body, cx.tokens.dim);
}

fn drop_zone(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    dashed_outline(ui.painter(), rect, 12.0, Stroke::new(1.5, cx.tokens.line));
    let (upper, lower) = rect.shrink2(vec2(0.0, 10.0)).split_top_bottom_at_fraction(0.5);
    let body = font(text::BODY, Weight::Regular);
    let say = &words::get().library;
    label(ui, "drop here", upper, Align2::CENTER_CENTER, say.drop_here, body, cx.tokens.dim);
    let parts = [(say.or_files, Verb::AddFiles), (say.or_folder, Verb::AddFolder)];
    let widths = parts.map(|(words, _)| width(ui, words, Kind::Link));
    let all = widths.iter().sum::<f32>() + 10.0;
    let mut x = lower.center().x - all / 2.0;
    for ((words, verb), wide) in parts.into_iter().zip(widths) {
        let place = Rect::from_min_size(pos2(x, lower.top()), vec2(wide, lower.height()));
        let response = button(ui, ("zone", verb), place, words, Kind::Link, true);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
        x += wide + 10.0;
    }
}

fn importing_row(ui: &Ui, cx: &Cx<'_>, rect: Rect, file: &Importing) {
    let tile = Rect::from_min_size(rect.min + vec2(18.0, 9.0), vec2(40.0, 40.0));
    ui.painter().rect_filled(tile, radius::FIELD, cx.tokens.raised);
    let (centre, fraction) = (tile.center(), file.fraction);
    ring(ui.painter(), centre, 10.0, fraction, cx.tokens.accent, cx.tokens.line);
    let lines =
        Rect::from_min_max(pos2(tile.right() + 12.0, rect.top()), rect.max - vec2(16.0, 0.0));
    let name = words::file_name(&file.path);
    let doing = (words::get().library.importing)(&words::percent(f64::from(file.fraction)));
    two_lines(ui, cx, lines, &name, &doing, "");
    at(ui, ("importing", &file.path), rect, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}, {doing}")));
}

/// Two lines of text; `tail` is never cut from the second.
fn two_lines(ui: &Ui, cx: &Cx<'_>, rect: Rect, first: &str, second: &str, tail: &str) {
    let (upper, lower) = rect.shrink2(vec2(0.0, 10.0)).split_top_bottom_at_fraction(0.5);
    let strong = font(text::BODY, Weight::Medium);
    paint_text(ui.painter(), upper, Align2::LEFT_CENTER, first, strong, cx.tokens.text);
    let (small, dim) = (font(text::SMALL, Weight::Regular), cx.tokens.dim);
    let tail_width = one_line(ui.painter(), tail, small.clone(), dim, f32::INFINITY).size().x;
    let head = Rect::from_min_max(lower.min, lower.max - vec2(tail_width, 0.0));
    let used = paint_text(ui.painter(), head, Align2::LEFT_CENTER, second, small.clone(), dim);
    let rest = Rect::from_min_max(pos2(used.right(), lower.top()), lower.max);
    paint_text(ui.painter(), rest, Align2::LEFT_CENTER, tail, small, dim);
}

/// The state of a song in a word, and how much room its sign needs.
fn state_words(job: Option<&Job>, song: &Song) -> (Option<String>, f32) {
    let say = &words::get().library;
    match job {
        Some(job) if job.state == JobState::Waiting => (Some(say.waiting.to_owned()), 52.0),
        Some(job) => (Some((say.processing)(&words::percent(job.fraction()))), 58.0),
        None if song.state == SongState::Separated => (Some(say.separated.to_owned()), 24.0),
        None if song.warning.is_some() => (Some(say.with_warning.to_owned()), 24.0),
        None => (None, 0.0),
    }
}

fn song_row(ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers, rect: Rect, song: &Song) {
    let row = rect.shrink2(vec2(8.0, 1.0));
    let response = at(ui, ("song", song.id), row, Sense::click());
    let is_selected = cx.desk.selected == Some(song.id);
    if is_selected {
        ui.painter().rect_filled(row, 10, cx.tokens.raised);
    } else if response.hovered() {
        ui.painter().rect_filled(row, 10, cx.tokens.raised.gamma_multiply(0.6));
    }
    let tile = Rect::from_min_size(rect.min + vec2(18.0, 9.0), vec2(40.0, 40.0));
    covers.paint(ui, tile, song, radius::FIELD);
    let job = cx.state.active_job(song.id);
    let (state, room) = state_words(job, song);
    let lines = Rect::from_min_max(
        pos2(tile.right() + 12.0, rect.top()),
        pos2(rect.right() - 16.0 - room, rect.bottom()),
    );
    let below = words::artist_and_length(song);
    let length = format!(" · {}", words::clock(song.frames));
    two_lines(ui, cx, lines, &song.title, words::artist(song), &length);
    state_sign(ui, cx, rect, job, song);
    focus_ring(ui, &response, row, 10);
    let name = match &state {
        Some(state) => format!("{}, {below}, {state}", song.title),
        None => format!("{}, {below}", song.title),
    };
    response
        .widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_selected, name.clone()));
    if response.clicked() {
        cx.act(Action::Select(song.id));
    }
    if response.has_focus() && ui.input(|input| input.key_pressed(Key::Delete)) {
        cx.act(Action::Remove(song.id));
    }
    let response = match &song.warning {
        Some(warning) => response.on_hover_text(warning),
        None => response,
    };
    song_menu(cx, &response, song.id);
}

fn state_sign(ui: &Ui, cx: &Cx<'_>, rect: Rect, job: Option<&Job>, song: &Song) {
    let right = rect.right_center() - vec2(20.0, 0.0);
    let small = font(text::TINY, Weight::Medium);
    let tokens = cx.tokens;
    match job {
        Some(job) if job.state == JobState::Waiting => {
            let place = Rect::from_min_max(
                pos2(right.x - 60.0, rect.top()),
                pos2(right.x + 4.0, rect.bottom()),
            );
            paint_text(
                ui.painter(),
                place,
                Align2::RIGHT_CENTER,
                words::get().library.waiting,
                small,
                tokens.dim,
            );
        }
        Some(job) => {
            let fraction = job.fraction();
            let centre = right - vec2(6.0, 0.0);
            ring(ui.painter(), centre, 9.0, fraction as f32, tokens.accent, tokens.line);
            let place = Rect::from_min_max(
                pos2(right.x - 60.0, rect.top()),
                pos2(centre.x - 15.0, rect.bottom()),
            );
            let words = words::percent(fraction);
            paint_text(ui.painter(), place, Align2::RIGHT_CENTER, &words, small, tokens.dim);
        }
        None if song.state == SongState::Separated => {
            let place = Rect::from_center_size(right - vec2(6.0, 0.0), vec2(18.0, 16.0));
            icon::stems(ui.painter(), place, tokens);
        }
        None if song.warning.is_some() => {
            let place = Rect::from_center_size(right - vec2(6.0, 0.0), vec2(16.0, 16.0));
            Icon::Warning.paint(ui.painter(), place, tokens.warning);
        }
        None => {}
    }
}

fn song_menu(cx: &mut Cx<'_>, response: &egui::Response, song: SongId) {
    let is_ready = matches!(cx.state.model(), Some(ModelState::Ready { .. }));
    let job = cx.state.active_job(song).map(|job| job.id);
    let say = &words::get().library;
    response.context_menu(|ui| {
        if let Some(job) = job {
            if ui.button(say.cancel_processing).clicked() {
                cx.act(Action::Cancel(job));
            }
        } else if is_ready
            && !cx.state.is_separated(song)
            && ui.button(Verb::Process.spec().text).clicked()
        {
            cx.act(Action::Select(song));
            cx.verb(Verb::Process);
        }
        if ui.button(say.remove).clicked() {
            cx.act(Action::Remove(song));
        }
    });
}
