//! Chains: networks that separate a song in steps. A step reads the mix, a stem of an earlier step, or
//! the mix minus stems. An installed model on its own is a chain of one step.
//!
//! Pure, except for looking up installed models ([`resolve`]) and reading files of chains ([`mod@file`]).
//! Usable from any thread.

pub mod draft;
pub mod fault;
pub mod file;
pub mod resolve;
pub mod tree;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use self::tree::{Combination, CombineBy, Part, Terms, Tree, TreeStem};
use super::{
    installed::InstalledModel,
    memory,
    options::{Preset, Quality},
    plan::Plan,
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::StemStore,
        system::digest::hex,
    },
    model::{Device, Precision, Spec},
};

/// A chain whose networks are installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Name; that of the model for a chain of one model.
    pub name: String,
    /// Steps, each after those that it reads.
    pub steps: Vec<Step>,
    /// Stems of the song.
    pub tree: Tree,
    /// Stems that the chain describes, but for which networks are missing.
    pub missing: Vec<MissingStems>,
    /// Whether the chain is an installed model alone.
    pub is_model: bool,
    /// Digest of networks, inputs and tree; different digests mean different stems.
    digest: String,
}

/// A step of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Network of the step.
    pub model: InstalledModel,
    /// Input of the network: the song or a stem of an earlier step, minus stems.
    pub input: Terms,
}

/// Stems that need a network that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingStems {
    /// Names of the stems.
    pub stems: Vec<String>,
    /// Stems that the missing network makes.
    pub makes: Vec<String>,
    /// Name or digest of the network, if the chain demands a certain one.
    pub model: Option<String>,
}

impl MissingStems {
    /// The problem of a stem that was left out.
    pub fn problem(&self, stem: String) -> Problem {
        match &self.model {
            Some(model) => Problem::MissingChainModel { stem, model: model.clone() },
            None => Problem::MissingNetwork { stem, makes: self.makes.clone() },
        }
    }
}

impl Chain {
    /// The chain of an installed model alone.
    pub fn of_model(model: InstalledModel) -> Self {
        Self {
            name: model.name.clone(),
            tree: Tree::flat(&model.spec.sources, model.spec.rest.as_deref()),
            digest: model.digest.clone(),
            steps: vec![Step { model, input: Terms::default() }],
            missing: Vec::new(),
            is_model: true,
        }
    }

    /// A chain of several steps.
    pub fn new(name: String, steps: Vec<Step>, tree: Tree, missing: Vec<MissingStems>) -> Self {
        let mut hash = Sha256::new();
        for Step { model, input } in &steps {
            hash.update(format!("{} {input:?}\n", model.digest));
        }
        for stem in tree.stems() {
            hash.update(format!("{stem:?}\n"));
        }
        let digest = hex(&hash.finalize());
        let mut chain = Self { name, steps, tree, missing, is_model: false, digest };
        chain.join_equal_steps();
        chain
    }

    /// Joins steps that compute the same, because they share a store.
    fn join_equal_steps(&mut self) {
        let folder = |step| self.step_folder(Path::new(""), step, Quality::STANDARD);
        let folders: Vec<PathBuf> = (0..self.steps.len()).map(folder).collect();
        let (mut kept, mut places) = (Vec::new(), Vec::new());
        for folder in &folders {
            let known = kept.iter().position(|other| other == folder);
            places.push(known.unwrap_or(kept.len()));
            if known.is_none() {
                kept.push(folder.clone());
            }
        }
        let mut step = 0;
        self.steps.retain(|_| {
            step += 1;
            folders.iter().position(|folder| *folder == folders[step - 1]) == Some(step - 1)
        });
        self.tree.renumber_steps(&places);
    }

    /// Names of the stems.
    pub fn stems(&self) -> Vec<String> {
        self.tree.names()
    }

