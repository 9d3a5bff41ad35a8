//! Texts of ID3v2 frames in their declared or actual encoding. Pure.

use super::latin1;

/// Text encodings by their numbers in a frame.
const UTF_16: u8 = 1;
const UTF_16_BE: u8 = 2;
const UTF_8: u8 = 3;

/// Whether a frame of this kind consists of an encoding and a text, and may occur only once per
/// tag.
pub fn is_plain_text(id: &[u8]) -> bool {
    id.first() == Some(&b'T') && !matches!(id, b"TXXX" | b"TXX")
}

/// Whether a text written by [`mend`] is blank.
pub fn is_empty(content: &[u8]) -> bool {
    decode(content.first().copied().unwrap_or(0), content.get(1..).unwrap_or_default())
        .chars()
        .all(|c| c == '\0' || c.is_whitespace())
}

/// Rewrites the text of a text, comment or lyrics frame as UTF-8; in ID3v2.2, as UTF-16 with a byte
/// order mark.
pub fn mend(version: u8, id: &[u8], content: &mut Vec<u8>) {
    const LANGUAGE: usize = 3;
    let kept = match id {
        [b'T', ..] | b"GRP1" | b"MVNM" | b"MVIN" => 0,
        b"COMM" | b"COM" | b"USLT" | b"ULT" => LANGUAGE,
        _ => return,
    };
    let Some((&encoding, rest)) = content.split_first() else { return };
    let Some((language, bytes)) = rest.split_at_checked(kept) else { return };
    // Without an encoding number, the text begins immediately.
    let text =
        if encoding > UTF_8 && kept == 0 { latin1(content) } else { decode(encoding, bytes) };
    let text = text.trim_end_matches('\0');
    *content = if version == 2 {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let text: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        [&[UTF_16], language, &text].concat()
    } else {
        [&[UTF_8], language, text.as_bytes()].concat()
    };
}

/// Decodes text with this encoding number. Values stay separated by zero characters.
pub fn decode(encoding: u8, bytes: &[u8]) -> String {
    match encoding {
        UTF_16 | UTF_16_BE => utf_16(bytes, encoding == UTF_16_BE),
        // Some programs mark Latin-1 as UTF-8.
        UTF_8 => {
            let text = std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned);
            text.replace('\u{feff}', "")
        }
        _ => latin1(bytes),
    }
}

/// Decodes UTF-16 with a byte order mark before each value, before the first, or none at all.
/// Without a mark, the zero bytes that most scripts contain reveal the byte order; otherwise
/// `is_big` decides.
fn utf_16(bytes: &[u8], is_big: bool) -> String {
    let pairs = || bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let zeros = |at: usize| pairs().filter(|pair| pair[at] == 0 && pair[1 - at] != 0).count();
    let mut is_big = match zeros(0).cmp(&zeros(1)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => is_big,
    };
    let mut units = Vec::with_capacity(bytes.len() / 2);
    let mut is_first = true;
    for pair in pairs() {
        match pair {
            [0xff, 0xfe] if is_first => is_big = false,
            [0xfe, 0xff] if is_first => is_big = true,
            _ if is_big => units.push(u16::from_be_bytes(pair)),
            _ => units.push(u16::from_le_bytes(pair)),
        }
        is_first = pair == [0, 0];
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(id: &[u8], content: &[u8]) -> String {
        let mut content = content.to_vec();
        mend(4, id, &mut content);
        assert_eq!(content[0], UTF_8);
        String::from_utf8(content[1..].to_vec()).unwrap()
    }

    #[test]
    fn reads_utf_16_with_and_without_marks() {
        let (little, big) = (b"\x01M\0\xfc\0l\0", b"\x01\0M\0\xfc\0l");
        assert_eq!(mended(b"TIT2", little), "Mül");
        assert_eq!(mended(b"TIT2", big), "Mül");
        assert_eq!(mended(b"TIT2", b"\x02\0M\0\xfc\0l"), "Mül");
        assert_eq!(
            mended(b"TIT2", b"\x02M\0\xfc\0l\0"),
            "Mül",
            "little-endian despite the encoding number"
        );
        assert_eq!(mended(b"TIT2", b"\x01\xff\xfeM\0\xfc\0l\0\0\0"), "Mül");
        assert_eq!(mended(b"TIT2", b"\x01\xfe\xff\0M\0\xfc\0l\0"), "Mül", "trailing odd byte");
        // Scripts whose code units have no zero bytes are read by the encoding number.
        assert_eq!(mended(b"TIT2", b"\x01\x66\x8a\xd3\x9a"), "試髓");
        assert_eq!(mended(b"TIT2", b"\x02\x8a\x66\x9a\xd3"), "試髓");
    }

    #[test]
    fn values_stay_separate_and_lose_their_marks() {
        let two = b"\x01\xff\xfeA\0n\0\0\0\xff\xfeB\0o\0\0\0";
        assert_eq!(mended(b"TPE1", two), "An\0Bo");
        assert_eq!(mended(b"TPE1", b"\x03An\0Bo\0"), "An\0Bo");
        assert_eq!(mended(b"TXXX", b"\x01N\0\0\0v\0"), "N\0v");
    }

    #[test]
    fn falls_back_to_latin_1() {
        assert_eq!(mended(b"TIT2", b"\0\xcf\xf0\xe8"), "Ïðè", "CP1251 as Latin-1");
        assert_eq!(mended(b"TIT2", b"\x03M\xfcl"), "Mül", "Latin-1 as UTF-8");
        assert_eq!(mended(b"TIT2", b"Title"), "Title", "no encoding number");
        assert_eq!(mended(b"COMM", b"\x01eng\0\0H\0i\0"), "eng\0Hi");
        let mut old = b"\0M\xfcl".to_vec();
        mend(2, b"TT2", &mut old);
        assert_eq!(old, b"\x01\xff\xfeM\0\xfc\0l\0");
    }
}
