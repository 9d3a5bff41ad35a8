//! Matroska and WebM.
//!
//! Shows one audio track and the clusters, with sizes that fit: chapters, cues, tags and other tracks
//! may be missing or damaged, and files that were cut off or recorded live end where they end. What a
//! damaged cluster still holds is shown up to the damage, and the next cluster after it.
//! Source: RFC 9559; RFC 8794 (EBML).

use std::io;

use super::{AudioTrack, Completeness, Container, Shape, Timing, choose};
use crate::engine::decode::{DecodeError, bounds::BoundedFile, view::View};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
/// Elements that can follow a cluster of unknown size.
const TOP_LEVEL: [u32; 8] =
    [CLUSTER, INFO, TRACKS, 0x114d_9b74, 0x1c53_bb6b, 0x1254_c367, 0x1941_a469, 0x1043_a770];
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const ENTRY: u32 = 0xae;
const BLOCK: u32 = 0xa1;
const DISCARD_PADDING: u32 = 0x75a2;
/// Elements that a cluster may hold besides blocks: its time, position, size, and ones without meaning.
const IN_CLUSTER: [u32; 9] =
    [SIMPLE_BLOCK, BLOCK_GROUP, 0xe7, 0xa7, 0xab, 0x5854, 0xaf, 0xec, 0xbf];

/// Longest head of an element: four bytes of name, eight of size.
const HEAD: u64 = 12;
const LONGEST_TRACKS: u64 = 16 << 20;
const LONGEST_INFO: u64 = 1 << 20;
const NANOSECONDS: u64 = 1_000_000_000;
/// Bytes that are looked through at a time for the next cluster.
const STRIDE: u64 = 1 << 16;

/// An element: its name, where its content begins, and how long that is; `None` where it is unknown.
#[derive(Clone, Copy, Debug)]
struct Element {
    id: u32,
    body: u64,
    bytes: Option<u64>,
}

/// What is known of an audio track.
#[derive(Clone, Debug, Default)]
struct TrackEntry {
    number: u64,
    /// Its bytes in the track list, with its head.
    entry: Vec<u8>,
    codec: String,
    is_default: bool,
    is_enabled: bool,
    language: Option<String>,
    name: Option<String>,
    delay_ns: u64,
    rate: u32,
}

