//! The settings page. Every change takes effect at once.

mod chains;
mod models;

use egui::{Frame, Popup, Ui, Vec2, vec2};

use super::{Cx, form, page};
use crate::{
    engine::{
        Preferences,
        separation::{device::choice::DeviceChoice, options::Quality, pool},
        settings::{Theme, ZOOMS},
    },
    i18n::{Language, fl},
    model::{Device, Precision},
    ui::{
        action::Action,
        state::{instruments::display_order, ui_state::Question},
        theme::{Tokens, Weight, font, margin, size, space, text},
        widgets::{
            button::{Kind, button, fitted_choice},
            drop_down::DropDown,
            field::shown_text,
            layout::{rest, row_from_right, scrolled, wrapped},
            tick,
        },
        words,
    },
};

/// Height of a row.
const ROW: f32 = size::BUTTON;

/// Draws the page.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let mut new = cx.ui_state.preferences.clone();
    page::show(ui, cx, fl!(settings_title), |ui, cx| {
        scrolled(ui, "settings", space::TINY, |ui, area| {
            area.show(ui, |ui| {
                Frame::NONE.inner_margin(margin::SETTINGS).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = space::LARGE;
                    rows(ui, cx, &mut new);
                });
            });
        });
    });
    if new != cx.ui_state.preferences {
        cx.act(Action::Prefer(Box::new(new)));
    }
}

fn rows(ui: &mut Ui, cx: &mut Cx<'_>, new: &mut Preferences) {
    looks(ui, new);
    output(ui, cx, new);
    computing(ui, cx, new);
    ticks(ui, cx, new);
    home(ui, cx);
    quality(ui, new);
    models::ui(ui, cx, new);
    chains::ui(ui, cx, new);
}

/// Draws a setting: its name, and its controls at the right.
fn setting<R>(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    form::named(ui, vec2(size::SETTING_NAME, ROW), name, add)
}

/// Draws a note below a control.
fn note(ui: &mut Ui, text: &str) {
    form::note(ui, text, Tokens::of(ui).dim);
}

/// The available width, as the size of a control.
fn wide(ui: &Ui) -> Vec2 {
    form::wide(ui, ROW)
}

/// Draws a choice of a few; returns the clicked one.
fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    choices: &[(T, String)],
    chosen: T,
) -> Option<T> {
    let shown: Vec<&str> = choices.iter().map(|(_, shown)| shown.as_str()).collect();
    let at = choices.iter().position(|(choice, _)| *choice == chosen);
    fitted_choice(ui, name, wide(ui), &shown, at).map(|pressed| choices[pressed].0)
}

/// Draws a setting that is a choice of a few; returns the clicked one.
fn chosen<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    choices: &[(T, String)],
    chosen: T,
) -> Option<T> {
    setting(ui, name, |ui| choice(ui, name, choices, chosen))
}

/// Draws the rows for language, theme and size.
fn looks(ui: &mut Ui, new: &mut Preferences) {
    let mut languages = vec![(None, fl!(settings_system).to_owned())];
    languages
        .extend(Language::all().map(|language| (Some(language.tag()), language.name().to_owned())));
    let spoken = new.language.as_deref().and_then(Language::for_locale).map(Language::tag);
    if let Some(language) = chosen(ui, fl!(settings_language), &languages, spoken) {
        new.language = language.map(str::to_owned);
    }
    let themes = [
        (Theme::System, fl!(settings_system)),
        (Theme::Light, fl!(settings_light)),
        (Theme::Dark, fl!(settings_dark)),
    ];
    let themes = themes.map(|(theme, shown)| (theme, shown.to_owned()));
    if let Some(theme) = chosen(ui, fl!(settings_theme), &themes, new.theme) {
        new.theme = theme;
    }
    let zooms = ZOOMS.map(|zoom| (zoom, format!("{zoom} %")));
    if let Some(zoom) = chosen(ui, fl!(settings_zoom), &zooms, new.zoom) {
        new.zoom = zoom;
    }
}

