//! A running `partita serve` with its data folder, for tests. It is not a client: see `client`.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use crossbeam_channel::bounded;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tempfile::TempDir;

use super::client::Client;
use crate::support::command;

/// The time in which a server has to start, and to end after a signal.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program as a server; killed when dropped.
pub struct Server {
    child: Child,
    /// Closing it would make later lines of the server fail.
    _stdout: BufReader<ChildStdout>,
    notes: TempDir,
    /// `http://ADDRESS:PORT`.
    pub url: String,
    /// The token of the printed link, if the server demands one.
    pub token: Option<String>,
}

impl Server {
    /// Serves a data folder on a free port.
    pub fn start(home: &Path) -> Self {
        Self::start_with(home, &[])
    }

    /// Serves a data folder on a free port, with more arguments.
    pub fn start_with(home: &Path, arguments: &[&str]) -> Self {
        let notes = tempfile::tempdir().unwrap();
        let mut child = command(home, &["serve", "--port", "0"])
            .args(arguments)
            .env("PARTITA_LOG", "partita=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(notes.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = bounded(1);
        let read = move || {
            let mut line = String::new();
            while !line.contains("://") {
                line.clear();
                if stdout.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
            }
            sender.send((line, stdout)).ok();
        };
        std::thread::Builder::new().name("server's output".to_owned()).spawn(read).unwrap();
        let Ok((line, stdout)) = receiver.recv_timeout(PATIENCE) else {
            child.kill().ok();
            child.wait().ok();
            let log = fs::read_to_string(notes.path().join("log")).unwrap();
            panic!("the server printed no link: {log}");
        };
        let link = line.trim().rsplit(' ').next().unwrap();
        let (url, token) = match link.split_once("/#token=") {
            Some((url, token)) => (url, Some(token.to_owned())),
            None => (link.trim_end_matches('/'), None),
        };
        let url = url.to_owned();
        Self { child, _stdout: stdout, notes, url, token }
    }

    /// A client that is allowed in.
    pub fn client(&self) -> Client {
        Client::new(&self.url, self.token.clone())
    }

    /// `ADDRESS:PORT`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The log of the server so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.notes.path().join("log")).unwrap()).into_owned()
    }

    /// Resident memory of the server's process, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(self.process_file("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes << 10
    }

    /// The number of open files and sockets of the server's process.
    pub fn open_files(&self) -> usize {
        fs::read_dir(self.process_file("fd")).unwrap().count()
    }

    fn process_file(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    /// Ends the server as a service manager does, and returns its log.
    pub fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "the server ignores SIGTERM: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        };
        let log = self.log();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("panicked") && !log.contains("internal error"), "{log}");
        log
    }

    /// Kills the server with SIGKILL, and returns its log.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Raises the limit of open files of this process and its children as far as allowed, and returns it.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, raised).ok();
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
