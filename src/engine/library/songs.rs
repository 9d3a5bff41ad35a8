//! Songs of the library.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rusqlite::{OptionalExtension as _, Row, params};

use super::{
    Library, now,
    paths::{self, song_folder},
    unknown_song,
};
use crate::engine::{
    audio::decode::Decoded,
    note::Notes,
    problem::Result,
    separation::options::SeparationOptions,
    system::atomic_file::base_name,
    types::{Analysis, AudioFormat, AudioTrack, LaneSettings, Song, SongId, SongState, Tags},
};

/// Lane settings of a song, by the names of its stems and [`RESIDUAL`].
pub type Lanes = std::collections::BTreeMap<String, LaneSettings>;

/// Name of the residual's lane.
pub const RESIDUAL: &str = "residual";

/// A decoded song to be added.
#[derive(Clone, Debug)]
pub struct NewSong {
    /// Path of the user's file.
    pub path: PathBuf,
    /// Content hash, as in [`Song::hash`].
    pub hash: String,
    /// Sound identity, as in [`Song::sound`].
    pub sound: Option<String>,
    /// Result of decoding.
    pub decoded: Decoded,
}

/// Keys by which a file's song is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Sound identity, as in [`Song::sound`].
    pub sound: Option<String>,
    /// Name of a new song's folder, as in [`Song::hash`].
    pub hash: String,
    /// SHA-256 of the file's bytes in hexadecimal; computed only if songs without sound identity
    /// exist.
    pub file: Option<String>,
}

impl NewSong {
    /// Title from the tags, else the file's name.
    pub(super) fn title(&self) -> String {
        self.decoded.tags.title.clone().unwrap_or_else(|| base_name(&self.path))
    }
}

/// A file that holds a library song.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Path of the file.
    pub path: &'a Path,
    /// Requested audio track, from 1.
    pub track: Option<usize>,
    /// Sound identity, as in [`Song::sound`].
    pub sound: Option<&'a str>,
    /// Tags of the file.
    pub tags: &'a Tags,
    /// Whether the song was added from these very bytes.
    pub is_same_file: bool,
}

const COLUMNS: &str =
    "id, hash, path, title, artist, album, format, frames, warning, bpm, key, loudness_lufs,
     tag_bpm, tag_key, sound, track, tracks";

impl Library {
    /// Folder of a song's stores and cover.
    pub fn song_folder(&self, hash: &str) -> PathBuf {
        song_folder(&self.songs_folder(), hash)
    }

