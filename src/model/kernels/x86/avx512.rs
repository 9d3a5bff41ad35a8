//! Kernels that are faster by AVX-512 intrinsics than compiled from plain code: tiles of eight rows
//! by two panels, for `f32` and for pairs of bf16, and the softmax between the two products of
//! attention.
//!
//! Tiles have two panels, because each value of the left matrix is broadcast to a whole vector, and
//! the CPU does one such load at a time: for a single panel, the loads take as long as the products
//! of bf16.
//!
//! Every function has a plain twin beside its caller, and checks that the CPU has its instructions
//! (a load and a test). Runs on the calling thread.

#![expect(unsafe_code, reason = "intrinsics, and a check for each value is too slow here")]

use std::{
    arch::x86_64::{
        __m512, __m512bh, __m512i, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm512_add_ps,
        _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_loadu_si512, _mm512_max_ps, _mm512_permutex2var_ps, _mm512_permutexvar_epi16,
        _mm512_roundscale_ps, _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_ps,
        _mm512_setzero_ps, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_ps,
    },
    mem::transmute,
};

use super::super::{
    cpu,
    layout::{Left, NR, Pair, STRIP},
    math::{EXP2, EXP2_SHORT},
};

/// Indices that interleave the first and the second halves of two vectors.
pub const INTERLEAVED: [[i32; NR]; 2] = [interleaved(0), interleaved(NR as i32 / 2)];

const fn interleaved(first: i32) -> [i32; NR] {
    let mut order = [0; NR];
    let mut at = 0;
    while at < NR {
        order[at] = first + (at / 2 + at % 2 * NR) as i32;
        at += 1;
    }
    order
}

/// `sums[n][i] = Σ_k left[i, k] · panels[n][k]`; adds to the sums if `ADD`.
///
/// # Panics
/// This CPU has no AVX-512, or `left` ends before the product.
#[inline(always)]
pub fn product<const ADD: bool, const N: usize>(
    sums: [&mut [[f32; NR]]; N],
    left: Left<'_, f32>,
    panels: [&[[f32; NR]]; N],
) {
    assert!(cpu::has_avx512(), "no AVX-512");
    assert!(left.has(least(&sums), least(&panels)), "the left matrix ends before the product");
    // SAFETY: the CPU was just found to have the feature; `left` has the cells of all rows and
    // lines.
    unsafe { single::<ADD, N>(sums, left, panels) };
}

/// [`product`] over both halves of each pair.
///
/// # Panics
/// This CPU does not multiply bf16, or `left` ends before the product.
#[inline(always)]
pub fn product_of_pairs<const ADD: bool, const N: usize>(
    sums: [&mut [[f32; NR]]; N],
    left: Left<'_, Pair>,
    panels: [&[[Pair; NR]]; N],
) {
    assert!(cpu::has_bf16(), "no AVX-512 BF16");
    assert!(left.has(least(&sums), least(&panels)), "the left matrix ends before the product");
    // SAFETY: the CPU was just found to have the features; `left` has the cells of all rows and
    // lines.
    unsafe { pairs::<ADD, N>(sums, left, panels) };
}

/// The least length of the slices.
#[inline(always)]
fn least<T, S: std::ops::Deref<Target = [T]>, const N: usize>(slices: &[S; N]) -> usize {
    slices.iter().map(|slice| slice.len()).min().unwrap_or(0)
}

