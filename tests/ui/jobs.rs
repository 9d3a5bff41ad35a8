//! The jobs page, and its requests to the engine.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::{
    engine::{Command, Event, JobId, JobState, SongId},
    ui::state::ui_state::Page,
};

use super::stage::{Stage, job, names, recorded, stage, unprocessed};

const NONE: Modifiers = Modifiers::NONE;

/// Events for a job of every kind.
pub fn jobs() -> Vec<Event> {
    let mut events = unprocessed();
    let of = |id, song, state, done| {
        let mut job = job(id, song, state, done);
        job.stems = names(&["drums", "bass", "vocals"]);
        job.seconds = 80.0;
        Event::Job(job)
    };
    events.extend([
        of(1, 3, JobState::Done, 56),
        of(2, 6, JobState::Failed(recorded("The disk is full")), 20),
        of(3, 7, JobState::Running, 24),
        of(4, 5, JobState::Waiting, 0),
        of(5, 4, JobState::Waiting, 0),
        Event::Queue(vec![JobId(4), JobId(5)]),
    ]);
    events
}

fn page() -> Stage {
    let mut stage = stage(jobs());
    stage.press(Modifiers::COMMAND, Key::J);
    assert_eq!(stage.harness.state().ui_state().page, Page::Jobs);
    stage
}

/// The titles of the page's jobs from top to bottom.
fn order(stage: &Stage) -> Vec<String> {
    let mut rows: Vec<_> = stage.harness.query_all_by_label_contains(" · htdemucs, ").collect();
    rows.sort_by(|a, b| a.rect().top().total_cmp(&b.rect().top()));
    let title = |label: String| label.split(',').next().unwrap().to_owned();
    rows.iter().filter_map(|row| row.accesskit_node().label()).map(title).collect()
}

#[test]
fn every_job_is_listed_with_all_that_is_known_of_it() {
    let stage = page();
    assert_eq!(
        order(&stage),
        ["Lithium", "On the run", "Vibe Ace", "Let's Go Fishin'", "take 3 (rough mix)"]
    );
    for words in [
        "Lithium, Vocals, drums and bass · htdemucs, Running, 42 %",
        "On the run, Vocals, drums and bass · htdemucs, Waiting, 1 job ahead",
        "Vibe Ace, Vocals, drums and bass · htdemucs, Waiting, 2 jobs ahead",
        "Let's Go Fishin', Vocals, drums and bass · htdemucs, Failed: The disk is full",
        "take 3 (rough mix), Vocals, drums and bass · htdemucs, Done in 1 min 20 s",
    ] {
        assert!(stage.shows(words), "{words}");
    }
    stage.harness.check_accessibility();
}

#[test]
fn actions_on_a_job_reach_the_engine() {
    let mut stage = page();
    for (button, command) in [
        ("Pause: Lithium", Command::Pause(JobId(3))),
        ("Cancel: Lithium", Command::Cancel(JobId(3))),
        ("Pause: On the run", Command::Pause(JobId(4))),
        ("Move down: On the run", Command::MoveJob { job: JobId(4), to: 1 }),
        ("Move up: Vibe Ace", Command::MoveJob { job: JobId(5), to: 0 }),
        ("Retry: Let's Go Fishin'", Command::Retry(JobId(2))),
        ("Clear: Let's Go Fishin'", Command::ClearJobs(vec![JobId(2)])),
        ("Files: take 3 (rough mix)", Command::MakeTracks(JobId(1))),
        ("Clear finished", Command::ClearJobs(vec![JobId(2), JobId(1)])),
    ] {
        stage.click(button);
        assert_eq!(stage.asked(), [command], "{button}");
    }
    stage.emit([Event::Job(job(3, 7, JobState::Paused, 24))]);
    assert!(stage.shows("Paused at 42 %"));
    stage.click("Continue: Lithium");
    assert_eq!(stage.asked(), [Command::Continue(JobId(3))]);
    let files = vec!["/out/drums.wav".into(), "/out/mix.wav".into()];
    stage.emit([Event::Tracks { job: JobId(4), files: Vec::new() }]);
    let done = job(5, 4, JobState::Done, 56);
    stage.emit([Event::Job(done), Event::Tracks { job: JobId(5), files }]);
    assert!(stage.shows("drums.wav and mix.wav"), "the result files are not listed");
    stage.emit([Event::JobsCleared(vec![JobId(1), JobId(2)])]);
    assert_eq!(order(&stage).len(), 3);
}

#[test]
fn waiting_jobs_change_places_by_drag_and_by_keys() {
    let mut stage = page();
    let place = |stage: &Stage, title: &str| {
        stage.harness.get_by_label_contains(&format!("{title}, Vocals")).rect().center()
    };
    let (from, to) = (place(&stage, "On the run"), place(&stage, "Vibe Ace"));
    let button = egui::PointerButton::Primary;
    let modifiers = NONE;
    stage.harness.event(egui::Event::PointerMoved(from));
    stage.harness.event(egui::Event::PointerButton { pos: from, button, pressed: true, modifiers });
    stage.harness.run_steps(2);
    stage.harness.event(egui::Event::PointerMoved(to + egui::vec2(0.0, 30.0)));
    stage.harness.run_steps(2);
    let pos = to + egui::vec2(0.0, 30.0);
    stage.harness.event(egui::Event::PointerButton { pos, button, pressed: false, modifiers });
    stage.harness.run_steps(3);
    assert_eq!(stage.asked(), [Command::MoveJob { job: JobId(4), to: 1 }]);
    stage.emit([Event::Queue(vec![JobId(5), JobId(4)])]);
    assert_eq!(order(&stage)[1..3], ["Vibe Ace", "On the run"]);
    stage.harness.get_by_label_contains("On the run, Vocals").focus();
    stage.harness.run_steps(2);
    stage.press(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(stage.asked(), [Command::MoveJob { job: JobId(4), to: 0 }]);
}

#[test]
fn a_job_opens_its_song() {
    let mut stage = page();
    stage.harness.get_by_label_contains("On the run, Vocals").click();
    stage.harness.run_steps(3);
    assert_eq!(stage.asked(), [Command::Open(SongId(5))]);
    assert_eq!(stage.harness.state().ui_state().page, Page::Song);
    stage.click("Jobs: 1 running, 2 waiting");
    assert_eq!(stage.harness.state().ui_state().page, Page::Jobs);
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.harness.state().ui_state().page, Page::Song);
}

#[test]
fn everything_is_reset_only_after_it_was_said_what_that_deletes() {
    let mut stage = page();
    stage.click("Reset everything…");
    let home = "/home/me/.local/share/partita".into();
    stage.emit([Event::HomeMeasured { home, all: 5_000_000_000, stems: 3_210_000_000 }]);
    let words = "This removes 5 songs and 5 jobs from the library and deletes all stems (3.2 GB)";
    assert!(stage.shows(words));
    stage.harness.check_accessibility();
    stage.click("Cancel");
    assert_eq!(stage.asked(), []);
    stage.click("Reset everything…");
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.asked(), []);
    stage.click("Reset everything…");
    stage.click("Delete everything");
    assert_eq!(stage.asked(), [Command::Reset]);
    stage.emit([Event::Library { songs: Vec::new(), jobs: Vec::new() }]);
    assert!(stage.shows("No jobs yet"));
}
