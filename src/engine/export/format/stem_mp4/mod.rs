//! Stems for DJs: the mix and four stems as ALAC tracks of one MP4 file, with a manifest.
//!
//! The mix is the first track, which any player plays; the stems are disabled tracks. DJ programs
//! (Traktor, Mixxx) read the stems' names and colours from the `stem` box of the user data.
//!
//! Source: Native Instruments, "Stem File Specification" 1.0 (2015): an MP4 file whose
//! `moov/udta/stem` box holds JSON, with ALAC or AAC as codec. Native Instruments' own reader is
//! tested with ALAC of 16 and 24 bits; every reader accepts 16 bits at 44.1 or 48 kHz. Mixxx
//! requires five stereo streams, and finds the box only behind media data with a 32-bit size.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufWriter},
};

use serde_json::json;

use super::{
    Format, Keeps, Spec, Streams,
    alac::{Alac, buffered, invalid},
    colour_of, mp4,
};
use crate::engine::{export::Tags, types::Depth};

/// This format.
pub static FORMAT: Format = Format {
    id: "stem",
    name: "Stems for DJs",
    extension: "stem.mp4",
    keeps: Keeps::Exactly(&[Depth::Int16, Depth::Int24]),
    rate: |rate| if rate.is_multiple_of(11_025) { 44_100 } else { 48_000 },
    streams: Streams::MixAndFourStems,
    copies: 1,
    begin: |file, spec, tags| Ok(Box::new(begin(file, spec, tags)?)),
};

/// Number of streams: the mix and four stems.
const STREAMS: usize = 5;

/// Begins the file. Its tracks are written like those of any ALAC file.
fn begin(file: File, spec: &Spec, tags: &Tags) -> io::Result<Alac<BufWriter<File>>> {
    let [mix, stems @ ..] = spec.streams.as_slice() else { return Err(wrong_streams()) };
    if spec.streams.len() != STREAMS {
        return Err(wrong_streams());
    }
    if spec.channels != 2 {
        return Err(invalid("stems for DJs need two channels"));
    }
    let mut user_data = Vec::new();
    let manifest = serde_json::to_vec(&manifest(stems)).map_err(io::Error::other)?;
    mp4::nest(&mut user_data, *b"stem", |out| out.extend(manifest));
    mp4::meta(&mut user_data, &tags.ilst()?);
    let tracks = std::iter::once((capitalised(mix), true))
        .chain(stems.iter().map(|stem| (capitalised(stem), false)));
    Alac::new(buffered(file), spec, tracks, user_data, mp4::LONGEST_SHORT)
}

/// Content of the `stem` box. The compressor and limiter that a DJ program may apply to the sum are
/// disabled, because the stems already add up to the mix. The parameters are the values in Native
/// Instruments' files.
fn manifest(stems: &[String]) -> serde_json::Value {
    let colour = |place: usize, name: &str| {
        let [red, green, blue] = colour_of(name, place);
        format!("#{red:02X}{green:02X}{blue:02X}")
    };
    let stems: Vec<_> = stems
        .iter()
        .enumerate()
        .map(|(place, name)| json!({ "name": capitalised(name), "color": colour(place, name) }))
        .collect();
    json!({
        "version": 1,
        "mastering_dsp": {
            "compressor": {
                "enabled": false,
                "input_gain": 0.5,
                "output_gain": 0.5,
                "threshold": 0.0,
                "dry_wet": 50,
                "attack": 0.003,
                "release": 0.3,
                "ratio": 3.0,
                "hp_cutoff": 300,
            },
            "limiter": {
                "enabled": false,
                "threshold": 0.0,
                "ceiling": -0.35,
                "release": 0.05,
            },
        },
        "stems": stems,
    })
}

/// Capitalises a name: "vocals" becomes "Vocals".
fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn wrong_streams() -> io::Error {
    invalid("a stem file holds the mix and four stems")
}
