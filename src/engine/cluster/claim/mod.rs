//! Claims: at most one process works on a song at a time, and any process may resume the work of a
//! dead one.
//!
//! Claims need no file locks, which some cluster file systems lack or limit to one machine. Each
//! attempt at a song ("try") is a numbered folder with a sign of life ([`super::liveness`]) and the
//! work:
//!
//! 1. A process lists the tries. If one is alive, the song is taken.
//! 2. It creates a folder with its own sign of life, and renames it to the next number. A rename
//!    onto a non-empty folder fails, so only one process gets the number.
//! 3. It lists the tries again, and withdraws if another is alive. If folders were removed between
//!    steps 1 and 2, two processes can get two numbers; the later one then sees the earlier.
//! 4. It moves the most advanced work of the dead tries into its own folder, and removes them.
//!
//! A machine that hangs for longer than [`SILENCE`] can lose its claim unnoticed. Results are
//! therefore safe without claims, too (see [`super::receipt`]); a claim only avoids duplicate work.
//!
//! Runs on the calling thread, plus a thread that keeps the claim alive.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crossbeam_channel::{Sender, bounded};

use super::liveness::{ALIVE, BEAT, Clock, Worker, beat};
pub use super::liveness::{SILENCE, host};
use crate::{
    engine::{
        problem::{Problem, Result},
        system::{
            atomic_file::{make_folders, sweep, try_write_atomically},
            threads::{self, Thread},
        },
    },
    file_moves,
};

/// Prefixes of folders: a try, one being created, and one being removed.
const TRY: &str = "try-";
const NEW: &str = "new-";
const OLD: &str = "old-";

/// Song to claim.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Key of the song, which names the folder of its tries.
    pub song: &'a str,
    /// Name of the work within a try; another name means another state of the song's file.
    pub work: &'a str,
    /// Folder in which version 1 kept tries, with the work directly in each.
    pub first_version: Option<&'a str>,
}

/// A claimed song.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    work: PathBuf,
    beat: Option<(Sender<()>, Thread)>,
}

/// Result of a request for a song.
#[derive(Debug)]
pub enum Asked {
    /// This process has claimed the song.
    Ours(Claim),
    /// A process on this host works on the song.
    Others(String),
}

/// Claims a song whose tries are below `root`, and adopts the most advanced work of dead tries.
///
/// # Errors
/// Fails with [`Problem::File`].
pub fn ask(root: &Path, wanted: Wanted<'_>) -> Result<Asked> {
    const TIMES: usize = 20;
    let asking = Asking::new(root, wanted);
    let mut last = None;
    for _ in 0..TIMES {
        match asking.ask() {
            Ok(Some(asked)) => return Ok(asked),
            // Another process got the number.
            Ok(None) => {}
            // Another process finished the song and removed the folder of its tries.
            Err(error) if error.kind() == io::ErrorKind::NotFound => last = Some(error),
            Err(error) => return Err(asking.cannot(error)),
        }
    }
    last.map_or_else(
        || Ok(Asked::Others("another process".into())),
        |error| Err(asking.cannot(error)),
    )
}

/// A request, in the steps of the module description.
struct Asking<'a> {
    of_song: PathBuf,
    first_version: Option<PathBuf>,
    wanted: Wanted<'a>,
}

/// Result of step 1.
enum Look {
    Taken(String),
    /// No try is alive; holds the next number.
    Free(u64),
}

impl<'a> Asking<'a> {
    fn new(root: &Path, wanted: Wanted<'a>) -> Self {
        let first_version = wanted.first_version.map(|name| root.join(name));
        Self { of_song: root.join(wanted.song), first_version, wanted }
    }

    fn cannot(&self, source: io::Error) -> Problem {
        Problem::write(&self.of_song, source)
    }

