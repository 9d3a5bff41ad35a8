//! DConv in the time branch: the norms span the whole signal; the wide activation between them is
//! computed twice, once for its moments and once for its use, and never stored.

use rayon::prelude::*;

use super::{
    super::{
        TimeMap,
        elementwise::{gelu_one, mad, sigmoid},
        norm::Moments,
        product::{Mat, MatMut, Parallelism, Update, product},
        time_conv::TimeConv,
        vectorised,
    },
    DConvWeights,
};

/// Frames per rayon task.
const BLOCK: usize = 512;

/// One layer of a branch.
#[derive(Clone, Debug)]
pub struct TimeDConv {
    weights: DConvWeights,
    conv: TimeConv,
    /// `[hidden, 2 · channels]`.
    expand: Vec<f32>,
    channels: usize,
    hidden: usize,
}

impl TimeDConv {
    /// A layer whose taps are `dilation` frames apart.
    pub fn new(weights: DConvWeights, dilation: usize) -> Self {
        let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
        let conv = TimeConv::new(
            &weights.conv,
            [hidden, channels, 3],
            weights.conv_bias.clone(),
            1,
            dilation,
            dilation,
        );
        let mut expand = vec![0.0; weights.expand.len()];
        for (o, values) in weights.expand.chunks_exact(hidden).enumerate() {
            for (h, value) in values.iter().enumerate() {
                expand[h * 2 * channels + o] = *value;
            }
        }
        Self { weights, conv, expand, channels, hidden }
    }

    /// Adds the branch to the time branch.
    pub fn time(&self, y: &mut TimeMap) {
        let mut hidden = vec![0.0; y.frames * self.hidden];
        let moments = hidden
            .par_chunks_mut(BLOCK * self.hidden)
            .enumerate()
            .map(|(index, block)| {
                self.conv.block(y, index * BLOCK, block);
                Moments::of(block)
            })
            .reduce(Moments::default, Moments::and);
        let (factor, addend) = self.weights.norm_hidden.fold(moments);
        // The rows are short: several at once fill the registers.
        let repeat = 64_usize.div_ceil(self.hidden);
        let (factor, addend) = (factor.repeat(repeat), addend.repeat(repeat));
        let moments = hidden
            .par_chunks_mut(BLOCK * self.hidden)
            .map_init(Vec::new, |wide, block| {
                affine_gelu_rows(block, &factor, &addend);
                self.widen(block, wide);
                Moments::of(wide)
            })
            .reduce(Moments::default, Moments::and);
        let (factor, addend) = self.weights.norm_wide.fold(moments);
        y.inner_mut()
            .par_chunks_mut(BLOCK * self.channels)
            .zip(hidden.par_chunks(BLOCK * self.hidden))
            .for_each_init(Vec::new, |wide, (y, block)| {
                self.widen(block, wide);
                glu_residual_rows(y, wide, &factor, &addend, &self.weights.scale);
            });
    }

    /// `[frames, hidden]` to `[frames, 2 · channels]`.
    fn widen(&self, hidden: &[f32], wide: &mut Vec<f32>) {
        let (frames, width) = (hidden.len() / self.hidden, 2 * self.channels);
        wide.resize(frames * width, 0.0);
        for row in wide.chunks_exact_mut(width) {
            row.copy_from_slice(&self.weights.expand_bias);
        }
        product(
            MatMut::new(wide, frames, width, width),
            Update::Add,
            Mat::new(hidden, frames, self.hidden, self.hidden),
            Mat::new(&self.expand, self.hidden, width, width),
            Parallelism::None,
        );
    }
}

vectorised! {
    /// `x = gelu(factor · x + addend)` for `x` in rows of `factor.len()`, the last one cut short.
    fn affine_gelu_rows<FMA>(x: &mut [f32], factor: &[f32], addend: &[f32]) {
        for row in x.chunks_mut(factor.len()) {
            for ((v, factor), addend) in row.iter_mut().zip(factor).zip(addend) {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, *factor, *addend));
            }
        }
    }
}

vectorised! {
    /// `y += scale · glu(factor · wide + addend)` for `y: [frames, channels]` and
    /// `wide: [frames, 2 · channels]`.
    fn glu_residual_rows<FMA>(
        y: &mut [f32],
        wide: &[f32],
        factor: &[f32],
        addend: &[f32],
        scale: &[f32],
    ) {
        let n = scale.len();
        let (vf, gf) = factor.split_at(n);
        let (va, ga) = addend.split_at(n);
        for (y, wide) in y.chunks_exact_mut(n).zip(wide.chunks_exact(2 * n)) {
            let (values, gates) = wide.split_at(n);
            let norms = vf.iter().zip(va).zip(gf.iter().zip(ga)).zip(scale);
            for (((y, value), gate), (((vf, va), (gf, ga)), scale)) in
                y.iter_mut().zip(values).zip(gates).zip(norms)
            {
                let open = sigmoid::<FMA>(mad::<FMA>(*gate, *gf, *ga));
                *y = mad::<FMA>(mad::<FMA>(*value, *vf, *va) * scale, open, *y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::testing::{assert_same, values},
            layer_plain,
            testing::weights,
        },
        *,
    };

    #[test]
    fn signals_match_their_twin_on_odd_shapes() {
        for (channels, hidden, frames, dilation) in
            [(5, 2, 37, 1), (8, 3, 1, 1), (4, 1, 3, 4), (48, 6, 1100, 2), (7, 7, 513, 1)]
        {
            let weights = weights(channels, hidden);
            let layer = TimeDConv::new(weights.clone(), dilation);
            let mut x = TimeMap::noise(frames, channels, 8, 10);
            let twin = layer_plain(&x.to_tensor(), &weights, dilation).unwrap();
            layer.time(&mut x);
            let what = format!("{channels} channels, {frames} frames");
            assert_same(&values(&twin), &values(&x.to_tensor()), &what);
        }
    }
}
