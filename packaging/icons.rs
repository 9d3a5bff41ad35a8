//! Containers of the icon for Windows (ICO) and macOS (ICNS). Both hold PNG files as they are, so
//! each is a table before them. Pure; also used by `tests/packages.rs`.

use egui::IconData;
use image::{ImageError, ImageFormat, ImageResult, RgbaImage, error::LimitError};

/// Edges of the pictures of an ICO, in pixels.
const ICO: [u32; 6] = [16, 24, 32, 48, 64, 256];
/// Types of the pictures of an ICNS, with their edges in pixels. Those of high-density screens have
/// types of their own.
const ICNS: [([u8; 4], u32); 9] = [
    (*b"icp4", 16),
    (*b"icp5", 32),
    (*b"ic11", 32),
    (*b"ic12", 64),
    (*b"ic07", 128),
    (*b"ic13", 256),
    (*b"ic08", 256),
    (*b"ic14", 512),
    (*b"ic09", 512),
];

/// Encodes an icon as a PNG file.
pub(crate) fn png(icon: IconData) -> ImageResult<Vec<u8>> {
    let picture = RgbaImage::from_raw(icon.width, icon.height, icon.rgba).ok_or_else(too_large)?;
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

/// Returns an ICO file. `draw` returns the PNG file of an edge.
pub(crate) fn ico(draw: impl Fn(u32) -> ImageResult<Vec<u8>>) -> ImageResult<Vec<u8>> {
    let pictures = ICO.iter().map(|&edge| draw(edge)).collect::<ImageResult<Vec<_>>>()?;
    let mut file = vec![0, 0, 1, 0, ICO.len() as u8, 0];
    let mut start = file.len() + 16 * ICO.len();
    for (edge, picture) in ICO.into_iter().zip(&pictures) {
        let edge = edge as u8; // 256 is written as 0
        file.extend([edge, edge, 0, 0, 1, 0, 32, 0]);
        file.extend(length(picture.len())?.to_le_bytes());
        file.extend(length(start)?.to_le_bytes());
        start += picture.len();
    }
    file.extend(pictures.concat());
    Ok(file)
}

/// Returns an ICNS file. `draw` returns the PNG file of an edge.
pub(crate) fn icns(draw: impl Fn(u32) -> ImageResult<Vec<u8>>) -> ImageResult<Vec<u8>> {
    const HEADER: usize = 8;
    let mut entries = Vec::new();
    for (kind, edge) in ICNS {
        let picture = draw(edge)?;
        entries.extend(kind);
        entries.extend(length(HEADER + picture.len())?.to_be_bytes());
        entries.extend(picture);
    }
    let mut file = b"icns".to_vec();
    file.extend(length(HEADER + entries.len())?.to_be_bytes());
    file.extend(entries);
    Ok(file)
}

fn length(bytes: usize) -> ImageResult<u32> {
    u32::try_from(bytes).map_err(|_| too_large())
}

fn too_large() -> ImageError {
    ImageError::Limits(LimitError::from_kind(image::error::LimitErrorKind::DimensionError))
}
