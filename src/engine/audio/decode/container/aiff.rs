//! AIFF and AIFC.
//!
//! Shows a file with one common chunk followed by one sound chunk, with correct sizes and frame
//! count. Sizes that were never filled in are treated as in [`super::wav`]. Source: Apple, "Audio
//! Interchange File Format AIFF-C" (1991).

use std::io;

use super::{Completeness, Container, Shape, Timing, fourcc, wav};
use crate::engine::audio::decode::{
    bounds::BoundedFile,
    integers::{u16_be, u32_be},
    view::View,
};

const MOST_CHUNKS: usize = 1024;
const HEAD: u64 = 8;
/// Bytes of a sound chunk before its samples: an offset and a block size.
const SOUND_HEAD: u64 = 8;
/// Maximum length of a common chunk; the name of the compression may follow its numbers.
const LONGEST_COMMON: u64 = 1 << 10;

/// Shape of an AIFF file; `None` if no sound is found.
///
/// # Errors
/// I/O errors of the file.
pub fn shape(file: &mut BoundedFile) -> io::Result<Option<Shape>> {
    let form = file.bytes_at(8, 4)?;
    let Some((common, size, start)) = chunks(file)? else { return Ok(None) };
    let head = file.bytes_at(start, SOUND_HEAD)?;
    let Some(offset) = u32_be(&head, 0) else { return Ok(None) };
    let first = start + SOUND_HEAD + u64::from(offset);
    let room = file.len().saturating_sub(first);
    let claimed = u64::from(size).saturating_sub(SOUND_HEAD + u64::from(offset));
    let stated_frames = u32_be(&common, 2).unwrap_or(0);
    let (packet_bytes, packet_frames) = packets(&form, &common);
    let frames_in = |bytes: u64| bytes / packet_bytes.max(1) * packet_frames;

    let is_unknown = claimed == 0 || wav::is_placeholder(u64::from(size)) && claimed > room;
    let is_empty = stated_frames == 0 && claimed == 0 && room < packet_bytes;
    let bytes = if is_unknown { room } else { claimed.min(room) };
    let held = frames_in(bytes);
    // The last packet of a codec with long packets may be partial; there the stated frame count is
    // valid.
    let fits = u64::from(stated_frames) <= held;
    let (completeness, promised) = if is_empty {
        (Completeness::Whole, Some(0))
    } else if is_unknown && fits && stated_frames > 0 {
        (Completeness::Whole, Some(stated_frames.into()))
    } else if is_unknown {
        (Completeness::Unfinished, None)
    } else if claimed.saturating_sub(room) > wav::SLACK {
        let promised = if fits { frames_in(claimed) } else { stated_frames.into() };
        (Completeness::CutOff, Some(promised))
    } else if fits && stated_frames > 0 {
        (Completeness::Whole, Some(stated_frames.into()))
    } else {
        (Completeness::Whole, Some(held))
    };
    let shown = promised.unwrap_or(held).min(held);
    let view = canonical(&form, &common, shown, first, bytes);
    let timing = Timing { frames: promised, ..Timing::default() };
    Ok(Some(Shape::single(Container::Aiff, view, timing, completeness)))
}

/// Finds the common chunk, the size of the sound chunk, and the offset of its content.
fn chunks(file: &mut BoundedFile) -> io::Result<Option<(Vec<u8>, u32, u64)>> {
    let (mut common, mut sound) = (None, None);
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let head = file.bytes_at(at, HEAD)?;
        let (Some(name), Some(size)) = (fourcc(&head), u32_be(&head, 4)) else { break };
        let body = at + HEAD;
        match &name {
            b"COMM" if common.is_none() => {
                let bytes = file.bytes_at(body, u64::from(size).min(LONGEST_COMMON))?;
                common = (bytes.len() >= 18).then_some(bytes);
            }
            b"SSND" if sound.is_none() => sound = Some((size, body)),
            _ => {}
        }
        if common.is_some() && sound.is_some() {
            break;
        }
        at = body + u64::from(size) + u64::from(size % 2);
    }
    Ok(common.zip(sound).map(|(common, (size, start))| (common, size, start)))
}

/// Bytes and frames of the smallest independently decodable unit.
fn packets(form: &[u8], common: &[u8]) -> (u64, u64) {
    let channels = u16_be(common, 0).unwrap_or(1);
    let bits = u16_be(common, 6).unwrap_or(16);
    let (bytes, frames) = match common.get(18..22).filter(|_| form == b"AIFC") {
        Some(b"ulaw" | b"ULAW" | b"alaw" | b"ALAW") => (1, 1),
        Some(b"ima4") => (34, 64),
        _ => (u64::from(bits).div_ceil(8), 1),
    };
    (bytes * u64::from(channels), frames)
}

fn canonical(form: &[u8], common: &[u8], frames: u64, start: u64, bytes: u64) -> View {
    const MOST: u64 = u32::MAX as u64 - (1 << 16);
    let bytes = bytes.min(MOST);
    let mut common = common.to_vec();
    common[2..6].copy_from_slice(&(frames as u32).to_be_bytes());
    if common.len() % 2 == 1 {
        common.push(0);
    }
    let mut head = b"FORM".to_vec();
    let all = 4 + HEAD + common.len() as u64 + HEAD + SOUND_HEAD + bytes;
    head.extend((all as u32).to_be_bytes());
    head.extend_from_slice(form);
    head.extend(b"COMM");
    head.extend((common.len() as u32).to_be_bytes());
    head.extend(common);
    head.extend(b"SSND");
    head.extend(((SOUND_HEAD + bytes) as u32).to_be_bytes());
    head.extend([0; SOUND_HEAD as usize]);
    let mut view = View::default();
    view.push_literal(head);
    view.push_file(start..start + bytes);
    view
}
