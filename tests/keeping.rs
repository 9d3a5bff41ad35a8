//! What the data folder goes through: damage, lost rows, links, removals; songs and stems stay.

use std::fs;

use crate::support::{
    json_lines, partita, stderr, stdout, tiny_home, walk, write_song, write_song_at,
};

#[test]
fn a_damaged_library_is_rebuilt_from_the_stores() {
    let home = tiny_home();
    let at = |arguments: &[&str]| {
        let output = partita(home.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        output
    };
    for (seed, name) in ["first", "second"].into_iter().enumerate() {
        let song = home.path().join(format!("{name}.wav"));
        write_song(&song, 30_000, 44_100, seed as u32);
        at(&["add", song.to_str().unwrap()]);
    }
    at(&["process", "second", "--threads", "1"]);
    let nameless = fs::read_dir(home.path().join("songs")).unwrap().find_map(|entry| {
        let record = entry.unwrap().path().join("song.json");
        fs::read_to_string(&record).unwrap().contains("\"first\"").then_some(record)
    });
    fs::remove_file(nameless.unwrap()).unwrap();
    fs::write(home.path().join("library.db"), "rubbish".repeat(999)).unwrap();

    let second = home.path().join("second.wav");
    let output = at(&["add", second.to_str().unwrap()]);
    assert!(stderr(&output).contains("the library was damaged and was renamed to"));
    let listed = json_lines(&at(&["list", "--json"]));
    let titles: Vec<_> =
        listed.iter().map(|line| line["song"]["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.contains(&"second"), "{titles:?}");
    assert!(titles.iter().any(|title| title.starts_with("Found again ")), "{titles:?}");
    // Its stems are there still: nothing is computed.
    let job = &json_lines(&at(&["process", "second", "--json"]))[0]["job"];
    assert_eq!(job["seconds"].as_f64(), Some(0.0));
    // The other has its name again with its file, and is one song.
    at(&["add", home.path().join("first.wav").to_str().unwrap()]);
    let words = stdout(&at(&["list"]));
    assert!(words.contains("first") && !words.contains("Found again"), "{words}");
    assert_eq!(words.lines().count(), 2);
    let set_aside = walk(home.path()).into_iter().filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("library-damaged-"))
    });
    assert_eq!(set_aside.count(), 1);
}

#[cfg(unix)]
#[test]
fn a_reset_leaves_alone_what_links_lead_to() {
    use std::os::unix::fs::symlink;

    let (home, own) = (tiny_home(), tempfile::tempdir().unwrap());
    let keep = |name: &str| {
        let folder = own.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("own.txt"), "the user's").unwrap();
        folder
    };
    let song = home.path().join("song.wav");
    write_song(&song, 20_000, 44_100, 1);
    let add = || assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    add();
    let songs = home.path().join("songs");
    let folder = fs::read_dir(&songs).unwrap().next().unwrap().unwrap().path();
    let hash = folder.file_name().unwrap().to_str().unwrap().to_owned();
    // Within a song, beside it, and under a name like a song's.
    symlink(keep("tracks"), folder.join("tracks")).unwrap();
    symlink(keep("else"), songs.join("else")).unwrap();
    symlink(keep("like"), songs.join("0123456789abcdef0123456789abcdef")).unwrap();
    assert!(partita(home.path(), &["reset", "--yes"]).status.success());
    assert!(!folder.exists());
    for name in ["tracks", "else", "like"] {
        assert!(own.path().join(name).join("own.txt").is_file(), "{name}");
    }
    // The folder of all songs itself leads elsewhere, where something has the name of a song.
    add();
    let elsewhere = own.path().join("songs");
    fs::rename(&songs, &elsewhere).unwrap();
    symlink(&elsewhere, &songs).unwrap();
    fs::write(elsewhere.join(&hash).join("own.txt"), "the user's").unwrap();
    let output = partita(home.path(), &["reset", "--yes"]);
    assert!(stderr(&output).contains("left alone"), "{}", stderr(&output));
    assert!(elsewhere.join(&hash).join("own.txt").is_file());
    assert!(song.is_file());
}

