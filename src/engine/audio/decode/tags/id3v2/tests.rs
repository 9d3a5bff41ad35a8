//! Synthetic tags, both valid ones and ones with the deviations of real programs.

use std::io::Write as _;

use lofty::tag::{Accessor as _, ItemKey};
use proptest::prelude::*;

use super::*;

/// A frame that is written verbatim.
struct Raw {
    id: &'static [u8],
    flags: [u8; 2],
    content: Vec<u8>,
}

fn raw(id: &'static [u8], content: &[u8]) -> Raw {
    Raw { id, flags: [0; 2], content: content.to_vec() }
}

fn text(id: &'static [u8], value: &str) -> Raw {
    raw(id, &[b"\0", value.as_bytes()].concat())
}

/// Data with the signature of a JPEG and all byte values, `bytes` bytes long.
fn jpeg(bytes: usize) -> Vec<u8> {
    let filling = (0..bytes.saturating_sub(4)).map(|at| (at * 7 % 251) as u8);
    [0xff, 0xd8, 0xff, 0xe0].into_iter().chain(filling).collect()
}

fn picture(bytes: usize) -> Raw {
    raw(b"APIC", &[b"\0image/jpeg\0\x03\0", &jpeg(bytes)[..]].concat())
}

fn body(version: u8, sizes: impl Fn(usize) -> Sizes, frames: &[Raw]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, Raw { id, flags, content }) in frames.iter().enumerate() {
        let size = content.len() as u32;
        let size = match sizes(at) {
            Sizes::Plain => size.to_be_bytes(),
            Sizes::Synchsafe => seven_bits(size),
        };
        body.extend(*id);
        body.extend(if version == 2 { &size[1..] } else { &size });
        body.extend(if version == 2 { &[] } else { &flags[..] });
        body.extend(content);
    }
    body
}

fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    [b"ID3", &[version, 0, flags][..], &seven_bits(body.len() as u32), body].concat()
}

/// Frames with title, artist, a cover of `cover_bytes` bytes, and an album after it.
fn song(cover_bytes: usize) -> [Raw; 4] {
    [
        text(b"TIT2", "A Title"),
        text(b"TPE1", "An Artist"),
        picture(cover_bytes),
        text(b"TALB", "An Album"),
    ]
}

fn assert_is_song(tag: &[u8], cover_bytes: usize) {
    let tag = parse(tag).unwrap();
    assert_eq!(tag.title().as_deref(), Some("A Title"));
    assert_eq!(tag.artist().as_deref(), Some("An Artist"));
    assert_eq!(tag.album().as_deref(), Some("An Album"));
    assert_eq!(tag.pictures()[0].pic_type(), PictureType::CoverFront);
    assert!(tag.pictures()[0].data() == jpeg(cover_bytes), "the cover differs");
}

#[test]
fn reads_sizes_in_the_wrong_encoding() {
    for cover_bytes in [100, 113, 114, 500, 16_000, 26_498, 70_000, 3_000_000] {
        for version in [3, 4] {
            for sizes in [Sizes::Plain, Sizes::Synchsafe] {
                let frames = body(version, |_| sizes, &song(cover_bytes));
                assert_is_song(&tag(version, 0, &frames), cover_bytes);
                let padded = [&frames[..], &[0; 2_000]].concat();
                assert_is_song(&tag(version, 0, &padded), cover_bytes);
                let with_rubbish = [&frames[..], &[0, 0, 7, 7, 7]].concat();
                assert_is_song(&tag(version, 0, &with_rubbish), cover_bytes);
            }
        }
    }
}

#[test]
fn distinguishes_both_size_encodings_in_one_tag() {
    for version in [3, 4] {
        for odd_one in 0..4 {
            for (usual, odd) in [(Sizes::Plain, Sizes::Synchsafe), (Sizes::Synchsafe, Sizes::Plain)]
            {
                let mut frames = song(26_498);
                frames[0].content.extend([b' '; 200]);
                frames[3].content.extend([b' '; 300]);
                let sizes = |at| if at == odd_one { odd } else { usual };
                let tag = parse(&tag(version, 0, &body(version, sizes, &frames))).unwrap();
                assert_eq!(tag.title().unwrap().trim(), "A Title", "{version} {odd_one}");
                assert_eq!(tag.album().unwrap().trim(), "An Album", "{version} {odd_one}");
                assert!(tag.pictures()[0].data() == jpeg(26_498));
            }
        }
    }
}

#[test]
fn reads_the_oldest_version() {
    let frames = [
        text(b"TT2", "A Title"),
        raw(b"TP1", b"\x01\xff\xfeA\0n\0 \0A\0r\0t\0i\0s\0t\0"),
        raw(b"PIC", &[b"\0JPG\x03words\0", &jpeg(70_000)[..]].concat()),
        text(b"TAL", "An Album"),
    ];
    assert_is_song(&tag(2, 0, &body(2, |_| Sizes::Plain, &frames)), 70_000);
    assert!(parse(&tag(2, 0x40, &body(2, |_| Sizes::Plain, &frames))).is_none(), "compressed");
}

/// Inserts zero bytes as unsynchronisation does.
fn unsynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, &byte) in bytes.iter().enumerate() {
        out.push(byte);
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        if byte == 0xff && (next == 0 || next >= 0xe0) {
            out.push(0);
        }
    }
    out
}

