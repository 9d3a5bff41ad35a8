//! The network's operations on the CPU, one file each.
//!
//! Every kernel works on plain `f32` slices in the layouts of [`FreqMap`] and [`TimeMap`], in which a
//! convolution is a matrix product without a copy of its input. Each has a twin in plain candle
//! operations and the reference's layout, which is slow and simple; the tests compare the two.
//!
//! Kernels start no threads: their loops over rows run on the rayon pool of the caller. Unsafe code
//! is allowed here: for the call into `gemm`, for functions compiled for instructions that were
//! detected at run time, for instructions without a plain form ([`bf16`], [`amx`]), and in the
//! inner loops of [`tile`], which check their bounds once. The only other unsafe code maps files of
//! weights ([`shared`](super::weights::shared)).

#![expect(
    clippy::inline_always,
    reason = "loop bodies must be compiled with the caller's features"
)]

pub mod activation;
pub mod amx;
pub mod attention;
pub mod bf16;
pub mod cpu;
pub mod dconv;
pub mod dense;
pub mod elementwise;
pub mod feed_forward;
pub mod freq_bottleneck;
pub mod freq_conv;
mod glu_pack;
pub mod layout;
pub mod linear;
pub mod map_conv;
mod maps;
mod math;
pub mod norm;
pub mod operand;
pub mod outputs;
pub mod pack;
pub mod product;
pub mod row_conv;
pub mod rows;
#[cfg(test)]
pub(crate) mod testing;
pub mod tile;
pub mod time_conv;
mod vectorised;
pub mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use maps::{FreqMap, FreqPanels, Lines, TimeMap};
