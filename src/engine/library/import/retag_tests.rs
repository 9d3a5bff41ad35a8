//! Songs keep their identity when they are retagged, also in libraries of older versions.

use std::fs;

use lofty::{
    config::WriteOptions,
    file::TaggedFileExt as _,
    picture::{MimeType, Picture, PictureType},
    tag::{Accessor as _, Tag, TagExt as _},
};
use tempfile::TempDir;

use super::*;
use crate::engine::{
    export::Origin,
    library::{MIGRATIONS, paths::song_folder},
};

const FILES: [&str; 10] = [
    "chirp.mp3",
    "bare-44k.mp3",
    "chirp.flac",
    "chirp.m4a",
    "chirp-alac.m4a",
    "chirp.ogg",
    "chirp.opus",
    "chirp-22k.aiff",
    "chirp-mono-8k-mulaw.wav",
    "chirp.mka",
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn import(library: &mut Library, path: &Path) -> Song {
    let never = CancelToken::default();
    import_file(library, (path, None), &never, &mut |_| ()).unwrap_or_else(|e| panic!("{e}"))
}

/// Bytes with the signature of a PNG, larger than any padding.
fn cover(filling: u8) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &vec![filling; 60_000]].concat()
}

/// Writes other tags and a large cover, as a tag editor does.
fn tag_again(path: &Path, title: &str, filling: u8) {
    if path.extension().is_some_and(|extension| extension == "mka") {
        return tag_matroska_again(path, title);
    }
    let mut file = lofty::read_from_path(path).unwrap();
    let kind = file.primary_tag_type();
    if file.tag(kind).is_none() {
        file.insert_tag(Tag::new(kind));
    }
    let tag = file.tag_mut(kind).unwrap();
    tag.set_title(title.into());
    tag.set_artist("Another Artist".into());
    let picture = Picture::unchecked(cover(filling)).pic_type(PictureType::CoverFront);
    tag.set_picture(0, picture.mime_type(MimeType::Png).build());
    tag.save_to_path(path, WriteOptions::default()).unwrap();
}

/// Overwrites the artist's name with a title of the same length.
fn tag_matroska_again(path: &Path, title: &str) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(6).position(|window| window == b"ARTIST").unwrap() + 9;
    let name: Vec<u8> = title.bytes().chain(*b"           ").take(11).collect();
    bytes[at..at + 11].copy_from_slice(&name);
    fs::write(path, bytes).unwrap();
}

/// Creates a marker in place of a song's stems; it disappears with the song's folder.
fn mark(library: &Library, song: &Song) -> PathBuf {
    let marker = library.song_folder(&song.hash).join("stems/marker");
    fs::create_dir_all(marker.parent().unwrap()).unwrap();
    fs::write(&marker, "stems").unwrap();
    marker
}

#[test]
fn a_retagged_song_finds_its_stems() {
    for name in FILES {
        let home = TempDir::new().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let path = home.path().join(name);
        fs::copy(data(name), &path).unwrap();
        let first = import(&mut library, &path);
        let marker = mark(&library, &first);
        tag_again(&path, "Tagged 1", 1);
        let again = import(&mut library, &path);
        assert_eq!((again.id, &again.hash), (first.id, &first.hash), "{name}");
        // Also under another name, and with changed tags.
        let moved = home.path().join(format!("moved {name}"));
        fs::rename(&path, &moved).unwrap();
        tag_again(&moved, "Tagged 2", 2);
        let again = import(&mut library, &moved);
        assert_eq!((again.id, &again.path), (first.id, &moved), "{name}");
        assert!(marker.is_file(), "{name}");
        assert_eq!(library.songs().unwrap().len(), 1);
        if name == "chirp.mka" {
            assert_eq!(again.artist.as_deref(), Some("Tagged 2"));
            continue;
        }
        assert_eq!(again.title, "Tagged 2", "{name}");
        assert_eq!(again.artist.as_deref(), Some("Another Artist"), "{name}");
        let kept = fs::read(library.song_folder(&first.hash).join(cover::FILE)).unwrap();
        assert!(kept == cover(2), "{name}");
        let record = fs::read_to_string(library.song_folder(&first.hash).join("song.json"));
        assert!(record.unwrap().contains("Tagged 2"), "{name}");
    }
}

