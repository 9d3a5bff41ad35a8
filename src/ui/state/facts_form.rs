//! The values that the user types for a checkpoint with missing facts about its network.
//! `ui/panels/facts.rs` draws the form. Main thread.

use std::path::PathBuf;

use crate::{
    engine::{Problem, RequestId},
    model::{
        ModelError, SAMPLE_RATE, kind_of,
        recognition::{MissingFact, Stated},
    },
};

/// Smallest segment without a unit that counts as frames; smaller ones are seconds.
const LEAST_FRAMES: f64 = 1000.0;

/// The open form: one text for each fact, including facts that are not missing.
#[derive(Clone, Debug, PartialEq)]
pub struct FactsForm {
    /// The checkpoint.
    pub file: PathBuf,
    /// The accompanying configuration.
    pub config: Option<PathBuf>,
    /// The usual name of the kind of network.
    pub kind: &'static str,
    /// The missing facts.
    pub missing: Vec<MissingFact>,
    /// Hop in frames, as typed.
    pub hop: String,
    /// Segment in frames or seconds, as typed.
    pub chunk: String,
    /// Names of the outputs, separated by commas.
    pub stems: String,
    /// Name of the rest of the song, as typed.
    pub rest: String,
    /// The error of the last import with these facts.
    pub error: Option<Problem>,
    /// The running import with these facts.
    pub request: Option<RequestId>,
}

/// The first reason why a form is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The hop is missing.
    Hop,
    /// The hop is not a whole number.
    WrongHop,
    /// The segment is missing.
    Chunk,
    /// The segment is not a length.
    WrongChunk,
    /// The number of stem names is wrong.
    Stems {
        /// Number of required names.
        count: usize,
        /// Number of typed names.
        given: usize,
    },
}

impl FactsForm {
    /// Creates an empty form for an import that failed because facts are missing; `None` for other
    /// errors.
    pub fn of(error: &ModelError, config: Option<PathBuf>) -> Option<Self> {
        let ModelError::FactsMissing { path, class_name, missing } = error else { return None };
        Some(Self {
            file: path.clone(),
            config,
            kind: kind_of(class_name).and_then(|kind| kind.title).unwrap_or("RoFormer"),
            missing: missing.clone(),
            hop: String::new(),
            chunk: String::new(),
            stems: String::new(),
            rest: String::new(),
            error: None,
            request: None,
        })
    }

    /// Whether an import with these facts is running.
    pub fn is_running(&self) -> bool {
        self.request.is_some()
    }

    /// Adopts the texts of another state of this form.
    pub fn take_typed(&mut self, other: Self) {
        let Self { hop, chunk, stems, rest, .. } = other;
        (self.hop, self.chunk, self.stems, self.rest) = (hop, chunk, stems, rest);
    }

    /// All missing facts, as typed.
    ///
    /// # Errors
    /// The first fact that is missing or invalid.
    pub fn stated(&self) -> Result<Stated, Lack> {
        let mut stated = Stated::default();
        for fact in &self.missing {
            match fact {
                MissingFact::Hop { .. } if self.hop.trim().is_empty() => return Err(Lack::Hop),
                MissingFact::Hop { .. } => {
                    let hop = self.hop.trim().parse().ok().filter(|hop| *hop > 0);
                    stated.hop = Some(hop.ok_or(Lack::WrongHop)?);
                }
                MissingFact::Chunk { .. } if self.chunk.trim().is_empty() => {
                    return Err(Lack::Chunk);
                }
                MissingFact::Chunk { .. } => {
                    stated.chunk = Some(frames(&self.chunk).ok_or(Lack::WrongChunk)?);
                }
                MissingFact::Stems { count } => {
                    stated.stems = self.names();
                    let given = stated.stems.len();
                    if given != *count {
                        return Err(Lack::Stems { count: *count, given });
                    }
                    let rest = self.rest.trim();
                    stated.rest = (!rest.is_empty()).then(|| rest.to_owned());
                }
            }
        }
        Ok(stated)
    }

