//! HTDemucs: a network that separates a segment in two branches, one over its spectrogram, one over
//! its samples, with a transformer between them (Rouard, Massa and Défossez 2022, arXiv
//! 2211.08553).
//!
//! Separates single segments; cutting, cross-fading and the normalisation over the track are in the
//! engine. Runs on the rayon pool of the caller.

mod arguments;
mod build;
mod candle;
mod config;
pub mod layers;
pub mod spectrogram;
pub(in crate::model) mod tensors;
#[cfg(test)]
mod tests;
pub mod transformer;

use std::{io::Cursor, mem::replace, path::Path};

use rayon::prelude::*;
use tracing::trace_span;

pub use config::Config;
pub use tensors::expected_tensors;

use super::{
    Kind, Memory, ModelError, Precision, Result, Separator, Spec, Stop,
    arena::Buffer,
    kernels::{FreqMap, TimeMap, cpu, linear::Linear, norm::Moments},
    tensors::{Expected, Source, Tensors, open_file},
};
use layers::{FreqDecoder, FreqEncoder, TimeDecoder, TimeEncoder};
use spectrogram::Spectrogram;
use transformer::CrossTransformer;

/// Largest size of a model file, in bytes.
const LARGEST_FILE: u64 = 2 << 30;

/// Frames per rayon task in passes over samples.
const BLOCK: usize = 1 << 13;

/// Added to a segment's standard deviation before dividing by it.
const STD_EPSILON: f32 = 1e-5;

/// The network. Fields are named as PyTorch's modules.
#[derive(Clone, Debug)]
pub struct HtDemucs {
    config: Config,
    spec: Spec,
    spectrogram: Spectrogram,
    freq_emb: Option<Vec<f32>>,
    encoder: Vec<FreqEncoder>,
    tencoder: Vec<TimeEncoder>,
    decoder: Vec<FreqDecoder>,
    tdecoder: Vec<TimeDecoder>,
    channel_upsampler: Option<Linear>,
    channel_upsampler_t: Option<Linear>,
    channel_downsampler: Option<Linear>,
    channel_downsampler_t: Option<Linear>,
    crosstransformer: Option<CrossTransformer>,
}

/// The kind of network.
pub const KIND: Kind = Kind {
    class_name: "HTDemucs",
    title: None,
    describe: |file| {
        let bytes = file.metadata()?.len();
        let spec = open(file)?.0.spec();
        let samples = (spec.segment_frames * spec.channels) as u64;
        let weights = (bytes as f64 * PER_WEIGHT_BYTE) as u64;
        // The transformer's factors are about half of the weights, and take half the bytes.
        let fast_saving = if cpu::has_bf16() { weights / 100 * FAST_SAVING } else { 0 };
        Ok((spec, Memory { weights, work: samples * PER_SAMPLE, per_thread: 0, fast_saving }))
    },
    kernels: |path, precision| Ok(Box::new(load(path, precision)?)),
    candle: |path, device| {
        let (config, tensors) =
            open(open_file(path, LARGEST_FILE)?).map_err(|error| error.of_file(path))?;
        Ok(Box::new(candle::HtDemucs::new(config, tensors, device)?))
    },
    recognise: |_, _| None,
};

/// Memory of packed single-precision weights for each byte of their file, which holds half
/// precision. Measured on the largest published network.
const PER_WEIGHT_BYTE: f64 = 2.1;

/// The share of the packed weights that the fast precision saves, in percent: the transformer's
/// factors take half the bytes.
const FAST_SAVING: u64 = 38;

/// Bytes for each frame and channel of a segment: the largest activations, the stems that are being
/// stored, and the buffers that are kept for the next segment. Measured like [`PER_WEIGHT_BYTE`].
const PER_SAMPLE: u64 = 540;

/// Loads a network from a safetensors file with f16 or f32 tensors under their PyTorch names and
/// the constructor's arguments in its metadata (see [`Config::from_metadata`]).
///
/// # Errors
/// [`ModelError::Io`] when the file cannot be read, [`ModelError::Unusable`] when it is not such a
/// file; both name it.
pub fn load(path: &Path, precision: Precision) -> Result<HtDemucs> {
    read(open_file(path, LARGEST_FILE)?, precision).map_err(|error| error.of_file(path))
}

