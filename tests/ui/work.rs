//! The user's basic operations in the window, and the resulting requests to the engine and the
//! player.

use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use partita::{
    engine::{
        Command, Event, JobId, JobState, Lane, ModelState, SongId, SongState, player::Monitor,
    },
    model::weights::Step,
    ui::action::UiCommand,
};

use super::stage::{
    FRAMES, Stage, TERMS, covered, job, library, names, opened, processing, ready, recorded,
    separated, song, stage, stems, unprocessed,
};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;

#[test]
fn the_newest_song_is_opened_and_another_by_a_click() {
    let mut stage = Stage::new(Theme::Dark, [library(SongState::Ready), ready()]);
    assert_eq!(stage.asked(), [Command::Open(SongId(7))]);
    stage.harness.get_by_label_contains("On the run,").click();
    stage.harness.run_steps(3);
    assert_eq!(stage.asked(), [Command::Open(SongId(5))]);
    stage.press(CTRL, Key::ArrowUp);
    assert_eq!(stage.asked(), [Command::Open(SongId(6))]);
    stage.click("Next song");
    assert_eq!(stage.asked(), [Command::Open(SongId(5))]);
}

#[test]
fn search_narrows_the_library() {
    let mut stage = stage(unprocessed());
    stage.press(CTRL, Key::F);
    let field = stage.harness.get_by_label("Search the library");
    assert!(field.is_focused());
    field.type_text("karissa fish");
    stage.harness.run_steps(3);
    assert!(stage.shows("Let's Go Fishin',") && !stage.shows("On the run,"));
    // A typed space is not a command.
    assert!(!stage.deck.playing.get());
    stage.press(NONE, Key::Escape);
    assert!(stage.shows("On the run,"));
}

#[test]
fn process_asks_for_the_ticked_stems_from_the_play_head() {
    let mut stage = stage(unprocessed());
    stage.click("Other");
    stage.deck.position.set(44_100 * 60);
    stage.click("Process");
    let (song, from_frame) = (SongId(7), 44_100 * 60);
    let expected =
        Command::Process { song, stems: names(&["drums", "bass", "vocals"]), from_frame };
    assert_eq!(stage.asked(), std::slice::from_ref(&expected));
    stage.press(CTRL, Key::P);
    assert_eq!(stage.asked(), std::slice::from_ref(&expected));
    stage.press(NONE, Key::Enter);
    assert_eq!(stage.asked(), [expected]);
    stage.click("Karaoke");
    stage.click("Drums");
    stage.click("Bass");
    stage.click("Other");
    assert!(stage.shows("Select an instrument first"));
    stage.press(CTRL, Key::P);
    assert_eq!(stage.asked(), []);
}

#[test]
fn progress_is_shown_and_can_be_cancelled() {
    let mut stage = stage(processing());
    assert!(stage.shows("Separating vocals, drums, bass and other…"));
    assert!(stage.shows("Lithium, Software-Entwicklungskit · 5:27, Processing, 42 %"));
    assert!(stage.shows("On the run, Joshua Morin · 5:27, Waiting"));
    assert!(stage.shows("1 running, 1 waiting"));
    stage.press(CTRL, Key::P);
    assert_eq!(stage.asked(), [], "a second job for the same song");
    stage.click("Cancel");
    assert_eq!(stage.asked(), [Command::Cancel(JobId(1))]);
    stage.emit([Event::Job(job(1, 7, JobState::Cancelled, 24))]);
    assert!(stage.shows("Continue") && stage.shows("42 % already done"));
    stage.emit([Event::Job(job(1, 7, JobState::Failed(recorded("The disk is full")), 24))]);
    assert!(stage.shows("The disk is full"));
}

