//! A DAW session: every stream is a track in one `.dawproject` file.
//!
//! The tracks are WAV files in the session's archive. Until they are complete, they are unnamed
//! files next to the archive. [`archive`] describes the file format.

mod archive;

use std::{
    fs::File,
    io::{self, Seek as _},
};

use self::archive::{Session, SessionTrack};
use super::{Encoder, Format, Keeps, Samples, Spec, Streams, colour_of, wav};
use crate::engine::{export::Tags, types::Depth};

/// The DAW session format.
pub static FORMAT: Format = Format {
    id: "dawproject",
    name: "DAW session",
    extension: "dawproject",
    keeps: Keeps::Exactly(&[Depth::Int24, Depth::Int16, Depth::Float32]),
    rate: |rate| rate,
    streams: Streams::All,
    copies: 2, // the tracks, and the archive that contains them
    begin: |file, spec, tags| Ok(Box::new(DawProject::new(file, spec, tags)?)),
};

struct DawProject {
    file: File,
    spec: Spec,
    tags: Tags,
    tracks: Vec<Track>,
}

struct Track {
    encoder: Box<dyn Encoder>,
    file: File,
}

impl DawProject {
    fn new(file: File, spec: &Spec, tags: &Tags) -> io::Result<Self> {
        let track = |name: &String| {
            let file = tempfile::tempfile_in(&spec.scratch)?;
            let one = Spec { streams: vec![name.clone()], ..spec.clone() };
            let tags =
                Tags::new(name, tags.artist().as_deref(), tags.album().as_deref(), None).signed();
            let encoder = (wav::FORMAT.begin)(file.try_clone()?, &one, &tags)?;
            Ok(Track { encoder, file })
        };
        let tracks = spec.streams.iter().map(track).collect::<io::Result<_>>()?;
        Ok(Self { file, spec: spec.clone(), tags: tags.clone(), tracks })
    }
}

impl Encoder for DawProject {
    fn write(&mut self, stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "no such stream");
        self.tracks.get_mut(stream).ok_or_else(none)?.encoder.write(0, samples)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let Self { file, spec, tags, tracks } = *self;
        let mut files = Vec::with_capacity(tracks.len());
        for Track { encoder, mut file } in tracks {
            encoder.finish()?;
            file.rewind()?;
            files.push(file);
        }
        let track = |(place, name): (usize, &String)| SessionTrack {
            name: name.clone(),
            colour: colour_of(name, place),
            file_name: format!("{name}.wav"),
            gain: 1.0,
            pan: 0.0,
            muted: false,
        };
        let tracks: Vec<SessionTrack> = spec.streams.iter().enumerate().map(track).collect();
        let (artist, album) = (tags.artist(), tags.album());
        let session = Session {
            title: &tags.title(),
            artist: artist.as_deref(),
            album: album.as_deref(),
            rate: spec.rate,
            frames: spec.frames,
            channels: spec.channels,
            bpm: tags.bpm().map(f64::from),
            tracks: &tracks,
        };
        archive::write(file, &session, &mut |track, to| io::copy(&mut files[track], to).map(drop))
    }
}
