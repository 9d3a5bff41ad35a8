//! `partita doctor`: what Partita finds on this machine, to look at and to put into a report.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use super::output::Output;
use crate::engine::doctor::{Report, examine};

pub(super) fn run(home: &Path, output: &Output) -> ExitCode {
    let report = examine(home);
    output.result(&words(&report), &json!(report));
    ExitCode::SUCCESS
}

fn words(report: &Report) -> String {
    let list = |items: &[String]| {
        if items.is_empty() { "none".to_owned() } else { items.join(", ") }
    };
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    format!(
        "Partita {}\nprocessor: {}\nfeatures: {}\nthreads: {}\nmemory: {} of {} free\n\
         sound: {}\nmodel: {}\ndata folder: {} ({}; {} free on its disk)",
        report.version,
        report.processor,
        list(&report.cpu_features),
        report.threads,
        gigabytes(report.memory_free_bytes),
        gigabytes(report.memory_bytes),
        list(&report.audio_devices),
        report.model,
        report.home.display(),
        gigabytes(report.home_bytes),
        report.disk_free_bytes.map_or_else(|| "?".to_owned(), gigabytes),
    )
}
