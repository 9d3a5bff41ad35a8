//! Written tags, read again by lofty from the smallest file that holds them.

use std::{fs, io::Cursor};

use lofty::{
    config::ParseOptions,
    file::{FileType, TaggedFileExt as _},
    id3::v2::{CommentFrame, ExtendedTextFrame, Frame, FrameId, Id3v2Tag, TextInformationFrame},
    mp4::{Atom, AtomData},
    probe::Probe,
    tag::Accessor as _,
};
use proptest::prelude::*;

use super::{bytes::bytes_of, *};
use crate::engine::{
    export::format::{
        FORMATS, Format, Samples, Streams,
        tests::{COVER, spec},
    },
    types::Depth,
};

fn text(id: &'static str, value: &'static str) -> Frame<'static> {
    let id = FrameId::Valid(id.into());
    Frame::Text(TextInformationFrame::new(id, lofty::TextEncoding::UTF8, value))
}

fn user_text(name: &'static str, value: &'static str) -> Frame<'static> {
    Frame::UserText(ExtendedTextFrame::new(lofty::TextEncoding::UTF8, name, value))
}

fn comment(language: [u8; 3], name: &'static str, value: &'static str) -> Frame<'static> {
    Frame::Comment(CommentFrame::new(lofty::TextEncoding::UTF8, language, name, value))
}

/// A song file with every kind of tag that may occur.
fn source() -> Vec<u8> {
    let mut tag = Id3v2Tag::new();
    for frame in [
        text("TIT2", "Straße ♫"),
        text("TPE1", "Anna\0Bert"),
        text("TALB", "Album"),
        text("TPE2", "Various"),
        text("TRCK", "3/12"),
        text("TPOS", "1/2"),
        text("TCON", "Rock\0Pop"),
        text("TBPM", "128"),
        text("TKEY", "Am"),
        text("TSRC", "USRC17607839"),
        text("TSSE", "another encoder"),
        text("TLEN", "1234"),
        user_text("MusicBrainz Album Id", "1a2b"),
        user_text("REPLAYGAIN_TRACK_GAIN", "-7 dB"),
        user_text("replaygain_album_peak", "0.9"),
        comment(*b"eng", "", "First\nsecond"),
        comment(*b"eng", "iTunNORM", " 00000123"),
        comment(*b"deu", "Other", "third"),
    ] {
        tag.insert(frame);
    }
    let picture = Picture::unchecked(COVER.to_vec()).pic_type(PictureType::CoverFront);
    let mut generic = Tag::from(tag);
    generic.push_picture(picture.mime_type(MimeType::Png).build());
    generic.insert_text(ItemKey::RecordingDate, "2001-05-17".into());
    generic.insert_text(ItemKey::UnsyncLyrics, "La\nla".into());
    bytes_of(&Id3v2Tag::from(generic)).unwrap()
}

/// Two silent frames of MPEG audio.
fn mpeg() -> Vec<u8> {
    const FRAME_BYTES: usize = 417;
    let mut frame = vec![0xff, 0xfb, 0x90, 0xc4];
    frame.resize(FRAME_BYTES, 0);
    frame.repeat(2)
}

fn read_source() -> Tags {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.mp3");
    fs::write(&path, [source(), mpeg()].concat()).unwrap();
    Tags::read(&path)
}

fn parsed(bytes: Vec<u8>, kind: FileType) -> Tag {
    let options = ParseOptions::new().read_properties(false);
    let probe = Probe::with_file_type(Cursor::new(bytes), kind).options(options);
    probe.read().unwrap().primary_tag().unwrap().clone()
}

fn atom(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), &name[..], content].concat()
}

