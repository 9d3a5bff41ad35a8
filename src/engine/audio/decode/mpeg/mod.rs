//! Streams of self-describing frames: MPEG audio of any layer, and AAC in ADTS.
//!
//! Reads frame after frame, with memory independent of the file's length. Tags between frames are
//! skipped anywhere, and the info tag of an encoder (Xing, Info, VBRI) is read instead of played.
//! The duration of damaged frames is preserved. This module decodes no sound.
//!
//! Symphonia's reader is not used, because it takes pictures in tags for sound and loses the
//! duration of damaged frames. Sources: ISO/IEC 11172-3 and 13818-3 (frames), 14496-3 (ADTS);
//! LAME's "Mp3 Info Tag" (revision 1), Fraunhofer's VBRI header.

mod header;
mod note;
mod window;

use std::io::{self, Read, Seek};

use header::Header;
pub use header::{AAC_RATES, Framing};
pub use note::Note;
use window::Window;

use super::{bounds::BoundedFile, container::tags};

/// Bytes searched for the first frame, and for the next one after damage.
const FARTHEST: u64 = 1 << 20;
/// Maximum length of a frame in bytes: 13 bits of length in ADTS.
const LONGEST_FRAME: usize = 1 << 13;
/// Number of consecutive frames that prove a stream that does not begin at the first byte.
const SURE: usize = 8;
/// Maximum difference in bytes between frames of one bit rate.
const PADDING: usize = 4;
/// Number of bytes that suffice to recognise a tag.
const TAG_START: usize = 32;
/// Maximum length of Lyrics3 in bytes. They do not start with a length, so longer ones are treated
/// as damage.
const LONGEST_LYRICS: usize = 1 << 16;

/// A frame or its replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A frame with its header.
    Frame {
        /// All bytes of the frame.
        bytes: Vec<u8>,
        /// Samples per channel in the frame.
        frames: u64,
    },
    /// Damaged bytes instead of this many samples per channel, possibly 0.
    Lost(u64),
    /// End of the file within a frame.
    CutOff,
    /// End of the stream.
    End,
}

/// Stream properties according to the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Layer, 1 to 3; 0 for AAC.
    pub layer: u8,
    /// Sample rate in Hz; for AAC, that of the core.
    pub rate: u32,
    /// Number of channels; 0 if only the stream content states it.
    pub channels: u16,
    /// Samples per channel in each frame.
    pub frames: u64,
}

/// Reader of frames.
pub struct Frames<R> {
    window: Window<R>,
    framing: Framing,
    /// Header of the last reliable frame.
    last: Option<Header>,
    /// Total bytes and count of frames so far, to estimate the length of damaged ones.
    bytes: u64,
    count: u64,
    /// Lengths of the shortest and the longest frame so far, in bytes.
    lengths: (usize, usize),
    first: First,
    note: Option<Note>,
    /// Length of the info tag's frame in bytes.
    note_bytes: u64,
    is_first: bool,
}

/// Whether frames begin at `start`, or shortly after it.
///
/// # Errors
/// I/O errors of the file.
pub fn begins(file: &mut BoundedFile, start: u64, framing: Framing) -> io::Result<bool> {
    file.seek(io::SeekFrom::Start(start))?;
    let mut window = Window::new(file);
    Ok(sync_first(&mut window, framing)?.is_some())
}

