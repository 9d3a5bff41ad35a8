//! Stems of several models and qualities for one song, through the engine's commands.

use std::path::{Path, PathBuf};

use partita::{
    engine::{
        Command, Event, ExportId, ExportState, JobState, Note, Preferences, Song, SongId,
        SongState,
        export::{NamePattern, Place, Selection, Settings},
        library::Library,
        separation::options::{Defaults, Quality, SeparationOptions, Version},
    },
    model::weights::{State, Store},
};

use crate::{
    engine::Running,
    support::{partita, read_wav, stderr, tiny_home, write_song},
};

/// A data folder with a small network as the default model, and a bag of two networks.
fn home() -> tempfile::TempDir {
    let home = tiny_home();
    let bag = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bag/pair.yaml");
    Store::new(home.path()).import(&bag, &mut |_| {}, &|| false).unwrap();
    home
}

fn options(model: &str, quality: Quality) -> SeparationOptions {
    SeparationOptions { model: model.into(), quality }
}

fn song(running: &Running, home: &Path, seconds: usize) -> Song {
    let file = home.join("song.wav");
    write_song(&file, 44_100 * seconds, 44_100, 7);
    running.import(file)
}

/// The next displayed options of the song, and the existing versions.
fn shown(running: &Running) -> (SeparationOptions, Vec<Version>) {
    running.wait(|event| match event {
        Event::Shown { options, versions, .. } => Some((options.clone(), versions.clone())),
        _ => None,
    })
}

fn choose(running: &Running, song: SongId, options: SeparationOptions) {
    running.engine.send(Command::Choose { song, options: Some(options) });
}

fn export(running: &Running, song: SongId, stems: &[&str], folder: PathBuf) -> ExportState {
    let selection = Selection {
        stems: stems.iter().map(|&stem| stem.to_owned()).collect(),
        ..Selection::default()
    };
    let place = Place { folder, pattern: NamePattern::new("{stem}").unwrap() };
    let (id, settings) = (ExportId(1), Settings::default());
    running.engine.send(Command::Export { id, song, selection, place, settings });
    running.wait(|event| match event {
        Event::Export { state: ExportState::Running(_), .. } => None,
        Event::Export { state, .. } => Some(state.clone()),
        _ => None,
    })
}

#[test]
fn stems_of_two_models_live_side_by_side() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), 1);
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
    running.engine.send(Command::Open(song.id));
    let usual = options("htdemucs", Quality::default());
    let (first, versions) = shown(&running);
    assert_eq!((first, versions.len()), (usual.clone(), 1));

    // Another model has no stems yet, and one stem is enough.
    let pair = options("pair", Quality::default());
    choose(&running, song.id, pair.clone());
    let now = running.wait(|event| match event {
        Event::Song(song) => Some(song.clone()),
        _ => None,
    });
    assert_eq!(now.state, SongState::Ready);
    assert_eq!(shown(&running).0, pair);
    running.process(song.id, &["high"]);
    let job = running.job(song.id, |job| job.state == JobState::Done);
    assert_eq!((job.model.as_str(), job.stems.as_slice()), ("pair", &["high".to_owned()][..]));
    let (_, versions) = shown(&running);
    assert_eq!(
        versions.iter().map(|version| version.options.clone()).collect::<Vec<_>>(),
        [usual.clone(), pair.clone()]
    );
    assert!(versions.iter().all(|version| version.is_complete));
    let only_high = export(&running, song.id, &["high"], home.path().join("a"));
    assert!(matches!(only_high, ExportState::Done { .. }), "{only_high:?}");
    let low = export(&running, song.id, &["low"], home.path().join("b"));
    assert!(matches!(low, ExportState::Failed(_)), "the stem was not requested: {low:?}");

    // The rest of the bag is added; existing stems are not computed again.
    running.process(song.id, &["low", "rest"]);
    running.job(song.id, |job| job.state == JobState::Done);
    let all = export(&running, song.id, &[], home.path().join("c"));
    assert!(matches!(all, ExportState::Failed(_)), "an empty selection was exported");
    let all = export(&running, song.id, &["low", "high", "rest"], home.path().join("c"));
    assert!(matches!(all, ExportState::Done { .. }), "{all:?}");
    let high = |folder: &str| read_wav(&home.path().join(folder).join("high.wav"));
    assert_eq!(high("a"), high("c"));

    // Switches to the other version and back; the choice is kept.
    running.engine.send(Command::NextVersion(song.id));
    assert_eq!(shown(&running).0, usual);
    running.engine.send(Command::NextVersion(song.id));
    assert_eq!(shown(&running).0, pair);
    drop(running);
    assert_eq!(Library::open(home.path()).unwrap().song_options().unwrap()[&song.id], pair);
}

