//! The stems of a song as a tree of instruments: their order, which have a lane, and how loud each is.
//!
//! - A stem is in the mix if it is heard, and it or a stem that it is a part of is ticked. So a stem
//!   sounds the same before and after it is separated into parts, whatever the ticks of its parts.
//! - A stem that is heard through its parts is a group. Its gain, pan, mute and solo act on all of them.
//!
//! Pure: draws nothing. The settings of the lanes are the user's, see [`super::ui_state`].

use std::iter;

use egui::Color32;

use crate::{
    engine::{LaneSettings, player::Gains, separation::options::StemInfo},
    ui::theme::{STEM_ORDER, Tokens},
};

/// Indices of stems in display order.
pub fn display_order(stems: &[String]) -> Vec<usize> {
    let rank = |stem: &String| STEM_ORDER.iter().position(|known| known.eq_ignore_ascii_case(stem));
    let mut order: Vec<usize> = (0..stems.len()).collect();
    order.sort_by_key(|i| (rank(&stems[*i]).unwrap_or(STEM_ORDER.len()), *i));
    order
}

/// The stems of a song, with their names and their places in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Instruments<'a> {
    names: &'a [String],
    infos: &'a [StemInfo],
}

/// Which lanes are audible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audible {
    /// By stem; a group is audible while one of its parts is.
    pub stems: Vec<bool>,
    /// Whether the residual is audible.
    pub residual: bool,
}

impl<'a> Instruments<'a> {
    /// The stems of these names. Without information about each of them, none is a part of another.
    pub fn new(names: &'a [String], infos: &'a [StemInfo]) -> Self {
        let is_tree = infos.len() == names.len()
            && infos.iter().enumerate().all(|(at, info)| info.parent.is_none_or(|p| p < at));
        Self { names, infos: if is_tree { infos } else { &[] } }
    }

    /// An instrument's colour: its own if it is a known one, otherwise a shade of that of its whole.
    pub fn color(self, tokens: &Tokens, stem: usize) -> Color32 {
        let name = &self.names[stem];
        let is_known = STEM_ORDER.iter().any(|known| known.eq_ignore_ascii_case(name));
        match self.parent(stem).filter(|_| !is_known) {
            Some(parent) => {
                let siblings = self.parts(Some(parent));
                let place = siblings.iter().position(|part| *part == stem).unwrap_or(0);
                tokens.part(self.color(tokens, parent), place)
            }
            None => tokens.stem(name),
        }
    }

