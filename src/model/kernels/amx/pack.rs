//! Single-precision values into tiles, and what lies between the two products of attention.
//!
//! Rows of the left matrix are lines of tiles as they lie; what has to be turned is turned as pairs,
//! sixteen by sixteen.

use super::{DEPTH, NR, ROWS, Tile, plain, steps};

/// Packs up to [`ROWS`] rows of `depth` values, `stride` apart, as a strip: `[steps][P]`. What is
/// missing is zero.
pub fn pack_left<const P: usize>(rows: &[f32], stride: usize, depth: usize, strip: &mut [Tile]) {
    let strip = &mut strip[..steps(depth) * P];
    #[cfg(target_arch = "x86_64")]
    if super::is_there() {
        x86::rows::<P, false>(rows, stride, depth, strip);
        return;
    }
    plain::pack::<P>(strip, |i, k| row_value(rows, stride, depth, i, k));
}

/// Packs one step of a strip whose first and second half of the depth are given.
pub fn pack_left_pair<const P: usize>(
    low: &[[f32; NR]; ROWS],
    high: &[[f32; NR]; ROWS],
    strip: &mut [Tile],
) {
    let strip = &mut strip[..P];
    #[cfg(target_arch = "x86_64")]
    if super::is_there() {
        x86::pair::<P>(low, high, strip);
        return;
    }
    plain::pack::<P>(strip, |i, k| if k < NR { low[i][k] } else { high[i][k - NR] });
}

/// The same as [`pack_left`] for up to [`NR`] columns, as a panel.
pub fn pack_right<const P: usize>(
    columns: &[f32],
    stride: usize,
    depth: usize,
    panel: &mut [Tile],
) {
    let panel = &mut panel[..steps(depth) * P];
    #[cfg(target_arch = "x86_64")]
    if super::is_there() {
        x86::rows::<P, true>(columns, stride, depth, panel);
        return;
    }
    plain::pack::<P>(panel, |i, k| row_value(columns, stride, depth, i, k));
    panel.iter_mut().for_each(plain::turn);
}

/// Packs `depth` lines of up to [`ROWS`] rows, `stride` apart (the matrix lies transposed), as a
/// strip whose steps begin `step` tiles apart.
///
/// # Panics
/// When the lines end too soon.
pub fn pack_left_lines<const P: usize>(
    lines: &[f32],
    stride: usize,
    [depth, width]: [usize; 2],
    strip: &mut [Tile],
    step: usize,
) {
    assert!(width <= ROWS && (depth == 0 || (depth - 1) * stride + width <= lines.len()));
    for (index, first) in (0..depth).step_by(DEPTH).enumerate() {
        let tiles = &mut strip[index * step..][..P];
        let (lines, depth) = (&lines[first * stride..], DEPTH.min(depth - first));
        #[cfg(target_arch = "x86_64")]
        if super::is_there() {
            x86::lines::<P>(lines, stride, [depth, width], tiles);
            continue;
        }
        plain::pack::<P>(
            tiles,
            |i, k| {
                if i < width && k < depth { lines[k * stride + i] } else { 0.0 }
            },
        );
    }
}

fn row_value(rows: &[f32], stride: usize, depth: usize, row: usize, k: usize) -> f32 {
    let whole = row * stride + depth <= rows.len();
    if whole && k < depth { rows[row * stride + k] } else { 0.0 }
}

/// `2^(scores − top)` as a panel of as many steps as they need, with zeros beyond the last score, and
/// added to `sums`.
pub fn weigh<const P: usize>(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [Tile],
) {
    let panel = &mut panel[..steps(scores.len()) * P];
    #[cfg(target_arch = "x86_64")]
    if super::is_there() {
        x86::weigh::<P>(scores, top, sums, panel);
        return;
    }
    plain::weigh::<P>(scores, top, sums, panel);
}

