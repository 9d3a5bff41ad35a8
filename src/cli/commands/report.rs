//! `partita report DIR…`: the progress of an archive over all shares.

use std::{path::PathBuf, process::ExitCode};

use crate::{
    cli::{RESUME, output::Output},
    engine::cluster::report::{Report, Share, report},
    i18n::{
        fl,
        numbers::{bytes, clock, decimal},
    },
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Output folders (`--out`) of `partita separate --manifest`
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Read every file and compare it with its record
    #[arg(long)]
    verify: bool,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &Output) -> anyhow::Result<ExitCode> {
    let report = report(&arguments.folders, arguments.verify)?;
    output.result(&in_words(&report), &serde_json::to_value(&report)?);
    Ok(match report {
        report if report.is_complete() => ExitCode::SUCCESS,
        report if report.is_to_be_resumed() => ExitCode::from(RESUME),
        _ => ExitCode::FAILURE,
    })
}

fn in_words(report: &Report) -> String {
    let Report { songs, done, failed, temporary, remaining, files, .. } = *report;
    let mut lines = vec![
        fl!(
            cli_report_songs,
            songs = songs,
            done = done,
            failed = failed,
            temporary = temporary,
            remaining = remaining
        ),
        fl!(
            cli_report_hours,
            done = decimal(report.hours_done, 2),
            all = decimal(report.hours, 2),
            files = files,
            size = bytes(report.bytes)
        ),
    ];
    if report.speed > 0.0 {
        lines.push(fl!(cli_report_speed, times = decimal(report.speed, 1)));
    }
    if let Some(at) = report.ends_at {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let left = now.map_or(0, |now| at.saturating_sub(now.as_secs()));
        lines.push(fl!(cli_report_ends, time = clock(left)));
    }
    lines.extend(report.shares.iter().map(share));
    if !report.not_begun.is_empty() {
        lines.push(fl!(cli_report_not_started, shares = report.not_begun.join(" ")));
    }
    if report.shares_disagree {
        lines.push(fl!(cli_report_disagree).to_owned());
    }
    let incomplete = report.not_whole.iter().map(|file| file.display().to_string());
    lines.extend(incomplete.map(|file| fl!(cli_report_incomplete, file = file)));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let failures = report.failures.iter();
    lines.extend(failures.map(|failure| {
        fl!(cli_report_failed, file = text(&failure["path"]), reason = text(&failure["reason"]))
    }));
    lines.join("\n")
}

/// A share as a row, with the state padded to the longest one, so that the numbers line up.
fn share(share: &Share) -> String {
    let states = [
        fl!(cli_share_running),
        fl!(cli_share_silent),
        fl!(cli_share_finished),
        fl!(cli_share_interrupted),
    ];
    let wide = states.iter().map(|state| state.chars().count()).max().unwrap_or_default();
    let [running, silent, finished, interrupted] = states;
    let state = match share.state {
        "running" => running,
        "silent" => silent,
        "ended" => finished,
        _ => interrupted,
    };
    fl!(
        cli_report_share,
        share = format!("{:>11}", share.shard),
        state = format!("{state:<wide$}"),
        done = share.done,
        songs = share.songs,
        failed = share.failed,
        times = decimal(share.speed, 1),
        host = &share.host
    )
}
