//! Benchmarks of single kernels at the published network's shapes, on one thread: `cargo bench
//! --bench kernels -- [FILTER]`.
//!
//! Throughput is in floating-point operations, two for a multiply-add ("Gelem/s" is GFLOP/s), and
//! in values for elementwise kernels. The crate criterion stores the last run's figures and prints
//! the changes.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partita::model::{
    Precision,
    arena::Buffer,
    kernels::{
        FreqMap, FreqPanels, Lines, TimeMap,
        attention::{Cells, Inputs, Layout, Tiled},
        cpu,
        dconv::{DConvWeights, FreqDConv, Scratch, TimeDConv},
        elementwise::gelu,
        freq_conv::{FreqConvTranspose, GatedPointwise, StridedConv},
        layout::NR,
        linear::Linear,
        norm::{Affine, layer_norm},
        row_conv::After,
        time_conv::{BlockScratch, TimeConv, TimeConvTranspose},
        winograd::GatedWinograd,
    },
};

/// Columns of the spectrogram.
const COLUMNS: usize = 336;
/// Tokens of the frequency branch and of the time branch, and their features.
const TOKENS: (usize, usize) = (8 * COLUMNS, 1344);
const DIM: usize = 512;
const HEADS: usize = 8;
/// Channels, rows of the frequency branch, and frames of the time branch after each encoder layer.
const LEVELS: [(usize, usize, usize); 4] =
    [(48, 512, 85_995), (96, 128, 21_499), (192, 32, 5375), (384, 8, 1344)];
/// Zero padding on either side of the time branch.
const MARGIN: usize = 16;

/// White noise (xorshift) at the scale of weights.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        0.1 * (state as f32 / u32::MAX as f32 - 0.5)
    };
    (0..count).map(|_| next()).collect()
}

fn freq_map(freqs: usize, channels: usize) -> FreqMap {
    let mut map = FreqMap::any(freqs, channels, COLUMNS);
    map.data.copy_from_slice(&noise(freqs * channels * COLUMNS));
    map
}

fn time_map(frames: usize, channels: usize) -> TimeMap {
    let mut map = TimeMap::any(frames, channels, MARGIN);
    map.inner_mut().copy_from_slice(&noise(frames * channels));
    map
}

/// Measures `work`, which performs `operations`, as `kernel/shape`, on one thread.
fn measure(
    c: &mut Criterion,
    kernel: &str,
    shape: &str,
    operations: usize,
    mut work: impl FnMut(),
) {
    let mut group = c.benchmark_group(kernel);
    group.throughput(Throughput::Elements(operations as u64));
    group.bench_function(BenchmarkId::from_parameter(shape), |b| b.iter(&mut work));
    group.finish();
}

fn elementwise(c: &mut Criterion) {
    let mut row = noise(48 * COLUMNS);
    measure(c, "gelu", "48×336", row.len(), || gelu(&mut row));
    let tokens = noise(TOKENS.0 * DIM);
    let affine = Affine { weight: vec![1.0; DIM], bias: vec![0.0; DIM] };
    let mut out = vec![0.0; tokens.len()];
    measure(c, "layer norm", "2688×512", tokens.len(), || layer_norm(&tokens, &affine, &mut out));
}

fn transformer(c: &mut Criterion) {
    let (freq, time) = TOKENS;
    for (queries, keys) in [(freq, freq), (time, time), (freq, time)] {
        attend::<Cells<f32>>(c, "attention", queries, keys);
        if cpu::has_amx() {
            attend::<Tiled<1>>(c, "attention, tiles", queries, keys);
            attend::<Tiled<2>>(c, "attention, split tiles", queries, keys);
        }
    }
    for (inputs, outputs) in [(DIM, 3 * DIM), (DIM, 4 * DIM), (4 * DIM, DIM)] {
        let linear = Linear::new(&noise(inputs * outputs), &noise(outputs), Precision::Single);
        let (x, mut out) = (noise(freq * inputs), vec![0.0; freq * outputs]);
        let shape = format!("{freq}×{inputs} to {outputs}");
        measure(c, "linear", &shape, 2 * freq * inputs * outputs, || {
            linear.forward(&x, &mut out);
        });
    }
}

/// Measures attention on arbitrary values, packed for this kind of product.
fn attend<L: Layout>(c: &mut Criterion, name: &str, queries: usize, keys: usize) {
    let head_dim = DIM / HEADS;
    let packed = |len: usize| {
        let mut packed = Buffer::any(HEADS * len);
        packed.copy_from_slice(&noise(HEADS * len));
        packed
    };
    let q = packed(L::queries_len(queries, head_dim));
    let k = packed(L::keys_len(keys, head_dim));
    let v = packed(L::values_len(keys, head_dim));
    let mut out = vec![0.0; queries * DIM];
    let shape = format!("{queries} to {keys}");
    measure(c, name, &shape, 4 * queries * keys * DIM, || {
        let inputs = Inputs { q: &q, k: &k, v: &v, keys, heads: HEADS, head_dim };
        L::attention(inputs, &mut out);
    });
}

