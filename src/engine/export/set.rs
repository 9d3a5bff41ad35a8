//! A set of files that is exported together: one per stem and, if wanted, their mix.

use std::path::{Path, PathBuf};

use super::{ExportItem, safe_file_name};
use crate::engine::{Result, models::stem_index};

/// The name of the mix among the files.
pub const MIX: &str = "mix";

/// Files with the names they have for people: stems by name, the mix last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportSet {
    /// One name for each item.
    pub names: Vec<String>,
    /// What to write.
    pub items: Vec<ExportItem>,
}

impl ExportSet {
    /// The files of the stems `names` out of the model's `sources`, in the model's order, each once;
    /// all of them when `names` is empty.
    ///
    /// # Errors
    /// [`crate::engine::EngineError::Unknown`] for a stem that the model does not have.
    pub fn new(
        sources: &[String],
        names: &[String],
        folder: &Path,
        with_mix: bool,
    ) -> Result<Self> {
        let stems = ordered(sources, names)?;
        let mut set = Self::default();
        for &stem in &stems {
            set.push(&sources[stem], folder, vec![(stem, 1.0)]);
        }
        if with_mix {
            set.push(MIX, folder, stems.into_iter().map(|stem| (stem, 1.0)).collect());
        }
        Ok(set)
    }

    /// Each file with its name.
    pub fn files(&self) -> Vec<(String, PathBuf)> {
        let paths = self.items.iter().map(|item| item.to.clone());
        self.names.iter().cloned().zip(paths).collect()
    }

    fn push(&mut self, name: &str, folder: &Path, stems: Vec<(usize, f32)>) {
        let to = folder.join(format!("{}.wav", safe_file_name(name)));
        self.names.push(name.to_owned());
        self.items.push(ExportItem { to, stems });
    }
}

/// The places of `names` among `sources`, ascending, each once; all when `names` is empty.
///
/// # Errors
/// [`crate::engine::EngineError::Unknown`] for a stem that the model does not have.
pub fn ordered(sources: &[String], names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() {
        return Ok((0..sources.len()).collect());
    }
    let mut stems =
        names.iter().map(|name| stem_index(sources, name.trim())).collect::<Result<Vec<_>>>()?;
    stems.sort_unstable();
    stems.dedup();
    Ok(stems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_come_in_the_models_order_and_once() {
        let sources = ["drums", "bass", "vocals"].map(str::to_owned);
        let names = ["vocals", " drums", "vocals"].map(str::to_owned);
        let set = ExportSet::new(&sources, &names, Path::new("out"), true).unwrap();
        assert_eq!(set.names, ["drums", "vocals", "mix"]);
        assert_eq!(set.items[2].stems, [(0, 1.0), (2, 1.0)]);
        assert_eq!(set.items[1].to, Path::new("out/vocals.wav"));
        assert!(ExportSet::new(&sources, &["kazoo".to_owned()], Path::new("out"), true).is_err());
        assert_eq!(ordered(&sources, &[]).unwrap(), [0, 1, 2]);
    }
}
