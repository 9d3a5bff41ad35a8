//! A sidecar file with a song's row next to its stores, from which a lost library can be restored.

use std::path::Path;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::{
    Library, NewSong,
    integrity::is_hash,
    now, paths,
    songs::{notes_of_text, tracks_to_text},
};
use crate::engine::{
    note::{Note, Notes},
    problem::Result,
    system::atomic_file::write_atomically,
    types::AudioFormat,
};

/// File name in a song's folder.
const FILE: &str = "song.json";

/// The library's data about a song that cannot be derived from the stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Content hash, as in [`crate::engine::Song::hash`].
    pub hash: String,
    /// Path of the user's file, in the bytes of the system's paths.
    path: Vec<u8>,
    title: String,
    artist: Option<String>,
    album: Option<String>,
    format: AudioFormat,
    frames: u64,
    #[serde(default)]
    warning: Notes,
    added_at: i64,
    #[serde(default)]
    tag_bpm: Option<f32>,
    #[serde(default)]
    tag_key: Option<String>,
    #[serde(default)]
    sound: Option<String>,
    #[serde(default)]
    tag_title: Option<String>,
    track: Option<i64>,
    #[serde(default)]
    tracks: Option<String>,
}

const COLUMNS: &str =
    "hash, path, title, artist, album, format, frames, warning, added_at, tag_bpm,
     tag_key, sound, tag_title, track, tracks";

impl Record {
    /// Reads the record in a song's folder; `None` if missing or unreadable.
    pub fn read(song_folder: &Path) -> Option<Self> {
        /// Maximum length in bytes; larger files are not read into memory.
        const LONGEST: u64 = 1 << 20;
        let path = song_folder.join(FILE);
        std::fs::metadata(&path).ok().filter(|file| file.len() <= LONGEST)?;
        let record: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        is_hash(&record.hash).then_some(record)
    }

    /// Whether a song's folder has a record.
    pub fn is_in(song_folder: &Path) -> bool {
        song_folder.join(FILE).is_file()
    }

    /// Creates the record of a new song.
    pub fn of_new(new: &NewSong) -> Self {
        let tags = &new.decoded.tags;
        Self {
            hash: new.hash.clone(),
            path: paths::to_bytes(&new.path),
            title: new.title(),
            artist: tags.artist.clone(),
            album: tags.album.clone(),
            format: new.decoded.format.clone(),
            frames: new.decoded.frames,
            warning: new.decoded.warning.clone(),
            added_at: now(),
            tag_bpm: tags.bpm,
            tag_key: tags.key.clone(),
            sound: new.sound.clone(),
            tag_title: tags.title.clone(),
            track: Some(new.decoded.track as i64),
            tracks: tracks_to_text(&new.decoded.tracks),
        }
    }

    /// Creates a record for stores without one, from the folder's name and the length of the mix.
    pub fn of_nameless(folder_name: &str, frames: u64) -> Self {
        let short = folder_name.get(..8).unwrap_or(folder_name);
        Self {
            hash: folder_name.to_owned(),
            path: Vec::new(),
            title: format!("Found again {short}"),
            artist: None,
            album: None,
            format: AudioFormat::default(),
            frames,
            warning: Note::NameLost.into(),
            added_at: now(),
            tag_bpm: None,
            tag_key: None,
            sound: None,
            tag_title: None,
            track: None,
            tracks: None,
        }
    }

    /// Writes the record into a song's folder.
    ///
    /// # Errors
    /// [`crate::engine::Problem::File`].
    pub fn write(&self, song_folder: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        write_atomically(&song_folder.join(FILE), &text)
    }
}

impl Library {
    /// Every song's record, newest first.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn records(&self) -> Result<Vec<Record>> {
        let sql = format!("SELECT {COLUMNS} FROM songs ORDER BY id DESC");
        let mut query = self.db.prepare(&sql)?;
        let records = query.query_map([], record_of_row)?.collect::<Result<_, _>>()?;
        Ok(records)
    }

    /// Adds a song from its record, unless it exists already.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`].
    pub fn adopt(&mut self, record: &Record) -> Result<()> {
        let format = serde_json::to_string(&record.format).unwrap_or_default();
        self.db.execute(
            &format!(
                "INSERT OR IGNORE INTO songs ({COLUMNS})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
            ),
            params![
                record.hash,
                record.path,
                record.title,
                record.artist,
                record.album,
                format,
                record.frames as i64,
                record.warning.to_json(),
                record.added_at,
                record.tag_bpm,
                record.tag_key,
                record.sound,
                record.tag_title,
                record.track,
                record.tracks
            ],
        )?;
        Ok(())
    }

    /// Writes the record of the song with this content into its folder.
    ///
    /// # Errors
    /// [`crate::engine::Problem::Library`], [`crate::engine::Problem::File`].
    pub fn write_record(&self, hash: &str) -> Result<()> {
        let record = self.db.query_row(
            &format!("SELECT {COLUMNS} FROM songs WHERE hash = ?1"),
            [hash],
            record_of_row,
        )?;
        record.write(&self.song_folder(hash))
    }
}

fn record_of_row(row: &Row<'_>) -> rusqlite::Result<Record> {
    let format: String = row.get(5)?;
    Ok(Record {
        hash: row.get(0)?,
        path: row.get(1)?,
        title: row.get(2)?,
        artist: row.get(3)?,
        album: row.get(4)?,
        format: serde_json::from_str(&format).unwrap_or_default(),
        frames: row.get::<_, i64>(6)?.max(0) as u64,
        warning: notes_of_text(row.get(7)?),
        added_at: row.get(8)?,
        tag_bpm: row.get(9)?,
        tag_key: row.get(10)?,
        sound: row.get(11)?,
        tag_title: row.get(12)?,
        track: row.get(13)?,
        tracks: row.get(14)?,
    })
}
