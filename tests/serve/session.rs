//! The session of `docs/serve-session.md`: its commands run as they are written, by curl.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Deserializer, Value};

use super::server::Server;
use crate::support::{home, largest_difference, read_wav, stderr, stdout, write_song};

/// A line that separates the outputs of the page's sections.
const MARK: &str = "=== ";

/// The page's commands as one script, which prints each section's heading before its output.
fn script() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serve-session.md");
    let (mut script, mut is_code) = (String::new(), false);
    for line in fs::read_to_string(page).unwrap().lines() {
        match line {
            "```sh" => is_code = true,
            "```" => is_code = false,
            _ if is_code => writeln!(script, "{line}").unwrap(),
            _ => {
                if let Some(heading) = line.strip_prefix("## ") {
                    writeln!(script, "printf '\\n{MARK}%s\\n' '{heading}'").unwrap();
                }
            }
        }
    }
    script
}

/// Runs the page's commands in a folder with `song.wav`.
fn run(server: &Server, folder: &Path) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &script()]).current_dir(folder);
    shell.env("PARTITA_URL", &server.url).env("no_proxy", "*");
    match &server.token {
        Some(token) => shell.env("PARTITA_TOKEN", token),
        None => shell.env_remove("PARTITA_TOKEN"),
    };
    shell.output().unwrap()
}

/// The output of each section, by its heading.
fn sections(output: &Output) -> BTreeMap<String, String> {
    let text = stdout(output);
    let sections = text.split(MARK).skip(1).map(|section| section.split_once('\n').unwrap());
    sections.map(|(heading, output)| (heading.to_owned(), output.to_owned())).collect()
}

/// The JSON values of an output, one after another.
fn values(text: &str) -> Vec<Value> {
    Deserializer::from_str(text).into_iter().map(|value| value.expect(text)).collect()
}

#[test]
fn the_documented_session_works_with_curl() {
    let (home, folder) = (home(), tempfile::tempdir().unwrap());
    write_song(&folder.path().join("song.wav"), 44_100 * 3, 44_100, 1);
    let server = Server::start(home.path());
    let output = run(&server, folder.path());
    assert!(output.status.success(), "{}\n{}", stdout(&output), stderr(&output));
    let sections = sections(&output);
    let at = |heading: &str| values(&sections[heading]);

    let submitted = &at("Submit a song")[0];
    let song = &submitted["songs"][0];
    assert_eq!((song["title"].as_str(), song["frames"].as_u64()), (Some("song"), Some(132_300)));
    let listed = &at("List the songs")[0];
    assert_eq!((&listed["total"], &listed["songs"][0]["id"]), (&1.into(), &song["id"]));
    let [options, job] = &at("Choose stems and process")[..] else { panic!("two answers") };
    let names: Vec<_> =
        options["stems"].as_array().unwrap().iter().map(|stem| &stem["name"]).collect();
    assert_eq!(names, ["drums", "bass", "other", "vocals"]);
    assert_eq!(job["stems"], serde_json::json!(["bass", "vocals"]), "in the order of the model");
    let progress = &at("Follow the progress")[0];
    assert_eq!(
        (&progress["percent"], &progress["job"]["state"]),
        (&100.into(), &"done".into()),
        "{progress}"
    );
    assert_eq!(sections["Download the tracks"].split_whitespace().count(), 3);
    let track = |name: &str| read_wav(&folder.path().join(format!("{name}.wav")));
    let (vocals, bass, mix) = (track("vocals"), track("bass"), track("mix"));
    assert_eq!(vocals.len(), 2 * 132_300);
    let sum: Vec<f32> = vocals.iter().zip(&bass).map(|(a, b)| a + b).collect();
    assert!(largest_difference(&sum, &mix) <= 4.5 / 32_768.0, "each file is dithered separately");
    let [jobs, same] = &at("Look at the jobs")[..] else { panic!("two answers") };
    assert_eq!((&jobs["total"], &jobs["jobs"][0]), (&1.into(), same));
    assert_eq!(same["id"], job["id"]);

    let mistakes = at("Mistakes");
    let codes: Vec<_> = mistakes.iter().map(|mistake| &mistake["code"]).collect();
    assert_eq!(codes, ["unknown_song", "unknown_stem", "unknown_track", "unknown_job"]);
    assert_eq!(mistakes[0]["known"][0]["title"], "song");
    assert!(mistakes[1]["known"].as_array().unwrap().contains(&"vocals".into()), "{}", mistakes[1]);
    assert!(mistakes[1]["detail"].as_str().unwrap().contains("vocals"), "{}", mistakes[1]);
    assert!(mistakes[2]["known"].as_array().unwrap().contains(&"mix".into()), "{}", mistakes[2]);
    let [refused, done, empty] = &at("Remove everything")[..] else { panic!("three answers") };
    assert_eq!(refused["code"], "confirmation_needed");
    assert_eq!((&refused["songs"], &refused["jobs"]), (&1.into(), &1.into()));
    assert_eq!((&done["songs"], &done["jobs"]), (&1.into(), &1.into()));
    assert_eq!(empty["total"], 0);
    server.end();
    assert!(fs::read_dir(home.path().join("songs")).unwrap().next().is_none());
}

/// curl reports a wrong token, and the same commands work with the right one.
#[test]
fn the_documented_session_works_with_a_token() {
    let (home, folder) = (home(), tempfile::tempdir().unwrap());
    write_song(&folder.path().join("song.wav"), 44_100, 44_100, 1);
    let mut server = Server::start_with(home.path(), &["--address", "0.0.0.0"]);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    let token = server.token.replace("wrong".to_owned()).expect("no token for other computers");
    let output = run(&server, folder.path());
    assert!(stdout(&output).contains("\"status\":401"), "{}", stdout(&output));
    assert!(!stdout(&output).contains(&token));
    server.token = Some(token.clone());
    let output = run(&server, folder.path());
    assert!(output.status.success(), "{}\n{}", stdout(&output), stderr(&output));
    let log = server.end();
    assert!(!log.contains(&token), "the token is logged: {log}");
}
