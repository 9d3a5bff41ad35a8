//! Chain files: TOML text that describes steps and stems. A file names networks by what they make, and
//! by their digest where it must be a certain one, so that users can share it.
//!
//! [`super::resolve`] finds the networks. Usable from any thread.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{fault::ChainFault, tree::CombineBy};
use crate::{
    engine::{
        problem::{Problem, Result},
        system::atomic_file::{make_folders, write_atomically},
    },
    model::check_names,
};

/// Largest number of steps of a chain.
pub const MOST_STEPS: usize = 16;

/// Largest number of stems of a chain, without the rests that are added.
pub const MOST_STEMS: usize = 48;

/// Largest size of a chain file in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Name of the song as an input.
pub const MIX: &str = "mix";

/// A chain as written in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFile {
    /// One line that describes the chain.
    #[serde(default)]
    pub title: String,
    /// Steps, each after those that it reads.
    pub step: Vec<StepFile>,
    /// Stems of the song.
    pub stem: Vec<StemFile>,
}

/// A step as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// Name of the step in this file.
    pub id: String,
    /// Network of the step.
    pub network: NetworkFile,
    /// Input of the network.
    #[serde(default)]
    pub input: InputFile,
}

/// A network as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFile {
    /// Stems that the network must make.
    pub makes: Vec<String>,
    /// Name of an installed model; any model that makes the stems if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// First digits of the weights' digest, at least 16, for exactly these weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// An input as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputFile {
    /// The mix, or a stem.
    Stem(String),
    /// The mix or a stem, minus stems.
    Difference {
        /// [`MIX`], or the name of a stem.
        of: String,
        /// Names of stems.
        minus: Vec<String>,
    },
}

/// A stem as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StemFile {
    /// Name of the stem.
    pub name: String,
    /// Stem that this one is a part of; the song if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Outputs that make the stem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<OutputFile>,
    /// Combination of several outputs.
    #[serde(default)]
    pub combine: CombineBy,
    /// Whether the stem is what is left of its branch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
}

/// An output as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// Step that makes the output.
    pub step: String,
    /// Name of the stem of the step's network.
    pub output: String,
    /// Weight among the outputs.
    #[serde(default = "one")]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

impl Default for InputFile {
    fn default() -> Self {
        Self::Stem(MIX.to_owned())
    }
}

impl InputFile {
    /// The stem or [`MIX`] from which others are subtracted, and those others.
    pub fn parts(&self) -> (&str, &[String]) {
        match self {
            Self::Stem(of) => (of, &[]),
            Self::Difference { of, minus } => (of, minus),
        }
    }
}

impl ChainFile {
    /// Parses and checks the text of a chain.
    ///
    /// # Errors
    /// [`ChainFault`] with the step or stem.
    pub fn parse(text: &str) -> std::result::Result<Self, ChainFault> {
        let invalid = |e: toml::de::Error| ChainFault::Invalid { detail: e.to_string() };
        let file: Self = toml::from_str(text).map_err(invalid)?;
        file.check()?;
        Ok(file)
    }

    /// Reads and checks a chain file.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Chain`].
    pub fn read(path: &Path) -> Result<Self> {
        let read = |e: io::Error| Problem::read(path, e);
        let file = fs::File::open(path).map_err(read)?;
        let about = file.metadata().map_err(read)?;
        let fault = |fault| Problem::Chain { path: path.to_owned(), fault };
        if !about.is_file() || about.len() > MOST_BYTES {
            return Err(fault(ChainFault::NotAChain));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(read)?;
        let text = String::from_utf8(bytes);
        let text =
            text.map_err(|e| fault(ChainFault::Invalid { detail: e.utf8_error().to_string() }))?;
        Self::parse(&text).map_err(fault)
    }

    /// Text of the chain file.
    ///
    /// # Errors
    /// [`Problem::Chain`] if the chain would be refused when it is read.
    pub fn text(&self, path: &Path) -> Result<String> {
        let chain = |fault| Problem::Chain { path: path.to_owned(), fault };
        self.check().map_err(chain)?;
        let invalid = |e: toml::ser::Error| ChainFault::Invalid { detail: e.to_string() };
        toml::to_string_pretty(self).map_err(|e| chain(invalid(e)))
    }

    /// Writes the chain file, replacing an existing one.
    ///
    /// # Errors
    /// [`Problem::File`], [`Problem::Chain`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = self.text(path)?;
        if let Some(folder) = path.parent() {
            make_folders(folder).map_err(|e| Problem::write(folder, e))?;
        }
        write_atomically(path, text.as_bytes())
    }

