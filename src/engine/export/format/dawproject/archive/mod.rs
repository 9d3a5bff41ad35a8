//! Writer of DAW sessions: `.dawproject` is the open exchange format of Bitwig Studio, Studio One,
//! Cubase and others. The file is a ZIP with `project.xml`, `metadata.xml` and the tracks' files in
//! `audio/`.
//!
//! Every track is one clip over the whole song, with the fader, balance and mute that the user set.
//! All times are in seconds and nothing is warped, so a wrong tempo or a later tempo change neither
//! moves nor stretches the audio. The format requires a tempo; a song of unknown tempo gets 120
//! beats per minute.
//!
//! This module encodes no audio and does not depend on stems. It runs on the calling thread, with
//! memory independent of the songs' length.
//!
//! Source: the repository bitwig/dawproject, format version 1.0 (`Project.xsd`, `MetaData.xsd`).

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Tempo written for a song of unknown tempo, in beats per minute.
const UNKNOWN_TEMPO: f64 = 120.0;

/// Upper end of a DAW fader as a linear factor: 6 dB above unity.
const FADER_TOP: f32 = 2.0;

/// ID of the master track's channel within the file.
const MASTER_CHANNEL: &str = "channel-master";

/// Tracks of a song as a DAW shows them. All have the same rate, channel count and length.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// Title of the song.
    pub title: &'a str,
    /// Artist, if known.
    pub artist: Option<&'a str>,
    /// Album, if known.
    pub album: Option<&'a str>,
    /// Sample rate of the files in Hz.
    pub rate: u32,
    /// Length of each file in frames.
    pub frames: u64,
    /// Channels of each file: 1 or 2.
    pub channels: u16,
    /// Tempo in beats per minute, if known.
    pub bpm: Option<f64>,
    /// Tracks from top to bottom.
    pub tracks: &'a [SessionTrack],
}

/// A track of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionTrack {
    /// Name shown for the track.
    pub name: String,
    /// Colour as red, green, blue.
    pub colour: [u8; 3],
    /// Name of the file inside `audio/`: not a path, and unique among the tracks.
    pub file_name: String,
    /// Linear gain of the fader; 1 leaves the track unchanged.
    pub gain: f32,
    /// Balance: -1 is left, 0 the middle, 1 right.
    pub pan: f32,
    /// Whether the track is muted.
    pub muted: bool,
}

/// Writes the session to an empty file. `audio` copies the finished file of the track with the
/// given index to a writer. The audio is stored uncompressed, because deflate hardly shrinks it.
/// The caller syncs the file.
///
/// # Errors
/// Fails with [`io::ErrorKind::InvalidInput`] for a rate of 0, and for an invalid tempo, gain or
/// pan. A file name must not be a path or occur twice. Also fails if the disk or `audio` fails. The
/// file is unusable after an error.
pub fn write(
    file: File,
    session: &Session<'_>,
    audio: &mut dyn FnMut(usize, &mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    check(session)?;
    let mut archive = ZipWriter::new(Out::new(file));
    let text = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("metadata.xml", text)?;
    archive.write_all(&document(|xml| metadata(xml, session))?)?;
    archive.start_file("project.xml", text)?;
    archive.write_all(&document(|xml| project(xml, session))?)?;
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(may_be_large(session));
    for (at, track) in session.tracks.iter().enumerate() {
        archive.start_file(path(track), stored)?;
        audio(at, &mut archive)?;
    }
    let mut out = archive.finish()?;
    out.flush()?;
    // An error that the archive swallowed still corrupts the file.
    if out.has_failed { Err(io::Error::other("the session is incomplete")) } else { Ok(()) }
}

/// Output file of the session. After an error it silently accepts writes: the archive finalizes
/// itself when dropped, and would otherwise print another error on standard error.
struct Out {
    file: BufWriter<File>,
    has_failed: bool,
}

impl Out {
    fn new(file: File) -> Self {
        Self { file: BufWriter::with_capacity(1 << 16, file), has_failed: false }
    }

    fn unless_failed<T>(
        &mut self,
        otherwise: T,
        work: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.has_failed {
            return Ok(otherwise);
        }
        let result = work(&mut self.file);
        let is_final = |error: &io::Error| error.kind() != io::ErrorKind::Interrupted;
        self.has_failed = result.as_ref().is_err_and(is_final);
        result
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_failed(bytes.len(), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), Write::flush)
    }
}

