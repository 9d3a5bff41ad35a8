//! `partita report DIR…`: how far an archive is, over all shares.

use std::{path::PathBuf, process::ExitCode};

use super::{
    RESUME,
    output::{Output, minutes},
};
use crate::engine::archive::report::{Report, report};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders of results (`--out`) of `partita separate --manifest`
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Read every file, and compare it with what was written down of it
    #[arg(long)]
    verify: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> anyhow::Result<ExitCode> {
    let report = report(&arguments.folders, arguments.verify)?;
    output.result(&in_words(&report), &serde_json::to_value(&report)?);
    Ok(match report {
        report if report.is_complete() => ExitCode::SUCCESS,
        report if report.is_to_be_resumed() => ExitCode::from(RESUME),
        _ => ExitCode::FAILURE,
    })
}

fn in_words(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} songs: {} done, {} failed, {} failed for now, {} remain",
        report.songs, report.done, report.failed, report.temporary, report.remaining
    )];
    lines.push(format!(
        "{:.2} of {:.2} hours of music; {} files, {:.1} GB",
        report.hours_done,
        report.hours,
        report.files,
        report.bytes as f64 / 1e9
    ));
    if report.speed > 0.0 {
        lines.push(format!("at work: {:.1} times real time", report.speed));
    }
    if let Some(at) = report.ends_at {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let left = now.map_or(0, |now| at.saturating_sub(now.as_secs()));
        lines.push(format!("the shares at work end in about {}", minutes(left as f64)));
    }
    for share in &report.shares {
        lines.push(format!(
            "  {:>9}  {:<8} {:>6} of {:>6} done, {} failed, × {:.1}  {}",
            share.shard,
            share.state,
            share.done,
            share.songs,
            share.failed,
            share.speed,
            share.host
        ));
    }
    if !report.not_begun.is_empty() {
        lines.push(format!("not begun: {}", report.not_begun.join(" ")));
    }
    if report.shares_disagree {
        lines.push(
            "the nodes read different lengths, so a song may be in no share: give the lengths in \
             the manifest (`partita probe`)"
                .into(),
        );
    }
    lines.extend(report.not_whole.iter().map(|file| format!("not whole: {}", file.display())));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let failures = report.failures.iter();
    lines.extend(
        failures.map(|it| format!("failed: {}: {}", text(&it["path"]), text(&it["reason"]))),
    );
    lines.join("\n")
}
