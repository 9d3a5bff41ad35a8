//! Options for writing files, shared by several subcommands.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    output::{Output, note, tracks_json},
    reason::Reason,
};
use crate::{
    engine::{
        CancelToken, Depth, Problem, Result,
        audio::repitch::{KeySpeed, MOST_CENTS, SPEEDS},
        export::{
            DEFAULT_PATTERN, Exported, FORMATS, Format, NamePattern, OnExists, Part, Place,
            Selection, Settings, ordered,
        },
        separation::chain::{Chain, Tree},
    },
    i18n::{fl, numbers::decimal},
    words,
};

/// Content, place and format of the files.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct FileArguments {
    /// Write one file for each of these stems, separated by commas; `none` for no such file
    /// [default: all that have no parts of their own, or none with --all-but]
    #[arg(long, value_delimiter = ',', value_name = "STEMS")]
    stems: Vec<String>,
    /// Write one file for each of these stems with the song minus the stem. Unlike the sum of the
    /// other stems, the file includes the residual
    #[arg(long, value_delimiter = ',', value_name = "STEMS")]
    all_but: Vec<String>,
    /// Also write the residual: with this file, the stems add up to the song
    #[arg(long)]
    residual: bool,
    /// Also write the sum of the selected stems
    #[arg(long)]
    mix: bool,
    /// Set gains of stems in the mix, in dB, such as `vocals=-3,drums=+1.5,bass=off`; implies --mix
    #[arg(long, value_delimiter = ',', value_name = "STEM=DB", value_parser = parse_gain,
          allow_hyphen_values = true)]
    gain: Vec<(String, f32)>,
    /// Folder for the files
    #[arg(long, default_value = "separated", value_name = "DIR")]
    out: PathBuf,
    /// Pattern of the file names, from {artist} {title} {album} {track} {stem} {model} {file}, and
    /// n in braces for a number; `/` makes a folder
    #[arg(long, default_value = DEFAULT_PATTERN, value_name = "PATTERN",
          value_parser = parse_pattern)]
    name: NamePattern,
    /// File format: wav, flac, alac, mp3, opus, stem (a .stem.mp4 for DJ programs), or dawproject
    #[arg(long, default_value = "wav", value_parser = parse_format)]
    format: &'static Format,
    /// Bits of a sample: source, 16, 24 or 32f
    #[arg(long, default_value = "source", value_parser = parse_depth)]
    depth: Chosen<Depth>,
    /// Sample rate in Hz: source, or a number
    #[arg(long, default_value = "source", value_parser = parse_rate)]
    rate: Chosen<u32>,
    /// Change of the key of all files in semitones, such as -2 or +1.5, at the same speed [default: 0]
    #[arg(long, value_name = "SEMITONES", allow_hyphen_values = true, value_parser = parse_key)]
    key: Option<i32>,
    /// Speed of all files, 0.5 to 1.5, in the same key [default: 1]
    #[arg(long, value_name = "FACTOR", value_parser = parse_speed)]
    speed: Option<f32>,
    /// Loudness of the mix in LUFS, such as -14; the other files get the same gain
    #[arg(long, value_name = "LUFS", allow_hyphen_values = true, value_parser = parse_loudness)]
    loudness: Option<f32>,
    /// Limit peaks of the mix, instead of lowering the level of all files
    #[arg(long)]
    limiter: bool,
    /// Action if a file already exists: ask, skip, number, or replace
    #[arg(long, default_value = "ask", value_parser = parse_on_exists)]
    on_exists: OnExists,
}

/// A value chosen by the user; `None` for the song's own.
#[derive(Clone, Copy, Debug)]
struct Chosen<T>(Option<T>);

impl FileArguments {
    /// The selected content, given the stems `sources`.
    ///
    /// # Errors
    /// A stem does not exist, a loudness is set without a mix, or a gain is set for a stem outside
    /// the mix.
    pub(super) fn selection(&self, chain: &Chain) -> anyhow::Result<Selection> {
        let (tree, explain) = (&chain.tree, |problem| chain.explain(problem));
        let has_none = matches!(self.stems.as_slice(), [only] if only == "none");
        let stems = match &self.stems[..] {
            _ if has_none => Vec::new(),
            [] if !self.all_but.is_empty() => Vec::new(),
            stems => Selection::of_stems(tree, stems).map_err(explain)?.stems,
        };
        ordered(tree, &self.all_but).map_err(explain)?; // rejects a wrong name before the separation
        let mix = (self.mix || !self.gain.is_empty()).then(|| self.parts(tree, &stems));
        if mix.is_none() && (self.loudness.is_some() || self.limiter) {
            anyhow::bail!(Reason::new(|| fl!(cli_mix_needed)));
        }
        let all_but = self.all_but.clone();
        Ok(Selection { stems, all_but, residual: self.residual, mix: mix.transpose()? })
    }

