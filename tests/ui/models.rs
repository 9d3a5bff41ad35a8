//! Models and qualities in the window: the list in the settings, and the choice for a song.

use std::{path::PathBuf, sync::Arc, time::Duration};

use egui::{Key, Modifiers, accesskit::Role, pos2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::{
    engine::{
        Command, Event, Job, JobState, Lane, ModelEntry, ModelTask, Problem, SongId,
        separation::options::{
            Defaults, Maker, Preset, Quality, QualityCost, SeparationOptions, StemInfo, Version,
        },
    },
    model::{
        FileFault, ModelError, Remedy, Spec,
        recognition::{MissingFact, Stated, Summary},
        weights::{ImportOptions, State, Step},
    },
};

use super::{
    audio_tracks::with_tracks,
    files::Dropped,
    settings::page,
    stage::{
        FRAMES, Stage, covered, job, names, opened, peaks, recorded, separated, stage, unprocessed,
    },
};

fn entry(name: &str, state: State) -> ModelEntry {
    ModelEntry {
        name: name.into(),
        title: format!("The title of {name}"),
        sources: names(&["drums", "bass", "other", "vocals"]),
        terms: format!("The terms of {name}"),
        bytes: 84_000_000,
        networks: (usize::from(state != State::Missing), 1),
        state,
        is_own: name == "mine",
    }
}

fn models() -> Event {
    let installed = || State::Installed { bytes: 84_024_600 };
    Event::Models(vec![
        entry("htdemucs", installed()),
        entry("htdemucs_ft", State::Missing),
        entry(
            "htdemucs_6s",
            State::Damaged(FileFault::CutOff { have: None, whole: None, remedy: Remedy::Install }),
        ),
        entry("mine", installed()),
    ])
}

fn options(model: &str, quality: Quality) -> SeparationOptions {
    SeparationOptions { model: model.into(), quality }
}

/// A finished stem of the song, which these networks make.
fn info(makers: &[usize]) -> StemInfo {
    StemInfo { is_heard: true, makers: makers.to_vec(), ..StemInfo::default() }
}

fn shown(
    options: &SeparationOptions,
    makers: &[&[usize]],
    versions: &[SeparationOptions],
) -> Event {
    let demucs = Spec::triangle(Vec::new(), 343_980);
    let offer = |quality: Quality| QualityCost {
        quality,
        preset: quality.preset(&demucs),
        seconds: vec![
            Some(20.0);
            makers.iter().flat_map(|makers| *makers).max().map_or(0, |last| last + 1)
        ],
    };
    let version =
        |options: &SeparationOptions| Version { options: options.clone(), is_complete: true };
    Event::Shown {
        song: SongId(7),
        options: options.clone(),
        stems: makers.iter().map(|makers| info(makers)).collect(),
        makers: vec![Maker::default(); makers.iter().flat_map(|makers| *makers).count()],
        missing: Vec::new(),
        offers: Quality::PRESETS.map(offer).into(),
        versions: versions.iter().map(version).collect(),
    }
}

/// The settings, scrolled down to the models, with the terms of one.
pub fn in_the_settings() -> Stage {
    let mut stage = page(unprocessed());
    stage.emit([models()]);
    stage.wheel(pos2(700.0, 500.0), vec2(0.0, -100.0), Modifiers::NONE);
    stage.click("htdemucs_ft: Install… (84 MB)");
    stage
}

/// A separated song with two versions and three audio tracks.
pub fn with_options() -> Stage {
    let both = [Quality::DRAFT, Quality::default()].map(|quality| options("htdemucs", quality));
    let mut stage = stage(separated());
    stage.emit([models(), shown(&both[1], &ONE_PASS, &both), with_tracks()]);
    stage
}

/// The form about a checkpoint that states too little.
pub fn with_missing_facts() -> Stage {
    let mut stage = stage(unprocessed());
    let missing = vec![
        MissingFact::Hop { usual: vec![441, 512] },
        MissingFact::Chunk { usual: vec![352_800] },
        MissingFact::Stems { count: 1 },
    ];
    let (path, class_name) = ("/models/Kim.ckpt".into(), "MelBandRoformer".to_owned());
    let error = ModelError::FactsMissing { path, class_name, missing };
    stage.emit([Event::ModelTask(None, ModelTask::Failed(Problem::Model(error)))]);
    stage
}

const ONE_PASS: [&[usize]; 4] = [&[0], &[0], &[0], &[0]];
const BAG: [&[usize]; 4] = [&[0], &[1], &[2], &[3]];

#[test]
fn models_are_installed_verified_and_removed_in_the_settings() {
    let mut stage = page(unprocessed());
    stage.emit([models()]);
    stage.harness.check_accessibility();
    // Scrolls down to the models.
    stage.wheel(pos2(700.0, 500.0), vec2(0.0, -100.0), Modifiers::NONE);
    assert!(stage.shows("Installed, 84 MB. Good at everything"));
    assert!(stage.shows(
        "Damaged: it is cut off; install the model again. Adds guitar and piano; the piano is weak"
    ));
    assert!(stage.shows("Your own model"));

    // The terms are displayed before the download.
    assert!(!stage.shows("The terms of htdemucs_ft"));
    stage.click("htdemucs_ft: Install… (84 MB)");
    assert_eq!(stage.asked(), []);
    assert!(stage.shows("The terms of htdemucs_ft"));
    stage.click("Cancel");
    assert!(!stage.shows("The terms of htdemucs_ft"));
    stage.click("htdemucs_ft: Install… (84 MB)");
    stage.click("Accept and install");
    assert_eq!(stage.asked(), [Command::InstallModel("htdemucs_ft".into())]);
    let task = |task| Event::ModelTask(Some("htdemucs_ft".into()), task);
    let running =
        ModelTask::Running { step: Step::Downloading("example.org".into()), fraction: Some(0.42) };
    stage.emit([task(running)]);
    assert!(stage.shows("Downloading from example.org… 42 %"));
    stage.click("htdemucs_ft: Stop");
    assert_eq!(stage.asked(), [Command::CancelInstall]);
    stage.emit([task(ModelTask::Failed(recorded("the network is gone")))]);
    assert!(stage.shows("The network is gone"));

    stage.click("mine: Verify");
    assert_eq!(stage.asked(), [Command::VerifyModel("mine".into())]);
    stage.emit([Event::ModelTask(Some("mine".into()), ModelTask::Verified)]);
    assert!(stage.shows("All files are intact"));
    stage.click("mine: Remove");
    assert_eq!(stage.asked(), [Command::RemoveModel("mine".into())]);

    stage.click("mine: Use for new songs");
    let usual = Defaults { options: options("mine", Quality::default()), drafts_first: false };
    assert_eq!(stage.asked(), [Command::SetDefaults(usual)]);
    stage.click("Quality: Best");
    let usual = Defaults { options: options("mine", Quality::BEST), drafts_first: false };
    assert_eq!(stage.asked(), [Command::SetDefaults(usual)]);
}

#[test]
fn a_mirror_is_typed_in_the_settings() {
    let mut stage = page(unprocessed());
    stage.emit([models()]);
    stage.wheel(pos2(700.0, 500.0), vec2(0.0, -2000.0), Modifiers::NONE);
    stage.harness.get_by_role_and_label(Role::TextInput, "Mirror").focus();
    stage.harness.run_steps(2);
    stage.harness.event(egui::Event::Text("https://mirror.example/m".into()));
    std::thread::sleep(Duration::from_millis(1100));
    stage.harness.run_steps(3);
    let kept = stage.kept().into_iter().find_map(|command| match command {
        Command::KeepPreferences(preferences) => preferences.mirror,
        _ => None,
    });
    assert_eq!(kept.as_deref(), Some("https://mirror.example/m"));
}

#[test]
fn a_checkpoint_that_states_too_little_is_asked_about() {
    let mut stage = stage(unprocessed());
    let file = PathBuf::from("/models/Kim.ckpt");
    let import = |options| Command::ImportModel { file: file.clone(), options };
    for path in [&file, &PathBuf::from("/models/Kim.yaml"), &PathBuf::from("/music/a.mp3")] {
        stage.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    }
    stage.harness.step();
    let config = Some("/models/Kim.yaml".into());
    let songs = Command::Import(vec!["/music/a.mp3".into()]);
    let with_config = ImportOptions { config, ..ImportOptions::default() };
    assert_eq!(stage.asked(), [import(with_config), songs]);

    let missing = vec![
        MissingFact::Hop { usual: vec![441, 512] },
        MissingFact::Chunk { usual: vec![352_800] },
        MissingFact::Stems { count: 1 },
    ];
    let class_name = "MelBandRoformer".to_owned();
    let error = ModelError::FactsMissing { path: file.clone(), class_name, missing };
    let failed = || Event::ModelTask(None, ModelTask::Failed(Problem::Model(error.clone())));
    stage.emit([failed()]);
    stage.harness.check_accessibility();
    assert!(stage.shows(FORM));
    stage.click("Cancel");
    assert!(!stage.shows(FORM) && !stage.shows("--"));
    assert_eq!(stage.asked(), []);

    // The usual values state nothing until the user clicks them.
    stage.emit([failed()]);
    assert!(stage.shows("State the hop") && !can_import(&stage));
    stage.click("512");
    assert!(stage.shows("State the segment") && !stage.shows("= 8 s"));
    stage.click("8 s");
    assert!(stage.shows("= 8 s") && stage.shows("State the name of the stem"));
    typed(&mut stage, "Segment, in frames or seconds", "2,5s");
    assert!(stage.shows("= 2.50 s") && !can_import(&stage));
    stage.click("vocals");
    typed(&mut stage, "Name of the rest of the song", "band");
    stage.click("Import");
    let stated = Stated {
        hop: Some(512),
        chunk: Some(110_250),
        stems: vec!["vocals".into()],
        rest: Some("band".into()),
    };
    let second = || import(ImportOptions { stated: stated.clone(), ..ImportOptions::default() });
    assert_eq!(stage.asked(), [second()]);

    // The form shows the progress of the import, keeps its values after a failure, and closes after
    // a success.
    assert!(stage.shows(FORM) && stage.shows("Importing…") && !can_import(&stage));
    let task = |task| Event::ModelTask(None, task);
    stage.emit([task(ModelTask::Running { step: Step::Reading, fraction: Some(0.42) })]);
    assert!(stage.shows("Reading… 42 %"));
    stage.emit([task(ModelTask::Failed(recorded("the disk is full")))]);
    stage.harness.check_accessibility();
    assert!(stage.shows("The disk is full") && stage.shows("= 2.50 s"));
    stage.click("Import");
    assert_eq!(stage.asked(), [second()]);
    assert!(!stage.shows("The disk is full"));
    stage.emit([task(ModelTask::Imported { model: "Kim".into(), summary: None })]);
    assert!(!stage.shows(FORM) && stage.shows("Imported Kim"));

    // Closing the form cancels its import.
    stage.emit([failed()]);
    for value in ["441", "8 s", "vocals", "Import"] {
        stage.click(value);
    }
    stage.asked();
    stage.click("Cancel");
    assert_eq!(stage.asked(), [Command::CancelInstall]);
    stage.emit([task(ModelTask::Ended)]);
    assert!(!stage.shows(FORM));
}

const FORM: &str = "Mel-Band RoFormer: what the file does not say";

fn typed(stage: &mut Stage, name: &str, text: &str) {
    stage.harness.get_by_role_and_label(Role::TextInput, name).focus();
    stage.harness.run_steps(2);
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    stage.harness.event(egui::Event::Text(text.into()));
    stage.harness.run_steps(3);
}

fn can_import(stage: &Stage) -> bool {
    let import = stage.harness.get_by_role_and_label(Role::Button, "Import");
    !import.accesskit_node().is_disabled()
}

#[test]
fn the_configuration_and_the_number_of_names_of_a_form() {
    let mut stage = stage(unprocessed());
    for path in ["/models/four.ckpt", "/models/four.yaml"] {
        stage.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.into())));
    }
    stage.harness.step();
    stage.asked();
    let class_name = "BSRoformer".to_owned();
    let missing = vec![MissingFact::Stems { count: 4 }];
    let error = ModelError::FactsMissing { path: "/models/four.ckpt".into(), class_name, missing };
    stage.emit([Event::ModelTask(None, ModelTask::Failed(Problem::Model(error)))]);
    assert!(stage.shows("4 names are needed, 0 are given"));
    typed(&mut stage, "Names of its 4 stems, separated by commas", "a, b, c");
    assert!(stage.shows("4 names are needed, 3 are given") && !can_import(&stage));
    typed(&mut stage, "Names of its 4 stems, separated by commas", "a, b, c, d");
    stage.click("Import");
    let stated = Stated { stems: names(&["a", "b", "c", "d"]), ..Stated::default() };
    let config = Some("/models/four.yaml".into());
    let options = ImportOptions { config, stated, name: None };
    let import = Command::ImportModel { file: "/models/four.ckpt".into(), options };
    assert_eq!(stage.asked(), [import], "the configuration was lost");
}

