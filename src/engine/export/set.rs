//! A set of files exported together: the user's selection, turned into named items.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Content, ExportItem, Format,
    format::Streams,
    pattern::{Fields, NamePattern},
};
use crate::engine::{
    problem::{Problem, Result},
    separation::{
        chain::{Terms, Tree},
        installed::stem_index,
    },
};

/// Name of the mix among the files.
pub const MIX: &str = "mix";

/// Name of a file that holds several stems.
const STEMS: &str = "stems";

/// Name of the residual: the part of the original that no stem holds.
pub const RESIDUAL: &str = "residual";

/// Content of a single stem. A rest is computed from what it is a rest of, so that the files add up.
fn content(tree: &Tree, stem: usize) -> Content {
    match tree.terms(stem) {
        Terms { of: Some(made), minus } if minus.is_empty() => Content::stem(made),
        terms => Content::Rest(terms),
    }
}

/// The original without a stem.
fn all_but(tree: &Tree, stem: usize) -> Content {
    let Terms { of, minus } = tree.terms(stem);
    match of {
        None => Content::Stems(plain(&minus)),
        Some(made) if minus.is_empty() => Content::Rest(Terms { of: None, minus: vec![made] }),
        // The original, minus the whole branch, plus its other stems.
        Some(made) => Content::Heard {
            stems: std::iter::once((made, [0.0; 2])).chain(twice(&minus)).collect(),
            residual: [1.0; 2],
        },
    }
}

/// Stems at unity gain.
fn plain(stems: &[usize]) -> Vec<(usize, [f32; 2])> {
    stems.iter().map(|stem| (*stem, [1.0; 2])).collect()
}

/// Stems at the double gain, which adds them to a residual that contains them.
fn twice(stems: &[usize]) -> Vec<(usize, [f32; 2])> {
    stems.iter().map(|stem| (*stem, [2.0; 2])).collect()
}

/// Content of the residual; silence if one of the song's stems is the rest.
fn residual(tree: &Tree) -> Content {
    if tree.has_rest() {
        Content::Stems(Vec::new())
    } else {
        Content::Rest(Terms { of: None, minus: tree.made_in(None) })
    }
}

