//! The library: search, sort order, songs, running imports, a drop zone, and the link to the jobs.
//! The collapsed library is a strip with the same controls.

mod list;
mod order;
mod row;

use std::collections::BTreeSet;

use egui::{
    Align2, Color32, Id, Key, Margin, Popup, Rect, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo,
    pos2, vec2,
};

use self::order::Order;
use super::{Cx, notices};
use crate::{
    engine::{Preferences, SongId, settings::SortKey},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::{ui_state::UiState, view_state::ViewState},
        theme::{Weight, font, radius, size, text},
        widgets::{
            at,
            button::{Kind, button, icon_button, width},
            cover::Covers,
            dashed_outline, focus_ring,
            icon::{self, Icon},
            label, one_line, paint_text,
        },
    },
};

/// Width of notices beside the collapsed library.
const NOTICES: f32 = 360.0;

/// State of the library between frames.
#[derive(Default)]
pub struct Library {
    search: String,
    order: Order,
    /// The selected song that was last scrolled into view.
    in_sight: Option<SongId>,
    /// The song whose row gets scrolled into view and focused.
    focus: Option<SongId>,
    /// Whether the search field gets the focus in the next frame.
    pub focus_search: bool,
}

impl Library {
    /// The displayed songs in order; previous and next song follow this order.
    pub fn order(&mut self, state: &ViewState, ui_state: &UiState) -> &[SongId] {
        self.order.of(state, ui_state, &self.search)
    }

    /// Invalidates the order, because songs are being removed or restored.
    pub fn forget_order(&mut self) {
        self.order.forget();
    }

    /// The displayed songs between two songs, including both.
    pub fn between(
        &mut self,
        state: &ViewState,
        ui_state: &UiState,
        from: SongId,
        to: SongId,
    ) -> BTreeSet<SongId> {
        let order = self.order(state, ui_state);
        let place = |song: SongId| order.iter().position(|id| *id == song);
        let (from, to) = (place(from), place(to));
        let (Some(from), Some(to)) = (from.or(to), to.or(from)) else { return BTreeSet::new() };
        order[from.min(to)..=from.max(to)].iter().copied().collect()
    }

    /// Draws the library.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, covers: &mut Covers) {
        let full = ui.max_rect();
        ui.painter().rect_filled(full, 0, cx.tokens.panel);
        ui.painter().vline(full.right() - 0.5, full.y_range(), Stroke::new(1.0, cx.tokens.line));
        head(ui, cx, full);
        self.search_ui(ui, cx, Rect::from_min_size(full.min + vec2(16.0, 64.0), vec2(256.0, 34.0)));

        let jobs = Rect::from_min_max(pos2(full.left(), full.bottom() - 44.0), full.max);
        jobs_line(ui, cx, jobs);
        let mut zone = Rect::from_min_max(
            pos2(full.left() + 16.0, jobs.top() - 76.0),
            pos2(full.right() - 16.0, jobs.top() - 8.0),
        );
        if cx.ui_state.marked.len() > 1 {
            marked_ui(ui, cx, zone);
        } else if cx.ui_state.selected.is_some() {
            drop_zone(ui, cx, zone);
        } else {
            // The empty window already is a large drop zone.
            zone.min.y = zone.max.y;
        }
        let x = full.x_range().shrink(16.0);
        let undo_top = notices::undo(ui, cx, x, zone.top() - 8.0);
        let import_top = notices::model_import(ui, cx, x, undo_top);
        let notices_top = notices::library(ui, cx, x, import_top);

        let list = Rect::from_min_max(
            pos2(full.left(), full.top() + 110.0),
            pos2(full.right() - 1.0, notices_top - 8.0),
        );
        self.list_ui(ui, cx, covers, list);
    }

    fn search_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, rect: Rect) {
        let hint = fl!(library_search_hint, count = cx.state.songs().len());
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
        let response = ui.place(inner, edit).accessible_name(fl!(library_search));
        if std::mem::take(&mut self.focus_search) {
            response.request_focus();
        }
        focus_ring(ui, &response, rect, radius::FIELD);
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
            self.search.clear();
        }
    }
}

/// Draws the notices of the collapsed library at the bottom left of `area`.
pub fn notices_beside(ui: &Ui, cx: &mut Cx<'_>, area: Rect) {
    let left = area.left() + size::MARGIN;
    let x = egui::Rangef::new(left, left + NOTICES.min(area.width() - 2.0 * size::MARGIN));
    let top = notices::model_import(ui, cx, x, area.bottom() - 12.0);
    notices::library(ui, cx, x, top);
}

