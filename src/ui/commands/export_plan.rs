//! The user's choices about exports, and the resulting requests to the engine.
//!
//! Pure: draws nothing, sends nothing, and accesses no disk. The window keeps one set of choices
//! while it runs, so that the next export starts with the last choices.

use std::path::PathBuf;

use crate::{
    engine::{
        Command, Depth, ExportId, LaneSettings, SongId,
        audio::repitch::KeySpeed,
        export::{
            FORMATS, Fields, Format, NamePattern, OnExists, Part, Place, RESIDUAL, Selection,
            Settings,
            format::{Keeps, Streams},
        },
        problem::PatternProblem,
        separation::chain::Tree,
    },
    i18n::fl,
    ui::{state::instruments::Instruments, words},
};

/// Offered rates besides the song's own, in Hz.
const RATES: [u32; 2] = [44_100, 48_000];

/// The valid loudnesses in LUFS.
const LOUDNESS: std::ops::RangeInclusive<f32> = -70.0..=0.0;

/// The content of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportWhat {
    /// One file with the audible mix.
    #[default]
    Mix,
    /// One file for each ticked stem.
    Stems,
    /// For each ticked stem, one file with the song without that stem.
    AllBut,
}

/// The choices of the export dialog. Choices that the current format does not support are kept but
/// ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportChoices {
    /// The content.
    pub what: ExportWhat,
    /// Whether the residual is also written.
    pub residual: bool,
    /// The file format.
    pub format: &'static Format,
    /// Bits of a sample; `None` for the song's own.
    pub depth: Option<Depth>,
    /// Frames per second; `None` for the song's own.
    pub rate: Option<u32>,
    /// Key and speed of playback when the dialog was opened.
    pub heard: KeySpeed,
    /// Whether the files get them.
    pub as_heard: bool,
    /// Loudness of the mix in LUFS, as typed; unchanged if empty.
    pub loudness: String,
    /// Whether a limiter may be applied to the mix.
    pub limiter: bool,
    /// The folder of the files; empty until the dialog was opened once.
    pub folder: PathBuf,
    /// The pattern for a single file.
    pub name_of_one: String,
    /// The pattern for several files.
    pub name_of_several: String,
    /// The action when a file already exists.
    pub on_exists: OnExists,
}

impl Default for ExportChoices {
    fn default() -> Self {
        Self {
            what: ExportWhat::default(),
            residual: false,
            format: FORMATS[0],
            depth: None,
            rate: None,
            heard: KeySpeed::default(),
            as_heard: false,
            loudness: String::new(),
            limiter: false,
            folder: PathBuf::new(),
            name_of_one: "{artist} - {title} ({stem})".into(),
            name_of_several: "{artist} - {title}/{stem}".into(),
            on_exists: OnExists::default(),
        }
    }
}

/// The translated reason why the current choices cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// An objection to the content.
    What(String),
    /// An objection to the loudness.
    Loudness(String),
    /// An objection to the names.
    Name(String),
}

impl Objection {
    /// The text of the objection.
    pub fn words(&self) -> &str {
        match self {
            Self::What(text) | Self::Loudness(text) | Self::Name(text) => text,
        }
    }
}

/// A song's stems with the settings of their lanes.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The stems.
    pub stems: Instruments<'a>,
    /// The lanes in the order of the stems.
    pub lanes: &'a [LaneSettings],
    /// The lane of the residual.
    pub residual: LaneSettings,
}

/// The planned files and their folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The names of the files within the folder.
    pub names: Vec<PathBuf>,
    /// The content of the files.
    pub selection: Selection,
    /// The destination of the files.
    pub place: Place,
}

/// An export's request, kept for its card and for a retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The song.
    pub song: SongId,
    /// The song's title.
    pub title: String,
    /// The content of the files.
    pub selection: Selection,
    /// The destination of the files.
    pub place: Place,
    /// The encoding of the files.
    pub settings: Settings,
}

