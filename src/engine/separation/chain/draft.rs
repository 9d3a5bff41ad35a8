//! The draft of a chain: stems that a quick network makes first, to listen to while the chain works.
//! Pure; usable from any thread.

use std::sync::Arc;

use super::{Chain, TreeStem};
use crate::engine::separation::{
    installed::{DEFAULT, stem_index},
    options::{Preset, Quality},
};

/// Length of the song in frames for which costs are compared.
const FRAMES: u64 = 180 * 44_100;

/// The chain and quality of a chain's draft: the default model if that takes less than half of the
/// chain's own draft and makes some of its stems, else the chain itself.
pub fn draft_of(chain: &Arc<Chain>, all: &[Arc<Chain>]) -> (Arc<Chain>, Quality) {
    let cost = |chain: &Chain| cost(chain, chain.preset(Preset::Draft));
    let is_quick = |quick: &&Arc<Chain>| {
        quick.name == DEFAULT
            && quick.is_model
            && !draft_stems(chain, quick, &all_stems(chain)).is_empty()
            && cost(quick) > 0
            && 2 * cost(quick) < cost(chain)
    };
    let draft = all.iter().find(is_quick).unwrap_or(chain);
    (Arc::clone(draft), draft.preset(Preset::Draft))
}

fn all_stems(chain: &Chain) -> Vec<usize> {
    (0..chain.tree.stems().len()).collect()
}

/// Stems of the draft's chain, by name, that stand for stems of a chain. A part that the draft does not
/// make is heard in the stem that it is a part of.
pub fn draft_stems(chain: &Chain, draft: &Chain, stems: &[usize]) -> Vec<usize> {
    let names = draft.tree.names();
    let find = |stem: &TreeStem| stem_index(&names, &stem.name).ok();
    let made = chain.tree.made_for(stems).into_iter();
    let found = made
        .filter_map(|made| chain.tree.line(made).find_map(|stem| find(&chain.tree.stems()[stem])));
    let mut found: Vec<usize> = found.collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Work for all stems of a song, in millions of operations; 0 if unknown.
fn cost(chain: &Chain, quality: Quality) -> u64 {
    let of_step = |(step, spec): (usize, &crate::model::Spec)| {
        chain.plan(step, FRAMES, quality).len() as u64
            * spec.megaflop
            * u64::from(spec.effort.percent)
    };
    chain.specs().enumerate().map(of_step).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::separation::{chain::tests::chain, installed::InstalledModel},
        model::Spec,
    };

    fn model(name: &str, sources: &[&str], megaflop: u64) -> Arc<Chain> {
        let sources = sources.iter().map(|name| (*name).to_owned()).collect();
        let spec = Spec { megaflop, ..Spec::triangle(sources, 343_980) };
        let (networks, digest) = (Vec::new(), format!("{name:0<20}"));
        Chain::of_model(InstalledModel { name: name.into(), networks, digest, spec }).into()
    }

    #[test]
    fn a_slow_model_is_drafted_by_the_default_one() {
        let quick = model(DEFAULT, &["drums", "vocals"], 100);
        let slow = model("slow", &["Vocals"], 1000);
        let (draft, quality) = draft_of(&slow, &[Arc::clone(&slow), Arc::clone(&quick)]);
        assert_eq!((draft.name.as_str(), quality), (DEFAULT, Quality::DRAFT));
        assert_eq!(draft_stems(&slow, &quick, &[0]), [1]);
        for (other, cause) in [
            (model("alike", &["vocals"], 150), "it is not much slower"),
            (model("odd", &["kazoo"], 1000), "it makes other stems"),
        ] {
            let (draft, _) = draft_of(&other, &[Arc::clone(&quick), Arc::clone(&other)]);
            assert_eq!(draft.name, other.name, "{cause}");
        }
    }

    #[test]
    fn a_part_is_drafted_by_what_it_is_a_part_of() {
        let (chain, quick) = (chain("x"), model(DEFAULT, &["drums", "bass", "vocals"], 1));
        assert_eq!(draft_stems(&chain, &quick, &[1]), [2], "lead");
        assert_eq!(draft_stems(&chain, &quick, &[5]), [0, 2], "others");
    }
}
