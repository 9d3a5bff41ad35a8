//! The tree of stems: the song's instruments, and instruments within instruments.
//!
//! Each stem is made by networks, or is the rest of a branch: its parent minus the other stems of that
//! branch. So a branch always adds up to its parent. Pure data without files; usable from any thread.

use serde::{Deserialize, Serialize};

/// Stems in an order in which parents precede their children.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    stems: Vec<TreeStem>,
}

/// A stem of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeStem {
    /// Name, unique in the tree.
    pub name: String,
    /// Index of the stem that this one is a part of; `None` for a part of the song.
    pub parent: Option<usize>,
    /// How networks make the stem; `None` for the rest of its branch.
    pub made: Option<Combination>,
}

/// Outputs of networks that make a stem together.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// At least one output.
    pub parts: Vec<Part>,
    /// The combination of several outputs.
    pub by: CombineBy,
}

/// An output of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Index of the step in its chain.
    pub step: usize,
    /// Index of the stem among those of the step's network, its rest included.
    pub output: usize,
    /// Weight in a sum, or in an average before division by the sum of all weights.
    pub weight: f32,
}

/// Combination of several outputs, by samples (`wave`) or by the magnitudes of their spectrogram
/// (`fft`). The names are those of Music-Source-Separation-Training's `ensemble.py`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CombineBy {
    /// Weighted average of the samples.
    #[default]
    AvgWave,
    /// Weighted sum of the samples.
    SumWave,
    /// Median of the samples.
    MedianWave,
    /// Sample with the smallest magnitude.
    MinWave,
    /// Sample with the largest magnitude.
    MaxWave,
    /// Weighted average of the spectrograms.
    AvgFft,
    /// Bin with the median magnitude.
    MedianFft,
    /// Bin with the smallest magnitude.
    MinFft,
    /// Bin with the largest magnitude.
    MaxFft,
}

/// A stem as a sum: the song or one made stem, minus made stems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Index of the stem from which the others are subtracted; `None` for the song.
    pub of: Option<usize>,
    /// Indices of the stems to subtract, in order.
    pub minus: Vec<usize>,
}

impl CombineBy {
    /// Whether the spectrograms are combined instead of the samples.
    pub fn is_spectral(self) -> bool {
        matches!(self, Self::AvgFft | Self::MedianFft | Self::MinFft | Self::MaxFft)
    }
}

impl Combination {
    /// A single output.
    pub fn single(step: usize, output: usize) -> Self {
        Self { parts: vec![Part { step, output, weight: 1.0 }], by: CombineBy::AvgWave }
    }

    /// The output, if it is the only one.
    pub fn only(&self) -> Option<Part> {
        if let [part] = self.parts[..] { Some(part) } else { None }
    }
}

impl Tree {
    /// Creates a tree from stems whose parents precede them.
    pub fn new(stems: Vec<TreeStem>) -> Self {
        debug_assert!(
            stems.iter().enumerate().all(|(at, stem)| stem.parent.is_none_or(|p| p < at))
        );
        Self { stems }
    }

    /// The tree of a single network: its sources, then its rest if it has one.
    pub fn flat(sources: &[String], rest: Option<&str>) -> Self {
        let made = |(output, name): (usize, &String)| TreeStem {
            name: name.clone(),
            parent: None,
            made: Some(Combination::single(0, output)),
        };
        let rest = rest.map(|name| TreeStem { name: name.to_owned(), parent: None, made: None });
        Self { stems: sources.iter().enumerate().map(made).chain(rest).collect() }
    }

    /// Replaces the number of each step by that at its place in `numbers`.
    pub(super) fn renumber_steps(&mut self, numbers: &[usize]) {
        let made = self.stems.iter_mut().filter_map(|stem| stem.made.as_mut());
        for part in made.flat_map(|made| &mut made.parts) {
            part.step = numbers.get(part.step).copied().unwrap_or(part.step);
        }
    }

    /// The stems.
    pub fn stems(&self) -> &[TreeStem] {
        &self.stems
    }

    /// Names of the stems.
    pub fn names(&self) -> Vec<String> {
        self.stems.iter().map(|stem| stem.name.clone()).collect()
    }

    /// Stems without parts of their own. With the residual, they add up to the song.
    pub fn leaves(&self) -> Vec<usize> {
        let is_leaf = |stem: &usize| self.children(Some(*stem)).next().is_none();
        (0..self.stems.len()).filter(is_leaf).collect()
    }

