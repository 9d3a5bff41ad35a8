//! The page in a real Chromium: a song from drop to download, and the user's language, theme and size.

use std::{fs, path::Path};

use serde_json::json;

use super::{
    models::silent_mirror,
    page::{Page, SIZES},
};
use crate::support::{largest_difference, read_wav, tiny_home, write_song};

/// Keys of WebDriver.
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';
const ESCAPE: char = '\u{e00c}';

#[test]
fn a_dropped_song_is_separated_and_heard_as_it_is_exported() {
    const FRAMES: usize = 44_100 * 4;
    let page = Page::open("en-US,en");
    page.picture("empty");
    let file = page.song("Morning.wav", 1);
    page.browser.drop_files("body", &[&file]);
    page.expect("heading", "Morning");
    // Before it is processed, the song plays as it is.
    let original = read_wav(&file);
    page.browser.wait("window.partita.app.model?.answer?.frames");
    assert!(largest_difference(&page.heard(1, FRAMES), &original) < 1e-6);

    page.click("button", "Process");
    page.browser.wait("window.partita.app.canExport");
    page.picture("separated");
    // A mix by the keyboard: one stem turned down and to the left, one muted.
    page.press("slider", "Gain Low", &[LEFT; 20]);
    page.press("slider", "Pan Low", &[LEFT; 7]);
    page.press("slider", "Pan Rest", &[RIGHT; 20]);
    page.click("button", "Mute High");
    page.browser.wait(
        "await fetch('/api/v1/songs/1/mixer').then(answer => answer.json())
             .then(({ lanes }) => lanes.high?.muted && lanes.rest?.pan === 1 && lanes.low?.gain_db < -1)",
    );
    let heard = page.heard(1, FRAMES);

    page.click("button", "Export…");
    page.click("radio", "WAV");
    page.click("radio", "32-bit float");
    page.picture("export");
    page.click("button", "Export");
    page.browser.wait("document.querySelector('.export-card a[download]')");
    page.browser.click(".export-card a[download]");
    let file = page.browser.downloaded(|name| name.contains("Morning"));
    let exported = read_wav(&file);
    let difference = largest_difference(&heard, &exported);
    let loudest = exported.iter().map(|sample| sample.abs()).fold(0.0, f32::max);
    println!("playback and export differ by {difference:e}, at most {loudest}");
    assert!(loudest > 0.01, "the mix is silent");
    assert!(difference < 2e-6, "{difference}");
    assert!(largest_difference(&heard, &original) > 0.01, "the faders change nothing");
    page.end();
}

#[test]
fn playback_follows_the_keyboard() {
    let page = Page::with_separated_song("en-US,en");
    page.click("button", "Play");
    page.browser.wait("window.partita.app.player.frame > 22050");
    page.browser.press(&[' ']);
    page.expect("button", "Play");
    let frame = page.browser.run("return window.partita.app.player.frame;").as_f64().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let later = page.browser.run("return window.partita.app.player.frame;").as_f64().unwrap();
    assert_eq!(later, frame, "a paused song stands still");
    page.browser.press(&[' ']);
    page.expect("button", "Pause");
    page.browser.wait(&format!("window.partita.app.player.frame > {}", frame + 11_025.0));
    page.end();
}

/// An upload goes on after the connection was lost, without a click.
#[test]
fn an_upload_survives_a_lost_connection() {
    let page = Page::open("en-US,en");
    let file = page.home.path().join("Long.wav");
    write_song(&file, 44_100 * 60, 44_100, 1); // three parts of 4 MiB
    page.browser.devtools("Network.enable", &json!({}));
    let network = |is_offline: bool, speed: i64| {
        let state = json!({
            "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed,
        });
        page.browser.devtools("Network.emulateNetworkConditions", &state);
    };
    network(false, 4 << 20);
    page.browser.drop_files("body", &[&file]);
    page.browser.wait("window.partita.app.uploads.list[0]?.sent > 0");
    network(true, 0);
    page.browser.wait("window.partita.app.uploads.list[0]?.state === 'retrying'");
    assert_eq!(page.client.get("songs").expect(200)["total"], 0);
    network(false, -1);
    page.expect("heading", "Long");
    assert_eq!(page.client.get("songs/1").expect(200)["frames"], 44_100 * 60);
    assert!(page.client.get("uploads").status != 500);
    page.browser.messages(); // the lost connection is reported there
    page.end();
}

