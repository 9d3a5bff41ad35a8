//! DConv in the frequency branch: every operation works within one row, which stays in the cache.
//!
//! One product on aligned panels computes the three taps of the dilated convolution, which are
//! shifted when they are summed: the hidden channels are few. The moments of the second
//! normalisation are known before its input: for `wide = E h + b` and `h` less its mean over the
//! frames, the sum of squares is that of `hᵀ (Eᵀ E) h`, so that normalisation, gate, LayerScale and
//! residual are done on the tiles of the expansion.

use super::{
    super::{
        glu_pack::{self, LANES, glu},
        layout::{MR, NR},
        maps::Lines,
        math::{gelu_one, mad},
        norm::{Affine, Moments, sum_of},
        pack::Strips,
        tile::{strip_by_panel, strip_by_panels},
        vectorised::vectorised,
    },
    DConvWeights,
};

/// Panels that are multiplied with one strip of weights before the next.
const GROUP: usize = 4;

/// One layer of a branch.
#[derive(Clone, Debug)]
pub struct FreqDConv {
    /// `[3 · hidden, channels]`, taps outermost.
    taps: Strips,
    conv_bias: Vec<f32>,
    norm_hidden: Affine,
    /// `[2 · channels, hidden]`, gated.
    expand: Strips,
    /// `Eᵀ E` of `expand`.
    gram: Strips,
    /// Each of `[2 · channels]`, in the order of `expand`'s rows.
    wide: Vec<Wide>,
    channels: usize,
    hidden: usize,
    dilation: usize,
}

/// Parameters of the rows of a strip of the expansion.
#[derive(Clone, Debug)]
struct Wide {
    bias: [f32; MR],
    norm_weight: [f32; MR],
    norm_bias: [f32; MR],
    scale: [f32; LANES],
    /// The number of channels in the strip; the last strip is padded.
    lanes: usize,
}

/// A thread's memory besides the row, allocated once per task.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Products of the taps, `[3 · hidden, width]`.
    products: Vec<f32>,
    /// `[hidden, lines · NR]`.
    hidden: Vec<f32>,
    /// `[lines, hidden][NR]`.
    panels: Lines,
    /// `[2 · channels]`: the bias, and the expansion of the hidden channels' means.
    start: Vec<[f32; MR]>,
    /// `[hidden]`.
    means: Vec<f32>,
}

impl FreqDConv {
    /// A layer whose taps are `dilation` frames apart.
    pub fn new(weights: DConvWeights, dilation: usize) -> Self {
        let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
        let taps = Strips::new(3 * hidden, channels, |row, c| {
            weights.conv[(row % hidden * channels + c) * 3 + row / hidden]
        });
        let expand = |row: usize, k: usize| weights.expand[row * hidden + k];
        let gram = Strips::new(hidden, hidden, |i, j| {
            let rows =
                (0..2 * channels).map(|row| f64::from(expand(row, i)) * f64::from(expand(row, j)));
            rows.sum::<f64>() as f32
        });
        let (bias, norm_weight, norm_bias) = (
            glu_pack::per_strip(&weights.expand_bias),
            glu_pack::per_strip(&weights.norm_wide.weight),
            glu_pack::per_strip(&weights.norm_wide.bias),
        );
        let wide = weights.scale.chunks(LANES).enumerate().map(|(strip, scale)| Wide {
            bias: bias[strip],
            norm_weight: norm_weight[strip],
            norm_bias: norm_bias[strip],
            scale: std::array::from_fn(|lane| scale.get(lane).copied().unwrap_or(0.0)),
            lanes: scale.len(),
        });
        Self {
            taps,
            wide: wide.collect(),
            expand: glu_pack::strips(channels, hidden, expand),
            gram,
            conv_bias: weights.conv_bias,
            norm_hidden: weights.norm_hidden,
            channels,
            hidden,
            dilation,
        }
    }

    /// Adds the branch to one row of the frequency branch, packed panels `[lines, channels][NR]`.
    /// Values beyond the last frame of the last panel have no influence.
    pub fn row(&self, y: &mut [[f32; NR]], frames: usize, scratch: &mut Scratch) {
        let width = frames.div_ceil(NR) * NR;
        let Scratch { products, hidden, panels, start, means } = scratch;
        products.clear();
        products.resize(3 * self.hidden * (width + 2 * self.dilation), 0.0);
        hidden.resize(self.hidden * width, 0.0);
        panels.resize(self.hidden * width / NR);
        means.resize(self.hidden, 0.0);

        convolve(self, y, frames, products);
        let moments = sum_taps(self, products, frames, hidden);
        let (factor, addend) = self.norm_hidden.fold(moments);
        activate(hidden, frames, &factor, &addend, means, panels);
        let moments = wide_moments(self, panels, means, frames, start);
        expand(self, panels, moments, start, y);
    }
}

