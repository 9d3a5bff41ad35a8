//! `partita separate --manifest`: one share of an archive, for cluster schedulers.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::bail;
use serde_json::{Value, json};

use crate::{
    cli::{
        RESUME, TrackArguments,
        inputs::{Inputs, manifest_of},
        output::{Output, Progress, note, step_text, tracks_json, warn},
        output_options::{FileArguments, end_on_signal},
        reason::Reason,
    },
    engine::{
        Compute,
        cluster::{
            Entry, Manifest, Run, STATE, Shard, ShardEvent, Song, Stop, Summary, lengths,
            record::Record,
            shard::{basis, shares},
        },
        export::{OnExists, numbered, safe_file_name},
        problem::Class,
        separation::{
            batch::{Batch, Request},
            chain::Chain,
            options::Quality,
        },
        system::{atomic_file::base_name, limits},
    },
    i18n::{self, Language, fl, numbers::decimal},
    words,
};

/// Text at the end of `--help`.
pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes: 0 everything is done; 75 restart this share (a signal or a full disk stopped it, or \
failures may succeed later); 1 songs failed permanently (all others are done); 2 wrong usage.\n\
SIGTERM: the current segment is finished and synced within 20 seconds; the next run resumes \
after it.";

/// Exit code of wrong usage, as in clap.
const WRONG: u8 = 2;

/// Options of an archive.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ArchiveArguments {
    /// Manifest of songs: one path a line, CSV with a header, or JSON Lines; `-` for standard
    /// input. Fields are path, seconds, track, name, folder, and file options such as stems and
    /// format
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    manifest: Option<PathBuf>,
    /// Separate only this share of the songs, such as 3/8; shares have similar lengths, and every
    /// machine computes the same ones
    #[arg(long, value_name = "I/N", value_parser = parse_share)]
    shard: Option<Shard>,
    /// Skip completed songs and resume interrupted ones (default with --manifest or --shard)
    #[arg(long)]
    resume: bool,
    /// Separate completed songs again
    #[arg(long, conflicts_with = "resume")]
    no_resume: bool,
    /// Folder for interrupted songs [default: inside the output folder, where every machine can
    /// resume them]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// File for failed songs with the reasons, which is a manifest too [default: in the output
    /// folder]
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

