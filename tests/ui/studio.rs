//! The studio's features: zoom and scrolling, loops, lanes with balance and typed gains, the
//! residual, speed, key, presets, and the sheet of shortcuts.

use egui::{Key, Modifiers, Theme, pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use partita::{
    engine::{
        Command, Event, JobId, JobState, Lane, SongId, SongState,
        separation::options::{Maker, Preset, Quality, QualityCost, SeparationOptions, StemInfo},
    },
    ui::{action::UiCommand, state::ui_state::Repeat},
};

use super::stage::{
    FRAMES, Stage, all_peaks, covered, fine_peaks, job, library, opened, processing, ready,
    separated, song, stage, unprocessed,
};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const SHIFT: Modifiers = Modifiers::SHIFT;
const ALT: Modifiers = Modifiers::ALT;

/// Frames for one point of the waveforms.
fn frames_per_point(stage: &Stage) -> f64 {
    let width = stage.harness.get_by_label("Waveform of Drums").rect().width();
    stage.harness.state().ui_state().view(FRAMES, width).frames_per_point
}

fn first_frame(stage: &Stage) -> f64 {
    let width = stage.harness.get_by_label("Waveform of Drums").rect().width();
    stage.harness.state().ui_state().view(FRAMES, width).first_frame
}

#[test]
fn the_wheel_zooms_about_the_pointer_and_scrolls() {
    let mut stage = stage(separated());
    let wave = stage.harness.get_by_label("Waveform of Drums").rect();
    let whole = frames_per_point(&stage);
    let third = pos2(wave.left() + wave.width() / 3.0, wave.center().y);
    for _ in 0..4 {
        stage.wheel(third, vec2(0.0, 3.0), CTRL);
    }
    let near = frames_per_point(&stage);
    assert!(near < whole / 2.0, "{near} {whole}");
    let held = first_frame(&stage) + near * f64::from(wave.width() / 3.0);
    assert!((held - FRAMES as f64 / 3.0).abs() < 0.01 * FRAMES as f64, "{held}");
    let before = first_frame(&stage);
    stage.wheel(third, vec2(0.0, -2.0), SHIFT);
    let on = first_frame(&stage);
    assert!(on > before && frames_per_point(&stage) == near);
    stage.wheel(third, vec2(2.0, 0.0), NONE);
    assert!(first_frame(&stage) < on, "horizontal scrolling, as on a touchpad");
    let bar = stage.harness.get_by_label("Scroll the waveforms").rect();
    stage.drag(bar.center(), bar.right_center());
    assert!(first_frame(&stage) > on);
    for _ in 0..9 {
        stage.wheel(third, vec2(0.0, -5.0), CTRL);
    }
    assert_eq!(stage.harness.state().ui_state().look, None, "expected the whole song");
    assert!(!stage.shows("Scroll the waveforms"));
}

#[test]
fn two_fingers_zoom_about_the_pointer() {
    let mut stage = stage(separated());
    let wave = stage.harness.get_by_label("Waveform of Drums").rect();
    let whole = frames_per_point(&stage);
    stage.harness.hover_at(wave.center());
    stage.harness.step();
    stage.harness.event(egui::Event::Zoom(2.0));
    stage.harness.run_steps(4);
    let near = frames_per_point(&stage);
    assert!((whole / near - 2.0).abs() < 0.01, "{whole} {near}");
    let held = first_frame(&stage) + near * f64::from(wave.width() / 2.0);
    assert!((held - FRAMES as f64 / 2.0).abs() < 0.01 * FRAMES as f64, "{held}");
}

#[test]
fn the_meter_shows_what_is_played_and_falls() {
    let mut stage = stage(separated());
    let level_of = |stage: &Stage, name: &str| {
        let meter = stage.harness.get_by_label(name);
        egui_kittest::kittest::NodeT::accesskit_node(&meter).numeric_value().unwrap()
    };
    let level = |stage: &Stage| level_of(stage, "Level in dB");
    assert!(level(&stage) < -50.0);
    stage.deck.level.set(0.5);
    stage.click("Play");
    stage.harness.run_steps(3);
    assert!((level(&stage) + 6.0).abs() < 0.5, "{}", level(&stage));
    let of_drums = level_of(&stage, "Level of Drums in dB");
    assert!((of_drums + 6.0).abs() < 0.5, "{of_drums}");
    stage.deck.level.set(0.0);
    // The meter decays with time, not with frames.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while level(&stage) > -50.0 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
        stage.harness.step();
    }
    assert!(level(&stage) < -50.0, "{}", level(&stage));
}

