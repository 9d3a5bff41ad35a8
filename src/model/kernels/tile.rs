//! The inner loop of every matrix product: one tile of [`MR`] rows by [`NR`] columns stays in
//! registers over the whole depth.
//!
//! The sums are arrays of constant size, which the compiler keeps in registers (twelve of AVX2's
//! sixteen). No code is specific to one instruction set. Inlined into the kernels' `vectorised!`
//! functions; starts no threads, allocates nothing.

use super::{
    cpu,
    layout::{MR, NR, Tile},
    math::mad,
};

/// Defines an inner loop. It is compiled separately from its callers: inlined into a larger
/// function, the compiler does not always keep all sums in registers. `FMA` states that the caller
/// runs on a CPU with AVX2 and FMA or AVX-512. The loop checks that again (a load and a test), so
/// that a wrong `FMA` is safe.
macro_rules! inner_loop {
    ($(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[inline(always)]
        pub fn $name<const FMA: bool, const M: usize>($($arg: $ty),*) {
            #[inline(always)]
            fn portable<const FMA: bool, const M: usize>($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[inline(never)]
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512<const M: usize>($($arg: $ty),*) {
                    portable::<true, M>($($arg),*);
                }
                #[inline(never)]
                #[target_feature(enable = "avx2,fma")]
                fn avx2<const M: usize>($($arg: $ty),*) {
                    portable::<true, M>($($arg),*);
                }
                if FMA && cpu::has_avx512() {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was found to have the features it is compiled for.
                    return unsafe { avx512::<M>($($arg),*) };
                }
                if FMA && cpu::has_avx2() {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was found to have the features it is compiled for.
                    return unsafe { avx2::<M>($($arg),*) };
                }
            }
            portable::<FMA, M>($($arg),*);
        }
    };
}

/// `M` rows of `depth` values, `stride` apart, read without a bounds check for each value: the
/// checks would take more than a tenth of an inner loop's time.
#[derive(Clone, Copy)]
struct Rows<'a, const M: usize> {
    data: &'a [f32],
    stride: usize,
    depth: usize,
}

impl<'a, const M: usize> Rows<'a, M> {
    /// Checks the bounds of all rows.
    #[inline(always)]
    fn new(data: &'a [f32], stride: usize, depth: usize) -> Self {
        let end = stride.checked_mul(M - 1).and_then(|last| last.checked_add(depth));
        assert!(end.is_some_and(|end| end <= data.len()), "rows end before the product");
        Self { data, stride, depth }
    }

    #[inline(always)]
    fn at(&self, row: usize, k: usize) -> f32 {
        debug_assert!(row < M && k < self.depth);
        #[expect(unsafe_code, reason = "a check for each value is too slow here")]
        // SAFETY: the loops of this file read rows below `M` and depths below `depth`. `new` has
        // checked the last of these indices, which is the highest.
        unsafe {
            *self.data.get_unchecked(row * self.stride + k)
        }
    }
}

/// `sums[i][j] += column[i] · line[j]`.
#[inline(always)]
fn step<const FMA: bool, const M: usize>(
    sums: &mut Tile<M>,
    column: impl Fn(usize) -> f32,
    line: &[f32; NR],
) {
    let line = *line;
    for (i, sums) in sums.iter_mut().enumerate() {
        let value = column(i);
        for j in 0..NR {
            sums[j] = mad::<FMA>(value, line[j], sums[j]);
        }
    }
}

inner_loop! {
    /// `sums[i][j] += Σ_k rows[i · stride + k] · panel[k][j]`: unpacked rows, packed
    /// columns.
    ///
    /// # Panics
    /// The last row ends before the panel.
    fn rows_by_panel(sums: &mut Tile<M>, rows: &[f32], stride: usize, panel: &[[f32; NR]]) {
        let rows = Rows::<M>::new(rows, stride, panel.len());
        let mut acc = *sums;
        for (k, line) in panel.iter().enumerate() {
            step::<FMA, M>(&mut acc, |i| rows.at(i, k), line);
        }
        *sums = acc;
    }
}

inner_loop! {
    /// `sums[i][j] += Σ_k lines[i][k] · panel[k][j]`: [`rows_by_panel`] for separate rows.
    ///
    /// # Panics
    /// A line ends before the panel.
    fn lines_by_panel(sums: &mut Tile<M>, lines: [&[f32]; M], panel: &[[f32; NR]]) {
        let lines = lines.map(|line| Rows::<1>::new(line, 0, panel.len()));
        let mut acc = *sums;
        for (k, line) in panel.iter().enumerate() {
            step::<FMA, M>(&mut acc, |i| lines[i].at(0, k), line);
        }
        *sums = acc;
    }
}

inner_loop! {
    /// `tiles[t][i][j] = Σ_k rows[(t · M + i) · depth + k] · panel[k][j]`: [`rows_by_panel`] for
    /// many tiles of consecutive rows, starting from zero.
    ///
    /// # Panics
    /// `rows` ends before the last tile.
    fn rows_times_panel(tiles: &mut [Tile<M>], rows: &[f32], panel: &[[f32; NR]]) {
        let depth = panel.len();
        for (index, tile) in tiles.iter_mut().enumerate() {
            let rows = Rows::<M>::new(&rows[index * M * depth..], depth, depth);
            let mut acc = [[0.0; NR]; M];
            for (k, line) in panel.iter().enumerate() {
                step::<FMA, M>(&mut acc, |i| rows.at(i, k), line);
            }
            *tile = acc;
        }
    }
}

