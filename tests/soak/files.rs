//! Songs of all kinds, created for the soak: synthesized, exported by the program, and taken from
//! the decoder tests. Also files that are not songs.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::{partita, stderr, tiny_home, walk, write_song};

pub struct Files {
    _folder: TempDir,
    pub good: Vec<PathBuf>,
    pub bad: Vec<PathBuf>,
    /// Files for the window only.
    pub handed: Vec<PathBuf>,
}

impl Files {
    pub fn make() -> Self {
        const RATES: [u32; 6] = [8000, 22_050, 32_000, 44_100, 48_000, 96_000];
        let folder = tempfile::tempdir().unwrap();
        let at = |name: String| folder.path().join(name);
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut good: Vec<PathBuf> = walk(&data);
        // One of the files has an unsupported format.
        let is_refused = |path: &PathBuf| path.ends_with("chirp-5.1.ogg");
        let refused = good.iter().find(|path| is_refused(path)).cloned();
        good.retain(|path| {
            path.extension().is_some_and(|ending| ending != "sh") && !is_refused(path)
        });
        for seed in 0..30_u32 {
            let rate = RATES[seed as usize % RATES.len()];
            let path = at(format!("song {seed} ünïcödé.wav"));
            let seconds = [1, 2, 5][seed as usize % 3];
            write_song(&path, rate as usize * seconds + seed as usize, rate, seed);
            good.push(path);
        }
        let home = tiny_home();
        for (index, format) in
            ["flac", "alac", "mp3", "opus"].into_iter().cycle().take(12).enumerate()
        {
            let source = good[good.len() - 1 - index].clone();
            let out = at(format!("of {index}"));
            let arguments =
                ["separate", "--threads", "1", "--mix", "--residual", "--format", format];
            let arguments: Vec<&str> = arguments
                .into_iter()
                .chain(["--out", out.to_str().unwrap(), source.to_str().unwrap()])
                .collect();
            let output = partita(home.path(), &arguments);
            assert!(output.status.success(), "{}", stderr(&output));
        }
        for index in 0..12 {
            good.extend(walk(&at(format!("of {index}"))));
        }
        let bad = [
            ("empty.wav", Vec::new()),
            ("text.mp3", b"Text, not music.\n".repeat(99)),
            ("zeros.flac", vec![0; 70_000]),
            ("head.ogg", fs::read(data.join("chirp.ogg")).unwrap()[..300].to_vec()),
            ("head.m4a", fs::read(data.join("chirp.m4a")).unwrap()[..400].to_vec()),
        ];
        let bad = bad.map(|(name, bytes)| {
            let path = at(name.to_owned());
            fs::write(&path, bytes).unwrap();
            path
        });
        let bad = bad.into_iter().chain(refused).collect();
        let handed = (0..24_u32).map(|seed| {
            let path = at(format!("handed over {seed}.wav"));
            write_song(&path, 9000, 8000, 500 + seed);
            path
        });
        let handed = handed.collect();
        Self { _folder: folder, good, bad, handed }
    }

    /// All files that are songs.
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.good.iter().chain(&self.handed)
    }
}

/// A file's digest as in the library.
pub fn hash(path: &Path) -> String {
    hexadecimal(&Sha256::digest(fs::read(path).unwrap()))
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
