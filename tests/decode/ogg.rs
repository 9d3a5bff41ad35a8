//! Damaged Ogg pages. The checksum and neighbouring pages allow repairs; only damaged packets are
//! lost or audible, and later sound stays in time. Each file is derived from an intact one.

use std::ops::Range;

use super::{
    containers::{position, put, read, whole},
    decoded,
};

const SUM: Range<usize> = 22..26;

/// Byte ranges of a file's pages.
fn pages_of(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut pages, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let sizes = &bytes[at + 27..at + 27 + usize::from(bytes[at + 26])];
        let length = 27 + sizes.iter().map(|&size| usize::from(size) + 1).sum::<usize>();
        pages.push(at..at + length);
        at += length;
    }
    pages
}

/// Writes the checksum of the first page of `bytes`.
fn seal(bytes: &mut [u8]) {
    let length = pages_of(&bytes[..])[0].len();
    let page = &mut bytes[..length];
    page[SUM].fill(0);
    let sum = page.iter().fold(0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
            if sum >> 31 == 0 { sum << 1 } else { sum << 1 ^ 0x04c1_1db7 }
        })
    });
    page[SUM].copy_from_slice(&sum.to_le_bytes());
}

/// The sizes of a packet as stated in a page.
fn sizes_of(packet: &[u8]) -> Vec<u8> {
    std::iter::repeat_n(255, packet.len() / 255).chain([(packet.len() % 255) as u8]).collect()
}

/// A page with these packets.
fn page(flags: u8, granule: u64, sequence: u32, packets: &[&[u8]]) -> Vec<u8> {
    let sizes: Vec<u8> = packets.iter().flat_map(|packet| sizes_of(packet)).collect();
    page_of(flags, granule, sequence, &sizes, &packets.concat())
}

/// A page with this content.
fn page_of(flags: u8, granule: u64, sequence: u32, sizes: &[u8], content: &[u8]) -> Vec<u8> {
    let head: [&[u8]; 7] = [
        &[b'O', b'g', b'g', b'S', 0, flags],
        &granule.to_le_bytes(),
        &[1, 2, 3, 4],
        &sequence.to_le_bytes(),
        &[0; 4],
        &[sizes.len() as u8],
        sizes,
    ];
    let mut page = [&head.concat()[..], content].concat();
    seal(&mut page);
    page
}

/// A file with two packets in each page.
fn paged(headers: &[&[u8]], packets: &[Vec<u8>], frames: u64, end: u64) -> Vec<u8> {
    let mut file = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        file.extend(page(if index == 0 { 2 } else { 0 }, 0, index as u32, &[header]));
    }
    let count = packets.len().div_ceil(2);
    for (index, pair) in packets.chunks(2).enumerate() {
        let flags = if index + 1 == count { 4 } else { 0 };
        let granule = ((2 * index + pair.len()) as u64 * frames).min(end);
        let pair: Vec<&[u8]> = pair.iter().map(Vec::as_slice).collect();
        file.extend(page(flags, granule, (headers.len() + index) as u32, &pair));
    }
    file
}

/// The test sound in Opus, FLAC and Vorbis, each with its decoded samples.
fn songs() -> [(Vec<u8>, Vec<f32>); 3] {
    let (opus, _) = whole("chirp.opus");
    let mut packets = Vec::new();
    for page in &pages_of(&opus)[2..] {
        let sizes = usize::from(opus[page.start + 26]);
        let mut at = page.start + 27 + sizes;
        let mut from = at;
        for &size in &opus[page.start + 27..page.start + 27 + sizes] {
            at += usize::from(size);
            if size < 255 {
                packets.push(opus[from..at].to_vec());
                from = at;
            }
        }
    }
    let head = &opus[position(&opus, b"OpusHead")..][..19];
    let tags: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";
    let opus = paged(&[head, tags], &packets, 960, 9_600 + 312);

    let (flac, _) = whole("chirp.flac");
    let first = flac.windows(5).position(|head| head[..2] == [0xff, 0xf8] && head[4] == 0).unwrap();
    let starts: Vec<usize> = (first..flac.len() - 5)
        .scan(0, |next, at| {
            let begins = flac[at..at + 2] == [0xff, 0xf8] && flac[at + 4] == *next;
            *next += u8::from(begins);
            Some(begins.then_some(at))
        })
        .flatten()
        .collect();
    assert_eq!(starts.len(), 8, "8820 frames in blocks of 1152");
    let length = flac.len();
    let ends = starts[1..].iter().chain([&length]);
    let frames: Vec<_> =
        starts.iter().zip(ends).map(|(&at, &end)| flac[at..end].to_vec()).collect();
    let info = [b"\x7fFLAC\x01\0\0\x01fLaC", &flac[4..42]].concat();
    let flac = paged(&[&info, &[0x84, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]], &frames, 1152, 8_820);

    let decoded = |bytes: Vec<u8>| {
        let (_, samples, said) = read("a.ogg", &bytes);
        assert_eq!(said, None);
        (bytes, samples)
    };
    [decoded(opus), decoded(flac), whole("chirp.ogg")]
}

