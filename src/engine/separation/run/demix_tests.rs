//! Comparison of [`Joint::Fade`] with a transcription of the reference, `demix` of
//! Music-Source-Separation-Training (`utils/model_utils.py`).

use std::{path::Path, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        separation::{chain::StepNeeds, options::Quality, plan::Plan, pool},
        store::MixWriter,
        types::Compute,
    },
    model::{Joint, Result as ModelResult, Spec},
};

/// A network with a position-dependent first stem: its input times a ramp, plus the index, both
/// from 0 to 1. The second stem is the unchanged input.
struct Ramp(Spec);

impl Ramp {
    fn new(segment_frames: usize) -> Self {
        Self(Spec::fade(vec!["ramp".into(), "same".into()], segment_frames, 50))
    }
}

impl Separator for Ramp {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
        let frames = self.0.segment_frames;
        assert_eq!(mix.len(), CHANNELS * frames);
        let ramp = mix.iter().enumerate().map(|(at, x)| {
            let place = (at % frames) as f32 / frames as f32;
            x * place + place
        });
        Ok(ramp.chain(mix.iter().copied()).collect())
    }
}

/// Reference: takes planar channels and returns planar `[stems, channels]` of the same length.
fn demix(network: &dyn Separator, mix: &[Vec<f32>], step: usize) -> Vec<Vec<f64>> {
    let chunk = network.spec().segment_frames;
    let (fade, border, length) = (chunk / 10, chunk - step, mix[0].len());
    let is_padded = length > 2 * border && border > 0;
    let mix: Vec<Vec<f32>> = if is_padded {
        mix.iter().map(|channel| padded(channel, border, border)).collect()
    } else {
        mix.to_vec()
    };
    let length = mix[0].len();
    let mut window = vec![1.0; chunk];
    for k in 0..fade {
        window[k] = k as f64 / (fade - 1) as f64;
        window[chunk - fade + k] = 1.0 - k as f64 / (fade - 1) as f64;
    }
    let stems = network.spec().sources.len() * CHANNELS;
    let (mut result, mut count) = (vec![vec![0.0; length]; stems], vec![0.0; length]);
    let mut i = 0;
    while i < length {
        let n = chunk.min(length - i);
        let part = |channel: &Vec<f32>| {
            let part = &channel[i..i + n];
            if n > chunk / 2 {
                padded(part, 0, chunk - n)
            } else {
                part.iter().copied().chain(vec![0.0; chunk - n]).collect()
            }
        };
        let parts: Vec<f32> = mix.iter().flat_map(part).collect();
        let out = network.separate(&parts).unwrap();
        let mut w = window.clone();
        let start = i;
        i += step;
        if start == 0 {
            w[..fade].fill(1.0);
        } else if i >= length {
            w[chunk - fade..].fill(1.0);
        }
        for k in 0..n {
            for (result, out) in result.iter_mut().zip(out.chunks_exact(chunk)) {
                result[start + k] += w[k] * f64::from(out[k]);
            }
            count[start + k] += w[k];
        }
    }
    let cut = if is_padded { border..length - border } else { 0..length };
    let divided = |stem: Vec<f64>| -> Vec<f64> {
        let all = stem.iter().zip(&count);
        let all: Vec<f64> = all.map(|(x, n)| if *n == 0.0 { 0.0 } else { x / n }).collect();
        all[cut.clone()].to_vec()
    };
    result.into_iter().map(divided).collect()
}

/// `torch.nn.functional.pad` with `mode="reflect"`.
fn padded(samples: &[f32], before: usize, after: usize) -> Vec<f32> {
    assert!(
        before < samples.len() && after < samples.len(),
        "PyTorch requires less padding than samples"
    );
    let head = (1..=before).rev().map(|at| samples[at]);
    let tail = (1..=after).map(|at| samples[samples.len() - 1 - at]);
    head.chain(samples.iter().copied()).chain(tail).collect()
}

/// Creates a song of noise, both planar and in a store.
fn song(folder: &Path, frames: usize) -> (Vec<Vec<f32>>, MixStore) {
    let mut state = frames as u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 0.9
    };
    let samples: Vec<f32> = (0..frames * CHANNELS).map(|_| next()).collect();
    let channel = |side: usize| samples.iter().skip(side).step_by(CHANNELS).copied().collect();
    let planar = (0..CHANNELS).map(channel).collect();
    let mut writer = MixWriter::create(folder).unwrap();
    writer.push(&samples).unwrap();
    (planar, writer.finish().unwrap())
}