    /// Runs all steps; `None` if another process got the number.
    fn ask(&self) -> io::Result<Option<Asked>> {
        let next = match self.look()? {
            Look::Taken(host) => return Ok(Some(Asked::Others(host))),
            Look::Free(next) => next,
        };
        let Some(claim) = self.announce(next)? else { return Ok(None) };
        self.confirm(claim).map(Some)
    }

    /// Step 1.
    fn look(&self) -> io::Result<Look> {
        make_folders(&self.of_song)?;
        let clock = Clock::new(&self.of_song)?;
        let tries = self.tries();
        let alive = tries.iter().find_map(|folder| clock.owner(folder));
        let last = tries.iter().filter_map(|folder| number_of(folder)).max().unwrap_or(0);
        Ok(alive.map_or(Look::Free(last + 1), Look::Taken))
    }

    /// Step 2.
    fn announce(&self, number: u64) -> io::Result<Option<Claim>> {
        let new = tempfile::Builder::new().prefix(NEW).tempdir_in(&self.of_song)?;
        let text = serde_json::to_vec(&Worker::this())?;
        try_write_atomically(&new.path().join(ALIVE), &text)?;
        let folder = self.of_song.join(format!("{TRY}{number:010}"));
        if let Err(error) = file_moves::rename(new.path(), &folder) {
            return if folder.exists() { Ok(None) } else { Err(error) };
        }
        // The sign of life was closed before: Windows does not rename a folder with an open file.
        // Keep the folder: it now has the name of the try.
        drop(new.keep());
        Claim::begin(folder.clone(), self.wanted.work).inspect_err(|_| discard(&folder)).map(Some)
    }

    /// Steps 3 and 4.
    fn confirm(&self, claim: Claim) -> io::Result<Asked> {
        let clock = Clock::new(&self.of_song)?;
        let others: Vec<PathBuf> =
            self.tries().into_iter().filter(|folder| *folder != claim.folder).collect();
        if let Some(host) = others.iter().find_map(|folder| clock.owner(folder)) {
            claim.remove();
            return Ok(Asked::Others(host));
        }
        self.adopt(&others, &claim)?;
        Ok(Asked::Ours(claim))
    }

    /// Moves the most advanced work of dead tries into the claim's folder, and removes the tries.
    fn adopt(&self, dead: &[PathBuf], claim: &Claim) -> io::Result<()> {
        for folder in dead {
            // If the owner was only suspended, it thereby notices that its claim is lost.
            log_failure(folder, fs::remove_file(folder.join(ALIVE)));
        }
        let mut works: Vec<PathBuf> = dead.iter().map(|folder| self.work_in(folder)).collect();
        works.retain(|work| work.is_dir());
        works.sort_by_key(|work| std::cmp::Reverse(finished(work)));
        // Skip work that another process removes at this moment.
        if let Some(work) = works.iter().find(|work| file_moves::rename(work, &claim.work).is_ok())
        {
            // A server may still consider this lock held by a dead machine.
            log_failure(work, fs::remove_file(claim.work.join(super::STEMS).join("lock")));
            tracing::debug!("{} is resumed in {}", work.display(), claim.work.display());
        } else {
            fs::create_dir(&claim.work)?;
        }
        for folder in dead {
            discard(folder);
        }
        Ok(())
    }

    fn tries(&self) -> Vec<PathBuf> {
        let first_version = self.first_version.iter().flat_map(|folder| folders(folder, TRY));
        folders(&self.of_song, TRY).into_iter().chain(first_version).collect()
    }

    fn work_in(&self, folder: &Path) -> PathBuf {
        let is_first_version = folder.parent() == self.first_version.as_deref();
        if is_first_version { folder.to_owned() } else { folder.join(self.wanted.work) }
    }
}

