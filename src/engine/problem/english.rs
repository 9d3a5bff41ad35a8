//! The English texts of problems, for log and JSON.

use std::fmt;

use super::Problem;
use crate::{engine::types::SAMPLE_RATE, model::weights::Catalog};

/// Megabytes of 2^20 bytes, rounded up.
pub fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { .. }
            | Self::Input { .. }
            | Self::Output { .. }
            | Self::NoRoom { .. }
            | Self::Store { .. }
            | Self::Stores { .. }
            | Self::Waveform { .. }
            | Self::Exists(_)
            | Self::ExistsUnasked(_) => self.file_text(to),
            Self::Library { .. }
            | Self::OpenLibrary { .. }
            | Self::NewerLibrary(_)
            | Self::LibraryRebuilt { .. }
            | Self::HomeGone { .. }
            | Self::HomeUnwritable { .. }
            | Self::NoHome
            | Self::OutsideHome { .. }
            | Self::SettingsUnreadable { .. }
            | Self::SettingsSetAside { .. }
            | Self::SettingsInvalid { .. }
            | Self::SettingsUnwritable { .. } => self.library_text(to),
            Self::UnknownSong { .. }
            | Self::NoSuchSong { .. }
            | Self::SeveralSongs { .. }
            | Self::UnknownJob { .. }
            | Self::JobUnreadable { .. }
            | Self::SongRemoved
            | Self::NotRestorable
            | Self::TooManyImports => self.song_text(to),
            Self::NoModel
            | Self::ModelMissing { .. }
            | Self::NoNetwork { .. }
            | Self::ModelBusy
            | Self::OpenedWithoutModel
            | Self::UnknownStem { .. }
            | Self::Chain { .. }
            | Self::UnknownChain { .. }
            | Self::MissingNetwork { .. }
            | Self::NotSeparated
            | Self::Locked
            | Self::NoFastPrecision
            | Self::MemoryLimit { .. }
            | Self::NotNumbers { .. }
            | Self::WaitsForDisk { .. }
            | Self::Loudness { .. }
            | Self::Elsewhere { .. }
            | Self::UnseenSongs { .. } => self.separation_text(to),
            Self::NothingChosen
            | Self::StemIndex { .. }
            | Self::SamePath { .. }
            | Self::Depth { .. }
            | Self::SourceNeeded { .. }
            | Self::DjStem { .. }
            | Self::Manifest { .. }
            | Self::NoShare { .. } => self.export_text(to),
            Self::Folder(problem) => problem.fmt(to),
            Self::Decode(error) => error.fmt(to),
            Self::Model(error) => error.fmt(to),
            Self::Pattern(problem) => problem.fmt(to),
            Self::Device(problem) => problem.fmt(to),
            Self::NoThread { cause } => write!(to, "could not start a thread: {cause}"),
            Self::ThreadEnded => to.write_str("a thread has ended; start Partita again"),
            Self::Internal { doing, cause } => write!(
                to,
                "internal error while {doing}: {cause}. Please save a report (Settings, or `partita \
                 doctor --report`) and send it"
            ),
            Self::Cancelled => to.write_str("cancelled"),
            Self::Recorded { text } => to.write_str(text),
        }
    }
}

