//! Byte ranges of requests (RFC 9110, section 14). Pure.

use std::ops::Range;

/// The part of a content that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    All,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that do not exist.
    Outside,
}

/// Parses the value of `Range` for a content of `bytes` bytes. Units other than bytes, several ranges
/// and invalid values are ignored, which the standard permits.
pub fn asked(value: Option<&str>, bytes: u64) -> Asked {
    let Some((first, last)) =
        value.and_then(|value| value.trim().strip_prefix("bytes=")?.split_once('-'))
    else {
        return Asked::All;
    };
    let number = |text: &str| {
        let text = text.trim();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit name a byte past the end.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            None => Asked::All,
            Some(0) => Asked::Outside,
            Some(_) if bytes == 0 => Asked::Outside,
            Some(count) => Asked::Part(bytes.saturating_sub(count)..bytes),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), None) if last.is_empty() => from(first, bytes, bytes),
            (Some(first), Some(last)) if first <= last => {
                from(first, last.saturating_add(1).min(bytes), bytes)
            }
            _ => Asked::All,
        },
    }
}

fn from(first: u64, end: u64, bytes: u64) -> Asked {
    if first < bytes { Asked::Part(first..end) } else { Asked::Outside }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_follow_the_standard() {
        for (value, expected) in [
            ("bytes=0-499", Asked::Part(0..500)),
            ("bytes=500-", Asked::Part(500..1000)),
            ("bytes=-300", Asked::Part(700..1000)),
            ("bytes=-3000", Asked::Part(0..1000)),
            ("bytes=900-99999999999999999999999", Asked::Part(900..1000)),
            ("bytes=1000-", Asked::Outside),
            ("bytes=99999999999999999999999-", Asked::Outside),
            ("bytes=-0", Asked::Outside),
            ("bytes=5-4", Asked::All),
            ("bytes=0-1,5-6", Asked::All),
            ("bytes=-", Asked::All),
            ("bytes=a-b", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("items=0-1", Asked::All),
        ] {
            assert_eq!(asked(Some(value), 1000), expected, "{value}");
        }
        assert_eq!(asked(None, 1000), Asked::All);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Outside);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_content(value in "bytes=[-0-9, ]{0,30}", bytes in any::<u64>()) {
            if let Asked::Part(range) = asked(Some(&value), bytes) {
                prop_assert!(range.start < range.end && range.end <= bytes);
            }
        }
    }
}
