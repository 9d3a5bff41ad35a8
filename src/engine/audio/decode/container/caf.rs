//! Core Audio Format.
//!
//! Shows the chunks needed for decoding, with sizes that fit the file and the descriptive ones
//! before the sound. A data chunk of unknown length (-1) extends to the end of the file. Source:
//! Apple, "Core Audio Format Specification 1.0".

use std::io;

use super::{Completeness, Container, Shape, Timing, fourcc, wav};
use crate::engine::audio::decode::{bounds::BoundedFile, integers::u32_be, view::View};

const MOST_CHUNKS: usize = 1024;
/// Bytes of the file header, of a chunk header, and of the edit count before the samples.
const FILE_HEAD: u64 = 8;
const HEAD: u64 = 12;
const EDIT_COUNT: u64 = 4;
/// Chunks that describe the sound: format, codec settings, channel layout, packet table.
const NEEDED: [&[u8; 4]; 4] = [b"desc", b"kuki", b"chan", b"pakt"];

/// Shape of a CAF file; `None` if no sound is found.
///
/// # Errors
/// I/O errors of the file.
pub fn shape(file: &mut BoundedFile) -> io::Result<Option<Shape>> {
    let mut view = View::default();
    view.push_file(0..FILE_HEAD);
    let (mut data, mut description, mut packets) = (None, None, None);
    let mut at = FILE_HEAD;
    for _ in 0..MOST_CHUNKS {
        let head = file.bytes_at(at, HEAD)?;
        let (Some(name), Some(size)) = (fourcc(&head), i64_at(&head, 4)) else { break };
        let body = at + HEAD;
        let room = file.len().saturating_sub(body);
        let claimed = u64::try_from(size).ok();
        if &name == b"data" && data.is_none() {
            data = Some((body, claimed, room));
        } else if NEEDED.contains(&&name) && claimed.is_some_and(|size| size <= room) {
            match &name {
                b"desc" => description = Some(file.bytes_at(body, 32)?),
                b"pakt" => packets = Some(file.bytes_at(body, 24)?),
                _ => {}
            }
            view.push_file(at..body + claimed.unwrap_or(0));
        }
        match claimed.filter(|&size| size <= room) {
            Some(size) => at = body + size,
            None => break,
        }
    }
    let (Some((start, claimed, room)), Some(description)) = (data, description) else {
        return Ok(None);
    };
    let (bytes, completeness, stated) = extent(claimed, room);
    let sound = start + EDIT_COUNT.min(bytes)..start + bytes;
    if let Some(format) = logarithmic(&description) {
        // Symphonia 0.6.1 supports these codecs in WAV only.
        view = wav::canonical(&format, None, sound);
    } else {
        view.push_literal(*b"data");
        view.push_literal(bytes.to_be_bytes());
        view.push_file(start..start + bytes);
    }

    let table = packets.as_deref().filter(|_| description.get(8..12) != Some(b"alac"));
    let timing = table.and_then(timing).unwrap_or_else(|| {
        let frames = stated.and_then(|bytes| {
            let each = u32_be(&description, 16).filter(|&bytes| bytes > 0)?;
            let frames = u32_be(&description, 20).filter(|&frames| frames > 0)?;
            Some(bytes.saturating_sub(EDIT_COUNT) / u64::from(each) * u64::from(frames))
        });
        Timing { frames, ..Timing::default() }
    });
    Ok(Some(Shape::single(Container::Caf, view, timing, completeness)))
}

/// Builds the format chunk of an equivalent WAV for A-law and µ-law.
fn logarithmic(description: &[u8]) -> Option<Vec<u8>> {
    let tag: u16 = match description.get(8..12)? {
        b"alaw" => 6,
        b"ulaw" => 7,
        _ => return None,
    };
    let rate = f64::from_be_bytes(*description.first_chunk()?) as u32;
    let channels = u16::try_from(u32_be(description, 24)?).ok()?;
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend(rate.saturating_mul(channels.into()).to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend([8, 0]);
    Some(format)
}

/// Bytes to read, whether they are complete, and the intended number; by the rules of [`wav`].
fn extent(claimed: Option<u64>, room: u64) -> (u64, Completeness, Option<u64>) {
    match claimed {
        None => (room, Completeness::Whole, None),
        Some(0) => (room, Completeness::Unfinished, None),
        Some(claimed) if claimed <= room => (claimed, Completeness::Whole, Some(claimed)),
        Some(claimed) if wav::is_placeholder(claimed) => (room, Completeness::Whole, None),
        Some(claimed) if claimed - room <= wav::SLACK => (room, Completeness::Whole, Some(room)),
        Some(claimed) => (room, Completeness::CutOff, Some(claimed)),
    }
}

/// Timing from a packet table: audible frames and the frames before them. The table counts whole
/// ALAC packets although the last one may be shorter.
fn timing(table: &[u8]) -> Option<Timing> {
    let frames = u64::try_from(i64_at(table, 8)?).ok().filter(|&frames| frames > 0)?;
    let priming = u32_be(table, 16)?;
    Some(Timing { skip: Some(priming.into()), frames: Some(frames), ..Timing::default() })
}

fn i64_at(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
