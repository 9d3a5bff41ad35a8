//! Lanes dragged out of the window by their names: the commands to the engine, and their timing.

use std::time::{Duration, Instant};

use egui::{Event as Input, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use partita::engine::{Command, Event, SongId};

use super::stage::{Stage, names, processing, recorded, separated, stage};

const NONE: Modifiers = Modifiers::NONE;
const SONG: SongId = SongId(7);

fn press(stage: &mut Stage, pos: Pos2, pressed: bool, modifiers: Modifiers) {
    let button = PointerButton::Primary;
    stage.harness.input_mut().events.push(Input::ModifiersChanged(modifiers));
    let event = Input::PointerButton { pos, button, pressed, modifiers };
    stage.harness.input_mut().events.push(event);
    stage.harness.step();
}

/// Drags from `from` to beyond the window's edge, without releasing.
fn drag(stage: &mut Stage, from: Pos2, modifiers: Modifiers) {
    stage.harness.hover_at(from);
    stage.harness.run_steps(2);
    press(stage, from, true, modifiers);
    for step in 1..=4 {
        let place = from + vec2(-100.0, 5.0) * step as f32;
        stage.harness.input_mut().events.push(Input::PointerMoved(place));
        stage.harness.step();
    }
    stage.harness.run_steps(2);
}

fn name_of(stage: &Stage, stem: &str) -> Pos2 {
    let handle = format!("{stem}: Drag to a folder or a DAW");
    stage.harness.get_by_label(&handle).rect().center()
}

fn let_go(stage: &mut Stage) {
    press(stage, Pos2::new(-200.0, 300.0), false, NONE);
    stage.harness.run_steps(2);
}

fn asked_for(stems: &[&str]) -> Command {
    Command::PrepareDrag { song: SONG, stems: names(stems) }
}

/// An event with missing files, so that a drag starts and fails on any machine.
fn ready(stems: &[&str]) -> Event {
    Event::DragReady { song: SONG, stems: names(stems), files: vec!["/not/there.wav".into()] }
}

#[test]
fn a_lane_is_dragged_by_its_name_and_its_file_is_asked_for_once() {
    let mut stage = stage(separated());
    let from = name_of(&stage, "Vocals");
    drag(&mut stage, from, NONE);
    assert_eq!(stage.asked(), [asked_for(&["vocals"])]);
    assert!(stage.shows("Preparing vocals…") && !stage.shows("Preparing drums…"));
    stage.harness.check_accessibility();
    let_go(&mut stage);
    assert!(!stage.shows("Preparing") && stage.harness.state().ui_state().drag_out.is_none());
    assert_eq!(stage.asked(), []);
    assert_eq!(stage.deck.position.get(), 0, "a drag must not seek");
}

#[test]
fn with_ctrl_all_ticked_lanes_are_dragged() {
    let mut stage = stage(separated());
    stage.click("Other");
    let from = name_of(&stage, "Bass");
    drag(&mut stage, from, Modifiers::COMMAND | Modifiers::CTRL);
    assert_eq!(stage.asked(), [asked_for(&["drums", "bass", "vocals"])]);
    assert!(stage.shows("Preparing drums…") && stage.shows("Preparing vocals…"));
}

#[test]
fn a_waveform_a_fader_or_a_button_is_not_dragged_out() {
    let mut stage = stage(separated());
    for control in ["Waveform of Drums", "Gain Drums", "Mute Drums", "Solo Drums"] {
        let from = stage.harness.get_by_label(control).rect().center();
        drag(&mut stage, from, NONE);
        assert_eq!(stage.asked(), [], "{control}");
        assert!(stage.harness.state().ui_state().drag_out.is_none(), "{control}");
        let_go(&mut stage);
    }
}

#[test]
fn a_click_on_a_name_asks_for_nothing() {
    let mut stage = stage(separated());
    let at = name_of(&stage, "Drums");
    press(&mut stage, at, true, NONE);
    press(&mut stage, at, false, NONE);
    assert_eq!(stage.asked(), []);
}

#[test]
fn impossible_actions_are_not_offered() {
    let stage = stage(processing());
    assert!(stage.shows("Gain Drums") && !stage.shows("Drag to a folder"));
    let mut stage = super::stage::stage(separated());
    stage.harness.state_mut().offer_drag_out(false);
    stage.harness.run_steps(2);
    assert!(stage.shows("Gain Drums") && !stage.shows("Drag to a folder"));
}

#[test]
fn files_follow_the_pointer_only_while_the_same_lane_is_held() {
    let mut stage = stage(separated());
    let from = name_of(&stage, "Vocals");
    drag(&mut stage, from, NONE);
    stage.emit([ready(&["drums"])]);
    assert!(stage.shows("Preparing vocals…"), "files of another drag must be ignored");
    let_go(&mut stage);
    stage.emit([ready(&["vocals"])]);
    std::thread::sleep(Duration::from_millis(100));
    stage.harness.run_steps(2);
    assert!(stage.harness.state().state().notices().is_empty(), "the button was released before");
    drag(&mut stage, from, NONE);
    stage.emit([ready(&["vocals"])]);
    let until = Instant::now() + Duration::from_secs(20);
    while stage.harness.state().state().notices().is_empty() {
        assert!(Instant::now() < until, "the drag did not start");
        std::thread::sleep(Duration::from_millis(10));
        stage.harness.step();
    }
    let notice = &stage.harness.state().state().notices()[0];
    assert!(notice.song == Some(SONG) && notice.text().contains("dragged"), "{notice:?}");
    assert!(!stage.shows("Preparing"));
}

#[test]
fn a_failure_ends_the_drag_with_a_notice() {
    let mut stage = stage(separated());
    let from = name_of(&stage, "Vocals");
    drag(&mut stage, from, NONE);
    let failed =
        |request, text: &str| Event::Failed { request, song: Some(SONG), problem: recorded(text) };
    stage.emit([failed(None, "The waveform cannot be drawn")]);
    assert!(stage.shows("Preparing"), "an unrelated failure must not end the drag");
    let request = stage.harness.state().ui_state().drag_out.as_ref().unwrap().request;
    stage.emit([failed(Some(request), "The disk is full")]);
    assert!(stage.shows("The disk is full") && !stage.shows("Preparing"));
    stage.emit([ready(&["vocals"])]);
    assert_eq!(stage.harness.state().state().notices().len(), 2);
}
