//! MP4, M4A and QuickTime files.
//!
//! Shows the media data in place, followed by a rebuilt index of one audio track. Other parts of
//! the index may therefore be unusual or damaged. Fragmented files keep their own index. Data after
//! the last box is hidden. Sources: ISO/IEC 14496-12 (boxes, edit lists), Apple's "QuickTime File
//! Format" (sound descriptions).

mod boxes;
mod samples;
pub(super) mod timing;

use std::{io, ops::Range};

use super::{Completeness, Container, Shape, choose};
use crate::engine::audio::decode::integers::u16_be;
use crate::engine::{
    audio::decode::{DecodeError, bounds::BoundedFile, view::View},
    types::AudioTrack,
};
use boxes::{MOST, children, find, read_head};
use samples::Tables;
use timing::Timeline;

/// Maximum length of an index that is read into memory, in bytes.
const LONGEST_INDEX: u64 = 256 << 20;

/// Shape of an MP4 file; `None` without a readable index. `wanted` is the number of an audio track,
/// from 1.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] if the file lacks the wanted track.
pub fn shape(
    file: &mut BoundedFile,
    wanted: Option<usize>,
) -> io::Result<Result<Option<Shape>, DecodeError>> {
    let top = top_level(file)?;
    let Some((at, index)) = &top.index else { return Ok(Ok(None)) };
    let index_bytes = index.end - index.start;
    if index_bytes > LONGEST_INDEX {
        return Ok(Ok(None));
    }
    let moov = file.bytes_at(index.start, index_bytes)?;
    let boxes = children(&moov, 0..moov.len());
    let traks: Vec<Trak> = boxes
        .iter()
        .filter(|(kind, _)| kind == b"trak")
        .filter_map(|(_, range)| Trak::read(&moov, range.clone()))
        .filter(|trak| &trak.handler == b"soun")
        .collect();
    let listed: Vec<AudioTrack> = traks.iter().map(Trak::listed).collect();
    let chosen = match choose(&listed, wanted) {
        Ok(Some(chosen)) => chosen,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let trak = &traks[chosen];
    let mut view = View::default();
    view.push_file(0..top.end);
    for (at, header) in &top.patches {
        view.patch(*at, header);
    }
    let is_fragmented = boxes.iter().any(|(kind, _)| kind == b"mvex");
    if is_fragmented {
        for (kind, range) in &boxes {
            if matches!(kind, b"udta" | b"meta") {
                view.patch(index.start + range.start as u64 - 4, b"free");
            }
        }
    } else {
        view.patch(*at + 4, b"free");
        let header = boxes.iter().find(|(kind, _)| kind == b"mvhd");
        let header = header.map(|(_, range)| &moov[range.clone()]);
        let mut byte_at = |at| file.bytes_at(at, 1).ok()?.first().copied();
        let is_alone = boxes.iter().filter(|(kind, _)| kind == b"trak").count() == 1;
        let byte_at: Option<&mut dyn FnMut(u64) -> Option<u8>> =
            if is_alone { Some(&mut byte_at) } else { None };
        view.push_literal(trak.index(&moov, header, (&top, byte_at)));
    }
    if !top.has_type {
        view.push_literal(*b"\0\0\0\x14ftypqt  \0\0\0\0qt  ");
    }
    let timing = Timeline::read(&moov, &boxes, trak.range.clone()).timing(is_fragmented);
    let completeness = if top.is_cut { Completeness::CutOff } else { Completeness::Whole };
    let container = Container::Mp4;
    let track = chosen + 1;
    Ok(Ok(Some(Shape { container, view, timing, completeness, tracks: listed, track })))
}

/// Top-level boxes, and a reader of single bytes if the file has no other track.
type Media<'a> = (&'a TopLevel, Option<&'a mut dyn FnMut(u64) -> Option<u8>>);

/// Top-level boxes of a file.
#[derive(Default)]
struct TopLevel {
    /// Offset of the index box, and the range of its content.
    index: Option<(u64, Range<u64>)>,
    /// Media data boxes, including their headers.
    data: Vec<Range<u64>>,
    /// End of the last box.
    end: u64,
    has_type: bool,
    /// Whether the last box claims to extend beyond the end of the file.
    is_cut: bool,
    /// Replacement box headers by offset.
    patches: Vec<(u64, Vec<u8>)>,
}

impl TopLevel {
    /// End of the media data box that contains `at`; [`u64::MAX`] if no box does.
    fn end_of_data(&self, at: u64) -> u64 {
        self.data.iter().find(|data| data.contains(&at)).map_or(u64::MAX, |data| data.end)
    }
}

/// Boxes that may extend beyond the end of a truncated file.
const MAY_BE_CUT: [&[u8; 4]; 8] =
    [b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"styp", b"sidx"];

fn top_level(file: &mut BoundedFile) -> io::Result<TopLevel> {
    let mut top = TopLevel::default();
    for _ in 0..MOST {
        let at = top.end;
        let head = file.bytes_at(at, 16)?;
        let Some((kind, head_bytes, size)) = read_head(&head) else { break };
        if !kind.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == 0xa9) {
            break;
        }
        let size = if size == 0 { file.len() - at } else { size };
        if size < head_bytes {
            break;
        }
        let end = at.saturating_add(size);
        if end > file.len() {
            if !MAY_BE_CUT.contains(&&kind) {
                break; // a truncated index, or unrelated data after the last box
            }
            top.is_cut = true;
            top.data.push(at..end);
            top.patches.push((at, shortened(kind, head_bytes, file.len() - at)));
            top.end = file.len();
            break;
        }
        match &kind {
            b"moov" if top.index.is_none() => top.index = Some((at, at + head_bytes..end)),
            b"ftyp" => top.has_type = true,
            b"mdat" => top.data.push(at..end),
            _ => {}
        }
        top.end = end;
    }
    Ok(top)
}

