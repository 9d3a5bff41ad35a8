//! Products of bf16 pairs, summed in single precision: with AVX-512, or with slow plain code on other
//! CPUs.
//!
//! bf16 is the upper half of an `f32`, with the same range and 8 bits of precision. Only factors are
//! rounded to bf16; sums, norms and all values between the products stay `f32`. Runs on the calling
//! thread.

#[cfg(target_arch = "x86_64")]
use super::{cpu, x86::avx512};
use super::{
    elementwise::weigh as weigh_single,
    layout::{Left, NR, Pair},
    math::mad,
    vectorised::vectorised,
};

/// Packs lines of a depth as a panel of pairs in `scratch`; an odd last line is paired with zeros.
pub fn panel<'a>(lines: &[[f32; NR]], scratch: &'a mut [[Pair; NR]]) -> &'a [[Pair; NR]] {
    let panel = &mut scratch[..lines.len().div_ceil(2)];
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

/// `sums[n][i] = Σ_k left[i, k] · panels[n][k]` over both halves of each pair; adds to the sums if
/// `ADD`.
pub fn product<const ADD: bool, const N: usize>(
    sums: [&mut [[f32; NR]]; N],
    left: Left<'_, Pair>,
    panels: [&[[Pair; NR]]; N],
) {
    #[cfg(target_arch = "x86_64")]
    if cpu::has_bf16() {
        avx512::product_of_pairs::<ADD, N>(sums, left, panels);
        return;
    }
    for (sums, panel) in sums.into_iter().zip(panels) {
        if !ADD {
            sums.fill([0.0; NR]);
        }
        plain(sums, left, panel);
    }
}

vectorised! {
    fn plain<FMA>(sums: &mut [[f32; NR]], left: Left<'_, Pair>, panel: &[[Pair; NR]]) {
        // The instruction adds the second product of a pair first.
        for (row, sums) in sums.iter_mut().enumerate() {
            for (k, line) in panel.iter().enumerate() {
                let [a, b] = left.at(row, k).values();
                for j in 0..NR {
                    let [c, d] = line[j].values();
                    sums[j] = mad::<FMA>(a, c, mad::<FMA>(b, d, sums[j]));
                }
            }
        }
    }
}

/// Packs `2^(scores − top)` as a panel in `scratch`, and adds them to `sums`.
pub fn weigh<'a, const FMA: bool>(
    scores: &mut [[f32; NR]],
    top: &[f32; NR],
    sums: &mut [f32; NR],
    scratch: &'a mut [[Pair; NR]],
) -> &'a [[Pair; NR]] {
    #[cfg(target_arch = "x86_64")]
    if avx512::weigh_pairs(scores, top, sums, scratch) {
        return &scratch[..scores.len().div_ceil(2)];
    }
    weigh_single::<FMA>(scores, top, sums);
    panel(scores, scratch)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            operand::{Operand, pack_rows, packed_len},
            testing::noise,
        },
        *,
    };

    #[test]
    fn products_sum_rounded_values_in_single_precision() {
        for (rows, depth) in [(1, 1), (7, 33), (17, 64), (37, 250)] {
            let (a, b) = (noise(rows * depth, 1), noise(depth * NR, 2));
            let near = |v: f32| f64::from(Pair::new([v, 0.0]).values()[0]);
            let mut scratch = vec![[Pair::default(); NR]; depth];
            let panel = panel(b.as_chunks().0, &mut scratch);
            let mut space = vec![0.0; packed_len::<Pair>(rows, depth)];
            let pairs = pack_rows::<Pair>(&a, depth, &mut space);
            let cells = panel.len();
            let columns: Vec<Pair> = (0..cells)
                .flat_map(|k| (0..rows).map(move |row| pairs[Pair::place(row, k, cells)]))
                .collect();
            let mut sums = vec![[1.0; NR]; rows];
            Pair::add_rows::<true, 1>([&mut sums], pairs, cells, 0, [panel]);
            let mut transposed = vec![[1.0; NR]; rows];
            Pair::columns_by_panels::<true, 1>([&mut transposed], &columns, rows, [panel]);
            let mut plainly = vec![[1.0; NR]; rows];
            plain(&mut plainly, Left::columns(&columns, rows), panel);
            for (at, sum) in sums.as_flattened().iter().enumerate() {
                let (i, j) = (at / NR, at % NR);
                let terms = (0..depth).map(|k| near(a[i * depth + k]) * near(b[k * NR + j]));
                let expected = 1.0 + terms.sum::<f64>();
                assert!((f64::from(*sum) - expected).abs() < 1e-4, "{sum} {expected}");
                assert!((plainly[i][j] - sum).abs() < 1e-4, "{sum} {}", plainly[i][j]);
            }
            assert_eq!(sums, transposed);
        }
    }
}
