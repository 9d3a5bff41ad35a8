//! The engine through its commands and events: real threads, real model, real files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use partita::{
    engine::{
        Command, Compute, Config, Depth, Engine, Event, ExportId, ExportState, Job, JobState, Lane,
        ModelState, ModelTask, Song, SongId,
        export::{NamePattern, OnExists, Part, Place, Selection, Settings},
    },
    model::weights::ImportOptions,
};

use crate::support::{home, largest_difference, partita, read_wav, write_song, write_song_at};

const PATIENCE: Duration = Duration::from_mins(5);

pub struct Running {
    pub engine: Engine,
    events: Receiver<Event>,
}

impl Running {
    pub fn start(home: &Path, interactive: bool) -> Self {
        let waker = Arc::new(|| {});
        let config =
            Config { home: home.to_owned(), compute: Compute::default(), interactive, waker };
        let (engine, events) = Engine::start(&config).unwrap();
        Self { engine, events }
    }

    /// Waits for the first event that `pick` accepts.
    pub fn wait<T>(&self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let event = self.events.recv_deadline(until).expect("the event did not arrive");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    pub fn job(&self, song: SongId, wanted: impl Fn(&Job) -> bool) -> Job {
        self.wait(|event| match event {
            Event::Job(job) if job.song == song && wanted(job) => Some(job.clone()),
            _ => None,
        })
    }

    pub fn import(&self, file: PathBuf) -> Song {
        self.engine.send(Command::Import(vec![file]));
        self.wait(|event| match event {
            Event::Song(song) => Some(song.clone()),
            _ => None,
        })
    }

    pub fn process(&self, song: SongId, stems: &[&str]) {
        let stems = stems.iter().map(|&stem| stem.to_owned()).collect();
        self.engine.send(Command::Process { song, stems, from_frame: 0 });
    }

    /// Checks that single samples are available for every lane, and that the residual is the song
    /// minus the stems.
    fn detail_adds_up(&self, song: SongId) {
        let frames = 100_000..100_003;
        self.engine.send(Command::ShowDetail { song, frames, frames_per_peak: 1 });
        let lane = |wanted: Lane| {
            self.wait(|event| match event {
                Event::Detail { lane, first_frame: 100_000, frames_per_peak: 1, peaks, .. }
                    if *lane == wanted =>
                {
                    assert_eq!(peaks.len(), 3);
                    Some(f64::from(peaks[1].min) + f64::from(peaks[1].max))
                }
                _ => None,
            })
        };
        let original = lane(Lane::Original);
        let stems: f64 = (0..4).map(|stem| lane(Lane::Stem(stem))).sum();
        let residual = lane(Lane::Residual);
        assert!((original - stems - residual).abs() < 1e-5, "{original} {stems} {residual}");
        assert_ne!(residual, 0.0);
    }

    fn export(&self, command: Command) -> ExportState {
        self.engine.send(command);
        self.wait(|event| match event {
            Event::Export { state: ExportState::Running(_), .. } => None,
            Event::Export { state, .. } => Some(state.clone()),
            _ => None,
        })
    }
}

fn song_file(home: &Path, name: &str, frames: usize, seed: u32) -> PathBuf {
    let file = home.join(name);
    write_song(&file, frames, 44_100, seed);
    file
}

#[test]
fn songs_wait_their_turn_while_others_are_imported_and_opened() {
    let home = home();
    let running = Running::start(home.path(), false);
    let first = running.import(song_file(home.path(), "first.wav", 300_000, 1));
    let second = running.import(song_file(home.path(), "second.wav", 50_000, 2));
    running.process(first.id, &["vocals"]);
    running.process(second.id, &["drums"]);
    running.job(second.id, |job| job.state == JobState::Waiting);
    let third = running.import(song_file(home.path(), "third.wav", 20_000, 3));
    running.engine.send(Command::Open(first.id));
    let stems = running.wait(|event| match event {
        Event::Opened { song, frames: 300_000, stems } if *song == first.id => Some(stems.clone()),
        _ => None,
    });
    assert_eq!(stems, ["drums", "bass", "other", "vocals"]);
    // Another stem joins the existing job.
    running.process(first.id, &["bass"]);
    let job = running.job(first.id, |job| job.stems.len() == 2);
    assert_eq!(job.stems, ["vocals", "bass"]);
    // An event names the segment that is being computed.
    let computing = running.wait(|event| match event {
        Event::Computing { song, frames } if *song == first.id => *frames,
        _ => None,
    });
    assert!(computing.0 < computing.1 && computing.1 <= 300_000);
    // A stem's waveform arrives with its segment, before the job is done.
    let bins = running.wait(|event| match event {
        Event::Peaks { song, lane: Lane::Stem(3), peaks, .. } if *song == first.id => {
            Some(peaks.len())
        }
        _ => None,
    });
    assert!(bins > 0);
    running.job(second.id, |job| job.state == JobState::Done);
    running.detail_adds_up(first.id);
    // Stems separated by one pass need no second pass, even after a restart.
    drop(running);
    let running = Running::start(home.path(), true);
    running.process(first.id, &["other"]);
    let job = running.job(first.id, |job| job.state == JobState::Done);
    assert_eq!(job.seconds, 0.0);
    running.engine.send(Command::Remove(third.id));
    running.wait(|event| matches!(event, Event::SongRemoved(id) if *id == third.id).then_some(()));
    assert!(third.path.is_file(), "the user's file is kept");
}

fn mix_of(stems: &[(&str, f32)]) -> Selection {
    let part = |&(stem, gain): &(&str, f32)| Part { stem: stem.into(), gains: [gain; 2] };
    Selection { mix: Some(stems.iter().map(part).collect()), ..Selection::default() }
}

/// The command for an export in 32-bit float.
fn export(id: ExportId, song: SongId, selection: Selection, folder: &Path, name: &str) -> Command {
    let place = Place { folder: folder.into(), pattern: NamePattern::new(name).unwrap() };
    let settings = Settings { depth: Some(Depth::Float32), ..Settings::default() };
    Command::Export { id, song, selection, place, settings }
}

fn on_exists(order: Command, on_exists: OnExists) -> Command {
    match order {
        Command::Export { id, song, selection, place, settings } => {
            let settings = Settings { on_exists, ..settings };
            Command::Export { id, song, selection, place, settings }
        }
        other => other,
    }
}

#[test]
fn a_cancelled_job_keeps_its_segments_and_ends_within_one() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = running.import(song_file(home.path(), "long.wav", 44_100 * 40, 4));
    running.process(song.id, &[]);
    let job = running.job(song.id, |job| job.segments_done == 1);
    running.engine.send(Command::Cancel(job.id));
    let ended = running.job(song.id, |job| !job.is_active());
    assert_eq!(ended.state, JobState::Cancelled);
    assert!(ended.segments_done <= 2 && ended.segments_total == 7, "{ended:?}");
    let mix = export(ExportId(1), song.id, mix_of(&[("vocals", 1.0)]), home.path(), "no");
    assert!(matches!(running.export(mix), ExportState::Failed(_)), "a partial song was exported");
    assert!(!home.path().join("no.wav").exists());
}

