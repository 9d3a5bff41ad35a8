//! `partita separate --manifest`: a share of an archive, for engines of clusters.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{
    cli::{
        RESUME, TrackArguments,
        inputs::{Inputs, manifest_of},
        output::{Output, Progress, note, tracks_json},
        output_options::{FileArguments, end_on_signal},
    },
    engine::{
        Compute,
        cluster::{
            Entry, Manifest, Run, STATE, Shard, ShardEvent, Song, Summary, lengths,
            manifest::at,
            record::Record,
            shard::{basis, shares},
        },
        export::{OnExists, numbered, safe_file_name},
        problem::Class,
        separation::{
            batch::{Batch, Request},
            installed::InstalledModel,
            options::Quality,
        },
        system::{atomic_file::base_name, limits},
    },
    i18n::{fl, numbers::decimal},
};

/// For `--help`.
pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes: 0 all is done; 75 start it again (a signal or a full disk stopped it, or what failed may \
succeed later); 1 something cannot be done (a manifest's other songs are); 2 wrong usage.\n\
SIGTERM: the segment in hand is finished and synced, within 20 seconds; a next run goes on from it.";

/// Exit code of wrong usage, as clap has it.
const WRONG: u8 = 2;

/// What makes an archive of it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ArchiveArguments {
    /// Songs to separate: a path a line, CSV with a header, or JSON Lines; `-` for standard input. Of
    /// path, seconds, track, name, folder, and options of the files such as stems and format
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    manifest: Option<PathBuf>,
    /// Only this share of the songs, such as 3/8: shares have nearly the same length, and every machine
    /// tells the same ones by itself
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Skip what is complete, and go on where an earlier run ended; so it is with a manifest or a share
    #[arg(long)]
    resume: bool,
    /// Separate anew what is complete
    #[arg(long, conflicts_with = "resume")]
    no_resume: bool,
    /// Where half-done songs lie; in the folder of the files by default, where every machine can go on
    /// with them
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Where songs that failed are listed, with the reason; it is a manifest too. Beside the files by
    /// default
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
}

impl ArchiveArguments {
    pub(in crate::cli) fn is_wanted(&self) -> bool {
        self.manifest.is_some() || self.shard.is_some() || self.resume
    }

    fn shard(&self) -> Shard {
        self.shard.unwrap_or_default()
    }

    fn failures(&self, out: &Path) -> PathBuf {
        let Shard { index, count } = self.shard();
        let name = match count {
            1 => "failures.jsonl".to_owned(),
            _ => format!("failures-{index}-of-{count}.jsonl"),
        };
        self.failures.clone().unwrap_or_else(|| out.join(name))
    }
}

/// The arguments of an archive.
pub(in crate::cli) struct Wanted<'a> {
    pub(in crate::cli) about: &'a ArchiveArguments,
    pub(in crate::cli) files: &'a [PathBuf],
    pub(in crate::cli) track: &'a TrackArguments,
    pub(in crate::cli) written: &'a FileArguments,
}

