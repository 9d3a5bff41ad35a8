//! Models and chains, and the choice of them for a song.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{body::Json, known::song_id};
use crate::{
    engine::{
        Command, ModelEntry, ModelState, Problem, SongId,
        separation::options::{Preset, SeparationOptions},
    },
    model::weights,
    serve::{
        App,
        answers::{answer, answer_with, state_version, versioned},
        fault::Fault,
        hub::state::{Shown, State as Known},
        views::{self, Model, ModelList, QualityChoice, QualityName, SongOptions, StemOption},
    },
};

/// List models and chains.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = ModelList)))]
pub(super) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let state = app.hub.state();
    versioned(&headers, &state_version(&app, &state), || {
        let of_models =
            state.models.iter().map(|model| Model::of(model, state.model_tasks.get(&model.name)));
        let of_chains = state.chains.iter().map(Model::of_chain);
        ModelList {
            default: app.hub.default_model().to_owned(),
            is_ready: matches!(state.model, Some(ModelState::Ready { .. })),
            models: of_models.chain(of_chains).collect(),
        }
    })
}

/// A model as JSON; `None` for a chain or an unknown name.
pub(super) fn view(state: &Known, name: &str) -> Option<Model> {
    let model = state.models.iter().find(|model| model.name == name)?;
    Some(Model::of(model, state.model_tasks.get(name)))
}

/// The model of this name.
///
/// # Errors
/// [`Problem::UnknownChain`], which names the known ones.
fn known_model(app: &App, name: &str) -> Result<Model, Fault> {
    let state = app.hub.state();
    view(&state, name).ok_or_else(|| {
        let known = state.models.iter().map(|model| model.name.clone()).collect();
        Problem::UnknownChain { name: name.chars().take(100).collect(), known }.into()
    })
}

/// A request to install a model.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Installation {
    /// Whether the user accepts the model's terms; must be true.
    accepts_terms: bool,
}

/// Download and install a model. Its progress is in the stream of events.
#[utoipa::path(post, path = "/api/v1/models/{name}/install", tag = "models",
    params(("name" = String, Path)), request_body = Installation,
    responses((status = 202, body = Model), (status = "4XX", body = views::Problem)))]
pub(super) async fn install(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(Installation { accepts_terms }): Json<Installation>,
) -> Result<Response, Fault> {
    let model = known_model(&app, &name)?;
    if !model.can_be_installed {
        return Err(Problem::ModelMissing { model: name }.into());
    }
    if !accepts_terms {
        return Err(Fault::Value { field: "accepts_terms", accepted: "true".into() });
    }
    if !model.is_installed {
        app.hub.request(Command::InstallModel(name.clone())).await?;
    }
    Ok(answer_with(StatusCode::ACCEPTED, || known_model(&app, &name).ok()))
}

/// Stop the installation of a model. What was downloaded is kept for the next try.
#[utoipa::path(post, path = "/api/v1/models/{name}/cancel", tag = "models",
    params(("name" = String, Path)),
    responses((status = 202, body = Model), (status = "4XX", body = views::Problem)))]
pub(super) async fn cancel_installation(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let model = known_model(&app, &name)?;
    if model.task.is_some_and(|task| task.step.is_some()) {
        app.hub.request(Command::CancelInstall).await?;
    }
    Ok(answer_with(StatusCode::ACCEPTED, || known_model(&app, &name).ok()))
}

/// Remove a model's weights. Its stems stay, its jobs are paused.
#[utoipa::path(delete, path = "/api/v1/models/{name}", tag = "models",
    params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = views::Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    if known_model(&app, &name)?.task.is_some_and(|task| task.step.is_some()) {
        return Err(Problem::ModelBusy.into());
    }
    app.hub.request(Command::RemoveModel(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show the options of a song's stems.
#[utoipa::path(get, path = "/api/v1/songs/{id}/options", tag = "models", params(("id" = i64, Path)),
    responses((status = 200, body = SongOptions), (status = "4XX", body = views::Problem)))]
