//! Models and chains, and the choice of them for a song.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
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
        answers::{answer, state_version, versioned},
        fault::Fault,
        hub::state::Shown,
        views::{self, Model, ModelList, QualityChoice, QualityName, SongOptions, StemOption},
    },
};

/// List models and chains.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = ModelList)))]
pub(super) async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let state = app.hub.state();
    versioned(&headers, &state_version(&app, &state), || {
        let of_models = state.models.iter().map(|model| Model {
            name: model.name.clone(),
            title: model.title.clone(),
            stems: model.sources.clone(),
            is_installed: matches!(model.state, weights::State::Installed { .. }),
            is_chain: false,
        });
        let of_chains = state.chains.iter().map(|chain| Model {
            name: chain.name.clone(),
            title: chain.file.title.clone(),
            stems: chain.stems.clone(),
            is_installed: !chain.stems.is_empty(),
            is_chain: true,
        });
        ModelList {
            default: app.hub.default_model().to_owned(),
            is_ready: matches!(state.model, Some(ModelState::Ready { .. })),
            models: of_models.chain(of_chains).collect(),
        }
    })
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
