//! The library: search, sort order, songs, running imports, a drop zone, and the link to the jobs.
//! The collapsed library is a strip with the same controls.

mod list;
mod order;
mod row;

use std::collections::BTreeSet;

use egui::{
    Align, Color32, Frame, Id, Key, Layout, Margin, Popup, Role, Sense, Stroke, TextEdit, Ui, Vec2,
    WidgetInfo, vec2,
};

use self::order::Order;
use super::{Cx, notices};
use crate::{
    engine::{Preferences, SongId, settings::SortKey},
    i18n::fl,
    ui::{
        action::{Action, UiCommand},
        state::{ui_state::UiState, view_state::ViewState},
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            at,
            button::{Kind, button, icon_button},
            cover::Covers,
            dashed_outline, focus_ring,
            icon::{self, Icon},
            label,
            layout::{at_bottom, centred, rest, row, row_from_right, stack, wrapped},
            one_line, plain,
            surface::{Surface, within},
        },
    },
};

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
        ground(ui, cx);
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        head(ui, cx);
        Frame::NONE.inner_margin(margin::LIBRARY).show(ui, |ui| self.search_ui(ui, cx));
        ui.add_space(space::MEDIUM);
        at_bottom(ui, "jobs line", |ui| jobs_line(ui, cx));
        if cx.ui_state.marked.len() > 1 {
            at_bottom(ui, "marked", |ui| marked_ui(ui, cx));
        } else if cx.ui_state.selected.is_some() {
            at_bottom(ui, "drop zone", |ui| drop_zone(ui, cx));
        }
        // Without a song, the empty window is a large drop zone.
        ui.spacing_mut().item_spacing.y = space::CLOSE;
        notices::undo(ui, cx, margin::LIBRARY);
        notices::model_import(ui, cx, margin::LIBRARY);
        notices::library(ui, cx, margin::LIBRARY);
        ui.spacing_mut().item_spacing.y = 0.0;
        Frame::NONE.inner_margin(margin::BORDER).show(ui, |ui| self.list_ui(ui, cx, covers));
    }

    fn search_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let hint = fl!(library_search_hint, count = cx.state.songs().len());
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), size::LIBRARY_FIELD));
        ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
        let response = within(ui, rect, margin::SEARCH, |ui| {
            let add = |ui: &mut Ui| {
                Icon::Search.show(ui, size::ICON, cx.tokens.faint);
                ui.add_space(space::SMALL);
                let edit = TextEdit::singleline(&mut self.search)
                    .id(Id::unique("search"))
                    .hint_text(hint)
                    .font(font(text::BODY, Weight::Regular))
                    .background_color(Color32::TRANSPARENT)
                    .frame(egui::Frame::NONE)
                    .margin(0)
                    .align(egui::Align2::LEFT_CENTER)
                    .min_size(ui.available_size())
                    .desired_width(ui.available_width());
                ui.add(edit).accessible_name(fl!(library_search))
            };
            row(ui, size::LIBRARY_FIELD, add).inner
        });
        if std::mem::take(&mut self.focus_search) {
            response.request_focus();
        }
        focus_ring(ui, &response, rect, radius::FIELD);
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
            self.search.clear();
        }
    }
}

/// Fills the background, with a line at the right.
fn ground(ui: &Ui, cx: &Cx<'_>) {
    let full = ui.max_rect();
    ui.painter().rect_filled(full, 0, cx.tokens.panel);
    ui.painter().vline(full.right() - 0.5, full.y_range(), Stroke::new(1.0, cx.tokens.line));
}

/// Draws the notices of the collapsed library at the bottom left of the page.
pub fn notices_beside(ui: &mut Ui, cx: &mut Cx<'_>) {
    within(ui, ui.max_rect(), margin::OVERLAY, |ui| {
        ui.set_max_width(size::NOTICES.min(ui.available_width()));
        ui.spacing_mut().item_spacing.y = space::CLOSE;
        notices::model_import(ui, cx, Margin::ZERO);
        notices::library(ui, cx, Margin::ZERO);
    });
}

