//! Builds a network from the tensors of a file.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::{
    Layer as NetworkLayer, RoFormer, bands,
    config::{Arguments, Bands, Config, mask_layer},
    cost,
    feature_attention::{FeatureLayer, FeatureTransformer},
    mask::{BandSplit, MaskEstimator},
    rotation::{Rotation, default_frequencies, halves},
    spectrogram::Spectrogram,
    transformer::{Attention, Layer, Transformer},
};
use crate::model::{
    Precision, Result, arena,
    kernels::{feed_forward::FeedForward, linear::Linear, outputs::gated},
    tensors::Tensors,
};

/// Builds every layer; `tensors` have been checked against the configuration.
pub(super) fn network(config: Config, tensors: &Tensors, precision: Precision) -> Result<RoFormer> {
    let build = Builder { config: &config, tensors, precision, rotations: Mutex::new(Vec::new()) };
    let Arguments { depth, usage, .. } = &config.arguments;
    let final_norm = match config.kind {
        Bands::Split => Some(build.gamma("final_norm")?),
        Bands::Mel => None,
    };
    let network = RoFormer {
        spec: cost::spec(&config),
        spectrogram: Spectrogram::new(&config.arguments, config.is_whole()),
        band_split: build.band_split()?,
        layers: (0..*depth).into_par_iter().map(|at| build.layer(at)).collect::<Result<_>>()?,
        final_norm,
        mask_estimators: (0..usage.sources.len())
            .map(|stem| build.mask_estimator(stem))
            .collect::<Result<_>>()?,
        shares: bands::shares(&config.bands, config.arguments.bins()),
        precision,
        config,
    };
    arena::release(); // the buffers of weights that have moved to shared memory
    Ok(network)
}

struct Builder<'a> {
    config: &'a Config,
    tensors: &'a Tensors,
    precision: Precision,
    /// The rotations that were built, to share equal ones: nearly always two.
    rotations: Mutex<Vec<Known>>,
}

/// Frequencies, a number of positions, and their rotation.
type Known = (Vec<f32>, usize, Arc<Rotation>);