/// Draws the sound device as a menu, because there may be many devices with long names.
fn output(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    let outputs = cx.state.outputs();
    let name_of = |id: &Option<String>| match id {
        None => fl!(settings_system).to_owned(),
        Some(id) => {
            let known = outputs.iter().find(|output| output.id == *id);
            known.map_or_else(|| id.clone(), |output| output.name.clone())
        }
    };
    let shown = name_of(&new.output);
    let menu = DropDown {
        font: font(text::BODY, Weight::Regular),
        height: ROW,
        padding: space::MEDIUM,
        gap: space::MEDIUM,
        icon: size::ICON_SMALL,
    };
    setting(ui, fl!(settings_output), |ui| {
        let name = format!("{}: {shown}", fl!(settings_output));
        let response = menu.show(ui, "output", ui.available_width(), &shown, &name);
        Popup::menu(&response).width(response.rect.width()).show(|ui| {
            let known = outputs.iter().map(|output| Some(output.id.clone()));
            for id in std::iter::once(None).chain(known) {
                if ui.selectable_label(id == new.output, name_of(&id)).clicked() {
                    new.output = id;
                }
            }
        });
        if new.output.is_some() {
            note(ui, fl!(settings_output_note));
        }
    });
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
fn memory(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    let (name, flags) = (fl!(settings_memory), cx.ui_state.flags);
    let (least, chosen) = (cx.state.least_memory(), flags.memory.or(new.memory));
    let mut choices = vec![(None, fl!(settings_memory_unlimited).to_owned())];
    choices
        .extend(limits(least, chosen).into_iter().map(|limit| (Some(limit), words::bytes(limit))));
    setting(ui, name, |ui| {
        let pressed = choice(ui, name, &choices, chosen);
        if flags.memory.is_some() {
            return note(ui, fl!(settings_by_flag));
        }
        if let Some(memory) = pressed {
            new.memory = memory;
        }
        match least.map(words::bytes) {
            Some(least) => note(ui, &fl!(settings_memory_least, least = least)),
            None => note(ui, fl!(settings_memory_unknown)),
        }
    });
}

/// Draws the row for the threads.
fn threads(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    let (name, flags) = (fl!(settings_threads), cx.ui_state.flags);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = vec![(None, fl!(settings_threads_all, count = cores))];
    // Powers of two only, because a choice of every count up to 64 would be too long.
    let some = std::iter::successors(Some(1), |count| Some(count * 2));
    threads.extend(
        some.take_while(|count| *count < cores).map(|count| (Some(count), count.to_string())),
    );
    let chosen = flags.threads.or(new.threads).filter(|count| *count < cores);
    setting(ui, name, |ui| {
        let pressed = choice(ui, name, &threads, chosen);
        if flags.threads.is_some() {
            return note(ui, fl!(settings_by_flag));
        }
        if let Some(threads) = pressed {
            new.threads = threads;
        }
        note(ui, fl!(settings_threads_note));
    });
}

/// Draws the row for the device, if there is more than the processor to choose from. candle on the
/// processor is left to the command line.
fn device(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    let (name, flag) = (fl!(settings_device), cx.ui_state.flags.device);
    if cx.state.cards().is_empty() {
        return;
    }
    let only = DeviceChoice::Only;
    let mut choices = vec![
        (DeviceChoice::Auto, fl!(settings_device_auto).to_owned()),
        (only(Device::Cpu), fl!(settings_device_processor).to_owned()),
    ];
    choices.extend(cx.state.cards().iter().map(|card| (only(card.device), card.name.clone())));
    setting(ui, name, |ui| {
        let pressed = choice(ui, name, &choices, flag.unwrap_or(new.device));
        if flag.is_some() {
            return note(ui, fl!(settings_by_flag));
        }
        if let Some(device) = pressed {
            new.device = device;
        }
        note(ui, fl!(settings_device_note));
    });
}

/// Draws the rows for threads, memory, device and precision.
fn computing(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    threads(ui, cx, new);
    memory(ui, cx, new);
    device(ui, cx, new);
    let (name, flags) = (fl!(settings_precision), cx.ui_state.flags);
    let has_fast = pool::has_fast_precision();
    let mut precisions = vec![(Precision::Single, fl!(settings_single).to_owned())];
    if has_fast {
        precisions.push((Precision::Fast, fl!(settings_fast).to_owned()));
    }
    let chosen = flags.precision.unwrap_or(new.precision);
    let text = match (flags.precision, chosen) {
        (Some(_), _) => fl!(settings_by_flag),
        (None, _) if !has_fast => fl!(settings_fast_missing),
        (None, Precision::Single) => fl!(settings_single_note),
        (None, Precision::Fast) => fl!(settings_fast_note),
    };
    setting(ui, name, |ui| {
        let pressed = choice(ui, name, &precisions, chosen);
        if let (None, Some(precision)) = (flags.precision, pressed) {
            new.precision = precision;
        }
        note(ui, text);
    });
}

/// Draws the row for the default quality of new songs.
fn quality(ui: &mut Ui, new: &mut Preferences) {
    let names = [fl!(song_quality_draft), fl!(song_quality_standard), fl!(song_quality_best)]
        .map(str::to_owned);
    let qualities: Vec<_> = Quality::PRESETS.into_iter().zip(names).collect();
    if let Some(quality) = chosen(ui, fl!(song_quality), &qualities, new.quality) {
        new.quality = quality;
    }
}

/// Draws the row for the instruments that are ticked in a new song.
fn ticks(ui: &mut Ui, cx: &Cx<'_>, new: &mut Preferences) {
    let sources = cx.state.sources();
    setting(ui, fl!(settings_ticks), |ui| {
        wrapped(ui, ROW, |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(space::SMALL);
            ui.set_min_height(ROW);
            for stem in display_order(sources).into_iter().map(|i| &sources[i]) {
                let name = words::stem_title(stem);
                let is_ticked = new.ticks.as_ref().is_none_or(|ticks| ticks.contains(stem));
                let (salt, color) = (("new songs", stem), cx.tokens.stem(stem));
                if tick::tick(ui, salt, ROW, &name, is_ticked, color).clicked() {
                    tick_in_new_songs(new, sources, stem, !is_ticked);
                }
            }
        });
        let is_empty = sources.is_empty();
        note(ui, if is_empty { fl!(settings_ticks_later) } else { fl!(settings_ticks_note) });
    });
}

