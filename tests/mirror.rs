//! The real program installs a model through a proxy from a mirror: an interrupted download
//! resumes, and no other server is contacted.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    sync::{Arc, Mutex},
};

use partita::engine::{Command, Event, ModelState, ModelTask, Preferences};

use crate::{
    engine::Running,
    support::{command, model_file, stderr, stdout},
};

const MIRROR: &str = "mirror.example";

/// The end of the first answer.
#[derive(Clone, Copy, PartialEq)]
enum First {
    /// It breaks off in the middle.
    BreaksOff,
    /// It comes slowly, without an end.
    Trickles,
}

/// Serves one file for every request.
fn serve(stream: TcpStream, seen: &Mutex<Vec<String>>, first: First) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut range) = (String::new(), 0);
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            if let Some(rest) = header.to_ascii_lowercase().strip_prefix("range: bytes=") {
                range = rest.trim().trim_end_matches('-').parse().unwrap();
            }
            header.clear();
        }
        seen.lock().unwrap().push(line.trim().to_owned());
        let stream = reader.get_mut();
        if line.starts_with("CONNECT") {
            if line.contains(MIRROR) {
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
                continue;
            }
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        let mut file = File::open(model_file())?;
        let total = file.metadata()?.len();
        file.seek(SeekFrom::Start(range))?;
        let status = if range > 0 { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nETag: \"v1\"\r\nContent-Length: {}\r\nContent-Range: bytes \
             {range}-{}/{total}\r\nConnection: close\r\n\r\n",
            total - range,
            total - 1,
        )?;
        if range == 0 && first == First::Trickles {
            let mut block = vec![0; 1 << 16];
            loop {
                file.read_exact(&mut block)?;
                stream.write_all(&block)?;
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        let most = if range == 0 { total / 2 } else { total };
        std::io::copy(&mut file.take(most), stream)?;
        return Ok(());
    }
}

/// Starts a proxy; returns its address and the log of its requests.
fn start(first: First) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    std::thread::Builder::new()
        .name("proxy".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                // The client may close the connection first.
                serve(stream, &noted, first).ok();
            }
        })
        .unwrap();
    (address, seen)
}

/// A mirror from the settings can also be contacted directly.
#[test]
fn a_mirror_from_the_settings_is_asked_from_then_on() {
    let (address, seen) = start(First::BreaksOff);
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(home.path(), true);
    let mirror = Some(format!("{address}/weights"));
    let preferences = Preferences { mirror, ..Preferences::default() };
    running.engine.send(Command::KeepPreferences(Box::new(preferences)));
    running.engine.send(Command::InstallModel("htdemucs".into()));
    running.wait(|event| match event {
        Event::ModelTask(_, ModelTask::Failed(reason)) => panic!("{reason}"),
        Event::Model(ModelState::Ready { .. }) => Some(()),
        _ => None,
    });
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty(), "no other server was available");
    assert!(seen.iter().all(|line| line.contains("/weights/955717e8.safetensors")), "{seen:?}");
}

#[test]
fn a_mirror_behind_a_proxy_is_enough() {
    let (proxy, seen) = start(First::BreaksOff);
    let home = tempfile::tempdir().unwrap();
    let mirror = format!("http://{MIRROR}/weights");
    let output = command(home.path(), &["model", "install", "htdemucs"])
        .env("PARTITA_MIRROR", &mirror)
        .envs([("ALL_PROXY", &proxy), ("HTTP_PROXY", &proxy), ("HTTPS_PROXY", &proxy)])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("installed ("), "{}", stdout(&output));
    let seen = seen.lock().unwrap().clone();
    let gets: Vec<_> = seen.iter().filter(|line| line.starts_with("GET")).collect();
    assert_eq!(gets.len(), 2, "expected one interruption and one resumption: {seen:?}");
    assert!(gets.iter().all(|line| line.contains("/weights/955717e8.safetensors")), "{seen:?}");
    assert!(
        seen.iter().all(|line| line.contains(MIRROR) || !line.starts_with("CONNECT")),
        "{seen:?}"
    );
    let verified = command(home.path(), &["model", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", stderr(&verified));
}

#[cfg(unix)] // Windows has no SIGINT for one process
#[test]
fn a_signal_ends_an_installation_which_resumes() {
    let (address, seen) = start(First::Trickles);
    let home = tempfile::tempdir().unwrap();
    let install = || {
        let mut command = command(home.path(), &["model", "install", "htdemucs"]);
        command.env("PARTITA_MIRROR", format!("{address}/weights"));
        command.stderr(Stdio::piped());
        command
    };
    let mut child = install().spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let downloads = home.path().join("models/downloads");
    let part = || {
        let entries = std::fs::read_dir(&downloads).into_iter().flatten().flatten();
        let mut parts = entries.filter(|entry| entry.path().extension() == Some("part".as_ref()));
        parts.next().map_or(0, |entry| entry.metadata().unwrap().len())
    };
    let mut text = String::new();
    while part() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended: {text}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let signalled = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(signalled.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    said.read_to_string(&mut text).unwrap();
    assert!(
        text.contains("cancelled; htdemucs was not installed; run the command again"),
        "{text}"
    );
    assert!(part() > 0, "the download is kept");

    let output = install().output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let gets = seen.lock().unwrap().iter().filter(|line| line.starts_with("GET")).count();
    assert_eq!(gets, 2, "the second one resumes");
    assert!(!downloads.join("955717e8.safetensors.part").exists());
}