/// Up to sixteen lines times `factor`, turned, as rows of `out`, `stride` apart, as many as end in it.
pub fn put_turned(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
    let lines = &lines[..lines.len().min(ROWS)];
    #[cfg(target_arch = "x86_64")]
    if super::is_there() {
        x86::put_turned(lines, factor, out, stride);
        return;
    }
    plain::put_turned(lines, factor, out, stride);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(unsafe_code, reason = "intrinsics")]

    use std::{
        arch::x86_64::{
            __m512, __m512bh, __m512i, __mmask16, _mm512_add_ps, _mm512_and_si512,
            _mm512_castps_si512, _mm512_castsi512_ps, _mm512_castsi512_si256,
            _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh, _mm512_extracti64x4_epi64, _mm512_loadu_ps,
            _mm512_loadu_si512, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_mul_ps,
            _mm512_permutex2var_epi32, _mm512_permutexvar_epi16, _mm512_set1_epi32,
            _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_storeu_ps,
            _mm512_storeu_si512, _mm512_sub_ps,
        },
        mem::transmute,
    };

    use super::{
        super::super::{
            avx512::{INTERLEAVED, exp2, in_turn},
            elementwise::{EXP2, EXP2_SHORT},
        },
        DEPTH, NR, ROWS, Tile,
    };

    /// The first `count` of sixteen lanes.
    fn first(count: usize) -> __mmask16 {
        if count >= NR { !0 } else { (1 << count) - 1 }
    }

    /// Rows as lines of tiles, or turned as columns.
    pub fn rows<const P: usize, const TURN: bool>(
        rows: &[f32],
        stride: usize,
        depth: usize,
        tiles: &mut [Tile],
    ) {
        assert!(super::super::is_there(), "no AMX");
        // SAFETY: a CPU with AMX was just found to have AVX-512 with BF16.
        unsafe { rows_in_features::<P, TURN>(rows, stride, depth, tiles) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn rows_in_features<const P: usize, const TURN: bool>(
        rows: &[f32],
        stride: usize,
        depth: usize,
        tiles: &mut [Tile],
    ) {
        for (index, tiles) in tiles.chunks_exact_mut(P).enumerate() {
            let from = index * DEPTH;
            let masks = [first(depth - from), first((depth - from).saturating_sub(NR))];
            let mut all = [[_mm512_setzero_si512(); P]; ROWS];
            for (row, all) in all.iter_mut().enumerate() {
                let at = row * stride;
                if at + depth > rows.len() {
                    break;
                }
                // SAFETY: the masks leave out what is beyond the row, which is there.
                let [low, high] = unsafe {
                    let row = rows.as_ptr().add(at + from);
                    [
                        _mm512_maskz_loadu_ps(masks[0], row),
                        _mm512_maskz_loadu_ps(masks[1], row.wrapping_add(NR)),
                    ]
                };
                *all = split::<P>(low, high);
            }
            store::<P, TURN>(tiles, &all);
        }
    }

    /// See [`super::pack_left_pair`].
    pub fn pair<const P: usize>(
        low: &[[f32; NR]; ROWS],
        high: &[[f32; NR]; ROWS],
        tiles: &mut [Tile],
    ) {
        #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
        fn pair<const P: usize>(
            low: &[[f32; NR]; ROWS],
            high: &[[f32; NR]; ROWS],
            tiles: &mut [Tile],
        ) {
            for (row, (low, high)) in low.iter().zip(high).enumerate() {
                // SAFETY: loads are of whole lines.
                let (low, high) =
                    unsafe { (_mm512_loadu_ps(low.as_ptr()), _mm512_loadu_ps(high.as_ptr())) };
                for (tile, cells) in tiles.iter_mut().zip(split::<P>(low, high)) {
                    store_line(tile, row, cells);
                }
            }
        }
        assert!(super::super::is_there(), "no AMX");
        // SAFETY: a CPU with AMX was just found to have AVX-512 with BF16.
        unsafe { pair::<P>(low, high, tiles) }
    }

    /// Lines of the depth, turned as rows.
    pub fn lines<const P: usize>(
        lines: &[f32],
        stride: usize,
        [depth, width]: [usize; 2],
        tiles: &mut [Tile],
    ) {
        assert!(super::super::is_there(), "no AMX");
        assert!(depth == 0 || (depth - 1) * stride + width <= lines.len(), "lines end too soon");
        // SAFETY: a CPU with AMX was just found to have AVX-512 with BF16; the lines are there.
        unsafe { lines_in_features::<P>(lines, stride, [depth, width], tiles) }
    }

    /// # Safety
    /// All lines must be there.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    unsafe fn lines_in_features<const P: usize>(
        lines: &[f32],
        stride: usize,
        [depth, width]: [usize; 2],
        tiles: &mut [Tile],
    ) {
        let (mask, order) = (first(width), in_turn());
        for (index, tiles) in tiles.chunks_exact_mut(P).enumerate() {
            let from = index * DEPTH;
            let mut all = [[_mm512_setzero_si512(); P]; ROWS];
            let pairs = (depth - from).div_ceil(2);
            for (pair, all) in all.iter_mut().take(pairs).enumerate() {
                let k = from + 2 * pair;
                // SAFETY: both lines are there; the mask leaves out what is beyond them.
                let [a, b] = unsafe {
                    let line = lines.as_ptr().add(k * stride);
                    let second = if k + 1 < depth { mask } else { 0 };
                    [
                        _mm512_maskz_loadu_ps(mask, line),
                        _mm512_maskz_loadu_ps(second, line.wrapping_add(stride)),
                    ]
                };
                *all = split_pairs::<P>(order, a, b);
            }
            store::<P, true>(tiles, &all);
        }
    }

    /// See [`super::weigh`].
    pub fn weigh<const P: usize>(
        scores: &[[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        panel: &mut [Tile],
    ) {
        assert!(super::super::is_there(), "no AMX");
        // SAFETY: a CPU with AMX was just found to have AVX-512 with BF16.
        unsafe { weigh_in_features::<P>(scores, top, sums, panel) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn weigh_in_features<const P: usize>(
        scores: &[[f32; NR]],
        top: &[f32; NR],
        sums: &mut [f32; NR],
        panel: &mut [Tile],
    ) {
        let order = in_turn();
        // SAFETY: loads are of whole lines.
        let (top, sum) = unsafe { (_mm512_loadu_ps(top.as_ptr()), _mm512_loadu_ps(sums.as_ptr())) };
        let mut sum = [sum, _mm512_setzero_ps()];
        for (scores, tiles) in scores.chunks(DEPTH).zip(panel.chunks_exact_mut(P)) {
            for (pair, lines) in scores.chunks(2).enumerate() {
                let a = weight::<P>(&lines[0], top);
                let b = match lines.get(1) {
                    Some(line) => weight::<P>(line, top),
                    None => _mm512_setzero_ps(),
                };
                sum[0] = _mm512_add_ps(sum[0], a);
                sum[1] = _mm512_add_ps(sum[1], b);
                for (tile, cells) in tiles.iter_mut().zip(split_pairs::<P>(order, a, b)) {
                    store_line(tile, pair, cells);
                }
            }
            for pair in scores.len().div_ceil(2)..ROWS {
                for tile in &mut *tiles {
                    store_line(tile, pair, _mm512_setzero_si512());
                }
            }
        }
        // SAFETY: a store of a whole line.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), _mm512_add_ps(sum[0], sum[1])) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn weight<const P: usize>(line: &[f32; NR], top: __m512) -> __m512 {
        // SAFETY: a load of a whole line.
        let x = _mm512_sub_ps(unsafe { _mm512_loadu_ps(line.as_ptr()) }, top);
        // A bf16 holds eight bits: for one a short polynomial does.
        if P == 1 { exp2(x, EXP2_SHORT) } else { exp2(x, EXP2) }
    }

    /// See [`super::put_turned`].
    pub fn put_turned(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
        assert!(super::super::is_there(), "no AMX");
        // SAFETY: a CPU with AMX was just found to have AVX-512.
        unsafe { put_in_features(lines, factor, out, stride) }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    fn put_in_features(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
        let width = lines.len();
        let mut rows = [_mm512_setzero_si512(); ROWS];
        // SAFETY: loads are of whole lines.
        unsafe {
            let factor = _mm512_loadu_ps(factor.as_ptr());
            for (row, line) in rows.iter_mut().zip(lines) {
                let line = _mm512_loadu_ps(line.as_ptr());
                *row = _mm512_castps_si512(_mm512_mul_ps(line, factor));
            }
        }
        for (row, out) in turn(&rows).into_iter().zip(out.chunks_mut(stride)) {
            if out.len() >= width {
                // SAFETY: the mask leaves out what is beyond the row.
                unsafe {
                    let row = _mm512_castsi512_ps(row);
                    _mm512_mask_storeu_ps(out.as_mut_ptr(), first(width), row);
                }
            }
        }
    }

    /// Thirty-two values in a row as pairs: rounded, and what that leaves.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn split<const P: usize>(low: __m512, high: __m512) -> [__m512i; P] {
        let near = round(low, high);
        let mut parts = [near; P];
        if P == 2 {
            let back =
                |half| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half)));
            let low = _mm512_sub_ps(low, back(_mm512_castsi512_si256(near)));
            let high = _mm512_sub_ps(high, back(_mm512_extracti64x4_epi64::<1>(near)));
            parts[1] = round(low, high);
        }
        parts
    }

    /// Sixteen pairs, of which the first and the second values are given: as [`split`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn split_pairs<const P: usize>(order: __m512i, a: __m512, b: __m512) -> [__m512i; P] {
        let near = _mm512_permutexvar_epi16(order, round(a, b));
        let mut parts = [near; P];
        if P == 2 {
            let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
            let a = _mm512_sub_ps(a, _mm512_castsi512_ps(_mm512_slli_epi32::<16>(near)));
            let b = _mm512_sub_ps(b, _mm512_castsi512_ps(_mm512_and_si512(near, upper)));
            parts[1] = _mm512_permutexvar_epi16(order, round(a, b));
        }
        parts
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn round(low: __m512, high: __m512) -> __m512i {
        // SAFETY: the types are as large and hold any bits.
        unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
    }

    /// Sixteen by sixteen cells transposed: four times, the first and the second half of the rows
    /// interleaved.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn turn(rows: &[__m512i; ROWS]) -> [__m512i; ROWS] {
        let mut rows = *rows;
        for _ in 0..ROWS.ilog2() {
            let before = rows;
            for (at, row) in rows.iter_mut().enumerate() {
                // SAFETY: sixteen indices are there.
                let order = unsafe { _mm512_loadu_si512(INTERLEAVED[at % 2].as_ptr().cast()) };
                let [a, b] = [before[at / 2], before[at / 2 + ROWS / 2]];
                *row = _mm512_permutex2var_epi32(a, order, b);
            }
        }
        rows
    }

    /// Lines of `P` parts each into as many tiles, or turned.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store<const P: usize, const TURN: bool>(tiles: &mut [Tile], all: &[[__m512i; P]; ROWS]) {
        for (part, tile) in tiles.iter_mut().enumerate() {
            let mut lines = [_mm512_setzero_si512(); ROWS];
            for (line, all) in lines.iter_mut().zip(all) {
                *line = all[part];
            }
            if TURN {
                lines = turn(&lines);
            }
            for (index, line) in lines.into_iter().enumerate() {
                store_line(tile, index, line);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store_line(tile: &mut Tile, index: usize, line: __m512i) {
        // SAFETY: sixteen pairs are written.
        unsafe { _mm512_storeu_si512(tile.0[index].as_mut_ptr().cast(), line) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::noise, *};

    fn check<const P: usize>() {
        for (count, depth) in [(1, 1), (16, 32), (5, 33), (16, 64), (13, 95)] {
            let (stride, lines_stride) = (depth + 3, count + 2);
            let rows = noise((count - 1) * stride + depth, 1);
            let at = |i: usize, k: usize| row_value(&rows, stride, depth, i, k);
            let mut left = vec![Tile::ZERO; steps(depth) * P];
            plain::pack::<P>(&mut left, at);
            let mut right = left.clone();
            right.iter_mut().for_each(plain::turn);
            // The same matrix, the other way round.
            let mut lines = vec![9.0; (depth - 1) * lines_stride + count];
            for (k, line) in lines.chunks_mut(lines_stride).enumerate() {
                for (i, value) in line.iter_mut().take(count).enumerate() {
                    *value = at(i, k);
                }
            }
            let what = format!("{count} by {depth}");
            let mut got = vec![Tile::ZERO; left.len()];
            pack_left::<P>(&rows, stride, depth, &mut got);
            assert!(got == left, "left, {what}");
            pack_right::<P>(&rows, stride, depth, &mut got);
            assert!(got == right, "right, {what}");
            pack_left_lines::<P>(&lines, lines_stride, [depth, count], &mut got, P);
            assert!(got == left, "left from lines, {what}");
        }
    }

    #[test]
    fn packing_is_the_same_whichever_way_a_matrix_lies() {
        check::<1>();
        check::<2>();
    }

    #[test]
    fn halves_of_a_step_are_packed_as_rows() {
        let values = noise(ROWS * DEPTH, 5);
        let half = |from: usize| -> [[f32; NR]; ROWS] {
            std::array::from_fn(|i| std::array::from_fn(|k| values[i * DEPTH + from + k]))
        };
        let (mut expected, mut got) = ([Tile::ZERO; 2], [Tile::ZERO; 2]);
        pack_left::<2>(&values, DEPTH, DEPTH, &mut expected);
        pack_left_pair::<2>(&half(0), &half(NR), &mut got);
        assert!(got == expected);
    }

    #[test]
    fn results_are_put_as_rows() {
        let lines: Vec<[f32; NR]> =
            (0..5).map(|k| std::array::from_fn(|i| (10 * k + i) as f32)).collect();
        let factor = std::array::from_fn(|i| (i + 1) as f32);
        let mut out = vec![-1.0; 2 * 9 + 5];
        put_turned(&lines, &factor, &mut out, 9);
        for (i, row) in out.chunks(9).enumerate() {
            for (k, value) in row.iter().enumerate() {
                let expected = if k < 5 { (10 * k + i) as f32 * (i + 1) as f32 } else { -1.0 };
                assert_eq!(*value, expected);
            }
        }
    }

    #[test]
    fn weights_are_powers_of_two_with_zeros_behind() {
        for count in [1, 2, 31, 33] {
            let scores: Vec<[f32; NR]> = noise(count * NR, 4)
                .as_chunks()
                .0
                .iter()
                .map(|line| line.map(|v| 9.0 * v))
                .collect();
            let (top, mut sums) = ([9.0; NR], [1.0; NR]);
            let mut panel = vec![Tile([[super::super::Pair::new([7.0; 2]); NR]; ROWS]); 4];
            weigh::<2>(&scores, &top, &mut sums, &mut panel[..steps(count) * 2]);
            let mut lines: Vec<f32> = Vec::new();
            for score in scores.as_flattened() {
                lines.push((score - 9.0).exp2());
            }
            for (i, sum) in sums.iter().enumerate() {
                let expected = 1.0 + lines.iter().skip(i).step_by(NR).sum::<f32>();
                assert!((sum - expected).abs() < 1e-5 * expected, "{sum} {expected}");
            }
            for (k, j) in (0..steps(count) * DEPTH).flat_map(|k| (0..NR).map(move |j| (k, j))) {
                let tiles = &panel[k / DEPTH * 2..][..2];
                let value: f32 =
                    tiles.iter().map(|tile| plain::right_value(tile, j, k % DEPTH)).sum();
                let expected = lines.get(k * NR + j).copied().unwrap_or(0.0);
                assert!((value - expected).abs() <= 2e-5 * expected, "{value} {expected}");
            }
        }
    }
}