fn tick_in_new_songs(new: &mut Preferences, sources: &[String], stem: &String, is_ticked: bool) {
    let mut ticks = new.ticks.take().unwrap_or_else(|| sources.to_vec());
    if is_ticked {
        ticks.push(stem.clone());
    } else {
        ticks.retain(|other| other != stem);
    }
    // All ticks are stored as `None`, which stands for all instruments of any model.
    new.ticks = Some(ticks).filter(|ticks| !sources.iter().all(|source| ticks.contains(source)));
}

/// Draws the data folder, its sizes, and the ways to free space.
fn home(ui: &mut Ui, cx: &mut Cx<'_>) {
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
    setting(ui, fl!(settings_home), |ui| {
        row_from_right(ui, ROW, |ui| {
            let can = state.home().is_some();
            let response = button(ui, "show home", ROW, fl!(show), Kind::Quiet, can);
            if response.on_hover_text(fl!(show_tooltip)).clicked()
                && let Some(home) = state.home()
            {
                // The file manager opens the folder that contains the given file.
                cx.act(Action::Show(home.folder.join("settings.toml")));
            }
            ui.add_space(space::MEDIUM);
            rest(ui, |ui| shown_text(ui, wide(ui), &path));
        });
        note(ui, &sizes);
        ui.add_space(space::SMALL);
        ways(ui, cx);
        if let Some(path) = state.report() {
            note(ui, &fl!(settings_report_saved, path = &path.display().to_string()));
        }
    });
}

/// Draws the buttons that free space, reset the library, and save a report.
fn ways(ui: &mut Ui, cx: &mut Cx<'_>) {
    wrapped(ui, ROW, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::MEDIUM);
        let can = cx.state.songs().len() > 0;
        for (text, question) in
            [(fl!(settings_clear), Question::ClearStems), (fl!(settings_reset), Question::Reset)]
        {
            if button(ui, ("home", text), ROW, text, Kind::Quiet, can).clicked() {
                cx.act(Action::Ask(Some(question)));
            }
        }
        let response = button(ui, "report", ROW, fl!(settings_report), Kind::Quiet, true);
        if response.on_hover_text(fl!(settings_report_tooltip)).clicked() {
            cx.act(Action::ChooseReport);
        }
    });
}
