//! Builds a network from the tensors of a file.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::{
    Config, HtDemucs,
    layers::{FreqDecoder, FreqEncoder, GroupNorm, Rewrite, TimeDecoder, TimeEncoder},
    spectrogram::Spectrogram,
    transformer::{Attention, CrossTransformer, Layer},
};
use crate::model::{
    Precision, Result, arena,
    findings::Misfit,
    kernels::{
        dconv::{DConvWeights, FreqDConv, TimeDConv},
        feed_forward::FeedForward,
        freq_conv::{FreqConv, FreqConvTranspose, GatedPointwise, StridedConv},
        linear::Linear,
        norm::Affine,
        row_conv::After,
        time_conv::{TimeConv, TimeConvTranspose},
        winograd::GatedWinograd,
    },
    tensors::Tensors,
};

/// Builds every layer; `tensors` have been checked against the configuration.
pub(super) fn network(config: Config, tensors: &Tensors, precision: Precision) -> Result<HtDemucs> {
    let build = Builder { config: &config, tensors, precision };
    let levels: Vec<usize> = (0..config.depth).collect();
    let decoders: Vec<usize> = levels.iter().rev().copied().collect();
    let network = HtDemucs {
        spec: config.spec(),
        spectrogram: Spectrogram::new(config.nfft),
        freq_emb: build.freq_emb()?,
        encoder: layers(&levels, |i| build.freq_encoder(i))?,
        tencoder: layers(&levels, |i| build.time_encoder(i))?,
        decoder: layers(&decoders, |i| build.freq_decoder(i))?,
        tdecoder: layers(&decoders, |i| build.time_decoder(i))?,
        channel_upsampler: build.channels("channel_upsampler")?,
        channel_upsampler_t: build.channels("channel_upsampler_t")?,
        channel_downsampler: build.channels("channel_downsampler")?,
        channel_downsampler_t: build.channels("channel_downsampler_t")?,
        crosstransformer: build.transformer()?,
        config,
    };
    arena::release(); // the buffers of weights that have moved to shared memory
    Ok(network)
}

/// Builds layers in parallel: packing their weights is slow.
fn layers<L: Send>(indices: &[usize], build: impl Fn(usize) -> Result<L> + Sync) -> Result<Vec<L>> {
    indices.par_iter().map(|index| build(*index)).collect()
}

struct Builder<'a> {
    config: &'a Config,
    tensors: &'a Tensors,
    precision: Precision,
}

