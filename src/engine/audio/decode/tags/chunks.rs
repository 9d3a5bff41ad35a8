//! Tags in the chunks of WAV, RF64, BW64 and AIFF files: LIST INFO, AIFF's texts, ID3v2, and the
//! broadcast chunk. Pure, except for reading the file.
//!
//! Sources: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, LIST
//! INFO), EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Apple's AIFF 1.3.

use std::{
    io::{self, Read, Seek},
    ops::Range,
};

use lofty::tag::{ItemKey, ItemValue, Tag, TagItem, TagType};

use super::{around::Reader, broadcast::Broadcast, id3v2, latin1};

/// Maximum number of chunks read.
const MOST_CHUNKS: usize = 4096;
/// Maximum length of a chunk of tags in bytes; longer ones are skipped.
const LONGEST_CHUNK: u64 = 32 << 20;
/// Bytes of a chunk header: name and size.
const HEAD: u64 = 8;

type Name = [u8; 4];

/// Chunk list of a file.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    is_aiff: bool,
    /// Names, and the ranges of the contents.
    found: Vec<(Name, Range<u64>)>,
}

impl Chunks {
    /// Finds the chunks of the file that begins at `range.start`; `None` for another kind of file.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn find(
        file: &mut (impl Read + Seek),
        Range { start, end }: Range<u64>,
    ) -> io::Result<Option<Self>> {
        let mut file = Reader(file);
        let form = file.bytes(start, 12)?;
        let is_aiff = match (form.get(..4), form.get(8..)) {
            (Some(b"RIFF" | b"RF64" | b"BW64"), Some(b"WAVE")) => false,
            (Some(b"FORM"), Some(b"AIFF" | b"AIFC")) => true,
            _ => return Ok(None),
        };
        let mut chunks = Self { is_aiff, found: Vec::new() };
        let (mut at, mut long_data) = (start + 12, None);
        for _ in 0..MOST_CHUNKS {
            let head = file.bytes(at, HEAD)?;
            let [a, b, c, d, ref size @ ..] = head[..] else { break };
            let Some(size) = size.first_chunk().copied() else { break };
            let (name, body) = ([a, b, c, d], at + HEAD);
            let size = if is_aiff { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
            let size = match (&name, long_data) {
                (b"data", Some(long)) if size == u32::MAX => long,
                _ => u64::from(size),
            };
            if &name == b"ds64" {
                let sizes = file.bytes(body, 16)?;
                let data = sizes.get(8..).and_then(|size| size.first_chunk());
                long_data = data.copied().map(u64::from_le_bytes);
            }
            let next = body.saturating_add(size);
            chunks.found.push((name, body..next.min(end)));
            if next >= end {
                break;
            }
            // Chunks begin at even offsets within the form.
            at = next + (next - start) % 2;
        }
        Ok(Some(chunks))
    }

    /// Reads the tags in these chunks.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn tags(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<Tag>> {
        let mut file = Reader(file);
        let (mut tags, mut aiff) = (Vec::new(), Tag::new(TagType::AiffText));
        for (name, range) in &self.found {
            let bytes = range.end - range.start;
            let mut content = || file.bytes(range.start, bytes.min(LONGEST_CHUNK));
            match name {
                b"ID3 " | b"id3 " | b"ID32" => tags.extend(id3v2::parse(&content()?)),
                b"LIST" if !self.is_aiff => {
                    tags.extend(content()?.strip_prefix(b"INFO").map(info));
                }
                b"NAME" | b"AUTH" | b"ANNO" | b"(c) " if self.is_aiff => {
                    push(&mut aiff, *name, &content()?);
                }
                _ => {}
            }
        }
        tags.push(aiff);
        Ok(tags)
    }

    /// Reads the broadcast chunk, with the file's sample rate.
    ///
    /// # Errors
    /// I/O errors of the file.
    pub fn broadcast(&self, file: &mut (impl Read + Seek)) -> io::Result<Option<Broadcast>> {
        const MOST: u64 = 1 << 16;
        let mut file = Reader(file);
        let mut content = |wanted: &Name| {
            let range = self.found.iter().find(|(name, _)| name == wanted).map(|(_, range)| range);
            let read =
                |range: &Range<u64>| file.bytes(range.start, (range.end - range.start).min(MOST));
            range.map(read).transpose()
        };
        let (Some(format), Some(chunk)) = (content(b"fmt ")?, content(b"bext")?) else {
            return Ok(None);
        };
        let rate = format.get(4..8).and_then(|rate| rate.first_chunk()).copied();
        Ok(rate.and_then(|rate| Broadcast::parse(&chunk, u32::from_le_bytes(rate))))
    }
}

