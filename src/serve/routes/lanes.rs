//! Lanes of a song: sound that can be heard while it is computed, waveforms, and mixer settings.
//!
//! A lane's sound is a WAV file that does not exist on the disk: a header of 80 bytes, then 32-bit float
//! frames. Frame `f` begins at byte 80 + 8 `f`, so that a player reads any part with a range request.

use std::ops::Range;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::{
    body::{Json, Part, Query, attachment, blocks},
    known::{known_song, song_id},
};
use crate::{
    engine::{
        CHANNELS, Command, LaneSettings, SAMPLE_RATE, SongTrack,
        audio::peaks::peaks_of,
        export::{RESIDUAL, safe_file_name},
        library::Lanes as Settings,
        player::Track as _,
    },
    model::weights::hex,
    serve::{
        App,
        answers::{answer, blocking, etag},
        fault::Fault,
        views::{self, Lane, LaneKind, Mixer, Peaks, SongLanes, check_lane},
    },
};

/// Length of the header in bytes.
const HEADER_BYTES: u64 = 80;
/// Bytes of a frame: a 32-bit float for each channel.
const FRAME_BYTES: u64 = 4 * CHANNELS as u64;
/// Frames read at once.
const BLOCK_FRAMES: u64 = 1 << 15;
/// Maximum number of bins of a waveform.
const MOST_BINS: usize = 4000;
/// Maximum number of lanes with mixer settings.
const MOST_LANES: usize = 256;

/// List the lanes of a song, and which parts of them can be heard.
#[utoipa::path(get, path = "/api/v1/songs/{id}/lanes", tag = "sound", params(("id" = i64, Path)),
    responses((status = 200, body = SongLanes), (status = "4XX", body = views::Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let song = song_id(&app, &id)?;
    let track = app.hub.track(song).await?;
    Ok(answer(|| SongLanes::of(song, &track)))
}

/// A lane with everything to read it.
struct Source {
    track: SongTrack,
    lane: Lane,
    /// Index of the stem.
    stem: usize,
    title: String,
    hash: String,
}

impl Source {
    async fn find(app: &App, id: &str, name: &str) -> Result<Self, Fault> {
        let (song, title, hash) = {
            let state = app.hub.state();
            let song = known_song(&state, id)?;
            (song.id, song.title.clone(), song.hash.clone())
        };
        let track = app.hub.track(song).await?;
        let lanes = SongLanes::of(song, &track).lanes;
        let known = lanes.iter().map(|lane| lane.name.clone()).collect();
        let Some(at) = lanes.iter().position(|lane| lane.name == name) else {
            return Err(Fault::UnknownTrack { name: name.chars().take(100).collect(), known });
        };
        let stem = at.saturating_sub(1); // the original is the first lane
        let lane = lanes.into_iter().nth(at).ok_or(Fault::Internal)?;
        Ok(Self { track, lane, stem, title, hash })
    }

    fn read(&self, start: u64, out: &mut [f32]) -> std::io::Result<()> {
        match self.lane.kind {
            LaneKind::Original => self.track.read_original(start, out),
            LaneKind::Stem => self.track.read_stem(self.stem, start, out),
            LaneKind::Residual => self.track.read_residual(start, out),
        }
    }

    /// Frames that can be read, from `range` on.
    fn is_covered(&self, range: &Range<u64>) -> bool {
        range.is_empty()
            || self.lane.covered.iter().any(|(from, to)| *from <= range.start && range.end <= *to)
    }

    /// A tag that changes with the content.
    fn tag(&self) -> HeaderValue {
        let stems = self.track.stems.as_ref();
        let identity = stems.map(|stems| stems.chain().identity(stems.quality()));
        let mut digest = Sha256::new();
        digest.update(&self.hash);
        // The original does not depend on the stems.
        if self.lane.kind != LaneKind::Original {
            digest.update(identity.unwrap_or_default());
            digest.update(&self.lane.name);
            for (from, to) in self.lane.covered.iter().chain(&self.lane.refined) {
                digest.update(from.to_le_bytes());
                digest.update(to.to_le_bytes());
            }
        }
        let digest = digest.finalize();
        etag(&hex(&digest[..12]), false)
    }
}

/// Read the sound of a lane, or a part of it that is computed already.
#[utoipa::path(get, path = "/api/v1/songs/{id}/lanes/{name}/sound", tag = "sound",
    params(("id" = i64, Path), ("name" = String, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>),
        (status = 206, content_type = "audio/wav", body = Vec<u8>),
        (status = "4XX", body = views::Problem)))]
