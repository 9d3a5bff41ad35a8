//! Persistent keys: names under which receipts, claims and unfinished work are found again.
//!
//! Pure. A key is a digest of named fields in a fixed order, with a version. Tests pin the keys of
//! each version, so that a renamed field cannot orphan an archive. A change of the fields requires
//! a new version; keys of older versions are still looked up.

use std::{
    path::{MAIN_SEPARATOR, Path},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use super::escaped;
use crate::engine::{
    export::{Part, Selection},
    separation::batch::{Identity, Request},
    system::digest::digest_of,
    types::Depth,
};

/// Version of [`Keys::song`].
const VERSION: u32 = 2;

/// State of a song's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Length in bytes.
    pub(super) bytes: u64,
    /// Time of the last modification, in nanoseconds since 1970.
    pub(super) modified_ns: u64,
}

impl Source {
    /// Reads the current state of the file; `None` if it is not accessible.
    pub fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        let modified = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { bytes: about.len(), modified_ns: modified.as_nanos() as u64 })
    }
}

/// Names of one song's files below [`super::STATE`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Key of the song and its options: requests share it exactly if they write the same samples to
    /// the same files.
    pub song: String,
    /// Key of the same song in version 1, whose receipts are still valid. `None` for requests that
    /// version 1 did not support.
    pub first_version: Option<String>,
}

/// Fields of a key, in the order of serialisation.
#[derive(Serialize)]
struct Fields<'a> {
    version: u32,
    file: &'a str,
    track: Option<usize>,
    name: &'a str,
    folder: &'a str,
    pattern: &'a str,
    stems: &'a [String],
    all_but: &'a [String],
    residual: bool,
    mix: Option<Vec<MixPart<'a>>>,
    format: &'a str,
    depth: Option<Depth>,
    rate: Option<u32>,
    loudness_bits: Option<u32>,
    limiter: bool,
    model: &'a str,
    weights: &'a str,
    quality: &'a str,
    precision: &'a str,
    /// Cents and thousandths of the speed. Absent if unchanged, as in earlier builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_speed: Option<[i32; 2]>,
}

/// A part of the mix. Gains are IEEE 754 bits, because decimal text depends on the library that
/// writes it.
#[derive(Serialize)]
struct MixPart<'a> {
    stem: &'a str,
    gain_bits: [u32; 2],
}

impl<'a> From<&'a Part> for MixPart<'a> {
    fn from(part: &'a Part) -> Self {
        Self { stem: &part.stem, gain_bits: part.gains.map(f32::to_bits) }
    }
}

impl Keys {
    /// Computes the keys of a request. `out` is the folder of all results; paths below it do not
    /// depend on its mount point.
    pub fn new(request: &Request, made_by: &Identity, out: &Path) -> Self {
        let Request { file, track, called, selection, place, settings } = request;
        let folder = escaped(place.folder.strip_prefix(out).unwrap_or(&place.folder));
        let change = settings.key_speed;
        let thousandths = (1000.0 * change.speed()).round() as i32;
        let fields = Fields {
            version: VERSION,
            file: &escaped(file),
            track: *track,
            name: called,
            folder: &folder,
            pattern: &place.pattern.to_string(),
            stems: &selection.stems,
            all_but: &selection.all_but,
            residual: selection.residual,
            mix: selection.mix.as_ref().map(|parts| parts.iter().map(MixPart::from).collect()),
            format: settings.format.id,
            depth: settings.depth,
            rate: settings.rate,
            loudness_bits: settings.loudness_lufs.map(f32::to_bits),
            limiter: settings.limiter,
            model: &made_by.model,
            weights: &made_by.weights,
            quality: &made_by.quality,
            precision: made_by.precision.id(),
            key_speed: (!change.is_plain()).then(|| [change.cents(), thousandths]),
        };
        let is_first = track.is_none() && change.is_plain();
        let first_version = is_first.then(|| first_version(request, made_by, &folder));
        Self { song: digest_of([&*canonical(&fields)]), first_version }
    }

    /// Name of the folder of claims that version 1 created for a song whose file is `source`.
    pub fn first_version_work(&self, source: Option<Source>) -> Option<String> {
        let source = match source {
            Some(Source { bytes, modified_ns }) => {
                format!("Some(Source {{ bytes: {bytes}, modified_ns: {modified_ns} }})")
            }
            None => "None".to_owned(),
        };
        self.first_version.as_ref().map(|song| digest_of([song.as_str(), &source]))
    }
}

/// Name of unfinished work, which is valid only for the current state of the song's file.
pub fn of_work(source: Option<Source>) -> String {
    #[derive(Serialize)]
    struct Work {
        version: u32,
        bytes: Option<u64>,
        modified_ns: Option<u64>,
    }
    let (bytes, modified_ns) = source.map(|source| (source.bytes, source.modified_ns)).unzip();
    digest_of([&*canonical(&Work { version: VERSION, bytes, modified_ns })])
}

