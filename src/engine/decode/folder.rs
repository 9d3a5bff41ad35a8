//! Which files of a folder are songs. Judges by name alone; decoding has the last word.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Extensions of the files that can be decoded, in lower case.
pub const EXTENSIONS: &[&str] = &[
    "aac", "aif", "aifc", "aiff", "caf", "flac", "m4a", "m4b", "mka", "mp1", "mp2", "mp3", "mp4",
    "oga", "ogg", "opus", "wav", "wave", "webm",
];

/// Whether the name of `path` ends as an audio file's does.
pub fn is_audio_file(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// The audio files in `folder` and the folders below it, sorted by path. Hidden files and folders
/// are left out, and so is what cannot be read below `folder`; a folder that is linked into itself
/// is visited once.
///
/// # Errors
/// When `folder` itself cannot be read.
pub fn audio_files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut visited = HashSet::from([fs::canonicalize(folder)?]);
    let mut waiting = visible_entries(folder)?;
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = fs::metadata(&path) else {
            continue; // a link to nowhere
        };
        if metadata.is_file() && is_audio_file(&path) {
            files.push(path);
        } else if metadata.is_dir()
            && let Ok(real) = fs::canonicalize(&path)
            && visited.insert(real)
            && let Ok(entries) = visible_entries(&path)
        {
            waiting.extend(entries);
        }
    }
    files.sort();
    Ok(files)
}

fn visible_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(Result::ok);
    let visible = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    Ok(visible.map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_decide_in_any_case() {
        for name in ["a.mp3", "a.MP3", "b.c.Flac", "dir/ü.m4a", "x.opus"] {
            assert!(is_audio_file(Path::new(name)), "{name}");
        }
        for name in ["mp3", ".mp3", "a.txt", "a.mp3.part", "", "a."] {
            assert!(!is_audio_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn folders_are_searched_through_and_sorted() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir_all(at(".hidden")).unwrap();
        for name in ["b/deep/2.ogg", "b/1.wav", "a.mp3", "c.txt", ".d.mp3", ".hidden/e.mp3"] {
            fs::write(at(name), b"x").unwrap();
        }
        let found = audio_files_in(home.path()).unwrap();
        assert_eq!(found, [at("a.mp3"), at("b/1.wav"), at("b/deep/2.ogg")]);
        assert!(audio_files_in(&at("nowhere")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};

        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/1.wav"), b"x").unwrap();
        symlink(home.path(), at("a/up")).unwrap();
        symlink(at("nowhere"), at("broken.mp3")).unwrap();
        let odd = at("a").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.mp3"));
        fs::write(&odd, b"x").unwrap();
        assert_eq!(audio_files_in(home.path()).unwrap(), [at("a/1.wav"), odd]);
    }
}