impl Seek for Out {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.unless_failed(0, |file| file.seek(to))
    }
}

fn check(session: &Session<'_>) -> io::Result<()> {
    let wrong = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
    if session.rate == 0 || session.channels == 0 {
        return wrong("a session needs a sample rate and channels");
    }
    if session.bpm.is_some_and(|bpm| !bpm.is_finite() || bpm <= 0.0) {
        return wrong("invalid tempo in a session");
    }
    for track in session.tracks {
        if !track.gain.is_finite() || track.gain < 0.0 || !track.pan.is_finite() {
            return wrong("invalid fader or balance in a session");
        }
        let name = track.file_name.as_str();
        let is_plain = !name.contains(['/', '\\', ':']) && !matches!(name, "" | "." | "..");
        if !is_plain || xml_text(name) != name {
            return wrong("a file name in a session must not be a path");
        }
        if session.tracks.iter().filter(|other| other.file_name == name).count() > 1 {
            return wrong("duplicate file name in a session");
        }
    }
    Ok(())
}

/// Whether a file may exceed plain ZIP. This is decided per session, because some programs that
/// read sessions cannot read ZIP64.
fn may_be_large(session: &Session<'_>) -> bool {
    const SAMPLE_BYTES: u64 = 4;
    const TAGS: u64 = 1 << 28;
    let frame = u64::from(session.channels) * SAMPLE_BYTES;
    session.frames.saturating_mul(frame).saturating_add(TAGS) > u64::from(u32::MAX)
}

fn path(track: &SessionTrack) -> String {
    format!("audio/{}", track.file_name)
}

/// Replaces line breaks and removes characters that XML 1.0 cannot hold.
fn xml_text(text: &str) -> String {
    let is_invalid = |c: char| c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let blank = |c: char| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c };
    text.chars().map(blank).filter(|&c| !is_invalid(c)).collect()
}

type Xml = Writer<Vec<u8>>;

/// Builds a complete XML file.
fn document(content: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    content(&mut xml)?;
    Ok(xml.into_inner())
}

/// Writes an element with attributes and children.
fn element(
    xml: &mut Xml,
    name: &str,
    attributes: &[(&str, &str)],
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let begun = xml.create_element(name).with_attributes(attributes.iter().copied());
    begun.write_inner_content(content)?;
    Ok(())
}

/// Writes an element with attributes only.
fn empty(xml: &mut Xml, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_empty()?;
    Ok(())
}

fn metadata(xml: &mut Xml, session: &Session<'_>) -> io::Result<()> {
    let known =
        [("Title", Some(session.title)), ("Artist", session.artist), ("Album", session.album)];
    element(xml, "MetaData", &[], |xml| {
        for (name, text) in known {
            if let Some(text) = text {
                xml.create_element(name).write_text_content(BytesText::new(&xml_text(text)))?;
            }
        }
        Ok(())
    })
}

fn project(xml: &mut Xml, session: &Session<'_>) -> io::Result<()> {
    element(xml, "Project", &[("version", "1.0")], |xml| {
        empty(xml, "Application", &[("name", "Partita"), ("version", env!("CARGO_PKG_VERSION"))])?;
        element(xml, "Transport", &[], |xml| {
            let tempo = session.bpm.unwrap_or(UNKNOWN_TEMPO).to_string();
            empty(xml, "Tempo", &[("id", "tempo"), ("unit", "bpm"), ("value", &tempo)])?;
            empty(
                xml,
                "TimeSignature",
                &[("id", "time-signature"), ("numerator", "4"), ("denominator", "4")],
            )
        })?;
        element(xml, "Structure", &[], |xml| {
            for (at, one) in session.tracks.iter().enumerate() {
                track(xml, session, at, one)?;
            }
            master(xml)
        })?;
        element(xml, "Arrangement", &[("id", "arrangement")], |xml| {
            element(xml, "Lanes", &[("id", "lanes"), ("timeUnit", "seconds")], |xml| {
                let mut tracks = session.tracks.iter().enumerate();
                tracks.try_for_each(|(at, one)| lane(xml, session, at, one))
            })
        })
    })
}

