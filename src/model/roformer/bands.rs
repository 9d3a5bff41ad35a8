//! The bands into which a RoFormer splits a spectrum.
//!
//! The bands of BS-RoFormer are disjoint and listed in the checkpoint. Those of Mel-Band RoFormer
//! overlap and follow from the mel scale. Computes with integers and frequencies only.

use std::ops::Range;

use crate::model::{Result, findings::Misfit};

/// Disjoint bands of these widths, from 0 Hz on.
pub fn split(widths: &[usize]) -> Vec<Range<usize>> {
    let ends = widths.iter().scan(0, |end, width| {
        *end += width;
        Some(*end)
    });
    ends.zip(widths).map(|(end, width)| end - width..end).collect()
}

/// The bins of each of `count` mel bands: those where librosa's `filters.mel` is positive, and the
/// first and the last bin. Slaney's scale: linear below 1 kHz, logarithmic above.
///
/// Computed in double precision in librosa's order, since a bin at the edge of a triangle belongs
/// to the band if rounding makes it positive.
///
/// # Errors
/// [`ModelError::Header`] when a band is empty, or a bin is in none.
pub fn mel(sample_rate: f64, n_fft: usize, count: usize) -> Result<Vec<Range<usize>>> {
    let bins = n_fft / 2 + 1;
    let most = hz_to_mel(sample_rate / 2.0);
    // `numpy.linspace` does not compute the last value, but sets it.
    let step = most / (count + 1) as f64;
    let mel = |at: usize| if at == count + 1 { most } else { at as f64 * step };
    let edges: Vec<f64> = (0..count + 2).map(|at| mel_to_hz(mel(at))).collect();
    // `numpy.fft.rfftfreq`.
    let spacing = 1.0 / (n_fft as f64 * (1.0 / sample_rate));
    let mut bands = Vec::with_capacity(count);
    for band in 0..count {
        let (low, centre, high) = (edges[band], edges[band + 1], edges[band + 2]);
        let is_positive = |bin: &usize| {
            let at = *bin as f64 * spacing;
            let (rising, falling) = ((at - low) / (centre - low), (high - at) / (high - centre));
            let norm = 2.0 / (high - low);
            (rising.min(falling).max(0.0) as f32 * norm as f32) > 0.0
                || (band == 0 && *bin == 0)
                || (band + 1 == count && *bin + 1 == bins)
        };
        let mut inside = (0..bins).filter(is_positive);
        let Some(first) = inside.next() else {
            return Err(Misfit::MelEmpty { count }.into());
        };
        let last = inside.next_back().unwrap_or(first);
        if !(first..=last).all(|bin| is_positive(&bin)) {
            return Err(Misfit::MelGap { count }.into());
        }
        bands.push(first..last + 1);
    }
    match counts(&bands, bins).iter().position(|count| *count == 0) {
        Some(bin) => Err(Misfit::MelBin { count, bin }.into()),
        None => Ok(bands),
    }
}

/// The share of a mask in each bin: the masks of overlapping bands are averaged.
pub fn shares(bands: &[Range<usize>], bins: usize) -> Vec<f32> {
    counts(bands, bins).iter().map(|count| 1.0 / (*count).max(1) as f32).collect()
}

/// The number of bands that contain each bin.
fn counts(bands: &[Range<usize>], bins: usize) -> Vec<usize> {
    (0..bins).map(|bin| bands.iter().filter(|band| band.contains(&bin)).count()).collect()
}

/// Mel per hertz below [`BREAK_HZ`], inverted.
const HZ_PER_MEL: f64 = 200.0 / 3.0;
/// The frequency above which the scale is logarithmic.
const BREAK_HZ: f64 = 1000.0;

/// Natural logarithm of the factor between two mel above [`BREAK_HZ`].
fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn hz_to_mel(hz: f64) -> f64 {
    if hz >= BREAK_HZ {
        BREAK_HZ / HZ_PER_MEL + (hz / BREAK_HZ).ln() / log_step()
    } else {
        hz / HZ_PER_MEL
    }
}

fn mel_to_hz(mel: f64) -> f64 {
    let at_break = BREAK_HZ / HZ_PER_MEL;
    if mel >= at_break {
        BREAK_HZ * (log_step() * (mel - at_break)).exp()
    } else {
        HZ_PER_MEL * mel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_mel_bands_have_their_widths() {
        let widths: Vec<usize> = mel(44_100.0, 2048, 60).unwrap().iter().map(Range::len).collect();
        let mut expected = vec![7];
        expected.extend([6; 14]);
        expected.extend([
            7, 7, 7, 9, 9, 9, 10, 10, 11, 13, 13, 13, 15, 16, 17, 19, 20, 20, 22, 24, 26, 28, 29,
            31, 33, 36, 39, 41, 44, 47, 50, 54, 57, 61, 66, 71, 76, 80, 86, 93, 99, 105, 113, 122,
            130,
        ]);
        assert_eq!(widths, expected);
    }

    #[test]
    fn too_many_bands_are_refused() {
        assert!(mel(44_100.0, 512, 200).is_err());
        assert!(mel(44_100.0, 512, 16).is_ok());
    }

    #[test]
    fn given_widths_lie_side_by_side() {
        assert_eq!(split(&[2, 3, 1]), [0..2, 2..5, 5..6]);
        assert_eq!(counts(&[0..2, 1..3], 3), [1, 2, 1]);
    }
}
