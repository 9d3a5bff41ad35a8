//! The description of the interface (`/openapi.json`): it is valid OpenAPI, and the answers of a whole
//! session, mistakes included, are as it says.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{
    client::{Answer, Client, OFFSET_STREAM, PATIENCE, TUS, form},
    server::Server,
};
use crate::support::{tiny_home, write_song};

/// The description of a server's interface.
struct Description {
    document: Value,
}

impl Description {
    fn new(client: &Client) -> Self {
        Self { document: client.get("openapi.json").expect(200) }
    }

    /// A part of the description, or the part that its `$ref` names.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(link) => self.document.pointer(link.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    /// A validator of values by a schema of the description.
    fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&whole)
            .unwrap_or_else(|error| panic!("{schema}: {error}"))
    }

    /// The template of a path, such as `/api/v1/songs/{id}`, with the operation of a method.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let is_template = |template: &str| {
            let expected: Vec<&str> = template.split('/').collect();
            expected.len() == parts.len()
                && expected
                    .iter()
                    .zip(&parts)
                    .all(|(expected, part)| expected == part || expected.starts_with('{'))
        };
        let paths = self.document["paths"].as_object().unwrap();
        // A path without parameters is more specific.
        let mut found: Vec<_> = paths.iter().filter(|(name, _)| is_template(name)).collect();
        found.sort_by_key(|(name, _)| name.matches('{').count());
        let (name, item) = found.first()?;
        Some((name, item.get(method.to_lowercase())?))
    }

    /// The difference between an answer and its description, if there is one.
    fn difference(&self, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
        let (_, operation) = self.operation(method, path).ok_or("is not described")?;
        let responses = &operation["responses"];
        let group = format!("{}XX", answer.status / 100);
        let response = [answer.status.to_string().as_str(), &group, "default"]
            .into_iter()
            .find_map(|status| responses.get(status))
            .ok_or_else(|| format!("is not described: {}", answer.text()))?;
        let Some(content) = self.resolved(response).get("content") else {
            let is_empty = answer.body.is_empty() || method == "HEAD";
            return is_empty.then_some(()).ok_or("has content, and none is described".to_owned());
        };
        if method == "HEAD" || answer.status == 304 {
            return Ok(());
        }
        let kind = answer.header("content-type").split(';').next().unwrap().trim();
        let content = content.get(kind).or_else(|| content.get("*/*"));
        let content = content.ok_or_else(|| format!("has the type {kind:?}"))?;
        if !kind.ends_with("json") {
            return Ok(());
        }
        let (value, validator) = (answer.json(), self.validator(&content["schema"]));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{}: {value}", errors.join("; "))) }
    }

    /// The operation and status of an answer.
    fn name(&self, method: &str, path: &str, answer: &Answer) -> String {
        let template = self.operation(method, path).map_or(path, |(template, _)| template);
        format!("{method} {template} {}", answer.status)
    }
}

/// Every `$ref` of a value.
fn links<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| links(field, found));
        }
        Value::Array(values) => values.iter().for_each(|value| links(value, found)),
        _ => {}
    }
}

#[test]
fn the_description_is_valid() {
    let home = tiny_home();
    let server = Server::start(home.path());
    let Description { document } = Description::new(&server.client());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/openapi-3.1.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::options().build(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));

    let mut found = Vec::new();
    links(&document, &mut found);
    for link in found {
        let pointer = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} is elsewhere"));
        assert!(document.pointer(pointer).is_some(), "{link} leads nowhere");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name} is not a schema");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let shared = item.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        for method in ["get", "post", "put", "patch", "delete", "head", "options"] {
            let Some(operation) = item.get(method) else { continue };
            let id = operation["operationId"].as_str();
            let id = id.unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            assert!(ids.insert(id), "{id} is used twice");
            let own = operation["parameters"].as_array().cloned().unwrap_or_default();
            let parts = path.split('/').filter_map(|part| part.strip_prefix('{'));
            for name in parts.map(|part| part.trim_end_matches('}')) {
                let is_declared = own.iter().chain(&shared).any(|parameter| {
                    let parameter = match parameter["$ref"].as_str() {
                        Some(link) => document.pointer(&link[1..]).unwrap(),
                        None => parameter,
                    };
                    parameter["name"] == name && parameter["in"] == "path"
                });
                assert!(is_declared, "{method} {path} does not declare {name}");
            }
        }
    }
    server.end();
}

/// A client that checks each answer by the description.
struct Checked {
    client: Client,
    description: Description,
    seen: BTreeSet<String>,
    differences: BTreeSet<String>,
}

