//! Tests of the import with checkpoints in the forms in which the community shares them, which
//! PyTorch wrote (`tests/golden/checkpoints/make.py`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ImportOptions, Model, State, Store, read_metadata};
use crate::model::{
    ModelError, Result,
    recognition::{MissingFact, Stated, Summary},
};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints")
}

/// A data folder, and a folder with copies of golden files.
struct Place {
    home: TempDir,
    files: TempDir,
}

impl Place {
    fn with(files: &[&str]) -> Self {
        let place =
            Self { home: tempfile::tempdir().unwrap(), files: tempfile::tempdir().unwrap() };
        for file in files {
            let name = Path::new(file).file_name().unwrap();
            fs::copy(golden().join(file), place.files.path().join(name)).unwrap();
        }
        place
    }

    fn store(&self) -> Store {
        Store::new(self.home.path())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.files.path().join(name), text).unwrap();
    }

    fn import(&self, name: &str, options: &ImportOptions) -> Result<Model> {
        let file = self.files.path().join(name);
        self.store().import_with(&file, options, &mut |_| {}, &|| false)
    }

    /// The arguments of the model that a file makes.
    fn kwargs(&self, name: &str, options: &ImportOptions) -> (Model, Value) {
        let model = self.import(name, options).unwrap();
        assert!(matches!(self.store().state(&model.name), State::Installed { .. }));
        self.store().verify(&model.name, &mut |_| {}, &|| false).unwrap();
        let metadata = read_metadata(&self.store().path(&model.name)).unwrap();
        assert!(Summary::of(&metadata).is_some());
        (model, serde_json::from_str(&metadata["kwargs"]).unwrap())
    }

    #[track_caller]
    fn refused(&self, name: &str, options: &ImportOptions, expected: &str) {
        let message = self.import(name, options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        let left = fs::read_dir(self.home.path().join("models")).unwrap().count();
        assert_eq!(left, 0, "parts of {name} were kept");
    }
}

fn none() -> ImportOptions {
    ImportOptions::default()
}

fn stated(hop: usize, chunk: usize, stems: &[&str]) -> ImportOptions {
    let stems = stems.iter().map(|&name| name.into()).collect();
    let stated = Stated { hop: Some(hop), chunk: Some(chunk), stems, rest: None };
    ImportOptions { stated, ..none() }
}

#[test]
fn a_state_alone_is_imported_with_the_configuration_of_its_name() {
    let place = Place::with(&["plain.ckpt", "plain.yaml"]);
    let (model, kwargs) = place.kwargs("plain.ckpt", &none());
    assert_eq!((model.name.as_str(), model.is_own), ("plain", true));
    assert_eq!(model.sources, ["vocals", "other"]);
    assert_eq!(kwargs["freqs_per_bands"], json!([2, 6, 25]));
    assert_eq!((&kwargs["overlap"], &kwargs["segment_frames"]), (&json!(50), &json!(1600)));
    let metadata = read_metadata(&place.store().path("plain")).unwrap();
    assert_eq!(metadata["klass"], "BSRoformer");
    let summary = Summary::of(&metadata).unwrap();
    assert_eq!((summary.kind, summary.bands, summary.width), ("BS-RoFormer", Some(3), 4));
}

#[test]
fn lightning_s_checkpoint_is_imported_without_its_trainer() {
    let place = Place::with(&["lightning.ckpt", "config_lightning.yaml"]);
    let (model, kwargs) = place.kwargs("lightning.ckpt", &none());
    // A single output, and the rest of the song as a second stem.
    assert_eq!(model.sources, ["vocals", "other"]);
    assert_eq!((&kwargs["sources"], &kwargs["rest"]), (&json!(["vocals"]), &json!("other")));
    assert_eq!(kwargs["mask_estimator_depth"], 1);
}

#[test]
fn an_optimiser_s_state_is_passed_over() {
    let place = Place::with(&["full.ckpt"]);
    let (model, kwargs) = place.kwargs("full.ckpt", &stated(16, 1600, &["drums"]));
    assert_eq!(model.sources, ["drums", "rest"]);
    assert_eq!(kwargs["num_stems"], 1);
}

