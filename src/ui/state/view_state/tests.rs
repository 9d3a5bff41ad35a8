//! Tests of the view state, fed with events by hand.

use std::{sync::Arc, time::Duration};

use crate::{
    engine::{AudioFormat, Event, Lane, Notes, audio::peaks::Peak, separation::options::Quality},
    ui::{state::view_state::*, timeline::peaks::Waveform},
};

fn song(id: i64) -> Song {
    Song {
        id: SongId(id),
        path: PathBuf::from(format!("/music/{id}.flac")),
        hash: format!("{id:064}"),
        sound: None,
        title: format!("Song {id}"),
        artist: None,
        album: None,
        format: AudioFormat::default(),
        frames: 44_100 * 100,
        bpm: None,
        key: None,
        bpm_from_tags: false,
        key_from_tags: false,
        track: None,
        tracks: Vec::new(),
        loudness_lufs: None,
        warning: Notes::default(),
        state: SongState::Ready,
        cover: None,
    }
}

fn job(id: i64, song: i64, state: JobState, done: usize) -> Job {
    Job {
        id: JobId(id),
        song: SongId(song),
        model: "htdemucs".into(),
        quality: Quality::default(),
        drafts_first: false,
        stems: Vec::new(),
        state,
        segments_done: done,
        segments_total: 20,
        drafts_left: 0,
        created_at: 0,
        seconds: 0.0,
    }
}

fn stems() -> Vec<String> {
    ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
}

fn recorded(text: &str) -> Problem {
    Problem::Recorded { text: text.into() }
}

fn state_after(events: impl IntoIterator<Item = Event>) -> ViewState {
    let mut state = ViewState::new("terms");
    for event in events {
        state.apply(event);
    }
    state
}

#[test]
fn songs_are_added_changed_and_removed() {
    let mut state = state_after([
        Event::Library { songs: vec![song(2), song(1)], jobs: Vec::new() },
        Event::Song(song(3)),
        Event::Song(Song { title: "New".into(), ..song(1) }),
        Event::Job(job(1, 2, JobState::Waiting, 0)),
    ]);
    let ids: Vec<i64> = state.songs().map(|song| song.id.0).collect();
    assert_eq!(ids, [3, 2, 1]);
    assert_eq!(state.song(SongId(1)).unwrap().title, "New");
    state.apply(Event::Opened { song: SongId(2), frames: 10, stems: stems() });
    state.apply(Event::SongRemoved(SongId(2)));
    assert!(state.open().is_none() && state.jobs().len() == 0 && state.song(SongId(2)).is_none());
    state.apply(Event::Job(job(1, 2, JobState::Running, 3)));
    assert!(
        state.jobs().len() == 0 && state.job_counts() == (0, 0),
        "a late event about a removed song"
    );
    state.apply(Event::Library { songs: Vec::new(), jobs: Vec::new() });
    assert!(state.songs().len() == 0 && state.library_known());
}

#[test]
fn a_cover_outlives_a_change_of_state() {
    let cover = Arc::new(crate::engine::Thumbnail { width: 1, height: 1, rgba: vec![1; 4] });
    let state = state_after([
        Event::Song(Song { cover: Some(Arc::clone(&cover)), ..song(1) }),
        Event::Song(Song { state: SongState::Separated, ..song(1) }),
    ]);
    assert!(Arc::ptr_eq(state.song(SongId(1)).unwrap().cover.as_ref().unwrap(), &cover));
    assert!(state.is_separated(SongId(1)));
}

#[test]
fn imports_progress_fail_and_end() {
    let path = |name: &str| PathBuf::from(format!("/music/{name}"));
    let importing = |name: &str, fraction| Event::Importing { path: path(name), fraction };
    let mut state = state_after([importing("a", 0.1), importing("b", 0.2), importing("a", 0.5)]);
    assert_eq!(state.importing().len(), 2);
    assert_eq!(state.importing()[0].fraction, 0.5);
    state.apply(Event::ImportFailed { path: path("a"), problem: recorded("is empty") });
    assert_eq!(state.importing().len(), 1);
    assert_eq!(state.notices()[0].text(), "a: is empty");
    state.apply(Event::Song(Song { path: path("b"), ..song(9) }));
    assert!(state.importing().is_empty());
    state.apply(importing("c", 0.0));
    state.apply(Event::ImportEnded);
    assert!(state.importing().is_empty());
    let id = state.notices()[0].id;
    state.dismiss(id);
    assert!(state.notices().is_empty());
}

