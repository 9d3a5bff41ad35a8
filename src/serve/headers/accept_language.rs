//! Languages that a client prefers (RFC 9110, section 12.5.4). Pure.

/// Maximum number of languages that are read.
const MOST: usize = 32;

/// The languages of a header such as `pt-BR,pt;q=0.9,en;q=0.8`, the preferred one first. Those without
/// weight, and invalid entries, are left out.
pub fn by_weight(accepted: &str) -> Vec<&str> {
    let weighted = |entry: &'_ str| -> Option<f32> {
        let weight = entry.split(';').skip(1).find_map(|part| part.trim().strip_prefix("q="));
        weight.map_or(Some(1.0), |weight| weight.parse().ok())
    };
    let mut languages: Vec<(f32, &str)> = accepted
        .split(',')
        .take(MOST)
        .filter_map(|entry| Some((weighted(entry)?, entry.split(';').next()?.trim())))
        .filter(|(weight, language)| *weight > 0.0 && !language.is_empty())
        .collect();
    languages.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    languages.into_iter().map(|(_, language)| language).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_greatest_weight_is_first() {
        for (accepted, expected) in [
            ("pt-BR,pt;q=0.9,en;q=0.8", &["pt-BR", "pt", "en"][..]),
            ("de, en;q=0.5, pt;q=0.7", &["de", "pt", "en"]),
            ("en, pt", &["en", "pt"]),
            ("pt;q=0, en;q=0.1", &["en"]),
            ("en;q=NaN, pt;q=x", &[]),
            ("", &[]),
            (";;;,q=1,\u{0}", &["q=1", "\u{0}"]),
        ] {
            assert_eq!(by_weight(accepted), expected, "{accepted}");
        }
        assert_eq!(by_weight(&"en,".repeat(1000)).len(), MOST);
    }
}
