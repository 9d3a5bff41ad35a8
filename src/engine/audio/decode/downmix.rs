//! Downmix of any channel layout to stereo. Pure functions.
//!
//! Mono goes to both channels. More than two channels are folded down per ITU-R BS.775: centre and
//! surrounds at -3 dB, a rear centre at -6 dB, low-frequency effects dropped. The result is
//! attenuated so that input within range stays within range.

use std::f32::consts::FRAC_1_SQRT_2;

use symphonia::core::audio::{ChannelLabel, Channels, Position};

use crate::engine::note::Layout;

/// Gains of one input channel in the left and the right output.
type Gains = [f32; 2];

/// Downmix matrix of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Downmix {
    /// Gains per channel, in the stream's order.
    gains: Vec<Gains>,
}

impl Downmix {
    /// Creates the downmix of `channels`; `None` without channels or for Ambisonics, which has no
    /// loudspeaker positions.
    pub fn new(channels: &Channels) -> Option<Self> {
        let gains: Vec<Gains> = match channels {
            _ if channels.count() == 0 => return None,
            Channels::Ambisonic(_) => return None,
            _ if channels.count() == 1 => vec![[1.0, 1.0]],
            _ if channels.count() == 2 => vec![[1.0, 0.0], [0.0, 1.0]],
            Channels::Positioned(positions) => positions.iter().map(gains_at).collect(),
            Channels::Custom(labels) => labels.iter().map(gains_of_label).collect::<Option<_>>()?,
            _ => gains_of_count(channels.count()),
        };
        Some(Self { gains: within_range(gains) })
    }

    /// Number of input channels.
    pub fn channels(&self) -> usize {
        self.gains.len()
    }

    /// Appends the downmix of `interleaved` to `stereo`.
    pub fn apply(&self, interleaved: &[f32], stereo: &mut Vec<f32>) {
        stereo.reserve(interleaved.len() / self.gains.len() * 2);
        match self.gains.len() {
            1 => stereo.extend(interleaved.iter().flat_map(|&sample| [sample; 2])),
            2 => stereo.extend_from_slice(interleaved),
            channels => {
                for frame in interleaved.chunks_exact(channels) {
                    let (mut left, mut right) = (0.0, 0.0);
                    for (&sample, gains) in frame.iter().zip(&self.gains) {
                        left += gains[0] * sample;
                        right += gains[1] * sample;
                    }
                    stereo.extend([left, right]);
                }
            }
        }
    }
}

/// Common name of the layout, such as "5.1".
pub fn layout_of(channels: &Channels) -> Layout {
    let count = channels.count();
    let low_frequency = match channels {
        Channels::Positioned(positions) => positions.intersects(Position::LFE1 | Position::LFE2),
        _ => matches!(count, 6..=8),
    };
    Layout { channels: count, has_low_frequency: low_frequency }
}

fn gains_at(position: Position) -> Gains {
    const LOW: Position = Position::LFE1.union(Position::LFE2);
    const LEFT: Position = Position::FRONT_LEFT.union(Position::FRONT_LEFT_WIDE);
    const RIGHT: Position = Position::FRONT_RIGHT.union(Position::FRONT_RIGHT_WIDE);
    const BESIDE_LEFT: Position = Position::REAR_LEFT
        .union(Position::SIDE_LEFT)
        .union(Position::TOP_FRONT_LEFT)
        .union(Position::TOP_REAR_LEFT)
        .union(Position::TOP_SIDE_LEFT)
        .union(Position::BOTTOM_FRONT_LEFT);
    const BESIDE_RIGHT: Position = Position::REAR_RIGHT
        .union(Position::SIDE_RIGHT)
        .union(Position::TOP_FRONT_RIGHT)
        .union(Position::TOP_REAR_RIGHT)
        .union(Position::TOP_SIDE_RIGHT)
        .union(Position::BOTTOM_FRONT_RIGHT);
    const BEHIND: Position = Position::REAR_CENTER.union(Position::TOP_REAR_CENTER);
    // Halfway between left and centre: unit power, shifted three quarters to the left.
    const INNER: Gains = [0.924, 0.383];

    if LOW.contains(position) {
        [0.0; 2]
    } else if LEFT.contains(position) {
        [1.0, 0.0]
    } else if RIGHT.contains(position) {
        [0.0, 1.0]
    } else if BESIDE_LEFT.contains(position) {
        [FRAC_1_SQRT_2, 0.0]
    } else if BESIDE_RIGHT.contains(position) {
        [0.0, FRAC_1_SQRT_2]
    } else if position == Position::FRONT_LEFT_CENTER {
        INNER
    } else if position == Position::FRONT_RIGHT_CENTER {
        [INNER[1], INNER[0]]
    } else if BEHIND.contains(position) {
        [0.5; 2]
    } else {
        [FRAC_1_SQRT_2; 2]
    }
}

