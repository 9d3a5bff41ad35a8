//! Faders for a gain in dB, a volume, a speed, or a key, and the behaviour that they share with dials
//! ([`Knob`]). They support drag, wheel, arrows, and double-click for the default.

use egui::{
    Color32, Event, EventFilter, Key, MouseWheelUnit, Rect, Response, Role, Sense, Stroke, Ui,
    Vec2, WidgetInfo, accesskit::Action, pos2, vec2,
};

use super::{Salt, at, focus_ring};
use crate::ui::{
    theme::{MUTED_ALPHA, Tokens},
    words,
};

/// The fraction of a gain fader's travel that is below 0 dB.
const UNITY: f32 = 0.7;
/// Gains below this are silence.
const FLOOR_DB: f32 = -60.0;
/// The maximum gain.
pub const MAX_DB: f32 = 6.0;

/// The quantity that a fader sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A gain from −∞ to +6 dB.
    Gain,
    /// A volume, 0 to 1.
    Volume,
    /// A balance from -1 (left only) to 1 (right only).
    Pan,
    /// A playback speed, 0.5 to 1.5.
    Speed,
    /// A change of the key, -12 to 12 semitones.
    Key,
    /// A change of the key, -50 to 50 cents.
    Cents,
}

impl Scale {
    /// The value at a position of the fader, 0 to 1.
    pub fn value(self, place: f32) -> f32 {
        let place = place.clamp(0.0, 1.0);
        match self {
            Self::Volume => place,
            Self::Pan => 2.0 * place - 1.0,
            Self::Speed => 0.5 + place,
            Self::Key => 24.0 * place - 12.0,
            Self::Cents => 100.0 * place - 50.0,
            Self::Gain if place <= 0.0 => f32::NEG_INFINITY,
            Self::Gain if place < UNITY => FLOOR_DB * (1.0 - place / UNITY).powi(2),
            Self::Gain => (place - UNITY) / (1.0 - UNITY) * MAX_DB,
        }
    }

    /// The position of a value on the fader, 0 to 1.
    pub fn place(self, value: f32) -> f32 {
        match self {
            Self::Volume => value.clamp(0.0, 1.0),
            Self::Pan => f32::midpoint(value, 1.0).clamp(0.0, 1.0),
            Self::Speed => (value - 0.5).clamp(0.0, 1.0),
            Self::Key => (value / 24.0 + 0.5).clamp(0.0, 1.0),
            Self::Cents => (value / 100.0 + 0.5).clamp(0.0, 1.0),
            Self::Gain if value <= FLOOR_DB => 0.0,
            Self::Gain if value < 0.0 => UNITY * (1.0 - (value / FLOOR_DB).sqrt()),
            Self::Gain => (UNITY + value / MAX_DB * (1.0 - UNITY)).min(1.0),
        }
    }

    /// The value `steps` steps further.
    fn stepped(self, value: f32, steps: f32) -> f32 {
        match self {
            Self::Volume => (value + 0.05 * steps).clamp(0.0, 1.0),
            Self::Pan => hundredths((value + 0.05 * steps).clamp(-1.0, 1.0)),
            Self::Speed => hundredths((value + 0.05 * steps).clamp(0.5, 1.5)),
            Self::Key => (value + steps).round().clamp(-12.0, 12.0),
            Self::Cents => (value + steps).round().clamp(-50.0, 50.0),
            Self::Gain => {
                let to = (value.max(FLOOR_DB) + 0.5 * steps).min(MAX_DB);
                if to <= FLOOR_DB { f32::NEG_INFINITY } else { to }
            }
        }
    }

    /// The value rounded as a drag sets it: round figures, with 0 dB easy to hit.
    pub(super) fn tidied(self, value: f32) -> f32 {
        match self {
            Self::Gain if value.abs() < 0.25 => 0.0,
            Self::Gain => (value * 10.0).round() / 10.0,
            Self::Pan if value.abs() < 0.06 => 0.0,
            Self::Speed if (value - 1.0).abs() < 0.03 => 1.0,
            Self::Cents if value.abs() < 2.0 => 0.0,
            Self::Key | Self::Cents => value.round(),
            Self::Volume | Self::Pan | Self::Speed => hundredths(value),
        }
    }

    /// Whether a value is the default.
    pub fn is_default(self, value: f32) -> bool {
        value == self.default_value()
    }

    fn default_value(self) -> f32 {
        match self {
            Self::Gain | Self::Pan | Self::Key | Self::Cents => 0.0,
            Self::Volume | Self::Speed => 1.0,
        }
    }

    /// The value as text.
    pub fn words(self, value: f32) -> String {
        match self {
            Self::Gain => words::decibels(value),
            Self::Volume => words::percent(f64::from(value)),
            Self::Pan => words::pan(value),
            Self::Speed => words::speed(value),
            Self::Key => words::signed(value),
            Self::Cents => words::cents(value),
        }
    }

