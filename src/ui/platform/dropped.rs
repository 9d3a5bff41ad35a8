//! Separates models from songs among dropped files and folders. Names decide for most paths; a
//! named thread looks into the rest, because the window never accesses a disk. Neither decodes nor
//! imports anything.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::engine::{audio::decode::extensions, system::threads};

/// Extensions of checkpoints. No audio file has them.
const WEIGHTS: [&str; 6] = ["safetensors", "ckpt", "th", "pt", "pth", "onnx"];
/// Extensions of configurations and of bag descriptions.
const CONFIGS: [&str; 2] = ["yaml", "yml"];
/// Length, in bytes, of the start of a file that identifies a checkpoint.
const START: u64 = 4096;
/// Maximum length of a safetensors header, in bytes.
const LONGEST_HEADER: u64 = 100 << 20;
/// Maximum number of entries examined in a folder.
const MOST_ENTRIES: usize = 1000;

/// A model to import.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The checkpoint, or the description of a bag.
    pub file: PathBuf,
    /// The accompanying configuration.
    pub config: Option<PathBuf>,
}

/// Dropped paths, split into a model and songs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sorted {
    /// The first model among the paths.
    pub model: Option<Model>,
    /// All paths that do not belong to a model.
    pub songs: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Weights,
    Config,
    /// A folder that contains a model.
    Folder(Model),
    Song,
}

/// Splits dropped paths into a model and songs.
pub struct Sorter {
    sender: Sender<Sorted>,
    sorted: Receiver<Sorted>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

impl Sorter {
    /// `waker` is called when a result is available.
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, sorted) = bounded(64);
        Self { sender, sorted, waker }
    }

    /// Sorts `paths` at once where their names suffice. Otherwise returns `None`, and
    /// [`Self::next_sorted`] returns the result later.
    pub fn sort(&self, paths: Vec<PathBuf>) -> Option<Sorted> {
        if paths.iter().all(|path| kind_by_name(path).is_some()) {
            return Some(sort(paths, |_| Kind::Song));
        }
        let (sender, waker) = (self.sender.clone(), Arc::clone(&self.waker));
        let later = paths.clone();
        let started = threads::start("dropped files", move || {
            // The window may be closed by now.
            if sender.send(sort(later, look)).is_ok() {
                waker();
            }
        });
        match started {
            // Detached: a disk that does not answer must not hold up the window.
            Ok(thread) => {
                thread.detach();
                None
            }
            Err(error) => {
                tracing::error!("dropped files are sorted by their names alone: {error}");
                Some(sort(paths, |_| Kind::Song))
            }
        }
    }

    /// The next result of the thread, if there is one.
    pub fn next_sorted(&self) -> Option<Sorted> {
        self.sorted.try_recv().ok()
    }
}

/// Sorts paths by their names, otherwise by `look`.
fn sort(paths: Vec<PathBuf>, look: impl Fn(&Path) -> Kind) -> Sorted {
    let (mut weights, mut config, mut folder, mut songs) = (None, None, None, Vec::new());
    for path in paths {
        match kind_by_name(&path).unwrap_or_else(|| look(&path)) {
            Kind::Weights => drop(weights.get_or_insert(path)),
            Kind::Config => drop(config.get_or_insert(path)),
            Kind::Folder(model) => drop(folder.get_or_insert(model)),
            Kind::Song => songs.push(path),
        }
    }
    let model = match (weights, config) {
        (Some(file), config) => Some(Model { file, config }),
        // The only file is the description of a bag.
        (None, Some(file)) => Some(Model { file, config: None }),
        (None, None) => folder,
    };
    Sorted { model, songs }
}

/// The kind of a file by its name; `None` if only its content can decide.
fn kind_by_name(path: &Path) -> Option<Kind> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if WEIGHTS.contains(&ending.as_str()) {
        Some(Kind::Weights)
    } else if CONFIGS.contains(&ending.as_str()) {
        Some(Kind::Config)
    } else {
        extensions().any(|known| known == ending).then_some(Kind::Song)
    }
}

