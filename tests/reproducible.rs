//! Checks that the same command writes the same bytes in every format, also from another process.

use std::{fs, path::Path};

use partita::engine::export::FORMATS;

use crate::support::{partita, stderr, walk, write_song};

#[test]
fn the_same_command_twice_gives_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::create_dir(at("models")).unwrap();
    // Six stems, which include the four that files for DJs need.
    fs::copy(golden.join("six.weights.safetensors"), at("models/htdemucs.safetensors")).unwrap();
    write_song(&at("song.wav"), 9000, 44_100, 1);
    let separate = |song: &Path, format: &str, out: &Path| {
        let (song, out) = (song.to_str().unwrap(), out.to_str().unwrap());
        let words = ["separate", song, "--format", format, "--shifts", "2", "--mix", "--out", out];
        let output = partita(home.path(), &words);
        assert!(output.status.success(), "{format}: {}", stderr(&output));
    };
    // A song with many tags.
    separate(&at("song.wav"), "mp3", &at("tagged"));
    let tagged = walk(&at("tagged")).remove(0);
    for format in FORMATS {
        let runs = ["first", "second", "third"].map(|run| at(run).join(format.id));
        for out in &runs {
            separate(&tagged, format.id, out);
        }
        let mut files = walk(&runs[0]);
        files.sort();
        assert!(!files.is_empty(), "{}", format.id);
        for file in files {
            let below = file.strip_prefix(&runs[0]).unwrap().to_owned();
            for other in &runs[1..] {
                let same = fs::read(&file).unwrap() == fs::read(other.join(&below)).unwrap();
                assert!(same, "{}: {}", format.id, below.display());
            }
        }
    }
}
