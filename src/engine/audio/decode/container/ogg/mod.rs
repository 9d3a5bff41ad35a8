//! Ogg: Vorbis, Opus and FLAC, alone, beside video, or chained.
//!
//! Shows the pages of one audio track after headers without tags, with the last page marked as
//! such. Damaged pages are repaired as far as their checksum and neighbours allow, and their time
//! ranges are recorded. After missing pages, the headers are shown again, so that the demuxer takes
//! the time from the next page instead of continuing the old count. Sources: RFC 3533 (pages), RFC
//! 7845 (Opus), the Vorbis I specification, FLAC's mapping into Ogg.

mod checksum;
mod heads;
mod mend;
mod page;

use std::{collections::HashSet, io};

use heads::Codec;
use mend::Line;
use page::{
    FIRST, FLAGS, Found, LAST, Page, SEQUENCE, SERIAL, Trust, next_mark, page_at, pages_of,
};

use super::{Completeness, Container, Doubt, Shape, Timing, choose};
use crate::engine::{
    audio::decode::{DecodeError, bounds::BoundedFile, view::View},
    types::AudioTrack,
};

/// Maximum length of headers that are read into memory, in bytes; they may include a cover.
const LONGEST_HEADERS: usize = 64 << 20;

/// Maximum number of pages with guessed sizes, because guessing is slow.
const MOST_GUESSES: usize = 128;

/// Shape of an Ogg file; `None` if no audio track is found. `wanted` is the number of an audio
/// track, from 1. With `headers_only`, the whole file is shown from the first audio track on.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] if the file lacks the wanted track.
pub fn shape(
    file: &mut BoundedFile,
    wanted: Option<usize>,
    headers_only: bool,
) -> io::Result<Result<Option<Shape>, DecodeError>> {
    let mut walk = Walk::new(wanted);
    let mut at = 0;
    while at < file.len() {
        match page_at(file, at, walk.follower())? {
            Found::CutOff => {
                walk.is_cut = true;
                break;
            }
            Found::Page(page) => {
                let end = page.end();
                match walk.take(page) {
                    Err(error) => return Ok(Err(error)),
                    Ok(true) => at = end,
                    Ok(false) => {
                        walk.is_damaged_at_end = true;
                        at = next_mark(file, at + 1)?.unwrap_or(file.len());
                    }
                }
                if headers_only && walk.is_in_sound() {
                    walk.flush(None, false);
                    walk.view.push_file(at..file.len());
                    break;
                }
            }
            Found::Damaged => {
                let next = next_mark(file, at + 1)?;
                // Unrelated data at the end of the file, such as a tag, is not damage.
                walk.is_damaged_at_end |= next.is_some() || file.bytes_at(at, 4)? == b"OggS";
                let Some(next) = next else { break };
                at = next;
            }
        }
    }
    Ok(Ok(walk.finish()))
}

/// Walker over the pages.
struct Walk {
    wanted: Option<usize>,
    view: View,
    /// Audio tracks of the first group, and the number of the shown one.
    tracks: Vec<AudioTrack>,
    track: usize,
    /// Streams that begin together, and their first pages.
    group: Vec<(Page, AudioTrack)>,
    /// The shown stream, once one is chosen.
    stream: Option<Stream>,
    /// Serial numbers of all streams so far.
    serials: HashSet<u32>,
    is_cut: bool,
    /// Gaps and shown damaged sections, up to the last page of the stream.
    timing: Timing,
    /// Whether damaged bytes follow that page.
    is_damaged_at_end: bool,
    /// Number of times that headers were shown.
    chapters: usize,
    /// Number of pages whose sizes were guessed.
    guesses: usize,
}

/// The shown stream.
struct Stream {
    serial: u32,
    headers: Headers,
    /// Number of the last header page.
    header_page: u32,
    /// The last page of sound, not yet shown.
    last: Option<Pending>,
    /// State after the shown pages of sound; `None` until the headers are shown.
    line: Option<Line>,
}