/// Each part of the page in both themes and sizes: nothing is wider than the screen, every control of
/// a phone can be touched, and axe-core finds no violation of the rules of accessibility.
#[test]
fn every_part_is_accessible_in_both_themes_and_sizes() {
    let page = Page::with_separated_song("en-US,en");
    page.client
        .upload(&page.song("Evening, a song with a title that is longer than its place.wav", 2));
    let mut found = Vec::new();
    for (size, width, height) in SIZES {
        page.browser.resize(width, height, size == "phone");
        for theme in ["dark", "light"] {
            page.browser.prefer(theme);
            for part in ["#/", "#/song/1", "#/song/2", "#/jobs", "export", "menu", "models"] {
                match part {
                    "export" => {
                        page.show("#/song/1");
                        page.browser.wait("window.partita.app.canExport");
                        page.click("button", "Export…");
                        page.expect("radio", "WAV");
                    }
                    "menu" => {
                        page.show("#/");
                        page.click("button", "Settings");
                        page.expect("menuitemradio", "English");
                    }
                    "models" => {
                        page.show("#/");
                        page.click("button", "Settings");
                        page.click("menuitem", "Models");
                        page.expect("list", "Models");
                    }
                    hash => page.show(hash),
                }
                page.browser.wait("!document.querySelector('.song-title[hidden]')");
                if part == "#/jobs" {
                    page.browser.wait("document.querySelector('.job-title')");
                }
                if part.starts_with("#/song") {
                    page.expect("slider", "Volume");
                }
                let name = part.trim_start_matches("#/").replace('/', "-");
                let name = if name.is_empty() { "library" } else { &name };
                let name = format!("{size}-{theme}-{name}");
                page.picture(&name);
                found.extend(page.violations().into_iter().map(|line| format!("{name}: {line}")));
                found.extend(misfits(&page).into_iter().map(|line| format!("{name}: {line}")));
                if ["export", "menu", "models"].contains(&part) {
                    page.browser.press(&[ESCAPE]);
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    page.end();
}

/// Parts that are wider than the screen, or too small to be touched on a phone.
fn misfits(page: &Page) -> Vec<String> {
    let found = page.browser.run(
        "const isPhone = innerWidth <= 480;
         const found = [];
         if (document.documentElement.scrollWidth > innerWidth) {
             found.push(`the page is ${document.documentElement.scrollWidth} pixels wide`);
         }
         const name = (one) => one.getAttribute('aria-label') || one.innerText || one.className;
         const dialog = document.querySelector('dialog[open]') ?? document;
         for (const one of isPhone ? dialog.querySelectorAll('button, a[href], input, select') : []) {
             if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
             const target = one.closest('label') ?? one;
             const { width, height, right, left } = target.getBoundingClientRect();
             if (width < 2 || height < 2 || right < 0 || left > innerWidth) continue; // hidden, for screen readers
             if (Math.round(height) < 44) found.push(`${one.tagName} ${name(one)} is ${height} pixels high`);
         }
         return found;",
    );
    serde_json::from_value(found).unwrap()
}

/// A message of the window's and the page's own files.
fn message(language: &str, id: &str) -> String {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/i18n").join(language);
    let files =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()));
    let start = format!("{id} = ");
    let find =
        |text: String| text.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned));
    files.map(Result::unwrap).find_map(find).unwrap_or_else(|| panic!("{language} has no {id}"))
}

