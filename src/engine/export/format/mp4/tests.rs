//! The boxes of a written file, walked as a reader would.

use std::io::Cursor;

use super::*;

/// Boxes that contain boxes, and the number of bytes before those.
const PARENTS: [(&[u8; 4], usize); 10] = [
    (b"moov", 0),
    (b"trak", 0),
    (b"mdia", 0),
    (b"minf", 0),
    (b"dinf", 0),
    (b"stbl", 0),
    (b"udta", 0),
    (b"meta", 4),
    (b"dref", 8),
    (b"stsd", 8),
];

/// Lists each box with its path, such as `moov/trak/tkhd`, in order, and checks every size.
pub fn boxes(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    walk(bytes, "", &mut all);
    all
}

fn walk(mut bytes: &[u8], above: &str, all: &mut Vec<(String, Vec<u8>)>) {
    while !bytes.is_empty() {
        let short = number(bytes, 0) as usize;
        let kind: [u8; 4] = bytes[4..8].try_into().unwrap();
        let (size, head) = match short {
            1 => (u64::from_be_bytes(bytes[8..16].try_into().unwrap()) as usize, 16),
            size => (size, 8),
        };
        let name = format!("{above}{}", String::from_utf8_lossy(&kind));
        let content = &bytes[head..size];
        all.push((name.clone(), content.to_vec()));
        if let Some((_, skip)) = PARENTS.iter().find(|(parent, _)| **parent == kind) {
            walk(&content[*skip..], &format!("{name}/"), all);
        }
        bytes = &bytes[size..];
    }
}

pub fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn all_of(boxes: &[(String, Vec<u8>)], name: &str) -> Vec<Vec<u8>> {
    boxes.iter().filter(|(path, _)| path == name).map(|(_, content)| content.clone()).collect()
}

/// Reads the numbers of a table after its flags.
fn numbers(content: &[u8]) -> Vec<u32> {
    content[4..].chunks_exact(4).map(|bytes| number(bytes, 0)).collect()
}

/// Writes two tracks of 12 packets, the last with 7 frames. Packet `i` of track `t` repeats the
/// byte `16 t + i` `i + 1` times.
fn written(longest_short: u64) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let tracks = [("One".to_owned(), true), ("Two".to_owned(), false)];
    let mut mp4 = Mp4::new(&mut file, 48_000, 100, tracks, longest_short).unwrap();
    for i in 0..12 {
        for track in 0..2 {
            let packet = vec![16 * track as u8 + i; usize::from(i) + 1];
            mp4.packet(track, if i == 11 { 7 } else { 100 }, &packet).unwrap();
        }
    }
    assert!(mp4.packet(2, 100, &[0]).is_err());
    let mut user_data = Vec::new();
    nest(&mut user_data, *b"mine", |out| out.extend(b"data"));
    meta(&mut user_data, &[]);
    let mut ilst = Vec::new();
    nest(&mut ilst, *b"ilst", |_| {});
    meta(&mut user_data, &ilst);
    let describe = |track: usize, written: Written| {
        assert_eq!((written.frames, written.bytes, written.longest), (1107, 78, 12));
        let mut entry = Vec::new();
        nest(&mut entry, *b"abcd", |out| out.push(track as u8));
        entry
    };
    mp4.finish(describe, &user_data).unwrap();
    file.into_inner()
}

/// Finds each packet of each track through the tables alone.
fn packets_by_tables(file: &[u8], is_long: bool) -> Vec<Vec<Vec<u8>>> {
    let boxes = boxes(file);
    let table = |name: &str| all_of(&boxes, &format!("moov/trak/mdia/minf/stbl/{name}"));
    let places = table(if is_long { "co64" } else { "stco" });
    assert_eq!(table(if is_long { "stco" } else { "co64" }).len(), 0);
    let mut tracks = Vec::new();
    for ((sizes, runs), places) in table("stsz").iter().zip(table("stsc")).zip(places) {
        let sizes = &numbers(sizes)[2..];
        let runs = numbers(&runs);
        let width = if is_long { 8 } else { 4 };
        let mut sizes = sizes.iter();
        let mut packets = Vec::new();
        for (place, chunk) in places[8..].chunks_exact(width).zip(1..) {
            let mut at = place.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            let run = runs[1..].chunks_exact(3).rfind(|run| run[0] <= chunk).unwrap();
            for &size in sizes.by_ref().take(run[1] as usize) {
                packets.push(file[at..at + size as usize].to_vec());
                at += size as usize;
            }
        }
        assert!(sizes.next().is_none());
        tracks.push(packets);
    }
    tracks
}