pub(super) async fn sound(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let source = Source::find(&app, &id, &name).await?;
    let (tag, frames) = (source.tag(), source.track.frames());
    let part = Part::of(&headers, HEADER_BYTES + frames * FRAME_BYTES, &tag)?;
    let Part::Bytes { range, .. } = &part else { return Ok(part.answer(&tag, Body::empty())) };
    let wanted = frames_in(range);
    if !source.is_covered(&wanted) {
        return Err(Fault::NotComputed { covered: source.lane.covered });
    }
    let file_name = format!("{} - {}.wav", safe_file_name(&source.title), source.lane.name);
    let body = blocks(reader(source, range.clone()));
    let mut response = part.answer(&tag, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment(&file_name));
    Ok(response)
}

/// Frames whose bytes are in a range.
fn frames_in(bytes: &Range<u64>) -> Range<u64> {
    let start = bytes.start.saturating_sub(HEADER_BYTES) / FRAME_BYTES;
    let end = bytes.end.saturating_sub(HEADER_BYTES).div_ceil(FRAME_BYTES);
    start..end
}

/// Reads a range of bytes block by block.
fn reader(
    source: Source,
    bytes: Range<u64>,
) -> impl FnMut() -> std::io::Result<Vec<u8>> + Send + 'static {
    let frames = source.track.frames();
    let mut at = bytes.start;
    move || {
        if at >= bytes.end {
            return Ok(Vec::new());
        }
        if at < HEADER_BYTES {
            let header = header(frames);
            let end = bytes.end.min(HEADER_BYTES);
            let block = header[at as usize..end as usize].to_vec();
            at = end;
            return Ok(block);
        }
        let first = (at - HEADER_BYTES) / FRAME_BYTES;
        let last = frames_in(&bytes).end.min(first + BLOCK_FRAMES);
        let mut samples = vec![0.0f32; (last - first) as usize * CHANNELS];
        source.read(first, &mut samples)?;
        let block: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let begin = HEADER_BYTES + first * FRAME_BYTES;
        let end = bytes.end.min(begin + block.len() as u64);
        let part = block[(at - begin) as usize..(end - begin) as usize].to_vec();
        at = end;
        Ok(part)
    }
}

/// The header of a WAV file with 32-bit float samples. Lengths that its fields cannot hold are the
/// largest that they can.
fn header(frames: u64) -> [u8; HEADER_BYTES as usize] {
    const FLOAT: u16 = 3;
    const FILLER: u32 = 14;
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let data = short(frames * FRAME_BYTES);
    let mut bytes = Vec::with_capacity(HEADER_BYTES as usize);
    let mut put = |part: &[u8]| bytes.extend_from_slice(part);
    put(b"RIFF");
    put(&short(frames * FRAME_BYTES + HEADER_BYTES - 8).to_le_bytes());
    put(b"WAVEfmt ");
    put(&18u32.to_le_bytes());
    put(&FLOAT.to_le_bytes());
    put(&(CHANNELS as u16).to_le_bytes());
    put(&SAMPLE_RATE.to_le_bytes());
    put(&(SAMPLE_RATE * FRAME_BYTES as u32).to_le_bytes());
    put(&(FRAME_BYTES as u16).to_le_bytes());
    put(&32u16.to_le_bytes());
    put(&0u16.to_le_bytes());
    put(b"fact");
    put(&4u32.to_le_bytes());
    put(&short(frames).to_le_bytes());
    put(b"JUNK");
    put(&FILLER.to_le_bytes());
    put(&[0; FILLER as usize]);
    put(b"data");
    put(&data.to_le_bytes());
    let mut header = [0; HEADER_BYTES as usize];
    header.copy_from_slice(&bytes);
    header
}

/// Section and resolution of a waveform.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Section {
    /// First frame.
    from: u64,
    /// Frame after the last; 0 for the end of the song.
    to: u64,
    /// Number of bins, up to 4000; 0 for 1000.
    bins: usize,
}

/// Read the waveform of a section.
#[utoipa::path(get, path = "/api/v1/songs/{id}/lanes/{name}/peaks", tag = "sound",
    params(("id" = i64, Path), ("name" = String, Path), Section),
    responses((status = 200, body = Peaks), (status = "4XX", body = views::Problem)))]
