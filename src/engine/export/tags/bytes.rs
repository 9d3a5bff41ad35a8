//! Tags as the bytes that each kind of file wants; made by lofty, whose few gaps are filled here.

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

/// Between the values of what a format can say but once.
const BETWEEN_VALUES: &str = "; ";

/// What MP4 keeps as numbers: beats a minute, movement, how many movements there are.
pub const TEMPO: AtomIdent<'static> = AtomIdent::Fourcc(*b"tmpo");
const NUMBERS: [AtomIdent<'static>; 3] =
    [TEMPO, AtomIdent::Fourcc(*b"\xa9mvi"), AtomIdent::Fourcc(*b"\xa9mvc")];

impl Tags {
    /// A whole ID3v2.4 tag; empty when there is nothing to say.
    ///
    /// # Errors
    /// When they cannot be put into that form.
    pub fn id3v2(&self) -> io::Result<Vec<u8>> {
        let mut tag = self.tag(TagType::Id3v2);
        for (picture, _) in &self.pictures {
            tag.push_picture(picture.clone());
        }
        bytes_of(&in_fixed_order(tag.into())?)
    }

    /// What a LIST chunk of a RIFF file holds, from "INFO" on; empty when there is nothing to say.
    ///
    /// # Errors
    /// When they cannot be put into that form.
    pub fn riff_info(&self) -> io::Result<Vec<u8>> {
        const HEADER: usize = 8;
        let mut chunk = bytes_of(&RiffInfoList::from(self.tag(TagType::RiffInfo)))?;
        chunk.drain(..HEADER.min(chunk.len()));
        Ok(chunk)
    }

    /// Names and values of Vorbis comments, without the pictures.
    pub fn vorbis_comments(&self) -> Vec<(String, String)> {
        let comments = VorbisComments::from(self.tag(TagType::VorbisComments));
        // For lofty this is the vendor, which names the library that encodes.
        let software = self.text(ItemKey::EncoderSoftware).map(|text| ("ENCODER", text));
        let named = software.into_iter().chain(comments.items());
        named.map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// A whole `ilst` atom; empty when there is nothing to say.
    ///
    /// # Errors
    /// When they cannot be put into that form.
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

    /// The texts as lofty's tag of one kind.
    pub(super) fn tag(&self, kind: TagType) -> Tag {
        let mut tag = Tag::new(kind);
        for item in &self.items {
            let key = item.key();
            let known = match kind {
                TagType::RiffInfo | TagType::Mp4Ilst => tag.get_string(key),
                _ => None, // has as many values as there are
            };
            // What only some programs know, in MP4, may be there more than once.
            let is_free = key.map_key(kind).is_some_and(|name| name.starts_with("----"));
            let text = item.value().text().unwrap_or_default();
            let is_told = match known {
                Some(known) if !is_free => {
                    let all = [known, text].join(BETWEEN_VALUES);
                    tag.insert_text(key, all)
                }
                _ => tag.push(item.clone()),
            };
            if let Some(other) = other_item(key, text)
                && (!is_told || key == ItemKey::Bpm)
            {
                tag.push(other);
            }
        }
        tag
    }
}

/// The frames of a tag in the order of their bytes, the pictures last and as they came: lofty collects
/// the others in a hash set, whose order is another each time.
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

/// As lofty writes them; nothing for no tag.
pub fn bytes_of(tag: &impl TagExt) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tag.dump_to(&mut bytes, WriteOptions::default()).map_err(io::Error::other)?;
    Ok(bytes)
}

/// What says the same where a format does not know `key`. Beats may be told both ways.
fn other_item(key: ItemKey, text: &str) -> Option<TagItem> {
    let (key, text) = match key {
        ItemKey::Bpm => {
            let beats: f64 = text.parse().ok()?;
            let is_possible = (1.0..1_000.0).contains(&beats);
            (ItemKey::IntegerBpm, is_possible.then(|| beats.round().to_string())?)
        }
        // ID3v2 knows no others.
        ItemKey::Lyrics => (ItemKey::UnsyncLyrics, text.to_owned()),
        _ => return None,
    };
    Some(TagItem::new(key, ItemValue::Text(text)))
}

/// Makes a number of what lofty would write as text, where only numbers are understood.
fn as_number(ilst: &mut Ilst, name: &AtomIdent<'static>) {
    if let Some(number) = number_of(ilst, name) {
        ilst.replace_atom(Atom::new(name.clone(), AtomData::SignedInteger(number)));
    } else {
        ilst.remove(name).for_each(drop);
    }
}

/// A number, which lofty reads as one or as text, by the way it came.
pub fn number_of(ilst: &Ilst, name: &AtomIdent<'_>) -> Option<i32> {
    match ilst.get(name)?.data().next()? {
        AtomData::UTF8(text) => text.trim().parse().ok(),
        AtomData::SignedInteger(number) => Some(*number),
        AtomData::UnsignedInteger(number) => (*number).try_into().ok(),
        _ => None,
    }
}