inner_loop! {
    /// `sums[i][j] += Σ_k strip[k][i] · panel[k][j]`: both packed.
    fn strip_by_panel(sums: &mut Tile<M>, strip: &[[f32; M]], panel: &[[f32; NR]]) {
        let mut acc = *sums;
        for (column, line) in strip.iter().zip(panel) {
            step::<FMA, M>(&mut acc, |i| column[i], line);
        }
        *sums = acc;
    }
}

inner_loop! {
    /// [`strip_by_panel`] for two panels at once.
    fn strip_by_two(sums: &mut [Tile<M>; 2], strip: &[[f32; M]], panels: [&[[f32; NR]]; 2]) {
        let mut acc = *sums;
        for (column, (a, b)) in strip.iter().zip(panels[0].iter().zip(panels[1])) {
            step::<FMA, M>(&mut acc[0], |i| column[i], a);
            step::<FMA, M>(&mut acc[1], |i| column[i], b);
        }
        *sums = acc;
    }
}

/// [`strip_by_panel`] for several panels. If the CPU has enough registers, two are computed at a
/// time, which hides the latency of a multiply-add.
#[inline(always)]
pub fn strip_by_panels<'a, const FMA: bool>(
    sums: &mut [Tile<MR>],
    strip: &[[f32; MR]],
    panel: impl Fn(usize) -> &'a [[f32; NR]],
) {
    let mut next = 0;
    if FMA && cpu::has_avx512() {
        for two in sums.as_chunks_mut().0 {
            strip_by_two::<FMA, MR>(two, strip, [panel(next), panel(next + 1)]);
            next += 2;
        }
    }
    for (p, sums) in sums.iter_mut().enumerate().skip(next) {
        strip_by_panel::<FMA, MR>(sums, strip, panel(p));
    }
}

inner_loop! {
    /// `sums[i][j] += Σ_k columns[k · stride + first + i] · panel[k][j]`: the left matrix is transposed in
    /// memory, the columns are packed.
    ///
    /// # Panics
    /// There are fewer columns than the panel's depth, or `first + M` exceeds `stride`.
    fn columns_by_panel(
        sums: &mut Tile<M>,
        columns: &[f32],
        stride: usize,
        first: usize,
        panel: &[[f32; NR]],
    ) {
        assert!(first + M <= stride && columns.len() >= panel.len() * stride, "columns too short");
        let mut acc = *sums;
        for (column, line) in columns.chunks_exact(stride).zip(panel) {
            let column = &column[first..first + M];
            step::<FMA, M>(&mut acc, |i| column[i], line);
        }
        *sums = acc;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            pack::{Panels, Strips},
            testing::{assert_same, noise},
        },
        *,
    };

    #[test]
    fn all_forms_compute_the_product() {
        for depth in [0, 1, 5, 64] {
            let (a, b) = (noise(MR * depth, 1), noise(depth * NR, 2));
            let start = noise(MR * NR, 3);
            let expected: Vec<f32> = (0..MR * NR)
                .map(|at| {
                    let (i, j) = (at / NR, at % NR);
                    start[at] + (0..depth).map(|k| a[i * depth + k] * b[k * NR + j]).sum::<f32>()
                })
                .collect();
            let strips = Strips::new(MR, depth, |i, k| a[i * depth + k]);
            let panels = Panels::<f32>::new(depth, NR, |k, j| b[k * NR + j]);
            let begin: Tile<MR> =
                std::array::from_fn(|i| std::array::from_fn(|j| start[i * NR + j]));

            let mut sums = begin;
            rows_by_panel::<false, MR>(&mut sums, &a, depth, panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "rows by panel");

            let mut sums = begin;
            let lines = std::array::from_fn(|i| &a[i * depth..][..depth]);
            lines_by_panel::<true, MR>(&mut sums, lines, panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "lines by panel");

            let mut product = [[[0.0; NR]; MR]];
            rows_times_panel::<true, MR>(&mut product, &a, panels.panel(0));
            for (sum, start) in product.as_flattened_mut().as_flattened_mut().iter_mut().zip(&start)
            {
                *sum += start;
            }
            assert_same(&expected, product.as_flattened().as_flattened(), "rows times panel");

            let mut sums = begin;
            strip_by_panel::<false, MR>(&mut sums, strips.strip(0), panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "strip by panel");

            for count in 1..4 {
                let mut sums = [begin; 3];
                strip_by_panels::<true>(&mut sums[..count], strips.strip(0), |_| panels.panel(0));
                for (p, sums) in sums.iter().enumerate() {
                    if p < count {
                        assert_same(&expected, sums.as_flattened(), "strip by panels");
                    } else {
                        assert_eq!(*sums, begin);
                    }
                }
            }

            let mut sums = begin;
            let columns: Vec<f32> = strips.strip(0).as_flattened().to_vec();
            columns_by_panel::<true, MR>(&mut sums, &columns, MR, 0, panels.panel(0));
            assert_same(&expected, sums.as_flattened(), "columns by panel");
        }
    }
}
