//! What the user has set of the program, in a small file in the data folder: read once before the
//! engine starts, written by the engine's thread whenever it changes.
//!
//! Not here: what belongs to a song, which is in the library. Keys that this Partita does not know,
//! such as those of a newer one, are kept.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        problem::{Problem, Result, SettingsFault},
        separation::{
            installed::DEFAULT,
            options::{Defaults, Quality, SeparationOptions},
        },
        system::atomic_file::write_atomically,
        types::Compute,
    },
    model::{Precision, on_one_line},
};

/// The file in the data folder.
const FILE: &str = "settings.toml";

/// Bytes that are read of it; no settings are longer.
const MOST_BYTES: u64 = 1_000_000;

/// The sizes of the interface that are offered, in percent of the usual one.
pub const ZOOMS: [u16; 7] = [80, 90, 100, 120, 140, 170, 200];

/// Limits of memory that can be meant: a megabyte to a petabyte.
const MEMORY: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 50;

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// By what the songs of the library are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// When they were added.
    #[default]
    Added,
    /// Title.
    Title,
    /// Artist, then title.
    Artist,
    /// Length.
    Length,
    /// Running and waiting first, then separated, then the others.
    State,
}

/// Where the window was, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Left and top edge on the desktop; `None` where the system does not say.
    pub position: Option<[f32; 2]>,
    /// Width and height of its contents.
    pub size: [f32; 2],
    /// Whether it fills the screen.
    #[serde(default)]
    pub is_maximized: bool,
}

/// What the command line says: the settings cannot change it until the program ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Threads that separate.
    pub threads: Option<usize>,
    /// What is computed in.
    pub precision: Option<Precision>,
    /// Bytes of memory that Partita may take.
    pub memory: Option<u64>,
}

impl Flags {
    /// How segments are computed: as the command line says, else as the settings do.
    pub fn compute(self, preferences: &Preferences) -> Compute {
        Compute {
            threads: self.threads.or(preferences.threads),
            precision: self.precision.unwrap_or(preferences.precision),
            memory: self.memory.or(preferences.memory),
        }
    }
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// The window's language by its code; the system's when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Dark or light.
    pub theme: Theme,
    /// Size of the interface in percent, 80 to 200.
    pub zoom: u16,
    /// The sound device by its id; the system's choice when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Position of the volume fader, 0 to 1.
    pub volume: f32,
    /// Threads that separate; as many as there are cores when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Bytes of memory that Partita may take; what the system allows when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// What is computed in.
    #[serde(with = "precision")]
    pub precision: Precision,
    /// The model by its name; the catalogue's first when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How thoroughly songs are separated.
    pub quality: Quality,
    /// Whether a song is heard as a draft first, which is then replaced by the better stems.
    pub drafts_first: bool,
    /// An address below which the publishers' weight files are looked for first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Instruments that are ticked in a new song; all when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<Vec<String>>,
    /// By what the library is sorted.
    pub sort: SortKey,
    /// Whether it is sorted the other way round.
    pub is_reversed: bool,
    /// Whether the library is folded away.
    pub library_is_folded: bool,
    /// The song that was shown last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub song: Option<i64>,
    /// Where the window was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowPlace>,
    /// What this Partita does not know.
    #[serde(flatten)]
    pub others: toml::Table,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: None,
            theme: Theme::default(),
            zoom: 100,
            output: None,
            volume: 1.0,
            threads: None,
            memory: None,
            precision: Precision::default(),
            model: None,
            quality: Quality::default(),
            drafts_first: false,
            mirror: None,
            ticks: None,
            sort: SortKey::default(),
            is_reversed: false,
            library_is_folded: false,
            song: None,
            window: None,
            others: toml::Table::new(),
        }
    }
}