#[test]
fn the_next_song_and_the_one_before_by_key() {
    let mut stage = stage(separated());
    let first = stage.harness.state().ui_state().selected;
    stage.press(CTRL, Key::ArrowDown);
    let asked = stage.asked();
    let [Command::Open(next)] = asked[..] else { panic!("{asked:?}") };
    assert_ne!(Some(next), first);
    stage.press(CTRL, Key::ArrowUp);
    let asked = stage.asked();
    let [Command::Open(before)] = asked[..] else { panic!("{asked:?}") };
    assert_eq!(Some(before), first);
}

#[test]
fn keys_zoom_about_the_play_head_and_turn_pages() {
    let mut stage = stage(separated());
    let head = FRAMES * 2 / 3;
    stage.deck.position.set(head);
    let whole = frames_per_point(&stage);
    let part = head as f64 / whole;
    for key in [Key::Plus, Key::Equals, Key::Plus] {
        stage.press(NONE, key);
    }
    stage.press(SHIFT, Key::Plus);
    assert!((whole / frames_per_point(&stage) - 1.5f64.powi(4)).abs() < 0.1);
    let there = (head as f64 - first_frame(&stage)) / frames_per_point(&stage);
    assert!((there - part).abs() < 1.0, "the play head moved on the screen");
    let first = first_frame(&stage);
    stage.press(NONE, Key::PageUp);
    assert!(first_frame(&stage) < first);
    stage.press(NONE, Key::PageDown);
    stage.press(NONE, Key::PageDown);
    assert!(first_frame(&stage) > first);
    stage.press(NONE, Key::Minus);
    stage.press(NONE, Key::Num0);
    assert_eq!(frames_per_point(&stage), whole);
    stage.press(NONE, Key::End);
    assert_eq!(stage.deck.position.get(), FRAMES);
    stage.press(NONE, Key::Home);
    assert_eq!(stage.deck.position.get(), 0);
}

#[test]
fn the_page_turns_with_the_play_head_unless_the_user_scrolled() {
    let mut stage = stage(separated());
    for _ in 0..8 {
        stage.press(NONE, Key::Plus);
    }
    stage.deck.playing.set(true);
    let first = first_frame(&stage);
    let span = frames_per_point(&stage) * 704.0;
    stage.deck.position.set((first + span * 1.02) as u64);
    stage.harness.run_steps(3);
    let turned = first_frame(&stage);
    assert!(turned > first + span * 0.5 && turned < first + span * 1.02);
    stage.press(NONE, Key::PageDown);
    stage.press(NONE, Key::PageDown);
    let elsewhere = first_frame(&stage);
    stage.deck.position.set(stage.deck.position.get() + 1000);
    stage.harness.run_steps(3);
    assert_eq!(first_frame(&stage), elsewhere);
    stage.press(NONE, Key::ArrowRight);
    assert!(first_frame(&stage) < elsewhere, "a seek must scroll back");
}

#[test]
fn a_close_look_asks_for_finer_peaks_once() {
    let mut stage = stage(separated());
    assert!(stage.asked().is_empty());
    for _ in 0..14 {
        stage.press(NONE, Key::Plus);
    }
    let asked = stage.asked();
    let Some(Command::ShowDetail { song: SongId(7), frames, frames_per_peak }) = asked.last()
    else {
        panic!("no finer peaks were requested: {asked:?}");
    };
    let end = first_frame(&stage) + 704.0 * frames_per_point(&stage);
    assert!(frames.start as f64 <= first_frame(&stage) && frames.end as f64 >= end);
    assert!(*frames_per_peak < 512 && frames_per_peak.is_power_of_two());
    let built = stage.harness.state().num_waveforms_built();
    stage.harness.run_steps(5);
    assert!(stage.asked().is_empty(), "the peaks were requested twice");
    stage.emit([fine_peaks(7, Lane::Stem(1), 0, 4_000)]);
    assert_eq!(stage.harness.state().num_waveforms_built(), built + 1);
    // More of the range is separated, so the peaks are requested again.
    stage.emit([covered(7, &[(0, 1_000)])]);
    assert_eq!(stage.asked().len(), 1);
    stage.press(NONE, Key::Num0);
    assert!(stage.asked().is_empty(), "coarse peaks suffice at low zoom");
}