    /// Explains an unknown stem that the chain has, but for which a network is missing.
    pub fn explain(&self, problem: Problem) -> Problem {
        let Problem::UnknownStem { stem, known } = problem else { return problem };
        let is_it = |missing: &&MissingStems| {
            missing.stems.iter().any(|name| name.eq_ignore_ascii_case(&stem))
        };
        match self.missing.iter().find(is_it) {
            Some(missing) => missing.problem(stem),
            None => Problem::UnknownStem { stem, known },
        }
    }

    /// Checks that a network of the chain is installed.
    ///
    /// # Errors
    /// [`Problem::MissingNetwork`], [`Problem::MissingChainModel`].
    pub fn check_usable(&self) -> Result<()> {
        let first = self.missing.first().filter(|_| self.tree.stems().is_empty());
        first.map_or(Ok(()), |missing| {
            Err(missing.problem(missing.stems.first().cloned().unwrap_or_default()))
        })
    }

    /// First 16 digits of the digest.
    pub fn short_digest(&self) -> &str {
        self.digest.get(..16).unwrap_or(&self.digest)
    }

    /// Name of a set of stems; different names mean different samples.
    pub fn identity(&self, quality: Quality) -> String {
        format!("{}-{}-{}", self.name, self.short_digest(), self.fitted(quality).suffix())
    }

    /// The model, if the chain is one model alone.
    pub fn model(&self) -> Option<&InstalledModel> {
        self.steps.first().filter(|_| self.is_model).map(|step| &step.model)
    }

    /// Clamps a quality to the limits of the chain. The qualities of a chain of several steps are those
    /// of the settings, which every network converts.
    #[must_use]
    pub fn fitted(&self, quality: Quality) -> Quality {
        match self.model() {
            Some(model) => quality.within(&model.spec),
            None => quality.within_bounds(),
        }
    }

    /// Converts a quality of the settings for this chain.
    #[must_use]
    pub fn quality(&self, quality: Quality) -> Quality {
        match self.model() {
            Some(model) => quality.for_network(&model.spec),
            None => quality.within_bounds(),
        }
    }

    /// Quality of a preset.
    pub fn preset(&self, preset: Preset) -> Quality {
        match self.model() {
            Some(model) => preset.quality(&model.spec),
            None => Quality::PRESETS[Preset::ALL.iter().position(|p| *p == preset).unwrap_or(1)],
        }
    }

    /// Preset that equals a quality, if any.
    pub fn preset_of(&self, quality: Quality) -> Option<Preset> {
        match self.model() {
            Some(model) => quality.preset(&model.spec),
            None => Preset::ALL.into_iter().find(|preset| self.preset(*preset) == quality),
        }
    }

    /// Distinct qualities of all presets.
    pub fn qualities(&self) -> Vec<Quality> {
        match self.model() {
            Some(model) => Preset::qualities(&model.spec),
            None => Quality::PRESETS.to_vec(),
        }
    }

    /// Quality of a step's network for a quality of the chain.
    pub fn step_quality(&self, step: usize, quality: Quality) -> Quality {
        let spec = &self.steps[step].model.spec;
        if self.is_model { quality.within(spec) } else { quality.for_network(spec) }
    }

    /// Division of a song into a step's segments.
    pub fn plan(&self, step: usize, frames: u64, quality: Quality) -> Plan {
        self.steps[step].model.plan(frames, self.step_quality(step, quality))
    }

    /// Folder of a step's stems. Steps with equal networks and equal inputs share a folder, whichever
    /// chain they belong to: nothing is computed twice.
    pub fn step_folder(&self, song_folder: &Path, step: usize, quality: Quality) -> PathBuf {
        let Step { model, input } = &self.steps[step];
        let folder = model.stem_folder(song_folder, self.step_quality(step, quality));
        if *input == Terms::default() {
            return folder;
        }
        let input = self.input_digest(input, quality);
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(format!("-of-{}", &input[..16]));
        folder.with_file_name(name)
    }

