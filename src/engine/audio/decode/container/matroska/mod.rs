//! Matroska and WebM.
//!
//! Shows one audio track and the clusters, with sizes that fit. Chapters, cues, tags and other
//! tracks may be missing or damaged. Truncated files and live recordings end at the end of the
//! file. A damaged cluster is shown up to the damage; reading resumes at the next cluster. Source:
//! RFC 9559; RFC 8794 (EBML).

mod ebml;
mod tracks;

use std::io;

use ebml::{
    Element, HEAD, children, element_at, float, head, push_element, signed, unsigned, vint,
};
use tracks::{TrackEntry, listed, read_tracks};

use super::{Completeness, Container, Shape, Timing, choose};
use crate::engine::{
    audio::decode::{DecodeError, bounds::BoundedFile, view::View},
    types::AudioTrack,
};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
/// Elements that may follow a cluster of unknown size.
const TOP_LEVEL: [u32; 8] =
    [CLUSTER, INFO, TRACKS, 0x114d_9b74, 0x1c53_bb6b, 0x1254_c367, 0x1941_a469, 0x1043_a770];
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const DISCARD_PADDING: u32 = 0x75a2;
/// Elements of a cluster: blocks, its time, position and size, and padding.
const IN_CLUSTER: [u32; 9] =
    [SIMPLE_BLOCK, BLOCK_GROUP, 0xe7, 0xa7, 0xab, 0x5854, 0xaf, 0xec, 0xbf];

const LONGEST_TRACKS: u64 = 16 << 20;
const LONGEST_INFO: u64 = 1 << 20;
const NANOSECONDS: u64 = 1_000_000_000;
/// Bytes searched at a time for the next cluster.
const STRIDE: u64 = 1 << 16;

/// Shape of a Matroska file; `None` if no audio track is found. `wanted` is the number of an audio
/// track, from 1. With `headers_only`, the clusters are not walked, and only the data needed for
/// decoding is shown.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] if the file lacks the wanted track.
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

/// Results of walking the clusters.
struct Clusters {
    completeness: Completeness,
    discard_ns: u64,
    is_damaged: bool,
}

/// Time scale and duration that the segment states.
struct Info {
    tick_ns: u64,
    ticks: Option<f64>,
}

impl Info {
    /// Builds the element with the length of a tick and the mandatory application names.
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

/// Segment element, with the length of its header.
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

/// Walker over the segment.
struct Walk<'a> {
    file: &'a mut BoundedFile,
    start: u64,
    /// End of the segment, by its own size or by the end of the file.
    end: u64,
    /// Whether the segment claims to extend beyond the file.
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

    /// Reads tracks and times. Both may follow the clusters.
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
            let element = element_at(self.file, at)?
                .filter(|element| TOP_LEVEL.contains(&element.id) || is_void(element));
            let Some(element) = element else {
                // Damage, or unrelated data after the last cluster.
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

    /// Walks the blocks of a cluster that spans from `start` to `end`.
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
                    // Readers would take blocks of other tracks for damage.
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

    /// Duration at the end of a block to discard, in nanoseconds; `None` if the block is not of the
    /// track.
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

    /// Offset of the next cluster header at or after `at`.
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

/// Readable part of a cluster.
struct Blocks {
    /// Blocks of the track and all elements other than blocks.
    shown: View,
    /// End of the part.
    end: u64,
    stop: Stop,
    /// Duration to discard at the end of the last block of the track, if stated.
    discard_ns: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// End of the cluster.
    End,
    /// End of the file.
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

fn frames_of(nanoseconds: u64, rate: u64) -> u64 {
    let frames = (u128::from(nanoseconds) * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(frames).unwrap_or(u64::MAX)
}