pub(in crate::cli) fn run(
    arguments: &Wanted<'_>,
    (model, quality): (InstalledModel, Quality),
    compute: Compute,
    home: &Path,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let about = arguments.about;
    let mut manifest = match manifest(arguments, output)? {
        Ok(manifest) => manifest,
        Err(code) => return Ok(code),
    };
    arguments.track.complete(&mut manifest.entries);
    for (line, first) in &manifest.again {
        note(&fl!(cli_repeated_line, line = line.to_string(), first = first.to_string()));
    }
    let wanted = match wanted(&manifest.entries, arguments.written, &model) {
        Ok(wanted) => wanted,
        Err(error) => {
            output.error(&format!("{error:#}"));
            return Ok(ExitCode::from(WRONG));
        }
    };
    let cancel = end_on_signal()?;
    let shard = about.shard();
    if shard.count > 1 {
        match lengths::complete(&mut manifest.entries, &cancel) {
            Err(e) if e.class().is_temporary() || e.is_cancelled() => {
                output.error(&e.to_string());
                return Ok(ExitCode::from(RESUME));
            }
            completed => completed?,
        }
    }
    let told: Vec<(String, Option<f64>)> =
        manifest.entries.iter().map(|entry| (entry.identity(), entry.seconds)).collect();
    say_what_is_dealt_out(compute);
    let batch = Batch::new(model, quality, compute, home)?;
    let out = arguments.written.out();
    let all_songs = manifest.entries.len();
    let shares = shares(&told, shard.count).into_iter();
    let mut songs: Vec<Song> = manifest
        .entries
        .into_iter()
        .zip(wanted)
        .zip(shares)
        .filter(|(_, share)| share + 1 == shard.index)
        .map(|((entry, request), _)| Song::new(entry, request, &batch, out))
        .collect();
    // The longest first: what is long and comes last is waited for by all.
    let seconds = |song: &Song| song.entry.seconds.unwrap_or(0.0);
    songs.sort_by(|a, b| seconds(b).total_cmp(&seconds(a)));
    let state = out.join(STATE);
    let run = Run {
        batch: &batch,
        out,
        state: &state,
        work: &about.work.clone().unwrap_or_else(|| state.join("work")),
        failures: &about.failures(out),
        shard,
        resumes: !about.no_resume,
    };
    let record =
        Record { manifest: manifest.digest, basis: basis(&told), all_songs, ..Record::default() };
    let mut teller = Teller { output, shown: None, since: Instant::now() };
    let summary = match run.run(&songs, record, &cancel, &mut |news| teller.tell(&news)) {
        // Not even what failed can be written down.
        Err(error) if error.class() == Class::WaitForDisk => {
            output.error(&error.to_string());
            return Ok(ExitCode::from(RESUME));
        }
        summary => summary?,
    };
    teller.end(shard, &summary, run.failures);
    Ok(match summary {
        summary if summary.is_to_be_resumed() => ExitCode::from(RESUME),
        Summary { failed: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The manifest that is named, or one of the named files and folders. Where that is impossible, the
/// error is reported, and the result is the exit code.
fn manifest(arguments: &Wanted<'_>, output: &Output) -> anyhow::Result<Result<Manifest, ExitCode>> {
    let Some(path) = &arguments.about.manifest else {
        let inputs = Inputs::new(arguments.files, output);
        if inputs.any_failed {
            // Every machine has to see the same songs, so nothing is begun with some of them.
            return Ok(Err(ExitCode::FAILURE));
        }
        return Ok(Ok(manifest_of(inputs.songs)?));
    };
    Ok(Manifest::open(path).map_err(|error| {
        output.error(&error.to_string());
        ExitCode::from(if error.class().is_temporary() { RESUME } else { WRONG })
    }))
}

/// What is wanted of each song: names that no other has, on any file system, in the manifest's order.
fn wanted(
    entries: &[Entry],
    written: &FileArguments,
    model: &InstalledModel,
) -> anyhow::Result<Vec<Request>> {
    let mut taken = HashSet::new();
    let mut wanted = Vec::with_capacity(entries.len());
    for entry in entries {
        let wrong = |words: &str| anyhow::anyhow!(at(entry.line, words));
        let mut own = written.clone();
        for (option, value) in &entry.options {
            let with = own.with(option, value);
            own = with.map_err(|words| wrong(&format!("{option}: {words}")))?;
        }
        let settings = own.settings();
        if matches!(settings.on_exists, OnExists::Skip | OnExists::Number) {
            bail!(
                "with a manifest, names are fixed: --on-exists is ask, which lists the song as failed, \
                   or replace"
            );
        }
        let folder = below(entry.folder.as_deref().unwrap_or_default()).map_err(wrong)?;
        let name = entry.name.clone().unwrap_or_else(|| base_name(&entry.path));
        let as_file =
            |name: &str| folder.join(safe_file_name(name)).to_string_lossy().to_lowercase();
        let free = numbered(&name, "").find(|name| taken.insert(as_file(name)));
        let selection =
            own.selection(&model.stems()).with_context(|| format!("line {}", entry.line))?;
        wanted.push(Request {
            file: entry.path.clone(),
            track: entry.track,
            called: free.unwrap_or(name),
            selection,
            place: own.place(&folder),
            settings,
        });
    }
    Ok(wanted)
}

/// A folder below another, of names that every system takes.
fn below(folder: &str) -> Result<PathBuf, &'static str> {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => Some(safe_file_name(&name.to_string_lossy())),
        _ => None,
    };
    let parts = Path::new(folder).components().filter(|part| !matches!(part, Component::CurDir));
    let parts: Option<PathBuf> = parts.map(part).collect();
    parts.ok_or("folder: it is one below the folder of all results, such as rock/1994")
}

/// Says what this process takes of the machine, and who dealt it out.
fn say_what_is_dealt_out(compute: Compute) {
    let threads = if let Some(threads) = compute.threads {
        fl!(cli_threads_given, count = threads)
    } else {
        let dealt = limits::threads();
        fl!(cli_threads_found, count = dealt.amount, origin = dealt.from)
    };
    let memory = match (compute.memory, limits::memory()) {
        (Some(asked), dealt) if dealt.is_none_or(|dealt| asked <= dealt.amount) => {
            fl!(cli_memory_given, megabytes = asked >> 20)
        }
        (_, Some(dealt)) => {
            fl!(cli_memory_found, megabytes = dealt.amount >> 20, origin = dealt.from)
        }
        (_, None) => fl!(cli_memory_unlimited).into(),
    };
    note(&format!("{threads}, {memory}"));
}

/// Tells people, or machines, what happens.
struct Teller<'a> {
    output: &'a Output,
    shown: Option<(Progress, Option<(usize, usize)>)>,
    since: Instant,
}

impl Teller<'_> {
    fn tell(&mut self, news: &ShardEvent<'_>) {
        match news {
            ShardEvent::Begins(song) => {
                self.since = Instant::now();
                let name = song.request.file.file_name().unwrap_or_default().to_string_lossy();
                self.shown = Some((Progress::new(&name), None));
                self.event("begins", song, json!({}));
            }
            ShardEvent::Progress(song, progress) => {
                let Some((bar, segments)) = &mut self.shown else { return };
                bar.set(&progress.step.to_string(), progress.fraction, progress.seconds_left);
                if progress.segments.is_some() && *segments != progress.segments {
                    *segments = progress.segments;
                    let (done, of) = progress.segments.unwrap_or_default();
                    let left = progress.seconds_left;
                    let more = json!({ "done": done, "of": of, "seconds_left": left });
                    self.event("segment", song, more);
                }
            }
            ShardEvent::Done(song, receipt) => {
                self.shown = None;
                for text in receipt.notes.texts() {
                    note(&format!("{}: {text}", receipt.song));
                }
                let files = receipt.files.iter();
                let files: Vec<(String, PathBuf)> =
                    files.map(|file| (file.name.clone(), file.path.clone())).collect();
                let more = json!({
                    "files": tracks_json(&files), "seconds": receipt.seconds,
                    "segments": receipt.segments, "computed": receipt.computed,
                    "took": receipt.took, "gain_db": receipt.gain_db, "notes": receipt.notes.texts(),
                });
                self.event("done", song, more);
                let seconds = decimal(receipt.took, 1);
                self.words(&fl!(cli_song_done, song = &receipt.song, seconds = seconds));
            }
            ShardEvent::Skipped(song, receipt) => {
                self.shown = None;
                self.event("skipped", song, json!({ "files": receipt.files.len() }));
            }
            ShardEvent::Elsewhere(song, host) => {
                self.event("elsewhere", song, json!({ "host": host }));
                let song = song.request.file.display().to_string();
                note(&fl!(cli_elsewhere, song = song, host = *host));
            }
            ShardEvent::Failed(song, failure) => {
                self.shown = None;
                let more = json!({ "reason": failure.reason, "temporary": failure.temporary });
                self.event("failed", song, more);
                let (line, song) = (failure.line.to_string(), &failure.path);
                let words = if failure.temporary {
                    fl!(cli_song_failed_for_now, line = line, song = song, reason = &failure.reason)
                } else {
                    fl!(cli_song_failed, line = line, song = song, reason = &failure.reason)
                };
                note(&format!("partita: {words}"));
            }
        }
    }

    /// A line for machines.
    fn event(&self, event: &str, song: &Song, more: Value) {
        if !self.output.is_json() {
            return;
        }
        let mut line = json!({
            "event": event, "song": song.request.file.to_string_lossy(), "line": song.entry.line,
            "at": self.since.elapsed().as_secs_f64(),
        });
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        self.output.json_line(&line);
    }

    /// A line for people.
    fn words(&self, words: &str) {
        if !self.output.is_json() {
            self.output.result(words, &Value::Null);
        }
    }

    fn end(&mut self, shard: Shard, summary: &Summary, failures: &Path) {
        self.shown = None;
        let Summary { songs, done, skipped, failed, temporary, left, .. } = summary;
        let mut line = json!({ "event": "ended", "shard": shard.to_string() });
        if let (Some(line), Ok(Value::Object(more))) =
            (line.as_object_mut(), serde_json::to_value(summary))
        {
            line.extend(more);
        }
        let words = fl!(
            cli_share_ended,
            share = shard.to_string(),
            done = *done,
            songs = *songs,
            skipped = *skipped,
            failed = *failed,
            temporary = *temporary,
            left = *left
        );
        self.output.result(&words, &line);
        if let Some(reason) = &summary.stopped {
            note(&fl!(cli_share_stopped, reason = reason));
        }
        if failed + temporary > 0 {
            note(&fl!(cli_failures_listed, file = failures.display().to_string()));
        }
    }
}
