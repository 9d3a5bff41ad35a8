//! Change of tempo and pitch of one or more lanes of stereo. Runs on the calling thread, which may
//! be an audio callback: everything is allocated on creation.
//!
//! A phase vocoder stretches time by pitch / speed; then a resampler raises the pitch and restores
//! the speed. All lanes share the frames' positions and phases ([`super::guide`]). Positions follow
//! from speed and pitch. Only around attacks ([`super::attack`]), which are at their exact places,
//! time passes as in the input, so that they stay sharp.
//!
//! Rejected: the crate `timestretch` rounds the tempo by up to 0.4 % and processes each lane by its
//! own sound, which moves attacks of the same place up to 3 ms apart. Bindings of Signalsmith
//! Stretch want clang, or had one release; Rubber Band is GPL.

use std::sync::Arc;

use audioadapter_buffers::direct::InterleavedSlice;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};
use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

use super::{
    attack::{Attacks, BLOCK},
    guide::{Guide, Spectra},
};
use crate::engine::{audio::resample::ResampleError, types::CHANNELS};

/// Number of windows that cover each frame.
const OVERLAP: usize = 8;

/// Sum of the squares of a Hann window at this overlap.
const WINDOW_GAIN: f32 = 3.0 * OVERLAP as f32 / 8.0;

/// Length of the resampler's filter in frames.
const FILTER_FRAMES: usize = 128;

/// Largest factor by which the pitch may change; slightly more than an octave.
const MOST_PITCH: f64 = 2.2;

/// Frames that the detector of attacks may lag behind.
const LOOK_AHEAD: i64 = BLOCK as i64;

/// Share of the spectrum below the Nyquist frequency that survives.
const PASSED: f64 = 0.97;

/// A change of tempo and pitch.
pub struct Stretch {
    size: usize,
    hop: usize,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    time: Vec<f32>,
    scratch: Vec<Complex32>,
    now: Spectra,
    before: Spectra,
    guide: Guide,
    attacks: Attacks,
    /// Attack at which the last frame was.
    attack: Option<i64>,
    lanes: Vec<Lane>,
    pitch: f64,
    speed: f64,
    /// Input position of the centre of the next frame, if it is not near an attack.
    at: f64,
}

/// Lane between its input and its output, all interleaved.
struct Lane {
    /// Input, `first` being the position of its first frame.
    input: Vec<f32>,
    first: i64,
    /// Sum of overlapping windows, from the next frame to be output on.
    sum: Vec<f32>,
    resampler: Async<f32>,
    resampled: Vec<f32>,
    /// Finished output.
    ready: Vec<f32>,
    /// Output frames to be dropped first.
    skip: usize,
}

impl Stretch {
    /// Creates a stretch of `lanes` lanes at `rate` Hz; lane 0 leads. `pitch` and `speed` are
    /// factors.
    ///
    /// # Errors
    /// Fails if the resampler rejects the factors.
    pub fn new(rate: u32, lanes: usize, (pitch, speed): (f64, f64)) -> Result<Self, ResampleError> {
        // 93 ms at 44.1 kHz, 85 ms at 48 kHz.
        let size = (rate as usize / 16).next_power_of_two().max(256);
        let hop = size / OVERLAP;
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let spectra = || [forward.make_output_vec(), forward.make_output_vec()];
        let angle = |n: usize| std::f64::consts::TAU * n as f64 / size as f64;
        Ok(Self {
            window: (0..size).map(|n| (0.5 - 0.5 * angle(n).cos()) as f32).collect(),
            time: vec![0.0; size],
            scratch: vec![Complex32::default(); scratch],
            now: spectra(),
            before: spectra(),
            guide: Guide::new(size / 2 + 1),
            attacks: Attacks::new(size / 2),
            attack: None,
            lanes: (0..lanes).map(|_| Lane::new(size, hop, pitch)).collect::<Result<_, _>>()?,
            forward,
            inverse,
            size,
            hop,
            pitch,
            speed,
            at: -(size as f64) / 2.0 * speed / pitch,
        })
    }

    /// Changes the factors from the next frame on.
    pub fn set(&mut self, (pitch, speed): (f64, f64)) {
        (self.pitch, self.speed) = (pitch, speed);
        for lane in &mut self.lanes {
            // Out of range is impossible: the caller limits the pitch to an octave.
            lane.resampler.set_resample_ratio(1.0 / pitch, true).ok();
        }
    }

