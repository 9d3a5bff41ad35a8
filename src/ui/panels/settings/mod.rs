//! The settings page. Every change takes effect at once.

mod models;

use egui::{Align2, Popup, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Cx, page};
use crate::{
    engine::{
        Preferences,
        separation::{options::Quality, pool},
        settings::{Theme, ZOOMS},
    },
    i18n::{Language, fl},
    model::Precision,
    ui::{
        action::Action,
        state::{ui_state::Question, view_state::ViewState},
        theme::{Tokens, Weight, font, radius, text},
        widgets::{
            at,
            button::{Kind, button, fitted_choice, width},
            focus_ring,
            icon::Icon,
            label, paint_text, tick,
        },
        words,
    },
};

const ROW: f32 = 36.0;
const NAMES: f32 = 168.0;
/// Height of all rows; taller content scrolls.
const HEIGHT: f32 = 692.0;
/// Space for focus rings.
const RING: f32 = 4.0;

/// Draws the page.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let area = page::head(ui, cx, fl!(settings_title));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(area).id_salt("settings"));
    child.shrink_clip_rect(area.expand2(vec2(RING, 0.0)));
    let mut new = cx.ui_state.preferences.clone();
    ScrollArea::vertical().id_salt("settings").auto_shrink(false).show(&mut child, |ui| {
        let wide = ui.available_width();
        let tall = HEIGHT + models::height(ui, cx, wide - NAMES - 12.0);
        let (rect, _) = ui.allocate_exact_size(vec2(wide, tall), Sense::hover());
        let rect = Rect::from_min_max(rect.min, rect.max - vec2(12.0, 0.0));
        let mut form = Form { top: rect.top(), rect, tokens: cx.tokens };
        looks(ui, &mut form, &mut new);
        output(ui, cx, &mut form, &mut new);
        computing(ui, cx, &mut form, &mut new);
        ticks(ui, cx, &mut form, &mut new);
        home(ui, cx, &mut form);
        quality(ui, &mut form, &mut new);
        models::ui(ui, cx, &mut form, &mut new);
    });
    if new != cx.ui_state.preferences {
        cx.act(Action::Prefer(Box::new(new)));
    }
}

/// Rows with their names on the left, from the top down.
struct Form {
    top: f32,
    rect: Rect,
    tokens: &'static Tokens,
}

impl Form {
    /// Adds a row and returns the area of its controls.
    fn row(&mut self, ui: &Ui, name: &str) -> Rect {
        let row = Rect::from_min_size(pos2(self.rect.left(), self.top), vec2(NAMES - 12.0, ROW));
        self.top = row.bottom() + 16.0;
        let body = font(text::BODY, Weight::Medium);
        label(ui, ("setting", name), row, Align2::LEFT_CENTER, name, body, self.tokens.dim);
        let min = pos2(self.rect.left() + NAMES, row.top());
        Rect::from_min_max(min, pos2(self.rect.right() - RING, row.bottom()))
    }

    /// Draws a line below the last row.
    fn note(&mut self, ui: &Ui, salt: &str, text: &str) {
        let top = self.top - 12.0;
        let min = pos2(self.rect.left() + NAMES, top);
        let line = Rect::from_min_max(min, pos2(self.rect.right(), top + 16.0));
        self.top = line.bottom() + 16.0;
        let small = font(text::SMALL, Weight::Regular);
        label(ui, salt, line, Align2::LEFT_CENTER, text, small, self.tokens.dim);
    }

    /// The width beside the names.
    fn body_width(&self) -> f32 {
        self.rect.width() - NAMES - RING
    }

    /// Reserves an area beside the names, below the last row.
    fn block(&mut self, tall: f32) -> Rect {
        let min = pos2(self.rect.left() + NAMES, self.top - 8.0);
        let block = Rect::from_min_size(min, vec2(self.body_width(), tall));
        self.top = block.bottom() + 16.0;
        block
    }