#[test]
fn a_draft_is_heard_first_and_never_taken_for_the_stems() {
    let home = home();
    Preferences { drafts_first: true, ..Preferences::default() }.save(home.path()).unwrap();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), 2);
    running.engine.send(Command::Open(song.id));
    shown(&running);
    running.process(song.id, &[]);
    // The draft covers the whole song before any frame is refined.
    let frames = song.frames;
    running.wait(|event| match event {
        Event::Segments { covered, refined, .. } => {
            let is_covered = covered[..] == [(0, frames)];
            assert!(is_covered || refined.is_empty(), "{covered:?} {refined:?}");
            (is_covered && refined.is_empty()).then_some(())
        }
        Event::Job(job) => {
            assert!(job.drafts_first && job.state != JobState::Done);
            None
        }
        _ => None,
    });
    let job = running.job(song.id, |job| job.state == JobState::Done);
    assert_eq!(job.segments_done, job.segments_total);
    let (_, versions) = shown(&running);
    let standard = Version { options: options("htdemucs", Quality::default()), is_complete: true };
    assert_eq!(versions, [standard], "the draft is no longer a version");

    // The stems equal those without a draft, to the last bit.
    let done = export(&running, song.id, &["low"], home.path().join("refined"));
    assert!(matches!(&done, ExportState::Done { notes, .. } if notes.is_empty()), "{done:?}");
    drop(running);
    let plain = home.path().join("plain");
    let song_file = home.path().join("song.wav");
    let arguments = [
        "separate",
        song_file.to_str().unwrap(),
        "--stems",
        "low",
        "--out",
        plain.to_str().unwrap(),
        "--name",
        "{stem}",
    ];
    let output = partita(home.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let read = |folder: &str| read_wav(&home.path().join(folder).join("low.wav"));
    assert_eq!(read("refined"), read("plain"));
}

#[test]
fn a_draft_alone_is_not_exported_as_the_better_stems_and_says_what_it_is() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), 1);
    running.engine.send(Command::Open(song.id));
    shown(&running);
    choose(&running, song.id, options("htdemucs", Quality::DRAFT));
    shown(&running);
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
    let done = export(&running, song.id, &["low"], home.path().join("draft"));
    let ExportState::Done { notes, .. } = done else { panic!("{done:?}") };
    assert!(notes.0.contains(&Note::FromDraft), "{notes:?}");

    choose(&running, song.id, options("htdemucs", Quality::default()));
    let now = running.wait(|event| match event {
        Event::Song(song) if song.state == SongState::Ready => Some(song.clone()),
        _ => None,
    });
    assert_eq!(now.id, song.id);
    let covered = running.wait(|event| match event {
        Event::Segments { covered, refined, .. } => {
            assert!(refined.is_empty());
            Some(covered.clone())
        }
        _ => None,
    });
    assert_eq!(covered, [(0, song.frames)], "the draft does not cover the song");
    let refused = export(&running, song.id, &["low"], home.path().join("better"));
    assert!(matches!(refused, ExportState::Failed(_)), "{refused:?}");
    assert!(!home.path().join("better").exists());

    // A draft that the user requested is kept, unlike one that precedes the final stems.
    let usual = Defaults { options: options("htdemucs", Quality::default()), drafts_first: true };
    running.engine.send(Command::SetDefaults(usual));
    running.process(song.id, &[]);
    running.job(song.id, |job| job.drafts_first && job.state == JobState::Done);
    assert_eq!(shown(&running).1.len(), 2);
}

#[test]
fn a_job_that_is_interrupted_goes_on_with_its_own_quality() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), 30);
    running.engine.send(Command::Open(song.id));
    shown(&running);
    choose(&running, song.id, options("pair", Quality { shifts: 2, ..Quality::default() }));
    shown(&running);
    running.process(song.id, &["rest"]);
    running.job(song.id, |job| job.segments_done > 3);
    drop(running);
    let running = Running::start(home.path(), true);
    let job = running.job(song.id, |job| job.state == JobState::Done);
    assert_eq!((job.model.as_str(), job.quality.shifts), ("pair", 2));
    assert_eq!(job.segments_done, job.segments_total);
}

#[test]
fn the_usual_model_is_another_and_one_that_is_removed_gives_way() {
    let home = home();
    let running = Running::start(home.path(), false);
    let usual = Defaults { options: options("pair", Quality::default()), drafts_first: false };
    running.engine.send(Command::SetDefaults(usual));
    let song = song(&running, home.path(), 1);
    running.engine.send(Command::Open(song.id));
    assert_eq!(shown(&running).0.model, "pair");
    running.engine.send(Command::RemoveModel("pair".into()));
    let models = running.wait(|event| match event {
        Event::Models(models) => Some(models.clone()),
        _ => None,
    });
    assert!(models.iter().all(|model| model.name != "pair"), "{models:?}");
    let default = models.iter().find(|model| model.name == "htdemucs").unwrap();
    // A test's network has other weights than the published one, so its state is `Damaged`.
    assert!(matches!(default.state, State::Damaged(_)), "{default:?}");
    assert_eq!(shown(&running).0.model, "htdemucs");
}