    /// Number of input frames that a lane needs for the next step.
    pub fn wanted(&self, lane: usize) -> usize {
        // An attack must be known before the first frame at it.
        let ahead = (self.size / 2) as f64 * (self.speed / self.pitch).max(1.0);
        let end = (self.at + ahead).ceil() as i64 + LOOK_AHEAD;
        let Some(lane) = self.lanes.get(lane) else { return 0 };
        (end - lane.first - (lane.input.len() / CHANNELS) as i64).max(0) as usize
    }

    /// Appends input of a lane: at most [`Self::wanted`] frames.
    pub fn push(&mut self, lane: usize, stereo: &[f32]) {
        if lane == 0 {
            self.attacks.search(stereo);
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.input.extend_from_slice(stereo);
        }
    }

    /// Processes one frame of all lanes; missing input is silence.
    pub fn step(&mut self) {
        let (at, attack) = self.place();
        if let Some(attack) = attack.filter(|_| attack != self.attack) {
            self.analyse_lead(attack - (self.size / 2) as i64, false);
            self.guide.prepare(&self.now);
        }
        self.attack = attack;
        self.analyse_lead(at - self.hop as i64, true);
        self.analyse_lead(at, false);
        self.guide.turn(&self.now, &self.before, attack.is_some());
        let passed = (PASSED * (self.size / 2) as f64 / self.pitch.max(1.0)) as usize;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            for channel in 0..CHANNELS {
                let spectrum = &mut self.now[channel];
                if index > 0 {
                    lane.copy(at, channel, &self.window, &mut self.time);
                    analyse(&*self.forward, &mut self.time, spectrum, &mut self.scratch);
                }
                self.guide.rotate(spectrum);
                spectrum[passed..].fill(Complex32::default());
                spectrum[0].im = 0.0;
                // Cannot fail: the buffers have the plan's sizes.
                let (time, scratch) = (&mut self.time, &mut self.scratch);
                self.inverse.process_with_scratch(spectrum, time, scratch).ok();
                lane.add(channel, &self.window, &self.time);
            }
            lane.finish(self.hop);
        }
        self.at += self.hop as f64 * self.speed / self.pitch;
        let (next, _) = self.place();
        let oldest = next.min(self.at as i64) - (2 * self.size) as i64;
        self.lanes.iter_mut().for_each(|lane| lane.forget(oldest));
    }

    /// Centre of the next frame in the input, and the attack that it is at.
    fn place(&self) -> (i64, Option<i64>) {
        let rate = self.speed / self.pitch;
        let attack = self.attacks.nearest(self.at);
        let away = ((self.at - attack as f64) / rate).round() as i64;
        if rate != 1.0 && away.unsigned_abs() as usize <= self.size / 2 {
            (attack + away, Some(attack))
        } else {
            (self.at.round() as i64, None)
        }
    }

    /// Computes the lead's spectra.
    fn analyse_lead(&mut self, at: i64, is_before: bool) {
        let spectra = if is_before { &mut self.before } else { &mut self.now };
        let Some(lead) = self.lanes.first() else { return };
        for (channel, spectrum) in spectra.iter_mut().enumerate() {
            lead.copy(at, channel, &self.window, &mut self.time);
            analyse(&*self.forward, &mut self.time, spectrum, &mut self.scratch);
        }
    }

    /// Moves finished frames of a lane into `out`; returns their number.
    pub fn read(&mut self, lane: usize, out: &mut [f32]) -> usize {
        let Some(lane) = self.lanes.get_mut(lane) else { return 0 };
        let samples = out.len().min(lane.ready.len());
        out[..samples].copy_from_slice(&lane.ready[..samples]);
        lane.ready.drain(..samples);
        samples / CHANNELS
    }

    /// Appends all finished frames of a lane to `out`.
    pub fn read_all(&mut self, lane: usize, out: &mut Vec<f32>) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            out.append(&mut lane.ready);
        }
    }

    /// Drops the finished frames of a lane.
    pub fn discard(&mut self, lane: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.ready.clear();
        }
    }

    /// Input position of the next frame that [`Self::read`] returns, of lane 0.
    pub fn position(&self) -> f64 {
        let pending = self.lanes.first().map_or(0.0, |lane| {
            (lane.ready.len() / CHANNELS) as f64 * self.pitch - lane.skip as f64 * self.pitch
        });
        let behind = (self.size / 2 + FILTER_FRAMES / 2 + 1) as f64 + pending;
        self.at - behind * self.speed / self.pitch
    }
}

