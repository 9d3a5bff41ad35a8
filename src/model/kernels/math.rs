//! Elementary functions of one value, which kernels inline into their loops.

/// `a * b + c`, fused if that is one instruction.
#[inline(always)]
pub fn mad<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `2^x`, within 2 units in the last place, for `x` clamped to −126 to 127.
///
/// A polynomial gives `2^r` for the remainder `r` of rounding `x`; the integer is added to the
/// exponent.
#[inline(always)]
pub fn exp2<const FMA: bool>(x: f32) -> f32 {
    /// Adding 1.5 · 2^23 rounds to an integer, which the low bits of the sum then hold.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -126.0 { -126.0 } else { x };
    let x = if x > 127.0 { 127.0 } else { x };
    let rounded = x + ROUND;
    let r = x - (rounded - ROUND);
    let mut sum = EXP2[4];
    for factor in EXP2[..4].iter().rev() {
        sum = mad::<FMA>(sum, r, *factor);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000));
    mad::<FMA>(sum, r, 1.0) * power
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp2::<FMA>(x * -std::f32::consts::LOG2_E))
}

/// `tanh(x)`, within a few units in the last place.
///
/// Near zero, where `1 − 2 / (e^2x + 1)` loses digits, an odd polynomial (from Cephes by Moshier,
/// `tanhf`).
#[inline(always)]
pub fn tanh_one<const FMA: bool>(x: f32) -> f32 {
    let size = if x < 0.0 { -x } else { x };
    let large = 1.0 - 2.0 / (exp2::<FMA>(size * (2.0 * std::f32::consts::LOG2_E)) + 1.0);
    let large = if x < 0.0 { -large } else { large };
    let u = x * x;
    let mut sum = TANH[4];
    for factor in TANH[..4].iter().rev() {
        sum = mad::<FMA>(sum, u, *factor);
    }
    if size < 0.625 { mad::<FMA>(sum * u, x, x) } else { large }
}

/// `x (1 + erf(x / √2)) / 2`: GELU in the reference's erf form.
///
/// `erf(x) = x P(x²) / Q(x²)`, fitted over `|x| ≤ 3.925` for least relative error (2e-8), beyond
/// which erf is 1 in single precision.
#[inline(always)]
pub fn gelu_one<const FMA: bool>(x: f32) -> f32 {
    let v = x * std::f32::consts::FRAC_1_SQRT_2;
    let v = if v < -3.925 { -3.925 } else { v };
    let v = if v > 3.925 { 3.925 } else { v };
    let u = v * v;
    let mut p = ERF_P[5];
    p = mad::<FMA>(p, u, ERF_P[4]);
    p = mad::<FMA>(p, u, ERF_P[3]);
    p = mad::<FMA>(p, u, ERF_P[2]);
    p = mad::<FMA>(p, u, ERF_P[1]);
    p = mad::<FMA>(p, u, ERF_P[0]);
    let mut q = ERF_Q[4];
    q = mad::<FMA>(q, u, ERF_Q[3]);
    q = mad::<FMA>(q, u, ERF_Q[2]);
    q = mad::<FMA>(q, u, ERF_Q[1]);
    q = mad::<FMA>(q, u, ERF_Q[0]);
    q = mad::<FMA>(q, u, 1.0);
    0.5 * x * (1.0 + v * p / q)
}

/// Coefficients of `r^1 …` of a polynomial for `2^r` over `|r| ≤ 1/2`, fitted for least relative
/// error: 9e-8.
pub const EXP2: [f32; 5] =
    [6.931_469_776e-1, 2.402_224_208e-1, 5.550_733_749e-2, 9.671_512_768e-3, 1.326_472_541e-3];
/// Coefficients of a shorter polynomial for `2^r`, with an error of 3e-6: less than a bf16
/// resolves.
#[cfg(target_arch = "x86_64")]
pub const EXP2_SHORT: [f32; 4] =
    [6.931_241_931e-1, 2.402_409_865e-1, 5.590_642_663e-2, 9.582_851_702e-3];
/// Coefficients of `x^3, x^5 …` for `tanh`.
const TANH: [f32; 5] =
    [-3.333_328_1e-1, 1.333_144_2e-1, -5.373_971_5e-2, 2.063_908_8e-2, -5.704_988_7e-3];
const ERF_P: [f32; 6] = [
    1.128_379_145_8,
    1.905_903_809_8e-1,
    5.276_887_240_8e-2,
    3.772_412_068_5e-3,
    2.848_415_466_3e-4,
    2.046_066_995_8e-6,
];
const ERF_Q: [f32; 5] = [
    5.022_390_585_8e-1,
    1.141_813_453_2e-1,
    1.498_291_931_6e-2,
    1.163_826_474_5e-3,
    3.804_808_378_4e-5,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hyperbolic_tangent_is_within_a_few_units_in_the_last_place() {
        for i in -120_000..=120_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).tanh();
            for got in [tanh_one::<true>(x), tanh_one::<false>(x)] {
                let error = (f64::from(got) - exact).abs();
                assert!(error <= 4e-7 * exact.abs(), "tanh({x}): {error:e}");
            }
        }
        assert_eq!(tanh_one::<true>(f32::INFINITY), 1.0);
        assert_eq!(tanh_one::<true>(f32::NEG_INFINITY), -1.0);
        assert!(tanh_one::<true>(f32::NAN).is_nan());
    }

    #[test]
    fn the_power_of_two_is_within_two_units_in_the_last_place() {
        for i in -125_999..=126_999 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x).exp2();
            let error = (f64::from(exp2::<true>(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "2^{x}: {error:e}");
            let error = (f64::from(exp2::<false>(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "2^{x} without fused operations: {error:e}");
        }
        assert!(exp2::<true>(f32::NEG_INFINITY) < 2e-38);
        assert!(exp2::<true>(f32::NAN).is_nan());
    }
}