#[test]
fn reverses_unsynchronisation_only_if_applied() {
    let plain = body(3, |_| Sizes::Plain, &song(9_000));
    assert_is_song(&tag(3, 0x80, &unsynchronised(&plain)), 9_000);
    assert_is_song(&tag(3, 0x80, &plain), 9_000);
    for flags in [[0, 0], [0, 2]] {
        let mut frames = song(9_000);
        for frame in &mut frames {
            (frame.content, frame.flags) = (unsynchronised(&frame.content), flags);
        }
        let in_tag = if flags == [0, 0] { 0x80 } else { 0 };
        assert_is_song(&tag(4, in_tag, &body(4, |_| Sizes::Synchsafe, &frames)), 9_000);
    }
    assert_is_song(&tag(4, 0x80, &body(4, |_| Sizes::Synchsafe, &song(9_000))), 9_000);
}

#[test]
fn extended_headers_are_skipped_and_false_flags_ignored() {
    let new = body(4, |_| Sizes::Synchsafe, &song(900));
    let old = body(3, |_| Sizes::Plain, &song(900));
    assert_is_song(
        &tag(4, 0x40, &[b"\0\0\0\x0c\x01\x20\x05\x01\x02\x03\x04\x05", &new[..]].concat()),
        900,
    );
    assert_is_song(&tag(3, 0x40, &[b"\0\0\0\x06\0\0\0\0\0\0", &old[..]].concat()), 900);
    let with_sum = b"\0\0\0\x0a\x80\0\0\0\0\0\x01\x02\x03\x04";
    assert_is_song(&tag(3, 0x40, &[with_sum, &old[..]].concat()), 900);
    for (version, frames) in [(3, old), (4, new)] {
        assert_is_song(&tag(version, 0x40, &frames), 900);
    }
}

#[test]
fn compressed_frames_are_unpacked_and_encrypted_ones_left_out() {
    let packed = |content: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    for (version, flags) in [(3, [0, 0x80]), (4, [0, 0x09]), (4, [0, 0x08])] {
        let mut frames = song(9_000);
        for frame in &mut frames {
            let length = frame.content.len() as u32;
            let length = if version == 3 { length.to_be_bytes() } else { seven_bits(length) };
            let length = if flags[1] == 0x08 { &[][..] } else { &length };
            (frame.content, frame.flags) = ([length, &packed(&frame.content)].concat(), flags);
        }
        let sizes = if version == 3 { Sizes::Plain } else { Sizes::Synchsafe };
        assert_is_song(&tag(version, 0, &body(version, |_| sizes, &frames)), 9_000);
    }
    let mut frames = song(900);
    (frames[0].flags, frames[1].flags) = ([0, 0x04], [0, 0x40]);
    frames[1].content.insert(0, 7); // group identifier
    let tag = parse(&tag(4, 0, &body(4, |_| Sizes::Synchsafe, &frames))).unwrap();
    assert_eq!((tag.title(), tag.artist().as_deref()), (None, Some("An Artist")));
}

#[test]
fn skips_empty_and_broken_frames() {
    let frames = [
        text(b"TIT2", ""),
        text(b"TIT2", "A Title"),
        raw(b"TIT2", b"\x01\xff\xfe\0\0"),
        text(b"TPE1", "An Artist"),
        text(b"TPE1", "Another"),
        raw(b"COMM", b"\x01e"),
        raw(b"UFID", b"no end"),
        raw(b"POPM", b"\0"),
        raw(b"TDRC", b"\0soon"),
        raw(b"RVA2", b"\xff"),
        text(b"TRCK", "3/12"),
        picture(500),
        text(b"TALB", "An Album"),
    ];
    for version in [3, 4] {
        let bytes = tag(version, 0, &body(version, |_| Sizes::Plain, &frames));
        assert_is_song(&bytes, 500);
        assert_eq!(parse(&bytes).unwrap().get_string(ItemKey::TrackTotal), Some("12"));
    }
}

#[test]
fn finds_pictures_after_any_description() {
    let image = jpeg(5_000);
    for (begin, description) in [
        (&b"\0image/jpeg\0\x03words\0"[..], Some("words")),
        (b"\x01image/jpeg\0\x03\xff\xfew\0\0\0", Some("w")),
        (b"\x01image/jpeg\0\x03w\0\0\0", Some("w")),
        (b"\x01image/jpeg\0\x03\0", None),
        (b"\x03\0\x03\0", None),
        (b"\0JPG\0\x03", None),
    ] {
        let frames = [raw(b"APIC", &[begin, &image].concat()), text(b"TALB", "An Album")];
        let tag = parse(&tag(4, 0, &body(4, |_| Sizes::Synchsafe, &frames))).unwrap();
        assert!(tag.pictures()[0].data() == image, "{begin:?}");
        assert_eq!(tag.pictures()[0].description(), description, "{begin:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parsing_any_bytes_terminates(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        version in 2..=4u8,
    ) {
        parse(&tag(version, bytes.first().copied().unwrap_or(0), &bytes));
        // A valid tag, changed in one place.
        let whole = tag(version, 0, &body(version, |_| Sizes::Plain, &song(300)));
        let at = bytes.len() % whole.len();
        bytes.clone_from(&whole);
        bytes[at] ^= 0x55;
        parse(&bytes);
        parse(&whole[..at]);
    }
}
