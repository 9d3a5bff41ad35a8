//! Writer of the MP4 container for audio.
//!
//! The file is written front to back: first the packets in chunks of about half a second,
//! interleaved by track, then the tables. The writer holds one chunk per track and six bytes per
//! packet: 220 KB for an hour of packets of 4096 frames. The container is independent of codecs;
//! the caller describes each track's samples at the end.
//!
//! Sources: ISO/IEC 14496-12 (boxes, the tables), ISO/IEC 14496-14 (MP4), Apple's "`QuickTime` File
//! Format" (`meta` boxes of the kind `mdir`, which hold tags).

#[cfg(test)]
pub(super) mod tests;

use std::io::{self, Seek, SeekFrom, Write};

/// Largest size or offset that is stored in four bytes instead of eight.
pub const LONGEST_SHORT: u64 = u32::MAX as u64;

/// Packets per chunk: half a second at 44.1 kHz and 4096 frames.
const CHUNK_PACKETS: u32 = 5;

/// Identity matrix, which the headers require even for audio.
const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// A file being written.
pub struct Mp4<W> {
    out: W,
    rate: u32,
    packet_frames: u32,
    tracks: Vec<Track>,
    /// Offset of the next chunk.
    at: u64,
    /// Offset of the media data's header.
    media_at: u64,
    longest_short: u64,
}

/// A track being written.
struct Track {
    name: String,
    /// Whether players play the track by default.
    enabled: bool,
    /// Size of each packet in bytes, and offset of each chunk.
    sizes: Vec<u32>,
    chunks: Vec<u64>,
    frames: u64,
    /// Packets of the current chunk.
    chunk: Vec<u8>,
    chunk_packets: u32,
}

/// Totals of a complete track.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Length in frames.
    pub frames: u64,
    /// Total size of the packets in bytes.
    pub bytes: u64,
    /// Size of the longest packet in bytes.
    pub longest: u32,
}

