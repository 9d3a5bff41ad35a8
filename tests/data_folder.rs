//! Incidents of the data folder: damage, lost rows, links, removals. Songs and stems survive.

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
    // The stems still exist, so nothing is computed.
    let job = &json_lines(&at(&["process", "second", "--json"]))[0]["job"];
    assert_eq!(job["seconds"].as_f64(), Some(0.0));
    // Adding the file restores the other song's name, without a duplicate.
    at(&["add", home.path().join("first.wav").to_str().unwrap()]);
    let words = stdout(&at(&["list"]));
    assert!(words.contains("first") && !words.contains("Found again"), "{words}");
    assert_eq!(words.lines().count(), 2);
    let set_aside = walk(home.path()).into_iter().filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("library-damaged-"))
    });
    assert_eq!(set_aside.count(), 1);
}

#[cfg(unix)] // links take a privilege on Windows
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
    // A link within a song, one beside it, and one that is named like a song.
    symlink(keep("tracks"), folder.join("tracks")).unwrap();
    symlink(keep("else"), songs.join("else")).unwrap();
    symlink(keep("like"), songs.join("0123456789abcdef0123456789abcdef")).unwrap();
    assert!(partita(home.path(), &["reset", "--yes"]).status.success());
    assert!(!folder.exists());
    for name in ["tracks", "else", "like"] {
        assert!(own.path().join(name).join("own.txt").is_file(), "{name}");
    }
    // The folder of all songs is itself a link, to a folder with an entry that is named like a
    // song.
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

/// Float samples that are not music give finite stems.
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

/// A small disk that is unmounted after the test, with a data folder on it.
#[cfg(target_os = "linux")] // mounts a disk
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")] // mounts a disk
impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(self.0.path()).status().unwrap();
    }
}

#[cfg(target_os = "linux")] // mounts a disk
impl SmallDisk {
    /// Mounts a disk of 12 MB. Without the permission to mount, prints a note and skips the test.
    fn new() -> Option<Self> {
        let disk = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(disk.path())
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            println!("SKIPPED: mounting a small disk needs root");
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

    /// Fills the disk up to this number of free bytes.
    fn fill_but(&self, bytes: u64) -> std::path::PathBuf {
        let ballast = self.0.path().join("ballast");
        let free = partita::engine::system::atomic_file::free_bytes(self.0.path()).unwrap();
        // The last pages may not fit, but then the disk is full as well.
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

/// The required space is checked before the start; if the disk fills up later, the job waits. In
/// both cases, the job resumes once space is free, with the same result.
#[cfg(target_os = "linux")] // mounts a disk
#[test]
fn a_job_waits_for_room_on_the_disk() {
    use std::{sync::Arc, time::Duration};

    use partita::engine::{Command, Compute, Config, Engine, Event, JobState};

    let Some(disk) = SmallDisk::new() else { return };
    let songs = tempfile::tempdir().unwrap();
    let file = songs.path().join("song.wav");
    write_song(&file, 44_100 * 6, 44_100, 1); // 2.1 MB for the mix, 8.5 MB for the stems
    assert!(partita(&disk.home(), &["add", file.to_str().unwrap()]).status.success());
    let ballast = disk.fill_but(5 << 20);
    let output = partita(&disk.home(), &["process", "1", "--threads", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("MB are needed"), "{}", stderr(&output));

    let compute = Compute { threads: Some(1), ..Compute::default() };
    let config = Config { home: disk.home(), compute, interactive: true, waker: Arc::new(|| {}) };
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
    assert!(words.contains("paused") && words.contains("MB are free"), "{words}");
    fs::remove_file(&ballast).unwrap();
    let mut filled = None;
    let id = loop {
        if let Event::Job(job) = next() {
            assert!(!matches!(job.state, JobState::Failed(_)), "{job:?}");
            if job.segments_done >= 5 && filled.is_none() {
                filled = Some(disk.fill_but(0));
                let words = paused();
                assert!(words.starts_with("the song is paused"), "{words}");
                fs::remove_file(disk.0.path().join("ballast")).unwrap();
            }
            if job.state == JobState::Done {
                break job.song;
            }
        }
    };
    assert!(filled.is_some(), "the disk did not fill up during the job");
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

/// A removed song can be restored until an import needs the space.
#[cfg(target_os = "linux")] // mounts a disk
#[test]
fn an_import_takes_the_room_of_what_was_removed() {
    use std::{sync::Arc, time::Duration};

    use partita::engine::{Command, Compute, Config, Engine, Event, Problem};

    let Some(disk) = SmallDisk::new() else { return };
    let songs = tempfile::tempdir().unwrap();
    let [one, two] = ["one.wav", "two.wav"].map(|name| songs.path().join(name));
    write_song(&one, 44_100 * 16, 44_100, 1); // 5.6 MB for the mix
    write_song(&two, 44_100 * 17, 44_100, 2);
    let compute = Compute { threads: Some(1), ..Compute::default() };
    // Without an interactive engine before it, no process has opened the song to compute its key.
    let config = Config { home: disk.home(), compute, interactive: false, waker: Arc::new(|| {}) };
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
    assert_eq!(
        fs::read_dir(disk.home().join("songs")).unwrap().count(),
        1,
        "files are left behind"
    );
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

/// On a full or read-only disk, an error names the place, and nothing is damaged.
#[cfg(target_os = "linux")] // mounts a disk
#[test]
fn an_error_on_a_full_or_read_only_disk_names_the_place() {
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
    // Fails before anything is written: 4 s need 1.4 MB.
    let words = stderr(&output);
    assert!(words.contains(": 3 MB are needed, 1 MB"), "{words}");
    assert_eq!(
        fs::read_dir(disk.home().join("songs")).unwrap().count(),
        1,
        "files of the song are left"
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
