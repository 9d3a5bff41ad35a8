//! Icons, painted as shapes.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Ui, Vec2, pos2, vec2};

use crate::ui::theme::{STEM_ORDER, Tokens};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    /// A triangle.
    Play,
    /// Two bars.
    Pause,
    /// A square.
    Stop,
    /// Two arrows in a circle: repeat.
    Loop,
    /// Previous item.
    Previous,
    /// Next item.
    Next,
    /// A magnifying glass.
    Search,
    /// A cross.
    Close,
    /// A tick.
    Check,
    /// A loudspeaker.
    Volume,
    /// The light theme.
    Sun,
    /// The dark theme.
    Moon,
    /// A triangle with an exclamation mark.
    Warning,
    /// Three sliders: settings.
    Sliders,
    /// A window with a panel at its left.
    Sidebar,
    /// Lines below each other: a list.
    List,
    /// A plus.
    Add,
    /// A folder.
    Folder,
    /// An arrow in a circle: retry.
    Again,
    /// Expands to the right.
    ChevronRight,
    /// Expands downwards.
    ChevronDown,
    /// Collapses upwards.
    ChevronUp,
}

impl Icon {
    /// Adds the icon as a square, without an accessibility node.
    pub fn show(self, ui: &mut Ui, edge: f32, color: Color32) -> Rect {
        let (_, rect) = ui.allocate_space(Vec2::splat(edge));
        self.paint(ui.painter(), rect, color);
        rect
    }

    /// Adds the icon, a square, in the middle of a cell, such as the height of the first line of a text.
    pub fn show_in(self, ui: &mut Ui, cell: Vec2, edge: f32, color: Color32) {
        let (_, rect) = ui.allocate_space(cell);
        let square = Rect::from_center_size(rect.center(), Vec2::splat(edge));
        self.paint(ui.painter(), square, color);
    }

    /// Paints the icon, fitted into `rect`.
    pub fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let rect = Rect::from_center_size(rect.center(), Vec2::splat(rect.size().min_elem()));
        let p = |x: f32, y: f32| rect.min + rect.size() * vec2(x, y);
        let unit = rect.width();
        let stroke = Stroke::new((unit * 0.1).max(1.5), color);
        let line = |a: Pos2, b: Pos2| painter.line_segment([a, b], stroke);
        let polygon = |points: Vec<Pos2>| {
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        };
        match self {
            Self::Play => polygon(vec![p(0.24, 0.1), p(0.92, 0.5), p(0.24, 0.9)]),
            Self::Pause => {
                for x in [0.2, 0.6] {
                    let bar = Rect::from_min_max(p(x, 0.1), p(x + 0.2, 0.9));
                    painter.rect_filled(bar, unit * 0.06, color);
                }
            }
            Self::Stop => {
                painter.rect_filled(Rect::from_min_max(p(0.16, 0.16), p(0.84, 0.84)), 2, color);
            }
            Self::Loop => follow_each_other(painter, rect, stroke),
            Self::Previous => {
                polygon(vec![p(0.9, 0.12), p(0.9, 0.88), p(0.3, 0.5)]);
                line(p(0.16, 0.14), p(0.16, 0.86));
            }
            Self::Next => {
                polygon(vec![p(0.1, 0.12), p(0.7, 0.5), p(0.1, 0.88)]);
                line(p(0.84, 0.14), p(0.84, 0.86));
            }
            Self::Search => {
                painter.circle_stroke(p(0.42, 0.42), unit * 0.3, stroke);
                line(p(0.64, 0.64), p(0.92, 0.92));
            }
            Self::Close => {
                line(p(0.18, 0.18), p(0.82, 0.82));
                line(p(0.82, 0.18), p(0.18, 0.82));
            }
            Self::Check => {
                let points = vec![p(0.16, 0.54), p(0.4, 0.78), p(0.86, 0.26)];
                painter.line(points, Stroke::new(unit * 0.14, color));
            }
            Self::Volume => {
                polygon(vec![p(0.1, 0.36), p(0.34, 0.36), p(0.34, 0.64), p(0.1, 0.64)]);
                polygon(vec![p(0.3, 0.38), p(0.62, 0.1), p(0.62, 0.9), p(0.3, 0.62)]);
            }
            Self::Sun => {
                painter.circle_stroke(p(0.5, 0.5), unit * 0.2, stroke);
                for step in 0..8 {
                    let ray =
                        egui::Vec2::angled(f32::from(step as u8) * std::f32::consts::TAU / 8.0);
                    line(rect.center() + ray * unit * 0.34, rect.center() + ray * unit * 0.46);
                }
            }
            Self::Moon => {
                let arc = |centre: Pos2, radius: f32, from: f32, to: f32| {
                    (0..=16).map(move |step| {
                        let angle = from + (to - from) * f32::from(step as u8) / 16.0;
                        centre + radius * egui::Vec2::angled(angle)
                    })
                };
                let mut points: Vec<Pos2> = arc(p(0.5, 0.5), unit * 0.4, 0.15, 4.56).collect();
                points.extend(arc(p(0.62, 0.38), unit * 0.3, 4.3, 0.45));
                points.extend(points.first().copied());
                painter.line(points, stroke);
            }
            Self::Warning => {
                let points = vec![p(0.5, 0.1), p(0.95, 0.88), p(0.05, 0.88)];
                painter.add(Shape::closed_line(points, stroke));
                line(p(0.5, 0.38), p(0.5, 0.62));
                painter.circle_filled(p(0.5, 0.75), stroke.width * 0.6, color);
            }
            _ => self.paint_sign(painter, rect, color),
        }
    }
}