impl Builder<'_> {
    fn vector(&self, name: &str) -> Result<Vec<f32>> {
        self.tensors.values(name)
    }

    fn affine(&self, name: &str) -> Result<Affine> {
        let weight = self.vector(&format!("{name}.weight"))?;
        Ok(Affine { weight, bias: self.vector(&format!("{name}.bias"))? })
    }

    fn linear(&self, name: &str) -> Result<Linear> {
        let weight = self.vector(&format!("{name}.weight"))?;
        Ok(Linear::new(&weight, &self.vector(&format!("{name}.bias"))?, self.precision))
    }

    /// A weight of `D` dimensions, and its bias.
    fn kernel<const D: usize>(&self, name: &str) -> Result<([usize; D], Vec<f32>, Vec<f32>)> {
        let weight = format!("{name}.weight");
        let (shape, values) = self.tensors.take(&weight)?;
        let shape = shape.try_into().map_err(|found: Vec<usize>| Misfit::TensorDimensions {
            name: weight.as_str().into(),
            found: (&found).into(),
            dimensions: D,
        })?;
        Ok((shape, values, self.vector(&format!("{name}.bias"))?))
    }

    /// The scaled embedding of each frequency: `[freqs, channels]`.
    fn freq_emb(&self) -> Result<Option<Vec<f32>>> {
        if self.config.freq_emb <= 0.0 {
            return Ok(None);
        }
        let mut table = self.vector("freq_emb.embedding.weight")?;
        let scale = self.config.freq_emb * self.config.emb_scale;
        for v in &mut table {
            *v *= scale;
        }
        Ok(Some(table))
    }

    fn norm(&self, name: &str, index: usize) -> Result<Option<GroupNorm>> {
        if !self.config.has_norm(index) {
            return Ok(None);
        }
        Ok(Some(GroupNorm { groups: self.config.norm_groups, affine: self.affine(name)? }))
    }

    /// The operation after a convolution of layer `index`, or none if a norm follows.
    fn unless_normed(&self, index: usize, after: After) -> After {
        if self.config.has_norm(index) { After::Store } else { after }
    }

    /// The layers of a DConv branch, built by `make(weights, dilation)`.
    fn dconv<L>(
        &self,
        layer: &str,
        bit: usize,
        make: impl Fn(DConvWeights, usize) -> L,
    ) -> Result<Vec<L>> {
        if self.config.dconv_mode & bit == 0 {
            return Ok(Vec::new());
        }
        let build = |depth: usize| {
            let prefix = format!("{layer}.dconv.layers.{depth}");
            let weights = DConvWeights {
                conv: self.vector(&format!("{prefix}.0.weight"))?,
                conv_bias: self.vector(&format!("{prefix}.0.bias"))?,
                norm_hidden: self.affine(&format!("{prefix}.1"))?,
                expand: self.vector(&format!("{prefix}.3.weight"))?,
                expand_bias: self.vector(&format!("{prefix}.3.bias"))?,
                norm_wide: self.affine(&format!("{prefix}.4"))?,
                scale: self.vector(&format!("{prefix}.6.scale"))?,
            };
            Ok(make(weights, 1 << depth))
        };
        (0..self.config.dconv_depth).map(build).collect()
    }

    fn freq_encoder(&self, index: usize) -> Result<FreqEncoder> {
        let name = format!("encoder.{index}");
        let ([outputs, inputs, taps, _], weight, bias) = self.kernel(&format!("{name}.conv"))?;
        let (stride, padding) = (self.config.stride, self.config.padding());
        Ok(FreqEncoder {
            conv: StridedConv::new(&weight, [outputs, inputs, taps], &bias, stride, padding),
            norm1: self.norm(&format!("{name}.norm1"), index)?,
            dconv: self.dconv(&name, 1, FreqDConv::new)?,
            rewrite: self.freq_rewrite(&name, self.norm(&format!("{name}.norm2"), index)?)?,
        })
    }

    fn freq_rewrite(&self, layer: &str, norm: Option<GroupNorm>) -> Result<Rewrite> {
        let (shape, weight, bias) = self.kernel(&format!("{layer}.rewrite"))?;
        let [_, inputs, taps, time_taps] = shape;
        Ok(match (taps, time_taps, norm) {
            (1, 1, None) => Rewrite::Pointwise(GatedPointwise::new(&weight, inputs, &bias)),
            (3, 3, None) => Rewrite::Winograd(GatedWinograd::new(&weight, inputs, &bias)),
            (.., norm) => Rewrite::Direct(FreqConv::new(&weight, shape, bias, 1, taps / 2), norm),
        })
    }

    fn freq_decoder(&self, index: usize) -> Result<FreqDecoder> {
        let name = format!("decoder.{}", self.config.depth - 1 - index);
        let ([inputs, outputs, taps, _], weight, bias) = self.kernel(&format!("{name}.conv_tr"))?;
        let stride = self.config.stride;
        Ok(FreqDecoder {
            rewrite: self.freq_rewrite(&name, self.norm(&format!("{name}.norm1"), index)?)?,
            dconv: self.dconv(&name, 2, FreqDConv::new)?,
            conv_tr: FreqConvTranspose::new(&weight, [inputs, outputs, taps], &bias, stride),
            trim: self.config.padding(),
            norm2: self.norm(&format!("{name}.norm2"), index)?,
            last: index == 0,
        })
    }

    fn time_encoder(&self, index: usize) -> Result<TimeEncoder> {
        let name = format!("tencoder.{index}");
        let (shape, weight, bias) = self.kernel(&format!("{name}.conv"))?;
        let (stride, padding) = (self.config.stride, self.config.padding());
        let after = self.unless_normed(index, After::Gelu);
        Ok(TimeEncoder {
            conv: TimeConv::new(&weight, shape, &bias, stride, padding, after),
            norm1: self.norm(&format!("{name}.norm1"), index)?,
            rewrite: self.time_rewrite(&name, index)?,
            norm2: self.norm(&format!("{name}.norm2"), index)?,
            dconv: self.dconv(&name, 1, TimeDConv::new)?,
        })
    }

    fn time_rewrite(&self, layer: &str, index: usize) -> Result<TimeConv> {
        let (shape, weight, bias) = self.kernel(&format!("{layer}.rewrite"))?;
        let after = self.unless_normed(index, After::Glu);
        Ok(TimeConv::new(&weight, shape, &bias, 1, shape[2] / 2, after))
    }

    fn time_decoder(&self, index: usize) -> Result<TimeDecoder> {
        let name = format!("tdecoder.{}", self.config.depth - 1 - index);
        let (shape, weight, bias) = self.kernel(&format!("{name}.conv_tr"))?;
        let after = if index == 0 { After::Store } else { self.unless_normed(index, After::Gelu) };
        Ok(TimeDecoder {
            rewrite: self.time_rewrite(&name, index)?,
            norm1: self.norm(&format!("{name}.norm1"), index)?,
            dconv: self.dconv(&name, 2, TimeDConv::new)?,
            conv_tr: TimeConvTranspose::new(&weight, shape, &bias, self.config.stride, after),
            trim: self.config.padding(),
            norm2: self.norm(&format!("{name}.norm2"), index)?,
            last: index == 0,
        })
    }

    /// A 1×1 convolution between the encoders' channels and the transformer's.
    fn channels(&self, name: &str) -> Result<Option<Linear>> {
        (self.config.bottom_channels > 0).then(|| self.linear(name)).transpose()
    }

    fn transformer(&self) -> Result<Option<CrossTransformer>> {
        if self.config.t_layers == 0 {
            return Ok(None);
        }
        let indices: Vec<usize> = (0..self.config.t_layers).collect();
        let layers = |name: &str| layers(&indices, |index| self.transformer_layer(name, index));
        Ok(Some(CrossTransformer {
            norm_in: self.affine("crosstransformer.norm_in")?,
            norm_in_t: self.affine("crosstransformer.norm_in_t")?,
            layers: layers("layers")?,
            layers_t: layers("layers_t")?,
            cross_first: self.config.t_cross_first,
            max_period: self.config.t_max_period,
            weight_pos_embed: self.config.t_weight_pos_embed,
            positions: OnceLock::new(),
        }))
    }

    fn transformer_layer(&self, layers: &str, index: usize) -> Result<Layer> {
        let name = format!("crosstransformer.{layers}.{index}");
        let cross = index.is_multiple_of(2) == self.config.t_cross_first;
        let attn = if cross { "cross_attn" } else { "self_attn" };
        let weight = self.vector(&format!("{name}.{attn}.in_proj_weight"))?;
        let bias = self.vector(&format!("{name}.{attn}.in_proj_bias"))?;
        let dim = bias.len() / 3;
        let in_proj = |part: usize| {
            let weight = &weight[part * dim * dim..][..dim * dim];
            Linear::new(weight, &bias[part * dim..][..dim], self.precision)
        };
        let norm2 = self.affine(&format!("{name}.norm2"))?;
        let (norm_other, norm_ff) = if cross {
            (Some(norm2), self.affine(&format!("{name}.norm3"))?)
        } else {
            (None, norm2)
        };
        let norm_out = self.config.t_norm_out;
        Ok(Layer {
            norm1: self.affine(&format!("{name}.norm1"))?,
            norm_other,
            attn: Attention {
                q: in_proj(0),
                k: in_proj(1),
                v: in_proj(2),
                out_proj: self.linear(&format!("{name}.{attn}.out_proj"))?,
                heads: self.config.t_heads,
                precision: self.precision,
            },
            gamma_1: self.vector(&format!("{name}.gamma_1.scale"))?,
            norm_ff,
            feed_forward: FeedForward {
                linear1: self.linear(&format!("{name}.linear1"))?,
                linear2: self.linear(&format!("{name}.linear2"))?,
            },
            gamma_2: self.vector(&format!("{name}.gamma_2.scale"))?,
            norm_out: norm_out.then(|| self.affine(&format!("{name}.norm_out"))).transpose()?,
        })
    }
}
