//! The chain that the user edits, as typed. `ui/panels/chain` draws the form. Main thread.

use crate::engine::{
    ChainEntry, Problem, RequestId,
    separation::chain::{
        CombineBy,
        fault::ChainFault,
        file::{ChainFile, InputFile, MIX, NetworkFile, OutputFile, StemFile, StepFile},
    },
};

/// The open form for a chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainForm {
    /// Name of the chain.
    pub name: String,
    /// One line that describes the chain.
    pub title: String,
    /// The steps.
    pub steps: Vec<StepForm>,
    /// The stems.
    pub stems: Vec<StemForm>,
    /// The error of the last attempt to save the chain.
    pub error: Option<Problem>,
    /// The running attempt.
    pub request: Option<RequestId>,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepForm {
    /// Name of the step.
    pub id: String,
    /// Stems that the network must make, separated by commas.
    pub makes: String,
    /// The installed model, if it must be a certain one.
    pub model: Option<String>,
    /// First digits of the weights' digest, from a file; cannot be edited.
    digest: Option<String>,
    /// The stem that the network separates; `None` is the song.
    pub of: Option<String>,
    /// Stems that are subtracted from it.
    pub minus: Vec<String>,
}

impl StepForm {
    /// Sets the model; a digest of other weights no longer applies.
    pub fn set_model(&mut self, model: Option<String>) {
        self.model = model;
        self.digest = None;
    }
}

/// A stem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StemForm {
    /// Name of the stem.
    pub name: String,
    /// The stem that this one is a part of.
    pub parent: Option<String>,
    /// Whether the stem is what is left of its branch.
    pub is_rest: bool,
    /// Outputs that make the stem.
    pub outputs: Vec<OutputForm>,
    /// Combination of several outputs.
    pub combine: CombineBy,
}

/// An output of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputForm {
    /// Name of the step.
    pub step: String,
    /// Name of the output.
    pub output: String,
    /// The weight, as typed.
    pub weight: String,
}

/// The reason why a chain cannot be saved.
#[derive(Clone, Debug, PartialEq)]
pub enum Flaw {
    /// The name is missing.
    NoName,
    /// The name belongs to a model, or to a chain that comes with the program.
    TakenName,
    /// A fault of the chain.
    Fault(ChainFault),
}

impl ChainForm {
    /// A chain of one step, as a start.
    pub fn empty() -> Self {
        let mut form = Self::default();
        form.add_step();
        form.add_stem();
        form
    }

    /// A chain for editing, or a copy of it under another name.
    pub fn of(chain: &ChainEntry, name: String) -> Self {
        let typed = |weight: f32| if weight == 1.0 { String::new() } else { weight.to_string() };
        let step = |step: &StepFile| {
            let (of, minus) = step.input.parts();
            StepForm {
                id: step.id.clone(),
                makes: step.network.makes.join(", "),
                model: step.network.model.clone(),
                digest: step.network.digest.clone(),
                of: Some(of).filter(|of| *of != MIX).map(str::to_owned),
                minus: minus.to_vec(),
            }
        };
        let output = |output: &OutputFile| OutputForm {
            step: output.step.clone(),
            output: output.output.clone(),
            weight: typed(output.weight),
        };
        let stem = |stem: &StemFile| StemForm {
            name: stem.name.clone(),
            parent: stem.parent.clone(),
            is_rest: stem.rest,
            outputs: stem.from.iter().map(output).collect(),
            combine: stem.combine,
        };
        let (steps, stems) = (chain.file.step.iter(), chain.file.stem.iter());
        let (steps, stems) = (steps.map(step).collect(), stems.map(stem).collect());
        Self { name, title: chain.file.title.clone(), steps, stems, error: None, request: None }
    }

    /// The chain as written in a file.
    pub fn file(&self) -> ChainFile {
        let step = |step: &StepForm| {
            let of = step.of.clone().unwrap_or_else(|| MIX.to_owned());
            let minus = step.minus.clone();
            StepFile {
                id: step.id.trim().to_owned(),
                network: NetworkFile {
                    makes: names(&step.makes),
                    model: step.model.clone(),
                    digest: step.digest.clone(),
                },
                input: match minus[..] {
                    [] => InputFile::Stem(of),
                    _ => InputFile::Difference { of, minus },
                },
            }
        };
        let output = |output: &OutputForm| OutputFile {
            step: output.step.clone(),
            output: output.output.trim().to_owned(),
            weight: weight(&output.weight),
        };
        let stem = |stem: &StemForm| StemFile {
            name: stem.name.trim().to_owned(),
            parent: stem.parent.clone(),
            from: if stem.is_rest { Vec::new() } else { stem.outputs.iter().map(output).collect() },
            combine: stem.combine,
            rest: stem.is_rest,
        };
        ChainFile {
            title: self.title.trim().to_owned(),
            step: self.steps.iter().map(step).collect(),
            stem: self.stems.iter().map(stem).collect(),
        }
    }