    fn range(self) -> (f32, f32) {
        match self {
            Self::Gain => (FLOOR_DB, MAX_DB),
            Self::Volume => (0.0, 1.0),
            Self::Pan => (-1.0, 1.0),
            Self::Speed => (0.5, 1.5),
            Self::Key => (-12.0, 12.0),
            Self::Cents => (-50.0, 50.0),
        }
    }

    /// Parses a typed value; `None` if the text is not a number.
    pub fn typed(self, text: &str) -> Option<f32> {
        let text = text.trim().replace('−', "-").replace(',', ".");
        let number = text.trim_end_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('+');
        if self == Self::Gain && (text.contains('∞') || text.contains("inf")) {
            return Some(f32::NEG_INFINITY);
        }
        let (min, max) = self.range();
        let value: f32 = number.parse().ok().filter(|value: &f32| value.is_finite())?;
        let is_whole = matches!(self, Self::Key | Self::Cents);
        let value = if is_whole { value.round() } else { value };
        Some(if self == Self::Gain && value < min {
            f32::NEG_INFINITY
        } else {
            value.clamp(min, max)
        })
    }
}

fn hundredths(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// The appearance of a fader.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The colour left of the knob.
    pub color: Color32,
    /// Whether the fader is dimmed, because its lane is not audible.
    pub is_faint: bool,
}

/// Adds a fader of a width and a height. Returns the new value if it was moved.
pub fn fader(
    ui: &mut Ui,
    salt: impl Salt,
    size: Vec2,
    name: &str,
    scale: Scale,
    value: f32,
    look: Look,
) -> Option<f32> {
    let (_, rect) = ui.allocate_space(size);
    let response = at(ui, salt, rect, Sense::click_and_drag());
    let way = rect.x_range().shrink(8.0);
    let mut new = None;
    // A quick click is pressed and released within one frame.
    let is_held = response.dragged() || response.is_pointer_button_down_on() || response.clicked();
    if is_held
        && !response.double_clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let place = (pointer.x - way.min) / way.span().max(1.0);
        new = Some(scale.tidied(scale.value(place)));
    }
    let control = Knob { name, scale, value };
    let new = control.worked(ui, &response, new);
    paint(ui, scale, rect, way, scale.place(new.unwrap_or(value)), look);
    let knob = pos2(way.min + way.span() * scale.place(new.unwrap_or(value)), rect.center().y);
    focus_ring(ui, &response, Rect::from_center_size(knob, vec2(16.0, 16.0)), 8);
    control.describe(ui, response, new.unwrap_or(value));
    new.filter(|new| *new != value)
}

/// The behaviour shared by all controls of a value, whatever their appearance.
#[derive(Clone, Copy, Debug)]
pub struct Knob<'a> {
    /// The accessible name.
    pub name: &'a str,
    /// The quantity.
    pub scale: Scale,
    /// The current value.
    pub value: f32,
}

impl Knob<'_> {
    /// The value after double-click, wheel, keys and assistive technology; `pointed` is the value
    /// set by the pointer.
    pub fn worked(self, ui: &Ui, response: &Response, pointed: Option<f32>) -> Option<f32> {
        let Self { scale, value, .. } = self;
        let mut new = pointed;
        if response.double_clicked() {
            new = Some(scale.default_value());
        }
        if response.has_focus() {
            let arrows = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
            new = keys(ui, scale, value).or(new);
        }
        if response.hovered() {
            new = wheel(ui).map(|steps| scale.stepped(value, steps)).or(new);
        }
        assistive(ui, response.id, scale, value).or(new)
    }

    /// Sets the tooltip and the accessible description.
    pub fn describe(self, ui: &Ui, response: Response, shown: f32) {
        let Self { name, scale, .. } = self;
        let (min, max) = scale.range();
        response.widget_info(|| WidgetInfo {
            current_text_value: Some(scale.words(shown)),
            value: Some(f64::from(shown.max(min))),
            ..WidgetInfo::labeled(Role::Slider, true, name)
        });
        ui.accesskit_node_builder(response.id, |node| {
            node.set_min_numeric_value(f64::from(min));
            node.set_max_numeric_value(f64::from(max));
            node.add_action(Action::Increment);
            node.add_action(Action::Decrement);
            node.add_action(Action::SetValue);
        });
        response.on_hover_text(format!("{name}: {}", scale.words(shown)));
    }
}

/// Consumes the steps of the wheel, so that nothing else scrolls. With Ctrl, the wheel zooms
/// instead.
fn wheel(ui: &Ui) -> Option<f32> {
    const POINTS_PER_STEP: f32 = 50.0;
    let steps: f32 = ui.input(|input| {
        let steps = input.events.iter().map(|event| match event {
            Event::MouseWheel { unit, delta, modifiers, .. } if !modifiers.command => {
                let turned = delta.x + delta.y;
                if *unit == MouseWheelUnit::Point { turned / POINTS_PER_STEP } else { turned }
            }
            _ => 0.0,
        });
        steps.sum()
    });
    if ui.input(|input| input.zoom_delta() == 1.0) {
        ui.input_mut(|input| input.smooth_scroll_delta = Vec2::ZERO);
    }
    (steps != 0.0).then_some(steps)
}

