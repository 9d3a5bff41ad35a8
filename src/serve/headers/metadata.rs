//! Metadata of resumable uploads (tus 1.0.0, extension creation). Pure.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Metadata that is not a list of keys with values in Base64.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// The file's name in `Upload-Metadata`, if it has one: `filename BASE64,…`. A key may have no value.
///
/// # Errors
/// [`Malformed`] if a value is not Base64, or the name is not UTF-8.
pub fn file_name(metadata: &str) -> Result<Option<String>, Malformed> {
    let mut name = None;
    for pair in metadata.split(',').map(str::trim) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = BASE64_STANDARD.decode(value.trim()).map_err(|_| Malformed)?;
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Malformed);
        }
        if key == "filename" {
            name = Some(String::from_utf8(value).map_err(|_| Malformed)?);
        }
    }
    Ok(name.filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_read_from_the_metadata() {
        let song = Ok(Some("song.wav".to_owned()));
        assert_eq!(file_name("filename c29uZy53YXY="), song);
        assert_eq!(file_name("filetype YXVkaW8=, filename c29uZy53YXY=,is_x"), song);
        for unnamed in ["", "filename", "name c29uZw==", "filename ", "is_x,is_y"] {
            assert_eq!(file_name(unnamed), Ok(None), "{unnamed}");
        }
        for wrong in ["filename !!", "filename /w==", "filename c29uZw", "x y z", "\0", "é YQ=="] {
            assert_eq!(file_name(wrong), Err(Malformed), "{wrong}");
        }
    }
}
