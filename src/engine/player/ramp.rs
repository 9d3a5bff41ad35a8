//! A value that moves linearly to its target, frame by frame, so that audible values never step.
//! Pure; used on the audio callback's thread.

use crate::engine::types::SAMPLE_RATE;

/// Length in frames of changes of gain, volume or monitor: 10 ms.
pub(super) const GAIN_FRAMES: u32 = SAMPLE_RATE / 100;

/// Length in frames of fades at start and stop, and of crossfades between decks: 8 ms.
pub(super) const FADE_FRAMES: u32 = SAMPLE_RATE * 8 / 1000;

/// A linear ramp.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    left: u32,
}

impl Ramp {
    /// Creates a ramp that rests at `value`.
    pub(super) fn new(value: f32) -> Self {
        Self { value, target: value, step: 0.0, left: 0 }
    }

    /// Starts moving to `target`, to arrive after `frames` frames; no effect for an unchanged
    /// target.
    pub(super) fn aim(&mut self, target: f32, frames: u32) {
        if target != self.target {
            self.target = target;
            self.left = frames;
            self.step = (target - self.value) / frames as f32;
        }
    }

    /// Jumps to `value`; only valid during silence.
    pub(super) fn snap(&mut self, value: f32) {
        *self = Self::new(value);
    }

    /// Advances by a frame and returns its value; exactly the target at the end of the ramp.
    pub(super) fn advance(&mut self) -> f32 {
        if self.left > 0 {
            self.left -= 1;
            self.value = if self.left == 0 { self.target } else { self.value + self.step };
        }
        self.value
    }

    /// Frames until the target is reached.
    pub(super) fn left(&self) -> usize {
        self.left as usize
    }

    /// Whether the ramp rests at zero.
    pub(super) fn is_silent(&self) -> bool {
        self.left == 0 && self.value == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_ends_exactly_on_its_target_and_never_exceeds_its_slope() {
        let mut ramp = Ramp::new(0.1);
        ramp.aim(0.7, 100);
        let mut last = 0.1;
        for _ in 0..100 {
            let value = ramp.advance();
            assert!((value - last).abs() <= 0.6 / 100.0 + 1e-5);
            last = value;
        }
        assert_eq!(last, 0.7);
        assert_eq!(ramp.advance(), 0.7);
    }

    #[test]
    fn reversing_starts_from_the_current_value() {
        let mut ramp = Ramp::new(0.0);
        ramp.aim(1.0, 10);
        for _ in 0..5 {
            ramp.advance();
        }
        ramp.aim(0.0, 10);
        assert!((ramp.advance() - 0.45).abs() < 1e-6);
        assert!(!ramp.is_silent());
        for _ in 0..9 {
            ramp.advance();
        }
        assert!(ramp.is_silent());
    }
}
