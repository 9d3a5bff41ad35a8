//! Audio files that claim more than they contain, each a few hundred bytes to some kilobytes.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "names are byte strings, which are references"
)]

/// A RIFF chunk: name, length, content.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&name[..], &(content.len() as u32).to_le_bytes(), content].concat()
}

/// The claims of a WAV file about its sound.
#[derive(Clone, Copy)]
pub struct Wav {
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    pub align: u16,
    pub bits: u16,
    /// The extension of the format chunk, for formats that have one.
    pub extra: &'static [u8],
    /// The claimed length of the sound in bytes.
    pub claims: u32,
}

/// One second of 16-bit stereo at 44.1 kHz.
pub const HONEST: Wav =
    Wav { tag: 1, channels: 2, rate: 44_100, align: 4, bits: 16, extra: &[], claims: 44_100 * 4 };

/// A WAV file with 3 kB of sound, whatever the claims.
pub fn wav(says: Wav) -> Vec<u8> {
    let mut format = [says.tag.to_le_bytes(), says.channels.to_le_bytes()].concat();
    format.extend(says.rate.to_le_bytes());
    format.extend(says.rate.wrapping_mul(says.align.into()).to_le_bytes());
    format.extend([says.align.to_le_bytes(), says.bits.to_le_bytes()].concat());
    if !says.extra.is_empty() {
        format.extend((says.extra.len() as u16).to_le_bytes());
        format.extend(says.extra);
    }
    let mut data = chunk(b"data", &[0x12; 3000]);
    data[4..8].copy_from_slice(&says.claims.to_le_bytes());
    let content = [&b"WAVE"[..], &chunk(b"fmt ", &format), &data].concat();
    let mut file = chunk(b"RIFF", &content);
    file[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    file
}

/// A CAF file with this many bytes and frames in a packet.
pub fn caf(codec: &[u8; 4], bytes_per_packet: u32, frames_per_packet: u32) -> Vec<u8> {
    let chunk = |name: &[u8; 4], length: i64, content: &[u8]| {
        [&name[..], &length.to_be_bytes(), content].concat()
    };
    let mut description = 44_100f64.to_be_bytes().to_vec();
    description.extend(codec);
    for number in [0, bytes_per_packet, frames_per_packet, 2, 16] {
        description.extend(number.to_be_bytes());
    }
    let data = chunk(b"data", 3000, &[0x12; 3000]);
    [&b"caff\0\x01\0\0"[..], &chunk(b"desc", 32, &description), &data].concat()
}

/// An MP4 box.
fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

/// Concatenated big-endian numbers.
fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// An MP4 file with PCM in 100 kB. Each of `tracks` tracks claims all of the data, with `samples`
/// samples of two bytes.
pub fn mp4(tracks: u32, samples: u32) -> Vec<u8> {
    let mut movie = numbers(&[0, 0, 0, 1000, 1000, 0x0001_0000]);
    movie.extend([0; 76]);
    let mut index = mp4_box(b"mvhd", &movie);
    for id in 1..=tracks {
        index.extend(mp4_box(b"trak", &track(id, samples)));
    }
    let sound = mp4_box(b"mdat", &vec![0x12; 100_008]);
    [mp4_box(b"ftyp", b"M4A \0\0\0\0isom\0\0\0\0"), sound, mp4_box(b"moov", &index)].concat()
}

fn track(id: u32, samples: u32) -> Vec<u8> {
    let entry = {
        let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1]; // reserved; data reference
        entry.extend([0; 8]); // version, vendor
        entry.extend([0, 1, 0, 16, 0, 0, 0, 0]); // channels, bits
        entry.extend(numbers(&[44_100 << 16]));
        mp4_box(b"twos", &entry)
    };
    let table = [
        mp4_box(b"stsd", &[numbers(&[0, 1]), entry].concat()),
        mp4_box(b"stts", &numbers(&[0, 1, samples, 1])),
        mp4_box(b"stsc", &numbers(&[0, 1, 1, samples, 1])),
        mp4_box(b"stsz", &numbers(&[0, 2, samples])),
        mp4_box(b"stco", &numbers(&[0, 1, 40])),
    ];
    let handler = [&numbers(&[0, 0])[..], b"soun", &[0; 13]].concat();
    let media = [
        mp4_box(b"mdhd", &numbers(&[0, 0, 0, 44_100, 1000, 0x55c4_0000])),
        mp4_box(b"hdlr", &handler),
        mp4_box(b"minf", &[mp4_box(b"smhd", &[0; 8]), mp4_box(b"stbl", &table.concat())].concat()),
    ];
    let mut header = numbers(&[7, 0, 0, id, 0, 1000]);
    header.extend([0; 60]);
    [mp4_box(b"tkhd", &header), mp4_box(b"mdia", &media.concat())].concat()
}