#[test]
fn packets_that_go_on_in_the_next_page_are_whole() {
    let (bytes, want) = &songs()[1];
    let pages = pages_of(bytes);
    let frames: Vec<&[u8]> = pages[2..]
        .iter()
        .flat_map(|page| {
            let sizes =
                &bytes[page.start + 27..page.start + 27 + usize::from(bytes[page.start + 26])];
            let first = sizes.iter().position(|&size| size < 255).unwrap();
            let first: usize = sizes[..=first].iter().map(|&size| usize::from(size)).sum();
            let (first, second) = bytes[page.start + 27 + sizes.len()..page.end].split_at(first);
            [first, second]
        })
        .collect();
    // Each page except the first starts with the continuation of a frame and ends with the start of
    // the next.
    let mut file = bytes[..pages[2].start].to_vec();
    for (index, frame) in frames.iter().enumerate() {
        let (skipped, flags) = if index > 0 { (1, 1) } else { (0, 0) };
        let next: &[u8] = frames.get(index + 1).map_or(&[], |next| &next[..255]);
        let last = if next.is_empty() { 4 } else { 0 };
        let sizes = [&sizes_of(frame)[skipped..], &[255][..next.len() / 255]].concat();
        let content = [&frame[255 * skipped..], next].concat();
        let granule = (1_152 * (index as u64 + 1)).min(8_820);
        file.extend(page_of(flags | last, granule, index as u32 + 2, &sizes, &content));
    }
    let (_, got, said) = read("a.ogg", &file);
    assert!(got == *want && said.is_none(), "{said:?}");
    let pages = pages_of(&file);
    for at in [5, 7, 25, 26, 27, 90] {
        let mut damaged = file.clone();
        damaged[pages[5].start + at] ^= 0x15;
        let (_, got, said) = read("a.ogg", &damaged);
        assert!(got == *want && is_suspect(said.as_deref()), "{at}: {said:?}");
    }
}

/// Whether a warning reports decoded damage.
fn is_suspect(said: Option<&str>) -> bool {
    said.is_some_and(|said| said.contains("faults may be audible"))
}

/// Number of differing samples, and the largest difference.
fn difference(got: &[f32], want: &[f32]) -> (usize, f32) {
    let differences = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    differences.fold((0, 0.0), |(count, most), d| (count + usize::from(d > 1e-4), most.max(d)))
}

#[test]
fn one_wrong_byte_in_a_page_is_put_right() {
    for (song, (bytes, want)) in songs().iter().enumerate() {
        let pages = pages_of(bytes);
        for page in &pages[2..] {
            // Mark, version, flags, time, serial number, number, checksum, sizes, content.
            for at in [0, 3, 4, 5, 6, 9, 15, 18, 20, 22, 25, 26, 27, 28, 29, 60, page.len() - 1] {
                let mut damaged = bytes.clone();
                damaged[page.start + at] ^= 0x15;
                let (_, got, said) = read("a.ogg", &damaged);
                assert!(got == *want, "song {song}, page at {}, byte {at}", page.start);
                assert!(is_suspect(said.as_deref()), "song {song}, byte {at}: {said:?}");
            }
        }
    }
}

/// Changes a page in the middle of a song and makes its checksum irreparable.
fn changed(bytes: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let pages = pages_of(bytes);
    let page = pages[2 + (pages.len() - 2) / 2].clone();
    let mut damaged = bytes.to_vec();
    damaged[page.start + 22] ^= 0x55;
    damaged[page.start + 24] ^= 0x55;
    change(&mut damaged[page]);
    damaged
}

