//! Facts about a network that its weight file may lack: those stated by the user, and those
//! missing. Pure data; usable from any thread.

use serde::{Deserialize, Serialize};

/// Facts about a network stated by the user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Frames between spectra.
    pub hop: Option<usize>,
    /// Length of a segment in frames.
    pub chunk: Option<usize>,
    /// Names of the network's own outputs, in order; empty if not stated.
    pub stems: Vec<String>,
    /// Name of the rest: the mix minus all outputs.
    pub rest: Option<String>,
}

/// A fact that only the publisher's configuration or the user can state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingFact {
    /// Frames between spectra.
    Hop {
        /// Values of published networks of the kind, the most frequent one first.
        usual: Vec<usize>,
    },
    /// Length of a segment in frames.
    Chunk {
        /// Values of published networks of the kind, the most frequent one first.
        usual: Vec<usize>,
    },
    /// Names of the network's outputs.
    Stems {
        /// Number of outputs.
        count: usize,
    },
}

impl MissingFact {
    /// Option of `partita model import` that states the fact, with an example value.
    pub fn flag(&self) -> String {
        let first = |usual: &[usize]| usual.first().map_or("N".into(), usize::to_string);
        match self {
            Self::Hop { usual } => format!("--hop {}", first(usual)),
            Self::Chunk { usual } => format!("--chunk {}", first(usual)),
            Self::Stems { count: 1 } => "--stems vocals".into(),
            Self::Stems { count } => {
                let names: Vec<_> = (1..=*count).map(|stem| format!("stem{stem}")).collect();
                format!("--stems {}", names.join(","))
            }
        }
    }
}