impl<W: Write + Seek> Mp4<W> {
    /// Begins a file with the named tracks, each enabled or not. `rate` is in frames per second,
    /// and all packets but the last hold `packet_frames`. `longest_short` is [`LONGEST_SHORT`]
    /// except in tests.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn new(
        mut out: W,
        rate: u32,
        packet_frames: u32,
        tracks: impl IntoIterator<Item = (String, bool)>,
        longest_short: u64,
    ) -> io::Result<Self> {
        let mut head = Vec::new();
        nest(&mut head, *b"ftyp", |out| out.extend(b"M4A \0\0\0\0M4A mp42isom"));
        let media_at = head.len() as u64;
        // Placeholder for a 64-bit size; readers without support for those skip it.
        nest(&mut head, *b"free", |_| {});
        nest(&mut head, *b"mdat", |_| {});
        out.write_all(&head)?;
        let tracks = tracks.into_iter().map(|(name, enabled)| Track::new(name, enabled)).collect();
        let at = head.len() as u64;
        Ok(Self { out, rate, packet_frames, tracks, at, media_at, longest_short })
    }

    /// Appends a packet to a track. Only the last packet may hold fewer frames.
    ///
    /// # Errors
    /// Fails if the disk cannot be written. Fails with [`io::ErrorKind::InvalidInput`] for an
    /// unknown track.
    pub fn packet(&mut self, track: usize, frames: u32, packet: &[u8]) -> io::Result<()> {
        let to = self.tracks.get_mut(track).ok_or_else(|| invalid("no such track"))?;
        to.sizes.push(u32::try_from(packet.len()).map_err(io::Error::other)?);
        to.frames += u64::from(frames);
        to.chunk.extend_from_slice(packet);
        to.chunk_packets += 1;
        if to.chunk_packets == CHUNK_PACKETS {
            to.flush(&mut self.out, &mut self.at)?;
        }
        Ok(())
    }

    /// Completes the file. `describe` returns the sample entry of each track as a complete box.
    /// `user_data` consists of complete boxes for the file's user data.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn finish(
        mut self,
        describe: impl Fn(usize, Written) -> Vec<u8>,
        user_data: &[u8],
    ) -> io::Result<()> {
        for track in &mut self.tracks {
            track.flush(&mut self.out, &mut self.at)?;
        }
        let mut moov = Vec::new();
        nest(&mut moov, *b"moov", |out| {
            self.movie_header(out);
            for (track, id) in self.tracks.iter().zip(1..) {
                let entry = describe(id as usize - 1, track.written());
                nest(out, *b"trak", |out| self.track(out, track, id, &entry));
            }
            if !user_data.is_empty() {
                nest(out, *b"udta", |out| out.extend(user_data));
            }
        });
        self.out.write_all(&moov)?;
        self.media_size()?;
        self.out.flush()
    }

    /// Writes the size of the media data, which begin after two headers of eight bytes or one of
    /// sixteen.
    fn media_size(&mut self) -> io::Result<()> {
        let long = self.at - self.media_at;
        let mut header = Vec::new();
        if long - 8 > self.longest_short {
            header.extend(b"\0\0\0\x01mdat");
            header.extend(long.to_be_bytes());
        } else {
            nest(&mut header, *b"free", |_| {});
            header.extend(((long - 8) as u32).to_be_bytes());
            header.extend(b"mdat");
        }
        self.out.seek(SeekFrom::Start(self.media_at))?;
        self.out.write_all(&header)?;
        self.out.seek(SeekFrom::End(0))?;
        Ok(())
    }

    fn movie_header(&self, out: &mut Vec<u8>) {
        let frames = self.tracks.iter().map(|track| track.frames).max().unwrap_or(0);
        nest(out, *b"mvhd", |out| {
            self.times(out, 0, frames, |out| put(out, &[self.rate]));
            put(out, &[0x1_0000]); // speed
            out.extend(0x100_u16.to_be_bytes()); // volume
            out.extend([0; 10]);
            put(out, &UPRIGHT);
            out.extend([0; 24]);
            put(out, &[self.tracks.len() as u32 + 1]); // next track ID
        });
    }

    /// Writes the common beginning of the headers of the movie, its tracks and their media. The
    /// creation time is left unknown, so that equal audio produces equal files.
    fn times(&self, out: &mut Vec<u8>, flags: u32, frames: u64, middle: impl Fn(&mut Vec<u8>)) {
        let short = u32::try_from(frames).ok().filter(|_| frames <= self.longest_short);
        put(out, &[u32::from(short.is_none()) << 24 | flags]);
        out.extend(if short.is_some() { &[0; 8][..] } else { &[0; 16] });
        middle(out);
        match short {
            Some(frames) => put(out, &[frames]),
            None => out.extend(frames.to_be_bytes()),
        }
    }

    fn track(&self, out: &mut Vec<u8>, track: &Track, id: u32, entry: &[u8]) {
        const ENABLED: u32 = 1;
        const IN_MOVIE_AND_PREVIEW: u32 = 2 | 4;
        let flags = IN_MOVIE_AND_PREVIEW | if track.enabled { ENABLED } else { 0 };
        nest(out, *b"tkhd", |out| {
            self.times(out, flags, track.frames, |out| put(out, &[id, 0]));
            out.extend([0; 8]);
            put(out, &[0, 0x100_0000]); // layer, group; volume
            put(out, &UPRIGHT);
            put(out, &[0, 0]); // no picture
        });
        nest(out, *b"mdia", |out| {
            nest(out, *b"mdhd", |out| {
                self.times(out, 0, track.frames, |out| put(out, &[self.rate]));
                put(out, &[0x55c4_0000]); // "und", undetermined language
            });
            handler(out, *b"soun", [0; 4], &track.name);
            nest(out, *b"minf", |out| {
                nest(out, *b"smhd", |out| put(out, &[0, 0])); // balance in the middle
                nest(out, *b"dinf", |out| {
                    nest(out, *b"dref", |out| {
                        put(out, &[0, 1]);
                        nest(out, *b"url ", |out| put(out, &[1])); // this file
                    });
                });
                nest(out, *b"stbl", |out| self.tables(out, track, entry));
            });
        });
    }

    /// Writes the tables that map frames to packets and packets to offsets.
    fn tables(&self, out: &mut Vec<u8>, track: &Track, entry: &[u8]) {
        let packets = track.sizes.len() as u32;
        nest(out, *b"stsd", |out| {
            put(out, &[0, 1]);
            out.extend(entry);
        });
        let full = (track.frames / u64::from(self.packet_frames)) as u32;
        let rest = (track.frames % u64::from(self.packet_frames)) as u32;
        table(out, *b"stts", [[full, self.packet_frames], [packets - full, rest]]);
        let full = packets / CHUNK_PACKETS;
        let rest = packets % CHUNK_PACKETS;
        let first =
            |chunks: u32, packets: u32, number: u32| [u32::from(chunks > 0) * number, packets, 1];
        let runs = [first(full, CHUNK_PACKETS, 1), first(rest, rest, full + 1)];
        table(out, *b"stsc", runs);
        nest(out, *b"stsz", |out| {
            put(out, &[0, 0, packets]);
            put(out, &track.sizes);
        });
        let chunks = track.chunks.len() as u32;
        let is_long = self.at > self.longest_short;
        nest(out, if is_long { *b"co64" } else { *b"stco" }, |out| {
            put(out, &[0, chunks]);
            for &at in &track.chunks {
                let bytes = at.to_be_bytes();
                out.extend(if is_long { &bytes[..] } else { &bytes[4..] });
            }
        });
    }
}

