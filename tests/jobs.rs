//! The user's operations on jobs and on the data folder, through commands and events.

use lofty::{
    config::WriteOptions,
    tag::{ItemKey, Tag, TagExt as _, TagType},
};
use partita::engine::{
    Command, Compute, Event, Job, JobId, JobState, Preferences, Song, SongId, SongState,
    library::Library,
};

use crate::{
    engine::Running,
    support::{json_lines, partita, tiny_home, write_song},
};

fn song(running: &Running, home: &std::path::Path, name: &str, seconds: usize, seed: u32) -> Song {
    let file = home.join(name);
    write_song(&file, 44_100 * seconds, 44_100, seed);
    running.import(file)
}

fn state(job: &Job) -> (JobId, JobState) {
    (job.id, job.state.clone())
}

fn queue(running: &Running, wanted: &[JobId]) {
    running.wait(|event| matches!(event, Event::Queue(jobs) if jobs == wanted).then_some(()));
}

#[test]
fn jobs_rest_go_on_change_places_and_are_cleared() {
    let home = tiny_home();
    let running = Running::start(home.path(), false);
    let songs = [("one", 60), ("two", 1), ("three", 1)];
    let songs = songs.map(|(name, secs)| {
        song(&running, home.path(), &format!("{name}.wav"), secs, secs as u32 + name.len() as u32)
    });
    for song in &songs {
        running.process(song.id, &[]);
    }
    let [one, two, three] = songs.each_ref().map(|song| running.job(song.id, Job::is_active).id);
    running.engine.send(Command::MoveJob { job: three, to: 0 });
    queue(&running, &[three, two]);
    running.engine.send(Command::Pause(two));
    running.job(songs[1].id, |job| job.state == JobState::Paused);
    queue(&running, &[three]);
    running.job(songs[0].id, |job| job.segments_done >= 2);
    running.engine.send(Command::Pause(one));
    let rest = running.job(songs[0].id, |job| job.state == JobState::Paused);
    assert!(rest.segments_done >= 2 && rest.segments_done < rest.segments_total, "{rest:?}");
    let done = running.job(songs[2].id, Job::is_ended);
    assert_eq!(state(&done), (three, JobState::Done), "the other jobs run meanwhile");

    drop(running);
    let running = Running::start(home.path(), true);
    let jobs = running.wait(|event| match event {
        Event::Library { jobs, .. } => Some(jobs.clone()),
        _ => None,
    });
    let states: Vec<_> = jobs.iter().map(state).collect();
    let kept = [(three, JobState::Done), (two, JobState::Paused), (one, JobState::Paused)];
    assert_eq!(states, kept, "the states survive a restart");
    running.engine.send(Command::Continue(two));
    assert_eq!(running.job(songs[1].id, Job::is_ended).state, JobState::Done);
    running.engine.send(Command::MakeTracks(two));
    let files = running.wait(|event| match event {
        Event::Tracks { job, files } if *job == two => Some(files.clone()),
        _ => None,
    });
    assert!(files.len() == 4 && files.iter().all(|file| file.is_file()), "{files:?}");

    running.engine.send(Command::Cancel(one));
    assert_eq!(running.job(songs[0].id, Job::is_ended).state, JobState::Cancelled);
    running.engine.send(Command::Retry(one));
    let again = running.job(songs[0].id, |job| job.state == JobState::Running);
    assert!(again.id == one && again.segments_done >= rest.segments_done, "{again:?}");
    running.engine.send(Command::ClearJobs(vec![three, one]));
    let cleared = running.wait(|event| match event {
        Event::JobsCleared(jobs) => Some(jobs.clone()),
        _ => None,
    });
    assert_eq!(cleared, [three], "a running job is not cleared");
    let jobs = Library::open(home.path()).unwrap().jobs().unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [two, one]);
    running.engine.send(Command::Cancel(one));
}

#[test]
fn a_running_job_goes_on_in_another_way() {
    let home = tiny_home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), "song.wav", 30, 3);
    running.process(song.id, &[]);
    running.job(song.id, |job| job.segments_done >= 2);
    let compute = Compute { threads: Some(1), ..Compute::default() };
    running.engine.send(Command::SetCompute(compute));
    let between = running.job(song.id, |job| job.state == JobState::Waiting);
    assert!(between.segments_done >= 2 && between.segments_done < between.segments_total);
    running.job(song.id, |job| job.state == JobState::Running);
    running.job(song.id, |job| job.state == JobState::Done);
}

