//! `partita doctor`: what Partita finds on this machine, to look at and to put into a report; with
//! `--measure` also how fast it separates.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::output::{Output, note};
use crate::engine::{
    Compute,
    doctor::{Report, Speed, examine, measure},
    report::save,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Separate two segments of noise first, to see how fast this machine is; estimates of time
    /// start from the result
    #[arg(long)]
    measure: bool,
    /// Also write a report to this file: versions, machine, library in numbers, the log's last
    /// lines; no paths and no names of songs
    #[arg(long, value_name = "FILE")]
    report: Option<std::path::PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    compute: Compute,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let measured = if arguments.measure {
        note("measuring, for some seconds");
        Some(measure(home, compute)?)
    } else {
        None
    };
    let mut report = examine(home);
    report.speed = measured.or(report.speed);
    output.result(&words(&report), &json!(report));
    if let Some(file) = &arguments.report {
        save(home, compute, file)?;
        note(&format!("the report is in {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(report: &Report) -> String {
    let list = |items: &[String]| {
        if items.is_empty() { "none".to_owned() } else { items.join(", ") }
    };
    let speed = |speed: Speed| {
        let Speed { seconds_per_segment, times_real_time } = speed;
        format!("{seconds_per_segment:.2} s a segment, {times_real_time:.1} times real time")
    };
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    format!(
        "Partita {}\nprocessor: {}\nfeatures: {}\nthreads: {}\nmemory: {} of {} free\n\
         sound: {}\nmodel: {}\nspeed: {}\ndata folder: {} ({}; {} free on its disk)",
        report.version,
        report.processor,
        list(&report.cpu_features),
        report.threads,
        gigabytes(report.memory_free_bytes),
        gigabytes(report.memory_bytes),
        list(&report.audio_devices),
        report.model,
        report.speed.map_or_else(|| "not measured yet (doctor --measure)".to_owned(), speed),
        report.home.display(),
        gigabytes(report.home_bytes),
        report.disk_free_bytes.map_or_else(|| "?".to_owned(), gigabytes),
    )
}
