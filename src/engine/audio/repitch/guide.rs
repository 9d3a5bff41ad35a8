//! Phases of a stretch: one rotation per frequency, computed from the lead lane alone. Every lane is
//! rotated alike, so the stretch is linear: lanes that add up still add up afterwards, and a sound
//! is at the same place in each of them. Pure; allocates on creation only.
//!
//! The rotations lock the phases around each peak (Laroche and Dolson, 1999). A peak continues the
//! previous output by the phase that the input gains within exactly one hop. No frequency is
//! estimated, so a steady tone keeps its pitch exactly. Around an attack, frequencies that it raises
//! are not rotated, so that it keeps its shape.

use realfft::num_complex::Complex32;

use crate::engine::types::CHANNELS;

/// Spectra of both channels.
pub(super) type Spectra = [Vec<Complex32>; CHANNELS];

/// Bins on either side of a peak that decide about its phase: the main lobe of the window.
const LOBE: usize = 2;

/// Increase in power that marks the frequencies of an attack.
const RISE: f32 = 2.0;

/// Phases of one stretch.
pub(super) struct Guide {
    /// Previous output of the lead.
    last: Spectra,
    rotation: Vec<Complex32>,
    power: Vec<f32>,
    /// Power before the current attack.
    earlier: Vec<f32>,
}

impl Guide {
    pub(super) fn new(bins: usize) -> Self {
        let zeros = || vec![Complex32::default(); bins];
        Self {
            last: [zeros(), zeros()],
            rotation: vec![Complex32::new(1.0, 0.0); bins],
            power: vec![0.0; bins],
            earlier: vec![0.0; bins],
        }
    }

    /// Takes the lead's spectra just before an attack.
    pub(super) fn prepare(&mut self, earlier: &Spectra) {
        measure(earlier, &mut self.earlier);
    }

    /// Computes the rotations for the lead's spectra `now`; `before` is one hop earlier in the
    /// input. `has_attack`: the frame is at an attack, after [`Self::prepare`].
    pub(super) fn turn(&mut self, now: &Spectra, before: &Spectra, has_attack: bool) {
        measure(now, &mut self.power);
        let bins = self.power.len();
        let mut start = 0;
        while start < bins {
            let (peak, end) = self.region(start);
            let has_risen = has_attack && self.power[peak] > RISE * self.earlier[peak];
            let turn = if has_risen { Complex32::new(1.0, 0.0) } else { self.phase(before, peak) };
            self.rotation[start..end].fill(turn);
            start = end;
        }
        for (last, now) in self.last.iter_mut().zip(now) {
            for ((last, now), turn) in last.iter_mut().zip(now).zip(&self.rotation) {
                *last = now * turn;
            }
        }
    }

    /// Rotates a spectrum.
    pub(super) fn rotate(&self, spectrum: &mut [Complex32]) {
        for (bin, turn) in spectrum.iter_mut().zip(&self.rotation) {
            *bin *= turn;
        }
    }

    /// The next peak, and the end of its region: the minimum between it and the following peak.
    fn region(&self, start: usize) -> (usize, usize) {
        let power = &self.power;
        let mut peak = start;
        while peak + 1 < power.len() && power[peak + 1] >= power[peak] {
            peak += 1;
        }
        let mut end = peak + 1;
        while end < power.len() && power[end] <= power[end - 1] {
            end += 1;
        }
        (peak, end)
    }

    /// Rotation with which the bins around `peak` continue the previous output.
    fn phase(&self, before: &Spectra, peak: usize) -> Complex32 {
        let around = peak.saturating_sub(LOBE)..(peak + LOBE + 1).min(self.power.len());
        let mut sum = Complex32::default();
        for (last, before) in self.last.iter().zip(before) {
            for (last, before) in last[around.clone()].iter().zip(&before[around.clone()]) {
                sum += last * before.conj();
            }
        }
        let size = sum.norm();
        if size > 0.0 && size.is_finite() { sum / size } else { Complex32::new(1.0, 0.0) }
    }
}

/// Computes the power of both channels.
fn measure(spectra: &Spectra, power: &mut [f32]) {
    for (k, power) in power.iter_mut().enumerate() {
        *power = spectra.iter().map(|channel| channel[k].norm_sqr()).sum();
    }
}