/// Parses the content of a LIST INFO chunk, after its type.
fn info(mut list: &[u8]) -> Tag {
    let mut tag = Tag::new(TagType::RiffInfo);
    while let Some((name, rest)) = list.split_first_chunk::<4>()
        && let Some((size, rest)) = rest.split_first_chunk::<4>()
    {
        let size = (u32::from_le_bytes(*size) as usize).min(rest.len());
        push(&mut tag, *name, &rest[..size]);
        list = &rest[(size + size % 2).min(rest.len())..];
    }
    tag
}

/// Adds a text to a tag under the name of its chunk, unless the text is blank.
fn push(tag: &mut Tag, name: Name, bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text =
        std::str::from_utf8(&bytes[..end]).map_or_else(|_| latin1(&bytes[..end]), str::to_owned);
    let name = std::str::from_utf8(&name).unwrap_or_default();
    if let Some(key) = ItemKey::from_key(tag.tag_type(), name)
        && !text.trim().is_empty()
    {
        tag.push_unchecked(TagItem::new(key, ItemValue::Text(text)));
    }
}

#[cfg(test)]
mod tests {
    use lofty::tag::Accessor as _;

    use super::*;

    fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
        let mut chunk = [name, &(content.len() as u32).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn read(file: &[u8]) -> Vec<Tag> {
        let (end, mut file) = (file.len() as u64, io::Cursor::new(file));
        let chunks = Chunks::find(&mut file, 0..end).unwrap().unwrap();
        chunks.tags(&mut file).unwrap()
    }

    #[test]
    fn reads_info_lists_in_any_encoding() {
        let texts = [
            &b"INFO"[..],
            &chunk(b"INAM", b"M\xfcller\0"),
            &chunk(b"IART", "Ärtist".as_bytes()),
            &chunk(b"IPRD", b"\0\0"),
        ];
        let parts = [chunk(b"junk", &[1, 2, 3]), chunk(b"LIST", &texts.concat())].concat();
        let tags = read(&[b"RIFF\0\0\0\0WAVE", &parts[..]].concat());
        assert_eq!(tags[0].title().as_deref(), Some("Müller"));
        assert_eq!(tags[0].artist().as_deref(), Some("Ärtist"));
        assert_eq!(tags[0].album(), None);
    }

    #[test]
    fn finds_tags_after_the_sound_of_rf64() {
        let sizes = [u64::MAX, 6, 3].map(u64::to_le_bytes).concat();
        let data = [&b"data\xff\xff\xff\xff"[..], &[7; 6]].concat();
        let list = chunk(b"LIST", &[&b"INFO"[..], &chunk(b"INAM", b"Behind")].concat());
        for form in [b"RF64", b"BW64"] {
            let parts = [chunk(b"ds64", &sizes), data.clone(), list.clone()].concat();
            let tags = read(&[&form[..], b"\xff\xff\xff\xffWAVE", &parts].concat());
            assert_eq!(tags[0].title().as_deref(), Some("Behind"));
        }
    }

    #[test]
    fn reads_texts_of_aiff() {
        let name = b"NAME\0\0\0\x05Title\0AUTH\0\0\0\x04Anna";
        let tags = read(&[&b"FORM\0\0\0\0AIFF"[..], name].concat());
        assert_eq!(tags[0].title().as_deref(), Some("Title"));
        assert_eq!(tags[0].artist().as_deref(), Some("Anna"));
    }
}
