//! The network in candle's operations, over any device; see [`crate::model::candle`].
//!
//! Shapes are `[1, channels, frequencies, columns]` in the frequency branch and `[1, channels,
//! frames]` in the time branch. Runs on the caller's thread.

use candle_core::{Device, Tensor};
use candle_nn::{Linear, Module as _, VarBuilder, ops::softmax_last_dim};

use super::{
    Config, STD_EPSILON,
    transformer::{embedding_1d, embedding_2d},
};
use crate::model::{
    ModelError, Separator, Spec, Stop,
    candle::{
        Affine, Framing, Result, Spectrogram, check_stop, glu, linear, moments, separate, tensor,
        transposed_conv, weights,
    },
    stft::Stft,
    tensors::Tensors,
};

/// The network.
#[derive(Debug)]
pub struct HtDemucs {
    config: Config,
    spec: Spec,
    device: Device,
    spectrogram: Spectrogram,
    /// `[1, channels, frequencies, 1]`
    freq_emb: Option<Tensor>,
    encoder: Vec<Encoder>,
    tencoder: Vec<Encoder>,
    decoder: Vec<Decoder>,
    tdecoder: Vec<Decoder>,
    transformer: Option<CrossTransformer>,
}

impl HtDemucs {
    /// Reads the tensors of a file, which have been checked against the configuration.
    pub fn new(config: Config, tensors: Tensors, device: &Device) -> Result<Self> {
        let weights = weights(tensors, device);
        let depths = 0..config.depth;
        let encoders = |name: &str| {
            let make = |index| Encoder::new(&config, &weights.pp(format!("{name}.{index}")), index);
            depths.clone().map(make).collect::<Result<Vec<_>>>()
        };
        let decoders = |name: &str| {
            let make = |at| {
                let index = config.depth - 1 - at;
                Decoder::new(&config, &weights.pp(format!("{name}.{at}")), index)
            };
            depths.clone().map(make).collect::<Result<Vec<_>>>()
        };
        let freq_emb = (config.freq_emb > 0.0).then(|| {
            let table = tensor(&weights, "freq_emb.embedding.weight")?.t()?;
            let scale = f64::from(config.freq_emb * config.emb_scale);
            (table * scale)?.unsqueeze(0)?.unsqueeze(3)
        });
        let transformer = (config.t_layers > 0).then(|| CrossTransformer::new(&config, &weights));
        Ok(Self {
            spec: config.spec(),
            spectrogram: spectrogram(&config, device)?,
            freq_emb: freq_emb.transpose()?,
            encoder: encoders("encoder")?,
            tencoder: encoders("tencoder")?,
            decoder: decoders("decoder")?,
            tdecoder: decoders("tdecoder")?,
            transformer: transformer.transpose()?,
            device: device.clone(),
            config,
        })
    }

    /// `[channels, frames]` to `[sources, channels, frames]`.
    fn forward(&self, mix: &Tensor, stop: Stop<'_>) -> Result<Tensor, ModelError> {
        let spectra = self.spectrogram.analyse(mix)?.flatten(0, 1)?.unsqueeze(0)?;
        let (scale, scale_t) = (Scale::new(&spectra)?, Scale::new(mix)?);
        let (mut x, mut xt) = (scale.apply(&spectra)?, scale_t.apply(mix)?.unsqueeze(0)?);
        let (mut lengths, mut skips) = (Vec::new(), Vec::new());
        for (index, (encode, tencode)) in self.encoder.iter().zip(&self.tencoder).enumerate() {
            check_stop(stop)?;
            lengths.push(xt.dim(2)?);
            (x, xt) = (encode.forward(&x)?, tencode.forward(&xt)?);
            if let (0, Some(embedding)) = (index, &self.freq_emb) {
                x = x.broadcast_add(embedding)?;
            }
            skips.push((x.clone(), xt.clone()));
        }
        if let Some(transformer) = &self.transformer {
            (x, xt) = transformer.forward(&x, &xt, stop)?;
        }
        for (decode, tdecode) in self.decoder.iter().zip(&self.tdecoder) {
            check_stop(stop)?;
            if let (Some((skip, skip_t)), Some(length)) = (skips.pop(), lengths.pop()) {
                x = decode.forward(&x, &skip, skip.dim(2)? * self.config.stride)?;
                xt = tdecode.forward(&xt, &skip_t, length)?;
            }
        }
        let (_, _, freqs, columns) = x.dims4()?;
        let spectra = scale.undo(&x)?.reshape(((), 2, freqs, columns))?;
        Ok((self.spectrogram.synthesise(&spectra)? + scale_t.undo(&xt)?.squeeze(0)?)?)
    }
}

