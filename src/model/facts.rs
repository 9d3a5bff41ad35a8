//! Facts about a network that its weight file may lack: those that the user stated, and those that are
//! missing. Pure data; any thread.

use serde::{Deserialize, Serialize};

/// Facts that the user stated about a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Frames from one spectrum to the next.
    pub hop: Option<usize>,
    /// Frames of a segment.
    pub chunk: Option<usize>,
    /// Names of the network's own outputs, in its order; empty where not stated.
    pub stems: Vec<String>,
    /// Name of the mix less all outputs.
    pub rest: Option<String>,
}

/// A fact that only the publisher's configuration, or the user, can state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingFact {
    /// Frames from one spectrum to the next.
    Hop {
        /// The values that published networks of the kind have, the most frequent one first.
        usual: Vec<usize>,
    },
    /// Frames of a segment.
    Chunk {
        /// The values that published networks of the kind have, the most frequent one first.
        usual: Vec<usize>,
    },
    /// Names of the network's outputs.
    Stems {
        /// The number of outputs.
        count: usize,
    },
}

impl MissingFact {
    /// The option of `partita model import` that states it, with an example.
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