    /// The parts of the mix with their gains: the selected stems, or all stems.
    fn parts(&self, tree: &Tree, stems: &[String]) -> anyhow::Result<Vec<Part>> {
        let sources = tree.names();
        let all = || tree.leaves().into_iter().map(|stem| sources[stem].clone()).collect();
        let stems = if stems.is_empty() { all() } else { stems.to_vec() };
        let mut gains = Vec::new();
        for (stem, gain) in &self.gain {
            let named = ordered(tree, std::slice::from_ref(stem))?;
            let is_mixed = |index: &usize| stems.contains(&sources[*index]);
            let Some(index) = named.into_iter().find(is_mixed) else {
                let mixed = stems.join(", ");
                anyhow::bail!(Reason::new(|| fl!(cli_gain_unmixed, stem = stem, mixed = &mixed)));
            };
            gains.push((&sources[index], *gain));
        }
        let part = |stem: &String| {
            let gain = gains.iter().rev().find(|(name, _)| *name == stem);
            Part { stem: stem.clone(), gains: [gain.map_or(1.0, |(_, gain)| *gain); 2] }
        };
        Ok(stems.iter().map(part).collect())
    }

    /// Overrides one option from a line of a manifest. The field is named like the option, with `_`
    /// for `-`.
    ///
    /// # Errors
    /// The option does not exist or does not accept the value; the error is a text.
    pub(super) fn with(mut self, option: &str, value: &str) -> Result<Self, String> {
        let list = || value.split(',').map(|item| item.trim().to_owned()).collect();
        let switch = || match value.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(fl!(expected_choice, choices = "`true`", last = "`false`")),
        };
        match option {
            "stems" => self.stems = list(),
            "all_but" => self.all_but = list(),
            "residual" => self.residual = switch()?,
            "mix" => self.mix = switch()?,
            "gain" => self.gain = value.split(',').map(parse_gain).collect::<Result<_, _>>()?,
            "format" => self.format = parse_format(value)?,
            "depth" => self.depth = parse_depth(value)?,
            "rate" => self.rate = parse_rate(value)?,
            "key" => self.key = Some(parse_key(value)?),
            "speed" => self.speed = Some(parse_speed(value)?),
            "loudness" => self.loudness = Some(parse_loudness(value)?),
            "limiter" => self.limiter = switch()?,
            _ => {
                let fields = "path, seconds, track, name, folder, stems, all_but, residual, mix, \
                              gain, format, depth, rate, key, speed, loudness, limiter";
                return Err(fl!(expected_field, fields = fields));
            }
        }
        Ok(self)
    }

    /// The folder of all files.
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    /// The place for the files of a song whose relative folder is `folder`.
    pub(super) fn place(&self, folder: &Path) -> Place {
        Place { folder: self.out.join(folder), pattern: self.name.clone() }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            format: self.format,
            depth: self.depth.0,
            rate: self.rate.0,
            key_speed: KeySpeed::new(self.key.unwrap_or(0), self.speed.unwrap_or(1.0)),
            loudness_lufs: self.loudness,
            limiter: self.limiter,
            on_exists: self.on_exists,
        }
    }
}

/// Reports the written files and the notes on them. `source` is the song's length in frames and its
/// warning, if known.
pub(super) fn report(
    song: &str,
    exported: &Exported,
    source: Option<(u64, Option<String>)>,
    output: &Output,
) {
    let db = decimal(exported.gain_db.abs().into(), 2);
    if exported.gain_db < 0.0 {
        note(&fl!(cli_turned_down, song = song, db = db));
    } else if exported.gain_db > 0.0 {
        note(&fl!(cli_turned_up, song = song, db = db));
    }
    for text in exported.notes.0.iter().map(words::note) {
        note(&format!("{song}: {text}"));
    }
    let lines: Vec<String> = exported.files.iter().map(|(_, f)| f.display().to_string()).collect();
    let mut json = json!({
        "file": song,
        "files": tracks_json(&exported.files),
        "gain_db": exported.gain_db,
        "notes": exported.notes.texts(),
    });
    if let Some((frames, warning)) = source {
        json["frames"] = frames.into();
        json["warning"] = warning.into();
    }
    output.result(&lines.join("\n"), &json);
}

