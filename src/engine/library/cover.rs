//! Covers: the picture in a file's tags, scaled down for display. Pictures are untrusted input:
//! they are decoded within limits, and a failure counts as no cover.

use std::{io::Cursor, path::Path};

use image::{ImageReader, Limits, imageops::FilterType};

use crate::engine::{system::panics::guarded, types::Thumbnail};

/// File name of the cover in a song's folder.
pub const FILE: &str = "cover";

const SIDE_PIXELS: u32 = 192;
const MAX_SOURCE_SIDE_PIXELS: u32 = 10_000;
/// Decoding memory in bytes; enough for 36 megapixels.
const MAX_DECODE_BYTES: u64 = 128 << 20;

/// Decodes the picture in `bytes` (PNG or JPEG) to at most 192 × 192 pixels; `None` if unreadable,
/// because a broken cover must not stop anything.
pub fn thumbnail(bytes: &[u8]) -> Option<Thumbnail> {
    guarded(|| read_thumbnail(bytes)).flatten()
}

fn read_thumbnail(bytes: &[u8]) -> Option<Thumbnail> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SOURCE_SIDE_PIXELS);
    limits.max_image_height = Some(MAX_SOURCE_SIDE_PIXELS);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let small = picture.resize(SIDE_PIXELS, SIDE_PIXELS, FilterType::Triangle).into_rgba8();
    Some(Thumbnail { width: small.width(), height: small.height(), rgba: small.into_raw() })
}

/// Loads the cover stored in a song's folder.
pub fn load(folder: &Path) -> Option<Thumbnail> {
    thumbnail(&std::fs::read(folder.join(FILE)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape() {
        let mut bytes = Vec::new();
        image::RgbImage::from_pixel(800, 400, image::Rgb([10, 200, 30]))
            .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        let small = thumbnail(&bytes).unwrap();
        assert_eq!((small.width, small.height), (192, 96));
        assert_eq!(small.rgba[..4], [10, 200, 30, 255]);
    }

    #[test]
    fn invalid_pictures_become_no_cover() {
        assert_eq!(thumbnail(b"not a picture"), None);
        assert_eq!(thumbnail(&[]), None);
    }
}
