//! FLAC in its own container.
//!
//! Shows the stream information and the frames. Tags, covers, cue sheets and seek tables may be
//! missing or damaged. Tags after the last frame are hidden, because a decoder would take them for
//! frame data. Source: RFC 9639.

use std::io;

use super::{Completeness, Container, Shape, Timing, tags};
use crate::engine::audio::decode::{bounds::BoundedFile, flac_frame, view::View};

const MOST_BLOCKS: usize = 4096;
/// Bytes of the marker and of a metadata block header.
const MARKER: u64 = 4;
const BLOCK_HEAD: u64 = 4;
const STREAM_INFO_BYTES: u64 = 34;
/// Offset of a frame's number in its header.
const NUMBER: u64 = 4;
/// Bytes in which the first frame is searched if the metadata blocks do not lead to it.
const FARTHEST: u64 = 32 << 20;

/// Shape of a FLAC file; `None` without stream information.
///
/// # Errors
/// I/O errors of the file.
pub fn shape(file: &mut BoundedFile) -> io::Result<Option<Shape>> {
    let end = tags::end_of_sound(file)?;
    let mut at = MARKER;
    let mut info = None;
    for _ in 0..MOST_BLOCKS {
        let head = file.bytes_at(at, BLOCK_HEAD)?;
        let [flags, a, b, c] = head[..] else { break };
        let bytes = u64::from(u32::from_be_bytes([0, a, b, c]));
        let body = at + BLOCK_HEAD;
        if flags & 0x7f == 0x7f || body + bytes > end {
            break; // not a valid block
        }
        if flags << 1 == 0 && info.is_none() && bytes >= STREAM_INFO_BYTES {
            info = Some(file.bytes_at(body, STREAM_INFO_BYTES)?);
        }
        at = body + bytes;
        if flags & 0x80 != 0 {
            break;
        }
    }
    let Some(info) = info.filter(|info| info.len() as u64 == STREAM_INFO_BYTES) else {
        return Ok(None);
    };
    let first = if is_frame(&file.bytes_at(at, 16)?) {
        at
    } else {
        let after_info = MARKER + BLOCK_HEAD + STREAM_INFO_BYTES;
        first_frame(file, after_info, end)?.unwrap_or(at)
    };
    let total =
        u64::from_be_bytes([0, 0, 0, info[13] & 15, info[14], info[15], info[16], info[17]]);
    let mut view = View::default();
    view.push_literal(*b"fLaC\x80\0\0\x22");
    view.push_literal(info);
    view.push_file(first..end);
    // A recorded broadcast begins at any frame, but with an intact one. Otherwise frames are missing.
    let begins_at_0 = file.bytes_at(first + NUMBER, 1)? == [0];
    let timing = Timing {
        frames: Some(total).filter(|&frames| frames > 0),
        counts_from_zero: begins_at_0 || first != at,
        ..Timing::default()
    };
    Ok(Some(Shape::single(Container::Flac, view, timing, Completeness::Whole)))
}

/// Finds the first frame: preferably one numbered 0, else any.
fn first_frame(file: &mut BoundedFile, start: u64, end: u64) -> io::Result<Option<u64>> {
    let bytes = file.bytes_at(start, FARTHEST.min(end.saturating_sub(start)))?;
    let mut frames = (0..bytes.len()).filter(|&at| is_frame(&bytes[at..]));
    let any = frames.next();
    let first =
        any.into_iter().chain(frames).find(|&at| bytes.get(at + NUMBER as usize) == Some(&0));
    Ok(first.or(any).map(|at| start + at as u64))
}

/// Whether these bytes begin with a frame header, by its sync code and checksum.
fn is_frame(bytes: &[u8]) -> bool {
    flac_frame::frames(bytes).is_some()
}