impl Checked {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.client.send(method, path, headers, body);
        self.check(method, path, &answer);
        answer
    }

    fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let name = self.description.name(method, &path, answer);
        if let Err(difference) = self.description.difference(method, &path, answer) {
            self.differences.insert(format!("{name} {difference}"));
        }
        self.seen.insert(name);
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    fn put(&mut self, method: &str, path: &str, value: &Value) -> Answer {
        let body = value.to_string();
        self.send(method, path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// Waits until the state at `path` ends.
    fn ended(&mut self, path: &str, state: impl Fn(&Value) -> &Value) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let value = self.get(path).expect(200);
            let is_going = ["waiting", "running", "receiving", "importing"]
                .iter()
                .any(|going| state(&value) == *going);
            if !is_going {
                return value;
            }
            assert!(Instant::now() < until, "{path}: {value}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn every_answer_of_a_session_is_as_described() {
    let home = tiny_home();
    let file = home.path().join("song.wav");
    write_song(&file, 30_000, 44_100, 1);
    let sound = fs::read(&file).unwrap();
    let server = Server::start(home.path());
    let client = server.client();
    let description = Description::new(&client);
    let mut checked =
        Checked { client, description, seen: BTreeSet::new(), differences: BTreeSet::new() };
    songs_and_uploads(&mut checked, &sound);
    jobs_and_tracks(&mut checked);
    exports_and_mistakes(&mut checked);
    models(&mut checked);
    println!("{} kinds of answers: {:#?}", checked.seen.len(), checked.seen);
    let document = checked.description.document;
    let mut missing = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let start = format!("{} {path} ", method.to_uppercase());
            // The stream of events has no end.
            if path.ends_with("/events") {
                continue;
            }
            if !checked.seen.iter().any(|seen| seen.starts_with(&start)) {
                missing.push(start);
            }
        }
    }
    let differences = checked.differences;
    assert!(differences.is_empty(), "answers are not as described: {differences:#?}");
    assert!(missing.is_empty(), "these operations are described and not checked: {missing:#?}");
    server.end();
}

fn songs_and_uploads(checked: &mut Checked, sound: &[u8]) {
    for path in ["session", "health", "metrics", "models", "formats", "songs"] {
        assert_eq!(checked.get(path).status, 200, "{path}");
    }
    checked.put("POST", "session", &json!({ "token": "wrong" }));
    checked.send("DELETE", "session", &[], &[]);
    let (kind, body) = form(&[("song.wav", sound), ("words.mp3", b"no music here")]);
    let kind = [("content-type", kind.as_str())];
    let added = checked.send("POST", "songs", &kind, &body).expect(201);
    assert_eq!(
        (&added["songs"][0]["id"], &added["failed"][0]["file_name"]),
        (&json!(1), &json!("words.mp3"))
    );
    let (kind, body) = form(&[("words.mp3", b"no music here")]);
    checked.send("POST", "songs", &[("content-type", &kind)], &body).expect(415);
    let listed = checked.get("songs?search=song&sort=title&limit=1");
    let tag = listed.header("etag").to_owned();
    assert_eq!(
        checked
            .send("GET", "songs?search=song&sort=title&limit=1", &[("if-none-match", &tag)], &[])
            .status,
        304
    );
    for path in ["songs/1", "songs/1/options", "songs/1/mixer", "songs/1/lanes"] {
        assert_eq!(checked.get(path).status, 200, "{path}");
    }
    checked.get("songs/1/cover");
    checked.put("PATCH", "songs/1", &json!({ "title": "Another" })).expect(200);
    checked.put("PUT", "songs/1/options", &json!({ "quality": "draft" })).expect(200);
    checked.put("PUT", "songs/1/options", &json!({ "quality": "standard" })).expect(200);
    checked.put("PUT", "songs/1/options", &json!({ "quality": "perfect" }));
    checked.get("songs/1/progress").problem(404, "not_processed");
    checked.send("OPTIONS", "uploads", &[], &[]);
    let created = checked.client.create_upload("second.wav", sound.len() as u64);
    checked.check("POST", "uploads", &created);
    let path = created.header("location").to_owned();
    checked.send("HEAD", &path, &[TUS], &[]);
    let mut other = sound.to_owned();
    *other.last_mut().unwrap() ^= 1;
    let headers = [TUS, OFFSET_STREAM, ("upload-offset", "0")];
    assert_eq!(checked.send("PATCH", &path, &headers, &other).status, 204);
    let imported = checked.ended(&path, |upload| &upload["state"]);
    assert_eq!(imported["state"], "imported", "{imported}");
    checked.send("DELETE", &path, &[TUS], &[]);
    checked.get("uploads/unknown");
}

