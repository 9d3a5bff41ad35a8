//! Products of bf16 pairs, summed in single precision: AVX-512 BF16's `vdpbf16ps`, and the same sums in
//! plain code for every other CPU, which is not fast.
//!
//! bf16 is the upper half of an `f32`: its range, 8 bits of precision. Only what is multiplied is
//! rounded to it; sums, norms and everything between the products stay `f32`. Runs on the calling
//! thread.

use super::{elementwise::mad, tile::NR, vectorised};

/// Two neighbouring values of a product's depth, the first one in the lower half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(4))]
pub struct Pair([u16; 2]);

impl Pair {
    /// Rounds two values.
    #[inline(always)]
    pub fn new(values: [f32; 2]) -> Self {
        Self(values.map(round))
    }

    /// Puts a rounded value into one half.
    #[inline(always)]
    pub fn set_half(&mut self, half: usize, value: f32) {
        self.0[half] = round(value);
    }

    #[inline(always)]
    fn values(self) -> [f32; 2] {
        self.0.map(|half| f32::from_bits(u32::from(half) << 16))
    }
}

/// To the nearest bf16, ties to even. Not-a-number stays so.
#[inline(always)]
fn round(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = (bits + (0x7fff + (bits >> 16 & 1))) >> 16;
    (if value.is_nan() { bits >> 16 | 0x40 } else { rounded }) as u16
}

/// Whether this CPU multiplies bf16 faster than `f32`: what the "fast" precision needs.
pub fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Rows of `depth` values as rows of pairs, in `room`; an odd last value is paired with zero.
pub fn rows<'a>(values: &[f32], depth: usize, room: &'a mut [Pair]) -> &'a [Pair] {
    let pairs = &mut room[..values.len() / depth * depth.div_ceil(2)];
    if depth.is_multiple_of(2) {
        pack_row(values, pairs);
    } else {
        for (values, pairs) in
            values.chunks_exact(depth).zip(pairs.chunks_exact_mut(depth.div_ceil(2)))
        {
            pack_row(values, pairs);
        }
    }
    pairs
}

vectorised! {
    fn pack_row<FMA>(values: &[f32], pairs: &mut [Pair]) {
        let (whole, rest) = values.as_chunks::<2>();
        for (pair, values) in pairs.iter_mut().zip(whole) {
            *pair = Pair::new(*values);
        }
        if let ([value], Some(pair)) = (rest, pairs.last_mut()) {
            *pair = Pair::new([*value, 0.0]);
        }
    }
}

/// Lines of a depth as a panel of pairs, in `room`; an odd last line is paired with zeros.
pub fn panel<'a>(lines: &[[f32; NR]], room: &'a mut [[Pair; NR]]) -> &'a [[Pair; NR]] {
    let panel = &mut room[..lines.len().div_ceil(2)];
    pack_lines(lines, panel);
    panel
}

vectorised! {
    fn pack_lines<FMA>(lines: &[[f32; NR]], panel: &mut [[Pair; NR]]) {
        let (whole, rest) = lines.as_chunks::<2>();
        for (panel, [first, second]) in panel.iter_mut().zip(whole) {
            for j in 0..NR {
                panel[j] = Pair::new([first[j], second[j]]);
            }
        }
        if let ([line], Some(panel)) = (rest, panel.last_mut()) {
            *panel = line.map(|value| Pair::new([value, 0.0]));
        }
    }
}

/// `sums[i] += Σ_k rows[i · stride + k] · panel[k]`, over both halves of each pair.
///
/// # Panics
/// When a row ends before the panel.
pub fn rows_by_panel(sums: &mut [[f32; NR]], rows: &[Pair], stride: usize, panel: &[[Pair; NR]]) {
    let Some(last) = sums.len().checked_sub(1) else { return };
    let left = Left { pairs: rows, row_stride: stride, depth_stride: 1 };
    assert!(last * stride + panel.len() <= rows.len(), "rows end before the product");
    product(sums, left, panel);
}

/// `sums[i] += Σ_k columns[k · sums.len() + i] · panel[k]`, over both halves of each pair.
///
/// # Panics
/// When the columns end before the panel.
pub fn columns_by_panel(sums: &mut [[f32; NR]], columns: &[Pair], panel: &[[Pair; NR]]) {
    assert!(sums.len() * panel.len() <= columns.len(), "columns end before the product");
    product(sums, Left { pairs: columns, row_stride: 1, depth_stride: sums.len() }, panel);
}

/// The left matrix: pair `(row, k)` is `pairs[row · row_stride + k · depth_stride]`. The two functions
/// above have checked that all of them are there.
#[derive(Clone, Copy)]
struct Left<'a> {
    pairs: &'a [Pair],
    row_stride: usize,
    depth_stride: usize,
}

fn product(sums: &mut [[f32; NR]], left: Left<'_>, panel: &[[Pair; NR]]) {
    #[cfg(target_arch = "x86_64")]
    if is_fast() {
        #[expect(unsafe_code, reason = "a function with target features")]
        // SAFETY: the CPU was just found to have the features it is compiled for, and `left` is one
        // of the two functions' above.
        return unsafe { avx512::product(sums, left, panel) };
    }
    plain(sums, left, panel);
}

