//! Track list of a Matroska file.

use super::ebml::{children, float, head, text, unsigned};
use crate::engine::types::AudioTrack;

const ENTRY: u32 = 0xae;

/// An audio track of the list.
#[derive(Clone, Debug, Default)]
pub struct TrackEntry {
    /// Number by which blocks refer to the track.
    pub number: u64,
    /// Entry for the track list, including its header.
    pub entry: Vec<u8>,
    codec: String,
    is_default: bool,
    is_enabled: bool,
    language: Option<String>,
    name: Option<String>,
    /// Encoder delay at the start, in nanoseconds.
    pub delay_ns: u64,
    /// Sample rate of the decoded sound, in Hz.
    pub rate: u32,
}

/// Reads the audio tracks from the content of a track list.
pub fn read_tracks(bytes: &[u8]) -> Vec<TrackEntry> {
    const AUDIO: u64 = 2;
    let mut tracks = Vec::new();
    for (_, content) in children(bytes).filter(|(id, _)| *id == ENTRY) {
        let mut kind = 0;
        let mut track = TrackEntry { is_default: true, is_enabled: true, ..TrackEntry::default() };
        for (id, value) in children(content) {
            match id {
                0xd7 => track.number = unsigned(value),
                0x83 => kind = unsigned(value),
                0x88 => track.is_default = unsigned(value) != 0,
                0xb9 => track.is_enabled = unsigned(value) != 0,
                0x86 => track.codec = text(value),
                0x22_b59c | 0x22_b59d => track.language = Some(text(value)),
                0x536e => track.name = Some(text(value)),
                0x56aa => track.delay_ns = unsigned(value),
                0xe1 => {
                    let rate = children(value).find(|(id, _)| *id == 0xb5);
                    track.rate = rate.and_then(|(_, rate)| float(rate)).unwrap_or(0.0) as u32;
                }
                _ => {}
            }
        }
        if kind == AUDIO {
            if track.codec == "A_OPUS" {
                track.rate = 48_000; // regardless of the encoder's input
            }
            track.entry = entry(content);
            tracks.push(track);
        }
    }
    tracks
}

/// Builds a track entry reduced to the data needed for decoding.
fn entry(content: &[u8]) -> Vec<u8> {
    const NUMBER: u32 = 0xd7;
    const UID: u32 = 0x73c5;
    /// Number, kind, codec with settings and delays, frame duration, audio, compression.
    const NEEDED: [u32; 9] = [NUMBER, 0x83, 0x86, 0x63a2, 0x56aa, 0x56bb, 0x23_e383, 0xe1, 0x6d80];
    let mut needed = head(UID, 1);
    needed.push(1);
    for (id, value) in children(content).filter(|(id, _)| NEEDED.contains(id)) {
        needed.extend(head(id, value.len() as u64));
        needed.extend_from_slice(value);
    }
    let mut entry = head(ENTRY, needed.len() as u64);
    entry.extend(needed);
    entry
}

/// Describes a track for the user.
pub fn listed(track: &TrackEntry) -> AudioTrack {
    AudioTrack {
        number: 0,
        id: track.number,
        codec: codec_name(&track.codec).to_owned(),
        language: track.language.clone().filter(|language| language != "und"),
        name: track.name.clone(),
        is_default: track.is_default && track.is_enabled,
        is_decodable: is_decodable(&track.codec),
    }
}

fn codec_name(codec: &str) -> &str {
    match codec {
        "A_MPEG/L3" => "MP3",
        "A_MPEG/L2" => "MP2",
        "A_MPEG/L1" => "MP1",
        "A_VORBIS" => "Vorbis",
        "A_OPUS" => "Opus",
        "A_FLAC" => "FLAC",
        "A_ALAC" => "ALAC",
        "A_AC3" | "A_EAC3" => "Dolby Digital (AC-3)",
        "A_TRUEHD" => "Dolby TrueHD",
        _ if codec.starts_with("A_AAC") => "AAC",
        _ if codec.starts_with("A_PCM") => "PCM",
        _ if codec.starts_with("A_DTS") => "DTS",
        _ => codec.trim_start_matches("A_"),
    }
}

fn is_decodable(codec: &str) -> bool {
    const KNOWN: [&str; 6] = ["A_MPEG/", "A_VORBIS", "A_OPUS", "A_FLAC", "A_ALAC", "A_AAC"];
    codec.starts_with("A_PCM") || KNOWN.iter().any(|known| codec.starts_with(known))
}
