//! The network in candle's operations, over any device; see [`crate::model::candle`].
//!
//! Shapes are `[bands, columns, dim]` between layers. Runs on the caller's thread.

use candle_core::{D, Device, Tensor};
use candle_nn::{
    Linear, Module as _, VarBuilder,
    ops::{sigmoid, softmax_last_dim},
    rotary_emb::rope_i,
};

use super::{
    bands,
    config::{Arguments, Bands, Config, mask_layer},
    cost,
    rotation::default_frequencies,
};
use crate::model::{
    ModelError, Separator, Spec, Stop,
    candle::{Framing, Result, Spectrogram, check_stop, glu, linear, separate, tensor, weights},
    stft::Stft,
    tensors::Tensors,
};

/// Limit on the attention's scores in memory.
const SCORES: usize = 1 << 26;

/// Factor of the scores of an attention over features.
const FEATURE_SCALE: f64 = 8.0;

/// The network.
#[derive(Debug)]
pub struct RoFormer {
    config: Config,
    spec: Spec,
    device: Device,
    spectrogram: Spectrogram,
    band_split: Vec<(Tensor, Linear)>,
    layers: Vec<Vec<Transformer>>,
    final_norm: Option<Tensor>,
    /// For each stem, the linear layers of each band.
    mask_estimators: Vec<Vec<Vec<Linear>>>,
    /// The share of a mask in each bin; 0 at 0 Hz where the network leaves that out.
    shares: Tensor,
}

impl RoFormer {
    /// Reads the tensors of a file, which have been checked against the configuration.
    pub fn new(config: Config, tensors: Tensors, device: &Device) -> Result<Self> {
        let weights = weights(tensors, device);
        let Arguments { depth, usage, .. } = &config.arguments;
        let (bands, stems) = (0..config.bands.len(), 0..usage.sources.len());
        let split = |band: usize| {
            let weights = weights.pp(format!("band_split.to_features.{band}"));
            Ok((tensor(&weights, "0.gamma")?, linear(&weights.pp("1"))?))
        };
        let estimator = |stem: usize, band: usize| {
            let layers = 0..config.mask_layers();
            layers.map(|layer| linear(&weights.pp(mask_layer(stem, band, layer)))).collect()
        };
        let mut shares = bands::shares(&config.bands, config.arguments.bins());
        if config.arguments.zero_dc {
            shares[0] = 0.0;
        }
        Ok(Self {
            spec: cost::spec(&config),
            spectrogram: spectrogram(&config, device)?,
            band_split: bands.clone().map(split).collect::<Result<_>>()?,
            layers: (0..*depth).map(|at| layer(&config, &weights, at)).collect::<Result<_>>()?,
            final_norm: match config.kind {
                Bands::Split => Some(tensor(&weights, "final_norm.gamma")?),
                Bands::Mel => None,
            },
            mask_estimators: stems
                .map(|stem| bands.clone().map(|band| estimator(stem, band)).collect())
                .collect::<Result<_>>()?,
            shares: Tensor::from_vec(shares, (1, config.arguments.bins(), 1), device)?,
            device: device.clone(),
            config,
        })
    }

    /// The stems of `mix: [channels, frames]`, `[stems, channels, frames]`.
    fn forward(&self, mix: &Tensor, stop: Stop<'_>) -> Result<Tensor, ModelError> {
        let spectra = self.spectrogram.analyse(mix)?;
        let (channels, parts, bins, columns) = spectra.dims4()?;
        let values = spectra.permute((3, 2, 0, 1))?.reshape((columns, bins, channels * parts))?;
        let mut x = self.split(&values)?;
        let mut before: Option<Tensor> = None;
        for layer in &self.layers {
            check_stop(stop)?;
            let (features, pair) = layer.split_at(layer.len() - 2);
            for transformer in features {
                // Over the tokens of all bands and columns.
                let tokens = x.flatten(0, 1)?.unsqueeze(0)?;
                x = transformer.forward(&tokens)?.reshape(x.shape())?;
            }
            if let Some(before) = &before {
                x = (x + before)?;
            }
            x = pair[0].forward(&x)?;
            x = pair[1]
                .forward(&x.transpose(0, 1)?.contiguous()?)?
                .transpose(0, 1)?
                .contiguous()?;
            if self.config.arguments.skip_connection {
                before = Some(match before {
                    Some(before) => (before + &x)?,
                    None => x.clone(),
                });
            }
        }
        if let Some(gamma) = &self.final_norm {
            x = rms_norm(&x, gamma)?;
        }
        let mut stems = Vec::new();
        for estimator in &self.mask_estimators {
            check_stop(stop)?;
            // `[columns, bins, channels, parts]` to `[channels, parts, bins, columns]`.
            let mask = self.mask(estimator, &x)?.reshape((columns, bins, channels, parts))?;
            let mask = mask.permute((2, 3, 1, 0))?.broadcast_mul(&self.shares)?;
            let masked = product(&mask, &spectra)?;
            stems.push(self.spectrogram.synthesise(&masked)?);
        }
        Ok(Tensor::stack(&stems, 0)?)
    }

