//! The cost of a segment, derived from the network's shapes: the arithmetic of the reference's
//! algorithm, and the minimum memory traffic.
//!
//! Counts products and transforms: two operations for a multiply-add, 2.5 n log₂ n for a real
//! transform. Elementwise operations (norms, GELU, residuals) are not counted. The minimum traffic
//! of a part is its input, output and weights, once each, in f32; the real traffic is higher.

use std::{collections::HashMap, path::Path};

use anyhow::Result;
use partita::model::{
    htdemucs::{self, Config},
    roformer, weights,
};

/// One step of a layer. Sizes are numbers of values.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    name: &'static str,
    flop: usize,
    input: usize,
    output: usize,
    weights: usize,
}

/// The cost of a part of the network for one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Operations.
    pub flop: f64,
    /// Minimum bytes from and to memory.
    pub bytes: f64,
}

/// A stage of the network, named like its spans ("freq encoder"), with the steps of each layer.
struct Stage {
    name: &'static str,
    layers: Vec<Vec<Step>>,
}

/// The cost of the whole network.
pub struct Costs(Vec<Stage>);

impl Costs {
    /// Counts the network of a weight file.
    pub fn of_file(path: &Path) -> Result<Self> {
        let metadata: HashMap<String, String> = weights::read_metadata(path)?;
        let class_name = metadata.get("klass").map_or("HTDemucs", String::as_str);
        if class_name.rsplit('.').next() == Some("HTDemucs") {
            return Ok(Self::of(&htdemucs::Config::from_metadata(&metadata)?));
        }
        let config = roformer::Config::from_metadata(&metadata)?;
        Ok(Self::of_parts(roformer::cost::parts(&config)))
    }

    /// Parts with known operations and unknown traffic.
    fn of_parts(parts: Vec<(&'static str, f64)>) -> Self {
        let stage = |(name, flop): (&'static str, f64)| {
            let step = Step { flop: flop as usize, ..Step::default() };
            Stage { name, layers: vec![vec![step]] }
        };
        Self(parts.into_iter().map(stage).collect())
    }

    /// Counts an `HTDemucs`.
    fn of(config: &Config) -> Self {
        let levels = || 0..config.depth;
        Self(vec![
            Stage { name: "spectrogram", layers: vec![vec![spectrogram(config)]] },
            stage("freq encoder", levels().map(|i| encoder(config, i, &Branch::freq(config)))),
            stage("time encoder", levels().map(|i| encoder(config, i, &Branch::time(config)))),
            stage("freq decoder", levels().map(|i| decoder(config, i, &Branch::freq(config)))),
            stage("time decoder", levels().map(|i| decoder(config, i, &Branch::time(config)))),
            stage("transformer", transformer(config).into_iter()),
        ])
    }

    /// The cost of the steps in a span named `STAGE: STEP, STEP`, or of all steps without a list. A
    /// step that several spans in `all` name is divided equally between them.
    pub fn of_span(&self, span: &str, all: &[&str]) -> Cost {
        let mut cost = Cost::default();
        for stage in &self.0 {
            for layer in &stage.layers {
                let steps: Vec<&Step> =
                    layer.iter().filter(|step| covers(span, stage.name, step.name)).collect();
                // Values between the steps of one span need not go through memory.
                let ends = steps.first().map_or(0, |step| step.input)
                    + steps.last().map_or(0, |step| step.output);
                let weights: usize = steps.iter().map(|step| step.weights).sum();
                cost.bytes += (size_of::<f32>() * (ends + weights)) as f64;
                for step in steps {
                    let sharers = all.iter().filter(|span| covers(span, stage.name, step.name));
                    cost.flop += step.flop as f64 / sharers.count().max(1) as f64;
                }
            }
        }
        cost
    }

    /// Operations of one segment.
    pub fn total(&self) -> f64 {
        let steps = self.0.iter().flat_map(|stage| stage.layers.iter().flatten());
        steps.map(|step| step.flop as f64).sum()
    }
}

/// Whether a span includes a step of a stage.
fn covers(span: &str, stage: &str, step: &str) -> bool {
    let (of, steps) = span.split_once(": ").unwrap_or((span, ""));
    of == stage && (steps.is_empty() || steps.split(", ").any(|name| name == step))
}

fn stage(name: &'static str, layers: impl Iterator<Item = Vec<Step>>) -> Stage {
    Stage { name, layers: layers.collect() }
}

/// Differences between the branches: the number of places at each level, and the dimensions of a
/// kernel.
struct Branch {
    places: Vec<usize>,
    /// 2 for complex numbers as channels, otherwise 1.
    parts: usize,
    /// Number of dimensions of a kernel's context.
    sides: u32,
}

impl Branch {
    fn freq(config: &Config) -> Self {
        let columns = columns(config);
        let places = config.freqs().into_iter().map(|freqs| freqs * columns).collect();
        Self { places, parts: 2, sides: 2 }
    }

