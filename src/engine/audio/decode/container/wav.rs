//! WAV, and its variants above 4 GB: RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).
//!
//! Shows a WAV with one format chunk and one data chunk, with correct sizes. Programs write the
//! sizes last. A killed recorder, or one that writes to a pipe, leaves 0, -1 or a large constant;
//! some are off by the length of a header. The sound then extends to the end of the file.

use std::{io, ops::Range};

use super::{Completeness, Container, Shape, Timing, fourcc};
use crate::engine::audio::decode::{
    bounds::BoundedFile,
    integers::{u16_le, u32_le},
    view::View,
};

/// Maximum number of chunks inspected before the sound.
const MOST_CHUNKS: usize = 1024;
/// Bytes of a chunk header: name and size.
const HEAD: u64 = 8;
/// Tolerance for an oversized claim, in bytes. Within it, the size is wrong rather than the file
/// truncated: a header was counted, or a block was never written.
pub(super) const SLACK: u64 = 1024;
/// Format tags of MPEG audio in WAV.
const MPEG_TAGS: [u16; 2] = [0x50, 0x55];
/// Format tags with frames of constant size: integers, floats, A-law, µ-law, and the extensible
/// format.
const PCM_TAGS: [u16; 5] = [1, 3, 6, 7, 0xfffe];

#[derive(Default)]
struct Chunks {
    format: Option<Vec<u8>>,
    fact: Option<Vec<u8>>,
    /// Bytes of sound according to the `ds64` chunk of a file above 4 GB.
    long_size: Option<u64>,
    /// Size and offset of the sound.
    data: Option<(u32, u64)>,
}

/// Shape of a WAV file; `None` if no sound is found.
///
/// # Errors
/// I/O errors of the file.
pub fn shape(file: &mut BoundedFile) -> io::Result<Option<Shape>> {
    let chunks = chunks(file)?;
    let (Some(format), Some((size, start))) = (&chunks.format, chunks.data) else {
        return Ok(None);
    };
    let room = file.len().saturating_sub(start);
    let (bytes, completeness, stated) = if size == 0 && is_chain_to_end(file, start)? {
        (0, Completeness::Whole, Some(0)) // genuinely empty
    } else {
        extent(size, chunks.long_size, room)
    };
    let tag = u16_le(format, 0).unwrap_or(0);
    if MPEG_TAGS.contains(&tag) {
        let mut view = View::default();
        view.push_file(start..start + bytes);
        return Ok(Some(Shape::single(Container::Mpeg, view, Timing::default(), completeness)));
    }
    let frame_bytes = u16_le(format, 12).filter(|&bytes| bytes > 0 && PCM_TAGS.contains(&tag));
    let frames = frame_bytes.and_then(|each| stated.map(|bytes| bytes / u64::from(each)));
    let bytes = frame_bytes.map_or(bytes, |each| bytes - bytes % u64::from(each));
    let fact = chunks.fact.filter(|_| completeness == Completeness::Whole);
    let view = canonical(format, fact.as_deref(), start..start + bytes);
    let timing = Timing { frames, ..Timing::default() };
    Ok(Some(Shape::single(Container::Wav, view, timing, completeness)))
}

/// Extent of a data chunk that claims `size` bytes in a file with `room` bytes left. Returns the
/// bytes to read, whether they are complete, and the intended number.
fn extent(size: u32, long_size: Option<u64>, room: u64) -> (u64, Completeness, Option<u64>) {
    let claimed = match long_size {
        Some(long) if size == u32::MAX => long,
        _ => size.into(),
    };
    if claimed == 0 {
        return (room, Completeness::Unfinished, None);
    }
    if claimed <= room {
        // Programs without RF64 support wrap sizes above 4 GB around.
        let is_wrapped = long_size.is_none() && room - claimed >= 1 << 32;
        let bytes = if is_wrapped { room } else { claimed };
        return (bytes, Completeness::Whole, Some(bytes));
    }
    if is_placeholder(claimed) {
        (room, Completeness::Whole, None)
    } else if claimed - room <= SLACK {
        (room, Completeness::Whole, Some(room))
    } else {
        (room, Completeness::CutOff, Some(claimed))
    }
}

/// Whether a size is a placeholder for an unknown one: the largest 31- or 32-bit numbers, also
/// rounded down or reduced by a header or a block.
pub(super) fn is_placeholder(size: u64) -> bool {
    const NEAR: u64 = 1 << 16;
    const LARGEST: [u64; 4] = [1 << 31, 1 << 32, 1 << 63, u64::MAX];
    LARGEST.iter().any(|&largest| size <= largest && largest - size <= NEAR)
}

fn chunks(file: &mut BoundedFile) -> io::Result<Chunks> {
    let mut found = Chunks::default();
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let head = file.bytes_at(at, HEAD)?;
        let (Some(name), Some(size)) = (fourcc(&head), u32_le(&head, 4)) else { break };
        let body = at + HEAD;
        match &name {
            b"fmt " if found.format.is_none() => {
                const LONGEST: u64 = 1 << 12;
                let bytes = file.bytes_at(body, u64::from(size).min(LONGEST))?;
                found.format = (bytes.len() >= 16).then_some(bytes);
            }
            b"fact" => found.fact = Some(file.bytes_at(body, 4)?).filter(|fact| fact.len() == 4),
            b"ds64" => {
                let sizes = file.bytes_at(body, 16)?;
                found.long_size =
                    sizes.get(8..).and_then(|size| Some(u64::from_le_bytes(*size.first_chunk()?)));
            }
            b"data" if found.data.is_none() => {
                found.data = Some((size, body));
                if found.format.is_some() {
                    break;
                }
            }
            _ => {}
        }
        // Chunks begin at even offsets.
        at = body + u64::from(size) + u64::from(size % 2);
    }
    Ok(found)
}

/// Whether the file consists of chunks only, from `at` to the end.
fn is_chain_to_end(file: &mut BoundedFile, mut at: u64) -> io::Result<bool> {
    for _ in 0..MOST_CHUNKS {
        if at >= file.len() {
            return Ok(at <= file.len() + 1);
        }
        let head = file.bytes_at(at, HEAD)?;
        let (Some(name), Some(size)) = (fourcc(&head), u32_le(&head, 4)) else {
            return Ok(false);
        };
        if !name.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return Ok(false);
        }
        at += HEAD + u64::from(size) + u64::from(size % 2);
    }
    Ok(false)
}

/// Builds a WAV with this format chunk and the sound in a range of the file.
pub(super) fn canonical(format: &[u8], fact: Option<&[u8]>, sound: Range<u64>) -> View {
    // Symphonia interprets the largest number as an unknown length.
    let size = u32::try_from(sound.end - sound.start).unwrap_or(u32::MAX);
    let mut head = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
    head.extend((format.len() as u32).to_le_bytes());
    head.extend_from_slice(format);
    if format.len() % 2 == 1 {
        head.push(0);
    }
    if let Some(fact) = fact {
        head.extend(b"fact\x04\0\0\0");
        head.extend_from_slice(fact);
    }
    head.extend(b"data");
    head.extend(size.to_le_bytes());
    let mut view = View::default();
    view.push_literal(head);
    view.push_file(sound);
    view
}