    /// The tokens of `values: [columns, bins, numbers of a bin]`.
    fn split(&self, values: &Tensor) -> Result<Tensor> {
        let bands = self.config.bands.iter().zip(&self.band_split);
        let tokens = bands.map(|(bins, (gamma, linear))| {
            let band = values.narrow(1, bins.start, bins.len())?.flatten_from(1)?;
            linear.forward(&rms_norm(&band, gamma)?)
        });
        Tensor::stack(&tokens.collect::<Result<Vec<_>>>()?, 0)
    }

    /// A stem's mask, `[columns, bins, numbers of a bin]`, without the shares of bands.
    fn mask(&self, estimator: &[Vec<Linear>], x: &Tensor) -> Result<Tensor> {
        let all = self.config.arguments.bins();
        let mut sum: Option<Tensor> = None;
        for (band, (bins, layers)) in self.config.bands.iter().zip(estimator).enumerate() {
            let mut values = x.get(band)?;
            for (index, linear) in layers.iter().enumerate() {
                if index > 0 {
                    values = values.tanh()?;
                }
                values = linear.forward(&values)?;
            }
            let mask = glu(&values, 1)?.reshape((x.dim(1)?, bins.len(), ()))?;
            let mask = mask.pad_with_zeros(1, bins.start, all - bins.end)?;
            sum = Some(match sum {
                Some(sum) => (sum + mask)?,
                None => mask,
            });
        }
        sum.ok_or_else(|| candle_core::Error::msg("a network without bands"))
    }
}

impl Separator for RoFormer {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>, ModelError> {
        separate(&self.spec, mix, &self.device, |mix| {
            // A network for one channel separates the channels one at a time.
            let passes = mix.chunk(self.spec.channels / self.config.channels(), 0)?;
            let stems: Result<Vec<_>, ModelError> =
                passes.iter().map(|mix| self.forward(mix, stop)).collect();
            Ok(Tensor::cat(&stems?, 1)?)
        })
    }
}

/// The transform for the segments of a network.
fn spectrogram(config: &Config, device: &Device) -> Result<Spectrogram> {
    let Arguments { stft_n_fft, stft_win_length, stft_hop_length: hop, usage, .. } =
        &config.arguments;
    let (stft, frames) = (Stft::hann_within(*stft_win_length, *stft_n_fft), usage.segment_frames);
    let scale =
        if config.arguments.stft_normalized { (*stft_n_fft as f64).sqrt().recip() } else { 1.0 };
    let mut envelope = stft.envelope(*hop, frames);
    for factor in &mut envelope {
        *factor /= scale as f32;
    }
    if !config.is_whole() {
        envelope[frames / hop * hop..].fill(0.0);
    }
    let framing = Framing { hop: *hop, before: stft_n_fft / 2, columns: config.columns() };
    Spectrogram::new(&stft, framing, config.arguments.bins(), scale, envelope, device)
}

/// The transformers of a layer: over features (in some networks), over time, over bands.
fn layer(config: &Config, weights: &VarBuilder<'_>, index: usize) -> Result<Vec<Transformer>> {
    let depths = config.transformers();
    let over_features = depths.len() - 2;
    let make = |(part, depth): (usize, &usize)| {
        let weights = weights.pp(format!("layers.{index}.{part}"));
        let blocks = (0..*depth).map(|block| {
            let weights = weights.pp(format!("layers.{block}"));
            let attention = if part < over_features {
                Attention::over_features(config, &weights.pp("0"))?
            } else {
                let is_time = part == over_features;
                let positions = if is_time { config.columns() } else { config.bands.len() };
                Attention::over_tokens(config, &weights.pp("0"), positions)?
            };
            Ok((attention, FeedForward::new(&weights.pp("1.net"))?))
        });
        let norm = match config.kind {
            Bands::Mel => Some(tensor(&weights, "norm.gamma")?),
            Bands::Split => None,
        };
        Ok(Transformer { blocks: blocks.collect::<Result<_>>()?, norm })
    };
    depths.iter().enumerate().map(make).collect()
}

#[derive(Debug)]
struct Transformer {
    blocks: Vec<(Attention, FeedForward)>,
    norm: Option<Tensor>,
}

impl Transformer {
    /// `x: [sequences, tokens, dim]`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for (attention, feed_forward) in &self.blocks {
            x = (&x + attention.forward(&x)?)?;
            x = (&x + feed_forward.forward(&x)?)?;
        }
        self.norm.as_ref().map_or(Ok(x.clone()), |gamma| rms_norm(&x, gamma))
    }
}

#[derive(Debug)]
struct FeedForward {
    gamma: Tensor,
    linear1: Linear,
    linear2: Linear,
}

impl FeedForward {
    fn new(weights: &VarBuilder<'_>) -> Result<Self> {
        let (linear1, linear2) = (linear(&weights.pp("1"))?, linear(&weights.pp("4"))?);
        Ok(Self { gamma: tensor(weights, "0.gamma")?, linear1, linear2 })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.linear1.forward(&rms_norm(x, &self.gamma)?)?.gelu_erf()?;
        self.linear2.forward(&hidden)
    }
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    gamma: Tensor,
    to_qkv: Linear,
    to_out: Linear,
    over: Over,
}