/// Computes a spectrum; `time` is overwritten.
fn analyse(
    forward: &dyn RealToComplex<f32>,
    time: &mut [f32],
    spectrum: &mut [Complex32],
    scratch: &mut [Complex32],
) {
    // Cannot fail: the buffers have the plan's sizes.
    forward.process_with_scratch(time, spectrum, scratch).ok();
}

impl Lane {
    fn new(size: usize, hop: usize, pitch: f64) -> Result<Self, ResampleError> {
        let parameters =
            SincInterpolationParameters::new(FILTER_FRAMES, WindowFunction::BlackmanHarris2)
                .oversampling_factor(256)
                .interpolation(SincInterpolationType::Cubic);
        let fixed = FixedAsync::Input;
        let mut resampler = Async::new_sinc(1.0, MOST_PITCH, &parameters, hop, CHANNELS, fixed)?;
        resampler.set_resample_ratio(1.0 / pitch, false)?;
        let resampled = vec![0.0; CHANNELS * resampler.output_frames_max()];
        Ok(Self {
            input: Vec::with_capacity(CHANNELS * 8 * size),
            first: 0,
            sum: vec![0.0; CHANNELS * size],
            ready: Vec::with_capacity(2 * resampled.len()),
            resampled,
            resampler,
            // The resampler's first output lies one output frame after the filter's delay.
            skip: ((size + FILTER_FRAMES / 2) as f64 / pitch - 1.0).round() as usize,
        })
    }

    /// Copies a channel around `centre`, windowed.
    fn copy(&self, centre: i64, channel: usize, window: &[f32], out: &mut [f32]) {
        let start = centre - (out.len() / 2) as i64 - self.first;
        let silence = (start.min(0).unsigned_abs() as usize).min(out.len());
        let (silent, rest) = out.split_at_mut(silence);
        silent.fill(0.0);
        let from = (CHANNELS * start.max(0) as usize).min(self.input.len());
        let input = self.input[from..].iter().skip(channel).step_by(CHANNELS);
        let have = (self.input.len() - from) / CHANNELS;
        for ((out, x), weight) in rest.iter_mut().zip(input).zip(&window[silence..]) {
            *out = x * weight;
        }
        let end = have.min(rest.len());
        rest[end..].fill(0.0);
    }

    /// Adds a windowed frame of a channel.
    fn add(&mut self, channel: usize, window: &[f32], time: &[f32]) {
        // The inverse transform multiplies by the length.
        let gain = 1.0 / (WINDOW_GAIN * time.len() as f32);
        let sum = self.sum.iter_mut().skip(channel).step_by(CHANNELS);
        for ((sum, x), weight) in sum.zip(time).zip(window) {
            *sum += x * weight * gain;
        }
    }

    /// Resamples the frames that no later window covers.
    fn finish(&mut self, hop: usize) {
        let (frames, samples) = (self.resampled.len() / CHANNELS, CHANNELS * hop);
        let input = InterleavedSlice::new(&self.sum[..samples], CHANNELS, hop);
        let output = InterleavedSlice::new_mut(&mut self.resampled, CHANNELS, frames);
        if let (Ok(input), Ok(mut output)) = (input, output)
            && let Ok((_, made)) = self.resampler.process_into_buffer(&input, &mut output, None)
        {
            let skipped = made.min(self.skip);
            self.skip -= skipped;
            self.ready.extend_from_slice(&self.resampled[CHANNELS * skipped..CHANNELS * made]);
        }
        self.sum.copy_within(samples.., 0);
        let left = self.sum.len() - samples;
        self.sum[left..].fill(0.0);
    }

    /// Frees the input before a position.
    fn forget(&mut self, before: i64) {
        let frames = (before - self.first).max(0) as usize;
        let samples = (CHANNELS * frames).min(self.input.len());
        self.input.drain(..samples);
        self.first += (samples / CHANNELS) as i64;
    }
}