fn freq_branch(c: &mut Criterion) {
    let mut inputs = 4;
    for (channels, freqs, _) in LEVELS {
        let shape = format!("{channels} channels, {freqs} rows");
        let places = freqs * COLUMNS;
        let weights = noise(channels * inputs * 8);
        let conv = StridedConv::new(&weights, [channels, inputs, 8], &noise(channels), 4, 2);
        let x = freq_map(4 * freqs, inputs);
        let mut row = vec![[0.0; NR]; channels * COLUMNS.div_ceil(NR)];
        let mut packed = Lines::default();
        measure(c, "freq conv", &shape, 2 * places * weights.len(), || {
            for freq in 0..freqs {
                conv.row(&x, freq, true, &mut row, &mut packed);
            }
        });

        let weights = noise(2 * channels * channels);
        let conv = GatedPointwise::new(&weights, channels, &noise(2 * channels));
        let mut out = vec![0.0; channels * COLUMNS];
        measure(c, "freq conv 1×1, a row", &shape, 2 * COLUMNS * weights.len(), || {
            conv.row(&row, COLUMNS, &mut out);
        });

        // Counted as the equivalent plain convolution.
        let weights = noise(2 * channels * channels * 9);
        let conv = GatedWinograd::new(&weights, channels, &noise(2 * channels));
        let x = freq_map(freqs, channels);
        measure(c, "freq conv 3×3", &shape, 2 * places * weights.len(), || {
            drop(conv.forward(&x, |_| {}));
        });

        let outputs = if channels == 48 { 16 } else { inputs };
        let weights = noise(channels * outputs * 8);
        let conv = FreqConvTranspose::new(&weights, [channels, outputs, 8], &noise(outputs), 4);
        let panels = FreqPanels::from_map(&x);
        measure(c, "freq conv transposed", &shape, 2 * places * weights.len(), || {
            drop(conv.forward(&panels, 2, true));
        });

        let (layer, mut scratch) = (FreqDConv::new(dconv_weights(channels), 2), Scratch::default());
        measure(c, "freq dconv, a row", &shape, dconv_operations(channels, COLUMNS), || {
            layer.row(&mut row, COLUMNS, &mut scratch);
        });
        inputs = channels;
    }
}

fn time_branch(c: &mut Criterion) {
    let (mut inputs, mut longer) = (2, 343_980);
    for (channels, _, frames) in LEVELS {
        let shape = format!("{channels} channels, {frames} frames");
        let weights = noise(channels * inputs * 8);
        let (sizes, bias) = ([channels, inputs, 8], noise(channels));
        let conv = TimeConv::new(&weights, sizes, &bias, 4, 2, After::Gelu);
        let (x, mut scratch) = (time_map(longer, inputs), BlockScratch::default());
        let mut y = TimeMap::any(frames, channels, MARGIN);
        measure(c, "time conv", &shape, 2 * frames * weights.len(), || {
            conv.block(&x, 0, y.inner_mut(), &mut scratch);
        });

        let x = time_map(frames, channels);
        let load = |start, rows: &mut [f32]| x.load(start, rows);
        let weights = noise(2 * channels * channels * 3);
        let (sizes, bias) = ([2 * channels, channels, 3], noise(2 * channels));
        let conv = TimeConv::new(&weights, sizes, &bias, 1, 1, After::Glu);
        measure(c, "time conv 3", &shape, 2 * frames * weights.len(), || {
            drop(conv.forward_from(frames, MARGIN, load));
        });

        let outputs = if channels == 48 { 8 } else { inputs };
        let weights = noise(channels * outputs * 8);
        let (sizes, bias) = ([channels, outputs, 8], noise(outputs));
        let conv = TimeConvTranspose::new(&weights, sizes, &bias, 4, After::Gelu);
        measure(c, "time conv transposed", &shape, 2 * frames * weights.len(), || {
            drop(conv.forward_from(2, longer, MARGIN, load));
        });

        // Both layers, except for the second one's last product, which is fused into the next
        // convolution.
        let layers = [1, 2].map(|dilation| TimeDConv::new(dconv_weights(channels), dilation));
        let mut y = time_map(frames, channels);
        measure(c, "time dconv", &shape, 2 * dconv_operations(channels, frames), || {
            drop(TimeDConv::chain(&layers, &mut y, |_, _, _| {}));
        });
        (inputs, longer) = (channels, frames);
    }
}

/// LayerScale's weights are small, so that a layer can be applied to its own output repeatedly.
fn dconv_weights(channels: usize) -> DConvWeights {
    let hidden = channels / 8;
    let affine = |count| Affine { weight: vec![1.0; count], bias: vec![0.0; count] };
    DConvWeights {
        conv: noise(hidden * channels * 3),
        conv_bias: noise(hidden),
        norm_hidden: affine(hidden),
        expand: noise(2 * channels * hidden),
        expand_bias: noise(2 * channels),
        norm_wide: affine(2 * channels),
        scale: vec![1e-6; channels],
    }
}

fn dconv_operations(channels: usize, places: usize) -> usize {
    2 * places * (channels / 8) * channels * (3 + 2)
}

fn one_thread() -> Criterion {
    // The kernels divide their work over rayon's pool.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    assert!(pool.is_ok(), "the pool exists already");
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! {
    name = kernels;
    config = one_thread();
    targets = elementwise, transformer, freq_branch, time_branch
}
criterion_main!(kernels);
