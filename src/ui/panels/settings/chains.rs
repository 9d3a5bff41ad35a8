//! The chains of networks in the settings: their stems, what they lack, and their actions.

use egui::{Role, Ui, Vec2, WidgetInfo};

use super::{Cx, ROW, note, setting};
use crate::{
    engine::{ChainEntry, Preferences, separation::chain::MissingStems},
    i18n::fl,
    ui::{
        action::Action,
        state::chain_form::ChainForm,
        theme::space,
        widgets::{
            button::{Kind, button},
            layout::wrapped,
        },
        words,
    },
};

/// Draws the chains, and the ways to more.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, new: &mut Preferences) {
    let state = cx.state;
    for chain in state.chains() {
        setting(ui, &chain.name, |ui| {
            wrapped(ui, ROW, |ui| buttons(ui, cx, chain, new));
            note(ui, &about(chain));
            for missing in &chain.missing {
                note(ui, &lack(missing));
            }
        });
    }
    setting(ui, fl!(settings_chains), |ui| {
        wrapped(ui, ROW, |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(space::BUTTONS);
            if button(ui, "new chain", ROW, fl!(settings_new_chain), Kind::Quiet, true).clicked() {
                cx.act(Action::EditChain(Box::new(ChainForm::empty())));
            }
            let text = fl!(settings_import_chain);
            if button(ui, "import chain", ROW, text, Kind::Quiet, true).clicked() {
                cx.act(Action::ChooseChain);
            }
        });
        note(ui, fl!(settings_chains_note));
    });
}

/// Draws the actions of a chain, from the left.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, chain: &ChainEntry, new: &mut Preferences) {
    let name = &chain.name;
    ui.spacing_mut().item_spacing = Vec2::splat(space::BUTTONS);
    ui.set_min_height(ROW);
    let mut one = |salt: &str, text: &str, enabled: bool| {
        let response = button(ui, (salt, "chain", name), ROW, text, Kind::Quiet, enabled);
        // Every chain has these buttons, so the accessible name includes the chain.
        let called = format!("{name}: {text}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &called));
        response.clicked()
    };
    if !chain.stems.is_empty() {
        let is_used = new.model.as_ref() == Some(name);
        let text = if is_used { fl!(settings_used) } else { fl!(settings_use) };
        if one("use", text, !is_used) {
            new.model = Some(name.clone());
        }
    }
    if chain.is_own {
        if one("edit", fl!(settings_edit_chain), true) {
            cx.act(Action::EditChain(Box::new(ChainForm::of(chain, name.clone()))));
        }
        if one("remove", fl!(settings_remove_model), true) {
            cx.act(Action::RemoveChain(name.clone()));
        }
    }
    if one("copy", fl!(settings_copy_chain), true) {
        let name = free_name(cx, name);
        cx.act(Action::EditChain(Box::new(ChainForm::of(chain, name))));
    }
}

/// A name for a copy.
fn free_name(cx: &Cx<'_>, name: &str) -> String {
    let is_free = |name: &String| {
        !cx.state.is_taken(name) && cx.state.chains().iter().all(|chain| chain.name != *name)
    };
    let mut names = (2..).map(|number| format!("{name}-{number}"));
    names.find(is_free).unwrap_or_default()
}

/// The title of a chain, and its stems.
fn about(chain: &ChainEntry) -> String {
    let title = Some(chain.file.title.trim()).filter(|title| !title.is_empty());
    let stems = match chain.stems[..] {
        [] => fl!(settings_chain_unusable).to_owned(),
        _ => words::capitalised(&words::stems(&chain.stems)),
    };
    title.map_or_else(|| stems.clone(), |title| format!("{title} · {stems}"))
}

/// The model that a chain lacks, and for which stems.
fn lack(missing: &MissingStems) -> String {
    let (makes, stems) = (words::stems(&missing.makes), words::stems(&missing.stems));
    fl!(settings_chain_lacks, makes = makes, stems = stems)
}
