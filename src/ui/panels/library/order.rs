//! Selection and order of the library's songs. Computed only after changes, because a library may
//! have ten thousand songs.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    engine::{JobId, JobState, Song, SongId, SongState, settings::SortKey},
    ui::state::{ui_state::UiState, view_state::ViewState},
};

/// The order, and the inputs that it was computed from.
#[derive(Default)]
pub struct Order {
    from: Option<From>,
    songs: Vec<SongId>,
}

#[derive(PartialEq)]
struct From {
    version: u64,
    search: String,
    sort: SortKey,
    is_reversed: bool,
}

impl Order {
    /// The songs in order, recomputed if an input has changed.
    pub fn of(&mut self, state: &ViewState, ui_state: &UiState, search: &str) -> &[SongId] {
        let preferences = &ui_state.preferences;
        let is_same = self.from.as_ref().is_some_and(|from| {
            from.version == state.version()
                && from.search == search
                && from.sort == preferences.sort
                && from.is_reversed == preferences.is_reversed
        });
        if !is_same {
            let (sort, is_reversed) = (preferences.sort, preferences.is_reversed);
            self.songs = ordered(state, ui_state, search, sort, is_reversed);
            let (version, search) = (state.version(), search.to_owned());
            self.from = Some(From { version, search, sort, is_reversed });
        }
        &self.songs
    }

    /// The last computed order.
    pub fn known(&self) -> &[SongId] {
        &self.songs
    }

    /// Invalidates the order.
    pub fn forget(&mut self) {
        self.from = None;
    }
}

fn ordered(
    state: &ViewState,
    ui_state: &UiState,
    search: &str,
    sort: SortKey,
    is_reversed: bool,
) -> Vec<SongId> {
    let wanted: Vec<String> = search.split_whitespace().map(folded).collect();
    let is_shown = |song: &&Song| !ui_state.is_removed(song.id) && matches(song, &wanted);
    let mut songs: Vec<&Song> = state.songs().filter(is_shown).collect();
    match sort {
        SortKey::Added => {}
        SortKey::Title => songs.sort_by_cached_key(|song| folded(&song.title)),
        SortKey::Artist => songs.sort_by_cached_key(|song| {
            let artist = song.artist.as_deref().map(folded);
            // Songs without an artist come last.
            (artist.is_none(), artist, folded(&song.title))
        }),
        SortKey::Length => songs.sort_by_key(|song| Reverse(song.frames)),
        SortKey::State => {
            let queue = state.queue().iter().enumerate().map(|(place, job)| (*job, place));
            let places: HashMap<JobId, usize> = queue.collect();
            songs.sort_by_cached_key(|song| rank(state, &places, song));
        }
    }
    if is_reversed {
        songs.reverse();
    }
    songs.into_iter().map(|song| song.id).collect()
}

fn matches(song: &Song, wanted: &[String]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let artist = song.artist.as_deref().unwrap_or_default();
    let album = song.album.as_deref().unwrap_or_default();
    let all = folded(&format!("{} {artist} {album}", song.title));
    wanted.iter().all(|word| all.contains(word.as_str()))
}

/// Sort rank of a song: active jobs first, then waiting ones in queue order.
fn rank(state: &ViewState, places: &HashMap<JobId, usize>, song: &Song) -> (u8, usize) {
    let place = |id| places.get(&id).copied().unwrap_or(usize::MAX);
    match state.last_job(song.id).map(|job| (&job.state, job.id)) {
        Some((JobState::Running, _)) => (0, 0),
        Some((JobState::Waiting, id)) => (1, place(id)),
        Some((JobState::Paused, _)) => (2, 0),
        Some((JobState::Failed(_), _)) => (3, 0),
        _ if song.state == SongState::Separated => (4, 0),
        _ => (5, 0),
    }
}

/// Normalized text for search and sorting: lower case, without the accents of western Europe, so
/// that "Água" sorts beside "agua" and is found by it.
fn folded(text: &str) -> String {
    let bare = |c: char| match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        c => c,
    };
    text.chars().flat_map(char::to_lowercase).map(bare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_capitals_do_not_count() {
        assert_eq!(folded("ÁGUA de Março"), "agua de marco");
        assert_eq!(folded("Łódź 夜"), "łodź 夜");
    }
}
