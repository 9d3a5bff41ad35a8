//! The page by the keyboard alone, in a real Chromium.

use std::fs;

use serde_json::{Value, json};

use super::page::Page;
use crate::support::write_song;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const END: char = '\u{e010}';
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';
const DELETE: char = '\u{e017}';
const F2: char = '\u{e032}';

/// The title of the row with the focus; with `…` after it on the button of its menu.
fn focused(page: &Page) -> Value {
    page.browser.run(
        "const focused = document.activeElement;
         const title = focused.closest('.song-row')?.querySelector('.row-title').innerText ?? null;
         return focused.matches('.row-menu') ? `${title}…` : title;",
    )
}

#[test]
fn the_list_of_songs_is_one_stop() {
    let page = Page::open("en-US,en");
    for (name, seed) in [("Charlie.wav", 1), ("Bravo.wav", 2), ("Alpha.wav", 3)] {
        page.client.upload(&page.song(name, seed));
    }
    page.show("#/song/1");
    page.browser.wait("document.querySelectorAll('.song-row').length === 3");
    page.browser.wait("document.querySelector('.song-link[aria-current]')");
    page.press("combobox", "Sort", &[TAB]);
    assert_eq!(focused(&page), "Charlie", "the open song is the stop");
    page.browser.run("document.querySelector('.song-link').focus();");
    for (keys, title) in [
        (&[DOWN][..], json!("Bravo")),
        (&[RIGHT], json!("Bravo…")),
        (&[END], json!("Charlie…")),
        (&['a'], json!("Alpha")),
        (&[TAB], Value::Null),
    ] {
        page.browser.press(keys);
        assert_eq!(focused(&page), title, "{keys:?}");
    }
    // The menu, the title and the question of the song with the focus.
    page.browser.run("document.querySelector('.song-link').focus();");
    page.browser.press(&[F2]);
    page.expect("textbox", "Song title");
    page.browser.press(&[ESCAPE]);
    assert_eq!(focused(&page), "Alpha");
    page.browser.press(&[DELETE]);
    page.expect("heading", "Remove “Alpha”?");
    page.browser.press(&[TAB, ENTER]);
    page.browser.wait("document.querySelectorAll('.song-row').length === 2");
    page.browser.wait("document.activeElement.closest('.song-row')");
    assert_eq!(focused(&page), "Bravo", "the focus stays in the list");
    page.end();
}

/// The end and titles are found among all songs, not only among the rows that are loaded.
#[test]
fn keys_reach_songs_that_are_not_loaded_yet() {
    let page = Page::start("en-US,en");
    let file = page.song("song.wav", 1);
    write_song(&file, 100, 44_100, 0);
    page.client.try_upload(&[("Zebra.wav", &fs::read(&file).unwrap())]).unwrap().expect(201);
    for seed in 1..=140 {
        write_song(&file, 100, 44_100, seed);
        let name = format!("Monday {seed}.wav");
        page.client.try_upload(&[(&name, &fs::read(&file).unwrap())]).unwrap().expect(201);
    }
    page.show("#/song/141");
    page.browser.wait("document.querySelectorAll('.song-row').length >= 60");
    page.browser.run("document.querySelector('.song-link').focus();");
    page.browser.press(&['z']);
    page.browser.wait("document.activeElement.closest('.song-row')?.innerText.startsWith('Zebra')");
    page.show("#/song/141");
    page.browser.wait("document.querySelectorAll('.song-row').length >= 60");
    page.browser.run("document.querySelector('.song-link').focus();");
    page.browser.press(&[END]);
    page.browser.wait("document.activeElement.closest('.song-row')?.innerText.startsWith('Zebra')");
    page.end();
}

/// After a click on a song, the keys of the page go on working.
#[test]
fn a_click_on_a_song_does_not_take_the_keys() {
    let page = Page::with_separated_song("en-US,en");
    page.browser.click(".song-link");
    page.browser.press(&['l']);
    assert_eq!(page.browser.run("return window.partita.app.player.isLooping;"), true);
    page.end();
}
