//! Metadata of a file: title, artist, album, tempo, key, cover, time of recording. An unreadable
//! tag is skipped; it never stops a song.
//!
//! - [`around`]: tags before and after the sound; [`id3v2`] and [`ape`] parse them.
//! - [`chunks`]: tags within WAV and AIFF files; [`broadcast`]: the chunk of Broadcast WAV.
//! - [`log`]: tags of Matroska and others, read by the demuxer.
//!
//! lofty reads the rest and maps names and frames to fields. Only [`read_all`] defines precedence.
//! Runs on the calling thread.

mod ape;
mod around;
mod broadcast;
mod chunks;
mod id3v2;
mod id3v2_text;
mod log;

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use lofty::{
    config::ParseOptions,
    file::{FileType, TaggedFileExt as _},
    picture::{Picture, PictureType},
    probe::Probe,
    tag::{Accessor as _, ItemKey, Tag, TagType},
};

pub use self::broadcast::Broadcast;
use self::{
    around::{Around, Reader},
    chunks::Chunks,
};
use super::bounds::BoundedFile;
use crate::engine::{
    audio::musical_key::{key_of, tempo_of},
    system::panics::guarded,
    types::{CancelToken, Tags},
};

/// Maximum size of a cover in bytes. No screen needs more, and a damaged length may claim any size.
pub const LARGEST_COVER: usize = 16 << 20;

/// Maximum length of texts in characters.
pub const LONGEST_TEXT: usize = 1_000;

/// Metadata of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// All fields except the cover.
    pub tags: Tags,
    /// PNG or JPEG bytes.
    pub cover: Option<Vec<u8>>,
}

/// Whether a tag says that a program such as mp3gain changed the level of the frames themselves, and
/// with it the checksum of the sound.
pub fn has_gain(path: &Path) -> bool {
    const KEY: &[u8] = b"MP3GAIN_";
    const HEAD_BYTES: u64 = 4 << 20;
    const TAIL_BYTES: u64 = 1 << 16;
    let contains = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes)?;
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes.windows(KEY.len()).any(|part| part == KEY))
    };
    contains().unwrap_or(false)
}

impl About {
    /// Reads all tags of the file at `path`.
    pub fn read(path: &Path, cancel: &CancelToken) -> Self {
        let mut about = Self::default();
        for tag in read_all(path, cancel) {
            about.complete_with(Self::of_tag(&tag));
        }
        about
    }

    fn of_tag(tag: &Tag) -> Self {
        let pictures = tag.pictures();
        let is_front = |picture: &&Picture| picture.pic_type() == PictureType::CoverFront;
        let others = pictures.iter().filter(|picture| !is_front(picture));
        let mut front_first = pictures.iter().filter(is_front).chain(others);
        Self {
            tags: Tags {
                title: tag.title().and_then(|text| clean(&text)),
                artist: tag.artist().and_then(|text| clean(&text)),
                album: tag.album().and_then(|text| clean(&text)),
                bpm: [ItemKey::Bpm, ItemKey::IntegerBpm]
                    .into_iter()
                    .find_map(|key| tempo_of(tag.get_string(key)?)),
                key: tag.get_string(ItemKey::InitialKey).and_then(key_of),
            },
            cover: front_first.find_map(|picture| image(picture.data())),
        }
    }

    /// Copies missing fields from `other`.
    pub fn complete_with(&mut self, other: Self) {
        let Self { tags: Tags { title, artist, album, bpm, key }, cover } = other;
        self.tags.title = self.tags.title.take().or(title);
        self.tags.artist = self.tags.artist.take().or(artist);
        self.tags.album = self.tags.album.take().or(album);
        self.tags.bpm = self.tags.bpm.or(bpm);
        self.tags.key = self.tags.key.take().or(key);
        self.cover = self.cover.take().or(cover);
    }
}

/// Reads all tags of the file at `path` in order of precedence, within the read limits of a file. A
/// tag on which a library panics is skipped. A later tag only supplies fields that the earlier ones
/// lack.
///
/// A format's own tags come first; ID3v1 comes last, because it truncates texts to 30 characters.
pub fn read_all(path: &Path, cancel: &CancelToken) -> Vec<Tag> {
    let rank = |tag: &Tag| match tag.tag_type() {
        TagType::VorbisComments | TagType::Mp4Ilst => 0,
        TagType::Id3v2 => 1,
        TagType::Ape => 2,
        TagType::Id3v1 => 4,
        _ => 3, // LIST INFO, and the texts of AIFF
    };
    let mut tags = find_all(path, cancel).unwrap_or_default();
    tags.sort_by_key(rank);
    tags
}

/// Broadcast chunk of the file at `path`, if present and readable.
pub fn broadcast(path: &Path, cancel: &CancelToken) -> Option<Broadcast> {
    let mut file = BoundedFile::open(path, cancel)?;
    let end = Reader(&mut file).len().ok()?;
    Chunks::find(&mut file, 0..end).ok()??.broadcast(&mut file).ok()?
}

