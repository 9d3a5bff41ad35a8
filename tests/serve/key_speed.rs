//! Key and speed of the page in a real Chromium: what is heard, and what an export is asked for.

use std::{f64::consts::TAU, path::Path};

use serde_json::json;

use super::page::Page;
use crate::support::{largest_difference, read_wav};

const RATE: f64 = 44_100.0;
const FRAMES: usize = 44_100 * 4;

/// Writes a tone of 440 Hz.
fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for frame in 0..FRAMES {
        let sample = (12_000.0 * (TAU * 440.0 * frame as f64 / RATE).sin()) as i16;
        writer.write_sample(sample).unwrap();
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

/// The frequency of a tone in interleaved samples, from the periods between its zero crossings.
fn frequency(samples: &[f32]) -> f64 {
    let left: Vec<f64> = samples.iter().step_by(2).map(|sample| f64::from(*sample)).collect();
    let middle = left.len() / 8..left.len() * 7 / 8;
    let crossings: Vec<f64> = middle
        .filter(|at| left[at - 1] < 0.0 && left[*at] >= 0.0)
        .map(|at| at as f64 - left[at] / (left[at] - left[at - 1]))
        .collect();
    let periods = (crossings.len() - 1) as f64;
    RATE * periods / (crossings.last().unwrap() - crossings[0])
}

/// The last frame of interleaved samples that is louder than a fifth of the tone.
fn end_of_sound(samples: &[f32]) -> usize {
    samples.iter().rposition(|sample| sample.abs() > 0.07).unwrap() / 2
}

#[test]
fn key_and_speed_are_changed_independently() {
    let page = Page::open("en-US,en");
    let tone = page.home.path().join("tone.wav");
    write_tone(&tone);
    let id = page.client.upload(&tone)["id"].as_i64().unwrap();
    page.show(&format!("#/song/{id}"));
    for (semitones, speed) in [(2, 0.8), (0, 0.8), (-5, 1.0), (0, 1.25)] {
        let options = json!({ "keySpeed": { "semitones": semitones, "speed": speed } });
        let heard = page.heard_with(id, FRAMES, &options);
        let cents = 1200.0 * (frequency(&heard) / 440.0).log2();
        let length = (FRAMES as f64 / speed).round() as usize;
        let end = end_of_sound(&heard);
        println!("{semitones:+} at {speed}: {cents:.1} cents, {end} of {length} frames");
        assert!((cents - 100.0 * f64::from(semitones)).abs() < 10.0, "{cents} cents");
        assert_eq!(heard.len(), 2 * length);
        assert!(end + 2_000 > length, "the tone ends at {end} of {length}");
    }
    // Without a change, the shifter is not passed.
    let plain = page.heard_with(id, FRAMES, &json!({ "keySpeed": { "semitones": 0, "speed": 1 } }));
    assert_eq!(plain, page.heard(id, FRAMES));
    assert!(largest_difference(&plain, &read_wav(&tone)) < 1e-6);
    page.end();
}

#[test]
fn a_song_plays_at_another_speed_and_is_exported_so() {
    let page = Page::with_separated_song("en-US,en");
    page.click("button", "Key, speed");
    page.press("slider", "Key", &['\u{e014}', '\u{e014}']);
    page.press("slider", "Speed", &['\u{e012}'; 10]);
    page.expect("button", "Key, speed: +2, 0.50 ×");
    page.click("button", "Play");
    page.browser.wait("window.partita.app.player.frame > 11025");
    page.picture("key-speed");
    let speed = page.browser.run(
        "const { player } = window.partita.app;
         const now = () => [player.frame / 44100, player.output.context.currentTime];
         const before = now();
         await new Promise((resolve) => setTimeout(resolve, 1000));
         const after = now();
         return (after[0] - before[0]) / (after[1] - before[1]);",
    );
    assert!((speed.as_f64().unwrap() - 0.5).abs() < 0.05, "{speed}");
    page.click("button", "Export…");
    page.click("checkbox", "As heard: +2, 0.50 ×");
    page.picture("export-key-speed");
    page.click("button", "Export");
    page.browser.wait("document.querySelector('.export-card a[download]')");
    page.browser.click(".export-card a[download]");
    let file = page.browser.downloaded(|name| name.contains("Morning"));
    assert_eq!(read_wav(&file).len(), 2 * 2 * FRAMES);
    page.end();
}