#[test]
fn a_stretch_is_marked_by_dragging_in_the_ruler() {
    let mut stage = stage(separated());
    let ruler = stage.harness.get_by_label("Position").rect();
    let at = |part: f32| pos2(ruler.left() + part * ruler.width(), ruler.top() + 8.0);
    stage.drag(at(0.25), at(0.5));
    let (start, end) = stage.deck.region.get().unwrap();
    let part = |frame: u64| frame as f64 / FRAMES as f64;
    assert!((part(start) - 0.25).abs() < 0.02 && (part(end) - 0.5).abs() < 0.02);
    assert_eq!(stage.deck.position.get(), 0, "setting the loop must not seek");
    stage.harness.drag_at(at(0.75));
    stage.harness.drop_at(at(0.75));
    stage.harness.run_steps(3);
    assert!((part(stage.deck.position.get()) - 0.75).abs() < 0.02, "a click must seek");
    let handle = stage.harness.get_by_label("Loop end").rect().center();
    stage.drag(handle, at(0.9));
    let moved = stage.deck.region.get().unwrap();
    assert!(moved.0 == start && (part(moved.1) - 0.9).abs() < 0.02);
    stage.harness.get_by_label("Loop start").focus();
    stage.harness.run_steps(2);
    stage.press(NONE, Key::ArrowRight);
    assert_eq!(stage.deck.region.get().unwrap().0, start + 4_410);
    stage.press(NONE, Key::L);
    assert_eq!(stage.deck.region.get(), None);
    let repeat = stage.harness.state().ui_state().repeat;
    assert!(matches!(repeat, Some(Repeat { is_on: false, .. })), "the loop was removed");
    stage.click("Loop");
    assert!(stage.deck.region.get().is_some());
    stage.harness.get_by_label("Loop start").focus();
    stage.press(NONE, Key::Escape);
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.harness.state().ui_state().repeat, None);
    assert!(!stage.shows("Loop start"));
}

#[test]
fn a_loop_by_keys_alone() {
    let mut stage = stage(separated());
    stage.deck.position.set(100_000);
    stage.press(NONE, Key::OpenBracket);
    stage.deck.position.set(300_000);
    stage.press(NONE, Key::CloseBracket);
    assert_eq!(stage.deck.region.get(), Some((100_000, 300_000)));
    stage.press(NONE, Key::Escape);
    assert_eq!(stage.deck.region.get(), None);
    stage.press(NONE, Key::L);
    assert_eq!(stage.deck.region.get(), Some((0, FRAMES)), "expected the visible range");
    stage.emit([opened(7)]);
    assert_eq!(stage.deck.region.get(), None, "another song must not keep the loop");
}

#[test]
fn the_residual_is_a_lane_that_starts_muted() {
    let mut stage = stage(separated());
    assert!(stage.shows("everything outside the stems · muted"));
    assert_eq!(stage.deck.sides.borrow().residual, [0.0; 2]);
    stage.click("Mute Residual");
    assert_eq!(stage.deck.sides.borrow().residual, [1.0; 2]);
    stage.press(SHIFT, Key::Num5);
    assert_eq!(
        stage.deck.sides.borrow().residual,
        [0.0; 2],
        "expected the fifth lane to be toggled"
    );
    stage.click("Solo Residual");
    assert_eq!(stage.deck.sides.borrow().residual, [1.0; 2]);
    assert_eq!(*stage.deck.gains.borrow(), [0.0; 4]);
    let untouched = stage_of_unprocessed();
    assert!(!untouched.shows("Residual"), "the residual is not known yet");
}

fn stage_of_unprocessed() -> Stage {
    stage(unprocessed())
}

#[test]
fn balance_by_keys_drag_and_double_click() {
    let mut stage = stage(separated());
    stage.harness.get_by_label("Pan Drums").focus();
    stage.harness.run_steps(2);
    for _ in 0..6 {
        stage.press(NONE, Key::ArrowLeft);
    }
    let sides = |stage: &Stage| stage.deck.sides.borrow().stems[0];
    assert_eq!(sides(&stage)[0], 1.0);
    assert!((sides(&stage)[1] - 0.7).abs() < 1e-4, "{:?}", sides(&stage));
    let dial = stage.harness.get_by_label("Pan Drums").rect().center();
    stage.drag(dial, dial + vec2(60.0, 0.0));
    assert!(sides(&stage)[0] < 0.5 && sides(&stage)[1] == 1.0, "{:?}", sides(&stage));
    stage.harness.run_steps(60);
    for _ in 0..2 {
        stage.harness.get_by_label("Pan Drums").click();
        stage.harness.step();
    }
    stage.harness.run_steps(3);
    assert_eq!(sides(&stage), [1.0; 2]);
}

