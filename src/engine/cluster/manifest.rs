//! A manifest: which songs there are, as a path a line, CSV with a header, or JSON Lines.
//!
//! Reads text and no songs. Everything that is wrong is told with its line. What it does not know of a
//! line's fields are options, which whoever knows them checks.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::words_of;
use crate::engine::{
    problem::{Problem, Result},
    system::digest::digest_of,
};

/// No manifest is longer: a million songs with long paths.
const MOST_BYTES: u64 = 1 << 30;

/// What is told about a song that failed, in a file of failures, which is a manifest too.
const REMARKS: [&str; 4] = ["reason", "temporary", "line", "state"];

/// The field of [`Entry::track`].
const TRACK: &str = "track";

/// A song of a manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Where it stands, from 1.
    pub line: usize,
    /// The song's file, as the line names it.
    pub path: PathBuf,
    /// Its length, where the line says so.
    pub seconds: Option<f64>,
    /// The audio track of the file, from 1; the default one where it is `None`.
    pub track: Option<usize>,
    /// What its files are called.
    pub name: Option<String>,
    /// The folder below the one of all.
    pub folder: Option<String>,
    /// Everything else, by its name.
    pub options: BTreeMap<String, String>,
}

/// All songs, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// Each once.
    pub entries: Vec<Entry>,
    /// What tells it from others: of its songs, their names and options, not of their lengths.
    pub digest: String,
    /// Lines that name a song again, with the line that named it first.
    pub again: Vec<(usize, usize)>,
}

impl Manifest {
    /// Reads a manifest from a file, or from standard input where that is `-`.
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
            let detail = format!("it is longer than the limit of {MOST_BYTES} bytes");
            return Err(Problem::Manifest { path: path.to_owned(), detail });
        }
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let said = extension.to_ascii_lowercase();
        Self::read(&bytes, &said)
            .map_err(|detail| Problem::Manifest { path: path.to_owned(), detail })
    }

    /// Reads a manifest's text. `ending` is its file's; where that says nothing, the text does.
    ///
    /// # Errors
    /// In words, with the line.
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

    /// A manifest of these songs.
    ///
    /// # Errors
    /// In words, for a length that is none.
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
    /// What the line says, but for the length: the same of the same.
    pub fn identity(&self) -> String {
        let path = words_of(&self.path);
        let mut options = self.options.clone();
        // Among the options, so that lines without it have the identities of earlier versions.
        options.extend(self.track.map(|track| (TRACK.to_owned(), track.to_string())));
        let said = (&path, &self.name, &self.folder, &options);
        serde_json::to_string(&said).unwrap_or(path)
    }

    /// Takes a field of a line; one that is empty says nothing.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        if value.is_empty() || REMARKS.contains(&name.as_str()) {
            return Ok(());
        }
        match name.as_str() {
            "path" => self.path = value.into(),
            "seconds" => {
                let seconds = value.trim().parse();
                let wrong = |_| at(self.line, format!("\"{value}\" is no number of seconds"));
                self.seconds = Some(seconds.map_err(wrong)?);
            }
            TRACK => {
                let wrong = |words| at(self.line, format!("track: {words}"));
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
            return Err(at(self.line, "it names no song: \"path\" is missing"));
        }
        Ok(self)
    }
}

/// Reads the number of an audio track, from 1.
///
/// # Errors
/// In words, for anything else.
pub fn parse_track(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(track @ 1..) => Ok(track),
        _ => Err(format!("expected the number of an audio track, from 1; found \"{text}\"")),
    }
}

