//! Packing of [`amx`](super::super::amx) by AVX-512 with BF16, which every CPU with AMX has.

#![expect(unsafe_code, reason = "intrinsics")]

use std::{
    arch::x86_64::{
        __m512, __m512bh, __m512i, __mmask16, _mm512_add_ps, _mm512_and_si512, _mm512_castps_si512,
        _mm512_castsi512_ps, _mm512_castsi512_si256, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh,
        _mm512_extracti64x4_epi64, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_ps,
        _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_permutex2var_epi32, _mm512_permutexvar_epi16,
        _mm512_set1_epi32, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32,
        _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_ps,
    },
    mem::transmute,
};

use super::{
    super::{
        amx::{DEPTH, ROWS, Tile, steps},
        cpu,
        layout::NR,
        math::{EXP2, EXP2_SHORT},
    },
    avx512::{INTERLEAVED, exp2, interleaving},
};

/// Mask of the first `count` of sixteen lanes.
fn first(count: usize) -> __mmask16 {
    if count >= NR { !0 } else { (1 << count) - 1 }
}

/// Packs rows as lines of tiles, or transposed as columns.
pub fn rows<const P: usize, const TRANSPOSE: bool>(
    rows: &[f32],
    stride: usize,
    depth: usize,
    tiles: &mut [Tile],
) {
    assert!(cpu::has_amx(), "no AMX");
    assert!(tiles.len() / P <= steps(depth), "more tiles than the rows fill");
    // SAFETY: a CPU with AMX was found to have AVX-512 with BF16.
    unsafe { rows_in_features::<P, TRANSPOSE>(rows, stride, depth, tiles) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn rows_in_features<const P: usize, const TRANSPOSE: bool>(
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
            if rows.len().checked_sub(depth).is_none_or(|last| at > last) {
                break;
            }
            // SAFETY: the row exists, and `from` lies within it, as there are no more tiles than
            // steps. The masks leave out what is beyond its end.
            let [low, high] = unsafe {
                let row = rows.as_ptr().add(at + from);
                [
                    _mm512_maskz_loadu_ps(masks[0], row),
                    _mm512_maskz_loadu_ps(masks[1], row.wrapping_add(NR)),
                ]
            };
            *all = split::<P>(low, high);
        }
        store::<P, TRANSPOSE>(tiles, &all);
    }
}

/// Packs a step in two halves, see [`pack_left_pair`](super::super::amx::pack_left_pair).
pub fn pair<const P: usize>(low: &[[f32; NR]; ROWS], high: &[[f32; NR]; ROWS], tiles: &mut [Tile]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn pair<const P: usize>(low: &[[f32; NR]; ROWS], high: &[[f32; NR]; ROWS], tiles: &mut [Tile]) {
        for (row, (low, high)) in low.iter().zip(high).enumerate() {
            // SAFETY: loads are of whole lines.
            let (low, high) =
                unsafe { (_mm512_loadu_ps(low.as_ptr()), _mm512_loadu_ps(high.as_ptr())) };
            for (tile, cells) in tiles.iter_mut().zip(split::<P>(low, high)) {
                store_line(tile, row, cells);
            }
        }
    }
    assert!(cpu::has_amx(), "no AMX");
    // SAFETY: a CPU with AMX was found to have AVX-512 with BF16.
    unsafe { pair::<P>(low, high, tiles) }
}

/// Packs lines of the depth, transposed, as rows.
pub fn lines<const P: usize>(
    lines: &[f32],
    stride: usize,
    [depth, width]: [usize; 2],
    tiles: &mut [Tile],
) {
    assert!(cpu::has_amx(), "no AMX");
    assert!(tiles.len() / P <= steps(depth), "more tiles than the lines fill");
    let last = depth.saturating_sub(1).checked_mul(stride);
    let end = last.and_then(|last| last.checked_add(width));
    assert!(
        depth == 0 || end.is_some_and(|end| end <= lines.len()),
        "the lines end before the depth"
    );
    // SAFETY: a CPU with AMX was found to have AVX-512 with BF16; the lines were checked.
    unsafe { lines_in_features::<P>(lines, stride, [depth, width], tiles) }
}