    /// Adds a song; if one with the same content exists, only updates its path.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn add_song(&mut self, new: &NewSong) -> Result<Song> {
        let format = serde_json::to_string(&new.decoded.format).unwrap_or_default();
        let tags = &new.decoded.tags;
        let id = self.db.query_row(
            "INSERT INTO songs (hash, path, title, artist, album, format, frames, warning, added_at,
             tag_bpm, tag_key, sound, tag_title, track, tracks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (hash) DO UPDATE SET path = excluded.path, title = excluded.title,
             artist = excluded.artist, album = excluded.album, format = excluded.format,
             frames = excluded.frames, warning = excluded.warning, tag_bpm = excluded.tag_bpm,
             tag_key = excluded.tag_key, sound = excluded.sound, tag_title = excluded.tag_title,
             track = excluded.track, tracks = excluded.tracks
             RETURNING id",
            params![
                new.hash,
                paths::to_bytes(&new.path),
                new.title(),
                tags.artist,
                tags.album,
                format,
                new.decoded.frames as i64,
                new.decoded.warning.to_json(),
                now(),
                tags.bpm,
                tags.key,
                new.sound,
                tags.title,
                new.decoded.track as i64,
                tracks_to_text(&new.decoded.tracks)
            ],
            |row| row.get(0).map(SongId),
        )?;
        self.song(id)
    }

    /// Every song, newest first.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn songs(&self) -> Result<Vec<Song>> {
        let mut query =
            self.db.prepare(&format!("SELECT {COLUMNS} FROM songs ORDER BY id DESC"))?;
        let songs = query.query_map([], song_of_row)?.collect::<Result<_, _>>()?;
        Ok(songs)
    }

    /// Loads a song by ID.
    ///
    /// # Errors
    /// [`crate::engine::Problem::UnknownSong`].
    pub fn song(&self, id: SongId) -> Result<Song> {
        self.db
            .query_row(&format!("SELECT {COLUMNS} FROM songs WHERE id = ?1"), [id.0], song_of_row)
            .optional()?
            .ok_or_else(|| unknown_song(id))
    }

    /// Finds the song of the file at `path`: by the file's bytes if the song has no sound identity,
    /// else by its sound. If several match, the one at `path` is preferred.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn song_of(&self, keys: &Keys, path: &Path) -> Result<Option<Song>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM songs
             WHERE (sound IS NULL AND hash = ?1) OR sound = ?2 OR hash = ?3
             ORDER BY sound IS NOT NULL, path IS NOT ?4, id LIMIT 1"
        );
        let values = params![keys.file, keys.sound, keys.hash, paths::to_bytes(path)];
        Ok(self.db.query_row(&sql, values, song_of_row).optional()?)
    }

    /// Deletes the row of a song that was recovered without a record and named after its folder, so
    /// that an import can add it in full. Returns whether such a row existed.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn forget_nameless(&mut self, hash: &str) -> Result<bool> {
        Ok(self.db.execute("DELETE FROM songs WHERE hash = substr(?1, 1, 32)", [hash])? > 0)
    }

    /// Whether any song lacks a sound identity.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn has_songs_without_sound(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM songs WHERE sound IS NULL)";
        Ok(self.db.query_row(sql, [], |row| row.get(0))?)
    }

    /// Songs of this length in frames without a sound identity.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn songs_without_sound(&self, frames: u64) -> Result<Vec<Song>> {
        let sql = format!("SELECT {COLUMNS} FROM songs WHERE sound IS NULL AND frames = ?1");
        let mut query = self.db.prepare(&sql)?;
        let songs = query.query_map([frames as i64], song_of_row)?;
        Ok(songs.collect::<Result<_, _>>()?)
    }

    /// Updates a song from the file in which it was found. A title set by the user stays until the
    /// title in the file changes; fields that the file lacks keep their values.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn found_again(&mut self, id: SongId, found: &Found<'_>) -> Result<Song> {
        let Found { path, track, sound, tags, is_same_file } = found;
        self.db.execute(
            "UPDATE songs SET path = ?2, sound = coalesce(?3, sound),
             track = CASE WHEN path = ?2 THEN coalesce(track, ?10) ELSE ?10 END,
             title = CASE WHEN ?9 OR tag_title IS ?4 THEN title ELSE coalesce(?4, title) END,
             artist = coalesce(?5, artist), album = coalesce(?6, album),
             tag_bpm = coalesce(?7, tag_bpm), tag_key = coalesce(?8, tag_key), tag_title = ?4
             WHERE id = ?1",
            params![
                id.0,
                paths::to_bytes(path),
                sound,
                tags.title,
                tags.artist,
                tags.album,
                tags.bpm,
                tags.key,
                is_same_file,
                track.map(|track| track as i64)
            ],
        )?;
        self.song(id)
    }

    /// Separation options per song, for songs with explicit ones.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn song_options(&self) -> Result<BTreeMap<SongId, SeparationOptions>> {
        let sql = "SELECT id, recipe FROM songs WHERE recipe IS NOT NULL";
        let mut query = self.db.prepare(sql)?;
        let chosen = query.query_map([], |row| {
            let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
            // Unreadable options count as unset.
            Ok(serde_json::from_str(&text).ok().map(|options| (SongId(id), options)))
        })?;
        Ok(chosen.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Stores the separation options of a song; `None` means the default.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn set_song_options(
        &mut self,
        id: SongId,
        options: Option<&SeparationOptions>,
    ) -> Result<()> {
        let text = options.and_then(|options| serde_json::to_string(options).ok());
        self.db.execute("UPDATE songs SET recipe = ?2 WHERE id = ?1", params![id.0, text])?;
        Ok(())
    }

    /// Lane settings of songs, if any were set.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn lanes(&self) -> Result<Vec<(SongId, Lanes)>> {
        let sql = "SELECT id, lanes FROM songs WHERE lanes IS NOT NULL ORDER BY id";
        let mut query = self.db.prepare(sql)?;
        let lanes = query.query_map([], |row| {
            let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
            // Unreadable settings count as unset.
            Ok((SongId(id), serde_json::from_str(&text).unwrap_or_default()))
        })?;
        Ok(lanes.collect::<Result<_, _>>()?)
    }

    /// Stores the lane settings of a song.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn set_lanes(&mut self, id: SongId, lanes: &Lanes) -> Result<()> {
        let text = serde_json::to_string(lanes).unwrap_or_default();
        self.db.execute("UPDATE songs SET lanes = ?2 WHERE id = ?1", params![id.0, text])?;
        Ok(())
    }

    /// Renames a song.
    ///
    /// # Errors
    /// [`crate::engine::Problem::UnknownSong`].
    pub fn rename_song(&mut self, id: SongId, title: &str) -> Result<Song> {
        self.db.execute("UPDATE songs SET title = ?2 WHERE id = ?1", params![id.0, title])?;
        self.song(id)
    }

    /// Oldest song after `newest` that was not analysed, with its hash.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn not_analysed(&self, newest: SongId) -> Result<Option<(SongId, String)>> {
        let sql = "SELECT id, hash FROM songs WHERE analysed = 0 AND id > ?1 ORDER BY id LIMIT 1";
        let song = |row: &Row<'_>| Ok((SongId(row.get(0)?), row.get(1)?));
        Ok(self.db.query_row(sql, [newest.0], song).optional()?)
    }

    /// Stores the analysis of a song; its tags take precedence.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn set_analysis(&self, id: SongId, found: &Analysis) -> Result<()> {
        self.db.execute(
            "UPDATE songs SET bpm = ?2, key = ?3, loudness_lufs = ?4, analysed = 1 WHERE id = ?1",
            params![id.0, found.bpm, found.key, found.loudness_lufs],
        )?;
        Ok(())
    }
}