    /// Draws a row of a few choices; returns the clicked one.
    fn choice<T: Copy + PartialEq>(
        &mut self,
        ui: &Ui,
        name: &str,
        choices: &[(T, String)],
        chosen: T,
    ) -> Option<T> {
        let row = self.row(ui, name);
        let shown: Vec<&str> = choices.iter().map(|(_, shown)| shown.as_str()).collect();
        let at = choices.iter().position(|(choice, _)| *choice == chosen);
        fitted_choice(ui, name, row, &shown, at).map(|pressed| choices[pressed].0)
    }
}

/// Draws the rows for language, theme and size.
fn looks(ui: &Ui, form: &mut Form, new: &mut Preferences) {
    let mut languages = vec![(None, fl!(settings_system).to_owned())];
    languages
        .extend(Language::all().map(|language| (Some(language.tag()), language.name().to_owned())));
    let chosen = new.language.as_deref().and_then(Language::for_locale).map(Language::tag);
    if let Some(language) = form.choice(ui, fl!(settings_language), &languages, chosen) {
        new.language = language.map(str::to_owned);
    }
    let themes = [
        (Theme::System, fl!(settings_system)),
        (Theme::Light, fl!(settings_light)),
        (Theme::Dark, fl!(settings_dark)),
    ];
    let themes = themes.map(|(theme, shown)| (theme, shown.to_owned()));
    if let Some(theme) = form.choice(ui, fl!(settings_theme), &themes, new.theme) {
        new.theme = theme;
    }
    let zooms = ZOOMS.map(|zoom| (zoom, format!("{zoom} %")));
    if let Some(zoom) = form.choice(ui, fl!(settings_zoom), &zooms, new.zoom) {
        new.zoom = zoom;
    }
}

/// Draws the sound device as a menu, because there may be many devices with long names.
fn output(ui: &mut Ui, cx: &Cx<'_>, form: &mut Form, new: &mut Preferences) {
    let row = form.row(ui, fl!(settings_output));
    let outputs = cx.state.outputs();
    let name_of = |id: &Option<String>| match id {
        None => fl!(settings_system).to_owned(),
        Some(id) => {
            let known = outputs.iter().find(|output| output.id == *id);
            known.map_or_else(|| id.clone(), |output| output.name.clone())
        }
    };
    let shown = name_of(&new.output);
    let response = at(ui, "output", row, Sense::click());
    let fill = if response.hovered() { form.tokens.hovered } else { form.tokens.raised };
    ui.painter().rect_filled(row, radius::FIELD, fill);
    let inner = Rect::from_min_max(row.min + vec2(12.0, 0.0), row.max - vec2(36.0, 0.0));
    let body = font(text::BODY, Weight::Regular);
    paint_text(ui.painter(), inner, Align2::LEFT_CENTER, &shown, body, form.tokens.text);
    let sign = Rect::from_center_size(row.right_center() - vec2(20.0, 0.0), vec2(12.0, 12.0));
    Icon::ChevronDown.paint(ui.painter(), sign, form.tokens.dim);
    focus_ring(ui, &response, row, radius::FIELD);
    let name = format!("{}: {shown}", fl!(settings_output));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    Popup::menu(&response).width(row.width()).show(|ui| {
        let ids = std::iter::once(None).chain(outputs.iter().map(|output| Some(output.id.clone())));
        for id in ids {
            if ui.selectable_label(id == new.output, name_of(&id)).clicked() {
                new.output = id;
            }
        }
    });
    if new.output.is_some() {
        form.note(ui, "output note", fl!(settings_output_note));
    }
}

/// Offered memory limits in bytes: the minimum for the model, a little more, round figures, and the
/// current limit.
fn limits(least: Option<u64>, chosen: Option<u64>) -> Vec<u64> {
    const STEP: u64 = 100_000_000;
    let least = least.map_or(10 * STEP, |least| least.next_multiple_of(STEP));
    let mut limits = vec![least, least + STEP];
    limits.extend(
        [10, 20, 40].map(|steps| steps * STEP).iter().filter(|limit| **limit > least + STEP),
    );
    limits.extend(chosen);
    limits.sort_unstable();
    limits.dedup();
    limits
}

