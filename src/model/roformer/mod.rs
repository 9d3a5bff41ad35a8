//! RoFormers: networks that mask a spectrogram. Its bands are tokens, on which transformers over time
//! and over bands alternate.
//!
//! The networks are BS-RoFormer (Lu et al. 2023, arXiv 2309.02612) and Mel-Band RoFormer (Wang et al.
//! 2023, arXiv 2310.01809), as implemented in Music-Source-Separation-Training.
//!
//! Separates single segments; cutting and cross-fading are in the engine. Runs on the rayon pool of
//! the caller.

mod bands;
mod build;
mod candle;
mod config;
pub mod cost;
mod feature_attention;
mod mask;
pub mod recognise;
mod rotation;
mod spectrogram;
#[cfg(test)]
mod tests;
mod transformer;

use std::{
    fmt,
    io::Cursor,
    ops::Range,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use rayon::prelude::*;
use realfft::num_complex::Complex32;
use tracing::trace_span;

pub use config::Config;

use super::{
    CHANNELS, Kind, ModelError, Precision, Result, Separator, Spec, Stop,
    arena::Buffer,
    kernels::{
        attention::{Cells, Layout, Tiled},
        elementwise::add,
        layout::Pair,
        norm::rms_norm_by,
        operand::ProductKind,
        rows::BLOCK,
    },
    tensors::{Source, Tensors, open_file},
};
use feature_attention::FeatureTransformer;
use mask::{BandSplit, MaskEstimator};
use spectrogram::Spectrogram;
use transformer::{Transformer, at_once};

/// Largest size of a weight file, in bytes.
const LARGEST_FILE: u64 = 8 << 30;

/// The kind of networks with given bands.
pub const KIND_BS: Kind = kind(config::BS, "BS-RoFormer", recognise::bands);

/// The kind of networks with mel bands.
pub const KIND_MEL: Kind = kind(config::MEL, "Mel-Band RoFormer", recognise::mel);

const fn kind(
    class_name: &'static str,
    title: &'static str,
    recognise: recognise::Recognise,
) -> Kind {
    Kind {
        class_name,
        title: Some(title),
        describe: |file| {
            let config = open(file)?.0;
            Ok((cost::spec(&config), cost::memory(&config)))
        },
        kernels: |path, precision| Ok(Box::new(load(path, precision)?)),
        candle: |path, device| {
            let (config, tensors) =
                open(open_file(path, LARGEST_FILE)?).map_err(|error| error.of_file(path))?;
            Ok(Box::new(candle::RoFormer::new(config, tensors, device)?))
        },
        recognise,
    }
}

/// The network.
#[derive(Clone)]
pub struct RoFormer {
    config: Config,
    spec: Spec,
    spectrogram: Spectrogram,
    band_split: BandSplit,
    layers: Vec<Layer>,
    /// Factors of the norm after all layers.
    final_norm: Option<Vec<f32>>,
    mask_estimators: Vec<MaskEstimator>,
    /// The share of a mask in each bin.
    shares: Vec<f32>,
    precision: Precision,
}

/// Leaves out the weights.
impl fmt::Debug for RoFormer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("RoFormer").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Transformers that follow one another.
#[derive(Clone, Debug)]
struct Layer {
    features: Option<FeatureTransformer>,
    time: Transformer,
    bands: Transformer,
}

/// Loads a network from a safetensors file with f16 or f32 tensors under their PyTorch names and
/// the arguments in its metadata (see [`Config::from_metadata`]).
///
/// # Errors
/// [`ModelError::Io`] when the file cannot be read, [`ModelError::Unusable`] when it is not such a
/// file; both name it.
pub fn load(path: &Path, precision: Precision) -> Result<RoFormer> {
    read(open_file(path, LARGEST_FILE)?, precision).map_err(|error| error.of_file(path))
}

/// Loads a network from the bytes of a file. Errors do not name the file.
pub fn from_bytes(bytes: &[u8], precision: Precision) -> Result<RoFormer> {
    read(Cursor::new(bytes.to_vec()), precision)
}

fn read(file: impl Source + 'static, precision: Precision) -> Result<RoFormer> {
    let (config, tensors) = open(file)?;
    build::network(config, &tensors, precision)
}

/// The configuration of a file's network, and its tensors, which are complete.
fn open(file: impl Source + 'static) -> Result<(Config, Tensors)> {
    let tensors = Tensors::open(file)?;
    let config = Config::from_metadata(&tensors.metadata())?;
    tensors.check(&config.expected_tensors(), &config.optional_tensors())?;
    Ok((config, tensors))
}

impl Separator for RoFormer {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>> {
        self.spec.check_segment(mix)?;
        let (frames, expected) = (self.spec.segment_frames, mix.len());
        let _span = trace_span!("segment").entered();
        let mut stems = vec![0.0; self.spec.sources.len() * expected];
        let passes = CHANNELS / self.config.channels();
        for (pass, mix) in mix.chunks_exact(expected / passes).enumerate() {
            let first = pass * self.config.channels() * frames;
            let outs = stems.chunks_exact_mut(expected).map(|stem| &mut stem[first..][..mix.len()]);
            let outs: Vec<&mut [f32]> = outs.collect();
            let done = match ProductKind::for_precision(self.precision) {
                ProductKind::Single => self.forward::<Cells<f32>>(mix, outs, stop),
                ProductKind::Pairs => self.forward::<Cells<Pair>>(mix, outs, stop),
                ProductKind::Tiles => self.forward::<Tiled<1>>(mix, outs, stop),
                ProductKind::SplitTiles => self.forward::<Tiled<2>>(mix, outs, stop),
            };
            done.ok_or(ModelError::Cancelled)?;
        }
        Ok(stems)
    }
}

impl RoFormer {
    /// The network's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Separates `mix: [channels, frames]` into one slice of the same shape for each stem; `None`
    /// once
    /// `stop` returns true.
    fn forward<L: Layout>(&self, mix: &[f32], outs: Vec<&mut [f32]>, stop: Stop<'_>) -> Option<()> {
        let stops = AtomicBool::new(false);
        let stop = || {
            stops.load(Ordering::Relaxed) || {
                let now = stop();
                stops.fetch_or(now, Ordering::Relaxed);
                now
            }
        };
        let channels = self.config.channels();
        let spectra = {
            let _span = trace_span!("spectrogram").entered();
            self.spectrogram.analyse(mix, channels)
        };
        let x = self.tokens::<L>(&spectra, &stop)?;
        for (estimator, out) in self.mask_estimators.iter().zip(outs) {
            let masks = {
                let _span = trace_span!("masks").entered();
                estimator.forward(&x, &stop)
            };
            if stop() {
                return None;
            }
            let _span = trace_span!("synthesis").entered();
            let masked = Masked {
                config: &self.config,
                spectra: &spectra,
                masks: &masks,
                starts: estimator.starts(self.spectrogram.columns()),
                shares: &self.shares,
            };
            for (channel, out) in out.chunks_exact_mut(self.spec.segment_frames).enumerate() {
                self.spectrogram.synthesise(out, |column, values| {
                    masked.spectrum(channel, column, values);
                });
            }
        }
        Some(())
    }

    /// The tokens after all layers, `[bands, columns, dim]`.
    fn tokens<L: Layout>(&self, spectra: &[f32], stop: Stop<'_>) -> Option<Buffer> {
        let (bands, dim) = (self.config.bands.len(), self.config.arguments.dim);
        let columns = self.spectrogram.columns();
        let mut x = Buffer::any(bands * columns * dim);
        {
            let _span = trace_span!("band split").entered();
            let width = 2 * self.config.channels() * self.spectrogram.bins();
            self.band_split.forward(spectra, width, &mut x);
        }
        let mut before: Option<Buffer> = None;
        for layer in &self.layers {
            if let Some(features) = &layer.features {
                let _span = trace_span!("features").entered();
                features.forward(&mut x);
            }
            if let Some(before) = &before {
                x.par_chunks_mut(BLOCK * dim)
                    .zip(before.par_chunks(BLOCK * dim))
                    .for_each(|(x, before)| add(x, before));
            }
            {
                let _span = trace_span!("time").entered();
                over_time::<L>(&layer.time, &mut x, columns, dim, stop);
            }
            {
                let _span = trace_span!("bands").entered();
                over_bands::<L>(&layer.bands, &mut x, [bands, columns, dim], stop);
            }
            if stop() {
                return None;
            }
            if self.config.arguments.skip_connection {
                // The sum of the results of all layers so far.
                match &mut before {
                    Some(before) => add(before, &x),
                    None => before = Some(x.clone()),
                }
            }
        }
        if let Some(norm) = &self.final_norm {
            x.par_chunks_mut(BLOCK * dim).for_each(|x| rms_norm_by(x, norm));
        }
        Some(x)
    }
}

/// Runs a transformer over the columns of each band, `x: [bands, columns, dim]`.
fn over_time<L: Layout>(
    transformer: &Transformer,
    x: &mut [f32],
    columns: usize,
    dim: usize,
    stop: Stop<'_>,
) {
    let at_once = at_once(columns) * columns * dim;
    x.par_chunks_mut(at_once).for_each_init(
        || transformer.scratch::<L>(columns),
        |scratch, x| {
            if let Some(scratch) = scratch.as_mut().filter(|_| !stop()) {
                transformer.run(x, columns, scratch);
            }
        },
    );
}

/// Runs a transformer over the bands of each column, `x: [bands, columns, dim]`.
fn over_bands<L: Layout>(
    transformer: &Transformer,
    x: &mut [f32],
    [bands, columns, dim]: [usize; 3],
    stop: Stop<'_>,
) {
    let at_once = at_once(bands);
    // The parts of every band, for some columns each.
    let mut pieces: Vec<Vec<&mut [f32]>> = Vec::new();
    pieces.resize_with(columns.div_ceil(at_once), Vec::new);
    for band in x.chunks_exact_mut(columns * dim) {
        for (piece, part) in pieces.iter_mut().zip(band.chunks_mut(at_once * dim)) {
            piece.push(part);
        }
    }
    pieces.into_par_iter().for_each_init(
        || (transformer.scratch::<L>(bands), Buffer::any(at_once * bands * dim)),
        |(scratch, tokens), mut piece| {
            let Some(scratch) = scratch.as_mut().filter(|_| !stop()) else { return };
            let tokens = &mut tokens[..piece.iter().map(|part| part.len()).sum()];
            for (band, part) in piece.iter().enumerate() {
                for (column, token) in part.chunks_exact(dim).enumerate() {
                    tokens[(column * bands + band) * dim..][..dim].copy_from_slice(token);
                }
            }
            transformer.run(tokens, bands, scratch);
            for (band, part) in piece.iter_mut().enumerate() {
                for (column, token) in part.chunks_exact_mut(dim).enumerate() {
                    token.copy_from_slice(&tokens[(column * bands + band) * dim..][..dim]);
                }
            }
        },
    );
}

/// The spectra of one stem.
struct Masked<'a> {
    config: &'a Config,
    /// The mix, `[columns, bins, channels, 2]`.
    spectra: &'a [f32],
    /// Band after band, `[columns, bins of the band, channels, 2]`.
    masks: &'a [f32],
    /// The beginning of each band in `masks`.
    starts: Vec<usize>,
    /// The share of a mask in each bin.
    shares: &'a [f32],
}

impl Masked<'_> {
    /// The spectrum of one channel and column.
    fn spectrum(&self, channel: usize, column: usize, out: &mut [Complex32]) {
        out.fill(Complex32::default());
        let pair = 2 * self.config.channels();
        for (Range { start, end }, first) in self.config.bands.iter().zip(&self.starts) {
            let width = (end - start) * pair;
            let mask = &self.masks[first + column * width..][..width];
            for (out, mask) in out[*start..*end].iter_mut().zip(mask.chunks_exact(pair)) {
                *out += Complex32::new(mask[2 * channel], mask[2 * channel + 1]);
            }
        }
        let spectrum = self.spectra[column * out.len() * pair..].chunks_exact(pair);
        for ((out, value), share) in out.iter_mut().zip(spectrum).zip(self.shares) {
            *out *= Complex32::new(value[2 * channel], value[2 * channel + 1]) * share;
        }
        if self.config.arguments.zero_dc {
            out[0] = Complex32::default();
        }
    }
}