/// A page of sound that is not yet shown.
struct Pending {
    page: Page,
    /// Number of the preceding page of sound, if any.
    before: Option<u32>,
    /// Whether damage was found before the page.
    is_behind_damage: bool,
}

/// Header packets of a stream.
enum Headers {
    /// Still incomplete.
    Open {
        first: Page,
        codec: String,
        packets: Vec<Vec<u8>>,
        /// First part of a packet that continues in the next page.
        part: Vec<u8>,
    },
    /// Complete, as pages.
    Closed(Vec<u8>),
}

impl Walk {
    fn new(wanted: Option<usize>) -> Self {
        Self {
            wanted,
            view: View::default(),
            tracks: Vec::new(),
            track: 1,
            group: Vec::new(),
            stream: None,
            serials: HashSet::new(),
            is_cut: false,
            timing: Timing::default(),
            is_damaged_at_end: false,
            chapters: 0,
            guesses: 0,
        }
    }

    fn is_in_sound(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.last.is_some())
    }

    /// Serial number and next page number of the shown stream.
    fn follower(&self) -> Option<(u32, u32)> {
        let stream = self.stream.as_ref().filter(|_| self.group.is_empty())?;
        let last = stream.last.as_ref().map(|last| match last.page.trust {
            Trust::Doubtful => last.before.unwrap_or(stream.header_page).wrapping_add(1),
            _ => last.page.sequence(),
        });
        Some((stream.serial, last.unwrap_or(stream.header_page).wrapping_add(1)))
    }

    /// Whether the page is at the only possible position of the shown stream's next page.
    fn adjoins(&self, page: &Page) -> bool {
        let last = self.stream.as_ref().and_then(|stream| stream.last.as_ref());
        self.serials.len() == 1 && last.is_some_and(|last| last.page.end() == page.start)
    }

    /// Consumes a page. Returns false if the page is damaged and cannot be assigned.
    fn take(&mut self, mut page: Page) -> Result<bool, DecodeError> {
        let is_doubtful = page.trust == Trust::Doubtful;
        if page.flags() & FIRST != 0 && !is_doubtful {
            self.serials.insert(page.serial());
            if let Some(track) = track_of(page.content()) {
                self.group.push((page, track));
            }
            return Ok(true);
        }
        if !is_doubtful || self.serials.contains(&page.serial()) {
            self.begin_group()?;
        }
        if is_doubtful && !self.serials.contains(&page.serial()) {
            let is_next = |next: &(u32, u32)| next.1 == page.sequence() || self.adjoins(&page);
            let Some((serial, _)) = self.follower().filter(is_next) else { return Ok(false) };
            page.put(SERIAL, &serial.to_le_bytes());
        }
        let Some(stream) = &mut self.stream else { return Ok(!is_doubtful) };
        if page.serial() != stream.serial {
            return Ok(true);
        }
        if is_doubtful && stream.last.is_none() && stream.headers.depend_on(&page) {
            return Ok(false);
        }
        if !page.is_fitted() {
            self.guesses += 1;
            if self.guesses > MOST_GUESSES {
                return Ok(false);
            }
        }
        if stream.last.is_none() && stream.headers.take(&page) {
            let next = stream.header_page.wrapping_add(1);
            stream.header_page = if is_doubtful { next } else { page.sequence() };
        } else {
            self.show(page);
        }
        Ok(true)
    }

    /// Chooses a stream after the first pages of streams that begin together.
    fn begin_group(&mut self) -> Result<(), DecodeError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut group = std::mem::take(&mut self.group);
        let tracks: Vec<AudioTrack> = group.iter().map(|(_, track)| track.clone()).collect();
        let is_first = self.stream.is_none();
        // Later groups may hold other streams: prefer the same track number.
        let chosen = match choose(&tracks, self.wanted) {
            Err(error) if is_first => return Err(error),
            Err(_) => choose(&tracks, None)?,
            Ok(chosen) => chosen,
        };
        let Some(chosen) = chosen else { return Ok(()) };
        if is_first {
            (self.tracks, self.track) = (tracks, chosen + 1);
        }
        self.flush(None, false);
        let (first, track) = group.swap_remove(chosen);
        let serial = first.serial();
        let (packets, part) = (Vec::new(), Vec::new());
        let headers = Headers::Open { first, codec: track.codec, packets, part };
        self.stream = Some(Stream { serial, headers, header_page: 0, last: None, line: None });
        Ok(())
    }

    /// Queues a page of sound, and shows the previous one.
    fn show(&mut self, page: Page) {
        let before = self.flush(Some(&page), false);
        let is_behind_damage = self.timing.has_gaps || self.is_damaged_at_end;
        self.timing.has_gaps = is_behind_damage;
        self.is_damaged_at_end = false;
        if let Some(stream) = &mut self.stream {
            stream.last = Some(Pending { page, before, is_behind_damage });
        }
    }

    /// Shows the pending page, now that the next one is known. Returns its number.
    fn flush(&mut self, next: Option<&Page>, is_end: bool) -> Option<u32> {
        let stream = self.stream.as_mut()?;
        let Pending { mut page, before, is_behind_damage } = stream.last.take()?;
        let number = before.unwrap_or(stream.header_page).wrapping_add(1);
        if page.trust == Trust::Doubtful && !is_numbered(&page, number, next) {
            page.put(SEQUENCE, &number.to_le_bytes());
        }
        let follows = page.sequence() == number;
        // A recorded broadcast begins at any page, but its bytes are intact.
        self.timing.counts_from_zero |=
            before.is_none() && !follows && is_behind_damage && self.view.len() == 0;
        self.timing.has_gaps |= before.is_some() && !follows || page.trust != Trust::Right;
        if stream.line.is_none() {
            stream.line = Some(Line::new(stream.headers.codec()));
        }
        if (before.is_none() || !follows)
            && let Some(headers) = stream.headers.close()
        {
            self.view.push_literal(headers);
            self.chapters += 1;
        }
        let sequence = page.sequence();
        if let Some(line) = &mut stream.line {
            if !follows {
                line.interrupt();
            }
            if page.trust == Trust::Doubtful {
                line.mend(&mut page, next);
            } else {
                let is_last = next.is_none() || page.flags() & LAST != 0;
                line.retime(&mut page, is_last);
            }
            self.timing.counts_from_zero |=
                page.trust == Trust::Doubtful && self.chapters == 1 && line.begins(page.granule());
            let time = line.take(&page).filter(|_| page.trust != Trust::Right);
            if let Some(time) = time {
                Doubt::push(&mut self.timing.doubts, self.chapters.saturating_sub(1), time);
            }
        }
        if is_end {
            page.put(FLAGS, &[page.flags() | LAST]);
        }
        page.show(&mut self.view);
        Some(sequence)
    }

    fn finish(mut self) -> Option<Shape> {
        let last = self.stream.as_ref().and_then(|stream| stream.last.as_ref());
        self.is_cut |=
            self.is_damaged_at_end && last.is_some_and(|last| last.page.flags() & LAST == 0);
        self.flush(None, true);
        let completeness = if self.is_cut { Completeness::CutOff } else { Completeness::Whole };
        self.timing.has_gaps |= self.is_damaged_at_end;
        let timing = self.timing;
        let (view, tracks, track) = (self.view, self.tracks, self.track);
        let container = Container::Ogg;
        self.stream.map(|_| Shape { container, view, timing, completeness, tracks, track })
    }
}

