//! How files are to be written, as the user chose it.

use std::path::{Path, PathBuf};

use super::{ExportItem, FORMATS, Format, numbered};
use crate::engine::{
    problem::{Problem, Result},
    types::Depth,
};

/// What the user can choose about all files of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The kind of file.
    pub format: &'static Format,
    /// Bits of a sample; the song's own by default. Of no meaning for formats that keep sound
    /// roughly.
    pub depth: Option<Depth>,
    /// Frames a second; the song's own by default.
    pub rate: Option<u32>,
    /// Loudness of the mix, in LUFS; everything exported with it gets the same gain.
    pub loudness_lufs: Option<f32>,
    /// Whether the mix is held back by a limiter where it is too loud, instead of turning down
    /// everything.
    pub limiter: bool,
    /// What happens where a name is taken.
    pub on_exists: OnExists,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: FORMATS[0],
            depth: None,
            rate: None,
            loudness_lufs: None,
            limiter: false,
            on_exists: OnExists::default(),
        }
    }
}

/// What happens where a file of that name is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnExists {
    /// Nothing is written, and the sender learns which files there are: it asks its user.
    #[default]
    Ask,
    /// The file stays; the others are written.
    Skip,
    /// The new one gets a number: `vocals (2).wav`.
    Number,
    /// The new one takes its place, once it is complete.
    Replace,
}

impl OnExists {
    /// The items as they are to be written.
    ///
    /// # Errors
    /// [`Problem::Exists`] where the user is to be asked.
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

/// `path`, or the first of `path (2)`, `path (3)`, … that is not taken. The number stands before
/// the whole ending, which may have two parts, such as `.stem.mp4`.
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
