//! A value that reaches its target in a straight line, frame by frame, so that nothing that is
//! heard ever steps. Pure; used on the audio callback's thread.

use crate::engine::types::SAMPLE_RATE;

/// Frames in which a gain, the volume or the choice of what is heard reaches a new value: 10 ms.
pub(super) const GAIN_FRAMES: u32 = SAMPLE_RATE / 100;

/// Frames in which playing starts or stops, and in which one deck gives way to another: 8 ms.
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
    /// Rests at `value`.
    pub(super) fn new(value: f32) -> Self {
        Self { value, target: value, step: 0.0, left: 0 }
    }

    /// Sets out for `target`, to be there after `frames` frames; nothing if it already is the aim.
    pub(super) fn aim(&mut self, target: f32, frames: u32) {
        if target != self.target {
            self.target = target;
            self.left = frames;
            self.step = (target - self.value) / frames as f32;
        }
    }

    /// Goes to `value` at once: only where nothing is heard.
    pub(super) fn snap(&mut self, value: f32) {
        *self = Self::new(value);
    }

    /// The next frame's value; exactly the target when the ramp is over.
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

    /// Whether it rests at zero.
    pub(super) fn is_silent(&self) -> bool {
        self.left == 0 && self.value == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_ends_exactly_on_its_target_and_never_steps_further_than_its_slope() {
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
    fn turning_back_half_way_starts_from_where_it_is() {
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
