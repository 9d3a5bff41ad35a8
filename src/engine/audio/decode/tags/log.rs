//! Tags read by the demuxer, for containers without lofty support: Matroska, CAF, FLAC in Ogg. Runs
//! on the thread that reads the tags.

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use lofty::{
    picture::{Picture, PictureType},
    tag::{ItemKey, ItemValue, Tag, TagItem, TagType},
};
use symphonia::{
    core::{
        common::Limit,
        formats::{FormatOptions, probe::Hint},
        io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions},
        meta::{MetadataOptions, MetadataRevision, StandardTag, StandardVisualKey},
    },
    default::get_probe,
};

use super::LARGEST_COVER;
use crate::engine::{
    audio::decode::bounds::BoundedFile, system::panics::guarded, types::CancelToken,
};

/// Reads the tags of the file at `path`, the newest first; empty if the file cannot be opened. Here
/// the demuxer sees the whole file, whereas for the sound it is shown a file without tags.
pub fn read(path: &Path, cancel: &CancelToken) -> Vec<Tag> {
    let read = || {
        let file = Box::new(Whole(BoundedFile::open(path, cancel)?));
        let stream = MediaSourceStream::new(file, MediaSourceStreamOptions::default());
        let limit = Limit::Maximum(LARGEST_COVER);
        let limits = MetadataOptions::default().limit_visual_bytes(limit);
        let options = FormatOptions::default();
        let mut reader = get_probe().probe(&Hint::new(), stream, options, limits).ok()?;
        let (mut log, mut tags) = (reader.metadata(), Vec::new());
        while let Some(revision) = log.pop() {
            tags.push(tag_of(&revision));
        }
        tags.extend(log.current().map(tag_of));
        tags.reverse();
        Some(tags)
    };
    guarded(read).flatten().unwrap_or_default()
}

/// A whole file as a source for the demuxer.
struct Whole(BoundedFile);

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl MediaSource for Whole {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.0.len())
    }
}

fn tag_of(revision: &MetadataRevision) -> Tag {
    let mut tag = Tag::new(TagType::VorbisComments);
    let push = |tag: &mut Tag, key, text: &str| {
        let is_new = tag.get_string(key).is_none() && !text.trim().is_empty();
        if is_new {
            tag.push_unchecked(TagItem::new(key, ItemValue::Text(text.to_owned())));
        }
    };
    let per_track = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    let all = || revision.media.tags.iter().chain(per_track.clone());
    for found in all().filter_map(|tag| tag.std.as_ref()) {
        match found {
            StandardTag::TrackTitle(text) => push(&mut tag, ItemKey::TrackTitle, text),
            StandardTag::Artist(text) => push(&mut tag, ItemKey::TrackArtist, text),
            StandardTag::Album(text) => push(&mut tag, ItemKey::AlbumTitle, text),
            StandardTag::Genre(text) => push(&mut tag, ItemKey::Genre, text),
            StandardTag::Composer(text) => push(&mut tag, ItemKey::Composer, text),
            StandardTag::Comment(text) => push(&mut tag, ItemKey::Comment, text),
            StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text) => {
                push(&mut tag, ItemKey::RecordingDate, text);
            }
            StandardTag::TrackNumber(number) => {
                push(&mut tag, ItemKey::TrackNumber, &number.to_string());
            }
            StandardTag::Bpm(number) => push(&mut tag, ItemKey::Bpm, &number.to_string()),
            StandardTag::InitialKey(text) => push(&mut tag, ItemKey::InitialKey, text),
            _ => {}
        }
    }
    // Matroska's file-level tags are read as album tags: they name the artist of the only song.
    let is_artist_known = tag.get_string(ItemKey::TrackArtist).is_some();
    let key = if is_artist_known { ItemKey::AlbumArtist } else { ItemKey::TrackArtist };
    for found in all().filter_map(|tag| tag.std.as_ref()) {
        if let StandardTag::AlbumArtist(text) = found {
            push(&mut tag, key, text);
        }
    }
    for visual in &revision.media.visuals {
        let is_front = visual.usage == Some(StandardVisualKey::FrontCover);
        let kind = if is_front { PictureType::CoverFront } else { PictureType::Other };
        tag.push_picture(Picture::unchecked(visual.data.to_vec()).pic_type(kind).build());
    }
    tag
}
