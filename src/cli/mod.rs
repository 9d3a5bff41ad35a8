//! The command line: one file per subcommand, and no logic that the engine lacks.
//!
//! Results go to standard output, messages and progress to standard error. Exit codes: 0 on
//! success, 1 after any failure, 2 for wrong usage, and [`RESUME`] for an archive's share to
//! restart.

mod commands;
#[cfg(windows)]
mod console;
mod help;
mod inputs;
mod logging;
mod output;
mod output_options;
mod reason;
mod separation_options;
mod session;
mod usage;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{
    CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::RangedU64ValueParser,
};

use crate::ui;
use crate::{
    engine::{
        self, Preferences, Problem,
        cluster::{Entry, manifest},
        separation::{device::choice::DeviceChoice, installed::DEFAULT, memory},
        settings::Flags,
    },
    i18n::{self, Language, Medium, fl},
    model::{ModelError, Precision, device::is_present, share_weights_in, weights::Catalog},
    words,
};
use commands::{
    add, chain, doctor, export, jobs, list, model, probe, process, progress, report, reset,
    separate, serve,
};
use output::Output;
use reason::Reason;

/// Separate a song into its instruments, on your own computer. Without a subcommand, open the
/// window.
#[derive(Debug, Parser)]
#[command(version, bin_name = "partita", subcommand_precedence_over_arg = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,

    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,

    #[command(flatten)]
    compute: ComputeArguments,

    /// Songs and folders to open in the window
    files: Vec<PathBuf>,
}

/// Options for computing segments, common to all subcommands.
#[derive(Clone, Copy, Debug, clap::Args)]
struct ComputeArguments {
    /// Number of threads for separation [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = at_least_one())]
    threads: Option<usize>,
    /// Precision of products: single, or fast (bf16, where the processor supports it; its stems
    /// differ by about -50 dB) [default: single]
    #[arg(long, global = true, value_parser = parse_precision)]
    precision: Option<Precision>,
    /// Memory that Partita may use, such as 2G; with less, fewer threads separate [default: the
    /// system's limit]
    #[arg(long, global = true, value_name = "BYTES", value_parser = parse_memory)]
    memory: Option<u64>,
    /// Device that computes the networks: auto, cpu, cuda, metal, or a card by number, such as
    /// cuda:1. auto measures the graphics cards once for each model, and takes the quickest one if
    /// it is right and quicker. candle-cpu is the slow, readable reference [default: auto]
    #[arg(long, global = true, value_parser = parse_device)]
    device: Option<DeviceChoice>,
}

impl From<ComputeArguments> for Flags {
    fn from(arguments: ComputeArguments) -> Self {
        let ComputeArguments { threads, precision, memory, device } = arguments;
        Self { threads, precision, memory, device }
    }
}

/// Parses a number that is not zero.
fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Parses `--precision single|fast`.
fn parse_precision(text: &str) -> Result<Precision, String> {
    match text {
        "single" => Ok(Precision::Single),
        "fast" => Ok(Precision::Fast),
        _ => Err(fl!(expected_choice, choices = "`single`", last = "`fast`")),
    }
}

/// Parses `--device cuda:1`. A device that this build or this computer lacks is wrong usage, too.
fn parse_device(text: &str) -> Result<DeviceChoice, String> {
    let choices = "`auto`, `cpu`, `candle-cpu`, `cuda`, `cuda:1`";
    match text.parse() {
        Ok(DeviceChoice::Only(device)) if !is_present(device) => {
            let is_built = device.is_built();
            Err(words::model_error(&ModelError::NoDevice { device, is_built }))
        }
        Ok(choice) => Ok(choice),
        Err(_) => Err(fl!(expected_choice, choices = choices, last = "`metal`")),
    }
}

/// Parses `--memory 2G`.
fn parse_memory(text: &str) -> Result<u64, String> {
    memory::parse(text).map_err(|_| fl!(expected_bytes).to_owned())
}

/// Parses `--track 2`.
fn parse_track(text: &str) -> Result<usize, String> {
    manifest::parse_track(text).map_err(|_| fl!(expected_track).to_owned())
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Separate files into a folder, without a library
    Separate(separate::Arguments),
    /// Print a manifest of songs with their lengths
    Probe(probe::Arguments),
    /// Show the progress of an archive over all its shares
    Report(report::Arguments),
    /// Add files and folders to the library
    Add(add::Arguments),
    /// List the songs of the library
    List,
    /// Separate songs of the library; resume interrupted jobs
    Process(process::Arguments),
    /// Show the progress of a song, or the paths of its tracks and its mix
    Progress(progress::Arguments),
    /// Export separated songs: stems, mixes, files for DJs and DAWs
    Export(export::Arguments),
    /// List the jobs
    Jobs,
    /// Show one job
    Job(jobs::Arguments),
    /// Cancel all jobs and delete all songs, stems and jobs of the library, but never your own
    /// files
    Reset(reset::Arguments),
    /// List, install and verify models
    Model(model::ModelArgs),
    /// List, check and import chains of models
    Chain(chain::Arguments),
    /// Serve the library over HTTP, with a page for browsers on this and other computers
    Serve(serve::Arguments),
    /// Show the hardware and software that Partita finds on this machine, and its speed
    Doctor(doctor::Arguments),
}

/// Subfolder of the data folder for packed weights, which all local processes map.
const WEIGHTS: &str = "packed";

/// Exit code of a share that must be restarted: `EX_TEMPFAIL` of sysexits.h.
const RESUME: u8 = 75;

