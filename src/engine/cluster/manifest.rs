//! Manifest of songs: one path per line, CSV with a header, or JSON Lines.
//!
//! Parses text without accessing songs. Every error names its line. Unknown fields of a line are
//! options, which the caller checks.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::escaped;
use crate::engine::{
    problem::{Problem, Result},
    system::digest::digest_of,
};

/// Maximum length of a manifest in bytes: a million songs with long paths.
const MOST_BYTES: u64 = 1 << 30;

/// Fields about a failed song in a file of failures, which is also a valid manifest.
const REMARKS: [&str; 4] = ["reason", "temporary", "line", "state"];

/// Name of the field for [`Entry::track`].
const TRACK: &str = "track";

/// A song of a manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Line number, from 1.
    pub line: usize,
    /// Path of the song's file, as written in the line.
    pub path: PathBuf,
    /// Length in seconds, if stated.
    pub seconds: Option<f64>,
    /// Audio track of the file, from 1; `None` is the default track.
    pub track: Option<usize>,
    /// Name for the song's output files.
    pub name: Option<String>,
    /// Folder below the root folder of results.
    pub folder: Option<String>,
    /// All other fields by name.
    pub options: BTreeMap<String, String>,
}

/// All songs in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// Songs, each once.
    pub entries: Vec<Entry>,
    /// Digest of the songs, their names and options, but not of their lengths.
    pub digest: String,
    /// Lines that repeat a song, each with the line that named it first.
    pub again: Vec<(usize, usize)>,
}

impl Manifest {
    /// Reads a manifest from a file, or from standard input if `path` is `-`.
    ///
    /// # Errors
    /// [`Problem::Input`]; [`Problem::Manifest`] with the line.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = |error| Problem::input(path, error);
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
        } else {
            let file = std::fs::File::open(path).map_err(cannot)?;
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
        };
        read.map_err(cannot)?;
        if bytes.len() as u64 > MOST_BYTES {
            let detail = format!("the file is too long; the limit is {MOST_BYTES} bytes");
            return Err(Problem::Manifest { path: path.to_owned(), detail });
        }
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let ending = extension.to_ascii_lowercase();
        Self::read(&bytes, &ending)
            .map_err(|detail| Problem::Manifest { path: path.to_owned(), detail })
    }

    /// Parses a manifest. `ending` is the file extension; if it is unknown, the text decides.
    ///
    /// # Errors
    /// Returns a message with the line number.
    pub fn read(bytes: &[u8], ending: &str) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let is_object = bytes.trim_ascii_start().starts_with(b"{");
        let entries = match ending {
            "jsonl" | "ndjson" | "json" => of_json_lines(bytes),
            "csv" => of_csv(bytes),
            _ if is_object => of_json_lines(bytes),
            _ if has_csv_header(bytes) => of_csv(bytes),
            _ => of_paths(bytes),
        }?;
        Self::of_entries(entries)
    }

    /// Creates a manifest of these songs.
    ///
    /// # Errors
    /// Returns a message for an invalid length.
    pub fn of_entries(mut entries: Vec<Entry>) -> Result<Self, String> {
        let mut known = HashMap::new();
        let mut again = Vec::new();
        entries.retain(|entry| match known.insert(entry.identity(), entry.line) {
            Some(first) => {
                known.insert(entry.identity(), first);
                again.push((entry.line, first));
                false
            }
            None => true,
        });
        for entry in &entries {
            if entry.seconds.is_some_and(|seconds| !(0.0..1e7).contains(&seconds)) {
                return Err(at(entry.line, "invalid length in seconds"));
            }
        }
        let identities: Vec<String> = entries.iter().map(Entry::identity).collect();
        let digest = digest_of(identities.iter().map(String::as_str));
        Ok(Self { entries, digest, again })
    }
}

impl Entry {
    /// Content of the line except for the length; equal for equal songs.
    pub fn identity(&self) -> String {
        let path = escaped(&self.path);
        let mut options = self.options.clone();
        // Stored among the options, so that lines without a track have the identities of earlier
        // versions.
        options.extend(self.track.map(|track| (TRACK.to_owned(), track.to_string())));
        let fields = (&path, &self.name, &self.folder, &options);
        serde_json::to_string(&fields).unwrap_or(path)
    }

    /// Sets a field of a line; an empty value is ignored.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        if value.is_empty() || REMARKS.contains(&name.as_str()) {
            return Ok(());
        }
        match name.as_str() {
            "path" => self.path = value.into(),
            "seconds" => {
                let seconds = value.trim().parse();
                let wrong =
                    |_| at(self.line, format!("expected a number of seconds, found \"{value}\""));
                self.seconds = Some(seconds.map_err(wrong)?);
            }
            TRACK => {
                let wrong = |message| at(self.line, format!("track: {message}"));
                self.track = Some(parse_track(value).map_err(wrong)?);
            }
            "name" => self.name = Some(value.into()),
            "folder" => self.folder = Some(value.into()),
            _ => drop(self.options.insert(name, value.into())),
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        if self.path.as_os_str().is_empty() {
            return Err(at(self.line, "the field \"path\" is missing"));
        }
        Ok(self)
    }
}