/// Float samples of every kind that are no music: stems of them are numbers.
#[test]
fn no_input_makes_stems_that_are_no_numbers() {
    type Wave = fn(usize) -> [f32; 2];
    const WAVES: [(&str, Wave); 11] = [
        ("nan", |i| if i % 7 == 0 { [f32::NAN, 0.1] } else { [0.2, -0.1] }),
        ("all nan", |_| [f32::NAN; 2]),
        ("infinity", |i| [if i % 999 == 0 { f32::INFINITY } else { 0.1 }, f32::NEG_INFINITY]),
        ("huge", |i| if i % 2 == 0 { [f32::MAX, f32::MIN] } else { [f32::MIN, f32::MAX] }),
        ("loudest", |i| if i % 2 == 0 { [4e9, 4e9] } else { [-4e9, 4e9] }),
        ("loudest antiphase", |i| if i % 3 == 0 { [4e9, -4e9] } else { [-4e9, 4e9] }),
        ("tiny", |i| [f32::MIN_POSITIVE * 1e-3 * (i % 3) as f32, 1e-45]),
        ("direct current", |_| [0.7; 2]),
        ("clipped", |i| if i / 50 % 2 == 0 { [4.0; 2] } else { [-4.0; 2] }),
        ("left only", |i| [(i as f32 * 0.05).sin() * 0.5, 0.0]),
        ("antiphase", |i| [(i as f32 * 0.05).sin() * 0.5, -(i as f32 * 0.05).sin() * 0.5]),
    ];
    let home = tiny_home();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut files = Vec::new();
    for (name, wave) in WAVES {
        for frames in [1, 9000] {
            let path = home.path().join(format!("{name} {frames}.wav"));
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            for sample in (0..frames).flat_map(wave) {
                writer.write_sample(sample).unwrap();
            }
            writer.finalize().unwrap();
            files.push(path);
        }
    }
    let silence = home.path().join("silence.wav");
    write_song_at(&silence, 9000, 44_100, 1, 0.0);
    files.push(silence);
    for depth in ["32f", "16"] {
        let out = home.path().join(depth);
        let files = files.iter().map(|file| file.to_str().unwrap());
        let arguments = ["separate", "--threads", "1", "--mix", "--depth", depth, "--out"];
        let arguments: Vec<&str> =
            arguments.into_iter().chain([out.to_str().unwrap()]).chain(files).collect();
        let output = partita(home.path(), &arguments);
        assert!(output.status.success(), "{depth}: {}", stderr(&output));
        let written = walk(&out);
        assert_eq!(written.len(), 4 * (2 * WAVES.len() + 1));
        for path in written {
            let samples = crate::support::read_wav(&path);
            assert!(samples.iter().all(|x| x.is_finite()), "{}", path.display());
        }
    }
}