/// Draws the strip that replaces the collapsed library.
pub fn strip(ui: &Ui, cx: &mut Cx<'_>) {
    let full = ui.max_rect();
    ui.painter().rect_filled(full, 0, cx.tokens.panel);
    ui.painter().vline(full.right() - 0.5, full.y_range(), Stroke::new(1.0, cx.tokens.line));
    let x = full.center().x;
    let mark = Rect::from_center_size(pos2(x, full.top() + 36.0), vec2(22.0, 24.0));
    icon::stems(ui.painter(), mark, cx.tokens);
    let place = |y: f32| Rect::from_center_size(pos2(x, y), vec2(32.0, 32.0));
    let unfold = fl!(library_unfold);
    let ways = [
        (UiCommand::FoldLibrary, Icon::Sidebar, unfold, full.top() + 80.0),
        (UiCommand::AddFiles, Icon::Add, UiCommand::AddFiles.spec().text, full.top() + 120.0),
        (UiCommand::OpenJobs, Icon::List, UiCommand::OpenJobs.spec().text, full.bottom() - 104.0),
        (
            UiCommand::ToggleTheme,
            theme_icon(ui),
            UiCommand::ToggleTheme.spec().text,
            full.bottom() - 64.0,
        ),
        (
            UiCommand::OpenSettings,
            Icon::Sliders,
            UiCommand::OpenSettings.spec().text,
            full.bottom() - 24.0,
        ),
    ];
    for (verb, icon, name, y) in ways {
        let response = icon_button(ui, ("strip", verb), place(y), icon, name, None, cx.tokens.dim);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
    }
}

fn theme_icon(ui: &Ui) -> Icon {
    if ui.theme() == egui::Theme::Dark { Icon::Sun } else { Icon::Moon }
}

fn head(ui: &Ui, cx: &mut Cx<'_>, full: Rect) {
    let mark = Rect::from_min_size(full.min + vec2(20.0, 24.0), vec2(22.0, 24.0));
    icon::stems(ui.painter(), mark, cx.tokens);
    let name = Rect::from_min_size(full.min + vec2(54.0, 24.0), vec2(100.0, 24.0));
    let heading = font(text::NAME, Weight::SemiBold);
    label(ui, "program", name, Align2::LEFT_CENTER, "Partita", heading, cx.tokens.text);
    let ways = [
        (UiCommand::FoldLibrary, Icon::Sidebar),
        (UiCommand::ToggleTheme, theme_icon(ui)),
        (UiCommand::OpenSettings, Icon::Sliders),
    ];
    for (i, (verb, icon)) in ways.into_iter().enumerate() {
        let middle = pos2(full.right() - 28.0 - 36.0 * i as f32, full.top() + 36.0);
        let place = Rect::from_center_size(middle, vec2(32.0, 32.0));
        let name = verb.spec().text;
        let response = icon_button(ui, ("head", verb), place, icon, name, None, cx.tokens.dim);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
    }
}

/// Draws the sort key, as a menu with the others.
fn sort_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let keys = [
        (SortKey::Added, fl!(library_by_added)),
        (SortKey::Title, fl!(library_by_title)),
        (SortKey::Artist, fl!(library_by_artist)),
        (SortKey::Length, fl!(library_by_length)),
        (SortKey::State, fl!(library_by_state)),
    ];
    let preferences = &cx.ui_state.preferences;
    let shown = keys.iter().find(|(key, _)| *key == preferences.sort).map_or("", |(_, name)| name);
    let response = at(ui, "sort", rect, Sense::click());
    let ink = if response.hovered() { cx.tokens.text } else { cx.tokens.dim };
    let small = font(text::SMALL, Weight::Medium);
    let used = paint_text(
        ui.painter(),
        rect.shrink2(vec2(4.0, 0.0)),
        Align2::LEFT_CENTER,
        shown,
        small,
        ink,
    );
    let sign = Rect::from_center_size(used.right_center() + vec2(12.0, 1.0), vec2(10.0, 10.0));
    let icon = if preferences.is_reversed { Icon::ChevronUp } else { Icon::ChevronDown };
    icon.paint(ui.painter(), sign, ink);
    focus_ring(ui, &response, rect, 4);
    let name = format!("{}: {shown}", fl!(library_sort));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let mut new = None;
    Popup::menu(&response).show(|ui| {
        for (sort, name) in keys {
            if ui.selectable_label(sort == preferences.sort, name).clicked() {
                new = Some(Preferences { sort, ..preferences.clone() });
            }
        }
        ui.separator();
        if ui.selectable_label(preferences.is_reversed, fl!(library_reversed)).clicked() {
            let is_reversed = !preferences.is_reversed;
            new = Some(Preferences { is_reversed, ..preferences.clone() });
        }
    });
    if let Some(new) = new {
        cx.act(Action::Prefer(Box::new(new)));
    }
}

