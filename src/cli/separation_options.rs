//! Options for separating, shared by several subcommands: the model and the quality.

use std::path::Path;

use anyhow::bail;

use super::reason::Reason;
use crate::{
    engine::{
        Preferences, Problem,
        separation::{
            chain::{
                Chain,
                resolve::{self, Chains},
            },
            installed::{DEFAULT, InstalledModel},
            options::{MOST_SHIFTS, Quality, SeparationOptions},
        },
    },
    i18n::fl,
    model::{MOST_OVERLAP, ModelError, weights::Store},
};

/// The options, named as in the reference implementation.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct SeparationArguments {
    /// Model for the separation; see `partita model list`
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Chain of models: a name from `partita chain list`, or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "model")]
    pub(super) chain: Option<String>,
    /// Quality: draft, standard or best; the options below refine it
    #[arg(long, value_name = "NAME", value_parser = parse_quality)]
    pub(super) quality: Option<Quality>,
    /// Overlap of neighbouring segments: more is smoother and slower. 0 to 0.5 for HTDemucs
    /// [standard: 0.25], 0.1 to 0.75 for other networks
    #[arg(long, value_name = "PART", value_parser = parse_overlap)]
    pub(super) overlap: Option<u8>,
    /// Number of passes with random delays up to half a second, whose results are averaged: 0 to 10
    /// [standard: 0]; HTDemucs only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_SHIFTS)))]
    pub(super) shifts: Option<u8>,
    /// Seed of the random delays of --shifts: the same number gives the same stems
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u32>,
    /// Length of a segment in seconds; must equal the length that the network was trained with
    #[arg(long, value_name = "SECONDS")]
    pub(super) segment: Option<f64>,
}

impl SeparationArguments {
    /// The name of the model, from the arguments or the settings.
    pub(super) fn model_name<'a>(&'a self, preferences: &'a Preferences) -> &'a str {
        let given = self.model.as_deref().or(self.chain.as_deref());
        given.or(preferences.model.as_deref()).unwrap_or(DEFAULT)
    }

    /// The quality for a model, from the arguments or `usual`.
    ///
    /// # Errors
    /// The model does not support an option.
    fn quality(&self, usual: Quality, chain: &Chain) -> anyhow::Result<Quality> {
        let name = chain.name.as_str();
        let Some(spec) = chain.model().map(|model| &model.spec) else {
            let has_numbers =
                self.overlap.is_some() || self.shifts.is_some() || self.seed.is_some();
            if has_numbers || self.segment.is_some() {
                bail!(Reason::new(|| fl!(cli_chain_numbers, name = name)));
            }
            return Ok(self.quality.unwrap_or(usual));
        };
        let preset = self.quality.map(|quality| quality.for_network(spec));
        let preset = preset.unwrap_or(usual);
        if self.shifts.is_some_and(|shifts| shifts > 0) && !spec.allows_shifts {
            bail!(Reason::new(|| fl!(cli_no_shifts, name = name)));
        }
        let range = spec.overlap.least..=spec.overlap.most;
        if self.overlap.is_some_and(|overlap| !range.contains(&overlap)) {
            let [least, most] = [range.start(), range.end()].map(|end| f64::from(*end) / 100.0);
            let [least, most] = [least, most].map(|end| end.to_string());
            bail!(Reason::new(|| fl!(
                cli_overlap_range,
                name = name,
                least = &least,
                most = &most
            )));
        }
        let given = Quality {
            overlap: self.overlap.unwrap_or(preset.overlap),
            shifts: self.shifts.unwrap_or(preset.shifts),
            seed: self.seed.unwrap_or(preset.seed),
            ..preset
        };
        Ok(given.within(spec))
    }

    /// Whether any option is set.
    pub(super) fn is_given(&self) -> bool {
        let Self { model, chain, quality, overlap, shifts, seed, segment } = self;
        let numbers = overlap.is_some() || shifts.is_some() || seed.is_some();
        model.is_some() || chain.is_some() || quality.is_some() || numbers || segment.is_some()
    }

    /// The chain and the quality.
    ///
    /// # Errors
    /// The errors of [`Self::options`].
    pub(super) fn chosen(
        &self,
        home: &Path,
        preferences: &Preferences,
    ) -> anyhow::Result<(Chain, Quality)> {
        let (chain, options) = self.options(home, None, preferences)?;
        Ok((chain, options.quality))
    }

    /// The model and quality for a song: from the arguments, else from the song's own choice, else
    /// from the settings.
    ///
    /// # Errors
    /// The model is not installed, or does not support the quality or the segment.
    pub(super) fn options(
        &self,
        home: &Path,
        chosen: Option<&SeparationOptions>,
        preferences: &Preferences,
    ) -> anyhow::Result<(Chain, SeparationOptions)> {
        let usual = chosen.map_or_else(|| self.model_name(preferences), |chosen| &chosen.model);
        let name = self.model.as_deref().or(self.chain.as_deref()).unwrap_or(usual);
        let chain = self.find(home, name)?;
        let usual = match chosen {
            Some(chosen) if chosen.model == name => chosen.quality,
            Some(chosen) => chain.quality(chosen.quality),
            None => chain.quality(preferences.quality),
        };
        let quality = self.quality(usual, &chain)?;
        if let (Some(seconds), Some(model)) = (self.segment, chain.model()) {
            let frames = (seconds * f64::from(model.spec.sample_rate)) as usize;
            let own = model.spec.segment_frames as f64 / f64::from(model.spec.sample_rate);
            if frames.abs_diff(model.spec.segment_frames) > 1 {
                let seconds = own.to_string();
                bail!(Reason::new(|| fl!(cli_segment_length, name = name, seconds = &seconds)))
            }
        }
        let options = SeparationOptions { model: chain.name.clone(), quality };
        Ok((chain, options))
    }

