//! A single window or server per data folder. The first process holds a lock and listens on a local
//! socket (a named pipe on Windows); later windows send it their files and exit.
//!
//! The lock decides which process is first. It ends with its holder, even after a crash, so a
//! socket without a lock is stale and replaced. Where the disk does not support sockets, every
//! process opens a separate window.
//!
//! Named pipes have no timeouts, so that a process that connects and says nothing can block a thread
//! for ever. Each connection therefore has a thread of its own, for which nothing waits.

use std::{
    fs::{File, TryLockError},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, bounded};
use interprocess::local_socket::{
    GenericFilePath, Listener, ListenerOptions, Name, Stream, prelude::*,
};

use crate::{
    engine::{
        library::paths,
        problem::{Problem, Result},
        system::{
            digest::hex,
            threads::{self, Thread},
        },
    },
    file_lock::FileLock,
};

/// Lock file in the data folder, held while its window is open.
const LOCK: &str = "window.lock";
/// Socket in the data folder.
#[cfg(unix)]
const SOCKET: &str = "window.sock";
/// Timeout for the answer of the first window, and for the message of a later process.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time after which the thread of a closed window is woken again.
const WAKING: Duration = Duration::from_millis(50);
/// Maximum number of connections at a time; further ones are closed.
const MOST_CALLS: usize = 32;
/// Maximum length of a message in bytes: some hundred thousand paths.
const MOST_BYTES: u64 = 32 << 20;
/// Answer of the first window. A server's is the address of its page.
const TAKEN: &str = "taken";
/// Maximum length of an answer in bytes.
const MOST_ANSWER_BYTES: u64 = 1024;

/// Result of a start.
#[derive(Debug)]
pub enum Start {
    /// No other window is open: this process is the first.
    First(Instance),
    /// The open window has accepted the files.
    HandedOver,
    /// A server holds the data folder, and has accepted the files. Its page has this address.
    Served(String),
    /// Another window seems to be open, but does not answer.
    Unanswered,
}

/// The purpose of the first process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It shows the window.
    Window,
    /// It serves the library over HTTP.
    Server {
        /// Address of the page.
        url: String,
    },
}

impl Purpose {
    /// The answer to a later process.
    fn answer(&self) -> &str {
        match self {
            Self::Window => TAKEN,
            Self::Server { url } => url,
        }
    }
}

/// Exclusive right to the window of a data folder, held until dropped.
#[derive(Debug)]
pub struct Instance {
    listening: Option<Listening>,
    _lock: Option<FileLock>,
    home: PathBuf,
}

#[derive(Debug)]
struct Listening {
    is_over: Arc<AtomicBool>,
    /// Disconnected when the thread no longer waits.
    ended: Receiver<()>,
    thread: Option<Thread>,
}

/// Takes the right to the window, or sends `files` to its holder.
///
/// # Errors
/// [`Problem::File`] if the data folder is not writable.
pub fn start(home: &Path, files: &[PathBuf]) -> Result<Start> {
    if let Some(instance) = hold(home)? {
        return Ok(Start::First(instance));
    }
    Ok(match hand_over(home, files) {
        Ok(answer) if answer == TAKEN => Start::HandedOver,
        Ok(url) => Start::Served(url),
        Err(e) => {
            tracing::warn!("the window that is open does not answer: {e}");
            Start::Unanswered
        }
    })
}

/// Takes the right to the data folder; `None` if another process has it.
///
/// # Errors
/// [`Problem::File`] if the data folder is not writable.
pub fn hold(home: &Path) -> Result<Option<Instance>> {
    let path = home.join(LOCK);
    let cannot = |error| Problem::write(&path, error);
    std::fs::create_dir_all(home).map_err(cannot)?;
    let mut options = File::options();
    let lock = options.write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
    let lock = match FileLock::try_on(lock) {
        Ok(lock) => Some(lock),
        Err(TryLockError::WouldBlock) => return Ok(None),
        // The disk has no locks: assume that this process is alone.
        Err(TryLockError::Error(e)) => {
            tracing::debug!("could not lock {}: {e}", path.display());
            None
        }
    };
    Ok(Some(Instance { listening: None, _lock: lock, home: home.to_owned() }))
}

