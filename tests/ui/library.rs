//! The library: order, multiple selection, titles, badges, collapsing.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::engine::{Command, Event, JobId, JobState, SongId, SongState};

use super::stage::{
    Stage, job, library, opened, ready, recorded, separated, song, stage, unprocessed,
};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;

/// The titles of the rows.
fn titles(stage: &Stage) -> Vec<String> {
    let first = |row: String| row.split(',').next().unwrap().to_owned();
    stage.rows().into_iter().map(first).collect()
}

fn click(stage: &mut Stage, row: &str, modifiers: Modifiers) {
    stage.harness.get_by_label_contains(row).click_modifiers(modifiers);
    stage.harness.run_steps(3);
}

/// The ids of the marked songs.
fn chosen(stage: &Stage) -> Vec<i64> {
    stage.harness.state().ui_state().marked.iter().map(|song| song.0).collect()
}

fn process(song: i64) -> Command {
    let stems = super::stage::stems();
    Command::Process { song: SongId(song), stems, from_frame: 0 }
}

#[test]
fn songs_are_sorted_by_what_is_chosen() {
    let mut stage = stage(unprocessed());
    let mut longer = song(5, "On the run", Some("Joshua Morin"), SongState::Ready);
    longer.frames *= 2;
    stage.emit([Event::Song(longer), Event::Job(job(2, 4, JobState::Waiting, 0))]);
    let by_age = ["Lithium", "Let's Go Fishin'", "On the run", "Vibe Ace", "take 3 (rough mix)"];
    assert_eq!(titles(&stage), by_age);
    let sort = |stage: &mut Stage, from: &str, to: &str| {
        stage.click(&format!("Sort: {from}"));
        stage.click(to);
        titles(stage)
    };
    assert_eq!(
        sort(&mut stage, "Recently added", "By title"),
        ["Let's Go Fishin'", "Lithium", "On the run", "take 3 (rough mix)", "Vibe Ace"]
    );
    assert_eq!(
        sort(&mut stage, "By title", "By artist"),
        ["On the run", "Let's Go Fishin'", "Vibe Ace", "Lithium", "take 3 (rough mix)"]
    );
    assert_eq!(sort(&mut stage, "By artist", "By length")[0], "On the run");
    assert_eq!(sort(&mut stage, "By length", "By state")[..2], ["Vibe Ace", "Let's Go Fishin'"]);
    let reversed = sort(&mut stage, "By state", "Reverse order");
    assert_eq!(reversed.last().unwrap(), "Vibe Ace");
    // The next song follows the displayed order.
    stage.asked();
    stage.harness.state_mut();
    stage.press(CTRL, Key::ArrowUp);
    let place = reversed.iter().position(|title| title == "Lithium").unwrap();
    let before = stage.asked();
    assert_eq!(before.len(), usize::from(place > 0), "{before:?}");
}

#[test]
fn several_songs_are_chosen_and_worked_on_together() {
    let mut stage = stage(unprocessed());
    click(&mut stage, "On the run,", CTRL);
    assert_eq!(chosen(&stage), [5, 7], "expected the selected song as well");
    assert!(stage.shows("2 songs selected"));
    click(&mut stage, "On the run,", CTRL);
    click(&mut stage, "Let's Go Fishin',", CTRL);
    click(&mut stage, "take 3 (rough mix),", Modifiers::SHIFT);
    assert_eq!(chosen(&stage), [3, 4, 5, 6], "expected all songs between");
    assert_eq!(stage.asked(), [], "the selected song must not change");
    stage.click("Close");
    assert_eq!(chosen(&stage), [0; 0]);

    stage.press(CTRL, Key::A);
    assert_eq!(chosen(&stage).len(), 5);
    let of_all = |stage: &mut Stage, name: &str| {
        let wanted =
            |node: &egui_kittest::Node<'_>| node.accesskit_node().label().as_deref() == Some(name);
        let in_bar = stage.harness.root().children_recursive().filter(wanted);
        let leftmost = |a: &egui_kittest::Node<'_>, b: &egui_kittest::Node<'_>| {
            a.rect().left().total_cmp(&b.rect().left())
        };
        let found = in_bar.min_by(leftmost).unwrap();
        found.click();
        stage.harness.run_steps(3);
    };
    of_all(&mut stage, "Process");
    assert_eq!(
        stage.asked(),
        [process(3), process(5), process(7)],
        "expected the songs without stems"
    );
    of_all(&mut stage, "Remove");
    assert!(titles(&stage).is_empty() && stage.shows("Removed 5 songs"));
    let all = [3, 4, 5, 6, 7];
    assert_eq!(stage.asked(), all.map(|song| Command::Remove(SongId(song))));
    stage.press(CTRL, Key::Z);
    let (open, back) = (Command::Open(SongId(7)), all.map(|song| Command::Restore(SongId(song))));
    assert_eq!(stage.asked(), [&back[..], &[open]].concat());
    assert_eq!(titles(&stage).len(), 5, "undone");

    // Keyboard selection works alike.
    stage.harness.get_by_label_contains("Let's Go Fishin',").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::ArrowDown);
    assert_eq!(stage.harness.state().ui_state().selected, Some(SongId(5)));
    stage.press(Modifiers::SHIFT, Key::ArrowDown);
    stage.press(Modifiers::SHIFT, Key::ArrowDown);
    assert_eq!(chosen(&stage), [3, 4, 5]);
    stage.press(NONE, Key::Delete);
    assert_eq!(titles(&stage), ["Lithium", "Let's Go Fishin'"]);
    let asked = stage.asked().into_iter().filter(|command| matches!(command, Command::Remove(_)));
    assert_eq!(asked.collect::<Vec<_>>(), [3, 4, 5].map(|song| Command::Remove(SongId(song))));
}

