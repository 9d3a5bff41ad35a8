//! The settings page: immediate effects, and settings restored at the next start.

use std::time::Duration;

use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use partita::{
    engine::{
        Command, Compute, Event, LaneSettings, Note, Preferences, SongId,
        player::Output,
        separation::{
            device::choice::{DeviceChoice, Fault},
            pool,
        },
        settings::{self, Flags},
    },
    i18n::{Language, speak, spoken},
    model::{Device, Precision, device::Card},
    ui::{
        platform::dialogs::{Answer, Outcome},
        state::ui_state::{Page, Purpose},
    },
};

use super::stage::{Stage, names, ready, recorded, separated, stage, unprocessed};

const CTRL: Modifiers = Modifiers::COMMAND;

/// A window with the settings page open.
pub fn page(events: Vec<Event>) -> Stage {
    let mut stage = stage(events);
    stage.press(CTRL, Key::Comma);
    let home = "/home/me/.local/share/partita".into();
    stage.emit([Event::HomeMeasured { home, all: 5_000_000_000, stems: 3_210_000_000 }]);
    assert_eq!(stage.harness.state().ui_state().page, Page::Settings);
    stage
}

/// The window's current settings.
fn preferences(stage: &Stage) -> Preferences {
    stage.harness.state().ui_state().preferences.clone()
}

#[test]
fn language_theme_and_size_change_at_once() {
    let mut stage = page(unprocessed());
    stage.harness.check_accessibility();
    stage.click("Language: Português");
    assert!(stage.shows("Configurações") && !stage.shows("Settings"));
    stage.click("Idioma: English");
    assert!(stage.shows("Settings"));
    assert_eq!(spoken(), Language::english());
    stage.click("Theme: Light");
    assert_eq!(stage.harness.ctx.theme(), Theme::Light);
    stage.click("Theme: Dark");
    assert_eq!(stage.harness.ctx.theme(), Theme::Dark);
    stage.click("Interface size: 120 %");
    assert_eq!(stage.harness.ctx.zoom_factor(), 1.2);
    assert_eq!(preferences(&stage).zoom, 120);
    stage.click("Interface size: 100 %");
    // egui itself handles Ctrl with +, and the settings follow.
    stage.harness.ctx.set_zoom_factor(1.4);
    stage.harness.run_steps(3);
    assert_eq!(preferences(&stage).zoom, 140);
}

#[test]
fn threads_and_precision_are_sent_to_the_engine() {
    let mut stage = page(unprocessed());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (single, fast) = (Precision::Single, Precision::Fast);
    let mut threads = None;
    if cores > 1 {
        stage.click("Threads: 1");
        threads = Some(1);
        let compute = Compute { threads, ..Compute::default() };
        assert_eq!(stage.asked(), [Command::SetCompute(compute)]);
    }
    if pool::has_fast_precision() {
        stage.click("Precision: Fast");
        let compute = Compute { threads, precision: fast, ..Compute::default() };
        assert_eq!(stage.asked(), [Command::SetCompute(compute)]);
    } else {
        assert!(stage.shows("Fast needs a processor"));
    }
    // Settings from the command line cannot be changed here.
    let ctx = stage.harness.ctx.clone();
    let flags = Flags { threads: Some(3), precision: Some(single), ..Flags::default() };
    let app = stage.harness.state_mut();
    app.begin(&ctx, Preferences::default(), flags, Some(recorded("The settings were damaged")));
    speak(Language::english());
    stage.harness.run_steps(3);
    assert!(stage.shows("Set on the command line") && stage.shows("The settings were damaged"));
    if cores > 1 {
        stage.click("Threads: 1");
        assert_eq!((stage.asked(), preferences(&stage).threads), (Vec::new(), None));
    }
}

