//! Arithmetic and memory of a segment, counted from the network's shape.
//!
//! A multiply-add counts as two operations, a real transform of n samples as 2.5 n log₂ n.
//! Element-wise operations are left out.

use super::config::{Arguments, Config, FEED_FORWARD};
use crate::model::{
    CHANNELS, Effort, Memory, Spec,
    kernels::{cpu, rows::BLOCK},
};

/// The shape of the input and the output, and the work of a segment.
pub fn spec(config: &Config) -> Spec {
    let flop: f64 = parts(config).iter().map(|(_, flop)| flop).sum();
    let effort = Effort { percent: 91, fast_share: 100 };
    Spec { megaflop: (flop / 1e6) as u64, effort, ..config.arguments.usage.spec() }
}

/// Memory use, in bytes: every weight in single precision, the large buffers, and those of a thread.
pub fn memory(config: &Config) -> Memory {
    let Arguments { dim, mlp_expansion_factor, usage, .. } = &config.arguments;
    let (columns, inner) = (config.columns(), config.inner());
    let tokens = columns * config.bands.len();
    let values: usize = config.expected_tensors().values().map(|shape| size(shape)).sum();
    let features = if config.transformers().len() == 3 { dim + 3 * inner } else { 0 };
    let before = if config.arguments.skip_connection { *dim } else { 0 };
    let spectra = columns * config.arguments.bins() * 2 * CHANNELS;
    let masks = columns * config.widths().iter().sum::<usize>();
    // The stems of a segment are stored while the next one is computed.
    let stems = 3 * usage.sources.len() * CHANNELS * usage.segment_frames;
    let work = tokens * (dim + features + before) + spectra + masks + stems;
    let attention = 4 * (columns.max(BLOCK) + BLOCK) * inner + 2 * BLOCK * (3 * dim + inner + 512);
    let mask = 3 * BLOCK * dim * mlp_expansion_factor;
    let bytes = |values: usize| (4 * values) as u64;
    Memory {
        // Padding to whole panels adds 3 %.
        weights: bytes(values) / 100 * 103,
        work: bytes(work),
        per_thread: bytes(attention + mask),
        fast_saving: if cpu::has_bf16() { bytes(values) / 2 } else { 0 },
    }
}

fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Operations of each part of a segment, named as the network's spans.
pub fn parts(config: &Config) -> Vec<(&'static str, f64)> {
    let Arguments { depth, dim, heads, mlp_expansion_factor, stft_n_fft, usage, .. } =
        &config.arguments;
    let Arguments { linear_transformer_depth: features, .. } = config.arguments;
    let number = |value: usize| value as f64;
    let (columns, bands) = (number(config.columns()), number(config.bands.len()));
    let (dim, inner, heads) = (number(*dim), number(config.inner()), number(*heads));
    let passes = number(CHANNELS / config.channels());
    let stems = number(usage.sources.len());
    let n = number(*stft_n_fft);
    let transform = 2.5 * n * n.log2() * columns * number(config.channels());
    let widths: f64 = config.widths().iter().map(|width| number(*width)).sum();
    // Per token, without the attention's products between tokens.
    let feed_forward = 4.0 * dim * number(FEED_FORWARD) * dim;
    let projections = 2.0 * dim * (4.0 * inner + heads) + feed_forward;
    let transformer = |layers: usize, length: f64| {
        number(*depth) * number(layers) * bands * columns * (projections + 4.0 * length * inner)
    };
    let features = number(*depth)
        * number(features)
        * bands
        * columns
        * (8.0 * dim * inner + 4.0 * inner * inner / heads + feed_forward);
    let hidden = dim * number(*mlp_expansion_factor);
    let between = number(config.mask_layers().saturating_sub(2)) * bands * hidden * hidden;
    let ends = match config.mask_layers() {
        1 => 2.0 * widths * dim,
        _ => bands * dim * hidden + 2.0 * widths * hidden,
    };
    let Arguments { time_transformer_depth, freq_transformer_depth, .. } = config.arguments;
    [
        ("spectrogram", transform),
        ("band split", 2.0 * columns * widths * dim),
        ("features", features),
        ("time", transformer(time_transformer_depth, columns)),
        ("bands", transformer(freq_transformer_depth, bands)),
        ("masks", 2.0 * columns * stems * (between + ends)),
        ("synthesis", transform * stems),
    ]
    .map(|(name, flop)| (name, flop * passes))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The expected figures are those of PyTorch's `FlopCounterMode`.
    #[test]
    fn published_sizes_cost_what_the_reference_counts() {
        let bands: Vec<usize> = [(24, 2), (12, 4), (8, 12), (8, 24), (8, 48), (1, 128), (1, 129)]
            .iter()
            .flat_map(|(count, width)| vec![*width; *count])
            .collect();
        let total = |klass: &str, dim: usize, depth: usize| {
            let kwargs = serde_json::json!({
                "sources": ["vocals"], "rest": null, "samplerate": 44_100,
                "segment_frames": 352_800, "overlap": 50, "normalize": false, "dim": dim, "depth": depth, "stereo": true,
                "time_transformer_depth": 1, "freq_transformer_depth": 1,
                "linear_transformer_depth": 0, "dim_head": 64, "heads": 8, "stft_n_fft": 2048,
                "stft_hop_length": 441, "stft_win_length": 2048, "stft_normalized": false,
                "zero_dc": true, "mask_estimator_depth": 2, "mlp_expansion_factor": 4,
                "skip_connection": false, "num_bands": 60, "freqs_per_bands": bands,
            });
            let texts = [("klass", klass.to_owned()), ("kwargs", kwargs.to_string())];
            let metadata: HashMap<String, String> =
                texts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
            let config = Config::from_metadata(&metadata).unwrap();
            parts(&config).iter().map(|(_, flop)| flop).sum::<f64>() / 1e12
        };
        let near =
            |flop: f64, expected: f64| assert!((flop / expected - 1.0).abs() < 0.01, "{flop}");
        near(total("MelBandRoformer", 384, 6), 3.11);
        near(total("BSRoformer", 512, 12), 8.70);
    }
}
