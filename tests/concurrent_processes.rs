//! Two processes on one data folder: programs that want the same song or the same import, or that
//! remove each other's songs. One works and the others wait with a message; nothing is done twice,
//! and nothing is lost.

use std::{
    path::Path,
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use partita::engine::{Command, Compute, Config, Engine, Event, JobState, Problem};

use crate::support::{command, json_lines, partita, stderr, tiny_home, walk, write_song};

fn spawn(home: &Path, arguments: &[&str]) -> Child {
    command(home, arguments)
        .env("PARTITA_LOG", "partita=debug")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn computed(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.split("computing segment ").nth(1)).map(str::trim).collect()
}

#[test]
fn four_programs_on_one_song_compute_each_segment_once() {
    let (home, songs) = (tiny_home(), tempfile::tempdir().unwrap());
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100 * 6, 44_100, 1);
    assert!(partita(home.path(), &["add", file.to_str().unwrap()]).status.success());
    let work: Vec<Child> =
        (0..4).map(|_| spawn(home.path(), &["process", "song", "--threads", "1"])).collect();
    let mut all = Vec::new();
    for child in work {
        let output = child.wait_with_output().unwrap();
        let log = stderr(&output);
        assert!(output.status.success(), "{log}");
        all.extend(computed(&log).into_iter().map(str::to_owned));
    }
    let segments = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), segments, "a segment was computed twice");
    let jobs = json_lines(&partita(home.path(), &["jobs", "--json"]));
    assert!(jobs.iter().all(|job| job["state"] == "done"), "{jobs:?}");
}

#[test]
fn the_same_file_added_by_several_at_once_is_one_song() {
    let (home, songs) = (tiny_home(), tempfile::tempdir().unwrap());
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100 * 2, 44_100, 1);
    let work: Vec<Child> =
        (0..5).map(|_| spawn(home.path(), &["add", file.to_str().unwrap()])).collect();
    for child in work {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(json_lines(&partita(home.path(), &["list", "--json"])).len(), 1);
    assert_eq!(std::fs::read_dir(home.path().join("songs")).unwrap().count(), 1);
}

/// Runs the window's engine and the command line at the same time. A job for a song that the other
/// process is separating waits with a message. The job completes when the other process has ended,
/// even by a kill.
#[test]
fn the_window_waits_for_the_command_line_and_goes_on_where_it_was_killed() {
    let (home, songs) = (tiny_home(), tempfile::tempdir().unwrap());
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100 * 30, 44_100, 1);
    assert!(partita(home.path(), &["add", file.to_str().unwrap()]).status.success());
    let mut other = spawn(home.path(), &["process", "song", "--threads", "1"]);
    let flags = || {
        let found = walk(&home.path().join("songs")).into_iter();
        let flags = found
            .filter(|path| path.ends_with("segments"))
            .map(|path| std::fs::read(path).unwrap());
        flags.flatten().filter(|flag| *flag == 1).count()
    };
    let until = Instant::now() + Duration::from_mins(1);
    while flags() < 3 {
        assert!(Instant::now() < until, "the other process does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let compute = Compute { threads: Some(1), ..Compute::default() };
    let home_path = home.path().to_owned();
    let config = Config { home: home_path, compute, interactive: true, waker: Arc::new(|| {}) };
    let (engine, events) = Engine::start(&config).unwrap();
    let song = loop {
        if let Event::Library { songs, .. } = events.recv_timeout(Duration::from_mins(1)).unwrap() {
            break songs[0].id;
        }
    };
    engine.send(Command::Process { song, stems: Vec::new(), from_frame: 0 });
    let problem = loop {
        match events.recv_timeout(Duration::from_mins(1)).unwrap() {
            Event::Waiting { song: of, problem } if of == song => break problem,
            Event::Failed { problem, .. } => panic!("{problem}"),
            _ => {}
        }
    };
    assert_eq!(problem, Problem::Locked);
    other.kill().unwrap();
    other.wait().unwrap();
    let before = flags();
    let job = loop {
        match events.recv_timeout(Duration::from_mins(1)).unwrap() {
            Event::Job(job) if job.state == JobState::Done => break job,
            Event::Failed { problem, .. } => panic!("{problem}"),
            _ => {}
        }
    };
    assert_eq!(job.segments_done, job.segments_total);
    assert!(before < job.segments_total, "the process was not killed in the middle");
    drop(engine);
}
