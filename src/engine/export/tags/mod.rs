//! Tags of exported files: the source's tags and cover, with the content of the file added to the
//! title.
//!
//! lofty reads the tags and serialises them to bytes, which each encoder places as its format
//! requires. No finished file has to be opened again. Facts about the source's file alone are left
//! out, such as loudness, encoder and fingerprint. Runs on the calling thread.
//!
//! Sources: ID3v2.4.0; the Vorbis comment and FLAC (RFC 9639); Microsoft's "Multimedia Programming
//! Interface and Data Specifications 1.0" (LIST INFO); Apple's metadata items of MP4.

mod bytes;
mod mark;

use std::path::Path;

use lofty::{
    mp4::Ilst,
    picture::{MimeType, Picture, PictureInformation, PictureType},
    tag::{ItemKey, ItemValue, Tag, TagItem, TagType},
};

pub use self::mark::is_own_file;
use self::{
    bytes::{TEMPO, number_of},
    mark::{COMMENT, SOFTWARE},
};
use crate::engine::{
    audio::{
        decode::{self, Broadcast, LARGEST_COVER, LONGEST_TEXT, read_tags},
        musical_key::{key_of, key_tag, tempo_of, transposed},
        repitch::KeySpeed,
    },
    system::panics::guarded,
    types::CancelToken,
};

/// Maximum length of comments and lyrics, in characters.
const LONGEST_PROSE: usize = 1 << 16;

/// Maximum total length of texts in bytes, and maximum number of texts; larger tags are damaged.
const MOST_TEXT: usize = 1 << 20;
const MOST_ITEMS: usize = 256;

/// Maximum total size of pictures in bytes. With their metadata they fit into a FLAC block, whose
/// limit is 16 MiB.
const MOST_PICTURES: usize = LARGEST_COVER - (1 << 16);

/// Tags of one file to write.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    /// Cleaned texts; of equivalent keys only one occurs.
    items: Vec<TagItem>,
    /// PNG or JPEG pictures with their dimensions.
    pictures: Vec<(Picture, PictureInformation)>,
    /// Time of recording.
    broadcast: Option<Broadcast>,
}

impl Tags {
    /// Reads the tags of the file at `path` that also apply to its copies. Unreadable tags are
    /// skipped, as no tag may stop an export.
    pub fn read(path: &Path) -> Self {
        let cancel = CancelToken::default();
        let read = || {
            let mut tags = Self::default();
            for tag in read_tags(path, &cancel) {
                tags.complete_with(Self::of_tag(&tag));
            }
            tags.broadcast = decode::broadcast(path, &cancel);
            tags
        };
        guarded(read).unwrap_or_default()
    }

    /// Creates tags from facts known without the file. `cover` holds the bytes of a PNG or JPEG.
    pub fn new(
        title: &str,
        artist: Option<&str>,
        album: Option<&str>,
        cover: Option<&[u8]>,
    ) -> Self {
        let mut tags = Self::default();
        tags.push(ItemKey::TrackTitle, title);
        tags.push(ItemKey::TrackArtist, artist.unwrap_or_default());
        tags.push(ItemKey::AlbumTitle, album.unwrap_or_default());
        if let Some(bytes) = cover {
            tags.push_picture(PictureType::CoverFront, None, bytes);
        }
        tags
    }

    /// Creates tags from the results of the audio analysis: tempo in beats per minute, and key as
    /// text.
    pub fn found(bpm: Option<f32>, key: Option<&str>) -> Self {
        let mut tags = Self::default();
        tags.push(ItemKey::Bpm, &bpm.map(|bpm| format!("{bpm:.0}")).unwrap_or_default());
        tags.push(ItemKey::InitialKey, &key.map(key_tag).unwrap_or_default());
        tags
    }

    /// Adapts tempo and key to a change.
    #[must_use]
    pub fn changed(mut self, change: KeySpeed) -> Self {
        let semitones = (f64::from(change.cents()) / 100.0).round() as i32;
        let bpm = self.bpm().map(|bpm| bpm * change.speed());
        if let Some(bpm) = bpm.filter(|_| change.speed() != 1.0) {
            self.replace(ItemKey::Bpm, &format!("{bpm:.0}"));
        }
        if let Some(key) =
            self.key().and_then(|key| transposed(&key, semitones)).filter(|_| semitones != 0)
        {
            self.replace(ItemKey::InitialKey, &key_tag(&key));
        }
        self
    }

