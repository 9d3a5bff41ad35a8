//! The mark in the tags of exported files, by which Partita recognises its own files.
//!
//! The mark is the name of the encoding software. Files of earlier versions lack it and are
//! recognised by their comment. Copies that another program made with the tags also count as
//! Partita's.

use std::{fs::File, io::Read as _, iter, path::Path};

use lofty::tag::{ItemKey, Tag};

use crate::engine::{audio::decode::read_tags, types::CancelToken};

/// Name of the encoding software in the tags.
pub const SOFTWARE: &str = concat!("Partita ", env!("CARGO_PKG_VERSION"));

/// Common prefix of [`SOFTWARE`] in all versions.
const ANY_VERSION: &str = "Partita ";

/// Prefix of the comment in every stem; the model's name follows.
pub const COMMENT: &str = "Separated by Partita with ";

/// Whether Partita wrote the audio file at `path`. Reads only the tags; a file with unreadable tags
/// is not recognised.
pub fn is_own_file(path: &Path, cancel: &CancelToken) -> bool {
    read_tags(path, cancel).iter().any(is_marked) || is_marked_rf64(path)
}

fn is_marked(tag: &Tag) -> bool {
    // ID3v2 uses one field for both keys.
    let mut software = [ItemKey::EncoderSoftware, ItemKey::EncoderSettings]
        .into_iter()
        .flat_map(|key| tag.get_strings(key));
    let mut lines = tag.get_strings(ItemKey::Comment).flat_map(str::lines);
    software.any(|text| text.starts_with(ANY_VERSION))
        || lines.any(|line| line.starts_with(COMMENT))
}

/// Whether a WAV file above 4 GB carries the mark. lofty does not read tags of such files, so this
/// looks for the INFO chunk before the samples.
fn is_marked_rf64(path: &Path) -> bool {
    const HEAD_BYTES: u64 = 1 << 16;
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    let is_rf64 = head.starts_with(b"RF64") && head.get(8..12) == Some(b"WAVE");
    if read.is_err() || !is_rf64 {
        return false;
    }
    let infos = chunks(&head[12..]).filter(|(name, _)| *name == b"LIST");
    let mut texts = infos.filter_map(|(_, body)| body.strip_prefix(b"INFO")).flat_map(chunks);
    texts.any(|(name, text)| match name {
        b"ISFT" => text.starts_with(ANY_VERSION.as_bytes()),
        b"ICMT" => {
            text.split(|byte| *byte == b'\n').any(|line| line.starts_with(COMMENT.as_bytes()))
        }
        _ => false,
    })
}

/// Yields names and contents of the chunks in `rest`; the last content may be truncated.
fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    iter::from_fn(move || {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (size, body) = after.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(*size) as usize;
        // Chunks begin at even offsets.
        rest = body.get(size.saturating_add(size % 2)..).unwrap_or_default();
        Some((name, &body[..size.min(body.len())]))
    })
}
