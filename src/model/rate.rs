//! The speed of products on this machine, measured in some milliseconds: what an estimate of time starts
//! from before a network has run here.
//!
//! Measures one shape of product; how much longer or shorter the operations of a network take than
//! those, its kind states ([`super::Effort`]). Runs on the rayon pool of the caller.

use std::time::Instant;

use super::{Precision, Spec, kernels::linear::Linear};

/// Features of the measured product: few enough that its weights stay in the cache, and in this process.
const INPUTS: usize = 128;
const OUTPUTS: usize = 96;

/// Tokens for each thread.
const TOKENS: usize = 2048;

/// Runs, of which the fastest counts: others are interrupted by other programs.
const RUNS: usize = 60;

/// Operations per second of the products of this pool's threads together.
pub fn product_rate(precision: Precision) -> f64 {
    let tokens = TOKENS * rayon::current_num_threads();
    let weight = vec![0.01; INPUTS * OUTPUTS];
    let layer = Linear::new(&weight, &[0.0; OUTPUTS], precision);
    let (x, mut out) = (vec![0.5; tokens * INPUTS], vec![0.0; tokens * OUTPUTS]);
    let mut least = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        layer.forward(&x, &mut out);
        least = least.min(start.elapsed().as_secs_f64());
    }
    (2 * tokens * INPUTS * OUTPUTS) as f64 / least.max(1e-9)
}

/// Seconds that a segment of a network is expected to take on this pool; `None` where the network's work
/// is unknown. Takes some milliseconds.
pub fn expected_seconds(spec: &Spec, precision: Precision) -> Option<f64> {
    let single = product_rate(Precision::Single);
    let fast = match precision {
        Precision::Single => single,
        Precision::Fast => product_rate(Precision::Fast),
    };
    spec.seconds(single, fast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_a_processor() {
        let rate = product_rate(Precision::Single);
        assert!((1e8..1e15).contains(&rate), "{rate}");
        let spec = Spec::triangle(vec!["a".into()], 1000);
        assert_eq!(expected_seconds(&spec, Precision::Single), None, "no work is known");
    }

    /// For the figures of [`super::super::Effort`]: `--ignored --nocapture`.
    #[test]
    #[ignore = "prints the machine's rate"]
    fn print_rates() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        for precision in [Precision::Single, Precision::Fast] {
            let rates = [(); 5].map(|()| pool.install(|| product_rate(precision)) / 1e9);
            println!("{precision:?}: {rates:.1?} GFLOP/s");
        }
    }
}