impl Icon {
    /// The second part of [`Icon::paint`]: icons that consist of lines only.
    fn paint_sign(self, painter: &Painter, rect: Rect, color: Color32) {
        let p = |x: f32, y: f32| rect.min + rect.size() * vec2(x, y);
        let unit = rect.width();
        let stroke = Stroke::new((unit * 0.1).max(1.5), color);
        let line = |a: Pos2, b: Pos2| painter.line_segment([a, b], stroke);
        match self {
            Self::Sliders => {
                for (y, knob) in [(0.2, 0.68), (0.5, 0.3), (0.8, 0.58)] {
                    line(p(0.06, y), p(knob - 0.12, y));
                    line(p(knob + 0.12, y), p(0.94, y));
                    painter.circle_stroke(p(knob, y), unit * 0.12, stroke);
                }
            }
            Self::Sidebar => {
                let frame = Rect::from_min_max(p(0.06, 0.14), p(0.94, 0.86));
                painter.rect_stroke(frame, unit * 0.12, stroke, egui::StrokeKind::Middle);
                line(p(0.38, 0.14), p(0.38, 0.86));
            }
            Self::List => {
                for y in [0.2, 0.5, 0.8] {
                    painter.circle_filled(p(0.12, y), stroke.width * 0.7, color);
                    line(p(0.3, y), p(0.94, y));
                }
            }
            Self::Add => {
                line(p(0.5, 0.12), p(0.5, 0.88));
                line(p(0.12, 0.5), p(0.88, 0.5));
            }
            Self::Folder => {
                let outline = [
                    (0.06, 0.82),
                    (0.06, 0.18),
                    (0.38, 0.18),
                    (0.48, 0.32),
                    (0.94, 0.32),
                    (0.94, 0.82),
                ];
                let points = outline.map(|(x, y)| p(x, y)).to_vec();
                painter.add(Shape::closed_line(points, stroke));
            }
            Self::Again => {
                let turn = |step: u8| 0.7 + f32::from(step) / 20.0 * 5.0;
                let on = |angle: f32| p(0.5, 0.5) + unit * 0.36 * egui::Vec2::angled(angle);
                painter.line((0..=20).map(|step| on(turn(step))).collect(), stroke);
                let tip = on(turn(20));
                line(tip, tip + unit * vec2(-0.24, -0.02));
                line(tip, tip + unit * vec2(0.04, -0.24));
            }
            Self::ChevronRight => {
                painter.line(vec![p(0.34, 0.14), p(0.7, 0.5), p(0.34, 0.86)], stroke);
            }
            Self::ChevronDown => {
                painter.line(vec![p(0.14, 0.34), p(0.5, 0.7), p(0.86, 0.34)], stroke);
            }
            Self::ChevronUp => {
                painter.line(vec![p(0.14, 0.66), p(0.5, 0.3), p(0.86, 0.66)], stroke);
            }
            _ => {}
        }
    }
}

/// Two arrows, each the other rotated by 180 degrees.
fn follow_each_other(painter: &Painter, rect: Rect, stroke: Stroke) {
    for is_turned in [false, true] {
        let at = |x: f32, y: f32| {
            let (x, y) = if is_turned { (1.0 - x, 1.0 - y) } else { (x, y) };
            rect.min + rect.size() * vec2(x, y)
        };
        let way = vec![at(0.06, 0.52), at(0.06, 0.36), at(0.2, 0.22), at(0.8, 0.22)];
        painter.line(way, stroke);
        painter.line(vec![at(0.68, 0.06), at(0.84, 0.22), at(0.68, 0.38)], stroke);
    }
}

/// Adds the program's mark of a size in the middle of `cell`, without an accessibility node.
pub fn stems(ui: &mut Ui, cell: impl Into<Vec2>, size: impl Into<Vec2>, tokens: &Tokens) {
    let (_, rect) = ui.allocate_space(cell.into());
    stems_at(ui.painter(), Rect::from_center_size(rect.center(), size.into()), tokens);
}

/// Four bars in the instruments' colours: the program's logo, and the mark of a song with stems.
pub fn stems_at(painter: &Painter, rect: Rect, tokens: &Tokens) {
    const HEIGHTS: [f32; 4] = [0.5, 1.0, 0.72, 0.36];
    let pitch = rect.width() / HEIGHTS.len() as f32;
    for (i, height) in HEIGHTS.into_iter().enumerate() {
        let size = vec2(pitch * 0.62, rect.height() * height);
        let centre = pos2(rect.left() + pitch * (i as f32 + 0.5), rect.center().y);
        let color = tokens.stem(STEM_ORDER[i]);
        painter.rect_filled(Rect::from_center_size(centre, size), size.x / 2.0, color);
    }
}
