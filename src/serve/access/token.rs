//! The token that opens the server to other computers: 256 random bits, of which the data folder holds
//! only the digest. Reads and writes one file at the start.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    engine::{Problem, Result, system::atomic_file::write_atomically},
    serve::headers::credentials,
};

/// Name of the cookie that holds the token.
pub(in crate::serve) const COOKIE: &str = "partita_token";
/// File in the data folder.
const FILE: &str = "server.json";
const BYTES: usize = 32;
/// Maximum length of the file in bytes.
const MOST_BYTES: u64 = 4096;

/// The digest of the token.
pub(super) struct Tokens {
    digest: [u8; BYTES],
}

/// Content of the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// SHA-256 of the token, in base64.
    token_digest: String,
}

impl Tokens {
    /// Reads the digest in the data folder `home`. Makes a token if none exists, or if `renews`; a
    /// new token is returned, and cannot be read again.
    ///
    /// # Errors
    /// The file cannot be read or written, or there are no random numbers.
    pub fn open(home: &Path, renews: bool) -> Result<(Self, Option<String>)> {
        let path = home.join(FILE);
        if !renews && let Some(tokens) = Self::read(&path)? {
            return Ok((tokens, None));
        }
        let mut random = [0; BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Problem::write(&path, io::Error::other(error.to_string())))?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(random);
        let digest = digest_of(&token);
        let stored = Stored { token_digest: BASE64_URL_SAFE_NO_PAD.encode(digest) };
        let json = serde_json::to_vec_pretty(&stored)
            .map_err(|error| Problem::write(&path, io::Error::from(error)))?;
        write_atomically(&path, &json)?;
        only_for_the_user(&path).map_err(|error| Problem::write(&path, error))?;
        Ok((Self { digest }, Some(token)))
    }

    fn read(path: &PathBuf) -> Result<Option<Self>> {
        let text = match fs::metadata(path) {
            Ok(file) if file.len() > MOST_BYTES => return Ok(None),
            Ok(_) => fs::read_to_string(path),
            Err(error) => Err(error),
        };
        let text = match text {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Problem::read(path, error)),
        };
        let stored: Option<Stored> = serde_json::from_str(&text).ok();
        let digest =
            stored.and_then(|stored| BASE64_URL_SAFE_NO_PAD.decode(stored.token_digest).ok());
        Ok(digest.and_then(|digest| digest.try_into().ok()).map(|digest| Self { digest }))
    }

    /// Whether a client sent the token. Takes equally long for every wrong one.
    pub fn is_right(&self, sent: &str) -> bool {
        digest_of(sent).ct_eq(&self.digest).into()
    }
}

/// Hides the file from other users. Windows does so by the folder.
fn only_for_the_user(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn digest_of(token: &str) -> [u8; BYTES] {
    Sha256::digest(token.as_bytes()).into()
}

/// The token of a request, in `Authorization` or in the cookie.
pub(super) fn sent(headers: &HeaderMap) -> Option<String> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    if let Some(authorization) = headers.get(header::AUTHORIZATION).and_then(text) {
        return credentials::bearer(&authorization).map(str::to_owned);
    }
    let mut cookies = headers.get_all(header::COOKIE).into_iter().filter_map(text);
    cookies.find_map(|cookies| credentials::cookie(&cookies, COOKIE).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_its_digest_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let (tokens, new) = Tokens::open(home.path(), false).unwrap();
        let token = new.unwrap();
        assert!(tokens.is_right(&token) && !tokens.is_right("") && !tokens.is_right(&token[1..]));
        let stored = fs::read_to_string(home.path().join(FILE)).unwrap();
        assert!(!stored.contains(&token));
        let (tokens, new) = Tokens::open(home.path(), false).unwrap();
        assert!(new.is_none() && tokens.is_right(&token));
        let (tokens, new) = Tokens::open(home.path(), true).unwrap();
        assert!(new.is_some_and(|new| tokens.is_right(&new)) && !tokens.is_right(&token));
    }

    #[cfg(unix)]
    #[test]
    fn other_users_cannot_read_the_digest() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        Tokens::open(home.path(), false).unwrap();
        let mode = fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        for damage in ["", "{}", r#"{"token_digest":"AA"}"#, "\u{0}"] {
            fs::write(home.path().join(FILE), damage).unwrap();
            assert!(Tokens::open(home.path(), false).unwrap().1.is_some(), "{damage}");
        }
    }
}