/// The direction of an attention.
#[derive(Debug)]
enum Over {
    Tokens {
        to_gates: Linear,
        /// `[positions, head_dim / 2]`
        cosines: Tensor,
        sines: Tensor,
    },
    Features {
        /// `[heads, 1, 1]`
        temperature: Tensor,
    },
}

impl Attention {
    fn over_tokens(config: &Config, weights: &VarBuilder<'_>, positions: usize) -> Result<Self> {
        let Arguments { heads, dim_head, .. } = config.arguments;
        let device = weights.device();
        let rates = if weights.contains_tensor("rotary_embed.freqs") {
            tensor(weights, "rotary_embed.freqs")?
        } else {
            Tensor::new(default_frequencies(dim_head), device)?
        };
        let positions = Tensor::arange(0.0, positions as f32, device)?.unsqueeze(1)?;
        let angles = positions.matmul(&rates.unsqueeze(0)?)?;
        let to_gates = linear(&weights.pp("to_gates"))?;
        Ok(Self {
            heads,
            gamma: tensor(weights, "norm.gamma")?,
            to_qkv: linear(&weights.pp("to_qkv"))?,
            to_out: linear(&weights.pp("to_out.0"))?,
            over: Over::Tokens { to_gates, cosines: angles.cos()?, sines: angles.sin()? },
        })
    }

    fn over_features(config: &Config, weights: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            heads: config.arguments.heads,
            gamma: tensor(weights, "norm.gamma")?,
            to_qkv: linear(&weights.pp("to_qkv.0"))?,
            to_out: linear(&weights.pp("to_out.1"))?,
            over: Over::Features { temperature: tensor(weights, "temperature")? },
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (sequences, tokens, _) = x.dims3()?;
        let at_once = (SCORES / (self.heads * tokens * tokens)).clamp(1, sequences);
        let pieces = (0..sequences)
            .step_by(at_once)
            .map(|first| self.attend(&x.narrow(0, first, at_once.min(sequences - first))?));
        Tensor::cat(&pieces.collect::<Result<Vec<_>>>()?, 0)
    }

    fn attend(&self, x: &Tensor) -> Result<Tensor> {
        let (sequences, tokens, _) = x.dims3()?;
        let normal = rms_norm(x, &self.gamma)?;
        let qkv = self.to_qkv.forward(&normal)?;
        // `[3, sequences, heads, tokens, head_dim]`
        let qkv = qkv.reshape((sequences, tokens, 3, self.heads, ()))?.permute((2, 0, 3, 1, 4))?;
        let [q, k, v] = [0, 1, 2].map(|part| qkv.get(part).and_then(|part| part.contiguous()));
        let (q, k, v) = (q?, k?, v?);
        let out = match &self.over {
            Over::Tokens { to_gates, cosines, sines } => {
                let (q, k) = (rope_i(&q, cosines, sines)?, rope_i(&k, cosines, sines)?);
                let scale = (q.dim(D::Minus1)? as f64).sqrt().recip();
                let scores = (q.matmul(&k.t()?)? * scale)?;
                let gates = sigmoid(&to_gates.forward(&normal)?)?.transpose(1, 2)?.unsqueeze(3)?;
                softmax_last_dim(&scores)?.matmul(&v)?.broadcast_mul(&gates)?
            }
            Over::Features { temperature } => {
                // Each feature's values over all tokens, of length 1.
                let (q, k) = (unit(&q, 2)?, unit(&k, 2)?);
                let q = q.broadcast_mul(&temperature.exp()?)?;
                let scores = (q.t()?.contiguous()?.matmul(&k)? * FEATURE_SCALE)?;
                v.matmul(&softmax_last_dim(&scores)?.t()?)?
            }
        };
        self.to_out.forward(&out.transpose(1, 2)?.reshape((sequences, tokens, ()))?)
    }
}

/// `RMSNorm` over the last dimension.
fn rms_norm(x: &Tensor, gamma: &Tensor) -> Result<Tensor> {
    let scale = (gamma.dim(0)? as f64).sqrt();
    unit(x, x.rank() - 1)?.broadcast_mul(&(gamma * scale)?)
}

/// `x` with the length 1 along `dim`, as `torch.nn.functional.normalize`.
fn unit(x: &Tensor, dim: usize) -> Result<Tensor> {
    let length = x.sqr()?.sum_keepdim(dim)?.sqrt()?.maximum(1e-12)?;
    x.broadcast_div(&length)
}

/// The complex product of two tensors `[channels, 2, bins, columns]`.
fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let part = |x: &Tensor, at| x.narrow(1, at, 1);
    let (a_re, a_im, b_re, b_im) = (part(a, 0)?, part(a, 1)?, part(b, 0)?, part(b, 1)?);
    let real = ((&a_re * &b_re)? - (&a_im * &b_im)?)?;
    let imaginary = ((a_re * b_im)? + (a_im * b_re)?)?;
    Tensor::cat(&[real, imaginary], 1)
}