#[test]
fn a_lane_appears_for_each_tick_and_nothing_is_computed_again() {
    let mut stage = stage(separated());
    assert!(stage.shows("Gain Bass"));
    stage.click("Bass");
    assert!(!stage.shows("Gain Bass"));
    assert_eq!(*stage.deck.gains.borrow(), [1.0, 0.0, 1.0, 1.0]);
    stage.click("All");
    assert!(stage.shows("Gain Bass"));
    stage.click("Karaoke");
    assert_eq!(*stage.deck.gains.borrow(), [1.0, 1.0, 1.0, 0.0]);
    stage.click("Drumless");
    assert_eq!(*stage.deck.gains.borrow(), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(stage.asked(), []);
}

#[test]
fn solo_mute_and_gain_reach_the_player() {
    let mut stage = stage(separated());
    stage.click("Solo Vocals");
    assert_eq!(*stage.deck.gains.borrow(), [0.0, 0.0, 0.0, 1.0]);
    stage.press(NONE, Key::Num1);
    stage.press(NONE, Key::Num2);
    assert_eq!(
        *stage.deck.gains.borrow(),
        [1.0, 0.0, 0.0, 0.0],
        "2 is drums, the second displayed lane"
    );
    stage.press(NONE, Key::Num2);
    stage.press(Modifiers::SHIFT, Key::Num3);
    assert_eq!(*stage.deck.gains.borrow(), [1.0, 0.0, 1.0, 1.0], "3 is bass");
    stage.click("Mute Bass");
    stage.harness.get_by_label("Gain Drums").focus();
    stage.harness.run_steps(2);
    for _ in 0..4 {
        stage.press(NONE, Key::ArrowRight);
    }
    let gain = stage.deck.gains.borrow()[0];
    assert!((gain - 10f32.powf(2.0 / 20.0)).abs() < 1e-4, "{gain}");
    stage.press(NONE, Key::Home);
    assert_eq!(stage.deck.gains.borrow()[0], 0.0);
    stage.press(NONE, Key::Backspace);
    assert_eq!(*stage.deck.gains.borrow(), [1.0; 4]);
    assert_eq!(stage.deck.position.get(), 0, "the fader must consume the arrows");
}

#[test]
fn a_double_click_resets_a_fader() {
    let mut stage = stage(separated());
    let rect = stage.harness.get_by_label("Gain Bass").rect();
    let left = egui::pos2(rect.left() + 12.0, rect.center().y);
    stage.harness.drag_at(left);
    stage.harness.drop_at(left);
    stage.harness.run_steps(60);
    assert!(stage.deck.gains.borrow()[1] < 0.1);
    // The first click of the double-click moves the knob, the second resets it.
    for _ in 0..2 {
        stage.harness.get_by_label("Gain Bass").click();
        stage.harness.step();
    }
    stage.harness.run_steps(3);
    assert_eq!(stage.deck.gains.borrow()[1], 1.0);
}

#[test]
fn transport_by_button_and_key() {
    let mut stage = stage(separated());
    stage.click("Play");
    assert!(stage.deck.playing.get());
    stage.press(NONE, Key::Space);
    assert!(!stage.deck.playing.get());
    stage.press(NONE, Key::ArrowRight);
    assert_eq!(stage.deck.position.get(), 5 * 44_100);
    stage.press(NONE, Key::ArrowLeft);
    stage.press(NONE, Key::ArrowLeft);
    assert_eq!(stage.deck.position.get(), 0);
    stage.deck.position.set(FRAMES - 10);
    stage.press(NONE, Key::ArrowRight);
    assert_eq!(stage.deck.position.get(), FRAMES);
    stage.press(NONE, Key::Home);
    assert_eq!(stage.deck.position.get(), 0);
    let place = stage.harness.get_by_label("Waveform of Drums").rect();
    stage.harness.drag_at(place.center());
    stage.harness.drop_at(place.center());
    stage.harness.run_steps(2);
    let middle = stage.deck.position.get() as f64 / FRAMES as f64;
    assert!((middle - 0.5).abs() < 0.01, "{middle}");
    stage.harness.get_by_label("Volume").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::ArrowDown);
    assert!((stage.deck.volume.get() - 0.95f32.powi(2)).abs() < 1e-4);
}

