//! The network's operations on the CPU, one file each.
//!
//! Every kernel works on plain `f32` slices in the layouts of [`FreqMap`] and [`TimeMap`], in which
//! a convolution is a matrix product straight from memory. Beside it stands its twin in plain
//! candle operations, in the reference's layout: slow, obvious, able to run on any device, and what
//! the tests hold the kernel against.
//!
//! Kernels start no threads: their loops over rows run on the rayon pool of the caller. This is the
//! room where unsafe code is allowed: for the call into `gemm`, for entering functions compiled
//! for instructions that were detected at run time, for instructions that have no plain form
//! ([`bf16`], [`amx`]), and in the inner loops of [`tile`], which check their bounds
//! once. Beside them, files of weights are mapped ([`shared`](super::weights::shared)).

#![expect(
    clippy::inline_always,
    reason = "loop bodies must be compiled with the caller's features"
)]

pub mod amx;
pub mod attention;
pub mod bf16;
#[cfg(target_arch = "x86_64")]
mod cpu;
pub mod dconv;
pub mod elementwise;
pub mod freq_conv;
mod glu_pack;
pub mod linear;
mod maps;
pub mod norm;
pub mod operand;
pub mod product;
pub mod row_conv;
pub mod rows;
#[cfg(test)]
mod testing;
pub mod tile;
pub mod time_conv;
pub mod winograd;
mod x86;

use x86::avx512;

pub use maps::{FreqMap, FreqPanels, Lines, TimeMap};

/// Defines a function whose loops are compiled three times: for AVX-512, for AVX2 with FMA, each
/// entered when the CPU has it, and for the target's baseline. `$fma` is a constant in the body: whether a fused
/// multiply-add is one instruction.
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$fma:ident $(, $generic:ident: $bound:path)*>
     ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn portable<const $fma: bool $(, $generic: $bound)*>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    portable::<true $(, $generic)*>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($generic: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    portable::<true $(, $generic)*>($($arg),*)
                }
                if $crate::model::kernels::avx512::is_there() {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was just found to have the features it is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    #[expect(unsafe_code, reason = "a function with target features")]
                    // SAFETY: the CPU was just found to have the features it is compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            portable::<{ cfg!(target_arch = "aarch64") } $(, $generic)*>($($arg),*)
        }
    };
}
pub(crate) use vectorised;
