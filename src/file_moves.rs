//! Renames and removals that another program can delay, and hidden files. Every layer may use it.
//!
//! On Windows, virus scanners and indexers open new files for a moment, a folder cannot be renamed
//! while a file in it is open, and a mapped file cannot be replaced. Such an attempt is repeated for
//! half a second; on other systems, every attempt is the only one. Runs on the calling thread, which
//! it blocks meanwhile.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::{NamedTempFile, PersistError};

use crate::os;

/// Pauses between attempts, in milliseconds: half a second in all.
const PAUSES: [u64; 9] = [4, 8, 16, 32, 64, 94, 94, 94, 94];

/// Length of a path from which Windows wants it in the long form. The shortest limit is that of new
/// folders, 248; a temporary name is shorter than the rest.
const LONG: usize = 200;

/// Renames a file or folder; a file at `to` is replaced.
///
/// # Errors
/// The system's error of the last attempt.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    // An existing folder is not in use but in the way, and callers expect to learn that at once.
    repeated(|error| is_held(error) && !to.is_dir(), std::thread::sleep, || fs::rename(from, to))
}

/// Removes a folder with its contents. A symbolic link in it is removed, not followed.
///
/// # Errors
/// The system's error of the last attempt.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    // Not every disk on Windows forgets a removed file while it is open.
    let has_open_file = |error: &io::Error| cfg!(windows) && is_not_empty(error);
    let is_held = |error: &io::Error| is_held(error) || has_open_file(error);
    repeated(is_held, std::thread::sleep, || fs::remove_dir_all(folder))
}

/// Renames a temporary file to its final name; a file of that name is replaced.
///
/// # Errors
/// The system's error of the last attempt; the temporary file is then removed.
pub fn persist(file: NamedTempFile, to: &Path) -> io::Result<File> {
    if !cfg!(windows) {
        return file.persist(to).map_err(|failed| failed.error);
    }
    // The rename of std also replaces files that are open elsewhere, and takes long paths; that of
    // tempfile does neither. Keeping the file clears its attributes, among them the hidden one.
    let (file, path) = file.keep().map_err(|failed| failed.error)?;
    rename(&path, to).inspect_err(|_| {
        if let Err(error) = fs::remove_file(&path) {
            tracing::debug!("could not remove {}: {error}", path.display());
        }
    })?;
    Ok(file)
}

/// Renames a temporary file to its final name, unless that name is taken.
///
/// # Errors
/// The system's error of the last attempt, with the file.
pub fn persist_noclobber(file: NamedTempFile, to: &Path) -> Result<File, PersistError> {
    let to = with_long_folder(to);
    let (mut file, mut pauses) = (file, pauses());
    loop {
        match file.persist_noclobber(&to) {
            Err(failed) if is_held(&failed.error) && !to.exists() => {
                let Some(pause) = pauses.next() else { return Err(failed) };
                std::thread::sleep(pause);
                file = failed.file;
            }
            result => return result,
        }
    }
}

/// Creates a temporary file with a hidden name; on Windows, with the attribute of hidden files.
/// [`persist`] and [`persist_noclobber`] clear it.
///
/// # Errors
/// I/O errors.
pub fn create_hidden(
    builder: &tempfile::Builder<'_, '_>,
    folder: &Path,
) -> io::Result<NamedTempFile> {
    #[cfg(not(windows))]
    return builder.tempfile_in(folder);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
        let mut options = File::options();
        options.read(true).write(true).create_new(true).attributes(FILE_ATTRIBUTE_HIDDEN);
        builder.make_in(long(folder), |path| options.open(path))
    }
}

/// Hides a folder on Windows, where its name alone does not.
pub fn hide_folder(folder: &Path) {
    #[cfg(not(windows))]
    let _ = folder;
    #[cfg(windows)]
    {
        use winsafe::{SetFileAttributes, co::FILE_ATTRIBUTE};
        // Longer paths and names outside Unicode stay visible.
        let path = folder.to_string_lossy();
        if let Err(error) = SetFileAttributes(&path, FILE_ATTRIBUTE::HIDDEN) {
            tracing::debug!("could not hide {path}: {error}");
        }
    }
}

/// The folder in the form that Windows takes at any length, if it is long; unchanged on other systems.
fn long(folder: &Path) -> PathBuf {
    let is_long = cfg!(windows)
        && std::path::absolute(folder).is_ok_and(|path| path.as_os_str().len() > LONG);
    let long = is_long.then(|| folder.canonicalize().ok()).flatten();
    long.unwrap_or_else(|| folder.to_owned())
}

/// A file's path, with its folder as in [`long`].
fn with_long_folder(path: &Path) -> PathBuf {
    match path.parent().zip(path.file_name()) {
        Some((folder, name)) if !folder.as_os_str().is_empty() => long(folder).join(name),
        _ => path.to_owned(),
    }
}