    /// The first reason why the chain cannot be saved; `is_taken` states whether its name is used.
    pub fn flaw(&self, is_taken: impl Fn(&str) -> bool) -> Option<Flaw> {
        let name = self.name.trim();
        if name.is_empty() {
            return Some(Flaw::NoName);
        }
        if is_taken(name) {
            return Some(Flaw::TakenName);
        }
        self.file().check().err().map(Flaw::Fault)
    }

    /// Names of the stems, except for empty ones.
    pub fn stem_names(&self) -> Vec<String> {
        let names = self.stems.iter().map(|stem| stem.name.clone());
        names.filter(|name| !name.trim().is_empty()).collect()
    }

    /// Adds a step with a name of its own.
    pub fn add_step(&mut self) {
        let is_free = |id: &String| self.steps.iter().all(|step| step.id != *id);
        let id = (1..).map(|number| number.to_string()).find(is_free).unwrap_or_default();
        self.steps.push(StepForm { id, ..StepForm::default() });
    }

    /// Adds a stem from the last step.
    pub fn add_stem(&mut self) {
        let step = self.steps.last().map(|step| step.id.clone()).unwrap_or_default();
        let outputs = vec![OutputForm { step, ..OutputForm::default() }];
        self.stems.push(StemForm { outputs, ..StemForm::default() });
    }

    /// Renames a step in everything that refers to it.
    pub fn rename_step(&mut self, at: usize, id: String) {
        let Some(step) = self.steps.get_mut(at) else { return };
        let before = std::mem::replace(&mut step.id, id.clone());
        let outputs = self.stems.iter_mut().flat_map(|stem| &mut stem.outputs);
        outputs
            .filter(|output| output.step == before)
            .for_each(|output| output.step.clone_from(&id));
    }

    /// Renames a stem in everything that refers to it.
    pub fn rename_stem(&mut self, at: usize, name: String) {
        let Some(stem) = self.stems.get_mut(at) else { return };
        let before = std::mem::replace(&mut stem.name, name.clone());
        let parents = self.stems.iter_mut().filter_map(|stem| stem.parent.as_mut());
        let inputs =
            self.steps.iter_mut().flat_map(|step| step.of.iter_mut().chain(&mut step.minus));
        let references = parents.chain(inputs);
        references.filter(|name| **name == before).for_each(|other| other.clone_from(&name));
    }
}

/// The names in a list separated by commas.
pub fn names(typed: &str) -> Vec<String> {
    let names = typed.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// A typed weight: 1 if nothing is typed, and no number if the text is not a number.
fn weight(typed: &str) -> f32 {
    match typed.trim() {
        "" => 1.0,
        typed => typed.replace(',', ".").parse().unwrap_or(f32::NAN),
    }
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
        id = "band"
        network = { makes = ["drums", "bass"], digest = "0123456789abcdef" }
        input = { of = "mix", minus = ["vocals"] }
        [[stem]]
        name = "vocals"
        from = [{ step = "voice", output = "vocals" }]
        [[stem]]
        name = "lead"
        parent = "vocals"
        from = [{ step = "voice", output = "lead" }, { step = "band", output = "x", weight = 0.5 }]
        combine = "median_fft"
        [[stem]]
        name = "backing"
        parent = "vocals"
        rest = true
    "#;

    fn example() -> ChainForm {
        let file = ChainFile::parse(EXAMPLE).unwrap();
        let (stems, missing) = (Vec::new(), Vec::new());
        let entry = ChainEntry { name: "mine".into(), file, is_own: true, stems, missing };
        ChainForm::of(&entry, entry.name.clone())
    }

    #[test]
    fn a_form_keeps_every_field_of_a_chain() {
        assert_eq!(example().file(), ChainFile::parse(EXAMPLE).unwrap());
    }

    #[test]
    fn references_follow_a_new_name() {
        let mut form = example();
        form.rename_stem(0, "voices".into());
        form.rename_step(0, "first".into());
        let file = form.file();
        assert_eq!(file.stem[1].parent.as_deref(), Some("voices"));
        assert_eq!(file.step[1].input.parts().1, ["voices"]);
        assert_eq!(file.stem[0].from[0].step, "first");
        assert_eq!(form.flaw(|_| false), None);
    }

    #[test]
    fn flaws_are_found_while_the_user_types() {
        let mut form = example();
        assert_eq!(form.flaw(|name| name == "mine"), Some(Flaw::TakenName));
        form.stems[1].outputs[1].weight = "much".into();
        let fault = ChainFault::Weight { stem: "lead".into() };
        assert_eq!(form.flaw(|_| false), Some(Flaw::Fault(fault)));
        form.stems[1].outputs[1].weight = "0,5".into();
        assert_eq!(form.flaw(|_| false), None);
        form.name = " ".into();
        assert_eq!(form.flaw(|_| false), Some(Flaw::NoName));
        assert!(matches!(ChainForm::empty().flaw(|_| false), Some(Flaw::NoName)));
    }
}
