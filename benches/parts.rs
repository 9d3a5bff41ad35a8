//! Profile of a segment: a listener for the model's spans, and a table of their durations.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer, prelude::*, registry::LookupSpan};

use crate::cost::Costs;

type Times = BTreeMap<&'static str, Duration>;

/// Sums the durations of each span.
#[derive(Clone, Default)]
pub struct Parts(Arc<Mutex<Times>>);

impl Parts {
    /// Starts listening; a process can have only one listener.
    pub fn listen() -> Result<Self> {
        let parts = Self::default();
        let subscriber = tracing_subscriber::registry().with(parts.clone());
        tracing::subscriber::set_global_default(subscriber)
            .context("could not listen to the model's spans")?;
        Ok(parts)
    }

    /// The durations of each part in the fastest of `runs` runs of `work`, after a warm-up.
    fn of_fastest(&self, runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<Times> {
        let mut fastest = Times::new();
        for run in 0..=runs {
            self.take();
            work()?;
            let times = self.take();
            let total = |times: &Times| times.get("segment").copied().unwrap_or_default();
            if run == 1 || (run > 1 && total(&times) < total(&fastest)) {
                fastest = times;
            }
        }
        Ok(fastest)
    }

    fn take(&self) -> Times {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Prints the duration of each part of `work`, which separates one segment; `peak` is the
    /// machine's GFLOP/s on `threads` threads.
    pub fn print(
        &self,
        threads: usize,
        costs: &Costs,
        peak: f64,
        work: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let times = self.of_fastest(3, work)?;
        let total = times.get("segment").copied().unwrap_or_default();
        let mut rows: Vec<_> = times.iter().filter(|(name, _)| **name != "segment").collect();
        rows.sort_by_key(|(_, time)| std::cmp::Reverse(**time));
        println!(
            "\n| part, {threads} threads | ms | share | GFLOP | GFLOP/s | of peak | least MB | GB/s |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let mut rest = total;
        let mut rest_flop = costs.total();
        let names: Vec<&str> = times.keys().copied().collect();
        for (name, time) in rows {
            let cost = costs.of_span(name, &names);
            rest = rest.saturating_sub(*time);
            rest_flop -= cost.flop;
            row(name, *time, total, (cost.flop, cost.bytes), peak);
        }
        row("everything else", rest, total, (rest_flop, f64::NAN), peak);
        row("segment", total, total, (costs.total(), f64::NAN), peak);
        println!(
            "\nGFLOP: products and transforms of the reference's algorithm. Least MB: \
             each part's input,\noutput and weights once, in f32; the real traffic is higher."
        );
        Ok(())
    }
}

fn row(name: &str, time: Duration, total: Duration, (flop, bytes): (f64, f64), peak: f64) {
    let seconds = time.as_secs_f64();
    let share = 100.0 * seconds / total.as_secs_f64();
    let rate = flop / seconds / 1e9;
    let known = |value: f64, decimals: usize| {
        if value.is_finite() && value > 0.0 { format!("{value:.decimals$}") } else { String::new() }
    };
    println!(
        "| {name} | {:.1} | {share:.1} % | {:.1} | {rate:.0} | {:.0} % | {} | {} |",
        1e3 * seconds,
        flop / 1e9,
        100.0 * rate / peak,
        known(bytes / 1e6, 0),
        known(bytes / seconds / 1e9, 1),
    );
}

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