/// Separates a song as the engine does, for a listener at `head`. Returns the largest difference
/// from the reference, and of the second stem from the mix.
fn errors(frames: usize, segment: usize, overlap: u8, head: u64) -> [f64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (planar, mix) = song(folder.path(), frames);
    let network = Ramp::new(segment);
    let quality = Quality { overlap, ..Quality::STANDARD };
    let plan = Plan::of(frames as u64, network.spec(), quality);
    assert_eq!(plan.joint, Joint::Fade);
    let sources = &network.spec().sources;
    let store = StemStore::open(&folder.path().join("s"), plan, sources).unwrap();
    let mix = Arc::new(mix);
    let tree = StemTree::of_store(store, Arc::clone(&mix)).with_spec(network.spec());
    let stems = tree.store(0).unwrap();
    let compute = Compute { threads: Some(1), ..Compute::default() };
    let lock = tree.lock(&[StepNeeds { step: 0, outputs: vec![0], is_wanted: true }]).unwrap();
    let networks = vec![Member { network: &network, shares: &[1.0, 1.0] }];
    let step = RunStep { step: 0, networks, groups: vec![0], is_wanted: true, pace: None };
    let pool = &pool::new(compute).unwrap();
    let work = Separation { mix: &mix, stems: &tree, steps: &[step], lock: &lock, pool };
    work.run(&|| Listener::at(head), &CancelToken::default(), &mut |_| {}).unwrap();
    assert!(stems.is_complete());
    let read: Vec<Vec<f32>> = (0..2)
        .map(|stem| {
            let mut out = vec![f32::NAN; frames * CHANNELS];
            stems.read(stem, 0, &mut out).unwrap();
            out
        })
        .collect();
    let step = network.spec().stride(overlap);
    let (mut from_reference, mut from_mix) = (0.0_f64, 0.0_f64);
    for (at, expected) in demix(&network, &planar, step).iter().enumerate() {
        let (stem, channel) = (at / CHANNELS, at % CHANNELS);
        for (frame, expected) in expected.iter().enumerate() {
            let have = f64::from(read[stem][frame * CHANNELS + channel]);
            from_reference = from_reference.max((have - expected).abs());
            if stem == 1 {
                from_mix = from_mix.max((have - f64::from(planar[channel][frame])).abs());
            }
        }
    }
    [from_reference, from_mix]
}

#[test]
fn lengths_around_the_borders_match_the_reference() {
    let segment: usize = 60;
    for (overlap, step) in [(10, 54), (50, 30), (67, 20), (75, 15)] {
        let border = segment - step;
        let mut lengths: Vec<usize> = (1..=5).collect();
        for around in [segment / 2, segment, 2 * segment, 2 * border, 2 * border + step, 400] {
            lengths.extend((around.saturating_sub(2)..=around + 2).filter(|frames| *frames > 0));
        }
        for frames in lengths {
            let [from_reference, from_mix] = errors(frames, segment, overlap, 0);
            assert!(from_reference <= 1e-6, "{frames} frames, {overlap} %: {from_reference}");
            assert!(from_mix <= 1e-6, "{frames} frames, {overlap} %: {from_mix}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_song_matches_the_reference(
        frames in 1usize..1500,
        segment in 20usize..230,
        overlap in prop::sample::select(vec![10u8, 25, 33, 50, 60, 67, 75]),
        head in 0u64..1500,
    ) {
        let [from_reference, from_mix] = errors(frames, segment, overlap, head);
        prop_assert!(from_reference <= 1e-6, "{}", from_reference);
        prop_assert!(from_mix <= 1e-6, "{}", from_mix);
    }
}

proptest! {
    /// The plan's invariants also hold for fades, in any order of computation.
    #[test]
    fn every_frame_is_held_and_weighed(
        frames in 1u64..2000, segment in 20usize..300, overlap in 0u8..=75
    ) {
        let spec = Spec::fade(vec!["one".into()], segment, 50);
        let quality = Quality { overlap, ..Quality::STANDARD };
        let plan = Plan::of(frames, &spec, quality);
        prop_assert_eq!((plan.passes(), plan.delays()), (1, &[][..]));
        for at in 0..frames {
            let holders = plan.segments_at(0, at);
            for index in 0..plan.len() {
                prop_assert_eq!(holders.contains(&index), plan.segment(index).contains(&at));
            }
            let sum: usize = holders.clone().map(|index| plan.weight_at(index, at)).sum();
            prop_assert!(sum > 0);
            if overlap <= 10 {
                prop_assert_eq!(sum, segment / 10 - 1, "fades of neighbours must add up to one");
            }
            let change = plan.change_after(0, at);
            prop_assert!(change > at);
            for next in at..change {
                prop_assert_eq!(plan.segments_at(0, next), holders.clone());
            }
        }
        for index in 0..plan.len() {
            let (own, window) = (plan.segment(index), plan.window(index));
            prop_assert!(!own.is_empty(), "no segment may be empty");
            let mut read = Vec::new();
            for stretch in &window.stretches {
                prop_assert!(stretch.at == read.len() && stretch.frames.end <= frames);
                let mut part: Vec<u64> = stretch.frames.clone().collect();
                if stretch.is_reversed {
                    part.reverse();
                }
                read.extend(part);
            }
            prop_assert!(read.len() <= segment);
            // The segment's own result must consist of the unmodified song.
            let own: Vec<u64> = own.collect();
            prop_assert_eq!(&read[window.result_at..][..own.len()], &own[..]);
        }
        prop_assert_eq!(plan.covered(|_| true), vec![(0, frames)]);
        prop_assert_eq!(plan.finished(|_| true), vec![(0, frames)]);
    }
}