/// Serialises to one JSON object without spaces: fields in the order of declaration, numbers as
/// integers.
fn canonical(fields: &impl Serialize) -> String {
    // Serialising strings, integers and lists of them cannot fail.
    serde_json::to_string(fields).unwrap_or_default()
}

/// Key of version 1, which hashed `Debug` text; every name is spelled out here.
fn first_version(request: &Request, made_by: &Identity, folder: &str) -> String {
    let Request { file, called, selection, place, settings, .. } = request;
    let depth = settings.depth.map(|depth| match depth {
        Depth::Int16 => "Int16",
        Depth::Int24 => "Int24",
        Depth::Float32 => "Float32",
    });
    let depth = depth.map_or("None".to_owned(), |depth| format!("Some({depth})"));
    let (id, rate, loudness) = (settings.format.id, settings.rate, settings.loudness_lufs);
    let format = format!("({id:?}, {depth}, {rate:?})");
    let level = format!("({loudness:?}, {})", settings.limiter);
    let Identity { model, weights, quality, .. } = made_by;
    let precision = match made_by.precision.id() {
        "fast" => "Fast",
        _ => "Single",
    };
    digest_of([
        &*escaped(file),
        called,
        folder,
        &first_version_pattern(&place.pattern.to_string()),
        &format!("{} {format} {level}", first_version_selection(selection)),
        &format!("stems{MAIN_SEPARATOR}{model}-{weights}-{quality} {precision}"),
    ])
}

/// Parts of a pattern as version 1 stored them: text before, between and after the fields.
fn first_version_pattern(pattern: &str) -> String {
    const FIELDS: [&str; 8] = ["artist", "title", "album", "track", "stem", "model", "n", "file"];
    let level = |level: &str| {
        let mut parts = Vec::new();
        let mut rest = level;
        while let Some((text, (name, after))) =
            rest.split_once('{').and_then(|(text, after)| Some((text, after.split_once('}')?)))
        {
            let field = FIELDS.iter().position(|field| *field == name).unwrap_or(FIELDS.len());
            parts.extend([format!("Text({text:?})"), format!("Field({field})")]);
            rest = after;
        }
        parts.push(format!("Text({rest:?})"));
        format!("[{}]", parts.join(", "))
    };
    let levels: Vec<String> = pattern.split('/').map(level).collect();
    format!("NamePattern {{ levels: [{}] }}", levels.join(", "))
}

