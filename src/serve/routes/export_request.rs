//! Requests for exports: contents, format, and the values that are accepted. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    engine::{
        Depth, LaneSettings, Problem,
        audio::repitch::{KeySpeed, MOST_CENTS, SPEEDS},
        export::{FORMATS, Format, OnExists, Part, RESIDUAL, Selection, Settings},
        separation::chain::Tree,
    },
    serve::{fault::Fault, views::check_lane},
};

/// Contents and format of an export.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExportRequest {
    /// Name of a format. A session, `dawproject`, holds the stems and the residual; of the others, only
    /// what would not repeat them.
    format: String,
    /// `16`, `24` or `32f`; the song's own by default. Lossy formats have none and ignore it.
    depth: Option<String>,
    /// Sample rate in Hz; the song's own by default.
    rate: Option<u32>,
    /// Stems to write, one file each; all without parts of their own by default, if nothing else is
    /// selected.
    stems: Option<Vec<String>>,
    /// Stems to leave out, one file with the rest of the song each.
    all_but: Vec<String>,
    /// Whether to write what no stem holds.
    residual: bool,
    /// Lanes to mix into one more file.
    mix: Option<Vec<MixPart>>,
    key_semitones: f32,
    speed: f32,
    /// Loudness of the mix in LUFS; the other files get the same gain.
    loudness_lufs: Option<f32>,
    /// Whether a limiter holds peaks of the mix back.
    limiter: bool,
}

impl Default for ExportRequest {
    fn default() -> Self {
        Self {
            format: "wav".into(),
            depth: None,
            rate: None,
            stems: None,
            all_but: Vec::new(),
            residual: false,
            mix: None,
            key_semitones: 0.0,
            speed: 1.0,
            loudness_lufs: None,
            limiter: false,
        }
    }
}

/// A lane of a mix.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MixPart {
    /// Name of a stem, or `residual`.
    stem: String,
    #[serde(default)]
    gain_db: f32,
    /// Balance, -1 (left only) to 1 (right only).
    #[serde(default)]
    pan: f32,
}

impl ExportRequest {
    /// Format and properties of the files.
    ///
    /// # Errors
    /// A value is out of range, or has no effect.
    pub fn settings(&self) -> Result<Settings, Fault> {
        let wrong = |field, accepted: String| Fault::Value { field, accepted };
        let names = || FORMATS.map(|format| format.id).join(", ");
        let format = Format::find(&self.format).ok_or_else(|| wrong("format", names()))?;
        let depth = match self.depth.as_deref() {
            None | Some("source") => None,
            Some("16") => Some(Depth::Int16),
            Some("24") => Some(Depth::Int24),
            Some("32f") => Some(Depth::Float32),
            Some(_) => return Err(wrong("depth", "16, 24, 32f".into())),
        };
        format.check_depth(depth)?;
        let rates = 8_000..=384_000;
        if self.rate.is_some_and(|rate| !rates.contains(&rate)) {
            return Err(wrong("rate", "8000–384000".into()));
        }
        let cents = (self.key_semitones * 100.0).round();
        if !cents.is_finite() || cents.abs() > MOST_CENTS as f32 {
            let most = MOST_CENTS / 100;
            return Err(wrong("key_semitones", format!("-{most}–{most}")));
        }
        if !SPEEDS.contains(&self.speed) {
            return Err(wrong("speed", format!("{}–{}", SPEEDS.start(), SPEEDS.end())));
        }
        if self.loudness_lufs.is_some_and(|lufs| !(-70.0..=0.0).contains(&lufs)) {
            return Err(wrong("loudness_lufs", "-70–0".into()));
        }
        for (field, is_set) in
            [("loudness_lufs", self.loudness_lufs.is_some()), ("limiter", self.limiter)]
        {
            if is_set && self.mix.is_none() {
                return Err(Fault::FieldNeeded { field, needed: "mix" });
            }
        }
        Ok(Settings {
            format,
            depth,
            rate: self.rate,
            key_speed: KeySpeed::new(cents as i32, self.speed),
            loudness_lufs: self.loudness_lufs,
            limiter: self.limiter,
            on_exists: OnExists::Number,
        })
    }

    /// Contents of the files, from a song's stems.
    ///
    /// # Errors
    /// A stem is unknown, or the mix is empty, has a stem twice, or a gain that is out of range.
    pub fn selection(&self, tree: &Tree) -> Result<Selection, Fault> {
        let others = self.residual || !self.all_but.is_empty() || self.mix.is_some();
        let stems = match &self.stems {
            Some(stems) if stems.is_empty() => Vec::new(),
            Some(stems) => Selection::of_stems(tree, stems)?.stems,
            None if others => Vec::new(),
            None => Selection::of_stems(tree, &[])?.stems,
        };
        let mix = self.mix.as_deref().map(|mix| mixed(mix, tree)).transpose()?;
        let all_but = self.all_but.clone();
        Ok(Selection { stems, all_but, residual: self.residual, mix })
    }
}

/// The parts of a mix.
fn mixed(mix: &[MixPart], tree: &Tree) -> Result<Vec<Part>, Fault> {
    let names = tree.names();
    for (index, part) in mix.iter().enumerate() {
        if part.stem != RESIDUAL && !names.contains(&part.stem) {
            let stem = part.stem.chars().take(100).collect();
            return Err(Problem::UnknownStem { stem, known: names }.into());
        }
        if mix[..index].iter().any(|earlier| earlier.stem == part.stem) {
            let stem = &part.stem;
            return Err(Fault::Request(format!("`mix` contains {stem} more than once")));
        }
        check_lane(Some(part.gain_db), part.pan)?;
    }
    if mix.is_empty() {
        return Err(Problem::NothingChosen.into());
    }
    Ok(mix.iter().map(part).collect())
}

/// A lane with the gains that the mixer has for its settings.
fn part(part: &MixPart) -> Part {
    let lane = LaneSettings { gain_db: part.gain_db, pan: part.pan, ..LaneSettings::default() };
    Part { stem: part.stem.clone(), gains: lane.sides() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_only_attenuates() {
        let gains = |pan| part(&MixPart { stem: "vocals".into(), gain_db: 0.0, pan }).gains;
        assert_eq!([gains(0.0), gains(1.0), gains(-0.5)], [[1.0, 1.0], [0.0, 1.0], [1.0, 0.5]]);
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        for request in [
            ExportRequest { format: "ogg".into(), ..ExportRequest::default() },
            ExportRequest { depth: Some("8".into()), ..ExportRequest::default() },
            ExportRequest { rate: Some(1), ..ExportRequest::default() },
            ExportRequest { speed: f32::NAN, ..ExportRequest::default() },
            ExportRequest { key_semitones: f32::INFINITY, ..ExportRequest::default() },
            ExportRequest { loudness_lufs: Some(3.0), ..ExportRequest::default() },
        ] {
            assert!(matches!(request.settings(), Err(Fault::Value { .. })), "{request:?}");
        }
        assert!(ExportRequest::default().settings().is_ok());
    }
}