/// The shape of a Matroska file; `None` where no audio track is found. `wanted` is the number of an
/// audio track, from 1. Where `headers_only`, no cluster is walked through, and nothing is shown of
/// the file but what plays it.
///
/// # Errors
/// Those of the disk; [`DecodeError`] when there is no such track.
pub fn shape(
    file: &mut BoundedFile,
    wanted: Option<usize>,
    headers_only: bool,
) -> io::Result<Result<Option<Shape>, DecodeError>> {
    let Some(segment) = segment(file)? else { return Ok(Ok(None)) };
    let mut walk = Walk::new(file, segment);
    let (tracks, info) = walk.headers()?;
    let listed: Vec<AudioTrack> = tracks.iter().map(listed).collect();
    let index = match choose(&listed, wanted) {
        Ok(Some(index)) => index,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let track = &tracks[index];
    let mut body = View::default();
    push_element(&mut body, INFO, &info.element());
    push_element(&mut body, TRACKS, &track.entry);
    let clusters = if headers_only {
        walk.first_cluster_to_end(&mut body)
    } else {
        walk.clusters(track, &mut body)?
    };
    let mut view = View::default();
    view.push_file(0..segment.body - segment.head_bytes);
    view.push_literal(head(SEGMENT, body.len()));
    view.append(&body);
    let rate = u64::from(track.rate);
    let timing = Timing {
        skip: (track.delay_ns > 0).then(|| frames_of(track.delay_ns, rate)),
        padding: frames_of(clusters.discard_ns, rate),
        seconds: info.seconds(),
        has_gaps: clusters.is_damaged,
        ..Timing::default()
    };
    Ok(Ok(Some(Shape {
        container: Container::Matroska,
        view,
        timing,
        completeness: clusters.completeness,
        tracks: listed,
        track: index + 1,
    })))
}

/// What the clusters are like.
struct Clusters {
    completeness: Completeness,
    discard_ns: u64,
    is_damaged: bool,
}

/// Ticks and length, as the segment states them.
struct Info {
    tick_ns: u64,
    ticks: Option<f64>,
}

impl Info {
    /// An element with the length of a tick, and the names of programs, which have to be there.
    fn element(&self) -> Vec<u8> {
        let mut bytes = b"\x4d\x80\x81-\x57\x41\x81-\x2a\xd7\xb1\x88".to_vec();
        bytes.extend(self.tick_ns.to_be_bytes());
        bytes
    }

    fn seconds(&self) -> Option<f64> {
        let seconds = self.ticks? * self.tick_ns as f64 / NANOSECONDS as f64;
        Some(seconds).filter(|seconds| seconds.is_finite() && *seconds > 0.0)
    }
}

/// The segment's element, with the length of its head.
#[derive(Clone, Copy)]
struct Segment {
    body: u64,
    head_bytes: u64,
    bytes: Option<u64>,
}

fn segment(file: &mut BoundedFile) -> io::Result<Option<Segment>> {
    const MOST_BEFORE: usize = 16;
    let mut at = 0;
    for _ in 0..MOST_BEFORE {
        let Some(element) = element_at(file, at)? else { return Ok(None) };
        if element.id == SEGMENT {
            let head_bytes = element.body - at;
            return Ok(Some(Segment { body: element.body, head_bytes, bytes: element.bytes }));
        }
        let Some(bytes) = element.bytes else { return Ok(None) };
        at = element.body.saturating_add(bytes);
    }
    Ok(None)
}

/// A walk through the segment.
struct Walk<'a> {
    file: &'a mut BoundedFile,
    start: u64,
    /// Where the segment ends: by its own size, or with the file.
    end: u64,
    /// Whether the segment should be longer than the file is.
    is_cut: bool,
    first_cluster: Option<u64>,
}

impl<'a> Walk<'a> {
    fn new(file: &'a mut BoundedFile, segment: Segment) -> Self {
        let stated = segment.bytes.map(|bytes| segment.body.saturating_add(bytes));
        let end = stated.unwrap_or(u64::MAX).min(file.len());
        let is_cut = stated.is_some_and(|stated| stated > file.len());
        Self { file, start: segment.body, end, is_cut, first_cluster: None }
    }

    /// Tracks and times. Both may stand behind the clusters.
    fn headers(&mut self) -> io::Result<(Vec<TrackEntry>, Info)> {
        const MOST: usize = 1 << 16;
        let mut info = Info { tick_ns: 1_000_000, ticks: None };
        let mut tracks = Vec::new();
        let mut at = self.start;
        for _ in 0..MOST {
            let Some(element) = element_at(self.file, at)?.filter(|_| at < self.end) else { break };
            match element.id {
                CLUSTER => {
                    self.first_cluster.get_or_insert(at);
                    if !tracks.is_empty() {
                        break;
                    }
                }
                INFO => {
                    let bytes = element.bytes.unwrap_or(0).min(LONGEST_INFO);
                    read_info(&self.file.bytes_at(element.body, bytes)?, &mut info);
                }
                TRACKS if tracks.is_empty() => {
                    let bytes = element.bytes.unwrap_or(0).min(LONGEST_TRACKS);
                    tracks = read_tracks(&self.file.bytes_at(element.body, bytes)?);
                }
                _ => {}
            }
            match element.bytes.map(|bytes| element.body.saturating_add(bytes)) {
                Some(next) if TOP_LEVEL.contains(&element.id) || next <= self.end => at = next,
                _ => break,
            }
        }
        Ok((tracks, info))
    }

    fn first_cluster_to_end(&self, body: &mut View) -> Clusters {
        if let Some(first) = self.first_cluster {
            body.push_file(first..self.end);
        }
        let completeness = Completeness::Whole;
        Clusters { completeness, discard_ns: 0, is_damaged: false }
    }

