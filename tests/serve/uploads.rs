//! Uploads and jobs that are cut off: by a full disk, a lost connection, or SIGKILL of the server.
//! Nothing finished is lost, and nothing unfinished stays on the disk.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    client::{Client, OFFSET_STREAM, PATIENCE, TUS, connect},
    server::Server,
};
use crate::support::{Dice, read_wav, tiny_home, walk, write_song};

/// Stands for the status of an upload that the server refused by closing the connection.
const CUT: u16 = 0;

/// The bytes of a song, which depend on the seed.
fn sound(frames: usize, seed: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("song.wav");
    write_song(&file, frames, 44_100, seed);
    fs::read(file).unwrap()
}

/// Files that only an unfinished operation has.
fn unfinished(home: &Path) -> Vec<PathBuf> {
    let is_unfinished = |path: &PathBuf| {
        let is_upload = path.parent().and_then(Path::parent) == Some(&home.join("uploads"));
        let is_hidden = path.to_string_lossy().contains("/.partita-")
            || path.to_string_lossy().contains("/.removed-");
        is_hidden || is_upload && (path.ends_with("part") || path.ends_with("upload.json"))
    };
    walk(home).into_iter().filter(is_unfinished).collect()
}

/// The number of entries of a folder, which may be missing.
fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Waits until no unfinished file is left.
fn is_swept(home: &Path) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let found = unfinished(home);
        if found.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "unfinished files are left: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Checks that each song of the list has its sound, and that no other song is on the disk.
fn is_consistent(client: &Client, home: &Path, expected: usize) {
    let listed = client.get("songs?limit=200").expect(200);
    let songs = listed["songs"].as_array().unwrap();
    assert_eq!(songs.len(), expected);
    for song in songs {
        let frames = song["frames"].as_u64().unwrap() as usize;
        let sound = client.get(&format!("songs/{}/lanes/original/sound", song["id"]));
        assert_eq!((sound.status, sound.body.len()), (200, 80 + 8 * frames), "{song}");
    }
    assert_eq!(count(&home.join("songs")), expected);
    // Each song keeps its own file.
    assert_eq!(count(&home.join("uploads")), expected);
}

#[test]
fn a_hundred_uploads_at_once_fit_the_allowed_disk_or_are_refused() {
    const SONGS: u32 = 100;
    let home = tiny_home();
    let used: u64 = walk(home.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    // A song of a second is 0.2 MB as a file, and twice that as its mix.
    let allowed = (used + 15_000_000).to_string();
    let server = Server::start_with(home.path(), &["--max-disk", &allowed]);
    let client = server.client();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..SONGS)
            .map(|seed| {
                let client = client.clone();
                scope.spawn(move || {
                    let name = format!("{seed}.wav");
                    let sound = sound(44_100, seed);
                    // The server may refuse and close while the client still sends.
                    let Ok(answer) = client.try_upload(&[(&name, &sound)]) else { return CUT };
                    if answer.status != 201 {
                        let problem = answer.json();
                        assert!(problem["detail"].as_str().is_some_and(|text| !text.is_empty()));
                    }
                    answer.status
                })
            })
            .collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
    });
    let number = |status: u16| statuses.iter().filter(|found| **found == status).count();
    let (done, full) = (number(201), number(507) + number(413) + number(CUT));
    println!(
        "{done} done, {full} refused for lack of room, {} as too many",
        number(503) + number(429)
    );
    assert!(done > 0 && full > 0, "{statuses:?}");
    assert_eq!(done + full + number(503) + number(429), statuses.len(), "{statuses:?}");
    is_swept(home.path());
    is_consistent(&client, home.path(), done);
    // Room that is free again is used again.
    let first = client.get("songs").expect(200)["songs"][0]["id"].clone();
    assert_eq!(client.delete(&format!("songs/{first}")).status, 204);
    let until = Instant::now() + PATIENCE;
    let new = sound(30_000, 500);
    while !client.try_upload(&[("new.wav", &new)]).is_ok_and(|answer| answer.status == 201) {
        assert!(Instant::now() < until, "the room of a removed song stays taken");
        std::thread::sleep(Duration::from_millis(100));
    }
    server.end();
    is_swept(home.path());
}