#[test]
fn a_damaged_head_is_judged_by_the_pages_around_it() {
    let changes: [(&str, &[usize]); 8] = [
        ("checksum", &[]),
        ("mark", &[0, 1]),
        ("version", &[4]),
        ("flags", &[5]),
        ("time", &[6, 8, 12]),
        ("serial number", &[14, 16]),
        ("number", &[18, 19]),
        ("count of sizes", &[26]),
    ];
    for (song, (bytes, want)) in songs().iter().enumerate() {
        for (name, places) in changes {
            let damaged = changed(bytes, |page| places.iter().for_each(|&at| page[at] ^= 0x13));
            let (_, got, said) = read("a.ogg", &damaged);
            assert_eq!(got.len(), want.len(), "song {song}, {name}");
            assert_eq!(difference(&got, want).0, 0, "song {song}, {name}");
            assert!(is_suspect(said.as_deref()), "song {song}, {name}: {said:?}");
        }
    }
}

/// Damage to the content of a page.
type Change = fn(&mut [u8]);

#[test]
fn a_damaged_packet_spoils_no_others() {
    // Opus needs several packets to converge, and Vorbis' blocks overlap.
    for (song, frames) in [(0, 9 * 882), (1, 1_152), (2, 3 * 1_024)] {
        let (bytes, want) = &songs()[song];
        let changes: [(&str, Change); 3] = [
            ("content", |content| content[40..60].fill(0x55)),
            ("head of a packet", |content| content[..4].fill(0xf1)),
            ("block size", |content| content[0] ^= 2),
        ];
        for (name, change) in changes {
            let change = |page: &mut [u8]| {
                let content = 27 + usize::from(page[26]);
                change(&mut page[content..]);
            };
            let (_, got, said) = read("a.ogg", &changed(bytes, change));
            assert_eq!(got.len(), want.len(), "song {song}, {name}");
            let (count, most) = difference(&got, want);
            assert!(count <= 2 * frames, "song {song}, {name}: {count} differ");
            assert!(most < 4.0, "song {song}, {name}: {most}");
            assert!(is_suspect(said.as_deref()), "song {song}, {name}: {said:?}");
        }
    }
}

/// Shifts the time that a page in the middle states, as in a file that ffmpeg cut out of another.
fn shifted(bytes: &[u8], index: usize, frames: i64) -> Vec<u8> {
    let mut shifted = bytes.to_vec();
    let page = &mut shifted[pages_of(bytes)[index].clone()];
    let time = u64::from_le_bytes(page[6..14].try_into().unwrap());
    page[6..14].copy_from_slice(&time.checked_add_signed(frames).unwrap().to_le_bytes());
    seal(page);
    shifted
}

#[test]
fn a_time_that_contradicts_the_packets_moves_no_sound() {
    for (song, (bytes, want)) in songs().iter().enumerate() {
        let (pages, index) = (pages_of(bytes), 3);
        for frames in [-700, -448, 448, 9_000] {
            let intact = shifted(bytes, index, frames);
            let (_, got, said) = read("a.ogg", &intact);
            assert!(got == *want, "song {song}, {frames}: {}", got.len());
            assert_eq!(said, None, "song {song}, {frames}");
            // The next page, and the page itself, with damaged content. A damaged page that states
            // more than one packet too much is taken for a loss.
            let is_small = frames.abs() < 1_000;
            let damaged = [index + 1, index].into_iter().filter(|_| is_small);
            for damaged in damaged.map(|index| pages[index].clone()) {
                let mut bytes = intact.clone();
                bytes[damaged.end - 20..damaged.end - 12].fill(0x55);
                let (_, got, said) = read("a.ogg", &bytes);
                let name = format!("song {song}, {frames}, damage at {damaged:?}");
                assert_eq!(got.len(), want.len(), "{name}");
                let far = got.len() - 2 * 1_500..;
                assert!(difference(&got[far.clone()], &want[far]).1 < 0.02, "{name}");
                assert!(said.is_some(), "{name}");
            }
        }
    }
}

