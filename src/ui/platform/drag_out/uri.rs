//! Paths as the text that a drop hands over. Pure.
//!
//! Sources: RFC 3986 (percent-encoding), RFC 8089 (`file:` URIs), RFC 2483 section 5
//! (`text/uri-list`: one URI a line, CRLF line ends).

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All characters except RFC 3986's unreserved ones and the slashes of a path.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The `text/uri-list` of absolute paths. Every byte of a Linux path is preserved.
pub fn uri_list(paths: &[PathBuf]) -> Vec<u8> {
    let mut list = String::new();
    for path in paths {
        list.push_str("file://");
        list.extend(percent_encode(path.as_os_str().as_bytes(), ENCODED));
        list.push_str("\r\n");
    }
    list.into_bytes()
}

/// The paths as plain text, one a line, for text fields and terminals.
pub fn plain_text(paths: &[PathBuf]) -> Vec<u8> {
    let names: Vec<&OsStr> = paths.iter().map(|path| Path::as_os_str(path)).collect();
    names.join(OsStr::new("\n")).to_string_lossy().into_owned().into_bytes()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode;
    use proptest::prelude::*;

    use super::*;

    fn list(path: impl AsRef<OsStr>) -> String {
        String::from_utf8(uri_list(&[PathBuf::from(path.as_ref())])).unwrap()
    }

    #[test]
    fn special_characters_are_encoded() {
        assert_eq!(list("/music/a-b_c.d~e.wav"), "file:///music/a-b_c.d~e.wav\r\n");
        assert_eq!(list("/50 % of ü#?&.wav"), "file:///50%20%25%20of%20%C3%BC%23%3F%26.wav\r\n");
        assert_eq!(list("/two\nlines"), "file:///two%0Alines\r\n");
        assert_eq!(list(OsStr::from_bytes(b"/not utf-8 \xff")), "file:///not%20utf-8%20%FF\r\n");
    }

    #[test]
    fn text_has_a_path_a_line() {
        let paths = ["/a b/ü%.wav", "/c"].map(PathBuf::from);
        assert_eq!(plain_text(&paths), "/a b/ü%.wav\n/c".as_bytes());
        assert_eq!(plain_text(&[]), b"");
    }

    proptest! {
        #[test]
        fn any_paths_come_back(names in prop::collection::vec("[^\0]{1,20}|[\x01-\u{ff}]{1,9}", 0..6)) {
            // Latin-1 bytes, so that many names are not UTF-8.
            let latin = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
            let bytes = names.iter().map(|name| name.chars().map(latin).collect::<Vec<_>>());
            let paths: Vec<PathBuf> =
                bytes.map(|name| Path::new("/").join(OsStr::from_bytes(&name))).collect();
            let list = String::from_utf8(uri_list(&paths)).unwrap();
            prop_assert!(list.is_ascii() && !list.contains(' '));
            let back = list.split_terminator("\r\n").map(|uri| {
                let path: Vec<u8> = percent_decode(uri.strip_prefix("file://").unwrap().as_bytes()).collect();
                PathBuf::from(OsStr::from_bytes(&path))
            });
            prop_assert_eq!(back.collect::<Vec<_>>(), paths);
        }
    }
}
