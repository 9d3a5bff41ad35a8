//! The menu of a song whose file has several audio tracks, operated through accessible names.

use partita::{
    engine::{AudioTrack, Command, Event, SongId, SongState},
    i18n::{Language, speak},
};

use super::stage::{Stage, portuguese, processing, separated, song, stage};

fn track(number: usize, language: &str, is_decodable: bool) -> AudioTrack {
    AudioTrack {
        number,
        codec: "Vorbis".into(),
        language: Some(language.into()),
        is_decodable,
        ..AudioTrack::default()
    }
}

/// Makes the selected song the second of three tracks.
pub fn with_tracks() -> Event {
    let mut song = song(7, "Lithium", None, SongState::Separated);
    song.track = Some(2);
    song.tracks = vec![track(1, "eng", true), track(2, "por", true), track(3, "fra", false)];
    assert_eq!(song.id, SongId(7));
    Event::Song(song)
}

fn choose(stage: &mut Stage, menu: &str, entry: &str) -> Vec<Command> {
    stage.click(menu);
    stage.harness.check_accessibility();
    stage.click(entry);
    stage.asked()
}

#[test]
fn another_track_is_added_as_a_song() {
    let mut stage = stage(separated());
    assert!(!stage.shows("Audio track"), "a file with one track offers no choice");
    stage.emit([with_tracks()]);
    let import = Command::ImportTrack { paths: vec!["/music/Lithium.flac".into()], track: 1 };
    assert_eq!(choose(&mut stage, "Audio track 2 of 3", "1: Vorbis, eng"), [import]);
    assert_eq!(
        choose(&mut stage, "Audio track 2 of 3", "2: Vorbis, por"),
        [],
        "the selected track was imported again"
    );
    stage.click("Audio track 2 of 3");
    assert!(!stage.shows("3: Vorbis, fra"), "a track that cannot be decoded is offered");
}

#[test]
fn the_menu_speaks_portuguese() {
    speak(portuguese());
    let mut stage = stage(processing());
    stage.emit([with_tracks()]);
    let shown = stage.shows("Faixa de áudio 2 de 3");
    speak(Language::english());
    assert!(shown);
}