/// Serialises the tracks of a file; `None` unless there are several to choose from.
pub(super) fn tracks_to_text(tracks: &[AudioTrack]) -> Option<String> {
    serde_json::to_string(tracks).ok().filter(|_| tracks.len() > 1)
}

/// Parses a song's notes.
pub(super) fn notes_of_text(text: Option<String>) -> Notes {
    text.map(|text| Notes::of_text(&text)).unwrap_or_default()
}

/// Parses the text of [`tracks_to_text`]; unreadable text offers no choice.
fn tracks_of_text(text: Option<String>) -> Vec<AudioTrack> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn song_of_row(row: &Row<'_>) -> rusqlite::Result<Song> {
    let format: String = row.get(6)?;
    let (tag_bpm, tag_key): (Option<f32>, Option<String>) = (row.get(12)?, row.get(13)?);
    Ok(Song {
        id: SongId(row.get(0)?),
        hash: row.get(1)?,
        path: paths::from_bytes(row.get(2)?),
        title: row.get(3)?,
        artist: row.get(4)?,
        album: row.get(5)?,
        format: serde_json::from_str(&format).unwrap_or_else(|_| AudioFormat::default()),
        frames: row.get::<_, i64>(7)?.max(0) as u64,
        warning: notes_of_text(row.get(8)?),
        bpm_from_tags: tag_bpm.is_some(),
        key_from_tags: tag_key.is_some(),
        bpm: tag_bpm.or(row.get(9)?),
        key: tag_key.or(row.get(10)?),
        loudness_lufs: row.get(11)?,
        sound: row.get(14)?,
        track: row.get::<_, Option<i64>>(15)?.and_then(|track| track.try_into().ok()),
        tracks: tracks_of_text(row.get(16)?),
        state: SongState::Ready,
        cover: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_song(path: &Path, hash: &str, title: Option<&str>) -> NewSong {
        let format = AudioFormat {
            name: "FLAC".into(),
            sample_rate: 44_100,
            channels: 2,
            bits: Some(16),
            frames: Some(7),
        };
        let tags = Tags { title: title.map(Into::into), ..Tags::default() };
        let decoded = Decoded {
            format,
            tags,
            cover: None,
            frames: 7,
            warning: Notes::default(),
            tracks: Vec::new(),
            track: 1,
        };
        NewSong { path: path.to_owned(), hash: hash.into(), sound: None, decoded }
    }

    #[test]
    fn equal_content_is_one_song_at_its_latest_path() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let first = library.add_song(&new_song(Path::new("/a/one.flac"), "aa", None)).unwrap();
        assert_eq!(first.title, "one");
        let again = library.add_song(&new_song(Path::new("/b/two.flac"), "aa", None)).unwrap();
        assert_eq!((first.id, again.path), (again.id, PathBuf::from("/b/two.flac")));
        assert_eq!(library.songs().unwrap().len(), 1);
        let keys = Keys { sound: None, hash: "bb".into(), file: Some("bb".into()) };
        assert!(library.song_of(&keys, Path::new("/c")).unwrap().is_none());
    }

    #[test]
    fn an_analysis_is_stored_and_not_requested_again() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let [one, two] = ["aa", "bb"]
            .map(|hash| library.add_song(&new_song(Path::new("/a.flac"), hash, None)).unwrap().id);
        let asked = |library: &Library, newest| library.not_analysed(newest).unwrap();
        assert_eq!(asked(&library, SongId(0)), Some((one, "aa".into())));
        assert_eq!(asked(&library, one), Some((two, "bb".into())));
        let found =
            Analysis { bpm: Some(121.5), key: Some("A minor".into()), loudness_lufs: Some(-9.5) };
        library.set_analysis(one, &found).unwrap();
        library.set_analysis(two, &Analysis::default()).unwrap();
        assert!(asked(&library, SongId(0)).is_none(), "empty results count as analysed");
        let song = library.song(one).unwrap();
        let kept = Analysis { bpm: song.bpm, key: song.key, loudness_lufs: song.loudness_lufs };
        assert_eq!(kept, found);
    }

    #[test]
    fn tags_take_precedence_over_the_analysis() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let mut new = new_song(Path::new("/a.flac"), "aa", None);
        new.decoded.tags.bpm = Some(93.5);
        let id = library.add_song(&new).unwrap().id;
        let found =
            Analysis { bpm: Some(187.0), key: Some("A minor".into()), loudness_lufs: Some(-9.5) };
        library.set_analysis(id, &found).unwrap();
        let shown = |song: &Song| (song.bpm, song.bpm_from_tags, song.key_from_tags);
        let song = library.song(id).unwrap();
        assert_eq!(shown(&song), (Some(93.5), true, false));
        assert_eq!(song.key.as_deref(), Some("A minor"));
        // Also in a restored library.
        let record = library.records().unwrap().remove(0);
        let mut again = Library::open(&home.path().join("again")).unwrap();
        again.adopt(&record).unwrap();
        assert_eq!(shown(&again.songs().unwrap()[0]), (Some(93.5), true, false));
    }

    #[cfg(unix)] // names on Windows are UTF-16
    #[test]
    fn a_path_need_not_be_unicode() {
        let home = tempfile::tempdir().unwrap();
        let mut library = Library::open(home.path()).unwrap();
        let name =
            <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/x/\xff\xfe.wav");
        let song = library.add_song(&new_song(Path::new(name), "cc", None)).unwrap();
        assert_eq!(library.song(song.id).unwrap().path, Path::new(name));
    }
}
