//! Tags serialised for each kind of file by lofty, whose few gaps this module fills.

use std::io;

use lofty::{
    config::WriteOptions,
    id3::v2::{Frame, Id3v2Tag},
    iff::wav::RiffInfoList,
    mp4::{Atom, AtomData, AtomIdent, Ilst},
    ogg::tag::VorbisComments,
    tag::{ItemKey, ItemValue, Tag, TagExt, TagItem, TagType},
};

use super::Tags;

/// Separator between the values of a field that a format allows only once.
const BETWEEN_VALUES: &str = "; ";

/// Integer fields of MP4: beats per minute, movement number, and movement count.
pub const TEMPO: AtomIdent<'static> = AtomIdent::Fourcc(*b"tmpo");
const NUMBERS: [AtomIdent<'static>; 3] =
    [TEMPO, AtomIdent::Fourcc(*b"\xa9mvi"), AtomIdent::Fourcc(*b"\xa9mvc")];

impl Tags {
    /// Builds a complete ID3v2.4 tag; empty if there are no tags.
    ///
    /// # Errors
    /// Fails if lofty cannot serialise the tags.
    pub fn id3v2(&self) -> io::Result<Vec<u8>> {
        let mut tag = self.tag(TagType::Id3v2);
        for (picture, _) in &self.pictures {
            tag.push_picture(picture.clone());
        }
        bytes_of(&in_fixed_order(tag.into())?)
    }

    /// Builds the content of a RIFF LIST chunk, from "INFO" on; empty if there are no tags.
    ///
    /// # Errors
    /// Fails if lofty cannot serialise the tags.
    pub fn riff_info(&self) -> io::Result<Vec<u8>> {
        const HEADER: usize = 8;
        let mut chunk = bytes_of(&RiffInfoList::from(self.tag(TagType::RiffInfo)))?;
        chunk.drain(..HEADER.min(chunk.len()));
        Ok(chunk)
    }

    /// Names and values of Vorbis comments, without the pictures.
    pub fn vorbis_comments(&self) -> Vec<(String, String)> {
        let comments = VorbisComments::from(self.tag(TagType::VorbisComments));
        // lofty treats this key as the vendor string, which names the encoding library.
        let software = self.text(ItemKey::EncoderSoftware).map(|text| ("ENCODER", text));
        let named = software.into_iter().chain(comments.items());
        named.map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// Builds a complete `ilst` atom; empty if there are no tags.
    ///
    /// # Errors
    /// Fails if lofty cannot serialise the tags.
    pub fn ilst(&self) -> io::Result<Vec<u8>> {
        let mut tag = self.tag(TagType::Mp4Ilst);
        for (picture, _) in &self.pictures {
            tag.push_picture(picture.clone());
        }
        let mut ilst = Ilst::from(tag);
        for name in &NUMBERS {
            as_number(&mut ilst, name);
        }
        bytes_of(&ilst)
    }

    /// Converts the texts to a lofty tag of one kind.
    pub(super) fn tag(&self, kind: TagType) -> Tag {
        let mut tag = Tag::new(kind);
        for item in &self.items {
            let key = item.key();
            let known = match kind {
                TagType::RiffInfo | TagType::Mp4Ilst => tag.get_string(key),
                _ => None, // allows several values per key
            };
            // Freeform MP4 atoms may occur more than once.
            let is_free = key.map_key(kind).is_some_and(|name| name.starts_with("----"));
            let text = item.value().text().unwrap_or_default();
            let is_written = match known {
                Some(known) if !is_free => {
                    let all = [known, text].join(BETWEEN_VALUES);
                    tag.insert_text(key, all)
                }
                _ => tag.push(item.clone()),
            };
            if let Some(other) = other_item(key, text)
                && (!is_written || key == ItemKey::Bpm)
            {
                tag.push(other);
            }
        }
        tag
    }
}

/// Sorts the frames of a tag by their bytes, with the pictures last in their given order. lofty
/// collects the other frames in a hash set, whose order varies between runs.
fn in_fixed_order(tag: Id3v2Tag) -> io::Result<Id3v2Tag> {
    const HEADER: usize = 10;
    let mut frames = Vec::new();
    for frame in tag {
        let is_picture = matches!(frame, Frame::Picture(_));
        let mut bytes = Vec::new();
        if !is_picture {
            let mut alone = Id3v2Tag::new();
            alone.insert(frame.clone());
            bytes = bytes_of(&alone)?.split_off(HEADER);
        }
        frames.push((is_picture, bytes, frame));
    }
    frames.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut ordered = Id3v2Tag::new();
    for (_, _, frame) in frames {
        ordered.insert(frame);
    }
    Ok(ordered)
}

/// Serialises a tag with lofty; an empty tag becomes no bytes.
pub fn bytes_of(tag: &impl TagExt) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tag.dump_to(&mut bytes, WriteOptions::default()).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Returns an equivalent item for a format that does not support `key`. The tempo may exist in both
/// forms.
fn other_item(key: ItemKey, text: &str) -> Option<TagItem> {
    let (key, text) = match key {
        ItemKey::Bpm => {
            let beats: f64 = text.parse().ok()?;
            let is_possible = (1.0..1_000.0).contains(&beats);
            (ItemKey::IntegerBpm, is_possible.then(|| beats.round().to_string())?)
        }
        // ID3v2 supports only unsynchronised lyrics.
        ItemKey::Lyrics => (ItemKey::UnsyncLyrics, text.to_owned()),
        _ => return None,
    };
    Some(TagItem::new(key, ItemValue::Text(text)))
}

/// Converts a text atom of lofty to a number, where readers only understand numbers.
fn as_number(ilst: &mut Ilst, name: &AtomIdent<'static>) {
    if let Some(number) = number_of(ilst, name) {
        ilst.replace_atom(Atom::new(name.clone(), AtomData::SignedInteger(number)));
    } else {
        ilst.remove(name).for_each(drop);
    }
}

/// Reads a number, which lofty returns as a number or as text depending on its origin.
pub fn number_of(ilst: &Ilst, name: &AtomIdent<'_>) -> Option<i32> {
    match ilst.get(name)?.data().next()? {
        AtomData::UTF8(text) => text.trim().parse().ok(),
        AtomData::SignedInteger(number) => Some(*number),
        AtomData::UnsignedInteger(number) => (*number).try_into().ok(),
        _ => None,
    }
}
