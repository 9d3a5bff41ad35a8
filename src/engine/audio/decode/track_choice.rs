//! Notes and labels about the audio tracks of a file.

use crate::engine::{note::Note, types::AudioTrack};

/// Note about the chosen track of a file with several; `None` for a file with one.
pub fn taken(tracks: &[AudioTrack], track: usize) -> Option<Note> {
    let found = tracks.iter().find(|other| other.number == track).filter(|_| tracks.len() > 1)?;
    Some(Note::TrackTaken { track, count: tracks.len(), label: label(found) })
}

/// Codec, language and name of a track, as far as known: "Vorbis, por".
pub fn label(track: &AudioTrack) -> String {
    let AudioTrack { codec, language, name, .. } = track;
    let known = [Some(codec), language.as_ref(), name.as_ref()].into_iter().flatten();
    known.map(String::as_str).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(number: usize, language: Option<&str>, name: Option<&str>) -> AudioTrack {
        AudioTrack {
            number,
            codec: "Vorbis".into(),
            language: language.map(str::to_owned),
            name: name.map(str::to_owned),
            is_decodable: true,
            ..AudioTrack::default()
        }
    }

    #[test]
    fn notes_the_chosen_track_only_if_there_are_several() {
        let one = track(1, None, None);
        let two = track(2, Some("por"), None);
        let three = track(3, Some("eng"), Some("Commentary"));
        assert_eq!(taken(std::slice::from_ref(&one), 1), None);
        assert_eq!(taken(&[], 1), None);
        let note = taken(&[one.clone(), two, three.clone()], 2).unwrap();
        assert_eq!(
            note.to_string(),
            "track 2 of 3 (Vorbis, por) was taken; choose another with --track"
        );
        assert_eq!(
            (label(&one), label(&three)),
            ("Vorbis".into(), "Vorbis, eng, Commentary".into())
        );
    }
}