/// Parses `--shard 3/8`.
fn parse_share(text: &str) -> Result<Shard, String> {
    text.parse().map_err(|_: String| fl!(expected_share).to_owned())
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
    (chain, quality): (Chain, Quality),
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
    let wanted = match wanted(&manifest.entries, arguments.written, &chain) {
        Ok(wanted) => wanted,
        Err(error) => {
            output.error(&error);
            return Ok(ExitCode::from(WRONG));
        }
    };
    let cancel = end_on_signal()?;
    let shard = about.shard();
    if shard.count > 1 {
        match lengths::complete(&mut manifest.entries, &cancel) {
            Err(e) if e.class().is_temporary() || e.is_cancelled() => {
                output.error(&e);
                return Ok(ExitCode::from(RESUME));
            }
            completed => completed?,
        }
    }
    let identities: Vec<(String, Option<f64>)> =
        manifest.entries.iter().map(|entry| (entry.identity(), entry.seconds)).collect();
    say_what_is_dealt_out(compute);
    let batch = Batch::new(chain, quality, compute, home)?;
    let out = arguments.written.out();
    let all_songs = manifest.entries.len();
    let shares = shares(&identities, shard.count).into_iter();
    let mut songs: Vec<Song> = manifest
        .entries
        .into_iter()
        .zip(wanted)
        .zip(shares)
        .filter(|(_, share)| share + 1 == shard.index)
        .map(|((entry, request), _)| Song::new(entry, request, &batch, out))
        .collect();
    // The longest songs first, because a long song at the end would delay the whole archive.
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
    let record = Record {
        manifest: manifest.digest,
        basis: basis(&identities),
        all_songs,
        ..Record::default()
    };
    let mut reporter = Reporter { output, shown: None, since: Instant::now() };
    let summary = match run.run(&songs, record, &cancel, &mut |event| reporter.report(&event)) {
        // The disk is full, so failures cannot be recorded either.
        Err(error) if error.class() == Class::WaitForDisk => {
            output.error(&error);
            return Ok(ExitCode::from(RESUME));
        }
        summary => summary?,
    };
    reporter.end(shard, &summary, run.failures);
    Ok(match summary {
        summary if summary.is_to_be_resumed() => ExitCode::from(RESUME),
        Summary { failed: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The named manifest, or a manifest of the named files and folders. On failure, the error is
/// reported, and the result is the exit code.
fn manifest(arguments: &Wanted<'_>, output: &Output) -> anyhow::Result<Result<Manifest, ExitCode>> {
    let Some(path) = &arguments.about.manifest else {
        let inputs = Inputs::new(arguments.files, output);
        if inputs.any_failed {
            // Every machine has to see the same songs, so a partial list is rejected.
            return Ok(Err(ExitCode::FAILURE));
        }
        return Ok(Ok(manifest_of(inputs.songs)?));
    };
    Ok(Manifest::open(path).map_err(|error| {
        output.error(&error);
        ExitCode::from(if error.class().is_temporary() { RESUME } else { WRONG })
    }))
}

/// Requests for all songs, in the manifest's order, with names that are unique on any file system.
fn wanted(
    entries: &[Entry],
    written: &FileArguments,
    chain: &Chain,
) -> anyhow::Result<Vec<Request>> {
    let mut taken = HashSet::new();
    let mut wanted = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = entry.line.to_string();
        let wrong = |text: &dyn Fn() -> String| {
            anyhow::Error::from(Reason::new(|| fl!(cli_line, line = &line, text = text())))
        };
        let mut own = written.clone();
        for (option, value) in &entry.options {
            let given = own.clone();
            let failure = || given.clone().with(option, value).err().unwrap_or_default();
            own = own
                .with(option, value)
                .map_err(|_| wrong(&|| format!("{option}: {}", failure())))?;
        }
        let settings = own.settings();
        if matches!(settings.on_exists, OnExists::Skip | OnExists::Number) {
            bail!(Reason::new(|| fl!(cli_manifest_exists)));
        }
        let folder = below(entry.folder.as_deref().unwrap_or_default());
        let folder =
            folder.ok_or_else(|| wrong(&|| format!("folder: {}", fl!(expected_folder))))?;
        let name = entry.name.clone().unwrap_or_else(|| base_name(&entry.path));
        let as_file =
            |name: &str| folder.join(safe_file_name(name)).to_string_lossy().to_lowercase();
        let free = numbered(&name, "").find(|name| taken.insert(as_file(name)));
        let selection = own.selection(chain).map_err(|error| {
            let Reason { text, english, .. } = Reason::from(&error);
            let is_english = || i18n::spoken() == Language::english();
            wrong(&|| if is_english() { english.clone() } else { text.clone() })
        })?;
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

/// A relative folder with components that are valid on every system.
fn below(folder: &str) -> Option<PathBuf> {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => Some(safe_file_name(&name.to_string_lossy())),
        _ => None,
    };
    let parts = Path::new(folder).components().filter(|part| !matches!(part, Component::CurDir));
    parts.map(part).collect()
}

/// Prints the threads and the memory that this process uses, and the origin of their limits.
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

/// Reports the events of a share as text or JSON.
struct Reporter<'a> {
    output: &'a Output,
    shown: Option<(Progress, Option<(usize, usize)>)>,
    since: Instant,
}

impl Reporter<'_> {
    fn report(&mut self, event: &ShardEvent<'_>) {
        match event {
            ShardEvent::Begins(song) => {
                self.since = Instant::now();
                let name = song.request.file.file_name().unwrap_or_default().to_string_lossy();
                self.shown = Some((Progress::new(&name), None));
                self.event("begins", song, json!({}));
            }
            ShardEvent::Progress(song, progress) => {
                let Some((bar, segments)) = &mut self.shown else { return };
                bar.set(step_text(progress.step), progress.fraction, progress.seconds_left);
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
                for text in receipt.notes.0.iter().map(words::note) {
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
            ShardEvent::Failed(song, failure, problem) => {
                self.shown = None;
                let more = json!({ "reason": failure.reason, "temporary": failure.temporary });
                self.event("failed", song, more);
                let reason = words::problem_of(&song.request.file, problem);
                let (line, song) = (failure.line.to_string(), &failure.path);
                let words = if failure.temporary {
                    fl!(cli_song_failed_for_now, line = line, song = song, reason = reason)
                } else {
                    fl!(cli_song_failed, line = line, song = song, reason = reason)
                };
                warn(&words);
            }
        }
    }

    /// Prints a JSON line.
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

    /// Prints a line of text.
    fn words(&self, text: &str) {
        if !self.output.is_json() {
            self.output.result(text, &Value::Null);
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
        let text = fl!(
            cli_share_ended,
            share = shard.to_string(),
            done = *done,
            songs = *songs,
            skipped = *skipped,
            failed = *failed,
            temporary = *temporary,
            left = *left
        );
        self.output.result(&text, &line);
        if let Some(stop) = &summary.stopped {
            let reason = match stop {
                Stop::Signal => fl!(cli_stop_signal).to_owned(),
                Stop::Problem(problem) => words::problem(problem),
            };
            note(&fl!(cli_share_stopped, reason = reason));
        }
        if failed + temporary > 0 {
            note(&fl!(cli_failures_listed, file = failures.display().to_string()));
        }
    }
}