fn in_mp4(ilst: &[u8]) -> Vec<u8> {
    let handler = atom(*b"hdlr", b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0");
    let meta = atom(*b"meta", &[&[0; 4], &handler[..], ilst].concat());
    let moov = atom(*b"moov", &atom(*b"udta", &meta));
    [atom(*b"ftyp", b"M4A \0\0\0\0"), moov].concat()
}

fn in_wav(info: &[u8]) -> Vec<u8> {
    let format = [1, 0, 1, 0, 0x44, 0xac, 0, 0, 0x88, 0x58, 1, 0, 2, 0, 16, 0];
    let size = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
    let chunks = [
        &b"WAVEfmt "[..],
        &size(&format),
        &format,
        b"LIST",
        &size(info),
        info,
        b"data\x02\0\0\0\0\0",
    ]
    .concat();
    [&b"RIFF"[..], &size(&chunks), &chunks].concat()
}

fn all(tag: &Tag, key: ItemKey) -> Vec<&str> {
    tag.get_strings(key).collect()
}

#[test]
fn reads_the_tags_that_apply_to_a_copy() {
    let tags = read_source();
    assert_eq!(tags.title(), "Straße ♫");
    assert_eq!(tags.artist().as_deref(), Some("Anna"));
    assert_eq!(tags.album().as_deref(), Some("Album"));
    assert_eq!(tags.track(), Some(3));
    assert_eq!(tags.pictures().len(), 1);
    let (picture, size) = &tags.pictures()[0];
    assert_eq!((picture.data(), size.width, size.height), (COVER, 1, 1));
    assert_eq!(tags.text(ItemKey::Comment), Some("First\nsecond\nthird"));
    for item in &tags.items {
        assert!(!is_of_the_file(item.key()), "{item:?}");
    }
}

#[test]
fn id3_holds_every_tag() {
    let tag = read_source().marked("vocals").with_comment("Made by Partita").id3v2().unwrap();
    assert!(tag.starts_with(b"ID3\x04"));
    let tag = parsed([tag, mpeg()].concat(), FileType::Mpeg);
    assert_eq!(tag.title().as_deref(), Some("Straße ♫ (vocals)"));
    assert_eq!(all(&tag, ItemKey::TrackArtist), ["Anna", "Bert"]);
    assert_eq!(all(&tag, ItemKey::Genre), ["Rock", "Pop"]);
    assert_eq!((tag.track(), tag.track_total()), (Some(3), Some(12)));
    assert_eq!((tag.disk(), tag.disk_total()), (Some(1), Some(2)));
    let comment = ["First\nsecond\nthird\nMade by Partita"];
    assert_eq!(all(&tag, ItemKey::Comment), comment);
    for (key, value) in [
        (ItemKey::AlbumTitle, "Album"),
        (ItemKey::AlbumArtist, "Various"),
        (ItemKey::RecordingDate, "2001-05-17"),
        (ItemKey::UnsyncLyrics, "La\nla"),
        (ItemKey::IntegerBpm, "128"),
        (ItemKey::InitialKey, "Am"),
        (ItemKey::Isrc, "USRC17607839"),
        (ItemKey::MusicBrainzReleaseId, "1a2b"),
    ] {
        assert_eq!(tag.get_string(key), Some(value), "{key:?}");
    }
    assert_eq!(tag.pictures()[0].data(), COVER);
    assert!(tag.items().all(|item| !is_of_the_file(item.key())));
}

#[test]
fn vorbis_comments_have_their_own_names() {
    let comments = read_source().marked("bass").vorbis_comments();
    let all = |name: &str| -> Vec<&str> {
        let of_name = comments.iter().filter(|(other, _)| other == name);
        of_name.map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(all("TITLE"), ["Straße ♫ (bass)"]);
    assert_eq!(all("ARTIST"), ["Anna", "Bert"]);
    assert_eq!(all("TRACKNUMBER"), ["3"]);
    assert_eq!(all("TRACKTOTAL"), ["12"]);
    assert_eq!(all("BPM"), ["128"]);
    assert_eq!(all("LYRICS"), ["La\nla"]);
    assert_eq!(all("DATE"), ["2001-05-17"]);
    assert!(all("UNSYNCEDLYRICS").is_empty());
    assert!(comments.iter().all(|(name, _)| !name.contains("GAIN") && !name.contains("ENC")));
}

#[test]
fn mp4_has_single_values_and_real_numbers() {
    let ilst = read_source().marked("drums").ilst().unwrap();
    assert_eq!(&ilst[4..8], b"ilst");
    assert_eq!(ilst[..4], (ilst.len() as u32).to_be_bytes());
    let tag = parsed(in_mp4(&ilst), FileType::Mp4);
    assert_eq!(tag.title().as_deref(), Some("Straße ♫ (drums)"));
    assert_eq!(all(&tag, ItemKey::TrackArtist), ["Anna; Bert"]);
    assert_eq!((tag.track(), tag.track_total()), (Some(3), Some(12)));
    assert_eq!(all(&tag, ItemKey::Lyrics), ["La\nla"]);
    assert_eq!(all(&tag, ItemKey::Bpm), ["128"]);
    assert_eq!(tag.pictures()[0].data(), COVER);
    assert_eq!(number_of(&Ilst::from(tag.clone()), &TEMPO), Some(128));
    let tempo = atom(*b"tmpo", &atom(*b"data", &[0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, 128]));
    assert!(ilst.windows(tempo.len()).any(|window| window == tempo));
    assert_eq!(Tags::of_tag(&tag).text(ItemKey::Bpm), Some("128"));
}

#[test]
fn reads_the_tempo_from_mp4s_integer_atom() {
    let mut ilst = Ilst::new();
    ilst.insert(Atom::new(TEMPO, AtomData::SignedInteger(121)));
    assert_eq!(Tags::of_tag(&Tag::from(ilst)).text(ItemKey::Bpm), Some("121"));
}

#[test]
fn riff_holds_the_tags_that_it_supports() {
    let info = read_source().marked("mix").riff_info().unwrap();
    assert!(info.starts_with(b"INFO"));
    assert_eq!(info.len() % 2, 0);
    let options = ParseOptions::new().read_properties(false);
    let file = Probe::with_file_type(Cursor::new(in_wav(&info)), FileType::Wav).options(options);
    let file = file.read().unwrap();
    let tag = file.tag(TagType::RiffInfo).unwrap();
    assert_eq!(tag.title().as_deref(), Some("Straße ♫ (mix)"));
    assert_eq!(tag.artist().as_deref(), Some("Anna; Bert"));
    assert_eq!(tag.album().as_deref(), Some("Album"));
    assert_eq!(all(tag, ItemKey::RecordingDate), ["2001-05-17"]);
}

#[test]
fn completes_missing_tags() {
    let mut tags = Tags::new("", None, Some("Album"), None);
    tags.complete_with(Tags::new("Title", Some("Artist"), Some("Another"), Some(COVER)));
    assert_eq!(tags.title(), "Title");
    assert_eq!(tags.artist().as_deref(), Some("Artist"));
    assert_eq!(tags.album().as_deref(), Some("Album"));
    assert_eq!(tags.pictures().len(), 1);
    assert_eq!(Tags::new("", None, None, None).marked("vocals").title(), "vocals");
}

#[test]
fn normalises_years_and_rounded_tempos() {
    let mut tag = Tag::new(TagType::VorbisComments);
    tag.insert_text(ItemKey::Year, "1999".into());
    tag.insert_text(ItemKey::Bpm, "127.6".into());
    let tags = Tags::of_tag(&tag);
    assert_eq!(tags.text(ItemKey::RecordingDate), Some("1999"));
    assert_eq!(tags.tag(TagType::Id3v2).get_string(ItemKey::IntegerBpm), Some("128"));
    tag.insert_text(ItemKey::RecordingDate, "1999-12-31".into());
    assert_eq!(Tags::of_tag(&tag).text(ItemKey::RecordingDate), Some("1999-12-31"));
}

#[test]
fn empty_tags_write_no_bytes() {
    let tags = Tags::default();
    assert!(tags.id3v2().unwrap().is_empty());
    assert!(tags.riff_info().unwrap().is_empty());
    assert!(tags.ilst().unwrap().is_empty());
    assert!(tags.vorbis_comments().is_empty());
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.mp3");
    assert!(Tags::read(&path).items.is_empty());
    fs::write(&path, b"no audio at all").unwrap();
    assert!(Tags::read(&path).items.is_empty());
}

#[test]
fn cuts_excessive_tags() {
    let mut tags = Tags::new(&"ü".repeat(5_000), None, None, None);
    assert_eq!(tags.title().chars().count(), LONGEST_TEXT);
    for line in 0..100 {
        tags.push(ItemKey::Comment, &format!("{line}{}", "x".repeat(1_000)));
    }
    assert_eq!(tags.text(ItemKey::Comment).unwrap().len(), LONGEST_PROSE);
    for _ in 0..2 * MOST_ITEMS {
        tags.push(ItemKey::Genre, "Pop");
    }
    assert_eq!(tags.items.len(), MOST_ITEMS);
    let mut huge = COVER.to_vec();
    huge.resize(MOST_PICTURES + 1, 0);
    tags.push_picture(PictureType::CoverFront, None, &huge);
    tags.push_picture(PictureType::CoverFront, None, b"GIF89a");
    assert!(tags.pictures().is_empty());
}

/// Writes a file of one silent frame.
fn write(format: &Format, tags: &Tags, path: &Path) {
    let depth = format.depth(Depth::Int24);
    let spec = spec(format, 2, depth, 1);
    let mut encoder = (format.begin)(fs::File::create(path).unwrap(), &spec, tags).unwrap();
    for stream in 0..spec.streams.len() {
        let samples = match depth {
            Depth::Float32 => Samples::Float(&[0.0; 2]),
            _ => Samples::Int(&[0; 2]),
        };
        encoder.write(stream, samples).unwrap();
    }
    encoder.finish().unwrap();
}

/// Path of the audio: the file itself, or the extracted first track of a session.
fn sound_of(path: &Path) -> std::path::PathBuf {
    if path.extension().is_none_or(|ending| ending != "dawproject") {
        return path.to_owned();
    }
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut track = archive.by_name("audio/vocals.wav").unwrap();
    let to = path.with_file_name("track of a session.wav");
    std::io::copy(&mut track, &mut fs::File::create(&to).unwrap()).unwrap();
    to
}

#[test]
fn every_format_carries_the_mark_whatever_else_its_tags_hold() {
    let home = tempfile::tempdir().unwrap();
    let mut full = Tags::new(&"x".repeat(LONGEST_TEXT), None, None, None);
    full.push(ItemKey::Comment, &"x".repeat(LONGEST_PROSE));
    for _ in 0..MOST_ITEMS {
        full.push(ItemKey::Genre, &"x".repeat(LONGEST_TEXT));
    }
    let never = CancelToken::default();
    for (index, tags) in [Tags::default(), read_source(), full].into_iter().enumerate() {
        for format in FORMATS {
            let path = home.path().join(format!("song.{}", format.extension));
            write(format, &tags.clone().separated_with("htdemucs").signed(), &path);
            let file = sound_of(&path);
            assert!(is_own_file(&file, &never), "{} {index}", format.id);
            // FLAC names its encoder, and the tracks of a session carry the mark themselves.
            write(format, &tags, &path);
            let is_marked_anyhow = matches!(format.id, "flac" | "dawproject");
            let file = sound_of(&path);
            assert_eq!(is_own_file(&file, &never), is_marked_anyhow, "{} {index}", format.id);
        }
    }
}

#[test]
fn files_of_earlier_versions_are_recognised_by_their_comment() {
    let home = tempfile::tempdir().unwrap();
    for format in FORMATS.into_iter().filter(|format| format.id != "dawproject") {
        let path = home.path().join(format!("song.{}", format.extension));
        write(format, &read_source().separated_with("htdemucs"), &path);
        assert!(is_own_file(&path, &CancelToken::default()), "{}", format.id);
        let about = read_source().with_comment("I saw it Separated by Partita with htdemucs");
        write(format, &about, &path);
        let is_marked_anyhow = format.id == "flac";
        let is_own = is_own_file(&path, &CancelToken::default());
        assert_eq!(is_own, is_marked_anyhow, "{}", format.id);
    }
}

#[test]
fn equal_tags_become_equal_bytes_in_every_format() {
    let home = tempfile::tempdir().unwrap();
    let tags = read_source().separated_with("htdemucs").signed();
    for format in FORMATS {
        let bytes = |_| {
            let path = home.path().join("song");
            write(format, &tags, &path);
            fs::read(path).unwrap()
        };
        let all: Vec<Vec<u8>> = (0..8).map(bytes).collect();
        assert!(all.iter().all(|bytes| *bytes == all[0]), "{}", format.id);
    }
}

#[test]
fn the_largest_tags_fit_into_every_format() {
    let home = tempfile::tempdir().unwrap();
    let mut cover = COVER.to_vec();
    cover.resize(MOST_PICTURES, 0);
    let text = "ü".repeat(LONGEST_PROSE);
    let mut tags = Tags::new(&text, Some(&text), Some(&text), Some(&cover));
    for key in [ItemKey::Comment, ItemKey::Lyrics, ItemKey::Description] {
        tags.push(key, &text);
    }
    for _ in 0..MOST_ITEMS {
        tags.push(ItemKey::Genre, &text);
    }
    assert_eq!(tags.pictures().len(), 1);
    for format in FORMATS {
        let path = home.path().join(format.extension);
        write(format, &tags, &path);
        let has_cover = format.streams != Streams::All;
        let bytes = path.metadata().unwrap().len();
        assert_eq!(bytes > cover.len() as u64, has_cover, "{}", format.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No tag may stop an export.
    #[test]
    fn everything_can_be_written(
        texts in prop::collection::vec(
            (prop::sample::select(ItemKey::VARIANTS), any::<String>(), any::<String>()), 0..20),
        language in any::<[u8; 3]>(),
        picture in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut tag = Tag::new(TagType::Id3v2);
        for (key, text, description) in texts {
            let mut item = TagItem::new(key, ItemValue::Text(text));
            item.set_description(description);
            item.set_lang(language);
            tag.push_unchecked(item);
        }
        let jpeg = [&[0xff, 0xd8, 0xff][..], &picture].concat();
        tag.push_picture(Picture::unchecked(jpeg).build());
        let tags = Tags::of_tag(&tag).marked("vocals").with_comment("more");
        prop_assert!(tags.id3v2().unwrap().starts_with(b"ID3"));
        prop_assert!(tags.riff_info().unwrap().starts_with(b"INFO"));
        prop_assert_eq!(&tags.ilst().unwrap()[4..8], b"ilst");
        prop_assert!(tags.vorbis_comments().iter().any(|(name, _)| name == "TITLE"));
    }
}