    /// Names of all stems, in the order of their indices.
    pub fn names(self) -> &'a [String] {
        self.names
    }

    /// The stem that a stem is a part of.
    pub fn parent(self, stem: usize) -> Option<usize> {
        self.infos.get(stem).and_then(|info| info.parent)
    }

    /// Whether the stem of this name is a part of another one.
    pub fn is_part(self, name: &str) -> bool {
        let stem = self.names.iter().position(|stem| stem == name);
        stem.is_some_and(|stem| self.parent(stem).is_some())
    }

    /// A stem and all that it is a part of, from the inside.
    pub fn line(self, stem: usize) -> impl Iterator<Item = usize> + 'a {
        iter::successors(Some(stem), move |&stem| self.parent(stem))
    }

    /// Number of stems that a stem is a part of.
    pub fn depth(self, stem: usize) -> usize {
        self.line(stem).count() - 1
    }

    /// Stems of a branch in display order; `None` is the song.
    pub fn parts(self, parent: Option<usize>) -> Vec<usize> {
        let order = display_order(self.names).into_iter();
        let (rests, mut parts): (Vec<usize>, Vec<usize>) =
            order.filter(|&stem| self.parent(stem) == parent).partition(|&stem| {
                parent.is_some() && self.infos.get(stem).is_some_and(|info| info.is_rest)
            });
        parts.extend(rests);
        parts
    }

    /// All stems in display order, each followed by its parts.
    pub fn order(self) -> Vec<usize> {
        let mut order = Vec::new();
        self.append(None, &mut order, &|_| true);
        order
    }

    /// Adds the stems of a branch in display order, with the parts of those for which `is_open` holds.
    fn append(self, parent: Option<usize>, to: &mut Vec<usize>, is_open: &dyn Fn(usize) -> bool) {
        for stem in self.parts(parent) {
            to.push(stem);
            if is_open(stem) {
                self.append(Some(stem), to, is_open);
            }
        }
    }

    /// Whether a stem plays as itself.
    fn is_heard(self, stem: usize) -> bool {
        self.infos.get(stem).is_none_or(|info| info.is_heard)
    }

    /// Number of stems that play as themselves.
    pub fn num_heard(self) -> usize {
        (0..self.names.len()).filter(|&stem| self.is_heard(stem)).count()
    }

    /// Whether a stem is heard through its parts.
    pub fn is_group(self, stem: usize) -> bool {
        !self.is_heard(stem)
            && (stem + 1..self.names.len())
                .any(|part| self.is_heard(part) && self.line(part).any(|whole| whole == stem))
    }

    /// Names of the ticked stems.
    pub fn ticked(self, lanes: &[LaneSettings]) -> Vec<String> {
        let is_ticked = |(name, lane): (&String, &LaneSettings)| lane.ticked.then(|| name.clone());
        self.names.iter().zip(lanes).filter_map(is_ticked).collect()
    }

    /// Whether a stem or one that it is a part of is ticked.
    fn is_chosen(self, stem: usize, lanes: &[LaneSettings]) -> bool {
        self.line(stem).any(|stem| lanes.get(stem).is_some_and(|lane| lane.ticked))
    }

    /// Whether a stem is played and in the mix.
    fn is_in_mix(self, stem: usize, lanes: &[LaneSettings]) -> bool {
        self.is_heard(stem) && self.is_chosen(stem, lanes)
    }

    /// The stems with a lane, in display order: those in the mix, and the groups that they belong to.
    /// The parts of groups for which `is_folded` holds are left out.
    pub fn rows(self, lanes: &[LaneSettings], is_folded: impl Fn(&str) -> bool) -> Vec<usize> {
        let has_lane = |stem: usize| {
            let is_in = |part: usize| self.is_in_mix(part, lanes);
            is_in(stem)
                || (self.is_group(stem)
                    && (0..self.names.len())
                        .any(|part| is_in(part) && self.line(part).any(|whole| whole == stem)))
        };
        let mut rows = Vec::new();
        let is_open = |stem: usize| !(self.is_group(stem) && is_folded(&self.names[stem]));
        self.append(None, &mut rows, &is_open);
        rows.retain(|&stem| has_lane(stem));
        rows
    }

    /// The stems to write as one file each: the ticked ones. A group with a ticked part is written as
    /// its parts. So no sound is in two files.
    pub fn files(self, lanes: &[LaneSettings]) -> Vec<usize> {
        let mut files = Vec::new();
        for stem in self.parts(None) {
            self.append_files(stem, lanes, &mut files);
        }
        files.sort_unstable();
        files
    }

    fn append_files(self, stem: usize, lanes: &[LaneSettings], files: &mut Vec<usize>) {
        let is_ticked_part = |part: usize| {
            lanes.get(part).is_some_and(|lane| lane.ticked)
                && self.line(part).skip(1).any(|whole| whole == stem)
        };
        if self.is_group(stem) && (stem + 1..self.names.len()).any(is_ticked_part) {
            for part in self.parts(Some(stem)) {
                self.append_files(part, lanes, files);
            }
        } else if self.is_chosen(stem, lanes) {
            files.push(stem);
        }
    }

    /// Names of [`Self::files`].
    pub fn file_names(self, lanes: &[LaneSettings]) -> Vec<String> {
        self.files(lanes).into_iter().map(|stem| self.names[stem].clone()).collect()
    }

    /// The audible lanes. While a lane in the mix is soloed, only soloed ones and the parts of soloed
    /// groups are audible. A mute counts for all parts, unless it is overridden by a solo on the same
    /// lane or further inside.
    pub fn audible(self, lanes: &[LaneSettings], residual: LaneSettings) -> Audible {
        let count = self.names.len().min(lanes.len());
        let is_soloed = |stem: usize| self.line(stem).any(|stem| lanes[stem].soloed);
        let of_mix: Vec<bool> = (0..count).map(|stem| self.is_in_mix(stem, lanes)).collect();
        let any_solo = (residual.ticked && residual.soloed)
            || (0..count).any(|stem| of_mix[stem] && is_soloed(stem));
        let mut stems: Vec<bool> = (0..count)
            .map(|stem| {
                let is_muted =
                    self.line(stem).take_while(|&s| !lanes[s].soloed).any(|s| lanes[s].muted);
                of_mix[stem] && !is_muted && (!any_solo || is_soloed(stem))
            })
            .collect();
        // Parts follow their groups.
        for stem in (0..count).rev() {
            if let Some(parent) = self.parent(stem).filter(|_| stems[stem]) {
                stems[parent] = true;
            }
        }
        let is_free = if any_solo { residual.soloed } else { !residual.muted };
        Audible { stems, residual: residual.ticked && is_free }
    }

    /// The gains of all lanes, for playback and export: of a part, the product of its own and those of
    /// the groups that it belongs to. A stem that does not play as itself has none.
    pub fn gains(self, lanes: &[LaneSettings], residual: LaneSettings) -> Gains {
        let audible = self.audible(lanes, residual);
        let product = |stem: usize| {
            let sides = self.line(stem).map(|stem| lanes[stem].sides());
            sides.fold([1.0; 2], |[left, right], own| [left * own[0], right * own[1]])
        };
        let gain = |(stem, is_audible): (usize, &bool)| {
            if *is_audible && self.is_heard(stem) { product(stem) } else { [0.0; 2] }
        };
        let stems = audible.stems.iter().enumerate().map(gain).collect();
        let residual = if audible.residual { residual.sides() } else { [0.0; 2] };
        Gains { stems, residual }
    }

    /// Peak levels of all lanes from those of the player: that of a group is its loudest part's.
    pub fn levels(self, mut levels: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
        for stem in (0..self.names.len().min(levels.len())).rev() {
            if let Some(parent) = self.parent(stem).filter(|&parent| !self.is_heard(parent)) {
                for side in 0..2 {
                    levels[parent][side] = levels[parent][side].max(levels[stem][side]);
                }
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vocals in lead and backing; drums and bass.
    fn names() -> Vec<String> {
        ["drums", "bass", "vocals", "lead", "backing"].map(str::to_owned).into()
    }

    fn infos(vocals_are_open: bool) -> Vec<StemInfo> {
        let info = |stem: usize| StemInfo {
            parent: (stem > 2).then_some(2),
            is_rest: stem == 4,
            is_heard: if stem < 2 { true } else { (stem > 2) == vocals_are_open },
            ..StemInfo::default()
        };
        (0..5).map(info).collect()
    }

    /// Lanes with the ticks of a new song.
    fn lanes() -> Vec<LaneSettings> {
        (0..5).map(|stem| LaneSettings { ticked: stem < 3, ..LaneSettings::default() }).collect()
    }

    fn left(lanes: &[LaneSettings]) -> Vec<f32> {
        let (names, infos) = (names(), infos(true));
        let gains = Instruments::new(&names, &infos).gains(lanes, LaneSettings::of_residual());
        gains.stems.into_iter().map(|[left, _]| left).collect()
    }

    #[test]
    fn parts_follow_their_stem_in_display_order() {
        let (names, infos) = (names(), infos(true));
        let tree = Instruments::new(&names, &infos);
        assert_eq!(tree.order(), [2, 3, 4, 0, 1]);
        assert_eq!((tree.depth(2), tree.depth(4)), (0, 1));
        assert!(tree.is_group(2) && !tree.is_group(0));
        assert_eq!(tree.rows(&lanes(), |_| false), [2, 3, 4, 0, 1]);
        assert_eq!(tree.rows(&lanes(), |name| name == "vocals"), [2, 0, 1]);
        let odd = [StemInfo { parent: Some(7), ..StemInfo::default() }];
        let one = ["voice".to_owned()];
        assert_eq!(Instruments::new(&one, &odd).depth(0), 0, "a wrong tree is a flat one");
    }

    #[test]
    fn a_stem_sounds_the_same_before_and_after_it_is_separated_into_parts() {
        let (names, closed) = (names(), infos(false));
        let before = Instruments::new(&names, &closed);
        let gains = before.gains(&lanes(), LaneSettings::of_residual()).stems;
        assert_eq!(gains[2..], [[1.0; 2], [0.0; 2], [0.0; 2]]);
        assert_eq!(left(&lanes()), [1.0, 1.0, 0.0, 1.0, 1.0]);
        let mut only_lead = lanes();
        (only_lead[2].ticked, only_lead[3].ticked) = (false, true);
        assert_eq!(left(&only_lead), [1.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(before.rows(&only_lead, |_| false), [0, 1], "the lead is not there yet");
        only_lead[2].ticked = true;
        assert_eq!(left(&only_lead), [1.0, 1.0, 0.0, 1.0, 1.0], "the backing is a part of it");
    }

    #[test]
    fn a_group_acts_on_its_parts() {
        let mut lanes = lanes();
        (lanes[2].gain_db, lanes[3].gain_db) = (-6.0, -6.0);
        (lanes[2].pan, lanes[4].pan) = (-0.5, 0.5);
        let (names, infos) = (names(), infos(true));
        let gains = Instruments::new(&names, &infos).gains(&lanes, LaneSettings::of_residual());
        let half = 10f32.powf(-6.0 / 20.0);
        let near = |a: [f32; 2], b: [f32; 2]| (0..2).all(|side| (a[side] - b[side]).abs() < 1e-6);
        assert!(near(gains.stems[3], [half * half, half * half * 0.5]), "{gains:?}");
        assert!(near(gains.stems[4], [half * 0.5, half * 0.5]), "{gains:?}");
        lanes[2] = LaneSettings { muted: true, ..LaneSettings::default() };
        assert_eq!(left(&lanes)[2..], [0.0; 3]);
    }

    #[test]
    fn solo_and_mute_are_inherited() {
        let with = |changes: &[(usize, bool, bool)]| {
            let mut lanes = lanes();
            for &(stem, soloed, muted) in changes {
                (lanes[stem].soloed, lanes[stem].muted) = (soloed, muted);
            }
            left(&lanes)
        };
        assert_eq!(with(&[(2, true, false)]), [0.0, 0.0, 0.0, 1.0, 1.0], "the group alone");
        assert_eq!(with(&[(3, true, false)]), [0.0, 0.0, 0.0, 1.0, 0.0], "a part alone");
        assert_eq!(with(&[(2, true, false), (4, false, true)]), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(with(&[(2, true, true)]), [0.0, 0.0, 0.0, 1.0, 1.0], "solo overrides mute");
        assert_eq!(with(&[(2, false, true), (3, true, false)]), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(with(&[(0, true, false), (3, true, false)]), [1.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn no_sound_is_in_two_files() {
        let (names, open, closed) = (names(), infos(true), infos(false));
        let tree = Instruments::new(&names, &open);
        let mut lanes = lanes();
        assert_eq!(tree.files(&lanes), [0, 1, 2], "no part is ticked");
        lanes[3].ticked = true;
        assert_eq!(tree.files(&lanes), [0, 1, 3, 4], "the parts make up the ticked whole");
        lanes[2].ticked = false;
        assert_eq!(tree.file_names(&lanes), ["drums", "bass", "lead"]);
        assert_eq!(Instruments::new(&names, &closed).files(&lanes), [0, 1]);
    }

    #[test]
    fn a_groups_level_is_that_of_its_loudest_part() {
        let (names, infos) = (names(), infos(true));
        let levels = vec![[0.1; 2], [0.2; 2], [0.0; 2], [0.5, 0.1], [0.3, 0.4], [0.0; 2]];
        let levels = Instruments::new(&names, &infos).levels(levels);
        assert_eq!((levels[2], levels[0], levels.len()), ([0.5, 0.4], [0.1; 2], 6));
    }
}