#[test]
fn every_prefix_is_removed_and_counters_are_left_out() {
    let place = Place::with(&["stacked.pt", "converted/config.yaml"]);
    // The only configuration of the folder that fits.
    place.write("a-bag.yaml", "models: [a]");
    place.write("broken.yaml", "[");
    let (model, _) = place.kwargs("stacked.pt", &none());
    let metadata = fs::read(place.store().path(&model.name)).unwrap();
    let text = String::from_utf8_lossy(&metadata[8..2000]);
    assert!(text.contains("\"band_split.to_features.0.0.gamma\""), "{text}");
    assert!(!String::from_utf8_lossy(&metadata).contains("num_batches_tracked"));
}

#[test]
fn tensors_may_share_a_storage() {
    let place = Place::with(&["shared.pth"]);
    let (_, kwargs) = place.kwargs("shared.pth", &stated(16, 1600, &["bass"]));
    assert_eq!(kwargs["dim"], 4);
}

#[test]
fn an_mdx23c_is_imported_with_another_program_s_configuration() {
    let place = Place::with(&["mdx23c.bin", "mdx23c.yml"]);
    let (model, kwargs) = place.kwargs("mdx23c.bin", &none());
    assert_eq!(model.sources, ["vocals", "instrumental"]);
    assert_eq!((&kwargs["dim_t"], &kwargs["segment_frames"]), (&json!(104), &json!(1648)));
    assert_eq!(kwargs["overlap"], 75);
}

#[test]
fn converted_files_are_imported_under_a_name_of_choice() {
    let place = Place::with(&["converted/model.safetensors", "converted/config.yaml"]);
    let options = ImportOptions { name: Some("Kims-Stimme".into()), ..none() };
    let (model, _) = place.kwargs("model.safetensors", &options);
    assert_eq!(model.name, "Kims-Stimme");
    // Import it again from the canonical file, which states everything.
    let again = place.store().import(&place.store().path(&model.name), &mut |_| {}, &|| false);
    assert_eq!(again.unwrap().name, model.name);
}

#[test]
fn the_same_network_with_another_hop_has_another_digest() {
    let place = Place::with(&["full.ckpt"]);
    let digest = |options: &ImportOptions| {
        let (model, _) = place.kwargs("full.ckpt", options);
        (model.name, model.networks[0].digest.clone())
    };
    let first = digest(&stated(16, 1600, &["drums"]));
    assert_eq!(digest(&stated(16, 1600, &["drums"])), first);
    let second = digest(&stated(8, 1600, &["drums"]));
    assert_eq!((second.0.as_str(), second.1 == first.1), ("full-2", false));
}

#[test]
fn missing_facts_are_listed_with_their_options() {
    let place = Place::with(&["full.ckpt", "mdx23c.yml"]);
    let error = place.import("full.ckpt", &none()).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("for example --hop 441 --chunk 352800 --stems vocals"), "{text}");
    let ModelError::FactsMissing { class_name, missing, .. } = error else { panic!("{text}") };
    assert_eq!(class_name, "BSRoformer");
    assert_eq!(missing[0], MissingFact::Hop { usual: vec![441, 512] });
    assert_eq!(missing.len(), 3);
    // A stated fact is not asked for again.
    place.refused("full.ckpt", &stated(16, 1600, &[]), "for example --stems vocals");
}

#[test]
fn wrong_checkpoints_are_refused_in_plain_words() {
    let place = Place::with(&["legacy.ckpt", "whole.pt", "object.ckpt"]);
    place.refused(
        "legacy.ckpt",
        &none(),
        "from before version 1.6. Save it again with a newer PyTorch",
    );
    place.refused("whole.pt", &none(), "asks for torch.nn.modules.linear.Linear: refused");
    place.refused("whole.pt", &none(), "torch.save(model.state_dict(), \"new.ckpt\")");
    place.refused("object.ckpt", &none(), "asks for __main__.Callback: refused");
}