#[test]
fn a_graphics_card_can_be_chosen_where_there_is_one() {
    let mut stage = page(unprocessed());
    assert!(!stage.shows("Computed by"), "the processor is the only choice");
    let card = Card { device: Device::Cuda(0), name: "GPU 9000".into(), free_bytes: None };
    stage.emit([Event::Devices(vec![card])]);
    let chosen = |device| [Command::SetCompute(Compute { device, ..Compute::default() })];
    for (name, device) in [("GPU 9000", Device::Cuda(0)), ("Processor", Device::Cpu)] {
        stage.click(&format!("Computed by: {name}"));
        assert_eq!(stage.asked(), chosen(DeviceChoice::Only(device)));
    }
    stage.click("Computed by: Automatic");
    assert_eq!(stage.asked(), chosen(DeviceChoice::Auto));
    // The command line's device is kept.
    let ctx = stage.harness.ctx.clone();
    let flags = Flags { device: Some(DeviceChoice::Only(Device::Cuda(0))), ..Flags::default() };
    stage.harness.state_mut().begin(&ctx, Preferences::default(), flags, None);
    speak(Language::english());
    stage.harness.run_steps(3);
    stage.click("Computed by: Processor");
    assert_eq!((stage.asked(), preferences(&stage).device), (Vec::new(), DeviceChoice::Auto));
    // A card that fails is a notice of its song.
    let (device, fault) = (Device::Cuda(0), Fault::Memory);
    stage.emit([Event::Noted { song: SongId(7), note: Note::DeviceFailed { device, fault } }]);
    stage.press(Modifiers::NONE, Key::Escape);
    assert!(stage.shows("the processor took over"));
}

#[test]
fn a_limit_of_memory_is_sent_to_the_engine() {
    let mut stage = page(unprocessed());
    assert!(stage.shows("The model needs at least 587 MB"));
    for (name, memory) in [("600 MB", Some(600_000_000)), ("2.0 GB", Some(2_000_000_000))] {
        stage.click(&format!("Memory: {name}"));
        assert_eq!(stage.asked(), [Command::SetCompute(Compute { memory, ..Compute::default() })]);
        assert_eq!(preferences(&stage).memory, memory);
    }
    stage.click("Memory: No limit");
    assert_eq!(stage.asked(), [Command::SetCompute(Compute::default())]);
    // A limit from a manually edited file is offered among the others, and the command line's limit
    // is kept.
    let ctx = stage.harness.ctx.clone();
    let begin = |stage: &mut Stage, flags| {
        let found = Preferences { memory: Some(812_000_000), ..Preferences::default() };
        stage.harness.state_mut().begin(&ctx, found, flags, None);
        speak(Language::english());
        stage.harness.run_steps(3);
    };
    begin(&mut stage, Flags::default());
    assert!(stage.shows("Memory: 812 MB"));
    begin(&mut stage, Flags { memory: Some(900_000_000), ..Flags::default() });
    assert!(stage.shows("Memory: 900 MB") && stage.shows("Set on the command line"));
    stage.click("Memory: 600 MB");
    assert_eq!((stage.asked(), preferences(&stage).memory), (Vec::new(), Some(812_000_000)));
}

#[test]
fn a_sound_device_is_chosen() {
    let mut stage = page(unprocessed());
    let output = |id: &str, name: &str| Output { id: id.into(), name: name.into() };
    stage.emit([Event::Outputs(vec![output("a", "Speakers"), output("b", "Headphones")])]);
    stage.click("Sound device: System default");
    stage.click("Headphones");
    assert_eq!(stage.deck.output.borrow().as_deref(), Some("b"));
    assert!(stage.shows("Sound device: Headphones"));
    stage.emit([Event::Outputs(Vec::new())]);
    assert!(stage.shows("Sound device: b"), "a missing device must stay selected");
    stage.click("Sound device: b");
    let again = stage.harness.query_all_by_label("System default");
    again.max_by(|a, b| a.rect().top().total_cmp(&b.rect().top())).unwrap().click();
    stage.harness.run_steps(3);
    assert_eq!(*stage.deck.output.borrow(), None);
}

#[test]
fn new_songs_have_the_ticks_of_the_settings() {
    let mut stage = page(unprocessed());
    stage.click("Vocals");
    assert_eq!(preferences(&stage).ticks, Some(names(&["drums", "bass", "other"])));
    stage.press(Modifiers::NONE, Key::Escape);
    stage.click("Process");
    let (song, from_frame) = (SongId(7), 0);
    let stems = names(&["drums", "bass", "other"]);
    assert_eq!(stage.asked(), [Command::Process { song, stems, from_frame }]);
    stage.press(CTRL, Key::Comma);
    stage.click("Vocals");
    assert_eq!(preferences(&stage).ticks, None, "expected `None` for all ticks");
}

