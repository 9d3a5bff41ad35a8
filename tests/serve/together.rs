//! Two pages of one server: what is changed in one is shown in the other.

use super::{driver::Browser, page::Page};

#[test]
fn two_pages_share_the_faders() {
    let page = Page::with_separated_song("en-US,en");
    let other = Browser::start("en-US,en");
    other.open(&format!("{}/#/song/1", page.server.url));
    other.wait("window.partita?.app.canExport");
    let muted = |lane: &str| format!("window.partita.app.model.instruments.lane('{lane}').muted");
    page.click("button", "Mute Low");
    other.wait(&muted("low"));
    other.wait("document.querySelector('[aria-label=\"Mute Low\"]').ariaPressed === 'true'");
    other.click("[aria-label=\"Mute High\"]");
    page.browser.wait(&muted("high"));
    // A change of one lane leaves the others as they are.
    page.browser.wait(&muted("low"));
    let lanes = page.client.get("songs/1/mixer").expect(200)["lanes"].clone();
    assert_eq!((&lanes["low"]["muted"], &lanes["high"]["muted"]), (&true.into(), &true.into()));
    drop(other);
    page.end();
}
