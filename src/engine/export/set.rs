//! A set of files exported together: the user's selection, turned into named items.

use std::path::PathBuf;

use super::{
    Content, ExportItem, Format,
    format::Streams,
    pattern::{Fields, NamePattern},
};
use crate::engine::{
    problem::{Problem, Result},
    separation::installed::stem_index,
};

/// Name of the mix among the files.
pub const MIX: &str = "mix";

/// Name of a file that holds several stems.
const STEMS: &str = "stems";

/// Name of the residual: the part of the original that no stem holds.
pub const RESIDUAL: &str = "residual";

/// Stem names of a model.
#[derive(Clone, Copy, Debug)]
pub struct Stems<'a> {
    /// Names in the model's order.
    pub names: &'a [String],
    /// Whether the last stem is the rest: the original minus all others.
    pub has_rest: bool,
}

impl<'a> Stems<'a> {
    /// Stems that a network outputs directly, without a rest.
    pub fn made(names: &'a [String]) -> Self {
        Self { names, has_rest: false }
    }

    /// Number of stems that the network itself outputs.
    fn made_count(self) -> usize {
        self.names.len() - usize::from(self.has_rest && !self.names.is_empty())
    }

    /// Content of a single stem. The rest is computed from the original so that the files add up to
    /// the original.
    fn content(self, stem: usize) -> Content {
        let made = self.made_count();
        if stem < made { Content::stem(stem) } else { Content::Rest((0..made).collect()) }
    }

    /// The original without a stem.
    fn all_but(self, stem: usize) -> Content {
        let made = self.made_count();
        if stem < made {
            Content::Rest(vec![stem])
        } else {
            Content::Stems((0..made).map(|stem| (stem, [1.0; 2])).collect())
        }
    }

    /// Content of the residual; silence if one of the stems is the rest.
    fn residual(self) -> Content {
        if self.has_rest {
            Content::Stems(Vec::new())
        } else {
            Content::Rest((0..self.made_count()).collect())
        }
    }

    /// The sum of stems.
    fn sum(self, stems: &[usize]) -> Content {
        let made = self.made_count();
        if stems.iter().all(|stem| *stem < made) {
            return Content::Stems(stems.iter().map(|stem| (*stem, [1.0; 2])).collect());
        }
        Content::Rest((0..made).filter(|stem| !stems.contains(stem)).collect())
    }
}

/// Files to export. Stems are given by name; they come out in the model's order, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Stems to write, one file each.
    pub stems: Vec<String>,
    /// Stems to leave out, one file each: the original minus the stem. A sum of the other stems
    /// would lack the residual.
    pub all_but: Vec<String>,
    /// Whether to write the residual: the original minus all stems of the model.
    pub residual: bool,
    /// Parts to mix into one more file.
    pub mix: Option<Vec<Part>>,
}

/// A stem or the residual, with its gains in a mix.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of the stem, or [`RESIDUAL`].
    pub stem: String,
    /// Linear gains of the left and the right channel.
    pub gains: [f32; 2],
}

impl Part {
    /// A part at unity gain.
    pub fn plain(stem: &str) -> Self {
        Self { stem: stem.into(), gains: [1.0; 2] }
    }
}

/// Destination of exported files.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Root folder of the export.
    pub folder: PathBuf,
    /// Pattern for the paths below `folder`.
    pub pattern: NamePattern,
}

impl Selection {
    /// Selects these stems, or all of the model's if `stems` is empty.
    ///
    /// # Errors
    /// [`Problem::UnknownStem`] for a stem that the model does not have.
    pub fn of_stems(sources: &[String], stems: &[String]) -> Result<Self> {
        let stems = ordered(sources, stems)?;
        let stems = stems.into_iter().map(|stem| sources[stem].clone()).collect();
        Ok(Self { stems, ..Self::default() })
    }

    /// Builds the items of this selection in `format` for the stems of a model. `fields` name the
    /// song; the fields about the file are filled in here.
    ///
    /// # Errors
    /// Fails with [`Problem::UnknownStem`] for a stem that the model lacks. Also fails if there are
    /// too few stems for the format, or if nothing is selected.
    pub fn items(
        &self,
        stems: Stems<'_>,
        format: &Format,
        place: &Place,
        mut fields: Fields,
    ) -> Result<Vec<ExportItem>> {
        let mut contents = match format.streams {
            Streams::MixAndFourStems => vec![(STEMS.to_owned(), mix_and_four_stems(stems)?)],
            // A sum next to its parts would play the same stems twice.
            Streams::All if self.residual || !self.stems.is_empty() => {
                Self { all_but: Vec::new(), mix: None, ..self.clone() }.contents(stems)?
            }
            Streams::One | Streams::All => self.contents(stems)?,
        };
        if contents.is_empty() {
            return Err(Problem::NothingChosen);
        }
        if format.streams == Streams::All {
            let streams = contents.into_iter().flat_map(|(_, streams)| streams).collect();
            contents = vec![(STEMS.to_owned(), streams)];
        }
        let is_one = contents.len() == 1;
        let mut items = Vec::with_capacity(contents.len());
        for (index, (name, streams)) in contents.into_iter().enumerate() {
            (fields.n, fields.stem) = (index + 1, name.clone());
            let mut path = place.folder.join(place.pattern.path(&fields)).into_os_string();
            if !place.pattern.tells_files_apart() && !is_one {
                path.push(format!(" ({name})"));
            }
            path.push(format!(".{}", format.extension));
            items.push(ExportItem { name, to: path.into(), streams });
        }
        Ok(items)
    }