impl Builder<'_> {
    /// The factors of a norm.
    fn gamma(&self, name: &str) -> Result<Vec<f32>> {
        self.tensors.values(&format!("{name}.gamma"))
    }

    /// A bias, or zeros if the file has none.
    fn bias(&self, name: &str, len: usize) -> Result<Vec<f32>> {
        let name = format!("{name}.bias");
        if self.tensors.has(&name) { self.tensors.values(&name) } else { Ok(vec![0.0; len]) }
    }

    fn linear(&self, name: &str) -> Result<Linear> {
        let weight = self.tensors.values(&format!("{name}.weight"))?;
        let bias = self.tensors.values(&format!("{name}.bias"))?;
        Ok(Linear::new(&weight, &bias, self.precision))
    }

    /// A linear layer whose input is a norm with these factors, which are folded into its weight.
    fn normed(&self, name: &str, gamma: &[f32]) -> Result<Linear> {
        let mut weight = self.tensors.values(&format!("{name}.weight"))?;
        scale_columns(&mut weight, gamma);
        let bias = self.tensors.values(&format!("{name}.bias"))?;
        Ok(Linear::new(&weight, &bias, self.precision))
    }

    fn band_split(&self) -> Result<BandSplit> {
        let bands = 0..self.config.bands.len();
        let to_features = bands.into_par_iter().map(|band| {
            let name = format!("band_split.to_features.{band}");
            self.normed(&format!("{name}.1"), &self.gamma(&format!("{name}.0"))?)
        });
        let channels = self.config.channels();
        Ok(BandSplit {
            to_features: to_features.collect::<Result<_>>()?,
            starts: self.config.bands.iter().map(|band| 2 * channels * band.start).collect(),
        })
    }

    fn layer(&self, index: usize) -> Result<NetworkLayer> {
        let depths = self.config.transformers();
        let part = |at: usize| (format!("layers.{index}.{at}"), depths[at]);
        let [time, bands] = [depths.len() - 2, depths.len() - 1].map(part);
        let features = match depths.len() {
            3 => Some(self.feature_transformer(part(0))?),
            _ => None,
        };
        Ok(NetworkLayer {
            features,
            time: self.transformer(time, self.config.columns())?,
            bands: self.transformer(bands, self.config.bands.len())?,
        })
    }

    fn transformer(&self, (name, depth): (String, usize), length: usize) -> Result<Transformer> {
        let layer = |block: usize| {
            let name = format!("{name}.layers.{block}");
            Ok(Layer {
                attention: self.attention(&format!("{name}.0"), length)?,
                feed_forward: self.feed_forward(&format!("{name}.1.net"))?,
                ones: vec![1.0; self.config.arguments.dim],
            })
        };
        Ok(Transformer {
            layers: (0..depth).map(layer).collect::<Result<_>>()?,
            norm: self.end_norm(&name)?,
        })
    }

    fn feature_transformer(&self, (name, depth): (String, usize)) -> Result<FeatureTransformer> {
        let layer = |block: usize| {
            let name = format!("{name}.layers.{block}");
            let gamma = self.gamma(&format!("{name}.0.norm"))?;
            let mut qkv = self.tensors.values(&format!("{name}.0.to_qkv.0.weight"))?;
            scale_columns(&mut qkv, &gamma);
            let out = self.tensors.values(&format!("{name}.0.to_out.1.weight"))?;
            let temperature = self.tensors.values(&format!("{name}.0.temperature"))?;
            let (inner, dim) = (self.config.inner(), self.config.arguments.dim);
            Ok(FeatureLayer {
                qkv: Linear::new(&qkv, &vec![0.0; 3 * inner], self.precision),
                temperature: temperature.iter().map(|value| value.exp()).collect(),
                out: Linear::new(&out, &vec![0.0; dim], self.precision),
                feed_forward: self.feed_forward(&format!("{name}.1.net"))?,
                ones: vec![1.0; dim],
            })
        };
        Ok(FeatureTransformer {
            layers: (0..depth).map(layer).collect::<Result<_>>()?,
            norm: self.end_norm(&name)?,
        })
    }

    /// The norm at the end of a transformer.
    fn end_norm(&self, name: &str) -> Result<Option<Vec<f32>>> {
        (self.config.kind == Bands::Mel).then(|| self.gamma(&format!("{name}.norm"))).transpose()
    }

    fn feed_forward(&self, name: &str) -> Result<FeedForward> {
        let gamma = self.gamma(&format!("{name}.0"))?;
        Ok(FeedForward {
            linear1: self.normed(&format!("{name}.1"), &gamma)?,
            linear2: self.linear(&format!("{name}.4"))?,
        })
    }

    fn attention(&self, name: &str, length: usize) -> Result<Attention> {
        let Arguments { dim, dim_head, heads, .. } = self.config.arguments;
        let inner = self.config.inner();
        let gamma = self.gamma(&format!("{name}.norm"))?;
        let mut qkv = self.tensors.values(&format!("{name}.to_qkv.weight"))?;
        scale_columns(&mut qkv, &gamma);
        let bias = self.bias(&format!("{name}.to_qkv"), 3 * inner)?;
        let part =
            |at: usize| (&qkv[at * inner * dim..][..inner * dim], &bias[at * inner..][..inner]);
        let paired = |at: usize| {
            let (weight, bias) = part(at);
            let (weight, bias) = (halves(weight, dim_head, dim), halves(bias, dim_head, 1));
            Linear::new(&weight, &bias, self.precision)
        };
        let (weight, bias_v) = part(2);
        let out = self.tensors.values(&format!("{name}.to_out.0.weight"))?;
        let bias_out = self.bias(&format!("{name}.to_out.0"), dim)?;
        Ok(Attention {
            q: paired(0),
            k: paired(1),
            v: Linear::new(weight, bias_v, self.precision),
            gates: self.normed(&format!("{name}.to_gates"), &gamma)?,
            out: Linear::new(&out, &bias_out, self.precision),
            heads,
            rotation: self.rotation(&format!("{name}.rotary_embed.freqs"), length)?,
        })
    }

    /// The rotation for sequences of `length` tokens by the file's frequencies, or the default ones.
    fn rotation(&self, name: &str, length: usize) -> Result<Arc<Rotation>> {
        let frequencies = if self.tensors.has(name) {
            self.tensors.values(name)?
        } else {
            default_frequencies(self.config.arguments.dim_head)
        };
        let mut rotations = self.rotations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(its, positions, _): &&Known| *its == frequencies && *positions == length;
        if let Some((_, _, rotation)) = rotations.iter().find(known) {
            return Ok(Arc::clone(rotation));
        }
        let rotation = Arc::new(Rotation::new(&frequencies, length));
        rotations.push((frequencies, length, Arc::clone(&rotation)));
        Ok(rotation)
    }

    fn mask_estimator(&self, stem: usize) -> Result<MaskEstimator> {
        let (widths, layers) = (self.config.widths(), self.config.mask_layers());
        let band = |band: usize| {
            let layer = |layer: usize| {
                let name = mask_layer(stem, band, layer);
                if layer + 1 < layers {
                    return self.linear(&name);
                }
                let weight = self.tensors.values(&format!("{name}.weight"))?;
                let bias = self.tensors.values(&format!("{name}.bias"))?;
                let (weight, bias) = gated(&weight, &bias);
                Ok(Linear::new(&weight, &bias, self.precision))
            };
            (0..layers).map(layer).collect::<Result<Vec<_>>>()
        };
        let to_freqs = (0..widths.len()).into_par_iter().map(band).collect::<Result<_>>()?;
        Ok(MaskEstimator { to_freqs, widths })
    }
}

/// Multiplies each column of `weight: [out, in]` by its factor.
fn scale_columns(weight: &mut [f32], factors: &[f32]) {
    for row in weight.chunks_exact_mut(factors.len()) {
        for (value, factor) in row.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
}