/// Loads a network from the bytes of a file. Errors do not name the file.
pub fn from_bytes(bytes: &[u8], precision: Precision) -> Result<HtDemucs> {
    read(Cursor::new(bytes.to_vec()), precision)
}

fn read(file: impl Source + 'static, precision: Precision) -> Result<HtDemucs> {
    let (config, tensors) = open(file)?;
    build::network(config, &tensors, precision)
}

/// The configuration of a file's network, and its tensors, which are complete.
fn open(file: impl Source + 'static) -> Result<(Config, Tensors)> {
    let tensors = Tensors::open(file)?;
    let config = Config::from_metadata(&tensors.metadata())?;
    tensors.check(&expected_tensors(&config), &Expected::new())?;
    Ok((config, tensors))
}

impl Separator for HtDemucs {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>> {
        self.spec.check_segment(mix)?;
        let _span = trace_span!("segment").entered();
        self.forward(mix, stop).ok_or(ModelError::Cancelled)
    }
}

/// The normalisation of a branch.
#[derive(Clone, Copy)]
struct Scale {
    mean: f32,
    std: f32,
}

impl Scale {
    fn from_moments(moments: Moments) -> Self {
        Self { mean: moments.mean as f32, std: moments.std_unbiased() as f32 }
    }

    /// The factor of centred values.
    fn rate(self) -> f32 {
        1.0 / (STD_EPSILON + self.std)
    }
}

impl HtDemucs {
    /// The arguments the network was built from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// `[channels, frames]` to `[sources, channels, frames]`; `None` once `stop` returns true.
    fn forward(&self, mix: &[f32], stop: Stop<'_>) -> Option<Vec<f32>> {
        let span = trace_span!("spectrogram").entered();
        let spectra = self.spectrogram.analyse(mix, self.spec.channels);
        let scale = Scale::from_moments(spectra.moments);
        let mut x = spectra.map(scale.mean, scale.rate());
        drop((span, spectra));
        let scale_t = Scale::from_moments(Moments::from_slice_parallel(mix));
        let mut xt = self.interleave(mix, scale_t);

        let (mut lengths, mut skips) = (Vec::new(), Vec::new());
        for (index, (encode, tencode)) in self.encoder.iter().zip(&self.tencoder).enumerate() {
            if stop() {
                return None;
            }
            let (mut y, yt) = (encode.forward(&x), tencode.forward(&xt));
            if index == 0 {
                self.embed_freqs(&mut y);
            }
            lengths.push(xt.frames);
            let inputs = (replace(&mut x, y), replace(&mut xt, yt));
            if index > 0 {
                skips.push(inputs);
            }
        }
        skips.push((x.clone(), xt.clone()));
        self.transform(&mut x, &mut xt, stop);
        for (decode, tdecode) in self.decoder.iter().zip(&self.tdecoder) {
            if stop() {
                return None;
            }
            if let (Some((skip, skip_t)), Some(length)) = (skips.pop(), lengths.pop()) {
                x = decode.forward(x, skip);
                xt = tdecode.forward(xt, skip_t, length);
            }
        }
        Some(self.sum(&x, scale, &xt, scale_t))
    }

    /// Planar samples, normalised, in the time branch's layout.
    fn interleave(&self, mix: &[f32], scale: Scale) -> TimeMap {
        let (channels, frames) = (self.spec.channels, self.spec.segment_frames);
        let mut map = TimeMap::any(frames, channels, self.config.margin());
        map.inner_mut().par_chunks_mut(BLOCK * channels).enumerate().for_each(|(index, block)| {
            for (channel, samples) in mix.chunks_exact(frames).enumerate() {
                let samples = &samples[index * BLOCK..];
                for (frame, value) in block.chunks_exact_mut(channels).zip(samples) {
                    frame[channel] = (value - scale.mean) * scale.rate();
                }
            }
        });
        map
    }

