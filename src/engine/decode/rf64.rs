//! WAV of more than 4 GB: RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), whose sizes stand in a chunk
//! of their own. Decoders that know WAV alone are shown one: another mark at the beginning, and an end
//! where the sound ends.
//!
//! Only bytes; runs on the thread that decodes.

use std::io::{self, Read, Seek, SeekFrom};

/// Chunks that are looked at before the sound.
const MOST_CHUNKS: usize = 1024;
/// Bytes of the head of a chunk: its name and its size.
const HEAD: u64 = 8;

/// What a file is shown as.
#[derive(Clone, Debug, PartialEq)]
pub struct Disguise {
    /// Places, and what is read there.
    patches: [(u64, [u8; 4]); 2],
    /// Where the sound ends.
    end: u64,
    /// Frames that it has, where they are all as long.
    frames: Option<u64>,
}

impl Disguise {
    /// For `file`, which stays where it was; `None` where it needs none, or its own chunk is missing.
    ///
    /// # Errors
    /// What the disk says.
    pub fn of(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let at = file.stream_position()?;
        let found = look(file);
        file.seek(SeekFrom::Start(at))?;
        found
    }

    /// Frames of the song, where its head tells them.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// How many of `wanted` bytes from `at` on there are to be read.
    pub fn cut(&self, at: u64, wanted: usize) -> usize {
        (wanted as u64).min(self.end.saturating_sub(at)) as usize
    }

    /// Puts into `bytes`, which begin at `at`, what is to be read there.
    pub fn put(&self, at: u64, bytes: &mut [u8]) {
        for (place, patch) in self.patches {
            for (place, byte) in (place..).zip(patch) {
                let here = place.checked_sub(at).and_then(|offset| bytes.get_mut(offset as usize));
                if let Some(here) = here {
                    *here = byte;
                }
            }
        }
    }
}

fn look(file: &mut (impl Read + Seek)) -> io::Result<Option<Disguise>> {
    let start = read(file, 0, 12)?;
    let is_wave = start.len() == 12 && start[8..] == *b"WAVE";
    if !is_wave || !(start.starts_with(b"RF64") || start.starts_with(b"BW64")) {
        return Ok(None);
    }
    let length = file.seek(SeekFrom::End(0))?;
    let (mut at, mut data_bytes, mut frame_bytes) = (12, None, None);
    for _ in 0..MOST_CHUNKS {
        let head = read(file, at, HEAD)?;
        let (Some((name, size)), body) = (head.split_first_chunk::<4>(), at + HEAD) else { break };
        let Ok(size) = size.try_into().map(u32::from_le_bytes) else { break };
        match name {
            b"ds64" => data_bytes = u64_at(&read(file, body, 16)?, 8),
            b"fmt " => frame_bytes = frame_bytes_of(&read(file, body, 16)?),
            b"data" => {
                let Some(data_bytes) = data_bytes else { break };
                // A recording that was never ended has none.
                let bytes = if size == u32::MAX { data_bytes } else { size.into() };
                let is_known = bytes > 0;
                let end = if is_known { body.saturating_add(bytes).min(length) } else { length };
                let shown = u32::try_from(bytes).ok().filter(|_| is_known).unwrap_or(u32::MAX);
                let frames = frame_bytes.filter(|_| is_known).map(|each| bytes / each);
                let patches = [(0, *b"RIFF"), (at + 4, shown.to_le_bytes())];
                return Ok(Some(Disguise { patches, end, frames }));
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = body + u64::from(size) + u64::from(size % 2);
    }
    Ok(None)
}

/// The bytes of a frame, of a format whose frames are all as long: integers, floats, and those that
/// are described further.
fn frame_bytes_of(format: &[u8]) -> Option<u64> {
    let tag = u16::from_le_bytes(*format.first_chunk()?);
    let bytes = u16::from_le_bytes(*format.get(12..)?.first_chunk()?);
    (bytes > 0 && [1, 3, 0xfffe].contains(&tag)).then_some(bytes.into())
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// At most `count` bytes from `at` on.
fn read(file: &mut (impl Read + Seek), at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.by_ref().take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a `data` chunk of this size in its head and in `ds64`, and bytes after it.
    fn file(head: u32, size: u64, sound: &[u8]) -> Vec<u8> {
        let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
        for number in [u64::MAX, size, size / 4] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes.extend(b"fmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data");
        bytes.extend(head.to_le_bytes());
        bytes.extend(sound);
        bytes.extend(b"LIST\x04\0\0\0INFO");
        bytes
    }

    fn disguise(bytes: &[u8]) -> Option<Disguise> {
        Disguise::of(&mut io::Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn its_sound_ends_where_its_own_chunk_says() {
        let bytes = file(u32::MAX, 8, &[7; 8]);
        let it = disguise(&bytes).unwrap();
        assert_eq!((it.frames(), it.end), (Some(2), bytes.len() as u64 - 12));
        let mut shown = bytes.clone();
        it.put(0, &mut shown);
        assert!(shown.starts_with(b"RIFF\xff\xff\xff\xffWAVE"));
        assert_eq!(shown[bytes.len() - 24..bytes.len() - 20], 8_u32.to_le_bytes());
        // In pieces, as it is read.
        for (at, piece) in bytes.chunks(3).enumerate() {
            let mut piece = piece.to_vec();
            it.put(at as u64 * 3, &mut piece);
            assert_eq!(piece, shown[at * 3..][..piece.len()]);
        }
        assert_eq!((it.cut(it.end - 2, 100), it.cut(it.end + 9, 100)), (2, 0));
    }

    #[test]
    fn what_is_longer_than_wav_can_say_is_shown_without_a_length() {
        let it = disguise(&file(u32::MAX, 1 << 33, &[7; 8])).unwrap();
        assert_eq!(it.patches[1].1, [0xff; 4]);
        assert_eq!(it.frames(), Some(1 << 31));
        let never_ended = disguise(&file(u32::MAX, 0, &[7; 8])).unwrap();
        assert_eq!((never_ended.frames(), never_ended.patches[1].1), (None, [0xff; 4]));
        assert_eq!(disguise(&file(8, 1 << 33, &[7; 8])).unwrap().frames(), Some(2), "it is short");
    }

    #[test]
    fn other_files_are_shown_as_they_are() {
        let rf64 = file(u32::MAX, 8, &[7; 8]);
        let mut wav = rf64.clone();
        wav[..4].copy_from_slice(b"RIFF");
        assert_eq!(disguise(&wav), None);
        let mut without_sizes = rf64.clone();
        without_sizes[12..16].copy_from_slice(b"junk");
        assert_eq!(disguise(&without_sizes), None);
        for cut in 0..rf64.len() - 20 {
            assert_eq!(disguise(&rf64[..cut]), None, "{cut}");
        }
    }
}
