//! A tolerant reader of ID3v2 tags, on top of lofty's strict one.
//!
//! Programs write frame sizes in the wrong encoding, omit byte order marks and set wrong flags. This
//! module finds the frames, unpacks them and decodes their texts; lofty gets plain frames and maps
//! them to fields. Pictures are extracted here. Pure.
//!
//! Sources: ID3v2.4.0 structure and native frames, ID3v2.3.0, ID3v2.2.0; for deviations in
//! practice, the bug trackers of mutagen and `TagLib`, and iTunes' plain sizes in ID3v2.4.

use std::io::Read as _;

use lofty::{
    picture::{Picture, PictureType},
    tag::{Tag, TagType},
};

use super::{around::synchsafe, id3v2_text as text, image_in, read_alone};

const HEADER: usize = 10;
/// Maximum number of frames read.
const MOST_FRAMES: usize = 4096;
/// Maximum total size in bytes of the decompressed frames of a tag.
const MOST_UNPACKED: u64 = 32 << 20;

/// The encoding of a frame's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sizes {
    /// Eight bits per byte: the standard in ID3v2.2 and 2.3, and iTunes' encoding in 2.4.
    Plain,
    /// Seven bits per byte: the standard in ID3v2.4.
    Synchsafe,
}

/// Location of a frame in the body of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    header: usize,
    start: usize,
    end: usize,
}

/// Frames found with one size encoding.
#[derive(Clone, Debug, Default)]
struct Walk {
    frames: Vec<Found>,
    /// End of the last frame.
    end: usize,
    /// Whether only padding follows.
    lines_up: bool,
}

impl Walk {
    /// Key to compare walks. The count matters: an oversized frame may swallow others, end in the
    /// padding, and so line up by chance.
    fn merit(&self) -> (bool, usize, usize) {
        (self.lines_up, self.frames.len(), self.end)
    }
}

/// A frame without flag-dependent encoding.
struct Frame {
    id: Vec<u8>,
    content: Vec<u8>,
}

/// Parses a whole tag including its header; `None` if nothing in it is readable.
pub fn parse(tag: &[u8]) -> Option<Tag> {
    let (body, layout) = Layout::of(tag)?;
    let walk = layout.walk(&body);
    let mut left = MOST_UNPACKED;
    let unpack = |found| layout.unpack(&body, found, &mut left);
    let mut frames: Vec<Frame> = walk.frames.iter().filter_map(unpack).collect();
    let pictures: Vec<Picture> = frames.iter().filter_map(picture).collect();
    frames.retain(|frame| !matches!(&frame.id[..], b"APIC" | b"PIC"));
    for frame in &mut frames {
        text::mend(layout.version, &frame.id, &mut frame.content);
    }
    drop_repeated(&mut frames);
    let whole = layout.lofty(&frames).or_else(|| {
        // lofty rejects all frames because of a single invalid one.
        frames.retain(|frame| layout.lofty(std::slice::from_ref(frame)).is_some());
        layout.lofty(&frames)
    });
    let mut tag = whole.unwrap_or_else(|| Tag::new(TagType::Id3v2));
    for picture in pictures {
        tag.push_picture(picture);
    }
    let says_something = tag.item_count() > 0 || tag.picture_count() > 0;
    says_something.then_some(tag)
}

/// Keeps the first non-empty text of each kind.
fn drop_repeated(frames: &mut Vec<Frame>) {
    let mut known: Vec<Vec<u8>> = Vec::new();
    frames.retain(|frame| {
        if !text::is_plain_text(&frame.id) {
            return !frame.content.is_empty();
        }
        let is_new = !text::is_empty(&frame.content) && !known.contains(&frame.id);
        if is_new {
            known.push(frame.id.clone());
        }
        is_new
    });
}

/// Properties common to all frames of a tag.
struct Layout {
    /// Major version: 2, 3 or 4.
    version: u8,
    /// Whether the tag's header marks all frames as unsynchronised.
    is_unsynchronised: bool,
}

