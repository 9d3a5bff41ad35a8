//! Final checks of the soak. All songs of the library are completed and compared with an
//! undisturbed run; stems that were reported complete are compared before that. All exported files
//! are checked too.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use partita::engine::{
    CancelToken, Note,
    audio::decode::{Decoded, decode},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Diary, files::Files, run};
use crate::support::{json_lines, stderr, tiny_home, walk};

/// An undisturbed data folder with all songs, and all of their exports.
struct Undisturbed {
    home: tempfile::TempDir,
    /// Digests of the samples of every possible export.
    exports: BTreeSet<String>,
}

impl Undisturbed {
    fn new(files: &Files, diary: &Diary) -> Self {
        let home = tiny_home();
        // In small groups, so that no command takes too long.
        let of_all = |words: &[&str], all: &[String]| {
            for some in all.chunks(8) {
                let words = words.iter().copied().chain(some.iter().map(String::as_str));
                let output = run(home.path(), &words.collect::<Vec<_>>(), diary);
                assert!(output.status.success(), "{}", stderr(&output));
            }
        };
        let songs: Vec<String> = files.all().map(|path| path.display().to_string()).collect();
        of_all(&["add"], &songs);
        let songs = json_lines(&run(home.path(), &["list", "--json"], diary));
        let ids: Vec<String> = songs.iter().map(|line| line["song"]["id"].to_string()).collect();
        of_all(&["process", "--threads", "1"], &ids);
        let out = home.path().join("out");
        for format in super::FORMATS {
            let to = out.join(format).display().to_string();
            of_all(&["export", "--format", format, "--on-exists", "number", "--out", &to], &ids);
        }
        let exports = walk(&out).iter().filter_map(|path| read(path, diary)).collect();
        Self { home, exports }
    }
}

/// The digest of an exported file's samples; an incomplete file is a fault.
fn read(file: &Path, diary: &Diary) -> Option<String> {
    let mut digest = Sha256::new();
    let mut sink = |block: &[f32]| {
        for sample in block {
            digest.update(sample.to_le_bytes());
        }
        Ok(())
    };
    match decode(file, None, &CancelToken::default(), &mut |_| (), &mut sink) {
        Ok(Decoded { warning, .. })
            if warning
                .0
                .iter()
                .any(|note| matches!(note, Note::CutOff { .. } | Note::Lost { .. })) =>
        {
            diary.fault(format!("{}: {warning}", file.display()));
            None
        }
        Ok(_) => Some(super::files::hexadecimal(&digest.finalize())),
        Err(e) => {
            diary.fault(format!("{}: {e}", file.display()));
            None
        }
    }
}

/// The folder of a song in the data folder.
fn folder_of(song: &Value) -> PathBuf {
    Path::new("songs").join(&song["hash"].as_str().unwrap()[..32])
}

/// Whether the stores of a song are bit-identical in both data folders.
fn is_same(one: &Path, other: &Path) -> bool {
    let stores = |folder: &Path| -> BTreeSet<PathBuf> {
        let files = walk(folder).into_iter();
        files
            .filter(|path| path.extension().is_some_and(|ending| ending == "f32"))
            .map(|path| path.strip_prefix(folder).unwrap().to_owned())
            .collect()
    };
    let names = stores(one);
    names == stores(other)
        && names
            .iter()
            .all(|name| fs::read(one.join(name)).unwrap() == fs::read(other.join(name)).unwrap())
}

pub fn finish(home: &Path, files: &Files, diary: &Diary) {
    let undisturbed = Undisturbed::new(files, diary);
    let listed = run(home, &["list", "--json"], diary);
    assert!(listed.status.success(), "{}", stderr(&listed));
    let listed = json_lines(&listed);
    println!("{} songs are in the library at the end", listed.len());
    let known: BTreeSet<String> = files.all().map(|path| super::files::hash(path)).collect();
    let mut done = 0;
    for line in &listed {
        let (id, folder) = (line["song"]["id"].to_string(), folder_of(&line["song"]));
        if !known.contains(line["song"]["hash"].as_str().unwrap()) {
            diary.fault(format!("song {id} does not belong to an added file"));
            continue;
        }
        let right = undisturbed.home.path().join(&folder);
        if line["job"]["state"] == "done" {
            done += 1;
            if !is_same(&home.join(&folder), &right) {
                diary.fault(format!("song {id} is reported as done, but has wrong samples"));
            }
        }
        let output = run(home, &["process", &id, "--threads", "1"], diary);
        if !output.status.success() {
            diary.fault(format!("song {id} could not be completed: {}", stderr(&output)));
        } else if !is_same(&home.join(&folder), &right) {
            diary.fault(format!("song {id} has other samples than in the undisturbed run"));
        }
    }
    println!("{done} of them were reported as done before the final run");
    // The last commands have cleaned up.
    let out = home.join("out");
    let is_left = |path: &PathBuf| path.to_string_lossy().contains("/.partita-");
    let left: Vec<_> = walk(home).into_iter().filter(is_left).collect();
    let left: Vec<_> = left.into_iter().filter(|path| !path.starts_with(&out)).collect();
    if !left.is_empty() {
        diary.fault(format!("left over: {left:?}"));
    }
    let mut whole = 0;
    for file in walk(&out).iter().filter(|path| !is_left(path)) {
        let Some(digest) = read(file, diary) else { continue };
        whole += 1;
        if !undisturbed.exports.contains(&digest) {
            diary.fault(format!("{} differs from every undisturbed export", file.display()));
        }
    }
    println!("{whole} exported files are complete and equal undisturbed ones");
}