#[test]
fn the_progress_of_a_models_import_is_shown_on_the_song_page() {
    let mut stage = stage(separated());
    let task = |task| Event::ModelTask(None, task);
    let running = || task(ModelTask::Running { step: Step::Reading, fraction: Some(0.42) });
    for is_folded in [false, true] {
        if is_folded {
            stage.press(Modifiers::COMMAND, Key::B);
        }
        assert_eq!(stage.harness.state().ui_state().preferences.library_is_folded, is_folded);
        stage.emit([running()]);
        stage.harness.check_accessibility();
        assert!(stage.shows("Importing a model") && stage.shows("Reading… 42 %"));
        let error = ModelError::File {
            path: "/models/a.ckpt".into(),
            fault: FileFault::CutOff { have: None, whole: None, remedy: Remedy::Download },
        };
        let problem = Problem::Model(error);
        let said = problem.to_string();
        stage.emit([task(ModelTask::Failed(problem))]);
        assert!(!stage.shows("Importing a model") && stage.shows(&said));
        stage.click("Dismiss");
        let summary = Summary {
            kind: "Mel-Band RoFormer",
            width: 384,
            layers: 6,
            bands: Some(60),
            sources: names(&["vocals"]),
            rest: None,
            seconds: 8.0,
        };
        let model = "karaoke".to_owned();
        stage.emit([task(ModelTask::Imported { model, summary: Some(summary) })]);
        let line = "Imported karaoke: Mel-Band RoFormer, 384 × 6, 60 bands, 1 stem: vocals; \
                    segments of 8.0 s";
        assert!(stage.shows(line));
        stage.click("Dismiss");
        assert!(!stage.shows("karaoke"));
    }
    stage.emit([running()]);
    stage.click("Stop");
    assert_eq!(stage.asked(), [Command::CancelInstall]);
}