    /// Digest of everything that determines the samples of these terms.
    fn input_digest(&self, input: &Terms, quality: Quality) -> String {
        let mut hash = Sha256::new();
        for stem in input.of.iter().chain(&input.minus) {
            let Some(Combination { parts, by }) = &self.tree.stems()[*stem].made else { continue };
            hash.update(format!("{} {by:?}\n", Some(*stem) == input.of));
            for part in parts {
                let folder = self.step_folder(Path::new(""), part.step, quality);
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                hash.update(format!("{name} {} {}\n", part.output, part.weight));
            }
        }
        hex(&hash.finalize())
    }

    /// Outputs that each step must compute for these stems, in the order of the steps. A step whose
    /// outputs are only the input of another one is included.
    pub fn needs(&self, stems: &[usize]) -> Vec<StepNeeds> {
        let mut outputs = vec![Vec::new(); self.steps.len()];
        let mut wanted = vec![false; self.steps.len()];
        let mut add = |outputs: &mut Vec<Vec<usize>>, made: &[usize], is_wanted: bool| {
            let combinations =
                made.iter().filter_map(|stem| self.tree.stems()[*stem].made.as_ref());
            for part in combinations.flat_map(|combination| &combination.parts) {
                outputs[part.step].push(part.output);
                wanted[part.step] |= is_wanted;
            }
        };
        add(&mut outputs, &self.tree.made_for(stems), true);
        // An input comes from earlier steps.
        for step in (0..self.steps.len()).rev() {
            if !outputs[step].is_empty() {
                let Terms { of, minus } = &self.steps[step].input;
                let made: Vec<usize> = of.iter().chain(minus).copied().collect();
                add(&mut outputs, &made, false);
            }
        }
        let needs = outputs.into_iter().zip(wanted).enumerate();
        needs
            .filter(|(_, (outputs, _))| !outputs.is_empty())
            .map(|(step, (mut outputs, is_wanted))| {
                outputs.sort_unstable();
                outputs.dedup();
                StepNeeds { step, outputs, is_wanted }
            })
            .collect()
    }

    /// Number of networks that run once for each of the steps' segments.
    pub fn networks_for(&self, needs: &StepNeeds) -> usize {
        self.steps[needs.step].model.networks_for(&needs.outputs).len()
    }

    /// Minimum memory use of Partita with this chain in bytes: on one thread, with a window.
    pub fn least_memory(&self) -> u64 {
        self.steps.iter().map(|step| step.model.least_memory()).max().unwrap_or(memory::WINDOW)
    }

    /// Name under which the pace of a step is stored.
    pub fn pace_name(
        &self,
        step: usize,
        quality: Quality,
        precision: Precision,
        device: Device,
    ) -> String {
        let quality = self.step_quality(step, quality);
        self.steps[step].model.pace_name(quality, precision, device)
    }

    /// Folders of all steps' stems, for each step once.
    pub fn folders(&self, song_folder: &Path, quality: Quality) -> Vec<PathBuf> {
        let steps = 0..self.steps.len();
        steps.map(|step| self.step_folder(song_folder, step, quality)).collect()
    }

    /// Whether a song has stems of this chain. Those of a chain's first step alone belong to a model.
    pub fn has_stems(&self, song_folder: &Path, quality: Quality) -> bool {
        let has_any = |step: &usize| {
            let groups = self.steps[*step].model.groups().len();
            StemStore::has_any_in(&self.step_folder(song_folder, *step, quality), groups)
        };
        let is_own = |step: &usize| self.steps[*step].input != Terms::default();
        let mut own = (0..self.steps.len()).filter(is_own).peekable();
        if own.peek().is_some() {
            own.any(|step| has_any(&step))
        } else {
            (0..self.steps.len()).all(|step| has_any(&step))
        }
    }

    /// Whether every requested step of a song is complete, and one was requested.
    pub fn is_complete(&self, song_folder: &Path, frames: u64, quality: Quality) -> bool {
        let mut any = false;
        for step in 0..self.steps.len() {
            let folder = self.step_folder(song_folder, step, quality);
            let groups = self.steps[step].model.groups();
            if !folder.is_dir() {
                continue;
            }
            if !StemStore::is_complete_in(&folder, &self.plan(step, frames, quality), &groups) {
                return false;
            }
            any = true;
        }
        any
    }