#[test]
fn stems_are_measured_and_cleared_and_songs_stay() {
    let home = tiny_home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), "song.wav", 1, 3);
    running.engine.send(Command::Open(song.id));
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
    let measured = || {
        running.wait(|event| match event {
            Event::HomeMeasured { all, stems, .. } => Some((*all, *stems)),
            _ => None,
        })
    };
    running.engine.send(Command::MeasureHome);
    let (all, stems) = measured();
    assert!(stems > 44_100 * 2 * 4 * 3 && all > stems, "{stems} of {all}");
    running.engine.send(Command::ClearStems);
    let ready = running.wait(|event| match event {
        Event::Library { songs, .. } => Some(songs[0].clone()),
        _ => None,
    });
    assert_eq!((ready.id, ready.state), (song.id, SongState::Ready));
    running.wait(|event| matches!(event, Event::Opened { .. }).then_some(()));
    // The store was created again and is empty.
    assert!(measured().1 < 1000);
    running.process(song.id, &[]);
    running.job(song.id, |job| job.state == JobState::Done);
}

#[test]
fn a_title_and_the_settings_are_kept_and_the_users_file_is_not_touched() {
    let home = tiny_home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), "song.wav", 1, 3);
    let before = std::fs::read(&song.path).unwrap();
    let title = "Another “title”".to_owned();
    running.engine.send(Command::Rename { song: song.id, title: title.clone() });
    running.wait(|event| matches!(event, Event::Song(song) if song.title == title).then_some(()));
    let preferences = Preferences { zoom: 120, ..Preferences::default() };
    running.engine.send(Command::KeepPreferences(Box::new(preferences.clone())));
    drop(running);
    assert_eq!(Library::open(home.path()).unwrap().song(song.id).unwrap().title, title);
    assert_eq!(Preferences::load(home.path()), (preferences, None));
    // Importing the same file again gives the same song.
    let running = Running::start(home.path(), false);
    assert_eq!(running.import(song.path.clone()).title, title);
    assert!(std::fs::read(&song.path).unwrap() == before);
}

/// Tempo and key from tags are displayed and listed, and analysis does not replace them.
#[test]
fn tempo_and_key_come_from_the_tags() {
    let home = tiny_home();
    let file = home.path().join("tagged.wav");
    write_song(&file, 44_100 * 8, 44_100, 5);
    let mut tag = Tag::new(TagType::Id3v2);
    assert!(tag.insert_text(ItemKey::IntegerBpm, "97".into()));
    assert!(tag.insert_text(ItemKey::InitialKey, "F#m".into()));
    tag.save_to_path(&file, WriteOptions::default()).unwrap();
    let running = Running::start(home.path(), true);
    let song = running.import(file);
    let tempo_and_key =
        |song: &Song| (song.bpm, song.bpm_from_tags, song.key.clone(), song.key_from_tags);
    let said = (Some(97.0), true, Some("F# minor".to_owned()), true);
    assert_eq!(tempo_and_key(&song), said);
    let analysed = running.wait(|event| match event {
        Event::Song(song) if song.loudness_lufs.is_some() => Some(song.clone()),
        _ => None,
    });
    assert_eq!(tempo_and_key(&analysed), said);
    drop(running);
    let listed = json_lines(&partita(home.path(), &["list", "--json"])).remove(0);
    assert_eq!(
        (listed["song"]["bpm"].as_f64(), listed["song"]["key"].as_str()),
        (Some(97.0), Some("F# minor"))
    );
}

/// Checks that a program that waits for one job can ignore the failures of other commands.
#[test]
fn events_name_the_command_that_they_answer() {
    let home = tiny_home();
    let running = Running::start(home.path(), false);
    let song = song(&running, home.path(), "song.wav", 2, 1);
    let restore = running.engine.send(Command::Restore(SongId(999)));
    let unknown = Command::Process { song: song.id, stems: vec!["kazoo".into()], from_frame: 0 };
    let unknown = running.engine.send(unknown);
    let process =
        running.engine.send(Command::Process { song: song.id, stems: Vec::new(), from_frame: 0 });
    let mut failed = Vec::new();
    let mut accepted = None;
    let job = running.wait(|event| match event {
        Event::Failed { request, .. } => {
            failed.push(*request);
            None
        }
        Event::Accepted { request, job } => {
            accepted = Some((*request, *job));
            None
        }
        Event::Job(job) if job.is_ended() => Some(job.clone()),
        _ => None,
    });
    assert_eq!(failed, [Some(restore), Some(unknown)]);
    assert_eq!(accepted, Some((process, job.id)));
    assert_eq!(job.state, JobState::Done);
}
