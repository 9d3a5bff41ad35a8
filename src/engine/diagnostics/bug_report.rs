//! Bug report for developers: the machine, the settings, statistics of the library, and the last
//! lines of the log. Contains no paths and no names of songs.
//!
//! Runs on the calling thread; the log's last lines are collected from all threads.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::doctor;
use crate::engine::{
    library::Library,
    problem::Result,
    separation::memory,
    system::atomic_file::write_atomically,
    types::{Compute, JobState, Song},
};

/// Number of lines kept, and maximum bytes of each.
const LINES: usize = 300;
const LINE_BYTES: usize = 600;

static TAIL: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Log writer that keeps the last lines for reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogTail;

impl io::Write for LogTail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tail = TAIL.lock().unwrap_or_else(PoisonError::into_inner);
        for line in String::from_utf8_lossy(bytes).lines() {
            if tail.len() == LINES {
                tail.pop_front();
            }
            tail.push_back(line.chars().take(LINE_BYTES).collect());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a report to `path`.
///
/// # Errors
/// [`crate::engine::Problem::File`]. Facts that cannot be determined are reported as such.
pub fn save(home: &Path, compute: Compute, path: &Path) -> Result<()> {
    write_atomically(path, text(home, compute).as_bytes())
}

/// Builds the text of the report.
fn text(home: &Path, compute: Compute) -> String {
    let machine = doctor::examine(home, compute);
    let mut text = format!(
        "Partita {} on {} ({})\nprocessor: {} ({})\nthreads: {} of {}\nprecision: {:?}\ndevice: {} ({})\n\
         memory: {} MB of {} MB free, limit: {}\ndisk: {} MB free, {} MB used by Partita\nsound devices: {}\n\
         model: {}\n",
        machine.version,
        std::env::consts::OS,
        std::env::consts::ARCH,
        machine.processor,
        machine.cpu_features.join(", "),
        compute.threads.unwrap_or(machine.threads),
        machine.threads,
        compute.precision,
        machine.used_device,
        machine.device,
        machine.memory_free_bytes >> 20,
        machine.memory_bytes >> 20,
        memory::limit(compute.memory)
            .map_or_else(|| "none".to_owned(), |bytes| format!("{} MB", bytes >> 20)),
        machine.disk_free_bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string()),
        machine.home_bytes >> 20,
        machine.audio_devices.len(),
        without_names(&machine.model.to_string(), home, &[]),
    );
    if let Some(speed) = machine.speed {
        // Writing to a string cannot fail.
        let _always = writeln!(text, "speed: {:.2} s a segment", speed.seconds_per_segment);
    }
    let (mut songs, mut library) = (Vec::new(), String::from("none yet"));
    if Library::file_in(home).exists() {
        library =
            match Library::open(home).and_then(|library| Ok((library.songs()?, library.jobs()?))) {
                Ok((all, jobs)) => {
                    songs = all;
                    let mut states: BTreeMap<String, usize> = BTreeMap::new();
                    for job in jobs {
                        let text = without_names(&state_text(&job.state), home, &songs);
                        *states.entry(text).or_default() += 1;
                    }
                    let states: Vec<String> = states
                        .into_iter()
                        .map(|(state, count)| format!("\n  {count} {state}"))
                        .collect();
                    format!("{} songs; jobs:{}", songs.len(), states.concat())
                }
                Err(e) => without_names(&e.to_string(), home, &[]),
            };
    }
    let _always = write!(text, "library: {library}\n\nlast lines of the log:\n");
    for line in TAIL.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        text.push_str(&without_names(line, home, &songs));
        text.push('\n');
    }
    text
}

fn state_text(state: &JobState) -> String {
    match state {
        JobState::Failed(reason) => format!("failed: {reason}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Removes personal data: the names of songs, and anything that looks like a path.
fn without_names(text: &str, home: &Path, songs: &[Song]) -> String {
    let mut text = text.replace(&*home.to_string_lossy(), "<data folder>");
    for song in songs {
        let number = song.id.0;
        let file = song.path.file_name().unwrap_or_default().to_string_lossy();
        let names = [
            Some(song.path.to_string_lossy().into_owned()),
            Some(file.into_owned()),
            Some(song.title.clone()),
            song.artist.clone(),
            song.album.clone(),
        ];
        for name in names.into_iter().flatten().filter(|name| name.chars().count() > 2) {
            text = text.replace(&name, &format!("<song {number}>"));
        }
    }
    let lines: Vec<String> = text.lines().map(without_paths).collect();
    lines.join("\n")
}

/// Replaces the paths in a line, from a root to the text that ends a path in log messages.
fn without_paths(line: &str) -> String {
    const ENDS: [&str; 5] = [": ", "; ", ", ", "\"", ")"];
    let mut plain = String::new();
    let mut rest = line;
    while let Some(at) = root(rest) {
        plain.push_str(&rest[..at]);
        plain.push_str("<path>");
        let path = &rest[at..];
        let end = ENDS.iter().filter_map(|end| path.find(end)).min().unwrap_or(path.len());
        // The colon after a drive letter does not end the path.
        rest = &path[end.max(1)..];
    }
    plain + rest
}

/// Offset of a path: `/x` or `C:\\x` at the beginning of a word.
fn root(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| {
        let begins = at == 0 || matches!(bytes[at - 1], b' ' | b'"' | b'(' | b'\'' | b'=');
        let next = |by: usize| bytes.get(at + by).copied().unwrap_or(b' ');
        let is_unix = bytes[at] == b'/' && !matches!(next(1), b' ' | b'/');
        let is_windows = bytes[at].is_ascii_alphabetic() && next(1) == b':' && next(2) == b'\\';
        begins && (is_unix || is_windows)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        library::Record,
        problem::Problem,
        separation::options::{Quality, SeparationOptions},
    };

    #[test]
    fn a_report_contains_no_names_and_paths() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        library.adopt(&Record::of_nameless("aabbccddeeff", 7)).unwrap();
        let song = library.songs().unwrap().remove(0);
        let options = SeparationOptions { model: "m".into(), quality: Quality::default() };
        let mut job = library.add_job(song.id, &options, false, &[]).unwrap();
        job.state = JobState::Failed(Problem::Recorded {
            text: "cannot read /home/annabel/My songs/a b.mp3: no such file".into(),
        });
        library.update_job(&job).unwrap();
        io::Write::write(
            &mut LogTail,
            format!(" WARN {} is odd, (/tmp/x y) too\n", song.title).as_bytes(),
        )
        .unwrap();
        let path = home.path().join("report.txt");
        save(home.path(), Compute::default(), &path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("1 songs") && text.contains("failed: cannot read <path>: no such"));
        assert!(text.contains(" WARN <song 1> is odd, (<path>) too"), "{text}");
        for secret in ["annabel", "a b.mp3", "/tmp", &song.title, &*home.path().to_string_lossy()] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(text.contains(env!("CARGO_PKG_VERSION")) && text.contains("processor: "));
    }

    #[test]
    fn keeps_text_that_is_not_a_path() {
        let line = "and/or 3/4 s: C:\\\\Users\\\\Ann\\\\x.wav: is odd / even";
        assert_eq!(without_paths(line), "and/or 3/4 s: <path>: is odd / even");
    }
}