/// Defines a product: loops around one instruction.
macro_rules! product {
    ($features:literal, $cell:ty, $product:ident, $tile:ident,
     |$acc:ident, $left:ident, $line:ident| $step:expr) => {
        /// # Safety
        /// `left` must have a cell for every row that all `sums` have and every line that all
        /// `panels` have.
        #[target_feature(enable = $features)]
        unsafe fn $product<const ADD: bool, const N: usize>(
            mut sums: [&mut [[f32; NR]]; N],
            left: Left<'_, $cell>,
            panels: [&[[$cell; NR]]; N],
        ) {
            let rows = least(&sums);
            let lines = least(&panels);
            let mut row = 0;
            while row < rows {
                // SAFETY: as promised by the caller; the rows exist, and belong to one strip.
                unsafe {
                    let sums = sums.each_mut().map(|sums| sums.as_mut_ptr().add(row));
                    // Without lines, the cell may not exist.
                    let at = left.cells.as_ptr().wrapping_add(left.index(row, 0));
                    let stride = left.line_stride;
                    row += match rows - row {
                        STRIP.. => $tile::<ADD, STRIP, N>(sums, at, stride, panels, lines),
                        4.. => $tile::<ADD, 4, N>(sums, at, stride, panels, lines),
                        _ => $tile::<ADD, 1, N>(sums, at, stride, panels, lines),
                    };
                }
            }
        }

        /// Returns `M`.
        ///
        /// # Safety
        /// Each of `sums` must have `M` lines, each of `panels` must have `lines` lines, and `left`
        /// must have `M` cells for each of those lines, `stride` apart.
        #[inline(never)]
        #[target_feature(enable = $features)]
        unsafe fn $tile<const ADD: bool, const M: usize, const N: usize>(
            sums: [*mut [f32; NR]; N],
            left: *const $cell,
            stride: usize,
            panels: [&[[$cell; NR]]; N],
            lines: usize,
        ) -> usize {
            // SAFETY: loads and stores are of whole lines, which exist, like the cells.
            unsafe {
                let mut acc = [[_mm512_setzero_ps(); N]; M];
                if ADD {
                    for (i, acc) in acc.iter_mut().enumerate() {
                        *acc = sums.map(|sums| _mm512_loadu_ps(sums.add(i).cast()));
                    }
                }
                let mut left = left;
                for k in 0..lines {
                    let lines =
                        panels.map(|panel| _mm512_loadu_ps(panel.as_ptr().add(k).cast::<f32>()));
                    for (i, acc) in acc.iter_mut().enumerate() {
                        let $left = left.add(i);
                        for (acc, $line) in acc.iter_mut().zip(lines) {
                            let $acc = *acc;
                            *acc = $step;
                        }
                    }
                    left = left.wrapping_add(stride);
                }
                for (i, acc) in acc.iter().enumerate() {
                    for (sums, acc) in sums.iter().zip(acc) {
                        _mm512_storeu_ps(sums.add(i).cast(), *acc);
                    }
                }
            }
            M
        }
    };
}

product!("avx512f", f32, single, single_tile, |acc, left, line| {
    _mm512_fmadd_ps(_mm512_set1_ps(left.read()), line, acc)
});
product!("avx512f,avx512bf16", Pair, pairs, pairs_tile, |acc, left, line| {
    _mm512_dpbf16_ps(
        acc,
        transmute::<__m512i, __m512bh>(_mm512_set1_epi32(left.cast::<i32>().read())),
        transmute::<__m512, __m512bh>(line),
    )
});

/// Raises `top` to the largest score of each query. Returns false, without effect, on a CPU without
/// AVX-512.
#[inline(always)]
pub fn raise(top: &mut [f32; NR], scores: &[[f32; NR]]) -> bool {
    #[target_feature(enable = "avx512f")]
    fn raise(top: &mut [f32; NR], scores: &[[f32; NR]]) {
        // SAFETY: loads and stores are of whole lines.
        unsafe {
            let start = _mm512_loadu_ps(top.as_ptr());
            let mut most = [start; 4];
            let (fours, rest) = scores.as_chunks::<4>();
            for four in fours {
                for (most, line) in most.iter_mut().zip(four) {
                    *most = _mm512_max_ps(_mm512_loadu_ps(line.as_ptr()), *most);
                }
            }
            for line in rest {
                most[0] = _mm512_max_ps(_mm512_loadu_ps(line.as_ptr()), most[0]);
            }
            let [a, b, c, d] = most;
            let most = _mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d));
            _mm512_storeu_ps(top.as_mut_ptr(), most);
        }
    }
    let able = cpu::has_avx512();
    if able {
        // SAFETY: the CPU was just found to have the feature.
        unsafe { raise(top, scores) };
    }
    able
}