/// Builds a box header with a reduced size and the original length of `head_bytes`.
fn shortened(kind: [u8; 4], head_bytes: u64, size: u64) -> Vec<u8> {
    let mut head = if head_bytes == 16 { 1_u32 } else { size as u32 }.to_be_bytes().to_vec();
    head.extend(kind);
    if head_bytes == 16 {
        head.extend(size.to_be_bytes());
    }
    head
}

/// A track of the index.
struct Trak {
    range: Range<usize>,
    id: u32,
    handler: [u8; 4],
    is_enabled: bool,
    language: Option<String>,
    /// Kind of the sample description, and the range of its bytes.
    codec: [u8; 4],
    entry: Range<usize>,
    mp4_object: Option<u8>,
}

impl Trak {
    fn read(moov: &[u8], range: Range<usize>) -> Option<Self> {
        let header = find(moov, range.clone(), &[b"tkhd"])?;
        let media = find(moov, range.clone(), &[b"mdia"])?;
        let handler = find(moov, media.clone(), &[b"hdlr"])?;
        let handler = *moov.get(handler.start + 8..handler.end)?.first_chunk()?;
        let times = find(moov, media.clone(), &[b"mdhd"])?;
        let language_at = if moov.get(times.start)? == &0 { 20 } else { 32 };
        let language = moov.get(times.start + language_at..times.end).and_then(language_of);
        let (codec, entry) = match find(moov, media, &[b"minf", b"stbl", b"stsd"]) {
            Some(list) => {
                let first = children(moov, list.start + 8..list.end).into_iter().next();
                first.map_or((*b"none", 0..0), |(kind, inner)| (kind, inner))
            }
            None => (*b"none", 0..0),
        };
        let is_enabled = moov.get(header.start + 3)? & 1 == 1;
        let id_at = header.start + if moov.get(header.start)? == &0 { 12 } else { 20 };
        let id = u32::from_be_bytes(*moov.get(id_at..)?.first_chunk()?);
        let mp4_object = decoder_object(moov, entry.clone());
        Some(Self { range, id, handler, is_enabled, language, codec, entry, mp4_object })
    }

