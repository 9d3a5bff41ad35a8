//! Ogg: Vorbis, Opus and FLAC, alone, beside video, or one after the other.
//!
//! Shows the pages of one audio track, behind headers without tags, the last page marked as the last.
//! Damaged pages are put right as far as their checksum and their neighbours allow, and their time is
//! noted. Behind pages that are missing, the headers are shown again: the demuxer then takes the time
//! from the next page instead of going on from the page before.
//! Sources: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, FLAC's mapping into Ogg.

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

/// Longest headers that are read into memory, in bytes: a cover may lie in them.
const LONGEST_HEADERS: usize = 64 << 20;

/// Pages whose sizes are guessed: each costs time.
const MOST_GUESSES: usize = 128;

/// The shape of an Ogg file; `None` where no audio track is found. `wanted` is the number of an audio
/// track, from 1. Where `headers_only`, all of the file is shown from the first audio track on.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] when the file has no such track.
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
                // Other data at the end of the file, such as a tag, is not damage.
                walk.is_damaged_at_end |= next.is_some() || file.bytes_at(at, 4)? == b"OggS";
                let Some(next) = next else { break };
                at = next;
            }
        }
    }
    Ok(Ok(walk.finish()))
}

/// A walk through the pages.
struct Walk {
    wanted: Option<usize>,
    view: View,
    /// The first group's audio tracks, and the number of the one that is shown.
    tracks: Vec<AudioTrack>,
    track: usize,
    /// Streams that begin together, and their first pages.
    group: Vec<(Page, AudioTrack)>,
    /// The stream that is shown, once one was chosen.
    stream: Option<Stream>,
    /// Serial numbers of all streams so far.
    serials: HashSet<u32>,
    is_cut: bool,
    /// Gaps, and stretches of damaged pages that are shown, up to the last page of the stream.
    timing: Timing,
    /// Whether damaged bytes lie behind that page.
    is_damaged_at_end: bool,
    /// How often headers were shown.
    chapters: usize,
    /// Pages whose sizes had to be guessed.
    guesses: usize,
}

/// The stream that is shown.
struct Stream {
    serial: u32,
    headers: Headers,
    /// Number of the last page of the headers.
    header_page: u32,
    /// The last page of sound, which is not shown yet.
    last: Option<Pending>,
    /// The pages of sound that are shown; `None` until the headers are.
    line: Option<Line>,
}

/// A page of sound that is not shown yet.
struct Pending {
    page: Page,
    /// Number of the page of sound before it, if there is one.
    before: Option<u32>,
    /// Whether damage was found before it.
    is_behind_damage: bool,
}

/// The packets before the sound.
enum Headers {
    /// On the way.
    Open {
        first: Page,
        codec: String,
        packets: Vec<Vec<u8>>,
        /// The part of a packet that goes on in the next page.
        part: Vec<u8>,
    },
    /// As pages.
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

    /// Serial number and number of the next page of the stream that is shown.
    fn follower(&self) -> Option<(u32, u32)> {
        let stream = self.stream.as_ref().filter(|_| self.group.is_empty())?;
        let last = stream.last.as_ref().map(|last| match last.page.trust {
            Trust::Doubtful => last.before.unwrap_or(stream.header_page).wrapping_add(1),
            _ => last.page.sequence(),
        });
        Some((stream.serial, last.unwrap_or(stream.header_page).wrapping_add(1)))
    }

    /// Whether a page stands where only the next page of the stream that is shown can be.
    fn adjoins(&self, page: &Page) -> bool {
        let last = self.stream.as_ref().and_then(|stream| stream.last.as_ref());
        self.serials.len() == 1 && last.is_some_and(|last| last.page.end() == page.start)
    }

    /// Takes a page. False where it is damaged, and nothing shows what it is.
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

    /// After the first pages of streams that begin together: chooses one of them.
    fn begin_group(&mut self) -> Result<(), DecodeError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut group = std::mem::take(&mut self.group);
        let tracks: Vec<AudioTrack> = group.iter().map(|(_, track)| track.clone()).collect();
        let is_first = self.stream.is_none();
        // Streams that follow may be others: the same number is taken where it can be.
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

    /// Takes a page of sound, and shows the one before it.
    fn show(&mut self, page: Page) {
        let before = self.flush(Some(&page), false);
        let is_behind_damage = self.timing.has_gaps || self.is_damaged_at_end;
        self.timing.has_gaps = is_behind_damage;
        self.is_damaged_at_end = false;
        if let Some(stream) = &mut self.stream {
            stream.last = Some(Pending { page, before, is_behind_damage });
        }
    }

    /// Shows the page that was kept until it was clear what is behind it. Returns its number.
    fn flush(&mut self, next: Option<&Page>, is_end: bool) -> Option<u32> {
        let stream = self.stream.as_mut()?;
        let Pending { mut page, before, is_behind_damage } = stream.last.take()?;
        let number = before.unwrap_or(stream.header_page).wrapping_add(1);
        if page.trust == Trust::Doubtful && !is_numbered(&page, number, next) {
            page.put(SEQUENCE, &number.to_le_bytes());
        }
        let follows = page.sequence() == number;
        // A recording of a broadcast begins at any page, but its bytes are whole.
        self.timing.lacks_start |=
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
            }
            self.timing.lacks_start |=
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

/// Whether a doubtful page has its own number, and not that of the page that is expected here, by the page
/// behind it.
fn is_numbered(page: &Page, expected: u32, next: Option<&Page>) -> bool {
    let goes_on_at =
        |number: u32| next.is_some_and(|next| next.sequence() == number.wrapping_add(1));
    page.sequence() == expected || goes_on_at(page.sequence()) && !goes_on_at(expected)
}

impl Headers {
    /// The codec, by its headers.
    fn codec(&self) -> Codec {
        match self {
            Self::Open { first, codec, packets, .. } => {
                Codec::new(codec, first.content(), packets.get(1).map(Vec::as_slice))
            }
            Self::Closed(_) => Codec::Other,
        }
    }

    /// Whether a doubtful page holds headers that the sound depends on, and not only tags.
    fn depend_on(&self, page: &Page) -> bool {
        let Self::Open { packets, codec, .. } = self else { return false };
        let ends = page.parts().iter().filter(|(_, is_end)| *is_end).count();
        match codec.as_str() {
            "Vorbis" => packets.len() < 2 && (packets.len() + ends > 0 || !page.is_fitted()),
            "Opus" => packets.is_empty() && !page.is_fitted(),
            _ => false,
        }
    }

    /// Takes a page, if it is one of the headers.
    fn take(&mut self, page: &Page) -> bool {
        let Self::Open { packets, part, codec, .. } = self else { return false };
        let wanted = match codec.as_str() {
            "Vorbis" => 2,
            "Opus" => 1,
            _ => usize::MAX, // as many as come before the sound
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

    /// The headers as pages, without tags.
    fn close(&mut self) -> Option<Vec<u8>> {
        /// No vendor, no comments.
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

/// A stream's first page; of FLAC, it says how many packets of headers follow.
fn first_page(first: &Page, codec: &str) -> Vec<u8> {
    let mut page = first.clone();
    let count = page.bytes.len() - page.content().len() + 7;
    if codec == "FLAC" && page.bytes.len() > count + 2 {
        page.put(count, &[0, 1]);
    }
    page.sealed()
}

/// The audio track that begins with this packet; `None` of video, captions and indexes.
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