/// # Safety
/// `lines` must have `depth` lines of `width` values, `stride` apart, and `tiles` at most as many
/// tiles as they fill.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn lines_in_features<const P: usize>(
    lines: &[f32],
    stride: usize,
    [depth, width]: [usize; 2],
    tiles: &mut [Tile],
) {
    let (mask, order) = (first(width), interleaving());
    for (index, tiles) in tiles.chunks_exact_mut(P).enumerate() {
        let from = index * DEPTH;
        let mut all = [[_mm512_setzero_si512(); P]; ROWS];
        let pairs = (depth - from).div_ceil(2);
        for (pair, all) in all.iter_mut().take(pairs).enumerate() {
            let k = from + 2 * pair;
            // SAFETY: line `k` exists, and so does the next, or its mask is empty; the masks leave
            // out the values beyond the width.
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

/// Packs powers of two, see [`weigh`](super::super::amx::weigh).
pub fn weigh<const P: usize>(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [Tile],
) {
    assert!(cpu::has_amx(), "no AMX");
    // SAFETY: a CPU with AMX was found to have AVX-512 with BF16.
    unsafe { weigh_in_features::<P>(scores, top, sums, panel) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn weigh_in_features<const P: usize>(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [Tile],
) {
    let order = interleaving();
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
    // A bf16 holds eight bits, for which a short polynomial suffices.
    if P == 1 { exp2(x, EXP2_SHORT) } else { exp2(x, EXP2) }
}

/// Stores results, see [`store_transposed`](super::super::amx::store_transposed).
pub fn store_transposed(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
    assert!(cpu::has_amx(), "no AMX");
    // SAFETY: a CPU with AMX was found to have AVX-512.
    unsafe { store_transposed_in_features(lines, factor, out, stride) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn store_transposed_in_features(
    lines: &[[f32; NR]],
    factor: &[f32; NR],
    out: &mut [f32],
    stride: usize,
) {
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
    for (row, out) in transpose(&rows).into_iter().zip(out.chunks_mut(stride)) {
        if out.len() >= width {
            // SAFETY: the mask leaves out the lanes beyond the row.
            unsafe {
                let row = _mm512_castsi512_ps(row);
                _mm512_mask_storeu_ps(out.as_mut_ptr(), first(width), row);
            }
        }
    }
}

/// Packs thirty-two consecutive values as pairs: rounded, and the remainders.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn split<const P: usize>(low: __m512, high: __m512) -> [__m512i; P] {
    let near = round(low, high);
    let mut parts = [near; P];
    if P == 2 {
        let back = |half| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half)));
        let low = _mm512_sub_ps(low, back(_mm512_castsi512_si256(near)));
        let high = _mm512_sub_ps(high, back(_mm512_extracti64x4_epi64::<1>(near)));
        parts[1] = round(low, high);
    }
    parts
}

/// [`split`] for sixteen pairs, whose first values are `a` and second values `b`.
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
    // SAFETY: both types have 64 bytes, and any bits are valid.
    unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
}

/// Transposes sixteen by sixteen cells: interleaves the first and the second half of the rows four
/// times.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: &[__m512i; ROWS]) -> [__m512i; ROWS] {
    let mut rows = *rows;
    for _ in 0..ROWS.ilog2() {
        let before = rows;
        for (at, row) in rows.iter_mut().enumerate() {
            // SAFETY: a load of sixteen indices.
            let order = unsafe { _mm512_loadu_si512(INTERLEAVED[at % 2].as_ptr().cast()) };
            let [a, b] = [before[at / 2], before[at / 2 + ROWS / 2]];
            *row = _mm512_permutex2var_epi32(a, order, b);
        }
    }
    rows
}

/// Stores lines of `P` parts each into as many tiles, transposed if `TRANSPOSE`.
#[inline]
#[target_feature(enable = "avx512f")]
fn store<const P: usize, const TRANSPOSE: bool>(tiles: &mut [Tile], all: &[[__m512i; P]; ROWS]) {
    for (part, tile) in tiles.iter_mut().enumerate() {
        let mut lines = [_mm512_setzero_si512(); ROWS];
        for (line, all) in lines.iter_mut().zip(all) {
            *line = all[part];
        }
        if TRANSPOSE {
            lines = transpose(&lines);
        }
        for (index, line) in lines.into_iter().enumerate() {
            store_line(tile, index, line);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_line(tile: &mut Tile, index: usize, line: __m512i) {
    // SAFETY: a store of sixteen pairs, a whole line.
    unsafe { _mm512_storeu_si512(tile.0[index].as_mut_ptr().cast(), line) }
}
