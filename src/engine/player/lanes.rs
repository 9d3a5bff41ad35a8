//! The user's lane settings and the gains that result for playback and export. Pure.

use crate::engine::types::LaneSettings;

impl LaneSettings {
    /// Default of the residual's lane: muted.
    pub fn of_residual() -> Self {
        Self { muted: true, ..Self::default() }
    }

    /// Linear gains of left and right.
    pub fn sides(&self) -> [f32; 2] {
        let gain = 10f32.powf(self.gain_db / 20.0);
        [1.0 - self.pan, 1.0 + self.pan].map(|side| gain * side.clamp(0.0, 1.0))
    }
}

/// Choice between mix and original.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monitor {
    /// The stems with their gains; the original where they are unfinished.
    #[default]
    Mix,
    /// The original song, matched to the loudness of the mix.
    Original,
}

/// Linear gains of all lanes of a song, each for left and right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gains {
    /// Gains of the stems, in the model's order.
    pub stems: Vec<[f32; 2]>,
    /// Gains of the residual: the original minus all stems.
    pub residual: [f32; 2],
}

impl Gains {
    /// Whether all gains are zero.
    pub fn are_silent(&self) -> bool {
        self.stems.iter().chain([&self.residual]).all(|sides| *sides == [0.0; 2])
    }
}

/// Computes the gains of every lane, for playback and export.
pub fn gains(stems: &[LaneSettings], residual: LaneSettings) -> Gains {
    let any_solo = stems.iter().chain([&residual]).any(|lane| lane.ticked && lane.soloed);
    let sides = |lane: &LaneSettings| {
        let heard = lane.ticked && if any_solo { lane.soloed } else { !lane.muted };
        if heard { lane.sides() } else { [0.0; 2] }
    };
    Gains { stems: stems.iter().map(sides).collect(), residual: sides(&residual) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(lanes: &[LaneSettings]) -> Vec<f32> {
        let gains = gains(lanes, LaneSettings::of_residual());
        assert_eq!(gains.residual, [0.0; 2]);
        assert!(gains.stems.iter().all(|[left, right]| left == right));
        gains.stems.into_iter().map(|[left, _]| left).collect()
    }

    #[test]
    fn lane_settings_survive_serialisation() {
        for gain_db in [0.0, -6.5, f32::NEG_INFINITY] {
            let lane =
                LaneSettings { gain_db, pan: -0.25, soloed: true, ..LaneSettings::default() };
            let text = serde_json::to_string(&lane).unwrap();
            assert_eq!(serde_json::from_str::<LaneSettings>(&text).unwrap(), lane, "{text}");
        }
        let older: LaneSettings = serde_json::from_str("{\"ticked\":false}").unwrap();
        assert_eq!(older, LaneSettings { ticked: false, ..LaneSettings::default() });
    }

    #[test]
    fn lane_settings_become_gains() {
        let lane = LaneSettings::default();
        let solo = LaneSettings { soloed: true, ..lane };
        let mute = LaneSettings { muted: true, ..lane };
        let off = |lane| LaneSettings { ticked: false, ..lane };
        assert_eq!(stems(&[]), [0.0; 0]);
        assert_eq!(stems(&[lane, mute, off(lane)]), [1.0, 0.0, 0.0]);
        assert_eq!(stems(&[lane, solo, mute]), [0.0, 1.0, 0.0]);
        assert_eq!(stems(&[solo, solo, lane]), [1.0, 1.0, 0.0]);
        assert_eq!(
            stems(&[lane, off(solo)]),
            [1.0, 0.0],
            "a solo on an unticked lane must have no effect"
        );
        let both = LaneSettings { muted: true, soloed: true, ..lane };
        assert_eq!(stems(&[both, lane]), [1.0, 0.0], "solo overrides mute");
        let loud = stems(&[LaneSettings { gain_db: 6.0, ..lane }])[0];
        assert!((loud - 1.995_262).abs() < 1e-5);
        assert_eq!(stems(&[LaneSettings { gain_db: f32::NEG_INFINITY, ..lane }]), [0.0]);
    }

    #[test]
    fn the_residual_behaves_like_any_lane() {
        let lane = LaneSettings::default();
        let solo = LaneSettings { soloed: true, ..lane };
        let of_both = |stem, residual| {
            let gains = gains(&[stem], residual);
            (gains.stems[0], gains.residual)
        };
        assert_eq!(of_both(lane, lane), ([1.0; 2], [1.0; 2]));
        assert_eq!(of_both(lane, LaneSettings::of_residual()), ([1.0; 2], [0.0; 2]));
        assert_eq!(of_both(lane, solo), ([0.0; 2], [1.0; 2]));
        assert_eq!(of_both(solo, lane), ([1.0; 2], [0.0; 2]));
        assert!(gains(&[], LaneSettings::of_residual()).are_silent());
        assert!(!gains(&[], lane).are_silent());
    }

    #[test]
    fn balance_attenuates_one_side_only() {
        let at = |pan| {
            let lane = LaneSettings { pan, ..LaneSettings::default() };
            gains(&[lane], LaneSettings::of_residual()).stems[0]
        };
        assert_eq!(at(0.0), [1.0, 1.0]);
        assert_eq!(at(-1.0), [1.0, 0.0]);
        assert_eq!(at(1.0), [0.0, 1.0]);
        assert_eq!(at(0.25), [0.75, 1.0]);
        assert_eq!(at(-7.0), [1.0, 0.0], "clamped");
    }
}
