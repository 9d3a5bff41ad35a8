//! Covers: the picture of a song, or a tile painted from its hash. Only textures of visible covers
//! are kept, so a library of thousands needs no more memory than a page.

use std::{collections::HashMap, sync::Arc};

use egui::{
    Color32, ColorImage, CornerRadius, Rect, TextureHandle, TextureOptions, Ui, Vec2, pos2,
};

use crate::{
    engine::{Song, SongId, Thumbnail},
    ui::theme,
};

/// Number of textures above which those out of sight are dropped.
const KEPT: usize = 96;

/// Edge of a painted tile in pixels.
const TILE: usize = 96;

struct Entry {
    texture: TextureHandle,
    source: Option<Arc<Thumbnail>>,
    seen_in_pass: u64,
}

/// The cache of cover textures.
#[derive(Default)]
pub struct Covers {
    entries: HashMap<SongId, Entry>,
}

impl Covers {
    /// Adds a song's cover, as a square.
    pub fn show(&mut self, ui: &mut Ui, edge: f32, song: &Song, radius: u8) {
        let (_, rect) = ui.allocate_space(Vec2::splat(edge));
        self.paint(ui, rect, song, radius);
    }

    /// Paints a song's cover.
    pub fn paint(&mut self, ui: &Ui, rect: Rect, song: &Song, radius: u8) {
        let pass = ui.cumulative_pass_nr();
        let is_same = |entry: &Entry| match (&entry.source, &song.cover) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !self.entries.get(&song.id).is_some_and(is_same) {
            if self.entries.len() >= KEPT {
                self.entries.retain(|_, entry| entry.seen_in_pass + 1 >= pass);
            }
            let image = song.cover.as_deref().and_then(picture).unwrap_or_else(|| tile(song));
            let texture =
                ui.load_texture(format!("cover {}", song.id.0), image, TextureOptions::LINEAR);
            let entry = Entry { texture, source: song.cover.clone(), seen_in_pass: pass };
            self.entries.insert(song.id, entry);
        }
        if let Some(entry) = self.entries.get_mut(&song.id) {
            entry.seen_in_pass = pass;
            let uv = square_uv(entry.texture.size());
            let shape =
                egui::epaint::RectShape::filled(rect, CornerRadius::same(radius), Color32::WHITE)
                    .with_texture(entry.texture.id(), uv);
            ui.painter().add(shape);
        }
    }
}

/// The largest centred square of a picture.
fn square_uv([width, height]: [usize; 2]) -> Rect {
    let (width, height) = (width.max(1) as f32, height.max(1) as f32);
    let edge = width.min(height);
    let half = egui::vec2(edge / width, edge / height) / 2.0;
    Rect::from_min_max(pos2(0.5, 0.5) - half, pos2(0.5, 0.5) + half)
}

fn picture(thumbnail: &Thumbnail) -> Option<ColorImage> {
    let size = [thumbnail.width as usize, thumbnail.height as usize];
    let is_whole = size[0] > 0 && size[1] > 0 && thumbnail.rgba.len() == 4 * size[0] * size[1];
    is_whole.then(|| ColorImage::from_rgba_unmultiplied(size, &thumbnail.rgba))
}

/// A gradient with two circles, the same for a song everywhere.
fn tile(song: &Song) -> ColorImage {
    let seed = song.hash.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [from, to] = theme::tile_colors(seed);
    let share = |shift: u32| ((seed >> shift) & 0xff) as f32 / 255.0;
    let circles = [
        (share(8), share(16), 0.3 + 0.2 * share(24)),
        (share(32), share(40), 0.2 + 0.2 * share(48)),
    ];
    let mut pixels = Vec::with_capacity(TILE * TILE);
    for row in 0..TILE {
        for column in 0..TILE {
            let (x, y) = (column as f32 / TILE as f32, row as f32 / TILE as f32);
            let mut color = from.lerp_to_gamma(to, x.midpoint(y));
            for (cx, cy, radius) in circles {
                let distance = (x - cx).hypot(y - cy);
                let inside = ((radius - distance) * TILE as f32).clamp(0.0, 1.0);
                color = color.lerp_to_gamma(Color32::WHITE, 0.14 * inside);
            }
            pixels.push(color);
        }
    }
    ColorImage::new([TILE, TILE], pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_thumbnail_is_not_drawn() {
        let broken = Thumbnail { width: 10, height: 10, rgba: vec![0; 3] };
        assert!(picture(&broken).is_none());
        let empty = Thumbnail { width: 0, height: 0, rgba: Vec::new() };
        assert!(picture(&empty).is_none());
        let whole = Thumbnail { width: 2, height: 1, rgba: vec![255; 8] };
        assert_eq!(picture(&whole).unwrap().size, [2, 1]);
    }

    #[test]
    fn a_wide_picture_is_cropped_in_the_middle() {
        let uv = square_uv([200, 100]);
        assert_eq!((uv.left(), uv.right(), uv.top(), uv.bottom()), (0.25, 0.75, 0.0, 1.0));
    }
}
