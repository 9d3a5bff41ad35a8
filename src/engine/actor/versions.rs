//! Versions of a song's stems: the options of the shown version, the list of existing versions, and
//! the switch between them.

use super::Core;
use crate::{
    engine::{
        event::Event,
        problem::Result,
        separation::{
            installed::InstalledModel,
            options::{Defaults, Preset, Quality, QualityCost, SeparationOptions, Version},
        },
        store::{StemStore, track::SongTrack},
        types::SongId,
    },
    model::Device,
};

impl Core {
    /// Shows a song's stems with other options; `None` for the default ones. Playback continues.
    pub(super) fn choose(
        &mut self,
        song: SongId,
        options: Option<SeparationOptions>,
    ) -> Result<()> {
        let fitted = |options: SeparationOptions| {
            let quality = self.model(&options).map(|model| options.quality.within(&model.spec));
            let quality = quality.unwrap_or_else(|| options.quality.within_bounds());
            SeparationOptions { quality, ..options }
        };
        let options = options.map(fitted);
        self.library.set_song_options(song, options.as_ref())?;
        match options {
            Some(options) => drop(self.chosen.insert(song, options)),
            None => drop(self.chosen.remove(&song)),
        }
        let described = self.describe(self.library.song(song)?);
        self.sink.send(Event::Song(described));
        if self.open.as_ref().is_some_and(|open| open.song == song) {
            self.reopen()
        } else {
            Ok(())
        }
    }

    /// Shows the stems of another model, in the preset of the same name.
    pub(super) fn use_model(&mut self, song: SongId, model: String) -> Result<()> {
        let shown = self.options_of(song);
        let preset = self.model(&shown).and_then(|model| shown.quality.preset(&model.spec));
        let options = SeparationOptions { model, ..shown };
        let quality = match (self.model(&options), preset) {
            (Some(model), Some(preset)) => preset.quality(&model.spec),
            _ => options.quality,
        };
        self.choose(song, Some(SeparationOptions { quality, ..options }))
    }

    /// Shows the next existing version of a song.
    pub(super) fn next_version(&mut self, song: SongId) -> Result<()> {
        let versions = self.versions_of(song)?;
        let shown = self.options_of(song);
        let at = versions.iter().position(|version| version.options == shown);
        let next = at.map_or(0, |at| (at + 1) % versions.len());
        match versions.into_iter().nth(next) {
            Some(version) if version.options != shown => self.choose(song, Some(version.options)),
            _ => Ok(()),
        }
    }

    /// Sets the options of songs for which none were chosen.
    pub(super) fn set_defaults(&mut self, defaults: Defaults) -> Result<()> {
        if defaults == self.defaults {
            return Ok(());
        }
        self.defaults = defaults;
        self.show_pace();
        self.sink.send(Event::Model(self.model_state()));
        self.send_library()?;
        let has_defaults = |song: &SongId| !self.chosen.contains_key(song);
        match self.open.as_ref().map(|open| open.song).filter(has_defaults) {
            Some(_) => self.reopen(),
            None => Ok(()),
        }
    }

    /// Emits the options that the open song shows, and the qualities and versions to choose from.
    pub(super) fn emit_shown(&self, song: SongId, options: &SeparationOptions, track: &SongTrack) {
        let Some(model) = self.model(options) else { return };
        let stems = 0..model.stems().len();
        let missing = |stem| track.stems.as_ref().map_or(0, |stems| stems.missing(&[stem]));
        let (makers, missing) =
            stems.map(|stem| (model.networks_for(&[stem]), missing(stem))).unzip();
        let mut qualities = Preset::qualities(&model.spec);
        if !qualities.contains(&options.quality) {
            qualities.push(options.quality);
        }
        let offer = |quality: Quality| QualityCost {
            quality,
            preset: quality.preset(&model.spec),
            segments: model.plan(track.mix.frames(), quality).len(),
            seconds_each: self.pace_of(model, quality),
        };
        let offers = qualities.into_iter().map(offer).collect();
        let versions = self.versions_of(song).unwrap_or_default();
        let (options, has_rest) = (options.clone(), model.spec.rest.is_some());
        let shown = Event::Shown { song, options, has_rest, makers, missing, offers, versions };
        self.sink.send(shown);
    }

    /// The expected seconds per segment of one network. Falls back to the standard quality's pace,
    /// then to an estimate from other models.
    pub(super) fn pace_of(&self, model: &InstalledModel, quality: Quality) -> Option<f64> {
        let pace = |quality| self.library.pace(&self.pace_name(model, quality)).ok().flatten();
        let standard = Preset::Standard.quality(&model.spec);
        pace(quality).or_else(|| pace(standard)).or_else(|| self.pace_by_work(model))
    }

    /// The device that computes a model, as far as is known.
    pub(super) fn device_of(&self, model: &InstalledModel) -> Device {
        self.devices.of_model(self.compute, model)
    }

    /// Name of a model's pace on its device.
    fn pace_name(&self, model: &InstalledModel, quality: Quality) -> String {
        model.pace_name(quality, self.compute.precision, self.device_of(model))
    }

    /// The pace of a model that has not run on this machine, from one that has and their costs.
    fn pace_by_work(&self, model: &InstalledModel) -> Option<f64> {
        let pace = |other: &InstalledModel| {
            let standard = Preset::Standard.quality(&other.spec);
            let seconds = self.library.pace(&self.pace_name(other, standard)).ok().flatten()?;
            Some(seconds * other.spec.work_of(&model.spec)?)
        };
        self.models.iter().find_map(pace)
    }

    /// The existing versions of a song's stems, in the order of the models.
    fn versions_of(&self, song: SongId) -> Result<Vec<Version>> {
        let song = self.library.song(song)?;
        let folder = self.library.song_folder(&song.hash);
        let mut versions = Vec::new();
        let entries = std::fs::read_dir(folder.join("stems")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        for model in &self.models {
            for name in &names {
                let Some(quality) = quality_of(model, &name.to_string_lossy()) else { continue };
                let (stem_folder, plan) =
                    (model.stem_folder(&folder, quality), model.plan(song.frames, quality));
                if !StemStore::has_any_in(&stem_folder, model.groups().len()) {
                    continue;
                }
                let is_complete = StemStore::is_complete_in(&stem_folder, &plan, &model.groups());
                let options = SeparationOptions { model: model.name.clone(), quality };
                versions.push(Version { options, is_complete });
            }
        }
        Ok(versions)
    }
}

/// The quality of the stems in a folder of this name, if the model made them.
fn quality_of(model: &InstalledModel, name: &str) -> Option<Quality> {
    let suffix = name.strip_prefix(&format!("{}-{}-", model.name, model.short_digest()))?;
    Quality::of_suffix(suffix).filter(|quality| *quality == quality.within(&model.spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spec;

    #[test]
    fn a_folder_name_states_the_model_and_quality_of_its_stems() {
        let spec = Spec::triangle(vec![], 10);
        let digest = "0123456789abcdef0123".to_owned();
        let model = InstalledModel { name: "a-b".into(), networks: vec![], digest, spec };
        let shifted = Quality { overlap: 10, shifts: 3, seed: 42, is_draft: false };
        for quality in Quality::PRESETS.into_iter().chain([shifted]) {
            let folder = model.stem_folder(std::path::Path::new(""), quality);
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!(quality_of(&model, &name), Some(quality), "{name}");
        }
        for odd in
            ["o25", "a-0123456789abcdef-o25", "a-b-0123456789abcdef-o99", "a-b-0123456789abcdef-"]
        {
            assert_eq!(quality_of(&model, odd), None, "{odd}");
        }
    }
}