/// Uploads leave 64 MiB of the disk to the library, of which imports take their part.
#[test]
fn uploads_on_a_full_disk_leave_nothing() {
    let disk = tempfile::tempdir().unwrap();
    let mut mount = std::process::Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=80m", "tmpfs"]).arg(disk.path());
    if !mount.output().is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: mounting a small disk needs root");
        return;
    }
    let home = disk.path().join("home");
    fs::create_dir_all(home.join("models")).unwrap();
    let network = "models/htdemucs.safetensors";
    fs::copy(tiny_home().path().join(network), home.join(network)).unwrap();
    let outcome = std::panic::catch_unwind(|| {
        let server = Server::start(&home);
        let client = server.client();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let uploads: Vec<_> = (0..100)
                .map(|seed| {
                    let client = client.clone();
                    let name = format!("{seed}.wav");
                    scope.spawn(move || {
                        let answer = client.try_upload(&[(&name, &sound(88_200, seed))]);
                        answer.map_or(CUT, |answer| answer.status)
                    })
                })
                .collect();
            uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
        });
        let done = statuses.iter().filter(|status| **status == 201).count();
        assert!(done > 0 && done < statuses.len(), "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 429, 503, 507, CUT].contains(status)));
        is_swept(&home);
        is_consistent(&client, &home, done);
        server.end();
    });
    std::process::Command::new("umount").arg("-l").arg(disk.path()).status().unwrap();
    outcome.unwrap();
}

/// Sends a part of a body that claims more, and cuts the connection.
fn cut(server: &Server, path: &str, offset: u64, part: &[u8], claimed: usize) {
    let mut stream = connect(server.address());
    let (tus, kind) = (TUS.1, OFFSET_STREAM.1);
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {}\r\nTus-Resumable: {tus}\r\nContent-Type: {kind}\r\n\
         Upload-Offset: {offset}\r\nContent-Length: {claimed}\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(part).unwrap();
}