#[test]
fn a_gain_is_typed_or_turned_by_the_wheel() {
    let mut stage = stage(separated());
    stage.click("Gain Bass: 0.0 dB");
    let field = stage.harness.get_by_role_and_label(egui::Role::TextInput, "Gain Bass");
    assert!(field.is_focused());
    field.type_text("-6,5");
    stage.harness.run_steps(3);
    stage.press(NONE, Key::Enter);
    let gain = stage.deck.gains.borrow()[1];
    assert!((gain - 10f32.powf(-6.5 / 20.0)).abs() < 1e-4, "{gain}");
    stage.click("Gain Bass: −6.5 dB");
    let field = stage.harness.get_by_role_and_label(egui::Role::TextInput, "Gain Bass");
    field.type_text("nonsense");
    stage.press(NONE, Key::Enter);
    assert!(stage.shows("Gain Bass: −6.5 dB"), "invalid input must be ignored");
    let fader = stage.harness.get_by_label("Gain Drums").rect().center();
    stage.wheel(fader, vec2(0.0, 2.0), NONE);
    assert!(stage.shows("Gain Drums: +1.0 dB"));
    assert_eq!(stage.harness.state().ui_state().look, None, "the wheel must not zoom");
}

#[test]
fn presets_tick_several_at_once() {
    let mut stage = stage(separated());
    for (preset, gains) in [
        ("Vocals only", [0.0, 0.0, 0.0, 1.0]),
        ("Drums and bass", [1.0, 1.0, 0.0, 0.0]),
        ("Karaoke", [1.0, 1.0, 1.0, 0.0]),
        ("Drumless", [0.0, 1.0, 1.0, 1.0]),
        ("All", [1.0; 4]),
    ] {
        stage.click(preset);
        assert_eq!(*stage.deck.gains.borrow(), gains, "{preset}");
    }
}

#[test]
fn stop_speed_and_volume() {
    let mut stage = stage(separated());
    stage.deck.position.set(50_000);
    stage.press(NONE, Key::Space);
    stage.deck.position.set(90_000);
    stage.click("Stop playback");
    assert!(!stage.deck.playing.get());
    assert_eq!(stage.deck.position.get(), 50_000, "expected the position where playback started");
    stage.press(NONE, Key::Period);
    assert_eq!(stage.deck.position.get(), 0);
    stage.press(SHIFT, Key::ArrowDown);
    assert_eq!(stage.deck.speed.get(), 0.95);
    for _ in 0..20 {
        stage.press(SHIFT, Key::ArrowUp);
    }
    assert_eq!(stage.deck.speed.get(), 1.5);
    stage.click("Speed: 1.50 ×");
    let field = stage.harness.get_by_role_and_label(egui::Role::TextInput, "Speed");
    field.type_text("0.8");
    stage.press(NONE, Key::Enter);
    assert_eq!(stage.deck.speed.get(), 0.8);
    stage.press(NONE, Key::ArrowDown);
    assert!((stage.deck.volume.get() - 0.95f32.powi(2)).abs() < 1e-4);
    stage.press(NONE, Key::ArrowUp);
    assert_eq!(stage.deck.volume.get(), 1.0);
}

#[test]
fn key_and_cents_are_set_beside_the_speed() {
    let mut known = song(7, "Lithium", None, SongState::Ready);
    known.key = Some("F minor".into());
    let mut stage = stage(separated());
    stage.emit([Event::Song(known)]);
    for (key, cents) in [(Key::ArrowUp, 100), (Key::ArrowUp, 200), (Key::ArrowDown, 100)] {
        stage.press(ALT, key);
        assert_eq!(stage.deck.cents.get(), cents);
    }
    stage.press(ALT, Key::ArrowLeft);
    assert_eq!(stage.deck.cents.get(), 95);
    stage.harness.get_by_label_contains("F minor → F# minor");
    for (figure, name, typed, cents) in [
        ("Key: +1", "Key", "-3", -305),
        ("Cents: −5 ct", "Cents", "12", -288),
        ("Key: −3", "Key", "40", 1212),
    ] {
        stage.click(figure);
        stage.harness.get_by_role_and_label(egui::Role::TextInput, name).type_text(typed);
        stage.press(NONE, Key::Enter);
        assert_eq!(stage.deck.cents.get(), cents, "{figure}");
    }
    assert_eq!(stage.deck.speed.get(), 1.0);
    for name in ["Key", "Cents"] {
        stage.harness.get_by_role_and_label(egui::Role::Slider, name);
    }
}