/// An MP4 file with boxes nested `depth` deep.
pub fn deep_mp4(kind: &[u8; 4], depth: usize) -> Vec<u8> {
    let mut file = mp4_box(b"ftyp", b"M4A \0\0\0\0isom");
    for level in 0..depth {
        let rest = (depth - level) as u32 * 8;
        file.extend(rest.to_be_bytes());
        file.extend(if level == 0 { b"moov" } else { kind });
    }
    file
}

/// A Matroska file with tags nested `depth` deep, each of unknown length.
pub fn deep_mkv(depth: usize) -> Vec<u8> {
    const UNKNOWN: u8 = 0xff;
    let mut file = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\xff".to_vec();
    file.extend(b"\x12\x54\xc3\x67\xff\x73\x73\xff"); // tags, tag
    for _ in 0..depth {
        file.extend([0x67, 0xc8, UNKNOWN]);
    }
    file
}

/// An MP3's ID3 tag with a claimed length and a picture of the same claimed length, but little
/// data.
pub fn id3(claims: u32) -> Vec<u8> {
    let safe = |n: u32| {
        [(n >> 21 & 0x7f) as u8, (n >> 14 & 0x7f) as u8, (n >> 7 & 0x7f) as u8, (n & 0x7f) as u8]
    };
    let mut file = b"ID3\x04\0\0".to_vec();
    file.extend(safe(claims));
    file.extend(b"APIC");
    file.extend(safe(claims - 10));
    file.extend(b"\0\0\0image/png\0\x03\0\x89PNG\r\n\x1a\n");
    file.extend([0xff, 0xfb, 0x90, 0x00]);
    file.extend([0; 600]);
    file
}

/// A FLAC file of silence, mono, in frames of the maximum length; `metadata` comes first.
pub fn flac(rate: u32, frames: u32, metadata: &[u8]) -> Vec<u8> {
    let mut info = Vec::new();
    info.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0]); // block and frame sizes
    info.extend(
        ((u64::from(rate) << 44) | (15 << 36) | (u64::from(frames) * 0xffff)).to_be_bytes(),
    );
    info.extend([0; 16]);
    let mut file = b"fLaC\0\0\0\x22".to_vec();
    file.extend(info);
    file.extend(metadata);
    file.extend(b"\x81\0\0\x04\0\0\0\0"); // padding, the last block
    for number in 0..frames {
        let mut frame = b"\xff\xf8\x70\x08".to_vec();
        let coded = char::from_u32(number).unwrap_or('\0');
        frame.extend(coded.encode_utf8(&mut [0; 4]).as_bytes());
        frame.extend(0xfffeu16.to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.extend([0, 0, 0]); // constant, zero
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
    }
    file
}

/// A cyclic redundancy check with initial value 0, highest bit first.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let (top, mask) = (1 << (bits - 1), (1u64 << bits) as u32 - 1);
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << (bits - 8), |crc, _| {
            let shifted = crc << 1;
            (if crc & top == 0 { shifted } else { shifted ^ polynomial }) & mask
        })
    })
}

/// A FLAC metadata block of this type with a claimed length and its content.
pub fn flac_block(kind: u8, claims: u32, content: &[u8]) -> Vec<u8> {
    let mut block = claims.to_be_bytes().to_vec();
    block[0] = kind;
    block.extend(content);
    block
}