/// Whether the error may be due to another program that holds the file.
fn is_held(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error().is_some_and(os::is_held_on_windows)
}

fn is_not_empty(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::DirectoryNotEmpty
}

fn pauses() -> impl Iterator<Item = Duration> {
    PAUSES.into_iter().map(Duration::from_millis)
}

/// Makes attempts until one succeeds, fails for another reason, or the pauses are used up.
fn repeated<T>(
    is_held: impl Fn(&io::Error) -> bool,
    mut wait: impl FnMut(Duration),
    mut attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut pauses = pauses();
    loop {
        match attempt() {
            Err(error) if is_held(&error) => match pauses.next() {
                Some(pause) => wait(pause),
                None => return Err(error),
            },
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes attempts at something that another program holds for `held` attempts; returns the
    /// number of attempts, the time waited and the result.
    fn attempts(held: usize, number: i32) -> (usize, Duration, io::Result<()>) {
        let (mut count, mut waited) = (0, Duration::ZERO);
        let is_held = |error: &io::Error| error.raw_os_error().is_some_and(os::is_held_on_windows);
        let result = repeated(
            is_held,
            |pause| waited += pause,
            || {
                count += 1;
                if count > held { Ok(()) } else { Err(io::Error::from_raw_os_error(number)) }
            },
        );
        (count, waited, result)
    }

    #[test]
    fn repeats_while_another_program_holds_the_file() {
        for number in [5, 32, 33, 1224] {
            let (count, waited, result) = attempts(3, number);
            assert!(count == 4 && result.is_ok() && waited < Duration::from_millis(50));
        }
        let (count, waited, result) = attempts(usize::MAX, 32);
        assert_eq!((count, waited), (PAUSES.len() + 1, Duration::from_millis(500)));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(32));
        let (count, waited, result) = attempts(usize::MAX, 2);
        assert!(count == 1 && waited.is_zero() && result.is_err(), "a missing file is not held");
    }

    #[test]
    fn a_path_of_any_length_is_written() {
        let home = tempfile::tempdir().unwrap();
        let folder =
            home.path().join("a folder with a long name ü".repeat(3)).join("x".repeat(150));
        fs::create_dir_all(&folder).unwrap();
        let builder = tempfile::Builder::new();
        let to = folder.join("song.wav");
        for text in ["one", "two"] {
            let file = create_hidden(&builder, &folder).unwrap();
            fs::write(file.path(), text).unwrap();
            persist(file, &to).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), text);
        }
        let file = create_hidden(&builder, &folder).unwrap();
        let failed = persist_noclobber(file, &to).unwrap_err();
        assert_eq!(failed.error.kind(), io::ErrorKind::AlreadyExists);
        persist_noclobber(failed.file, &folder.join("other.wav")).unwrap();
        let moved = home.path().join("moved");
        rename(&folder, &moved).unwrap();
        assert_eq!(fs::read_dir(&moved).unwrap().count(), 2);
        remove_folder(&moved).unwrap();
    }

    /// Wine shows the attribute only on some disks.
    #[cfg(windows)]
    #[test]
    fn a_hidden_file_is_no_longer_hidden_under_its_final_name() {
        use std::os::windows::fs::MetadataExt as _;
        let home = tempfile::tempdir().unwrap();
        let is_hidden = |path: &Path| path.metadata().unwrap().file_attributes() & 2 != 0;
        let file = create_hidden(&tempfile::Builder::new(), home.path()).unwrap();
        let to = home.path().join("song.wav");
        persist(file, &to).unwrap();
        assert!(!is_hidden(&to));
    }

    #[test]
    fn a_folder_with_a_file_that_is_open_for_a_moment_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("stems");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("low.f32"), "samples").unwrap();
        let open = File::open(folder.join("low.f32")).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                drop(open);
            });
            remove_folder(&folder).unwrap();
        });
        assert!(!folder.exists());
    }

    #[test]
    fn an_open_file_is_replaced() {
        use std::io::Read as _;
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("song.wav");
        fs::write(&to, "before").unwrap();
        let mut open = File::open(&to).unwrap();
        // A player closes the file after a moment, for systems that do not replace it before.
        let (text, closed) = std::thread::scope(|scope| {
            let player = scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                let mut text = String::new();
                open.read_to_string(&mut text).unwrap();
                text
            });
            let file = create_hidden(&tempfile::Builder::new(), home.path()).unwrap();
            fs::write(file.path(), "after").unwrap();
            let closed = persist(file, &to).map(drop);
            (player.join().unwrap(), closed)
        });
        closed.unwrap();
        assert_eq!((text.as_str(), fs::read_to_string(&to).unwrap().as_str()), ("before", "after"));
    }
}