pub(super) async fn peaks(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    Query(Section { from, to, bins }): Query<Section>,
) -> Result<Response, Fault> {
    let source = Source::find(&app, &id, &name).await?;
    let frames = source.track.frames();
    let to = if to == 0 { frames } else { to.min(frames) };
    if from >= to {
        return Err(Fault::Value { field: "from", accepted: format!("< {to}") });
    }
    let bins = if bins == 0 { 1000 } else { bins.min(MOST_BINS) };
    let bins = bins.min((to - from) as usize);
    let peaks = blocking(move || {
        // Waveforms take much reading, so that few are drawn at a time.
        let bins = bins_of(&source, from..to, bins);
        bins.map(|bins| Peaks { from, to, bins }).map_err(|error| {
            Fault::Problem(crate::engine::Problem::Waveform { cause: error.into() })
        })
    });
    let peaks = peaks.await?;
    Ok(answer(|| peaks))
}

fn bins_of(
    source: &Source,
    frames: Range<u64>,
    bins: usize,
) -> std::io::Result<Vec<Option<(f32, f32, f32)>>> {
    let length = frames.end - frames.start;
    let at = |bin: usize| frames.start + (u128::from(length) * bin as u128 / bins as u128) as u64;
    let mut samples = Vec::new();
    let mut drawn = Vec::with_capacity(bins);
    for bin in 0..bins {
        let range = at(bin)..at(bin + 1);
        if range.is_empty() || !source.is_covered(&range) {
            drawn.push(None);
            continue;
        }
        samples.resize((range.end - range.start) as usize * CHANNELS, 0.0);
        source.read(range.start, &mut samples)?;
        let peaks = peaks_of(&samples, (range.end - range.start) as usize);
        drawn.push(
            peaks
                .first()
                .map(|peak| (thousandths(peak.min), thousandths(peak.max), thousandths(peak.rms))),
        );
    }
    Ok(drawn)
}

fn thousandths(sample: f32) -> f32 {
    (sample * 1000.0).round() / 1000.0 + 0.0 // no negative zero
}

/// Read the mixer settings of a song.
#[utoipa::path(get, path = "/api/v1/songs/{id}/mixer", tag = "sound", params(("id" = i64, Path)),
    responses((status = 200, body = Mixer), (status = 404, body = views::Problem)))]
pub(super) async fn get_mixer(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let state = app.hub.state();
    let song = known_song(&state, &id)?.id;
    Ok(answer(|| Mixer::of(&state, song)))
}

/// Save the mixer settings of a song. The window shows them, too.
#[utoipa::path(put, path = "/api/v1/songs/{id}/mixer", tag = "sound", params(("id" = i64, Path)),
    request_body = Mixer,
    responses((status = 204), (status = "4XX", body = views::Problem)))]
pub(super) async fn set_mixer(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(Mixer { lanes }): Json<Mixer>,
) -> Result<StatusCode, Fault> {
    let song = song_id(&app, &id)?;
    if lanes.len() > MOST_LANES {
        return Err(Fault::Value { field: "lanes", accepted: format!("≤ {MOST_LANES}") });
    }
    for lane in lanes.values() {
        check_lane(lane.gain_db, lane.pan)?;
    }
    let track = app.hub.track(song).await?;
    let names = track.stems.as_ref().map(|stems| stems.names().to_vec()).unwrap_or_default();
    let is_known = |name: &String| name == RESIDUAL || names.contains(name);
    if let Some(name) = lanes.keys().find(|name| !is_known(name)) {
        let name = name.chars().take(100).collect();
        let known = names.iter().cloned().chain([RESIDUAL.to_owned()]).collect();
        return Err(Fault::UnknownTrack { name, known });
    }
    // Stems of other models keep their settings.
    let mut settings: Settings = app.hub.state().lanes.get(&song).cloned().unwrap_or_default();
    settings.extend(lanes.into_iter().map(|(name, lane)| (name, LaneSettings::from(lane))));
    app.hub.request(Command::KeepLanes(song, settings.clone())).await?;
    app.hub.set_lanes(song, settings);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_one_of_a_wav_file() {
        let mut file = header(3).to_vec();
        for sample in [0.0f32, 1.0, -1.0, 0.5, 0.25, -0.125] {
            file.extend(sample.to_le_bytes());
        }
        let mut reader = hound::WavReader::new(std::io::Cursor::new(file)).unwrap();
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 44_100, 32));
        let samples: Vec<f32> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0.0, 1.0, -1.0, 0.5, 0.25, -0.125]);
        assert_eq!(header(u64::MAX / 16)[76..], [0xFF; 4], "longer than a WAV file can say");
    }

    #[test]
    fn bytes_belong_to_frames() {
        assert_eq!(frames_in(&(0..80)), 0..0);
        assert_eq!(frames_in(&(0..81)), 0..1);
        assert_eq!(frames_in(&(87..89)), 0..2);
        assert_eq!(frames_in(&(88..96)), 1..2);
    }
}
