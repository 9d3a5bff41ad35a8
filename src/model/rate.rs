//! The speed of matrix products on this machine, measured within a few milliseconds. Estimates of
//! time use it before a network has run.
//!
//! Measures one shape of product. The kind of a network states how its operations compare with this
//! product ([`super::Effort`]). Runs on the rayon pool of the caller.

use std::time::Instant;

use super::{
    Precision, Spec,
    kernels::{
        linear::{Linear, scratch},
        outputs::StoreScaled,
        rows::BLOCK,
    },
};

/// Input features of the measured product. The weights are small enough to stay in the cache, and are
/// not shared with other processes.
const INPUTS: usize = 128;
const OUTPUTS: usize = 96;

/// Runs of each thread. The fastest one counts, because other programs interrupt some runs.
const RUNS: usize = 200;

/// Operations per second of products, summed over all threads of the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Products in f32.
    pub single: f64,
    /// Products of the wanted precision; equal to `single` if that computes in f32.
    pub wanted: f64,
}

impl Rates {
    /// Measures the rates for a precision.
    pub fn measure(precision: Precision) -> Self {
        let (weight, bias) = (vec![0.01; INPUTS * OUTPUTS], [0.0; OUTPUTS]);
        let single = on_all_threads(&Linear::plain(&weight, &bias));
        let wanted = Linear::new(&weight, &bias, precision);
        let wanted = if wanted.is_plain() { single } else { on_all_threads(&wanted) };
        Self { single, wanted }
    }

    /// The expected seconds per segment of a network; `None` if the network's work is unknown.
    pub fn seconds(self, spec: &Spec) -> Option<f64> {
        spec.seconds(self.single, self.wanted)
    }
}

/// Operations per second of all threads. Each thread measures its own rate while all work, so that
/// another program that interrupts one thread does not slow down the others.
fn on_all_threads(layer: &Linear) -> f64 {
    let x = vec![0.5; BLOCK * INPUTS];
    let operations = (2 * BLOCK * INPUTS * OUTPUTS) as f64;
    let rates = rayon::broadcast(|_| {
        let (mut out, mut scratch) = (vec![0.0; BLOCK * OUTPUTS], scratch(INPUTS));
        let mut least = f64::INFINITY;
        for _ in 0..RUNS {
            let start = Instant::now();
            let out = StoreScaled { out: &mut out, width: OUTPUTS, scale: 1.0 };
            layer.each(layer.pack(&x, INPUTS, &mut scratch), out);
            least = least.min(start.elapsed().as_secs_f64());
        }
        operations / least.max(1e-9)
    });
    rates.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_plausible_for_a_processor() {
        let rates = Rates::measure(Precision::Single);
        assert!((1e8..1e15).contains(&rates.single), "{rates:?}");
        let spec = Spec::triangle(vec!["a".into()], 1000);
        assert_eq!(rates.seconds(&spec), None, "the work is unknown");
    }

    /// Prints the rates from which the figures of [`super::super::Effort`] are derived. Run with
    /// `--ignored --nocapture`.
    #[test]
    #[ignore = "prints the machine's rates"]
    fn print_rates() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        for precision in [Precision::Single, Precision::Fast] {
            println!("{precision:?}: {:?}", pool.install(|| Rates::measure(precision)));
        }
    }
}
