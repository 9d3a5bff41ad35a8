//! Packing of single-precision values into tiles, and the steps between the two products of
//! attention.
//!
//! Rows of the left matrix are lines of tiles in their own order; the right matrix is transposed as
//! pairs, sixteen by sixteen.

#[cfg(target_arch = "x86_64")]
use super::super::{cpu, x86::amx_pack};
use super::{
    super::layout::NR,
    layout::{DEPTH, ROWS, Tile, steps},
    plain,
};

/// Packs up to [`ROWS`] rows of `depth` values, `stride` apart, as a strip: `[steps][P]`. Missing
/// values are zero.
pub fn pack_left<const P: usize>(rows: &[f32], stride: usize, depth: usize, strip: &mut [Tile]) {
    let strip = &mut strip[..steps(depth) * P];
    #[cfg(target_arch = "x86_64")]
    if cpu::has_amx() {
        amx_pack::rows::<P, false>(rows, stride, depth, strip);
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
    if cpu::has_amx() {
        amx_pack::pair::<P>(low, high, strip);
        return;
    }
    plain::pack::<P>(strip, |i, k| if k < NR { low[i][k] } else { high[i][k - NR] });
}

/// Packs up to [`NR`] columns of `depth` values, `stride` apart, as a panel: `[steps][P]`.
pub fn pack_right<const P: usize>(
    columns: &[f32],
    stride: usize,
    depth: usize,
    panel: &mut [Tile],
) {
    let panel = &mut panel[..steps(depth) * P];
    #[cfg(target_arch = "x86_64")]
    if cpu::has_amx() {
        amx_pack::rows::<P, true>(columns, stride, depth, panel);
        return;
    }
    plain::pack::<P>(panel, |i, k| row_value(columns, stride, depth, i, k));
    panel.iter_mut().for_each(plain::transpose);
}

/// Packs `depth` lines of up to [`ROWS`] rows, `stride` apart (the matrix lies transposed), as a
/// strip whose steps begin `step` tiles apart.
///
/// # Panics
/// The lines end before `depth`.
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
        if cpu::has_amx() {
            amx_pack::lines::<P>(lines, stride, [depth, width], tiles);
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

/// Packs `2^(scores − top)` as a panel, with zeros beyond the last score, and adds them to `sums`.
pub fn weigh<const P: usize>(
    scores: &[[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    panel: &mut [Tile],
) {
    let panel = &mut panel[..steps(scores.len()) * P];
    #[cfg(target_arch = "x86_64")]
    if cpu::has_amx() {
        amx_pack::weigh::<P>(scores, top, sums, panel);
        return;
    }
    plain::weigh::<P>(scores, top, sums, panel);
}

/// Stores up to sixteen lines, times `factor` and transposed, as rows of `out`, `stride` apart. The
/// last row is cut off at the end of `out`.
pub fn store_transposed(lines: &[[f32; NR]], factor: &[f32; NR], out: &mut [f32], stride: usize) {
    let lines = &lines[..lines.len().min(ROWS)];
    #[cfg(target_arch = "x86_64")]
    if cpu::has_amx() {
        amx_pack::store_transposed(lines, factor, out, stride);
        return;
    }
    plain::store_transposed(lines, factor, out, stride);
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
            layout::Pair,
            testing::{has_amx, noise},
        },
        *,
    };

    /// The sum of a value's parts in the tiles of a step.
    fn value(tiles: &[Tile], at: impl Fn(&Tile) -> f32) -> f32 {
        tiles.iter().map(at).sum()
    }

    /// Whether a value is within the precision of `P` bf16.
    fn is_near<const P: usize>(got: f32, value: f32) -> bool {
        (got - value).abs() <= value.abs() * if P == 1 { 1.0 / 256.0 } else { 1.0 / 65_536.0 }
    }

    fn check<const P: usize>() {
        for (count, depth) in [(1, 1), (16, 32), (5, 33), (16, 64), (13, 95)] {
            let (stride, lines_stride) = (depth + 3, count + 2);
            let rows = noise((count - 1) * stride + depth, 1);
            let at = |i: usize, k: usize| row_value(&rows, stride, depth, i, k);
            let mut left = vec![Tile::ZERO; steps(depth) * P];
            plain::pack::<P>(&mut left, at);
            let mut right = left.clone();
            right.iter_mut().for_each(plain::transpose);
            for (i, k) in (0..ROWS).flat_map(|i| (0..steps(depth) * DEPTH).map(move |k| (i, k))) {
                let step = k / DEPTH * P..(k / DEPTH + 1) * P;
                let in_left =
                    value(&left[step.clone()], |tile| plain::left_value(tile, i, k % DEPTH));
                let in_right = value(&right[step], |tile| plain::right_value(tile, i, k % DEPTH));
                assert!(is_near::<P>(in_left, at(i, k)), "{in_left} {}", at(i, k));
                assert_eq!(in_left, in_right);
            }
            // Pack the transposed matrix too.
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
        has_amx("packing by the instructions");
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
    fn results_are_stored_as_rows() {
        let lines: Vec<[f32; NR]> =
            (0..5).map(|k| std::array::from_fn(|i| (10 * k + i) as f32)).collect();
        let factor = std::array::from_fn(|i| (i + 1) as f32);
        let mut out = vec![-1.0; 2 * 9 + 5];
        store_transposed(&lines, &factor, &mut out, 9);
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
            let mut panel = vec![Tile([[Pair::new([7.0; 2]); NR]; ROWS]); 4];
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
                let value = value(tiles, |tile| plain::right_value(tile, j, k % DEPTH));
                let expected = lines.get(k * NR + j).copied().unwrap_or(0.0);
                assert!((value - expected).abs() <= 2e-5 * expected, "{value} {expected}");
            }
        }
    }
}