    fn contents(&self, stems: Stems<'_>) -> Result<Vec<(String, Named)>> {
        let one = |name: &str, content| (name.to_owned(), vec![(name.to_owned(), content)]);
        let mut contents = Vec::new();
        for stem in chosen(stems.names, &self.stems)? {
            contents.push(one(&stems.names[stem], stems.content(stem)));
        }
        for stem in chosen(stems.names, &self.all_but)? {
            let name = format!("all but {}", stems.names[stem]);
            contents.push(one(&name, stems.all_but(stem)));
        }
        if self.residual {
            contents.push(one(RESIDUAL, stems.residual()));
        }
        if let Some(parts) = &self.mix {
            contents.push(one(MIX, heard(stems, parts)?));
        }
        Ok(contents)
    }
}

/// Sums parts. The residual, or the rest, is computed from all other stems.
fn heard(stems: Stems<'_>, parts: &[Part]) -> Result<Content> {
    let made = stems.made_count();
    let (mut sum, mut residual) = (Vec::new(), [0.0; 2]);
    for part in parts {
        if part.stem.trim() == RESIDUAL {
            // With a rest, the residual is silent.
            residual = if stems.has_rest { residual } else { part.gains };
            continue;
        }
        match stem_index(stems.names, part.stem.trim())? {
            stem if stem < made => sum.push((stem, part.gains)),
            _ => residual = part.gains,
        }
    }
    if residual == [0.0; 2] {
        return Ok(Content::Stems(sum));
    }
    let silent = (0..made).filter(|source| sum.iter().all(|(stem, _)| stem != source));
    sum.extend(silent.map(|stem| (stem, [0.0; 2])).collect::<Vec<_>>());
    sum.sort_by_key(|(stem, _)| *stem);
    Ok(Content::Heard { stems: sum, residual })
}

/// The streams of one item, with their names.
type Named = Vec<(String, Content)>;

/// The whole song, then drums, bass, other and vocals. Additional stems of the model go to "other".
fn mix_and_four_stems(stems: Stems<'_>) -> Result<Named> {
    const FOUR: [&str; 4] = ["drums", "bass", "other", "vocals"];
    let names = stems.names;
    let place = |name: &str| names.iter().position(|stem| stem == name);
    let mut streams = vec![(MIX.to_owned(), Content::Rest(Vec::new()))];
    for name in FOUR {
        let Some(stem) = place(name) else {
            return Err(Problem::DjStem { stem: name.to_owned() });
        };
        let mut parts = vec![stem];
        if name == "other" {
            parts.extend((0..names.len()).filter(|&stem| !FOUR.contains(&names[stem].as_str())));
        }
        streams.push((name.to_owned(), stems.sum(&parts)));
    }
    Ok(streams)
}

/// Indices of `names` among `sources`, ascending, each once; all if `names` is empty.
///
/// # Errors
/// Fails with [`Problem::UnknownStem`] for a stem that the model lacks.
pub fn ordered(sources: &[String], names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() { Ok((0..sources.len()).collect()) } else { chosen(sources, names) }
}

