//! The speed of products on this machine, measured in some milliseconds: what an estimate of time starts
//! from before a network has run here.
//!
//! Measures one shape of product; how much longer or shorter the operations of a network take than
//! those, its kind states ([`super::Effort`]). Runs on the rayon pool of the caller.

use std::time::Instant;

use super::{
    Precision, Spec,
    kernels::{
        linear::{Linear, scratch},
        outputs::StoreScaled,
        rows::BLOCK,
    },
};

/// Features of the measured product: few enough that its weights stay in the cache, and in this process.
const INPUTS: usize = 128;
const OUTPUTS: usize = 96;

/// Runs of each thread, of which the fastest counts: others are interrupted by other programs.
const RUNS: usize = 200;

/// Operations per second of products on all threads of this pool together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// In f32.
    pub single: f64,
    /// Of the products that a precision computes in another way than f32, where it does.
    pub wanted: f64,
}

impl Rates {
    /// Measures them for a precision.
    pub fn measure(precision: Precision) -> Self {
        let (weight, bias) = (vec![0.01; INPUTS * OUTPUTS], [0.0; OUTPUTS]);
        let single = on_all_threads(&Linear::plain(&weight, &bias));
        let wanted = Linear::new(&weight, &bias, precision);
        let wanted = if wanted.is_plain() { single } else { on_all_threads(&wanted) };
        Self { single, wanted }
    }

    /// Seconds that a segment of a network is expected to take; `None` where the network's work is
    /// unknown.
    pub fn seconds(self, spec: &Spec) -> Option<f64> {
        spec.seconds(self.single, self.wanted)
    }
}

/// Operations per second. Each thread measures itself while all work, and another program may interrupt
/// one without slowing the others.
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
    fn a_rate_is_that_of_a_processor() {
        let rates = Rates::measure(Precision::Single);
        assert!((1e8..1e15).contains(&rates.single), "{rates:?}");
        let spec = Spec::triangle(vec!["a".into()], 1000);
        assert_eq!(rates.seconds(&spec), None, "no work is known");
    }

    /// For the figures of [`super::super::Effort`]: `--ignored --nocapture`.
    #[test]
    #[ignore = "prints the machine's rates"]
    fn print_rates() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        for precision in [Precision::Single, Precision::Fast] {
            println!("{precision:?}: {:?}", pool.install(|| Rates::measure(precision)));
        }
    }
}
