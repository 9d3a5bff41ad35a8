//! Faults of chain files, with the words that the file uses. Plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reason why a chain file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainFault {
    /// The file is larger than 1 MB, or not a regular file.
    NotAChain,
    /// The file is not valid TOML, or has other fields.
    Invalid {
        /// The reader's text, with the line.
        detail: String,
    },
    /// The chain has too many or no steps or stems.
    Count {
        /// Largest number of steps.
        steps: usize,
        /// Largest number of stems.
        stems: usize,
    },
    /// A name is empty, too long, reserved, or has a character that file names do not allow.
    Name {
        /// The name.
        name: String,
    },
    /// Two steps or two stems have the same name.
    Twice {
        /// The name.
        name: String,
    },
    /// The chain has the name of a model.
    Model {
        /// The name.
        name: String,
    },
    /// A step does not state what its network makes, or its digest is too short or not hexadecimal.
    Network {
        /// The step.
        step: String,
    },
    /// A branch has a rest, but nothing that is subtracted for it.
    LoneRest {
        /// The rest.
        stem: String,
    },
    /// A stem or an input names a step that does not exist.
    NoStep {
        /// The name.
        step: String,
    },
    /// A parent or an input names a stem that does not exist.
    NoStem {
        /// The name.
        stem: String,
    },
    /// A step reads a stem that is not made by an earlier step.
    Order {
        /// The step.
        step: String,
        /// The stem.
        stem: String,
    },
    /// A stem has neither a source nor is the rest of its branch, or is both.
    NoSource {
        /// The stem.
        stem: String,
    },
    /// A stem is a part of itself.
    Circle {
        /// The stem.
        stem: String,
    },
    /// A branch has two rests.
    TwoRests {
        /// The second one.
        stem: String,
    },
    /// A stem to subtract is a rest.
    MinusRest {
        /// The stem.
        stem: String,
    },
    /// A weight is not a number above 0.
    Weight {
        /// The stem.
        stem: String,
    },
    /// The network of a step does not make an output.
    NoOutput {
        /// The step.
        step: String,
        /// The output.
        output: String,
        /// The outputs that it makes.
        known: Vec<String>,
    },
}

/// English text, for log and JSON.
impl fmt::Display for ChainFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAChain => to.write_str("it is not a file of at most 1 MB"),
            Self::Invalid { detail } => to.write_str(detail.trim_end()),
            Self::Count { steps, stems } => {
                write!(to, "it must have 1 to {steps} steps and 1 to {stems} stems")
            }
            Self::Name { name } => {
                let name = name.escape_debug();
                write!(
                    to,
                    "the name \"{name}\" is reserved, too long, or not allowed in file names"
                )
            }
            Self::Twice { name } => write!(to, "the name \"{name}\" is used twice"),
            Self::Model { name } => write!(to, "\"{name}\" is the name of a model"),
            Self::Network { step } => write!(
                to,
                "the step \"{step}\" must name the stems that its network makes (makes = …), and a \
                 digest must have at least 16 hexadecimal digits"
            ),
            Self::LoneRest { stem } => {
                write!(to, "the stem \"{stem}\" is a rest, but its branch has no other stem")
            }
            Self::NoStep { step } => write!(to, "it has no step \"{step}\""),
            Self::NoStem { stem } => write!(to, "it has no stem \"{stem}\""),
            Self::Order { step, stem } => write!(
                to,
                "the step \"{step}\" reads the stem \"{stem}\", which no earlier step makes"
            ),
            Self::NoSource { stem } => write!(
                to,
                "the stem \"{stem}\" must either come from steps (from = …) or be the rest of its \
                 branch (rest = true)"
            ),
            Self::Circle { stem } => write!(to, "the stem \"{stem}\" is a part of itself"),
            Self::TwoRests { stem } => {
                write!(to, "the branch of the stem \"{stem}\" has two rests")
            }
            Self::MinusRest { stem } => write!(
                to,
                "the stem \"{stem}\" is a rest, which cannot be subtracted; subtract the other \
                 stems of its branch from their parent"
            ),
            Self::Weight { stem } => {
                write!(to, "a weight of the stem \"{stem}\" is not a number above 0")
            }
            Self::NoOutput { step, output, known } => write!(
                to,
                "the network of the step \"{step}\" does not make \"{output}\"; it makes: {}",
                known.join(", ")
            ),
        }
    }
}
