//! The options of a separation: the model, the quality, and the existing versions.

use egui::{Popup, Ui, vec2};

use super::Cx;
use crate::{
    engine::{
        Song,
        separation::options::{Preset, QualityCost, SeparationOptions},
    },
    i18n::fl,
    model::weights::State,
    ui::{
        action::{Action, UiCommand},
        state::view_state::{OpenSong, Shown},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button, fitted_choice, fitted_width},
            drop_down::DropDown,
            layout::wrapped,
            tick,
        },
        words,
    },
};

/// Draws the model, the qualities with their costs, and the draft option, from the left in as many
/// rows as needed.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song, open: &OpenSong, shown: &Shown) {
    wrapped(ui, tick::HEIGHT, |ui| {
        ui.spacing_mut().item_spacing = vec2(space::MEDIUM, space::SMALL);
        model(ui, cx, song, shown);
        offers(ui, cx, song, open, shown);
        if !shown.options.quality.is_draft {
            let (text, color) = (fl!(song_draft_first), cx.tokens.accent);
            let is_on = cx.ui_state.preferences.drafts_first;
            let response = tick::tick(ui, "drafts first", tick::HEIGHT, text, is_on, color);
            if response.on_hover_text(fl!(song_draft_first_tooltip)).clicked() {
                let mut new = cx.ui_state.preferences.clone();
                new.drafts_first = !is_on;
                cx.act(Action::Prefer(Box::new(new)));
            }
        }
        if shown.versions.len() > 1 {
            let text = fl!(song_versions, count = shown.versions.len());
            let response = button(ui, "versions", tick::HEIGHT, &text, Kind::Link, true);
            if response.on_hover_text(UiCommand::NextVersion.hint(ui)).clicked() {
                cx.verb(UiCommand::NextVersion);
            }
        }
    });
}

/// Draws the qualities with their costs.
fn offers(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song, open: &OpenSong, shown: &Shown) {
    let ticked = cx.ui_state.ticked(song.id, open.instruments());
    let words_of = |offer| offer_words(offer, open.seconds_for(&ticked, offer));
    let names: Vec<String> = shown.offers.iter().map(words_of).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let chosen = shown.offers.iter().position(|offer| offer.quality == shown.options.quality);
    let size = vec2(fitted_width(ui, &names).min(ui.available_width()), tick::HEIGHT);
    if let Some(pressed) = fitted_choice(ui, fl!(song_quality), size, &names, chosen) {
        let options =
            SeparationOptions { quality: shown.offers[pressed].quality, ..shown.options.clone() };
        cx.act(Action::ChooseOptions(song.id, options));
    }
}

/// Draws the model as a menu.
fn model(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song, shown: &Shown) {
    let name = &shown.options.model;
    let menu = DropDown {
        font: font(text::BODY, Weight::Medium),
        height: tick::HEIGHT,
        padding: space::MEDIUM,
        gap: space::LARGE,
        icon: size::ICON_SMALL,
    };
    let wide = menu.width(ui, name).min(ui.available_width());
    let response = menu.show(ui, "model", wide, name, &format!("{}: {name}", fl!(song_model)));
    let has_weak_piano = shown.options.model == "htdemucs_6s";
    let mut chosen = None;
    Popup::menu(&response).show(|ui| {
        let installed =
            |model: &&crate::engine::ModelEntry| matches!(model.state, State::Installed { .. });
        for model in cx.state.models().iter().filter(installed) {
            if ui.selectable_label(model.name == *name, &model.name).clicked() {
                chosen = Some(model.name.clone());
            }
        }
        let mut chains =
            cx.state.chains().iter().filter(|chain| !chain.stems.is_empty()).peekable();
        if chains.peek().is_some() {
            ui.separator();
        }
        for chain in chains {
            let response = ui.selectable_label(chain.name == *name, &chain.name);
            let response = match chain.file.title.trim() {
                "" => response,
                title => response.on_hover_text(title),
            };
            if response.clicked() {
                chosen = Some(chain.name.clone());
            }
        }
    });
    if has_weak_piano {
        response.on_hover_text(fl!(song_piano_is_weak));
    }
    if let Some(model) = chosen.filter(|model| model != name) {
        cx.act(Action::UseModel(song.id, model));
    }
}

/// A quality and its duration.
fn offer_words(offer: &QualityCost, seconds: Option<f64>) -> String {
    let name = quality_name(offer.preset);
    match seconds {
        Some(seconds) => format!("{name} · {}", words::duration(seconds)),
        None => name.to_owned(),
    }
}

fn quality_name(preset: Option<Preset>) -> &'static str {
    match preset {
        Some(Preset::Draft) => fl!(song_quality_draft),
        Some(Preset::Standard) => fl!(song_quality_standard),
        Some(Preset::Best) => fl!(song_quality_best),
        None => fl!(song_quality_custom),
    }
}
