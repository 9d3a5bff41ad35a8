//! Work on a song that any node may take up: one folder for each try, which belongs to one process.
//!
//! Needs no locks, which some file systems of clusters lack or keep to one node. A try's folder is
//! made, and taken over from one who has died, by one rename, which one of several gets. Whoever is
//! alive writes to a small file now and then; how old that is is told by the file system's own clock.
//! Where two are on one song all the same, each writes to a folder of its own.
//!
//! Runs on the caller's thread, and a thread that keeps the claim alive.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Sender, bounded};
use serde::{Deserialize, Serialize};

use crate::engine::{
    EngineError, Result,
    files::{make_folders, temporary_in, write_atomically},
};

/// What tries' folders begin with, and those that are still being made.
const TRY: &str = "try-";
const NEW: &str = "new-";
/// In a try's folder: whose it is.
const ALIVE: &str = "alive";
/// How often whoever works on a song says that it is alive.
const BEAT: Duration = Duration::from_secs(10);
/// After so long without a word it is not. A node that hangs for longer loses its song to another, and
/// notices when it writes next.
pub const SILENCE: Duration = Duration::from_mins(1);

/// Who works on a song.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Worker {
    host: String,
    pid: u32,
    /// Of this start of this system; a process of another one is not looked for.
    system: Option<String>,
    /// When the process began, as its system counts.
    began: Option<String>,
}

/// A song's folder that is ours.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    beat: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What came of asking for a song.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Ours(Claim),
    /// Somebody else is on it; on which host.
    Others(String),
}

/// Asks for the song `key`, whose tries are below `root`. What one who has died there left is taken
/// over: of several, what is furthest.
///
/// # Errors
/// [`EngineError::Io`].
pub fn ask(root: &Path, key: &str) -> Result<Asked> {
    const TIMES: usize = 5;
    let of_song = root.join(key);
    let mut tried = 0;
    loop {
        tried += 1;
        match ask_in(&of_song) {
            // One who was done with the song removed its folder at that moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound && tried < TIMES => {}
            asked => {
                return asked.map_err(|source| EngineError::Io {
                    what: "cannot write",
                    path: of_song,
                    source,
                });
            }
        }
    }
}

fn ask_in(of_song: &Path) -> io::Result<Asked> {
    make_folders(of_song)?;
    let now = Clock::new(of_song)?;
    let mut dead = Vec::new();
    for folder in tries(of_song) {
        match now.owner(&folder) {
            Owner::Alive(host) => return Ok(Asked::Others(host)),
            Owner::Dead => dead.push(folder),
            Owner::Ourselves => {}
        }
    }
    dead.sort_by_key(|folder| std::cmp::Reverse(finished(folder)));
    // Nobody sees it as a try before it says whose it is.
    let new = tempfile::Builder::new().prefix(NEW).tempdir_in(of_song)?;
    let name = new.path().file_name().unwrap_or_default().to_string_lossy().replace(NEW, TRY);
    let mine = of_song.join(name);
    let mut dead = dead.into_iter();
    // Of two who try, one fails.
    let took = dead.find(|folder| fs::rename(folder, &mine).is_ok());
    if let Some(took) = took {
        return match Claim::begin(mine.clone(), &mine) {
            Ok(claim) => {
                // A server may think for a while that a dead machine holds its lock.
                drop(fs::remove_file(mine.join(super::STEMS).join("lock")));
                tracing::debug!("{} is taken over as {}", took.display(), mine.display());
                dead.for_each(|folder| tell(&folder, fs::remove_dir_all(&folder)));
                Ok(Asked::Ours(claim))
            }
            // Somebody took it for the dead one's, in the moment before it said that it is ours.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Asked::Others("another machine".into()))
            }
            Err(error) => Err(error),
        };
    }
    let claim = Claim::begin(mine, &new.keep())?;
    if let Some(host) = earlier(of_song, claim.path(), &now) {
        // Both began at once: the one whose folder comes first stays.
        claim.remove();
        return Ok(Asked::Others(host));
    }
    Ok(Asked::Ours(claim))
}

/// The host of somebody alive whose try comes before `mine`.
fn earlier(of_song: &Path, mine: &Path, now: &Clock) -> Option<String> {
    let before = tries(of_song).into_iter().filter(|folder| folder.as_path() < mine);
    before.into_iter().find_map(|folder| match now.owner(&folder) {
        Owner::Alive(host) => Some(host),
        _ => None,
    })
}