/// The kind of a file or folder by its content.
fn look(path: &Path) -> Kind {
    if path.is_dir() {
        return model_in(path).map_or(Kind::Song, Kind::Folder);
    }
    if path.is_file() && is_checkpoint(path) { Kind::Weights } else { Kind::Song }
}

/// The model in a folder that has neither songs nor subfolders.
fn model_in(folder: &Path) -> Option<Model> {
    let (mut weights, mut configs) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).ok()?.flatten().take(MOST_ENTRIES) {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            return None;
        }
        match kind_by_name(&path) {
            Some(Kind::Weights) => weights.push(path),
            Some(Kind::Config) => configs.push(path),
            Some(_) => return None,
            None if path.is_file() && is_checkpoint(&path) => weights.push(path),
            None => {}
        }
    }
    weights.sort();
    configs.sort();
    let several = weights.len() > 1;
    let file = weights.into_iter().next()?;
    let mut configs = configs.into_iter();
    match (configs.next(), configs.next()) {
        // Several checkpoints with one description form a bag.
        (Some(bag), None) if several => Some(Model { file: bag, config: None }),
        (Some(config), None) => Some(Model { file, config: Some(config) }),
        // The import selects the configuration that fits.
        _ => Some(Model { file, config: None }),
    }
}

/// Whether a file starts like a safetensors file or a PyTorch checkpoint.
fn is_checkpoint(path: &Path) -> bool {
    let mut start = Vec::new();
    let Ok(file) = File::open(path) else { return false };
    if file.take(START).read_to_end(&mut start).is_err() {
        return false;
    }
    let is_zip = start.starts_with(b"PK\x03\x04");
    if is_zip {
        return start.windows(8).any(|name| name == b"data.pkl");
    }
    // The magic number of PyTorch before 1.6 as a pickled integer.
    if start.starts_with(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") {
        return true;
    }
    let header = start.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
    (2..=LONGEST_HEADER).contains(&header) && start.get(8) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    const SAFETENSORS: &[u8] = b"\x02\0\0\0\0\0\0\0{}";
    const ZIP: &[u8] = b"PK\x03\x04\0\0\0\0archive/data.pkl";

    #[test]
    fn checkpoints_are_known_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, bytes, expected) in [
            ("a.bin", SAFETENSORS, Kind::Weights),
            ("b.bin", ZIP, Kind::Weights),
            ("c", ZIP, Kind::Weights),
            ("d.zip", b"PK\x03\x04\0\0\0\0song.mp3", Kind::Song),
            ("e.bin", b"RIFF", Kind::Song),
            ("f.bin", b"", Kind::Song),
        ] {
            assert_eq!(look(&written(at, name, bytes)), expected, "{name}");
        }
        assert_eq!(look(&at.join("gone.bin")), Kind::Song);
    }

    #[test]
    fn a_folder_with_a_checkpoint_and_no_song_is_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(look(at), Kind::Song);
        let file = written(at, "karaoke.bin", ZIP);
        written(at, "README.md", b"text");
        written(at, ".hidden.mp3", b"");
        assert_eq!(look(at), Kind::Folder(Model { file: file.clone(), config: None }));
        let config = written(at, "config.yaml", b"model: {}");
        assert_eq!(look(at), Kind::Folder(Model { file, config: Some(config.clone()) }));
        written(at, "second.ckpt", ZIP);
        let bag = Model { file: config, config: None };
        assert_eq!(look(at), Kind::Folder(bag));
        written(at, "song.mp3", b"");
        assert_eq!(look(at), Kind::Song);
    }

    #[test]
    fn the_configuration_goes_with_the_checkpoint() {
        let paths = ["a.mp3", "b.YAML", "c.ckpt", "d.th"].map(PathBuf::from);
        let sorted = sort(paths.to_vec(), |_| unreachable!());
        let model = Model { file: "c.ckpt".into(), config: Some("b.YAML".into()) };
        assert_eq!(sorted, Sorted { model: Some(model), songs: vec!["a.mp3".into()] });
        let bag = sort(vec!["b.yaml".into()], |_| unreachable!());
        assert_eq!(bag.model, Some(Model { file: "b.yaml".into(), config: None }));
    }
}