    fn listed(&self) -> AudioTrack {
        let codec = self.codec_name();
        AudioTrack {
            number: 0,
            id: self.id.into(),
            is_decodable: ["AAC", "ALAC", "MP3", "FLAC", "Opus", "PCM"].contains(&codec.as_str()),
            codec,
            language: self.language.clone(),
            name: None,
            is_default: self.is_enabled,
        }
    }

    fn codec_name(&self) -> String {
        let name = match (&self.codec, self.mp4_object) {
            (b"mp4a", Some(0x69 | 0x6b)) | (b".mp3" | b"ms\0\x55", _) => "MP3",
            (b"mp4a", Some(0xa5 | 0xa6)) | (b"ac-3" | b"ec-3" | b"sac3", _) => {
                "Dolby Digital (AC-3)"
            }
            (b"mp4a", Some(0xa9)) | (b"dtsc" | b"dtsh" | b"dtsl" | b"dtse", _) => "DTS",
            (b"mp4a", _) => "AAC",
            (b"alac", _) => "ALAC",
            (b"fLaC", _) => "FLAC",
            (b"Opus", _) => "Opus",
            (b"samr" | b"sawb", _) => "AMR",
            (b"QDM2" | b"QDMC", _) => "QDesign Music",
            (kind, _) if pcm_of(*kind).is_some() => "PCM",
            (b"lpcm" | b"ipcm" | b"fpcm" | b"raw ", _) => "PCM",
            (b"ulaw", _) => "µ-law PCM in QuickTime",
            (b"alaw", _) => "A-law PCM in QuickTime",
            (b"ima4", _) => "ADPCM in QuickTime",
            (kind, _) => return String::from_utf8_lossy(&kind[..]).trim().to_owned(),
        };
        name.to_owned()
    }

    /// Builds an index with only this track, reduced to the data needed for decoding.
    fn index(&self, moov: &[u8], movie_header: Option<&[u8]>, media: Media<'_>) -> Vec<u8> {
        let copy = |path: &[&[u8; 4]]| {
            let content = find(moov, self.range.clone(), path).map(|range| &moov[range]);
            let kind = path.last().map_or(*b"free", |kind| **kind);
            content.map(|content| boxed(kind, &[content])).unwrap_or_default()
        };
        let tables = self.mended_tables(moov, media).unwrap_or_else(|| {
            let table = |kind| copy(&[b"mdia", b"minf", b"stbl", kind]);
            [b"stts", b"stsc", b"stsz", b"stz2", b"stco", b"co64"].map(table).concat()
        });
        let entries = boxed(*b"stsd", &[&[0; 4], &1_u32.to_be_bytes(), &self.sample_entry(moov)]);
        let stbl = boxed(*b"stbl", &[&entries, &tables]);
        let smhd = boxed(*b"smhd", &[&[0; 8]]);
        let minf = boxed(*b"minf", &[&smhd, &stbl]);
        let mdia =
            boxed(*b"mdia", &[&copy(&[b"mdia", b"mdhd"]), &copy(&[b"mdia", b"hdlr"]), &minf]);
        let trak = boxed(*b"trak", &[&copy(&[b"tkhd"]), &mdia]);
        let header = movie_header.map(|content| boxed(*b"mvhd", &[content])).unwrap_or_default();
        boxed(*b"moov", &[&header, &trak])
    }

