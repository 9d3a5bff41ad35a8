//! The file itself: whether it is one, what its first bytes show, and how far it was read.
//!
//! Runs on the thread that decodes.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};

use super::{DecodeError, bounds::BoundedFile, rf64::Disguise};
use crate::engine::{CancelToken, EngineError, Result};

/// A file as Symphonia reads it.
pub struct Opened {
    /// Its bytes.
    pub stream: MediaSourceStream<'static>,
    /// The place up to which it was read, as it moves.
    pub position: Arc<AtomicU64>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Frames of a WAV that is too long to tell Symphonia how long it is.
    pub frames: Option<u64>,
}

/// Opens `path` for Symphonia, which may read `most` bytes of it.
///
/// # Errors
/// When there is no such file, it cannot be read, or its first bytes show that it is no audio.
pub fn open(path: &Path, most: u64, cancel: &CancelToken) -> Result<Opened> {
    let cannot_read = |source| EngineError::Io { what: "cannot read", path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(cannot_read)?;
    // Asked before opening: to open a pipe is to wait for whoever writes to it.
    if metadata.is_dir() {
        return Err(DecodeError::NotAudio("this is a folder, not a file".into()).into());
    }
    if !metadata.is_file() {
        return Err(DecodeError::NotAudio("this is a device or a pipe, not a file".into()).into());
    }
    let bytes = metadata.len();
    let mut file = File::open(path).map_err(cannot_read)?;
    refuse_by_content(&mut file).map_err(cannot_read)??;
    let promised_bytes = mp4_length(&mut file).map_err(cannot_read)?;
    let is_cut_aiff = aiff_length(&mut file).map_err(cannot_read)? > Some(bytes);
    let position = Arc::new(AtomicU64::new(0));
    let file = BoundedFile::new(file, bytes, cancel).map_err(cannot_read)?.within(most);
    let frames = file.disguise().and_then(Disguise::frames);
    let counted = Counted {
        file,
        bytes,
        promised_bytes: promised_bytes.filter(|&promised| promised > bytes),
        is_seekable: !is_cut_aiff,
        position: Arc::clone(&position),
    };
    let options = MediaSourceStreamOptions::default();
    let stream = MediaSourceStream::new(Box::new(counted), options);
    Ok(Opened { stream, position, bytes, frames })
}

/// Refuses what its first bytes show to be no audio, or audio of a kind that is not supported:
/// in half a megabyte of anything, something looks like the start of an MP3 frame.
fn refuse_by_content(file: &mut File) -> io::Result<Result<(), DecodeError>> {
    const OTHERS: [(&[u8], &str); 11] = [
        (b"\x30\x26\xb2\x75", "Windows Media"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"TTA1", "True Audio"),
        (b"#!AMR", "AMR"),
        (b"\x0b\x77", "Dolby Digital (AC-3)"),
        (b"riff\x2e\x91", "Wave64"),
    ];
    const FOREIGN: [(&[u8], &str); 11] = [
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a compressed archive"),
        (b"7z\xbc\xaf", "a compressed archive"),
        (b"Rar!", "a compressed archive"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"MThd", "a MIDI file, which has notes but no sound"),
    ];
    let mut start = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    if start.is_empty() {
        return Ok(Err(DecodeError::Empty("the file is empty: it has 0 bytes".into())));
    }
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        let text = format!("{name} is not supported; convert the file to FLAC or WAV");
        return Ok(Err(DecodeError::Unsupported(text)));
    }
    if let Some((_, name)) = FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Ok(Err(DecodeError::NotAudio(format!("this is not an audio file but {name}"))));
    }
    if is_text(&start) {
        return Ok(Err(DecodeError::NotAudio("this is not an audio file but text".into())));
    }
    Ok(Ok(()))
}

/// Whether all of `start` is UTF-8 without control characters. A character may be cut at its end.
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

/// The length that an MP4 file should have by its outermost boxes; `None` of any other file, and
/// without an index.
fn mp4_length(file: &mut File) -> io::Result<Option<u64>> {
    const MOST: usize = 4096;
    let (mut end, mut has_index) = (0, false);
    for index in 0..MOST {
        file.seek(SeekFrom::Start(end))?;
        let mut header = Vec::new();
        file.by_ref().take(16).read_to_end(&mut header)?;
        let Some((kind, size)) = mp4_box(&header) else {
            break;
        };
        if index == 0 && kind != b"ftyp" {
            break;
        }
        has_index |= kind == b"moov";
        end = end.saturating_add(size).min(i64::MAX as u64);
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(has_index.then_some(end))
}

/// The length that an AIFF file should have; `None` of any other file.
fn aiff_length(file: &mut File) -> io::Result<Option<u64>> {
    let mut header = Vec::new();
    file.by_ref().take(12).read_to_end(&mut header)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(match header[..] {
        [b'F', b'O', b'R', b'M', a, b, c, d, b'A', b'I', b'F', b'F' | b'C'] => {
            Some(u64::from(u32::from_be_bytes([a, b, c, d])) + 8)
        }
        _ => None,
    })
}

/// Kind and size of the box with this header; `None` where it ends the file, or is none.
fn mp4_box(header: &[u8]) -> Option<(&[u8], u64)> {
    let size = u32::from_be_bytes(header.first_chunk().copied()?);
    let kind = header.get(4..8)?;
    match size {
        1 => Some((kind, u64::from_be_bytes(*header.get(8..16)?.first_chunk()?))),
        8.. => Some((kind, size.into())),
        _ => None,
    }
}

/// A file that tells how far it was read.
struct Counted {
    file: BoundedFile,
    bytes: u64,
    /// Where the end is said to be, of an MP4 file that is cut off: Symphonia plays nothing of it
    /// unless it comes upon the end by itself.
    promised_bytes: Option<u64>,
    /// False of an AIFF file that is cut off: Symphonia would look beyond its sound first.
    is_seekable: bool,
    position: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(offset) => {
                let end = self.promised_bytes.unwrap_or(self.bytes);
                SeekFrom::Start(end.saturating_add_signed(offset))
            }
            to => to,
        };
        let position = self.file.seek(to)?;
        self.position.store(position, Ordering::Relaxed);
        Ok(position)
    }
}

impl MediaSource for Counted {
    fn is_seekable(&self) -> bool {
        self.is_seekable
    }

    fn byte_len(&self) -> Option<u64> {
        // Without it, nothing is looked for near the end, where a file that is cut off has nothing.
        if self.promised_bytes.is_some() { None } else { Some(self.bytes) }
    }
}
