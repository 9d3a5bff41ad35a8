//! Key and speed of a song, changed independently of each other. Pure; shared by the player, on its
//! audio callback, and by exports.

mod attack;
mod guide;
mod stretch;
#[cfg(test)]
mod tests;

pub use stretch::Stretch;

/// Largest change of the key in cents: an octave and half a semitone.
pub const MOST_CENTS: i32 = 1250;

/// Supported speeds.
pub const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=1.5;

/// A change of key and speed; unchanged by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySpeed {
    cents: i16,
    /// Speed in thousandths, so that lengths are exact.
    thousandths: u16,
}

impl Default for KeySpeed {
    fn default() -> Self {
        Self { cents: 0, thousandths: 1000 }
    }
}

impl KeySpeed {
    /// Creates a change by cents and a speed, rounded to thousandths. Both are limited to their
    /// ranges; a speed that is not a number is 1.
    pub fn new(cents: i32, speed: f32) -> Self {
        let speed = if speed.is_nan() { 1.0 } else { speed.clamp(*SPEEDS.start(), *SPEEDS.end()) };
        let cents = cents.clamp(-MOST_CENTS, MOST_CENTS) as i16;
        Self { cents, thousandths: (1000.0 * speed).round() as u16 }
    }

    /// Change of the key in cents.
    pub fn cents(self) -> i32 {
        self.cents.into()
    }

    /// Speed; 1 is unchanged.
    pub fn speed(self) -> f32 {
        f32::from(self.thousandths) / 1000.0
    }

    /// Factors of pitch and speed.
    pub fn factors(self) -> (f64, f64) {
        ((f64::from(self.cents) / 1200.0).exp2(), f64::from(self.thousandths) / 1000.0)
    }

    /// Whether nothing changes.
    pub fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// Length in frames after the change, rounded to the nearest frame.
    pub fn frames(self, frames: u64) -> u64 {
        let (frames, by) = (u128::from(frames), u128::from(self.thousandths.max(1)));
        u64::try_from((1000 * frames + by / 2) / by).unwrap_or(u64::MAX)
    }

    /// The change in one word, for an atomic.
    pub(in crate::engine) fn to_bits(self) -> u32 {
        u32::from(self.cents.cast_unsigned()) << 16 | u32::from(self.thousandths)
    }

    /// Inverse of [`Self::to_bits`].
    pub(in crate::engine) fn from_bits(bits: u32) -> Self {
        Self { cents: ((bits >> 16) as u16).cast_signed(), thousandths: bits as u16 }
    }
}