    /// Checks everything that does not depend on the installed models.
    ///
    /// # Errors
    /// [`ChainFault`] with the step or stem.
    pub fn check(&self) -> std::result::Result<(), ChainFault> {
        let counts = (1..=MOST_STEPS).contains(&self.step.len())
            && (1..=MOST_STEMS).contains(&self.stem.len());
        if !counts {
            return Err(ChainFault::Count { steps: MOST_STEPS, stems: MOST_STEMS });
        }
        let mut ids = BTreeSet::new();
        for step in &self.step {
            let id = &step.id;
            if id.is_empty() || id.len() > 64 {
                return Err(ChainFault::Name { name: id.clone() });
            }
            if !ids.insert(id) {
                return Err(ChainFault::Twice { name: id.clone() });
            }
            let NetworkFile { makes, digest, .. } = &step.network;
            let is_hex = |digit: char| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase();
            let is_digest = |digest: &String| digest.len() >= 16 && digest.chars().all(is_hex);
            if makes.is_empty() || digest.as_ref().is_some_and(|digest| !is_digest(digest)) {
                return Err(ChainFault::Network { step: id.clone() });
            }
        }
        let mut names = BTreeSet::new();
        for stem in &self.stem {
            let name = std::slice::from_ref(&stem.name);
            if check_names(name).is_err() {
                return Err(ChainFault::Name { name: stem.name.clone() });
            }
            if !names.insert(stem.name.to_lowercase()) {
                return Err(ChainFault::Twice { name: stem.name.clone() });
            }
        }
        for stem in &self.stem {
            self.check_stem(stem)?;
        }
        for rest in self.stem.iter().filter(|stem| stem.rest) {
            let is_made = |other: &StemFile| !other.rest && other.parent == rest.parent;
            if !self.stem.iter().any(is_made) {
                return Err(ChainFault::LoneRest { stem: rest.name.clone() });
            }
        }
        for step in &self.step {
            self.check_input(step)?;
        }
        Ok(())
    }

    fn check_stem(&self, stem: &StemFile) -> std::result::Result<(), ChainFault> {
        let name = || stem.name.clone();
        if stem.rest != stem.from.is_empty() {
            return Err(ChainFault::NoSource { stem: name() });
        }
        let is_second = |other: &&StemFile| other.rest && other.parent == stem.parent;
        if stem.rest && self.stem.iter().find(is_second).is_some_and(|first| first != stem) {
            return Err(ChainFault::TwoRests { stem: name() });
        }
        for output in &stem.from {
            if self.step.iter().all(|step| step.id != output.step) {
                return Err(ChainFault::NoStep { step: output.step.clone() });
            }
            if !(output.weight > 0.0 && output.weight.is_finite()) {
                return Err(ChainFault::Weight { stem: name() });
            }
        }
        // Each parent is another stem; following them must end at the song.
        let mut line = vec![stem];
        while let Some(parent) = line.last().and_then(|last| last.parent.as_ref()) {
            let Some(next) = self.find(parent) else {
                return Err(ChainFault::NoStem { stem: parent.clone() });
            };
            if line.contains(&next) {
                return Err(ChainFault::Circle { stem: name() });
            }
            line.push(next);
        }
        Ok(())
    }

    /// Checks that a step reads only stems that earlier steps make.
    fn check_input(&self, step: &StepFile) -> std::result::Result<(), ChainFault> {
        let (of, minus) = step.input.parts();
        for name in minus {
            if self.find(name).is_some_and(|stem| stem.rest) {
                return Err(ChainFault::MinusRest { stem: name.clone() });
            }
        }
        for name in
            std::iter::once(of).filter(|of| *of != MIX).chain(minus.iter().map(String::as_str))
        {
            let Some(stem) = self.find(name) else {
                return Err(ChainFault::NoStem { stem: name.to_owned() });
            };
            let index = |id: &str| self.step.iter().position(|step| step.id == id);
            let own = index(&step.id);
            if self.made_for(stem).iter().any(|made| index(made) >= own) {
                return Err(ChainFault::Order { step: step.id.clone(), stem: name.to_owned() });
            }
        }
        Ok(())
    }