#[test]
fn tags_of_other_kinds_do_not_change_the_identity() {
    let home = TempDir::new().unwrap();
    let mut library = Library::open(home.path()).unwrap();
    let mut id3v1 = b"TAGAn old title".to_vec();
    id3v1.resize(128, 0);
    // An APE tag with a cover that contains fake MPEG frame headers.
    let cover = [b"c.jpg\0\xff\xd8\xff\xe0", &b"\xff\xfb\x90\x64........"[..]].concat().repeat(90);
    let item = [&(cover.len() as u32).to_le_bytes()[..], b"\x02\0\0\0Cover Art (Front)\0", &cover];
    let size = item.concat().len() as u32 + 32;
    let footer = [b"APETAGEX", &[2_000, size, 1, 0].map(u32::to_le_bytes).concat()[..], &[0; 8]];
    let ape = [item.concat(), footer.concat()].concat();
    for name in ["chirp.mp3", "bare-44k.mp3", "bare-48k.mp3", "chirp.flac", "chirp.aac"] {
        let bytes = fs::read(data(name)).unwrap();
        let first = import(&mut library, &data(name));
        let path = home.path().join(name);
        let id3v2 = [b"ID3\x04\0\0\0\0\x10\0", &[0; 2048][..]].concat();
        for tagged in [
            [&id3v2, &bytes[..]].concat(),
            [&bytes[..], &id3v1].concat(),
            [&bytes[..], &ape, &id3v1].concat(),
            [&id3v2, &bytes[..], &id3v1, &ape].concat(),
        ] {
            fs::write(&path, tagged).unwrap();
            assert_eq!(import(&mut library, &path).id, first.id, "{name}");
        }
    }
}

#[test]
fn different_sound_is_a_different_song() {
    let home = TempDir::new().unwrap();
    let mut library = Library::open(home.path()).unwrap();
    for (count, name) in FILES.into_iter().filter(|name| *name != "chirp.mka").enumerate() {
        import(&mut library, &data(name));
        assert_eq!(library.songs().unwrap().len(), count + 1, "{name} has a different encoding");
    }
    for name in ["chirp-mono-8k-mulaw.wav", "chirp-22k.aiff", "chirp.mp3", "chirp.m4a"] {
        let before = library.songs().unwrap().len();
        let mut bytes = fs::read(data(name)).unwrap();
        // This offset is within the sound of each of these files.
        let at = bytes.len() * 3 / 4;
        bytes[at] ^= 1;
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        let never = CancelToken::default();
        let identity = |path: &Path| SoundIdentity::of_file(path, None, &never).unwrap().unwrap();
        assert_ne!(identity(&path), identity(&data(name)), "{name}");
        import(&mut library, &path);
        assert_eq!(library.songs().unwrap().len(), before + 1, "{name}");
    }
}

#[test]
fn a_title_set_by_the_user_stays_until_the_title_in_the_file_changes() {
    let home = TempDir::new().unwrap();
    let mut library = Library::open(home.path()).unwrap();
    let path = home.path().join("a.flac");
    fs::copy(data("chirp.flac"), &path).unwrap();
    tag_again(&path, "Of the file", 1);
    let id = import(&mut library, &path).id;
    library.rename_song(id, "Of the user").unwrap();
    assert_eq!(import(&mut library, &path).title, "Of the user");
    tag_again(&path, "Of the file, corrected", 1);
    assert_eq!(import(&mut library, &path).title, "Of the file, corrected");
    // Fields removed from the file stay in the library.
    fs::copy(data("chirp.flac"), &path).unwrap();
    let song = import(&mut library, &path);
    assert_eq!(song.title, "Of the file, corrected");
    assert_eq!(song.artist.as_deref(), Some("Another Artist"));
}

