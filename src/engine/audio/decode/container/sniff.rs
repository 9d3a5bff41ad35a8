//! Detection of a file's container by its first bytes; unsupported kinds are rejected by name.
//!
//! Only known audio is accepted. Anything else is rejected even if some bytes resemble an MPEG
//! audio frame, because some bytes of any large file do.

use std::io;

use super::{Container, tags};
use crate::engine::audio::decode::{
    DecodeError, Empty, Foreign, Format, NotAudio, Unsupported, Video,
    bounds::BoundedFile,
    mpeg::{self, Framing},
};

/// Bytes inspected at the beginning.
const START: u64 = 4096;
/// Maximum number of tags skipped before the sound.
const MOST_TAGS: usize = 64;

/// Container of a file, and its offset after leading tags.
///
/// # Errors
/// I/O errors of the file; [`DecodeError`] if the file is not audio or its kind is unsupported.
pub fn container(file: &mut BoundedFile) -> io::Result<Result<(Container, u64), DecodeError>> {
    if file.len() == 0 {
        return Ok(Err(DecodeError::Empty(Empty::File)));
    }
    let mut start = 0;
    for _ in 0..MOST_TAGS {
        let bytes = file.bytes_at(start, 32)?;
        match tags::tag_at(&bytes) {
            Some(length) if start + length < file.len() => start += length,
            _ => break,
        }
    }
    let bytes = file.bytes_at(start, START)?;
    if let Some(container) = known(&bytes) {
        return Ok(Ok((container, start)));
    }
    if let Some(error) = foreign(&bytes, file.len() - start) {
        return Ok(Err(error));
    }
    for (framing, container) in [(Framing::Mpeg, Container::Mpeg), (Framing::Adts, Container::Adts)]
    {
        if mpeg::begins(file, start, framing)? {
            return Ok(Ok((container, start)));
        }
    }
    Ok(Err(DecodeError::NotAudio(NotAudio::Unknown)))
}

