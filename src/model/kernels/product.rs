//! Matrix products of unpacked matrices: a checked interface to the `gemm` crate.
//!
//! Views have strides, so that rows may overlap (a convolution's receptive fields) or have gaps.

pub use gemm::Parallelism;

/// A matrix to read: element `(i, j)` is `data[i * row_stride + j * col_stride]`. Rows may overlap.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// A matrix whose rows are contiguous and start `row_stride` apart.
    ///
    /// # Panics
    /// The matrix does not lie within `data`.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(is_within(data.len(), rows, cols, row_stride), "matrix outside its memory");
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transposed view.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// A matrix to write. Rows are contiguous, start `row_stride` apart and do not overlap.
#[derive(Debug)]
pub struct MatMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

impl<'a> MatMut<'a> {
    /// A matrix whose rows are contiguous and start `row_stride` apart.
    ///
    /// # Panics
    /// The matrix does not lie within `data`, or its rows overlap.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(is_within(data.len(), rows, cols, row_stride), "matrix outside its memory");
        assert!(rows <= 1 || row_stride >= cols, "rows overlap");
        Self { data, rows, cols, row_stride }
    }
}

/// Whether a matrix of contiguous rows lies within `len` elements.
fn is_within(len: usize, rows: usize, cols: usize, row_stride: usize) -> bool {
    let end = rows.saturating_sub(1).checked_mul(row_stride);
    let end = end.and_then(|last_row| last_row.checked_add(cols));
    rows == 0 || cols == 0 || end.is_some_and(|end| end <= len)
}

/// The effect of a product on its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Overwrites the destination.
    Set,
    /// Adds to the destination: to a bias, or the product of another tap.
    Add,
}

/// `dst = lhs × rhs`, or `dst += lhs × rhs`.
///
/// # Panics
/// The shapes do not fit together.
pub fn product(
    dst: MatMut<'_>,
    update: Update,
    lhs: Mat<'_>,
    rhs: Mat<'_>,
    parallelism: Parallelism,
) {
    let MatMut { data, rows, cols, row_stride } = dst;
    assert!(
        lhs.rows == rows && rhs.cols == cols && lhs.cols == rhs.rows,
        "shapes of a product: {}x{} from {}x{} and {}x{}",
        rows,
        cols,
        lhs.rows,
        lhs.cols,
        rhs.rows,
        rhs.cols
    );
    #[expect(unsafe_code, reason = "gemm takes pointers")]
    // SAFETY: the constructors checked that every element of the three views lies within its slice
    // and that no two elements of `dst` are the same; the shapes were checked above; `dst` is
    // borrowed exclusively, so neither input overlaps it.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            lhs.cols,
            data.as_mut_ptr(),
            1,
            row_stride as isize,
            update == Update::Add,
            lhs.data.as_ptr(),
            lhs.col_stride as isize,
            lhs.row_stride as isize,
            rhs.data.as_ptr(),
            rhs.col_stride as isize,
            rhs.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_rows_are_a_convolution() {
        let signal: Vec<f32> = (0..10).map(|v| v as f32).collect();
        let kernel = [1.0, 10.0, 100.0];
        let mut out = [1.0; 4];
        product(
            MatMut::new(&mut out, 4, 1, 1),
            Update::Add,
            Mat::new(&signal, 4, 3, 2),
            Mat::new(&kernel, 3, 1, 1),
            Parallelism::None,
        );
        assert_eq!(out, [211.0, 433.0, 655.0, 877.0]);
    }

    #[test]
    #[should_panic(expected = "outside its memory")]
    fn a_matrix_must_lie_within_its_memory() {
        let _ = Mat::new(&[0.0; 9], 2, 5, 5);
    }

    #[test]
    #[should_panic(expected = "shapes of a product")]
    fn shapes_must_fit() {
        let mut out = [0.0; 4];
        let (lhs, rhs) = ([0.0; 6], [0.0; 4]);
        product(
            MatMut::new(&mut out, 2, 2, 2),
            Update::Set,
            Mat::new(&lhs, 2, 3, 3),
            Mat::new(&rhs, 2, 2, 2),
            Parallelism::None,
        );
    }
}
