//! Lookup of a song by user input: an ID, or a part of a title that matches one song.

use crate::engine::{
    problem::{Problem, Result},
    types::Song,
};

/// Finds the song that `name` identifies.
///
/// # Errors
/// [`Problem::NoSuchSong`], [`Problem::SeveralSongs`].
pub fn find_song(songs: &[Song], name: &str) -> Result<Song> {
    if let Some(song) = songs.iter().find(|song| song.id.0.to_string() == name) {
        return Ok(song.clone());
    }
    let wanted = name.to_lowercase();
    let fits = |song: &&Song| song.title.to_lowercase().contains(&wanted);
    let found: Vec<&Song> =
        if wanted.is_empty() { Vec::new() } else { songs.iter().filter(fits).collect() };
    // A whole title takes precedence over longer ones that contain it.
    let mut whole = found.iter().filter(|song| song.title.to_lowercase() == wanted);
    let only = match (&found[..], whole.next(), whole.next()) {
        ([song], ..) | (_, Some(song), None) => Some(song),
        _ => None,
    };
    if let Some(song) = only {
        return Ok((*song).clone());
    }
    let name = name.to_owned();
    Err(if found.is_empty() {
        let (songs, more) = names(&songs.iter().collect::<Vec<_>>());
        Problem::NoSuchSong { name, songs, more }
    } else {
        let (songs, more) = names(&found);
        Problem::SeveralSongs { name, songs, more }
    })
}

/// Numbers and titles of the first few songs, and the number of other songs.
fn names(songs: &[&Song]) -> (Vec<String>, usize) {
    const SHOWN: usize = 20;
    let name = |song: &&Song| format!("{} {}", song.id.0, song.title);
    (songs.iter().take(SHOWN).map(name).collect(), songs.len().saturating_sub(SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        note::Notes,
        types::{AudioFormat, SongId, SongState},
    };

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
            warning: Notes::default(),
            state: SongState::Ready,
            cover: None,
        };
        titles.iter().enumerate().map(song).collect()
    }

    #[test]
    fn finds_by_number_part_or_whole_title() {
        let songs = songs(&["Lithium", "Lithium live", "On the run"]);
        assert_eq!(find_song(&songs, "3").unwrap().title, "On the run");
        assert_eq!(find_song(&songs, "RUN").unwrap().title, "On the run");
        assert_eq!(find_song(&songs, "lithium").unwrap().title, "Lithium");
        assert_eq!(find_song(&songs, "live").unwrap().title, "Lithium live");
    }

    #[test]
    fn errors_list_the_candidates() {
        let songs = songs(&["Lithium", "Lithium live"]);
        let error = find_song(&songs, "sodium").unwrap_err().to_string();
        assert!(error.contains("1 Lithium") && error.contains("2 Lithium live"), "{error}");
        let error = find_song(&songs, "li").unwrap_err().to_string();
        assert!(error.contains("several"), "{error}");
        assert!(find_song(&songs, "").is_err());
        assert!(find_song(&[], "x").unwrap_err().to_string().contains("empty"));
    }
}