/// Removes all that was tried of a song that is complete, but for what others are at.
pub fn clear(root: &Path, key: &str) {
    let of_song = root.join(key);
    let Ok(now) = Clock::new(&of_song) else { return };
    for folder in tries(&of_song) {
        if matches!(now.owner(&folder), Owner::Dead) {
            tell(&folder, fs::remove_dir_all(&folder));
        }
    }
    // Stays while there is something in it.
    drop(fs::remove_dir(&of_song));
}

fn tries(of_song: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of_song).into_iter().flatten().flatten();
    let is_try = |name: &str| name.starts_with(TRY);
    let mut tries: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_try))
        .map(|entry| entry.path())
        .collect();
    tries.sort();
    tries
}

/// How far a try is: bytes of finished segments' flags.
fn finished(folder: &Path) -> usize {
    let flags = fs::read(folder.join(super::STEMS).join("segments")).unwrap_or_default();
    flags.into_iter().filter(|&flag| flag == 1).count()
        + usize::from(folder.join("mix.json").exists())
}

impl Claim {
    /// Says in the folder `now` that it is ours, and gives it the name `folder`.
    fn begin(folder: PathBuf, now: &Path) -> io::Result<Self> {
        let path = now.join(ALIVE);
        let text = serde_json::to_vec(&Worker::this())?;
        write_atomically(&path, &text).map_err(|error| match error {
            EngineError::Io { source, .. } => source,
            other => io::Error::other(other),
        })?;
        let mut file = File::options().append(true).open(&path)?;
        if folder != now {
            fs::rename(now, &folder)?;
        }
        let (stop, stopped) = bounded::<()>(1);
        let beat = move || {
            while stopped.recv_timeout(BEAT).is_err_and(|error| error.is_timeout()) {
                // A write, so that the server's clock says when; blanks after the text are nothing.
                if let Err(error) = file.write_all(b" ").and_then(|()| file.sync_data()) {
                    tracing::debug!("no sign of life is written: {error}");
                }
            }
        };
        let thread = std::thread::Builder::new().name("alive".into()).spawn(beat)?;
        Ok(Self { folder, beat: Some((stop, thread)) })
    }

    /// Where the work is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Removes the work; it is done, or of no use.
    pub fn remove(mut self) {
        self.end();
        tell(&self.folder, fs::remove_dir_all(&self.folder));
    }

    fn end(&mut self) {
        if let Some((stop, thread)) = self.beat.take() {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the thread that says we are alive panicked");
            }
        }
    }
}

/// What was done stays, and whoever comes next may take it up at once.
impl Drop for Claim {
    fn drop(&mut self) {
        if self.beat.is_some() {
            self.end();
            tell(&self.folder, fs::remove_file(self.folder.join(ALIVE)));
        }
    }
}

impl Worker {
    fn this() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid, system: system(), began: began(pid) }
    }

    /// Whether it has surely ended: it was on this system, and is not there.
    fn has_ended(&self) -> bool {
        self.system.is_some() && self.system == system() && began(self.pid) != self.began
    }
}

/// What this machine is called.
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "a machine without a name".into())
}

/// This start of this system, and the processes that can be seen: a container sees its own.
fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), processes.display()))
}

/// When a process of this system began; `None` where there is none, or the system does not say.
fn began(pid: u32) -> Option<String> {
    const AFTER_NAME: usize = 19;
    let about = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what has ended and was not asked about is dead.
    let (_, rest) = about.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if matches!(fields.clone().next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(AFTER_NAME).map(str::to_owned)
}

/// Whose a try is.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Alive(String),
    Ourselves,
    Dead,
}

/// The clock of a file system, read once.
struct Clock(std::time::SystemTime);

impl Clock {
    fn new(folder: &Path) -> io::Result<Self> {
        let mut file = temporary_in(folder)?;
        file.write_all(b" ")?;
        file.as_file().sync_data()?;
        Ok(Self(file.as_file().metadata()?.modified()?))
    }

    fn owner(&self, folder: &Path) -> Owner {
        let path = folder.join(ALIVE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            // It was let go, or is gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Owner::Dead,
            Err(_) => return Owner::Alive("a machine that cannot be seen".into()),
        };
        let worker = serde_json::from_slice::<Worker>(&text).ok();
        if worker.as_ref().is_some_and(|worker| *worker == Worker::this()) {
            return Owner::Ourselves;
        }
        let is_silent = path.metadata().is_ok_and(|about| self.is_old(&about));
        match worker {
            Some(worker) if !is_silent && !worker.has_ended() => Owner::Alive(worker.host),
            None if !is_silent => Owner::Alive("a machine that cannot be told".into()),
            _ => Owner::Dead,
        }
    }