/// Advances to the first frame of a stream. A few consecutive frames suffice at its start; more are
/// needed after other bytes.
fn sync_first<R: Read + Seek>(
    window: &mut Window<R>,
    framing: Framing,
) -> io::Result<Option<Header>> {
    const FEW: usize = 3;
    if let Some(header) = chain(window, framing, 0, FEW, None)? {
        return Ok(Some(header));
    }
    for offset in 1..FARTHEST as usize {
        if window.bytes(offset + 4)?.len() < offset + 4 {
            return Ok(None);
        }
        if let Some(header) = chain(window, framing, offset, SURE, None)? {
            window.advance(offset as u64)?;
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// Returns the header at `offset` if `count` matching frames follow each other from there. Fewer
/// suffice if they end with the file or with a tag.
fn chain<R: Read + Seek>(
    window: &mut Window<R>,
    framing: Framing,
    offset: usize,
    count: usize,
    like: Option<&Header>,
) -> io::Result<Option<Header>> {
    let mut at = offset;
    let mut first: Option<Header> = None;
    for index in 0..count {
        let bytes = window.bytes(at + TAG_START)?;
        let rest = bytes.get(at..).unwrap_or_default();
        // A stream that begins after other bytes has to be long enough to be credible.
        if index > 0 && count < SURE && (rest.is_empty() || is_tag(rest)) {
            break;
        }
        let Some(header) = Header::read(rest, framing) else { return Ok(None) };
        let like = first.as_ref().or(like);
        if like.is_some_and(|like| !header.goes_with(like)) {
            return Ok(None);
        }
        at += header.bytes;
        if window.bytes(at)?.len() < at && index == 0 {
            return Ok(None);
        }
        first.get_or_insert(header);
    }
    Ok(first)
}

fn is_tag(bytes: &[u8]) -> bool {
    tags::tag_at(bytes).is_some() || bytes.starts_with(b"LYRICSBEGIN")
}

impl<R: Read + Seek> Frames<R> {
    /// Finds the first frame of a stream; `None` if absent.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn new(file: R, framing: Framing) -> io::Result<Option<Self>> {
        let mut window = Window::new(file);
        skip_tags(&mut window)?;
        let Some(header) = sync_first(&mut window, framing)? else { return Ok(None) };
        let first = header.first();
        let mut frames = Self {
            window,
            framing,
            last: Some(header),
            bytes: 0,
            count: 0,
            lengths: (header.bytes, header.bytes),
            first,
            note: None,
            note_bytes: 0,
            is_first: true,
        };
        frames.read_note()?;
        Ok(Some(frames))
    }

    /// Stream properties according to the first frame.
    pub fn first(&self) -> First {
        self.first
    }

    /// Info tag of the encoder, if the stream begins with one.
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Whether the stream, read to its end, contradicts the encoder's checksum. A stream of another
    /// length was edited on purpose.
    pub fn is_altered(&self) -> bool {
        let checksum = self.note.and_then(|note| note.checksum);
        let (Some(stated), Some((bytes, crc))) = (checksum, self.window.sum()) else {
            return false;
        };
        stated.bytes == self.note_bytes + bytes && stated.crc != crc
    }

    /// Average length of the first frames in bytes.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn average_bytes(&mut self) -> io::Result<f64> {
        const MOST: usize = 64;
        let (mut at, mut count) = (0, 0);
        while count < MOST {
            let bytes = self.window.bytes(at + TAG_START)?;
            let Some(header) = Header::read(bytes.get(at..).unwrap_or_default(), self.framing)
            else {
                break;
            };
            (at, count) = (at + header.bytes, count + 1);
        }
        Ok(at as f64 / count.max(1) as f64)
    }

    /// Reads the next frame or its replacement.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn next(&mut self) -> io::Result<Item> {
        loop {
            skip_tags(&mut self.window)?;
            let bytes = self.window.bytes(TAG_START)?;
            if bytes.is_empty() {
                return Ok(Item::End);
            }
            let header = Header::read(bytes, self.framing);
            let header = match header {
                Some(header) if self.is_of_stream(&header)? => Some(header),
                _ => None,
            };
            match header {
                Some(header) => {
                    if let Some(item) = self.frame(header)? {
                        return Ok(item);
                    }
                }
                None => return self.lost(),
            }
        }
    }

    /// Reads the frame with this header; `None` for an info tag, which is not played.
    fn frame(&mut self, header: Header) -> io::Result<Option<Item>> {
        let mut length = header.bytes;
        let available = self.window.bytes(length + TAG_START)?.len();
        if available < length {
            self.window.advance(available as u64)?;
            return Ok(Some(Item::CutOff));
        }
        if !self.is_followed(length)?
            && let Some(real) = self.real_length(length)?
            && (real < length || self.is_constant() && self.bytes > 0 && !self.is_usual(length))
        {
            length = real; // this header is damaged, not the next one
        }
        let bytes = self.window.bytes(length)?.get(..length).unwrap_or_default().to_vec();
        self.window.advance(length as u64)?;
        let is_first = std::mem::replace(&mut self.is_first, false);
        if !is_first && Note::read(&bytes, &header).is_some() {
            return Ok(None);
        }
        self.last = Some(header);
        self.bytes += length as u64;
        self.count += 1;
        self.lengths = (self.lengths.0.min(length), self.lengths.1.max(length));
        Ok(Some(Item::Frame { bytes, frames: header.frames }))
    }

    /// Whether a header can belong to this stream, which may change its rate if frames follow.
    fn is_of_stream(&mut self, header: &Header) -> io::Result<bool> {
        let Some(last) = self.last else { return Ok(true) };
        Ok(header.goes_with(&last) || header.is_like(&last) && self.is_followed(header.bytes)?)
    }

    /// Whether a frame, a tag, or the end is `offset` bytes ahead.
    fn is_followed(&mut self, offset: usize) -> io::Result<bool> {
        let last = self.last;
        let bytes = self.window.bytes(offset + TAG_START)?;
        let rest = bytes.get(offset..).unwrap_or_default();
        let next = Header::read(rest, self.framing);
        let is_frame = next.is_some_and(|next| last.is_none_or(|last| next.is_like(&last)));
        Ok(rest.len() < 4 || is_tag(rest) || is_frame)
    }

    /// Whether all frames so far have equal length, except for padding.
    fn is_constant(&self) -> bool {
        self.lengths.1 - self.lengths.0 <= PADDING
    }

    /// Whether a frame of this length matches a stream of constant length.
    fn is_usual(&self, length: usize) -> bool {
        (self.lengths.1.saturating_sub(PADDING)..=self.lengths.0 + PADDING).contains(&length)
    }

    /// Length of the current frame according to the positions of the next two.
    fn real_length(&mut self, stated: usize) -> io::Result<Option<usize>> {
        let last = self.last;
        for offset in header::SHORTEST..LONGEST_FRAME.min(stated.saturating_mul(16)) {
            if chain(&mut self.window, self.framing, offset, 2, last.as_ref())?.is_some() {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }

    /// Resumes after damaged bytes.
    fn lost(&mut self) -> io::Result<Item> {
        let last = self.last;
        let mut skipped = 0_u64;
        loop {
            // Proceed in steps, so that the window stays small.
            let length = self.window.bytes(LONGEST_FRAME * 2)?.len();
            let limit = length.saturating_sub(LONGEST_FRAME).max(1).min(length);
            let end = if length < LONGEST_FRAME * 2 { length } else { limit };
            for offset in usize::from(skipped == 0)..end {
                let rest = &self.window.bytes(offset + TAG_START)?[offset..];
                let found = rest.len() >= 4
                    && (is_tag(rest)
                        || chain(&mut self.window, self.framing, offset, 2, last.as_ref())?
                            .is_some());
                if found {
                    self.window.advance(offset as u64)?;
                    skipped += offset as u64;
                    return Ok(Item::Lost(self.frames_in(skipped)));
                }
            }
            if length < LONGEST_FRAME * 2 {
                // Nothing follows: unrelated data at the end of the file.
                self.window.advance(length as u64)?;
                return Ok(Item::End);
            }
            self.window.advance(limit as u64)?;
            skipped += limit as u64;
        }
    }

    /// Estimated samples per channel in damaged bytes. If frames vary in length, a single damaged
    /// header is assumed, unless no frame is that long.
    fn frames_in(&self, bytes: u64) -> u64 {
        const LONGEST_USUAL: u64 = 1441;
        let each = match (self.count, self.last) {
            (0, Some(last)) => last.bytes as f64,
            (0, None) => return 0,
            (count, _) => self.bytes as f64 / count as f64,
        };
        let is_one =
            !self.is_constant() && (header::SHORTEST as u64..=LONGEST_USUAL).contains(&bytes);
        let count = if is_one { 1 } else { (bytes as f64 / each).round() as u64 };
        count * self.first.frames
    }

    fn read_note(&mut self) -> io::Result<()> {
        let Some(header) = self.last else { return Ok(()) };
        let bytes = self.window.bytes(header.bytes)?;
        self.note = bytes.get(..header.bytes).and_then(|bytes| Note::read(bytes, &header));
        if self.note.is_some() {
            self.note_bytes = header.bytes as u64;
            self.window.advance(self.note_bytes)?;
            self.window.start_sum();
        }
        Ok(())
    }
}

/// Skips the tags at the current position.
fn skip_tags<R: Read + Seek>(window: &mut Window<R>) -> io::Result<()> {
    loop {
        let bytes = window.bytes(TAG_START)?;
        let length = match tags::tag_at(bytes) {
            Some(length) => length,
            None if bytes.starts_with(b"LYRICSBEGIN") => {
                match tags::lyrics_at(window.bytes(LONGEST_LYRICS)?) {
                    Some(length) => length,
                    None => return Ok(()),
                }
            }
            None => return Ok(()),
        };
        window.advance(length)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Frames of MPEG-1 layer III at 128 kbit/s and 44.1 kHz.
    fn stream(count: usize) -> Vec<u8> {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0]);
        frame.repeat(count)
    }

    /// Number of played frames, and number of lost samples per channel.
    fn played_and_lost(bytes: Vec<u8>, framing: Framing) -> (usize, u64) {
        let mut frames = Frames::new(Cursor::new(bytes), framing).unwrap().unwrap();
        let (mut played, mut lost) = (0, 0);
        loop {
            match frames.next().unwrap() {
                Item::Frame { .. } => played += 1,
                Item::Lost(frames) => lost += frames,
                Item::CutOff => panic!("cut off"),
                Item::End => return (played, lost),
            }
        }
    }

    #[test]
    fn a_damaged_header_costs_the_time_of_its_frame() {
        for byte in 0..2 {
            for value in [0, 0x55, 0xfe] {
                let mut bytes = stream(20);
                bytes[417 * 10 + byte] = value;
                assert_eq!(played_and_lost(bytes, Framing::Mpeg), (19, 1152), "{byte} {value}");
            }
        }
        // ADTS: 300 bytes at 44.1 kHz in stereo.
        let mut frame = vec![0; 300];
        frame[..7].copy_from_slice(&[0xff, 0xf1, 0x50, 0x80, 0x25, 0x9f, 0xfc]);
        for last in 1..8 {
            let mut bytes = frame.repeat(20);
            bytes[300 * 10..300 * 10 + last].fill(0x55);
            assert_eq!(played_and_lost(bytes, Framing::Adts), (19, 1024), "{last}");
        }
    }

    #[test]
    fn finds_frames_at_any_distance_after_damage() {
        for damaged in [1, 100, 417, 4_000, 8_191, 8_193, 9_000, 12_000, 16_384, 100_000] {
            for behind in [2, 10, 19, 100] {
                let bytes = [stream(20), vec![0x55; damaged], stream(behind)].concat();
                let expected = (damaged as f64 / 417.0).round() as u64 * 1152;
                let found = played_and_lost(bytes, Framing::Mpeg);
                assert_eq!(found, (20 + behind, expected), "{damaged} bytes");
            }
        }
    }
}
