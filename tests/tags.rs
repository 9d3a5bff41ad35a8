//! Tags in the whole program: retagged songs, and the recording time.

use std::{fs, path::Path};

use crate::support::{json_lines, partita, stderr, tiny_home, walk, write_song};

fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    assert_eq!(content.len() % 2, 0);
    [name, &(content.len() as u32).to_le_bytes(), content].concat()
}

/// Inserts chunks before the others of a WAV file.
fn insert(path: &Path, chunks: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    bytes.splice(12..12, chunks.iter().copied());
    let size = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

/// A broadcast chunk of a recording that started at this frame.
fn broadcast(time_reference: u64) -> Vec<u8> {
    let mut content = vec![0; 602];
    content[..8].copy_from_slice(b"Scene 12");
    content[256..264].copy_from_slice(b"Recorder");
    content[320..330].copy_from_slice(b"2024-05-17");
    content[330..338].copy_from_slice(b"10:20:30");
    content[338..346].copy_from_slice(&time_reference.to_le_bytes());
    content[346] = 1;
    chunk(b"bext", &content)
}

/// Description, originator, date, time, and time reference of a WAV file.
fn broadcast_of(path: &Path) -> (String, String, String, String, u64) {
    let bytes = fs::read(path).unwrap();
    let at = bytes.windows(4).position(|name| name == b"bext").unwrap() + 8;
    let text = |from: usize, to: usize| {
        let field = String::from_utf8(bytes[at + from..at + to].to_vec()).unwrap();
        field.trim_end_matches('\0').to_owned()
    };
    let time_reference = bytes[at + 338..at + 346].try_into().unwrap();
    let time_reference = u64::from_le_bytes(time_reference);
    (text(0, 256), text(256, 288), text(320, 330), text(330, 338), time_reference)
}

fn recorded(time_reference: u64) -> (String, String, String, String, u64) {
    let texts = ["Scene 12", "Recorder", "2024-05-17", "10:20:30"].map(str::to_owned);
    let [description, originator, date, time] = texts;
    (description, originator, date, time, time_reference)
}

#[test]
fn stems_of_a_broadcast_wav_keep_when_it_was_recorded() {
    const START: u64 = 37_230 * 48_000 + 7;
    let home = tiny_home();
    let song = home.path().join("take.wav");
    write_song(&song, 20_000, 48_000, 1);
    insert(&song, &broadcast(START));
    let at = |arguments: &[&str]| {
        let output = partita(home.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    };
    let song = song.to_str().unwrap();
    let scaled = (START * 44_100 + 24_000) / 48_000;
    let assert_recorded = |folder: &str, expected: u64| {
        let files = walk(&home.path().join(folder));
        assert!(files.len() >= 3, "{files:?}");
        for file in files {
            assert_eq!(broadcast_of(&file), recorded(expected), "{}", file.display());
        }
    };
    let to = |folder: &str| home.path().join(folder).to_str().unwrap().to_owned();
    at(&["separate", song, "--threads", "1", "--out", &to("as it is")]);
    assert_recorded("as it is", START);
    at(&["separate", song, "--threads", "1", "--rate", "44100", "--out", &to("at 44100")]);
    assert_recorded("at 44100", scaled);
    at(&["add", song]);
    at(&["process", "take", "--threads", "1"]);
    at(&["export", "take", "--out", &to("of the library")]);
    assert_recorded("of the library", START);
    // The export also works without the recording.
    fs::remove_file(song).unwrap();
    at(&["export", "take", "--rate", "44100", "--out", &to("without the file")]);
    assert_recorded("without the file", scaled);
}

#[test]
fn a_song_that_is_tagged_again_needs_no_second_separation() {
    let home = tiny_home();
    let song = home.path().join("song.wav");
    write_song(&song, 20_000, 44_100, 1);
    let at = |arguments: &[&str]| {
        let output = partita(home.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        output
    };
    at(&["add", song.to_str().unwrap()]);
    let job_of = |name: &str| {
        let lines = json_lines(&at(&["process", name, "--threads", "1", "--json"]));
        lines[0]["job"].clone()
    };
    let job = job_of("song");
    let title = chunk(b"INAM", b"Another title\0");
    insert(&song, &chunk(b"LIST", &[&b"INFO"[..], &title].concat()));
    at(&["add", song.to_str().unwrap()]);
    let listed = json_lines(&at(&["list", "--json"]));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["song"]["title"], "Another title");
    assert_eq!(job_of("another"), job, "the stems were not found");
}
