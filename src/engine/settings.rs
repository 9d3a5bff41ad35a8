//! The user's settings in a small file in the data folder. It is read once before the engine
//! starts, and written by the engine's thread after every change.
//!
//! Settings of a song are in the library instead. Unknown keys, such as those of a newer version,
//! are kept.

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
            device::choice::DeviceChoice,
            installed::DEFAULT,
            options::{Defaults, Quality, SeparationOptions},
        },
        system::atomic_file::write_atomically,
        types::Compute,
    },
    file_moves,
    model::{Precision, device::is_present, on_one_line},
};

/// File name in the data folder.
const FILE: &str = "settings.toml";

/// Maximum number of bytes read.
const MOST_BYTES: u64 = 1_000_000;

/// Available sizes of the interface, in percent.
pub const ZOOMS: [u16; 7] = [80, 90, 100, 120, 140, 170, 200];

/// Plausible memory limits: a megabyte to a petabyte.
const MEMORY: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 50;

/// Colour theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Follows the system.
    #[default]
    System,
    /// Light colours.
    Light,
    /// Dark colours.
    Dark,
}

/// Sort key of the songs in the library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// Time of import.
    #[default]
    Added,
    /// Title of the song.
    Title,
    /// Artist, then title.
    Artist,
    /// Length of the song.
    Length,
    /// Running and waiting first, then separated, then the others.
    State,
}

/// Placement of the window, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Left and top edge on the desktop; `None` if unknown.
    pub position: Option<[f32; 2]>,
    /// Width and height of the contents.
    pub size: [f32; 2],
    /// Whether the window is maximized.
    #[serde(default)]
    pub is_maximized: bool,
}

/// Options of the command line, which override the settings until the program ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Number of threads for separation.
    pub threads: Option<usize>,
    /// Precision of the matrix products.
    pub precision: Option<Precision>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// Device that computes the networks.
    pub device: Option<DeviceChoice>,
}

impl Flags {
    /// Compute settings: from the command line, else from the settings.
    pub fn compute(self, preferences: &Preferences) -> Compute {
        Compute {
            threads: self.threads.or(preferences.threads),
            precision: self.precision.unwrap_or(preferences.precision),
            memory: self.memory.or(preferences.memory),
            device: self.device.unwrap_or(preferences.device),
        }
    }
}

/// Settings of the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Language code of the window; `None` is the system's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Colour theme.
    pub theme: Theme,
    /// Size of the interface in percent, 80 to 200.
    pub zoom: u16,
    /// ID of the sound device; `None` is the system's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Position of the volume fader, 0 to 1.
    pub volume: f32,
    /// Number of threads for separation; `None` is one per core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Memory limit in bytes; `None` is the system's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Precision of the matrix products.
    #[serde(with = "precision")]
    pub precision: Precision,
    /// Device that computes the networks.
    pub device: DeviceChoice,
    /// Name of the default model; `None` is the first of the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Default quality of separation.
    pub quality: Quality,
    /// Whether a song plays as a draft until the final stems are available.
    pub drafts_first: bool,
    /// URL below which the publishers' weight files are looked for first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Instruments ticked in a new song; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<Vec<String>>,
    /// Sort key of the library.
    pub sort: SortKey,
    /// Whether the sort order is reversed.
    pub is_reversed: bool,
    /// Whether the library panel is collapsed.
    pub library_is_folded: bool,
    /// ID of the last shown song.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub song: Option<i64>,
    /// Placement of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowPlace>,
    /// Unknown keys.
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
            device: DeviceChoice::default(),
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
    /// Loads the settings of the data folder `home`. An invalid file is renamed and the defaults
    /// are used. Returns the problem with the file.
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

    /// Writes the settings atomically.
    ///
    /// # Errors
    /// [`Problem::File`]; the file is then unchanged.
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

    /// Default separation options.
    pub fn defaults(&self) -> Defaults {
        let model = self.model.clone().unwrap_or_else(|| DEFAULT.into());
        let options = SeparationOptions { model, quality: self.quality };
        Defaults { options, drafts_first: self.drafts_first }
    }

    /// URL of the mirror for weight files: from the environment (`PARTITA_MIRROR`), else from the
    /// settings.
    pub fn mirror(&self) -> Option<String> {
        let mirror = std::env::var("PARTITA_MIRROR").ok().filter(|text| !text.trim().is_empty());
        mirror.or_else(|| self.mirror.clone())
    }

    /// Clamps values, as the file may have been edited by hand.
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
            device: present(self.device),
            ..self
        }
    }
}

/// The chosen device, or the default if this build or this computer lacks it: the settings may come
/// from another one.
fn present(choice: DeviceChoice) -> DeviceChoice {
    match choice {
        DeviceChoice::Only(device) if device.is_card() && !is_present(device) => {
            tracing::warn!("the settings name the device {device}, which is missing; using auto");
            DeviceChoice::Auto
        }
        choice => choice,
    }
}

/// Reads the file, at most one byte more than the maximum.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would block.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Renames an invalid file.
fn set_aside(path: PathBuf, fault: SettingsFault) -> Problem {
    let aside = free_name(&path);
    match file_moves::rename(&path, &aside) {
        Ok(()) => Problem::SettingsSetAside { fault, aside },
        Err(e) => Problem::SettingsInvalid { path, fault, cause: e.into() },
    }
}

fn free_name(path: &Path) -> PathBuf {
    let name = |count: u32| path.with_file_name(format!("settings-damaged-{count}.toml"));
    (1..1000).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(1000))
}

/// Serialisation of [`Precision`] by its names on the command line.
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
            other => Err(D::Error::custom(format!("unknown precision {other:?}"))),
        }
    }
}