/// A disk that goes with the test, and a data folder on it.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(self.0.path()).status().unwrap();
    }
}

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// Of 12 MB. Needs the right to mount; where there is none it says so, and nothing is proved.
    fn new() -> Option<Self> {
        let disk = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(disk.path())
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            println!("SKIPPED: no right to mount a small disk");
            return None;
        }
        let disk = Self(disk);
        let network = "models/htdemucs.safetensors";
        fs::create_dir_all(disk.home().join("models")).unwrap();
        fs::copy(tiny_home().path().join(network), disk.home().join(network)).unwrap();
        Some(disk)
    }

    fn home(&self) -> std::path::PathBuf {
        self.0.path().join("home")
    }

    /// Leaves so much room.
    fn fill_but(&self, bytes: u64) -> std::path::PathBuf {
        let ballast = self.0.path().join("ballast");
        let free = partita::engine::files::free_bytes(self.0.path()).unwrap();
        // The last pages may not all fit: then it is full all the same.
        fs::write(&ballast, vec![1; free.saturating_sub(bytes) as usize]).ok();
        ballast
    }

    fn is_read_only(&self, yes: bool) {
        let options = if yes { "remount,ro" } else { "remount,rw" };
        let mut mount = std::process::Command::new("mount");
        let output = mount.args(["-o", options]).arg(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

/// The need is seen before the start; on a disk that fills up on the way the job waits. Either way it
/// goes on with the room, and what it makes is what it would have made.
#[cfg(target_os = "linux")]
#[test]
fn a_job_waits_for_room_on_the_disk() {
    use std::{sync::Arc, time::Duration};

    use partita::engine::{Command, Compute, Config, Engine, Event, JobState};

    let Some(disk) = SmallDisk::new() else { return };
    let songs = tempfile::tempdir().unwrap();
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100 * 6, 44_100, 1); // 2.1 MB of mix, 8.5 MB of stems
    assert!(partita(&disk.home(), &["add", file.to_str().unwrap()]).status.success());
    let ballast = disk.fill_but(5 << 20);
    let output = partita(&disk.home(), &["process", "1", "--threads", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("MB are needed"), "{}", stderr(&output));

    let compute = Compute { threads: Some(1), ..Compute::default() };
    let config = Config { home: disk.home(), compute, stays: true, waker: Arc::new(|| {}) };
    let (engine, events) = Engine::start(&config).unwrap();
    let next = || events.recv_timeout(Duration::from_mins(1)).unwrap();
    let paused = || loop {
        match next() {
            Event::Failed { song: Some(_), problem, .. } => break problem.to_string(),
            Event::Job(job) => assert!(job.is_active(), "{job:?}"),
            _ => {}
        }
    };
    let words = paused();
    assert!(words.starts_with("paused") && words.contains("MB are needed"), "{words}");
    fs::remove_file(&ballast).unwrap();
    let mut filled = None;
    let id = loop {
        if let Event::Job(job) = next() {
            assert!(!matches!(job.state, JobState::Failed(_)), "{job:?}");
            if job.segments_done >= 5 && filled.is_none() {
                filled = Some(disk.fill_but(0));
                let words = paused();
                assert!(words.starts_with("paused"), "{words}");
                fs::remove_file(disk.0.path().join("ballast")).unwrap();
            }
            if job.state == JobState::Done {
                break job.song;
            }
        }
    };
    assert!(filled.is_some(), "the disk was full on the way");
    let stems = |home: &std::path::Path| {
        let mut files = walk(&home.join("songs"));
        files.retain(|path| path.to_string_lossy().contains("stem-"));
        files.sort();
        files.into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let made = stems(&disk.home());
    engine.send(Command::Remove(id));
    drop::<Engine>(engine);
    let roomy = tiny_home();
    assert!(partita(roomy.path(), &["add", file.to_str().unwrap()]).status.success());
    assert!(partita(roomy.path(), &["process", "1", "--threads", "1"]).status.success());
    assert!(made == stems(roomy.path()));
}

/// What is removed can come back, until there is no room for what is added.
#[cfg(target_os = "linux")]
#[test]
fn an_import_takes_the_room_of_what_was_removed() {
    use std::{sync::Arc, time::Duration};

    use partita::engine::{Command, Compute, Config, Engine, Event, Problem};

    let Some(disk) = SmallDisk::new() else { return };
    let songs = tempfile::tempdir().unwrap();
    let [one, two] = ["one.wav", "two.wav"].map(|name| songs.path().join(name));
    write_song(&one, 44_100 * 16, 44_100, 1); // 5.6 MB of mix
    write_song(&two, 44_100 * 17, 44_100, 2);
    let compute = Compute { threads: Some(1), ..Compute::default() };
    // Without a window before it, nobody has the song open to find out its key.
    let config = Config { home: disk.home(), compute, stays: false, waker: Arc::new(|| {}) };
    let (engine, events) = Engine::start(&config).unwrap();
    let imported = |file: &std::path::Path| {
        engine.send(Command::Import(vec![file.to_owned()]));
        loop {
            match events.recv_timeout(Duration::from_mins(1)).unwrap() {
                Event::Imported { song, .. } => break Ok(song),
                Event::ImportFailed { problem, .. } => break Err(problem.to_string()),
                _ => {}
            }
        }
    };
    let first = imported(&one).unwrap();
    let words = imported(&two).unwrap_err();
    assert!(words.contains(": 7 MB are needed"), "{words}");
    assert_eq!(fs::read_dir(disk.home().join("songs")).unwrap().count(), 1, "nothing is left");
    engine.send(Command::Remove(first));
    imported(&two).unwrap();
    engine.send(Command::Restore(first));
    loop {
        match events.recv_timeout(Duration::from_mins(1)).unwrap() {
            Event::Failed { problem: Problem::NotRestorable, .. } => break,
            Event::Failed { problem, .. } => panic!("{problem}"),
            _ => {}
        }
    }
}

/// On a disk that is full or cannot be written at all: words that say where, and nothing is harmed.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_nothing_is_told_with_its_place() {
    let Some(disk) = SmallDisk::new() else { return };
    let songs = tempfile::tempdir().unwrap();
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100, 44_100, 1);
    let song = file.to_str().unwrap();
    assert!(partita(&disk.home(), &["add", song]).status.success());
    let other = songs.path().join("other.wav");
    write_song(&other, 44_100 * 4, 44_100, 2);
    let ballast = disk.fill_but(300 << 10);
    let output = partita(&disk.home(), &["add", other.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    // Before anything is written: 4 s are 1.4 MB.
    let words = stderr(&output);
    assert!(words.contains(": 3 MB are needed, 1 MB"), "{words}");
    assert_eq!(
        fs::read_dir(disk.home().join("songs")).unwrap().count(),
        1,
        "nothing is left of it"
    );
    fs::remove_file(ballast).unwrap();
    assert!(partita(&disk.home(), &["process", "1", "--threads", "1"]).status.success());

    disk.is_read_only(true);
    for arguments in [&["add", song][..], &["process", "1"], &["reset", "--yes"]] {
        let output = partita(&disk.home(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let words = stderr(&output);
        assert!(words.contains("home") && words.to_lowercase().contains("read"), "{words}");
    }
    disk.is_read_only(false);
    let listed = json_lines(&partita(&disk.home(), &["list", "--json"]));
    assert_eq!(listed[0]["job"]["state"], "done", "{listed:?}");
}