/// What is wrong with a line.
pub fn at(line: usize, words: impl std::fmt::Display) -> String {
    format!("line {line}: {words}")
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
            return Err(at(line, "this is no text, so no list of songs"));
        }
        let path = path_of(text).map_err(|words| at(line, words))?;
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
        Err(error) => return Err(at(1, in_words(&error))),
    };
    if !names.iter().any(|name| name.trim().eq_ignore_ascii_case("path")) {
        return Err(at(1, "the header names no \"path\""));
    }
    let mut entries = Vec::new();
    let mut record = csv::ByteRecord::new();
    let mut lines = Lines { bytes, at: 0, line: 1 };
    loop {
        let line = lines.after_blank_ones(reader.position());
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(entries),
            Err(error) => return Err(at(line, in_words(&error))),
            Ok(true) => {}
        }
        let mut entry = Entry { line, ..Entry::default() };
        for (name, field) in names.iter().zip(&record) {
            if name.trim().eq_ignore_ascii_case("path") {
                entry.path = path_of(field).map_err(|words| at(line, words))?;
            } else {
                let text = std::str::from_utf8(field);
                entry.set(name, text.map_err(|_| at(line, format!("{name} is not UTF-8")))?)?;
            }
        }
        entries.push(entry.checked()?);
    }
}

/// Counts lines; the reader says where a record begins before it skips blank ones.
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

fn in_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the header {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".into(),
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
                return Err(at(line, "it is JSON, but no object; one object a line is wanted"));
            }
            Err(error) => {
                return Err(at(line, format!("it is no JSON object on one line: {error}")));
            }
        };
        let mut entry = Entry { line, ..Entry::default() };
        for (name, value) in &object {
            if let Some(text) =
                text_of(value).map_err(|words| at(line, format!("{name} {words}")))?
            {
                entry.set(name, &text)?;
            }
        }
        entries.push(entry.checked()?);
    }
    Ok(entries)
}

/// A value as CSV would write it; `None` for one that says nothing.
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
        Value::Object(_) => return Err("is an object; a text, a number or a list is wanted".into()),
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
    fn a_path_a_line_may_be_any_path() {
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
    fn json_lines_say_the_same() {
        let text = r#"{"path": "a.wav", "seconds": 3, "stems": ["vocals", "bass"], "mix": true}

            {"path": "b.wav", "all-but": "vocals", "residual": false, "reason": "it was damaged"}"#;
        let entries = read(text, "").unwrap();
        assert_eq!(entries[0].options["stems"], "vocals,bass");
        assert_eq!((entries[0].seconds, entries[0].options["mix"].as_str()), (Some(3.0), "true"));
        assert_eq!((entries[1].line, entries[1].options.len()), (3, 1), "remarks are none");
        assert_eq!(entries[1].options["all_but"], "vocals");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, ending, words) in [
            ("path,seconds\na.wav,1\nb.wav,long\n", "", "line 3: \"long\" is no number"),
            ("path,seconds\na.wav,1\nb.wav,1,2\n", "", "line 3: it has 3 fields, the header 2"),
            ("path,seconds\na.wav,-1\n", "", "line 2: invalid length"),
            ("path,seconds\na.wav,NaN\n", "", "line 2: invalid length"),
            ("file,seconds\na.wav,1\n", "csv", "line 1: the header names no \"path\""),
            ("path,seconds\n\n,1\n", "csv", "line 3: it names no song"),
            ("{\"path\": \"a\"}\n{\"path\": \n", "", "line 2: it is no JSON"),
            ("{\"path\": \"a\"}\n[1]\n", "", "line 2: it is JSON, but no object"),
            ("{\"path\": {}}", "", "line 1: path is an object"),
            ("{\"seconds\": 1}", "", "line 1: it names no song"),
        ] {
            let error = read(text, ending).unwrap_err();
            assert!(error.starts_with(words), "{text}: {error}");
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
        assert_eq!(named.entries.len(), 2, "two names, two sets of files");
    }

    #[test]
    fn lengths_do_not_make_it_another_manifest() {
        let digest = |text: &str| Manifest::read(text.as_bytes(), "").unwrap().digest;
        assert_eq!(digest("path,seconds\na.wav,1\n"), digest("a.wav\n"));
        assert_ne!(digest("a.wav\n"), digest("b.wav\n"));
    }

    /// Shares are divided, and their records named, by these digests.
    #[test]
    fn digests_are_those_of_earlier_versions() {
        let text =
            "path,name,folder,stems,mix\na.wav,,,,\nb\u{e9}.wav,x,y/z,\"vocals,bass\",true\n";
        let manifest = Manifest::read(text.as_bytes(), "csv").unwrap();
        assert_eq!(manifest.digest, "8f71929a24c51a0cc3eba3e3baef8184");
    }
}
