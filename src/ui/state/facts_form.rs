//! What the user types about a checkpoint that does not state everything about its network. Not what
//! is drawn. Main thread.

use std::path::PathBuf;

use crate::model::{
    ModelError, SAMPLE_RATE,
    recognition::{MissingFact, Stated, title},
};

/// Below this, a segment without a unit is in seconds.
const LEAST_FRAMES: f64 = 1000.0;

/// The open form: one text for each fact, of which the missing ones are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct FactsForm {
    /// The checkpoint.
    pub file: PathBuf,
    /// The usual name of its kind of network.
    pub kind: &'static str,
    /// What is asked for.
    pub missing: Vec<MissingFact>,
    /// Frames from one spectrum to the next.
    pub hop: String,
    /// The segment, in frames or seconds.
    pub chunk: String,
    /// Names of the outputs, with commas.
    pub stems: String,
    /// Name of the rest of the song.
    pub rest: String,
}

impl FactsForm {
    /// The form for an import that failed because facts are missing, with usual values.
    pub fn of(error: &ModelError) -> Option<Self> {
        let ModelError::FactsMissing { path, class_name, missing } = error else { return None };
        let mut form = Self {
            file: path.clone(),
            kind: title(class_name).unwrap_or("RoFormer"),
            missing: missing.clone(),
            hop: String::new(),
            chunk: String::new(),
            stems: String::new(),
            rest: String::new(),
        };
        let first = |usual: &[usize]| usual.first().map_or_else(String::new, usize::to_string);
        for fact in missing {
            match fact {
                MissingFact::Hop { usual } => form.hop = first(usual),
                MissingFact::Chunk { usual } => form.chunk = first(usual),
                MissingFact::Stems { count: 1 } => form.stems = "vocals".into(),
                MissingFact::Stems { .. } => {}
            }
        }
        Some(form)
    }

    /// What is stated, once every missing fact is.
    pub fn stated(&self) -> Option<Stated> {
        let mut stated = Stated::default();
        for fact in &self.missing {
            match fact {
                MissingFact::Hop { .. } => {
                    stated.hop = Some(self.hop.trim().parse().ok().filter(|hop| *hop > 0)?);
                }
                MissingFact::Chunk { .. } => stated.chunk = Some(frames(&self.chunk)?),
                MissingFact::Stems { count } => {
                    let names = self.stems.split(',').map(|name| name.trim().to_owned());
                    stated.stems = names.filter(|name| !name.is_empty()).collect();
                    if stated.stems.len() != *count {
                        return None;
                    }
                    let rest = self.rest.trim();
                    stated.rest = (!rest.is_empty()).then(|| rest.to_owned());
                }
            }
        }
        Some(stated)
    }
}

/// Frames from a text in frames or seconds: `352800`, `8`, `8 s`, `13,35s`.
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
        let missing = vec![MissingFact::Hop { usual: vec![441] }, MissingFact::Stems { count: 2 }];
        let class_name = "BSRoformer".to_owned();
        let error = ModelError::FactsMissing { path: "a.ckpt".into(), class_name, missing };
        let mut form = FactsForm::of(&error).unwrap();
        assert_eq!((form.kind, form.hop.as_str()), ("BS-RoFormer", "441"));
        assert_eq!(form.stated(), None);
        form.stems = "vocals, other,".into();
        let stated = form.stated().unwrap();
        assert_eq!((stated.hop, stated.chunk, stated.rest), (Some(441), None, None));
        assert_eq!(stated.stems, ["vocals", "other"]);
        form.hop = "0".into();
        assert_eq!(form.stated(), None);
        assert_eq!(FactsForm::of(&ModelError::Cancelled), None);
    }
}