impl Instance {
    /// Listens for later processes; `receive` is called with their files on a dedicated thread.
    ///
    /// # Errors
    /// I/O errors; later processes are then ignored.
    pub fn listen(
        &mut self,
        purpose: Purpose,
        receive: impl Fn(Vec<PathBuf>) + Send + 'static,
    ) -> io::Result<()> {
        #[cfg(unix)]
        remove_stale(&socket(&self.home))?;
        let address = Address::of(&self.home)?;
        let listener = ListenerOptions::new().name(address.name.clone()).create_sync()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_over);
        let (end, ended) = bounded::<()>(1);
        let work = move || {
            serve(&listener, &stopped, &Arc::new(purpose), receive);
            drop(listener); // removes the socket, so the address must be valid until then
            drop(address);
            drop(end);
        };
        let thread = threads::start("later starts", work)?;
        self.listening = Some(Listening { is_over, ended, thread: Some(thread) });
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Some(Listening { is_over, ended, thread }) = &mut self.listening else { return };
        is_over.store(true, Ordering::Relaxed);
        // Connect, to wake the thread that waits for a connection. Held and repeated: a named pipe
        // ignores a connection that is closed before it is accepted.
        let until = Instant::now() + PATIENCE;
        let (mut calls, mut has_ended) = (Vec::new(), false);
        while !has_ended && Instant::now() < until {
            match Address::of(&self.home).and_then(|address| address.connect()) {
                Ok(call) => calls.push(call),
                Err(_) => break,
            }
            has_ended = ended.recv_timeout(WAKING).is_err_and(|error| error.is_disconnected());
        }
        if let Some(thread) = thread.take().filter(|_| !has_ended) {
            thread.detach(); // it may wait for ever
        }
    }
}

fn serve(
    listener: &Listener,
    is_over: &Arc<AtomicBool>,
    purpose: &Arc<Purpose>,
    receive: impl Fn(Vec<PathBuf>) + Send + 'static,
) {
    let receive = Arc::new(Mutex::new(receive));
    for call in listener.incoming() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        // Each thread holds a copy, so that the count is the number of connections.
        let call = match call {
            Ok(call) if Arc::strong_count(&receive) <= MOST_CALLS => call,
            Ok(_) => continue,
            Err(e) => {
                tracing::debug!("could not accept a later process: {e}");
                continue;
            }
        };
        let (receive, is_over) = (Arc::clone(&receive), Arc::clone(is_over));
        let purpose = Arc::clone(purpose);
        let work = move || match answer(call, purpose.answer()) {
            Ok(_) if is_over.load(Ordering::Relaxed) => {}
            Ok(files) => receive.lock().unwrap_or_else(PoisonError::into_inner)(files),
            Err(e) => tracing::debug!("received an invalid message of a later process: {e}"),
        };
        match threads::start("later start", work) {
            Ok(thread) => thread.detach(), // a silent process may block it for ever
            Err(e) => tracing::debug!("a later process gets no answer: {e}"),
        }
    }
}

/// Reads the message of a later process and acknowledges it.
fn answer(call: Stream, text: &str) -> io::Result<Vec<PathBuf>> {
    // Not supported everywhere.
    drop(call.set_recv_timeout(Some(PATIENCE)));
    let mut call = BufReader::new(call);
    let mut message = String::new();
    call.by_ref().take(MOST_BYTES).read_line(&mut message)?;
    let files: Vec<Vec<u8>> = serde_json::from_str(&message)?;
    call.get_mut().write_all(format!("{text}\n").as_bytes())?;
    Ok(files.into_iter().map(paths::from_bytes).collect())
}