impl Separator for HtDemucs {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>, ModelError> {
        separate(&self.spec, mix, &self.device, |mix| self.forward(mix, stop))
    }
}

/// The transform for the segments of a network; see [`super::spectrogram`] for its framing.
fn spectrogram(config: &Config, device: &Device) -> Result<Spectrogram> {
    let (hop, frames) = (config.nfft / 4, config.segment_frames);
    let scale = (config.nfft as f64).sqrt().recip();
    let framing = Framing { hop, before: hop / 2 * 3, columns: frames.div_ceil(hop) };
    // Four Hann windows, squared, add up to 1.5 everywhere.
    let envelope = vec![(scale / 1.5) as f32; frames];
    Spectrogram::new(&Stft::hann(config.nfft), framing, config.nfft / 2, scale, envelope, device)
}

/// The normalisation of a branch.
struct Scale {
    mean: f64,
    std: f64,
}

impl Scale {
    fn new(x: &Tensor) -> Result<Self> {
        let (mean, std) = moments(x)?;
        Ok(Self { mean, std })
    }

    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        (x - self.mean)? / (f64::from(STD_EPSILON) + self.std)
    }

    fn undo(&self, x: &Tensor) -> Result<Tensor> {
        (x * self.std)? + self.mean
    }
}

/// A convolution with its bias, over frequencies or over frames, and its norm.
#[derive(Debug)]
struct Conv {
    weight: Tensor,
    bias: Tensor,
    norm: Option<(usize, Affine)>,
}

impl Conv {
    fn new(weights: &VarBuilder<'_>, norm: Option<(usize, Affine)>) -> Result<Self> {
        let weight = tensor(weights, "weight")?;
        // A kernel over frequencies of one column is one over frames.
        let is_column = weight.rank() == 4 && weight.dim(3)? == 1;
        let weight = if is_column { weight.squeeze(3)? } else { weight };
        Ok(Self { weight, bias: tensor(weights, "bias")?, norm })
    }

    /// A convolution along the third dimension of `x`, alike for each column of the fourth.
    fn forward(&self, x: &Tensor, padding: usize, stride: usize) -> Result<Tensor> {
        let conv = |x: &Tensor| x.conv1d(&self.weight, padding, stride, 1, 1);
        self.finish(&by_column(x, conv)?)
    }

    /// The transpose of [`Self::forward`], without padding.
    fn transposed(&self, x: &Tensor, stride: usize) -> Result<Tensor> {
        let conv = |x: &Tensor| transposed_conv(x, &self.weight, stride);
        self.finish(&by_column(x, conv)?)
    }

    /// A convolution that keeps the size, along all dimensions of `x` but the channels.
    fn same(&self, x: &Tensor) -> Result<Tensor> {
        let padding = self.weight.dim(2)? / 2;
        if self.weight.rank() == 4 {
            return self.finish(&x.conv2d(&self.weight, padding, 1, 1, 1)?);
        }
        self.forward(x, padding, 1)
    }

    fn finish(&self, x: &Tensor) -> Result<Tensor> {
        let mut each = vec![1; x.rank()];
        each[1] = self.bias.dim(0)?;
        let x = x.broadcast_add(&self.bias.reshape(each)?)?;
        match &self.norm {
            Some((groups, norm)) => norm.group_norm(&x, *groups),
            None => Ok(x),
        }
    }
}

/// Applies `conv`, which takes `[batch, channels, values]`, to each column of the frequency branch,
/// or to the time branch.
fn by_column(x: &Tensor, conv: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if x.rank() == 3 {
        return conv(x);
    }
    let columns = x.squeeze(0)?.permute((2, 0, 1))?.contiguous()?;
    conv(&columns)?.permute((1, 2, 0))?.contiguous()?.unsqueeze(0)
}