#[test]
fn the_page_speaks_the_languages_of_the_user() {
    for (languages, language) in
        [("pt-BR,pt", "pt-BR"), ("fi,pt", "pt-BR"), ("fi,en", "en"), ("fi", "en")]
    {
        let page = Page::open(languages);
        assert_eq!(
            page.browser.run("return document.documentElement.lang;"),
            language,
            "{languages}"
        );
        page.expect("heading", &message(language, "empty-title"));
        page.expect("button", &message(language, "action-open-settings"));
        let file = page.home.path().join("words.mp3");
        fs::write(&file, "no music here, only words\n".repeat(40)).unwrap();
        page.browser.drop_files("body", &[&file]);
        // The server's problems are in the same language.
        let state =
            page.browser.wait("document.querySelector('.upload.failed .upload-state')?.innerText");
        let is_portuguese = state.as_str().unwrap().contains("não");
        assert_eq!(is_portuguese, language == "pt-BR", "{state}");
        let text = page.browser.run("return document.body.innerText;");
        let is_id = |word: &str| {
            word.contains('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        let ids: Vec<_> = text.as_str().unwrap().lines().filter(|line| is_id(line)).collect();
        assert!(ids.is_empty(), "texts are missing: {ids:?}");
        page.picture(&format!("empty-{language}"));
        page.browser.messages(); // the refused file is reported there
        page.end();
    }
}

#[test]
fn the_language_can_be_changed_and_is_kept() {
    let page = Page::with_separated_song("en-US,en");
    page.click("button", "Settings");
    page.click("menuitemradio", "Português");
    page.browser.wait("document.documentElement.lang === 'pt-BR'");
    page.expect("button", &message("pt-BR", "action-export"));
    page.show("#/song/1");
    page.expect("button", &message("pt-BR", "action-export"));
    page.picture("separated-pt-BR");
    page.end();
}

/// Titles and names of files are text on the page, never code.
#[test]
fn titles_are_text() {
    let page = Page::open("en-US,en");
    let sound = fs::read(page.song("Morning.wav", 1)).unwrap();
    let name = "<img src=x onerror='window.attacked=1'>.wav";
    page.client.try_upload(&[(name, &sound)]).unwrap().expect(201);
    let title = "<script>window.attacked=1</script><b>bold</b>";
    page.client.put("PATCH", "songs/1", &json!({ "title": title })).expect(200);
    page.show("#/song/1");
    page.expect("heading", title);
    assert_eq!(page.browser.run("return window.attacked ?? null;"), json!(null));
    assert_eq!(page.browser.run("return document.querySelectorAll('h2 b, a b').length;"), 0);
    page.end();
}

/// Without a model, the song's page leads to the list of models; its terms come before the download.
#[test]
fn a_model_is_installed_from_the_page() {
    let home = tiny_home();
    fs::remove_file(home.path().join("models/htdemucs.safetensors")).unwrap();
    let _mirror = silent_mirror(home.path());
    let page = Page::start_in(home, "en-US,en");
    let song = page.client.upload(&page.song("Morning.wav", 1));
    page.show(&format!("#/song/{}", song["id"]));
    page.click("button", "Models");
    page.expect("list", "Models");
    page.browser.click(".model[data-key=htdemucs] .button");
    page.browser
        .wait("document.querySelector('.model-terms:not([hidden])')?.innerText.includes('Meta')");
    page.picture("models");
    page.click("button", "Accept and install");
    page.browser.wait("document.querySelector('[data-key=htdemucs] .bar:not([hidden])')");
    page.picture("models-installing");
    page.click("button", "Stop");
    page.browser.wait("document.querySelector('[data-key=htdemucs] .bar[hidden]')");
    // Another program installs it; the page notices.
    let network =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/general.weights.safetensors");
    fs::copy(network, page.home.path().join("models/htdemucs.safetensors")).unwrap();
    page.browser.press(&[ESCAPE]);
    page.click("button", "Process");
    page.browser.wait("window.partita.app.canExport");
    page.browser.messages(); // the song had no options at first
    page.end();
}