    /// Stems of a branch; `None` is the song.
    pub fn children(&self, parent: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        (0..self.stems.len()).filter(move |&stem| self.stems[stem].parent == parent)
    }

    /// The rest of a branch, if one of its stems is the rest.
    pub fn rest_of(&self, parent: Option<usize>) -> Option<usize> {
        self.children(parent).find(|&stem| self.stems[stem].made.is_none())
    }

    /// Whether the stems of the song add up to it. In that case, the song has no residual.
    pub fn has_rest(&self) -> bool {
        self.rest_of(None).is_some()
    }

    /// Stems that networks make within a branch.
    pub fn made_in(&self, parent: Option<usize>) -> Vec<usize> {
        self.children(parent).filter(|&stem| self.stems[stem].made.is_some()).collect()
    }

    /// A stem as a sum of the song and stems that networks make.
    pub fn terms(&self, stem: usize) -> Terms {
        if self.stems[stem].made.is_some() {
            return Terms { of: Some(stem), minus: Vec::new() };
        }
        let parent = self.stems[stem].parent;
        let mut terms = parent.map_or_else(Terms::default, |parent| self.terms(parent));
        terms.minus.extend(self.made_in(parent));
        terms
    }

    /// A stem, or the song, minus stems, as a sum of the song and stems that networks make. `None` if
    /// that has no such form, because a rest would be subtracted.
    pub fn difference(&self, of: Option<usize>, minus: &[usize]) -> Option<Terms> {
        let mut terms = of.map_or_else(Terms::default, |stem| self.terms(stem));
        for &stem in minus {
            self.stems[stem].made.as_ref()?;
            terms.minus.push(stem);
        }
        Some(terms)
    }

    /// Made stems that are needed for these stems.
    pub fn made_for(&self, stems: &[usize]) -> Vec<usize> {
        let mut needed: Vec<usize> = stems
            .iter()
            .flat_map(|&stem| {
                let Terms { of, minus } = self.terms(stem);
                of.into_iter().chain(minus)
            })
            .collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// A stem and all that it is a part of, from the inside.
    pub fn line(&self, stem: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(stem), |&stem| self.stems[stem].parent)
    }

    /// Number of stems that a stem is a part of.
    pub fn depth(&self, stem: usize) -> usize {
        self.line(stem).count() - 1
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use super::*;

    fn stem(name: &str, parent: Option<usize>, step: Option<(usize, usize)>) -> TreeStem {
        let made = step.map(|(step, output)| Combination::single(step, output));
        TreeStem { name: name.into(), parent, made }
    }

    /// Vocals with lead and backing; the band with drums and a rest.
    pub fn example() -> Tree {
        Tree::new(vec![
            stem("vocals", None, Some((0, 0))),
            stem("lead", Some(0), Some((1, 0))),
            stem("backing", Some(0), None),
            stem("band", None, None),
            stem("drums", Some(3), Some((2, 0))),
            stem("others", Some(3), None),
        ])
    }

    #[test]
    fn rests_are_sums_of_the_song_and_made_stems() {
        let tree = example();
        let terms = |of, minus: &[usize]| Terms { of, minus: minus.to_vec() };
        assert_eq!(tree.terms(0), terms(Some(0), &[]));
        assert_eq!(tree.terms(2), terms(Some(0), &[1]));
        assert_eq!(tree.terms(3), terms(None, &[0]));
        assert_eq!(tree.terms(5), terms(None, &[0, 4]));
        assert_eq!(tree.made_for(&[5, 2]), [0, 1, 4]);
        assert_eq!(tree.difference(Some(3), &[4]), Some(terms(None, &[0, 4])));
        assert_eq!(tree.difference(None, &[3]), None, "the band is a rest itself");
        assert!(tree.has_rest() && tree.rest_of(Some(0)) == Some(2));
        assert_eq!((tree.depth(0), tree.depth(5)), (0, 1));
    }

    #[test]
    fn every_branch_adds_up_to_its_parent() {
        // Numbers of the song and of made stems; a rest follows from its terms.
        let tree = example();
        let value = |stem: usize| [3.0, 1.0, 0.0, 0.0, 2.5, 0.0][stem];
        let sum = |stem: usize| {
            let Terms { of, minus } = tree.terms(stem);
            of.map_or(10.0, value) - minus.into_iter().map(value).sum::<f64>()
        };
        for parent in [None, Some(0), Some(3)] {
            let whole = parent.map_or(10.0, sum);
            assert_eq!(tree.children(parent).map(sum).sum::<f64>(), whole);
        }
    }
}