#[test]
fn the_data_folder_is_shown_with_its_size_and_cleared() {
    let mut stage = page(separated());
    assert!(stage.shows("/home/me/.local/share/partita"));
    assert!(stage.shows("5.0 GB, of which 3.2 GB are stems"));
    stage.click("Clear stems…");
    assert!(stage.shows("This deletes 3.2 GB of stems"));
    stage.click("Cancel");
    assert_eq!(stage.asked(), []);
    stage.click("Clear stems…");
    stage.click("Delete stems");
    assert_eq!(stage.asked(), [Command::ClearStems]);
}

#[test]
fn a_report_is_saved_where_the_user_says_and_that_is_said() {
    let answered = |stage: &mut Stage, outcome| {
        let ctx = stage.harness.ctx.clone();
        let answer = Answer { purpose: Purpose::Report, outcome };
        stage.harness.state_mut().answered(&ctx, answer);
        stage.harness.run_steps(3);
    };
    let mut stage = page(separated());
    assert!(!stage.shows("Report saved"));
    answered(&mut stage, Outcome::Picked(vec!["/tmp/here.txt".into()]));
    assert_eq!(stage.asked(), [Command::SaveReport("/tmp/here.txt".into())]);
    stage.emit([Event::ReportSaved("/tmp/here.txt".into())]);
    assert!(stage.shows("Report saved: /tmp/here.txt"));
    // Where the system has no dialog, the window asks.
    answered(&mut stage, Outcome::Unavailable);
    assert!(stage.shows("Path of the report"));
    stage.click("Save");
    let asked = stage.asked();
    let [Command::SaveReport(path)] = &asked[..] else { panic!("{asked:?}") };
    assert!(path.is_absolute() && path.ends_with("partita-report.txt"), "{}", path.display());
    assert!(!stage.shows("Path of the report"));
}

#[test]
fn chosen_options_are_kept() {
    let mut stage = stage(separated());
    stage.click("Solo Vocals");
    stage.harness.state_mut();
    stage.press(CTRL, Key::T);
    std::thread::sleep(Duration::from_millis(1100));
    stage.harness.run_steps(3);
    let kept = stage.kept();
    let lanes = kept.iter().find_map(|command| match command {
        Command::KeepLanes(SongId(7), lanes) => Some(lanes.clone()),
        _ => None,
    });
    assert!(lanes.unwrap()["vocals"].soloed, "{kept:?}");
    let kept = kept.into_iter().find_map(|command| match command {
        Command::KeepPreferences(preferences) => Some(*preferences),
        _ => None,
    });
    let kept = kept.unwrap();
    assert_eq!((kept.theme, kept.song), (settings::Theme::Light, Some(7)));
    stage.harness.run_steps(3);
    assert_eq!(stage.kept(), [], "once");

    // The next start.
    let mut stage = Stage::new(Theme::Dark, []);
    let ctx = stage.harness.ctx.clone();
    let found = Preferences { song: Some(4), volume: 0.5, ..kept };
    stage.harness.state_mut().begin(&ctx, found, Flags::default(), None);
    speak(Language::english());
    let lane = LaneSettings { muted: true, pan: 0.5, ..LaneSettings::default() };
    let lanes = [("drums".to_owned(), lane)].into();
    let mut events = separated();
    events.insert(1, Event::Lanes(vec![(SongId(7), lanes)]));
    events.push(ready());
    stage.emit(events);
    assert_eq!(stage.harness.ctx.theme(), Theme::Light);
    assert_eq!(
        (stage.harness.state().ui_state().selected, stage.deck.volume.get()),
        (Some(SongId(4)), 0.25)
    );
    stage.harness.get_by_label_contains("Lithium,").click();
    stage.harness.run_steps(3);
    assert_eq!(stage.harness.state().ui_state().lane(SongId(7), "drums", false), lane);
}