/// Draws the strip that replaces the collapsed library.
pub fn strip(ui: &mut Ui, cx: &mut Cx<'_>) {
    ground(ui, cx);
    ui.spacing_mut().item_spacing = Vec2::splat(space::SMALL);
    within(ui, ui.max_rect(), margin::STRIP, |ui| {
        let middle = Layout::top_down(Align::Center);
        ui.with_layout(middle, |ui| {
            icon::stems(ui, size::MARK, size::MARK, cx.tokens);
            ui.add_space(space::SMALL);
            way(ui, cx, "strip", UiCommand::FoldLibrary, Icon::Sidebar, fl!(library_unfold));
            let add = UiCommand::AddFiles;
            way(ui, cx, "strip", add, Icon::Add, add.spec().text);
            at_bottom(ui, "strip", |ui| {
                for (verb, icon) in [
                    (UiCommand::OpenJobs, Icon::List),
                    (UiCommand::ToggleTheme, theme_icon(ui)),
                    (UiCommand::OpenSettings, Icon::Sliders),
                ] {
                    way(ui, cx, "strip", verb, icon, verb.spec().text);
                }
            });
        });
    });
}

/// Draws the button of a command as an icon.
fn way(ui: &mut Ui, cx: &mut Cx<'_>, salt: &str, verb: UiCommand, icon: Icon, name: &str) {
    let ink = cx.tokens.dim;
    let response = icon_button(ui, (salt, verb), size::ICON_BUTTON, icon, name, None, ink);
    if response.on_hover_text(verb.hint(ui)).clicked() {
        cx.verb(verb);
    }
}

fn theme_icon(ui: &Ui) -> Icon {
    if ui.theme() == egui::Theme::Dark { Icon::Sun } else { Icon::Moon }
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>) {
    Frame::NONE.inner_margin(margin::LIBRARY_HEAD).show(ui, |ui| {
        row_from_right(ui, size::LIBRARY_HEAD, |ui| {
            for (verb, icon) in [
                (UiCommand::FoldLibrary, Icon::Sidebar),
                (UiCommand::ToggleTheme, theme_icon(ui)),
                (UiCommand::OpenSettings, Icon::Sliders),
            ] {
                way(ui, cx, "head", verb, icon, verb.spec().text);
                ui.add_space(space::TINY);
            }
            rest(ui, |ui| {
                icon::stems(ui, size::MARK, size::MARK, cx.tokens);
                ui.add_space(space::MEDIUM);
                label(ui, "Partita", font(text::NAME, Weight::SemiBold), cx.tokens.text);
            });
        });
    });
}

/// Draws the sort key, as a menu with the others.
fn sort_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let keys = [
        (SortKey::Added, fl!(library_by_added)),
        (SortKey::Title, fl!(library_by_title)),
        (SortKey::Artist, fl!(library_by_artist)),
        (SortKey::Length, fl!(library_by_length)),
        (SortKey::State, fl!(library_by_state)),
    ];
    let preferences = &cx.ui_state.preferences;
    let shown = keys.iter().find(|(key, _)| *key == preferences.sort).map_or("", |(_, name)| name);
    let (_, rect) = ui.allocate_space(size::SORT.into());
    let response = at(ui, "sort", rect, Sense::click());
    let ink = if response.hovered() { cx.tokens.text } else { cx.tokens.dim };
    let icon = if preferences.is_reversed { Icon::ChevronUp } else { Icon::ChevronDown };
    within(ui, rect, margin::SORT, |ui| {
        row(ui, rect.height(), |ui| {
            plain(ui, shown, font(text::SMALL, Weight::Medium), ink);
            ui.add_space(space::SMALL);
            icon.show(ui, size::ICON_TINY, ink);
        });
    });
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

/// Draws the number of jobs, as a line that opens their page.
fn jobs_line(ui: &mut Ui, cx: &mut Cx<'_>) {
    let text = match cx.state.job_counts() {
        (0, 0) => fl!(library_jobs_none).to_owned(),
        (0, waiting) => fl!(library_jobs_waiting, count = waiting),
        (running, 0) => fl!(library_jobs_running, count = running),
        (running, waiting) => fl!(library_jobs_both, running = running, waiting = waiting),
    };
    Frame::NONE.inner_margin(margin::LINE).show(ui, |ui| {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), size::LIBRARY_LINE));
        let response = at(ui, "jobs", rect, Sense::click());
        if response.hovered() {
            ui.painter().rect_filled(rect, radius::FIELD, cx.tokens.raised);
        }
        within(ui, rect, margin::IN_LINE, |ui| {
            row_from_right(ui, rect.height(), |ui| {
                Icon::ChevronRight.show(ui, size::ICON_SMALL, cx.tokens.dim);
                ui.add_space(space::SMALL);
                rest(ui, |ui| {
                    let strong = font(text::BODY, Weight::Medium);
                    plain(ui, fl!(library_jobs), strong, cx.tokens.text);
                    ui.add_space(space::SMALL);
                    plain(ui, &text, font(text::BODY, Weight::Regular), cx.tokens.dim);
                });
            });
        });
        focus_ring(ui, &response, rect, radius::FIELD);
        let name = format!("{}: {text}", fl!(library_jobs));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if response.on_hover_text(UiCommand::OpenJobs.hint(ui)).clicked() {
            cx.verb(UiCommand::OpenJobs);
        }
    });
}