impl Layout {
    /// Layout of a tag, and its body without extended header and footer.
    fn of(tag: &[u8]) -> Option<(Vec<u8>, Self)> {
        let (header, rest) = tag.split_first_chunk::<HEADER>()?;
        let &[b'I', b'D', b'3', version @ 2..=4, _, flags, size @ ..] = header else {
            return None;
        };
        let size = u64::from(u32::from_be_bytes(size));
        let size = if size & 0x8080_8080 == 0 { synchsafe(size) } else { size };
        let mut body = rest[..rest.len().min(size as usize)].to_vec();
        let (is_unsynchronised, has_extended) = (flags & 0x80 != 0, flags & 0x40 != 0);
        if version == 2 && has_extended {
            return None; // this flag means a compression that was never defined
        }
        let layout = Self { version, is_unsynchronised };
        if is_unsynchronised
            && version < 4
            && let Some(plain) = synchronised(&body)
        {
            body = plain;
        }
        if has_extended {
            body.drain(..layout.extended_bytes(&body));
        }
        Some((body, layout))
    }

    /// Length of the extended header; 0 if the flag is set without one.
    fn extended_bytes(&self, body: &[u8]) -> usize {
        let Some(size) = body.first_chunk::<4>() else { return 0 };
        if self.is_id(size) {
            return 0;
        }
        let number = u64::from(u32::from_be_bytes(*size));
        // In ID3v2.3, the size excludes its own four bytes.
        let bytes = if self.version == 4 { synchsafe(number) } else { number + 4 };
        if bytes <= body.len() as u64 { bytes as usize } else { 0 }
    }

    fn header_bytes(&self) -> usize {
        if self.version == 2 { 6 } else { 10 }
    }

    fn id_bytes(&self) -> usize {
        if self.version == 2 { 3 } else { 4 }
    }

    fn is_id(&self, bytes: &[u8]) -> bool {
        let Some(id) = bytes.get(..self.id_bytes()) else { return false };
        let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        // Some programs write the frame IDs of ID3v2.2 into 2.3.
        let is_short = self.version == 3 && id[3] == 0 && id[..3].iter().all(is_letter);
        id[0].is_ascii_uppercase() && (id.iter().all(is_letter) || is_short)
    }

    /// Finds the frames with the size encoding that fits best: first by whether the frames line up
    /// to the tag's end, then by their number. The standard's encoding wins a tie.
    fn walk(&self, body: &[u8]) -> Walk {
        let padding = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let (right, wrong) = match self.version {
            4 => (Sizes::Synchsafe, Sizes::Plain),
            _ => (Sizes::Plain, Sizes::Synchsafe),
        };
        let ways = [(right, right), (wrong, wrong), (right, wrong), (wrong, right)];
        let mut best = Walk::default();
        for sizes in ways {
            let walk = self.walk_by(body, padding, sizes);
            if walk.merit() > best.merit() {
                best = walk;
            }
        }
        best
    }

    /// Finds frames with the first size encoding, or with the second if only that one leads to
    /// another frame. `padding` is the offset from which all bytes are zero.
    fn walk_by(&self, body: &[u8], padding: usize, (first, second): (Sizes, Sizes)) -> Walk {
        let mut walk = Walk::default();
        while walk.frames.len() < MOST_FRAMES {
            walk.lines_up = walk.end >= padding;
            if walk.lines_up {
                break;
            }
            let by = |sizes| self.frame_at(body, walk.end, sizes);
            let leads_on = |found: &Found| found.end >= padding || self.is_id(&body[found.end..]);
            let found = by(first).filter(leads_on).or_else(|| by(second).filter(leads_on));
            let Some(found) = found.or_else(|| by(first)) else { break };
            walk.end = found.end;
            walk.frames.push(found);
        }
        walk
    }

    fn frame_at(&self, body: &[u8], at: usize, sizes: Sizes) -> Option<Found> {
        let header = body.get(at..at + self.header_bytes())?;
        let size = match (self.is_id(header), sizes) {
            (false, _) => return None,
            (true, _) if self.version == 2 => &[0, header[3], header[4], header[5]],
            (true, _) => header[4..].first_chunk::<4>()?,
        };
        let plain = u64::from(u32::from_be_bytes(*size));
        let bytes = match sizes {
            Sizes::Plain => plain,
            Sizes::Synchsafe if plain & 0x8080_8080 != 0 => return None,
            Sizes::Synchsafe => synchsafe(plain),
        };
        let start = at + self.header_bytes();
        let end = start.checked_add(usize::try_from(bytes).ok()?)?;
        (end <= body.len()).then_some(Found { header: at, start, end })
    }

