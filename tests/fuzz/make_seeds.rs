//! Creates the seeds that are not in `tests/data`: small valid files of every kind, written by the
//! program's own libraries. Run manually: `cargo test -- --ignored make_the_seeds`. The model's
//! tests create the seeds of weights, with the same command.

use std::{fs, io::Cursor, path::Path};

use lofty::{
    config::WriteOptions,
    picture::{MimeType, Picture, PictureType},
    tag::{Accessor as _, ItemKey, Tag, TagExt as _, TagType},
};
use partita::engine::{
    library::{Library, Record},
    separation::options::{Quality, SeparationOptions},
};

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// A WAV file with at least 512 frames of a fixed pattern; `extra` extends the format chunk.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, align: u16, extra: &[u8]) -> Vec<u8> {
    let data: Vec<u8> = (0..u32::from(align) * (512 / u32::from(align)).max(2))
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 25) as u8)
        .collect();
    let mut format = Vec::new();
    format.extend(tag.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(align)).to_le_bytes());
    format.extend(align.to_le_bytes());
    format.extend(bits.to_le_bytes());
    if !extra.is_empty() {
        format.extend((extra.len() as u16).to_le_bytes());
        format.extend(extra);
    }
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    for (name, content) in [(b"fmt ", &format), (b"data", &data)] {
        file.extend(name);
        file.extend((content.len() as u32).to_le_bytes());
        file.extend(content);
    }
    let length = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

fn sound() {
    write("audio", "u8.wav", &wav(1, 1, 8_000, 8, 1, &[]));
    write("audio", "s24.wav", &wav(1, 2, 96_000, 24, 6, &[]));
    write("audio", "f32.wav", &wav(3, 2, 44_100, 32, 8, &[0; 0]));
    write("audio", "f64.wav", &wav(3, 1, 22_050, 64, 8, &[0; 0]));
    write("audio", "a-law.wav", &wav(6, 2, 8_000, 8, 2, &[]));
    let mut microsoft = 500u16.to_le_bytes().to_vec();
    microsoft.extend(7u16.to_le_bytes());
    for pair in [[256, 0], [512, -256], [0, 0], [192, 64], [240, 0], [460, -208], [392, -232]] {
        microsoft.extend(pair.map(i16::to_le_bytes).concat());
    }
    write("audio", "adpcm-ms.wav", &wav(2, 1, 22_050, 4, 256, &microsoft));
    write("audio", "adpcm-ima.wav", &wav(0x11, 1, 22_050, 4, 256, &505u16.to_le_bytes()));
    // 32 channels at 384 kHz in the extensible header: depth, loudspeakers, and the format again.
    let guid = b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
    let extensible = [&16u16.to_le_bytes()[..], &u32::MAX.to_le_bytes(), guid].concat();
    write("audio", "32-channels.wav", &wav(0xfffe, 32, 384_000, 16, 64, &extensible));
}

/// Tags of every kind before and behind a short sound.
fn tags() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let picture = picture(image::ImageFormat::Png);
    let riff = wav(1, 1, 8_000, 8, 1, &[]);
    let kinds = [
        (TagType::Id3v2, "bare-44k.mp3", "id3v2.mp3"),
        (TagType::Id3v1, "bare-44k.mp3", "id3v1.mp3"),
        (TagType::Ape, "bare-44k.mp3", "ape.mp3"),
        (TagType::RiffInfo, "", "info.wav"),
        (TagType::Id3v2, "", "id3.wav"),
        (TagType::Mp4Ilst, "chirp.m4a", "ilst.m4a"),
        (TagType::VorbisComments, "chirp.opus", "comments.opus"),
    ];
    for (kind, from, name) in kinds {
        let mut tag = Tag::new(kind);
        tag.set_title("A title, Тест".into());
        tag.set_artist("An artist".into());
        tag.set_album("An album".into());
        tag.set_track(3);
        tag.set_track_total(12);
        tag.insert_text(ItemKey::Comment, "Two\nlines".into());
        tag.insert_text(ItemKey::Lyrics, "la la".into());
        let cover = Picture::unchecked(picture.clone())
            .pic_type(PictureType::CoverFront)
            .mime_type(MimeType::Png);
        tag.push_picture(cover.build());
        let mut file =
            if from.is_empty() { riff.clone() } else { fs::read(data.join(from)).unwrap() };
        let mut out = Cursor::new(&mut file);
        tag.save_to(&mut out, WriteOptions::default().preferred_padding(16)).unwrap();
        write("tags", name, &file);
    }
}

fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 13, 99]))
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

fn covers() {
    write("covers", "small.png", &picture(image::ImageFormat::Png));
    write("covers", "small.jpg", &picture(image::ImageFormat::Jpeg));
}

fn names() {
    let fields = "AC/DC\0Who? \"Me\"\0..\0song.live\x007";
    for (name, pattern) in [
        ("usual", "{artist} - {title}/{stem}"),
        ("all", "{artist}/{album}/{track} {title} {file} {model} {n}/{stem}"),
        ("odd", "../{title}\\con.{stem}/ . {n"),
    ] {
        write("names", name, format!("{pattern}\0{fields}").as_bytes());
    }
}

/// A library with songs and jobs, in small pages.
fn libraries() {
    let home = tempfile::tempdir().unwrap();
    let mut library = Library::open(home.path()).unwrap();
    for seed in ["0a", "1b"] {
        library.adopt(&Record::of_nameless(&seed.repeat(16), 44_100)).unwrap();
    }
    let song = library.songs().unwrap()[0].id;
    let options = SeparationOptions { model: "htdemucs".into(), quality: Quality::default() };
    let mut job =
        library.add_job(song, &options, false, &["vocals".into(), "drums".into()]).unwrap();
    job.segments_total = 3;
    library.update_job(&job).unwrap();
    library.add_to_pace("htdemucs", 3, 1.5).unwrap();
    drop(library);
    let path = home.path().join("library.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM;").unwrap();
    write("library", "songs.db", &fs::read(&path).unwrap());
    db.execute_batch("DELETE FROM jobs; DELETE FROM songs; VACUUM;").unwrap();
    drop(db);
    write("library", "empty.db", &fs::read(&path).unwrap());
    let foreign = home.path().join("foreign.db");
    let db = rusqlite::Connection::open(&foreign).unwrap();
    db.execute_batch(
        "PRAGMA page_size = 512; CREATE TABLE songs (id, hash); PRAGMA user_version = 1;
         CREATE VIEW jobs AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT i FROM n;",
    )
    .unwrap();
    drop(db);
    write("library", "foreign.db", &fs::read(&foreign).unwrap());
}

#[test]
#[ignore = "writes the seeds into the sources"]
fn make_the_seeds() {
    sound();
    tags();
    covers();
    names();
    libraries();
}
