//! The layers of the program and their single direction of dependency, checked in the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::imports::{Reference, modules};

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn room(name: &str) -> Vec<(PathBuf, String)> {
    let found = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name));
    assert!(!found.is_empty(), "the room {name} is empty");
    found
}

/// Lines of code that contain one of `words`; comments are ignored.
fn lines_with(room_name: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in room(room_name) {
        for (number, line) in text.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_model_knows_no_other_room() {
    let rooms = [
        "crate::engine",
        "crate::words",
        "crate::ui",
        "crate::cli",
        "crate::serve",
        "crate::i18n",
        "egui",
    ];
    let found = lines_with("model", &rooms);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_engine_knows_no_window() {
    let rooms = [
        "crate::words",
        "crate::ui",
        "crate::cli",
        "crate::serve",
        "crate::i18n",
        "egui",
        "clap::",
        "axum",
    ];
    let found = lines_with("engine", &rooms);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_texts_know_no_other_room() {
    let rooms = [
        "crate::model",
        "crate::engine",
        "crate::words",
        "crate::ui",
        "crate::cli",
        "crate::serve",
        "egui",
    ];
    assert_eq!(lines_with("i18n", &rooms), Vec::<String>::new());
}

#[test]
fn the_words_know_no_front_end() {
    let rooms = ["crate::ui", "crate::cli", "crate::serve", "egui", "clap::"];
    assert_eq!(lines_with("words", &rooms), Vec::<String>::new());
}

#[test]
fn the_front_ends_do_not_know_each_other() {
    assert_eq!(lines_with("ui", &["crate::cli", "crate::serve"]), Vec::<String>::new());
    assert_eq!(lines_with("serve", &["crate::cli", "crate::ui", "egui"]), Vec::<String>::new());
    let window: Vec<String> = lines_with("cli", &["crate::ui"]);
    assert_eq!(window.len(), 1, "the command line only opens the window: {window:?}");
    let server: Vec<String> = lines_with("cli", &["serve::{"]);
    assert_eq!(server.len(), 1, "the command line only starts the server: {server:?}");
}

#[test]
fn unsafe_stays_in_the_kernels_and_the_mapped_weights() {
    let all = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let kernels = Path::new("model").join("kernels");
    for (path, text) in all {
        let is_allowed = path.to_string_lossy().contains(&*kernels.to_string_lossy())
            || path.ends_with("model/weights/shared.rs");
        let has_unsafe = text
            .lines()
            .any(|line| line.contains("unsafe ") && !line.trim_start().starts_with("//"));
        assert!(is_allowed || !has_unsafe, "{}", path.display());
    }
}

/// Checks that no user data leaves the computer unasked: only the download of weights, and the server
/// of its tests, open connections. The room `serve` accepts them.
#[test]
fn only_the_download_of_weights_opens_connections() {
    let words = ["ureq", "std::net", "TcpStream", "TcpListener", "UdpSocket", "SocketAddr"];
    let allowed = ["download/mod.rs", "download/tests.rs", "server.rs"];
    let mut knowing = Vec::new();
    for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        if path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("serve")) {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.into_iter().any(|line| words.iter().any(|word| line.contains(word))) {
            let weights = |name: &&str| path.ends_with(Path::new("model/weights").join(name));
            let name = allowed.into_iter().find(weights);
            assert!(name.is_some(), "{}", path.display());
            knowing.extend(name);
        }
    }
    assert!(knowing.contains(&"download/mod.rs"), "the searched words are outdated");

    let lock =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for client in ["attohttpc", "curl", "hyper-rustls", "hyper-tls", "isahc", "minreq", "reqwest"] {
        assert!(!lock.contains(&format!("name = \"{client}\"")), "{client} is a dependency");
    }
    let words =
        ["TcpStream::connect", "hyper::client", "client_legacy", "tokio_rustls::TlsConnector"];
    assert_eq!(lines_with("serve", &words), Vec::<String>::new());
}

/// Threads have a name and a guard, and are joined: `engine/system/threads` starts all, but for those of
/// tests.
#[test]
fn threads_are_started_in_one_place() {
    let starts = |path: &[String]| {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let start = |pair: &[&str]| {
            pair[0] == "thread" && ["Builder", "spawn", "scope", "*"].contains(&pair[1])
        };
        names.windows(2).any(start)
    };
    // Under another name, a use of it could not be recognised.
    let renames = |Reference { path, name, .. }: &&Reference| {
        path.ends_with(&["std".to_owned(), "thread".to_owned()])
            && name.as_ref().is_some_and(|name| name != "thread")
    };
    let found: Vec<String> = modules()
        .into_iter()
        .filter(|(_, references)| {
            let mut all = references.iter();
            all.any(|reference| starts(&reference.path) || renames(&reference))
        })
        .map(|(module, _)| module.join("::"))
        .collect();
    assert_eq!(found, ["engine::system::threads"]);
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        assert!(text.starts_with("//!"), "{} does not start with //!", path.display());
    }
}