    /// Appends the clusters to `body`.
    fn clusters(&mut self, track: &TrackEntry, body: &mut View) -> io::Result<Clusters> {
        let mut found =
            Clusters { completeness: Completeness::Whole, discard_ns: 0, is_damaged: false };
        let mut at = self.first_cluster.unwrap_or(self.end);
        while at < self.end {
            let element =
                element_at(self.file, at)?.filter(|it| TOP_LEVEL.contains(&it.id) || is_void(it));
            let Some(element) = element else {
                // Damaged, or other data behind the last cluster.
                match self.next_cluster(at + 1)? {
                    Some(next) => (at, found.is_damaged) = (next, true),
                    None => break,
                }
                continue;
            };
            if element.id != CLUSTER {
                match element.bytes {
                    Some(bytes) => at = element.body.saturating_add(bytes),
                    None => break,
                }
                continue;
            }
            let stated = element.bytes.map(|bytes| element.body.saturating_add(bytes));
            let read = self.blocks(element.body, stated.unwrap_or(u64::MAX), track)?;
            if let Some(discard) = read.discard_ns {
                found.discard_ns = discard;
            }
            body.push_literal(head(CLUSTER, read.shown.len()));
            body.append(&read.shown);
            at = match (read.stop, stated) {
                (Stop::CutOff, _) => {
                    found.completeness = Completeness::CutOff;
                    break;
                }
                (Stop::Damaged, _) => {
                    found.is_damaged = true;
                    self.next_cluster(read.end + 1)?.unwrap_or(self.end)
                }
                (Stop::End, Some(stated)) => stated,
                (Stop::End, None) => read.end,
            };
        }
        if self.is_cut {
            found.completeness = Completeness::CutOff;
        }
        Ok(found)
    }

    /// Walks through the blocks of a cluster that should go from `start` to `end`.
    fn blocks(&mut self, start: u64, end: u64, track: &TrackEntry) -> io::Result<Blocks> {
        let is_unknown = end == u64::MAX;
        let limit = end.min(self.end);
        let shown = View::default();
        let mut read = Blocks { shown, end: start, stop: Stop::End, discard_ns: None };
        while read.end < limit {
            let Some(element) = element_at(self.file, read.end)? else {
                read.stop = if self.end - read.end < HEAD { Stop::CutOff } else { Stop::Damaged };
                return Ok(read);
            };
            if is_unknown && TOP_LEVEL.contains(&element.id) {
                return Ok(read);
            }
            let next = element.bytes.map(|bytes| element.body.saturating_add(bytes));
            let is_known = IN_CLUSTER.contains(&element.id);
            match next {
                Some(next) if next <= limit => {
                    let is_block = matches!(element.id, SIMPLE_BLOCK | BLOCK_GROUP);
                    let discard_ns = self.discard(&element, track)?;
                    // Blocks of other tracks would be taken for damage.
                    if !is_block || discard_ns.is_some() {
                        read.shown.push_file(read.end..next);
                    }
                    read.discard_ns = discard_ns.or(read.discard_ns);
                    read.end = next;
                }
                Some(next) if is_known && next > self.end && next <= end => {
                    read.stop = Stop::CutOff;
                    return Ok(read);
                }
                _ => {
                    read.stop = Stop::Damaged;
                    return Ok(read);
                }
            }
        }
        if end > self.end && !is_unknown {
            read.stop = Stop::CutOff;
        }
        Ok(read)
    }

