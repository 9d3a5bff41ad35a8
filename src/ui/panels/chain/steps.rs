//! The steps of a chain: the network and the input of each.

use egui::{Ui, vec2};

use super::{Change, Place, ROW, card, installed, menu, named, text_field};
use crate::{
    i18n::fl,
    ui::{
        state::{
            chain_form::{ChainForm, StepForm},
            view_state::ViewState,
        },
        theme::{size, space},
        widgets::{
            button::{Kind, button},
            layout::wrapped,
        },
        words,
    },
};

/// Draws the steps, and the button that adds one.
pub fn ui(ui: &mut Ui, state: &ViewState, new: &mut ChainForm) {
    let mut changed: Option<(Place<'_>, Change)> = None;
    let names: Vec<String> =
        (1..=new.steps.len()).map(|number| fl!(editor_step, number = number)).collect();
    for (at, name) in names.iter().enumerate() {
        let place = Place { salt: "chain step", at, count: names.len(), name };
        card(ui, |ui| {
            let mut id = new.steps[at].id.clone();
            let field_name = fl!(editor_name_of, item = name);
            if let Some(change) = place.head(ui, &field_name, &mut id) {
                changed = Some((place, change));
            }
            if id != new.steps[at].id {
                new.rename_step(at, id);
            }
            network(ui, state, place, &mut new.steps[at]);
            input(ui, place, new);
        });
    }
    if let Some((place, change)) = changed {
        place.apply(&mut new.steps, change);
    }
    if button(ui, "chain add step", ROW, fl!(editor_add_step), Kind::Quiet, true).clicked() {
        new.add_step();
    }
}

/// Draws the network: any that makes certain stems, or an installed model.
fn network(ui: &mut Ui, state: &ViewState, place: Place<'_>, step: &mut StepForm) {
    let (name, at) = (fl!(editor_network, item = place.name), place.at);
    let mut entries = vec![(None, fl!(editor_any_network).to_owned())];
    entries.extend(installed(state).map(|model| (Some(model.name.clone()), model.name.clone())));
    let missing = step.model.clone().unwrap_or_default();
    named(ui, fl!(editor_network_label), |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::SMALL;
            let wide = if step.model.is_none() { size::CHAIN_MENU } else { ui.available_width() };
            let salt = ("chain network", at);
            if let Some(model) = menu(ui, salt, wide, &name, &entries, &step.model, &missing) {
                let found = installed(state).find(|other| Some(&other.name) == model.as_ref());
                if let Some(found) = found {
                    step.makes = found.sources.join(", ");
                }
                step.set_model(model);
            }
            if step.model.is_none() {
                let name = fl!(editor_makes, item = place.name);
                text_field(ui, ("chain makes", at), &name, "drums, bass", &mut step.makes);
            }
        });
    });
}

/// Draws the input: the song or a stem, minus stems.
fn input(ui: &mut Ui, place: Place<'_>, new: &mut ChainForm) {
    let (name, at) = (fl!(editor_input, item = place.name), place.at);
    let stems: Vec<String> = new.stem_names();
    let mut entries = vec![(None, fl!(editor_song).to_owned())];
    entries.extend(stems.iter().map(|stem| (Some(stem.clone()), words::stem_title(stem))));
    // A rest cannot be subtracted.
    let rests: Vec<String> =
        new.stems.iter().filter(|stem| stem.is_rest).map(|stem| stem.name.clone()).collect();
    let step = &mut new.steps[at];
    let unknown = step.of.clone().unwrap_or_default();
    named(ui, fl!(editor_input_label), |ui| {
        let (salt, wide) = (("chain input", at), size::CHAIN_MENU);
        if let Some(of) = menu(ui, salt, wide, &name, &entries, &step.of, &unknown) {
            step.minus.retain(|stem| Some(stem) != of.as_ref());
            step.of = of;
        }
    });
    let others: Vec<String> =
        stems.into_iter().filter(|stem| Some(stem) != step.of.as_ref()).collect();
    let others: Vec<String> = others
        .into_iter()
        .filter(|stem| !rests.contains(stem) || step.minus.contains(stem))
        .collect();
    if others.is_empty() {
        return;
    }
    named(ui, fl!(editor_minus_label), |ui| {
        wrapped(ui, size::CHAIN_CHIP, |ui| {
            ui.spacing_mut().item_spacing = vec2(space::CLOSE, space::CLOSE);
            for stem in others {
                let is_on = step.minus.contains(&stem);
                let name = fl!(editor_minus, item = place.name, stem = words::stem(&stem));
                let (salt, shown) = (("chain minus", at, &stem), words::stem_title(&stem));
                if super::chip(ui, salt, &shown, &name, is_on) {
                    if is_on {
                        step.minus.retain(|other| *other != stem);
                    } else {
                        step.minus.push(stem.clone());
                    }
                }
            }
        });
    });
}
