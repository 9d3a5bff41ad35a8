//! The player through the real sound system. ALSA's file plug-in replaces a sound card, with a sink
//! behind it that consumes the samples in real time. The tests compare the received samples with
//! the stems.
//!
//! ALSA reads its configuration once per process, and the sink must be a separate program. Both are
//! this test binary, started with an ignored test.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use partita::engine::{
    LaneSettings, SAMPLE_RATE,
    player::{Device, Gains, Monitor, Player, Track, gains, outputs},
};

/// Environment variable with the folder that a child process and its sink share with the test.
pub const FOLDER: &str = "PARTITA_TEST_PLAYER_FOLDER";

/// Bytes of a frame at the sink: two f32 samples, as mixed.
const FRAME_BYTES: usize = 8;

const STEMS: usize = 4;
const FRAMES: u64 = 20 * SAMPLE_RATE as u64;

/// Noise in ±0.2, left and right, that is different for every frame of every lane.
fn noise(lane: usize, frame: u64) -> [f32; 2] {
    [1, 2].map(|channel: u64| {
        let mut x = (frame * 8 + lane as u64) * 2 + channel;
        for _ in 0..2 {
            x = (x ^ (x >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        ((x >> 40) as f32 / (1 << 23) as f32 - 1.0) * 0.2
    })
}

/// Text of the failure when the player ran out of samples.
const UNDERRUN: &str = "the player ran out of samples";

struct Noise;

impl Track for Noise {
    fn frames(&self) -> u64 {
        FRAMES
    }
    fn stems(&self) -> usize {
        STEMS
    }
    fn read_original(&self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.read_stem(STEMS, start, out)
    }
    fn read_stem(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        for (frame, pair) in (start..).zip(out.chunks_exact_mut(2)) {
            pair.copy_from_slice(&noise(stem, frame));
        }
        Ok(())
    }
    fn covered_at(&self, _at: u64) -> (bool, u64) {
        (true, FRAMES)
    }
}

/// Runs an ignored test of this binary with the sound system of `folder`; fails if that test fails.
fn run_child(name: &str, folder: &Path) {
    run_child_unless(name, folder, None);
}

/// Like [`run_child`], but returns false if the child failed with the text `excuse`.
fn run_child_unless(name: &str, folder: &Path, excuse: Option<&str>) -> bool {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("ALSA_CONFIG_PATH", folder.join("asound.conf"))
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    if excuse.is_some_and(|excuse| said[1].contains(excuse)) {
        return false;
    }
    assert!(output.status.success(), "{name} failed:\n{}\n{}", said[0], said[1]);
    assert!(said[0].contains("1 passed"), "{name} did not run:\n{}", said[0]);
    eprintln!("{}", said[1]);
    true
}

/// Writes an ALSA configuration whose default device is a sink that writes `folder/capture`.
pub fn write_sound_system(folder: &Path) {
    let system = "/usr/share/alsa/alsa.conf";
    assert!(Path::new(system).exists(), "{system} is missing: install libasound2-data");
    let sink = format!(
        "| '{}' --exact player::sink --ignored --nocapture >/dev/null",
        env::current_exe().unwrap().display()
    );
    let conf = format!(
        "<{system}>\npcm.!default {{\n type file\n slave.pcm {{ type null }}\n \
         file \"{sink}\"\n format raw\n}}\n"
    );
    fs::write(folder.join("asound.conf"), conf).unwrap();
}

/// The folder in a child process; `None` if the ignored tests are run manually.
fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

#[test]
#[ignore = "the sink that ALSA starts for the tests of the player"]
fn sink() {
    let Some(folder) = folder() else { return };
    fs::write(folder.join("sink"), std::process::id().to_string()).unwrap();
    let mut options = fs::OpenOptions::new();
    let mut capture = options.append(true).create(true).open(folder.join("capture")).unwrap();
    let mut block = vec![0; 441 * FRAME_BYTES]; // 10 ms
    // A delayed device does not catch up, because that would drain the player's buffer at once.
    let mut due = Instant::now();
    while let Ok(bytes @ 1..) = io::stdin().read(&mut block) {
        capture.write_all(&block[..bytes]).unwrap();
        let frames = bytes as f64 / FRAME_BYTES as f64;
        due = due.max(Instant::now()) + Duration::from_secs_f64(frames / f64::from(SAMPLE_RATE));
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// The stereo frames that reached the sink.
pub fn captured(folder: &Path) -> Vec<[f32; 2]> {
    let bytes = fs::read(folder.join("capture")).unwrap();
    let sample =
        |frame: &[u8], at: usize| f32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    bytes.chunks_exact(FRAME_BYTES).map(|frame| [sample(frame, 0), sample(frame, 4)]).collect()
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(20), "timed out waiting until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Seconds as frames.
fn secs(secs: f64) -> u64 {
    (secs * f64::from(SAMPLE_RATE)) as u64
}

/// Largest difference between the capture from `at` on and `gains` × lanes of the track from
/// `frame` on.
fn error(capture: &[[f32; 2]], at: usize, frame: u64, frames: usize, gains: &[f32]) -> f32 {
    let mut worst = 0.0f32;
    for (i, heard) in capture[at..at + frames].iter().enumerate() {
        let mut mix = [0.0f32; 2];
        for (lane, gain) in gains.iter().enumerate() {
            let stem = noise(lane, frame + i as u64);
            mix[0] += gain * stem[0];
            mix[1] += gain * stem[1];
        }
        worst = worst.max((heard[0] - mix[0]).abs()).max((heard[1] - mix[1]).abs());
    }
    worst
}

/// The level of the track's original in the capture, by least squares.
fn original_level(capture: &[[f32; 2]], at: usize, frame: u64, frames: usize) -> f32 {
    let (mut product, mut power) = (0.0, 0.0);
    for (i, heard) in capture[at..at + frames].iter().enumerate() {
        for (heard, original) in heard.iter().zip(noise(STEMS, frame + i as u64)) {
            product += f64::from(*heard) * f64::from(original);
            power += f64::from(original).powi(2);
        }
    }
    (product / power) as f32
}

/// Frame positions that were played with these gains; the last gain is the original's.
struct Passage {
    positions: Range<u64>,
    gains: [f32; STEMS + 1],
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "ALSA stands in for a sound card")]
fn what_the_sound_system_gets_is_the_mix() {
    // Other programs can keep the player's thread from running for longer than its buffer lasts.
    let is_played = || {
        let folder = tempfile::tempdir().unwrap();
        write_sound_system(folder.path());
        run_child_unless("player::plays_into_the_sink", folder.path(), Some(UNDERRUN))
    };
    assert!((0..3).any(|_| is_played()), "{UNDERRUN} three times in a row");
}

/// Plays all stems, one solo, one muted, after a seek, and the original.
fn play_passages(player: &Player) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut pass = |from: u64, gains: [f32; STEMS + 1]| {
        wait_until("a passage is over", || player.position() >= from + secs(0.8));
        passages.push(Passage { positions: from..player.position(), gains });
    };
    let gains = |lanes: &[LaneSettings]| -> Gains { gains(lanes, LaneSettings::of_residual()) };
    let lane = LaneSettings::default();
    let solo = LaneSettings { soloed: true, ..lane };
    let mute = LaneSettings { muted: true, ..lane };
    pass(0, [1.0, 1.0, 1.0, 1.0, 0.0]);
    player.set_gains(&gains(&[lane, solo, lane, lane]));
    pass(player.position(), [0.0, 1.0, 0.0, 0.0, 0.0]);
    player.set_gains(&gains(&[lane, lane, mute, lane]));
    pass(player.position(), [1.0, 1.0, 0.0, 1.0, 0.0]);
    player.seek(secs(12.0));
    pass(secs(12.0), [1.0, 1.0, 0.0, 1.0, 0.0]);
    player.set_monitor(Monitor::Original);
    pass(player.position(), [0.0, 0.0, 0.0, 0.0, 1.0]);
    passages
}

#[test]
#[ignore = "a child of what_the_sound_system_gets_is_the_mix"]
fn plays_into_the_sink() {
    let Some(folder) = folder() else { return };
    let player = Player::start(Arc::new(|| {}));
    player.load(Some(Arc::new(Noise)));
    assert_eq!(player.device(), Device::Idle);
    let asked = Instant::now();
    player.play();
    wait_until("playback starts", || player.position() > 0);
    let started = asked.elapsed();
    assert!(matches!(player.device(), Device::Open(_)), "{:?}", player.device());
    let passages = play_passages(&player);
    let underruns = player.underruns();
    player.pause();
    thread::sleep(Duration::from_millis(200));
    drop(player); // closes the device, which waits for the sink

    let capture = captured(&folder);
    let first = capture.iter().position(|frame| *frame != [0.0; 2]).unwrap();
    assert_eq!(underruns, 0, "{UNDERRUN}");
    eprintln!("sound {} ms after play, device opened in it", started.as_millis());

    // The position of the track's frame 0 in the capture; a seek changes it.
    let mut origin = first as i64;
    let ramp = 441; // length of the slowest ramp, in frames
    let slack = secs(0.2); // from the command to its effect, including the ramp
    for (i, Passage { positions, gains }) in passages.iter().enumerate() {
        let mut from = positions.start + slack;
        if i == 0 {
            from = 0; // the first sample must be correct
        }
        if i == 3 {
            // The seek took effect soon after the end of the previous passage.
            let left = (passages[2].positions.end as i64 + origin) as usize;
            let sought = |at: &usize| error(&capture, *at, secs(12.0) + 400, 50, gains) < 1e-4;
            let found: Vec<usize> = (left..left + slack as usize + 400).filter(sought).collect();
            assert_eq!(found.len(), 1, "expected frame 12 s once, after the seek");
            origin = found[0] as i64 - 400 - secs(12.0) as i64;
            eprintln!("seek acted after {} frames sent", found[0] - 400 - left);
        }
        let at = (from as i64 + origin) as usize;
        let frames = (positions.end - from) as usize;
        let mut gains = *gains;
        if i == 4 {
            // The mix of three stems, each as loud as the original.
            let level = original_level(&capture, at, from, frames.min(4_000));
            assert!(
                (level / 3f32.sqrt() - 1.0).abs() < 0.05,
                "expected the loudness of the mix: {level}"
            );
            (gains[STEMS], from) = (level, positions.end - 4_000);
        }
        let at = (from as i64 + origin) as usize;
        let frames = (positions.end - from) as usize;
        let gains = &gains;
        let allowed = if i == 4 { 2e-3 } else { 1e-6 }; // the level is estimated continuously
        let worst = error(&capture, at, from, frames, gains);
        assert!(worst < allowed, "passage {i} differs from the mix by {worst}");
        if i == 1 || i == 2 || i == 4 {
            let before = &passages[i - 1].gains;
            let same = (0..).take_while(|n| {
                let frame = positions.start + n;
                error(&capture, (frame as i64 + origin) as usize, frame, 1, before) < 1e-5
            });
            let acted = same.count();
            eprintln!("passage {i}: gains acted {acted} frames after the command");
            assert!(acted + ramp < slack as usize);
        }
    }
    assert_eq!(capture.last(), Some(&[0.0; 2]), "expected silence after the pause");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "ALSA stands in for a sound card")]
fn without_a_device_time_goes_on_and_the_next_play_tries_again() {
    let folder = tempfile::tempdir().unwrap();
    let conf = "pcm.!default { type hw card 31 }\n";
    fs::write(folder.path().join("asound.conf"), conf).unwrap();
    run_child("player::plays_without_a_device", folder.path());
}

#[test]
#[ignore = "a child of without_a_device_time_goes_on_and_the_next_play_tries_again"]
fn plays_without_a_device() {
    let Some(folder) = folder() else { return };
    let woken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&woken);
    let player = Player::start(Arc::new(move || _ = counter.fetch_add(1, Ordering::Relaxed)));
    player.load(Some(Arc::new(Noise)));
    player.play();
    wait_until("the device is found missing", || player.device() != Device::Idle);
    let Device::Unavailable(words) = player.device() else { panic!("{:?}", player.device()) };
    eprintln!("said: {words}");
    assert!(woken.load(Ordering::Relaxed) >= 1, "the window was not notified");

    wait_until("the position advances", || player.position() > 0);
    let (start, from) = (Instant::now(), player.position());
    thread::sleep(Duration::from_secs(1));
    let moved = (player.position() - from) as f64 / f64::from(SAMPLE_RATE);
    let passed = start.elapsed().as_secs_f64();
    assert!((moved - passed).abs() < 0.1, "{moved} s of music in {passed} s");

    let before = woken.load(Ordering::Relaxed);
    player.seek(FRAMES - secs(0.3));
    wait_until("the end", || !player.is_playing());
    wait_until("the window is notified", || woken.load(Ordering::Relaxed) > before);
    assert_eq!(player.position(), FRAMES);

    write_sound_system(&folder);
    player.play();
    wait_until("the device is open", || matches!(player.device(), Device::Open(_)));
    wait_until("the position advances", || player.position() > secs(0.3));
    assert!(player.position() < secs(3.0), "expected playback from the start at the kept position");
    drop(player);
    let capture = captured(&folder);
    let first = capture.iter().position(|frame| *frame != [0.0; 2]);
    assert!(first.is_some(), "expected sound");
}

/// The frame of the track whose full mix is at `at` in the capture, within a second of `near`.
fn place_of(capture: &[[f32; 2]], at: usize, near: u64) -> Option<u64> {
    let all = [1.0, 1.0, 1.0, 1.0, 0.0];
    let around = near.saturating_sub(secs(1.0))..near + secs(1.0);
    around.into_iter().find(|&frame| error(capture, at, frame, 50, &all) < 1e-5)
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "ALSA stands in for a sound card")]
fn a_lost_device_is_waited_for_at_the_place_that_was_heard() {
    let folder = tempfile::tempdir().unwrap();
    write_sound_system(folder.path());
    run_child("player::loses_the_device", folder.path());
}

#[test]
#[ignore = "a child of a_lost_device_is_waited_for_at_the_place_that_was_heard"]
fn loses_the_device() {
    let Some(folder) = folder() else { return };
    let player = Player::start(Arc::new(|| {}));
    player.load(Some(Arc::new(Noise)));
    player.play();
    wait_until("the position advances", || player.position() > secs(1.0));
    // Removes the device and kills the sink, so that writing to the device is an error.
    fs::write(folder.join("asound.conf"), "pcm.!default { type hw card 31 }\n").unwrap();
    let sink = fs::read_to_string(folder.join("sink")).unwrap();
    assert!(Command::new("kill").args(["-9", &sink]).status().unwrap().success());
    wait_until("the loss is detected", || matches!(player.device(), Device::Unavailable(_)));
    let held = player.position();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(player.position(), held, "the position must not advance");
    assert!(player.is_playing());

    let before = captured(&folder).len();
    write_sound_system(&folder);
    wait_until("the device is back", || matches!(player.device(), Device::Open(_)));
    wait_until("playback resumes", || player.position() > held + secs(0.5));
    player.pause();
    thread::sleep(Duration::from_millis(200));
    drop(player);
    let capture = captured(&folder);
    let first = before + capture[before..].iter().position(|frame| *frame != [0.0; 2]).unwrap();
    let settled = first + 1_000;
    let place = place_of(&capture, settled, held + 1_000).expect("the mix was not found");
    assert_eq!(place - 1_000, held, "expected the same position");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "ALSA stands in for a sound card")]