fn known(bytes: &[u8]) -> Option<Container> {
    /// Boxes with which an MP4 or QuickTime file may begin.
    const BOXES: [&[u8]; 9] =
        [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"];
    let kind = bytes.get(4..8).unwrap_or_default();
    let form = bytes.get(8..12).unwrap_or_default();
    match bytes.get(..4)? {
        b"RIFF" | b"RF64" | b"BW64" if form == b"WAVE" => Some(Container::Wav),
        b"FORM" if matches!(form, b"AIFF" | b"AIFC") => Some(Container::Aiff),
        b"caff" => Some(Container::Caf),
        b"fLaC" => Some(Container::Flac),
        b"OggS" => Some(Container::Ogg),
        b"\x1a\x45\xdf\xa3" => Some(Container::Matroska),
        _ if kind == b"ftyp" && is_picture_brand(form) => None,
        _ if BOXES.contains(&kind) => Some(Container::Mp4),
        _ => None,
    }
}

fn is_picture_brand(brand: &[u8]) -> bool {
    matches!(brand, b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"avif" | b"avis" | b"crx ")
}

/// Rejects a file whose first bytes identify another kind.
fn foreign(bytes: &[u8], length: u64) -> Option<DecodeError> {
    if let Some(format) = unsupported(bytes) {
        return Some(DecodeError::Unsupported(Unsupported::Format(format)));
    }
    if let Some(format) = videos(bytes) {
        return Some(DecodeError::Unsupported(Unsupported::Video(format)));
    }
    Some(DecodeError::NotAudio(NotAudio::Other(other(bytes, length)?)))
}

/// Unsupported audio formats.
fn unsupported(bytes: &[u8]) -> Option<Format> {
    const RIFX: &str = "RIFX";
    const ADIF: &str = "ADIF";
    const KINDS: [(&[u8], &str); 30] = [
        (b"\x30\x26\xb2\x75", "Windows Media"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"TTA1", "True Audio"),
        (b"TTA2", "True Audio"),
        (b"OFR ", "OptimFROG"),
        (b"ajkg", "Shorten"),
        (b"#!AMR", "AMR"),
        (b"\x0b\x77", "Dolby Digital (AC-3)"),
        (b"\x77\x0b", "Dolby Digital (AC-3)"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"\xfe\x7f\x01\x80", "DTS"),
        (b"\x1f\xff\xe8\x00", "DTS"),
        (b"\xff\x1f\x00\xe8", "DTS"),
        (b"\x64\x58\x20\x25", "DTS-HD"),
        (b"DTSHDHDR", "DTS-HD"),
        (b"riff\x2e\x91", "Wave64"),
        (b"RIFX", RIFX),
        (b".snd", "Sun AU"),
        (b"dns.", "Sun AU"),
        (b"Creative Voice File", "Creative Voice"),
        (b"qoaf", "Quite OK Audio"),
        (b".ra\xfd", "RealAudio"),
        (b"ADIF", ADIF),
        (b"NIST_1A", "NIST SPHERE"),
        (b"\x00\x00\x00\x04\x57\x90\x75\x36", "Audible"),
    ];
    let format = |name: &str| match name {
        RIFX => Format::Rifx,
        ADIF => Format::Adif,
        name => Format::Named(name.to_owned()),
    };
    let found = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name);
    let inner = |at: usize, magic: &[u8], name| {
        (bytes.get(at..at + magic.len()) == Some(magic)).then_some(name)
    };
    let is_loas =
        |at: usize| matches!(bytes.get(at..at + 3), Some(&[0x56, sync, _]) if sync & 0xe0 == 0xe0);
    let loas_frame = |at: usize| {
        let length = usize::from(bytes[at + 1] & 0x1f) << 8 | usize::from(bytes[at + 2]);
        at + 3 + length
    };
    found
        .or_else(|| inner(4, b"\xf8\x72\x6f\xba", "Dolby TrueHD"))
        .or_else(|| inner(4, b"\xf8\x72\x6f\xbb", "Meridian Lossless Packing"))
        .or_else(|| inner(8, b"8SVX", "Amiga 8SVX"))
        .or_else(|| inner(8, b"16SV", "Amiga 16SV"))
        .map(format)
        .or_else(|| has_free_rate(bytes).then_some(Format::FreeRate))
        .or_else(|| (is_loas(0) && is_loas(loas_frame(0))).then_some(Format::Latm))
}

/// Whether the file holds equidistant MPEG audio frames that do not state their length.
fn has_free_rate(bytes: &[u8]) -> bool {
    let is_free = |frame: &[u8]| {
        let [0xff, second, third, _] = frame[..] else { return false };
        second & 0xe0 == 0xe0
            && second & 0x18 != 0x08
            && second & 0x06 != 0
            && third >> 4 == 0
            && third & 0x0c != 0x0c
    };
    let is_next = |frame: &[u8]| is_free(frame) && frame[..2] == bytes[..2];
    if !bytes.get(..4).is_some_and(is_free) {
        return false;
    }
    let mut places = (4..bytes.len().saturating_sub(3)).filter(|&at| is_next(&bytes[at..at + 4]));
    let Some(first) = places.next() else { return false };
    places.any(|at| at.abs_diff(2 * first) <= 4)
}