#[test]
fn the_exported_mix_is_the_weighted_sum_of_the_exported_stems() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = running.import(song_file(home.path(), "song.wav", 100_000, 5));
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
    let (id, song) = (ExportId(7), song.id);
    let names = vec!["vocals".to_owned(), "drums".to_owned()];
    let selection = Selection { stems: names, residual: true, ..Selection::default() };
    let to = home.path().join("stems");
    let order = export(id, song, selection, &to, "{title}/{stem}");
    let ExportState::Done { files, .. } = running.export(order.clone()) else {
        panic!("the stems were not exported")
    };
    assert_eq!(files[0], to.join("song/drums.wav"), "expected the model's order");
    let stems: Vec<_> = files[..2].iter().rev().map(|file| read_wav(file)).collect();
    // A second export to the same place leaves the first one's files alone, unless replacement is
    // requested.
    let ExportState::Exists(there) = running.export(order.clone()) else {
        panic!("expected a question")
    };
    assert_eq!(there, files);
    let ExportState::Done { files, .. } = running.export(on_exists(order, OnExists::Number)) else {
        panic!("the export failed")
    };
    assert_eq!(files[1], to.join("song/vocals (2).wav"));
    let selection = mix_of(&[("vocals", 0.5), ("drums", 1.5)]);
    let mix = export(id, song, selection, home.path(), "{title}, {stem}");
    assert!(matches!(running.export(mix), ExportState::Done { .. }));
    let to = home.path().join("song, mix.wav");
    let sum: Vec<f32> = stems[0].iter().zip(&stems[1]).map(|(a, b)| 0.5 * a + 1.5 * b).collect();
    assert!(largest_difference(&sum, &read_wav(&to)) < 1e-6);
}

