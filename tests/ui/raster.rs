//! A small software renderer for snapshots of the window: triangles with vertex colours and
//! textures, blended in gamma space like the real renderer. The result is the same on every
//! machine.

use std::collections::HashMap;

use egui::{
    Color32, ColorImage, Pos2, Rect, TextureId, TexturesDelta,
    epaint::{ImageData, ImageDelta, Primitive, Vertex},
};
use egui_kittest::TestRenderer;

/// A renderer on the CPU.
#[derive(Default)]
pub struct Raster {
    textures: HashMap<TextureId, ColorImage>,
}

impl Raster {
    fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        let Some([left, top]) = delta.pos else {
            self.textures.insert(id, (**image).clone());
            return;
        };
        if let Some(texture) = self.textures.get_mut(&id) {
            for row in 0..image.size[1] {
                for column in 0..image.size[0] {
                    texture[(left + column, top + row)] = image[(column, row)];
                }
            }
        }
    }
}

impl TestRenderer for Raster {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut set: Vec<_> = delta.set.drain().collect();
        set.sort_by_key(|(id, _)| *id);
        for (id, patches) in set {
            for patch in patches {
                self.set(id, &patch);
            }
        }
        self.textures.retain(|id, _| !delta.free.contains(id));
        delta.free.clear();
    }

    fn render(
        &mut self,
        ctx: &egui::Context,
        output: &egui::FullOutput,
    ) -> Result<image::RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * scale;
        let mut canvas = Canvas::new(size.x.round() as usize, size.y.round() as usize);
        for clipped in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = clipped.primitive else {
                return Err("paint callbacks are not drawn".into());
            };
            let texture = self.textures.get(&mesh.texture_id).ok_or("a texture is missing")?;
            for [a, b, c] in mesh.triangles() {
                let corners = [a, b, c].map(|index| mesh.vertices[index as usize]);
                canvas.triangle(corners, texture, clipped.clip_rect, scale);
            }
        }
        Ok(canvas.image())
    }
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

/// Twice the signed area of a triangle.
fn area(a: Pos2, b: Pos2, c: Pos2) -> f64 {
    let (ax, ay) = (f64::from(a.x), f64::from(a.y));
    (f64::from(b.x) - ax) * (f64::from(c.y) - ay) - (f64::from(b.y) - ay) * (f64::from(c.x) - ax)
}

/// Whether a pixel exactly on the edge from `a` to `b` belongs to the triangle. Pixels on an edge
/// of two triangles are drawn once.
fn owns_edge(a: Pos2, b: Pos2) -> bool {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    dy < 0.0 || (dy == 0.0 && dx > 0.0)
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0, 0.0, 0.0, 1.0]; width * height] }
    }

    fn triangle(&mut self, corners: [Vertex; 3], texture: &ColorImage, clip: Rect, scale: f32) {
        let mut corners = corners.map(|v| Vertex { pos: (v.pos.to_vec2() * scale).to_pos2(), ..v });
        if area(corners[0].pos, corners[1].pos, corners[2].pos) < 0.0 {
            corners.swap(1, 2);
        }
        let [a, b, c] = corners.map(|v| v.pos);
        let whole = area(a, b, c);
        if whole <= 0.0 {
            return;
        }
        let clip = Rect::from_min_max(
            (clip.min.to_vec2() * scale).round().to_pos2(),
            (clip.max.to_vec2() * scale).round().to_pos2(),
        );
        let bounds = Rect::from_points(&[a, b, c]).intersect(clip);
        let limit = |value: f32, most: usize| value.clamp(0.0, most as f32) as usize;
        for y in limit(bounds.top(), self.height)..limit(bounds.bottom().ceil(), self.height) {
            for x in limit(bounds.left(), self.width)..limit(bounds.right().ceil(), self.width) {
                let point = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
                let parts = [(b, c), (c, a), (a, b)].map(|(from, to)| {
                    let part = area(from, to, point);
                    if part == 0.0 && !owns_edge(from, to) { -1.0 } else { part }
                });
                if parts.iter().any(|part| *part < 0.0) || !clip.contains(point) {
                    continue;
                }
                let share = parts.map(|part| (part / whole) as f32);
                self.blend(y * self.width + x, shade(&corners, share, texture));
            }
        }
    }

    fn blend(&mut self, index: usize, source: [f32; 4]) {
        let pixel = &mut self.pixels[index];
        for (old, new) in pixel.iter_mut().zip(source) {
            *old = new + *old * (1.0 - source[3]);
        }
    }

    fn image(&self) -> image::RgbaImage {
        let byte = |part: f32| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        let bytes = self.pixels.iter().flat_map(|pixel| pixel.map(byte)).collect();
        image::RgbaImage::from_raw(self.width as u32, self.height as u32, bytes).unwrap()
    }
}

/// Premultiplied colour at a point, given by its barycentric coordinates.
fn shade(corners: &[Vertex; 3], share: [f32; 3], texture: &ColorImage) -> [f32; 4] {
    let mut color = [0.0; 4];
    let mut uv = egui::Vec2::ZERO;
    for (vertex, share) in corners.iter().zip(share) {
        for (sum, part) in color.iter_mut().zip(vertex.color.to_array()) {
            *sum += share * f32::from(part) / 255.0;
        }
        uv += share * vertex.uv.to_vec2();
    }
    let texel = sample(texture, uv);
    std::array::from_fn(|i| color[i] * texel[i])
}

/// Bilinear sample, clamped at the edges.
fn sample(texture: &ColorImage, uv: egui::Vec2) -> [f32; 4] {
    let [width, height] = texture.size;
    let (x, y) = (uv.x * width as f32 - 0.5, uv.y * height as f32 - 0.5);
    let at = |x: f32, y: f32| -> Color32 {
        let place = |value: f32, most: usize| (value.max(0.0) as usize).min(most - 1);
        texture[(place(x, width), place(y, height))]
    };
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let mut sum = [0.0; 4];
    for (dx, dy, share) in [
        (0.0, 0.0, (1.0 - fx) * (1.0 - fy)),
        (1.0, 0.0, fx * (1.0 - fy)),
        (0.0, 1.0, (1.0 - fx) * fy),
        (1.0, 1.0, fx * fy),
    ] {
        for (sum, part) in sum.iter_mut().zip(at(left + dx, top + dy).to_array()) {
            *sum += share * f32::from(part) / 255.0;
        }
    }
    sum
}

#[test]
fn triangles_that_share_an_edge_cover_each_pixel_once() {
    let color = Color32::from_rgba_premultiplied(0, 0, 0, 128);
    let vertex = |x: f32, y: f32| Vertex { pos: Pos2::new(x, y), uv: Pos2::ZERO, color };
    let texture = ColorImage::filled([1, 1], Color32::WHITE);
    let mut canvas = Canvas::new(8, 8);
    canvas.pixels.fill([1.0; 4]);
    let clip = Rect::from_min_max(Pos2::ZERO, Pos2::new(8.0, 8.0));
    let (a, b, c, d) = (vertex(0.0, 0.0), vertex(8.0, 0.0), vertex(8.0, 8.0), vertex(0.0, 8.0));
    canvas.triangle([a, b, c], &texture, clip, 1.0);
    canvas.triangle([a, d, c], &texture, clip, 1.0);
    let image = canvas.image();
    assert!(image.pixels().all(|pixel| pixel.0[0] == 127), "{:?}", image.get_pixel(3, 3));
}
