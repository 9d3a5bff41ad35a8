//! Finding a song by what a person types: an id, or a part of a title that fits one song.

use crate::engine::{EngineError, Result, Song};

/// The song that `words` name.
///
/// # Errors
/// [`EngineError::Unknown`] when none or several fit; names them.
pub fn find_song(songs: &[Song], words: &str) -> Result<Song> {
    if let Some(song) = songs.iter().find(|song| song.id.0.to_string() == words) {
        return Ok(song.clone());
    }
    let wanted = words.to_lowercase();
    let fits = |song: &&Song| song.title.to_lowercase().contains(&wanted);
    let found: Vec<&Song> =
        if wanted.is_empty() { Vec::new() } else { songs.iter().filter(fits).collect() };
    // A whole title wins over longer ones that contain it.
    let mut whole = found.iter().filter(|song| song.title.to_lowercase() == wanted);
    let only = match (&found[..], whole.next(), whole.next()) {
        ([song], ..) | (_, Some(song), None) => Some(song),
        _ => None,
    };
    let problem = match (only, found.is_empty()) {
        (Some(song), _) => return Ok((*song).clone()),
        (None, false) => {
            format!("\"{words}\" fits several songs: {}; use the number", names(&found))
        }
        (None, true) if songs.is_empty() => format!(
            "there is no song \"{words}\": the library is empty; add one with `partita add FILE`"
        ),
        (None, true) => {
            let all: Vec<&Song> = songs.iter().collect();
            format!("there is no song \"{words}\"; there are: {}", names(&all))
        }
    };
    Err(EngineError::Unknown(problem))
}

fn names(songs: &[&Song]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> =
        songs.iter().take(SHOWN).map(|song| format!("{} {}", song.id.0, song.title)).collect();
    if songs.len() > SHOWN {
        names.push(format!("and {} more", songs.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{AudioFormat, SongId, SongState};

    fn songs(titles: &[&str]) -> Vec<Song> {
        let song = |(i, title): (usize, &&str)| Song {
            id: SongId(i as i64 + 1),
            path: "x".into(),
            hash: String::new(),
            sound: None,
            title: (*title).to_owned(),
            artist: None,
            album: None,
            format: AudioFormat::default(),
            frames: 0,
            bpm: None,
            key: None,
            bpm_from_tags: false,
            key_from_tags: false,
            track: None,
            tracks: Vec::new(),
            loudness_lufs: None,
            warning: None,
            state: SongState::Ready,
            cover: None,
        };
        titles.iter().enumerate().map(song).collect()
    }

    #[test]
    fn by_number_part_or_whole_title() {
        let songs = songs(&["Lithium", "Lithium live", "On the run"]);
        assert_eq!(find_song(&songs, "3").unwrap().title, "On the run");
        assert_eq!(find_song(&songs, "RUN").unwrap().title, "On the run");
        assert_eq!(find_song(&songs, "lithium").unwrap().title, "Lithium");
        assert_eq!(find_song(&songs, "live").unwrap().title, "Lithium live");
    }

    #[test]
    fn what_does_not_fit_names_what_is_there() {
        let songs = songs(&["Lithium", "Lithium live"]);
        let error = find_song(&songs, "sodium").unwrap_err().to_string();
        assert!(error.contains("1 Lithium") && error.contains("2 Lithium live"), "{error}");
        let error = find_song(&songs, "li").unwrap_err().to_string();
        assert!(error.contains("several"), "{error}");
        assert!(find_song(&songs, "").is_err());
        assert!(find_song(&[], "x").unwrap_err().to_string().contains("empty"));
    }
}