#[test]
fn wrong_configurations_are_refused_in_plain_words() {
    let place = Place::with(&["full.ckpt", "plain.ckpt"]);
    let config = |name: &str| {
        let config = Some(place.files.path().join(name));
        ImportOptions { config, ..none() }
    };
    place.refused("full.ckpt", &config("missing.yaml"), "missing.yaml");
    place.write("list.yaml", "- 1");
    place.refused("full.ckpt", &config("list.yaml"), "no section \"audio\" or \"model\"");
    place.write("broken.yaml", "model: {dim: 4");
    place.refused("full.ckpt", &config("broken.yaml"), "is not valid YAML");
    place.write("long.yaml", &"#".repeat(300_000));
    place.refused("full.ckpt", &config("long.yaml"), "the limit of a configuration");
    place.write("other.yaml", "model: {dim: 8}");
    place.refused("full.ckpt", &config("other.yaml"), "model.dim in other.yaml is 8, but");
    place.write("mel.yaml", "model: {num_bands: 3}");
    place.refused("full.ckpt", &config("mel.yaml"), "model.num_bands in mel.yaml is of a Mel-Band");
    for (text, expected) in [
        ("model: {dim: -1}", "model.dim in bad.yaml is -1, which is not between 0 and"),
        ("audio: {chunk_size: 1e12}", "is 1000000000000, which is not between 0 and"),
        ("model: {dim: 4.5}", "is 4.5, which is not a whole number"),
        (
            "model: {dim: 4}\ntraining: {target_instrument: bass, instruments: [vocals, other]}",
            "is bass, which is not in training.instruments: vocals, other",
        ),
    ] {
        place.write("bad.yaml", text);
        place.refused("full.ckpt", &config("bad.yaml"), expected);
    }
    place.write(
        "none.yaml",
        "model: {stft_hop_length: 16}\naudio: {chunk_size: 1600}\ninference: {num_overlap: 0}\n\
         training: {instruments: [drums]}",
    );
    place.refused("full.ckpt", &config("none.yaml"), "inference.num_overlap in none.yaml is 0");
    fs::create_dir(place.files.path().join("folder")).unwrap();
    place.refused("full.ckpt", &config("folder"), "folder is a folder, not a file");
    for name in ["a/b", "../../x", "a\nb", "mix", "."] {
        place.refused("full.ckpt", &stated(16, 1600, &[name]), "name the stems with --stems");
    }
    place.write("pope.yaml", "model: {use_pope: true}");
    place.refused("full.ckpt", &config("pope.yaml"), "PolarFormer");
    place.refused(
        "full.ckpt",
        &stated(65, 1600, &["a"]),
        "a hop of 65 frames does not fit windows of 64",
    );
    place.refused("full.ckpt", &stated(16, 10, &["a"]), "a segment of 10 frames");
    place.refused(
        "full.ckpt",
        &stated(16, 1600, &["a", "b"]),
        "makes 1 stem, but 2 names are stated",
    );
    place.refused("full.ckpt", &stated(16, 1600, &["rest"]), "\"rest\" is the name of two stems");
    place.refused("plain.ckpt", &stated(16, 1600, &["a", "A"]), "\"a\" is the name of two stems");
    // Two configurations that fit, and differ.
    for (name, hop) in [("one.yaml", 16), ("two.yaml", 8)] {
        let text = format!(
            "audio: {{chunk_size: 1600}}\nmodel: {{stft_hop_length: {hop}}}\n\
             training: {{instruments: [drums]}}"
        );
        place.write(name, &text);
    }
    place.refused(
        "full.ckpt",
        &none(),
        "several configurations beside it that fit: one.yaml, two.yaml",
    );
    place.refused("one.yaml", &none(), "is a checkpoint's configuration: import the checkpoint");
}

