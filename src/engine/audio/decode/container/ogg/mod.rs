//! Ogg: Vorbis, Opus and FLAC, alone, beside video, or one after the other.
//!
//! Shows the pages of one audio track whose checksums are right, behind headers without tags, the last
//! page marked as the last. Behind pages that are missing, the headers are shown again: the demuxer
//! then takes the time from the next page instead of going on from the page before.
//! Sources: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, FLAC's mapping into Ogg.

mod page;

use std::io;

use page::{FIRST, Found, LAST, Page, next_mark, page_at, pages_of};

use super::{Completeness, Container, Shape, Timing, choose};
use crate::engine::{
    audio::decode::{DecodeError, bounds::BoundedFile, view::View},
    types::AudioTrack,
};

/// Longest headers that are read into memory, in bytes: a cover may lie in them.
const LONGEST_HEADERS: usize = 64 << 20;

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
        match page_at(file, at)? {
            Found::Page(page) => {
                at += page.bytes.len() as u64;
                if let Err(error) = walk.take(page) {
                    return Ok(Err(error));
                }
                if headers_only && walk.is_in_sound() {
                    walk.flush(false);
                    walk.view.push_file(at..file.len());
                    break;
                }
            }
            Found::CutOff => {
                walk.is_cut = true;
                break;
            }
            Found::Damaged => {
                let next = next_mark(file, at + 1)?;
                // Other data at the end of the file, such as a tag, is not damage.
                if next.is_some() || file.bytes_at(at, 4)? == b"OggS" {
                    walk.damage = Damage::AtEnd;
                }
                let Some(next) = next else { break };
                at = next;
            }
        }
    }
    Ok(Ok(walk.finish()))
}

/// Where damaged bytes were found so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    None,
    Within,
    /// Behind the last page of the stream.
    AtEnd,
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
    is_cut: bool,
    damage: Damage,
    /// Whether pages are missing between the headers and the first page of sound.
    lacks_start: bool,
}

/// The stream that is shown.
struct Stream {
    serial: u32,
    headers: Headers,
    /// Number of the last page of the headers.
    header_page: u32,
    /// The last page of sound, which is not shown yet.
    last: Option<Page>,
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
            is_cut: false,
            damage: Damage::None,
            lacks_start: false,
        }
    }

    fn is_in_sound(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.last.is_some())
    }

    fn take(&mut self, page: Page) -> Result<(), DecodeError> {
        if page.flags() & FIRST != 0 {
            if let Some(track) = track_of(page.content()) {
                self.group.push((page, track));
            }
            return Ok(());
        }
        self.begin_group()?;
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if page.serial() != stream.serial {
            return Ok(());
        }
        if stream.headers.take(&page) {
            stream.header_page = page.sequence();
        } else {
            self.show(page);
        }
        Ok(())
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
        self.flush(false);
        let (first, track) = group.swap_remove(chosen);
        let serial = first.serial();
        let (packets, part) = (Vec::new(), Vec::new());
        let headers = Headers::Open { first, codec: track.codec, packets, part };
        self.stream = Some(Stream { serial, headers, header_page: 0, last: None });
        Ok(())
    }

    /// Shows a page of sound.
    fn show(&mut self, page: Page) {
        let Some(stream) = &mut self.stream else { return };
        let before = stream.last.as_ref().map(Page::sequence);
        let number = before.unwrap_or(stream.header_page).wrapping_add(1);
        let follows = page.sequence() == number;
        // A recording of a broadcast begins at any page, but its bytes are whole.
        self.lacks_start |=
            before.is_none() && !follows && self.damage != Damage::None && self.view.len() == 0;
        self.flush(false);
        if let Some(Stream { headers, last, .. }) = &mut self.stream {
            let shows_headers = before.is_none() || !follows;
            if shows_headers && let Some(headers) = headers.close() {
                self.view.push_literal(headers);
            }
            *last = Some(page);
        }
        if self.damage == Damage::AtEnd || before.is_some() && !follows {
            self.damage = Damage::Within;
        }
    }

    /// Appends the page that was kept until it was clear whether it is the last one.
    fn flush(&mut self, is_end: bool) {
        let Some(last) = self.stream.as_mut().and_then(|stream| stream.last.take()) else { return };
        if is_end && last.flags() & LAST == 0 {
            self.view.push_literal(last.as_last());
        } else {
            self.view.push_file(last.start..last.start + last.bytes.len() as u64);
        }
    }

    fn finish(mut self) -> Option<Shape> {
        let last = self.stream.as_ref().and_then(|stream| stream.last.as_ref());
        self.is_cut |=
            self.damage == Damage::AtEnd && last.is_some_and(|last| last.flags() & LAST == 0);
        self.flush(true);
        let completeness = if self.is_cut { Completeness::CutOff } else { Completeness::Whole };
        let timing = Timing {
            has_gaps: self.damage != Damage::None,
            lacks_start: self.lacks_start,
            ..Timing::default()
        };
        let (view, tracks, track) = (self.view, self.tracks, self.track);
        let container = Container::Ogg;
        self.stream.map(|_| Shape { container, view, timing, completeness, tracks, track })
    }
}

impl Headers {
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
        page.bytes[count..count + 2].copy_from_slice(&[0, 1]);
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
