//! Downloads under SIGKILL: a second process of this test program fetches, and is killed at random
//! moments. `PARTITA_KILLS` is the number of rounds.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    catalog::Origin,
    samples,
    server::{Answer, Server},
    store::{State, Store},
};

const HOME: &str = "PARTITA_TEST_HOME";
const URL: &str = "PARTITA_TEST_URL";
const FILE: &str = "tiny.th.safetensors";

fn store(home: &Path, url: String) -> Store {
    let origin = Origin::Https { url, file: FILE.into(), sha256: None };
    Store::with_catalog(home, samples::catalog(vec![origin]))
}

fn install(store: &Store) -> crate::model::Result<()> {
    store.install("tiny", &mut |_| {}, &|| false)
}

/// The killed process: downloads if the environment names a folder and an address.
#[test]
fn the_program_that_is_killed() {
    let (Some(home), Ok(url)) = (env::var_os(HOME), env::var(URL)) else { return };
    install(&store(Path::new(&home), url)).unwrap();
}

#[test]
fn a_killed_download_resumes_and_is_installed_only_when_complete() {
    let rounds: u64 = env::var("PARTITA_KILLS").map_or(12, |text| text.parse().unwrap());
    let data = samples::safetensors(&samples::checkpoint());
    let served = data.clone();
    let server = Server::start(move |_, request| {
        let answer = match request.start() {
            0 => Answer::whole(&served),
            start => Answer::rest(&served, start),
        };
        answer.slowly(Duration::from_millis(2))
    });
    let home = tempfile::tempdir().unwrap();
    let url = format!("{}/{FILE}", server.address);
    let store = store(home.path(), url.clone());
    let part = home.path().join("models/downloads").join(format!("{FILE}.part"));
    let (mut dice, mut installed, mut resumable) = (2026_u64, 0, 0);
    for round in 0..rounds {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "model::weights::kill_tests::the_program_that_is_killed"])
            .env(HOME, home.path())
            .env(URL, &url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros((dice >> 33) % 120_000));
        child.kill().unwrap();
        child.wait().unwrap();
        match store.state("tiny") {
            State::Missing => {
                let begun = fs::read(&part).unwrap_or_default();
                assert!(
                    data.starts_with(&begun),
                    "round {round}: the partial file differs from the file"
                );
                resumable += usize::from(!begun.is_empty());
            }
            State::Installed { .. } => {
                store.verify("tiny", &mut |_| {}, &|| false).unwrap();
                installed += 1;
                // Installing removes the download, and the next round restarts.
                install(&store).unwrap();
                fs::remove_file(store.path("tiny")).unwrap();
            }
            State::Damaged(fault) => panic!("round {round}: {fault}"),
            State::Unusable(error) => panic!("round {round}: {error}"),
        }
    }
    let seen = server.seen();
    let resumed = seen.iter().filter(|request| request.start() > 0).count();
    println!(
        "killed {rounds} times: {installed} had installed it, {resumable} had begun; {} requests, \
         {resumed} of them for a rest",
        seen.len()
    );
    install(&store).unwrap();
    store.verify("tiny", &mut |_| {}, &|| false).unwrap();
    let left = |folder: &str| {
        let names = fs::read_dir(home.path().join(folder)).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(left("models"), ["downloads", "tiny.safetensors"]);
    assert_eq!(left("models/downloads"), ["tiny.lock"]);
}
