//! Files with several audio tracks: the selected track, the message about it, and the track of a
//! song in the library. In the test file, the second of two tracks is the default one and has
//! swapped channels.

use std::{
    fs,
    path::{Path, PathBuf},
};

use partita::engine::{CancelToken, audio::decode};

use crate::support::{json_lines, partita, read_any, stderr, tiny_home};

const RATE: u32 = 48_000;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/chirp-two-tracks.mka")
}

/// A track decoded at the file's own rate.
fn sound(track: usize) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut take = |block: &[f32]| {
        samples.extend_from_slice(block);
        Ok(())
    };
    decode::decode_at(&file(), Some(track), RATE, &CancelToken::default(), &mut take).unwrap();
    samples
}

/// The sum of all files in a folder; stems and residual add up to the song.
fn sum(folder: &Path) -> Vec<f32> {
    let files = fs::read_dir(folder).unwrap().map(|entry| read_any(&entry.unwrap().path(), RATE));
    let add = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(a, b)| a + b).collect();
    files.reduce(add).unwrap()
}

fn assert_is(folder: &Path, track: usize) {
    let (found, expected) = (sum(folder), sound(track));
    assert_eq!(found.len(), expected.len());
    let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 1e-4, "{largest} from track {track}");
}

const FILES: [&str; 3] = ["--residual", "--depth", "32f"];

#[test]
fn a_track_is_chosen_by_its_number_and_said() {
    let (home, file) = (tiny_home(), file());
    assert!(sound(1) != sound(2));
    let separate = |out: &str, more: &[&str]| {
        let out = home.path().join(out);
        let words = ["separate", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = partita(home.path(), &[&words[..], &FILES, more].concat());
        (out.join("chirp-two-tracks"), output)
    };
    let (folder, output) = separate("default", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let words = "track 2 of 2 (Vorbis, por, Exchanged) was taken; choose another with --track";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    assert_is(&folder, 2);
    let (folder, output) = separate("first", &["--track", "1"]);
    assert!(
        stderr(&output).contains("track 1 of 2 (Vorbis, eng) was taken"),
        "{}",
        stderr(&output)
    );
    assert_is(&folder, 1);
    let (folder, output) = separate("third", &["--track", "3"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("track") && !folder.exists(), "{}", stderr(&output));
    let (_, output) = separate("none", &["--track", "0"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_manifest_names_tracks() {
    let (home, file) = (tiny_home(), file());
    let (manifest, out) = (home.path().join("all.csv"), home.path().join("out"));
    let path = file.display();
    fs::write(&manifest, format!("path,track,name\n{path},1,one\n{path},2,two\n{path},,any\n"))
        .unwrap();
    let words =
        ["separate", "--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let run = || partita(home.path(), &[&words[..], &FILES].concat());
    let output = run();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("track 1 of 2 (Vorbis, eng) was taken"),
        "{}",
        stderr(&output)
    );
    for (name, track) in [("one", 1), ("two", 2), ("any", 2)] {
        assert_is(&out.join(name), track);
    }
    let again = run();
    assert!(String::from_utf8_lossy(&again.stdout).contains("3 of them before"), "{again:?}");
    let probed =
        json_lines(&partita(home.path(), &["probe", "--manifest", manifest.to_str().unwrap()]));
    let tracks: Vec<_> = probed.iter().map(|line| line["track"].as_u64()).collect();
    assert_eq!(tracks, [Some(1), Some(2), None]);
}

#[test]
fn the_library_keeps_to_the_track_of_a_song() {
    let (home, file) = (tiny_home(), file());
    let add = |more: &[&str]| {
        let output =
            partita(home.path(), &[&["add", "--json", file.to_str().unwrap()], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let song = json_lines(&output).remove(0);
        (song["id"].as_i64().unwrap(), song["track"].as_u64(), stderr(&output))
    };
    let (default, track, notes) = add(&[]);
    assert_eq!(track, Some(2));
    assert!(notes.contains("track 2 of 2 (Vorbis, por, Exchanged) was taken"), "{notes}");
    let (first, track, _) = add(&["--track", "1"]);
    assert_eq!((track, first == default), (Some(1), false), "two tracks are two songs");
    assert_eq!(add(&["--track", "2"]).0, default, "the default track by number is the same song");
    assert_eq!((add(&["--track", "1"]).0, add(&[]).0), (first, default));
    assert_eq!(json_lines(&partita(home.path(), &["list", "--json"])).len(), 2);
    for (song, track) in [(default, 2), (first, 1)] {
        let (song, out) = (song.to_string(), home.path().join(format!("out-{track}")));
        assert!(partita(home.path(), &["process", &song]).status.success());
        let words = ["export", &song, "--name", "{stem}", "--out", out.to_str().unwrap()];
        let output = partita(home.path(), &[&words[..], &FILES].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        assert_is(&out, track);
    }
}