    /// The network specifications of all steps.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.steps.iter().map(|step| &step.model.spec)
    }
}

/// The outputs that a step must compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepNeeds {
    /// Index of the step.
    pub step: usize,
    /// Outputs of its model.
    pub outputs: Vec<usize>,
    /// Whether a wanted stem needs the outputs; otherwise they are only the input of other steps.
    pub is_wanted: bool,
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use super::*;
    use crate::{engine::separation::installed::InstalledNetwork, model::Memory};

    fn model(name: &str, sources: &[&str]) -> InstalledModel {
        let sources: Vec<String> = sources.iter().map(|name| (*name).to_owned()).collect();
        let network = InstalledNetwork {
            weights: name.into(),
            identity: name.into(),
            memory: Memory::default(),
            shares: vec![1.0; sources.len()],
        };
        let (networks, digest) = (vec![network], format!("{name:0<20}"));
        InstalledModel { name: name.into(), networks, digest, spec: Spec::triangle(sources, 1000) }
    }

    /// Three steps: voices, then lead and the band from what is left.
    pub fn chain(name: &str) -> Chain {
        let input = |of, minus: &[usize]| Terms { of, minus: minus.to_vec() };
        let steps = vec![
            Step { model: model("voice", &["vocals", "other"]), input: input(None, &[]) },
            Step { model: model("karaoke", &["lead", "backing"]), input: input(Some(0), &[]) },
            Step { model: model("kit", &["drums", "bass"]), input: input(None, &[0]) },
        ];
        Chain::new(name.into(), steps, tree::tests::example(), Vec::new())
    }

    #[test]
    fn a_stem_needs_its_step_and_those_before_it() {
        let chain = chain("x");
        let needs = |stems: &[usize]| -> Vec<(usize, Vec<usize>, bool)> {
            let needs = chain.needs(stems).into_iter();
            needs.map(|needs| (needs.step, needs.outputs, needs.is_wanted)).collect()
        };
        assert_eq!(needs(&[0]), [(0, vec![0], true)]);
        assert_eq!(needs(&[1]), [(0, vec![0], false), (1, vec![0], true)]);
        assert_eq!(needs(&[4]), [(0, vec![0], false), (2, vec![0], true)]);
        assert_eq!(needs(&[3]), [(0, vec![0], true)], "the band is the song minus the vocals");
        assert!(needs(&[]).is_empty());
    }

    #[test]
    fn equal_steps_of_a_chain_are_one() {
        let Chain { name, mut steps, tree, .. } = chain("x");
        // The third step repeats the second one, and so makes the same from the same.
        steps[2] = steps[1].clone();
        let joined = Chain::new(name, steps, tree, Vec::new());
        assert_eq!(joined.steps.len(), 2);
        let needs = joined.needs(&[1, 4]);
        let wanted: Vec<usize> = needs.iter().map(|needs| needs.step).collect();
        assert_eq!(wanted, [0, 1]);
    }

    #[test]
    fn equal_steps_of_different_chains_share_their_stems() {
        let (one, mut other) = (chain("one"), chain("other"));
        let folder =
            |chain: &Chain, step| chain.step_folder(Path::new("s"), step, Quality::default());
        for step in 0..3 {
            assert_eq!(folder(&one, step), folder(&other, step));
        }
        let alone = Chain::of_model(model("voice", &["vocals", "other"]));
        assert_eq!(folder(&one, 0), folder(&alone, 0), "a model alone shares them, too");
        assert_ne!(folder(&one, 1), folder(&one, 2));
        other.steps[0].model = model("other voice", &["vocals", "other"]);
        assert_ne!(folder(&one, 2), folder(&other, 2), "the input of this step is different");
        let draft = one.step_folder(Path::new("s"), 2, Quality::DRAFT);
        assert_ne!(folder(&one, 2), draft);
    }
}
