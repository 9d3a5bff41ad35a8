//! Changes of the environment: files are moved, folders removed, disks fill up, the machine sleeps,
//! songs are removed and restored. Stems are kept, and jobs resume.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use partita::engine::{
    Command, Compute, Config, Engine, Event, Job, JobState, ModelEntry, ModelState, Problem, Song,
    SongId, SongState,
};
use partita::model::weights::State;
use tempfile::TempDir;

use crate::support::{command, json_lines, partita, stderr, tiny_home, walk, write_song};

const PATIENCE: Duration = Duration::from_mins(2);

/// The engine of a window.
struct Running {
    engine: Engine,
    events: Receiver<Event>,
}

impl Running {
    fn start(home: &Path) -> Self {
        let compute = Compute { threads: Some(1), ..Compute::default() };
        let home = home.to_owned();
        let config = Config { home, compute, interactive: true, waker: Arc::new(|| {}) };
        let (engine, events) = Engine::start(&config).unwrap();
        Self { engine, events }
    }

    fn wait<T>(&self, want: impl Fn(&Event) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let event = self.events.recv_deadline(until).expect("the event did not arrive");
            if let Some(found) = want(&event) {
                return found;
            }
        }
    }

    fn import(&self, file: &Path) -> Song {
        self.engine.send(Command::Import(vec![file.to_owned()]));
        self.wait(|event| match event {
            Event::Song(song) if song.path == file => Some(song.clone()),
            Event::ImportFailed { problem, .. } => panic!("{problem}"),
            _ => None,
        })
    }

    fn ask(&self, song: SongId) {
        self.engine.send(Command::Process { song, stems: Vec::new(), from_frame: 0 });
    }

    fn job(&self, want: impl Fn(&Job) -> bool) -> Job {
        self.wait(|event| match event {
            Event::Job(job) if want(job) => Some(job.clone()),
            Event::Job(job) => {
                assert!(!matches!(job.state, JobState::Failed(_)), "{job:?}");
                None
            }
            _ => None,
        })
    }

    fn done(&self) -> Job {
        self.job(|job| job.state == JobState::Done)
    }

    fn failure(&self) -> String {
        self.wait(|event| match event {
            Event::Failed { problem, .. } => Some(problem.to_string()),
            _ => None,
        })
    }
}

fn song(seconds: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("song.wav");
    write_song(&file, 44_100 * seconds, 44_100, 1);
    (folder, file)
}