impl Problem {
    /// Problems of files and disks.
    fn file_text(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { action, path, cause } => {
                write!(to, "could not {action} {}: {cause}", path.display())
            }
            Self::Input { path, cause, .. } => {
                write!(to, "could not read {}: {cause}", path.display())
            }
            Self::Output { path, cause } => {
                write!(to, "could not write {}: {cause}; choose another folder", path.display())
            }
            Self::NoRoom { path, needed, free, advice } => write!(
                to,
                "could not write {}: {} MB are needed, {} MB are free{advice}",
                path.display(),
                megabytes(*needed),
                megabytes(*free)
            ),
            Self::Store { path, fault } => {
                write!(to, "could not read {}: {fault}", path.display())
            }
            Self::Stores { cause } => write!(to, "could not read the song's stores: {cause}"),
            Self::Waveform { cause } => write!(to, "could not draw the waveform: {cause}"),
            Self::Exists(paths) => write!(to, "{}", Existing(paths)),
            Self::ExistsUnasked(paths) => {
                write!(to, "{}; use --on-exists replace, number or skip", Existing(paths))
            }
            _ => Ok(()),
        }
    }

    /// Problems of the library, the data folder and the settings.
    fn library_text(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library { text, .. } => {
                write!(to, "could not read or write the library: {text}")
            }
            Self::OpenLibrary { path, text, .. } => write!(
                to,
                "could not open the library {}: {text} (is the disk full, or the folder read-only?)",
                path.display()
            ),
            Self::NewerLibrary(version) => write!(
                to,
                "the library was written by a newer Partita (version {version} of its layout); \
                 update this one"
            ),
            Self::LibraryRebuilt { aside, songs } => {
                let [unit, their] = match songs {
                    1 => ["song was", "its"],
                    _ => ["songs were", "their"],
                };
                write!(
                    to,
                    "the library was damaged and was renamed to {}; {songs} {unit} restored with \
                     {their} stems, without {their} jobs",
                    aside.display()
                )
            }
            Self::HomeGone { home } => write!(
                to,
                "the data folder {} is gone; put it back to resume; changes until then are lost",
                home.display()
            ),
            Self::HomeUnwritable { home, cause } => write!(
                to,
                "the data folder {} cannot be written: {cause}; change its permissions, or name \
                 another folder in PARTITA_HOME",
                home.display()
            ),
            Self::NoHome => {
                to.write_str("the system names no data folder; set PARTITA_HOME to one")
            }
            Self::OutsideHome { folder, target } => write!(
                to,
                "{} is a link out of the data folder, to {}; its files were left alone",
                folder.display(),
                target.display()
            ),
            Self::SettingsUnreadable { path, cause } => {
                write!(to, "could not read {}: {cause}; the defaults are used", path.display())
            }
            Self::SettingsSetAside { fault, aside } => write!(
                to,
                "the settings are invalid ({fault}); the file was renamed to {}, and the defaults \
                 are used",
                aside.display()
            ),
            Self::SettingsInvalid { path, fault, cause } => write!(
                to,
                "{} is invalid ({fault}) and could not be renamed ({cause}); the defaults are used",
                path.display()
            ),
            Self::SettingsUnwritable { fault } => {
                write!(to, "could not write the settings: {fault}")
            }
            _ => Ok(()),
        }
    }

    /// Problems of songs and jobs that are looked for.
    fn song_text(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSong { id } => write!(to, "the library has no song {id}"),
            Self::NoSuchSong { name, songs, .. } if songs.is_empty() => write!(
                to,
                "the library has no song \"{name}\": it is empty; add one with `partita add FILE`"
            ),
            Self::NoSuchSong { name, songs, more } => {
                write!(to, "the library has no song \"{name}\"; it has: {}", Listed(songs, *more))
            }
            Self::SeveralSongs { name, songs, more } => write!(
                to,
                "\"{name}\" fits several songs: {}; use the number",
                Listed(songs, *more)
            ),
            Self::UnknownJob { id, known } if known.is_empty() => {
                write!(to, "the library has no job {id}; it has: none")
            }
            Self::UnknownJob { id, known } => {
                write!(to, "the library has no job {id}; it has: {}", joined(known, ", "))
            }
            Self::JobUnreadable { detail } => write!(to, "the job's state is damaged: {detail}"),
            Self::SongRemoved => to.write_str("the song was removed from the library meanwhile"),
            Self::NotRestorable => to.write_str(
                "this song can no longer be restored: its disk space was reclaimed; import the \
                 file again",
            ),
            Self::TooManyImports => to.write_str("too many imports are waiting; try again later"),
            _ => Ok(()),
        }
    }

    /// Problems of models and of separating.
    fn separation_text(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoModel => {
                to.write_str("no model is installed; install it first (`partita model install`)")
            }
            Self::ModelMissing { model } if Catalog::builtin().get(model).is_none() => write!(
                to,
                "the model {model} is not installed; import the file that it came from again"
            ),
            Self::ModelMissing { model } => write!(
                to,
                "the model {model} is not installed; install it first (`partita model install`)"
            ),
            Self::NoNetwork { model } => write!(to, "the model {model} has no network"),
            Self::ModelBusy => to.write_str("a model is being installed already"),
            Self::OpenedWithoutModel => to.write_str("the song was opened without a model"),
            Self::UnknownStem { stem, known } => {
                write!(to, "the model has no stem \"{stem}\"; it has: {}", known.join(", "))
            }
            Self::Chain { path, fault } => {
                write!(to, "the chain {} cannot be used: {fault}", path.display())
            }
            Self::UnknownChain { name, known } => write!(
                to,
                "no model or chain is called \"{name}\"; the chains are: {}",
                known.join(", ")
            ),
            Self::MissingNetwork { stem, makes } => write!(
                to,
                "no installed model makes the stem \"{stem}\"; import a model that makes: {}",
                makes.join(", ")
            ),
            Self::NotSeparated => {
                to.write_str("the song is not completely separated yet; process it first")
            }
            Self::Locked => to.write_str(
                "another Partita is separating this song; this one waits until it has finished",
            ),
            Self::NoFastPrecision => to.write_str(
                "the fast precision needs a processor that multiplies bf16 (AVX-512 BF16); choose \
                 the single precision",
            ),
            Self::MemoryLimit { needed, limit } => write!(
                to,
                "this model needs {} MB of memory; the limit is {} MB; raise it, in the settings or \
                 by --memory",
                megabytes(*needed),
                megabytes(*limit)
            ),
            Self::NotNumbers { segment } => write!(
                to,
                "the model produced NaN or infinite samples in segment {segment}; the weights may \
                 be corrupt: run `partita model verify`"
            ),
            Self::WaitsForDisk { cause } => write!(
                to,
                "the song is paused, because the disk cannot be written: {cause}; then resume it \
                 with `partita process`"
            ),
            Self::Loudness { cause } => write!(to, "could not measure the loudness: {cause}"),
            Self::Elsewhere { host } => write!(to, "{host} is working on it"),
            Self::UnseenSongs { count, line, first } => write!(
                to,
                "could not read {count} songs from this machine (line {line}: {first}), so the \
                 shares cannot be dealt out; put the lengths into the manifest (partita probe), or \
                 mend this machine's view"
            ),
            _ => Ok(()),
        }
    }

    /// Problems of exports and of the sound device.
    fn export_text(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingChosen => to.write_str("nothing is chosen to be exported"),
            Self::StemIndex { stem, stems } => {
                write!(to, "the song has no stem {stem}; it has {stems} stems")
            }
            Self::SamePath { path } => {
                write!(to, "two files would be written to {}", path.display())
            }
            Self::Depth { format, bits } => write!(
                to,
                "{format} keeps {} bits; choose one of these, or WAV",
                joined(bits, " or ")
            ),
            Self::SourceNeeded { path } => write!(
                to,
                "{} was removed or changed: exports of the original at the song's own rate need \
                 it; put it back, or choose {} Hz",
                path.display(),
                SAMPLE_RATE
            ),
            Self::DjStem { stem } => write!(
                to,
                "stems for DJs need drums, bass, other and vocals; this model has no {stem}"
            ),
            Self::Manifest { path, detail } => write!(to, "{}: {detail}", path.display()),
            Self::NoShare { path } => {
                write!(to, "could not read {}: no share was begun there", path.display())
            }
            _ => Ok(()),
        }
    }
}

/// Files that exist.
struct Existing<'a>(&'a [std::path::PathBuf]);

impl fmt::Display for Existing<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = if self.0.len() == 1 { "a file exists" } else { "files exist" };
        let names: Vec<String> = self.0.iter().map(|path| path.display().to_string()).collect();
        write!(to, "{start} already: {}", names.join(", "))
    }
}

/// Some names, and a number of others.
struct Listed<'a>(&'a [String], usize);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0.join(", "))?;
        if self.1 > 0 { write!(to, ", and {} more", self.1) } else { Ok(()) }
    }
}

fn joined(items: &[impl ToString], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use crate::engine::problem::examples;

    #[test]
    fn every_problem_has_a_text_of_its_own() {
        for problem in examples() {
            let text = problem.to_string();
            assert!(!text.is_empty() && !text.contains("  "), "{problem:?}: {text:?}");
            assert!(!text.contains(" { "), "{text}: not written for people");
        }
    }

    #[test]
    fn every_problem_survives_json() {
        for problem in examples() {
            let text = serde_json::to_string(&problem).unwrap();
            let again: crate::engine::problem::Problem = serde_json::from_str(&text).unwrap();
            assert_eq!(again, problem, "{text}");
        }
    }
}
