//! The stems of a chain: their places in the tree, and the outputs that make them.

use egui::Ui;

use super::{Change, Place, ROW, card, menu, named, text_field};
use crate::{
    engine::separation::chain::CombineBy,
    i18n::fl,
    ui::{
        state::chain_form::{ChainForm, OutputForm, StemForm},
        theme::{Tokens, size, space},
        widgets::{
            button::{Kind, button, fitted_choice, icon_button},
            icon::Icon,
            layout::{rest, row_from_right},
        },
        words,
    },
};

/// Draws the stems, and the button that adds one.
pub fn ui(ui: &mut Ui, new: &mut ChainForm) {
    let mut changed: Option<(Place<'_>, Change)> = None;
    let names: Vec<String> =
        (1..=new.stems.len()).map(|number| fl!(editor_stem, number = number)).collect();
    for (at, name) in names.iter().enumerate() {
        let place = Place { salt: "chain stem", at, count: names.len(), name };
        card(ui, |ui| {
            let mut typed = new.stems[at].name.clone();
            let field_name = fl!(editor_name_of, item = name);
            if let Some(change) = place.head(ui, &field_name, &mut typed) {
                changed = Some((place, change));
            }
            if typed != new.stems[at].name {
                new.rename_stem(at, typed);
            }
            whole(ui, place, new);
            source(ui, place, new);
        });
    }
    if let Some((place, change)) = changed {
        place.apply(&mut new.stems, change);
    }
    if button(ui, "chain add stem", ROW, fl!(editor_add_stem), Kind::Quiet, true).clicked() {
        new.add_stem();
    }
}

/// Draws the stem that this one is a part of.
fn whole(ui: &mut Ui, place: Place<'_>, new: &mut ChainForm) {
    let (name, at) = (fl!(editor_whole, item = place.name), place.at);
    let own = new.stems[at].name.clone();
    let mut entries = vec![(None, fl!(editor_song).to_owned())];
    let others = new.stem_names().into_iter().filter(|stem| *stem != own);
    entries.extend(others.map(|stem| (Some(stem.clone()), words::stem_title(&stem))));
    let stem = &mut new.stems[at];
    let unknown = stem.parent.clone().unwrap_or_default();
    named(ui, fl!(editor_whole_label), |ui| {
        let (salt, wide) = (("chain whole", at), size::CHAIN_MENU);
        if let Some(parent) = menu(ui, salt, wide, &name, &entries, &stem.parent, &unknown) {
            stem.parent = parent;
        }
    });
}

/// Draws the source: outputs of steps, or what is left.
fn source(ui: &mut Ui, place: Place<'_>, new: &mut ChainForm) {
    let steps: Vec<(String, String)> =
        new.steps.iter().map(|step| (step.id.clone(), step.id.clone())).collect();
    let at = place.at;
    let stem = &mut new.stems[at];
    named(ui, fl!(editor_source_label), |ui| {
        ui.spacing_mut().item_spacing.y = space::SMALL;
        let kinds = [fl!(editor_from_steps), fl!(editor_from_rest)];
        let (name, wide) = (fl!(editor_source, item = place.name), super::form::wide(ui, ROW));
        let chosen = Some(usize::from(stem.is_rest));
        if let Some(pressed) = fitted_choice(ui, &name, wide, &kinds, chosen) {
            stem.is_rest = pressed == 1;
            if !stem.is_rest && stem.outputs.is_empty() {
                stem.outputs.push(OutputForm::default());
            }
        }
        if !stem.is_rest {
            outputs(ui, place, stem, &steps);
        }
    });
}

/// Draws the outputs and their combination.
fn outputs(ui: &mut Ui, place: Place<'_>, stem: &mut StemForm, steps: &[(String, String)]) {
    let (at, count, mut removed) = (place.at, stem.outputs.len(), None);
    for (index, output) in stem.outputs.iter_mut().enumerate() {
        let item = fl!(editor_output, item = place.name, number = index + 1);
        row_from_right(ui, ROW, |ui| {
            ui.spacing_mut().item_spacing.x = space::SMALL;
            if count > 1 {
                let (salt, edge) = (("chain output", at, index), size::ICON_BUTTON_SMALL);
                let (words, ink) = (fl!(editor_remove, item = &item), Tokens::of(ui).dim);
                if icon_button(ui, salt, edge, Icon::Close, &words, None, ink).clicked() {
                    removed = Some(index);
                }
                let (name, hint) = (fl!(editor_weight, item = &item), fl!(editor_weight_hint));
                ui.scope(|ui| {
                    ui.set_max_width(size::LOUDNESS);
                    let salt = ("chain weight", at, index);
                    text_field(ui, salt, &name, hint, &mut output.weight);
                });
            }
            rest(ui, |ui| {
                let (name, salt) = (fl!(editor_step_of, item = &item), ("chain from", at, index));
                let unknown = output.step.clone();
                let wide = size::CHAIN_MENU;
                if let Some(step) = menu(ui, salt, wide, &name, steps, &output.step, &unknown) {
                    output.step = step;
                }
                let salt = ("chain output name", at, index);
                text_field(ui, salt, &item, fl!(editor_output_hint), &mut output.output);
            });
        });
    }
    if let Some(index) = removed {
        stem.outputs.remove(index);
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let (salt, text) = (("chain add output", at), fl!(editor_add_output));
        let response = button(ui, salt, ROW, text, Kind::Quiet, true);
        let name = format!("{}: {text}", place.name);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if response.clicked() {
            let step = stem.outputs.last().map(|output| output.step.clone()).unwrap_or_default();
            stem.outputs.push(OutputForm { step, ..OutputForm::default() });
        }
        if stem.outputs.len() > 1 {
            let entries = combinations();
            let (name, salt) = (fl!(editor_combine, item = place.name), ("chain combine", at));
            let wide = ui.available_width();
            if let Some(by) = menu(ui, salt, wide, &name, &entries, &stem.combine, "") {
                stem.combine = by;
            }
        }
    });
}

/// The combinations of several outputs.
fn combinations() -> [(CombineBy, String); 9] {
    [
        (CombineBy::AvgWave, fl!(editor_avg_wave)),
        (CombineBy::SumWave, fl!(editor_sum_wave)),
        (CombineBy::MedianWave, fl!(editor_median_wave)),
        (CombineBy::MinWave, fl!(editor_min_wave)),
        (CombineBy::MaxWave, fl!(editor_max_wave)),
        (CombineBy::AvgFft, fl!(editor_avg_fft)),
        (CombineBy::MedianFft, fl!(editor_median_fft)),
        (CombineBy::MinFft, fl!(editor_min_fft)),
        (CombineBy::MaxFft, fl!(editor_max_fft)),
    ]
    .map(|(by, text)| (by, text.to_owned()))
}
