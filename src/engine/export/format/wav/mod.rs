//! WAV: integers of 16 and 24 bits and 32-bit float, of any length.
//!
//! Implemented here because hound writes neither the chunks that studios expect nor files above 4
//! GB. The file is plain RIFF up to that limit. Beyond it, a placeholder chunk at the start becomes
//! the size table of RF64.
//!
//! Sources: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, LIST
//! INFO), EBU Tech 3285 version 2 (`bext`), EBU Tech 3306 (RF64).

use std::{
    fs::File,
    io::{self, BufWriter, Seek as _, SeekFrom, Write as _},
};

use super::{Encoder, Format, Keeps, Samples, Spec, Streams, wrong_samples};
use crate::engine::{export::Tags, types::Depth};

/// The WAV format.
pub static FORMAT: Format = Format {
    id: "wav",
    name: "WAV",
    extension: "wav",
    keeps: Keeps::Exactly(&[Depth::Int24, Depth::Int16, Depth::Float32]),
    rate: |rate| rate,
    streams: Streams::One,
    copies: 1,
    begin: |file, spec, tags| Ok(Box::new(Wav::new(file, spec, tags, LONGEST_RIFF)?)),
};

/// Largest size that RIFF can represent.
const LONGEST_RIFF: u64 = u32::MAX as u64;

/// Bytes of RF64's own chunk: three sizes and an empty table.
const SIZES_BYTES: u32 = 28;

/// Format tags of integers and floats in the `fmt ` chunk.
const PCM: u16 = 1;
const FLOAT: u16 = 3;

struct Wav {
    file: BufWriter<File>,
    depth: Depth,
    frame_bytes: u16,
    /// Offset of the samples, and their number of bytes.
    data_at: u64,
    data_bytes: u64,
    /// Offset of the length in frames in the `fact` chunk, if present.
    fact_at: Option<u64>,
    /// ID3 tag, written after the samples.
    id3: Vec<u8>,
    longest_riff: u64,
}

impl Wav {
    fn new(file: File, spec: &Spec, tags: &Tags, longest_riff: u64) -> io::Result<Self> {
        let frame_bytes = spec.channels * spec.depth.bits() / 8;
        let mut head = Vec::new();
        head.extend(b"RIFF\0\0\0\0WAVE");
        chunk(&mut head, *b"JUNK", &[0; SIZES_BYTES as usize]);
        chunk(&mut head, *b"bext", &broadcast(tags, spec));
        let is_float = spec.depth == Depth::Float32;
        let mut form = Vec::new();
        form.extend(if is_float { FLOAT } else { PCM }.to_le_bytes());
        form.extend(spec.channels.to_le_bytes());
        form.extend(spec.rate.to_le_bytes());
        form.extend((spec.rate * u32::from(frame_bytes)).to_le_bytes());
        form.extend(frame_bytes.to_le_bytes());
        form.extend(spec.depth.bits().to_le_bytes());
        if is_float {
            form.extend([0; 2]); // no extension
        }
        chunk(&mut head, *b"fmt ", &form);
        let fact_at = is_float.then_some(head.len() as u64 + 8);
        if is_float {
            chunk(&mut head, *b"fact", &[0; 4]);
        }
        let info = tags.riff_info()?;
        if !info.is_empty() {
            chunk(&mut head, *b"LIST", &info);
        }
        head.extend(b"data\0\0\0\0");
        let mut file = BufWriter::with_capacity(1 << 16, file);
        file.write_all(&head)?;
        Ok(Self {
            file,
            depth: spec.depth,
            frame_bytes,
            data_at: head.len() as u64,
            data_bytes: 0,
            fact_at,
            id3: tags.id3v2()?,
            longest_riff,
        })
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }
}

impl Encoder for Wav {
    fn write(&mut self, _stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let count = match (samples, self.depth) {
            (Samples::Float(samples), Depth::Float32) => {
                samples.iter().try_for_each(|x| self.file.write_all(&x.to_le_bytes()))?;
                samples.len()
            }
            (Samples::Int(samples), Depth::Int16) => {
                let mut put = |x: &i32| self.file.write_all(&x.to_le_bytes()[..2]);
                samples.iter().try_for_each(&mut put)?;
                samples.len()
            }
            (Samples::Int(samples), Depth::Int24) => {
                let mut put = |x: &i32| self.file.write_all(&x.to_le_bytes()[..3]);
                samples.iter().try_for_each(&mut put)?;
                samples.len()
            }
            _ => return Err(wrong_samples()),
        };
        self.data_bytes += count as u64 * u64::from(self.depth.bits() / 8);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let mut tail = Vec::new();
        if self.data_bytes % 2 == 1 {
            tail.push(0);
        }
        if !self.id3.is_empty() {
            chunk(&mut tail, *b"id3 ", &self.id3);
        }
        self.file.write_all(&tail)?;
        let frames = self.data_bytes / u64::from(self.frame_bytes);
        let riff_bytes = self.data_at + self.data_bytes + tail.len() as u64 - 8;
        let short = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        if riff_bytes > self.longest_riff {
            let mut sizes = [0; SIZES_BYTES as usize];
            sizes[..8].copy_from_slice(&riff_bytes.to_le_bytes());
            sizes[8..16].copy_from_slice(&self.data_bytes.to_le_bytes());
            sizes[16..24].copy_from_slice(&frames.to_le_bytes());
            let mut start = Vec::new();
            start.extend(b"RF64\xff\xff\xff\xffWAVE");
            chunk(&mut start, *b"ds64", &sizes);
            self.put(0, &start)?;
            self.put(self.data_at - 4, &u32::MAX.to_le_bytes())?;
        } else {
            self.put(4, &short(riff_bytes))?;
            self.put(self.data_at - 4, &short(self.data_bytes))?;
        }
        if let Some(at) = self.fact_at {
            self.put(at, &short(frames))?;
        }
        self.file.flush()
    }
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    out.extend(name);
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(content);
    if content.len() % 2 == 1 {
        out.push(0);
    }
}

/// Builds the broadcast chunk. Fields of the source's own chunk are kept, so that a DAW places the
/// file where the source was. Without one, the time reference is 0.
fn broadcast(tags: &Tags, spec: &Spec) -> Vec<u8> {
    let mut broadcast = tags.broadcast().cloned().unwrap_or_default();
    if broadcast.description.is_empty() {
        let ascii = |c: char| if c.is_ascii() { c as u8 } else { b'?' };
        broadcast.description = tags.title().chars().map(ascii).collect();
    }
    if broadcast.originator.is_empty() {
        broadcast.originator = b"Partita".to_vec();
    }
    let (bits, rate) = (spec.depth.bits(), spec.rate);
    let mut out = broadcast.bytes(rate);
    let mode = if spec.channels == 1 { "mono" } else { "stereo" };
    out.extend(format!("A=PCM,F={rate},W={bits},M={mode},T=Partita\r\n").into_bytes());
    if out.len() % 2 == 1 {
        out.push(0); // some readers, such as hound, do not skip the padding byte of odd chunks
    }
    out
}

#[cfg(test)]
mod tests;