/// Removes the dead tries of a completed song; tries of other live processes stay.
pub fn clear(root: &Path, wanted: Wanted<'_>) {
    let asking = Asking::new(root, wanted);
    for of_song in std::iter::once(&asking.of_song).chain(&asking.first_version) {
        let Ok(clock) = Clock::new(of_song) else { continue };
        for folder in folders(of_song, TRY) {
            if clock.owner(&folder).is_none() {
                discard(&folder);
            }
        }
        for folder in folders(of_song, OLD) {
            log_failure(&folder, fs::remove_dir_all(&folder));
        }
        let is_left = |folder: &PathBuf| {
            // A folder that was just created has no sign of life yet. Looked at first, because the
            // sign may be written meanwhile.
            let has_sign = folder.join(ALIVE).exists();
            let is_old = || folder.metadata().is_ok_and(|metadata| clock.is_old(&metadata));
            clock.owner(folder).is_none() && (has_sign || is_old())
        };
        for folder in folders(of_song, NEW).into_iter().filter(is_left) {
            log_failure(&folder, fs::remove_dir_all(&folder));
        }
        for folder in folders(of_song, NEW) {
            remove_abandoned(&folder);
        }
        // A process that was killed while reading the clock leaves a temporary file.
        sweep(of_song);
        // Fails, and keeps the folder, while it is not empty.
        drop(fs::remove_dir(of_song));
    }
}

/// Removes a folder that a killed process was creating, whose temporary file is no longer locked.
/// An empty folder stays, because its creator may be about to write to it.
fn remove_abandoned(folder: &Path) {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        sweep(folder);
        // Fails, and keeps the folder, while it is not empty.
        drop(fs::remove_dir(folder));
    }
}

/// Lists the folders in `folder` whose names begin with `prefix`.
fn folders(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_wanted = |name: &str| name.starts_with(prefix);
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_wanted))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// Number of a try; `None` for tries of version 1, whose names are random.
fn number_of(folder: &Path) -> Option<u64> {
    let number = folder.file_name()?.to_str()?.strip_prefix(TRY)?;
    number.parse().ok().filter(|_| number.len() == 10)
}

/// Progress of a piece of work: its finished segments, and its mix.
fn finished(work: &Path) -> usize {
    let flags = fs::read(work.join(super::STEMS).join("segments")).unwrap_or_default();
    flags.into_iter().filter(|&flag| flag == 1).count()
        + usize::from(work.join("mix.json").exists())
}

/// Removes a try. Renames it first, so that no process resumes a partly removed one.
fn discard(folder: &Path) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let old = folder.with_file_name(format!("{OLD}{}-{name}", std::process::id()));
    let gone = if file_moves::rename(folder, &old).is_ok() { &old } else { folder };
    log_failure(gone, file_moves::remove_folder(gone));
}

impl Claim {
    fn begin(folder: PathBuf, work: &str) -> io::Result<Self> {
        let mut file = File::options().append(true).open(folder.join(ALIVE))?;
        let (stop, stopped) = bounded::<()>(1);
        let keep_alive = move || {
            while stopped.recv_timeout(BEAT).is_err_and(|error| error.is_timeout()) {
                if let Err(error) = beat(&mut file) {
                    tracing::debug!("could not write a sign of life: {error}");
                }
            }
        };
        let thread = threads::start("alive", keep_alive)?;
        let work = folder.join(work);
        Ok(Self { folder, work, beat: Some((stop, thread)) })
    }

    /// Folder of the work.
    pub fn path(&self) -> &Path {
        &self.work
    }

    /// Whether the claim is still valid: no other process considered this one dead.
    pub fn is_held(&self) -> bool {
        self.folder.join(ALIVE).exists()
    }

    /// Removes the claim with its work, which is complete or useless.
    pub fn remove(mut self) {
        self.end();
        discard(&self.folder);
    }

    fn end(&mut self) {
        if let Some((stop, thread)) = self.beat.take() {
            drop(stop);
            drop(thread);
        }
    }
}

/// Releases the claim. The work stays, and the next process can resume it immediately.
impl Drop for Claim {
    fn drop(&mut self) {
        if self.beat.is_some() {
            self.end();
            log_failure(&self.folder, fs::remove_file(self.folder.join(ALIVE)));
        }
    }
}

fn log_failure(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("could not remove {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests;