fn gains_of_label(label: &ChannelLabel) -> Option<Gains> {
    match label {
        ChannelLabel::Positioned(position) => Some(gains_at(*position)),
        ChannelLabel::Discrete(index) => Some(gains_of_side(usize::from(*index))),
        _ => None,
    }
}

/// Gains of channels without positions: the common layouts, and left-right pairs beyond 7.1.
fn gains_of_count(count: usize) -> Vec<Gains> {
    const FRONT: [Position; 4] =
        [Position::FRONT_LEFT, Position::FRONT_RIGHT, Position::FRONT_CENTER, Position::LFE1];
    const PAIRS: [Position; 4] =
        [Position::REAR_LEFT, Position::REAR_RIGHT, Position::SIDE_LEFT, Position::SIDE_RIGHT];
    let positions: Vec<Position> = match count {
        3 => FRONT[..3].to_vec(),
        4 => [&FRONT[..2], &PAIRS[..2]].concat(),
        5 => [&FRONT[..3], &PAIRS[..2]].concat(),
        6 => [&FRONT[..], &PAIRS[..2]].concat(),
        7 => [&FRONT[..], &[Position::REAR_CENTER], &PAIRS[2..]].concat(),
        8 => [&FRONT[..], &PAIRS[..]].concat(),
        _ => return (0..count).map(gains_of_side).collect(),
    };
    positions.into_iter().map(gains_at).collect()
}

fn gains_of_side(index: usize) -> Gains {
    if index.is_multiple_of(2) { [1.0, 0.0] } else { [0.0, 1.0] }
}

/// Attenuates both sides equally until the gains of the louder side sum to at most 1.
fn within_range(mut gains: Vec<Gains>) -> Vec<Gains> {
    let sum = |side: usize| gains.iter().map(|gains| gains[side]).sum::<f32>();
    let loudest = sum(0).max(sum(1));
    if loudest > 1.0 {
        for gain in gains.iter_mut().flatten() {
            *gain /= loudest;
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stereo_of(channels: &Channels, frame: &[f32]) -> Vec<f32> {
        let mut stereo = Vec::new();
        Downmix::new(channels).unwrap().apply(frame, &mut stereo);
        stereo
    }

    const FIVE_ONE: Position = Position::FRONT_LEFT
        .union(Position::FRONT_RIGHT)
        .union(Position::FRONT_CENTER)
        .union(Position::LFE1)
        .union(Position::SIDE_LEFT)
        .union(Position::SIDE_RIGHT);

    #[test]
    fn mono_and_stereo_pass_unchanged() {
        let mono = Channels::Positioned(Position::FRONT_CENTER);
        assert_eq!(stereo_of(&mono, &[0.25, -0.5]), [0.25, 0.25, -0.5, -0.5]);
        let stereo = Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT);
        assert_eq!(stereo_of(&stereo, &[0.25, -0.5]), [0.25, -0.5]);
        assert_eq!(stereo_of(&Channels::Discrete(2), &[0.25, -0.5]), [0.25, -0.5]);
    }

    #[test]
    fn five_one_is_folded_by_position() {
        let scale = 1.0 / (1.0 + 2.0 * FRAC_1_SQRT_2);
        let channels = Channels::Positioned(FIVE_ONE);
        for (channel, want) in [
            (0, [1.0, 0.0]),
            (1, [0.0, 1.0]),
            (2, [FRAC_1_SQRT_2; 2]),
            (3, [0.0; 2]),
            (4, [FRAC_1_SQRT_2, 0.0]),
            (5, [0.0, FRAC_1_SQRT_2]),
        ] {
            let mut frame = [0.0; 6];
            frame[channel] = 1.0;
            let got = stereo_of(&channels, &frame);
            assert!((got[0] - want[0] * scale).abs() < 1e-6, "channel {channel}: {got:?}");
            assert!((got[1] - want[1] * scale).abs() < 1e-6, "channel {channel}: {got:?}");
        }
        assert_eq!(layout_of(&channels).to_string(), "5.1");
    }

    #[test]
    fn full_scale_on_every_channel_stays_in_range() {
        for count in 3..=24u16 {
            let got = stereo_of(&Channels::Discrete(count), &vec![1.0; usize::from(count)]);
            assert!(got.iter().all(|&x| x <= 1.0 + 1e-6 && x > 0.5), "{count}: {got:?}");
        }
    }

    #[test]
    fn rejects_layouts_without_loudspeakers() {
        assert_eq!(Downmix::new(&Channels::Ambisonic(1)), None);
        assert_eq!(Downmix::new(&Channels::None), None);
    }
}
