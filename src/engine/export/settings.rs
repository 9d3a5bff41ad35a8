//! The user's choices about how files are written.

use std::path::{Path, PathBuf};

use super::{ExportItem, FORMATS, Format, numbered};
use crate::engine::{
    audio::repitch::KeySpeed,
    problem::{Problem, Result},
    types::Depth,
};

/// Settings shared by all files of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Output format.
    pub format: &'static Format,
    /// Bit depth; the song's own by default. Lossy formats ignore it.
    pub depth: Option<Depth>,
    /// Sample rate in Hz; the song's own by default.
    pub rate: Option<u32>,
    /// Key and speed of all files.
    pub key_speed: KeySpeed,
    /// Target loudness of the mix, in LUFS; all files of the export get the same gain.
    pub loudness_lufs: Option<f32>,
    /// Whether a limiter holds back a mix that is too loud, instead of turning down all files.
    pub limiter: bool,
    /// Policy for names that are taken.
    pub on_exists: OnExists,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: FORMATS[0],
            depth: None,
            rate: None,
            key_speed: KeySpeed::default(),
            loudness_lufs: None,
            limiter: false,
            on_exists: OnExists::default(),
        }
    }
}

/// Policy for a file name that already exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnExists {
    /// Write nothing and report the existing files, so that the user can decide.
    #[default]
    Ask,
    /// Keep the existing file and write the others.
    Skip,
    /// Number the new file: `vocals (2).wav`.
    Number,
    /// Replace the existing file once the new one is complete.
    Replace,
}

impl OnExists {
    /// Applies this policy to the items.
    ///
    /// # Errors
    /// Fails with [`Problem::Exists`] if the user has to decide.
    pub(in crate::engine) fn settle(self, items: &[ExportItem]) -> Result<Vec<ExportItem>> {
        let exists = |item: &&ExportItem| item.to.exists();
        match self {
            Self::Replace => Ok(items.to_vec()),
            Self::Skip => Ok(items.iter().filter(|item| !exists(item)).cloned().collect()),
            Self::Ask => {
                let there: Vec<PathBuf> =
                    items.iter().filter(exists).map(|item| item.to.clone()).collect();
                if there.is_empty() { Ok(items.to_vec()) } else { Err(Problem::Exists(there)) }
            }
            Self::Number => {
                let mut settled: Vec<ExportItem> = Vec::with_capacity(items.len());
                for item in items {
                    let is_taken = |path: &Path| {
                        path.exists()
                            || settled.iter().any(|other| other.to == path)
                            || items.iter().any(|other| other.to == path && other != item)
                    };
                    let to = free_name(&item.to, is_taken);
                    settled.push(ExportItem { to, ..item.clone() });
                }
                Ok(settled)
            }
        }
    }
}

/// Returns `path`, or the first of `path (2)`, `path (3)`, … that is free. The number precedes the
/// whole extension, which may have two parts, such as `.stem.mp4`.
pub(super) fn free_name(path: &Path, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ending = FORMATS
        .iter()
        .map(|format| format!(".{}", format.extension))
        .filter(|ending| name.ends_with(ending.as_str()))
        .max_by_key(String::len)
        .or_else(|| path.extension().map(|extension| format!(".{}", extension.to_string_lossy())))
        .unwrap_or_default();
    let base = name.strip_suffix(&ending).unwrap_or(&name);
    let mut names = numbered(base, &ending).map(|name| path.with_file_name(name));
    names.find(|path| !is_taken(path)).unwrap_or_else(|| path.to_owned())
}