fn jobs_and_tracks(checked: &mut Checked) {
    let stems = json!({ "stems": ["low"], "from_seconds": 0.1 });
    let job = checked.put("POST", "songs/1/jobs", &stems).expect(202);
    let progress = checked.ended("songs/1/progress", |progress| &progress["job"]["state"]);
    for path in [progress["tracks"][0]["href"].as_str().unwrap(), progress["mix"].as_str().unwrap()]
    {
        checked.get(path);
        checked.send("GET", path, &[("range", "bytes=0-9")], &[]);
    }
    for path in ["jobs", "jobs?state=done&song=1", &format!("jobs/{}", job["id"])] {
        checked.get(path).expect(200);
    }
    for name in ["original", "low"] {
        checked.get(&format!("songs/1/lanes/{name}/sound"));
        checked.send(
            "GET",
            &format!("songs/1/lanes/{name}/sound"),
            &[("range", "bytes=80-87")],
            &[],
        );
        checked.get(&format!("songs/1/lanes/{name}/peaks?from=0&to=30000&bins=10")).expect(200);
    }
    checked.put(
        "PUT",
        "songs/1/mixer",
        &json!({ "lanes": { "low": {
        "ticked": true, "gain_db": -6.0, "pan": 0.5, "muted": false, "soloed": false,
    } } }),
    );
    // Jobs are so short that a control may come too late; both answers are described.
    for verb in ["pause", "continue", "cancel", "retry"] {
        let job = checked.put("POST", "songs/2/jobs", &json!({})).expect(202);
        checked.put("POST", &format!("jobs/{}/{verb}", job["id"]), &json!({}));
        checked.put("POST", &format!("jobs/{}/cancel", job["id"]), &json!({}));
    }
    checked.send("DELETE", &format!("jobs/{}", job["id"]), &[], &[]);
}

/// Comes last: nothing can be separated without the model.
fn models(checked: &mut Checked) {
    checked.put("POST", "models/htdemucs/install", &json!({})).problem(422, "invalid_value");
    checked.put("POST", "models/htdemucs/cancel", &json!({})).expect(202);
    for path in ["models/kazoo", "models/htdemucs"] {
        checked.send("DELETE", path, &[], &[]);
    }
}

fn exports_and_mistakes(checked: &mut Checked) {
    let order = json!({ "format": "wav", "depth": "24", "stems": ["low"], "residual": true });
    let export = checked.put("POST", "songs/1/exports", &order).expect(202);
    let path = format!("exports/{}", export["id"]);
    let done = checked.ended(&path, |export| &export["state"]);
    checked.get(done["files"][0]["href"].as_str().unwrap());
    checked.get(done["archive"].as_str().unwrap());
    checked.get("exports");
    checked.send("DELETE", &path, &[], &[]);
    for order in
        [json!({ "format": "ogg" }), json!({}), json!({ "format": "wav", "stems": ["kazoo"] })]
    {
        checked.put("POST", "songs/1/exports", &order);
    }
    for path in [
        "songs/99",
        "songs/99/progress",
        "songs/99/lanes",
        "songs/99/mixer",
        "songs/99/options",
        "songs/99/cover",
        "jobs/99",
        "jobs/99/tracks/mix",
        "exports/99",
        "exports/99/archive",
        "exports/99/files/0",
        "songs/1/lanes/kazoo/sound",
        "songs/1/lanes/kazoo/peaks",
        "songs/1/lanes/low/peaks?bins=99999",
        "songs?limit=9999",
        "songs?sort=worst",
        "songs/1/lanes/low/peaks?from=9&to=2",
    ] {
        // A number beyond its limit may be refused, or be the limit.
        let answer = checked.get(path);
        let is_expected = answer.status < 500 && (answer.status >= 400 || path.contains('?'));
        assert!(is_expected, "{path}: {}", answer.text());
    }
    for path in ["songs/99/jobs", "songs/99/exports", "jobs/99/cancel", "reset"] {
        let answer = checked.put("POST", path, &json!({ "format": "wav" }));
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
    }
    checked.put("PUT", "songs/99/mixer", &json!({ "lanes": {} }));
    checked.put("PATCH", "songs/99", &json!({ "title": "x" }));
    checked.put("PUT", "songs/99/options", &json!({}));
    checked
        .put("POST", "songs/1/jobs", &json!({ "stems": ["kazoo"] }))
        .problem(422, "unknown_stem");
    checked.send("DELETE", "songs/99", &[], &[]);
    checked.send("DELETE", "songs/2", &[], &[]);
    checked.put("POST", "reset", &json!({ "confirm": "reset" })).expect(200);
}