/// The norm of layer `index`, if it has one.
fn norm(
    config: &Config,
    weights: &VarBuilder<'_>,
    name: &str,
    index: usize,
) -> Result<Option<(usize, Affine)>> {
    let norm = config.has_norm(index).then(|| Affine::new(&weights.pp(name))).transpose()?;
    Ok(norm.map(|norm| (config.norm_groups, norm)))
}

/// `HEncLayer`.
#[derive(Debug)]
struct Encoder {
    conv: Conv,
    dconv: Vec<DConv>,
    rewrite: Conv,
    padding: usize,
    stride: usize,
}

impl Encoder {
    fn new(config: &Config, weights: &VarBuilder<'_>, index: usize) -> Result<Self> {
        Ok(Self {
            conv: Conv::new(&weights.pp("conv"), norm(config, weights, "norm1", index)?)?,
            dconv: dconv(config, weights, 1)?,
            rewrite: Conv::new(&weights.pp("rewrite"), norm(config, weights, "norm2", index)?)?,
            padding: config.padding(),
            stride: config.stride,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let missing = x.dim(2)?.next_multiple_of(self.stride) - x.dim(2)?;
        let x = x.pad_with_zeros(2, 0, missing)?;
        let x = self.conv.forward(&x, self.padding, self.stride)?.gelu_erf()?;
        glu(&self.rewrite.same(&branches(&self.dconv, &x)?)?, 1)
    }
}

/// `HDecLayer`.
#[derive(Debug)]
struct Decoder {
    rewrite: Conv,
    dconv: Vec<DConv>,
    conv_tr: Conv,
    padding: usize,
    stride: usize,
    /// Whether this is the outermost layer, which has no GELU.
    is_last: bool,
}

impl Decoder {
    fn new(config: &Config, weights: &VarBuilder<'_>, index: usize) -> Result<Self> {
        Ok(Self {
            rewrite: Conv::new(&weights.pp("rewrite"), norm(config, weights, "norm1", index)?)?,
            dconv: dconv(config, weights, 2)?,
            conv_tr: Conv::new(&weights.pp("conv_tr"), norm(config, weights, "norm2", index)?)?,
            padding: config.padding(),
            stride: config.stride,
            is_last: index == 0,
        })
    }

    /// The result has `length` frequencies or frames.
    fn forward(&self, x: &Tensor, skip: &Tensor, length: usize) -> Result<Tensor> {
        let y = glu(&self.rewrite.same(&(x + skip)?)?, 1)?;
        let y = self.conv_tr.transposed(&branches(&self.dconv, &y)?, self.stride)?;
        let y = y.narrow(2, self.padding, length)?;
        if self.is_last { Ok(y) } else { y.gelu_erf() }
    }
}

/// A layer of `DConv`.
#[derive(Debug)]
struct DConv {
    dilation: usize,
    conv: Conv,
    expand: Conv,
    /// `[1, channels, 1]`
    scale: Tensor,
}

/// The layers of a branch, if the encoders (1) or decoders (2) have them.
fn dconv(config: &Config, weights: &VarBuilder<'_>, bit: usize) -> Result<Vec<DConv>> {
    let depth = if config.dconv_mode & bit == 0 { 0 } else { config.dconv_depth };
    let layer = |index: usize| {
        let weights = weights.pp(format!("dconv.layers.{index}"));
        let norm = |name: &str| -> Result<_> { Ok(Some((1, Affine::new(&weights.pp(name))?))) };
        Ok(DConv {
            dilation: 1 << index,
            conv: Conv::new(&weights.pp("0"), norm("1")?)?,
            expand: Conv::new(&weights.pp("3"), norm("4")?)?,
            scale: tensor(&weights, "6.scale")?.reshape((1, (), 1))?,
        })
    };
    (0..depth).map(layer).collect()
}

/// Adds residual branches to `x`: over the columns of each frequency, or over frames.
fn branches(layers: &[DConv], x: &Tensor) -> Result<Tensor> {
    if layers.is_empty() {
        return Ok(x.clone());
    }
    let is_freq = x.rank() == 4;
    let mut y = if is_freq { x.squeeze(0)?.transpose(0, 1)?.contiguous()? } else { x.clone() };
    for layer in layers {
        let DConv { dilation, conv, .. } = layer;
        let hidden = y.conv1d(&conv.weight, *dilation, 1, *dilation, 1)?;
        let hidden = conv.finish(&hidden)?.gelu_erf()?;
        let branch = glu(&layer.expand.forward(&hidden, 0, 1)?, 1)?;
        y = (y + branch.broadcast_mul(&layer.scale)?)?;
    }
    if is_freq { y.transpose(0, 1)?.contiguous()?.unsqueeze(0) } else { Ok(y) }
}

/// `CrossTransformerEncoder`, with the linear layers between its channels and the encoders'.
#[derive(Debug)]
struct CrossTransformer {
    /// For each branch.
    enter: [Branch; 2],
    layers: Vec<[Layer; 2]>,
    cross_first: bool,
    max_period: f64,
    weight_pos_embed: f64,
}

/// The ends of a branch.
#[derive(Debug)]
struct Branch {
    upsampler: Option<Linear>,
    norm_in: Affine,
    downsampler: Option<Linear>,
}

impl CrossTransformer {
    fn new(config: &Config, weights: &VarBuilder<'_>) -> Result<Self> {
        let channels = |name: &str| {
            let make = || -> Result<_> {
                let layer = linear(&weights.pp(name))?;
                let weight = layer.weight().squeeze(2)?;
                Ok(Linear::new(weight, layer.bias().cloned()))
            };
            (config.bottom_channels > 0).then(make).transpose()
        };
        let branch = |suffix: &str| -> Result<_> {
            Ok(Branch {
                upsampler: channels(&format!("channel_upsampler{suffix}"))?,
                norm_in: Affine::new(&weights.pp(format!("crosstransformer.norm_in{suffix}")))?,
                downsampler: channels(&format!("channel_downsampler{suffix}"))?,
            })
        };
        let layer = |branch: &str, index: usize| {
            Layer::new(config, &weights.pp(format!("crosstransformer.{branch}.{index}")), index)
        };
        let layers = (0..config.t_layers)
            .map(|index| Ok([layer("layers", index)?, layer("layers_t", index)?]));
        Ok(Self {
            enter: [branch("")?, branch("_t")?],
            layers: layers.collect::<Result<_>>()?,
            cross_first: config.t_cross_first,
            max_period: config.t_max_period,
            weight_pos_embed: f64::from(config.t_weight_pos_embed),
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        xt: &Tensor,
        stop: Stop<'_>,
    ) -> Result<(Tensor, Tensor), ModelError> {
        let (_, channels, freqs, columns) = x.dims4()?;
        // A token for each column and frequency, and for each frame.
        let tokens = x.permute((0, 3, 2, 1))?.reshape((1, columns * freqs, channels))?;
        let positions = |dim| embedding_2d(dim, freqs, columns, self.max_period);
        let mut a = self.enter(&self.enter[0], &tokens, positions)?;
        let frames = xt.dim(2)?;
        let positions = |dim| embedding_1d(dim, frames, self.max_period);
        let mut b = self.enter(&self.enter[1], &xt.transpose(1, 2)?.contiguous()?, positions)?;
        for (index, [layer, layer_t]) in self.layers.iter().enumerate() {
            check_stop(stop)?;
            let is_cross = index.is_multiple_of(2) == self.cross_first;
            (a, b) = if is_cross {
                (layer.forward(&a, &b)?, layer_t.forward(&b, &a)?)
            } else {
                (layer.forward(&a, &a)?, layer_t.forward(&b, &b)?)
            };
        }
        let leave = |branch: &Branch, x: Tensor| match &branch.downsampler {
            Some(linear) => linear.forward(&x),
            None => Ok(x),
        };
        let x = leave(&self.enter[0], a)?.reshape((1, columns, freqs, channels))?;
        let xt = leave(&self.enter[1], b)?.transpose(1, 2)?.contiguous()?;
        Ok((x.permute((0, 3, 2, 1))?.contiguous()?, xt))
    }

    /// The normalised tokens of a branch, with their positions added.
    fn enter(
        &self,
        branch: &Branch,
        tokens: &Tensor,
        positions: impl Fn(usize) -> Vec<f32>,
    ) -> Result<Tensor> {
        let tokens = match &branch.upsampler {
            Some(linear) => linear.forward(tokens)?,
            None => tokens.clone(),
        };
        let positions =
            Tensor::from_vec(positions(tokens.dim(2)?), tokens.shape(), tokens.device())?;
        branch.norm_in.layer_norm(&tokens)? + (positions * self.weight_pos_embed)?
    }
}

/// A layer of the transformer, over the tokens of one branch.
#[derive(Debug)]
struct Layer {
    heads: usize,
    norm1: Affine,
    /// Norm of the tokens that are attended to.
    norm_source: Affine,
    in_proj: [Linear; 3],
    out_proj: Linear,
    gamma_1: Tensor,
    norm_ff: Affine,
    linear1: Linear,
    linear2: Linear,
    gamma_2: Tensor,
    norm_out: Option<Affine>,
}

impl Layer {
    fn new(config: &Config, weights: &VarBuilder<'_>, index: usize) -> Result<Self> {
        let is_cross = index.is_multiple_of(2) == config.t_cross_first;
        let attention = weights.pp(if is_cross { "cross_attn" } else { "self_attn" });
        let (weight, bias) =
            (tensor(&attention, "in_proj_weight")?, tensor(&attention, "in_proj_bias")?);
        let dim = bias.dim(0)? / 3;
        let part = |part: usize| -> Result<_> {
            let weight = weight.narrow(0, part * dim, dim)?.contiguous()?;
            Ok(Linear::new(weight, Some(bias.narrow(0, part * dim, dim)?)))
        };
        let norm = |name: &str| Affine::new(&weights.pp(name));
        Ok(Self {
            heads: config.t_heads,
            norm1: norm("norm1")?,
            norm_source: norm(if is_cross { "norm2" } else { "norm1" })?,
            in_proj: [part(0)?, part(1)?, part(2)?],
            out_proj: linear(&attention.pp("out_proj"))?,
            gamma_1: tensor(weights, "gamma_1.scale")?,
            norm_ff: norm(if is_cross { "norm3" } else { "norm2" })?,
            linear1: linear(&weights.pp("linear1"))?,
            linear2: linear(&weights.pp("linear2"))?,
            gamma_2: tensor(weights, "gamma_2.scale")?,
            norm_out: config.t_norm_out.then(|| norm("norm_out")).transpose()?,
        })
    }

    /// `x: [1, tokens, dim]`, which attends to `source`.
    fn forward(&self, x: &Tensor, source: &Tensor) -> Result<Tensor> {
        let attended =
            self.attend(&self.norm1.layer_norm(x)?, &self.norm_source.layer_norm(source)?)?;
        let x = (x + attended.broadcast_mul(&self.gamma_1)?)?;
        let hidden = self.linear1.forward(&self.norm_ff.layer_norm(&x)?)?.gelu_erf()?;
        let x = (&x + self.linear2.forward(&hidden)?.broadcast_mul(&self.gamma_2)?)?;
        match &self.norm_out {
            // A group norm with one group, over tokens and features.
            Some(norm) => {
                norm.group_norm(&x.transpose(1, 2)?.contiguous()?, 1)?.transpose(1, 2)?.contiguous()
            }
            None => Ok(x),
        }
    }

    /// `nn.MultiheadAttention`.
    fn attend(&self, x: &Tensor, source: &Tensor) -> Result<Tensor> {
        let heads = |linear: &Linear, x: &Tensor| {
            let (_, tokens, dim) = x.dims3()?;
            let x = linear.forward(x)?.reshape((1, tokens, self.heads, dim / self.heads))?;
            x.transpose(1, 2)?.contiguous()
        };
        let [q, k, v] = &self.in_proj;
        let (q, k, v) = (heads(q, x)?, heads(k, source)?, heads(v, source)?);
        let scale = (q.dim(3)? as f64).sqrt().recip();
        let scores = (q.matmul(&k.t()?)? * scale)?;
        let out = softmax_last_dim(&scores)?.matmul(&v)?;
        self.out_proj.forward(&out.transpose(1, 2)?.reshape(x.shape())?)
    }
}
