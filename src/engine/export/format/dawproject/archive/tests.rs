//! Sessions are read back with a ZIP reader and an XML walk.

use std::{collections::HashSet, io::Read as _};

use proptest::prelude::*;
use quick_xml::{Reader, XmlVersion};

use super::*;

/// An element: its path in the tree, its attributes and its text.
#[derive(Debug, Default)]
struct Found {
    path: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Found {
    fn get(&self, name: &str) -> &str {
        let mut all = self.attributes.iter();
        all.find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap()
    }
}

/// Lists every element, parents before children.
fn walk(xml: &str) -> Vec<Found> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut found, mut open) = (Vec::<Found>::new(), Vec::<usize>::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let above = open.last().map(|&at| found[at].path.clone()).unwrap_or_default();
                let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                    (key, attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned())
                });
                open.push(found.len());
                let attributes = attributes.collect();
                found.push(Found {
                    path: format!("{above}/{name}"),
                    attributes,
                    ..Found::default()
                });
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => {
                if let Some(&at) = open.last() {
                    found[at].text.push_str(&text.decode().unwrap());
                }
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap();
                let text = match reference.resolve_char_ref().unwrap() {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(&name).unwrap().to_owned(),
                };
                found[*open.last().unwrap()].text.push_str(&text);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn at<'a>(found: &'a [Found], path: &str) -> Vec<&'a Found> {
    found.iter().filter(|one| one.path == path).collect()
}

fn one_track(name: &str) -> SessionTrack {
    SessionTrack {
        name: name.to_owned(),
        colour: [0x0a, 0xff, 0x80],
        file_name: format!("{name}.wav"),
        gain: 1.0,
        pan: 0.0,
        muted: false,
    }
}

fn session(tracks: &[SessionTrack]) -> Session<'_> {
    Session {
        title: "A song",
        artist: Some("An artist"),
        album: None,
        rate: 44_100,
        frames: 66_150,
        channels: 2,
        bpm: None,
        tracks,
    }
}

/// Writes a session whose files hold `audio`, and opens the archive.
fn written(session: &Session<'_>, audio: &[u8]) -> io::Result<zip::ZipArchive<File>> {
    let file = tempfile::tempfile()?;
    write(file.try_clone()?, session, &mut |_, to| to.write_all(audio))?;
    Ok(zip::ZipArchive::new(file)?)
}