/// Path of the data folder: `PARTITA_HOME`, or the system's default location.
///
/// # Errors
/// [`Problem::NoHome`] if the system has no default location.
pub fn default_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("PARTITA_HOME").filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let folders = directories::ProjectDirs::from("", "", "partita").ok_or(Problem::NoHome)?;
    // On Windows, the first is copied between a user's computers, which is not for music.
    Ok(local_home(folders.data_dir(), folders.data_local_dir()))
}

/// Chooses between the data folder of earlier versions and the present one, which are the same on
/// most systems. Data is moved if only `earlier` has any; it stays if that fails, for example while
/// another Partita runs.
fn local_home(earlier: &Path, present: &Path) -> PathBuf {
    if earlier == present || present.exists() || !earlier.is_dir() {
        return present.to_owned();
    }
    let made = present.parent().map_or(Ok(()), std::fs::create_dir_all);
    match made.and_then(|()| std::fs::rename(earlier, present)) {
        Ok(()) => {
            tracing::info!(
                "moved the data folder from {} to {}",
                earlier.display(),
                present.display()
            );
            present.to_owned()
        }
        // Another process moved it at the same time.
        Err(_) if present.exists() => present.to_owned(),
        Err(error) => {
            let (earlier_text, present) = (earlier.display(), present.display());
            tracing::warn!(
                "could not move the data folder to {present}: {error}; it stays {earlier_text}"
            );
            earlier.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_unknown_keys_stay() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Preferences::load(home.path()), (Preferences::default(), None));
        let text = "zoom = 140\nfrom_the_future = [1, 2]\n[another]\nkey = \"x\"\n";
        std::fs::write(home.path().join(FILE), text).unwrap();
        let (mut found, problem) = Preferences::load(home.path());
        assert_eq!((found.zoom, problem), (140, None));
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
    fn moves_the_data_folder_of_earlier_versions_once() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let (earlier, present) = (at("Roaming/partita/data"), at("Local/partita/data"));
        assert_eq!(local_home(&earlier, &present), present, "a first start");
        assert!(!present.exists());
        std::fs::create_dir_all(&earlier).unwrap();
        std::fs::write(earlier.join("library.db"), "songs").unwrap();
        assert_eq!(local_home(&earlier, &present), present);
        assert!(present.join("library.db").exists() && !earlier.exists());
        std::fs::create_dir_all(&earlier).unwrap();
        assert_eq!(local_home(&earlier, &present), present, "both exist");
        assert_eq!(local_home(&present, &present), present, "most systems");
        assert!(present.join("library.db").exists());
    }

    #[test]
    fn keeps_a_data_folder_that_cannot_be_moved() {
        let home = tempfile::tempdir().unwrap();
        let earlier = home.path().join("data");
        std::fs::create_dir(&earlier).unwrap();
        std::fs::write(home.path().join("Local"), "a file").unwrap();
        let present = home.path().join("Local/partita/data");
        assert_eq!(local_home(&earlier, &present), earlier);
        assert!(earlier.is_dir());
    }

    #[test]
    fn renames_a_damaged_file_and_reports_it() {
        let home = tempfile::tempdir().unwrap();
        let large = [b"zoom = 140\n#".to_vec(), vec![b' '; 1_000_000]].concat();
        let bytes: [&[u8]; 5] =
            [b"zoom = ", b"\xff\xfe\0", b"zoom = \"large\"", b"precision = \"x\"", &large];
        for (i, bytes) in bytes.into_iter().enumerate() {
            std::fs::write(home.path().join(FILE), bytes).unwrap();
            let (found, problem) = Preferences::load(home.path());
            assert_eq!(found, Preferences::default());
            let aside = home.path().join(format!("settings-damaged-{}.toml", i + 1));
            assert!(problem.unwrap().to_string().contains(&aside.display().to_string()));
            assert_eq!(std::fs::read(aside).unwrap(), bytes);
            assert!(!home.path().join(FILE).exists());
        }
    }

    #[test]
    fn clamps_impossible_values() {
        let home = tempfile::tempdir().unwrap();
        let text =
            "zoom = 9\nvolume = nan\nthreads = 0\nmemory = 5\n[window]\nsize = [640.0, -3.0]\n";
        std::fs::write(home.path().join(FILE), text).unwrap();
        let (found, problem) = Preferences::load(home.path());
        assert_eq!((found.zoom, found.volume, found.threads, problem), (80, 1.0, None, None));
        assert_eq!((found.memory, found.window), (None, None));
    }

    #[test]
    fn the_command_line_overrides_the_settings() {
        let set = Preferences { threads: Some(2), memory: Some(1 << 30), ..Preferences::default() };
        let compute = Flags::default().compute(&set);
        assert_eq!((compute.threads, compute.memory), (Some(2), Some(1 << 30)));
        let flags = Flags { memory: Some(2 << 30), ..Flags::default() };
        assert_eq!(flags.compute(&set).memory, Some(2 << 30));
    }

    #[test]
    fn never_writes_settings_that_could_not_be_read_again() {
        let home = tempfile::tempdir().unwrap();
        Preferences::default().save(home.path()).unwrap();
        let large = Preferences { language: Some("x".repeat(1_000_000)), ..Preferences::default() };
        assert!(large.save(home.path()).is_err());
        assert_eq!(Preferences::load(home.path()), (Preferences::default(), None));
    }

    #[test]
    fn keeps_a_file_that_cannot_be_opened() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(FILE)).unwrap();
        let (found, problem) = Preferences::load(home.path());
        assert_eq!(found, Preferences::default());
        assert!(problem.unwrap().to_string().contains(FILE));
        assert!(found.save(home.path()).is_err() && home.path().join(FILE).is_dir());
    }
}
