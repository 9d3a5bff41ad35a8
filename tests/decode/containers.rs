//! Containers as programs write them: sizes that were never finalized, tags and other data around
//! the sound, truncated files, several tracks. Each file is derived from an intact one.

use std::{fs, path::PathBuf};

use partita::engine::{CancelToken, audio::decode};
use tempfile::TempDir;

use super::{chirp_at, data, decoded, snr_db};

/// A file with these bytes in its own folder.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(name);
    fs::write(&path, bytes).unwrap();
    (home, path)
}

/// Frames, samples and warning of a file with these bytes.
pub fn read(name: &str, bytes: &[u8]) -> (usize, Vec<f32>, Option<String>) {
    let (_home, path) = file(name, bytes);
    match decoded(&path) {
        Ok((about, samples)) => (about.frames as usize, samples, about.warning.text()),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn error_of(name: &str, bytes: &[u8]) -> String {
    let (_home, path) = file(name, bytes);
    match decoded(&path) {
        Err(error) => error.to_string(),
        Ok((about, _)) => panic!("{name} was decoded: {about:?}"),
    }
}

pub fn whole(name: &str) -> (Vec<u8>, Vec<f32>) {
    let bytes = fs::read(data(name)).unwrap();
    let samples = decoded(&data(name)).unwrap().1;
    (bytes, samples)
}

pub fn position(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

pub fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A 16-bit stereo WAV with one second of a ramp; the sizes in its two headers may be wrong.
fn wav(riff_size: u32, data_size: u32, behind: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(riff_size.to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data");
    bytes.extend(data_size.to_le_bytes());
    bytes.extend((0..22_050_i16).flat_map(|n| [n, n, -n, -n]).flat_map(i16::to_le_bytes));
    bytes.extend_from_slice(behind);
    bytes
}

const WAV_BYTES: u32 = 44_100 * 4;

#[test]
fn wav_with_wrong_or_unfinished_sizes_is_read_to_its_end() {
    let riff = 36 + WAV_BYTES;
    let unfinished = Some("the recording was not finished: read to the end of the file");
    let cases = [
        ("right", riff, WAV_BYTES, None),
        ("riff short", riff - 8, WAV_BYTES, None),
        ("riff long", riff + 8, WAV_BYTES, None),
        ("riff 0", 0, WAV_BYTES, None),
        ("data 16 long", riff, WAV_BYTES + 16, None),
        ("data as riff", riff, riff, None),
        ("arecord", 0x7fff_f024, 0x7fff_f000, None),
        ("pipe", u32::MAX, u32::MAX, None),
        ("pipe less heads", u32::MAX, u32::MAX - 36, None),
        ("sox pipe", 0x7fff_ffff, 0x7fff_ffff - 36, None),
        ("2 GB", 0x8000_0000, 0x8000_0000 - 44, None),
        ("unfinished", 0, 0, unfinished),
        ("unfinished with head", 36, 0, unfinished),
        ("riff right, data 0", riff, 0, unfinished),
    ];
    let (_, samples, _) = read("right.wav", &wav(riff, WAV_BYTES, b""));
    for (name, riff, data, warning) in cases {
        let (frames, got, said) = read("a.wav", &wav(riff, data, b""));
        assert_eq!(frames, 44_100, "{name}");
        assert!(got == samples, "{name}");
        assert_eq!(said.as_deref(), warning, "{name}");
    }
    // Data after the sound is not decoded.
    let (frames, ..) = read("a.wav", &wav(riff, WAV_BYTES, b"LIST\x04\0\0\0INFO"));
    assert_eq!(frames, 44_100);
    // Sizes that are far too large count as truncation.
    let (frames, _, said) = read("a.wav", &wav(riff * 2, WAV_BYTES * 2, b""));
    assert_eq!((frames, said.as_deref()), (44_100, Some("cut off after 0:01 of 0:02")));
    // Without a length, an odd byte at the end is not a sample.
    let (frames, ..) = read("a.wav", &wav(u32::MAX, u32::MAX, b"\x7f"));
    assert_eq!(frames, 44_100);
}

/// Name, sizes of the file and of the sound, the number of frames if different, and the warning.
type AiffCase = (&'static str, u32, u32, Option<u32>, Option<&'static str>);

#[test]
fn aiff_with_wrong_or_unfinished_sizes_is_read_to_its_end() {
    let (bytes, samples) = whole("chirp-22k.aiff");
    let (form, sound, common) = (4, position(&bytes, b"SSND") + 4, position(&bytes, b"COMM") + 10);
    let size = u32::from_be_bytes(bytes[sound..sound + 4].try_into().unwrap());
    let unfinished = Some("the recording was not finished: read to the end of the file");
    let cases: [AiffCase; 7] = [
        ("form 0", 0, size, None, None),
        ("form large", u32::MAX, size, None, None),
        ("sound 16 long", size + 46, size + 16, None, None),
        ("sound -1", u32::MAX, u32::MAX, None, None),
        ("sound 0, frames known", 0, 0, None, None),
        ("all 0", 0, 0, Some(0), unfinished),
        ("frames 0", size + 46, size, Some(0), None),
    ];
    for (name, form_size, sound_size, frames, warning) in cases {
        let mut bytes = bytes.clone();
        put(&mut bytes, form, &form_size.to_be_bytes());
        put(&mut bytes, sound, &sound_size.to_be_bytes());
        if let Some(frames) = frames {
            put(&mut bytes, common, &frames.to_be_bytes());
        }
        let (_, got, said) = read("a.aiff", &bytes);
        assert_eq!(got.len(), samples.len(), "{name}");
        assert!(got == samples, "{name}");
        assert_eq!(said.as_deref(), warning, "{name}");
    }
}

#[test]
fn caf_with_an_unknown_or_wrong_length_is_read_to_its_end() {
    let (bytes, samples) = whole("chirp-22k.caf");
    let at = position(&bytes, b"data") + 4;
    let right = i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut ends = bytes[..at + 8 + right as usize].to_vec();
    for (name, size) in [("unknown", -1_i64), ("right", right), ("16 long", right + 16)] {
        put(&mut ends, at, &size.to_be_bytes());
        let (_, got, said) = read("a.caf", &ends);
        assert!(got == samples, "{name}: {} of {}", got.len(), samples.len());
        assert_eq!(said, None, "{name}");
    }
    put(&mut ends, at, &0_i64.to_be_bytes());
    let (_, got, said) = read("a.caf", &ends);
    assert!(got == samples && said.is_some_and(|said| said.contains("not finished")));
}

#[test]
fn files_that_were_cut_off_give_what_is_there_and_say_so() {
    let files = [
        ("chirp.flac", 1152),
        ("chirp-22k.aiff", 300),
        ("chirp-22k.caf", 300),
        ("chirp.mp3", 2304),
        ("chirp.m4a", 2048),
        ("chirp.ogg", 8192),
        ("chirp.mka", 4096),
        ("chirp.webm", 1920),
        ("two-tracks.mka", 4608),
    ];
    for (name, block) in files {
        let (bytes, samples) = whole(name);
        let mut heard = 0;
        for percent in [60, 75, 90] {
            let (_home, path) = file(name, &bytes[..bytes.len() * percent / 100]);
            // The headers may be longer than this part.
            let Ok((about, got)) = decoded(&path) else { continue };
            heard += 1;
            let said = about.warning.to_string();
            if got.len() == samples.len() {
                assert_eq!(said, "", "{name} at {percent} %: complete sound must have no warning");
                continue;
            }
            assert!(said.contains("cut off after 0:00"), "{name} at {percent} %: {said:?}");
            assert!(got.len() < samples.len(), "{name} at {percent} %");
            // The end of the last block overlaps a missing block.
            let same = got.len().saturating_sub(2 * block);
            let close = got.iter().zip(&samples).take(same).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(close, "{name} at {percent} %");
        }
        assert!(heard >= 1, "{name}");
    }
    // A fragmented file, and one with its index in front.
    let (bytes, samples) = whole("chirp.m4a");
    let (frames, ..) = read("a.m4a", &bytes[..bytes.len() - 600]);
    assert!(frames > 4_000 && frames * 2 < samples.len());
}

/// An ID3v2 tag with a picture that contains `picture`.
fn id3v2(picture: &[u8]) -> Vec<u8> {
    let frame = [b"\0image/png\0\x03\0", picture].concat();
    let mut tag = b"ID3\x03\0\0".to_vec();
    let size = frame.len() as u32 + 10;
    tag.extend([21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8));
    tag.extend(b"APIC");
    tag.extend((frame.len() as u32).to_be_bytes());
    tag.extend([0, 0]);
    tag.extend(frame);
    tag
}

/// An APE tag with a header and a footer, and a picture that contains `picture`.
fn ape(picture: &[u8]) -> Vec<u8> {
    let mut item = (picture.len() as u32 + 10).to_le_bytes().to_vec();
    item.extend(2_u32.to_le_bytes());
    item.extend(b"Cover Art (Front)\0cover.png\0");
    item.extend_from_slice(picture);
    let edge = |flags: u32| {
        let mut edge = b"APETAGEX".to_vec();
        for number in [2000, item.len() as u32 + 32, 1, flags] {
            edge.extend(number.to_le_bytes());
        }
        edge.extend([0; 8]);
        edge
    };
    [edge(0xa000_0000), item.clone(), edge(0x8000_0000)].concat()
}

fn id3v1() -> Vec<u8> {
    [b"TAG".to_vec(), vec![b'x'; 125]].concat()
}

fn lyrics() -> Vec<u8> {
    let text =
        [&b"LYRICSBEGIN"[..], &b"IND0000200LYR00040words, words, words, words, words, w"[..]]
            .concat();
    let size = format!("{:06}", text.len());
    [&text[..], size.as_bytes(), b"LYRICS200"].concat()
}

#[test]
fn tags_are_not_sound_wherever_they_stand() {
    for name in ["bare-44k.mp3", "chirp.mp2", "chirp.aac"] {
        let (sound, samples) = whole(name);
        // A picture whose bytes are audio frames.
        let picture = [&b"\x89PNG\r\n\x1a\n"[..], &sound].concat();
        let around: [(&str, Vec<u8>, Vec<u8>); 7] = [
            ("ID3v1", vec![], id3v1()),
            ("APE", vec![], ape(&picture)),
            ("APE and ID3v1", vec![], [ape(&picture), id3v1()].concat()),
            ("Lyrics3 and ID3v1", vec![], [lyrics(), id3v1()].concat()),
            ("ID3v2 in front, two of them", [id3v2(&picture), id3v2(b"")].concat(), vec![]),
            ("ID3v2 behind", vec![], id3v2(&picture)),
            (
                "all",
                [id3v2(&picture), ape(&picture)].concat(),
                [ape(&picture), lyrics(), id3v1()].concat(),
            ),
        ];
        for (tags, before, behind) in around {
            let (_, got, said) = read(name, &[&before[..], &sound, &behind].concat());
            assert_eq!(got.len(), samples.len(), "{name}: {tags}");
            assert!(got == samples && said.is_none(), "{name}: {tags}: {said:?}");
        }
        // Tags between concatenated files.
        let joined = [&sound[..], &ape(&picture), &id3v1(), &id3v2(&picture), &sound].concat();
        let twice = [&sound[..], &sound].concat();
        let (_, plain, _) = read(name, &twice);
        let (_, got, said) = read(name, &joined);
        assert!(got == plain && said.is_none(), "{name} joined: {said:?}");
    }
}

#[test]
fn tags_behind_flac_and_mp4_take_nothing_of_the_sound() {
    for name in ["chirp.flac", "chirp.m4a", "chirp-alac.m4a", "chirp.ogg", "chirp.opus"] {
        let (sound, samples) = whole(name);
        for behind in [id3v1(), ape(b"\x89PNG"), [ape(b""), id3v1()].concat(), vec![0; 300]] {
            if behind[0] == 0 && name == "chirp.flac" {
                continue; // FLAC cannot distinguish zeros from the last frame
            }
            let (_, got, said) = read(name, &[&sound[..], &behind].concat());
            assert_eq!(got.len(), samples.len(), "{name}");
            assert!(got == samples, "{name}");
            assert_eq!(said, None, "{name}");
        }
    }
    let (sound, samples) = whole("chirp.flac");
    let (_, got, _) = read("a.flac", &[id3v2(b"\x89PNG"), sound].concat());
    assert!(got == samples, "a tag in front");
}

/// Offset of the encoder's note in an MP3.
fn note_in(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|name| name == b"Info" || name == b"Xing").unwrap()
}

#[test]
fn an_encoders_note_is_judged_by_the_file() {
    let (bytes, samples) = whole("chirp.mp3");
    let note = note_in(&bytes);
    let flags = u32::from_be_bytes(bytes[note + 4..note + 8].try_into().unwrap());
    assert_eq!(flags & 3, 3, "the note must count frames and bytes");
    let count = u32::from_be_bytes(bytes[note + 8..note + 12].try_into().unwrap());
    // Too many frames, while the number of bytes is correct: the note is wrong.
    let mut wrong = bytes.clone();
    put(&mut wrong, note + 8, &(count * 10).to_be_bytes());
    let (frames, _, said) = read("a.mp3", &wrong);
    assert!(frames * 2 >= samples.len() && said.is_none(), "{said:?}");
    // Too few frames: the rest is decoded as well.
    put(&mut wrong, note + 8, &(count / 2).to_be_bytes());
    let (more, ..) = read("a.mp3", &wrong);
    assert_eq!(more, frames, "a frame was lost, or padding was removed in the middle");
    // A file twice in a row: the second note is not decoded as sound, and no frames are lost.
    let joined = [&bytes[..], &bytes].concat();
    let (twice, _, said) = read("a.mp3", &joined);
    assert!(said.is_none() && twice > 2 * frames - 3 * 1152, "{twice} of {frames}: {said:?}");
}

#[test]
fn he_aac_that_only_its_frames_show_has_its_full_rate() {
    let want = chirp_at(44_100, 8_820);
    for (name, delay) in [("chirp-he.aac", 0), ("chirp-he.m4a", 0)] {
        let (about, samples) = decoded(&data(name)).unwrap();
        assert_eq!(about.format.sample_rate, 44_100, "{name}");
        assert_eq!(about.warning.text(), None, "{name}");
        assert!(about.frames >= 8_820, "{name}: {}", about.frames);
        // The core signal only, delayed by the filters of the replication.
        let best = (delay..5_000).map(|delay| snr_db(&samples, &want, delay)).fold(-99.0, f64::max);
        assert!(best > 3.0, "{name}: {best:.1} dB");
    }
}

#[test]
fn containers_of_other_kinds_are_refused_by_name() {
    let sound = fs::read(data("bare-44k.mp3")).unwrap().repeat(4);
    let transport = |stride: usize, offset: usize| {
        let mut bytes = sound.repeat(4);
        bytes.truncate(4000);
        (offset..bytes.len()).step_by(stride).for_each(|at| bytes[at] = 0x47);
        bytes
    };
    let cases: [(&[u8], &str); 12] = [
        (b"\0\0\x01\xba\x44\0\x04\0\x04\x01", "MPEG program streams"),
        (b"\0\0\x01\xb3\x14\0\xf0\x23", "MPEG video streams"),
        (b"RIFF\x24\0\0\0AVI LIST", "AVI files"),
        (b"FLV\x01\x05\0\0\0\x09", "FLV files"),
        (b".RMF\0\0\0\x12", "RealMedia"),
        (b"nut/multimedia container\0", "NUT"),
        (b"RIFX\0\0\0\x24WAVEfmt ", "big-endian"),
        (b".snd\0\0\0\x18", "Sun AU"),
        (b"ADIF\0\0\0\0", "ADIF"),
        (b"riff\x2e\x91\xcf\x11", "Wave64"),
        (b"Creative Voice File\x1a", "Creative Voice"),
        (b"\x7f\xfe\x80\x01\xfc\x3c", "DTS"),
    ];
    for (start, expected) in cases {
        let words = error_of("a.mp3", &[start, &sound].concat());
        assert!(words.contains(expected) && words.contains("not supported"), "{words}");
    }
    for (stride, offset) in [(188, 0), (192, 4), (204, 0)] {
        let words = error_of("a.mp3", &transport(stride, offset));
        assert!(words.contains("MPEG transport streams are not supported"), "{words}");
    }
    // Other data that contains frames of MPEG audio.
    let words = error_of("a.dat", &[&[0x12, 0x34].repeat(3_000)[..], &sound[..1_000]].concat());
    assert!(words.contains("not an audio file"), "{words}");
}

/// A Matroska element with an eight-byte size.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend((1 << 56 | content.len() as u64).to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

const CLUSTER: &[u8] = b"\x1f\x43\xb6\x75";

#[test]
fn optional_data_of_matroska_does_not_stop_the_sound() {
    let (bytes, samples) = whole("chirp.webm");
    let segment = position(&bytes, b"\x18\x53\x80\x67");
    let cluster = position(&bytes, CLUSTER);
    // A segment of unknown size, as in a live recording.
    let open = |extra: &[u8]| {
        let mut open = bytes[..segment + 4].to_vec();
        open.extend(b"\x01\xff\xff\xff\xff\xff\xff\xff");
        open.extend(&bytes[segment + 12..cluster]);
        open.extend(extra);
        open.extend(&bytes[cluster..]);
        open
    };
    let atom = element(b"\xb6", &element(b"\x73\xc4", b"\x01"));
    let chapters = element(b"\x10\x43\xa7\x70", &element(b"\x45\xb9", &atom));
    let tags =
        element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", &element(b"\x67\xc8", b"\xff\xff")));
    let attachments = element(b"\x19\x41\xa4\x69", &element(b"\x61\xa7", &[0xff; 40]));
    let cues = element(b"\x1c\x53\xbb\x6b", &[0xee; 33]);
    for (name, extra) in [
        ("nothing", vec![]),
        ("chapters", chapters),
        ("tags", tags),
        ("attachments", attachments),
        ("cues", cues),
    ] {
        let (_, got, said) = read("a.webm", &open(&extra));
        assert!(got == samples, "{name}: {} of {}", got.len(), samples.len());
        assert_eq!(said, None, "{name}");
    }
}

#[test]
fn damage_in_matroska_keeps_the_time_of_what_follows() {
    // A song with several clusters, made by repeating one.
    let (bytes, _) = whole("chirp.webm");
    let cluster = position(&bytes, CLUSTER);
    let size_at = cluster + 4;
    let body = size_at + 1 + bytes[size_at].leading_zeros() as usize;
    let blocks = &bytes[body..];
    let end = blocks.windows(4).position(|id| id == b"\x1c\x53\xbb\x6b").unwrap_or(blocks.len());
    let (time, blocks) = blocks[..end].split_at(3);
    assert_eq!(time, b"\xe7\x81\0", "the time must be the first element");
    // Leaves out the last block, which is shorter.
    let last = blocks.windows(2).rposition(|id| id[0] == 0xa0).unwrap();
    let at = |milliseconds: u16| {
        let time = [&b"\xe7\x82"[..], &milliseconds.to_be_bytes()].concat();
        element(CLUSTER, &[&time[..], &blocks[..last]].concat())
    };
    let clusters: Vec<Vec<u8>> = (0..5).map(|index| at(index * 200)).collect();
    let segment = position(&bytes, b"\x18\x53\x80\x67");
    let head =
        [&bytes[..segment + 4], b"\x01\xff\xff\xff\xff\xff\xff\xff", &bytes[segment + 12..cluster]]
            .concat();
    let song = [&head[..], &clusters.concat()].concat();
    let (_, samples, said) = read("a.webm", &song);
    assert_eq!(said, None);
    let mut damaged = song.clone();
    let second = head.len() + clusters[0].len();
    damaged[second..second + clusters[1].len()].fill(0x55);
    let (_, got, said) = read("a.webm", &damaged);
    assert!(said.as_deref().is_some_and(|said| said.contains("damaged in 1 place")), "{said:?}");
    assert!(got.len().abs_diff(samples.len()) <= 2 * 480, "{} of {}", got.len(), samples.len());
    // Opus needs several packets to converge.
    let from = 2 * 44_100 * 3 / 5;
    let frames = got.len().min(samples.len()) / 2 - from / 2;
    let want: Vec<f64> = samples[from..].iter().copied().map(f64::from).collect();
    let best = (-480..480_i64)
        .map(|late| snr_db(&got[from..], &want[..2 * (frames - 480)], late))
        .fold(-99.0, f64::max);
    assert!(best > 20.0, "{best:.1} dB");
}

#[test]
fn a_packet_of_aac_that_states_other_channels_silences_no_others() {
    let (bytes, samples) = whole("chirp.aac");
    let length = |at: usize| {
        let byte = |index: usize| usize::from(bytes[at + index]);
        (byte(3) & 3) << 11 | byte(4) << 3 | byte(5) >> 5
    };
    let mut at = 0;
    for _ in 0..3 {
        at += length(at);
    }
    // A program configuration for other channels, in a packet of 13 bytes.
    let mut packet = bytes[at..at + 7].to_vec();
    packet[3] &= !3;
    packet[4] = 0b1;
    packet[5] = packet[5] & 0x1f | 0b101 << 5; // the lowest bits of 13
    packet.extend([0xb9, 0x9c, 0x04, 0x60, 0x8c, 0x1c]);
    let (_, got, said) = read("a.aac", &[&bytes[..at], &packet, &bytes[at..]].concat());
    assert!(said.is_some());
    let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let from = samples.len() / 2;
    assert!(power(&got[from..]) > 0.5 * power(&samples[from..]), "{}", power(&got[from..]));
}

#[test]
fn damaged_data_of_mp3_is_said_where_it_decodes_to_other_sound() {
    let bytes = fs::read(data("bare-44k.mp3")).unwrap().repeat(4);
    let (_, samples, said) = read("a.mp3", &bytes);
    assert_eq!(said, None);
    let (mut changed, mut audible, mut at, mut frame) = (0, 0, 0, 0);
    while at < bytes.len() {
        // 64 kbit/s at 44.1 kHz, with or without a byte of padding.
        let length = 208 + usize::from(bytes[at + 2] >> 1 & 1);
        // The first frames of a truncated song may lack data from earlier ones.
        if frame > 11 {
            let mut damaged = bytes.clone();
            for byte in &mut damaged[at + 60..at + 70] {
                *byte ^= 0xa5;
            }
            let (_, got, said) = read("a.mp3", &damaged);
            assert_eq!(got.len(), samples.len(), "frame {frame}");
            changed += usize::from(got != samples);
            audible += usize::from(said.is_some_and(|said| said.contains("faults may be audible")));
        }
        (at, frame) = (at + length, frame + 1);
    }
    assert!(changed > 10 && 2 * audible >= changed, "{audible} of {changed}");
}

#[test]
fn the_default_track_is_taken_unless_another_is_wanted() {
    let want = chirp_at(44_100, 8_820);
    let side =
        |index: usize| -> Vec<f64> { want.chunks(2).flat_map(|frame| [frame[index]; 2]).collect() };
    for name in ["two-tracks.mka", "two-tracks.mp4"] {
        let path = data(name);
        let of = |track: Option<usize>| {
            let mut samples = Vec::new();
            let mut sink = |block: &[f32]| {
                samples.extend_from_slice(block);
                Ok(())
            };
            let decoded =
                decode::decode(&path, track, &CancelToken::default(), &mut |_| (), &mut sink);
            decoded.map(|decoded| (decoded, samples))
        };
        let (default, samples) = of(None).unwrap();
        assert_eq!((default.track, default.tracks.len()), (2, 2), "{name}");
        assert!(default.tracks[1].is_default && !default.tracks[0].is_default, "{name}");
        assert_eq!(default.tracks[1].language.as_deref(), Some("por"), "{name}");
        assert_eq!(default.tracks[0].codec, "FLAC", "{name}");
        assert!(snr_db(&samples, &side(1), 0) > 60.0, "{name}");
        for (number, index) in [(1, 0), (2, 1)] {
            let (decoded, samples) = of(Some(number)).unwrap();
            assert_eq!(decoded.track, number, "{name}");
            assert!(snr_db(&samples, &side(index), 0) > 60.0, "{name}: {number}");
        }
        let words = of(Some(3)).unwrap_err().to_string();
        assert!(words.contains("no audio track 3: the file has 2"), "{name}: {words}");
    }
    let path = data("chirp.mp3");
    let words =
        decode::decode(&path, Some(2), &CancelToken::default(), &mut |_| (), &mut |_| Ok(()));
    let words = words.unwrap_err().to_string();
    assert!(words.contains("no audio track 2: the file has one"), "{words}");
}

/// An MP4 file with its index at the end and a replaced edit list: lengths in milliseconds, and
/// starts in frames.
fn with_edits(bytes: &[u8], edits: &[(u32, i32)]) -> Vec<u8> {
    let list = position(bytes, b"elst") - 4;
    let old = u32::from_be_bytes(bytes[list..list + 4].try_into().unwrap()) as usize;
    let mut new = ((16 + 12 * edits.len()) as u32).to_be_bytes().to_vec();
    new.extend(b"elst\0\0\0\0");
    new.extend((edits.len() as u32).to_be_bytes());
    for (length, start) in edits {
        new.extend(length.to_be_bytes());
        new.extend(start.to_be_bytes());
        new.extend([0, 1, 0, 0]);
    }
    let mut made = bytes.to_vec();
    for parent in [&b"moov"[..], b"trak", b"edts"] {
        let at = position(bytes, parent) - 4;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        put(&mut made, at, &(size + new.len() as u32 - old as u32).to_be_bytes());
    }
    made.splice(list..list + old, new);
    made
}

/// Name, lengths in milliseconds with starts in frames, and the expected sound.
type EditCase = (&'static str, Vec<(u32, i32)>, Vec<f32>);

#[test]
fn several_edits_are_played_as_they_are_listed() {
    let (bytes, samples) = whole("chirp-alac.m4a");
    let part = |from: usize, frames: usize| &samples[2 * from..2 * (from + frames)];
    let cases: [EditCase; 4] = [
        ("two", vec![(50, 0), (50, 4_410)], [part(0, 2_205), part(4_410, 2_205)].concat()),
        (
            "with a pause",
            vec![(50, 441), (10, -1), (50, 4_410)],
            [part(441, 2_205), &[0.0; 882], part(4_410, 2_205)].concat(),
        ),
        ("delayed", vec![(100, -1), (100, 2_205)], part(2_205, 4_410).to_vec()),
        (
            "backwards and again",
            vec![(50, 4_410), (50, 0), (50, 0)],
            [part(4_410, 2_205), part(0, 2_205), part(0, 2_205)].concat(),
        ),
    ];
    for (name, edits, want) in cases {
        let (_, got, said) = read("a.m4a", &with_edits(&bytes, &edits));
        assert_eq!(got.len(), want.len(), "{name}");
        assert!(got == want, "{name}");
        assert_eq!(said, None, "{name}");
    }
}

#[test]
fn alac_in_quicktime_is_read_as_in_mp4() {
    let (_, m4a) = whole("chirp-alac.m4a");
    let (_, mov) = whole("chirp-alac.mov");
    assert!(mov == m4a);
}

/// A float WAV of `seconds` with one sample in a million set to `odd`.
fn floats(odd: f32, seconds: usize) -> Vec<u8> {
    let frames = 44_100 * seconds;
    let mut bytes =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x03\0\x02\0\x44\xac\0\0\x20\x62\x05\0\x08\0\x20\0data"
            .to_vec();
    bytes.extend((frames as u32 * 8).to_le_bytes());
    for index in 0..2 * frames {
        let tone = 0.4 * (index as f32 * 0.01).sin();
        let sample = if index % 1_000_000 == 700_001 { odd } else { tone };
        bytes.extend(sample.to_le_bytes());
    }
    bytes
}

#[test]
fn impossible_samples_of_floats_are_silent_and_said_with_their_time() {
    for odd in [1e6, -1e30, f32::NAN, f32::INFINITY] {
        let (frames, samples, said) = read("a.wav", &floats(odd, 12));
        assert_eq!(frames, 12 * 44_100);
        assert!(samples.iter().all(|sample| sample.abs() < 0.5), "{odd}");
        assert_eq!(
            said.as_deref(),
            Some("implausible sound from 0:07 on was silenced (samples: 1)"),
            "{odd}"
        );
    }
    // A file that is loud on purpose.
    let mut loud = floats(0.1, 2);
    for sample in loud[44..].chunks_exact_mut(4) {
        let number = f32::from_le_bytes(sample.try_into().unwrap()) * 1000.0;
        sample.copy_from_slice(&number.to_le_bytes());
    }
    let (_, samples, said) = read("a.wav", &loud);
    assert!(said.is_none() && samples.iter().any(|sample| sample.abs() > 399.0));
}

#[test]
fn a_broken_frame_of_mp3_does_not_become_noise() {
    let (bytes, samples) = whole("chirp.mp3");
    let start = note_in(&bytes) + 400;
    let (mut said_of, mut on_time, mut all) = (0, 0, 0);
    for seed in 0..400_u32 {
        let mut broken = bytes.clone();
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let from = start + seed as usize * 10 % (bytes.len() - start - 6);
        for byte in &mut broken[from..from + 6] {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *byte = (state >> 8) as u8;
        }
        let (_home, path) = file("a.mp3", &broken);
        let Ok((about, got)) = decoded(&path) else { continue };
        let peak = got.iter().fold(0.0_f32, |peak, sample| sample.abs().max(peak));
        assert!(peak <= 10.0, "seed {seed}: {peak}");
        // A frame may be lost where its length is estimated.
        assert!(got.len().abs_diff(samples.len()) <= 2 * 2 * 1152, "seed {seed}: {}", got.len());
        said_of += usize::from(!about.warning.is_empty());
        on_time += usize::from(got.len() == samples.len());
        all += 1;
    }
    assert!(said_of > 20, "only {said_of} of {all} have a warning");
    assert!(on_time * 10 >= all * 8, "only {on_time} of {all} kept their length");
}