    fn names(&self) -> Vec<String> {
        let names = self.stems.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    /// The typed segment, in seconds.
    pub fn seconds(&self) -> Option<f64> {
        Some(frames(&self.chunk)? as f64 / f64::from(SAMPLE_RATE))
    }

    /// The usual name for the rest beside the typed stem.
    pub fn usual_rest(&self) -> &'static str {
        let names = self.names();
        let is_vocals = |name: &String| name.eq_ignore_ascii_case("vocals");
        if names.iter().any(is_vocals) { "instrumental" } else { "rest" }
    }
}

/// Example names for a network of `count` outputs.
pub fn usual_stems(count: usize) -> String {
    let usual: &[&str] = match count {
        1 => &["vocals"],
        2 => &["vocals", "instrumental"],
        4 => &["drums", "bass", "other", "vocals"],
        6 => &["drums", "bass", "other", "vocals", "guitar", "piano"],
        _ => return (1..=count).map(|at| format!("stem{at}")).collect::<Vec<_>>().join(", "),
    };
    usual.join(", ")
}

/// Parses frames from a text in frames or seconds, such as `352800`, `8`, `8 s`, `13,35s`.
fn frames(text: &str) -> Option<usize> {
    let text = text.trim().replace(',', ".");
    let (number, is_in_seconds) = match text.strip_suffix('s') {
        Some(number) => (number.trim_end(), true),
        None => (text.as_str(), false),
    };
    let number: f64 = number.parse().ok().filter(|number: &f64| *number > 0.0)?;
    let is_in_seconds = is_in_seconds || number < LEAST_FRAMES;
    let frames = if is_in_seconds { number * f64::from(SAMPLE_RATE) } else { number };
    (frames < 1e9).then(|| frames.round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_typed_in_frames_or_seconds() {
        for (text, expected) in [
            ("352800", Some(352_800)),
            (" 8 ", Some(352_800)),
            ("8 s", Some(352_800)),
            ("2,5s", Some(110_250)),
            ("-8", None),
            ("eight", None),
            ("NaN", None),
            ("1e12", None),
        ] {
            assert_eq!(frames(text), expected, "{text}");
        }
    }

    #[test]
    fn a_form_is_complete_when_every_missing_fact_is_stated() {
        let missing = vec![
            MissingFact::Hop { usual: vec![441] },
            MissingFact::Chunk { usual: vec![352_800] },
            MissingFact::Stems { count: 2 },
        ];
        let class_name = "BSRoformer".to_owned();
        let error = ModelError::FactsMissing { path: "a.ckpt".into(), class_name, missing };
        let mut form = FactsForm::of(&error, None).unwrap();
        assert_eq!(
            (form.kind, form.hop.as_str()),
            ("BS-RoFormer", ""),
            "an empty form states nothing"
        );
        assert_eq!(form.stated(), Err(Lack::Hop));
        form.hop = "0".into();
        assert_eq!(form.stated(), Err(Lack::WrongHop));
        form.hop = " 441".into();
        assert_eq!(form.stated(), Err(Lack::Chunk));
        form.chunk = "long".into();
        assert_eq!(form.stated(), Err(Lack::WrongChunk));
        form.chunk = "8".into();
        assert_eq!(form.seconds(), Some(8.0));
        assert_eq!(form.stated(), Err(Lack::Stems { count: 2, given: 0 }));
        form.stems = "vocals, other,".into();
        let stated = form.stated().unwrap();
        assert_eq!((stated.hop, stated.chunk, stated.rest), (Some(441), Some(352_800), None));
        assert_eq!(stated.stems, ["vocals", "other"]);
        assert_eq!(FactsForm::of(&ModelError::Cancelled, None), None);
    }

    #[test]
    fn examples_fit_the_network() {
        for count in 1..9 {
            assert_eq!(usual_stems(count).split(", ").count(), count);
        }
    }
}