/// The samples of all stems.
fn stems(home: &Path) -> Vec<Vec<u8>> {
    let mut files = walk(&home.join("songs"));
    files.retain(|path| path.to_string_lossy().contains("stem-"));
    files.sort();
    files.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The stems that an undisturbed program computes from the file.
fn undisturbed(file: &Path) -> Vec<Vec<u8>> {
    let home = tiny_home();
    assert!(partita(home.path(), &["add", file.to_str().unwrap()]).status.success());
    let output = partita(home.path(), &["process", "1", "--threads", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    stems(home.path())
}

#[test]
fn a_moved_file_is_reported_missing_and_found_by_its_content() {
    let (home, (folder, file)) = (tiny_home(), song(1));
    let running = Running::start(home.path());
    let first = running.import(&file);
    running.ask(first.id);
    let seconds = running.done().seconds;
    let moved = folder.path().join("moved.wav");
    fs::rename(&file, &moved).unwrap();
    let missing = |running: &Running| {
        running.wait(|event| match event {
            Event::Missing(songs) => Some(songs.clone()),
            _ => None,
        })
    };
    assert_eq!(missing(&running), [first.id]);
    let again = running.import(&moved);
    assert_eq!(again.id, first.id);
    assert_eq!(missing(&running), []);
    assert_eq!(again.state, SongState::Separated);
    running.ask(again.id);
    assert_eq!(running.done().seconds, seconds, "a segment was computed again");
    // A rebuilt library also has the new path.
    drop(running);
    fs::write(home.path().join("library.db"), "rubbish").unwrap();
    let listed = json_lines(&partita(home.path(), &["list", "--json"]));
    assert_eq!(listed[0]["song"]["path"], moved.to_str().unwrap());
}

#[test]
fn a_removed_song_comes_back_with_its_stems_until_the_program_ends() {
    let (home, (_folder, file)) = (tiny_home(), song(1));
    let running = Running::start(home.path());
    let first = running.import(&file);
    running.ask(first.id);
    running.done();
    let made = stems(home.path());
    let remove = || {
        running.engine.send(Command::Remove(first.id));
        running.wait(|event| matches!(event, Event::SongRemoved(_)).then_some(()));
    };
    remove();
    assert!(stems(home.path()).is_empty());
    // Meanwhile another program cleans up the data folder.
    let (_other, other) = song(2);
    assert!(partita(home.path(), &["add", other.to_str().unwrap()]).status.success());
    running.engine.send(Command::Restore(first.id));
    let back = running.wait(|event| match event {
        Event::Song(song) if song.id == first.id => Some(song.clone()),
        _ => None,
    });
    assert_eq!(back.state, SongState::Separated);
    assert_eq!(running.done().song, first.id, "the song's job is restored as well");
    assert!(stems(home.path()) == made);
    remove();
    drop(running);
    assert_eq!(fs::read_dir(home.path().join("removed")).unwrap().count(), 0);
    assert!(stems(home.path()).is_empty());
}

#[cfg(target_os = "linux")] // Windows renames no folder with open files
#[test]
fn a_folder_that_is_taken_away_pauses_the_job_until_it_is_back() {
    let (home, (_folder, file)) = (tiny_home(), song(20));
    let wanted = undisturbed(&file);
    let running = Running::start(home.path());
    for what in ["songs", ""] {
        let first = running.import(&file);
        running.ask(first.id);
        let job = running.job(|job| job.segments_done >= 3);
        running.engine.send(Command::Open(first.id));
        let here = if what.is_empty() { home.path().to_owned() } else { home.path().join(what) };
        let away = home.path().with_extension("away");
        fs::rename(&here, &away).unwrap();
        // Drawing the open song's waveform fails as well, before or after the job.
        let words = loop {
            let words = running.failure();
            if !words.contains("draw the waveform") {
                break words;
            }
        };
        let is_expected =
            ["paused", "is gone", "is missing"].iter().any(|part| words.contains(part));
        assert!(is_expected, "{words}");
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!here.exists(), "a folder was created in place of the removed one");
        fs::rename(&away, &here).unwrap();
        let done = running.done();
        assert_eq!((done.id, done.segments_done), (job.id, job.segments_total));
        assert!(stems(home.path()) == wanted);
        // Repeats the check with the whole data folder.
        running.engine.send(Command::Reset);
        running.wait(|event| {
            matches!(event, Event::Library { songs, .. } if songs.is_empty()).then_some(())
        });
    }
}

#[cfg(unix)] // links take a privilege on Windows
#[test]
fn stems_are_cleared_inside_the_data_folder_only() {
    let (home, (_folder, file), elsewhere) = (tiny_home(), song(1), tempfile::tempdir().unwrap());
    let running = Running::start(home.path());
    let first = running.import(&file);
    running.ask(first.id);
    running.done();
    let (songs, away) = (home.path().join("songs"), elsewhere.path().join("songs"));
    fs::rename(&songs, &away).unwrap();
    std::os::unix::fs::symlink(&away, &songs).unwrap();
    running.engine.send(Command::ClearStems);
    let words = running.failure();
    assert!(words.contains("left alone"), "{words}");
    assert!(!stems(home.path()).is_empty());
}

/// Stops the process in the middle of a segment, as sleep does.
#[cfg(unix)] // Windows has no SIGSTOP
#[test]
fn a_program_that_slept_goes_on() {
    let (home, (_folder, file)) = (tiny_home(), song(8));
    assert!(partita(home.path(), &["add", file.to_str().unwrap()]).status.success());
    let child = command(home.path(), &["process", "1", "--threads", "1"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let signal = |name: &str| {
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
    };
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(120));
        signal("-STOP");
        std::thread::sleep(Duration::from_millis(700));
        signal("-CONT");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stems(home.path()) == undisturbed(&file));
}

#[test]
fn a_report_is_saved_without_names_or_it_is_said_why_not() {
    let (home, (folder, file)) = (tiny_home(), song(1));
    let running = Running::start(home.path());
    running.import(&file);
    let report = folder.path().join("report.txt");
    running.engine.send(Command::SaveReport(report.clone()));
    let saved = running.wait(|event| match event {
        Event::ReportSaved(path) => Some(path.clone()),
        _ => None,
    });
    assert_eq!(saved, report);
    let text = fs::read_to_string(report).unwrap();
    assert!(text.contains("1 songs") && text.contains("processor: "), "{text}");
    for secret in [home.path(), folder.path(), Path::new("song.wav")] {
        assert!(!text.contains(secret.to_str().unwrap()), "{text}");
    }
    running.engine.send(Command::SaveReport(home.path().join("no/such/folder/report.txt")));
    let words = running.failure();
    assert!(words.contains("could not write") && words.contains("report.txt"), "{words}");
}

/// Another program removes the only model, and brings it back.
#[test]
fn models_of_other_programs_are_noticed() {
    let (home, (folder, file)) = (tiny_home(), song(1));
    let running = Running::start(home.path());
    let models = home.path().join("models");
    let state = |running: &Running, is_wanted: fn(&ModelState) -> bool| {
        running
            .wait(|event| matches!(event, Event::Model(model) if is_wanted(model)).then_some(()));
    };
    let listed = |running: &Running| {
        let of = |models: &Vec<ModelEntry>| {
            models.iter().filter(|model| matches!(model.state, State::Installed { .. })).count()
        };
        running.wait(|event| match event {
            Event::Models(models) => Some(of(models)),
            _ => None,
        })
    };
    state(&running, |model| matches!(model, ModelState::Ready { .. }));
    let before = listed(&running);
    let first = running.import(&file);
    let away = folder.path().join("away");
    fs::create_dir(&away).unwrap();
    let weights: Vec<PathBuf> = walk(&models)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .collect();
    for path in &weights {
        fs::copy(path, away.join(path.file_name().unwrap())).unwrap();
        fs::remove_file(path).unwrap();
    }
    state(&running, |model| matches!(model, ModelState::Missing));
    assert_eq!(listed(&running), 0);
    running.ask(first.id);
    let words = running.failure();
    assert!(words.contains("install"), "{words}");
    for path in &weights {
        fs::copy(away.join(path.file_name().unwrap()), path).unwrap();
    }
    state(&running, |model| matches!(model, ModelState::Ready { .. }));
    assert_eq!(listed(&running), before);
    running.ask(first.id);
    running.done();
}

/// Another program replaces the model by one with other stems while jobs wait.
#[test]
fn jobs_for_stems_of_a_replaced_model_fail_with_the_reason() {
    let (home, (folder, file)) = (tiny_home(), song(60));
    let running = Running::start(home.path());
    let second = folder.path().join("second.wav");
    write_song(&second, 44_100, 44_100, 2);
    let songs = [&file, &second].map(|file| running.import(file).id);
    running.ask(songs[0]);
    running.job(|job| job.song == songs[0] && job.segments_done > 0);
    running.ask(songs[1]);
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/six.weights.safetensors");
    let weights = home.path().join("models/htdemucs.safetensors");
    let new = home.path().join("new");
    fs::copy(other, &new).unwrap();
    fs::rename(&new, &weights).unwrap();
    // The stems of the running job come from the network that is loaded.
    running.engine.send(Command::Pause(running.job(|job| job.song == songs[0]).id));
    let problem = running.wait(|event| match event {
        Event::Job(Job { song, state: JobState::Failed(problem), .. }) if *song == songs[1] => {
            Some(problem.clone())
        }
        Event::Job(job) => {
            assert!(job.song != songs[1] || job.state != JobState::Done, "{job:?}");
            None
        }
        _ => None,
    });
    assert!(matches!(problem, Problem::UnknownStem { .. }), "{problem}");
}
