//! Waveforms: bars from peaks, as one mesh for each lane, rebuilt when its peaks, its place or its
//! colour change. What is not known yet is a thin dotted line. Main thread.

use std::{collections::HashMap, sync::Arc};

use egui::{Color32, Mesh, Painter, Rect, Shape, Stroke, pos2};

use crate::{
    engine::{
        Lane,
        peaks::{FRAMES_PER_PEAK, Peak},
    },
    ui::{
        state::Waveform,
        theme::{PEAK_ALPHA, size},
    },
};

/// What one waveform is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its peaks.
    pub wave: &'a Waveform,
    /// Length of the song in frames: the width of the drawing.
    pub frames: u64,
    /// Frame ranges that are known, ascending; everything when `None`.
    pub covered: Option<&'a [(u64, u64)]>,
    /// Its colour.
    pub color: Color32,
    /// Colour of what is not known.
    pub unknown: Color32,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    version: u64,
    frames: u64,
    covered: Vec<(u64, u64)>,
    rect: Rect,
    colors: [Color32; 2],
    pixels_per_point: f32,
}

/// The drawings of the lanes that are shown.
#[derive(Default)]
pub struct Cache {
    drawn: HashMap<Lane, (Key, Arc<Mesh>)>,
    /// Meshes built since the start; for tests that nothing is built twice.
    pub num_built: u64,
}

impl Cache {
    /// Forgets everything, as when another song is shown.
    pub fn clear(&mut self) {
        self.drawn.clear();
    }

    /// Paints the waveform of a lane into `rect`.
    pub fn paint(&mut self, painter: &Painter, lane: Lane, rect: Rect, view: View<'_>) {
        let key = Key {
            version: view.wave.version,
            frames: view.frames,
            covered: view.covered.unwrap_or_default().to_vec(),
            rect,
            colors: [view.color, view.unknown],
            pixels_per_point: painter.pixels_per_point(),
        };
        let mesh = match self.drawn.get(&lane) {
            Some((known, mesh)) if *known == key => Arc::clone(mesh),
            _ => {
                self.num_built += 1;
                let mesh = Arc::new(build(rect, view, key.pixels_per_point));
                self.drawn.insert(lane, (key, Arc::clone(&mesh)));
                mesh
            }
        };
        painter.add(Shape::mesh(mesh));
    }
}

/// The extremes and power of some bins together.
fn join(peaks: &[Peak]) -> Peak {
    let mut all = Peak::default();
    let mut power = 0.0;
    for peak in peaks {
        all.min = all.min.min(peak.min);
        all.max = all.max.max(peak.max);
        power += peak.rms * peak.rms;
    }
    all.rms = (power / peaks.len().max(1) as f32).sqrt();
    all
}

fn is_covered(covered: &[(u64, u64)], frame: u64) -> bool {
    let after = covered.partition_point(|(start, _)| *start <= frame);
    after > 0 && frame < covered[after - 1].1
}

fn build(rect: Rect, view: View<'_>, pixels_per_point: f32) -> Mesh {
    let (bar, pitch) = size::BAR;
    let snap = |x: f32| (x * pixels_per_point).round() / pixels_per_point;
    let bars = (rect.width() / pitch).floor().max(0.0) as usize;
    let mut mesh = Mesh::default();
    if bars == 0 || view.frames == 0 {
        return mesh;
    }
    let weak = view.color.gamma_multiply(PEAK_ALPHA);
    let (middle, half) = (snap(rect.center().y), rect.height() / 2.0);
    let thinnest = 0.5;
    for i in 0..bars {
        let x = snap(rect.left() + i as f32 * pitch);
        let column = |top: f32, bottom: f32| {
            Rect::from_min_max(pos2(x, middle - top), pos2(x + bar, middle + bottom))
        };
        let frame = |i: usize| (i as u128 * view.frames as u128 / bars as u128) as u64;
        let (start, end) = (frame(i), frame(i + 1));
        let is_known = view.covered.is_none_or(|covered| is_covered(covered, start.midpoint(end)));
        if !is_known {
            let dot = Rect::from_min_max(pos2(x, middle - 0.5), pos2(x + 1.0, middle + 0.5));
            mesh.add_colored_rect(dot, view.unknown);
            continue;
        }
        let bin = |frame: u64| (frame / FRAMES_PER_PEAK as u64) as usize;
        let last = view.wave.peaks.len();
        let (from, to) = (bin(start).min(last), (bin(end) + 1).min(last));
        let peak = join(&view.wave.peaks[from..to]);
        let reach = |sample: f32| (sample.clamp(0.0, 1.0) * half).max(thinnest);
        let (up, down) = (reach(peak.max), reach(-peak.min));
        let (rms_up, rms_down) = (reach(peak.rms).min(up), reach(peak.rms).min(down));
        if up > rms_up || down > rms_down {
            mesh.add_colored_rect(column(up, down), weak);
        }
        mesh.add_colored_rect(column(rms_up, rms_down), view.color);
    }
    mesh
}