/// Computes `scores = 2^(scores − top)`, and adds them to `sums`. Returns false on a CPU without
/// AVX-512.
#[inline(always)]
pub fn weigh(scores: &mut [[f32; NR]], top: &[f32; NR], sums: &mut [f32; NR]) -> bool {
    #[target_feature(enable = "avx512f")]
    fn weigh(scores: &mut [[f32; NR]], top: &[f32; NR], sums: &mut [f32; NR]) {
        // SAFETY: loads and stores are of whole lines.
        unsafe {
            let top = _mm512_loadu_ps(top.as_ptr());
            let mut sum = _mm512_loadu_ps(sums.as_ptr());
            for line in scores {
                let v = exp2(_mm512_sub_ps(_mm512_loadu_ps(line.as_ptr()), top), EXP2);
                sum = _mm512_add_ps(sum, v);
                _mm512_storeu_ps(line.as_mut_ptr(), v);
            }
            _mm512_storeu_ps(sums.as_mut_ptr(), sum);
        }
    }
    let able = cpu::has_avx512();
    if able {
        // SAFETY: the CPU was just found to have the feature.
        unsafe { weigh(scores, top, sums) };
    }
    able
}

/// Packs `2^(scores − top)` as a panel of pairs, and adds them to `sums`; an odd last line is
/// paired with zeros. Returns false on a CPU that does not multiply bf16.
#[inline(always)]
pub fn weigh_pairs(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [[Pair; NR]],
) -> bool {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn weigh(
        scores: &[[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        panel: &mut [[Pair; NR]],
    ) {
        let (whole, rest) = scores.as_chunks::<2>();
        // SAFETY: loads and stores are of whole lines.
        unsafe {
            let order = interleaving();
            let top = _mm512_loadu_ps(top.as_ptr());
            let mut sum = [_mm512_loadu_ps(sums.as_ptr()), _mm512_set1_ps(0.0)];
            let mut panel = panel.iter_mut();
            for (lines, panel) in whole.iter().zip(&mut panel) {
                // A bf16 holds eight bits, for which a short polynomial suffices.
                let v = [0, 1].map(|i| {
                    let score = _mm512_loadu_ps(lines[i].as_ptr());
                    exp2(_mm512_sub_ps(score, top), EXP2_SHORT)
                });
                sum = [0, 1].map(|i| _mm512_add_ps(sum[i], v[i]));
                store(order, v, panel);
            }
            if let ([line], Some(panel)) = (rest, panel.next()) {
                let score = _mm512_loadu_ps(line.as_ptr());
                let v = exp2(_mm512_sub_ps(score, top), EXP2_SHORT);
                sum[0] = _mm512_add_ps(sum[0], v);
                store(order, [v, _mm512_set1_ps(0.0)], panel);
            }
            _mm512_storeu_ps(sums.as_mut_ptr(), _mm512_add_ps(sum[0], sum[1]));
        }
    }
    let able = cpu::has_bf16();
    if able {
        // SAFETY: the CPU was just found to have the features.
        unsafe { weigh(scores, top, sums, panel) };
    }
    able
}

/// Packs [`STRIP`] rows, `stride` apart, as lines of a strip. Returns the number of lines, 0 on a
/// CPU without AVX-512.
#[inline(always)]
pub fn pack_strip(rows: &[f32], stride: usize, lines: &mut [[f32; STRIP]]) -> usize {
    #[target_feature(enable = "avx512f")]
    fn pack(rows: &[f32], stride: usize, pieces: &mut [[[f32; STRIP]; NR]]) {
        for (index, piece) in pieces.iter_mut().enumerate() {
            // SAFETY: the slice has sixteen values; the piece is a vector a row.
            unsafe {
                let load =
                    |row: usize| _mm512_loadu_ps(rows[row * stride + index * NR..][..NR].as_ptr());
                store_transposed(std::array::from_fn(load), piece.as_mut_ptr().cast());
            }
        }
    }
    if !cpu::has_avx512() {
        return 0;
    }
    let pieces = lines.as_chunks_mut().0;
    // SAFETY: the CPU was just found to have the feature.
    unsafe { pack(rows, stride, pieces) };
    pieces.len() * NR
}

/// Packs [`STRIP`] rows of `depth` values as lines of pairs; subnormal values become zero. Returns
/// the number of lines, 0 on a CPU without BF16.
#[inline(always)]
pub fn pack_strip_of_pairs(
    rows: &[f32],
    stride: usize,
    depth: usize,
    lines: &mut [[Pair; STRIP]],
) -> usize {
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn pack(rows: &[f32], stride: usize, pieces: &mut [[[Pair; STRIP]; NR]]) {
        for (index, piece) in pieces.iter_mut().enumerate() {
            // SAFETY: the slice has thirty-two values; the piece is a vector a row.
            unsafe {
                let load = |row: usize| {
                    let values = &rows[row * stride + 2 * index * NR..][..2 * NR];
                    let [low, high] = [0, NR].map(|at| _mm512_loadu_ps(values[at..].as_ptr()));
                    transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(high, low))
                };
                store_transposed(std::array::from_fn(load), piece.as_mut_ptr().cast());
            }
        }
    }
    if !cpu::has_bf16() {
        return 0;
    }
    let whole = depth / (2 * NR) * NR;
    let pieces = lines[..whole].as_chunks_mut().0;
    // SAFETY: the CPU was just found to have the features.
    unsafe { pack(rows, stride, pieces) };
    whole
}

/// Stores rows of cells transposed: interleaves their first and second half, once for each time
/// that the number of rows can be halved.
///
/// # Safety
/// `to` must be valid for writes of as many vectors.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store_transposed(mut rows: [__m512; STRIP], to: *mut f32) {
    // SAFETY: loads of sixteen indices; the caller promises that `to` is valid.
    unsafe {
        let orders = INTERLEAVED.map(|order| _mm512_loadu_si512(order.as_ptr().cast()));
        for _ in 0..STRIP.ilog2() {
            rows = std::array::from_fn(|at| {
                let [a, b] = [rows[at / 2], rows[at / 2 + STRIP / 2]];
                _mm512_permutex2var_ps(a, orders[at % 2], b)
            });
        }
        for (at, row) in rows.into_iter().enumerate() {
            _mm512_storeu_ps(to.add(at * NR), row);
        }
    }
}