/// Cancels on Ctrl-C within one segment, without leaving partial files; a second Ctrl-C exits at
/// once.
pub(super) fn cancel_on_signal() -> anyhow::Result<CancelToken> {
    let cancel = CancelToken::default();
    let token = cancel.clone();
    ctrlc::set_handler(move || {
        if token.is_cancelled() {
            std::process::exit(130);
        }
        token.cancel();
    })?;
    Ok(cancel)
}

/// Finishes the current segment on a signal, within the grace period of cluster schedulers before
/// they kill. A second signal cancels at once, and a third exits.
pub(super) fn end_on_signal() -> anyhow::Result<CancelToken> {
    const GRACE: std::time::Duration = std::time::Duration::from_secs(14);
    let cancel = CancelToken::default();
    let token = cancel.clone();
    ctrlc::set_handler(move || {
        if token.is_cancelled() {
            std::process::exit(130);
        }
        if token.is_ending() {
            token.cancel();
        }
        token.end_within(GRACE);
    })?;
    Ok(cancel)
}

/// Runs `work`; if files already exist, asks the user and runs it again.
///
/// # Errors
/// The errors of `work`; [`Problem::ExistsUnasked`] without a terminal to ask on.
pub(super) fn asking<T>(
    settings: &Settings,
    mut work: impl FnMut(&Settings) -> Result<T>,
) -> Result<T> {
    match work(settings) {
        Err(Problem::Exists(paths)) => {
            let on_exists = ask(&paths)?;
            work(&Settings { on_exists, ..settings.clone() })
        }
        result => result,
    }
}

fn ask(paths: &[PathBuf]) -> Result<OnExists> {
    if !std::io::stdin().is_terminal() {
        return Err(Problem::ExistsUnasked(paths.to_vec()));
    }
    note(&words::problem(&Problem::Exists(paths.to_vec())));
    loop {
        let mut answer = String::new();
        let mut out = std::io::stderr();
        let asked = write!(out, "{} ", fl!(cli_ask_exists)).and_then(|()| out.flush());
        let read = asked.and_then(|()| std::io::stdin().read_line(&mut answer));
        return match (read, answer.trim()) {
            (Err(_) | Ok(0), _) | (_, "c" | "cancel") => Err(Problem::Cancelled),
            (_, "r" | "replace") => Ok(OnExists::Replace),
            (_, "n" | "number") => Ok(OnExists::Number),
            (_, "s" | "skip") => Ok(OnExists::Skip),
            _ => continue,
        };
    }
}

fn parse_pattern(text: &str) -> Result<NamePattern, String> {
    NamePattern::new(text).map_err(|problem| words::pattern_problem(&problem))
}

fn parse_format(text: &str) -> Result<&'static Format, String> {
    let ids = || FORMATS.iter().map(|format| format.id).collect::<Vec<_>>().join(", ");
    Format::find(text).ok_or_else(|| fl!(expected_one_of, choices = ids()))
}

fn parse_depth(text: &str) -> Result<Chosen<Depth>, String> {
    match text {
        "source" => Ok(Chosen(None)),
        "16" => Ok(Chosen(Some(Depth::Int16))),
        "24" => Ok(Chosen(Some(Depth::Int24))),
        "32f" => Ok(Chosen(Some(Depth::Float32))),
        _ => Err(fl!(expected_choice, choices = "source, 16, 24", last = "32f")),
    }
}

fn parse_rate(text: &str) -> Result<Chosen<u32>, String> {
    const RATES: std::ops::RangeInclusive<u32> = 8_000..=384_000;
    match text.parse() {
        _ if text == "source" => Ok(Chosen(None)),
        Ok(rate) if RATES.contains(&rate) => Ok(Chosen(Some(rate))),
        _ => {
            let [least, most] = [RATES.start(), RATES.end()].map(ToString::to_string);
            Err(fl!(expected_rate, least = least, most = most))
        }
    }
}

/// Parses semitones into cents.
fn parse_key(text: &str) -> Result<i32, String> {
    match text.parse::<f64>().map(|semitones| (100.0 * semitones).round()) {
        Ok(cents) if cents.abs() <= f64::from(MOST_CENTS) => Ok(cents as i32),
        _ => Err(fl!(expected_between, least = "-12.5", most = "12.5")),
    }
}

