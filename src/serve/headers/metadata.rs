//! Metadata of resumable uploads (tus 1.0.0, extension creation). Pure.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The file's name in `Upload-Metadata`: `filename BASE64,…`.
pub fn file_name(metadata: &str) -> Option<String> {
    let mut pairs = metadata.split(',').filter_map(|pair| pair.trim().split_once(' '));
    let (_, value) = pairs.find(|(key, _)| *key == "filename")?;
    let name = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_read_from_the_metadata() {
        assert_eq!(file_name("filename c29uZy53YXY=").as_deref(), Some("song.wav"));
        let several = "filetype YXVkaW8=, filename c29uZy53YXY=,is_x";
        assert_eq!(file_name(several).as_deref(), Some("song.wav"));
        for wrong in ["", "filename", "filename !!", "filename /w==", "name c29uZw==", "filename "]
        {
            assert_eq!(file_name(wrong), None, "{wrong}");
        }
    }
}