/// A stem list such as `vocals,drums`.
#[derive(Debug, clap::Args)]
struct StemArguments {
    /// Stems, separated by commas [default: all stems that have no parts of their own]
    #[arg(long, value_delimiter = ',', value_name = "STEMS")]
    stems: Vec<String>,
}

/// `--track N`: the audio track to use of each file.
#[derive(Clone, Copy, Debug, clap::Args)]
struct TrackArguments {
    /// Audio track to use of each file, counted from 1 [default: the file's default track]
    #[arg(long, value_name = "N", value_parser = parse_track)]
    track: Option<usize>,
}

impl TrackArguments {
    /// Sets the track of entries that name none.
    fn complete(self, entries: &mut [Entry]) {
        for entry in entries.iter_mut().filter(|entry| entry.track.is_none()) {
            entry.track = self.track;
        }
    }
}

/// The definition of the command line in English, of which packages make man pages and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Parses the arguments and runs the subcommand, or opens the window without one.
pub fn main() -> ExitCode {
    logging::start();
    engine::system::panics::hush();
    i18n::speak(language());
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => return Output::new(false).end_with_usage(error),
    };
    let output = Output::new(arguments.json);
    let code = run(arguments, &output).unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    });
    output.end(code)
}

/// The language of the settings or the system. Known before the arguments are parsed, for help and
/// errors. The fields of JSON are English in any case.
fn language() -> Language {
    let setting = engine::default_home().ok().and_then(|home| Preferences::stored_language(&home));
    Language::of_setting(setting.as_deref())
}

/// Parses the arguments of the process.
fn parse() -> Result<Arguments, clap::Error> {
    let mut command = help::localised(Arguments::command());
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn run(arguments: Arguments, output: &Output) -> anyhow::Result<ExitCode> {
    let home = engine::default_home()?;
    let flags = Flags::from(arguments.compute);
    if arguments.command.is_none() {
        return open_window(home, flags, arguments.files);
    }
    i18n::write_for(Medium::CommandLine);
    // The window's settings apply here too, unless the command line overrides them.
    let (preferences, notice) = Preferences::load(&home);
    if let Some(notice) = notice {
        output::warn(&words::problem(&notice));
    }
    let compute = flags.compute(&preferences);
    match arguments.command {
        None => Ok(ExitCode::SUCCESS),
        Some(Subcommands::Separate(a)) => separate::run(&a, compute, &preferences, &home, output),
        Some(Subcommands::Probe(a)) => probe::run(&a, output),
        Some(Subcommands::Report(a)) => report::run(&a, output),
        Some(Subcommands::Add(a)) => add::run(a, home, output),
        Some(Subcommands::List) => list::run(&home, output),
        Some(Subcommands::Process(a)) => {
            share_weights(&home);
            process::run(&a, compute, &preferences, &home, output)
        }
        Some(Subcommands::Progress(a)) => progress::run(&a, &home, output),
        Some(Subcommands::Export(a)) => export::run(&a, &preferences, &home, output),
        Some(Subcommands::Jobs) => jobs::list(&home, output),
        Some(Subcommands::Job(a)) => jobs::show(&a, &home, output),
        Some(Subcommands::Reset(a)) => reset::run(&a, home, output),
        Some(Subcommands::Model(a)) => model::run(&a, compute, &preferences, &home, output),
        Some(Subcommands::Chain(a)) => chain::run(&a, &home, output),
        Some(Subcommands::Serve(a)) => {
            share_weights(&home);
            serve::run(a, flags, home, output)
        }
        Some(Subcommands::Doctor(a)) => doctor::run(&a, compute, &home, output),
    }
}

/// Shares packed weights with the other processes of this data folder. Large ones are then mapped from a
/// file instead of copied, and are in the computer's memory once.
fn share_weights(home: &Path) {
    if let Err(e) = share_weights_in(&home.join(WEIGHTS)) {
        tracing::info!("weights are not shared with other processes: {e}");
    }
}

fn open_window(home: PathBuf, flags: Flags, files: Vec<PathBuf>) -> anyhow::Result<ExitCode> {
    #[cfg(windows)]
    console::leave_own();
    let terms =
        Catalog::builtin().get(DEFAULT).map_or_else(String::new, |model| model.terms.clone());
    share_weights(&home);
    let missing: Vec<_> = files.iter().filter(|file| !file.exists()).cloned().collect();
    match ui::run(ui::Options { home, flags, terms, files }) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(ui::Failure::Engine(problem)) => {
            // A user who starts Partita from the desktop does not see standard error.
            ui::alert(&i18n::numbers::capitalised(&words::problem(&problem)));
            Err(problem.into())
        }
        Err(ui::Failure::Served(url)) => {
            output::note(&fl!(cli_served, url = &url));
            for path in &missing {
                let not_found = io::Error::from(io::ErrorKind::NotFound);
                output::note(&words::problem(&Problem::read(path, not_found)));
            }
            Ok(exit_code(!missing.is_empty()))
        }
        Err(ui::Failure::Window(cause)) => {
            Err(Reason::new(|| fl!(cli_no_window, cause = &cause)).into())
        }
    }
}

/// 0 without failures, otherwise 1.
fn exit_code(any_failed: bool) -> ExitCode {
    if any_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn files_open_in_the_window() {
        let arguments = Arguments::try_parse_from(["partita", "a.mp3", "b"]).unwrap();
        assert!(arguments.command.is_none());
        assert_eq!(arguments.files.len(), 2);
        for words in [["partita", "list", "--json"], ["partita", "--json", "list"]] {
            let arguments = Arguments::try_parse_from(words).unwrap();
            assert!(arguments.json && matches!(arguments.command, Some(Subcommands::List)));
        }
    }
}
