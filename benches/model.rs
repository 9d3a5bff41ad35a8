//! Benchmark of the model: `cargo bench --bench model -- [--profile] [--fast] [--threads N,…]
//! [MODEL]`.
//!
//! Prints seconds per segment, the real-time factor, the share of the machine's peak for matrix
//! products, and the peak memory. Also prints the time until a new process has loaded the model.
//! The peak for products is measured in the same run with a third-party library. `--profile` adds
//! the time of each part, and `--fast` selects the fast precision. Without MODEL, the installed
//! model is used. `--serve` is for `peers.py`, `--load` for this program itself.

#![expect(clippy::print_stdout, reason = "the table is the result")]

mod cost;
mod memory;
mod parts;
mod serve;

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use cost::Costs;
use partita::model::{
    self, Device, Precision, Separator,
    kernels::{
        operand::ProductKind,
        product::{Mat, MatMut, Parallelism, Update, product},
    },
};
use parts::Parts;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Distance of segments, as a fraction of their length (overlap 0.25).
const STRIDE: f64 = 0.75;

/// The command line's options.
#[derive(Default)]
struct Arguments {
    profile: bool,
    serve: bool,
    load: bool,
    precision: Precision,
    device: Device,
    threads: Vec<usize>,
    model: Option<PathBuf>,
}

