//! The program's icon: four bars on a dark tile, drawn by the code. Pure.

use egui::{Color32, IconData};

use crate::ui::theme::{DARK, STEM_ORDER};

/// Edge of the window's icon in pixels.
const EDGE: u32 = 256;

/// Coverage of a rounded box at a point: 1 inside, 0 outside, smooth over one pixel.
fn rounded_box(x: f32, y: f32, centre: [f32; 2], half: [f32; 2], radius: f32) -> f32 {
    let qx = (x - centre[0]).abs() - half[0] + radius;
    let qy = (y - centre[1]).abs() - half[1] + radius;
    let outside = qx.max(0.0).hypot(qy.max(0.0)) + qx.max(qy).min(0.0) - radius;
    (0.5 - outside).clamp(0.0, 1.0)
}

/// The window's icon as 8-bit RGBA.
pub fn app_icon() -> IconData {
    drawn(EDGE)
}

/// The icon of an edge in pixels, as 8-bit RGBA.
pub fn drawn(pixels: u32) -> IconData {
    const HEIGHTS: [f32; 4] = [0.30, 0.62, 0.44, 0.22];
    let edge = pixels as f32;
    let mut rgba = Vec::with_capacity((pixels * pixels * 4) as usize);
    for row in 0..pixels {
        for column in 0..pixels {
            let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
            let middle = [edge / 2.0, edge / 2.0];
            let tile = rounded_box(x, y, middle, [edge * 0.47, edge * 0.47], edge * 0.2);
            let mut color = DARK.panel;
            for (i, height) in HEIGHTS.into_iter().enumerate() {
                let centre = [edge * (0.26 + 0.16 * i as f32), edge / 2.0];
                let half = [edge * 0.05, edge * height / 2.0];
                let bar = rounded_box(x, y, centre, half, half[0]);
                color = color.lerp_to_gamma(DARK.stem(STEM_ORDER[i]), bar);
            }
            let [r, g, b, _] = Color32::to_array(&color);
            rgba.extend([r, g, b, (tile * 255.0).round() as u8]);
        }
    }
    IconData { rgba, width: pixels, height: pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_SNAPSHOTS=1` rewrites the file, as it does for the snapshots of the window.
    #[test]
    fn the_committed_icon_is_the_one_that_is_drawn() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/icon.png");
        let IconData { rgba, width, height } = app_icon();
        let drawn = image::RgbaImage::from_raw(width, height, rgba).unwrap();
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            drawn.save(path).unwrap();
        }
        assert_eq!(image::open(path).unwrap().into_rgba8(), drawn);
        assert!(std::fs::metadata(path).unwrap().len() < 100_000);
    }
}
