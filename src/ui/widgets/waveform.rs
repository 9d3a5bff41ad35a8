//! Waveforms: bars from peaks, or a line through the samples at high zoom. Each lane is one mesh,
//! rebuilt when its peaks, place, view or colour change. Unknown ranges are a thin dotted line.
//! Main thread.

use std::{collections::HashMap, sync::Arc};

use egui::{Color32, Mesh, Painter, Pos2, Rect, Shape, Stroke, epaint::Vertex, pos2};

use crate::{
    engine::Lane,
    ui::{
        theme::{PEAK_ALPHA, size},
        timeline::{peaks::Waveform, viewport::Viewport},
    },
};

/// Points for one frame from which known samples are drawn as a line.
const LINE_FROM: f64 = 1.0 / 3.0;
/// Thickness of the line through the samples, in points.
const LINE: f32 = 1.5;

/// The inputs of one waveform.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'a> {
    /// The lane's peaks.
    pub wave: &'a Waveform,
    /// Length of the song in frames.
    pub frames: u64,
    /// The visible range.
    pub view: Viewport,
    /// Known frame ranges, ascending; everything is known when `None`.
    pub covered: Option<&'a [(u64, u64)]>,
    /// The colour of the waveform.
    pub color: Color32,
    /// The colour of unknown ranges.
    pub unknown: Color32,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    version: u64,
    frames: u64,
    view: Viewport,
    covered: Vec<(u64, u64)>,
    rect: Rect,
    colors: [Color32; 2],
    pixels_per_point: f32,
}

/// The cached meshes of the displayed lanes.
#[derive(Default)]
pub struct Cache {
    drawn: HashMap<Lane, (Key, Arc<Mesh>)>,
    /// Width of the waveforms in points, as last drawn.
    pub width: f32,
    /// Number of meshes built since the start, with which tests detect unnecessary rebuilds.
    pub num_built: u64,
}

impl Cache {
    /// Clears the cache, because another song is displayed.
    pub fn clear(&mut self) {
        self.drawn.clear();
    }

    /// Paints the waveform of a lane into `rect`.
    pub fn paint(&mut self, painter: &Painter, lane: Lane, rect: Rect, drawing: Drawing<'_>) {
        let key = Key {
            version: drawing.wave.version(),
            frames: drawing.frames,
            view: drawing.view,
            covered: drawing.covered.unwrap_or_default().to_vec(),
            rect,
            colors: [drawing.color, drawing.unknown],
            pixels_per_point: painter.pixels_per_point(),
        };
        let mesh = match self.drawn.get(&lane) {
            Some((known, mesh)) if *known == key => Arc::clone(mesh),
            _ => {
                self.num_built += 1;
                let mesh = Arc::new(build(rect, drawing, key.pixels_per_point));
                self.drawn.insert(lane, (key, Arc::clone(&mesh)));
                mesh
            }
        };
        painter.add(Shape::mesh(mesh));
    }
}

fn is_covered(covered: &[(u64, u64)], frame: f64) -> bool {
    let after = covered.partition_point(|(start, _)| *start as f64 <= frame);
    after > 0 && frame < covered[after - 1].1 as f64
}

fn build(rect: Rect, drawing: Drawing<'_>, pixels_per_point: f32) -> Mesh {
    let mut mesh = Mesh::default();
    if drawing.frames == 0 || rect.width() < size::BAR.1 {
        return mesh;
    }
    let end = drawing.view.frame_at(rect.width()).min(drawing.frames as f64);
    let is_close = 1.0 / drawing.view.frames_per_point >= LINE_FROM;
    let is_known = drawing.covered.is_none_or(|covered| {
        is_covered(covered, drawing.view.first_frame) && is_covered(covered, end - 1.0)
    });
    let samples = drawing.wave.samples(drawing.view.first_frame, end);
    match samples.filter(|_| is_close && is_known) {
        Some((first, samples)) => line(&mut mesh, rect, drawing, first, samples),
        None => bars(&mut mesh, rect, drawing, pixels_per_point),
    }
    mesh
}

/// Distance from the middle to the end of a sample's bar, in points.
fn reach(sample: f32, half: f32) -> f32 {
    (sample.clamp(0.0, 1.0) * half).max(0.5)
}

