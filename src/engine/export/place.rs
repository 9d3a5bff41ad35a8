//! Destination of exported files: disk space, temporary names, and the final renames.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{ExportItem, OnExists, settings::free_name};
use crate::{
    engine::{
        problem::{Advice, Problem, Result},
        system::atomic_file,
    },
    file_identity::is_at,
    file_moves,
};

/// Temporary files of the items, and the folders created for them.
pub struct Places<'a> {
    items: &'a [ExportItem],
    files: Vec<NamedTempFile>,
    made: MadeFolders,
}

impl<'a> Places<'a> {
    /// Creates the folders and the temporary files, after checking the disk space for `bytes` of
    /// each item.
    ///
    /// # Errors
    /// Fails with [`Problem::File`] and removes everything it created.
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

    /// Opens the temporary file of an item.
    ///
    /// # Errors
    /// Fails if the operating system cannot duplicate the handle.
    pub fn file(&self, index: usize) -> Result<fs::File> {
        self.files[index].as_file().try_clone().map_err(cannot_write(&self.items[index].to))
    }

    /// Syncs all files, then renames them to their final names. An existing file is replaced only
    /// if `on_exists` allows it. If `on_exists` numbers files, a name taken in the meantime gets
    /// another number. Returns the final paths.
    ///
    /// # Errors
    /// Fails with [`Problem::File`]; files that had already been renamed are removed.
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
                    // Another process may have put its own file here in the meantime; keep that
                    // one.
                    for (path, _) in new.into_iter().filter(|(path, file)| is_ours(file, path)) {
                        warn_if_kept(&path, fs::remove_file(&path));
                    }
                    // The other file appeared while this one was being written.
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
        self.made.0.clear(); // the export succeeded: keep its folders
        Ok(named)
    }

    /// Checks the disk space for all items together, as they share a folder.
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

/// Removes the folders of a failed export; the temporary files delete themselves.
impl Drop for Places<'_> {
    fn drop(&mut self) {
        self.files.clear();
        self.made.remove();
    }
}

/// Whether `path` names exactly this file.
fn is_ours(file: &fs::File, path: &Path) -> bool {
    is_at(file, path).is_ok_and(|is_at| is_at)
}

/// Renames a file to `to`, or to a numbered name. Returns the name it got.
fn put(mut file: NamedTempFile, to: &Path, on_exists: OnExists) -> io::Result<(PathBuf, fs::File)> {
    let mut to = to.to_owned();
    if on_exists == OnExists::Replace {
        return file_moves::persist(file, &to).map(|file| (to, file));
    }
    loop {
        match file_moves::persist_noclobber(file, &to) {
            Ok(file) => return Ok((to, file)),
            Err(error)
                if on_exists == OnExists::Number
                    && error.error.kind() == io::ErrorKind::AlreadyExists =>
            {
                file = error.file;
                to = free_name(&to, Path::exists);
            }
            Err(error) => return Err(error.error),
        }
    }
}

/// The folders that items go into, each once.
fn folders_of(items: &[ExportItem]) -> BTreeSet<PathBuf> {
    items.iter().filter_map(|item| item.to.parent()).map(Path::to_owned).collect()
}

/// Creates a temporary file in the folder of `to`.
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
            // A failed export running in parallel removed the folder that it had created.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            made => return made,
        }
    }
    made.make(folder)?;
    atomic_file::temporary_in(folder)
}

/// Folders that an export created, so that they can be removed if it fails.
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
            warn_if_kept(folder, fs::remove_dir(folder));
        }
    }
}

/// Logs a file or folder of a failed export that could not be removed. The user already gets the
/// error of the export itself.
fn warn_if_kept(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed {
        tracing::warn!(path = %path.display(), %error, "could not remove");
    }
}

/// Wraps the I/O error of a file that cannot be written.
pub fn cannot_write(path: &Path) -> impl Fn(io::Error) -> Problem {
    move |error| Problem::output(path, error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn keeps_a_file_that_appeared_while_writing() {
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
                // Through the handle: Windows refuses others while the file is locked.
                places.file(index).unwrap().write_all(item.name.as_bytes()).unwrap();
            }
            fs::write(at("b.wav"), "another's").unwrap();
            places
        };
        for on_exists in [OnExists::Ask, OnExists::Skip] {
            let error = files().put_in_place(on_exists).unwrap_err();
            assert!(matches!(error, Problem::Exists(paths) if paths == [at("b.wav")]));
            assert!(!at("a.wav").exists(), "a failed export must leave no file");
        }
        assert!(!is_ours(&fs::File::open(at("b.wav")).unwrap(), &at("a.wav")));
        assert!(is_ours(&fs::File::open(at("b.wav")).unwrap(), &at("b.wav")));
        let named = files().put_in_place(OnExists::Number).unwrap();
        assert_eq!(named, [at("a.wav"), at("b (2).wav")]);
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!((read("b.wav"), read("b (2).wav")), ("another's".into(), "b.wav".into()));
        let named = files().put_in_place(OnExists::Replace).unwrap();
        assert_eq!((named, read("b.wav")), (vec![at("a.wav"), at("b.wav")], "b.wav".into()));
    }
}