    /// Repaired sample tables; `None` if no repair was needed.
    fn mended_tables(&self, moov: &[u8], (top, byte_at): Media<'_>) -> Option<Vec<u8>> {
        let content = |kind| {
            let path = [b"mdia", b"minf", b"stbl", kind];
            find(moov, self.range.clone(), &path).map(|range| &moov[range])
        };
        let end_of_data = |at| top.end_of_data(at);
        let narrow = content(b"stco");
        let mut tables = Tables {
            durations: content(b"stts")?,
            runs: content(b"stsc")?,
            sizes: content(b"stsz")?,
            offsets: narrow.or_else(|| content(b"co64"))?,
            is_wide: narrow.is_none(),
            end_of_data: &end_of_data,
            byte_at,
        };
        let mended = tables.mended()?;
        let boxes = [
            boxed(*b"stts", &[&mended.durations]),
            boxed(*b"stsc", &[tables.runs]),
            boxed(*b"stsz", &[&mended.sizes]),
            boxed(*b"co64", &[&mended.offsets]),
        ];
        Some(boxes.concat())
    }

    /// Builds the sample description as Symphonia expects it. QuickTime nests the decoder settings
    /// in another box, and stores the byte order of integers elsewhere.
    fn sample_entry(&self, moov: &[u8]) -> Vec<u8> {
        let content = &moov[self.entry.clone()];
        let Some(fields) = Fields::read(content) else { return boxed(self.codec, &[content]) };
        let inner = |kind: &[u8; 4]| {
            let direct = find(content, fields.bytes..content.len(), &[kind]);
            direct.or_else(|| find(content, fields.bytes..content.len(), &[b"wave", kind]))
        };
        if let Some(pcm) = self.pcm(content, &fields, &inner) {
            return boxed(*b"lpcm", &[&fields.version_2(&content[..8], pcm)]);
        }
        let settings: [u8; 4] = match &self.codec {
            b"mp4a" => *b"esds",
            b"alac" => *b"alac",
            _ => return boxed(self.codec, &[content]),
        };
        let Some(found) = inner(&settings) else { return boxed(self.codec, &[content]) };
        let settings = boxed(settings, &[&content[found]]);
        boxed(self.codec, &[&fields.version_0(&content[..8]), &settings])
    }

    /// Format of a PCM track that Symphonia would misinterpret.
    fn pcm(
        &self,
        content: &[u8],
        fields: &Fields,
        inner: &dyn Fn(&[u8; 4]) -> Option<Range<usize>>,
    ) -> Option<Pcm> {
        let mut pcm = match &self.codec {
            b"ipcm" | b"fpcm" => {
                // ISO/IEC 23003-5: flags, then bits per sample.
                let config = &content[inner(b"pcmC")?];
                let (flags, bits) = (*config.get(4)?, *config.get(5)?);
                let is_float = &self.codec == b"fpcm";
                return Some(Pcm { bits: bits.into(), is_float, is_big: flags & 1 == 0 });
            }
            kind => pcm_of(*kind)?,
        };
        let order = inner(b"enda").and_then(|range| content.get(range.start + 1).copied());
        if let Some(little) = order.filter(|_| pcm.bits > 16) {
            pcm.is_big = little == 0;
        }
        if fields.bits == 8 && matches!(&self.codec, b"twos" | b"sowt") {
            pcm.bits = 8;
        }
        Some(pcm)
    }
}

/// Format of PCM samples.
#[derive(Clone, Copy)]
struct Pcm {
    bits: u32,
    is_float: bool,
    is_big: bool,
}

fn pcm_of(kind: [u8; 4]) -> Option<Pcm> {
    let (bits, is_float, is_big) = match &kind {
        b"sowt" => (16, false, false),
        b"twos" => (16, false, true),
        b"in24" => (24, false, true),
        b"in32" => (32, false, true),
        b"fl32" => (32, true, true),
        b"fl64" => (64, true, true),
        _ => return None,
    };
    Some(Pcm { bits, is_float, is_big })
}

/// Fields of a sample description of any version.
struct Fields {
    channels: u32,
    bits: u16,
    rate: f64,
    /// Bytes before the nested boxes.
    bytes: usize,
}