/// Unsupported video containers.
fn videos(bytes: &[u8]) -> Option<Video> {
    const KINDS: [(&[u8], Video); 8] = [
        (b"\0\0\x01\xba", Video::MpegProgram),
        (b"\0\0\x01\xb3", Video::MpegVideo),
        (b"FLV", Video::Flv),
        (b".RMF", Video::RealMedia),
        (b"nut/multimedia container", Video::Nut),
        (b"\x06\x0e\x2b\x34", Video::Mxf),
        (b"\x1f\x07\0", Video::Dv),
        (b"\xb7\xd8\x00\x20\x37\x49\xda\x11", Video::Wtv),
    ];
    /// Offset and size in bytes of MPEG transport packets: plain, after a time code, and with error
    /// correction.
    const TRANSPORT: [(usize, usize); 3] = [(0, 188), (4, 192), (0, 204)];
    let found = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name);
    let transport = |&(offset, stride): &(usize, usize)| {
        let mut packets = bytes.iter().skip(offset).step_by(stride);
        let count = packets.len();
        count >= 2 && packets.all(|&byte| byte == 0x47)
    };
    let is_avi = bytes.starts_with(b"RIFF") && bytes.get(8..11) == Some(b"AVI");
    found
        .or_else(|| is_avi.then_some(Video::Avi))
        .or_else(|| TRANSPORT.iter().any(transport).then_some(Video::MpegTransport))
}

/// Recognises non-audio files, parts of which may resemble sound.
fn other(bytes: &[u8], length: u64) -> Option<Foreign> {
    const KINDS: [(&[u8], Foreign); 36] = [
        (b"\x89PNG", Foreign::Picture),
        (b"\xff\xd8\xff", Foreign::Picture),
        (b"GIF8", Foreign::Picture),
        (b"II*\0", Foreign::Picture),
        (b"MM\0*", Foreign::Picture),
        (b"8BPS", Foreign::Picture),
        (b"\0\0\x01\0", Foreign::Picture),
        (b"%PDF", Foreign::Pdf),
        (b"%!PS", Foreign::PostScript),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::Office),
        (b"{\\rtf", Foreign::Document),
        (b"PK\x03\x04", Foreign::Zip),
        (b"PK\x05\x06", Foreign::Zip),
        (b"\x1f\x8b", Foreign::Compressed),
        (b"7z\xbc\xaf", Foreign::Compressed),
        (b"Rar!", Foreign::Compressed),
        (b"BZh", Foreign::Compressed),
        (b"\xfd7zXZ", Foreign::Compressed),
        (b"\x28\xb5\x2f\xfd", Foreign::Compressed),
        (b"xar!", Foreign::Compressed),
        (b"MSCF", Foreign::Compressed),
        (b"\x7fELF", Foreign::Program),
        (b"MZ", Foreign::Program),
        (b"\xcf\xfa\xed\xfe", Foreign::Program),
        (b"\xca\xfe\xba\xbe", Foreign::Program),
        (b"\0asm", Foreign::Program),
        (b"SQLite format 3", Foreign::Database),
        (b"MThd", Foreign::Midi),
        (b"FWS", Foreign::Flash),
        (b"CWS", Foreign::Flash),
        (b"IMPM", Foreign::Tracker),
        (b"Extended Module: ", Foreign::Tracker),
        (b"NESM", Foreign::Console),
        (b"PSID", Foreign::HomeComputer),
        (b"RSID", Foreign::HomeComputer),
        (b"wOF", Foreign::Font),
    ];
    let found = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name);
    let form = bytes.get(8..12).unwrap_or_default();
    let riff = || match form {
        b"RMID" => Foreign::Midi,
        b"WEBP" => Foreign::Picture,
        _ => Foreign::Riff,
    };
    let bitmap_bytes = || Some(u32::from_le_bytes(*bytes.get(2..)?.first_chunk()?));
    let is_bitmap = bytes.starts_with(b"BM") && bitmap_bytes() == u32::try_from(length).ok();
    let is_picture = bytes.get(4..8) == Some(b"ftyp") && is_picture_brand(form);
    let is_archive = bytes.get(257..262) == Some(b"ustar");
    found
        .or_else(|| bytes.starts_with(b"RIFF").then(riff))
        .or_else(|| (is_bitmap || is_picture).then_some(Foreign::Picture))
        .or_else(|| is_archive.then_some(Foreign::Archive))
        .or_else(|| is_text(bytes).then_some(Foreign::Text))
}

/// Whether `start` is UTF-8 without control characters. The last character may be truncated.
fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}
