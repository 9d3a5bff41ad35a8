//! Comparison of playback and export: the same mix, to the last bit of a 32-bit float.

use std::{io, sync::Arc};

use super::Rig;
use crate::engine::{
    export::{
        FORMATS, Fields, NamePattern, Origin, Part, Place, RESIDUAL, Selection, Settings, export,
    },
    player::{Gains, Track, gains},
    separation::chain::Tree,
    types::{AudioFormat, CancelToken, Depth, LaneSettings, SAMPLE_RATE},
};

const FRAMES: u64 = 60_000;
const STEMS: usize = 4;

/// Noise that differs in every channel of every lane.
struct Noise;

impl Noise {
    fn read(lane: usize, start: u64, out: &mut [f32]) {
        for (at, sample) in (2 * start..).zip(out) {
            let mut x = at * 8 + lane as u64 + 1;
            for _ in 0..2 {
                x = (x ^ (x >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
            *sample = ((x >> 40) as f32 / (1 << 23) as f32 - 1.0) * 0.3;
        }
    }
}

impl Track for Noise {
    fn frames(&self) -> u64 {
        FRAMES
    }
    fn stems(&self) -> usize {
        STEMS
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        Self::read(STEMS, start, out);
        Ok(())
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        Self::read(stem, start, out);
        Ok(())
    }
    fn covered_at(&self, _at: u64) -> (bool, u64) {
        (true, FRAMES)
    }
}

/// Collects the device's whole output, interleaved.
fn heard(gains: &Gains) -> Vec<f32> {
    let mut rig = Rig::new(Arc::new(Noise));
    rig.player.set_gains(gains);
    rig.player.load(Some(Arc::new(Noise))); // load again, so that the gains hold from the first frame
    rig.player.play();
    let mut heard = vec![f32::NAN; 2 * FRAMES as usize];
    for (index, block) in heard.chunks_mut(2 * 777).enumerate() {
        if index == 20 {
            rig.player.refresh(); // as after a finished segment
        }
        rig.feed();
        rig.mixer.process(block);
    }
    assert_eq!(rig.player.underruns(), 0);
    heard
}

/// Exports the mix as the window does, interleaved.
fn exported(gains: &Gains) -> Vec<f32> {
    let sources = ["drums", "bass", "other", "vocals"].map(str::to_owned);
    let names = sources.iter().cloned().chain([RESIDUAL.to_owned()]);
    let parts = names.zip(gains.stems.iter().chain([&gains.residual]).copied());
    let parts = parts.map(|(stem, gains)| Part { stem, gains });
    let heard = parts.filter(|part| part.gains != [0.0; 2]).collect();
    let selection = Selection { mix: Some(heard), ..Selection::default() };

    let home = tempfile::tempdir().unwrap();
    let place =
        Place { folder: home.path().to_owned(), pattern: NamePattern::new("{stem}").unwrap() };
    let settings = Settings { depth: Some(Depth::Float32), ..Settings::default() };
    assert_eq!(settings.format.extension, FORMATS[0].extension, "WAV");
    let items = selection
        .items(&Tree::flat(&sources, None), settings.format, &place, Fields::default())
        .unwrap();
    let format = AudioFormat {
        name: "WAV".into(),
        sample_rate: SAMPLE_RATE,
        channels: 2,
        bits: Some(24),
        frames: Some(FRAMES),
    };
    let origin = Origin { format, is_at_hand: true, ..Origin::default() };
    export(&Noise, &origin, &items, &settings, &mut |_| (), &CancelToken::default()).unwrap();
    let mut reader = hound::WavReader::open(&items[0].to).unwrap();
    reader.samples::<f32>().map(|sample| sample.unwrap()).collect()
}

#[test]
fn playback_equals_the_export_bit_for_bit() {
    let lane = LaneSettings::default();
    let (mute, solo) =
        (LaneSettings { muted: true, ..lane }, LaneSettings { soloed: true, ..lane });
    let at = |gain_db, pan| LaneSettings { gain_db, pan, ..lane };
    let unticked = LaneSettings { ticked: false, ..lane };
    let no_rest = LaneSettings::of_residual();
    let cases = [
        ([lane; STEMS], no_rest),
        ([lane; STEMS], lane),
        ([at(-3.7, 0.4), at(1.3, -1.0), lane, mute], no_rest),
        ([at(-3.7, 0.4), mute, unticked, at(-17.2, 0.81)], at(-2.1, -0.33)),
        ([lane, solo, lane, LaneSettings { gain_db: -6.4, ..solo }], lane),
        ([mute; STEMS], lane),
    ];
    for (stems, residual) in cases {
        let gains = gains(&stems, residual);
        let (heard, exported) = (heard(&gains), exported(&gains));
        assert_eq!(heard.len(), exported.len());
        // `!=` treats both signs of zero as equal, which is intended.
        let differs = heard.iter().zip(&exported).position(|(heard, exported)| heard != exported);
        assert_eq!(differs, None, "{stems:?} {residual:?}");
    }
}