#[test]
fn a_song_gets_another_model_or_quality() {
    let usual = options("htdemucs", Quality::default());
    let mut stage = stage(unprocessed());
    stage.emit([models(), shown(&usual, &ONE_PASS, &[])]);
    stage.harness.check_accessibility();
    stage.click("Quality: Best · 20 s");
    let chosen = |model: &str, quality| {
        [Command::Choose { song: SongId(7), options: Some(options(model, quality)) }]
    };
    assert_eq!(stage.asked(), chosen("htdemucs", Quality::BEST));
    stage.click("Draft first");
    let drafts = Defaults { options: usual.clone(), drafts_first: true };
    assert_eq!(stage.asked(), [Command::SetDefaults(drafts)]);
    stage.click("Model: htdemucs");
    stage.click("mine");
    let model = "mine".to_owned();
    assert_eq!(stage.asked(), [Command::UseModel { song: SongId(7), model }]);

    // In a bag, every ticked instrument takes additional time.
    stage.emit([shown(&options("mine", Quality::default()), &BAG, &[])]);
    assert!(stage.shows("Standard · 80 s"));
    stage.click("Bass");
    stage.click("Drums");
    assert!(stage.shows("Standard · 40 s"));
}

#[test]
fn stems_that_add_up_leave_no_residual() {
    let roformer = Spec::fade(names(&["drums", "bass", "other"]), 352_800, 50);
    let usual = options("mine", Preset::Standard.quality(&roformer));
    let mut stage = stage(separated());
    stage.click("Solo Residual");
    assert_eq!(stage.deck.sides.borrow().residual, [1.0; 2]);
    let mut with_rest = shown(&usual, &ONE_PASS, &[]);
    let Event::Shown { stems, offers, .. } = &mut with_rest else { panic!() };
    stems[3].is_rest = true;
    *offers = Preset::qualities(&roformer)
        .into_iter()
        .map(|quality| QualityCost {
            quality,
            preset: quality.preset(&roformer),
            seconds: vec![Some(80.0)],
        })
        .collect();
    stage.emit([models(), with_rest]);
    assert!(!stage.shows("Residual"));
    assert_eq!(stage.deck.sides.borrow().residual, [0.0; 2]);
    assert_eq!(*stage.deck.gains.borrow(), [1.0; 4], "a hidden lane must not silence others");
    stage.click("Quality: Best · 80 s");
    let options = Some(options("mine", Preset::Best.quality(&roformer)));
    assert_eq!(stage.asked(), [Command::Choose { song: SongId(7), options }]);
}