impl Preferences {
    /// Reads the settings of the data folder `home`. Whatever is wrong, there are settings: a file
    /// that is invalid gets another name, and the defaults are used. Returns the problem with it.
    pub fn load(home: &Path) -> (Self, Option<Problem>) {
        let path = home.join(FILE);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return (Self::default(), None),
            Err(e) => {
                let problem = Problem::SettingsUnreadable { path, cause: e.into() };
                return (Self::default(), Some(problem));
            }
        };
        let found = if bytes.len() as u64 > MOST_BYTES {
            Err(SettingsFault::TooLarge)
        } else {
            toml::from_slice::<Self>(&bytes)
                .map_err(|e| SettingsFault::Invalid { detail: on_one_line(e.message()) })
        };
        match found {
            Ok(found) => (found.within_bounds(), None),
            Err(fault) => (Self::default(), Some(set_aside(path, fault))),
        }
    }

    /// The language of the stored settings; `None` if they name none or are invalid. Unlike
    /// [`Self::load`], it changes no file, so that it can be called for `--help`.
    pub fn stored_language(home: &Path) -> Option<String> {
        let bytes = read(&home.join(FILE)).ok()?;
        let settings = (bytes.len() as u64 <= MOST_BYTES).then(|| toml::from_slice::<Self>(&bytes));
        settings?.ok()?.language
    }

    /// Writes them, whole or not at all.
    ///
    /// # Errors
    /// [`Problem::File`]; the file is then as it was.
    pub fn save(&self, home: &Path) -> Result<()> {
        let path = home.join(FILE);
        let text = toml::to_string_pretty(self)
            .map_err(|e| SettingsFault::Invalid { detail: e.to_string() })
            .map_err(|fault| Problem::SettingsUnwritable { fault })?;
        if text.len() as u64 > MOST_BYTES {
            return Err(Problem::SettingsUnwritable { fault: SettingsFault::TooLarge });
        }
        write_atomically(&path, text.as_bytes())
    }

    /// What is used for songs of which nothing else is said.
    pub fn defaults(&self) -> Defaults {
        let model = self.model.clone().unwrap_or_else(|| DEFAULT.into());
        let recipe = SeparationOptions { model, quality: self.quality };
        Defaults { recipe, drafts_first: self.drafts_first }
    }

    /// Where weight files are looked for first: what the environment says (`PARTITA_MIRROR`), else the
    /// settings.
    pub fn mirror(&self) -> Option<String> {
        let said = std::env::var("PARTITA_MIRROR").ok().filter(|text| !text.trim().is_empty());
        said.or_else(|| self.mirror.clone())
    }

    /// A file may have been written by hand.
    fn within_bounds(self) -> Self {
        let most_threads = std::thread::available_parallelism().map_or(1, usize::from) * 4;
        let is_real = |window: &WindowPlace| {
            let [x, y] = window.position.unwrap_or_default();
            [x, y].iter().all(|edge| edge.abs() < 1e5)
                && window.size.iter().all(|length| (1.0..1e5).contains(length))
        };
        Self {
            zoom: self.zoom.clamp(ZOOMS[0], ZOOMS[ZOOMS.len() - 1]),
            volume: if self.volume.is_finite() { self.volume.clamp(0.0, 1.0) } else { 1.0 },
            threads: self.threads.filter(|threads| (1..=most_threads).contains(threads)),
            memory: self.memory.filter(|bytes| MEMORY.contains(bytes)),
            window: self.window.filter(is_real),
            quality: self.quality.within_bounds(),
            ..self
        }
    }
}

/// Reads the file, and one byte more than the most where it is larger than that.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would be waited for at its opening.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Renames an invalid file.
fn set_aside(path: PathBuf, fault: SettingsFault) -> Problem {
    let aside = free_name(&path);
    match std::fs::rename(&path, &aside) {
        Ok(()) => Problem::SettingsSetAside { fault, aside },
        Err(e) => Problem::SettingsInvalid { path, fault, cause: e.into() },
    }
}

fn free_name(path: &Path) -> PathBuf {
    let name = |count: u32| path.with_file_name(format!("settings-damaged-{count}.toml"));
    (1..1000).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(1000))
}