    /// Steps that make a stem, or from which its rest is computed.
    fn made_for<'a>(&'a self, stem: &'a StemFile) -> Vec<&'a str> {
        let own = stem.from.iter().map(|output| output.step.as_str());
        if !stem.rest {
            return own.collect();
        }
        let parent = stem.parent.as_ref().and_then(|parent| self.find(parent));
        let siblings = self.stem.iter().filter(|other| other.parent == stem.parent && !other.rest);
        let outputs = siblings.flat_map(|other| &other.from).map(|output| output.step.as_str());
        outputs.chain(parent.into_iter().flat_map(|parent| self.made_for(parent))).collect()
    }

    /// Finds a stem by its name.
    pub fn find(&self, name: &str) -> Option<&StemFile> {
        self.stem.iter().find(|stem| stem.name.eq_ignore_ascii_case(name))
    }
}

/// Folder of the user's chains in the data folder.
pub fn folder(home: &Path) -> PathBuf {
    home.join("chains")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"
        title = "Voices"
        [[step]]
        id = "voice"
        network = { makes = ["vocals"] }
        [[step]]
        id = "lead"
        network = { makes = ["lead"], digest = "0123456789abcdef" }
        input = "vocals"
        [[step]]
        id = "band"
        network = { makes = ["drums", "bass"] }
        input = { of = "mix", minus = ["vocals"] }
        [[stem]]
        name = "vocals"
        from = [{ step = "voice", output = "vocals" }]
        [[stem]]
        name = "lead"
        parent = "vocals"
        from = [{ step = "lead", output = "lead" }]
        [[stem]]
        name = "backing"
        parent = "vocals"
        rest = true
        [[stem]]
        name = "drums"
        from = [{ step = "band", output = "drums" }, { step = "voice", output = "drums", weight = 0.5 }]
        combine = "median_fft"
    "#;

    #[test]
    fn a_file_survives_a_round_trip() {
        let chain = ChainFile::parse(EXAMPLE).unwrap();
        assert_eq!(chain.stem[3].combine, CombineBy::MedianFft);
        assert_eq!(chain.step[2].input.parts(), ("mix", &["vocals".to_owned()][..]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chains/voices.toml");
        chain.write(&path).unwrap();
        assert_eq!(ChainFile::read(&path).unwrap(), chain);
    }

    #[test]
    fn faults_name_the_step_or_stem() {
        let fault = |from: &str, to: &str| {
            assert!(EXAMPLE.contains(from), "{from}");
            ChainFile::parse(&EXAMPLE.replace(from, to)).unwrap_err()
        };
        let text = str::to_owned;
        let cases = [
            (
                fault("input = \"vocals\"", "input = \"kazoo\""),
                ChainFault::NoStem { stem: text("kazoo") },
            ),
            (
                fault("input = \"vocals\"", "input = \"drums\""),
                ChainFault::Order { step: text("lead"), stem: text("drums") },
            ),
            (
                fault("input = \"vocals\"", "input = \"backing\""),
                ChainFault::Order { step: text("lead"), stem: text("backing") },
            ),
            (
                fault("minus = [\"vocals\"]", "minus = [\"backing\"]"),
                ChainFault::MinusRest { stem: text("backing") },
            ),
            (fault("weight = 0.5", "weight = -1.0"), ChainFault::Weight { stem: text("drums") }),
            (fault("weight = 0.5", "weight = nan"), ChainFault::Weight { stem: text("drums") }),
            (fault("id = \"band\"", "id = \"lead\""), ChainFault::Twice { name: text("lead") }),
            (
                fault("name = \"lead\"", "name = \"Vocals\""),
                ChainFault::Twice { name: text("Vocals") },
            ),
            (fault("name = \"lead\"", "name = \"../x\""), ChainFault::Name { name: text("../x") }),
            (fault("rest = true", "rest = false"), ChainFault::NoSource { stem: text("backing") }),
            (
                fault("from = [{ step = \"lead\", output = \"lead\" }]", "rest = true"),
                ChainFault::TwoRests { stem: text("backing") },
            ),
            (
                fault("step = \"lead\", output", "step = \"x\", output"),
                ChainFault::NoStep { step: text("x") },
            ),
            (
                fault("name = \"vocals\"\n", "name = \"vocals\"\nparent = \"lead\"\n"),
                ChainFault::Circle { stem: text("vocals") },
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        let ChainFault::Invalid { detail } = fault("title", "titel") else { panic!() };
        assert!(detail.contains("titel"), "{detail}");
        assert!(matches!(ChainFile::parse("step = []\nstem = []"), Err(ChainFault::Count { .. })));
    }
}