    fn time(config: &Config) -> Self {
        Self { places: config.frames(), parts: 1, sides: 1 }
    }
}

fn columns(config: &Config) -> usize {
    config.segment_frames.div_ceil(config.nfft / 4)
}

/// Operations and weights of a convolution over `places`, each an `inputs × taps` by `outputs`
/// product.
fn convolution(places: usize, inputs: usize, taps: usize, outputs: usize) -> (usize, usize) {
    let weights = inputs * taps * outputs;
    (2 * places * weights, weights)
}

fn encoder(config: &Config, level: usize, branch: &Branch) -> Vec<Step> {
    let (before, places) = (branch.places[level], branch.places[level + 1]);
    let channels = config.channels_at(level);
    let inputs = match level {
        0 => branch.parts * config.audio_channels,
        _ => config.channels_at(level - 1),
    };
    let (flop, weights) = convolution(places, inputs, config.kernel_size, channels);
    let inner = places * channels;
    let conv = Step { name: "conv", flop, input: before * inputs, output: inner, weights };
    let rewrite = rewrite(config.context_enc, places, channels, branch);
    if config.dconv_mode & 1 == 0 {
        return vec![conv, rewrite];
    }
    vec![conv, dconv(config, places, channels), rewrite]
}

fn decoder(config: &Config, level: usize, branch: &Branch) -> Vec<Step> {
    let (after, places) = (branch.places[level], branch.places[level + 1]);
    let channels = config.channels_at(level);
    let outputs = match level {
        0 => branch.parts * config.audio_channels * config.sources.len(),
        _ => config.channels_at(level - 1),
    };
    let mut rewrite = rewrite(config.context, places, channels, branch);
    rewrite.input *= 2; // includes the encoder's result
    let (flop, weights) = convolution(places, channels, config.kernel_size, outputs);
    let (input, output) = (places * channels, after * outputs);
    let conv_tr = Step { name: "conv_tr", flop, input, output, weights };
    if config.dconv_mode & 2 == 0 {
        return vec![rewrite, conv_tr];
    }
    vec![rewrite, dconv(config, places, channels), conv_tr]
}

/// A convolution to twice the channels, which a GLU halves again.
fn rewrite(context: usize, places: usize, channels: usize, branch: &Branch) -> Step {
    let taps = (1 + 2 * context).pow(branch.sides);
    let (flop, weights) = convolution(places, channels, taps, 2 * channels);
    let values = places * channels;
    Step { name: "rewrite", flop, input: values, output: values, weights }
}

fn dconv(config: &Config, places: usize, channels: usize) -> Step {
    let hidden = config.dconv_hidden(channels);
    let (squeeze, squeeze_weights) = convolution(places, channels, 3, hidden);
    let (expand, expand_weights) = convolution(places, hidden, 1, 2 * channels);
    Step {
        name: "dconv",
        flop: config.dconv_depth * (squeeze + expand),
        input: places * channels,
        output: places * channels,
        weights: config.dconv_depth * (squeeze_weights + expand_weights),
    }
}

/// The layers of both branches, followed by the projections to the transformer's channels and back.
fn transformer(config: &Config) -> Vec<Vec<Step>> {
    if config.t_layers == 0 {
        return Vec::new();
    }
    let (dim, hidden) = (config.transformer_channels(), config.transformer_hidden());
    let freq = config.freqs()[config.depth] * columns(config);
    let time = config.frames()[config.depth];
    let mut layers = Vec::new();
    for index in 0..config.t_layers {
        let cross = index.is_multiple_of(2) == config.t_cross_first;
        for (own, other) in [(freq, time), (time, freq)] {
            let sources = if cross { other } else { own };
            // Queries and output projections from own tokens, keys and values from the sources.
            let rows = 2 * own + 2 * sources;
            layers.push(vec![
                Step {
                    name: "projections",
                    flop: 2 * rows * dim * dim,
                    input: (2 * own + sources) * dim,
                    output: (2 * own + 2 * sources) * dim,
                    weights: 4 * dim * dim,
                },
                Step {
                    name: "attention",
                    flop: 4 * own * sources * dim,
                    input: (own + 2 * sources) * dim,
                    output: own * dim,
                    weights: 0,
                },
                Step {
                    name: "feed-forward",
                    flop: 4 * own * dim * hidden,
                    input: own * dim,
                    output: own * dim,
                    weights: 2 * dim * hidden,
                },
            ]);
        }
    }
    if config.bottom_channels > 0 {
        let inner = config.channels_at(config.depth - 1);
        for (tokens, inputs, outputs) in
            [(freq, inner, dim), (freq, dim, inner), (time, inner, dim), (time, dim, inner)]
        {
            let (flop, weights) = convolution(tokens, inputs, 1, outputs);
            let (input, output) = (tokens * inputs, tokens * outputs);
            layers.push(vec![Step { name: "channels", flop, input, output, weights }]);
        }
    }
    layers
}

/// Transforms of the mix's channels, and inverse transforms of each stem's.
fn spectrogram(config: &Config) -> Step {
    let stems = config.audio_channels * config.sources.len();
    let values = config.nfft * columns(config); // complex: two for each of half the bins
    let signals = config.audio_channels + stems;
    Step {
        name: "spectrogram",
        flop: signals * columns(config) * 5 * config.nfft * config.nfft.ilog2() as usize / 2,
        input: config.audio_channels * config.segment_frames + stems * values,
        output: config.audio_channels * values + stems * config.segment_frames,
        weights: 0,
    }
}