/// Waits until a resumable upload is imported, and returns its song.
fn imported(client: &Client, path: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let upload = client.get(path).expect(200);
        if upload["state"] == "imported" {
            return client.get(&format!("songs/{}", upload["song"])).expect(200);
        }
        assert!(upload["state"] != "failed" && Instant::now() < until, "{upload}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a server has at least this many bytes of an upload.
fn wait_for_offset(client: &Client, path: &str, least: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let offset = client.offset(path);
        if offset >= least || Instant::now() >= until {
            return offset;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_upload_resumes_after_a_cut_connection_and_after_sigkill() {
    let home = tiny_home();
    let sound = sound(44_100 * 10, 3);
    let (length, third) = (sound.len(), sound.len() / 3);
    let server = Server::start(home.path());
    let client = server.client();
    let created = client.create_upload("Ünï song.wav", length as u64);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("tus-resumable"), "1.0.0");
    assert!(!created.header("upload-expires").is_empty());
    let path = created.header("location").to_owned();
    cut(&server, &path, 0, &sound[..third], length);
    let offset = wait_for_offset(&client, &path, third as u64);
    assert_eq!(offset, third as u64, "the received part is kept after a cut connection");
    let wrong = client.try_append(&path, offset + 1, &sound[third..third + 1000]).unwrap();
    assert_eq!(wrong.status, 409, "{}", wrong.text());
    let more = client.try_append(&path, offset, &sound[third..2 * third]).unwrap();
    assert_eq!(
        (more.status, more.header("upload-offset")),
        (204, (2 * third).to_string().as_str())
    );
    // A confirmed part survives a killed server.
    server.kill();

    let server = Server::start(home.path());
    let client = server.client();
    assert_eq!(client.offset(&path), 2 * third as u64);
    let beyond = [&sound[2 * third..], b"too much"].concat();
    let refused = client.try_append(&path, 2 * third as u64, &beyond);
    assert!(refused.is_err() || refused.is_ok_and(|answer| (400..500).contains(&answer.status)));
    let offset = client.offset(&path) as usize;
    let done = client.try_append(&path, offset as u64, &sound[offset..]).unwrap();
    assert_eq!(done.status, 204, "{}", done.text());
    let song = imported(&client, &path);
    assert_eq!(
        (song["title"].as_str(), song["frames"].as_u64()),
        (Some("Ünï song"), Some(441_000))
    );
    is_consistent(&client, home.path(), 1);
    let other = client.create_upload("other.wav", 1000);
    let other = other.header("location");
    assert_eq!(client.send("DELETE", other, &[TUS], &[]).status, 204);
    assert!([404, 410].contains(&client.send("HEAD", other, &[TUS], &[]).status));
    let old = client.send("PATCH", other, &[("tus-resumable", "0.2.2"), OFFSET_STREAM], b"x");
    assert_eq!((old.status, old.header("tus-version")), (412, "1.0.0"));
    server.end();
    is_swept(home.path());
}

/// Kills the server at random times during uploads, separation and exports. After a restart, jobs
/// continue by themselves, and the result is the one of an undisturbed server.
#[test]
fn a_killed_server_loses_nothing() {
    let rounds: u64 = std::env::var("PARTITA_KILLS").map_or(8, |text| text.parse().unwrap());
    let sound = sound(44_100 * 20, 5);
    let expected = {
        let home = tiny_home();
        let server = Server::start(home.path());
        let client = server.client();
        client.try_upload(&[("song.wav", &sound)]).unwrap().expect(201);
        client.process(1, &[]);
        let progress = client.separated(1);
        client.get(progress["mix"].as_str().unwrap()).body
    };
    let (home, mut dice) = (tiny_home(), Dice(2026));
    let server = Server::start(home.path());
    let client = server.client();
    client.try_upload(&[("song.wav", &sound)]).unwrap().expect(201);
    client.process(1, &[]);
    let mut server = Some(server);
    for round in 0..rounds {
        std::thread::sleep(Duration::from_millis(dice.below(400)));
        // Another upload is under way when the server is killed.
        let running = server.take().unwrap();
        let client = running.client();
        let other = sound_of_round(round);
        let upload = std::thread::Builder::new().name("client".to_owned());
        let send = move || {
            client.try_upload(&[("other.wav", &other)]).is_ok_and(|answer| answer.status == 201)
        };
        let upload = upload.spawn(send).unwrap();
        std::thread::sleep(Duration::from_millis(dice.below(100)));
        running.kill();
        let is_done = upload.join().unwrap();
        let next = Server::start(home.path());
        let client = next.client();
        let songs = client.get("songs?sort=title").expect(200);
        let titles: Vec<_> = songs["songs"].as_array().unwrap().iter().collect();
        assert!(titles.iter().any(|song| song["title"] == "song"), "{round}: lost: {songs}");
        let other = titles.iter().find(|song| song["title"] == "other");
        assert!(!is_done || other.is_some(), "round {round}: an answered upload is lost: {songs}");
        if let Some(other) = other {
            assert_eq!(client.delete(&format!("songs/{}", other["id"])).status, 204);
        }
        server = Some(next);
    }
    let server = server.unwrap();
    let client = server.client();
    let progress = client.separated(1);
    assert_eq!(progress["job"]["id"], 1, "expected the same job");
    assert!(
        client.get(progress["mix"].as_str().unwrap()).body == expected,
        "expected the same mix"
    );

    // An export that is killed starts again from its beginning, or is forgotten with its files.
    let order = json!({ "format": "flac", "mix": [{ "stem": "low", "gain_db": 0, "pan": 0 }] });
    let export = client.put("POST", "songs/1/exports", &order).expect(202);
    std::thread::sleep(Duration::from_millis(dice.below(60)));
    server.kill();
    let server = Server::start(home.path());
    let client = server.client();
    let after = client.get(&format!("exports/{}", export["id"]));
    assert!([200, 404].contains(&after.status), "{}", after.text());
    let again = client.put("POST", "songs/1/exports", &order).expect(202);
    let exported = client.exported(again["id"].as_i64().unwrap());
    let files = exported["files"].as_array().unwrap();
    assert!(!files.is_empty(), "{exported}");
    for file in files {
        let link = file["href"].as_str().unwrap();
        assert_eq!(client.get(link).body.len() as u64, file["bytes"].as_u64().unwrap(), "{file}");
    }
    let answer = client.put("POST", "reset", &json!({ "confirm": "reset" }));
    answer.expect(200);
    server.end();
    is_swept(home.path());
    let left: Vec<_> = walk(home.path())
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|end| ["f32", "wav", "flac"].contains(&end.to_str().unwrap()))
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A song that differs in each round, so that its upload is never a known one.
fn sound_of_round(round: u64) -> Vec<u8> {
    sound(44_100 * 4, 100 + round as u32)
}

/// The mix of a song, balanced by default, has the samples of the exported file.
#[test]
fn tracks_are_valid_files_in_parts_too() {
    let home = tiny_home();
    let server = Server::start(home.path());
    let client = server.client();
    client.try_upload(&[("song.wav", &sound(30_000, 1))]).unwrap().expect(201);
    client.process(1, &["low"]);
    let progress = client.separated(1);
    let link = progress["tracks"][0]["href"].as_str().unwrap();
    let whole = client.get(link);
    assert_eq!((whole.status, whole.header("content-type")), (200, "audio/wav"));
    assert!(whole.header("content-disposition").starts_with("attachment"), "{:?}", whole.headers);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("low.wav");
    let (first, tag) = (1000, whole.header("etag").to_owned());
    assert!(!tag.is_empty());
    let range = format!("bytes={first}-");
    let headers = [("range", range.as_str()), ("if-range", tag.as_str())];
    let part = client.send("GET", link, &headers, &[]);
    assert_eq!(part.status, 206);
    fs::write(&file, [&whole.body[..first], &part.body].concat()).unwrap();
    assert_eq!(read_wav(&file).len(), 60_000);
    let headers = [("range", range.as_str()), ("if-range", "\"another\"")];
    assert_eq!(
        client.send("GET", link, &headers, &[]).status,
        200,
        "another version is sent whole"
    );
    assert_eq!(client.send("GET", link, &[("if-none-match", &tag)], &[]).status, 304);
    server.end();
}