/// Draws the row for the memory limit.
fn memory(ui: &Ui, cx: &Cx<'_>, form: &mut Form, new: &mut Preferences) {
    let flags = cx.ui_state.flags;
    let (least, chosen) = (cx.state.least_memory(), flags.memory.or(new.memory));
    let mut choices = vec![(None, fl!(settings_memory_unlimited).to_owned())];
    choices
        .extend(limits(least, chosen).into_iter().map(|limit| (Some(limit), words::bytes(limit))));
    let pressed = form.choice(ui, fl!(settings_memory), &choices, chosen);
    if flags.memory.is_some() {
        return form.note(ui, "memory by flag", fl!(settings_by_flag));
    }
    if let Some(memory) = pressed {
        new.memory = memory;
    }
    match least.map(words::bytes) {
        Some(least) => form.note(ui, "memory note", &fl!(settings_memory_least, least = least)),
        None => form.note(ui, "memory note", fl!(settings_memory_unknown)),
    }
}

/// Draws the rows for threads, memory and precision.
fn computing(ui: &Ui, cx: &Cx<'_>, form: &mut Form, new: &mut Preferences) {
    let flags = cx.ui_state.flags;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = vec![(None, fl!(settings_threads_all, count = cores))];
    // Powers of two only, because a choice of every count up to 64 would be too long.
    let some = std::iter::successors(Some(1), |count| Some(count * 2));
    threads.extend(
        some.take_while(|count| *count < cores).map(|count| (Some(count), count.to_string())),
    );
    let chosen = flags.threads.or(new.threads);
    let pressed =
        form.choice(ui, fl!(settings_threads), &threads, chosen.filter(|count| *count < cores));
    match (flags.threads, pressed) {
        (None, Some(threads)) => new.threads = threads,
        (Some(_), _) => form.note(ui, "threads by flag", fl!(settings_by_flag)),
        (None, None) => {}
    }
    if flags.threads.is_none() {
        form.note(ui, "threads note", fl!(settings_threads_note));
    }
    memory(ui, cx, form, new);
    let has_fast = pool::has_fast_precision();
    let mut precisions = vec![(Precision::Single, fl!(settings_single).to_owned())];
    if has_fast {
        precisions.push((Precision::Fast, fl!(settings_fast).to_owned()));
    }
    let chosen = flags.precision.unwrap_or(new.precision);
    let pressed = form.choice(ui, fl!(settings_precision), &precisions, chosen);
    let note = match (flags.precision, chosen) {
        (Some(_), _) => fl!(settings_by_flag),
        (None, _) if !has_fast => fl!(settings_fast_missing),
        (None, Precision::Single) => fl!(settings_single_note),
        (None, Precision::Fast) => fl!(settings_fast_note),
    };
    if let (None, Some(precision)) = (flags.precision, pressed) {
        new.precision = precision;
    }
    form.note(ui, "precision note", note);
}

/// Draws the row for the default quality of new songs.
fn quality(ui: &Ui, form: &mut Form, new: &mut Preferences) {
    let names = [fl!(song_quality_draft), fl!(song_quality_standard), fl!(song_quality_best)]
        .map(str::to_owned);
    let qualities: Vec<_> = Quality::PRESETS.into_iter().zip(names).collect();
    if let Some(quality) = form.choice(ui, fl!(song_quality), &qualities, new.quality) {
        new.quality = quality;
    }
}