pub(super) async fn get_options(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let song = song_id(&app, &id)?;
    options_of(&app, song).await
}

/// A choice of options.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OptionsChange {
    /// Name of a model or chain.
    model: Option<String>,
    /// A quality of those that the song's options list.
    quality: Option<QualityName>,
}

/// Choose the model or the quality of a song's stems. Stems with other options stay.
#[utoipa::path(put, path = "/api/v1/songs/{id}/options", tag = "models", params(("id" = i64, Path)),
    request_body = OptionsChange,
    responses((status = 200, body = SongOptions), (status = "4XX", body = views::Problem)))]
pub(super) async fn set_options(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(change): Json<OptionsChange>,
) -> Result<Response, Fault> {
    let song = song_id(&app, &id)?;
    if let Some(model) = change.model {
        let known: Vec<String> = {
            let state = app.hub.state();
            let models = state.models.iter().map(|model| model.name.clone());
            models.chain(state.chains.iter().map(|chain| chain.name.clone())).collect()
        };
        if !known.contains(&model) {
            let name = model.chars().take(100).collect();
            return Err(Problem::UnknownChain { name, known }.into());
        }
        if !is_installed(&app, &model) {
            return Err(Problem::ModelMissing { model }.into());
        }
        app.hub.request(Command::UseModel { song, model }).await?;
    }
    if let Some(quality) = change.quality {
        let shown = shown(&app, song).await?;
        let offer = shown.offers.iter().find(|offer| name_of(offer.preset) == quality);
        let Some(offer) = offer else {
            let names = shown.offers.iter().map(|offer| format!("{:?}", name_of(offer.preset)));
            let accepted = names.collect::<Vec<_>>().join(", ").to_lowercase();
            return Err(Fault::Value { field: "quality", accepted });
        };
        let model = shown.options.model.clone();
        let options = Some(SeparationOptions { model, quality: offer.quality });
        app.hub.request(Command::Choose { song, options }).await?;
    }
    app.hub.close_tracks(Some(song));
    options_of(&app, song).await
}

fn is_installed(app: &App, name: &str) -> bool {
    let state = app.hub.state();
    let is_usable = |model: &ModelEntry| matches!(model.state, weights::State::Installed { .. });
    state.models.iter().any(|model| model.name == name && is_usable(model))
        || state.chains.iter().any(|chain| chain.name == name && !chain.stems.is_empty())
}

fn name_of(preset: Option<Preset>) -> QualityName {
    QualityName::of_preset(preset)
}

/// The engine's information about a song's stems.
async fn shown(app: &App, song: SongId) -> Result<Shown, Fault> {
    app.hub.request(Command::ReadSong(song)).await?;
    let shown = app.hub.state().shown.get(&song).cloned();
    shown.ok_or(Fault::Problem(Problem::NoModel))
}

async fn options_of(app: &App, song: SongId) -> Result<Response, Fault> {
    let shown = shown(app, song).await?;
    let names = app.hub.track(song).await?.stems.map(|stems| stems.names().to_vec());
    let names = names.unwrap_or_default();
    let name = |index: usize| names.get(index).cloned().unwrap_or_default();
    let stem = |(index, stem): (usize, &crate::engine::separation::options::StemInfo)| StemOption {
        name: name(index),
        parent: stem.parent.map(name),
        is_rest: stem.is_rest,
        missing: stem.missing,
    };
    let current = shown.offers.iter().find(|offer| offer.quality == shown.options.quality);
    let choice = |offer: &crate::engine::separation::options::QualityCost| QualityChoice {
        quality: name_of(offer.preset),
        seconds: offer.seconds.iter().copied().sum(),
    };
    Ok(answer(|| SongOptions {
        model: shown.options.model.clone(),
        quality: name_of(current.and_then(|offer| offer.preset)),
        stems: shown.stems.iter().enumerate().map(stem).collect(),
        choices: shown.offers.iter().map(choice).collect(),
    }))
}
