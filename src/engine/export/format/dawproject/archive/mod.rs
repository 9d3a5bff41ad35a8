//! A DAW session: `.dawproject`, the open exchange format that Bitwig Studio, Studio One, Cubase
//! and others read. A ZIP with `project.xml`, `metadata.xml` and the tracks' files in `audio/`.
//!
//! Every track is one clip from time 0 to the end of the song, with its fader, its balance and its
//! mute as the user set them. Times are in seconds at every level and nothing is warped, so that
//! neither a tempo that is wrong nor one that is changed later moves or stretches what is heard.
//! The format wants a tempo nevertheless: a song whose tempo is not known gets 120 beats a minute.
//!
//! It encodes no audio (the files come finished) and knows no stems. Runs on the thread that calls
//! it, in memory that does not depend on the songs' length.
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

/// Beats a minute of a song whose tempo is not known.
const UNKNOWN_TEMPO: f64 = 120.0;

/// Where faders of DAWs end, as a factor: 6 dB above full scale.
const FADER_TOP: f32 = 2.0;

/// What the master track's channel is called within the file.
const MASTER_CHANNEL: &str = "channel-master";

/// A song's tracks, as a DAW shows them. All have the same rate, channels and length.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// The song's.
    pub title: &'a str,
    /// If it is known.
    pub artist: Option<&'a str>,
    /// If it is known.
    pub album: Option<&'a str>,
    /// Of the files, in Hz.
    pub rate: u32,
    /// Of each file.
    pub frames: u64,
    /// Of each file: 1 or 2.
    pub channels: u16,
    /// Beats a minute, if they are known.
    pub bpm: Option<f64>,
    /// From the top down.
    pub tracks: &'a [SessionTrack],
}

/// One track.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionTrack {
    /// What it is called.
    pub name: String,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// Its file inside `audio/`: a plain name, not a path, different for each track.
    pub file_name: String,
    /// The fader, as a factor: 1 leaves the track as it is.
    pub gain: f32,
    /// The balance: -1 is left, 0 the middle, 1 right.
    pub pan: f32,
    /// Whether it is silent.
    pub muted: bool,
}

/// Writes the session to an empty file. `audio` copies the finished file of the track with the
/// given number to a writer; it is stored as it is, because audio does not get smaller in a ZIP.
/// The caller syncs the file.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a session that cannot be told (a rate of 0; a tempo, gain or
/// pan that is no number; a file name that is a path, or the name of another track's file); what
/// the disk says; what `audio` says. The file is of no use then.
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
    // An error that the archive kept to itself still spoils the file.
    if out.has_failed { Err(io::Error::other("the session is incomplete")) } else { Ok(()) }
}

/// The session's file. After an error it accepts everything and writes nothing: the archive completes
/// itself when it is dropped, and prints on standard error where that fails.
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
        return wrong("a session without a rate or without channels");
    }
    if session.bpm.is_some_and(|bpm| !bpm.is_finite() || bpm <= 0.0) {
        return wrong("a tempo that is none");
    }
    for track in session.tracks {
        if !track.gain.is_finite() || track.gain < 0.0 || !track.pan.is_finite() {
            return wrong("a fader or balance that is no number");
        }
        let name = track.file_name.as_str();
        let is_plain = !name.contains(['/', '\\', ':']) && !matches!(name, "" | "." | "..");
        if !is_plain || xml_text(name) != name {
            return wrong("a file in a session needs a plain name");
        }
        if session.tracks.iter().filter(|other| other.file_name == name).count() > 1 {
            return wrong("two files of one name in a session");
        }
    }
    Ok(())
}

/// Whether a file may be too long for plain ZIP. Decided per session, because not every program
/// that reads sessions reads ZIP64.
fn may_be_large(session: &Session<'_>) -> bool {
    const SAMPLE_BYTES: u64 = 4;
    const TAGS: u64 = 1 << 28;
    let frame = u64::from(session.channels) * SAMPLE_BYTES;
    session.frames.saturating_mul(frame).saturating_add(TAGS) > u64::from(u32::MAX)
}

fn path(track: &SessionTrack) -> String {
    format!("audio/{}", track.file_name)
}

/// Characters that XML 1.0 can hold, on one line.
fn xml_text(text: &str) -> String {
    let is_no_character = |c: char| c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let blank = |c: char| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c };
    text.chars().map(blank).filter(|&c| !is_no_character(c)).collect()
}

type Xml = Writer<Vec<u8>>;

/// A whole XML file.
fn document(content: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    content(&mut xml)?;
    Ok(xml.into_inner())
}

/// An element with attributes and with others inside.
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

/// An element with attributes alone.
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

/// Mute, balance and fader, in the units and ranges in which DAWs write them themselves.
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

/// A track's one clip. The audio lies in a timeline of its own inside it, as DAWs write it: some
/// pass over a clip that holds its audio directly.
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
