//! File names by pattern: `{artist} - {title}/{stem}` becomes a folder and one file per stem.
//!
//! Pure functions; [`safe_file_name`] replaces characters that a file system rejects.

use std::{fmt, path::PathBuf};

use super::name::{LONGEST_BYTES, safe_file_name};
use crate::engine::problem::PatternProblem;

/// Field names that a pattern can contain.
pub const FIELDS: [&str; 8] = ["artist", "title", "album", "track", "stem", "model", "n", "file"];

/// Default pattern: a folder per song, a file per stem.
pub const DEFAULT_PATTERN: &str = "{file}/{stem}";

/// A pattern for file names without extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    /// Folders, then the file name.
    levels: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Index into [`FIELDS`].
    Field(usize),
}

/// Values of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Artist of the song; may be empty, like the other fields.
    pub artist: String,
    /// Title of the song.
    pub title: String,
    /// Album of the song.
    pub album: String,
    /// Track number on the album.
    pub track: Option<u32>,
    /// Content of the file: "vocals", "mix".
    pub stem: String,
    /// Name of the model that separated the song.
    pub model: String,
    /// Number of the file within the export.
    pub n: usize,
    /// Name of the song's own file, without extension.
    pub file: String,
}

impl NamePattern {
    /// Parses a pattern. `/` begins a new folder.
    ///
    /// # Errors
    /// Fails with a [`PatternProblem`] for an unknown field, an unmatched brace or an empty name.
    pub fn new(text: &str) -> Result<Self, PatternProblem> {
        let levels: Vec<Vec<Part>> = text
            .split(['/', '\\'])
            .filter(|level| !level.trim().is_empty())
            .map(parts)
            .collect::<Result<_, _>>()?;
        if levels.is_empty() {
            return Err(PatternProblem::Empty);
        }
        Ok(Self { levels })
    }

    /// Whether the files of one song get distinct names.
    pub fn tells_files_apart(&self) -> bool {
        self.levels.iter().flatten().any(|part| match part {
            Part::Text(_) => false,
            Part::Field(field) => matches!(FIELDS[*field], "stem" | "n"),
        })
    }

    /// Expands the pattern to a relative path without extension.
    pub fn path(&self, fields: &Fields) -> PathBuf {
        self.levels.iter().map(|level| safe_file_name(&fitting(level, fields))).collect()
    }
}

/// Writes the pattern in its shortest spelling, from which [`NamePattern::new`] reads the same
/// pattern. Persistent keys contain it.
impl fmt::Display for NamePattern {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, level) in self.levels.iter().enumerate() {
            if index > 0 {
                to.write_str("/")?;
            }
            for part in level {
                match part {
                    Part::Text(text) => to.write_str(text)?,
                    Part::Field(field) => write!(to, "{{{}}}", FIELDS[*field])?,
                }
            }
        }
        Ok(())
    }
}

fn parts(level: &str) -> Result<Vec<Part>, PatternProblem> {
    let mut parts = Vec::new();
    let mut rest = level;
    while let Some(open) = rest.find(['{', '}']) {
        let (text, after) = rest.split_at(open);
        let Some((name, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}'))
        else {
            return Err(PatternProblem::UnmatchedBrace);
        };
        let field = FIELDS.iter().position(|field| *field == name.trim());
        let field = field.ok_or_else(|| PatternProblem::UnknownField { field: name.to_owned() })?;
        parts.push(Part::Text(text.into()));
        parts.push(Part::Field(field));
        rest = after;
    }
    parts.push(Part::Text(rest.into()));
    Ok(parts)
}

/// Expands a level. If the name is too long for a file system, the song's texts are cut; the parts
/// that distinguish the files stay.
fn fitting(level: &[Part], fields: &Fields) -> String {
    const CUTS: [usize; 5] = [120, 80, 50, 30, 15];
    let whole = tidy(&fill(level, fields));
    let cut = CUTS.iter().map(|&bytes| tidy(&fill(level, &fields.cut(bytes))));
    let mut tried = std::iter::once(whole).chain(cut).skip_while(|name| name.len() > LONGEST_BYTES);
    tried.next().unwrap_or_else(|| tidy(&fill(level, &fields.cut(0))))
}

impl Fields {
    /// Cuts all texts but the stem and the model to at most `bytes` bytes.
    fn cut(&self, bytes: usize) -> Self {
        let cut = |text: &String| text[..text.floor_char_boundary(bytes)].to_owned();
        Self {
            artist: cut(&self.artist),
            title: cut(&self.title),
            album: cut(&self.album),
            file: cut(&self.file),
            ..self.clone()
        }
    }
}

fn fill(level: &[Part], fields: &Fields) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Field(field) => match FIELDS[*field] {
            "artist" => fields.artist.clone(),
            "title" => fields.title.clone(),
            "album" => fields.album.clone(),
            "track" => fields.track.map(|track| format!("{track:02}")).unwrap_or_default(),
            "stem" => fields.stem.clone(),
            "model" => fields.model.clone(),
            "n" => fields.n.to_string(),
            _ => fields.file.clone(),
        },
    };
    level.iter().map(text).collect()
}