fn expected_packets() -> Vec<Vec<Vec<u8>>> {
    (0..2)
        .map(|track| (0..12_u8).map(|i| vec![16 * track + i; usize::from(i) + 1]).collect())
        .collect()
}

#[test]
fn a_short_file_uses_32_bit_sizes_and_every_packet_is_found() {
    let file = written(LONGEST_SHORT);
    let boxes = boxes(&file);
    let top: Vec<_> =
        boxes.iter().filter(|(name, _)| !name.contains('/')).map(|(name, _)| &name[..]).collect();
    assert_eq!(top, ["ftyp", "free", "mdat", "moov"]);
    assert_eq!(all_of(&boxes, "mdat")[0].len(), 2 * 78);
    assert_eq!(packets_by_tables(&file, false), expected_packets());
}

#[test]
fn a_long_file_uses_64_bit_sizes_and_every_packet_is_found() {
    // The smallest file that exceeds "short" sizes of less than 100.
    let file = written(100);
    let boxes = boxes(&file);
    let top: Vec<_> =
        boxes.iter().filter(|(name, _)| !name.contains('/')).map(|(name, _)| &name[..]).collect();
    assert_eq!(top, ["ftyp", "mdat", "moov"]);
    assert_eq!(all_of(&boxes, "mdat")[0].len(), 2 * 78);
    assert_eq!(packets_by_tables(&file, true), expected_packets());
    // The durations are long, too: version 1 of the three headers.
    let header = &all_of(&boxes, "moov/mvhd")[0];
    assert_eq!((header[0], header.len()), (1, 112));
    assert_eq!((number(header, 20), number(header, 28)), (48_000, 1107));
    let header = &all_of(&boxes, "moov/trak/tkhd")[1];
    assert_eq!((header[0], header.len(), number(header, 20)), (1, 96, 2));
    assert_eq!(all_of(&boxes, "moov/trak/mdia/mdhd")[0].len(), 36);
}

#[test]
fn headers_hold_lengths_names_and_enabled_flags() {
    let file = written(LONGEST_SHORT);
    let boxes = boxes(&file);
    let movie = &all_of(&boxes, "moov/mvhd")[0];
    assert_eq!((movie.len(), number(movie, 12), number(movie, 16)), (100, 48_000, 1107));
    assert_eq!(number(movie, 96), 3, "next track ID");
    let tracks = all_of(&boxes, "moov/trak/tkhd");
    assert_eq!(tracks.iter().map(|track| number(track, 0)).collect::<Vec<_>>(), [7, 6]);
    assert_eq!(tracks.iter().map(|track| number(track, 12)).collect::<Vec<_>>(), [1, 2]);
    assert!(tracks.iter().all(|track| track.len() == 84 && number(track, 20) == 1107));
    let media = all_of(&boxes, "moov/trak/mdia/mdhd");
    assert!(media.iter().all(|media| number(media, 12) == 48_000 && number(media, 16) == 1107));
    let handlers = all_of(&boxes, "moov/trak/mdia/hdlr");
    assert_eq!(&handlers[0][8..12], b"soun");
    assert_eq!(&handlers[1][24..], b"Two\0");
    let times = all_of(&boxes, "moov/trak/mdia/minf/stbl/stts");
    assert_eq!(numbers(&times[0]), [2, 11, 100, 1, 7]);
    assert_eq!(all_of(&boxes, "moov/trak/mdia/minf/stbl/stsd/abcd"), [[0], [1]]);
    assert_eq!(all_of(&boxes, "moov/udta/mine"), [b"data"]);
    assert_eq!(all_of(&boxes, "moov/udta/meta/ilst").len(), 1);
    assert_eq!(&all_of(&boxes, "moov/udta/meta/hdlr")[0][8..16], b"mdirappl");
}

#[test]
fn tracks_are_interleaved() {
    let file = written(LONGEST_SHORT);
    let boxes = boxes(&file);
    let mut chunks: Vec<_> = all_of(&boxes, "moov/trak/mdia/minf/stbl/stco")
        .iter()
        .enumerate()
        .flat_map(|(track, places)| {
            numbers(places)[1..].iter().map(|&at| (at, track)).collect::<Vec<_>>()
        })
        .collect();
    chunks.sort_unstable();
    let turns: Vec<_> = chunks.into_iter().map(|(_, track)| track).collect();
    assert_eq!(turns, [0, 1, 0, 1, 0, 1]);
}
