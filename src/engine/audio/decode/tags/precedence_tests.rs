//! Precedence among several tags in a file, in any order.

use std::fs;

use lofty::{
    config::WriteOptions,
    id3::v2::Id3v2Tag,
    tag::{Tag, TagExt as _},
};
use tempfile::TempDir;

use super::*;

const LONG: &str = "A title that is longer than thirty characters are";

fn about(folder: &TempDir, name: &str, parts: &[&[u8]]) -> Tags {
    let path = folder.path().join(name);
    fs::write(&path, parts.concat()).unwrap();
    About::read(&path, &CancelToken::default()).tags
}

fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(folder.join(name)).unwrap()
}

/// Builds an ID3v2 tag with these fields; an empty text counts as absent.
fn id3v2(title: &str, album: &str) -> Vec<u8> {
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(title.into());
    tag.set_album(album.into());
    let mut bytes = Vec::new();
    Id3v2Tag::from(tag).dump_to(&mut bytes, WriteOptions::default()).unwrap();
    bytes
}

fn ape(title: &str, album: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in [("Title", title), ("Album", album)] {
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend([&[0; 4], key.as_bytes(), b"\0", value.as_bytes()].concat());
    }
    let size = bytes.len() as u32 + 32;
    bytes.extend(b"APETAGEX");
    bytes.extend([2_000, size, 2, 0].map(u32::to_le_bytes).concat());
    bytes.extend([0; 8]);
    bytes
}

fn id3v1(title: &str, album: &str) -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    for text in [title, "Artist of ID3v1", album] {
        let mut field = text.as_bytes()[..text.len().min(30)].to_vec();
        field.resize(30, 0);
        tag.extend(field);
    }
    tag.resize(128, 0);
    tag[127] = 255;
    tag
}

fn titles(tags: &Tags) -> (Option<&str>, Option<&str>, Option<&str>) {
    (tags.title.as_deref(), tags.artist.as_deref(), tags.album.as_deref())
}

#[test]
fn the_richest_tag_of_an_mp3_wins_in_every_order() {
    let folder = TempDir::new().unwrap();
    let sound = data("bare-44k.mp3");
    let of_id3v1 = id3v1(LONG, "Album of ID3v1");
    let of_ape = ape("Title of APE", "Album of APE");
    for (front, ape_tag, expected) in [
        (id3v2(LONG, ""), &of_ape, (LONG, "Album of APE")),
        (id3v2("", "Album of ID3v2"), &of_ape, ("Title of APE", "Album of ID3v2")),
        (id3v2("", ""), &ape(LONG, ""), (LONG, "Album of ID3v1")),
        (id3v2(LONG, "Album of ID3v2"), &ape("", ""), (LONG, "Album of ID3v2")),
        (Vec::new(), &ape("", "Album of APE"), (&LONG[..30], "Album of APE")),
    ] {
        let empty = id3v2("", "");
        for order in [
            [&front[..], &[], &sound[..], ape_tag, &of_id3v1],
            [&front[..], &[], &sound[..], &of_id3v1, ape_tag],
            [&front[..], &empty, &sound[..], &of_id3v1, ape_tag],
            [&empty, &front[..], &sound[..], ape_tag, &of_id3v1],
            [&[], &[], &sound[..], &[ape_tag, &front[..]].concat(), &of_id3v1],
            [&[], &[], &sound[..], &[&front[..], ape_tag].concat(), &of_id3v1],
        ] {
            let tags = about(&folder, "a.mp3", &order);
            let (title, album) = expected;
            assert_eq!(titles(&tags), (Some(title), Some("Artist of ID3v1"), Some(album)));
        }
    }
}

#[test]
fn an_empty_or_broken_second_tag_does_not_win() {
    let folder = TempDir::new().unwrap();
    let sound = data("bare-44k.mp3");
    let full = id3v2(LONG, "Album");
    for second in
        [id3v2("", ""), id3v2(" ", "\0"), b"ID3\x04\0\0\0\0\0\x04\xff\xff\xff\xff".to_vec()]
    {
        for parts in [[&full, &second], [&second, &full]] {
            let tags = about(&folder, "a.mp3", &[parts[0], parts[1], &sound]);
            assert_eq!(titles(&tags), (Some(LONG), None, Some("Album")));
        }
    }
}

#[test]
fn native_tags_win_over_tags_around_the_file() {
    let folder = TempDir::new().unwrap();
    let (front, behind) = (id3v2("Title of ID3v2", "Album of ID3v2"), id3v2("Behind", "Behind"));
    let old = id3v1("Title of ID3v1", "Album of ID3v1");
    for (name, own) in [("chirp.ogg", "In Ogg"), ("chirp.m4a", "In MP4")] {
        let sound = data(name);
        let tags = about(&folder, name, &[&sound, &old]);
        assert_eq!(titles(&tags), (Some(own), Some("Artist of ID3v1"), Some("Album of ID3v1")));
        let tags = about(&folder, name, &[&sound, &ape("Title of APE", "Album of APE"), &old]);
        assert_eq!(titles(&tags), (Some(own), Some("Artist of ID3v1"), Some("Album of APE")));
    }
    let path = folder.path().join("own.flac");
    fs::write(&path, data("chirp.flac")).unwrap();
    let mut tag = Tag::new(TagType::VorbisComments);
    tag.set_title("In FLAC".into());
    tag.save_to_path(&path, WriteOptions::default()).unwrap();
    let flac = fs::read(&path).unwrap();
    for parts in [
        [&front[..], &flac, &[], &[]],
        [&front[..], &flac, &old, &[]],
        [&[], &flac, &front[..], &old],
        [&front[..], &flac, &behind, &[]],
        [&front[..], &flac, &behind, &old],
    ] {
        let tags = about(&folder, "a.flac", &parts);
        assert_eq!(
            (tags.title.as_deref(), tags.album.as_deref()),
            (Some("In FLAC"), Some("Album of ID3v2"))
        );
    }
    // Without native tags, the surrounding ones apply.
    let tags = about(&folder, "a.flac", &[&data("chirp.flac"), &old]);
    assert_eq!(tags.title.as_deref(), Some("Title of ID3v1"));
}

#[test]
fn the_id3_chunk_of_a_wav_wins_over_its_list() {
    let folder = TempDir::new().unwrap();
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let mut chunk = [&name[..], &(content.len() as u32).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    };
    let list = [
        &b"INFO"[..],
        &chunk(b"INAM", b"Title of LIST\0"),
        &chunk(b"IART", b"Artist of LIST\0"),
        &chunk(b"IPRD", b"Album of LIST\0"),
    ]
    .concat();
    let (list, id3) = (chunk(b"LIST", &list), chunk(b"id3 ", &id3v2(LONG, "")));
    let form = [1, 0, 1, 0, 0x44, 0xac, 0, 0, 0x88, 0x58, 1, 0, 2, 0, 16, 0];
    let (form, sound) = (chunk(b"fmt ", &form), chunk(b"data", &[0; 64]));
    for parts in [[&form, &sound, &list, &id3], [&form, &id3, &list, &sound]] {
        let body = parts.map(Vec::as_slice).concat();
        let size = (body.len() as u32 + 4).to_le_bytes();
        let tags = about(&folder, "a.wav", &[b"RIFF", &size, b"WAVE", &body]);
        assert_eq!(titles(&tags), (Some(LONG), Some("Artist of LIST"), Some("Album of LIST")));
    }
}