fn entry(archive: &mut zip::ZipArchive<File>, name: &str) -> String {
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn every_track_is_one_clip_over_the_whole_song() {
    let quiet = SessionTrack { gain: 0.25, pan: -0.5, muted: true, ..one_track("drums") };
    let loud = SessionTrack { gain: 4.0, pan: 7.0, ..one_track("vocals & <\"choir\">") };
    let tracks = [quiet, SessionTrack { file_name: "2.wav".into(), ..loud }];
    let mut archive = written(&session(&tracks), b"sound").unwrap();
    let project = walk(&entry(&mut archive, "project.xml"));

    let names: Vec<_> =
        at(&project, "/Project/Structure/Track").iter().map(|one| one.get("name")).collect();
    assert_eq!(names, ["drums", "vocals & <\"choir\">", "Master"]);
    assert_eq!(at(&project, "/Project/Structure/Track")[0].get("color"), "#0aff80");
    let mixer = |what: &str| {
        let all = at(&project, &format!("/Project/Structure/Track/Channel/{what}"));
        all.iter().map(|one| one.get("value").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(mixer("Volume"), ["0.25", "4", "1"]);
    assert_eq!(mixer("Pan"), ["0.25", "1", "0.5"]);
    assert_eq!(mixer("Mute"), ["true", "false", "false"]);

    let lanes = at(&project, "/Project/Arrangement/Lanes/Lanes");
    let clips = at(&project, "/Project/Arrangement/Lanes/Lanes/Clips/Clip");
    let inner = at(&project, "/Project/Arrangement/Lanes/Lanes/Clips/Clip/Clips/Clip");
    let audio = at(&project, "/Project/Arrangement/Lanes/Lanes/Clips/Clip/Clips/Clip/Audio");
    let files = at(&project, "/Project/Arrangement/Lanes/Lanes/Clips/Clip/Clips/Clip/Audio/File");
    assert_eq!([lanes.len(), clips.len(), inner.len(), audio.len(), files.len()], [2; 5]);
    for clip in clips.iter().chain(&inner) {
        assert_eq!((clip.get("time"), clip.get("duration")), ("0", "1.5"));
        assert_eq!((clip.get("playStart"), clip.get("contentTimeUnit")), ("0", "seconds"));
    }
    assert_eq!((audio[0].get("sampleRate"), audio[0].get("channels")), ("44100", "2"));
    assert_eq!(audio[1].get("duration"), "1.5");
    assert_eq!((files[0].get("path"), files[1].get("path")), ("audio/drums.wav", "audio/2.wav"));
}

#[test]
fn audio_is_stored_uncompressed_in_a_plain_archive() {
    let tracks = [one_track("bass"), one_track("Schlagzeug für 2")];
    let file = tempfile::tempfile().unwrap();
    let sounds = [vec![0; 100_000], b"second".to_vec()];
    write(file.try_clone().unwrap(), &session(&tracks), &mut |at, to| to.write_all(&sounds[at]))
        .unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    for (track, sound) in tracks.iter().zip(&sounds) {
        let mut entry = archive.by_name(&path(track)).unwrap();
        assert_eq!(entry.compression(), CompressionMethod::Stored);
        assert_eq!(entry.compressed_size(), sound.len() as u64);
        let mut read = Vec::new();
        entry.read_to_end(&mut read).unwrap();
        assert_eq!(&read, sound);
    }
    assert_eq!(archive.len(), 4);
}

#[test]
fn only_files_above_4_gb_need_zip64() {
    let short = session(&[]);
    assert!(!may_be_large(&short));
    assert!(!may_be_large(&Session { frames: 44_100 * 60 * 60, ..short.clone() }));
    assert!(may_be_large(&Session { frames: 1 << 29, ..short.clone() }));
    assert!(may_be_large(&Session { frames: u64::MAX, ..short }));
}

#[test]
fn the_tempo_moves_nothing() {
    for (bpm, expected) in [(None, "120"), (Some(93.25), "93.25")] {
        let tracks = [one_track("mix")];
        let mut archive = written(&Session { bpm, ..session(&tracks) }, b"").unwrap();
        let project = walk(&entry(&mut archive, "project.xml"));
        let tempo = at(&project, "/Project/Transport/Tempo");
        assert_eq!((tempo[0].get("value"), tempo[0].get("unit")), (expected, "bpm"));
        let units = project.iter().flat_map(|one| &one.attributes);
        let units: Vec<_> = units.filter(|(key, _)| key.ends_with("imeUnit")).collect();
        assert_eq!(units.len(), 7);
        assert!(units.iter().all(|(_, unit)| unit == "seconds"));
        assert!(!project.iter().any(|one| one.path.contains("Warp")));
    }
}

#[test]
fn every_reference_resolves() {
    let tracks = ["a", "b", "c", "d", "e", "f"].map(one_track);
    let mut archive = written(&session(&tracks), b"").unwrap();
    let project = walk(&entry(&mut archive, "project.xml"));
    let attributes = || project.iter().flat_map(|one| &one.attributes);
    let ids: Vec<_> = attributes().filter(|(key, _)| key == "id").map(|(_, id)| id).collect();
    let known: HashSet<_> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len());
    let references: Vec<_> = attributes()
        .filter(|(key, _)| key == "track" || key == "destination")
        .map(|(_, id)| id)
        .collect();
    assert_eq!(references.len(), 12);
    assert!(references.into_iter().all(|id| known.contains(id)));
}

#[test]
fn rejects_invalid_sessions() {
    let refused = |session: &Session<'_>| {
        written(session, b"").unwrap_err().kind() == io::ErrorKind::InvalidInput
    };
    assert!(refused(&Session { rate: 0, ..session(&[]) }));
    assert!(refused(&Session { channels: 0, ..session(&[]) }));
    for bpm in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(&Session { bpm: Some(bpm), ..session(&[]) }));
    }
    let good = one_track("a");
    for name in ["", ".", "..", "../a.wav", "a/b", "a\\b", "c:a", "a\nb", "a\0"] {
        assert!(refused(&session(&[SessionTrack { file_name: name.into(), ..good.clone() }])));
    }
    assert!(refused(&session(&[SessionTrack { gain: f32::NAN, ..good.clone() }])));
    assert!(refused(&session(&[SessionTrack { pan: f32::INFINITY, ..good.clone() }])));
    assert!(refused(&session(&[good.clone(), good])));
}

#[test]
fn a_file_that_cannot_be_copied_fails_the_session() {
    let file = tempfile::tempfile().unwrap();
    let tracks = [one_track("a")];
    let full = |_: usize, _: &mut dyn io::Write| Err(io::Error::from(io::ErrorKind::StorageFull));
    let error = write(file, &session(&tracks), &mut { full }).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

proptest! {
    #[test]
    fn any_text_survives(title in any::<String>(), artist in any::<String>(), name in any::<String>()) {
        let tracks = [SessionTrack { name: name.clone(), ..one_track("a") }];
        let of_any = Session { title: &title, artist: Some(&artist), ..session(&tracks) };
        let mut archive = written(&of_any, b"").unwrap();
        let metadata = walk(&entry(&mut archive, "metadata.xml"));
        prop_assert_eq!(&at(&metadata, "/MetaData/Title")[0].text, &xml_text(&title));
        prop_assert_eq!(&at(&metadata, "/MetaData/Artist")[0].text, &xml_text(&artist));
        prop_assert!(at(&metadata, "/MetaData/Album").is_empty());
        let project = walk(&entry(&mut archive, "project.xml"));
        let clip = at(&project, "/Project/Arrangement/Lanes/Lanes/Clips/Clip");
        prop_assert_eq!(clip[0].get("name"), xml_text(&name));
    }
}

/// Otherwise the archive would print a second error on standard error when dropped.
#[cfg(target_os = "linux")] // /dev/full
#[test]
fn dropping_the_archive_after_an_error_is_silent() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut out = Out::new(full);
    let block = vec![0; 1 << 17];
    assert_eq!(out.write(&block).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(out.write(&block).unwrap(), block.len());
    out.flush().unwrap();
    out.rewind().unwrap();
}