impl Arguments {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self::default();
        let mut words = words.filter(|word| word != "--bench");
        while let Some(word) = words.next() {
            match word.as_str() {
                "--profile" => arguments.profile = true,
                "--fast" => arguments.precision = Precision::Fast,
                "--device" => {
                    let name = words.next().context("--device: expected a name")?;
                    arguments.device = name.parse().map_err(|e| anyhow!("--device: {e}"))?;
                }
                "--serve" => arguments.serve = true,
                "--load" => arguments.load = true,
                "--threads" => {
                    let list = words.next().context("--threads: expected numbers")?;
                    let numbers = list.split(',').map(str::parse).collect::<Result<_, _>>();
                    arguments.threads = numbers.context("--threads: expected numbers")?;
                }
                flag if flag.starts_with("--") => bail!("unknown option {flag}"),
                _ => arguments.model = Some(word.into()),
            }
        }
        if arguments.threads.is_empty() {
            let all = std::thread::available_parallelism()?.get();
            arguments.threads = if all == 1 { vec![1] } else { vec![1, all] };
        }
        Ok(arguments)
    }

    fn model(&self) -> PathBuf {
        self.model.clone().unwrap_or_else(installed_model)
    }

    /// The pool with the maximum number of threads.
    fn pool(&self) -> Result<ThreadPool> {
        pool(self.threads.iter().copied().max().unwrap_or(0))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let pool = arguments.pool()?;
    let network =
        pool.install(|| model::load(&arguments.model(), arguments.device, arguments.precision))?;
    if arguments.serve {
        return serve::serve(&*network, &pool);
    }
    if arguments.load {
        std::io::stdout().write_all(b"!")?;
        // Skips the deallocation of the network, which is not part of the measurement.
        std::process::exit(0);
    }
    let bench = Bench::new(network, &arguments)?;
    let peak = bench.print_table(&arguments.threads)?;
    if arguments.profile {
        let parts = Parts::listen()?;
        let run = || pool.install(|| bench.segment());
        parts.print(pool.current_num_threads(), &bench.costs, peak, run)?;
    }
    println!("\nA new process loads the model in {:.2} s (file in the page cache).", {
        load_seconds(&arguments)?
    });
    Ok(())
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// A network and the inputs of its measurement.
struct Bench {
    network: Box<dyn Separator>,
    costs: Costs,
    mix: Vec<f32>,
    /// The kind of products in the kernels on this CPU.
    products: &'static str,
}

impl Bench {
    fn new(network: Box<dyn Separator>, arguments: &Arguments) -> Result<Self> {
        let spec = network.spec();
        let mix = noise(spec.channels * spec.segment_frames);
        let products = ProductKind::for_precision(arguments.precision).name();
        Ok(Self { costs: Costs::of_file(&arguments.model())?, mix, network, products })
    }

    /// Number of runs, of which the fastest counts; fewer for a large network.
    fn runs(&self) -> usize {
        if self.costs.total() > 1e12 { 1 } else { 3 }
    }

    fn segment(&self) -> Result<()> {
        self.network.separate(&self.mix)?;
        Ok(())
    }

    /// Prints a row for each number of threads; returns the peak of the last one.
    fn print_table(&self, threads: &[usize]) -> Result<f64> {
        let spec = self.network.spec();
        let seconds = spec.segment_frames as f64 / f64::from(spec.sample_rate);
        println!(
            "Segments of {seconds:.2} s, {} stems, {:.0} GFLOP. Tokens are multiplied as {}.\n",
            spec.sources.len(),
            self.costs.total() / 1e9,
            self.products
        );
        println!(
            "| threads | s/segment | × real time | GFLOP/s | product peak | share | peak memory |"
        );
        println!("|---|---|---|---|---|---|---|");
        let (mut peak, mut times) = (0.0, Vec::new());
        for &threads in threads {
            let pool = pool(threads)?;
            let before = pool.install(product_peak);
            let best = best_of(self.runs(), || pool.install(|| self.segment()))?;
            peak = before.max(pool.install(product_peak));
            let rate = self.costs.total() / best / 1e9;
            let memory = memory::high_water_mark("self")
                .map_or_else(|| "?".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
            println!(
                "| {threads} | {best:.2} | {:.2} | {rate:.0} | {peak:.0} | {:.0} % | {memory} |",
                seconds * STRIDE / best,
                100.0 * rate / peak,
            );
            times.push((threads, best));
        }
        if let (Some((few, slow)), Some((many, fast))) = (times.first(), times.last())
            && few != many
        {
            println!("\n{many} threads are {:.2} times as fast as {few}.", slow / fast);
        }
        Ok(peak)
    }
}

/// Path of the model in the data folder, which `PARTITA_HOME` moves.
fn installed_model() -> PathBuf {
    partita::engine::default_home().unwrap_or_default().join("models/htdemucs.safetensors")
}

/// Seeded white noise (xorshift); the duration does not depend on the samples.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// Seconds of the fastest of some runs, after a warm-up run.
fn best_of(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = Duration::MAX;
    for run in 0..=runs {
        let start = Instant::now();
        work()?;
        if run > 0 {
            best = best.min(start.elapsed());
        }
    }
    Ok(best.as_secs_f64())
}

/// GFLOP/s of a matrix product that fits into the caches, on the threads of the pool.
fn product_peak() -> f64 {
    const N: usize = 1024;
    let (lhs, rhs, mut dst) = (noise(N * N), noise(N * N), vec![0.0; N * N]);
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        product(
            MatMut::new(&mut dst, N, N, N),
            Update::Set,
            Mat::new(&lhs, N, N, N),
            Mat::new(&rhs, N, N, N),
            Parallelism::Rayon(0),
        );
        best = best.min(start.elapsed().as_secs_f64());
    }
    2.0 * (N * N * N) as f64 / best / 1e9
}

/// Seconds from the start of a process of this program until the model is loaded, for the fastest
/// of some runs.
fn load_seconds(arguments: &Arguments) -> Result<f64> {
    let program = std::env::current_exe()?;
    best_of(5, || {
        let mut child = Command::new(&program);
        child.arg("--load").arg(arguments.model()).stdout(Stdio::piped());
        child.arg("--device").arg(arguments.device.to_string());
        if arguments.precision == Precision::Fast {
            child.arg("--fast");
        }
        let output = child.output()?;
        if output.stdout != b"!" {
            bail!("a new process could not load the model");
        }
        Ok(())
    })
}
