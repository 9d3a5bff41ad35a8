//! The song behind an export, and the form of the exported files.

use std::path::{Path, PathBuf};

use super::{
    ExportItem, Fields, Settings, Tags,
    form::{Form, Scale},
    format::Keeps,
};
use crate::engine::{
    audio::{repitch::KeySpeed, resample::rescale},
    library::{
        cover,
        import::{is_same_song, kept_broadcast},
    },
    player::Track,
    problem::{Problem, Result},
    system::atomic_file::base_name,
    types::{AudioFormat, CancelToken, Depth, SAMPLE_RATE, Song},
};

/// The user's song.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Path of the user's file.
    pub path: PathBuf,
    /// Number of the audio track in the file, from 1; `None` is the default track.
    pub track: Option<usize>,
    /// Whether the file still has the sound that the stems were made from.
    pub is_at_hand: bool,
    /// Encoding of the file.
    pub format: AudioFormat,
    /// Tags of the song.
    pub tags: Tags,
    /// Name of the model that made the stems, for the tags.
    pub model: String,
}

impl Origin {
    /// Creates the origin of a file before it is decoded; the caller then sets [`Self::format`].
    pub fn of_file(path: &Path, track: Option<usize>, model: &str) -> Self {
        let mut tags = Tags::read(path);
        tags.complete_with(Tags::new(&base_name(path), None, None, None));
        let format = AudioFormat::default();
        Self { path: path.into(), track, is_at_hand: true, format, tags, model: model.into() }
    }

    /// Creates the origin of a library song in `folder`. Reads the user's file to check whether its
    /// sound is unchanged; only then are its current tags used.
    ///
    /// # Errors
    /// Fails with [`Problem::Cancelled`].
    pub fn of_song(song: &Song, folder: &Path, model: &str, cancel: &CancelToken) -> Result<Self> {
        let is_at_hand = is_same_song(&song.path, song, folder, cancel)?;
        let mut tags = if is_at_hand { Tags::read(&song.path) } else { Tags::default() };
        let cover = std::fs::read(folder.join(cover::FILE)).ok();
        let (artist, album) = (song.artist.as_deref(), song.album.as_deref());
        tags.complete_with(Tags::new(&song.title, artist, album, cover.as_deref()));
        tags.complete_with(Tags::recorded(kept_broadcast(folder)));
        tags.complete_with(Tags::found(song.bpm, song.key.as_deref()));
        let (path, track, format) = (song.path.clone(), song.track, song.format.clone());
        Ok(Self { path, track, is_at_hand, format, tags, model: model.into() })
    }

    /// Values for the fields of a name pattern.
    pub fn fields(&self) -> Fields {
        Fields {
            artist: self.tags.artist().unwrap_or_default(),
            title: self.tags.title(),
            album: self.tags.album().unwrap_or_default(),
            track: self.tags.track(),
            model: self.model.clone(),
            file: base_name(&self.path),
            ..Fields::default()
        }
    }

    /// Form of the exported files.
    ///
    /// # Errors
    /// Fails with [`Problem::Depth`] for a depth that the format lacks.
    pub fn form(&self, track: &dyn Track, settings: &Settings) -> Result<Form> {
        let format = settings.format;
        let depth = format.depth(settings.depth.unwrap_or_else(|| self.depth()));
        let scale = match (format.keeps, depth) {
            (Keeps::Roughly(_), _) => Scale::Full,
            (_, Depth::Float32) => Scale::Free,
            (_, Depth::Int16 | Depth::Int24) => Scale::Steps(f64::from(1u32 << (depth.bits() - 1))),
        };
        format.check_depth(settings.depth)?;
        let rate = (format.rate)(settings.rate.unwrap_or_else(|| self.rate()));
        let channels = format.channels(if self.format.channels == 1 { 1 } else { 2 });
        let key_speed = settings.key_speed;
        let frames = key_speed.frames(self.frames_at(rate, track));
        Ok(Form { rate, channels, depth, frames, key_speed, scale })
    }

    /// Whether the user's file holds more than the mix store at this rate. The store is equally
    /// precise if the song or the exported files have the store's rate.
    pub(super) fn is_better_than_store(&self, rate: u32) -> bool {
        rate != SAMPLE_RATE && self.rate() != SAMPLE_RATE
    }

    /// Tags of one exported file. All files get the linear `gain`, key and speed.
    pub(super) fn tags_of(&self, item: &ExportItem, gain: f64, change: KeySpeed) -> Tags {
        let tags = self.tags.clone().changed(change);
        let mut tags = tags.marked(&item.name).separated_with(&self.model).signed();
        if !change.is_plain() {
            let (key, speed) = (f64::from(change.cents()) / 100.0, change.speed());
            let text = format!("Key {key:+.2} semitones, speed {speed:.3}, against the song");
            tags = tags.with_comment(&text);
        }
        if gain != 1.0 {
            let gain_db = 20.0 * gain.log10();
            let text = format!("All files of this export: {gain_db:+.2} dB against the song");
            tags = tags.with_comment(&text);
        }
        tags
    }

    /// Error for an export that needs the user's file while it is not available.
    pub(super) fn is_needed(&self) -> Problem {
        Problem::SourceNeeded { path: self.path.clone() }
    }

    fn rate(&self) -> u32 {
        if self.format.sample_rate == 0 { SAMPLE_RATE } else { self.format.sample_rate }
    }

    /// Depth that preserves the song; for codecs without a bit depth, more than they resolve.
    fn depth(&self) -> Depth {
        match self.format.bits {
            Some(1..=16) => Depth::Int16,
            Some(25..) => Depth::Float32,
            _ => Depth::Int24,
        }
    }

    fn frames_at(&self, rate: u32, track: &dyn Track) -> u64 {
        match self.format.frames {
            _ if rate == SAMPLE_RATE => track.frames(),
            Some(frames) => rescale(frames, rate, self.rate()),
            None => rescale(track.frames(), rate, SAMPLE_RATE),
        }
    }
}