/// Parses the number of an audio track, from 1.
///
/// # Errors
/// Returns a message for anything else.
pub fn parse_track(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(track @ 1..) => Ok(track),
        _ => Err(format!("expected the number of an audio track, from 1; found \"{text}\"")),
    }
}

/// Prefixes a message with its line number.
pub fn at(line: usize, message: impl std::fmt::Display) -> String {
    format!("line {line}: {message}")
}

fn of_paths(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (index, text) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line = index + 1;
        if text.contains(&0) {
            return Err(at(line, "this is binary data, not a list of songs"));
        }
        let path = path_of(text).map_err(|message| at(line, message))?;
        entries.push(Entry { line, path, ..Entry::default() });
    }
    Ok(entries)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere paths are Unicode")]
fn path_of(bytes: &[u8]) -> Result<PathBuf, &'static str> {
    Ok(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<PathBuf, &'static str> {
    std::str::from_utf8(bytes).map(PathBuf::from).map_err(|_| "the path is not UTF-8")
}

/// Whether the first line is a header: names without folders or spaces, one of them `path`.
fn has_csv_header(bytes: &[u8]) -> bool {
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Ok(first) = std::str::from_utf8(first) else { return false };
    let mut names = first.split(',').map(|name| name.trim().trim_matches('"'));
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphabetic() || "_-".contains(c));
    names.clone().all(is_name) && names.any(|name| name.eq_ignore_ascii_case("path"))
}

fn of_csv(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_owned).collect(),
        Err(error) => return Err(at(1, message_of(&error))),
    };
    if !names.iter().any(|name| name.trim().eq_ignore_ascii_case("path")) {
        return Err(at(1, "the header lacks \"path\""));
    }
    let mut entries = Vec::new();
    let mut record = csv::ByteRecord::new();
    let mut lines = Lines { bytes, at: 0, line: 1 };
    loop {
        let line = lines.after_blank_ones(reader.position());
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(entries),
            Err(error) => return Err(at(line, message_of(&error))),
            Ok(true) => {}
        }
        let mut entry = Entry { line, ..Entry::default() };
        for (name, field) in names.iter().zip(&record) {
            if name.trim().eq_ignore_ascii_case("path") {
                entry.path = path_of(field).map_err(|message| at(line, message))?;
            } else {
                let text = std::str::from_utf8(field);
                entry.set(name, text.map_err(|_| at(line, format!("{name} is not UTF-8")))?)?;
            }
        }
        entries.push(entry.checked()?);
    }
}

/// Line counter; the CSV reader reports the position of a record before it skips blank lines.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn after_blank_ones(&mut self, position: &csv::Position) -> usize {
        let end = (position.byte() as usize).min(self.bytes.len());
        let is_blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let end = end + self.bytes[end..].iter().take_while(is_blank).count();
        let passed = self.bytes.get(self.at..end).unwrap_or_default();
        for &byte in passed {
            self.line += usize::from(byte == b'\n');
        }
        self.at = end;
        self.line
    }
}

fn message_of(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the line has {len} fields; the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8".into(),
        _ => error.to_string(),
    }
}

fn of_json_lines(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (index, text) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line = index + 1;
        let object = match serde_json::from_slice(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                return Err(at(line, "expected one JSON object per line"));
            }
            Err(error) => {
                return Err(at(line, format!("invalid JSON: {error}")));
            }
        };
        let mut entry = Entry { line, ..Entry::default() };
        for (name, value) in &object {
            if let Some(text) =
                text_of(value).map_err(|message| at(line, format!("{name} {message}")))?
            {
                entry.set(name, &text)?;
            }
        }
        entries.push(entry.checked()?);
    }
    Ok(entries)
}