/// Whether a doubtful page carries its true number instead of the expected one, judged by the next
/// page.
fn is_numbered(page: &Page, expected: u32, next: Option<&Page>) -> bool {
    let goes_on_at =
        |number: u32| next.is_some_and(|next| next.sequence() == number.wrapping_add(1));
    page.sequence() == expected || goes_on_at(page.sequence()) && !goes_on_at(expected)
}

impl Headers {
    /// Codec of the stream, derived from the headers.
    fn codec(&self) -> Codec {
        match self {
            Self::Open { first, codec, packets, .. } => {
                Codec::new(codec, first.content(), packets.get(1).map(Vec::as_slice))
            }
            Self::Closed(_) => Codec::Other,
        }
    }

    /// Whether a doubtful page holds headers that decoding depends on, rather than tags.
    fn depend_on(&self, page: &Page) -> bool {
        let Self::Open { packets, codec, .. } = self else { return false };
        let ends = page.parts().iter().filter(|(_, is_end)| *is_end).count();
        match codec.as_str() {
            "Vorbis" => packets.len() < 2 && (packets.len() + ends > 0 || !page.is_fitted()),
            "Opus" => packets.is_empty() && !page.is_fitted(),
            _ => false,
        }
    }

    /// Consumes a page if it belongs to the headers.
    fn take(&mut self, page: &Page) -> bool {
        let Self::Open { packets, part, codec, .. } = self else { return false };
        let wanted = match codec.as_str() {
            "Vorbis" => 2,
            "Opus" => 1,
            _ => usize::MAX, // all packets before the sound
        };
        let is_sound = codec == "FLAC" && part.is_empty() && page.content().first() == Some(&0xff)
            || packets.len() >= wanted;
        let length: usize = packets.iter().map(Vec::len).sum();
        if is_sound || length + part.len() > LONGEST_HEADERS {
            return false;
        }
        for (bytes, is_end) in page.parts() {
            part.extend_from_slice(bytes);
            if is_end {
                packets.push(std::mem::take(part));
            }
        }
        true
    }

