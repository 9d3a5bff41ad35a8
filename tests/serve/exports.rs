//! Exports over HTTP: requests that cannot become files are refused at once, and numbers stay unique.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::server::Server;
use crate::support::{tiny_home, write_song};

/// A server, its data folder, and a song that is not uploaded yet.
fn server() -> (TempDir, Server, PathBuf) {
    let home = tiny_home();
    let song = home.path().join("Song.wav");
    write_song(&song, 4000, 44_100, 1);
    let server = Server::start(home.path());
    (home, server, song)
}

#[test]
fn exports_that_cannot_be_written_are_refused_at_once() {
    let (_home, server, song) = server();
    let client = server.client();
    client.upload(&song);
    client.process(1, &[]);
    client.separated(1);
    let part = |stem: &str| json!({ "stem": stem });
    for (request, code) in [
        (json!({ "stems": [] }), "nothing_chosen"),
        (json!({ "mix": [] }), "nothing_chosen"),
        (json!({ "stems": ["kazoo"] }), "unknown_stem"),
        (json!({ "all_but": ["kazoo"] }), "unknown_stem"),
        (json!({ "mix": [part("kazoo")] }), "unknown_stem"),
        (json!({ "mix": [{ "stem": "low", "gain_db": 30 }] }), "invalid_value"),
        (json!({ "mix": [{ "stem": "low", "pan": -1.5 }] }), "invalid_value"),
        (json!({ "format": "flac", "depth": "32f" }), "depth"),
        (json!({ "loudness_lufs": -14 }), "field_needed"),
        (json!({ "limiter": true }), "field_needed"),
    ] {
        client.put("POST", "songs/1/exports", &request).problem(422, code);
    }
    let twice = json!({ "mix": [part("low"), part("low")] });
    client.put("POST", "songs/1/exports", &twice).problem(400, "invalid_request");
    assert_eq!(client.get("exports").expect(200), json!([]));
    let order =
        json!({ "mix": [part("low")], "loudness_lufs": -14, "format": "mp3", "depth": "24" });
    let export = client.put("POST", "songs/1/exports", &order).expect(202);
    assert_eq!(client.exported(export["id"].as_i64().unwrap())["state"], "done");
    for lane in [json!({ "gain_db": 99 }), json!({ "pan": 2 })] {
        let mixer = json!({ "lanes": { "low": lane } });
        client.put("PUT", "songs/1/mixer", &mixer).problem(422, "invalid_value");
    }
    client.get("songs/1/lanes/low/peaks?from=9&to=9").problem(422, "invalid_value");
    server.end();
}

#[test]
fn a_song_that_is_not_separated_is_not_exported() {
    let (_home, server, song) = server();
    let client = server.client();
    client.upload(&song);
    for request in [json!({}), json!({ "mix": [{ "stem": "low" }] }), json!({ "all_but": ["low"] })]
    {
        client.put("POST", "songs/1/exports", &request).problem(409, "not_separated");
    }
    assert_eq!(client.get("exports").expect(200), json!([]));
    client.process(1, &["low"]);
    client.separated(1);
    // At once, although the stores were open before the stem was finished.
    client.put("POST", "songs/1/exports", &json!({ "stems": ["low"] })).expect(202);
    server.end();
}

/// A link to a file never leads to another one.
#[test]
fn numbers_of_exports_go_on_after_a_restart() {
    let (home, server, song) = server();
    server.client().upload(&song);
    server.client().process(1, &[]);
    server.client().separated(1);
    let export = |server: &Server| {
        let export = server.client().put("POST", "songs/1/exports", &json!({})).expect(202);
        let id = export["id"].as_i64().unwrap();
        server.client().exported(id);
        id
    };
    let first = export(&server);
    server.end();
    let server = Server::start(home.path());
    server.client().get(&format!("exports/{first}/files/0")).problem(404, "unknown");
    assert_eq!(std::fs::read_dir(home.path().join("exports")).unwrap().count(), 1);
    let second = export(&server);
    assert_eq!(second, first + 1);
    server.client().put("POST", "reset", &json!({ "confirm": "reset" })).expect(200);
    server.client().upload(&song);
    let id = server.client().get("songs").expect(200)["songs"][0]["id"].as_i64().unwrap();
    server.client().process(id, &[]);
    server.client().separated(id);
    let order = server.client().put("POST", &format!("songs/{id}/exports"), &json!({}));
    assert_eq!(order.expect(202)["id"], first + 2);
    server.end();
}
