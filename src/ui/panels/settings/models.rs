//! The models in the settings: their state, their strengths, and their actions.

use egui::{Id, Rect, Role, Ui, WidgetInfo, pos2, vec2};

use super::{Cx, Form, ROW};
use crate::{
    engine::{ModelEntry, ModelTask, Preferences, separation::installed::DEFAULT},
    i18n::fl,
    model::weights::State,
    ui::{
        action::{Action, UiCommand},
        theme::{Weight, font, text},
        widgets::{
            button::{Kind, button, width},
            field::field,
            lines, paragraph,
        },
        words,
    },
};

/// Maximum rows of the terms; the tooltip has the full text.
const TERMS_ROWS: usize = 7;

/// Height of the list of models, in points.
pub fn height(ui: &Ui, cx: &Cx<'_>, wide: f32) -> f32 {
    let models = cx.state.models();
    let open = models.iter().find(|model| cx.ui_state.terms_of.as_ref() == Some(&model.name));
    let terms = open.map_or(0.0, |model| terms_height(ui, model, wide) + ROW + 20.0);
    models.len() as f32 * (ROW + 36.0) + terms + 2.0 * (ROW + 36.0)
}

fn terms_height(ui: &Ui, model: &ModelEntry, wide: f32) -> f32 {
    let small = font(text::SMALL, Weight::Regular);
    let color = egui::Color32::PLACEHOLDER;
    lines(ui.painter(), &model.terms, small, color, wide, TERMS_ROWS).size().y
}

/// Draws the models, the import of another model, and the mirror.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, form: &mut Form, new: &mut Preferences) {
    let state = cx.state;
    for model in state.models() {
        let row = form.row(ui, &model.name);
        buttons(ui, cx, row, model, new);
        form.note(ui, &format!("model {}", model.name), &state_words(cx, model));
        if cx.ui_state.terms_of.as_ref() == Some(&model.name) {
            terms(ui, cx, form, model);
        }
    }
    let row = form.row(ui, fl!(settings_other_model));
    let wide = width(ui, fl!(settings_choose_file), Kind::Quiet);
    let place = Rect::from_min_size(row.min, vec2(wide, ROW));
    let response = button(ui, "other model", place, fl!(settings_choose_file), Kind::Quiet, true);
    if response.on_hover_text(UiCommand::ChooseModel.hint(ui)).clicked() {
        cx.verb(UiCommand::ChooseModel);
    }
    form.note(ui, "models note", fl!(settings_models_note));
    let row = form.row(ui, fl!(settings_mirror));
    let mut typed = new.mirror.take().unwrap_or_default();
    field(ui, Id::unique("mirror"), row, fl!(settings_mirror), "https://", &mut typed);
    new.mirror = Some(typed).filter(|typed| !typed.is_empty());
    form.note(ui, "mirror note", fl!(settings_mirror_note));
}

/// Draws the actions of a model, from the left.
fn buttons(ui: &Ui, cx: &mut Cx<'_>, row: Rect, model: &ModelEntry, new: &mut Preferences) {
    let name = &model.name;
    let mut x = row.left();
    let mut one = |salt: &str, text: &str, kind: Kind, enabled: bool| {
        let place = Rect::from_min_size(pos2(x, row.top()), vec2(width(ui, text, kind), ROW));
        x = place.right() + 10.0;
        let response = button(ui, (salt, name), place, text, kind, enabled);
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
            ModelTask::Failed(problem) => return words::capitalised(&words::problem(problem)),
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
fn terms(ui: &Ui, cx: &mut Cx<'_>, form: &mut Form, model: &ModelEntry) {
    let tall = terms_height(ui, model, form.body_width());
    let place = form.block(tall);
    let small = font(text::SMALL, Weight::Regular);
    paragraph(ui, "terms", place, &model.terms, small, cx.tokens.dim, TERMS_ROWS);
    let row = form.block(ROW);
    let wide = width(ui, fl!(settings_accept), Kind::Primary);
    let accept = Rect::from_min_size(row.min, vec2(wide, ROW));
    if button(ui, "accept terms", accept, fl!(settings_accept), Kind::Primary, true).clicked() {
        cx.act(Action::InstallModel(model.name.clone()));
    }
    let cancel = fl!(cancel);
    let place = Rect::from_min_size(
        pos2(accept.right() + 10.0, row.top()),
        vec2(width(ui, cancel, Kind::Quiet), ROW),
    );
    if button(ui, "not these terms", place, cancel, Kind::Quiet, true).clicked() {
        cx.act(Action::ShowTerms(None));
    }
}