fn chosen(sources: &[String], names: &[String]) -> Result<Vec<usize>> {
    let mut stems =
        names.iter().map(|name| stem_index(sources, name.trim())).collect::<Result<Vec<_>>>()?;
    stems.sort_unstable();
    stems.dedup();
    Ok(stems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::export::FORMATS;

    fn sources() -> Vec<String> {
        ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
    }

    fn items(selection: &Selection, pattern: &str) -> Result<Vec<ExportItem>> {
        let pattern = NamePattern::new(pattern).unwrap();
        let place = Place { folder: "out".into(), pattern };
        let fields = Fields { title: "Song".into(), ..Fields::default() };
        selection.items(Stems::made(&sources()), FORMATS[0], &place, fields)
    }

    #[test]
    fn stems_come_in_the_models_order_and_once() {
        let names = ["vocals", " drums", "vocals"].map(str::to_owned);
        let mut selection = Selection::of_stems(&sources(), &names).unwrap();
        assert_eq!(selection.stems, ["drums", "vocals"]);
        selection.stems = names.into();
        selection.all_but = vec!["bass".into()];
        selection.residual = true;
        selection.mix = Some(vec![Part { stem: "bass".into(), gains: [0.5, 1.0] }]);
        let items = items(&selection, "{title}/{n} {stem}").unwrap();
        let paths: Vec<String> = items.iter().map(|item| item.to.display().to_string()).collect();
        assert_eq!(
            paths,
            [
                "out/Song/1 drums.wav",
                "out/Song/2 vocals.wav",
                "out/Song/3 all but bass.wav",
                "out/Song/4 residual.wav",
                "out/Song/5 mix.wav"
            ]
        );
        let contents: Vec<_> = items.into_iter().map(|mut item| item.streams.remove(0).1).collect();
        assert_eq!(contents[1], Content::Stems(vec![(3, [1.0; 2])]));
        assert_eq!(contents[2], Content::Rest(vec![1]));
        assert_eq!(contents[3], Content::Rest(vec![0, 1, 2, 3]));
        assert_eq!(contents[4], Content::Stems(vec![(1, [0.5, 1.0])]));
        assert_eq!(ordered(&sources(), &[]).unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_session_repeats_no_stem() {
        let place = Place { folder: "out".into(), pattern: NamePattern::new("x").unwrap() };
        let session = Format::find("dawproject").unwrap();
        let names = |selection: &Selection| -> Vec<String> {
            let stems = sources();
            let items = selection.items(Stems::made(&stems), session, &place, Fields::default());
            let items = items.unwrap();
            assert_eq!((items.len(), items[0].name.as_str()), (1, STEMS));
            items[0].streams.iter().map(|(name, _)| name.clone()).collect()
        };
        let mut selection = Selection {
            all_but: vec!["bass".into()],
            mix: Some(vec![Part::plain("bass")]),
            ..Selection::default()
        };
        assert_eq!(names(&selection), ["all but bass", MIX]);
        selection.residual = true;
        selection.stems = vec!["bass".into()];
        assert_eq!(names(&selection), ["bass", RESIDUAL]);
    }

    #[test]
    fn files_get_distinct_names() {
        let selection = Selection::of_stems(&sources(), &[]).unwrap();
        let several = items(&selection, "{title}").unwrap();
        assert_eq!(several[3].to, PathBuf::from("out/Song (vocals).wav"));
        let one = Selection { stems: vec!["bass".into()], ..Selection::default() };
        assert_eq!(items(&one, "{title}").unwrap()[0].to, PathBuf::from("out/Song.wav"));
    }

    #[test]
    fn reports_unknown_stems_and_an_empty_selection() {
        let kazoo = ["kazoo".to_owned()];
        assert!(Selection::of_stems(&sources(), &kazoo).is_err());
        assert!(items(&Selection { all_but: kazoo.into(), ..Selection::default() }, "x").is_err());
        let message = items(&Selection::default(), "x").unwrap_err().to_string();
        assert!(message.contains("nothing is chosen"), "{message}");
    }

    #[test]
    fn stems_for_djs_are_the_song_and_four() {
        let six = ["drums", "bass", "other", "vocals", "guitar", "piano"].map(str::to_owned);
        let streams = mix_and_four_stems(Stems::made(&six)).unwrap();
        let names: Vec<&str> = streams.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["mix", "drums", "bass", "other", "vocals"]);
        assert_eq!(streams[0].1, Content::Rest(vec![]));
        assert_eq!(streams[3].1.stems(), [2, 4, 5].into());
        let message = mix_and_four_stems(Stems::made(&six[..2])).unwrap_err().to_string();
        assert!(message.contains("no other"), "{message}");
    }

    #[test]
    fn the_rest_is_made_from_the_original() {
        let names = ["drums", "bass", "vocals", "other"].map(str::to_owned);
        let stems = Stems { names: &names, has_rest: true };
        let mut selection = Selection::of_stems(&names, &["other".into(), "bass".into()]).unwrap();
        selection.all_but = ["bass", "other"].map(str::to_owned).into();
        selection.residual = true;
        selection.mix = Some(vec![
            Part::plain("bass"),
            Part { stem: "other".into(), gains: [0.5, 1.0] },
            Part::plain(RESIDUAL),
        ]);
        let contents = selection.contents(stems).unwrap();
        let contents: Vec<_> = contents.into_iter().map(|mut item| item.1.remove(0).1).collect();
        let plain = |stems: &[usize]| stems.iter().map(|stem| (*stem, [1.0; 2])).collect();
        assert_eq!(
            contents,
            [
                Content::stem(1),
                Content::Rest(vec![0, 1, 2]),
                Content::Rest(vec![1]),
                Content::Stems(plain(&[0, 1, 2])),
                Content::Stems(Vec::new()),
                Content::Heard {
                    stems: vec![(0, [0.0; 2]), (1, [1.0; 2]), (2, [0.0; 2])],
                    residual: [0.5, 1.0]
                },
            ]
        );
        let streams = mix_and_four_stems(stems).unwrap();
        assert_eq!(streams[3], ("other".to_owned(), Content::Rest(vec![0, 1, 2])));
    }
}
