//! The files of models and chains, to notice that another program has added, changed or removed some.
//! Not their content. Runs on the engine's thread.

use std::{
    fs::{self, DirEntry},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Core;
use crate::{engine::separation::chain, model::weights::Store};

/// Extensions of networks, bags and chains. Verdicts and unfinished files have others.
const EXTENSIONS: [&str; 3] = ["safetensors", "json", "toml"];

/// Paths, lengths and modification times of the files of models and chains.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ModelFiles(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl ModelFiles {
    /// The files of a data folder now.
    pub(super) fn of(home: &Path) -> Self {
        let folders = [Store::new(home).folder().to_owned(), chain::file::folder(home)];
        let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        let mut files: Vec<_> = entries.flatten().filter_map(|entry| described(&entry)).collect();
        files.sort();
        Self(files)
    }
}

fn described(entry: &DirEntry) -> Option<(PathBuf, u64, Option<SystemTime>)> {
    let path = entry.path();
    let extension = path.extension()?.to_str()?;
    let metadata = entry.metadata().ok()?;
    EXTENSIONS.contains(&extension).then(|| (path, metadata.len(), metadata.modified().ok()))
}

impl Core {
    /// Takes over models and chains that another program has added, changed or removed.
    ///
    /// A change of this program's own is taken over at its end. Without the whole data folder, for example
    /// on a disk that was unplugged, everything waits for its return.
    pub(super) fn follow_models(&mut self) {
        if self.install.is_some() || self.is_missed {
            return;
        }
        if ModelFiles::of(self.library.home()) != self.model_files {
            self.show_models();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_models_and_chains_count() {
        let home = tempfile::tempdir().unwrap();
        let models = home.path().join("models");
        fs::create_dir_all(models.join("downloads")).unwrap();
        let mut last = ModelFiles::of(home.path());
        assert_eq!(last, ModelFiles::default());
        let mut has_changed = || {
            let now = ModelFiles::of(home.path());
            std::mem::replace(&mut last, now) != last
        };
        for (name, counts) in [
            ("own.safetensors", true),
            ("own.checked", false),
            ("bag.bag.json", true),
            (".tmp1234", false),
            ("downloads/half.part", false),
        ] {
            fs::write(models.join(name), name).unwrap();
            assert_eq!(has_changed(), counts, "{name}");
        }
        fs::write(models.join("own.safetensors"), "longer than before").unwrap();
        assert!(has_changed());
        fs::create_dir(home.path().join("chains")).unwrap();
        fs::write(home.path().join("chains/mine.toml"), "").unwrap();
        assert!(has_changed());
        fs::remove_file(models.join("bag.bag.json")).unwrap();
        assert!(has_changed());
        assert!(!has_changed());
    }
}