/// The sum of stems of the song.
fn sum(tree: &Tree, stems: &[usize]) -> Content {
    if stems.iter().all(|stem| tree.stems()[*stem].made.is_some()) {
        return Content::Stems(plain(stems));
    }
    let mut minus = tree.made_in(None);
    minus.retain(|stem| !stems.contains(stem));
    Content::Rest(Terms { of: None, minus })
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
    /// Selects these stems, or all that have no parts of their own if `stems` is empty.
    ///
    /// # Errors
    /// [`Problem::UnknownStem`] for a stem that the chain does not have.
    pub fn of_stems(tree: &Tree, stems: &[String]) -> Result<Self> {
        let stems = ordered(tree, stems)?;
        let stems = stems.into_iter().map(|stem| tree.stems()[stem].name.clone()).collect();
        Ok(Self { stems, ..Self::default() })
    }

    /// Builds the items of this selection in `format` for the stems of a chain. `fields` name the
    /// song; the fields about the file are filled in here.
    ///
    /// # Errors
    /// Fails with [`Problem::UnknownStem`] for a stem that the chain lacks. Also fails if there are
    /// too few stems for the format, or if nothing is selected.
    pub fn items(
        &self,
        tree: &Tree,
        format: &Format,
        place: &Place,
        mut fields: Fields,
    ) -> Result<Vec<ExportItem>> {
        let mut contents = match format.streams {
            Streams::MixAndFourStems => vec![(STEMS.to_owned(), mix_and_four_stems(tree)?)],
            // A sum next to its parts would play the same stems twice.
            Streams::All if self.residual || !self.stems.is_empty() => {
                Self { all_but: Vec::new(), mix: None, ..self.clone() }.contents(tree)?
            }
            Streams::One | Streams::All => self.contents(tree)?,
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

    fn contents(&self, tree: &Tree) -> Result<Vec<(String, Named)>> {
        let one = |name: &str, content| (name.to_owned(), vec![(name.to_owned(), content)]);
        let mut contents = Vec::new();
        for stem in chosen(tree, &self.stems)? {
            contents.push(one(&tree.stems()[stem].name, content(tree, stem)));
        }
        for stem in chosen(tree, &self.all_but)? {
            let name = format!("all but {}", tree.stems()[stem].name);
            contents.push(one(&name, all_but(tree, stem)));
        }
        if self.residual {
            contents.push(one(RESIDUAL, residual(tree)));
        }
        if let Some(parts) = &self.mix {
            contents.push(one(MIX, heard(tree, parts)?));
        }
        Ok(contents)
    }
}

/// Sums parts. The residual and rests are computed from what they are rests of.
fn heard(tree: &Tree, parts: &[Part]) -> Result<Content> {
    // Gains of made stems, then what rests add to them.
    let mut gains: BTreeMap<usize, [f32; 2]> = BTreeMap::new();
    let mut residual = [0.0f32; 2];
    let names = tree.names();
    let mut rests = Vec::new();
    for part in parts {
        if part.stem.trim() == RESIDUAL {
            // With a rest, the residual is silent.
            residual = if tree.has_rest() { residual } else { part.gains };
            continue;
        }
        let stem = stem_index(&names, part.stem.trim())?;
        if tree.stems()[stem].made.is_some() {
            gains.insert(stem, part.gains);
        } else {
            rests.push((tree.terms(stem), part.gains));
        }
    }
    let of_song = tree.made_in(None);
    let is_flat = gains.keys().all(|stem| of_song.contains(stem))
        && rests.iter().all(|(terms, _)| terms.of.is_none() && terms.minus == of_song);
    if is_flat {
        let residual = rests.first().map_or(residual, |(_, gains)| *gains);
        if residual == [0.0; 2] {
            return Ok(Content::Stems(gains.into_iter().collect()));
        }
        let gain = |stem: usize| (stem, gains.get(&stem).copied().unwrap_or_default());
        return Ok(Content::Heard { stems: of_song.into_iter().map(gain).collect(), residual });
    }
    if residual != [0.0; 2] {
        rests.push((Terms { of: None, minus: of_song }, residual));
    }
    let mut original = [0.0; 2];
    for (Terms { of, minus }, own) in &rests {
        match of {
            None => original = added(original, *own, 1.0),
            Some(stem) => add_to(&mut gains, *stem, *own, 1.0),
        }
        for stem in minus {
            add_to(&mut gains, *stem, *own, -1.0);
        }
    }
    if original == [0.0; 2] {
        return Ok(Content::Stems(gains.into_iter().collect()));
    }
    // `Heard` subtracts the residual's gain from each of its stems.
    let stems = gains.into_iter().map(|(stem, sum)| (stem, added(sum, original, 1.0)));
    Ok(Content::Heard { stems: stems.collect(), residual: original })
}

fn add_to(gains: &mut BTreeMap<usize, [f32; 2]>, stem: usize, own: [f32; 2], sign: f32) {
    let sum = gains.entry(stem).or_default();
    *sum = added(*sum, own, sign);
}

/// Adds gains.
fn added([left, right]: [f32; 2], gains: [f32; 2], sign: f32) -> [f32; 2] {
    [left + sign * gains[0], right + sign * gains[1]]
}

/// The streams of one item, with their names.
type Named = Vec<(String, Content)>;

/// The whole song, then drums, bass, other and vocals. Additional stems of the song go to "other".
fn mix_and_four_stems(tree: &Tree) -> Result<Named> {
    const FOUR: [&str; 4] = ["drums", "bass", "other", "vocals"];
    let of_song: Vec<usize> = tree.children(None).collect();
    let name = |stem: usize| tree.stems()[stem].name.as_str();
    let mut streams = vec![(MIX.to_owned(), Content::original())];
    for wanted in FOUR {
        let Some(stem) = of_song.iter().copied().find(|stem| name(*stem) == wanted) else {
            return Err(Problem::DjStem { stem: wanted.to_owned() });
        };
        let mut parts = vec![stem];
        if wanted == "other" {
            parts.extend(of_song.iter().copied().filter(|stem| !FOUR.contains(&name(*stem))));
        }
        streams.push((wanted.to_owned(), sum(tree, &parts)));
    }
    Ok(streams)
}

/// Indices of `names` in the tree, ascending, each once; all stems without parts if `names` is empty.
///
/// # Errors
/// Fails with [`Problem::UnknownStem`] for a stem that the chain lacks.
pub fn ordered(tree: &Tree, names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() { Ok(tree.leaves()) } else { chosen(tree, names) }
}

fn chosen(tree: &Tree, names: &[String]) -> Result<Vec<usize>> {
    let known = tree.names();
    let mut stems =
        names.iter().map(|name| stem_index(&known, name.trim())).collect::<Result<Vec<_>>>()?;
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

    fn flat() -> Tree {
        Tree::flat(&sources(), None)
    }

    fn rest(minus: &[usize]) -> Content {
        Content::Rest(Terms { of: None, minus: minus.to_vec() })
    }

    fn items(selection: &Selection, pattern: &str) -> Result<Vec<ExportItem>> {
        let pattern = NamePattern::new(pattern).unwrap();
        let place = Place { folder: "out".into(), pattern };
        let fields = Fields { title: "Song".into(), ..Fields::default() };
        selection.items(&flat(), FORMATS[0], &place, fields)
    }

    #[test]
    fn stems_come_in_the_models_order_and_once() {
        let names = ["vocals", " drums", "vocals"].map(str::to_owned);
        let mut selection = Selection::of_stems(&flat(), &names).unwrap();
        assert_eq!(selection.stems, ["drums", "vocals"]);
        selection.stems = names.into();
        selection.all_but = vec!["bass".into()];
        selection.residual = true;
        selection.mix = Some(vec![Part { stem: "bass".into(), gains: [0.5, 1.0] }]);
        let items = items(&selection, "{title}/{n} {stem}").unwrap();
        let path = |item: &ExportItem| item.to.to_string_lossy().replace('\\', "/");
        let paths: Vec<String> = items.iter().map(path).collect();
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
        assert_eq!(contents[2], rest(&[1]));
        assert_eq!(contents[3], rest(&[0, 1, 2, 3]));
        assert_eq!(contents[4], Content::Stems(vec![(1, [0.5, 1.0])]));
        assert_eq!(ordered(&flat(), &[]).unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_session_repeats_no_stem() {
        let place = Place { folder: "out".into(), pattern: NamePattern::new("x").unwrap() };
        let session = Format::find("dawproject").unwrap();
        let names = |selection: &Selection| -> Vec<String> {
            let items = selection.items(&flat(), session, &place, Fields::default());
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
        let selection = Selection::of_stems(&flat(), &[]).unwrap();
        let several = items(&selection, "{title}").unwrap();
        assert_eq!(several[3].to, PathBuf::from("out/Song (vocals).wav"));
        let one = Selection { stems: vec!["bass".into()], ..Selection::default() };
        assert_eq!(items(&one, "{title}").unwrap()[0].to, PathBuf::from("out/Song.wav"));
    }

    #[test]
    fn reports_unknown_stems_and_an_empty_selection() {
        let kazoo = ["kazoo".to_owned()];
        assert!(Selection::of_stems(&flat(), &kazoo).is_err());
        assert!(items(&Selection { all_but: kazoo.into(), ..Selection::default() }, "x").is_err());
        let message = items(&Selection::default(), "x").unwrap_err().to_string();
        assert!(message.contains("nothing is chosen"), "{message}");
    }

    #[test]
    fn stems_for_djs_are_the_song_and_four() {
        let six = ["drums", "bass", "other", "vocals", "guitar", "piano"].map(str::to_owned);
        let streams = mix_and_four_stems(&Tree::flat(&six, None)).unwrap();
        let names: Vec<&str> = streams.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["mix", "drums", "bass", "other", "vocals"]);
        assert_eq!(streams[0].1, Content::original());
        assert_eq!(streams[3].1.stems(), [2, 4, 5].into());
        let message = mix_and_four_stems(&Tree::flat(&six[..2], None)).unwrap_err().to_string();
        assert!(message.contains("no other"), "{message}");
    }

    #[test]
    fn the_rest_is_made_from_the_original() {
        let names = ["drums", "bass", "vocals", "other"].map(str::to_owned);
        let tree = Tree::flat(&names[..3], Some("other"));
        let mut selection = Selection::of_stems(&tree, &["other".into(), "bass".into()]).unwrap();
        selection.all_but = ["bass", "other"].map(str::to_owned).into();
        selection.residual = true;
        selection.mix = Some(vec![
            Part::plain("bass"),
            Part { stem: "other".into(), gains: [0.5, 1.0] },
            Part::plain(RESIDUAL),
        ]);
        let contents = selection.contents(&tree).unwrap();
        let contents: Vec<_> = contents.into_iter().map(|mut item| item.1.remove(0).1).collect();
        let plain = |stems: &[usize]| stems.iter().map(|stem| (*stem, [1.0; 2])).collect();
        assert_eq!(
            contents,
            [
                Content::stem(1),
                rest(&[0, 1, 2]),
                rest(&[1]),
                Content::Stems(plain(&[0, 1, 2])),
                Content::Stems(Vec::new()),
                Content::Heard {
                    stems: vec![(0, [0.0; 2]), (1, [1.0; 2]), (2, [0.0; 2])],
                    residual: [0.5, 1.0]
                },
            ]
        );
        let streams = mix_and_four_stems(&tree).unwrap();
        assert_eq!(streams[3], ("other".to_owned(), rest(&[0, 1, 2])));
    }

    /// Vocals with lead and backing; the band with drums and a rest.
    fn nested() -> Tree {
        crate::engine::separation::chain::tree::tests::example()
    }

    #[test]
    fn rests_of_branches_are_made_from_their_parents() {
        let tree = nested();
        let mut selection = Selection::of_stems(&tree, &[]).unwrap();
        assert_eq!(selection.stems, ["lead", "backing", "drums", "others"]);
        selection.stems = tree.names();
        selection.all_but = vec!["backing".into()];
        let contents = selection.contents(&tree).unwrap();
        let contents: Vec<_> = contents.into_iter().map(|mut item| item.1.remove(0).1).collect();
        let of = |of, minus: &[usize]| Content::Rest(Terms { of, minus: minus.to_vec() });
        assert_eq!(
            contents,
            [
                Content::stem(0),
                Content::stem(1),
                of(Some(0), &[1]),
                rest(&[0]),
                Content::stem(4),
                rest(&[0, 4]),
                Content::Heard { stems: vec![(0, [0.0; 2]), (1, [2.0; 2])], residual: [1.0; 2] },
            ]
        );
    }

    #[test]
    fn all_parts_at_unity_are_the_original_and_gains_act_on_their_part_alone() {
        let tree = nested();
        let mut block = super::super::feed::Block { frames: 1, ..Default::default() };
        block.original = vec![1.0, 1.0];
        for (stem, value) in [(0, 0.4), (1, 0.25), (4, 0.5)] {
            block.stems.insert(stem, vec![value; 2]);
        }
        let value = |parts: &[(&str, f32)]| {
            let part =
                |(stem, gain): &(&str, f32)| Part { stem: (*stem).into(), gains: [*gain; 2] };
            let parts: Vec<Part> = parts.iter().map(part).collect();
            let mut out = Vec::new();
            heard(&tree, &parts).unwrap().floats(&block, 2, 1.0, &mut out);
            out[0]
        };
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{one} {other}");
        near(value(&[("lead", 1.0), ("backing", 1.0), ("drums", 1.0), ("others", 1.0)]), 1.0);
        near(value(&[("lead", 1.0), ("backing", 1.0)]), 0.4);
        near(value(&[("backing", 1.0)]), 0.15);
        near(value(&[("others", 2.0)]), 0.2);
        near(value(&[("lead", 0.5), ("others", 1.0)]), 0.225);
        near(value(&[("vocals", 1.0), ("band", 1.0)]), 1.0);
        near(value(&[("vocals", 0.5), ("drums", 1.0)]), 0.7);
    }
}
