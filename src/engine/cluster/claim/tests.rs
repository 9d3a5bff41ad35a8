//! Claims under every order of steps, and the work of dead processes.

use super::*;
use crate::engine::cluster::STEMS;

const WANTED: Wanted<'static> =
    Wanted { song: "song", work: "work", first_version: Some("song of version 1") };

fn ours(asked: Asked) -> Claim {
    match asked {
        Asked::Ours(claim) => claim,
        Asked::Others(host) => panic!("{host} has it"),
    }
}

/// Creates a try of another process, with a work file that holds the host's name.
fn others(root: &Path, number: u64, host: &str, system: Option<String>) -> PathBuf {
    let folder = root.join("song").join(format!("{TRY}{number:010}"));
    fs::create_dir_all(folder.join("work")).unwrap();
    write_sign(&folder, host, system);
    fs::write(folder.join("work/samples"), host).unwrap();
    folder
}

fn write_sign(folder: &Path, host: &str, system: Option<String>) {
    let worker = Worker { host: host.into(), pid: 1, system, began: Some("never".into()) };
    fs::write(folder.join(ALIVE), serde_json::to_vec(&worker).unwrap()).unwrap();
}

fn make_old(folder: &Path) {
    let file = File::options().append(true).open(folder.join(ALIVE)).unwrap();
    file.set_modified(std::time::SystemTime::now() - 2 * SILENCE).unwrap();
}

fn samples(claim: &Claim) -> String {
    fs::read_to_string(claim.path().join("samples")).unwrap()
}

fn tries(root: &Path) -> usize {
    Asking::new(root, WANTED).tries().len()
}

#[test]
fn resumes_released_work_and_removes_complete_work() {
    let root = tempfile::tempdir().unwrap();
    let claim = ours(ask(root.path(), WANTED).unwrap());
    fs::write(claim.path().join("samples"), "half").unwrap();
    drop(claim);
    let claim = ours(ask(root.path(), WANTED).unwrap());
    assert_eq!((&*samples(&claim), tries(root.path())), ("half", 1));
    claim.remove();
    // A process that was killed while reading the clock of the file system.
    let of_song = fs::read_dir(root.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(of_song.join(".partita-a1B2c3.part"), " ").unwrap();
    // Another one, killed while creating its folder.
    fs::create_dir(of_song.join("new-a1B2c3")).unwrap();
    fs::write(of_song.join("new-a1B2c3/.partita-d4E5f6.part"), "{").unwrap();
    // A third one, killed before its folder had the name of a try.
    let unnamed = of_song.join("new-e7F8g9");
    fs::create_dir(&unnamed).unwrap();
    write_sign(&unnamed, "elsewhere", None);
    make_old(&unnamed);
    clear(root.path(), WANTED);
    assert!(fs::read_dir(root.path()).unwrap().next().is_none());
}

#[test]
fn a_live_process_keeps_its_song_and_a_silent_one_loses_it() {
    let root = tempfile::tempdir().unwrap();
    let theirs = others(root.path(), 3, "elsewhere", None);
    let asked = ask(root.path(), WANTED).unwrap();
    assert!(matches!(asked, Asked::Others(host) if host == "elsewhere"));
    make_old(&theirs);
    let claim = ours(ask(root.path(), WANTED).unwrap());
    assert_eq!(samples(&claim), "elsewhere");
    assert!(!theirs.exists());
}

#[test]
fn a_suspended_process_notices_its_lost_claim() {
    let root = tempfile::tempdir().unwrap();
    let hung = ours(ask(root.path(), WANTED).unwrap());
    assert!(hung.is_held());
    make_old(&hung.folder);
    let claim = ours(ask(root.path(), WANTED).unwrap());
    assert!(claim.is_held() && !hung.is_held());
    drop(hung);
    assert!(claim.is_held());
}

#[cfg(target_os = "linux")] // the boot's id is read from /proc
#[test]
fn a_process_that_ended_on_this_machine_loses_its_song_immediately() {
    let root = tempfile::tempdir().unwrap();
    others(root.path(), 1, "here", crate::engine::cluster::liveness::system());
    assert_eq!(samples(&ours(ask(root.path(), WANTED).unwrap())), "here");
}

#[test]
fn the_most_advanced_of_several_dead_tries_is_resumed() {
    let root = tempfile::tempdir().unwrap();
    for (number, host, flags) in [(1, "a", &[1, 0][..]), (2, "b", &[1, 1]), (3, "c", &[])] {
        let folder = others(root.path(), number, host, None);
        fs::create_dir_all(folder.join("work").join(STEMS)).unwrap();
        fs::write(folder.join("work").join(STEMS).join("segments"), flags).unwrap();
        make_old(&folder);
    }
    let claim = ours(ask(root.path(), WANTED).unwrap());
    assert_eq!((&*samples(&claim), tries(root.path())), ("b", 1));
}

#[test]
fn work_for_another_state_of_the_file_is_not_resumed() {
    let root = tempfile::tempdir().unwrap();
    make_old(&others(root.path(), 1, "before", None));
    let claim = ours(ask(root.path(), Wanted { work: "other", ..WANTED }).unwrap());
    assert!(!claim.path().join("samples").exists());
    assert_eq!(tries(root.path()), 1);
}

/// Version 1 gave tries random names, and kept the work directly in them.
#[test]
fn work_of_version_1_is_resumed_and_its_live_processes_are_respected() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("song of version 1/try-a1B2c3");
    fs::create_dir_all(&folder).unwrap();
    write_sign(&folder, "elsewhere", None);
    fs::write(folder.join("samples"), "from version 1").unwrap();
    let asked = ask(root.path(), WANTED).unwrap();
    assert!(matches!(asked, Asked::Others(host) if host == "elsewhere"));
    make_old(&folder);
    let claim = ours(ask(root.path(), WANTED).unwrap());
    assert_eq!(samples(&claim), "from version 1");
    claim.remove();
    clear(root.path(), WANTED);
    assert!(fs::read_dir(root.path()).unwrap().next().is_none());
}

