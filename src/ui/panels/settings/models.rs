//! The models in the settings: their state, their strengths, and their actions.

use egui::{Id, Role, Ui, Vec2, WidgetInfo};

use super::{Cx, ROW, note, setting, wide};
use crate::{
    engine::{ModelEntry, ModelTask, Preferences, separation::installed::DEFAULT},
    i18n::fl,
    model::weights::State,
    ui::{
        action::{Action, UiCommand},
        theme::{Weight, font, space, text},
        widgets::{
            button::{Kind, button},
            field::field,
            layout::wrapped,
            paragraph,
        },
        words,
    },
};

/// Maximum rows of the terms; the tooltip has the full text.
const TERMS_ROWS: usize = 7;

/// Draws the models, the import of another model, and the mirror.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, new: &mut Preferences) {
    let state = cx.state;
    for model in state.models() {
        setting(ui, &model.name, |ui| {
            wrapped(ui, ROW, |ui| buttons(ui, cx, model, new));
            note(ui, &state_words(cx, model));
            if cx.ui_state.terms_of.as_ref() == Some(&model.name) {
                ui.add_space(space::TINY);
                terms(ui, cx, model);
            }
        });
    }
    setting(ui, fl!(settings_other_model), |ui| {
        let text = fl!(settings_choose_file);
        let response = button(ui, "other model", ROW, text, Kind::Quiet, true);
        if response.on_hover_text(UiCommand::ChooseModel.hint(ui)).clicked() {
            cx.verb(UiCommand::ChooseModel);
        }
        note(ui, fl!(settings_models_note));
    });
    setting(ui, fl!(settings_mirror), |ui| {
        let mut typed = new.mirror.take().unwrap_or_default();
        let (id, name) = (Id::unique("mirror"), fl!(settings_mirror));
        field(ui, id, wide(ui), name, "https://", &mut typed);
        new.mirror = Some(typed).filter(|typed| !typed.is_empty());
        note(ui, fl!(settings_mirror_note));
    });
}

/// Draws the actions of a model, from the left.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, model: &ModelEntry, new: &mut Preferences) {
    let name = &model.name;
    ui.spacing_mut().item_spacing = Vec2::splat(space::BUTTONS);
    ui.set_min_height(ROW);
    let mut one = |salt: &str, text: &str, kind: Kind, enabled: bool| {
        let response = button(ui, (salt, name), ROW, text, kind, enabled);
        // Every model has these buttons, so the accessible name includes the model.
        let called = format!("{name}: {text}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &called));
        response.clicked()
    };
    let is_running = |(of, task): (Option<&str>, &ModelTask)| {
        matches!(task, ModelTask::Running { .. }) && of.is_none_or(|of| of == name)
    };
    if cx.state.model_task().is_some_and(is_running) {
        if one("stop", fl!(settings_stop), Kind::Quiet, true) {
            cx.verb(UiCommand::CancelInstall);
        }
        return;
    }
    if matches!(model.state, State::Installed { .. }) {
        let is_used = new.model.as_deref().unwrap_or(DEFAULT) == name;
        let text = if is_used { fl!(settings_used) } else { fl!(settings_use) };
        if one("use", text, Kind::Quiet, !is_used) {
            new.model = Some(name.clone()).filter(|name| name != DEFAULT);
        }
        if one("verify", fl!(settings_verify), Kind::Quiet, true) {
            cx.act(Action::VerifyModel(name.clone()));
        }
    } else if !model.is_own {
        let text = fl!(settings_install, size = &words::bytes(model.bytes));
        if one("install", &text, Kind::Quiet, true) {
            let is_open = cx.ui_state.terms_of.as_ref() == Some(name);
            cx.act(Action::ShowTerms(Some(name.clone()).filter(|_| !is_open)));
        }
    }
    if (model.state != State::Missing || model.is_own)
        && one("remove", fl!(settings_remove_model), Kind::Quiet, true)
    {
        cx.act(Action::RemoveModel(name.clone()));
    }
}

/// The state of a model, and its strengths.
fn state_words(cx: &Cx<'_>, model: &ModelEntry) -> String {
    if let Some((of, task)) = cx.state.model_task()
        && of == Some(model.name.as_str())
    {
        match task {
            ModelTask::Running { step, fraction } => return words::progress(step, *fraction),
            ModelTask::Failed(problem) => return words::sentence(problem),
            ModelTask::Verified => return fl!(settings_verified).to_owned(),
            ModelTask::Imported { .. } | ModelTask::Ended => {}
        }
    }
    let state = match &model.state {
        State::Missing if model.networks.0 > 0 => {
            fl!(settings_partly_installed, installed = model.networks.0, all = model.networks.1)
        }
        State::Missing => fl!(settings_not_installed, size = &words::bytes(model.bytes)),
        State::Installed { bytes } => fl!(settings_installed, size = &words::bytes(*bytes)),
        State::Damaged(fault) => fl!(settings_damaged, reason = words::file_fault(fault)),
        State::Unusable(error) => words::capitalised(&words::model_error(error)),
    };
    let about = match model.name.as_str() {
        "htdemucs" => fl!(settings_about_default),
        "htdemucs_ft" => fl!(settings_about_specialists),
        "htdemucs_6s" => fl!(settings_about_six),
        "kim_vocals" => fl!(settings_about_kim),
        _ => fl!(settings_own_model),
    };
    format!("{state}. {about}")
}

/// Draws the terms of a model's weights and the button that accepts them.
fn terms(ui: &mut Ui, cx: &mut Cx<'_>, model: &ModelEntry) {
    let small = font(text::SMALL, Weight::Regular);
    paragraph(ui, &model.terms, small, cx.tokens.dim, TERMS_ROWS);
    ui.add_space(space::TINY);
    wrapped(ui, ROW, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::BUTTONS);
        if button(ui, "accept terms", ROW, fl!(settings_accept), Kind::Primary, true).clicked() {
            cx.act(Action::InstallModel(model.name.clone()));
        }
        if button(ui, "not these terms", ROW, fl!(cancel), Kind::Quiet, true).clicked() {
            cx.act(Action::ShowTerms(None));
        }
    });
}