/// Draws the row for the instruments that are ticked in a new song.
fn ticks(ui: &Ui, cx: &Cx<'_>, form: &mut Form, new: &mut Preferences) {
    let row = form.row(ui, fl!(settings_ticks));
    let sources = cx.state.sources();
    let mut x = row.left();
    for stem in ViewState::display_order(sources).into_iter().map(|i| &sources[i]) {
        let name = words::stem_title(stem);
        let place = Rect::from_min_size(pos2(x, row.top()), vec2(tick::width(ui, &name), ROW));
        let is_ticked = new.ticks.as_ref().is_none_or(|ticks| ticks.contains(stem));
        let color = cx.tokens.stem(stem);
        let salt = ("new songs", stem);
        if tick::tick(ui, salt, place, &name, is_ticked, color).clicked() {
            let mut ticks = new.ticks.take().unwrap_or_else(|| sources.to_vec());
            if is_ticked {
                ticks.retain(|other| other != stem);
            } else {
                ticks.push(stem.clone());
            }
            // All ticks are stored as `None`, which stands for all instruments of any model.
            new.ticks =
                Some(ticks).filter(|ticks| !sources.iter().all(|source| ticks.contains(source)));
        }
        x = place.right() + 8.0;
    }
    let note =
        if sources.is_empty() { fl!(settings_ticks_later) } else { fl!(settings_ticks_note) };
    form.note(ui, "ticks note", note);
}

/// Draws the data folder, its sizes, and the ways to free space.
fn home(ui: &Ui, cx: &mut Cx<'_>, form: &mut Form) {
    let row = form.row(ui, fl!(settings_home));
    let state = cx.state;
    let (path, sizes) = match state.home() {
        Some(home) => {
            let sizes = fl!(
                settings_sizes,
                all = &words::bytes(home.all),
                stems = &words::bytes(home.stems)
            );
            (home.folder.display().to_string(), sizes)
        }
        None => (String::new(), fl!(settings_measuring).to_owned()),
    };
    let wide = width(ui, fl!(show), Kind::Quiet) - 8.0;
    let place = Rect::from_min_max(pos2(row.right() - wide, row.top()), row.max);
    let folder = Rect::from_min_max(row.min, pos2(place.left() - 12.0, row.bottom()));
    ui.painter().rect_filled(folder, radius::FIELD, cx.tokens.raised);
    let body = font(text::BODY, Weight::Regular);
    let inner = folder.shrink2(vec2(12.0, 0.0));
    label(ui, "home", inner, Align2::LEFT_CENTER, &path, body, cx.tokens.text);
    let response = button(ui, "show home", place, fl!(show), Kind::Quiet, state.home().is_some());
    if response.on_hover_text(fl!(show_tooltip)).clicked()
        && let Some(home) = state.home()
    {
        // The file manager opens the folder that contains the given file.
        cx.act(Action::Show(home.folder.join("settings.toml")));
    }
    form.note(ui, "home sizes", &sizes);
    let mut x = folder.left();
    for (text, question) in
        [(fl!(settings_clear), Question::ClearStems), (fl!(settings_reset), Question::Reset)]
    {
        let wide = width(ui, text, Kind::Quiet);
        let place = Rect::from_min_size(pos2(x, form.top - 4.0), vec2(wide, ROW));
        let can = state.songs().len() > 0;
        if button(ui, ("home", text), place, text, Kind::Quiet, can).clicked() {
            cx.act(Action::Ask(Some(question)));
        }
        x = place.right() + 12.0;
    }
    let wide = width(ui, fl!(settings_report), Kind::Quiet);
    let place = Rect::from_min_size(pos2(x, form.top - 4.0), vec2(wide, ROW));
    let response = button(ui, "report", place, fl!(settings_report), Kind::Quiet, true);
    if response.on_hover_text(fl!(settings_report_tooltip)).clicked() {
        cx.act(Action::ChooseReport);
    }
    form.top += ROW + 12.0;
    if let Some(path) = state.report() {
        form.top = place.bottom() + 20.0;
        form.note(
            ui,
            "report saved",
            &fl!(settings_report_saved, path = &path.display().to_string()),
        );
    }
}
