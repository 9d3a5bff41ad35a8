//! Where exported files go: room for them, temporary names, and all of their names at once.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{ExportItem, OnExists, settings::free_name};
use crate::engine::{
    problem::{Advice, Problem, Result},
    system::atomic_file,
};

/// Temporary files for some items, and the folders that were made for them.
pub struct Places<'a> {
    items: &'a [ExportItem],
    files: Vec<NamedTempFile>,
    made: MadeFolders,
}

impl<'a> Places<'a> {
    /// Makes the folders and the temporary files, after a look at the room on their disks for
    /// `bytes` of each item.
    ///
    /// # Errors
    /// [`Problem::File`]; nothing is left then.
    pub fn make(items: &'a [ExportItem], bytes: &[u64]) -> Result<Self> {
        let mut places = Self { items, files: Vec::new(), made: MadeFolders::default() };
        for folder in folders_of(items) {
            atomic_file::sweep(&folder);
        }
        for item in items {
            let file = temporary(&item.to, &mut places.made).map_err(cannot_write(&item.to))?;
            places.files.push(file);
        }
        places.check_room(bytes)?;
        Ok(places)
    }

    /// The file of each item.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(&self, index: usize) -> Result<fs::File> {
        self.files[index].as_file().try_clone().map_err(cannot_write(&self.items[index].to))
    }

    /// Syncs all files, then gives them their names. What is there already is replaced only where
    /// `on_exists` says so; where it numbers, a name that was taken meanwhile gets another number.
    /// Returns what each is called.
    ///
    /// # Errors
    /// [`Problem::File`]; files that had got a new name are gone then.
    pub fn put_in_place(mut self, on_exists: OnExists) -> Result<Vec<PathBuf>> {
        for (item, file) in self.items.iter().zip(&self.files) {
            file.as_file().sync_all().map_err(cannot_write(&item.to))?;
        }
        let (mut named, mut new) = (Vec::new(), Vec::new());
        for (item, file) in self.items.iter().zip(std::mem::take(&mut self.files)) {
            let is_new = !item.to.exists();
            match put(file, &item.to, on_exists) {
                Ok((path, file)) => {
                    if is_new {
                        new.push((path.clone(), file));
                    }
                    named.push(path);
                }
                Err(error) => {
                    // Another process may have put its own file there meanwhile: that one stays.
                    for (path, _) in new.into_iter().filter(|(path, file)| is_at(file, path)) {
                        tell(&path, fs::remove_file(&path));
                    }
                    // It came while this one was written.
                    if error.kind() == io::ErrorKind::AlreadyExists {
                        return Err(Problem::Exists(vec![item.to.clone()]));
                    }
                    return Err(cannot_write(&item.to)(error));
                }
            }
        }
        for folder in folders_of(self.items) {
            atomic_file::sync_folder(&folder);
        }
        self.made.0.clear(); // they stay
        Ok(named)
    }

    /// Items in one folder need room together.
    fn check_room(&self, bytes: &[u64]) -> Result<()> {
        let mut first: Option<&Path> = None;
        let mut needed = 0u64;
        for (item, &bytes) in self.items.iter().zip(bytes) {
            first = first.or(Some(&item.to));
            needed = needed.saturating_add(bytes);
        }
        let Some((to, folder)) = first.and_then(|to| Some((to, to.parent()?))) else {
            return Ok(());
        };
        atomic_file::check_room(folder, needed, to, Advice::OtherFolderOrBits)
    }
}

/// What was made for an export that did not end well goes again; the files by themselves.
impl Drop for Places<'_> {
    fn drop(&mut self) {
        self.files.clear();
        self.made.remove();
    }
}

/// Whether this file, and no other, has the name `path`; assumed where the system numbers no files.
fn is_at(file: &fs::File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let number = |about: fs::Metadata| (about.dev(), about.ino());
        file.metadata().map(number).ok() == path.metadata().map(number).ok()
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Gives a file its name, or another number. Returns which.
fn put(mut file: NamedTempFile, to: &Path, on_exists: OnExists) -> io::Result<(PathBuf, fs::File)> {
    let mut to = to.to_owned();
    loop {
        let kept = match on_exists {
            OnExists::Replace => file.persist(&to),
            _ => file.persist_noclobber(&to),
        };
        match kept {
            Ok(file) => return Ok((to, file)),
            Err(it)
                if on_exists == OnExists::Number
                    && it.error.kind() == io::ErrorKind::AlreadyExists =>
            {
                file = it.file;
                to = free_name(&to, Path::exists);
            }
            Err(it) => return Err(it.error),
        }
    }
}

/// The folders that items go into, each once.
fn folders_of(items: &[ExportItem]) -> BTreeSet<PathBuf> {
    items.iter().filter_map(|item| item.to.parent()).map(Path::to_owned).collect()
}

/// A temporary file in the folder of `to`.
fn temporary(to: &Path, made: &mut MadeFolders) -> io::Result<NamedTempFile> {
    const TIMES: usize = 5;
    if to.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "there is a folder of that name"));
    }
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    for _ in 1..TIMES {
        made.make(folder)?;
        match atomic_file::temporary_in(folder) {
            // An export that failed beside this one removed the folder that it had made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            made => return made,
        }
    }
    made.make(folder)?;
    atomic_file::temporary_in(folder)
}

/// The folders that an export made, to take them away again.
#[derive(Default)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        atomic_file::make_folders(folder)?;
        missing.reverse();
        self.0.append(&mut missing);
        Ok(())
    }

    fn remove(&self) {
        for folder in self.0.iter().rev() {
            tell(folder, fs::remove_dir(folder));
        }
    }
}

/// Logs where something that a failed export had made could not be removed: the user is told of
/// the failure itself.
fn tell(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed {
        tracing::warn!(path = %path.display(), %error, "cannot remove");
    }
}

/// The error of a file that cannot be written.
pub fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Problem {
    move |error| Problem::write(path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_while_the_file_is_written_stays_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let items = ["a.wav", "b.wav"].map(|name| ExportItem {
            name: name.into(),
            to: at(name),
            streams: Vec::new(),
        });
        let files = || {
            let places = Places::make(&items, &[9, 9]).unwrap();
            for (index, item) in items.iter().enumerate() {
                fs::write(places.files[index].path(), &item.name).unwrap();
            }
            fs::write(at("b.wav"), "another's").unwrap();
            places
        };
        for on_exists in [OnExists::Ask, OnExists::Skip] {
            let error = files().put_in_place(on_exists).unwrap_err();
            assert!(matches!(error, Problem::Exists(paths) if paths == [at("b.wav")]));
            assert!(!at("a.wav").exists(), "all or nothing");
        }
        assert!(!is_at(&fs::File::open(at("b.wav")).unwrap(), &at("a.wav")));
        assert!(is_at(&fs::File::open(at("b.wav")).unwrap(), &at("b.wav")));
        let named = files().put_in_place(OnExists::Number).unwrap();
        assert_eq!(named, [at("a.wav"), at("b (2).wav")]);
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!((read("b.wav"), read("b (2).wav")), ("another's".into(), "b.wav".into()));
        let named = files().put_in_place(OnExists::Replace).unwrap();
        assert_eq!((named, read("b.wav")), (vec![at("a.wav"), at("b.wav")], "b.wav".into()));
    }
}