vectorised! {
    /// The products of all taps, `[3 · hidden, dilation + width + dilation]`; zero beyond the
    /// frames.
    fn convolve<FMA>(layer: &FreqDConv, y: &[[f32; NR]], frames: usize, products: &mut [f32]) {
        let (lines, margin) = (frames.div_ceil(NR), layer.dilation);
        let stride = lines * NR + 2 * margin;
        for s in 0..layer.taps.count() {
            let strip = layer.taps.strip(s);
            for first in (0..lines).step_by(GROUP) {
                let tiles = &mut [[[0.0; NR]; MR]; GROUP][..GROUP.min(lines - first)];
                let panel = |p: usize| &y[(first + p) * layer.channels..][..layer.channels];
                strip_by_panels::<FMA>(tiles, strip, panel);
                for (p, tile) in (first..).zip(tiles) {
                    let rows = products.chunks_exact_mut(stride).skip(s * MR);
                    for (row, line) in rows.zip(tile) {
                        if let Some(to) = row[margin + p * NR..].first_chunk_mut() {
                            *to = *line;
                        }
                    }
                }
            }
        }
        for row in products.chunks_exact_mut(stride) {
            row[margin + frames..].fill(0.0);
        }
    }
}

vectorised! {
    /// The sums of three taps and the bias, `[hidden, lines · NR]`, and their moments.
    fn sum_taps<FMA>(
        layer: &FreqDConv,
        products: &[f32],
        frames: usize,
        hidden: &mut [f32],
    ) -> Moments {
        let width = frames.div_ceil(NR) * NR;
        let (d, stride) = (layer.dilation, width + 2 * layer.dilation);
        let mut moments = Moments::default();
        for (h, (sum, bias)) in hidden.chunks_exact_mut(width).zip(&layer.conv_bias).enumerate() {
            let [before, here, after] = std::array::from_fn(|tap| {
                let row = &products[(tap * layer.hidden + h) * stride..];
                &row[tap * d..][..width]
            });
            for t in 0..width {
                sum[t] = before[t] + here[t] + after[t] + bias;
            }
            moments = moments.and(Moments::from_slice(&sum[..frames]));
        }
        moments
    }
}

vectorised! {
    /// `gelu(factor · x + addend)` of every line of `[hidden, lines · NR]`: its mean, and the
    /// differences from the mean, as panels with zeros beyond the frames.
    fn activate<FMA>(
        hidden: &mut [f32],
        frames: usize,
        factor: &[f32],
        addend: &[f32],
        means: &mut [f32],
        panels: &mut [[f32; NR]],
    ) {
        let width = frames.div_ceil(NR) * NR;
        for (h, line) in hidden.chunks_exact_mut(width).enumerate() {
            let (factor, addend) = (factor[h], addend[h]);
            for v in line.iter_mut() {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, factor, addend));
            }
            let mean = (sum_of(&line[..frames], |v, sum| v + sum) / frames as f64) as f32;
            means[h] = mean;
            line[frames..].fill(mean);
            let panels = panels[h..].iter_mut().step_by(means.len());
            for (from, to) in line.as_chunks::<NR>().0.iter().zip(panels) {
                for t in 0..NR {
                    to[t] = from[t] - mean;
                }
            }
        }
    }
}

vectorised! {
    /// Moments of the expansion of `panels` and `means`, and the start values of its tiles.
    fn wide_moments<FMA>(
        layer: &FreqDConv,
        panels: &[[f32; NR]],
        means: &[f32],
        frames: usize,
        start: &mut Vec<[f32; MR]>,
    ) -> Moments {
        start.clear();
        let (mut sum, mut squares) = (0.0, 0.0);
        for (s, wide) in layer.wide.iter().enumerate() {
            let mut rows = wide.bias;
            for (column, mean) in layer.expand.strip(s).iter().zip(means) {
                for i in 0..MR {
                    rows[i] = mad::<FMA>(column[i], *mean, rows[i]);
                }
            }
            start.push(rows);
            sum += wide.rows().map(|i| f64::from(rows[i])).sum::<f64>();
        }
        let count = 2 * layer.channels;
        let mean = sum / count as f64;
        for (rows, wide) in start.iter().zip(&layer.wide) {
            squares += wide.rows().map(|i| (f64::from(rows[i]) - mean).powi(2)).sum::<f64>();
        }
        let mut deviation = 0.0;
        for panel in panels.chunks_exact(layer.hidden) {
            let mut lanes = [0.0; NR];
            for s in 0..layer.gram.count() {
                let mut tile = [[0.0; NR]; MR];
                strip_by_panel::<FMA, MR>(&mut tile, layer.gram.strip(s), panel);
                for (image, line) in tile.iter().zip(&panel[s * MR..]) {
                    for t in 0..NR {
                        lanes[t] = mad::<FMA>(image[t], line[t], lanes[t]);
                    }
                }
            }
            deviation += lanes.iter().map(|v| f64::from(*v)).sum::<f64>();
        }
        let deviation = deviation.max(0.0) + frames as f64 * squares;
        Moments { count: count * frames, mean, deviation }
    }
}

