//! Versions of a song's stems: the options of the shown version, the list of existing versions, and
//! the switch between them.

use super::Core;
use crate::{
    engine::{
        event::Event,
        problem::Result,
        separation::{
            chain::{Chain, Step},
            installed::InstalledModel,
            options::{
                Defaults, Maker, Preset, Quality, QualityCost, SeparationOptions, StemInfo, Version,
            },
        },
        store::{StemTree, track::SongTrack},
        types::{CHANNELS, SongId},
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
            let quality = self.chain(&options).map(|chain| chain.fitted(options.quality));
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
        let preset = self.chain(&shown).and_then(|chain| chain.preset_of(shown.quality));
        let options = SeparationOptions { model, ..shown };
        let quality = match (self.chain(&options), preset) {
            (Some(chain), Some(preset)) => chain.preset(preset),
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
        let (Some(chain), Some(stems)) = (self.chain(options), &track.stems) else { return };
        let (makers, infos) = makers_of(stems, track.heard());
        let mut qualities = chain.qualities();
        if !qualities.contains(&options.quality) {
            qualities.push(options.quality);
        }
        let frames = track.mix.frames();
        let offer = |quality: Quality| QualityCost {
            quality,
            preset: chain.preset_of(quality),
            seconds: makers
                .iter()
                .map(|(step, _)| {
                    let segments = chain.plan(*step, frames, quality).len() as f64;
                    Some(self.pace_of(chain, *step, quality)? * segments)
                })
                .collect(),
        };
        let offers = qualities.into_iter().map(offer).collect();
        let versions = self.versions_of(song).unwrap_or_default();
        let (options, missing) = (options.clone(), chain.missing.clone());
        let makers = makers.into_iter().map(|(_, maker)| maker).collect();
        let shown = Event::Shown { song, options, stems: infos, makers, missing, offers, versions };
        self.sink.send(shown);
    }

    /// The expected seconds per segment of one network of a step. Falls back to the standard quality's
    /// pace, then to an estimate from other models.
    pub(super) fn pace_of(&self, chain: &Chain, step: usize, quality: Quality) -> Option<f64> {
        let model = &chain.steps[step].model;
        let pace = |quality| self.library.pace(&self.pace_name(model, quality)).ok().flatten();
        let standard = Preset::Standard.quality(&model.spec);
        pace(chain.step_quality(step, quality))
            .or_else(|| pace(standard))
            .or_else(|| self.pace_by_work(model))
    }

    /// The expected paces of all steps.
    pub(super) fn paces_of(&self, chain: &Chain, quality: Quality) -> Vec<Option<f64>> {
        (0..chain.steps.len()).map(|step| self.pace_of(chain, step, quality)).collect()
    }

    /// The devices that compute the steps of a chain, as far as is known.
    pub(super) fn devices_of(&self, chain: &Chain) -> Vec<Device> {
        let device = |step: &Step| self.devices.of_model(self.compute, &step.model);
        chain.steps.iter().map(device).collect()
    }

    /// Name of a model's pace on its device.
    fn pace_name(&self, model: &InstalledModel, quality: Quality) -> String {
        let device = self.devices.of_model(self.compute, model);
        model.pace_name(quality, self.compute.precision, device)
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

    /// The existing versions of a song's stems, in the order of the chains.
    fn versions_of(&self, song: SongId) -> Result<Vec<Version>> {
        let song = self.library.song(song)?;
        let folder = self.library.song_folder(&song.hash);
        let mut versions = Vec::new();
        let entries = std::fs::read_dir(folder.join("stems")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        for chain in &self.chains {
            // The folders of a model state its qualities; a chain has those of the settings.
            let of_folder =
                |model, name: &std::ffi::OsString| quality_of(model, &name.to_string_lossy());
            let qualities = match chain.model() {
                Some(model) => names.iter().filter_map(|name| of_folder(model, name)).collect(),
                None => chain.qualities(),
            };
            for quality in qualities {
                if chain.has_stems(&folder, quality) {
                    let is_complete = chain.is_complete(&folder, song.frames, quality);
                    let options = SeparationOptions { model: chain.name.clone(), quality };
                    versions.push(Version { options, is_complete });
                }
            }
        }
        Ok(versions)
    }
}

/// The networks that make stems, each with its step, and the stems.
fn makers_of(stems: &StemTree, heard: &[bool]) -> (Vec<(usize, Maker)>, Vec<StemInfo>) {
    let (chain, mut keys, mut makers) = (stems.chain(), Vec::new(), Vec::new());
    let info = |stem: usize| {
        let mut own = Vec::new();
        for needs in chain.needs(&[stem]) {
            let step = needs.step;
            let model = &chain.steps[step].model;
            let networks = model.networks_for(&needs.outputs);
            // A bag's networks share the bytes of their stems.
            let segments = stems.plan(step).len().max(1);
            let done = stems.done_count_in(&needs);
            for network in networks {
                let key = (step, network);
                let at = keys.iter().position(|other| *other == key);
                own.push(at.unwrap_or_else(|| {
                    keys.push(key);
                    let missing = (segments - done) as f64 / segments as f64;
                    let sources =
                        if model.networks.len() > 1 { 1 } else { model.spec.sources.len() };
                    let frames = stems.plan(step).stored_frames(|_| true) as usize;
                    let bytes = frames * sources * CHANNELS * size_of::<f32>();
                    makers.push((step, Maker { missing, bytes: (bytes as f64 * missing) as u64 }));
                    keys.len() - 1
                }));
            }
        }
        StemInfo {
            parent: chain.tree.stems()[stem].parent,
            is_rest: chain.tree.stems()[stem].made.is_none(),
            is_heard: heard.get(stem).is_some_and(|heard| *heard),
            missing: stems.missing(&[stem]),
            makers: own,
        }
    };
    let infos = (0..stems.names().len()).map(info).collect();
    (makers, infos)
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
