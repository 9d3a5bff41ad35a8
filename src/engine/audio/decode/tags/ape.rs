//! APE tags, versions 1 and 2. Pure.
//!
//! Source: the APEv2 specification of Hydrogenaudio. Items with invalid UTF-8 or a forbidden key
//! are skipped individually, whereas lofty rejects the whole tag.

use lofty::{
    ape::{ApeItem, ApeTag},
    picture::{Picture, PictureType},
    tag::{ItemValue, Tag},
};

use super::{image_in, latin1};

/// Maximum number of items read.
const MOST_ITEMS: usize = 4096;
/// Bytes of a header, and of a footer.
const MARK_BYTES: usize = 32;
const MARK: &[u8] = b"APETAGEX";
/// Prefix of picture keys.
const PICTURE: &str = "cover art (";

/// Parses a tag: its items, with a leading header or a trailing footer.
pub fn parse(tag: &[u8]) -> Tag {
    let mut rest = if tag.starts_with(MARK) {
        &tag[MARK_BYTES.min(tag.len())..]
    } else {
        &tag[..tag.len().saturating_sub(MARK_BYTES)]
    };
    let (mut texts, mut pictures) = (ApeTag::default(), Vec::new());
    for _ in 0..MOST_ITEMS {
        let Some((key, flags, value, next)) = item(rest) else { break };
        rest = next;
        if key.get(..PICTURE.len()).is_some_and(|start| start.eq_ignore_ascii_case(PICTURE)) {
            pictures.extend(picture(&key, value));
        } else if matches!(flags >> 1 & 3, 0 | 2)
            && let Ok(item) = ApeItem::new(key, ItemValue::Text(text(value)))
        {
            let is_known = texts.get(item.key()).is_some();
            if !is_known && item.value().text().is_some_and(|text| !text.trim().is_empty()) {
                texts.insert(item);
            }
        }
    }
    let mut tag = Tag::from(texts);
    for picture in pictures {
        tag.push_picture(picture);
    }
    tag
}

/// Key, flags and value of the first item, and the remaining bytes.
fn item(bytes: &[u8]) -> Option<(String, u32, &[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let end = rest.iter().take(256).position(|byte| *byte == 0)?;
    let (key, rest) = (&rest[..end], &rest[end + 1..]);
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    Some((latin1(key), u32::from_le_bytes(*flags), value, rest))
}

/// Decodes a text; version 1 allows other encodings than UTF-8. Values are separated by zero bytes.
fn text(value: &[u8]) -> String {
    let text = std::str::from_utf8(value).map_or_else(|_| latin1(value), Into::into);
    text.trim_end_matches('\0').to_owned()
}

/// Decodes a picture: its file name, a zero byte, and its bytes. Some programs omit the name.
fn picture(key: &str, value: &[u8]) -> Option<Picture> {
    const LONGEST_NAME: usize = 1024;
    let at = image_in(&value[..value.len().min(LONGEST_NAME)])?;
    let kind = match PictureType::from_ape_key(key) {
        PictureType::Undefined(_) if key.eq_ignore_ascii_case("cover art (front)") => {
            PictureType::CoverFront
        }
        kind => kind,
    };
    Some(Picture::unchecked(value[at..].to_vec()).pic_type(kind).build())
}

#[cfg(test)]
mod tests {
    use lofty::tag::{Accessor as _, ItemKey};

    use super::*;

    pub fn items(items: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, flags, value) in items {
            bytes.extend((value.len() as u32).to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.extend([key.as_bytes(), b"\0", value].concat());
        }
        bytes.extend([0; MARK_BYTES]);
        bytes
    }

    #[test]
    fn a_cover_follows_its_file_name() {
        let jpeg = [&[0xff, 0xd8, 0xff, 0xe0][..], &vec![7; 40_000]].concat();
        let named = [b"cover\xc3\xa4.jpg\0", &jpeg[..]].concat();
        for (key, value) in [("Cover Art (Front)", &named), ("COVER ART (FRONT)", &jpeg)] {
            let tag = parse(&items(&[("Title", 0, b"A Title"), (key, 2, value)]));
            assert_eq!(tag.title().as_deref(), Some("A Title"));
            assert_eq!(tag.pictures()[0].pic_type(), PictureType::CoverFront);
            assert!(tag.pictures()[0].data() == jpeg, "the cover differs");
        }
    }

    #[test]
    fn an_invalid_item_leaves_the_others() {
        let tag = parse(&items(&[
            ("ID3", 0, b"a key that is not allowed"),
            ("ARTIST", 0, b"Anna\0Bert"),
            ("Album", 0, b"\0"),
            ("Album", 0, b"M\xfcll"),
            ("Track", 0, b"03/12"),
            ("Blob", 2, b"\xff\xff"),
            ("Kind", 6, b"not a kind"),
        ]));
        assert_eq!(tag.get_strings(ItemKey::TrackArtist).collect::<Vec<_>>(), ["Anna", "Bert"]);
        assert_eq!(tag.album().as_deref(), Some("Müll"));
        assert_eq!(tag.get_string(ItemKey::TrackTotal), Some("12"));
        let whole = items(&[("Title", 0, b"A Title"), ("Artist", 0, b"Anna")]);
        for cut in 0..whole.len() {
            parse(&whole[..cut]);
        }
    }
}
