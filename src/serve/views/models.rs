//! Models, chains, and the options of a song's stems. Pure.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    engine::{
        ChainEntry, ModelEntry, ModelTask,
        separation::options::{Preset, Quality},
    },
    model::weights,
    serve::fault::Fault,
    words,
};

/// Name of a quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::serve) enum QualityName {
    Draft,
    Standard,
    Best,
    /// Numbers that have no name.
    Custom,
}

impl QualityName {
    /// Name of a quality as settings have it, which fits HTDemucs.
    pub fn of(quality: Quality) -> Self {
        match quality {
            Quality::STANDARD => Self::Standard,
            Quality::BEST => Self::Best,
            quality if quality.is_draft => Self::Draft,
            _ => Self::Custom,
        }
    }

    pub fn of_preset(preset: Option<Preset>) -> Self {
        match preset {
            Some(Preset::Draft) => Self::Draft,
            Some(Preset::Standard) => Self::Standard,
            Some(Preset::Best) => Self::Best,
            None => Self::Custom,
        }
    }
}

/// The models and chains that can separate songs.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ModelList {
    /// The model of songs for which none was chosen.
    pub default: String,
    /// Whether songs can be separated: a model is installed.
    pub is_ready: bool,
    pub models: Vec<Model>,
}

/// A model or a chain.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Model {
    pub name: String,
    pub title: String,
    pub stems: Vec<String>,
    pub is_installed: bool,
    pub is_chain: bool,
    /// Terms of use of the weights; empty for a chain.
    pub terms: String,
    /// Size of the weights, of a missing model the size of the download; 0 for a chain.
    pub bytes: u64,
    /// Whether it can be downloaded. A model of the user's own cannot, nor a chain.
    pub can_be_installed: bool,
    /// The installation, while it runs or after it failed.
    pub task: Option<ModelTaskState>,
}

/// The installation of a model.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ModelTaskState {
    /// Current step, in the language of the request.
    pub step: Option<String>,
    /// Finished part of the step, 0 to 1, if known.
    pub fraction: Option<f32>,
    /// Why the installation failed.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
}

impl Model {
    pub fn of(model: &ModelEntry, task: Option<&ModelTask>) -> Self {
        let is_installed = matches!(model.state, weights::State::Installed { .. });
        // An earlier failure is of no interest once the model is there.
        let task = task.filter(|task| !(is_installed && matches!(task, ModelTask::Failed(_))));
        Self {
            name: model.name.clone(),
            title: model.title.clone(),
            stems: model.sources.clone(),
            is_installed,
            is_chain: false,
            terms: model.terms.clone(),
            bytes: model.bytes,
            can_be_installed: !model.is_own,
            task: task.and_then(ModelTaskState::of),
        }
    }

    pub fn of_chain(chain: &ChainEntry) -> Self {
        Self {
            name: chain.name.clone(),
            title: chain.file.title.clone(),
            stems: chain.stems.clone(),
            is_installed: !chain.stems.is_empty(),
            is_chain: true,
            terms: String::new(),
            bytes: 0,
            can_be_installed: false,
            task: None,
        }
    }
}

impl ModelTaskState {
    fn of(task: &ModelTask) -> Option<Self> {
        match task {
            ModelTask::Running { step, fraction } => {
                Some(Self { step: Some(words::step(step)), fraction: *fraction, problem: None })
            }
            ModelTask::Failed(problem) => {
                let problem = Some(Fault::Problem(problem.clone()).json());
                Some(Self { step: None, fraction: None, problem })
            }
            ModelTask::Verified | ModelTask::Imported { .. } | ModelTask::Ended => None,
        }
    }
}

/// The options of a song's stems.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct SongOptions {
    pub model: String,
    pub quality: QualityName,
    pub stems: Vec<StemOption>,
    pub choices: Vec<QualityChoice>,
}

/// A stem that can be made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct StemOption {
    pub name: String,
    /// The stem that it is a part of.
    pub parent: Option<String>,
    /// Whether it is what is left of its branch.
    pub is_rest: bool,
    /// Number of its segments that are not computed.
    pub missing: usize,
}

/// A quality that can be chosen.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct QualityChoice {
    pub quality: QualityName,
    /// Expected seconds for the whole song, if known.
    pub seconds: Option<f64>,
}