impl Track {
    fn new(name: String, enabled: bool) -> Self {
        Self {
            name,
            enabled,
            sizes: Vec::new(),
            chunks: Vec::new(),
            frames: 0,
            chunk: Vec::new(),
            chunk_packets: 0,
        }
    }

    fn flush(&mut self, out: &mut impl Write, at: &mut u64) -> io::Result<()> {
        if self.chunk_packets == 0 {
            return Ok(());
        }
        out.write_all(&self.chunk)?;
        self.chunks.push(*at);
        *at += self.chunk.len() as u64;
        self.chunk.clear();
        self.chunk_packets = 0;
        Ok(())
    }

    fn written(&self) -> Written {
        Written {
            frames: self.frames,
            bytes: self.sizes.iter().map(|&size| u64::from(size)).sum(),
            longest: self.sizes.iter().copied().max().unwrap_or(0),
        }
    }
}

/// Writes a box of this kind with the content that `fill` appends.
pub fn nest(out: &mut Vec<u8>, kind: [u8; 4], fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(kind);
    fill(out);
    let size = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Writes tags as a `meta` box around a complete `ilst` box; nothing if `ilst` is empty.
pub fn meta(out: &mut Vec<u8>, ilst: &[u8]) {
    if ilst.is_empty() {
        return;
    }
    nest(out, *b"meta", |out| {
        put(out, &[0]);
        handler(out, *b"mdir", *b"appl", "");
        out.extend(ilst);
    });
}

/// Writes big-endian 32-bit numbers.
pub fn put(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|x| x.to_be_bytes()));
}

fn handler(out: &mut Vec<u8>, kind: [u8; 4], maker: [u8; 4], name: &str) {
    nest(out, *b"hdlr", |out| {
        put(out, &[0, 0]);
        out.extend(kind);
        out.extend(maker);
        out.extend([0; 8]);
        out.extend(name.bytes().filter(|&byte| byte != 0));
        out.push(0);
    });
}

/// Writes a table of the rows whose first number is not 0.
fn table<const N: usize>(out: &mut Vec<u8>, kind: [u8; 4], rows: [[u32; N]; 2]) {
    let rows: Vec<_> = rows.into_iter().filter(|row| row[0] > 0).collect();
    nest(out, kind, |out| {
        put(out, &[0, rows.len() as u32]);
        for row in &rows {
            put(out, row);
        }
    });
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