#[test]
fn the_head_says_what_is_known_and_what_it_will_take() {
    let mut known = song(7, "Lithium", None, SongState::Ready);
    (known.bpm, known.key) = (Some(124.4), Some("F minor".into()));
    known.loudness_lufs = Some(-9.8);
    let mut stage = stage(unprocessed());
    stage.emit([Event::Song(known.clone())]);
    let line = "44.1 kHz, 16 bit FLAC · 5:27 · ≈ 124 BPM · F minor · −9.8 LUFS";
    assert!(stage.shows(line), "values from analysis are marked with ≈");
    known.bpm_from_tags = true;
    stage.emit([Event::Song(known)]);
    assert!(stage.shows(&line.replace("≈ ", "")), "values from tags are not marked");
    let shown = |seconds| {
        let stem = StemInfo { is_heard: true, missing: 56, makers: vec![0], ..StemInfo::default() };
        let quality = Quality::default();
        let preset = Some(Preset::Standard);
        Event::Shown {
            song: SongId(7),
            options: SeparationOptions { model: "htdemucs".into(), quality },
            stems: vec![stem; 4],
            makers: vec![Maker { missing: 1.0, bytes: 616_000_000 }],
            missing: Vec::new(),
            offers: vec![QualityCost { quality, preset, seconds: vec![seconds] }],
            versions: Vec::new(),
        }
    };
    stage.emit([shown(None)]);
    assert!(stage.shows("Needs 616 MB of disk"));
    stage.emit([shown(Some(168.0))]);
    assert!(stage.shows("Takes about 3 min and 616 MB of disk space"));
}

#[test]
fn the_segment_that_is_computed_is_shown_in_the_head() {
    let stage = stage(processing());
    assert!(stage.shows("segment 24 of 56"));
    let mut stage = stage;
    stage.click("Pause processing");
    assert_eq!(stage.asked(), [Command::Pause(JobId(1))]);
    stage.emit([Event::Job(job(1, 7, JobState::Paused, 24))]);
    assert!(stage.shows("42 % already done"));
    stage.click("Continue");
    assert!(matches!(stage.asked()[..], [Command::Process { song: SongId(7), .. }]));
}

#[test]
fn f1_lists_every_shortcut() {
    let mut stage = stage(separated());
    stage.press(NONE, Key::F1);
    for verb in UiCommand::all().filter(|verb| verb.spec().shortcut.is_some()) {
        let is_numbered = matches!(verb, UiCommand::Solo(1..) | UiCommand::Mute(1..));
        assert!(is_numbered || stage.shows(verb.spec().tooltip), "{verb:?} is not listed");
    }
    assert!(stage.shows("1 – 9") && stage.shows("Shift+1 – Shift+9"));
    let is_open = |stage: &Stage| stage.harness.state().ui_state().help;
    stage.press(NONE, Key::ArrowRight);
    assert_eq!(stage.deck.position.get(), 0, "the window's shortcuts must be disabled");
    stage.press(NONE, Key::F1);
    assert!(!is_open(&stage));
    stage.press(NONE, Key::F1);
    assert!(is_open(&stage));
    stage.press(NONE, Key::Escape);
    assert!(!is_open(&stage));
    stage.press(NONE, Key::F1);
    stage.press(NONE, Key::Space);
    assert!(!is_open(&stage), "the focused button must close the sheet");
    assert!(!stage.deck.playing.get());
}

#[test]
fn a_window_at_rest_asks_for_no_frame_however_it_looks() {
    let mut stage = Stage::new(Theme::Light, separated());
    for _ in 0..6 {
        stage.press(NONE, Key::Plus);
    }
    stage.press(NONE, Key::L);
    stage.emit(all_peaks(7));
    stage.harness.run_steps(10);
    let built = stage.harness.state().num_waveforms_built();
    assert!(stage.harness.run() <= 2, "an idle window requests frames");
    assert_eq!(stage.harness.state().num_waveforms_built(), built);
    stage.press(NONE, Key::F1);
    stage.harness.run_steps(20);
    assert!(stage.harness.run() <= 2, "the sheet of shortcuts requests frames");
}

#[test]
fn lanes_of_a_song_with_no_length_can_be_looked_at() {
    let empty = Event::Opened { song: SongId(7), frames: 0, stems: Vec::new() };
    let mut stage = stage(vec![library(SongState::Ready), ready(), empty]);
    for key in [Key::Plus, Key::L, Key::PageDown, Key::End, Key::OpenBracket, Key::Minus] {
        stage.press(NONE, key);
    }
    assert_eq!(stage.harness.state().ui_state().repeat, None);
}