    /// Adds each frequency's embedding to all its frames.
    fn embed_freqs(&self, x: &mut FreqMap) {
        let Some(table) = &self.freq_emb else { return };
        let frames = x.frames;
        x.data.par_chunks_exact_mut(frames).zip(table).for_each(|(line, embedding)| {
            for v in line {
                *v += embedding;
            }
        });
    }

    /// Passes both branches through the transformer, to its channels and back.
    fn transform(&self, x: &mut FreqMap, xt: &mut TimeMap, stop: Stop<'_>) {
        let Some(transformer) = &self.crosstransformer else { return };
        let mut tokens = Buffer::any(x.data.len());
        tokens_from_map(x, &mut tokens);
        let mut wide = through(self.channel_upsampler.as_ref(), &tokens);
        let mut wide_t = through(self.channel_upsampler_t.as_ref(), xt.inner());
        transformer.forward(
            wide.as_deref_mut().unwrap_or(&mut tokens),
            wide_t.as_deref_mut().unwrap_or(xt.inner_mut()),
            x.freqs,
            stop,
        );
        if let (Some(linear), Some(wide)) = (&self.channel_downsampler, wide) {
            linear.forward(&wide, &mut tokens);
        }
        if let (Some(linear), Some(wide)) = (&self.channel_downsampler_t, wide_t) {
            linear.forward(&wide, xt.inner_mut());
        }
        map_from_tokens(&tokens, x);
    }

    /// Undoes the normalisation of both branches, turns the frequency branch into samples, and adds
    /// them up: `[sources, channels, frames]`.
    fn sum(&self, x: &FreqMap, scale: Scale, xt: &TimeMap, scale_t: Scale) -> Vec<f32> {
        let _span = trace_span!("spectrogram").entered();
        let frames = self.spec.segment_frames;
        let mut out = vec![0.0; xt.channels * frames];
        let piece = self.spectrogram.piece();
        out.par_chunks_exact_mut(frames)
            .enumerate()
            .flat_map(|(channel, out)| {
                out.par_chunks_mut(piece).enumerate().map(move |(i, out)| (channel, i * piece, out))
            })
            .for_each_init(
                || self.spectrogram.synthesis(x, scale.mean, scale.std),
                |synthesis, (channel, start, out)| {
                    let samples = xt.inner()[start * xt.channels..].chunks_exact(xt.channels);
                    for (out, frame) in out.iter_mut().zip(samples) {
                        *out = frame[channel] * scale_t.std + scale_t.mean;
                    }
                    synthesis.add(channel, start, out);
                },
            );
        out
    }
}

/// The output of a linear layer, if there is one, for `x: [tokens, in]`.
fn through(linear: Option<&Linear>, x: &[f32]) -> Option<Buffer> {
    linear.map(|linear| {
        let mut out = Buffer::any(x.len() / linear.inputs() * linear.outputs());
        linear.forward(x, &mut out);
        out
    })
}

/// The frequency branch as tokens, `[columns · freqs, channels]`, columns outermost.
fn tokens_from_map(x: &FreqMap, tokens: &mut [f32]) {
    tokens.par_chunks_exact_mut(x.freqs * x.channels).enumerate().for_each(|(column, tokens)| {
        for (token, row) in tokens.chunks_exact_mut(x.channels).zip(x.data.chunks(x.row_len())) {
            for (value, line) in token.iter_mut().zip(row.chunks_exact(x.frames)) {
                *value = line[column];
            }
        }
    });
}

/// The inverse of [`tokens_from_map`].
fn map_from_tokens(tokens: &[f32], x: &mut FreqMap) {
    let (freqs, channels, frames, row_len) = (x.freqs, x.channels, x.frames, x.row_len());
    x.data.par_chunks_exact_mut(row_len).enumerate().for_each(|(freq, row)| {
        for (channel, line) in row.chunks_exact_mut(frames).enumerate() {
            for (value, tokens) in line.iter_mut().zip(tokens.chunks_exact(freqs * channels)) {
                *value = tokens[freq * channels + channel];
            }
        }
    });
}