impl Asked {
    /// The command to the engine.
    pub fn command(&self, id: ExportId) -> Command {
        Command::Export {
            id,
            song: self.song,
            selection: self.selection.clone(),
            place: self.place.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl ExportChoices {
    /// The contents that this format supports.
    pub fn whats(&self) -> &'static [ExportWhat] {
        match self.format.streams {
            Streams::One => &[ExportWhat::Mix, ExportWhat::Stems, ExportWhat::AllBut],
            // Separate parts are the purpose of this format, so it offers no mix.
            Streams::All => &[ExportWhat::Stems, ExportWhat::AllBut],
            Streams::MixAndFourStems => &[],
        }
    }

    /// The effective content; `None` where the format leaves no choice.
    pub fn what(&self) -> Option<ExportWhat> {
        let whats = self.whats();
        whats.iter().find(|what| **what == self.what).or(whats.first()).copied()
    }

    /// The available depths, the song's own first; empty if the format has no depths.
    pub fn depths(&self) -> Vec<Option<Depth>> {
        let Keeps::Exactly(depths) = self.format.keeps else { return Vec::new() };
        let mut depths = depths.to_vec();
        depths.sort_by_key(|depth| depth.bits());
        std::iter::once(None).chain(depths.into_iter().map(Some)).collect()
    }

    /// The available rates, the song's own first; empty if the format leaves no choice.
    pub fn rates(&self) -> Vec<Option<u32>> {
        let kept: Vec<u32> =
            RATES.into_iter().filter(|&rate| (self.format.rate)(rate) == rate).collect();
        if kept.len() < 2 {
            return Vec::new();
        }
        std::iter::once(None).chain(kept.into_iter().map(Some)).collect()
    }

    /// The chosen depth, if the format supports it.
    pub fn depth(&self) -> Option<Depth> {
        self.depth.filter(|depth| self.depths().contains(&Some(*depth)))
    }

    /// The chosen rate, if the format supports it.
    pub fn rate(&self) -> Option<u32> {
        self.rate.filter(|rate| self.rates().contains(&Some(*rate)))
    }

    /// The typed loudness; `None` if the field is empty.
    ///
    /// # Errors
    /// The text is not a valid loudness.
    pub fn loudness(&self) -> Result<Option<f32>, Objection> {
        let typed = self.loudness.trim().replace('−', "-").replace(',', ".");
        if typed.is_empty() {
            return Ok(None);
        }
        match typed.parse::<f32>() {
            Ok(lufs) if LOUDNESS.contains(&lufs) => Ok(Some(lufs)),
            _ => Err(Objection::Loudness(fl!(export_loudness_invalid).into())),
        }
    }

    /// The settings for writing the files.
    ///
    /// # Errors
    /// The loudness is invalid, and the content is a mix.
    pub fn settings(&self) -> Result<Settings, Objection> {
        let has_mix = self.what() == Some(ExportWhat::Mix);
        Ok(Settings {
            format: self.format,
            depth: self.depth(),
            rate: self.rate(),
            key_speed: if self.as_heard { self.heard } else { KeySpeed::default() },
            loudness_lufs: if has_mix { self.loudness()? } else { None },
            limiter: has_mix && self.limiter,
            on_exists: self.on_exists,
        })
    }

    /// Adapts the choices to a song; if one of its stems is the rest, no residual is written.
    #[must_use]
    pub fn for_stems(&self, has_rest: bool) -> Self {
        Self { residual: self.residual && !has_rest, ..self.clone() }
    }

    /// Plans the files for a song with these stems and lanes.
    ///
    /// # Errors
    /// Nothing is selected, or the names cannot be derived from the pattern.
    pub fn plan(&self, heard: Heard<'_>, fields: &Fields) -> Result<Plan, Objection> {
        let selection = self.selection(heard)?;
        let name_wrong = |problem: PatternProblem| {
            Objection::Name(words::capitalised(&words::pattern_problem(&problem)))
        };
        let pattern =
            NamePattern::new(self.name(self.writes_one(&selection))).map_err(name_wrong)?;
        let within = Place { folder: PathBuf::new(), pattern };
        let items = selection
            .items(&Tree::flat(heard.stems.names(), None), self.format, &within, fields.clone())
            .map_err(|error| Objection::What(words::sentence(&error)))?;
        let names = items.into_iter().map(|item| item.to).collect();
        Ok(Plan { names, selection, place: Place { folder: self.folder.clone(), ..within } })
    }

    /// The pattern for one file or for several.
    pub fn name(&self, is_one: bool) -> &str {
        if is_one { &self.name_of_one } else { &self.name_of_several }
    }

    /// Mutable [`Self::name`].
    pub fn name_mut(&mut self, is_one: bool) -> &mut String {
        if is_one { &mut self.name_of_one } else { &mut self.name_of_several }
    }

    /// Whether a song with these stems and lanes is written as a single file.
    pub fn is_one(&self, heard: Heard<'_>) -> bool {
        match self.selection(heard) {
            Ok(selection) => self.writes_one(&selection),
            Err(_) => self.what().is_none_or(|what| what == ExportWhat::Mix),
        }
    }

    fn writes_one(&self, selection: &Selection) -> bool {
        let Selection { stems, all_but, residual, mix } = selection;
        let count =
            stems.len() + all_but.len() + usize::from(*residual) + usize::from(mix.is_some());
        self.format.streams != Streams::One || count == 1
    }

    fn selection(&self, heard: Heard<'_>) -> Result<Selection, Objection> {
        let Heard { stems, lanes, residual: residual_lane } = heard;
        let none = Selection::default();
        let Some(what) = self.what() else { return Ok(none) };
        let ticked = stems.file_names(lanes);
        let gains = stems.gains(lanes, residual_lane);
        let is_mix = what == ExportWhat::Mix;
        let residual = self.residual && !is_mix;
        let rest_is_heard = is_mix && gains.residual != [0.0; 2];
        if ticked.is_empty() && !residual && !rest_is_heard {
            return Err(Objection::What(fl!(song_select_first).into()));
        }
        Ok(match what {
            ExportWhat::Stems => Selection { stems: ticked, residual, ..none },
            ExportWhat::AllBut => Selection { all_but: ticked, residual, ..none },
            ExportWhat::Mix if gains.are_silent() => {
                return Err(Objection::What(fl!(export_nothing_heard).into()));
            }
            ExportWhat::Mix => {
                let part = |(stem, gains): (&str, [f32; 2])| Part { stem: stem.to_owned(), gains };
                let of_stems = stems.names().iter().map(String::as_str).zip(gains.stems);
                let all = of_stems.chain([(RESIDUAL, gains.residual)]);
                let heard = all.filter(|(_, gains)| *gains != [0.0; 2]);
                Selection { mix: Some(heard.map(part).collect()), ..none }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources() -> Vec<String> {
        ["drums", "bass", "other", "vocals"].map(str::to_owned).into()
    }

    fn fields() -> Fields {
        Fields { title: "Song".into(), artist: "Band".into(), ..Fields::default() }
    }

    fn planned(
        choices: &ExportChoices,
        lanes: &[LaneSettings],
        residual: LaneSettings,
    ) -> Result<Plan, Objection> {
        let sources = sources();
        let stems = Instruments::new(&sources, &[]);
        choices.plan(Heard { stems, lanes, residual }, &fields())
    }

    fn format(wanted: impl Fn(&Format) -> bool) -> &'static Format {
        FORMATS.into_iter().find(|format| wanted(format)).unwrap()
    }

    #[test]
    fn the_mix_is_what_is_heard() {
        let mut lanes = [LaneSettings::default(); 4];
        lanes[0].muted = true;
        lanes[1].gain_db = -6.0;
        lanes[3].ticked = false;
        let choices = ExportChoices { folder: "/out".into(), ..ExportChoices::default() };
        let plan = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap();
        let gain = 10f32.powf(-6.0 / 20.0);
        let parts = [Part { stem: "bass".into(), gains: [gain; 2] }, Part::plain("other")];
        assert_eq!(plan.selection, Selection { mix: Some(parts.into()), ..Selection::default() });
        assert_eq!(plan.names, [Path::new("Band - Song (mix).wav")]);
        assert_eq!(plan.place.folder, Path::new("/out"));
        let rest = LaneSettings { pan: -1.0, ..LaneSettings::default() };
        let plan = planned(&choices, &lanes, rest).unwrap();
        let part = Part { stem: RESIDUAL.into(), gains: [1.0, 0.0] };
        assert_eq!(plan.selection.mix.unwrap().last(), Some(&part));
        for lane in &mut lanes {
            lane.muted = true;
        }
        let objection = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap_err();
        assert!(objection.words().starts_with("Nothing is audible"), "{objection:?}");
    }

    #[test]
    fn ticks_decide_on_stems() {
        let mut lanes = [LaneSettings::default(); 4];
        lanes[2].ticked = false;
        let mut choices =
            ExportChoices { what: ExportWhat::Stems, residual: true, ..ExportChoices::default() };
        let plan = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap();
        assert_eq!(plan.selection.stems, ["drums", "bass", "vocals"]);
        assert_eq!(plan.names[3], Path::new("Band - Song/residual.wav"));
        choices.what = ExportWhat::AllBut;
        let plan = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap();
        assert_eq!(plan.selection.all_but, ["drums", "bass", "vocals"]);
        assert_eq!(plan.names[0], Path::new("Band - Song/all but drums.wav"));
        for lane in &mut lanes {
            lane.ticked = false;
        }
        let (sources, residual) = (sources(), LaneSettings::of_residual());
        let stems = Instruments::new(&sources, &[]);
        let heard = Heard { stems, lanes: &lanes, residual };
        assert!(choices.is_one(heard), "the residual alone");
        choices.residual = false;
        let objection = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap_err();
        assert_eq!(objection, Objection::What(fl!(song_select_first).into()));
    }

    #[test]
    fn unsupported_options_of_a_format_are_neither_offered_nor_sent() {
        let mut choices = ExportChoices {
            depth: Some(Depth::Float32),
            rate: Some(48_000),
            ..ExportChoices::default()
        };
        assert_eq!(choices.depths()[0], None);
        assert_eq!(choices.depths().last(), Some(&Some(Depth::Float32)));
        assert_eq!(choices.settings().unwrap().depth, Some(Depth::Float32));
        choices.format = format(|format| matches!(format.keeps, Keeps::Roughly(_)));
        assert!(choices.depths().is_empty());
        assert_eq!(choices.settings().unwrap().depth, None);
        choices.format = format(|format| (format.rate)(44_100) != 44_100);
        assert!(choices.rates().is_empty());
        assert_eq!(choices.settings().unwrap().rate, None);
        choices.format = format(|format| format.streams == Streams::MixAndFourStems);
        assert_eq!(choices.what(), None);
        let lanes = [LaneSettings { ticked: false, ..LaneSettings::default() }; 4];
        let plan = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap();
        assert_eq!((plan.names.len(), plan.selection), (1, Selection::default()));
    }

    #[test]
    fn a_loudness_may_be_typed_in_any_usual_form() {
        for (typed, lufs) in
            [("", None), (" -14", Some(-14.0)), ("−16", Some(-16.0)), ("-23,5", Some(-23.5))]
        {
            let choices = ExportChoices { loudness: typed.into(), ..ExportChoices::default() };
            assert_eq!(choices.settings().unwrap().loudness_lufs, lufs, "{typed}");
        }
        for typed in ["loud", "3", "-71", "NaN", "inf"] {
            let mut choices = ExportChoices { loudness: typed.into(), ..ExportChoices::default() };
            assert!(matches!(choices.settings(), Err(Objection::Loudness(_))), "{typed}");
            choices.what = ExportWhat::Stems;
            assert_eq!(choices.settings().unwrap().loudness_lufs, None, "stems have none");
        }
    }

    #[test]
    fn a_wrong_name_is_told_in_a_sentence() {
        let lanes = [LaneSettings::default(); 4];
        let choices = ExportChoices { name_of_one: "{titel}".into(), ..ExportChoices::default() };
        let objection = planned(&choices, &lanes, LaneSettings::of_residual()).unwrap_err();
        assert!(matches!(&objection, Objection::Name(words) if words.starts_with("Unknown field")));
    }
}