#[test]
fn files_to_drag_are_made_once_and_go_with_the_song() {
    let home = home();
    let running = Running::start(home.path(), false);
    // A song whose stems would clip, so that one common gain applies to all of them.
    let file = home.path().join("loud.wav");
    write_song_at(&file, 100_000, 44_100, 5, 200_000.0);
    let song = running.import(file);
    let prepare = |stems: &[&str]| {
        let stems = stems.iter().map(|&stem| stem.to_owned()).collect();
        running.engine.send(Command::PrepareDrag { song: song.id, stems });
        running.wait(|event| match event {
            Event::DragReady { song: of, files, .. } if *of == song.id => Some(Ok(files.clone())),
            Event::Failed { song: of, problem, .. } if *of == Some(song.id) => {
                Some(Err(problem.to_string()))
            }
            _ => None,
        })
    };
    let reason = prepare(&["vocals"]).unwrap_err();
    assert!(reason.contains("not completely separated"), "{reason}");
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
    let reason = prepare(&["kazoo"]).unwrap_err();
    assert!(reason.contains("kazoo"), "{reason}");

    let made = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let vocals = prepare(&["vocals"]).unwrap().remove(0);
    let since = made(&vocals);
    let folder = vocals.parent().unwrap();
    assert!(folder.starts_with(home.path().join("songs")) && vocals.ends_with("loud (vocals).wav"));
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        1,
        "expected exactly the requested file"
    );
    let files = prepare(&["vocals", "drums"]).unwrap();
    assert_eq!(
        files,
        [folder.join("loud (drums).wav"), vocals.clone()],
        "expected the model's order"
    );
    assert_eq!(prepare(&[]).unwrap().len(), 4);
    assert_eq!(made(&vocals), since, "the file was written twice");

    // The files equal an export of all stems, although they were prepared one by one.
    let out = home.path().join("out");
    let place = Place { folder: out.clone(), pattern: NamePattern::new("{stem}").unwrap() };
    let selection = Selection { stems: sources(), ..Selection::default() };
    let (id, settings) = (ExportId(1), Settings::default());
    let order = Command::Export { id, song: song.id, selection, place, settings };
    let ExportState::Done { gain_db, .. } = running.export(order) else {
        panic!("the export failed")
    };
    assert!(gain_db < 0.0, "{gain_db}");
    for stem in sources() {
        let dragged = read_wav(&folder.join(format!("loud ({stem}).wav")));
        assert!(dragged == read_wav(&out.join(format!("{stem}.wav"))), "{stem}");
    }
    running.engine.send(Command::PrepareDrag { song: song.id, stems: vec!["bass".into()] });
    running.engine.send(Command::Remove(song.id));
    running.wait(|event| matches!(event, Event::SongRemoved(_)).then_some(()));
    drop(running);
    assert_eq!(std::fs::read_dir(home.path().join("songs")).unwrap().count(), 0);
}

fn sources() -> Vec<String> {
    ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
}

#[test]
fn without_a_model_processing_is_refused_in_words() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(home.path(), false);
    running.wait(|event| matches!(event, Event::Model(ModelState::Missing)).then_some(()));
    let song = running.import(song_file(home.path(), "song.wav", 1000, 6));
    running.process(song.id, &[]);
    let reason = running.wait(|event| match event {
        Event::Failed { song: Some(id), problem, .. } if *id == song.id => {
            Some(problem.to_string())
        }
        _ => None,
    });
    assert!(reason.contains("model"), "{reason}");
    // An invalid model file is refused, and the model is still missing.
    running
        .engine
        .send(Command::ImportModel { file: song.path, options: ImportOptions::default() });
    let reason = running.wait(|event| match event {
        Event::ModelTask(None, ModelTask::Failed(problem)) => Some(problem.to_string()),
        _ => None,
    });
    assert!(reason.contains("song.wav"), "{reason}");
    running.wait(|event| match event {
        Event::Model(state) => {
            assert_eq!(*state, ModelState::Missing);
            Some(())
        }
        _ => None,
    });
}

#[test]
fn a_removed_song_leaves_no_job_behind() {
    let home = home();
    let running = Running::start(home.path(), false);
    let song = running.import(song_file(home.path(), "song.wav", 44_100 * 20, 7));
    let next = running.import(song_file(home.path(), "next.wav", 1000, 8));
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Running);
    running.process(next.id, &[]);
    running.engine.send(Command::Remove(song.id));
    running.wait(|event| matches!(event, Event::SongRemoved(id) if *id == song.id).then_some(()));
    // The next song is processed, and no event refers to the removed one.
    running.wait(|event| match event {
        Event::Job(job) => {
            assert_eq!(job.song, next.id, "{job:?}");
            (job.state == JobState::Done).then_some(())
        }
        _ => None,
    });
    assert_eq!(std::fs::read_dir(home.path().join("songs")).unwrap().count(), 1);
}

#[test]
fn an_open_engine_follows_what_the_command_line_changes() {
    let home = home();
    let running = Running::start(home.path(), true);
    let titles = |wanted: usize| {
        running.wait(|event| match event {
            Event::Library { songs, .. } if songs.len() == wanted => {
                Some(songs.iter().map(|song| song.title.clone()).collect::<Vec<_>>())
            }
            _ => None,
        })
    };
    assert!(titles(0).is_empty());
    let file = song_file(home.path(), "from outside.wav", 1000, 9);
    assert!(partita(home.path(), &["add", file.to_str().unwrap()]).status.success());
    assert_eq!(titles(1), ["from outside"]);
    assert!(partita(home.path(), &["reset", "--yes"]).status.success());
    assert!(titles(0).is_empty());
}
