//! Search for songs in folders.
//!
//! A search skips files that are not audio by their names and files that Partita itself wrote, and
//! counts both. A file that the user names explicitly is used without a search. Reads names and, of
//! audio files, their tags. Runs on the calling thread.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::engine::{
    audio::decode::is_audio_file,
    export::is_own_file,
    problem::{FolderProblem, LeftOut},
    types::CancelToken,
};

/// Result of a search.
#[derive(Debug)]
pub struct Found {
    /// Songs, at least one, sorted by path.
    pub songs: Vec<PathBuf>,
    /// Files that were skipped.
    pub passed_over: LeftOut,
}

/// Searches `folder` and its subfolders except hidden ones; a folder reached through several links
/// is visited once. If `cancel` ends the search, returns the songs found so far.
///
/// # Errors
/// [`FolderProblem`] if the folder cannot be read or contains no songs.
pub fn songs_in(folder: &Path, cancel: &CancelToken) -> Result<Found, FolderProblem> {
    let unreadable = |error: io::Error| FolderProblem::Unreadable { cause: error.into() };
    let mut search = Search {
        cancel,
        visited: HashSet::new(),
        waiting: Vec::new(),
        songs: Vec::new(),
        passed_over: LeftOut::default(),
    };
    let root = fs::canonicalize(folder).map_err(unreadable)?;
    search.visited.insert(root);
    search.list(folder).map_err(unreadable)?;
    while let Some(path) = search.waiting.pop().filter(|_| !cancel.is_cancelled()) {
        search.visit(path);
    }
    let Search { mut songs, passed_over, .. } = search;
    songs.sort();
    match passed_over.all() {
        0 if songs.is_empty() => Err(FolderProblem::Empty),
        _ if songs.is_empty() => Err(FolderProblem::NoSong(passed_over)),
        _ => Ok(Found { songs, passed_over }),
    }
}

struct Search<'a> {
    cancel: &'a CancelToken,
    visited: HashSet<PathBuf>,
    waiting: Vec<PathBuf>,
    songs: Vec<PathBuf>,
    passed_over: LeftOut,
}

impl Search<'_> {
    fn list(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                self.waiting.push(entry.path());
            } else if is_audio_file(&entry.path()) {
                self.passed_over.hidden += 1;
            }
        }
        Ok(())
    }

    fn visit(&mut self, path: PathBuf) {
        let passed_over = &mut self.passed_over;
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() => {
                let listed = fs::canonicalize(&path).and_then(|real| {
                    if self.visited.insert(real) { self.list(&path) } else { Ok(()) }
                });
                self.passed_over.unreadable += usize::from(listed.is_err());
            }
            _ if !is_audio_file(&path) => passed_over.not_audio += 1,
            Ok(about) if !about.is_file() => passed_over.not_files += 1,
            Ok(_) if is_own_file(&path, self.cancel) => passed_over.own += 1,
            Ok(_) => self.songs.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => passed_over.not_files += 1,
            Err(_) => passed_over.unreadable += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_folders_recursively_and_sorts() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir_all(at(".hidden")).unwrap();
        for name in ["b/deep/2.ogg", "b/1.wav", "a.mp3", "c.txt", ".d.mp3", ".hidden/e.mp3"] {
            fs::write(at(name), b"x").unwrap();
        }
        let found = songs_in(home.path(), &CancelToken::default()).unwrap();
        assert_eq!(found.songs, [at("a.mp3"), at("b/1.wav"), at("b/deep/2.ogg")]);
        let counts = LeftOut { not_audio: 1, hidden: 1, ..LeftOut::default() };
        assert_eq!(found.passed_over, counts);
        assert_eq!(counts.to_string(), "2 passed over (1 not audio by name; 1 hidden by name)");
    }

    #[test]
    fn a_folder_without_songs_says_why() {
        let home = tempfile::tempdir().unwrap();
        let says =
            |folder: &Path| songs_in(folder, &CancelToken::default()).unwrap_err().to_string();
        fs::create_dir(home.path().join("below")).unwrap();
        assert_eq!(says(home.path()), "this folder is empty");
        fs::write(home.path().join("below/cover.jpg"), "x").unwrap();
        let message = "this folder holds no song; 1 passed over (1 not audio by name)";
        assert_eq!(says(home.path()), message);
        assert!(says(&home.path().join("nowhere")).starts_with("could not read this folder: "));
    }

    #[cfg(unix)] // links take a privilege on Windows
    #[test]
    fn cyclic_links_terminate_and_broken_ones_are_counted() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};

        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/1.wav"), b"x").unwrap();
        symlink(home.path(), at("a/up")).unwrap();
        symlink(at("nowhere"), at("broken.mp3")).unwrap();
        symlink("round.mp3", at("round.mp3")).unwrap();
        let odd = at("a").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.mp3"));
        fs::write(&odd, b"x").unwrap();
        let found = songs_in(home.path(), &CancelToken::default()).unwrap();
        assert_eq!(found.songs, [at("a/1.wav"), odd]);
        assert_eq!((found.passed_over.not_files, found.passed_over.unreadable), (1, 1));
        assert_eq!(found.passed_over.all(), 2);
    }
}