/// Converts a value to its CSV text; `None` for an empty one.
fn text_of(value: &Value) -> Result<Option<String>, String> {
    Ok(match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some("true".into()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            let texts: Vec<String> = values
                .iter()
                .map(text_of)
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .flatten()
                .collect();
            Some(texts.join(","))
        }
        Value::Object(_) => return Err("is an object; expected a text, a number or a list".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ending: &str) -> Result<Vec<Entry>, String> {
        Manifest::read(text.as_bytes(), ending).map(|manifest| manifest.entries)
    }

    fn paths(text: &str, ending: &str) -> Vec<String> {
        let entries = read(text, ending).unwrap().into_iter();
        entries.map(|entry| entry.path.display().to_string()).collect()
    }

    #[test]
    fn a_line_may_hold_any_path() {
        let text = "/a/one.wav\r\n\n  two words, and a comma.mp3\n#3.flac\n日本.ogg";
        let found = ["/a/one.wav", "  two words, and a comma.mp3", "#3.flac", "日本.ogg"];
        assert_eq!(paths(text, "txt"), found);
        assert_eq!(paths(text, ""), found);
        assert_eq!(read(text, "").unwrap()[1].line, 3);
        assert!(read("", "txt").unwrap().is_empty());
        assert!(read("ab\nRIFF\0\0", "").unwrap_err().starts_with("line 2"));
    }

    #[test]
    fn csv_has_names_lengths_and_options() {
        let text = "path,seconds,name,stems,folder\n\
                    \"/a/one, two.wav\",12.5,First,\"vocals,drums\",x/y\n/a/b.wav,,,,\n";
        let entries = read(text, "").unwrap();
        assert_eq!(entries[0].path, Path::new("/a/one, two.wav"));
        assert_eq!((entries[0].seconds, entries[0].line), (Some(12.5), 2));
        assert_eq!(entries[0].name.as_deref(), Some("First"));
        assert_eq!(entries[0].options["stems"], "vocals,drums");
        assert_eq!(entries[1], Entry { line: 3, path: "/a/b.wav".into(), ..Entry::default() });
        assert_eq!(paths("\u{feff}Path\nx.wav\n", ""), ["x.wav"]);
    }

    #[test]
    fn json_lines_support_the_same_fields() {
        let text = r#"{"path": "a.wav", "seconds": 3, "stems": ["vocals", "bass"], "mix": true}

            {"path": "b.wav", "all-but": "vocals", "residual": false, "reason": "it was damaged"}"#;
        let entries = read(text, "").unwrap();
        assert_eq!(entries[0].options["stems"], "vocals,bass");
        assert_eq!((entries[0].seconds, entries[0].options["mix"].as_str()), (Some(3.0), "true"));
        assert_eq!(
            (entries[1].line, entries[1].options.len()),
            (3, 1),
            "remarks must not become options"
        );
        assert_eq!(entries[1].options["all_but"], "vocals");
    }

    #[test]
    fn errors_name_their_line() {
        for (text, ending, message) in [
            ("path,seconds\na.wav,1\nb.wav,long\n", "", "line 3: expected a number of seconds"),
            (
                "path,seconds\na.wav,1\nb.wav,1,2\n",
                "",
                "line 3: the line has 3 fields; the header has 2",
            ),
            ("path,seconds\na.wav,-1\n", "", "line 2: invalid length"),
            ("path,seconds\na.wav,NaN\n", "", "line 2: invalid length"),
            ("file,seconds\na.wav,1\n", "csv", "line 1: the header lacks \"path\""),
            ("path,seconds\n\n,1\n", "csv", "line 3: the field \"path\" is missing"),
            ("{\"path\": \"a\"}\n{\"path\": \n", "", "line 2: invalid JSON"),
            ("{\"path\": \"a\"}\n[1]\n", "", "line 2: expected one JSON object"),
            ("{\"path\": {}}", "", "line 1: path is an object"),
            ("{\"seconds\": 1}", "", "line 1: the field \"path\" is missing"),
        ] {
            let error = read(text, ending).unwrap_err();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }

    #[test]
    fn two_tracks_of_a_file_are_two_songs() {
        let text = "path,track\na.mkv,1\na.mkv,2\na.mkv,\na.mkv, 2\n";
        let manifest = Manifest::read(text.as_bytes(), "").unwrap();
        let tracks: Vec<_> = manifest.entries.iter().map(|entry| entry.track).collect();
        assert_eq!((tracks, manifest.again), (vec![Some(1), Some(2), None], vec![(5, 3)]));
        let entries = read(r#"{"path": "a.mkv", "track": 3}"#, "").unwrap();
        assert_eq!((entries[0].track, entries[0].options.len()), (Some(3), 0));
        for wrong in ["0", "-1", "1.5", "two"] {
            let error = read(&format!("path,track\na.mkv,{wrong}\n"), "").unwrap_err();
            assert!(error.starts_with("line 2: track: expected the number"), "{error}");
        }
    }

    #[test]
    fn a_song_that_is_named_twice_is_one() {
        let manifest = Manifest::read(b"a.wav\nb.wav\na.wav\n", "").unwrap();
        assert_eq!((manifest.entries.len(), manifest.again), (2, vec![(3, 1)]));
        let named = Manifest::read(b"path,name\na.wav,x\na.wav,y\n", "").unwrap();
        assert_eq!(named.entries.len(), 2, "two names mean two sets of files");
    }

    #[test]
    fn lengths_do_not_change_the_digest() {
        let digest = |text: &str| Manifest::read(text.as_bytes(), "").unwrap().digest;
        assert_eq!(digest("path,seconds\na.wav,1\n"), digest("a.wav\n"));
        assert_ne!(digest("a.wav\n"), digest("b.wav\n"));
    }

    /// These digests divide the shares and name their records.
    #[test]
    fn digests_match_those_of_earlier_versions() {
        let text =
            "path,name,folder,stems,mix\na.wav,,,,\nb\u{e9}.wav,x,y/z,\"vocals,bass\",true\n";
        let manifest = Manifest::read(text.as_bytes(), "csv").unwrap();
        assert_eq!(manifest.digest, "8f71929a24c51a0cc3eba3e3baef8184");
    }
}