/// Draws the actions that apply to all marked songs.
fn marked_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let songs: Vec<SongId> = cx.ui_state.marked.iter().copied().collect();
    let fill = cx.tokens.raised;
    let surface = Surface { fill, radius: radius::LANE, margin: margin::MARKED, progress: None };
    let add = |ui: &mut Ui| {
        row_from_right(ui, size::ICON_BUTTON_SMALL, |ui| {
            let (edge, dim) = (size::ICON_BUTTON_SMALL, cx.tokens.dim);
            if icon_button(ui, "unmark", edge, Icon::Close, fl!(close), None, dim).clicked() {
                cx.act(Action::Unmark);
            }
            let text = fl!(library_selected, count = songs.len());
            let strong = font(text::BODY, Weight::SemiBold);
            rest(ui, |ui| label(ui, &text, strong, cx.tokens.text));
        });
        ui.add_space(space::TINY);
        wrapped(ui, size::LINK, |ui| {
            ui.spacing_mut().item_spacing.x = space::LARGE;
            for (text, action) in [
                (fl!(library_process_all), Action::ProcessAll(songs.clone())),
                (fl!(library_export_all), Action::ExportAll(songs.clone())),
                (fl!(library_remove_all), Action::Remove(songs.clone())),
            ] {
                if button(ui, ("marked", text), size::LINK, text, Kind::Link, true).clicked() {
                    cx.act(action);
                }
            }
        });
    };
    Frame::NONE.inner_margin(margin::ZONE).show(ui, |ui| surface.show(ui, add));
}

fn drop_zone(ui: &mut Ui, cx: &mut Cx<'_>) {
    let parts = [
        (fl!(library_or_files), UiCommand::AddFiles),
        (fl!(library_or_folder), UiCommand::AddFolder),
    ];
    let add = |ui: &mut Ui| {
        ui.take_available_width();
        let body = font(text::BODY, Weight::Regular);
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            label(ui, fl!(library_drop_here), body, cx.tokens.dim);
        });
        ui.add_space(space::SMALL);
        centred(ui, "drop links", |ui| {
            wrapped(ui, size::LINK, |ui| {
                ui.spacing_mut().item_spacing.x = space::BUTTONS;
                for (text, verb) in parts {
                    let response = button(ui, ("zone", verb), size::LINK, text, Kind::Link, true);
                    if response.on_hover_text(verb.hint(ui)).clicked() {
                        cx.verb(verb);
                    }
                }
            });
        });
    };
    let zone = Frame::NONE.outer_margin(margin::ZONE).inner_margin(margin::IN_ZONE);
    let outer = zone.show(ui, add).response.rect;
    let line = Stroke::new(1.5, cx.tokens.line);
    dashed_outline(ui.painter(), outer - margin::ZONE, f32::from(radius::LANE), line);
}

/// Draws two lines of text; `tail` is never truncated in the second.
fn two_lines(ui: &mut Ui, cx: &Cx<'_>, first: &str, second: &str, tail: &str) {
    stack(ui, 2.0 * size::LINE, |ui| {
        let strong = font(text::BODY, Weight::Medium);
        row(ui, size::LINE, |ui| plain(ui, first, strong, cx.tokens.text));
        row(ui, size::LINE, |ui| {
            let (small, dim) = (font(text::SMALL, Weight::Regular), cx.tokens.dim);
            let tail_width =
                one_line(ui.painter(), tail, small.clone(), dim, f32::INFINITY).size().x;
            ui.scope(|ui| {
                ui.set_max_width((ui.available_width() - tail_width).max(0.0));
                plain(ui, second, small.clone(), dim);
            });
            plain(ui, tail, small, dim);
        });
    });
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