#[test]
fn several_songs_are_exported_in_the_same_way() {
    let mut stage = stage(separated());
    let folder = partita::ui::platform::dialogs::Outcome::Picked(vec!["/home/me/Music".into()]);
    let purpose = partita::ui::state::ui_state::Purpose::ExportFolder;
    let answer = partita::ui::platform::dialogs::Answer { purpose, outcome: folder };
    let ctx = stage.harness.ctx.clone();
    stage.harness.state_mut().answered(&ctx, answer);
    stage.press(CTRL, Key::A);
    stage.harness.get_by_label_contains("Vibe Ace,").click_secondary();
    stage.harness.run_steps(3);
    let menu = stage
        .harness
        .query_all_by_label("Export…")
        .max_by(|a, b| a.rect().top().total_cmp(&b.rect().top()));
    menu.unwrap();
    stage.press(NONE, Key::Escape);
    let bar = stage
        .harness
        .query_all_by_label("Export…")
        .min_by(|a, b| a.rect().left().total_cmp(&b.rect().left()));
    bar.unwrap().click();
    stage.harness.run_steps(3);
    assert!(stage.shows("Export “Lithium”"));
    stage.asked();
    stage.click("Export");
    let exports: Vec<SongId> = stage
        .asked()
        .into_iter()
        .filter_map(|command| match command {
            Command::Export { song, .. } => Some(song),
            _ => None,
        })
        .collect();
    assert_eq!(exports, [SongId(7), SongId(4), SongId(6)], "expected the separated songs");
}

#[test]
fn a_song_is_given_another_title() {
    let mut stage = stage(unprocessed());
    stage.press(NONE, Key::F2);
    let field = stage.harness.get_by_label("Song title");
    assert!(field.is_focused());
    field.type_text("!");
    stage.harness.run_steps(2);
    // Typed keys are not commands, and Ctrl+A belongs to the field.
    stage.press(CTRL, Key::A);
    assert_eq!(chosen(&stage), [0; 0]);
    stage.press(NONE, Key::Enter);
    let asked = stage.asked();
    let Some(Command::Rename { song: SongId(7), title }) = asked.first() else {
        panic!("{asked:?}");
    };
    assert!(title.contains("Lithium") && title.contains('!'), "{title}");
    stage.press(NONE, Key::F2);
    stage.harness.get_by_label("Song title").type_text("?");
    stage.harness.run_steps(2);
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.asked(), [], "the title must not change");
    assert!(!stage.shows("Song title"));
    stage.harness.get_by_label_contains("On the run,").click_secondary();
    stage.harness.run_steps(3);
    assert!(stage.shows("Show in file manager"));
    stage.click("Rename");
    assert!(stage.shows("Song title"));
}

#[test]
fn badges_show_the_state_of_each_song() {
    let mut stage = stage(vec![library(SongState::Ready), ready(), opened(7)]);
    stage.emit([
        Event::Job(job(1, 7, JobState::Waiting, 0)),
        Event::Job(job(2, 6, JobState::Waiting, 0)),
        Event::Job(job(3, 5, JobState::Paused, 10)),
        Event::Job(job(4, 3, JobState::Failed(recorded("The disk is full")), 1)),
        Event::Queue(vec![JobId(2), JobId(1)]),
        Event::Missing(vec![SongId(4)]),
    ]);
    for (title, badge) in [
        ("Let's Go Fishin'", "Next"),
        ("Lithium", "Waiting"),
        ("On the run", "Paused"),
        ("take 3 (rough mix)", "Failed"),
        ("Vibe Ace", "Missing"),
    ] {
        let rows = stage.rows();
        let row = rows.iter().find(|row| row.starts_with(title)).unwrap();
        assert!(row.ends_with(badge), "{row}");
    }
    stage.harness.get_by_label_contains("Vibe Ace,").click();
    stage.harness.run_steps(3);
    assert!(stage.shows("was not found; its stems are kept"));
    stage.emit([Event::Missing(Vec::new())]);
    assert!(!stage.shows("Missing") && !stage.shows("is gone"));
}

#[test]
fn the_library_is_folded_and_comes_back() {
    let mut stage = stage(unprocessed());
    stage.click("Collapse library");
    assert!(stage.rows().is_empty() && stage.shows("Lithium"), "the song must stay visible");
    stage.harness.check_accessibility();
    stage.click("Show library");
    assert_eq!(stage.rows().len(), 5);
    stage.press(CTRL, Key::B);
    assert!(stage.rows().is_empty());
}

#[test]
fn accents_do_not_hide_a_song() {
    let mut songs = vec![song(1, "Águas de Março", Some("Elis & Tom"), SongState::Ready)];
    songs.push(song(0, "Zebra", None, SongState::Ready));
    let mut stage = stage(vec![Event::Library { songs, jobs: Vec::new() }, ready()]);
    stage.press(CTRL, Key::F);
    stage.harness.get_by_label("Search the library").type_text("aguas marco");
    stage.harness.run_steps(3);
    assert_eq!(titles(&stage), ["Águas de Março"]);
}