#[test]
fn a_damaged_size_of_a_packet_moves_no_sound() {
    for (song, (bytes, want)) in songs().iter().enumerate() {
        for index in 0..3 {
            let damaged = changed(bytes, |page| {
                let size = &mut page[27 + index];
                *size = if *size > 100 { *size - 9 } else { *size + 9 };
            });
            let (_, got, said) = read("a.ogg", &damaged);
            assert_eq!(got.len(), want.len(), "song {song}, size {index}");
            let (count, _) = difference(&got, want);
            assert!(count < want.len() * 6 / 10, "song {song}, size {index}: {count} differ");
            let (_, end) =
                difference(&got[want.len() * 95 / 100..], &want[want.len() * 95 / 100..]);
            assert!(end < 0.02, "song {song}, size {index}: {end}");
            assert!(is_suspect(said.as_deref()), "song {song}, size {index}: {said:?}");
        }
    }
}

#[test]
fn the_last_page_ends_where_it_did() {
    for (song, (bytes, want)) in songs().iter().enumerate() {
        let last = pages_of(bytes).pop().unwrap();
        for place in [23, 9] {
            let mut damaged = bytes.clone();
            damaged[last.start + 22] ^= 0x55;
            damaged[last.start + place] ^= 0x55;
            let (_, got, said) = read("a.ogg", &damaged);
            let length = got.len().abs_diff(want.len());
            // Padding that only the damaged time states is lost.
            let padding = if place == 9 { 2 * 1_152 } else { 0 };
            assert!(length <= padding, "song {song}, byte {place}: {length}");
            assert!(is_suspect(said.as_deref()), "song {song}, byte {place}: {said:?}");
        }
    }
}

#[test]
fn a_page_whose_mark_and_numbers_are_lost_is_bridged_in_time() {
    let (bytes, samples) = whole("chirp.ogg");
    let pages = pages_of(&bytes);
    assert!(pages.len() >= 8, "{}", pages.len());
    for page in &pages[2..pages.len() - 2] {
        let mut damaged = bytes.clone();
        damaged[page.start..page.start + 27].fill(0x10);
        let (_, got, said) = read("a.ogg", &damaged);
        let said = said.unwrap_or_default();
        assert!(said.contains("damaged in 1 place"), "at {page:?}: {said}");
        assert_eq!(got.len(), samples.len(), "at {page:?}");
        let (odd, _) = difference(&got, &samples);
        assert!(odd < 2 * 4_096, "at {page:?}: {odd} samples differ");
    }
    let mut damaged = bytes.clone();
    damaged[pages[pages.len() - 1].start..][..27].fill(0x10);
    let (_, got, said) = read("a.ogg", &damaged);
    assert!(said.is_none_or(|said| said.contains("cut off")));
    assert!(got.len() < samples.len() && got[..] == samples[..got.len()]);
}

#[test]
fn headers_of_ogg_are_shown_without_tags() {
    let (bytes, samples) = whole("chirp.ogg");
    // The vendor's length in the comments, which are all in the second page, exceeds them.
    let comments = position(&bytes, b"\x03vorbis");
    let mut damaged = bytes.clone();
    put(&mut damaged, comments + 7, &u32::MAX.to_le_bytes());
    let page = damaged[..comments].windows(4).rposition(|mark| mark == b"OggS").unwrap();
    seal(&mut damaged[page..]);
    let (_, got, said) = read("a.ogg", &damaged);
    assert!(got == samples, "{} of {}", got.len(), samples.len());
    assert_eq!(said, None);
}

#[test]
fn damaged_tags_of_ogg_change_no_sound() {
    for (song, (bytes, want)) in songs().iter().take(2).enumerate() {
        let tags = pages_of(bytes)[1].clone();
        let mut damaged = bytes.clone();
        damaged[tags.end - 3..tags.end].fill(0x77);
        let (_, got, said) = read("a.ogg", &damaged);
        assert!(got == *want && said.is_none(), "song {song}: {said:?}");
    }
    // Vorbis needs its setup, which shares a page with the tags, so the damaged byte is repaired.
    let (bytes, want) = &songs()[2];
    let mut damaged = bytes.clone();
    damaged[position(bytes, b"\x05vorbis") + 300] ^= 8;
    assert!(read("a.ogg", &damaged).1 == *want);
    damaged[position(bytes, b"\x05vorbis") + 400] ^= 8;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.ogg"), &damaged).unwrap();
    assert!(decoded(&home.path().join("a.ogg")).is_err());
}