#[test]
fn peaks_land_where_they_belong_and_nowhere_else() {
    let peak = Peak { min: -1.0, max: 1.0, rms: 0.5 };
    let send = |song, lane, first, count| Event::Peaks {
        song: SongId(song),
        lane,
        first,
        peaks: vec![peak; count].into(),
    };
    // Four bins cover 2000 frames.
    let mut state = state_after([
        Event::Opened { song: SongId(1), frames: 2000, stems: stems() },
        send(1, Lane::Original, 1, 2),
        send(1, Lane::Stem(3), 3, 50),
        send(1, Lane::Stem(99), 0, 1),
        send(1, Lane::Original, usize::MAX, 1),
        send(2, Lane::Original, 0, 1),
    ]);
    let open = state.open().unwrap();
    assert_eq!(open.original.peaks(), [Peak::default(), peak, peak]);
    assert_eq!(open.waves[3].peaks().len(), 4);
    assert_eq!(open.waves[0], Waveform::default());
    let before = open.original.version();
    state.apply(send(1, Lane::Original, 0, 1));
    assert_eq!(state.open().unwrap().original.version(), before + 1);
    state.apply(Event::Segments {
        song: SongId(1),
        covered: vec![(0, 500), (1000, 1500)],
        refined: vec![(0, 500)],
    });
    assert_eq!(state.open().unwrap().covered_fraction(), 0.5);
    state.apply(Event::Segments { song: SongId(2), covered: Vec::new(), refined: Vec::new() });
    assert_eq!(state.open().unwrap().covered.len(), 2);
}

#[test]
fn the_segment_that_is_computed_is_known_also_of_a_song_opened_later() {
    let opened = |song| Event::Opened { song: SongId(song), frames: 2000, stems: stems() };
    let frames = Some((0, 900));
    let mut state = state_after([opened(1), Event::Computing { song: SongId(2), frames }]);
    assert_eq!(state.open().unwrap().computing, None);
    state.apply(opened(2));
    assert_eq!(state.open().unwrap().computing, frames);
    state.apply(Event::Computing { song: SongId(2), frames: None });
    assert_eq!(state.open().unwrap().computing, None);
    let peaks = vec![Peak { min: -0.2, max: 0.2, rms: 0.1 }; 10].into();
    let (lane, first_frame, frames_per_peak) = (Lane::Residual, 100, 8);
    state.apply(Event::Detail { song: SongId(2), lane, first_frame, frames_per_peak, peaks });
    assert_eq!(state.open().unwrap().residual.between(104.0, 110.0).max, 0.2);
}

#[test]
fn the_time_left_follows_the_pace_of_the_segments() {
    let mut state = state_after([Event::Song(song(1))]);
    let start = Instant::now();
    let at = |secs| start + Duration::from_secs(secs);
    let running = |done| Event::Job(job(1, 1, JobState::Running, done));
    // A job that resumes at segment 8: earlier segments do not count for the pace.
    state.apply_at(running(8), at(0));
    let progress = state.progress(SongId(1), at(0)).unwrap();
    assert_eq!(progress.fraction, 0.4);
    assert_eq!((progress.seconds_left, progress.times_real_time), (None, None));
    state.apply_at(running(9), at(2));
    state.apply_at(running(10), at(4));
    let progress = state.progress(SongId(1), at(4)).unwrap();
    assert_eq!(progress.seconds_left, Some(20.0));
    assert_eq!(progress.times_real_time, Some(2.5), "5 s of song in 2 s");
    assert_eq!(state.progress(SongId(1), at(5)).unwrap().seconds_left, Some(19.0));
    let late = state.progress(SongId(1), at(60)).unwrap().seconds_left;
    assert_eq!(late, Some(18.0), "a late segment freezes the estimate");
    state.apply_at(Event::Job(job(1, 1, JobState::Failed(recorded("disk full")), 10)), at(61));
    assert_eq!(state.progress(SongId(1), at(61)), None);
    assert_eq!(state.failure(SongId(1)), Some(&recorded("disk full")));
    state.apply_at(Event::Pace(4.0), at(61));
    state.apply_at(running(10), at(62));
    let progress = state.progress(SongId(1), at(63)).unwrap();
    assert_eq!(progress.seconds_left, Some(39.0), "from the pace of earlier segments");
    assert_eq!(progress.times_real_time, Some(1.25));
}