#[test]
fn a_click_within_one_frame_seeks_and_sets() {
    let mut stage = stage(separated());
    let quick_click = |stage: &mut Stage, pos: egui::Pos2| {
        stage.harness.hover_at(pos);
        stage.harness.run_steps(60);
        for pressed in [true, false] {
            let (button, modifiers) = (egui::PointerButton::Primary, NONE);
            let event = egui::Event::PointerButton { pos, button, pressed, modifiers };
            stage.harness.input_mut().events.push(event);
        }
        stage.harness.step();
    };
    let middle = stage.harness.get_by_label("Waveform of Drums").rect().center();
    quick_click(&mut stage, middle);
    let part = stage.deck.position.get() as f64 / FRAMES as f64;
    assert!((part - 0.5).abs() < 0.01, "{part}");
    let gain = stage.harness.get_by_label("Gain Drums").rect();
    quick_click(&mut stage, egui::pos2(gain.left() + 40.0, gain.center().y));
    assert!(stage.deck.gains.borrow()[0] < 0.9);
}

#[test]
fn the_original_by_switch_tap_and_hold() {
    let mut stage = stage(separated());
    stage.click("Original");
    assert_eq!(stage.deck.monitor.get(), Monitor::Original);
    stage.click("Mix");
    assert_eq!(stage.deck.monitor.get(), Monitor::Mix);
    stage.harness.key_press(Key::O);
    stage.harness.run_steps(2);
    assert_eq!(stage.deck.monitor.get(), Monitor::Original, "a tap must toggle");
    stage.harness.key_down(Key::O);
    stage.harness.run_steps(2);
    assert_eq!(stage.deck.monitor.get(), Monitor::Mix);
    std::thread::sleep(std::time::Duration::from_millis(400));
    stage.harness.key_up(Key::O);
    stage.harness.run_steps(2);
    assert_eq!(stage.deck.monitor.get(), Monitor::Original, "holding must only compare");
}

#[test]
fn without_a_sound_device_the_transport_says_so() {
    let mut stage = stage(separated());
    stage.deck.has_no_device.set(true);
    stage.harness.run_steps(2);
    assert!(stage.shows("No sound device: this computer has no sound device"));
}

#[test]
fn the_model_is_offered_with_its_terms() {
    let events = vec![library(SongState::Ready), Event::Model(ModelState::Missing)];
    let mut stage = stage(events);
    assert!(stage.shows(TERMS) && !stage.shows("Process"));
    stage.click("Install");
    assert_eq!(stage.asked(), [Command::InstallModel("htdemucs".into())]);
    let installing = ModelState::Installing {
        step: Step::Downloading("example.org".into()),
        fraction: Some(0.3),
    };
    stage.emit([Event::Model(installing)]);
    assert!(stage.shows("Downloading from example.org… 30 %"));
    stage.click("Stop");
    assert_eq!(stage.asked(), [Command::CancelInstall]);
    stage.emit([Event::Model(ModelState::Failed(recorded("The disk is full")))]);
    assert!(stage.shows("The disk is full") && stage.shows("Choose a file…"));
    let (song, frames, no_stems) = (SongId(7), FRAMES, Vec::new());
    stage.emit([Event::Opened { song, frames, stems: no_stems }, ready(), opened(7)]);
    assert_eq!(stage.asked(), [], "the engine itself reopens the song with stems");
    assert!(stage.shows("Process") && !stage.shows("Install"));
}

#[test]
fn the_theme_changes_by_button_and_key() {
    let mut stage = stage(separated());
    stage.click("Dark or light");
    assert_eq!(stage.harness.ctx.theme(), Theme::Light);
    stage.press(CTRL, Key::T);
    assert_eq!(stage.harness.ctx.theme(), Theme::Dark);
}