    /// Serialises the headers as pages, without tags.
    fn close(&mut self) -> Option<Vec<u8>> {
        /// Empty vendor string, zero comments.
        const NONE: [u8; 8] = [0; 8];
        if let Self::Open { first, codec, packets, .. } = self {
            let comments: Vec<u8> = match codec.as_str() {
                "Vorbis" => [b"\x03vorbis", &NONE[..], b"\x01"].concat(),
                "Opus" => [b"OpusTags", &NONE[..]].concat(),
                "FLAC" => [&[0x84, 0, 0, 8], &NONE[..]].concat(),
                _ => return None,
            };
            let setup = packets.get(1).filter(|_| codec == "Vorbis").cloned();
            let packets: Vec<_> = [Some(comments), setup].into_iter().flatten().collect();
            let mut pages = first_page(first, codec);
            pages.extend(pages_of(&packets, first.serial(), 1));
            *self = Self::Closed(pages);
        }
        let Self::Closed(pages) = self else { return None };
        Some(pages.clone())
    }
}

/// Builds a stream's first page; for FLAC, with the number of header packets corrected.
fn first_page(first: &Page, codec: &str) -> Vec<u8> {
    let mut page = first.clone();
    let count = page.bytes.len() - page.content().len() + 7;
    if codec == "FLAC" && page.bytes.len() > count + 2 {
        page.put(count, &[0, 1]);
    }
    page.sealed()
}

/// Audio track that begins with this packet; `None` for video, captions and indexes.
fn track_of(packet: &[u8]) -> Option<AudioTrack> {
    const KINDS: [(&[u8], &str, bool); 6] = [
        (b"\x01vorbis", "Vorbis", true),
        (b"OpusHead", "Opus", true),
        (b"\x7fFLAC", "FLAC", true),
        (b"Speex   ", "Speex", false),
        (b"CELT    ", "CELT", false),
        (b"PCM     ", "OggPCM", false),
    ];
    let (_, codec, is_decodable) = KINDS.iter().find(|(magic, ..)| packet.starts_with(magic))?;
    Some(AudioTrack {
        codec: (*codec).to_owned(),
        is_default: true,
        is_decodable: *is_decodable,
        ..AudioTrack::default()
    })
}
