//! The command line as scripts use it: the real program, the real model, real files.

use std::{fs, path::Path, time::Duration};

use partita::engine::separation::{
    installed::{DEFAULT, InstalledModel},
    memory,
};

use crate::support::{
    command, home, json_lines, largest_difference, model_file, partita, read_wav, stderr, stdout,
    tiny_home, walk, write_song, write_song_at,
};

const STEMS: [&str; 4] = ["drums", "bass", "other", "vocals"];

#[test]
fn separate_writes_stems_that_add_up_to_the_mix() {
    let home = home();
    let song = home.path().join("a song.wav");
    write_song(&song, 96_000, 48_000, 1);
    let text = home.path().join("words.mp3");
    fs::write(&text, "no music here, only words\n".repeat(40)).unwrap();
    let out = home.path().join("out");
    let arguments = ["separate", "--json", "--mix", "--depth", "32f", "--rate", "44100", "--out"];
    let files = [out.to_str().unwrap(), text.to_str().unwrap(), song.to_str().unwrap()];
    let output = partita(home.path(), &[&arguments[..], &files[..]].concat());
    // Only the bad file fails.
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let lines = json_lines(&output);
    assert!(lines[0]["error"].as_str().unwrap().contains("not an audio file"), "{}", lines[0]);
    assert_eq!(lines[1]["frames"], 88_200);
    let folder = out.join("a song");
    let mut sum = vec![0.0f32; 2 * 88_200];
    for stem in STEMS {
        let samples = read_wav(&folder.join(format!("{stem}.wav")));
        assert_eq!(samples.len(), sum.len(), "{stem}");
        assert!(samples.iter().all(|x| x.is_finite()));
        sum.iter_mut().zip(&samples).for_each(|(a, b)| *a += b);
    }
    let mix = read_wav(&folder.join("mix.wav"));
    assert!(largest_difference(&sum, &mix) < 1e-6);
    assert!(mix.iter().any(|x| x.abs() > 0.01), "the mix is silent");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 5, "unexpected files: {names:?}");
    // A second run does not overwrite existing files.
    let output = partita(home.path(), &[&arguments[..], &files[..1], &files[2..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--on-exists"), "{}", stderr(&output));
}

#[test]
fn one_sample_and_silence_are_songs_too() {
    let home = home();
    for (name, frames, level) in [("one", 1, 12_000.0), ("silence", 7000, 0.0)] {
        let song = home.path().join(format!("{name}.wav"));
        write_song_at(&song, frames, 44_100, 2, level);
        let out = home.path().join("out");
        let arguments = ["separate", song.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let output = partita(home.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        for stem in STEMS {
            let samples = read_wav(&out.join(name).join(format!("{stem}.wav")));
            assert_eq!(samples.len(), 2 * frames);
            assert!(samples.iter().all(|x| x.is_finite() && (level > 0.0 || x.abs() < 2e-4)));
        }
    }
}

/// Every command accepts a path that is not Unicode, and loud tracks still add up.
#[cfg(unix)] // names on Windows are UTF-16
#[test]
fn any_path_and_any_level_is_taken() {
    let home = home();
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9.wav");
    let song = home.path().join(name);
    write_song_at(&song, 30_000, 44_100, 7, 60_000.0);
    let mut add = command(home.path(), &["add", "--json"]);
    assert!(add.arg(&song).output().unwrap().status.success());
    let listed = &json_lines(&partita(home.path(), &["--json", "list"]))[0];
    assert!(listed["song"]["path"].as_str().unwrap().contains("caf"));
    let stems = "vocals,drums,other,bass,bass";
    let output = partita(home.path(), &["process", "1", "--stems", stems, "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let line = &json_lines(&output)[0];
    let track = |name: &str| read_wav(Path::new(line["tracks"][name].as_str().unwrap()));
    let mut sum = track("mix");
    for stem in STEMS {
        sum.iter_mut().zip(track(stem)).for_each(|(a, b)| *a -= b);
    }
    assert!(sum.iter().all(|x| x.abs() <= 7.5 / 32_768.0), "expected one common gain, with dither");
}

/// Runs add, list, process, progress, jobs and reset; the stems equal those of `separate`.
#[test]
fn the_library_keeps_songs_jobs_and_tracks() {
    let home = home();
    let song = home.path().join("Ünïcødé 日本.wav");
    write_song(&song, 60_000, 44_100, 3);
    let at = |arguments: &[&str]| partita(home.path(), arguments);
    let output = at(&["add", "--json", song.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let added = &json_lines(&output)[0];
    assert_eq!(
        (added["title"].as_str(), added["frames"].as_u64()),
        (Some("Ünïcødé 日本"), Some(60_000))
    );
    assert!(at(&["add", song.to_str().unwrap()]).status.success());
    assert_eq!(json_lines(&at(&["list", "--json"])).len(), 1, "the same file is the same song");

    let output = at(&["progress", "ünï"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("not processed"), "{}", stderr(&output));
    let output = at(&["process", "ünï", "--stems", "vocals,bass", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let progress = &json_lines(&at(&["progress", "1", "--json"]))[0];
    assert_eq!(progress["percent"], 100);
    let track = |name: &str| read_wav(Path::new(progress["tracks"][name].as_str().unwrap()));
    assert_eq!(progress["tracks"].as_object().unwrap().len(), 3);
    let (vocals, bass, mix) = (track("vocals"), track("bass"), track("mix"));
    let sum: Vec<f32> = vocals.iter().zip(&bass).map(|(a, b)| a + b).collect();
    assert!(largest_difference(&sum, &mix) <= 4.5 / 32_768.0, "each file is dithered separately");

    // Other stems need no computation, because all stems of a segment are computed together.
    let job = &json_lines(&at(&["process", "1", "--stems", "drums", "--json"]))[0]["job"];
    assert_eq!((job["seconds"].as_f64(), job["segments_done"].as_u64()), (Some(0.0), Some(1)));

    let out = home.path().join("out");
    let arguments = ["separate", song.to_str().unwrap(), "--stems", "vocals", "--out"];
    assert!(at(&[&arguments[..], &[out.to_str().unwrap()]].concat()).status.success());
    let folder = out.join("Ünïcødé 日本");
    assert_eq!(
        read_wav(&folder.join("vocals.wav")),
        vocals,
        "expected the same samples as in the library"
    );
    assert!(!folder.join("bass.wav").exists(), "a stem that was not requested");

    let jobs = json_lines(&at(&["jobs", "--json"]));
    assert_eq!(jobs.len(), 2);
    assert!(stdout(&at(&["job", "1"])).contains("vocals"));
    assert_eq!(at(&["reset"]).status.code(), Some(1), "the question needs a terminal");
    assert!(at(&["reset", "--yes"]).status.success());
    assert!(json_lines(&at(&["list", "--json"])).is_empty());
    assert!(song.is_file(), "the user's own file is kept");
    assert!(fs::read_dir(home.path().join("songs")).unwrap().next().is_none());
}

#[test]
fn a_killed_process_goes_on_from_its_last_segment() {
    let home = home();
    let song = home.path().join("long.wav");
    write_song(&song, 44_100 * 12, 44_100, 4); // three segments
    assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    let mut child = command(home.path(), &["process", "long"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let done = || -> Vec<u8> {
        let songs = home.path().join("songs");
        let found = walk(&songs).into_iter().find(|path| path.ends_with("segments"));
        found.map(|path| fs::read(path).unwrap()).unwrap_or_default()
    };
    while !done().contains(&1) {
        std::thread::sleep(Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none(), "the program ended too early");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = done();
    assert!(before.contains(&0), "the program was not killed in the middle: {before:?}");
    let output = partita(home.path(), &["process", "long", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let line = &json_lines(&output)[0];
    assert_eq!(line["job"]["id"], 1, "expected the same job");
    assert_eq!(line["job"]["segments_done"], 3);
    let out = home.path().join("out");
    let arguments = ["separate", song.to_str().unwrap(), "--out", out.to_str().unwrap()];
    assert!(partita(home.path(), &arguments).status.success());
    for stem in STEMS {
        let resumed = read_wav(Path::new(line["tracks"][stem].as_str().unwrap()));
        let undisturbed = read_wav(&out.join("long").join(format!("{stem}.wav")));
        assert_eq!(resumed, undisturbed, "{stem}");
    }
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let home = home();
    let song = home.path().join("known.wav");
    write_song(&song, 100, 44_100, 5);
    partita(home.path(), &["add", song.to_str().unwrap()]);
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let output = partita(home.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    };
    fails(&["process", "other"], 1, "1 known");
    fails(&["process", "known", "--stems", "kazoo"], 1, "drums, bass, other, vocals");
    fails(&["separate", song.to_str().unwrap(), "--stems", "kazoo"], 1, "vocals");
    fails(&["progress", "other"], 1, "1 known");
    fails(&["job", "7"], 1, "none");
    fails(&["separate", "--depth", "8", "x"], 2, "source, 16, 24 or 32f");
    fails(&["nonsense-flag", "--what"], 2, "--what");
    fails(&["separate", "/no/such/file.wav"], 1, "/no/such/file.wav");
    fails(&["separate", song.to_str().unwrap(), "--model", "nope"], 1, "nope");
}

#[test]
fn a_checkpoint_is_imported_and_described() {
    let home = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
    let path = |name: &str| golden.join(name).display().to_string();
    // The folder also contains configurations of other networks.
    let output = partita(home.path(), &["model", "import", &path("full.ckpt")]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("for example --hop 441 --chunk 352800 --stems vocals"), "{text}");
    let stated = ["--hop", "16", "--chunk", "4410", "--stems", "Vocals", "--name", "voice"];
    let full = path("full.ckpt");
    let arguments = [&["model", "add", full.as_str()], &stated[..]].concat();
    let output = partita(home.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let expected =
        "BS-RoFormer, 4 × 1, 3 bands, 1 stem: vocals; the rest: instrumental; segments of 0.10 s";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("voice\tinstalled"), "{}", stdout(&output));
    let config = path("plain.yaml");
    let arguments = ["--json", "model", "import", &path("plain.ckpt"), "--config", &config];
    let lines = json_lines(&partita(home.path(), &arguments));
    assert_eq!(lines[0]["sources"], serde_json::json!(["vocals", "other"]));
    assert_eq!(lines[0]["recognised"]["kind"], "BS-RoFormer");
    assert_eq!(lines[0]["already_installed"], false);
    // A second import of the network, and another network under a used name.
    let output = partita(home.path(), &[&["model", "add", full.as_str()], &stated[..]].concat());
    assert!(stderr(&output).contains("voice is installed already"), "{}", stderr(&output));
    let named = ["model", "import", &path("plain.ckpt"), "--config", &config, "--name", "voice"];
    let output = partita(home.path(), &named);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("partita model remove voice"), "{}", stderr(&output));
}

/// An import cancelled by a signal leaves no file behind.
#[cfg(unix)] // Windows has no SIGINT for one process
#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("large.safetensors");
    // A sparse file with hundreds of MB of zeros, which takes seconds to read.
    let length = 800_000_000_u64;
    let tensors: Vec<String> = (0..100)
        .map(|index: u64| {
            let (from, to) = (index * length / 100, (index + 1) * length / 100);
            let shape = (to - from) / 4;
            format!(
                "\"t{index}\":{{\"dtype\":\"F32\",\"shape\":[{shape}],\"data_offsets\":[{from},{to}]}}"
            )
        })
        .collect();
    let header = format!("{{{}}}", tensors.join(","));
    let mut start = (header.len() as u64).to_le_bytes().to_vec();
    start.extend(header.as_bytes());
    fs::write(&file, &start).unwrap();
    let sparse = fs::OpenOptions::new().write(true).open(&file).unwrap();
    sparse.set_len(start.len() as u64 + length).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_partita"))
        .env("PARTITA_HOME", home.path())
        .env("LC_ALL", "C")
        .env_remove("LANGUAGE")
        .args(["model", "import"])
        .arg(&file)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    // After the first line of progress, the signal handler is installed.
    std::io::BufRead::read_line(&mut said, &mut text).unwrap();
    let signalled = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(signalled.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    std::io::Read::read_to_string(&mut said, &mut text).unwrap();
    assert!(text.contains("cancelled; nothing was installed"), "{text}");
    let left = fs::read_dir(home.path().join("models")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn an_unknown_model_is_answered_with_the_known_ones() {
    let home = tempfile::tempdir().unwrap();
    let output = partita(home.path(), &["separate", "song.wav", "--model", "nosuch"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("unknown model nosuch; expected one of: htdemucs"), "{text}");
}

#[test]
fn without_a_model_it_says_how_to_get_one() {
    let home = tempfile::tempdir().unwrap();
    let song = home.path().join("song.wav");
    write_song(&song, 100, 44_100, 6);
    let output = partita(home.path(), &["separate", song.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("partita model install"), "{}", stderr(&output));
}

#[test]
fn doctor_reports_the_model_and_the_data_folder() {
    let home = home();
    let report = &json_lines(&partita(home.path(), &["doctor", "--json"]))[0];
    assert!(report["model"].as_str().unwrap().contains("installed"));
    assert_eq!(report["home"].as_str().unwrap(), home.path().to_str().unwrap());
    let size = fs::metadata(model_file()).unwrap().len();
    assert!(report["home_bytes"].as_u64().unwrap() >= size);
    assert!(report["speed"].is_null(), "the speed was not measured yet");
}

/// The engine's pace starts from doctor's measurement, and jobs update it.
#[test]
fn a_measured_pace_is_kept_and_jobs_move_it() {
    let home = home();
    let at = |arguments: &[&str]| json_lines(&partita(home.path(), arguments)).remove(0);
    let pace =
        |report: &serde_json::Value| report["speed"]["seconds_per_segment"].as_f64().unwrap();
    let measured = pace(&at(&["doctor", "--measure", "--json"]));
    assert!(measured > 0.0);
    assert_eq!(pace(&at(&["doctor", "--json"])), measured);
    let song = home.path().join("song.wav");
    write_song(&song, 5000, 44_100, 9);
    at(&["add", "--json", song.to_str().unwrap()]);
    at(&["process", "song", "--json"]);
    let after_job = pace(&at(&["doctor", "--json"]));
    assert_ne!(after_job, measured);
    let out = home.path().join("out");
    at(&["separate", "--json", song.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_ne!(pace(&at(&["doctor", "--json"])), after_job);
}

#[test]
fn the_fast_precision_works_or_says_what_it_wants() {
    let home = home();
    let song = home.path().join("song.wav");
    write_song(&song, 5000, 44_100, 8);
    let out = home.path().join("out");
    let arguments = ["separate", song.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let fast = [&arguments[..], &["--precision", "fast", "--threads", "2"]].concat();
    let output = partita(home.path(), &fast);
    if partita::model::kernels::cpu::has_bf16() {
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(read_wav(&out.join("song/vocals.wav")).len(), 2 * 5000);
    } else {
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("AVX-512 BF16"), "{}", stderr(&output));
        assert!(walk(&out).is_empty(), "files are left behind");
    }
    let output = partita(home.path(), &["list", "--precision", "quick"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`single` or `fast`"), "{}", stderr(&output));
}

/// candle's network is chosen on the command line, and its stems are those of the kernels.
#[test]
fn a_device_is_chosen_or_named_as_missing() {
    let home = tiny_home();
    let song = home.path().join("song.wav");
    write_song(&song, 20_000, 44_100, 8);
    let stems = |device: &str| {
        let out = home.path().join(device);
        let arguments = ["separate", "--depth", "32f", "--device", device, "--out"];
        let files = [out.to_str().unwrap(), song.to_str().unwrap()];
        let output = partita(home.path(), &[&arguments[..], &files[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let mut files = walk(&out);
        files.sort();
        files.iter().flat_map(|file| read_wav(file)).collect::<Vec<f32>>()
    };
    let (kernels, candle) = (stems("cpu"), stems("candle-cpu"));
    let power: f64 = kernels.iter().map(|x| f64::from(*x).powi(2)).sum();
    let error: f64 = kernels.iter().zip(&candle).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let db = 10.0 * (power / error).log10();
    println!("candle-cpu: {db:.1} dB from the kernels");
    assert!(kernels.len() == candle.len() && db > 90.0, "{db:.1} dB");
    assert!(error > 0.0, "the kernels have computed both");
    assert_eq!(stems("auto"), kernels);

    let report = &json_lines(&partita(home.path(), &["doctor", "--json"]))[0];
    assert_eq!((&report["device"], &report["used_device"]), (&"auto".into(), &"cpu".into()));
    let output = partita(home.path(), &["doctor", "--device", "candle-cpu"]);
    assert!(stdout(&output).contains("candle-cpu"), "{}", stdout(&output));

    let output = partita(home.path(), &["list", "--device", "gpu"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`candle-cpu`"), "{}", stderr(&output));
    let missing = if cfg!(target_os = "macos") { "cuda" } else { "metal" };
    let output = partita(home.path(), &["list", "--device", missing]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(missing), "{}", stderr(&output));
}

#[test]
fn within_a_limit_of_memory_fewer_threads_work_and_then_none() {
    let home = tiny_home();
    let song = home.path().join("song.wav");
    write_song(&song, 44_100, 44_100, 1);
    assert!(partita(home.path(), &["add", song.to_str().unwrap()]).status.success());
    let model = InstalledModel::find(home.path(), DEFAULT).unwrap().unwrap();
    let for_two = memory::need(model.memory(), 2);
    let set = |bytes: u64| {
        fs::write(home.path().join("settings.toml"), format!("memory = {bytes}\n")).unwrap();
    };
    let process = |limit: &[&str]| {
        let words = [&["process", "song", "--threads", "4"], limit].concat();
        let output = partita(home.path(), &words);
        (output.status.success(), stderr(&output))
    };
    set(45 << 20);
    let (is_done, words) = process(&[]);
    assert!(!is_done && words.contains("the limit is 45 MB"), "{words}");
    // The command line overrides the settings.
    let (is_done, words) = process(&["--memory", &for_two.to_string()]);
    assert!(is_done && words.contains("2 threads of 4 fit"), "{words}");
    fs::remove_dir_all(walk(home.path()).iter().find_map(|path| stems_of(path)).unwrap()).unwrap();
    set(for_two + (6 << 20));
    let (is_done, words) = process(&[]);
    assert!(is_done && words.contains("3 threads of 4 fit"), "{words}");
}

/// The folder of stems that contains a file.
fn stems_of(file: &Path) -> Option<&Path> {
    file.ancestors().find(|folder| folder.ends_with("stems"))
}

#[test]
fn speaks_the_language_of_the_setting_or_the_system() {
    let home = tiny_home();
    let said = |arguments: &[&str], locale: &str| {
        let output = command(home.path(), arguments).env("LC_ALL", locale).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output) + &stderr(&output)
    };
    // Windows has no variable for the language.
    if cfg!(unix) {
        assert!(said(&["list"], "pt_BR.UTF-8").contains("a biblioteca está vazia"));
        assert!(said(&["list"], "xx_XX.UTF-8").contains("the library is empty"));
        assert!(said(&["list", "--json"], "pt_BR.UTF-8").contains("a biblioteca está vazia"));
    }
    assert!(said(&["list"], "C").contains("the library is empty"));
    fs::write(home.path().join("settings.toml"), "language = \"pt\"\n").unwrap();
    assert!(said(&["list"], "C").contains("a biblioteca está vazia"));
    // An unfinished translation is used without a build.
    let folder = home.path().join("eo");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.ftl"), "cli-no-songs = malplena\n").unwrap();
    let preview = |arguments: &[&str]| {
        let mut command = command(home.path(), arguments);
        let output = command.env("PARTITA_TRANSLATION", &folder).output().unwrap();
        stdout(&output) + &stderr(&output)
    };
    assert!(preview(&["list"]).contains("malplena"));
    assert!(preview(&["jobs"]).contains("no jobs"), "missing messages are English");
}