vectorised! {
    fn plain<FMA>(sums: &mut [[f32; NR]], left: Left<'_>, panel: &[[Pair; NR]]) {
        // The instruction's order: the second of a pair first.
        for (row, sums) in sums.iter_mut().enumerate() {
            for (k, line) in panel.iter().enumerate() {
                let [a, b] = left.pairs[row * left.row_stride + k * left.depth_stride].values();
                for j in 0..NR {
                    let [c, d] = line[j].values();
                    sums[j] = mad::<FMA>(a, c, mad::<FMA>(b, d, sums[j]));
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    #![expect(unsafe_code, reason = "intrinsics, and a check for each value is too slow here")]

    use std::{
        arch::x86_64::{
            __m512, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_set1_epi32,
            _mm512_storeu_ps,
        },
        mem::transmute,
    };

    use super::{Left, NR, Pair};

    /// Rows of a tile: enough sums to hide what one product waits for the last.
    const ROWS: usize = 12;

    /// # Safety
    /// `left` must have a pair for every row of `sums` and line of `panel`.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub unsafe fn product(sums: &mut [[f32; NR]], left: Left<'_>, panel: &[[Pair; NR]]) {
        let mut row = 0;
        let (tiles, rest) = sums.as_chunks_mut::<ROWS>();
        for sums in tiles {
            // SAFETY: as promised by the caller.
            unsafe { tile(sums, left, row, panel) };
            row += ROWS;
        }
        let (tiles, rest) = rest.as_chunks_mut::<4>();
        for sums in tiles {
            // SAFETY: as promised by the caller.
            unsafe { tile(sums, left, row, panel) };
            row += 4;
        }
        for sums in rest.as_chunks_mut::<1>().0 {
            // SAFETY: as promised by the caller.
            unsafe { tile(sums, left, row, panel) };
            row += 1;
        }
    }

    /// # Safety
    /// `left` must have a pair for the `M` rows from `row` on and every line of `panel`.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn tile<const M: usize>(
        sums: &mut [[f32; NR]; M],
        left: Left<'_>,
        row: usize,
        panel: &[[Pair; NR]],
    ) {
        // SAFETY: loads and stores are of whole lines; the pairs exist, as the caller promises.
        unsafe {
            let mut acc: [__m512; M] = std::array::from_fn(|i| _mm512_loadu_ps(sums[i].as_ptr()));
            let mut at = left.pairs.as_ptr().add(row * left.row_stride);
            for line in panel {
                let line = _mm512_loadu_ps(line.as_ptr().cast::<f32>());
                for (i, acc) in acc.iter_mut().enumerate() {
                    let pair = at.add(i * left.row_stride).cast::<i32>().read();
                    let pair = _mm512_set1_epi32(pair);
                    *acc = _mm512_dpbf16_ps(
                        *acc,
                        transmute::<__m512i, __m512bh>(pair),
                        transmute::<__m512, __m512bh>(line),
                    );
                }
                at = at.wrapping_add(left.depth_stride);
            }
            for (sums, acc) in sums.iter_mut().zip(acc) {
                _mm512_storeu_ps(sums.as_mut_ptr(), acc);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::noise, *};

    #[test]
    fn values_are_rounded_to_the_nearest_and_ties_to_even() {
        let rounded = |bits: u32| Pair::new([f32::from_bits(bits), 0.0]).values()[0].to_bits();
        assert_eq!(rounded(0x3f80_0000), 0x3f80_0000);
        assert_eq!(rounded(0x3f80_7fff), 0x3f80_0000);
        assert_eq!(rounded(0x3f80_8000), 0x3f80_0000);
        assert_eq!(rounded(0x3f81_8000), 0x3f82_0000);
        assert_eq!(rounded(0xbf80_8001), 0xbf81_0000);
        assert_eq!(rounded(0x7f7f_ffff), f32::INFINITY.to_bits());
        assert_eq!(rounded(0xff80_0000), f32::NEG_INFINITY.to_bits());
        assert!(Pair::new([f32::from_bits(0x7f80_0001), 0.0]).values()[0].is_nan());
    }

    #[test]
    fn products_sum_rounded_values_in_single_precision() {
        for (rows, depth) in [(1, 1), (7, 33), (17, 64), (30, 250)] {
            let (a, b) = (noise(rows * depth, 1), noise(depth * NR, 2));
            let near = |v: f32| f64::from(Pair::new([v, 0.0]).values()[0]);
            let mut room = vec![[Pair::default(); NR]; depth];
            let panel = panel(b.as_chunks().0, &mut room);
            let mut space = vec![Pair::default(); a.len()];
            let pairs = super::rows(&a, depth, &mut space);
            let columns: Vec<Pair> = (0..panel.len())
                .flat_map(|k| pairs.iter().skip(k).step_by(panel.len()).copied())
                .collect();
            let mut sums = vec![[1.0; NR]; rows];
            rows_by_panel(&mut sums, pairs, panel.len(), panel);
            let mut transposed = vec![[1.0; NR]; rows];
            columns_by_panel(&mut transposed, &columns, panel);
            for (at, sum) in sums.as_flattened().iter().enumerate() {
                let (i, j) = (at / NR, at % NR);
                let terms = (0..depth).map(|k| near(a[i * depth + k]) * near(b[k * NR + j]));
                let expected = 1.0 + terms.sum::<f64>();
                assert!((f64::from(*sum) - expected).abs() < 1e-4, "{sum} {expected}");
            }
            assert_eq!(sums, transposed);
        }
    }
}
