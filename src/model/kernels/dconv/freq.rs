//! DConv in the frequency branch: everything happens within one row, which stays in the cache.

use super::{
    super::{
        elementwise::{gelu_one, mad, sigmoid},
        norm::Moments,
        product::{Mat, MatMut, Parallelism, Update, product},
        vectorised,
    },
    DConvWeights,
};

/// One layer of a branch.
#[derive(Clone, Debug)]
pub struct FreqDConv {
    weights: DConvWeights,
    /// `[3][hidden, channels]`.
    taps: [Vec<f32>; 3],
    channels: usize,
    hidden: usize,
    dilation: usize,
}

/// What a thread needs besides the row: made once per task.
#[derive(Debug, Default)]
pub struct Scratch {
    hidden: Vec<f32>,
    wide: Vec<f32>,
}

impl FreqDConv {
    /// A layer whose taps are `dilation` frames apart.
    pub fn new(weights: DConvWeights, dilation: usize) -> Self {
        let (channels, hidden) = (weights.scale.len(), weights.conv_bias.len());
        let taps = std::array::from_fn(|tap| {
            weights.conv.iter().skip(tap).step_by(3).copied().collect::<Vec<f32>>()
        });
        Self { weights, taps, channels, hidden, dilation }
    }

    /// Adds the branch to one row of the frequency branch, `y: [channels, frames]`.
    pub fn row(&self, y: &mut [f32], scratch: &mut Scratch) {
        let frames = y.len() / self.channels;
        scratch.hidden.resize(self.hidden * frames, 0.0);
        scratch.wide.resize(2 * self.channels * frames, 0.0);
        let Scratch { hidden, wide } = scratch;

        fill_lines(hidden, frames, &self.weights.conv_bias);
        for (tap, weight) in self.taps.iter().enumerate() {
            let (from, to) = match tap {
                0 => (0, self.dilation),
                1 => (0, 0),
                _ => (self.dilation, 0),
            };
            if from.max(to) >= frames {
                continue;
            }
            let width = frames - from.max(to);
            product(
                MatMut::new(&mut hidden[to..], self.hidden, width, frames),
                Update::Add,
                Mat::new(weight, self.hidden, self.channels, self.channels),
                Mat::new(&y[from..], self.channels, width, frames),
                Parallelism::None,
            );
        }
        let (factor, addend) = self.weights.norm_hidden.fold(Moments::of(hidden));
        affine_gelu_lines(hidden, frames, &factor, &addend);

        fill_lines(wide, frames, &self.weights.expand_bias);
        product(
            MatMut::new(wide, 2 * self.channels, frames, frames),
            Update::Add,
            Mat::new(&self.weights.expand, 2 * self.channels, self.hidden, self.hidden),
            Mat::new(hidden, self.hidden, frames, frames),
            Parallelism::None,
        );
        let (factor, addend) = self.weights.norm_wide.fold(Moments::of(wide));
        glu_residual_lines(y, wide, frames, &factor, &addend, &self.weights.scale);
    }
}

/// Fills each line of `x: [values.len(), frames]` with its value.
fn fill_lines(x: &mut [f32], frames: usize, values: &[f32]) {
    for (line, value) in x.chunks_exact_mut(frames).zip(values) {
        line.fill(*value);
    }
}

vectorised! {
    /// `x = gelu(factor · x + addend)` for `x: [factor.len(), frames]`.
    fn affine_gelu_lines<FMA>(x: &mut [f32], frames: usize, factor: &[f32], addend: &[f32]) {
        for ((line, factor), addend) in x.chunks_exact_mut(frames).zip(factor).zip(addend) {
            for v in line {
                *v = gelu_one::<FMA>(mad::<FMA>(*v, *factor, *addend));
            }
        }
    }
}

vectorised! {
    /// `y += scale · glu(factor · wide + addend)` for `y: [channels, frames]` and
    /// `wide: [2 · channels, frames]`.
    fn glu_residual_lines<FMA>(
        y: &mut [f32],
        wide: &[f32],
        frames: usize,
        factor: &[f32],
        addend: &[f32],
        scale: &[f32],
    ) {
        let channels = scale.len();
        let (values, gates) = wide.split_at(channels * frames);
        let lines = y.chunks_exact_mut(frames).zip(values.chunks_exact(frames));
        for (c, ((y, values), gates)) in lines.zip(gates.chunks_exact(frames)).enumerate() {
            let (vf, va, gf, ga) =
                (factor[c], addend[c], factor[channels + c], addend[channels + c]);
            let (vf, va) = (vf * scale[c], va * scale[c]);
            for ((y, value), gate) in y.iter_mut().zip(values).zip(gates) {
                let open = sigmoid::<FMA>(mad::<FMA>(*gate, gf, ga));
                *y = mad::<FMA>(mad::<FMA>(*value, vf, va), open, *y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::{
                TimeMap,
                testing::{assert_same, noise, tensor, values},
            },
            layer_plain,
            testing::weights,
        },
        *,
    };

    #[test]
    fn rows_match_their_twin_on_odd_shapes() {
        for (channels, hidden, frames, dilation) in
            [(5, 2, 37, 1), (8, 3, 1, 1), (4, 1, 3, 4), (48, 6, 1100, 2), (7, 7, 513, 1)]
        {
            let weights = weights(channels, hidden);
            let layer = FreqDConv::new(weights.clone(), dilation);
            let x = TimeMap::noise(frames, channels, 8, 10);
            let twin = layer_plain(&x.to_tensor(), &weights, dilation).unwrap();
            let mut row = values(&x.to_tensor());
            layer.row(&mut row, &mut Scratch::default());
            assert_same(&values(&twin), &row, &format!("{channels} channels, {frames} frames"));
        }
    }

    #[test]
    fn a_scratch_can_be_used_for_rows_of_any_size() {
        let mut scratch = Scratch::default();
        for (channels, hidden, frames) in [(6, 3, 40), (4, 2, 9), (8, 4, 100)] {
            let layer = FreqDConv::new(weights(channels, hidden), 1);
            let mut row = noise(channels * frames, 11);
            let mut fresh = row.clone();
            layer.row(&mut row, &mut scratch);
            layer.row(&mut fresh, &mut Scratch::default());
            assert_eq!(row, fresh);
        }
    }

    #[test]
    fn silence_leaves_only_what_the_biases_say() {
        let weights = weights(4, 2);
        let layer = FreqDConv::new(weights.clone(), 1);
        let mut row = vec![0.0; 4 * 16];
        let twin = layer_plain(&tensor(&row, &[1, 4, 16]), &weights, 1).unwrap();
        layer.row(&mut row, &mut Scratch::default());
        assert_same(&values(&twin), &row, "silence");
    }
}