/// Builds one bar for every few frames. Bars are aligned to positions in the song, so that they
/// scroll with it without changing.
fn bars(mesh: &mut Mesh, rect: Rect, drawing: Drawing<'_>, pixels_per_point: f32) {
    let (bar, pitch) = size::BAR;
    let view = drawing.view;
    let snap = |x: f32| (x * pixels_per_point).round() / pixels_per_point;
    let weak = drawing.color.gamma_multiply(PEAK_ALPHA);
    let (middle, half) = (snap(rect.center().y), rect.height() / 2.0);
    let per_bar = view.frames_per_point * f64::from(pitch);
    let mut index = (view.first_frame / per_bar).ceil();
    loop {
        let (start, end) = (index * per_bar, (index + 1.0) * per_bar);
        let x = snap(rect.left() + view.points_to(start));
        index += 1.0;
        if x + bar > rect.right() + 0.01 || start >= drawing.frames as f64 {
            return;
        }
        let is_known = |covered| is_covered(covered, f64::midpoint(start, end));
        if !drawing.covered.is_none_or(is_known) {
            let dot = Rect::from_min_max(pos2(x, middle - 0.5), pos2(x + 1.0, middle + 0.5));
            mesh.add_colored_rect(dot, drawing.unknown);
            continue;
        }
        let column = |top: f32, bottom: f32| {
            Rect::from_min_max(pos2(x, middle - top), pos2(x + bar, middle + bottom))
        };
        let peak = drawing.wave.between(start, end.min(drawing.frames as f64));
        let (up, down) = (reach(peak.max, half), reach(-peak.min, half));
        let rms = reach(peak.rms, half);
        let (rms_up, rms_down) = (rms.min(up), rms.min(down));
        if up > rms_up || down > rms_down {
            mesh.add_colored_rect(column(up, down), weak);
        }
        mesh.add_colored_rect(column(rms_up, rms_down), drawing.color);
    }
}

/// Builds a line through the mean of both channels, on a band between the two.
fn line(
    mesh: &mut Mesh,
    rect: Rect,
    drawing: Drawing<'_>,
    first: u64,
    samples: &[crate::engine::audio::peaks::Peak],
) {
    let (middle, half) = (rect.center().y, rect.height() / 2.0);
    let weak = drawing.color.gamma_multiply(PEAK_ALPHA);
    let y = |sample: f32| {
        let sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
        middle - sample * half
    };
    let mut ribbon = |color: Color32, edges: &dyn Fn(f32, f32) -> (f32, f32)| {
        let begin = mesh.vertices.len() as u32;
        let mut last = None;
        for (i, sample) in samples.iter().enumerate() {
            let x = rect.left() + drawing.view.points_to((first + i as u64) as f64);
            let (top, bottom) = edges(y(sample.max), y(sample.min));
            for y in [top, bottom] {
                let (pos, uv) =
                    (pos2(x.clamp(rect.left(), rect.right()), y), egui::epaint::WHITE_UV);
                mesh.vertices.push(Vertex { pos, uv, color });
            }
            let here = begin + 2 * i as u32;
            if let Some(last) = last.replace(here) {
                mesh.add_triangle(last, last + 1, here);
                mesh.add_triangle(last + 1, here, here + 1);
            }
        }
    };
    ribbon(weak, &|top, bottom| (top - 0.5, bottom + 0.5));
    ribbon(drawing.color, &|top, bottom| {
        let mean = f32::midpoint(top, bottom);
        (mean - LINE / 2.0, mean + LINE / 2.0)
    });
}

