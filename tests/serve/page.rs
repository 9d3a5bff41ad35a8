//! The page of `partita serve` in a real browser, for tests. Controls are found by role and name, as a
//! screen reader finds them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{client::Client, driver::Browser, server::Server};
use crate::support::{tiny_home, write_song};

/// Rules of accessibility, which `./x test` fetches.
const AXE: &str = "target/axe-core.min.js";

const PATIENCE: Duration = Duration::from_mins(1);

/// Sizes of the page in CSS pixels: a computer, and a phone.
pub const SIZES: [(&str, u32, u32); 2] = [("wide", 1280, 800), ("phone", 390, 844)];

/// A server with a page in a browser. The data folder has a small network.
pub struct Page {
    pub browser: Browser,
    pub server: Server,
    pub client: Client,
    pub home: TempDir,
}

impl Page {
    /// Opens the page of a new server for a user of these languages.
    pub fn open(languages: &str) -> Self {
        let page = Self::start(languages);
        page.browser.open(&page.server.url);
        page.browser.wait("window.partita");
        page
    }

    /// Starts a server and a browser.
    pub fn start(languages: &str) -> Self {
        Self::start_in(tiny_home(), languages)
    }

    /// Starts a server of a data folder and a browser.
    pub fn start_in(home: TempDir, languages: &str) -> Self {
        let server = Server::start(home.path());
        let browser = Browser::start(languages);
        browser.resize(1280, 800, false);
        browser.prefer("dark");
        Self { browser, client: server.client(), server, home }
    }

    /// Writes a song of 4 s into the data folder's parent of uploads, and returns its path.
    pub fn song(&self, name: &str, seed: u32) -> std::path::PathBuf {
        let file = self.home.path().join(name);
        write_song(&file, 44_100 * 4, 44_100, seed);
        file
    }

    /// Opens the page of a song that is separated.
    pub fn with_separated_song(languages: &str) -> Self {
        let page = Self::start(languages);
        let song = page.client.upload(&page.song("Morning.wav", 1));
        page.client.process(song["id"].as_i64().unwrap(), &[]);
        page.client.separated(song["id"].as_i64().unwrap());
        page.show(&format!("#/song/{}", song["id"]));
        page.browser.wait("window.partita?.app.canExport");
        page
    }

    /// Opens a part of the page.
    pub fn show(&self, hash: &str) {
        self.browser.open("about:blank");
        self.browser.open(&format!("{}/{hash}", self.server.url));
        self.browser.wait("window.partita");
    }

    /// The node of the first control with a role and a name; waits for it.
    fn control(&self, role: &str, name: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let document = self.browser.devtools("DOM.getDocument", &json!({ "depth": 0 }));
            let node = &document["root"]["backendNodeId"];
            let query = json!({ "backendNodeId": node, "role": role, "accessibleName": name });
            let found = self.browser.devtools("Accessibility.queryAXTree", &query);
            let mut nodes = found["nodes"].as_array().unwrap().iter();
            if let Some(node) = nodes.find(|node| node["ignored"] != true) {
                return json!({ "backendNodeId": node["backendDOMNodeId"] });
            }
            if Instant::now() >= until {
                let text = self.browser.run("return document.body.innerText;");
                panic!("there is no {role} {name:?}: {text}\n{:?}", self.browser.messages());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks the middle of a control with the mouse.
    pub fn click(&self, role: &str, name: &str) {
        let node = self.control(role, name);
        self.browser.devtools("DOM.scrollIntoViewIfNeeded", &node);
        let quads = self.browser.devtools("DOM.getContentQuads", &node);
        let quad: Vec<f64> = serde_json::from_value(quads["quads"][0].clone())
            .unwrap_or_else(|_| panic!("{role} {name:?} is invisible"));
        let middle = |offset: usize| quad.iter().skip(offset).step_by(2).sum::<f64>() / 4.0;
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": middle(0), "y": middle(1), "button": "left", "clickCount": 1,
            });
            self.browser.devtools("Input.dispatchMouseEvent", &event);
        }
    }

    /// Focuses a control, and presses keys.
    pub fn press(&self, role: &str, name: &str, keys: &[char]) {
        self.browser.devtools("DOM.focus", &self.control(role, name));
        self.browser.press(keys);
    }

    /// Whether a control exists now, or within a moment.
    pub fn expect(&self, role: &str, name: &str) {
        self.control(role, name);
    }

    /// The samples that the page plays for a song as it is mixed now, interleaved.
    pub fn heard(&self, song: i64, frames: usize) -> Vec<f32> {
        self.heard_with(song, frames, &json!({}))
    }

    /// The samples with options, such as another key and speed.
    pub fn heard_with(&self, song: i64, frames: usize, options: &Value) -> Vec<f32> {
        let text = self.browser.run_with(
            "const [song, frames, options] = argument;
             const { left, right } = await window.partita.renderOffline(song, 0, frames, options);
             const both = new Float32Array(2 * left.length);
             left.forEach((sample, frame) => both[2 * frame] = sample);
             right.forEach((sample, frame) => both[2 * frame + 1] = sample);
             const bytes = new Uint8Array(both.buffer);
             let text = '';
             for (let at = 0; at < bytes.length; at += 0x8000) {
                 text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
             }
             return btoa(text);",
            &json!([song, frames, options]),
        );
        let bytes = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
        bytes.chunks(4).map(|sample| f32::from_le_bytes(sample.try_into().unwrap())).collect()
    }

    /// Violations of the rules of accessibility, one line each.
    pub fn violations(&self) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
        let rules = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run ./x test", path.display()));
        if self.browser.run("return typeof window.axe;") == "undefined" {
            self.browser.run(&rules);
        }
        let found = self.browser.run(
            "const { violations, passes } = await window.axe.run(document);
             if (passes.length < 10) throw new Error(`only ${passes.length} rules apply`);
             return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) =>
                 `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`));",
        );
        serde_json::from_value(found).unwrap()
    }

    /// Saves a picture of the page to `target/page`, to be looked at.
    pub fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), self.browser.picture()).unwrap();
    }

    /// Ends the server; the page must have reported no error.
    pub fn end(self) {
        let messages = self.browser.messages();
        let errors: Vec<_> =
            messages.iter().filter(|text| text.starts_with("\"SEVERE\"")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        drop(self.browser);
        self.server.end();
    }
}
