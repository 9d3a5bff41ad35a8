//! Uploads in their folders, without requests.

use super::*;
use crate::engine::SongId;

const MB: u64 = 1 << 20;

fn uploads(home: &Path, limits: Limits) -> Uploads {
    Uploads::open(home, limits).unwrap()
}

fn new(name: &str, bytes: u64) -> NewUpload {
    NewUpload { file_name: name.to_owned(), bytes, is_resumable: true }
}

/// Writes as much of an upload as a client might have sent before the server was killed.
fn receive(uploads: &Uploads, record: &Record, bytes: u64) {
    let part = uploads.folder_of(&record.id).join(PART);
    fs::write(part, vec![1; bytes as usize]).unwrap();
    uploads.change(&record.id, |record| record.received = bytes);
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_name_of_a_client_is_never_a_path() {
    let home = tempfile::tempdir().unwrap();
    let uploads = uploads(home.path(), Limits::default());
    for name in [
        "../../evil.wav",
        "/etc/passwd",
        "..\\..\\evil.wav",
        "C:\\evil.wav",
        "..",
        "",
        "a\0b.wav",
        "con.wav",
        "line\nbreak.wav",
        &"x".repeat(5000),
        "\u{202e}vaw.exe",
    ] {
        let record = uploads.begin(&new(name, 3)).unwrap();
        assert!(is_id(&record.id));
        receive(&uploads, &record, 3);
        let path = uploads.finish(&record).unwrap();
        let folder = uploads.folder_of(&record.id);
        assert_eq!(path.parent(), Some(&*folder), "{name:?}");
        let file_name = path.file_name().unwrap().to_str().unwrap();
        assert!(!file_name.contains(['/', '\\', '\0', '\n']) && file_name != "..", "{file_name}");
        assert_eq!(
            entries(&folder),
            [file_name, FACTS]
                .map(str::to_owned)
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
    }
    assert_eq!(entries(home.path()), ["uploads"]);
}

#[test]
fn an_interrupted_upload_goes_on_in_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let record = {
        let uploads = uploads(home.path(), Limits::default());
        let record = uploads.begin(&new("song.wav", 10)).unwrap();
        receive(&uploads, &record, 4);
        record
    };
    let uploads = uploads(home.path(), Limits::default());
    uploads.sweep(|_| None);
    let found = uploads.get(&record.id).unwrap();
    assert_eq!((found.received, found.bytes, &*found.file_name), (4, 10, "song.wav"));
    assert!(uploads.complete().is_empty());
    receive(&uploads, &record, 10);
    assert_eq!(uploads.complete().len(), 1);
}

#[test]
fn an_import_that_was_interrupted_begins_again() {
    let home = tempfile::tempdir().unwrap();
    let path = {
        let uploads = uploads(home.path(), Limits::default());
        let record = uploads.begin(&new("song.wav", 10)).unwrap();
        receive(&uploads, &record, 10);
        uploads.finish(&record).unwrap()
    };
    let uploads = uploads(home.path(), Limits::default());
    uploads.sweep(|_| None);
    let complete = uploads.complete();
    assert_eq!(complete.len(), 1);
    assert_eq!(uploads.finish(&complete[0]).unwrap(), path);
    uploads.imported(&complete[0], &path);
    assert_eq!(entries(path.parent().unwrap()), ["song.wav"]);
}

#[test]
fn files_that_nobody_needs_are_removed() {
    let home = tempfile::tempdir().unwrap();
    let uploads = uploads(home.path(), Limits::default());
    let song = uploads.begin(&new("song.wav", 3)).unwrap();
    receive(&uploads, &song, 3);
    let path = uploads.finish(&song).unwrap();
    uploads.imported(&song, &path);
    uploads.forget(&song.id);
    // A form that was interrupted, and an expired upload.
    let form = NewUpload { is_resumable: false, ..new("form.wav", 3) };
    let form = uploads.begin(&form).unwrap();
    uploads.forget(&form.id);
    let old = uploads.begin(&new("old.wav", 3)).unwrap();
    let facts = uploads.folder_of(&old.id).join(FACTS);
    let text = fs::read_to_string(&facts).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["created"]["secs_since_epoch"] = 1.into();
    fs::write(&facts, json.to_string()).unwrap();
    uploads.forget(&old.id);
    fs::create_dir(uploads.folder.join("foreign")).unwrap();
    uploads.sweep(|folder| Some(path.clone()).filter(|path| path.parent() == Some(folder)));
    assert_eq!(entries(&uploads.folder), std::slice::from_ref(&song.id));
    assert_eq!(uploads.stored_bytes(), 3);
    uploads.sweep(|_| None);
    assert_eq!(entries(&uploads.folder), Vec::<String>::new(), "its song was removed");
}

#[test]
fn a_file_of_a_song_that_is_there_already_is_removed() {
    let home = tempfile::tempdir().unwrap();
    let uploads = uploads(home.path(), Limits::default());
    let record = uploads.begin(&new("song.wav", 3)).unwrap();
    receive(&uploads, &record, 3);
    uploads.finish(&record).unwrap();
    uploads.imported(&record, Path::new("/music/song.wav"));
    assert_eq!(entries(&uploads.folder), Vec::<String>::new());
}

#[test]
fn space_is_promised_once() {
    let home = tempfile::tempdir().unwrap();
    let limits = Limits { uploads_bytes: Some(10 * MB), upload_bytes: 8 * MB, ..Limits::default() };
    let uploads = uploads(home.path(), limits);
    assert_eq!(uploads.begin(&new("a", 9 * MB)).unwrap_err(), Fault::TooLarge { most: 8 * MB });
    let first = uploads.begin(&new("a", 8 * MB)).unwrap();
    assert_eq!(
        uploads.begin(&new("b", 3 * MB)).unwrap_err(),
        Fault::NoRoom { needed: 3 * MB, free: 2 * MB }
    );
    // Of a failed one, the promise ends.
    uploads.change(&first.id, |record| {
        record.stage = Stage::Failed(Box::new(Fault::NoFile));
    });
    let second = uploads.begin(&new("b", 3 * MB)).unwrap();
    receive(&uploads, &second, 3 * MB);
    let path = uploads.finish(&second).unwrap();
    uploads.imported(&second, &path);
    uploads.change(&second.id, |record| record.stage = Stage::Imported(SongId(1)));
    assert_eq!(
        uploads.begin(&new("c", 8 * MB)).unwrap_err(),
        Fault::NoRoom { needed: 8 * MB, free: 7 * MB }
    );
}

#[test]
fn unfinished_uploads_are_limited() {
    let home = tempfile::tempdir().unwrap();
    let uploads = uploads(home.path(), Limits::default());
    for _ in 0..MOST {
        uploads.begin(&new("a", 1)).unwrap();
    }
    assert_eq!(uploads.begin(&new("a", 1)).unwrap_err(), Fault::Busy);
}
