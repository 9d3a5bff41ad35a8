//! The mark in the tags of exported files, by which Partita recognises its own work.
//!
//! It is the software that wrote the file. Files of earlier versions lack that, and are recognised by
//! their comment. Copies that another program made of a file with its tags count as Partita's too.

use std::path::Path;

use lofty::{
    file::TaggedFileExt as _,
    tag::{ItemKey, Tag},
};

use crate::engine::{CancelToken, decode::tagged_file};

/// The software that writes the files, for the tags.
pub const SOFTWARE: &str = concat!("Partita ", env!("CARGO_PKG_VERSION"));

/// Beginning of every version's [`SOFTWARE`].
const ANY_VERSION: &str = "Partita ";

/// Beginning of the comment in every stem; the model's name follows.
pub const COMMENT: &str = "Separated by Partita with ";

/// Whether Partita wrote the audio file at `path`. Reads its tags alone; a file whose tags cannot be
/// read is not recognised.
pub fn is_own_file(path: &Path, cancel: &CancelToken) -> bool {
    let file = tagged_file(path, cancel);
    file.is_some_and(|file| file.tags().iter().any(is_marked))
}

fn is_marked(tag: &Tag) -> bool {
    // ID3v2 has one field for both keys.
    let mut software = [ItemKey::EncoderSoftware, ItemKey::EncoderSettings]
        .into_iter()
        .flat_map(|key| tag.get_strings(key));
    let mut lines = tag.get_strings(ItemKey::Comment).flat_map(str::lines);
    software.any(|text| text.starts_with(ANY_VERSION)) || lines.any(|it| it.starts_with(COMMENT))
}