impl Fields {
    fn read(content: &[u8]) -> Option<Self> {
        let version = u16_be(content, 8)?;
        let channels = u16_be(content, 16)?.into();
        let bits = u16_be(content, 18)?;
        let rate = f64::from(u32::from_be_bytes(*content.get(24..)?.first_chunk()?)) / 65536.0;
        Some(match version {
            0 => Self { channels, bits, rate, bytes: 28 },
            1 => Self { channels, bits, rate, bytes: 44 },
            2 => Self {
                rate: f64::from_be_bytes(*content.get(32..)?.first_chunk()?),
                channels: u32::from_be_bytes(*content.get(40..)?.first_chunk()?),
                bits,
                bytes: 64,
            },
            _ => return None,
        })
    }

    fn version_0(&self, reference: &[u8]) -> Vec<u8> {
        let mut entry = reference.to_vec();
        entry.extend([0; 8]);
        entry.extend((self.channels as u16).to_be_bytes());
        entry.extend(self.bits.to_be_bytes());
        entry.extend([0; 4]);
        entry.extend(((self.rate.min(65535.0) * 65536.0) as u32).to_be_bytes());
        entry
    }

    fn version_2(&self, reference: &[u8], pcm: Pcm) -> Vec<u8> {
        const SIGNED: u32 = 4;
        let bytes = pcm.bits.div_ceil(8) * self.channels;
        let kind = if pcm.is_float { 1 } else { SIGNED };
        let flags = kind | if pcm.is_big { 2 } else { 0 };
        let mut entry = reference.to_vec();
        entry.extend([0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 16, 0xff, 0xfe, 0, 0, 0, 1, 0, 0]);
        entry.extend(72_u32.to_be_bytes());
        entry.extend(self.rate.to_be_bytes());
        for number in [self.channels, 0x7f00_0000, pcm.bits, flags, bytes, 1] {
            entry.extend(number.to_be_bytes());
        }
        entry
    }
}

/// Object type of an MPEG-4 decoder from its sample description.
fn decoder_object(moov: &[u8], entry: Range<usize>) -> Option<u8> {
    let content = moov.get(entry)?;
    let fields = Fields::read(content)?;
    let range = fields.bytes..content.len();
    let found = find(content, range.clone(), &[b"esds"])
        .or_else(|| find(content, range, &[b"wave", b"esds"]))?;
    let mut bytes = content.get(found.start + 4..found.end)?;
    // An elementary stream descriptor, its optional parts, then the decoder's descriptor.
    let (tag, inner) = descriptor(bytes)?;
    if tag != 3 {
        return None;
    }
    bytes = inner;
    let flags = *bytes.get(2)?;
    let mut at = 3 + if flags & 0x80 != 0 { 2 } else { 0 };
    if flags & 0x40 != 0 {
        at += 1 + usize::from(*bytes.get(at)?);
    }
    at += if flags & 0x20 != 0 { 2 } else { 0 };
    let (tag, inner) = descriptor(bytes.get(at..)?)?;
    inner.first().copied().filter(|_| tag == 4)
}

/// Tag and content of an MPEG-4 descriptor.
fn descriptor(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let size_bytes = rest.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let size =
        rest[..size_bytes].iter().fold(0, |size, byte| (size << 7) | usize::from(byte & 0x7f));
    let content = &rest[size_bytes..];
    Some((tag, content.get(..size).unwrap_or(content)))
}

/// Decodes a language of three letters with five bits each; numeric Macintosh languages are
/// ignored.
fn language_of(bytes: &[u8]) -> Option<String> {
    let packed = u16_be(bytes, 0)?;
    let letter = |shift: u16| char::from(b'`' + ((packed >> shift) & 31) as u8);
    let code: String = [10, 5, 0].into_iter().map(letter).collect();
    let is_code = packed >= 0x400 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_code && code != "und").then_some(code)
}

fn boxed(kind: [u8; 4], contents: &[&[u8]]) -> Vec<u8> {
    let size: usize = contents.iter().map(|content| content.len()).sum();
    let mut bytes = ((8 + size) as u32).to_be_bytes().to_vec();
    bytes.extend(kind);
    for content in contents {
        bytes.extend_from_slice(content);
    }
    bytes
}