    /// Removes encryption, compression and unsynchronisation from a frame; `None` if that is
    /// impossible. `left` is the number of bytes that compressed frames may still expand to.
    fn unpack(&self, body: &[u8], found: &Found, left: &mut u64) -> Option<Frame> {
        let id = body[found.header..][..self.id_bytes()].to_vec();
        let content = &body[found.start..found.end];
        if self.version == 2 {
            return Some(Frame { id, content: content.to_vec() });
        }
        let flags = body[found.header + 9];
        let is_new = self.version == 4;
        let [is_grouped, is_packed, is_encrypted, has_length] = if is_new {
            [0x40, 0x08, 0x04, 0x01].map(|bit| flags & bit != 0)
        } else {
            [0x20, 0x80, 0x40, 0x80].map(|bit| flags & bit != 0)
        };
        if is_encrypted {
            return None;
        }
        let extra = usize::from(is_grouped) + if has_length { 4 } else { 0 };
        let mut content = content.get(extra..)?.to_vec();
        if is_new
            && (self.is_unsynchronised || flags & 0x02 != 0)
            && let Some(plain) = synchronised(&content)
        {
            content = plain;
        }
        if is_packed {
            content = unpacked(&content, left).or_else(|| unpacked(content.get(4..)?, left))?;
        }
        Some(Frame { id, content })
    }

    /// Renders frames as a plain tag and parses it with lofty.
    fn lofty(&self, frames: &[Frame]) -> Option<Tag> {
        let mut body = Vec::new();
        for Frame { id, content } in frames {
            let size = content.len() as u32;
            body.extend(id);
            match self.version {
                2 => body.extend(&size.to_be_bytes()[1..]),
                3 => body.extend([&size.to_be_bytes()[..], &[0; 2]].concat()),
                _ => body.extend([&seven_bits(size)[..], &[0; 2]].concat()),
            }
            body.extend(content);
        }
        let header = [b"ID3", &[self.version, 0, 0][..], &seven_bits(body.len() as u32)].concat();
        read_alone(&[header, body].concat(), TagType::Id3v2)
    }
}

/// Extracts the picture of a frame. Its start is recognised by its signature, regardless of the
/// encoding of its description.
fn picture(frame: &Frame) -> Option<Picture> {
    const LONGEST_DESCRIPTION: usize = 4096;
    let content = &frame.content;
    let kind_at = match &frame.id[..] {
        b"APIC" => 2 + content.get(1..)?.iter().take(256).position(|byte| *byte == 0)?,
        b"PIC" => 4,
        _ => return None,
    };
    let (kind, rest) = content.get(kind_at..)?.split_first()?;
    let at = image_in(&rest[..rest.len().min(LONGEST_DESCRIPTION)])?;
    let description = text::decode(content[0], &rest[..at]);
    let description = description.trim_matches('\0');
    let picture = Picture::unchecked(rest[at..].to_vec()).pic_type(PictureType::from_u8(*kind));
    Some(match description {
        "" => picture.build(),
        text => picture.description(text.to_owned()).build(),
    })
}

fn seven_bits(size: u32) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8)
}

/// Reverses unsynchronisation; `None` for bytes that it cannot have produced.
fn synchronised(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut is_behind = false;
    for &byte in bytes {
        if is_behind && byte >= 0xe0 {
            return None;
        }
        if !(is_behind && byte == 0) {
            plain.push(byte);
        }
        is_behind = byte == 0xff;
    }
    Some(plain)
}

fn unpacked(bytes: &[u8], left: &mut u64) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let reader = flate2::read::ZlibDecoder::new(bytes);
    let is_whole = reader.take(*left).read_to_end(&mut plain).is_ok();
    *left -= plain.len() as u64;
    is_whole.then_some(plain)
}

#[cfg(test)]
mod tests;
