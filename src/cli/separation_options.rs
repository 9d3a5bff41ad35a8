//! How stems are made, as several subcommands take it: the model, and how thoroughly it separates.

use std::path::Path;

use anyhow::bail;

use crate::engine::{
    Preferences,
    separation::{
        installed::{DEFAULT, InstalledModel},
        options::{MOST_OVERLAP, MOST_SHIFTS, Quality, SeparationOptions},
    },
};

/// The options; named as the reference names them.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct SeparationArguments {
    /// The model; see `partita model list`
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// How thoroughly: draft, standard or best; the options below change it
    #[arg(long, value_name = "NAME", value_parser = parse_quality)]
    pub(super) quality: Option<Quality>,
    /// Overlap of neighbouring segments, 0 to 0.5: more is smoother and slower [standard: 0.25]
    #[arg(long, value_name = "PART", value_parser = parse_overlap)]
    pub(super) overlap: Option<u8>,
    /// Separate the song so many times, delayed by random times up to half a second, and average:
    /// 0 to 10 [standard: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_SHIFTS)))]
    pub(super) shifts: Option<u8>,
    /// Where the random times of --shifts begin: the same number gives the same stems
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u32>,
    /// Seconds of a segment; the networks here take no other than the one they were trained with
    #[arg(long, value_name = "SECONDS")]
    pub(super) segment: Option<f64>,
}

impl SeparationArguments {
    /// The quality: as given here, else as in the settings.
    pub(super) fn quality(&self, preferences: &Preferences) -> Quality {
        let preset = self.quality.unwrap_or(preferences.quality);
        let given = Quality {
            overlap: self.overlap.unwrap_or(preset.overlap),
            shifts: self.shifts.unwrap_or(preset.shifts),
            seed: self.seed.unwrap_or(preset.seed),
            ..preset
        };
        // One that was changed is no preset, and a draft only by its name.
        given.within_bounds()
    }

    /// The name of the model: as given here, else as in the settings.
    pub(super) fn model_name<'a>(&'a self, preferences: &'a Preferences) -> &'a str {
        let chosen = self.model.as_deref().or(preferences.model.as_deref());
        chosen.unwrap_or(DEFAULT)
    }

    /// What makes a song's stems: as given here, else as was chosen for the song, else as in the
    /// settings.
    pub(super) fn recipe(
        &self,
        chosen: Option<&SeparationOptions>,
        preferences: &Preferences,
    ) -> SeparationOptions {
        let usual = Preferences {
            model: chosen.map(|chosen| chosen.model.clone()).or_else(|| preferences.model.clone()),
            quality: chosen.map_or(preferences.quality, |chosen| chosen.quality),
            ..preferences.clone()
        };
        SeparationOptions {
            model: self.model_name(&usual).to_owned(),
            quality: self.quality(&usual),
        }
    }

    /// Whether anything is given.
    pub(super) fn is_given(&self) -> bool {
        let Self { model, quality, overlap, shifts, seed, segment } = self;
        let numbers = overlap.is_some() || shifts.is_some() || seed.is_some();
        model.is_some() || quality.is_some() || numbers || segment.is_some()
    }

    /// The model, which must be installed, and the quality.
    ///
    /// # Errors
    /// When it is not; when a segment is asked for that it does not take.
    pub(super) fn chosen(
        &self,
        home: &Path,
        preferences: &Preferences,
    ) -> anyhow::Result<(InstalledModel, Quality)> {
        self.installed(home, &self.recipe(None, preferences))
    }

    /// The model of a recipe, which must be installed, and its quality.
    ///
    /// # Errors
    /// When it is not; when a segment is asked for that it does not take.
    pub(super) fn installed(
        &self,
        home: &Path,
        SeparationOptions { model: name, quality }: &SeparationOptions,
    ) -> anyhow::Result<(InstalledModel, Quality)> {
        let Some(model) = InstalledModel::find(home, name)? else {
            bail!(
                "the model \"{name}\" is not installed; `partita model list` shows those that there \
                 are, `partita model install {name}` installs it"
            )
        };
        if let Some(seconds) = self.segment {
            let frames = (seconds * f64::from(model.spec.sample_rate)) as usize;
            let own = model.spec.segment_frames as f64 / f64::from(model.spec.sample_rate);
            if frames.abs_diff(model.spec.segment_frames) > 1 {
                bail!(
                    "the model \"{name}\" was trained on segments of {own} s and takes no other; leave \
                     --segment out"
                )
            }
        }
        Ok((model, *quality))
    }
}

fn parse_quality(text: &str) -> Result<Quality, String> {
    match text {
        "draft" => Ok(Quality::DRAFT),
        "standard" => Ok(Quality::STANDARD),
        "best" => Ok(Quality::BEST),
        _ => Err("it is draft, standard or best".into()),
    }
}

/// A part of a segment, as the reference takes it, in percent.
fn parse_overlap(text: &str) -> Result<u8, String> {
    let wrong = || format!("it is a number from 0 to {}", f64::from(MOST_OVERLAP) / 100.0);
    let part: f64 = text.parse().map_err(|_| wrong())?;
    let percent = (part * 100.0).round();
    if !(0.0..=f64::from(MOST_OVERLAP)).contains(&percent) {
        return Err(wrong());
    }
    if (percent / 100.0 - part).abs() > 1e-9 {
        return Err("it has no more than two decimals".into());
    }
    Ok(percent as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_parts_of_a_segment() {
        assert_eq!(parse_overlap("0.25"), Ok(25));
        assert_eq!(parse_overlap("0"), Ok(0));
        assert_eq!(parse_overlap("0.5"), Ok(50));
        for wrong in ["0.51", "-0.1", "1", "a", "nan", "0.333"] {
            assert!(parse_overlap(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_comes_before_the_settings() {
        let preferences = Preferences {
            model: Some("six".into()),
            quality: Quality::BEST,
            ..Preferences::default()
        };
        let nothing = SeparationArguments::default();
        assert_eq!(nothing.quality(&preferences), Quality::BEST);
        assert_eq!(nothing.model_name(&preferences), "six");
        let some = SeparationArguments {
            model: Some("ft".into()),
            quality: Some(Quality::STANDARD),
            shifts: Some(3),
            seed: Some(9),
            ..nothing
        };
        let quality = Quality { overlap: 25, shifts: 3, seed: 9, is_draft: false };
        assert_eq!((some.quality(&preferences), some.model_name(&preferences)), (quality, "ft"));
    }
}