fn parse_speed(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(speed) if SPEEDS.contains(&speed) => Ok(speed),
        _ => Err(fl!(expected_between, least = "0.5", most = "1.5")),
    }
}

fn parse_loudness(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(lufs) if (-70.0..=0.0).contains(&lufs) => Ok(lufs),
        _ => Err(fl!(expected_between, least = "-70", most = "0")),
    }
}

fn parse_on_exists(text: &str) -> Result<OnExists, String> {
    match text {
        "ask" => Ok(OnExists::Ask),
        "skip" => Ok(OnExists::Skip),
        "number" => Ok(OnExists::Number),
        "replace" => Ok(OnExists::Replace),
        _ => Err(fl!(expected_choice, choices = "ask, skip, number", last = "replace")),
    }
}

/// Parses `vocals=-3`, `drums=+1.5` or `bass=off` into a stem and its linear gain.
fn parse_gain(text: &str) -> Result<(String, f32), String> {
    const MOST_DB: f32 = 40.0;
    let (stem, db) = text.split_once('=').ok_or(fl!(expected_gain))?;
    let gain = match db.trim().trim_end_matches("dB").trim() {
        "off" | "-inf" => 0.0,
        db => match db.parse::<f32>() {
            Ok(db) if db <= MOST_DB && !db.is_nan() => 10f32.powf(db / 20.0),
            _ => return Err(fl!(expected_decibels, most = MOST_DB.to_string())),
        },
    };
    Ok((stem.trim().to_owned(), gain))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        files: FileArguments,
    }

    fn sources() -> Vec<String> {
        ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
    }

    fn chain() -> Chain {
        Chain::new("x".into(), Vec::new(), Tree::flat(&sources(), None), Vec::new())
    }

    fn selection(words: &[&str]) -> anyhow::Result<Selection> {
        let line = Line::try_parse_from([&["x"], words].concat())?;
        line.files.selection(&chain())
    }

    #[test]
    fn the_chosen_format_is_written() {
        assert_eq!(selection(&[]).unwrap().stems, sources());
        let one = selection(&["--all-but", "vocals"]).unwrap();
        assert_eq!((one.stems.len(), one.all_but), (0, vec!["vocals".to_owned()]));
        let both = selection(&["--all-but", "vocals", "--stems", "bass", "--residual"]).unwrap();
        assert_eq!((both.stems, both.residual), (vec!["bass".to_owned()], true));
        let mix = selection(&["--stems", "none", "--gain", "vocals=-20,bass=off"]).unwrap();
        let gains: Vec<f32> = mix.mix.unwrap().iter().map(|part| part.gains[0]).collect();
        assert_eq!(gains, [1.0, 0.0, 1.0, 0.1]);
        assert!(mix.stems.is_empty());
    }

    #[test]
    fn senseless_combinations_are_refused() {
        for words in [
            &["--stems", "kazoo"][..],
            &["--all-but", "kazoo"],
            &["--gain", "kazoo=3"],
            &["--stems", "bass", "--gain", "vocals=-3"],
            &["--gain", "vocals"],
            &["--gain", "vocals=loud"],
            &["--gain", "vocals=NaN"],
            &["--loudness", "-14"],
            &["--mix", "--loudness", "3"],
            &["--limiter"],
            &["--format", "wma"],
            &["--depth", "12"],
            &["--rate", "1"],
            &["--key", "13"],
            &["--key", "NaN"],
            &["--speed", "0.4"],
            &["--speed", "fast"],
            &["--name", "{stems}"],
            &["--on-exists", "hope"],
        ] {
            assert!(selection(words).is_err(), "{words:?}");
        }
        assert!(selection(&["--mix", "--loudness", "-14", "--limiter"]).is_ok());
    }

    #[test]
    fn key_and_speed_are_read_from_options_and_manifests() {
        let line = |words: &[&str]| Line::try_parse_from([&["x"], words].concat()).unwrap().files;
        assert!(line(&[]).settings().key_speed.is_plain());
        let both = line(&["--key", "-2.25", "--speed", "0.9"]);
        assert_eq!(both.settings().key_speed, KeySpeed::new(-225, 0.9));
        assert_eq!(line(&["--key", "+3"]).settings().key_speed, KeySpeed::new(300, 1.0));
        let changed = both.with("key", "1").unwrap().with("speed", "1.25").unwrap();
        assert_eq!(changed.settings().key_speed, KeySpeed::new(100, 1.25));
    }
}
