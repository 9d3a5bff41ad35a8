//! Arithmetic and memory of a segment, counted from the network's shape.
//!
//! Products count as in the reference: two operations for a multiply-add, without the savings of
//! Winograd's transforms. The figures of the other kinds are counted the same way, because estimates
//! of time compare them. Element-wise operations are left out.

use super::config::Config;
use crate::model::{Effort, Memory, Spec};

/// Maps of a scale that exist at the same time in the decoder: both parts of the input, the result,
/// and the map between the convolutions.
const MAPS: usize = 4;

/// The shape of the input and the output, and the work of a segment.
pub fn spec(config: &Config) -> Spec {
    let scales = 0..config.num_scales;
    let inner = config.channels_at(config.num_scales);
    let mut products = blocks(config, config.num_scales, inner);
    for scale in scales {
        let (channels, next) = (config.channels_at(scale), config.channels_at(scale + 1));
        products += blocks(config, scale, channels) + blocks(config, scale, 2 * channels);
        products += 2.0 * positions(config, scale) * (channels * next) as f64;
    }
    let (channels, spectrum) = (config.num_channels, config.spectrum_channels());
    let ends = (channels + 2 * spectrum + config.usage.sources.len() * spectrum) * channels;
    products += positions(config, 0) * ends as f64;
    let effort = Effort { percent: 50, fast_share: 0 };
    Spec { megaflop: (2.0 * products / 1e6) as u64, effort, ..config.usage.spec() }
}

/// Multiply-adds of the blocks of a scale.
fn blocks(config: &Config, scale: usize, inputs: usize) -> f64 {
    let (channels, hidden) = (config.channels_at(scale), config.hidden_at(scale));
    let block = |inputs: usize| (10 * inputs + 9 * channels + 2 * hidden) * channels;
    let others = config.num_blocks_per_scale.saturating_sub(1);
    positions(config, scale) * (block(inputs) + others * block(channels)) as f64
}

/// Frequencies times columns at a scale.
fn positions(config: &Config, scale: usize) -> f64 {
    (config.freqs_at(scale) * (config.columns() >> scale)) as f64
}

/// Memory use, in bytes: every weight in single precision, and the maps of all scales, whose buffers
/// are kept for the next segment. Measured on a network of the published size.
pub fn memory(config: &Config) -> Memory {
    let values: usize =
        config.expected_tensors().values().map(|shape| shape.iter().product::<usize>()).sum();
    let map = |scale| positions(config, scale) as usize * config.channels_at(scale);
    let maps: usize = (0..=config.num_scales).map(|scale| MAPS * map(scale)).sum();
    let spectra = positions(config, 0) as usize
        * config.spectrum_channels()
        * config.usage.sources.len().saturating_add(1);
    // The largest convolution's weights at the 36 points of the transform.
    let widest = config.channels_at(config.num_scales - 1);
    let transformed = 36 * 2 * widest * widest;
    // Sixteen activated rows and their two neighbours, and twelve panels of all points.
    let inputs = 2 * config.num_channels;
    let rows = 18 * inputs * (config.columns() + 72);
    let panels = 12 * 36 * 16 * 2 * inputs;
    let bytes = |values: usize| (4 * values) as u64;
    Memory {
        weights: bytes(values) / 100 * 103,
        work: bytes(maps + spectra + transformed),
        per_thread: bytes(rows.max(panels)),
        fast_saving: 0,
    }
}
