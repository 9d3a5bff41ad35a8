//! Songs that requests name, with errors that name those that exist. Pure but for the server's state.

use crate::{
    engine::{self, SongId},
    serve::{
        App,
        fault::{Fault, MOST_KNOWN},
        hub::state::State as Known,
    },
};

/// The song with the number `id`.
///
/// # Errors
/// [`Fault::UnknownSong`], which names songs that exist.
pub(super) fn known_song<'a>(state: &'a Known, id: &str) -> Result<&'a engine::Song, Fault> {
    let song = id.parse().ok().and_then(|id| state.songs.get(&SongId(id)));
    song.ok_or_else(|| {
        let known = state.songs.values().rev().take(MOST_KNOWN);
        let known: Vec<_> = known.map(|song| (song.id.0, song.title.clone())).collect();
        let more = state.songs.len() - known.len();
        let id = id.chars().take(100).collect();
        Fault::UnknownSong { id, known, more }
    })
}

/// The number of a song that exists.
///
/// # Errors
/// [`Fault::UnknownSong`].
pub(super) fn song_id(app: &App, id: &str) -> Result<SongId, Fault> {
    known_song(&app.hub.state(), id).map(|song| song.id)
}