#[test]
fn one_key_goes_from_version_to_version() {
    let (usual, other) = (options("htdemucs", Quality::default()), options("mine", Quality::BEST));
    let mut stage = stage(separated());
    stage.emit([models(), shown(&usual, &ONE_PASS, std::slice::from_ref(&usual))]);
    assert!(!stage.shows("versions"));
    stage.emit([shown(&usual, &ONE_PASS, &[usual.clone(), other])]);
    stage.click("2 versions");
    stage.press(Modifiers::NONE, Key::V);
    assert_eq!(stage.asked(), [Command::NextVersion(SongId(7)), Command::NextVersion(SongId(7))]);
    stage.press(Modifiers::NONE, Key::F1);
    assert!(stage.shows("Show the next version of the stems"));
}

#[test]
fn the_refined_part_of_a_draft_is_shown() {
    let mut stage = stage(unprocessed());
    let refined = |end| Event::Segments {
        song: SongId(7),
        covered: vec![(0, FRAMES)],
        refined: vec![(0, end)],
    };
    let running = Job { drafts_first: true, ..job(1, 7, JobState::Running, 14) };
    stage.emit([Event::Job(running), peaks(7, Lane::Stem(0)), refined(FRAMES / 4)]);
    assert!(stage.shows("draft 100 %") && stage.shows("refined 25 %"));
    stage.emit([refined(FRAMES)]);
    assert!(stage.shows("refined 100 %"));
}

#[test]
fn a_bag_that_lacks_a_ticked_stem_can_be_processed_further() {
    let mut stage: Stage = stage(separated());
    let bag = options("htdemucs_ft", Quality::default());
    let mut bag_shown = shown(&bag, &BAG, &[]);
    let Event::Shown { stems, .. } = &mut bag_shown else { panic!() };
    stems[1].missing = 10;
    stage.emit([opened(7), covered(7, &[(0, FRAMES)]), bag_shown]);
    assert!(stage.shows("Continue") || stage.shows("Process"));
    stage.click("Bass");
    assert!(stage.shows("Separated into 4 stems"));
}
