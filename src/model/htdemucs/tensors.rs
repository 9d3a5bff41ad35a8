//! The tensors that a network needs.

use super::Config;
use crate::model::tensors::Expected;

/// Every tensor that a network of this shape has, under its name in PyTorch.
pub fn expected_tensors(config: &Config) -> Expected {
    let mut list = List(Expected::new());
    for index in 0..config.depth {
        list.level(config, index);
    }
    let freqs = config.freqs();
    if config.freq_emb > 0.0 {
        list.add("freq_emb.embedding.weight", &[freqs[1], config.channels]);
    }
    let (inner, dim) = (config.channels_at(config.depth - 1), config.transformer_channels());
    if config.bottom_channels > 0 {
        for branch in ["", "_t"] {
            list.weighted(&format!("channel_upsampler{branch}"), &[dim, inner, 1], dim);
            list.weighted(&format!("channel_downsampler{branch}"), &[inner, dim, 1], inner);
        }
    }
    if config.t_layers > 0 {
        list.transformer(config, dim);
    }
    list.0
}

/// Collects names and shapes.
struct List(Expected);

impl List {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.insert(name.to_owned(), shape.to_vec());
    }

    /// A weight of `shape` and a bias of `outputs`.
    fn weighted(&mut self, name: &str, shape: &[usize], outputs: usize) {
        self.add(&format!("{name}.weight"), shape);
        self.add(&format!("{name}.bias"), &[outputs]);
    }

    /// Encoders and decoders of both branches at one depth.
    fn level(&mut self, config: &Config, index: usize) {
        let kernel = config.kernel_size;
        let inner = config.channels_at(index);
        let stems = config.audio_channels * config.sources.len();
        let outer = if index == 0 { None } else { Some(config.channels_at(index - 1)) };
        // In the frequency branch, each complex number is two channels.
        for (branch, complex) in [("", 2), ("t", 1)] {
            let shape = |outputs: usize, inputs: usize, taps: usize, side: usize| {
                let mut shape = vec![outputs, inputs, taps];
                if complex == 2 {
                    shape.push(side);
                }
                shape
            };
            let encoder = format!("{branch}encoder.{index}");
            let inputs = outer.unwrap_or(config.audio_channels * complex);
            self.weighted(&format!("{encoder}.conv"), &shape(inner, inputs, kernel, 1), inner);
            let taps = 1 + 2 * config.context_enc;
            let rewrite = shape(2 * inner, inner, taps, taps);
            self.weighted(&format!("{encoder}.rewrite"), &rewrite, 2 * inner);

            let decoder = format!("{branch}decoder.{}", config.depth - 1 - index);
            let outputs = outer.unwrap_or(stems * complex);
            self.weighted(
                &format!("{decoder}.conv_tr"),
                &shape(inner, outputs, kernel, 1),
                outputs,
            );
            let taps = 1 + 2 * config.context;
            let rewrite = shape(2 * inner, inner, taps, taps);
            self.weighted(&format!("{decoder}.rewrite"), &rewrite, 2 * inner);

            if config.has_norm(index) {
                self.weighted(&format!("{encoder}.norm1"), &[inner], inner);
                self.weighted(&format!("{encoder}.norm2"), &[2 * inner], 2 * inner);
                self.weighted(&format!("{decoder}.norm1"), &[2 * inner], 2 * inner);
                self.weighted(&format!("{decoder}.norm2"), &[outputs], outputs);
            }
            for (layer, bit) in [(&encoder, 1), (&decoder, 2)] {
                if config.dconv_mode & bit != 0 {
                    self.dconv(config, layer, inner);
                }
            }
        }
    }

    fn dconv(&mut self, config: &Config, layer: &str, channels: usize) {
        let hidden = config.dconv_hidden(channels);
        for depth in 0..config.dconv_depth {
            let prefix = format!("{layer}.dconv.layers.{depth}");
            self.weighted(&format!("{prefix}.0"), &[hidden, channels, 3], hidden);
            self.weighted(&format!("{prefix}.1"), &[hidden], hidden);
            self.weighted(&format!("{prefix}.3"), &[2 * channels, hidden, 1], 2 * channels);
            self.weighted(&format!("{prefix}.4"), &[2 * channels], 2 * channels);
            self.add(&format!("{prefix}.6.scale"), &[channels]);
        }
    }

    fn transformer(&mut self, config: &Config, dim: usize) {
        let hidden = config.transformer_hidden();
        self.weighted("crosstransformer.norm_in", &[dim], dim);
        self.weighted("crosstransformer.norm_in_t", &[dim], dim);
        for index in 0..config.t_layers {
            let cross = index.is_multiple_of(2) == config.t_cross_first;
            for layers in ["layers", "layers_t"] {
                let layer = format!("crosstransformer.{layers}.{index}");
                let attn = if cross { "cross_attn" } else { "self_attn" };
                self.add(&format!("{layer}.{attn}.in_proj_weight"), &[3 * dim, dim]);
                self.add(&format!("{layer}.{attn}.in_proj_bias"), &[3 * dim]);
                self.weighted(&format!("{layer}.{attn}.out_proj"), &[dim, dim], dim);
                self.weighted(&format!("{layer}.linear1"), &[hidden, dim], hidden);
                self.weighted(&format!("{layer}.linear2"), &[dim, hidden], dim);
                self.weighted(&format!("{layer}.norm1"), &[dim], dim);
                self.weighted(&format!("{layer}.norm2"), &[dim], dim);
                if cross {
                    self.weighted(&format!("{layer}.norm3"), &[dim], dim);
                }
                if config.t_norm_out {
                    self.weighted(&format!("{layer}.norm_out"), &[dim], dim);
                }
                self.add(&format!("{layer}.gamma_1.scale"), &[dim]);
                self.add(&format!("{layer}.gamma_2.scale"), &[dim]);
            }
        }
    }
}