impl Wide {
    /// The rows of the strip without padding.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let lanes = self.lanes;
        (0..lanes).chain(LANES..LANES + lanes)
    }
}

vectorised! {
    /// `y += scale · glu(norm(wide))`, tile by tile.
    fn expand<FMA>(
        layer: &FreqDConv,
        panels: &[[f32; NR]],
        moments: Moments,
        start: &[[f32; MR]],
        y: &mut [[f32; NR]],
    ) {
        let (mean, rate) = (moments.mean, moments.rate());
        for (s, (wide, start)) in layer.wide.iter().zip(start).enumerate() {
            let strip = layer.expand.strip(s);
            let mut factor = [0.0; MR];
            let mut addend = [0.0; MR];
            for i in 0..MR {
                let full = rate * f64::from(wide.norm_weight[i]);
                let shift = (f64::from(start[i]) - mean) * full + f64::from(wide.norm_bias[i]);
                (factor[i], addend[i]) = (full as f32, shift as f32);
            }
            for lane in 0..LANES {
                factor[lane] *= wide.scale[lane];
                addend[lane] *= wide.scale[lane];
            }
            let panels = panels.chunks(GROUP * layer.hidden);
            for (panels, y) in panels.zip(y.chunks_mut(GROUP * layer.channels)) {
                let count = panels.len() / layer.hidden;
                let tiles = &mut [[[0.0; NR]; MR]; GROUP][..count];
                let panel = |p: usize| &panels[p * layer.hidden..][..layer.hidden];
                strip_by_panels::<FMA>(tiles, strip, panel);
                for (tile, y) in tiles.iter_mut().zip(y.chunks_exact_mut(layer.channels)) {
                    for (line, (factor, addend)) in tile.iter_mut().zip(factor.iter().zip(&addend))
                    {
                        for v in line {
                            *v = mad::<FMA>(*v, *factor, *addend);
                        }
                    }
                    let branch = glu::<FMA>(tile);
                    for (y, branch) in y[s * LANES..].iter_mut().zip(&branch) {
                        for t in 0..NR {
                            y[t] += branch[t];
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::{
                maps::{FreqMap, FreqPanels, TimeMap},
                testing::{assert_same, noise, tensor, values},
            },
            layer_plain,
            testing::weights,
        },
        *,
    };

    /// The layer on a row `[channels, frames]`.
    fn applied(layer: &FreqDConv, row: &[f32], scratch: &mut Scratch) -> Vec<f32> {
        let (channels, frames) = (layer.channels, row.len() / layer.channels);
        let mut map = FreqMap::any(1, channels, frames);
        map.data.copy_from_slice(row);
        let mut panels = FreqPanels::from_map(&map);
        // Values beyond the last frame must not matter.
        for line in &mut panels.data[(frames - 1) / NR * channels..] {
            line[(frames - 1) % NR + 1..].fill(1e3);
        }
        layer.row(&mut panels.data, frames, scratch);
        panels.to_map().data.to_vec()
    }

    #[test]
    fn rows_match_their_twin_on_odd_shapes() {
        for (channels, hidden, frames, dilation) in
            [(5, 2, 37, 1), (8, 3, 1, 1), (4, 1, 3, 4), (48, 6, 1100, 2), (7, 7, 513, 1)]
        {
            let weights = weights(channels, hidden);
            let layer = FreqDConv::new(weights.clone(), dilation);
            let x = TimeMap::noise(frames, channels, 8, 10);
            let twin = layer_plain(&x.to_tensor(), &weights, dilation).unwrap();
            let got = applied(&layer, &values(&x.to_tensor()), &mut Scratch::default());
            assert_same(&values(&twin), &got, &format!("{channels} channels, {frames} frames"));
        }
    }

    #[test]
    fn a_scratch_can_be_used_for_rows_of_any_size() {
        let mut scratch = Scratch::default();
        for (channels, hidden, frames) in [(6, 3, 40), (4, 2, 9), (8, 4, 100)] {
            let layer = FreqDConv::new(weights(channels, hidden), 1);
            let row = noise(channels * frames, 11);
            let fresh = applied(&layer, &row, &mut Scratch::default());
            assert_eq!(applied(&layer, &row, &mut scratch), fresh);
        }
    }

    #[test]
    fn silence_gives_the_result_of_the_biases() {
        let weights = weights(4, 2);
        let layer = FreqDConv::new(weights.clone(), 1);
        let row = [0.0; 4 * 16];
        let twin = layer_plain(&tensor(&row, &[1, 4, 16]), &weights, 1).unwrap();
        let got = applied(&layer, &row, &mut Scratch::default());
        assert_same(&values(&twin), &got, "silence");
    }
}
