//! How fast the model is: `cargo bench --bench model -- [--profile] [MODEL]`.
//!
//! Prints seconds per segment, the real-time factor, the share of the machine's matrix-product peak
//! (measured in the same run) and the memory's high-water mark, for one and for all threads; with
//! `--profile` also the time of each part. Without MODEL, the installed one is used.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use partita::model::{
    Precision, Separator,
    htdemucs::{self, HtDemucs},
    kernels::product::{Mat, MatMut, Parallelism, Update, product},
};
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer, prelude::*, registry::LookupSpan};

/// GFLOP of one segment of the published four-stem network, two for each multiply-add.
const SEGMENT_GFLOP: f64 = 335.0;
/// A new segment starts every three quarters of its length (overlap 0.25).
const STRIDE: f64 = 0.75;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let profile = arguments.iter().any(|argument| argument == "--profile");
    let path = arguments.iter().find(|argument| !argument.starts_with("--"));
    let precision = if arguments.iter().any(|argument| argument == "--fast") {
        Precision::Fast
    } else {
        Precision::Single
    };
    let network = htdemucs::load(&path.map_or_else(installed_model, PathBuf::from), precision)?;
    let spec = network.spec();
    let mix = noise(spec.channels * spec.segment_frames);
    let seconds = spec.segment_frames as f64 / f64::from(spec.sample_rate);

    println!("segment of {seconds:.2} s, {} stems", spec.sources.len());
    println!("threads   s/segment   x real time   GFLOP/s   peak GFLOP/s   share   peak RSS");
    let all = std::thread::available_parallelism()?.get();
    let counts = if all == 1 { vec![1] } else { vec![1, all] };
    for threads in counts {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let before = pool.install(product_peak);
        let best = pool.install(|| best_of(3, &network, &mix))?;
        let peak = before.max(pool.install(product_peak));
        let rate = SEGMENT_GFLOP / best;
        println!(
            "{threads:>7} {best:>11.2} {:>13.2} {rate:>9.0} {peak:>14.0} {:>6.0} % {:>7} MB",
            seconds * STRIDE / best,
            100.0 * rate / peak,
            high_water_mark_mb()
        );
    }
    if profile {
        print_profile(&network, &mix)?;
    }
    Ok(())
}

/// The model in the data folder, which `PARTITA_HOME` moves.
fn installed_model() -> PathBuf {
    let home = std::env::var_os("PARTITA_HOME").map(PathBuf::from).or_else(|| {
        directories::ProjectDirs::from("", "", "partita").map(|dirs| dirs.data_dir().to_owned())
    });
    home.unwrap_or_default().join("models/htdemucs.safetensors")
}

/// White noise of one seed (xorshift); the time does not depend on what is separated.
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

/// Seconds of the fastest of some runs, after one that warms up.
fn best_of(runs: usize, network: &HtDemucs, mix: &[f32]) -> Result<f64> {
    let mut best = Duration::MAX;
    for run in 0..=runs {
        let start = Instant::now();
        network.separate(mix)?;
        if run > 0 {
            best = best.min(start.elapsed());
        }
    }
    Ok(best.as_secs_f64())
}

/// GFLOP/s of a matrix product that fits the caches well, on the threads of the pool.
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

/// The process's largest memory so far, where the system says.
fn high_water_mark_mb() -> String {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.map_or_else(|| "?".to_owned(), |kb| (kb / 1024).to_string())
}

/// Runs a segment with a listener on the model's spans and prints what each took.
fn print_profile(network: &HtDemucs, mix: &[f32]) -> Result<()> {
    let parts = Parts::default();
    let times = Arc::clone(&parts.0);
    let subscriber = tracing_subscriber::registry().with(parts);
    tracing::subscriber::set_global_default(subscriber).context("listening to the model")?;
    network.separate(mix)?;
    let times = times.lock().unwrap_or_else(PoisonError::into_inner);
    let total = times.get("segment").copied().unwrap_or_default().as_secs_f64();
    let mut rows: Vec<_> = times.iter().filter(|(name, _)| **name != "segment").collect();
    rows.sort_by_key(|(_, time)| std::cmp::Reverse(**time));
    println!("\nshare       ms   part, on {} threads", rayon::current_num_threads());
    let mut named = 0.0;
    for (name, time) in rows {
        let time = time.as_secs_f64();
        named += time;
        println!("{:>4.1} % {:>8.1}   {name}", 100.0 * time / total, 1e3 * time);
    }
    let rest = total - named;
    println!("{:>4.1} % {:>8.1}   everything else", 100.0 * rest / total, 1e3 * rest);
    Ok(())
}

/// Adds up how long each span was open.
#[derive(Default)]
struct Parts(Arc<Mutex<BTreeMap<&'static str, Duration>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Parts {
    fn on_enter(&self, id: &span::Id, context: layer::Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Instant::now());
        }
    }

    fn on_exit(&self, id: &span::Id, context: layer::Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(start) = span.extensions().get::<Instant>()
        {
            let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *times.entry(span.name()).or_default() += start.elapsed();
        }
    }
}