    fn is_old(&self, about: &fs::Metadata) -> bool {
        let age = about.modified().ok().and_then(|written| self.0.duration_since(written).ok());
        age.is_some_and(|age| age > SILENCE)
    }
}

fn tell(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("{} is left over, but cannot be removed: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(asked: Asked) -> Claim {
        match asked {
            Asked::Ours(claim) => claim,
            Asked::Others(host) => panic!("{host} has it"),
        }
    }

    /// Somebody else's try: on another host, or a process that has ended here.
    fn others(root: &Path, host: &str, system: Option<String>) -> PathBuf {
        let folder = root.join("song").join(format!("try-{host}"));
        fs::create_dir_all(&folder).unwrap();
        let worker = Worker { host: host.into(), pid: 1, system, began: Some("never".into()) };
        fs::write(folder.join(ALIVE), serde_json::to_vec(&worker).unwrap()).unwrap();
        fs::write(folder.join("work"), host).unwrap();
        folder
    }

    fn make_old(folder: &Path) {
        let file = File::options().append(true).open(folder.join(ALIVE)).unwrap();
        let then = std::time::SystemTime::now() - 2 * SILENCE;
        file.set_modified(then).unwrap();
    }

    #[test]
    fn what_is_let_go_is_taken_up_and_what_is_done_goes() {
        let root = tempfile::tempdir().unwrap();
        let claim = ours(ask(root.path(), "song").unwrap());
        fs::write(claim.path().join("work"), "half").unwrap();
        drop(claim);
        let claim = ours(ask(root.path(), "song").unwrap());
        assert_eq!(fs::read_to_string(claim.path().join("work")).unwrap(), "half");
        assert_eq!(tries(&root.path().join("song")).len(), 1);
        claim.remove();
        clear(root.path(), "song");
        assert!(fs::read_dir(root.path()).unwrap().next().is_none());
    }

    #[test]
    fn one_who_is_alive_keeps_the_song_and_one_who_is_silent_loses_it() {
        let root = tempfile::tempdir().unwrap();
        let theirs = others(root.path(), "elsewhere", None);
        assert!(
            matches!(ask(root.path(), "song").unwrap(), Asked::Others(host) if host == "elsewhere")
        );
        make_old(&theirs);
        let claim = ours(ask(root.path(), "song").unwrap());
        assert_eq!(fs::read_to_string(claim.path().join("work")).unwrap(), "elsewhere");
        assert!(!theirs.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_who_has_ended_here_loses_it_at_once() {
        let root = tempfile::tempdir().unwrap();
        others(root.path(), "here", system());
        let claim = ours(ask(root.path(), "song").unwrap());
        assert_eq!(fs::read_to_string(claim.path().join("work")).unwrap(), "here");
    }

    #[test]
    fn of_several_that_were_left_the_furthest_is_taken() {
        let root = tempfile::tempdir().unwrap();
        for (host, flags) in [("a", &[1, 0][..]), ("b", &[1, 1]), ("c", &[])] {
            let folder = others(root.path(), host, None);
            fs::create_dir_all(folder.join(super::super::STEMS)).unwrap();
            fs::write(folder.join(super::super::STEMS).join("segments"), flags).unwrap();
            make_old(&folder);
        }
        let claim = ours(ask(root.path(), "song").unwrap());
        assert_eq!(fs::read_to_string(claim.path().join("work")).unwrap(), "b");
        assert_eq!(tries(&root.path().join("song")).len(), 1, "the others are gone");
    }

    #[test]
    fn many_who_ask_at_once_do_not_share_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let theirs = others(root.path(), "dead", None);
        make_old(&theirs);
        let asked: Vec<Asked> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ask(root.path(), "song").unwrap())).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let mut folders: Vec<PathBuf> = asked
            .iter()
            .filter_map(|asked| match asked {
                Asked::Ours(claim) => Some(claim.path().to_owned()),
                Asked::Others(_) => None,
            })
            .collect();
        let count = folders.len();
        let took = folders.iter().filter(|folder| folder.join("work").exists()).count();
        assert!(took <= 1, "the dead one's work is one's");
        folders.sort();
        folders.dedup();
        assert!(count >= 1 && folders.len() == count);
    }
}