#[test]
fn every_control_has_a_name_and_is_reached_by_tab() {
    let empty = || vec![Event::Library { songs: Vec::new(), jobs: Vec::new() }];
    let missing = || vec![library(SongState::Ready), Event::Model(ModelState::Missing)];
    let pages = [None, None, None, None, None, Some(Key::J), Some(Key::Comma)];
    let events =
        [empty(), missing(), unprocessed(), processing(), separated(), processing(), separated()];
    for (events, page) in events.into_iter().zip(pages) {
        let mut stage = stage(events);
        if let Some(key) = page {
            stage.press(CTRL, key);
        }
        stage.harness.check_accessibility();
        let focusable: Vec<String> = stage
            .harness
            .root()
            .children_recursive()
            .filter(|node| egui::accessibility::is_input(node.accesskit_node().role()))
            .filter(|node| !node.accesskit_node().is_disabled())
            .map(|node| node.accesskit_node().label().unwrap_or_default())
            .collect();
        let mut reached = std::collections::BTreeSet::new();
        for _ in 0..focusable.len() + 4 {
            stage.harness.key_press(Key::Tab);
            stage.harness.run_steps(1);
            let focused =
                stage.harness.root().children_recursive().find(egui_kittest::Node::is_focused);
            reached.extend(focused.and_then(|node| node.accesskit_node().label()));
        }
        for name in focusable {
            assert!(reached.contains(&name), "“{name}” is not reachable by Tab: {reached:?}");
        }
    }
}

#[test]
fn dialogs_are_named_and_closed_by_escape() {
    let mut stage = stage(separated());
    stage.press(CTRL, Key::E);
    stage.harness.check_accessibility();
    stage.press(NONE, Key::Escape);
    assert!(stage.harness.state().ui_state().export.is_none());
}

#[test]
fn nothing_is_drawn_again_when_nothing_changes() {
    let mut stage = stage(separated());
    stage.harness.run_steps(4);
    let built = stage.harness.state().num_waveforms_built();
    stage.harness.run_steps(10);
    assert_eq!(stage.harness.state().num_waveforms_built(), built);
    assert!(stage.harness.run() <= 2, "an idle window requests frames");
    stage.emit([super::stage::peaks(7, Lane::Stem(0))]);
    assert_eq!(stage.harness.state().num_waveforms_built(), built + 1);
}

#[test]
fn any_title_and_many_songs_can_be_shown() {
    let titles = ["夜に駆ける", "🎸🔥", "", "שלום", "a\u{0}b\nc", &"long ".repeat(400)];
    let songs = (0..5000)
        .map(|i| {
            let title = titles[i as usize % titles.len()];
            song(5000 - i, title, Some(title), SongState::Ready)
        })
        .collect();
    let mut stage = stage(vec![Event::Library { songs, jobs: Vec::new() }, ready()]);
    stage.emit([opened(5000), covered(5000, &[(0, 1), (5, 3), (u64::MAX, u64::MAX)])]);
    let rows = stage.harness.query_all_by_label_contains("· 5:27").count();
    assert!(rows < 40, "{rows} rows are laid out, but only a few are visible");
    for _ in 0..30 {
        stage.press(CTRL, Key::ArrowDown);
    }
    let chosen = stage.harness.state().ui_state().selected.unwrap();
    assert_eq!(chosen, SongId(4970));
    let is_chosen = |node: &egui_kittest::Node<'_>| {
        node.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
    };
    let row = stage.harness.query_all_by_label_contains("· 5:27").find(is_chosen);
    assert!(row.is_some(), "the selected song is not scrolled into view");
    let stems: Vec<String> = stems();
    let short = Event::Opened { song: SongId(5000), frames: 0, stems };
    stage.emit([short]);
    stage.press(NONE, Key::ArrowRight);
}

#[test]
fn every_verb_with_a_button_is_named_after_it() {
    let stage = stage(unprocessed());
    for verb in [UiCommand::Process, UiCommand::Export, UiCommand::ToggleTheme, UiCommand::NextSong]
    {
        assert!(stage.shows(verb.spec().text), "{verb:?}");
    }
}
