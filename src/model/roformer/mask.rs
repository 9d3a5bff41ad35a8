//! The parts of a RoFormer between spectra and tokens: the band split at its start, the mask
//! estimators at its end.
//!
//! They run on the rayon pool of the caller, whose threads share bands and blocks of columns. Fields
//! are named as PyTorch's modules.

use rayon::prelude::*;

use crate::model::{
    Stop,
    arena::Buffer,
    kernels::{
        linear::{Linear, scratch},
        norm::rms_norm,
        outputs::{StoreGated, StoreScaled, StoreTanh},
        rows::{BLOCK, block_rows},
    },
};

/// `BandSplit`: from the numbers of each band to a token.
#[derive(Clone, Debug)]
pub struct BandSplit {
    /// The layer of each band, with the norm's factors in its weight.
    pub to_features: Vec<Linear>,
    /// The beginning of each band in a spectrum.
    pub starts: Vec<usize>,
}

impl BandSplit {
    /// Fills `x: [bands, columns, dim]` from `spectra: [columns, width]`.
    pub fn forward(&self, spectra: &[f32], width: usize, x: &mut [f32]) {
        let columns = spectra.len() / width;
        let widest = self.to_features.iter().map(Linear::inputs).max().unwrap_or_default();
        let bands = x.par_chunks_exact_mut(x.len() / self.to_features.len());
        let rows = block_rows(columns);
        let layers = self.to_features.par_iter().zip(&self.starts);
        bands.zip(layers).for_each_init(
            || (Buffer::any(BLOCK * widest), Buffer::any(BLOCK * widest), scratch(widest)),
            |(plain, normal, packed), (x, (linear, start))| {
                let (inputs, dim) = (linear.inputs(), linear.outputs());
                let blocks = spectra.chunks(rows * width).zip(x.chunks_mut(rows * dim));
                for (spectra, out) in blocks {
                    let values = out.len() / dim * inputs;
                    let (plain, normal) = (&mut plain[..values], &mut normal[..values]);
                    let rows = spectra.chunks_exact(width).zip(plain.chunks_exact_mut(inputs));
                    for (spectrum, row) in rows {
                        row.copy_from_slice(&spectrum[*start..][..inputs]);
                    }
                    rms_norm(plain, inputs, normal);
                    let tokens = linear.pack(normal, inputs, packed);
                    linear.each(tokens, StoreScaled { out, width: dim, scale: 1.0 });
                }
            },
        );
    }
}

/// `MaskEstimator`: from the tokens to a factor for each complex number of a band.
#[derive(Clone, Debug)]
pub struct MaskEstimator {
    /// The layers of each band; the last one's outputs are ordered for [`StoreGated`].
    pub to_freqs: Vec<Vec<Linear>>,
    /// Numbers of each band.
    pub widths: Vec<usize>,
}

impl MaskEstimator {
    /// Masks from `x: [bands, columns, dim]`: band after band, `[columns, width]`. Incomplete once
    /// `stop` returns true.
    pub fn forward(&self, x: &[f32], stop: Stop<'_>) -> Buffer {
        let bands = x.chunks_exact(x.len() / self.widths.len());
        let dim = self.to_freqs.first().and_then(|layers| layers.first()).map_or(1, Linear::inputs);
        let columns = x.len() / self.widths.len() / dim;
        let mut masks = Buffer::any(columns * self.widths.iter().sum::<usize>());
        let rows = block_rows(columns);
        let mut tasks = Vec::new();
        let mut left = &mut masks[..];
        for ((layers, width), x) in self.to_freqs.iter().zip(&self.widths).zip(bands) {
            let (band, others) = std::mem::take(&mut left).split_at_mut(columns * width);
            left = others;
            let blocks = band.chunks_mut(rows * width).zip(x.chunks(rows * dim));
            tasks.extend(blocks.map(|(out, x)| Task { layers, width: *width, x, out }));
        }
        let widest = self.to_freqs.iter().flatten().map(Linear::inputs).max().unwrap_or_default();
        tasks.into_par_iter().for_each_init(
            || ([(); 2].map(|()| Buffer::any(BLOCK * widest)), scratch(widest)),
            |(hidden, packed), task| {
                if !stop() {
                    task.run(hidden, packed);
                }
            },
        );
        masks
    }

    /// The beginning of each band's masks in the result of [`Self::forward`].
    pub fn starts(&self, columns: usize) -> Vec<usize> {
        let mut starts = Vec::with_capacity(self.widths.len());
        let mut start = 0;
        for width in &self.widths {
            starts.push(start);
            start += columns * width;
        }
        starts
    }
}

/// The masks of a band for a block of columns.
struct Task<'a> {
    layers: &'a [Linear],
    width: usize,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Task<'_> {
    fn run(self, hidden: &mut [Buffer; 2], packed: &mut [f32]) {
        let Self { layers, width, x, out } = self;
        let Some((last, before)) = layers.split_last() else { return };
        let count = out.len() / width;
        let [from, to] = hidden;
        for (index, linear) in before.iter().enumerate() {
            let width = linear.outputs();
            let inputs = if index == 0 { x } else { &from[..count * linear.inputs()] };
            let tokens = linear.pack(inputs, linear.inputs(), packed);
            linear.each(tokens, StoreTanh { out: &mut to[..count * width], width });
            std::mem::swap(from, to);
        }
        let inputs = if before.is_empty() { x } else { &from[..count * last.inputs()] };
        last.each(last.pack(inputs, last.inputs(), packed), StoreGated { out, width });
    }
}
