//! Pages that may send requests: the server's own. Pure.

use axum::http::{HeaderMap, header};

/// Whether a request that reached the server as `host` comes from its own page, or from no page at all.
/// Requests that only read are answered for links of other sites, too, but not for their scripts.
pub(super) fn permit(headers: &HeaderMap, host: &str, is_read: bool) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("invalid"));
    // Browsers send both for scripts and forms of other sites; programs send neither.
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        let is_link = is_read && text("sec-fetch-mode") == Some("navigate");
        return is_link && text("sec-fetch-dest") == Some("document");
    }
    match text(header::ORIGIN.as_str()) {
        None => true,
        Some(origin) => {
            let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            own.is_some_and(|own| own.eq_ignore_ascii_case(host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_and_programs_are_permitted() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (header::HeaderName::from_static(name), value.parse().unwrap())
            };
            pairs.iter().map(pair).collect()
        };
        let host = "127.0.0.1:8077";
        let own = [("origin", "http://127.0.0.1:8077"), ("sec-fetch-site", "same-origin")];
        for permitted in [&[][..], &own[..], &own[..1], &[("sec-fetch-site", "none")]] {
            assert!(permit(&headers(permitted), host, false), "{permitted:?}");
        }
        let navigation = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(permit(&headers(&navigation), host, true), "a link");
        assert!(!permit(&headers(&navigation), host, false), "a form");
        for rejected in [
            [("origin", "http://evil.example")],
            [("origin", "null")],
            [("origin", "http://127.0.0.1:80")],
            [("origin", "file://127.0.0.1:8077")],
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
        ] {
            for is_read in [true, false] {
                assert!(!permit(&headers(&rejected), host, is_read), "{rejected:?}");
            }
        }
    }
}
