//! Models over HTTP: installed after a look at their terms, with progress; stopped, and removed.

use std::{
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use partita::engine::Preferences;
use serde_json::{Value, json};

use super::{
    client::{Client, PATIENCE},
    server::Server,
};
use crate::support::tiny_home;

/// Sets a mirror that takes connections and never answers, until dropped.
pub fn silent_mirror(home: &Path) -> TcpListener {
    let mirror = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/weights", mirror.local_addr().unwrap());
    let preferences = Preferences { mirror: Some(address), ..Preferences::default() };
    preferences.save(home).unwrap();
    mirror
}

fn model(client: &Client, name: &str) -> Value {
    let list = client.get("models").expect(200);
    let models = list["models"].as_array().unwrap();
    models.iter().find(|model| model["name"] == name).unwrap().clone()
}

fn wait(client: &Client, name: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = model(client, name);
        if is_wanted(&found) {
            return found;
        }
        assert!(Instant::now() < until, "{found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_model_is_installed_after_its_terms_are_accepted() {
    let home = tiny_home();
    let _mirror = silent_mirror(home.path());
    let server = Server::start(home.path());
    let client = server.client();
    let name = "htdemucs_6s";
    let missing = model(&client, name);
    assert_eq!(
        (&missing["is_installed"], &missing["can_be_installed"]),
        (&json!(false), &json!(true))
    );
    assert!(!missing["terms"].as_str().unwrap().is_empty() && missing["bytes"].as_u64() > Some(1));
    let path = format!("models/{name}/install");
    client.put("POST", &path, &json!({})).problem(422, "invalid_value");
    client
        .put("POST", "models/kazoo/install", &json!({ "accepts_terms": true }))
        .problem(404, "unknown_chain");
    assert_eq!(model(&client, name)["task"], Value::Null);

    let accepted = json!({ "accepts_terms": true });
    client.put("POST", &path, &accepted).expect(202);
    let running = wait(&client, name, |model| model["task"]["step"].is_string());
    assert_eq!(running["task"]["problem"], Value::Null, "{running}");
    let another = client.put("POST", "models/htdemucs_ft/install", &accepted);
    another.problem(409, "model_busy");
    client.put("POST", &format!("models/{name}/cancel"), &json!({})).expect(202);
    wait(&client, name, |model| model["task"].is_null());
    assert_eq!(model(&client, name)["is_installed"], false);

    assert_eq!(client.get("health").expect(200)["is_ready"], true);
    client.delete("models/kazoo").problem(404, "unknown_chain");
    assert_eq!(client.delete("models/htdemucs").status, 204);
    assert_eq!(client.get("health").expect(200)["is_ready"], false);
    server.end();
}