/// Marks of the ruler: seconds between two, at least `room` points apart.
pub fn ruler_step_secs(seconds: f64, width: f32, room: f32) -> f64 {
    const STEPS: [f64; 13] =
        [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    let points_per_sec = f64::from(width) / seconds.max(1e-3);
    STEPS.into_iter().find(|step| step * points_per_sec >= f64::from(room)).unwrap_or(7200.0)
}

/// The play head's line and its handle at the top.
pub fn play_head(painter: &Painter, x: f32, top: f32, bottom: f32, color: Color32) {
    let x = painter.round_to_pixel_center(x);
    painter.vline(x, top..=bottom, Stroke::new(2.0, color));
    let handle = vec![pos2(x - 7.0, top - 6.0), pos2(x + 7.0, top - 6.0), pos2(x, top + 3.0)];
    painter.add(Shape::convex_polygon(handle, color, Stroke::NONE));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(bins: usize) -> Waveform {
        Waveform { peaks: vec![Peak { min: -0.5, max: 0.5, rms: 0.25 }; bins], version: 1 }
    }

    fn view(wave: &Waveform, frames: u64) -> View<'_> {
        let (color, unknown) = (Color32::WHITE, Color32::GRAY);
        View { wave, frames, covered: None, color, unknown }
    }

    #[test]
    fn bars_fill_the_width_and_stay_inside() {
        let wave = wave(1000);
        let rect = Rect::from_min_max(pos2(10.0, 20.0), pos2(310.0, 80.0));
        let mesh = build(rect, view(&wave, 512_000), 1.0);
        let bounds = mesh.calc_bounds();
        assert!(rect.contains_rect(bounds), "{bounds:?}");
        assert!(bounds.width() > 290.0);
        assert!((bounds.height() - 30.0).abs() < 1.5, "half of full scale is half the height");
    }

    #[test]
    fn what_is_not_covered_is_a_thin_line() {
        let wave = wave(1000);
        let rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(300.0, 60.0));
        let covered = [(0, 128_000), (256_000, 384_000)];
        let mesh = build(rect, View { covered: Some(&covered), ..view(&wave, 512_000) }, 1.0);
        let tall = |from: f32, to: f32| {
            mesh.vertices
                .iter()
                .filter(|v| v.pos.x >= from && v.pos.x <= to)
                .any(|v| (v.pos.y - 30.0).abs() > 2.0)
        };
        assert!(tall(10.0, 60.0) && tall(160.0, 210.0));
        assert!(!tall(80.0, 145.0) && !tall(230.0, 290.0));
    }

    #[test]
    fn silence_lengths_and_overloads_do_not_break_it() {
        let rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(300.0, 60.0));
        let empty = Waveform::default();
        assert!(!build(rect, view(&empty, 1), 1.0).is_empty());
        assert!(build(rect, view(&empty, 0), 1.0).is_empty());
        assert!(build(Rect::NOTHING, view(&empty, 10), 1.0).is_empty());
        let loud = Waveform {
            peaks: vec![Peak { min: -9.0, max: f32::INFINITY, rms: f32::NAN }; 4],
            version: 1,
        };
        let bounds = build(rect, view(&loud, 2048), 1.5).calc_bounds();
        assert!(rect.expand(0.5).contains_rect(bounds));
    }

    #[test]
    fn coverage_is_looked_up_by_frame() {
        let covered = [(10, 20), (30, 40)];
        let hits: Vec<u64> = (0..50).filter(|f| is_covered(&covered, *f)).collect();
        assert_eq!(hits, (10..20).chain(30..40).collect::<Vec<_>>());
    }

    #[test]
    fn the_ruler_has_room_for_its_words() {
        assert_eq!(ruler_step_secs(327.0, 830.0, 64.0), 30.0);
        assert_eq!(ruler_step_secs(3.0, 830.0, 64.0), 0.5);
        assert_eq!(ruler_step_secs(36_000.0, 700.0, 64.0), 3600.0);
    }
}