fn keys(ui: &Ui, scale: Scale, value: f32) -> Option<f32> {
    let (min, max) = scale.range();
    let steps = ui.input(|input| {
        let presses = |key: Key| input.num_presses(key) as f32;
        presses(Key::ArrowRight) + presses(Key::ArrowUp)
            - presses(Key::ArrowLeft)
            - presses(Key::ArrowDown)
            + 6.0 * (presses(Key::PageUp) - presses(Key::PageDown))
    });
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
    if pressed(Key::Home) {
        Some(if scale == Scale::Gain { f32::NEG_INFINITY } else { min })
    } else if pressed(Key::End) {
        Some(max)
    } else if pressed(Key::Backspace) || pressed(Key::Delete) {
        Some(scale.default_value())
    } else {
        (steps != 0.0).then(|| scale.stepped(value, steps))
    }
}

fn assistive(ui: &Ui, id: egui::Id, scale: Scale, value: f32) -> Option<f32> {
    ui.input(|input| {
        let up = input.num_accesskit_action_requests(id, Action::Increment) as f32;
        let down = input.num_accesskit_action_requests(id, Action::Decrement) as f32;
        let set =
            input.accesskit_action_requests(id, Action::SetValue).find_map(|request| match request
                .data
            {
                Some(egui::accesskit::ActionData::NumericValue(value)) => Some(value as f32),
                _ => None,
            });
        let (min, max) = scale.range();
        set.map(|set| set.clamp(min, max))
            .or_else(|| (up != down).then(|| scale.stepped(value, up - down)))
    })
}

fn paint(ui: &Ui, scale: Scale, rect: Rect, way: egui::Rangef, place: f32, look: Look) {
    let tokens = Tokens::of(ui);
    let y = rect.center().y;
    let rail = Rect::from_min_max(pos2(way.min, y - 2.0), pos2(way.max, y + 2.0));
    ui.painter().rect_filled(rail, 2, tokens.line);
    let x = way.min + way.span() * place;
    let color =
        if look.is_faint { look.color.gamma_multiply(MUTED_ALPHA + 0.2) } else { look.color };
    // A control with a centre is filled from there.
    let middle = way.min + way.span() * scale.place(scale.default_value());
    let from = if scale == Scale::Speed { middle } else { way.min };
    let done = Rect::from_x_y_ranges(from.min(x)..=from.max(x), rail.y_range());
    ui.painter().rect_filled(done, 2, color);
    ui.painter().circle(pos2(x, y), 8.0, tokens.knob, Stroke::new(1.0, tokens.knob_rim));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_marks_of_a_gain_fader() {
        assert_eq!(Scale::Gain.value(0.0), f32::NEG_INFINITY);
        assert_eq!(Scale::Gain.value(1.0), MAX_DB);
        assert!(Scale::Gain.value(UNITY).abs() < 1e-5);
        assert_eq!(Scale::Gain.place(f32::NEG_INFINITY), 0.0);
        assert_eq!(Scale::Gain.stepped(f32::NEG_INFINITY, -1.0), f32::NEG_INFINITY);
        assert_eq!(Scale::Gain.stepped(5.8, 3.0), MAX_DB);
    }

    #[test]
    fn numbers_are_typed_as_people_write_them() {
        for (text, value) in [
            ("-6", Some(-6.0)),
            ("−1,5 dB", Some(-1.5)),
            (" +3.25dB ", Some(3.25)),
            ("99", Some(MAX_DB)),
            ("-80", Some(f32::NEG_INFINITY)),
            ("-inf", Some(f32::NEG_INFINITY)),
            ("−∞ dB", Some(f32::NEG_INFINITY)),
            ("", None),
            ("loud", None),
            ("1e99", None),
        ] {
            assert_eq!(Scale::Gain.typed(text), value, "{text}");
        }
        assert_eq!(Scale::Speed.typed("0.75 ×"), Some(0.75));
        assert_eq!(Scale::Speed.typed("9"), Some(1.5));
        assert_eq!(Scale::Key.typed("+2"), Some(2.0));
        assert_eq!(Scale::Key.typed("−13"), Some(-12.0));
        assert_eq!(Scale::Cents.typed("-12,6 ct"), Some(-13.0));
    }

    #[test]
    fn a_step_of_speed_and_pan_is_a_twentieth() {
        assert_eq!(Scale::Speed.stepped(1.0, -1.0), 0.95);
        assert_eq!(Scale::Speed.stepped(1.5, 1.0), 1.5);
        assert_eq!(Scale::Pan.stepped(0.0, -2.0), -0.1);
    }

    proptest! {
        #[test]
        fn place_and_value_are_inverse(place in 0.001f32..1.0) {
            for scale in [
                Scale::Gain,
                Scale::Volume,
                Scale::Pan,
                Scale::Speed,
                Scale::Key,
                Scale::Cents,
            ] {
                prop_assert!((scale.place(scale.value(place)) - place).abs() < 1e-3);
            }
        }
    }
}