fn find_all(path: &Path, cancel: &CancelToken) -> Option<Vec<Tag>> {
    let mut file = BoundedFile::open(path, cancel)?;
    let around = Around::find(&mut file).ok()?;
    let mut tags: Vec<Tag> = around.id3v2.iter().filter_map(|tag| id3v2::parse(tag)).collect();
    tags.extend(around.ape.iter().map(|tag| ape::parse(tag)));
    tags.extend(around.id3v1.as_ref().and_then(|tag| read_alone(tag, TagType::Id3v1)));
    let inner = around.inner.clone();
    let head = Reader(&mut file).bytes(inner.start, 12).ok()?;
    match head[..] {
        [b'f', b'L', b'a', b'C', ..] | [b'O', b'g', b'g', b'S', ..] => {
            let found = read_lofty(Window::new(file, inner));
            // lofty does not support FLAC in Ogg.
            tags.extend(found.unwrap_or_else(|| log::read(path, cancel)));
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => {
            tags.extend(read_lofty(Window::new(file, inner)).unwrap_or_default());
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] | [b'c', b'a', b'f', b'f', ..] => {
            tags.extend(log::read(path, cancel));
        }
        _ => {
            // Tags after the sound may also be chunks, which were found already.
            let whole = inner.start..Reader(&mut file).len().ok()?;
            if let Some(chunks) = Chunks::find(&mut file, whole).ok()? {
                tags.extend(chunks.tags(&mut file).ok()?);
            }
        }
    }
    Some(tags)
}

/// Parses a single tag of an MPEG file with lofty.
fn read_alone(tag: &[u8], kind: TagType) -> Option<Tag> {
    /// Padding, because lofty searches for other tags before and after this one.
    const NOTHING: [u8; 64] = [0; 64];
    let bytes = match kind {
        TagType::Id3v1 => [&NOTHING, tag].concat(),
        _ => [tag, &NOTHING].concat(),
    };
    let options = ParseOptions::new().read_properties(false);
    let probe = Probe::with_file_type(Cursor::new(bytes), FileType::Mpeg).options(options);
    guarded(|| probe.read().ok())??.remove(kind)
}

/// Reads the tags of a FLAC, Ogg or MP4 file with lofty.
fn read_lofty(file: impl Read + Seek) -> Option<Vec<Tag>> {
    let options = ParseOptions::new().read_properties(false);
    let probe = Probe::new(BufReader::new(file)).options(options);
    let mut file = guarded(|| probe.guess_file_type().ok()?.read().ok())??;
    let kinds: Vec<TagType> = file.tags().iter().map(Tag::tag_type).collect();
    Some(kinds.into_iter().filter_map(|kind| file.remove(kind)).collect())
}

/// A section of a file, presented as a file.
struct Window<F> {
    file: F,
    range: Range<u64>,
    position: u64,
}

impl<F> Window<F> {
    fn new(file: F, range: Range<u64>) -> Self {
        Self { file, range, position: 0 }
    }
}

impl<F: Read + Seek> Read for Window<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.range.start.saturating_add(self.position);
        let wanted = self.range.end.saturating_sub(at).min(buffer.len() as u64);
        self.file.seek(SeekFrom::Start(at))?;
        let count = self.file.read(&mut buffer[..wanted as usize])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<F: Read + Seek> Seek for Window<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.range.end - self.range.start;
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Decodes Latin-1.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Offset of the first PNG or JPEG in `bytes`.
fn image_in(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| is_image(&bytes[*at..]))
}

fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(&[0xff, 0xd8, 0xff])
}

/// Cleans a text to one line without control characters; `None` if nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Returns `bytes` if they are a PNG or JPEG within the size limit.
fn image(bytes: &[u8]) -> Option<Vec<u8>> {
    (is_image(bytes) && bytes.len() <= LARGEST_COVER).then(|| bytes.to_vec())
}

#[cfg(test)]
mod precedence_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_one_clean_line() {
        assert_eq!(clean("  A\nB\0 "), Some("A B".to_owned()));
        assert_eq!(clean(" \0\n"), None);
        assert_eq!(clean(&"ü".repeat(5_000)).unwrap().chars().count(), LONGEST_TEXT);
    }

    #[test]
    fn keeps_only_displayable_pictures() {
        assert!(image(b"\x89PNG\r\n\x1a\n....").is_some());
        assert!(image(&[0xff, 0xd8, 0xff, 0xe0]).is_some());
        assert_eq!(image(b"GIF89a"), None);
        assert_eq!(image(b""), None);
        let mut huge = vec![0xff, 0xd8, 0xff];
        huge.resize(LARGEST_COVER + 1, 0);
        assert_eq!(image(&huge), None);
    }

    #[test]
    fn a_file_without_tags_has_no_metadata() {
        assert_eq!(
            About::read(Path::new("nowhere.mp3"), &CancelToken::default()),
            About::default()
        );
    }
}