fn another_device_goes_on_where_the_first_was() {
    let folder = tempfile::tempdir().unwrap();
    write_sound_system(folder.path());
    let path = folder.path().join("asound.conf");
    let first = fs::read_to_string(&path).unwrap();
    // A silent device with six channels at 48 kHz, which accepts samples as fast as they are
    // written.
    let second = "pcm.second {\n type plug\n slave { pcm { type null } rate 48000 channels 6 }\n \
                  hint { show on description \"Second\" }\n}\n";
    fs::write(path, first + second).unwrap();
    run_child("player::changes_the_device", folder.path());
}

#[test]
#[ignore = "a child of another_device_goes_on_where_the_first_was"]
fn changes_the_device() {
    let Some(_) = folder() else { return };
    let outputs = outputs();
    eprintln!("{outputs:?}");
    let second = outputs.iter().find(|output| output.name == "Second").unwrap();
    let player = Player::start(Arc::new(|| {}));
    player.load(Some(Arc::new(Noise)));
    player.play();
    wait_until("the position advances", || player.position() > secs(0.5));
    let at = player.position();
    player.set_output(Some(second.id.clone()));
    assert_eq!(player.output(), Some(second.id.clone()));
    wait_until("the other device plays", || player.device() == Device::Open("Second".into()));
    assert!(player.position() >= at, "the position went back");
    player.set_output(Some("alsa:nowhere".into()));
    wait_until(
        "expected the default device",
        || matches!(player.device(), Device::Open(name) if name != "Second"),
    );
    let at = player.position();
    wait_until("playback resumes", || player.position() > at || !player.is_playing());
}
