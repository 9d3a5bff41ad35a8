//! The instruction sets that kernels use on this CPU.
//!
//! `PARTITA_CPU` lowers them for tests, comparisons and finding faults: `baseline` uses the
//! target's own instructions alone, `avx2` leaves out AVX-512 and AMX, `avx512` leaves out AMX. The
//! `gemm` crate, which only layers of unpublished networks use, has its own detection. Detection runs
//! once per process.

use std::sync::LazyLock;

/// Sets of instructions; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// The target's own.
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
    /// AVX-512 BF16.
    Avx512Bf16,
    /// AMX-TILE and AMX-BF16, with the system's permission to use them.
    Amx,
}

static LEVEL: LazyLock<Level> = LazyLock::new(|| detected(limit()));

/// The highest level that `PARTITA_CPU` allows.
fn limit() -> Level {
    match std::env::var("PARTITA_CPU").as_deref() {
        Ok("baseline") => Level::Baseline,
        Ok("avx2") => Level::Avx2,
        Ok("avx512") => Level::Avx512Bf16,
        _ => Level::Amx,
    }
}

/// The name of the highest instruction set in use.
pub fn name() -> &'static str {
    match *LEVEL {
        Level::Baseline => "the target's baseline",
        Level::Avx2 => "AVX2",
        Level::Avx512 => "AVX-512",
        Level::Avx512Bf16 => "AVX-512 with BF16",
        Level::Amx => "AMX",
    }
}

/// Whether kernels may use AVX2 and FMA.
#[inline(always)]
pub fn has_avx2() -> bool {
    *LEVEL >= Level::Avx2
}

/// Whether kernels may use AVX-512 F, BW, DQ and VL, beside AVX2 and FMA.
#[inline(always)]
pub fn has_avx512() -> bool {
    *LEVEL >= Level::Avx512
}

/// Whether kernels may multiply bf16 by AVX-512, which the "fast" precision needs.
#[inline(always)]
pub fn has_bf16() -> bool {
    *LEVEL >= Level::Avx512Bf16
}

/// Whether kernels may multiply tiles of bf16 by AMX; if so, they may also use AVX-512 BF16.
#[inline(always)]
pub fn has_amx() -> bool {
    *LEVEL == Level::Amx
}

/// The highest level, at most `limit`, whose instructions the CPU has and the system allows.
#[cfg(target_arch = "x86_64")]
fn detected(limit: Level) -> Level {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        return Level::Baseline;
    }
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    let found = match (avx512, is_x86_feature_detected!("avx512bf16")) {
        (false, _) => Level::Avx2,
        (true, false) => Level::Avx512,
        // Ask for permission only if AMX would be used.
        (true, true) if limit == Level::Amx && amx::is_available() => Level::Amx,
        (true, true) => Level::Avx512Bf16,
    };
    found.min(limit)
}

#[cfg(not(target_arch = "x86_64"))]
fn detected(_limit: Level) -> Level {
    Level::Baseline
}

#[cfg(target_arch = "x86_64")]
mod amx {
    #![expect(unsafe_code, reason = "a register and a system call")]

    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

    /// Whether the CPU, the hypervisor and the system allow AMX.
    pub fn is_available() -> bool {
        in_cpu() && saved_by_the_system() && permitted()
    }

    /// Whether leaf 7 of CPUID has the bits of AMX-TILE and AMX-BF16.
    fn in_cpu() -> bool {
        const BF16: u32 = 1 << 22;
        const TILE: u32 = 1 << 24;
        __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & (BF16 | TILE) == BF16 | TILE
    }

    /// Whether the system saves tiles and their configuration when it changes threads.
    fn saved_by_the_system() -> bool {
        const TILES: u64 = 0b11 << 17;
        #[target_feature(enable = "xsave")]
        fn saved() -> u64 {
            // SAFETY: the register exists where OSXSAVE is set, which AVX-512 needs.
            unsafe { _xgetbv(0) }
        }
        if !is_x86_feature_detected!("xsave") {
            return false;
        }
        // SAFETY: the CPU was just found to have the feature.
        unsafe { saved() & TILES == TILES }
    }

    /// Asks Linux to save tiles (`ARCH_REQ_XCOMP_PERM`). The permission holds for all threads of the
    /// process, including later ones.
    #[cfg(target_os = "linux")]
    fn permitted() -> bool {
        // From Linux's `asm/prctl.h`; libc does not have them.
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const XFEATURE_XTILEDATA: libc::c_long = 18;
        // SAFETY: the system call reads and writes none of this process's memory.
        let result =
            unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) };
        result == 0
    }

    #[cfg(not(target_os = "linux"))]
    fn permitted() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instruction_set_above_the_limit_is_used() {
        println!("the kernels use {}", name());
        assert!(*LEVEL <= limit());
        assert!(!has_avx2() || limit() >= Level::Avx2);
        assert!(!has_avx512() || limit() >= Level::Avx512 && has_avx2());
        assert!(!has_bf16() || limit() >= Level::Avx512Bf16 && has_avx512());
        assert!(!has_amx() || limit() >= Level::Amx && has_bf16());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_highest_instruction_set_within_the_limit_is_used() {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        assert_eq!(has_avx2(), avx2 && limit() >= Level::Avx2);
        let bf16 = is_x86_feature_detected!("avx512bf16") && has_avx512();
        assert_eq!(has_bf16(), bf16 && limit() >= Level::Avx512Bf16);
    }
}
