//! Instructions of x86 that the compiler does not generate from plain code.

pub mod amx;
pub mod amx_pack;
pub mod avx512;