/// Removes the remains of an empty field: `" - Title"` and `"Title ()"` become `"Title"`.
fn tidy(name: &str) -> String {
    let name = name.replace("()", "").replace("[]", "");
    let is_left_over = |c: char| c.is_whitespace() || matches!(c, '-' | '–' | '_' | ',');
    let parts: Vec<&str> = name.split_whitespace().collect();
    parts.join(" ").trim_matches(is_left_over).to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn fields() -> Fields {
        Fields {
            artist: "AC/DC".into(),
            title: "T.N.T.".into(),
            album: "High Voltage".into(),
            track: Some(7),
            stem: "vocals".into(),
            model: "htdemucs".into(),
            n: 4,
            file: "07 TNT".into(),
        }
    }

    fn path(pattern: &str, fields: &Fields) -> PathBuf {
        NamePattern::new(pattern).unwrap().path(fields)
    }

    #[test]
    fn fields_are_filled_in() {
        for (pattern, name) in [
            ("{artist} - {title} ({stem})", "AC_DC - T.N.T. (vocals)"),
            ("{album}/{track} {title}/{n} {stem}", "High Voltage/07 T.N.T/4 vocals"),
            ("{file}/{stem}", "07 TNT/vocals"),
            ("just text {model}", "just text htdemucs"),
            ("/{stem}/", "vocals"),
            ("../{stem}", "Untitled/vocals"),
        ] {
            assert_eq!(path(pattern, &fields()), Path::new(name), "{pattern}");
        }
    }

    #[test]
    fn empty_fields_leave_nothing_behind() {
        let fields = Fields { title: "Song".into(), stem: "bass".into(), ..Fields::default() };
        for (pattern, name) in [
            ("{artist} - {title} ({stem})", "Song (bass)"),
            ("{title} ({album})", "Song"),
            ("{track} {title}", "Song"),
            ("{title} - {artist}", "Song"),
            ("{album}", "Untitled"),
        ] {
            assert_eq!(path(pattern, &fields), Path::new(name), "{pattern}");
        }
    }

    #[test]
    fn a_long_title_does_not_hide_the_stem() {
        let title = "日本".repeat(200);
        let fields = Fields { artist: title.clone(), title, ..fields() };
        let name = path("{artist} - {title} ({stem})", &fields).display().to_string();
        assert!(
            name.ends_with(" (vocals)") && name.starts_with("日本") && name.len() > 100,
            "{name}"
        );
    }

    #[test]
    fn rejects_malformed_patterns() {
        for (pattern, word) in
            [("{artits}", "artits"), ("{stem", "brace"), ("a}b", "brace"), (" / ", "name")]
        {
            let problem = NamePattern::new(pattern).unwrap_err();
            assert!(problem.to_string().contains(word), "{pattern}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn every_name_stays_in_its_folder(pattern in ".{0,40}", title in ".{0,300}") {
            let fields = Fields { title, stem: "..".into(), ..fields() };
            if let Ok(pattern) = NamePattern::new(&pattern) {
                for part in pattern.path(&fields).components() {
                    prop_assert!(matches!(part, std::path::Component::Normal(_)));
                    prop_assert!(part.as_os_str().len() <= 180);
                }
            }
        }
    }
}