/// Stores the values of two lines as pairs: interleaves the lower and the upper half of 32 values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn store(order: __m512i, [first, second]: [__m512; 2], pairs: &mut [Pair; NR]) {
    // SAFETY: sixteen pairs are written.
    unsafe {
        let both = transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first));
        let pairs = pairs.as_mut_ptr().cast();
        _mm512_storeu_si512(pairs, _mm512_permutexvar_epi16(order, both));
    }
}

/// Indices that interleave the lower and the upper half of 32 values.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn interleaving() -> __m512i {
    const ORDER: [u16; 2 * NR] = {
        let mut order = [0; 2 * NR];
        let mut at = 0;
        while at < 2 * NR {
            order[at] = (at / 2 + at % 2 * NR) as u16;
            at += 1;
        }
        order
    };
    // SAFETY: a load of 32 indices.
    unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) }
}

/// `2^x`; arguments below −100 count as −100. That is negligible beside the largest weight, which
/// is one, while subnormal results take some CPUs a hundred times as long. `factors` are the
/// coefficients of the polynomial for the remainder of rounding, see [`EXP2`].
#[inline]
#[target_feature(enable = "avx512f")]
pub fn exp2<const N: usize>(x: __m512, factors: [f32; N]) -> __m512 {
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    // In this order of arguments, NaN stays NaN.
    let x = _mm512_max_ps(_mm512_set1_ps(-100.0), x);
    let n = _mm512_roundscale_ps::<NEAREST>(x);
    let r = _mm512_sub_ps(x, n);
    let mut sum = _mm512_set1_ps(factors[N - 1]);
    for factor in factors[..N - 1].iter().rev() {
        sum = _mm512_fmadd_ps(sum, r, _mm512_set1_ps(*factor));
    }
    _mm512_scalef_ps(_mm512_fmadd_ps(sum, r, _mm512_set1_ps(1.0)), n)
}