#[test]
fn stated_facts_override_a_canonical_file() {
    let place = Place::with(&["full.ckpt", "mdx23c.bin", "mdx23c.yml"]);
    let (first, _) = place.kwargs("full.ckpt", &stated(16, 1600, &["drums"]));
    let exported = place.files.path().join("exported.safetensors");
    fs::copy(place.store().path(&first.name), &exported).unwrap();
    let mut options = stated(8, 2400, &["Voice"]);
    options.stated.rest = Some("Band".into());
    let (second, kwargs) = place.kwargs("exported.safetensors", &options);
    assert_eq!(
        (second.name.as_str(), second.sources),
        ("exported", vec!["voice".into(), "band".into()])
    );
    assert_eq!((&kwargs["stft_hop_length"], &kwargs["segment_frames"]), (&json!(8), &json!(2400)));
    assert_ne!(second.networks[0].digest, first.networks[0].digest);
    // Without options, the import is the same network.
    assert_eq!(place.import("exported.safetensors", &none()).unwrap().name, first.name);
    let refused = |options: &ImportOptions, expected: &str| {
        let error = place.import("exported.safetensors", options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(&stated(16, 1600, &["a", "b"]), "makes 1 stem, but 2 names are stated: a, b");
    refused(&stated(16, 1600, &["a/b"]), "has the character '/'");
    refused(&stated(65, 1600, &["a"]), "a hop of 65 frames does not fit");
    refused(&stated(16, 1, &["a"]), "a segment of 1 frames");
    // The number of spectra of an MDX23C follows from the segment.
    let (third, kwargs) = place.kwargs("mdx23c.bin", &none());
    fs::copy(place.store().path(&third.name), &exported).unwrap();
    let chunk = kwargs["segment_frames"].as_u64().unwrap() as usize;
    let hop = kwargs["hop_length"].as_u64().unwrap() as usize;
    let options = stated(hop, 2 * (chunk + hop) - hop, &[]);
    let (_, kwargs) = place.kwargs("exported.safetensors", &options);
    assert_eq!(kwargs["dim_t"], 208);
    refused(&stated(hop, chunk + hop, &[]), "num_scales");
}

#[test]
fn a_stated_name_is_kept_or_refused() {
    let place = Place::with(&["full.ckpt"]);
    let named = |name: &str, hop| {
        let options = ImportOptions { name: Some(name.into()), ..stated(hop, 1600, &["drums"]) };
        place.import("full.ckpt", &options).map(|model| model.name).map_err(|e| e.to_string())
    };
    assert_eq!(named("karaoke", 16).unwrap(), "karaoke");
    assert_eq!(named("karaoke", 16).unwrap(), "karaoke", "a second import");
    let taken = named("karaoke", 8).unwrap_err();
    assert!(taken.contains("another model has that name"), "{taken}");
    assert!(taken.contains("`partita model remove karaoke`"), "{taken}");
    let known = named("htdemucs", 16).unwrap_err();
    assert!(known.contains("that is a model of the catalogue"), "{known}");
    for name in ["", "a/b", "..", "Ünder", "two words", "-x", &"x".repeat(49)] {
        let text = named(name, 16).unwrap_err();
        assert!(text.contains("a model's name has 1 to 48 of the letters"), "{text}");
    }
    // Another network without a stated name gets a number.
    let name = |hop| place.import("full.ckpt", &stated(hop, 1600, &["drums"])).unwrap().name;
    assert_eq!([name(16), name(8), name(4)], ["karaoke", "full", "full-2"]);
}

#[test]
fn a_removed_model_leaves_no_lock_and_no_temporary_files() {
    let place = Place::with(&["full.ckpt"]);
    let (model, _) = place.kwargs("full.ckpt", &stated(16, 1600, &["drums"]));
    let models = place.home.path().join("models");
    fs::write(models.join(".importing-abc"), "left by a killed process").unwrap();
    place.store().remove(&model.name).unwrap();
    assert_eq!(fs::read_dir(models.join("downloads")).unwrap().count(), 0);
    let left: Vec<_> =
        fs::read_dir(models).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["downloads"]);
}