    /// Checks that the chain is not given as a file: the library names chains.
    ///
    /// # Errors
    /// It is a file.
    pub(super) fn check_chain_is_kept(&self) -> anyhow::Result<()> {
        match &self.chain {
            Some(file) if resolve::is_path(file) => {
                bail!(Reason::new(|| fl!(cli_chain_is_a_file, file = file)))
            }
            _ => Ok(()),
        }
    }

    /// Finds a chain or an installed model.
    fn find(&self, home: &Path, name: &str) -> anyhow::Result<Chain> {
        if self.model.is_none() || self.chain.is_some() {
            match Chains::find(home, name) {
                // The settings may name a model that is not installed.
                Err(Problem::UnknownChain { .. }) if self.chain.is_none() => {}
                found => return Ok(found?),
            }
        }
        if let Some(model) = InstalledModel::find(home, name)? {
            return Ok(Chain::of_model(model));
        }
        let models = Store::new(home).models();
        if models.iter().all(|model| model.name != name) {
            let known = models.into_iter().map(|model| model.name).collect();
            bail!(ModelError::Unknown { name: name.escape_debug().to_string(), known });
        }
        bail!(Reason::new(|| fl!(cli_model_not_installed, name = name)))
    }
}

fn parse_quality(text: &str) -> Result<Quality, String> {
    match text {
        "draft" => Ok(Quality::DRAFT),
        "standard" => Ok(Quality::STANDARD),
        "best" => Ok(Quality::BEST),
        _ => Err(fl!(expected_choice, choices = "draft, standard", last = "best")),
    }
}

/// Parses an overlap, given as a fraction of a segment, into percent.
fn parse_overlap(text: &str) -> Result<u8, String> {
    let most = (f64::from(MOST_OVERLAP) / 100.0).to_string();
    let wrong = || fl!(expected_between, least = "0", most = &most);
    let part: f64 = text.parse().map_err(|_| wrong())?;
    let percent = (part * 100.0).round();
    if !(0.0..=f64::from(MOST_OVERLAP)).contains(&percent) {
        return Err(wrong());
    }
    if (percent / 100.0 - part).abs() > 1e-9 {
        return Err(fl!(expected_decimals).to_owned());
    }
    Ok(percent as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spec;

    fn chain(spec: Spec) -> Chain {
        let (networks, digest) = (Vec::new(), String::new());
        Chain::of_model(InstalledModel { name: "kim".into(), networks, digest, spec })
    }

    #[test]
    fn overlaps_are_parts_of_a_segment() {
        assert_eq!(parse_overlap("0.25"), Ok(25));
        assert_eq!(parse_overlap("0"), Ok(0));
        assert_eq!(parse_overlap("0.75"), Ok(75));
        for wrong in ["0.76", "-0.1", "1", "a", "nan", "0.333"] {
            assert!(parse_overlap(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arguments_override_the_settings() {
        let preferences = Preferences {
            model: Some("six".into()),
            quality: Quality::BEST,
            ..Preferences::default()
        };
        let chain = chain(Spec::triangle(Vec::new(), 343_980));
        let quality = |arguments: &SeparationArguments| {
            arguments.quality(preferences.quality, &chain).unwrap()
        };
        let nothing = SeparationArguments::default();
        assert_eq!(quality(&nothing), Quality::BEST);
        assert_eq!(nothing.model_name(&preferences), "six");
        let some = SeparationArguments {
            model: Some("ft".into()),
            quality: Some(Quality::STANDARD),
            shifts: Some(3),
            seed: Some(9),
            ..nothing
        };
        let expected = Quality { overlap: 25, shifts: 3, seed: 9, is_draft: false };
        assert_eq!((quality(&some), some.model_name(&preferences)), (expected, "ft"));
    }

    #[test]
    fn refuses_what_a_model_does_not_allow() {
        let chain = chain(Spec::fade(Vec::new(), 352_800, 50));
        let quality = |quality: Option<Quality>, overlap, shifts| {
            let given = SeparationArguments { quality, overlap, shifts, ..Default::default() };
            let usual = chain.quality(Quality::STANDARD);
            given.quality(usual, &chain).map(Quality::suffix).map_err(|e| e.to_string())
        };
        assert_eq!(quality(None, None, None).unwrap(), "o50");
        assert_eq!(quality(Some(Quality::BEST), None, Some(0)).unwrap(), "o75");
        assert_eq!(quality(Some(Quality::DRAFT), None, None).unwrap(), "o10-draft");
        assert_eq!(quality(None, Some(25), None).unwrap(), "o25", "given as a number");
        let shifts = quality(None, None, Some(2)).unwrap_err();
        assert!(shifts.contains("\"kim\" allows no shifts"), "{shifts}");
        let overlap = quality(None, Some(0), None).unwrap_err();
        assert!(overlap.contains("an overlap of 0.1 to 0.75"), "{overlap}");
    }
}
