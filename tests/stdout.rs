//! Every subcommand with a standard output that cannot be written. A full disk is an error with an
//! exit code, and a closed pipe is not.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    path::Path,
    process::{Output, Stdio},
};

use crate::support::{command, home, partita, stderr, stdout, tiny_home, write_song};

/// A data folder with a separated song, a user's model and an archive; and a command line for each
/// subcommand that prints results. In this order all of them succeed.
fn every_subcommand() -> (tempfile::TempDir, Vec<Vec<String>>) {
    let home = tiny_home();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    write_song(Path::new(&at("song.wav")), 4000, 44_100, 1);
    write_song(Path::new(&at("other.wav")), 4000, 44_100, 2);
    std::fs::write(at("list.txt"), at("song.wav")).unwrap();
    let chain = "[[step]]\nid = \"a\"\nnetwork = { makes = [\"low\"] }\n\
                 [[stem]]\nname = \"low\"\nfrom = [{ step = \"a\", output = \"low\" }]\n";
    std::fs::write(at("mine.toml"), chain).unwrap();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/own.th");
    let own = own.to_str().unwrap();
    for line in [
        &["model", "import", own][..],
        &["add", &at("song.wav")],
        &["process", "song"],
        &["separate", "--manifest", &at("list.txt"), "--out", &at("archive")],
    ] {
        let output = partita(home.path(), line);
        assert!(output.status.success(), "{line:?}: {}", stderr(&output));
    }
    let (song, other, list) = (at("song.wav"), at("other.wav"), at("list.txt"));
    let chain = at("mine.toml");
    let (out, archive, exported) = (at("out"), at("archive"), at("exported"));
    let text = format!(
        "separate {song} --on-exists replace --out {out}
         separate --json {song} --on-exists replace --out {out}
         separate --manifest {list} --out {archive}
         separate --manifest {list} --json --out {archive}
         probe {song}
         report {archive}
         add {other}
         list
         process song
         progress song
         export song --on-exists replace --out {exported}
         jobs
         job 1
         model list
         model import {own}
         model path own
         model verify own
         chain list
         chain show vocals-first
         chain check {chain}
         chain import {chain}
         doctor
         --help
         model --help
         --version"
    );
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let lines = text.lines().map(words).collect();
    (home, lines)
}

/// Subcommands that remove data of the others, or need the real model, each with its own data
/// folder.
fn single_ones() -> Vec<(tempfile::TempDir, Vec<String>)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/own.th");
    let with_own = tiny_home();
    let output = partita(with_own.path(), &["model", "import", own.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let line = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let with_chain = tiny_home();
    std::fs::create_dir(with_chain.path().join("chains")).unwrap();
    std::fs::write(with_chain.path().join("chains/mine.toml"), "").unwrap();
    vec![
        (with_chain, line(&["chain", "remove", "mine"])),
        (tiny_home(), line(&["reset", "--yes"])),
        (with_own, line(&["model", "remove", "own"])),
        (home(), line(&["model", "install"])),
    ]
}

fn run(home: &Path, line: &[String], to: Stdio) -> Output {
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    command(home, &words)
        .stdout(to)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

fn each(check: impl Fn(&Path, &[String])) {
    let (home, lines) = every_subcommand();
    for line in &lines {
        check(home.path(), line);
    }
    for (home, line) in single_ones() {
        check(home.path(), &line);
    }
}

#[cfg(target_os = "linux")] // /dev/full
#[test]
fn a_full_disk_is_an_error_of_every_subcommand() {
    each(|home, line| {
        let full: File = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = run(home, line, full.into());
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{line:?}: {words}");
        let reports = words.matches("could not write to standard output: No space left").count();
        assert_eq!(reports, 1, "{line:?}: {words}");
    });
}

#[test]
fn a_reader_that_has_gone_is_not_an_error_of_any_subcommand() {
    each(|home, line| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(home, line, writer.into());
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {words}");
        assert!(!words.contains("partita:") && !words.contains("panicked"), "{line:?}: {words}");
    });
}

/// The files are the result and the lines only a report, so the command continues without a reader.
#[test]
fn files_are_complete_though_nothing_reads_the_lines() {
    let home = tiny_home();
    let at = |name: &str| home.path().join(name);
    for (seed, name) in ["a.wav", "b.wav"].into_iter().enumerate() {
        write_song(&at(name), 4000, 44_100, seed as u32);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let line = ["separate", "--out", "out", "a.wav", "b.wav"];
    let output = command(home.path(), &line).current_dir(home.path()).stdout(writer).output();
    assert!(output.unwrap().status.success());
    for name in ["a", "b"] {
        assert!(at("out").join(name).join("low.wav").is_file(), "{name}");
    }
}

#[test]
fn every_subcommand_is_among_those_that_are_tried() {
    let (home, lines) = every_subcommand();
    let tried: BTreeSet<Vec<String>> = lines
        .into_iter()
        .chain(single_ones().into_iter().map(|(_, line)| line))
        .map(|line| line.into_iter().take(2).collect())
        .collect();
    let named = |words: &[&str]| -> Vec<String> {
        let help = stdout(&partita(home.path(), words));
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let (commands, of_models) = (named(&["--help"]), named(&["model", "--help"]));
    assert!(commands.len() > 10 && of_models.len() > 4, "{commands:?} {of_models:?}");
    // The server does not end; it goes on without a reader of its address.
    for name in commands.into_iter().filter(|name| name != "serve") {
        assert!(tried.iter().any(|line| line[0] == name), "{name}");
    }
    for (group, names) in [("model", of_models), ("chain", named(&["chain", "--help"]))] {
        assert!(names.len() > 4, "{names:?}");
        for name in names {
            assert!(tried.contains(&vec![group.to_owned(), name.clone()]), "{group} {name}");
        }
    }
}