fn first_version_selection(selection: &Selection) -> String {
    let Selection { stems, all_but, residual, mix } = selection;
    let mix = mix.as_ref().map_or("None".to_owned(), |parts| {
        let parts = parts
            .iter()
            .map(|Part { stem, gains }| format!("Part {{ stem: {stem:?}, gains: {gains:?} }}"));
        format!("Some([{}])", parts.collect::<Vec<_>>().join(", "))
    });
    format!(
        "Selection {{ stems: {stems:?}, all_but: {all_but:?}, residual: {residual}, mix: {mix} }}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::audio::repitch::KeySpeed,
        engine::export::{Format, NamePattern, OnExists, Place, Settings},
        model::Precision,
    };

    fn made_by(model: &str, weights: &str, quality: &str, precision: Precision) -> Identity {
        Identity {
            model: model.into(),
            weights: weights.into(),
            quality: quality.into(),
            precision,
        }
    }

    fn plain() -> (Request, Identity) {
        let request = Request {
            file: "songs/one.wav".into(),
            track: None,
            called: "one".into(),
            selection: Selection {
                stems: ["drums", "bass"].map(str::to_owned).into(),
                ..Selection::default()
            },
            place: Place {
                folder: "out".into(),
                pattern: NamePattern::new("{file}/{stem}").unwrap(),
            },
            settings: Settings::default(),
        };
        (request, made_by("htdemucs", "0123456789abcdef", "o25", Precision::Single))
    }

    /// A request with every option set, and names that need escapes.
    fn rich() -> (Request, Identity) {
        let part = |stem: &str, gains| Part { stem: stem.into(), gains };
        let request = Request {
            file: "songs/té.flac".into(),
            track: Some(3),
            called: "Té \"live\"".into(),
            selection: Selection {
                stems: Vec::new(),
                all_but: vec!["vocals".into()],
                residual: true,
                mix: Some(vec![part("drums", [0.5, 1.0]), part("residual", [0.1; 2])]),
            },
            place: Place {
                folder: "out/x/y".into(),
                pattern: NamePattern::new("/{artist} - {title}/ /take { n } {stem}").unwrap(),
            },
            settings: Settings {
                format: Format::find("flac").unwrap(),
                depth: Some(Depth::Int16),
                rate: Some(48_000),
                loudness_lufs: Some(-14.5),
                limiter: true,
                on_exists: OnExists::Ask,
                ..Settings::default()
            },
        };
        (request, made_by("bag", "fedcba9876543210", "o50-s2-r0", Precision::Fast))
    }

    fn keys((request, made_by): &(Request, Identity)) -> Keys {
        Keys::new(request, made_by, Path::new("out"))
    }

    /// A key that differs from these orphans every archive: it needs a new version.
    #[test]
    fn keys_match_those_of_earlier_builds() {
        assert_eq!(keys(&plain()).song, "8786fe1b31db305a8ceeb6af9abc804f");
        assert_eq!(keys(&rich()).song, "f45f73c21f426b51589249a34c7e9f86");
        let source = Source { bytes: 1234, modified_ns: 1_700_000_000_123_456_789 };
        assert_eq!(of_work(Some(source)), "a78982e8e8c89d5d0093d98b7f01a651");
        assert_eq!(of_work(None), "7dd1985f33e2ebd118f9c991d87a5490");
    }

    /// Pinned from the `Debug` texts that version 1 hashed, which included the path separator.
    #[cfg(unix)] // the separator differs on Windows
    #[test]
    fn keys_of_version_1_match_those_that_it_wrote() {
        let plain = keys(&plain());
        assert_eq!(plain.first_version.as_deref(), Some("5130f00e29dd4af9640061d6a359e1ae"));
        let source = Source { bytes: 1234, modified_ns: 1_700_000_000_123_456_789 };
        let work = |source| plain.first_version_work(source).unwrap();
        assert_eq!(work(Some(source)), "c8066eefdb15534ea364135e7914f066");
        assert_eq!(work(None), "7e09877c31cffcd3ee5e31b66ecdef74");
        let (mut request, made_by) = rich();
        assert_eq!(keys(&(request.clone(), made_by.clone())).first_version, None);
        request.track = None;
        let rich = keys(&(request, made_by));
        assert_eq!(rich.first_version.as_deref(), Some("97cc9048ca9e88ab4ca1314ef6c9c44d"));
    }

    #[test]
    fn every_option_that_changes_files_changes_the_key() {
        let (before, by) = rich();
        let mut seen = std::collections::BTreeSet::from([keys(&(before.clone(), by.clone())).song]);
        let mut is_new = |change: &dyn Fn(&mut Request, &mut Identity)| {
            let (mut request, mut made_by) = (before.clone(), by.clone());
            change(&mut request, &mut made_by);
            seen.insert(keys(&(request, made_by)).song)
        };
        assert!(is_new(&|request, _| request.file = "songs/te.flac".into()));
        assert!(is_new(&|request, _| request.track = Some(2)));
        assert!(is_new(&|request, _| request.track = None));
        assert!(is_new(&|request, _| request.called = "Té".into()));
        assert!(is_new(&|request, _| request.place.folder = "out/x".into()));
        assert!(is_new(&|request, _| request.place.pattern = NamePattern::new("{n}").unwrap()));
        assert!(is_new(&|request, _| request.selection.stems = vec!["bass".into()]));
        assert!(is_new(&|request, _| request.selection.all_but.clear()));
        assert!(is_new(&|request, _| request.selection.residual = false));
        assert!(is_new(&|request, _| request.selection.mix = None));
        assert!(is_new(&|request, _| request.settings.format = Format::find("wav").unwrap()));
        assert!(is_new(&|request, _| request.settings.depth = None));
        assert!(is_new(&|request, _| request.settings.rate = None));
        assert!(is_new(&|request, _| request.settings.loudness_lufs = Some(-14.0)));
        assert!(is_new(&|request, _| request.settings.limiter = false));
        let change = |cents, speed| {
            move |request: &mut Request, _: &mut Identity| {
                request.settings.key_speed = KeySpeed::new(cents, speed);
            }
        };
        assert!(is_new(&change(100, 1.0)));
        assert!(is_new(&change(101, 1.0)));
        assert!(is_new(&change(0, 0.9)));
        assert!(is_new(&|_, made_by| made_by.model = "other".into()));
        assert!(is_new(&|_, made_by| made_by.weights = "0123".into()));
        assert!(is_new(&|_, made_by| made_by.quality = "o25".into()));
        assert!(is_new(&|_, made_by| made_by.precision = Precision::Single));
        let on_exists = |request: &mut Request, _: &mut Identity| {
            request.settings.on_exists = OnExists::Replace;
        };
        assert!(!is_new(&on_exists), "this option does not change the files");
    }
}