#[test]
fn one_of_many_threads_gets_the_song() {
    let root = tempfile::tempdir().unwrap();
    make_old(&others(root.path(), 1, "dead", None));
    let asked: Vec<Asked> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| ask(root.path(), WANTED).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let claims: Vec<_> = asked.iter().filter(|answer| matches!(answer, Asked::Ours(_))).collect();
    let [Asked::Ours(claim)] = claims[..] else { panic!("{asked:?}") };
    assert_eq!(samples(claim), "dead");
}

/// A process between two steps of its request.
#[derive(Debug)]
enum Process {
    Idle,
    Looked(u64),
    Announced(Claim),
    Owner(Claim),
}

impl Process {
    /// Takes one step. An owner finishes the song, and the process then requests it again.
    fn step(self, asking: &Asking<'_>, root: &Path) -> Self {
        match self {
            Self::Idle => match asking.look() {
                Ok(Look::Free(next)) => Self::Looked(next),
                Ok(Look::Taken(_)) => Self::Idle,
                Err(error) => panic!("{error}"),
            },
            Self::Looked(next) => match asking.announce(next) {
                Ok(claim) => claim.map_or(Self::Idle, Self::Announced),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Idle,
                Err(error) => panic!("{error}"),
            },
            Self::Announced(claim) => match asking.confirm(claim) {
                Ok(Asked::Ours(claim)) => Self::Owner(claim),
                Ok(Asked::Others(_)) => Self::Idle,
                Err(error) => panic!("{error}"),
            },
            Self::Owner(claim) => {
                claim.remove();
                clear(root, WANTED);
                Self::Idle
            }
        }
    }
}

/// Runs a schedule: the index of the process that takes each step. Returns the number of owners at
/// the end.
fn run(schedule: &[usize], processes: usize, has_dead: bool) -> usize {
    let root = tempfile::tempdir().unwrap();
    if has_dead {
        make_old(&others(root.path(), 1, "dead", None));
    }
    let asking = Asking::new(root.path(), WANTED);
    let mut all: Vec<Process> = (0..processes).map(|_| Process::Idle).collect();
    let owners =
        |all: &[Process]| all.iter().filter(|process| matches!(process, Process::Owner(_))).count();
    for (at, &process) in schedule.iter().enumerate() {
        let before = std::mem::replace(&mut all[process], Process::Idle);
        all[process] = before.step(&asking, root.path());
        assert!(owners(&all) <= 1, "two own it after {:?}: {all:?}", &schedule[..=at]);
    }
    owners(&all)
}

#[test]
fn one_of_two_processes_gets_the_song_in_every_order_of_their_steps() {
    for bits in 0u32..64 {
        let schedule: Vec<usize> = (0..6).map(|step| (bits >> step & 1) as usize).collect();
        // Each process takes three steps, and never a step as an owner.
        if schedule.iter().sum::<usize>() != 3 {
            continue;
        }
        for has_dead in [false, true] {
            assert_eq!(run(&schedule, 2, has_dead), 1, "{schedule:?}, dead: {has_dead}");
        }
    }
}

#[test]
fn no_order_of_steps_has_two_owners_while_the_song_is_finished_and_requested_again() {
    for seed in 1..12u64 {
        let mut state = seed;
        let mut below = |count: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % count) as usize
        };
        let schedule: Vec<usize> = (0..80).map(|_| below(4)).collect();
        run(&schedule, 4, seed % 2 == 0);
    }
}