    /// Of a block of the track: what is not to be heard at its end, in nanoseconds; `None` of others.
    fn discard(&mut self, element: &Element, track: &TrackEntry) -> io::Result<Option<u64>> {
        const LONGEST: u64 = 1 << 20;
        let bytes = element.bytes.unwrap_or(0);
        let is_ours = |block: &[u8]| vint(block).is_some_and(|(number, _)| number == track.number);
        match element.id {
            SIMPLE_BLOCK => {
                let block = self.file.bytes_at(element.body, bytes.min(8))?;
                Ok(is_ours(&block).then_some(0))
            }
            BLOCK_GROUP if bytes <= LONGEST => {
                let group = self.file.bytes_at(element.body, bytes)?;
                let children: Vec<_> = children(&group).collect();
                if !children.iter().any(|&(id, block)| id == BLOCK && is_ours(block)) {
                    return Ok(None);
                }
                let discard = children.iter().find(|(id, _)| *id == DISCARD_PADDING);
                Ok(Some(discard.map_or(0, |(_, bytes)| signed(bytes).max(0) as u64)))
            }
            _ => Ok(None),
        }
    }

    /// Where the next cluster's head is, from `at` on.
    fn next_cluster(&mut self, mut at: u64) -> io::Result<Option<u64>> {
        let name = CLUSTER.to_be_bytes();
        while at < self.end {
            let bytes = self.file.bytes_at(at, (STRIDE + 3).min(self.end - at))?;
            if let Some(found) = bytes.windows(4).position(|window| window == name) {
                return Ok(Some(at + found as u64));
            }
            at += STRIDE;
        }
        Ok(None)
    }
}

/// The part of a cluster that can be read.
struct Blocks {
    /// The blocks of the track, and what is not a block.
    shown: View,
    /// Where the part ends.
    end: u64,
    stop: Stop,
    /// That of the track's last block, where it has one.
    discard_ns: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Where the cluster ends.
    End,
    /// Where the file ends.
    CutOff,
    Damaged,
}

fn is_void(element: &Element) -> bool {
    matches!(element.id, 0xec | 0xbf)
}

fn read_info(bytes: &[u8], info: &mut Info) {
    for (id, content) in children(bytes) {
        match id {
            0x2a_d7b1 if unsigned(content) > 0 => info.tick_ns = unsigned(content),
            0x4489 => info.ticks = float(content),
            _ => {}
        }
    }
}

fn read_tracks(bytes: &[u8]) -> Vec<TrackEntry> {
    const AUDIO: u64 = 2;
    let mut tracks = Vec::new();
    for (_, content) in children(bytes).filter(|(id, _)| *id == ENTRY) {
        let mut kind = 0;
        let mut track = TrackEntry { is_default: true, is_enabled: true, ..TrackEntry::default() };
        for (id, value) in children(content) {
            match id {
                0xd7 => track.number = unsigned(value),
                0x83 => kind = unsigned(value),
                0x88 => track.is_default = unsigned(value) != 0,
                0xb9 => track.is_enabled = unsigned(value) != 0,
                0x86 => track.codec = text(value),
                0x22_b59c | 0x22_b59d => track.language = Some(text(value)),
                0x536e => track.name = Some(text(value)),
                0x56aa => track.delay_ns = unsigned(value),
                0xe1 => {
                    let rate = children(value).find(|(id, _)| *id == 0xb5);
                    track.rate = rate.and_then(|(_, rate)| float(rate)).unwrap_or(0.0) as u32;
                }
                _ => {}
            }
        }
        if kind == AUDIO {
            if track.codec == "A_OPUS" {
                track.rate = 48_000; // whatever the encoder was given
            }
            track.entry = entry(content);
            tracks.push(track);
        }
    }
    tracks
}

/// A track's entry with what plays it, and nothing else.
fn entry(content: &[u8]) -> Vec<u8> {
    const NUMBER: u32 = 0xd7;
    const UID: u32 = 0x73c5;
    /// Number, kind, codec with its settings and delays, duration of a frame, audio, compression.
    const NEEDED: [u32; 9] = [NUMBER, 0x83, 0x86, 0x63a2, 0x56aa, 0x56bb, 0x23_e383, 0xe1, 0x6d80];
    let mut needed = head(UID, 1);
    needed.push(1);
    for (id, value) in children(content).filter(|(id, _)| NEEDED.contains(id)) {
        needed.extend(head(id, value.len() as u64));
        needed.extend_from_slice(value);
    }
    let mut entry = head(ENTRY, needed.len() as u64);
    entry.extend(needed);
    entry
}