fn track(xml: &mut Xml, session: &Session<'_>, at: usize, track: &SessionTrack) -> io::Result<()> {
    let [red, green, blue] = track.colour;
    let attributes = [
        ("id", &*format!("track-{at}")),
        ("name", &*xml_text(&track.name)),
        ("color", &*format!("#{red:02x}{green:02x}{blue:02x}")),
        ("contentType", "audio"),
        ("loaded", "true"),
    ];
    let channel_attributes = [
        ("id", &*format!("channel-{at}")),
        ("audioChannels", &*session.channels.to_string()),
        ("destination", MASTER_CHANNEL),
        ("role", "regular"),
        ("solo", "false"),
    ];
    element(xml, "Track", &attributes, |xml| {
        element(xml, "Channel", &channel_attributes, |xml| {
            mixer(xml, &at.to_string(), track.gain, track.pan, track.muted)
        })
    })
}

fn master(xml: &mut Xml) -> io::Result<()> {
    let attributes =
        [("id", "track-master"), ("name", "Master"), ("contentType", "audio"), ("loaded", "true")];
    let channel_attributes =
        [("id", MASTER_CHANNEL), ("audioChannels", "2"), ("role", "master"), ("solo", "false")];
    element(xml, "Track", &attributes, |xml| {
        element(xml, "Channel", &channel_attributes, |xml| mixer(xml, "master", 1.0, 0.0, false))
    })
}

/// Writes mute, balance and fader in the units and ranges that DAWs themselves use.
fn mixer(xml: &mut Xml, of: &str, gain: f32, pan: f32, muted: bool) -> io::Result<()> {
    empty(
        xml,
        "Mute",
        &[
            ("id", &format!("mute-{of}")),
            ("name", "Mute"),
            ("value", if muted { "true" } else { "false" }),
        ],
    )?;
    empty(
        xml,
        "Pan",
        &[
            ("id", &format!("pan-{of}")),
            ("name", "Pan"),
            ("unit", "normalized"),
            ("min", "0"),
            ("max", "1"),
            ("value", &f32::midpoint(pan.clamp(-1.0, 1.0), 1.0).to_string()),
        ],
    )?;
    empty(
        xml,
        "Volume",
        &[
            ("id", &format!("volume-{of}")),
            ("name", "Volume"),
            ("unit", "linear"),
            ("min", "0"),
            ("max", &FADER_TOP.max(gain).to_string()),
            ("value", &gain.to_string()),
        ],
    )
}

/// Writes the single clip of a track. The audio lies in a nested timeline inside the clip, as DAWs
/// write it; some ignore a clip that holds its audio directly.
fn lane(xml: &mut Xml, session: &Session<'_>, at: usize, track: &SessionTrack) -> io::Result<()> {
    let seconds = (session.frames as f64 / f64::from(session.rate)).to_string();
    let unit = ("timeUnit", "seconds");
    let whole = [
        ("time", "0"),
        ("duration", &*seconds),
        ("contentTimeUnit", "seconds"),
        ("playStart", "0"),
    ];
    let name = xml_text(&track.name);
    let mut named = vec![("name", &*name)];
    named.extend(whole);
    let audio = [
        ("id", &*format!("audio-{at}")),
        unit,
        ("duration", &*seconds),
        ("sampleRate", &*session.rate.to_string()),
        ("channels", &*session.channels.to_string()),
    ];
    let (lane, of) = (format!("lane-{at}"), format!("track-{at}"));
    let (clips, inside) = (format!("clips-{at}"), format!("inside-{at}"));
    element(xml, "Lanes", &[("id", &lane), ("track", &of), unit], |xml| {
        element(xml, "Clips", &[("id", &clips), unit], |xml| {
            element(xml, "Clip", &named, |xml| {
                element(xml, "Clips", &[("id", &inside), unit], |xml| {
                    element(xml, "Clip", &whole, |xml| {
                        element(xml, "Audio", &audio, |xml| {
                            empty(xml, "File", &[("path", &path(track)), ("external", "false")])
                        })
                    })
                })
            })
        })
    })
}

#[cfg(test)]
mod tests;