    /// Creates tags with only the time of recording.
    pub fn recorded(broadcast: Option<Broadcast>) -> Self {
        Self { broadcast, ..Self::default() }
    }

    fn of_tag(tag: &Tag) -> Self {
        let (mut own, mut renamed) = (Self::default(), Self::default());
        let is_plain = |item: &&TagItem| item.description().is_empty();
        let plain_first = tag.items().filter(is_plain).chain(tag.items().filter(|i| !is_plain(i)));
        for item in plain_first {
            let key = item.key();
            let (ItemValue::Text(text) | ItemValue::Locator(text)) = item.value() else {
                continue;
            };
            // iTunes stores loudness and gapless data in comments.
            if is_of_the_file(key) || item.description().starts_with("iTun") {
                continue;
            }
            match usual_key(key) {
                usual if usual == key => own.push(key, text),
                usual => renamed.push(usual, text),
            }
        }
        if tag.tag_type() == TagType::Mp4Ilst
            && let Some(beats) = number_of(&Ilst::from(tag.clone()), &TEMPO)
        {
            renamed.push(ItemKey::Bpm, &beats.to_string());
        }
        own.complete_with(renamed);
        for picture in tag.pictures() {
            own.push_picture(picture.pic_type(), picture.description(), picture.data());
        }
        own
    }

    /// Copies missing tags from `other`.
    pub fn complete_with(&mut self, other: Self) {
        let known: Vec<ItemKey> = self.items.iter().map(TagItem::key).collect();
        for item in other.items {
            if !known.contains(&item.key()) {
                self.push_within_limits(item);
            }
        }
        if self.pictures.is_empty() {
            self.pictures = other.pictures;
        }
        self.broadcast = self.broadcast.take().or(other.broadcast);
    }

    /// Returns the tags for a part of the song: "Title (vocals)".
    #[must_use]
    pub fn marked(&self, mark: &str) -> Self {
        let title = self.title();
        let title = if title.is_empty() { mark.into() } else { format!("{title} ({mark})") };
        let mut tags = self.clone();
        tags.replace(ItemKey::TrackTitle, &title);
        tags
    }

    /// Appends a line to the comment.
    #[must_use]
    pub fn with_comment(mut self, text: &str) -> Self {
        self.push(ItemKey::Comment, text);
        self
    }

    /// Adds Partita's mark, for which [`is_own_file`] looks.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.items.retain(|item| item.key() != ItemKey::EncoderSoftware);
        let software = ItemValue::Text(SOFTWARE.to_owned());
        // In first place, so that no limit on the tags drops it.
        self.items.insert(0, TagItem::new(ItemKey::EncoderSoftware, software));
        self
    }

    /// Appends a comment that names the model.
    #[must_use]
    pub fn separated_with(self, model: &str) -> Self {
        self.with_comment(&format!("{COMMENT}{model}"))
    }

    /// Title of the song; empty if unknown.
    pub fn title(&self) -> String {
        self.text(ItemKey::TrackTitle).unwrap_or_default().into()
    }

    /// First artist of the song.
    pub fn artist(&self) -> Option<String> {
        self.text(ItemKey::TrackArtist).map(Into::into)
    }

    /// Album of the song.
    pub fn album(&self) -> Option<String> {
        self.text(ItemKey::AlbumTitle).map(Into::into)
    }

    /// Track number on the album.
    pub fn track(&self) -> Option<u32> {
        self.text(ItemKey::TrackNumber)?.parse().ok()
    }

    /// Tempo in beats per minute.
    pub fn bpm(&self) -> Option<f32> {
        self.text(ItemKey::Bpm).and_then(tempo_of)
    }

    /// Key as text.
    pub fn key(&self) -> Option<String> {
        self.text(ItemKey::InitialKey).and_then(key_of)
    }

    /// PNG and JPEG pictures; usually only the cover.
    pub fn pictures(&self) -> &[(Picture, PictureInformation)] {
        &self.pictures
    }

    /// Time of recording of a song from a Broadcast WAV.
    pub fn broadcast(&self) -> Option<&Broadcast> {
        self.broadcast.as_ref()
    }

    fn text(&self, key: ItemKey) -> Option<&str> {
        self.items.iter().find(|item| item.key() == key)?.value().text()
    }

    /// Replaces the first text of this key.
    fn replace(&mut self, key: ItemKey, text: &str) {
        let Some(text) = clean(key, text) else {
            return;
        };
        let item = TagItem::new(key, ItemValue::Text(text));
        match self.items.iter_mut().find(|item| item.key() == key) {
            Some(old) => *old = item,
            None => self.push_within_limits(item),
        }
    }

    fn push(&mut self, key: ItemKey, text: &str) {
        let total = match key {
            ItemKey::TrackNumber => Some(ItemKey::TrackTotal),
            ItemKey::DiscNumber => Some(ItemKey::DiscTotal),
            _ => None,
        };
        if let (Some(total), Some((number, count))) = (total, text.split_once('/')) {
            self.push(key, number);
            self.push(total, count);
        } else if let Some(text) = clean(key, text) {
            match self.text(key).filter(|_| is_prose(key)) {
                Some(known) if known.contains(&text) => {}
                // Few formats, and fewer players, support more than one value.
                Some(known) => self.replace(key, &format!("{known}\n{text}")),
                None => self.push_within_limits(TagItem::new(key, ItemValue::Text(text))),
            }
        }
    }

    fn push_within_limits(&mut self, item: TagItem) {
        let bytes = |item: &TagItem| item.value().text().map_or(0, str::len);
        let total: usize = self.items.iter().map(bytes).sum();
        if self.items.len() < MOST_ITEMS && total + bytes(&item) <= MOST_TEXT {
            self.items.push(item);
        }
    }

    fn push_picture(&mut self, kind: PictureType, description: Option<&str>, bytes: &[u8]) {
        let mime = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            MimeType::Png
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            MimeType::Jpeg
        } else {
            return;
        };
        // MP4 does not store the type of its pictures.
        let is_cover = self.pictures.is_empty() && kind == PictureType::Other;
        let kind = if is_cover { PictureType::CoverFront } else { kind };
        let total: usize = self.pictures.iter().map(|(picture, _)| picture.data().len()).sum();
        if total + bytes.len() > MOST_PICTURES {
            return;
        }
        let mut picture = Picture::unchecked(bytes.to_vec()).pic_type(kind).mime_type(mime);
        if let Some(text) = description.and_then(|text| clean(ItemKey::TrackTitle, text)) {
            picture = picture.description(text);
        }
        let picture = picture.build();
        let size = guarded(|| PictureInformation::from_picture(&picture).ok()).flatten();
        self.pictures.push((picture, size.unwrap_or_default()));
    }
}