/// [`Precision`] by the names that it has on the command line.
mod precision {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Precision;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub fn serialize<S: Serializer>(precision: &Precision, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(precision.id())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Precision, D::Error> {
        match String::deserialize(from)?.as_str() {
            "single" => Ok(Precision::Single),
            "fast" => Ok(Precision::Fast),
            other => Err(D::Error::custom(format!("the precision {other:?} is not known"))),
        }
    }
}

/// The data folder: `PARTITA_HOME`, or the system's place for it.
///
/// # Errors
/// [`Problem::NoHome`] when the system names no place.
pub fn default_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("PARTITA_HOME").filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    directories::ProjectDirs::from("", "", "partita")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or(Problem::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_comes_back_and_unknown_keys_stay() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Preferences::load(home.path()), (Preferences::default(), None));
        let text = "zoom = 140\nfrom_the_future = [1, 2]\n[another]\nkey = \"x\"\n";
        std::fs::write(home.path().join(FILE), text).unwrap();
        let (mut found, words) = Preferences::load(home.path());
        assert_eq!((found.zoom, words), (140, None));
        found.language = Some("pt".into());
        found.precision = Precision::Fast;
        found.memory = Some(700 << 20);
        found.ticks = Some(vec!["vocals".into()]);
        found.window =
            Some(WindowPlace { position: None, size: [1000.0, 700.5], is_maximized: true });
        found.save(home.path()).unwrap();
        assert_eq!(Preferences::load(home.path()), (found, None));
        let text = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        assert!(text.contains("from_the_future") && text.contains("[another]"), "{text}");
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_a_word() {
        let home = tempfile::tempdir().unwrap();
        let large = [b"zoom = 140\n#".to_vec(), vec![b' '; 1_000_000]].concat();
        let bytes: [&[u8]; 5] =
            [b"zoom = ", b"\xff\xfe\0", b"zoom = \"large\"", b"precision = \"x\"", &large];
        for (i, bytes) in bytes.into_iter().enumerate() {
            std::fs::write(home.path().join(FILE), bytes).unwrap();
            let (found, words) = Preferences::load(home.path());
            assert_eq!(found, Preferences::default());
            let aside = home.path().join(format!("settings-damaged-{}.toml", i + 1));
            assert!(words.unwrap().to_string().contains(&aside.display().to_string()));
            assert_eq!(std::fs::read(aside).unwrap(), bytes);
            assert!(!home.path().join(FILE).exists());
        }
    }

    #[test]
    fn what_cannot_be_is_brought_within_bounds() {
        let home = tempfile::tempdir().unwrap();
        let text =
            "zoom = 9\nvolume = nan\nthreads = 0\nmemory = 5\n[window]\nsize = [640.0, -3.0]\n";
        std::fs::write(home.path().join(FILE), text).unwrap();
        let (found, words) = Preferences::load(home.path());
        assert_eq!((found.zoom, found.volume, found.threads, words), (80, 1.0, None, None));
        assert_eq!((found.memory, found.window), (None, None));
    }

    #[test]
    fn the_command_line_goes_before_the_settings() {
        let set = Preferences { threads: Some(2), memory: Some(1 << 30), ..Preferences::default() };
        let compute = Flags::default().compute(&set);
        assert_eq!((compute.threads, compute.memory), (Some(2), Some(1 << 30)));
        let flags = Flags { memory: Some(2 << 30), ..Flags::default() };
        assert_eq!(flags.compute(&set).memory, Some(2 << 30));
    }

    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        Preferences::default().save(home.path()).unwrap();
        let large = Preferences { language: Some("x".repeat(1_000_000)), ..Preferences::default() };
        assert!(large.save(home.path()).is_err());
        assert_eq!(Preferences::load(home.path()), (Preferences::default(), None));
    }

    #[test]
    fn a_file_that_cannot_be_opened_stays() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(FILE)).unwrap();
        let (found, words) = Preferences::load(home.path());
        assert_eq!(found, Preferences::default());
        assert!(words.unwrap().to_string().contains(FILE));
        assert!(found.save(home.path()).is_err() && home.path().join(FILE).is_dir());
    }
}