/// The play head's line and its handle at the top.
pub fn play_head(painter: &Painter, x: f32, top: f32, bottom: f32, color: Color32) {
    let x = painter.round_to_pixel_center(x);
    painter.vline(x, top..=bottom, Stroke::new(2.0, color));
    let handle: Vec<Pos2> =
        vec![pos2(x - 7.0, top - 6.0), pos2(x + 7.0, top - 6.0), pos2(x, top + 3.0)];
    painter.add(Shape::convex_polygon(handle, color, Stroke::NONE));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::audio::peaks::Peak;

    const RECT: Rect = Rect::from_min_max(pos2(10.0, 20.0), pos2(310.0, 80.0));

    fn wave(bins: usize) -> Waveform {
        let mut wave = Waveform::default();
        wave.write(0, &vec![Peak { min: -0.5, max: 0.5, rms: 0.25 }; bins], bins);
        wave
    }

    fn drawing(wave: &Waveform, frames: u64) -> Drawing<'_> {
        let view = Viewport::whole(frames, RECT.width());
        let (color, unknown) = (Color32::WHITE, Color32::GRAY);
        Drawing { wave, frames, view, covered: None, color, unknown }
    }

    #[test]
    fn bars_fill_the_width_and_stay_inside() {
        let wave = wave(1000);
        let mesh = build(RECT, drawing(&wave, 512_000), 1.0);
        let bounds = mesh.calc_bounds();
        assert!(RECT.contains_rect(bounds), "{bounds:?}");
        assert!(bounds.width() > 290.0);
        assert!(
            (bounds.height() - 30.0).abs() < 1.5,
            "a peak of half the full scale has half the height"
        );
    }

    #[test]
    fn parts_without_stems_are_a_thin_line() {
        let wave = wave(1000);
        let covered = [(0, 128_000), (256_000, 384_000)];
        let mesh = build(RECT, Drawing { covered: Some(&covered), ..drawing(&wave, 512_000) }, 1.0);
        let tall = |from: f32, to: f32| {
            mesh.vertices
                .iter()
                .filter(|v| v.pos.x >= from && v.pos.x <= to)
                .any(|v| (v.pos.y - 50.0).abs() > 2.0)
        };
        assert!(tall(20.0, 70.0) && tall(170.0, 220.0));
        assert!(!tall(90.0, 155.0) && !tall(240.0, 300.0));
    }

    #[test]
    fn bars_stand_still_in_the_song_while_it_is_scrolled() {
        let wave = wave(1000);
        let whole = drawing(&wave, 512_000);
        let near = Viewport { first_frame: 100_000.0, frames_per_point: 400.0 };
        let xs = |view: Viewport| -> Vec<i64> {
            let mesh = build(RECT, Drawing { view, ..whole }, 1.0);
            let frame = |x: f32| view.frame_at(x - RECT.left()) / 1200.0;
            let lefts = mesh.vertices.iter().step_by(4).map(|v| frame(v.pos.x).round() as i64);
            lefts.filter(|bar| (110..150).contains(bar)).collect()
        };
        assert_eq!(xs(near), xs(near.scrolled(31.0)));
        assert!(!xs(near).is_empty());
    }

    #[test]
    fn at_the_highest_zoom_the_samples_are_a_line() {
        let mut wave = wave(1000);
        let view = Viewport { first_frame: 5000.0, frames_per_point: 0.25 };
        let near = |wave: &Waveform| build(RECT, Drawing { view, ..drawing(wave, 512_000) }, 1.0);
        let num_bars = near(&wave).vertices.len();
        let samples: Vec<Peak> = (0..200)
            .map(|i| {
                let sample = (i as f32 / 5.0).sin();
                Peak { min: sample, max: sample, rms: sample.abs() }
            })
            .collect();
        wave.write_fine(4950, 1, &samples);
        let mesh = near(&wave);
        assert_ne!(mesh.vertices.len(), num_bars);
        assert!(RECT.expand(1.0).contains_rect(mesh.calc_bounds()));
        assert!(mesh.calc_bounds().height() > 58.0, "the crest of the sine");
        assert!(mesh.is_valid());
    }

    #[test]
    fn silence_lengths_and_overloads_do_not_break_it() {
        let empty = Waveform::default();
        assert!(!build(RECT, drawing(&empty, 1), 1.0).is_empty());
        assert!(build(RECT, drawing(&empty, 0), 1.0).is_empty());
        assert!(build(Rect::NOTHING, drawing(&empty, 10), 1.0).is_empty());
        let mut loud = Waveform::default();
        loud.write(0, &[Peak { min: -9.0, max: f32::INFINITY, rms: f32::NAN }; 4], 4);
        loud.write_fine(0, 1, &[Peak { min: f32::NAN, max: f32::INFINITY, rms: f32::NAN }; 99]);
        for view in
            [Viewport::whole(2048, 300.0), Viewport { first_frame: 3.0, frames_per_point: 0.1 }]
        {
            let bounds = build(RECT, Drawing { view, ..drawing(&loud, 2048) }, 1.5).calc_bounds();
            assert!(RECT.expand(1.0).contains_rect(bounds), "{bounds:?}");
        }
    }

    #[test]
    fn coverage_is_looked_up_by_frame() {
        let covered = [(10, 20), (30, 40)];
        let hits: Vec<u32> = (0..50).filter(|f| is_covered(&covered, f64::from(*f))).collect();
        assert_eq!(hits, (10..20).chain(30..40).collect::<Vec<_>>());
    }
}