/// Whether `key` describes the source file or its exact samples.
fn is_of_the_file(key: ItemKey) -> bool {
    matches!(
        key,
        ItemKey::ReplayGainAlbumGain
            | ItemKey::ReplayGainAlbumPeak
            | ItemKey::ReplayGainTrackGain
            | ItemKey::ReplayGainTrackPeak
            | ItemKey::R128TrackGain
            | ItemKey::R128AlbumGain
            | ItemKey::AcoustId
            | ItemKey::AcoustIdFingerprint
            | ItemKey::EncodedBy
            | ItemKey::EncoderSoftware
            | ItemKey::EncoderSettings
            | ItemKey::EncodingTime
            | ItemKey::TaggingTime
            | ItemKey::Length
            | ItemKey::OriginalFileName
            | ItemKey::OriginalMediaType
            | ItemKey::AudioFileUrl
            | ItemKey::FileOwner
            | ItemKey::AppleXid
            | ItemKey::Popularimeter
    )
}

/// Canonical key for fields that formats name differently.
fn usual_key(key: ItemKey) -> ItemKey {
    match key {
        ItemKey::Year => ItemKey::RecordingDate,
        ItemKey::UnsyncLyrics => ItemKey::Lyrics,
        ItemKey::IntegerBpm => ItemKey::Bpm,
        ItemKey::Publisher => ItemKey::Label,
        ItemKey::AppleId3v2ContentGroup => ItemKey::ContentGroup,
        key => key,
    }
}

/// Whether texts of this key have several lines.
fn is_prose(key: ItemKey) -> bool {
    matches!(
        key,
        ItemKey::Comment | ItemKey::Description | ItemKey::Lyrics | ItemKey::PodcastDescription
    )
}

/// Removes control characters and limits the length; `None` if nothing is left. Prose keeps its
/// line breaks.
fn clean(key: ItemKey, text: &str) -> Option<String> {
    let longest = if is_prose(key) { LONGEST_PROSE } else { LONGEST_TEXT };
    let is_break = |c: char| is_prose(key) && matches!(c, '\n' | '\t');
    let plain = |c: char| if c.is_control() && !is_break(c) { ' ' } else { c };
    let text: String = text.replace("\r\n", "\n").chars().map(plain).take(longest).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
