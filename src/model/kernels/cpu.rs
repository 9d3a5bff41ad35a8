//! How much of the CPU the kernels may use: everything, unless the environment variable `PARTITA_CPU`
//! says `avx2` (no AVX-512, no AMX) or `avx512` (no AMX). For comparisons and for finding faults; read
//! once.

use std::sync::LazyLock;

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Limit {
    Avx2,
    Avx512,
    None,
}

static LIMIT: LazyLock<Limit> = LazyLock::new(|| match std::env::var("PARTITA_CPU").as_deref() {
    Ok("avx2") => Limit::Avx2,
    Ok("avx512") => Limit::Avx512,
    _ => Limit::None,
});

/// Whether AVX-512 may be used.
pub fn allows_avx512() -> bool {
    *LIMIT >= Limit::Avx512
}

/// Whether AMX may be used.
pub fn allows_amx() -> bool {
    *LIMIT == Limit::None
}
