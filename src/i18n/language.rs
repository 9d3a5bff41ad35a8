//! The selection of a language: the user's, otherwise the system's. Each thread has its own.

use std::{
    cell::Cell,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::LanguageIdentifier;

use super::{
    catalog::Source,
    messages::{self, LANGUAGES},
};

/// Environment variable with a folder of Fluent files that replaces the embedded languages, so that
/// translators can preview their work without a build.
const PREVIEW: &str = "PARTITA_TRANSLATION";

/// A language with its messages.
#[derive(Clone, Copy)]
pub struct Language(&'static Source);

/// A language could not be read from files.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// The folder's name is not the tag of a language.
    #[error("{0} is not named as a language; expected a tag such as `pt-BR`")]
    Tag(PathBuf),
    /// The folder or a file in it could not be read.
    #[error("could not read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The folder holds no messages.
    #[error("{0} holds no file that ends in .ftl")]
    Empty(PathBuf),
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language(&LANGUAGES[0])) };
}

/// Sets the language of this thread.
pub fn speak(language: Language) {
    SPOKEN.set(language);
}

/// The language of this thread; English by default.
pub fn spoken() -> Language {
    SPOKEN.get()
}

impl Language {
    /// Every embedded language, English first.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// English.
    pub fn english() -> Self {
        Self(&LANGUAGES[0])
    }

    /// The language's own name for itself.
    pub fn name(self) -> &'static str {
        let before = spoken();
        speak(self);
        let name = messages::language_name();
        speak(before);
        name
    }

    /// The name of the language's folder, a BCP 47 tag such as "pt-BR".
    pub fn tag(self) -> &'static str {
        self.0.tag()
    }

    /// All messages of the language, as Fluent reads them.
    pub fn text(self) -> String {
        self.0.files().join("\n")
    }

    /// The language for a locale such as "pt-PT" or "pt_BR.UTF-8", if necessary of another region.
    /// `None` if no language fits.
    pub fn for_locale(locale: &str) -> Option<Self> {
        let locale = locale.split(['.', '@']).next()?;
        let asked: LanguageIdentifier = locale.parse().ok()?;
        let available: Vec<LanguageIdentifier> = LANGUAGES.iter().map(Source::id).collect();
        let fitting = negotiate_languages(&[asked], &available, None, NegotiationStrategy::Lookup);
        let best = *fitting.first()?;
        LANGUAGES.iter().zip(&available).find(|(_, id)| *id == best).map(|(source, _)| Self(source))
    }

    /// The first embedded language among the system's, otherwise English. On Unix, the system's are
    /// `LANGUAGE`, `LC_ALL`, `LC_MESSAGES` and `LANG`.
    pub fn of_system() -> Self {
        let found = sys_locale::get_locales().find_map(|locale| Self::for_locale(&locale));
        found.unwrap_or_else(Self::english)
    }

    /// The language of a setting, otherwise the system's; a folder in `PARTITA_TRANSLATION`
    /// overrides both.
    pub fn of_setting(setting: Option<&str>) -> Self {
        let preview = std::env::var_os(PREVIEW).map(|folder| Self::read(Path::new(&folder)));
        match preview {
            Some(Ok(language)) => return language,
            Some(Err(error)) => tracing::warn!("{PREVIEW}: {error}"),
            None => {}
        }
        setting.and_then(Self::for_locale).unwrap_or_else(Self::of_system)
    }

    /// Reads a language from a folder whose name is the tag. Kept until the program exits.
    ///
    /// # Errors
    ///
    /// The folder's name is not a tag, the folder holds no messages, or a file could not be read.
    pub fn read(folder: &Path) -> Result<Self, LanguageError> {
        let tag = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if tag.parse::<LanguageIdentifier>().is_err() {
            return Err(LanguageError::Tag(folder.to_owned()));
        }
        let failed = |error| LanguageError::Read(folder.to_owned(), error);
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "ftl") {
                let text = fs::read_to_string(&path);
                files.push(text.map_err(|error| LanguageError::Read(path, error))?);
            }
        }
        if files.is_empty() {
            return Err(LanguageError::Empty(folder.to_owned()));
        }
        Ok(Self::from_files(tag, files))
    }

    /// Creates a language from the texts of its files. Kept until the program exits.
    pub fn from_files(tag: &str, files: Vec<String>) -> Self {
        let files: Vec<&'static str> = files.into_iter().map(|file| &*file.leak()).collect();
        Self(Box::leak(Box::new(Source::new(tag.to_owned().leak(), files.leak()))))
    }

    pub(super) fn source(self) -> &'static Source {
        self.0
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Language").field(&self.tag()).finish()
    }
}