fn jobs_line(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    let text = match cx.state.job_counts() {
        (0, 0) => fl!(library_jobs_none).to_owned(),
        (0, waiting) => fl!(library_jobs_waiting, count = waiting),
        (running, 0) => fl!(library_jobs_running, count = running),
        (running, waiting) => fl!(library_jobs_both, running = running, waiting = waiting),
    };
    let row = rect.shrink2(vec2(8.0, 4.0));
    let response = at(ui, "jobs", row, Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(row, radius::FIELD, cx.tokens.raised);
    }
    let mut place = rect.shrink2(vec2(20.0, 0.0));
    let strong = font(text::BODY, Weight::Medium);
    let (painter, align) = (ui.painter(), Align2::LEFT_CENTER);
    let word = paint_text(painter, place, align, fl!(library_jobs), strong, cx.tokens.text);
    place = Rect::from_min_max(pos2(word.right() + 8.0, place.top()), place.max - vec2(20.0, 0.0));
    let body = font(text::BODY, Weight::Regular);
    paint_text(painter, place, align, &text, body, cx.tokens.dim);
    let sign = Rect::from_center_size(rect.right_center() - vec2(26.0, 0.0), vec2(12.0, 12.0));
    Icon::ChevronRight.paint(painter, sign, cx.tokens.dim);
    focus_ring(ui, &response, row, radius::FIELD);
    let name = format!("{}: {text}", fl!(library_jobs));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.on_hover_text(UiCommand::OpenJobs.hint(ui)).clicked() {
        cx.verb(UiCommand::OpenJobs);
    }
}

/// Draws the actions that apply to all marked songs.
fn marked_ui(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    ui.painter().rect_filled(rect, radius::LANE, cx.tokens.raised);
    let songs: Vec<SongId> = cx.ui_state.marked.iter().copied().collect();
    let (upper, lower) = rect.shrink2(vec2(12.0, 6.0)).split_top_bottom_at_fraction(0.46);
    let strong = font(text::BODY, Weight::SemiBold);
    let text = fl!(library_selected, count = songs.len());
    label(ui, "num marked", upper, Align2::LEFT_CENTER, &text, strong, cx.tokens.text);
    let close = Rect::from_center_size(upper.right_center() - vec2(8.0, 0.0), vec2(24.0, 24.0));
    let name = fl!(close);
    if icon_button(ui, "unmark", close, Icon::Close, name, None, cx.tokens.dim).clicked() {
        cx.act(Action::Unmark);
    }
    let mut x = lower.left() - 2.0;
    for (text, action) in [
        (fl!(library_process_all), Action::ProcessAll(songs.clone())),
        (fl!(library_export_all), Action::ExportAll(songs.clone())),
        (fl!(library_remove_all), Action::Remove(songs)),
    ] {
        let wide = width(ui, text, Kind::Link);
        let place = Rect::from_min_size(pos2(x, lower.top()), vec2(wide, lower.height()));
        if button(ui, ("marked", text), place, text, Kind::Link, true).clicked() {
            cx.act(action);
        }
        x += wide + 16.0;
    }
}

fn drop_zone(ui: &Ui, cx: &mut Cx<'_>, rect: Rect) {
    dashed_outline(ui.painter(), rect, 12.0, Stroke::new(1.5, cx.tokens.line));
    let (upper, lower) = rect.shrink2(vec2(0.0, 10.0)).split_top_bottom_at_fraction(0.5);
    let body = font(text::BODY, Weight::Regular);
    label(
        ui,
        "drop here",
        upper,
        Align2::CENTER_CENTER,
        fl!(library_drop_here),
        body,
        cx.tokens.dim,
    );
    let parts = [
        (fl!(library_or_files), UiCommand::AddFiles),
        (fl!(library_or_folder), UiCommand::AddFolder),
    ];
    let widths = parts.map(|(text, _)| width(ui, text, Kind::Link));
    let all = widths.iter().sum::<f32>() + 10.0;
    let mut x = lower.center().x - all / 2.0;
    for ((text, verb), wide) in parts.into_iter().zip(widths) {
        let place = Rect::from_min_size(pos2(x, lower.top()), vec2(wide, lower.height()));
        let response = button(ui, ("zone", verb), place, text, Kind::Link, true);
        if response.on_hover_text(verb.hint(ui)).clicked() {
            cx.verb(verb);
        }
        x += wide + 10.0;
    }
}

/// Draws two lines of text; `tail` is never truncated in the second.
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

/// Whether the library is collapsed: by the user, or because a window of this width, in points, is
/// too narrow for a song beside it.
pub fn is_folded(ui_state: &UiState, window: f32) -> bool {
    ui_state.preferences.library_is_folded || window < size::LIBRARY + size::SONG_MIN
}

/// Width of the library in a window of width `window`, both in points.
pub fn width_in(ui_state: &UiState, window: f32) -> f32 {
    if is_folded(ui_state, window) { size::LIBRARY_FOLDED } else { size::LIBRARY }
}
