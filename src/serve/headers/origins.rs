//! Pages that may send requests: the server's own. Pure.

/// A browser's information about the page that sends a request. Programs send none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sender<'a> {
    /// `Origin`
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`
    pub site: Option<&'a str>,
    /// `Sec-Fetch-Mode`
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`
    pub destination: Option<&'a str>,
}

impl Sender<'_> {
    /// Whether a request that reached the server as `host` comes from its own page, or from no page at
    /// all. Requests that only read are answered for links of other sites, too, but not for their
    /// scripts.
    pub fn may_send(self, host: &str, is_read: bool) -> bool {
        if let Some(site) = self.site
            && !matches!(site, "same-origin" | "none")
        {
            return is_read
                && self.mode == Some("navigate")
                && self.destination == Some("document");
        }
        let Some(origin) = self.origin else { return true };
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_and_programs_may_send() {
        const HOST: &str = "127.0.0.1:8077";
        let own = Sender {
            origin: Some("http://127.0.0.1:8077"),
            site: Some("same-origin"),
            ..Sender::default()
        };
        let typed = Sender { site: Some("none"), ..Sender::default() };
        for sender in [Sender::default(), own, Sender { site: None, ..own }, typed] {
            assert!(sender.may_send(HOST, false), "{sender:?}");
        }
        let link = Sender {
            site: Some("cross-site"),
            mode: Some("navigate"),
            destination: Some("document"),
            ..Sender::default()
        };
        assert!(
            link.may_send(HOST, true) && !link.may_send(HOST, false),
            "a link cannot send a form"
        );
        for origin in
            ["http://evil.example", "null", "http://127.0.0.1:80", "file://127.0.0.1:8077"]
        {
            for is_read in [true, false] {
                let sender = Sender { origin: Some(origin), ..Sender::default() };
                assert!(!sender.may_send(HOST, is_read), "{origin}");
            }
        }
        for site in ["cross-site", "same-site", ""] {
            assert!(
                !Sender { site: Some(site), ..Sender::default() }.may_send(HOST, true),
                "{site}"
            );
        }
    }
}
