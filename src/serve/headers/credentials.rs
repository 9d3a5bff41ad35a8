//! Tokens in headers. Pure.

/// The token of an `Authorization` header such as `Bearer abc`.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie in a `Cookie` header such as `a=1; name=value`.
pub fn cookie<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!((bearer("Basic abc"), bearer("abc"), bearer("")), (None, None, None));
        assert_eq!(cookie("a=b; token=abc; c=d", "token"), Some("abc"));
        assert_eq!(cookie("xtoken=abc", "token"), None);
        assert_eq!(cookie(";;=;token", "token"), None);
    }
}
