//! A real Chromium for tests, driven through chromedriver: WebDriver is JSON over HTTP, and the
//! existing HTTP client is enough. The kept crates add an asynchronous client, or a second version of
//! several crates. Commands of the DevTools protocol go through chromedriver too.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::{Agent, http::Request};

use crate::support::xvfb::Ends;

const MISSING: &str = "Chromium and its driver are needed: `./x test` installs them; by hand, \
                       `apt-get install chromium chromium-driver`";

/// The key of an element's id in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The time in which a page has to reach a state.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with an empty profile and one page; it ends when dropped.
pub struct Browser {
    agent: Agent,
    /// The address of the session.
    session: String,
    folder: TempDir,
    driver: Ends,
    _stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser whose user prefers these languages, for example `pt-BR,pt`.
    pub fn start(languages: &str) -> Self {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{MISSING}: {error}"));
        let mut stdout = BufReader::new(driver.stdout.take().unwrap());
        let driver = Ends(driver);
        let port = loop {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "chromedriver ended");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE * 3));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("downloads")).unwrap();
        let session = format!("http://127.0.0.1:{port}");
        let mut browser =
            Self { agent: config.build().into(), session, folder, driver, _stdout: stdout };
        let created = browser.call("POST", "/session", &browser.capabilities(languages));
        let id = created["sessionId"].as_str().unwrap_or_else(|| panic!("{MISSING}: {created}"));
        browser.session = format!("{}/session/{id}", browser.session);
        browser.call("POST", "/timeouts", &json!({ "script": PATIENCE.as_millis() as u64 }));
        let downloads = json!({ "behavior": "allow", "downloadPath": browser.downloads() });
        browser.devtools("Browser.setDownloadBehavior", &downloads);
        browser.devtools("Log.enable", &json!({}));
        browser
    }

    fn capabilities(&self, languages: &str) -> Value {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        let mut arguments = vec![
            "--headless=new",
            &profile,
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--autoplay-policy=no-user-gesture-required",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
        ];
        if rustix::process::geteuid().is_root() {
            arguments.push("--no-sandbox");
        }
        let options = json!({
            "args": arguments,
            "prefs": { "intl.accept_languages": languages },
        });
        json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        } } })
    }

    /// The folder of downloads.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = Request::builder().method(method).uri(url);
        let mut response = if method == "GET" || method == "DELETE" {
            self.agent.run(request.body(()).unwrap())
        } else {
            let request = request.header("content-type", "application/json");
            self.agent.run(request.body(body.to_string()).unwrap())
        }
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        let status = response.status();
        assert!(status.is_success(), "{method} {path}: {}", answer["value"]["message"]);
        answer["value"].take()
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("POST", "/goog/cdp/execute", &body)
    }

    /// Opens an address, and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    /// The result of JavaScript, the body of an asynchronous function of `argument`.
    pub fn run_with(&self, script: &str, argument: &Value) -> Value {
        let script = format!("return (async argument => {{ {script} }})(arguments[0]);");
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": [argument] }))
    }

    /// The result of JavaScript, the body of an asynchronous function.
    pub fn run(&self, script: &str) -> Value {
        self.run_with(script, &Value::Null)
    }

    /// Waits until a JavaScript expression is truthy, and returns its value.
    pub fn wait(&self, expression: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let value = self.run(&format!("return {expression};"));
            let is_falsy = [json!(null), json!(false), json!(0), json!("")].contains(&value);
            if !is_falsy {
                return value;
            }
            if Instant::now() >= until {
                let text = self.run("return document.body.innerText;");
                panic!("{expression} stays {value}: {text}\n{:?}", self.messages());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sets the size of the page in CSS pixels; a phone has touch input and two pixels per point.
    pub fn resize(&self, width: u32, height: u32, is_phone: bool) {
        let scale = if is_phone { 2 } else { 1 };
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let touch = json!({ "enabled": is_phone });
        self.devtools("Emulation.setTouchEmulationEnabled", &touch);
    }

    /// Sets the user's preferred theme, without animations.
    pub fn prefer(&self, theme: &str) {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// A picture of the visible page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.call("GET", "/screenshot", &Value::Null);
        BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// The id of the first element for a CSS selector.
    fn element(&self, selector: &str) -> String {
        let body = json!({ "using": "css selector", "value": selector });
        self.call("POST", "/element", &body)[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks an element as a user does: it has to be visible and uncovered.
    pub fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector));
        self.call("POST", &path, &json!({}));
    }

    /// Types into an element. For an input of files, the text is a path on each line.
    pub fn write(&self, selector: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(selector));
        self.call("POST", &path, &json!({ "text": text }));
    }

    /// Presses and releases keys of the focused element, one after another.
    pub fn press(&self, keys: &[char]) {
        let press = |key: &char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        };
        let actions: Vec<Value> = keys.iter().flat_map(press).collect();
        let source = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.call("POST", "/actions", &json!({ "actions": [source] }));
    }

    /// Drops files on the middle of an element, as from a file manager.
    pub fn drop_files(&self, selector: &str, files: &[&Path]) {
        let middle = self.run_with(
            "const box = document.querySelector(argument).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2];",
            &json!(selector),
        );
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({
                "type": kind, "x": middle[0], "y": middle[1],
                "data": { "items": [], "files": files, "dragOperationsMask": 1 },
            });
            self.devtools("Input.dispatchDragEvent", &event);
        }
    }

    /// Waits for a complete download, and returns its path.
    pub fn downloaded(&self, is_file: impl Fn(&str) -> bool) -> PathBuf {
        let until = Instant::now() + PATIENCE;
        loop {
            for entry in std::fs::read_dir(self.downloads()).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if is_file(name) && !name.ends_with(".crdownload") && !name.starts_with('.') {
                    return path;
                }
            }
            assert!(Instant::now() < until, "the download does not arrive");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Messages of the page's console since the last call, with violations of its security policy
    /// and failed requests.
    pub fn messages(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        let text = |entry: &Value| format!("{} {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(text).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with the session; killing chromedriver alone would leave it.
        let end = Request::delete(&self.session).body(()).unwrap();
        self.agent.run(end).ok();
        self.driver.0.kill().ok();
    }
}

#[test]
fn the_browser_runs_scripts_takes_files_and_makes_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (page, file) = (folder.path().join("page.html"), folder.path().join("a song.txt"));
    std::fs::write(
        &page,
        "<!doctype html><meta name=viewport content='width=device-width'><style>@media (prefers-color-scheme: dark) \
         { body { background: #102030 } }</style><input type=file id=input>\
         <p id=zone style='height:100px'>drop here</p><script>\
         const zone = document.getElementById('zone');\
         zone.ondragover = event => event.preventDefault();\
         zone.ondrop = event => { event.preventDefault(); \
         event.dataTransfer.files[0].text().then(text => window.dropped = text) };\
         </script>",
    )
    .unwrap();
    std::fs::write(&file, "la la").unwrap();
    let browser = Browser::start("pt-BR,pt");
    browser.prefer("dark");
    browser.resize(390, 844, true);
    browser.open(&format!("file://{}", page.display()));
    assert_eq!(browser.run("return [innerWidth, navigator.languages[0]];"), json!([390, "pt-BR"]));
    assert_eq!(browser.run("return await Promise.resolve(6 * 7);"), 42);
    browser.write("#input", file.to_str().unwrap());
    let name = browser.wait("document.getElementById('input').files[0]?.name");
    assert_eq!(name, "a song.txt");
    browser.drop_files("#zone", &[&file]);
    assert_eq!(browser.wait("window.dropped"), "la la");
    let picture = image::load_from_memory(&browser.picture()).unwrap().to_rgb8();
    assert_eq!(picture.width(), 780, "two pixels per point");
    assert_eq!(picture.get_pixel(779, 1600).0, [0x10, 0x20, 0x30]);
}