#[test]
fn a_draft_takes_time_too_and_says_nothing_of_what_follows() {
    let mut state = state_after([Event::Song(song(1)), Event::Pace(4.0)]);
    let start = Instant::now();
    let at = |secs| start + Duration::from_secs(secs);
    let mut apply = |drafts_left, done, secs| {
        let running = Job { drafts_left, ..job(1, 1, JobState::Running, done) };
        state.apply_at(Event::Job(running), at(secs));
        state.progress(SongId(1), at(secs)).unwrap().seconds_left
    };
    assert_eq!(apply(15, 0, 0), Some(140.0), "15 and 20 segments");
    assert_eq!(apply(1, 0, 30), Some(84.0));
    assert_eq!(apply(0, 0, 33), Some(80.0));
    assert_eq!(apply(0, 1, 35), Some(38.0), "the first segment took 2 s, not 35");
}

#[test]
fn a_waiting_job_knows_its_place() {
    let state = state_after([
        Event::Song(song(1)),
        Event::Song(song(2)),
        Event::Job(job(1, 1, JobState::Running, 0)),
        Event::Job(job(2, 2, JobState::Waiting, 0)),
    ]);
    assert_eq!(state.progress(SongId(2), Instant::now()).unwrap().waiting_behind, Some(1));
    assert_eq!(state.job_counts(), (1, 1));
}

#[test]
fn stems_are_known_from_the_song_or_else_from_the_model() {
    let mut state = state_after([Event::Song(song(1))]);
    assert!(state.stems(SongId(1)).is_empty());
    state.apply(Event::Model(ModelState::Ready { sources: stems(), least_memory: 560 << 20 }));
    assert_eq!(state.stems(SongId(1)).len(), 4);
    state.apply(Event::Opened { song: SongId(1), frames: 1, stems: vec!["voice".into()] });
    assert_eq!(state.stems(SongId(1)), ["voice"]);
    let shown = display_order(&stems());
    assert_eq!(shown, [3, 0, 1, 2], "vocals, drums, bass, other");
    let odd: Vec<String> = ["x", "piano", "vocals"].map(str::to_owned).into();
    assert_eq!(display_order(&odd), [2, 1, 0]);
}

#[test]
fn exports_run_end_and_are_waved_away() {
    let id = ExportId(1);
    let event = |state| Event::Export { id, state };
    let mut state =
        state_after([event(ExportState::Running(0.1)), event(ExportState::Running(0.2))]);
    assert_eq!(state.exports().len(), 1);
    state.dismiss_export(id);
    assert_eq!(state.exports().len(), 1, "a running export cannot be dismissed");
    state.apply(event(ExportState::Done {
        files: vec!["/a.wav".into()],
        gain_db: -1.0,
        notes: Notes::default(),
    }));
    state.dismiss_export(id);
    assert!(state.exports().is_empty());
    state.apply(event(ExportState::Running(0.5)));
    state.apply(event(ExportState::Cancelled));
    assert!(state.exports().is_empty());
}

#[test]
fn file_names_use_the_librarys_tags_until_the_engine_has_read_the_file() {
    let mut state = state_after([Event::Song(Song { artist: Some("Band".into()), ..song(1) })]);
    let known = state.fields(SongId(1));
    let text = (known.artist.as_str(), known.title.as_str(), known.file.as_str(), known.track);
    assert_eq!(text, ("Band", "Song 1", "1", None));
    let fields = Fields { track: Some(7), ..known.clone() };
    state.apply(Event::Described { song: SongId(1), fields: fields.clone() });
    assert_eq!(state.fields(SongId(1)), fields);
    state.apply(Event::Described { song: SongId(2), fields: Fields::default() });
    assert_eq!(state.fields(SongId(1)), known, "the fields of another song are ignored");
}