fn listed(track: &TrackEntry) -> AudioTrack {
    AudioTrack {
        number: 0,
        id: track.number,
        codec: codec_name(&track.codec).to_owned(),
        language: track.language.clone().filter(|language| language != "und"),
        name: track.name.clone(),
        is_default: track.is_default && track.is_enabled,
        is_decodable: is_decodable(&track.codec),
    }
}

fn codec_name(codec: &str) -> &str {
    match codec {
        "A_MPEG/L3" => "MP3",
        "A_MPEG/L2" => "MP2",
        "A_MPEG/L1" => "MP1",
        "A_VORBIS" => "Vorbis",
        "A_OPUS" => "Opus",
        "A_FLAC" => "FLAC",
        "A_ALAC" => "ALAC",
        "A_AC3" | "A_EAC3" => "Dolby Digital (AC-3)",
        "A_TRUEHD" => "Dolby TrueHD",
        _ if codec.starts_with("A_AAC") => "AAC",
        _ if codec.starts_with("A_PCM") => "PCM",
        _ if codec.starts_with("A_DTS") => "DTS",
        _ => codec.trim_start_matches("A_"),
    }
}

fn is_decodable(codec: &str) -> bool {
    const KNOWN: [&str; 6] = ["A_MPEG/", "A_VORBIS", "A_OPUS", "A_FLAC", "A_ALAC", "A_AAC"];
    codec.starts_with("A_PCM") || KNOWN.iter().any(|known| codec.starts_with(known))
}

fn frames_of(nanoseconds: u64, rate: u64) -> u64 {
    let frames = (u128::from(nanoseconds) * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// The element whose head is at `at`; `None` where there is none.
fn element_at(file: &mut BoundedFile, at: u64) -> io::Result<Option<Element>> {
    let bytes = file.bytes_at(at, HEAD)?;
    let Some((id, id_bytes, size, size_bytes)) = read_head(&bytes) else { return Ok(None) };
    Ok(Some(Element { id, body: at + (id_bytes + size_bytes) as u64, bytes: size }))
}

/// Name and size of an element, each with its own length in bytes.
fn read_head(bytes: &[u8]) -> Option<(u32, usize, Option<u64>, usize)> {
    let id_bytes = bytes.first()?.leading_zeros() as usize + 1;
    let name = bytes.get(..id_bytes).filter(|_| id_bytes <= 4)?;
    let id = name.iter().fold(0, |id, &byte| (id << 8) | u32::from(byte));
    let (size, size_bytes) = vint(&bytes[id_bytes..])?;
    let is_unknown = size == (1 << (7 * size_bytes)) - 1;
    Some((id, id_bytes, (!is_unknown).then_some(size), size_bytes))
}

/// A number of variable length, without the bit that marks the length.
fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let &first = bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let rest = bytes.get(1..length).filter(|_| length <= 8)?;
    let first = u64::from(first) & ((1 << (8 - length)) - 1);
    Some((rest.iter().fold(first, |number, &byte| (number << 8) | u64::from(byte)), length))
}

/// The elements that `bytes` hold: names and contents, up to what is none.
fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, id_bytes, size, size_bytes) = read_head(bytes)?;
        let content = bytes.get(id_bytes + size_bytes..)?;
        let (content, rest) = content.split_at_checked(usize::try_from(size?).ok()?)?;
        bytes = rest;
        Some((id, content))
    })
}

/// The head of an element with so many bytes of content.
fn head(id: u32, bytes: u64) -> Vec<u8> {
    let name = id.to_be_bytes();
    let mut head: Vec<u8> = name.into_iter().skip_while(|&byte| byte == 0).collect();
    head.extend(((1 << 56) | bytes).to_be_bytes());
    head
}

fn push_element(view: &mut View, id: u32, content: &[u8]) {
    view.push_literal(head(id, content.len() as u64));
    view.push_literal(content);
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((unsigned(bytes) << unused) as i64) >> unused
}

fn float(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> String {
    const LONGEST: usize = 200;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()).min(LONGEST);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
