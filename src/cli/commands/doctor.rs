//! `partita doctor`: hardware and software of this machine, for users and bug reports; with
//! `--measure` also the speed of separation.

use std::{path::Path, process::ExitCode};

use serde_json::json;

use crate::{
    cli::output::{Output, note},
    engine::{
        Compute,
        diagnostics::{
            bug_report::save,
            doctor::{DefaultModel, Report, Speed, examine, measure},
        },
        separation::device::verdict::Verdict,
    },
    i18n::{
        fl,
        numbers::{bytes, decimal},
    },
    model::device::Card,
    words,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Measure the speed of this machine first, on two segments of noise; estimates of time start
    /// from the result
    #[arg(long)]
    measure: bool,
    /// Also write a bug report to this file: versions, machine, library in numbers, and the log's
    /// last lines, without paths and names of songs
    #[arg(long, value_name = "FILE")]
    report: Option<std::path::PathBuf>,
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    compute: Compute,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let measured = if arguments.measure {
        note(fl!(cli_measuring));
        Some(measure(home, compute)?)
    } else {
        None
    };
    let mut report = examine(home, compute);
    report.speed = measured.or(report.speed);
    output.result(&text(&report), &json!(report));
    if let Some(file) = &arguments.report {
        save(home, compute, file)?;
        note(&fl!(cli_report_saved, file = file.display().to_string()));
    }
    Ok(ExitCode::SUCCESS)
}

fn model_state(model: &DefaultModel) -> String {
    match model {
        DefaultModel::Installed { name, stems } => {
            fl!(cli_doctor_installed, model = name, stems = stems.join(", "))
        }
        DefaultModel::Missing { name } => fl!(cli_doctor_missing, model = *name),
        DefaultModel::Unusable(problem) => words::problem(problem),
    }
}

fn text(report: &Report) -> String {
    let list = |items: &[String]| {
        if items.is_empty() { fl!(cli_none).to_owned() } else { items.join(", ") }
    };
    let speed = |Speed { seconds_per_segment, times_real_time }| {
        let seconds = decimal(seconds_per_segment, 2);
        fl!(cli_doctor_speed, seconds = seconds, times = decimal(times_real_time, 1))
    };
    let card = |Card { device, name, free_bytes }: &Card| match free_bytes {
        Some(free) => {
            fl!(cli_doctor_card, device = device.to_string(), name = name, free = bytes(*free))
        }
        None => format!("{device} ({name})"),
    };
    let cards: Vec<String> = report.cards.iter().map(card).collect();
    let (free, all) = (bytes(report.memory_free_bytes), bytes(report.memory_bytes));
    let mut lines = vec![
        format!("Partita {}", report.version),
        fl!(cli_doctor_processor, name = &report.processor),
        fl!(cli_doctor_features, names = list(&report.cpu_features)),
        fl!(cli_doctor_threads, count = report.threads),
        fl!(cli_doctor_memory, free = free, all = all),
        fl!(cli_doctor_sound, names = list(&report.audio_devices)),
        match &cards[..] {
            [] => fl!(cli_doctor_no_cards).to_owned(),
            cards => fl!(cli_doctor_cards, names = cards.join(", ")),
        },
        fl!(
            cli_doctor_device,
            device = report.used_device.to_string(),
            choice = report.device.to_string()
        ),
        fl!(cli_doctor_model, state = model_state(&report.model)),
        report.speed.map_or_else(|| fl!(cli_doctor_speed_unknown).to_owned(), speed),
        fl!(
            cli_doctor_home,
            folder = report.home.display().to_string(),
            size = bytes(report.home_bytes),
            free = report.disk_free_bytes.map_or_else(|| "?".to_owned(), bytes)
        ),
    ];
    lines.extend(report.verdicts.iter().map(verdict));
    lines.join("\n")
}

fn verdict(verdict: &Verdict) -> String {
    let Verdict { conditions, model, db, least_db, seconds, processor_seconds } = verdict;
    let (device, db, least) =
        (conditions.device.to_string(), decimal(*db, 1), decimal(*least_db, 0));
    let (seconds, processor) = (decimal(*seconds, 3), decimal(*processor_seconds, 3));
    if verdict.is_taken() {
        fl!(
            cli_doctor_device_taken,
            device = device,
            model = model,
            db = db,
            least = least,
            seconds = seconds,
            processor = processor
        )
    } else {
        fl!(
            cli_doctor_device_not_taken,
            device = device,
            model = model,
            db = db,
            least = least,
            seconds = seconds,
            processor = processor
        )
    }
}
