//! Instructions of x86 that the compiler does not make of plain code.

#[cfg(target_arch = "x86_64")]
pub mod amx;
pub mod avx512;
