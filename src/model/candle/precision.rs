//! The precision of candle's products on NVIDIA's cards. In fast precision, their tensor cores round
//! the factors to TF32 (11 bits instead of 24), and add in single precision. Other devices compute in
//! single precision.
//!
//! TF32 and not bf16: bf16 has 8 bits, candle's products in it also round the sums, and every
//! activation would have to be converted. Runs on the caller's thread.

use candle_core::cuda::set_gemm_reduced_precision_f32;

use crate::model::{Precision, Result, Separator, Spec, Stop};

/// A network that sets the precision before each segment, because candle keeps one setting for the
/// whole process. One network runs at a time; with two, the worst is the precision of the other.
pub struct InPrecision {
    network: Box<dyn Separator>,
    precision: Precision,
}

impl InPrecision {
    /// Sets the precision of a network in candle's operations.
    pub fn new(network: Box<dyn Separator>, precision: Precision) -> Self {
        Self { network, precision }
    }
}

impl Separator for InPrecision {
    fn spec(&self) -> &Spec {
        self.network.spec()
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> Result<Vec<f32>> {
        set_gemm_reduced_precision_f32(self.precision == Precision::Fast);
        self.network.separate_unless(mix, stop)
    }
}