/// Creates a library of the version before sound identities, with one song known by its file's
/// bytes.
fn older_library(home: &Path, file: &Path) -> PathBuf {
    let hash = content_hash(file, &CancelToken::default()).unwrap();
    let folder = song_folder(&home.join("songs"), &hash);
    let (decoded, _) =
        decode_to_store(file, None, &folder, &CancelToken::default(), &mut |_| ()).unwrap();
    let db = rusqlite::Connection::open(Library::file_in(home)).unwrap();
    for step in MIGRATIONS.iter().take(6) {
        db.execute_batch(step).unwrap();
    }
    db.pragma_update(None, "user_version", 6).unwrap();
    let sql = "INSERT INTO songs (hash, path, title, format, frames, added_at)
               VALUES (?1, ?2, 'Of the user', ?3, ?4, 7)";
    let format = serde_json::to_string(&decoded.format).unwrap();
    let path = crate::engine::library::paths::to_bytes(file);
    db.execute(sql, rusqlite::params![hash, path, format, decoded.frames as i64]).unwrap();
    let marker = folder.join("stems/marker");
    fs::create_dir_all(marker.parent().unwrap()).unwrap();
    fs::write(&marker, "stems").unwrap();
    marker
}

#[test]
fn songs_of_an_older_library_are_found_by_original_and_retagged_files() {
    for name in ["chirp.flac", "chirp.mp3", "chirp.m4a", "chirp.ogg", "chirp-22k.aiff"] {
        for is_tagged_before in [false, true] {
            let home = TempDir::new().unwrap();
            let path = home.path().join(name);
            fs::copy(data(name), &path).unwrap();
            tag_again(&path, "Of the file", 1);
            let marker = older_library(home.path(), &path);
            let mut library = Library::open(home.path()).unwrap();
            let old = library.songs().unwrap().remove(0);
            assert_eq!(old.sound, None);
            if is_tagged_before {
                tag_again(&path, "Tagged", 2);
            }
            let found = import(&mut library, &path);
            assert_eq!((found.id, &found.hash), (old.id, &old.hash), "{name}");
            let title = if is_tagged_before { "Tagged" } else { "Of the user" };
            assert_eq!(found.title, title, "{name}");
            assert!(found.sound.is_some(), "{name}");
            // From here on, the song is found by its sound.
            tag_again(&path, "Tagged again", 3);
            let found = import(&mut library, &path);
            assert_eq!((found.id, &found.title[..]), (old.id, "Tagged again"), "{name}");
            assert!(marker.is_file(), "{name}");
            let folders = fs::read_dir(library.songs_folder()).unwrap().count();
            assert_eq!((library.songs().unwrap().len(), folders), (1, 1), "{name}");
        }
    }
}

#[test]
fn an_interrupted_import_leaves_an_older_song_unchanged() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.flac");
    fs::copy(data("chirp.flac"), &path).unwrap();
    let marker = older_library(home.path(), &path);
    tag_again(&path, "Tagged", 2);
    let mut library = Library::open(home.path()).unwrap();
    let old = library.songs().unwrap();
    let cancel = CancelToken::default();
    let mut stop = |fraction| {
        if fraction > 0.0 {
            cancel.cancel();
        }
    };
    let error = import_file(&mut library, (&path, None), &cancel, &mut stop).unwrap_err();
    assert!(matches!(error, Problem::Cancelled), "{error}");
    assert_eq!(library.songs().unwrap(), old);
    assert!(marker.is_file());
    assert_eq!(import(&mut library, &path).id, old[0].id);
}

#[test]
fn exports_have_the_current_tags_of_the_file() {
    let never = CancelToken::default();
    let home = TempDir::new().unwrap();
    let path = home.path().join("a.flac");
    fs::copy(data("chirp.flac"), &path).unwrap();
    older_library(home.path(), &path);
    let library = Library::open(home.path()).unwrap();
    let origin = |library: &Library| {
        let song = library.songs().unwrap().remove(0);
        Origin::of_song(&song, &library.song_folder(&song.hash), "m", &never).unwrap()
    };
    assert!(origin(&library).is_at_hand);
    // Before and after the sound identity is known.
    let mut library = library;
    for title in ["Tagged", "Tagged again"] {
        tag_again(&path, title, 1);
        let now = origin(&library);
        assert!(now.is_at_hand);
        assert_eq!(now.tags.title(), title);
        assert!(now.tags.pictures()[0].0.data() == cover(1));
        import(&mut library, &path);
    }
    fs::copy(data("chirp.ogg"), &path).unwrap();
    assert!(!origin(&library).is_at_hand, "different sound");
}
