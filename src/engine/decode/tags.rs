//! Title, artist, album, tempo, key and cover. What cannot be read is left out: no tag stops a song.

use std::{io::BufReader, path::Path};

use lofty::{
    config::ParseOptions,
    file::{FileType, TaggedFile, TaggedFileExt as _},
    picture::{Picture, PictureType},
    probe::Probe,
    tag::{Accessor as _, ItemKey, Tag},
};
use symphonia::core::meta::{Metadata, MetadataRevision, StandardTag, StandardVisualKey};

use super::{bounds::BoundedFile, source::Source};
use crate::engine::{
    CancelToken, Tags,
    guard::guarded,
    keys::{key_of, tempo_of},
};

/// Covers of more bytes are left out: nobody's screen needs them, and a damaged length may claim
/// any size.
pub const LARGEST_COVER: usize = 16 << 20;

/// Texts are cut to so many characters.
pub const LONGEST_TEXT: usize = 1_000;

/// What a file says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// All but the cover.
    pub tags: Tags,
    /// PNG or JPEG bytes.
    pub cover: Option<Vec<u8>>,
}

impl About {
    /// Reads with lofty.
    pub fn read(path: &Path, cancel: &CancelToken) -> Self {
        let mut about = Self::default();
        if let Some(file) = tagged_file(path, cancel) {
            for tag in file.primary_tag().into_iter().chain(file.tags()) {
                about.complete_with(Self::of_tag(tag));
            }
        }
        about
    }

    /// Reads with lofty, and fills what is missing with what a container says that only Symphonia
    /// reads.
    pub fn read_all(path: &Path, source: &mut Source, cancel: &CancelToken) -> Self {
        let mut about = Self::read(path, cancel);
        if let Some(mut log) = source.metadata() {
            about.complete_with(Self::of_log(&mut log));
        }
        about
    }

    fn of_tag(tag: &Tag) -> Self {
        let pictures = tag.pictures();
        let is_front = |picture: &&Picture| picture.pic_type() == PictureType::CoverFront;
        let picture = pictures.iter().find(is_front).or(pictures.first());
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
            cover: picture.and_then(|picture| image(picture.data())),
        }
    }

    /// What Symphonia found, for the formats that lofty does not know.
    pub fn of_log(log: &mut Metadata<'_>) -> Self {
        let mut about = Self::default();
        while let Some(revision) = log.pop() {
            about.complete_with(Self::of_revision(&revision));
        }
        if let Some(revision) = log.current() {
            about.complete_with(Self::of_revision(revision));
        }
        about
    }

    fn of_revision(revision: &MetadataRevision) -> Self {
        let mut about = Self::default();
        let per_track = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
        let mut album_artist = None;
        for tag in revision.media.tags.iter().chain(per_track) {
            let (text, field) = match &tag.std {
                Some(StandardTag::TrackTitle(text)) => (text, &mut about.tags.title),
                Some(StandardTag::Artist(text)) => (text, &mut about.tags.artist),
                Some(StandardTag::Album(text)) => (text, &mut about.tags.album),
                // What Matroska says of the whole file is taken for an album's.
                Some(StandardTag::AlbumArtist(text)) => (text, &mut album_artist),
                Some(StandardTag::Bpm(number)) => {
                    about.tags.bpm = about.tags.bpm.or_else(|| tempo_of(&number.to_string()));
                    continue;
                }
                Some(StandardTag::InitialKey(text)) => {
                    about.tags.key = about.tags.key.take().or_else(|| key_of(text));
                    continue;
                }
                _ => continue,
            };
            if field.is_none() {
                *field = clean(text);
            }
        }
        about.tags.artist = about.tags.artist.or(album_artist);
        let visuals = &revision.media.visuals;
        let front = visuals.iter().find(|v| v.usage == Some(StandardVisualKey::FrontCover));
        about.cover = front.or(visuals.first()).and_then(|visual| image(&visual.data));
        about
    }

    /// Fills what is missing from `other`.
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

/// The tags of the file at `path` as lofty reads them: within the bounds of a file, and never with
/// a panic. `None` where there are none that it can read.
pub fn tagged_file(path: &Path, cancel: &CancelToken) -> Option<TaggedFile> {
    let options = ParseOptions::new().read_properties(false);
    let read = || {
        let file = BufReader::new(BoundedFile::open(path, cancel)?);
        let probe = match FileType::from_path(path) {
            Some(kind) => Probe::with_file_type(file, kind),
            None => Probe::new(file),
        };
        probe.options(options).guess_file_type().ok()?.read().ok()
    };
    guarded(read).flatten()
}

/// One line without control characters; `None` when nothing is left.
fn clean(text: &str) -> Option<String> {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// `bytes`, if they begin as PNG or JPEG and are not too many.
fn image(bytes: &[u8]) -> Option<Vec<u8>> {
    let known = bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(&[0xff, 0xd8, 0xff]);
    (known && bytes.len() <= LARGEST_COVER).then(|| bytes.to_vec())
}

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
    fn only_pictures_that_can_be_shown_are_kept() {
        assert!(image(b"\x89PNG\r\n\x1a\n....").is_some());
        assert!(image(&[0xff, 0xd8, 0xff, 0xe0]).is_some());
        assert_eq!(image(b"GIF89a"), None);
        assert_eq!(image(b""), None);
        let mut huge = vec![0xff, 0xd8, 0xff];
        huge.resize(LARGEST_COVER + 1, 0);
        assert_eq!(image(&huge), None);
    }

    #[test]
    fn a_file_without_tags_says_nothing() {
        assert_eq!(
            About::read(Path::new("nowhere.mp3"), &CancelToken::default()),
            About::default()
        );
    }
}