/// Sends files to the first process, which may be about to listen. Returns its answer.
fn hand_over(home: &Path, files: &[PathBuf]) -> io::Result<String> {
    // Make paths absolute, because its working directory differs.
    let files = files.iter().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
    let files: Vec<Vec<u8>> = files.map(|file| paths::to_bytes(&file)).collect();
    let message = serde_json::to_string(&files)?;
    let until = Instant::now() + PATIENCE;
    let call = loop {
        match Address::of(home)?.connect() {
            Ok(call) => break call,
            Err(e) if Instant::now() >= until => return Err(e),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let (sender, answered) = bounded(1);
    let work = move || sender.send(send(call, &message)).ok();
    // Detached: the window may never answer, and this process then ends without it.
    threads::start("hand over", work)?.detach();
    answered.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Sends a message to the first process and waits for the answer.
fn send(mut call: Stream, message: &str) -> io::Result<String> {
    drop(call.set_recv_timeout(Some(PATIENCE)));
    call.write_all(message.as_bytes())?;
    call.write_all(b"\n")?;
    let mut answer = String::new();
    BufReader::new(call).take(MOST_ANSWER_BYTES).read_line(&mut answer)?;
    let answer = answer.trim();
    let is_url = answer.starts_with("http://") || answer.starts_with("https://");
    if answer == TAKEN || is_url {
        return Ok(answer.to_owned());
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

#[cfg(unix)]
fn socket(home: &Path) -> PathBuf {
    home.join(SOCKET)
}

/// Address on which the first window of a data folder listens.
struct Address {
    name: Name<'static>,
    /// Data folder, kept open while the socket is addressed through it.
    _folder: Option<File>,
}

impl Address {
    /// Builds the address. The path of a socket is limited to about a hundred bytes. For longer
    /// ones, Linux addresses the socket through the open folder; other systems use the user's
    /// temporary folder.
    #[cfg(unix)]
    fn of(home: &Path) -> io::Result<Self> {
        const LONGEST: usize = 100;
        let path = socket(home);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { name: path.to_fs_name::<GenericFilePath>()?, _folder: None });
        }
        if cfg!(target_os = "linux") {
            use std::os::fd::AsRawFd as _;
            let folder = File::open(home)?;
            let path = format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd());
            return Ok(Self { name: path.to_fs_name::<GenericFilePath>()?, _folder: Some(folder) });
        }
        let path = std::env::temp_dir().join(format!("partita-{}.sock", digest(home)?));
        Ok(Self { name: path.to_fs_name::<GenericFilePath>()?, _folder: None })
    }

    #[cfg(windows)]
    fn of(home: &Path) -> io::Result<Self> {
        let pipe = format!(r"\\.\pipe\partita-{}", digest(home)?);
        Ok(Self { name: pipe.to_fs_name::<GenericFilePath>()?, _folder: None })
    }

    fn connect(&self) -> io::Result<Stream> {
        Stream::connect(self.name.clone())
    }
}

/// Short unique name for a data folder.
fn digest(home: &Path) -> io::Result<String> {
    use sha2::{Digest as _, Sha256};

    let home = home.canonicalize()?;
    let home = home.to_string_lossy();
    let digest = Sha256::digest(if cfg!(windows) { home.to_lowercase() } else { home.into() });
    Ok(hex(&digest[..16]))
}

/// Removes a stale socket: this process has the lock, so the listener is gone.
#[cfg(unix)]
fn remove_stale(socket: &Path) -> io::Result<()> {
    match std::fs::remove_file(socket) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(home: &Path) -> Instance {
        match start(home, &[]).unwrap() {
            Start::First(instance) => instance,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_later_process_sends_its_files() {
        let home = tempfile::tempdir().unwrap();
        let (sender, received) = bounded(8);
        let mut instance = first(home.path());
        instance.listen(Purpose::Window, move |files| sender.send(files).unwrap()).unwrap();
        let odd = if cfg!(windows) { r"C:\c 'd'" } else { "/c\n\"d\"" };
        let song = std::path::absolute("/a b/ü.wav").unwrap(); // on a disk, on Windows
        for files in [vec![], vec![song, odd.into()]] {
            assert!(matches!(start(home.path(), &files).unwrap(), Start::HandedOver));
            assert_eq!(received.recv_timeout(PATIENCE).unwrap(), files);
        }
        let relative = [PathBuf::from("song.wav")];
        assert!(matches!(start(home.path(), &relative).unwrap(), Start::HandedOver));
        let here = std::env::current_dir().unwrap();
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), [here.join("song.wav")]);
        drop(instance);
        first(home.path());
    }

    #[test]
    fn a_server_takes_files_and_names_its_page() {
        let home = tempfile::tempdir().unwrap();
        let (sender, received) = bounded(8);
        let mut instance = hold(home.path()).unwrap().unwrap();
        assert!(hold(home.path()).unwrap().is_none());
        let url = "http://127.0.0.1:1234".to_owned();
        let purpose = Purpose::Server { url: url.clone() };
        instance.listen(purpose, move |files| sender.send(files).unwrap()).unwrap();
        let files = [home.path().join("song.wav")];
        let Start::Served(answered) = start(home.path(), &files).unwrap() else { panic!() };
        assert_eq!((answered, received.recv_timeout(PATIENCE).unwrap()), (url, files.to_vec()));
    }

    #[test]
    fn a_data_folder_may_have_a_long_name() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("a long name,".repeat(9)).join("and another,".repeat(9));
        let (sender, received) = bounded(8);
        let mut instance = first(&home);
        instance.listen(Purpose::Window, move |files| sender.send(files).unwrap()).unwrap();
        let files = [folder.path().join("song.wav")];
        assert!(matches!(start(&home, &files).unwrap(), Start::HandedOver));
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), files);
        drop(instance);
        let mut instance = first(&home);
        instance.listen(Purpose::Window, |_| {}).unwrap();
    }

    #[test]
    fn silent_processes_delay_neither_later_ones_nor_the_end() {
        let home = tempfile::tempdir().unwrap();
        let (sender, received) = bounded(8);
        let mut instance = first(home.path());
        instance.listen(Purpose::Window, move |files| sender.send(files).unwrap()).unwrap();
        let connect = || Address::of(home.path()).unwrap().connect().unwrap();
        let silent: Vec<Stream> = (0..4).map(|_| connect()).collect();
        let began = Instant::now();
        let files = [home.path().join("song.wav")];
        assert!(matches!(start(home.path(), &files).unwrap(), Start::HandedOver));
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), files);
        drop(instance);
        assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
        drop(silent);
    }

    #[test]
    fn a_window_that_does_not_answer_is_reported() {
        let home = tempfile::tempdir().unwrap();
        let _instance = first(home.path());
        let address = Address::of(home.path()).unwrap();
        let listener = ListenerOptions::new().name(address.name.clone()).create_sync().unwrap();
        let (ended, end) = bounded::<()>(1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let call = listener.accept().unwrap();
                end.recv().ok();
                drop(call);
            });
            assert!(matches!(start(home.path(), &[]).unwrap(), Start::Unanswered));
            drop(ended);
        });
    }

    #[cfg(unix)] // Windows has pipes, which cannot be stale
    #[test]
    fn tolerates_stale_sockets_and_invalid_messages() {
        use std::os::unix::net::{UnixListener, UnixStream};

        let home = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(socket(home.path())).unwrap());
        assert!(socket(home.path()).exists(), "stale");
        let (sender, received) = bounded(8);
        let mut instance = first(home.path());
        instance.listen(Purpose::Window, move |files| sender.send(files).unwrap()).unwrap();
        for message in [&b""[..], b"nonsense\n", b"[[300]]\n", b"\xff\xff\n"] {
            UnixStream::connect(socket(home.path())).unwrap().write_all(message).unwrap();
        }
        assert!(matches!(start(home.path(), &["/x".into()]).unwrap(), Start::HandedOver));
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), [PathBuf::from("/x")]);
    }
}
