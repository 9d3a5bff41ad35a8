//! One example of every kind of problem, for tests of texts, classes and JSON.

use std::path::PathBuf;

use super::{
    Activity, Advice, DeviceProblem, FileAction, FolderProblem, LeftOut, LibraryFault,
    PatternProblem, Problem, SettingsFault, StoreFault,
};
use crate::{
    engine::{
        audio::decode::{
            Damage, DecodeError, Empty, Foreign, Format, NotAudio, Unsupported, Video,
        },
        separation::chain::fault::ChainFault,
    },
    model::{
        Device, FileFault, ModelError, Remedy,
        findings::{Bytes, Example as _, Malformed, Misfit},
        recognition::MissingFact,
    },
    os::{Os, OsKind},
};

/// One example of every kind of problem.
pub fn examples() -> Vec<Problem> {
    let mut all = files();
    all.extend(library());
    all.extend(separation());
    all.extend(export());
    all.extend(decode().into_iter().map(Problem::Decode));
    all.extend(model().into_iter().map(Problem::Model));
    all
}

fn path() -> PathBuf {
    "/a b.flac".into()
}

/// An error as Linux numbers and words it.
fn cause(kind: OsKind) -> Os {
    let (number, text) = match kind {
        OsKind::NotFound => (2, "No such file or directory"),
        OsKind::Denied => (13, "Permission denied"),
        OsKind::NoSpace => (28, "No space left on device"),
        OsKind::ReadOnly => (30, "Read-only file system"),
        OsKind::Gone => (5, "Input/output error"),
        OsKind::Stale => (116, "Stale file handle"),
        OsKind::IsFolder => (21, "Is a directory"),
        OsKind::NotFolder => (20, "Not a directory"),
        OsKind::TimedOut => (110, "Connection timed out"),
        OsKind::Refused => (111, "Connection refused"),
        OsKind::NoNetwork => (101, "Network is unreachable"),
        OsKind::Truncated => return Os { kind, number: None, text: "unexpected end".into() },
        OsKind::Invalid => (22, "Invalid argument"),
        OsKind::Other => (27, "File too large"),
    };
    Os { kind, number: Some(number), text: format!("{text} (os error {number})") }
}

fn files() -> Vec<Problem> {
    let kinds = [
        OsKind::NotFound,
        OsKind::Denied,
        OsKind::NoSpace,
        OsKind::ReadOnly,
        OsKind::Gone,
        OsKind::Stale,
        OsKind::IsFolder,
        OsKind::NotFolder,
        OsKind::TimedOut,
        OsKind::Refused,
        OsKind::NoNetwork,
        OsKind::Truncated,
        OsKind::Invalid,
        OsKind::Other,
    ];
    let mut all: Vec<Problem> =
        kinds.into_iter().map(|kind| Problem::read(&path(), cause(kind))).collect();
    let actions = [
        FileAction::Write,
        FileAction::Create,
        FileAction::Remove,
        FileAction::Rename,
        FileAction::Restore,
    ];
    all.extend(actions.map(|action| Problem::file(action, &path(), cause(OsKind::NoSpace))));
    let room = |advice| Problem::NoRoom { path: path(), needed: 90 << 20, free: 1, advice };
    all.extend(
        [Advice::None, Advice::FreeSpace, Advice::OtherFolder, Advice::OtherFolderOrBits].map(room),
    );
    let faults =
        [StoreFault::CutOff, StoreFault::Foreign, StoreFault::Removed, StoreFault::Missing];
    all.extend(faults.map(|fault| Problem::store(&path(), fault)));
    let left_out = LeftOut { not_audio: 1, own: 2, hidden: 3, not_files: 4, unreadable: 5 };
    all.extend([
        Problem::Input { path: path(), cause: cause(OsKind::Denied), folder_is_missing: false },
        Problem::output(&path(), cause(OsKind::ReadOnly)),
        Problem::Stores { cause: cause(OsKind::Gone) },
        Problem::Waveform { cause: cause(OsKind::Gone) },
        Problem::Exists(vec![path()]),
        Problem::Exists(vec![path(), "/b.wav".into()]),
        Problem::ExistsUnasked(vec![path()]),
        Problem::Folder(FolderProblem::Unreadable { cause: cause(OsKind::Denied) }),
        Problem::Folder(FolderProblem::Empty),
        Problem::Folder(FolderProblem::NoSong(left_out)),
    ]);
    all
}

fn library() -> Vec<Problem> {
    let text = String::from("database or disk is full");
    let songs = vec!["1 One".to_owned(), "2 Two".to_owned()];
    let mut all: Vec<Problem> = [
        LibraryFault::Damaged,
        LibraryFault::CannotOpen,
        LibraryFault::NoSpace,
        LibraryFault::ReadOnly,
        LibraryFault::Disk,
        LibraryFault::Other,
    ]
    .map(|fault| Problem::Library { fault, text: text.clone() })
    .into();
    all.extend([
        Problem::OpenLibrary { path: path(), fault: LibraryFault::CannotOpen, text },
        Problem::NewerLibrary(99),
        Problem::LibraryRebuilt { aside: path(), songs: 1 },
        Problem::LibraryRebuilt { aside: path(), songs: 3 },
        Problem::home_unwritable(&path(), cause(OsKind::Denied)),
        Problem::HomeGone { home: path() },
        Problem::NoHome,
        Problem::OutsideHome { folder: path(), target: "/b".into() },
        Problem::SettingsUnreadable { path: path(), cause: cause(OsKind::Denied) },
        Problem::SettingsSetAside {
            fault: SettingsFault::Invalid { detail: "expected `=`".into() },
            aside: path(),
        },
        Problem::SettingsInvalid {
            path: path(),
            fault: SettingsFault::NotAFile,
            cause: cause(OsKind::ReadOnly),
        },
        Problem::SettingsUnwritable { fault: SettingsFault::TooLarge },
        Problem::UnknownSong { id: 7 },
        Problem::NoSuchSong { name: "x".into(), songs: Vec::new(), more: 0 },
        Problem::NoSuchSong { name: "x".into(), songs: songs.clone(), more: 2 },
        Problem::SeveralSongs { name: "o".into(), songs, more: 0 },
        Problem::UnknownJob { id: 7, known: Vec::new() },
        Problem::UnknownJob { id: 7, known: vec![1, 2] },
        Problem::JobUnreadable { detail: "expected value at line 1".into() },
        Problem::SongRemoved,
        Problem::NotRestorable,
        Problem::TooManyImports,
    ]);
    all
}

fn separation() -> Vec<Problem> {
    let chain_faults = [
        ChainFault::NotAChain,
        ChainFault::Invalid { detail: "TOML parse error at line 1, column 1".into() },
        ChainFault::Count { steps: 16, stems: 48 },
        ChainFault::Name { name: "../x".into() },
        ChainFault::Twice { name: "kazoo".into() },
        ChainFault::Model { name: "htdemucs".into() },
        ChainFault::Network { step: "voices".into() },
        ChainFault::LoneRest { stem: "kazoo".into() },
        ChainFault::NoStep { step: "voices".into() },
        ChainFault::NoStem { stem: "kazoo".into() },
        ChainFault::Order { step: "voices".into(), stem: "vocals".into() },
        ChainFault::NoSource { stem: "kazoo".into() },
        ChainFault::Circle { stem: "kazoo".into() },
        ChainFault::TwoRests { stem: "kazoo".into() },
        ChainFault::MinusRest { stem: "kazoo".into() },
        ChainFault::Weight { stem: "kazoo".into() },
        ChainFault::NoOutput {
            step: "voices".into(),
            output: "kazoo".into(),
            known: vec!["lead".into(), "backing".into()],
        },
    ];
    let chain = |fault| Problem::Chain { path: "chains/voices.toml".into(), fault };
    let mut all: Vec<Problem> = chain_faults.into_iter().map(chain).collect();
    all.extend(vec![
        Problem::NoModel,
        Problem::ModelMissing { model: "htdemucs".into() },
        Problem::ModelMissing { model: "mine".into() },
        Problem::NoNetwork { model: "htdemucs".into() },
        Problem::ModelBusy,
        Problem::OpenedWithoutModel,
        Problem::UnknownStem { stem: "kazoo".into(), known: vec!["drums".into(), "bass".into()] },
        Problem::UnknownChain { name: "x".into(), known: vec!["vocals-first".into()] },
        Problem::MissingNetwork { stem: "kick".into(), makes: vec!["kick".into(), "toms".into()] },
        Problem::MissingChainModel { stem: "kick".into(), model: "kit".into() },
        Problem::NotSeparated,
        Problem::Locked,
        Problem::NoFastPrecision,
        Problem::MemoryLimit { needed: 900 << 20, limit: 100 << 20 },
        Problem::NotNumbers { segment: 3 },
        Problem::WaitsForDisk { cause: Box::new(Problem::write(&path(), cause(OsKind::NoSpace))) },
        Problem::Loudness { cause: "invalid mode".into() },
        Problem::Elsewhere { host: "node7".into() },
        Problem::UnseenSongs {
            count: 3,
            line: 7,
            first: Box::new(Problem::read(&path(), cause(OsKind::Gone))),
        },
        Problem::NoThread { cause: cause(OsKind::Other) },
        Problem::ThreadEnded,
        Problem::Cancelled,
        Problem::Recorded { text: "an earlier sentence".into() },
    ]);
    all.extend(
        [
            Activity::Analysing,
            Activity::DrawingWaveform,
            Activity::Engine,
            Activity::Importing,
            Activity::InstallingModel,
            Activity::LoadingModel,
            Activity::Playing,
            Activity::ReadingFile,
            Activity::ReadingSong,
            Activity::Separating,
            Activity::WritingFiles,
            Activity::WritingReport,
        ]
        .map(|doing| Problem::Internal { doing, cause: "index out of bounds".into() }),
    );
    all
}

fn export() -> Vec<Problem> {
    let device = String::from("Speakers");
    vec![
        Problem::NothingChosen,
        Problem::StemIndex { stem: 9, stems: 4 },
        Problem::SamePath { path: path() },
        Problem::Depth { format: "FLAC".into(), bits: vec![16, 24] },
        Problem::SourceNeeded { path: path() },
        Problem::DjStem { stem: "vocals".into() },
        Problem::Pattern(PatternProblem::Empty),
        Problem::Pattern(PatternProblem::UnmatchedBrace),
        Problem::Pattern(PatternProblem::UnknownField { field: "composer".into() }),
        Problem::Device(DeviceProblem::None),
        Problem::Device(DeviceProblem::CannotOpen {
            device: device.clone(),
            cause: "device busy".into(),
        }),
        Problem::Device(DeviceProblem::NoFormat { device }),
        Problem::Device(DeviceProblem::NoThread { cause: cause(OsKind::Other) }),
        Problem::Manifest { path: path(), detail: "line 3: expected a path".into() },
        Problem::NoShare { path: path() },
    ]
}

fn decode() -> Vec<DecodeError> {
    let mut all: Vec<DecodeError> =
        [NotAudio::Folder, NotAudio::Device, NotAudio::Unknown, NotAudio::NoTrack]
            .map(DecodeError::NotAudio)
            .into();
    all.extend(foreign().into_iter().map(|kind| DecodeError::NotAudio(NotAudio::Other(kind))));
    all.extend(unsupported().into_iter().map(DecodeError::Unsupported));
    all.extend([Empty::File, Empty::Track].map(DecodeError::Empty));
    let damages = [
        Damage::Header { detail: "this profile".into() },
        Damage::AacHeader,
        Damage::PacketFrames(99_999),
        Damage::BeforeSound,
        Damage::CutOff,
        Damage::AtSound,
        Damage::NoIndex,
        Damage::Mostly,
        Damage::Endless,
        Damage::TooSlow,
        Damage::Index { bytes: 1000 },
        Damage::TooLong { bytes: 1000, minutes: 5 },
    ];
    all.extend(damages.map(DecodeError::Damaged));
    all
}

fn foreign() -> Vec<Foreign> {
    vec![
        Foreign::Picture,
        Foreign::Pdf,
        Foreign::PostScript,
        Foreign::Office,
        Foreign::Document,
        Foreign::Text,
        Foreign::Zip,
        Foreign::Compressed,
        Foreign::Archive,
        Foreign::Program,
        Foreign::Database,
        Foreign::Midi,
        Foreign::Flash,
        Foreign::Tracker,
        Foreign::Console,
        Foreign::HomeComputer,
        Foreign::Font,
        Foreign::Riff,
    ]
}

fn unsupported() -> Vec<Unsupported> {
    let (codec, detail) = (String::from("AAC"), String::from("this profile"));
    let mut all = vec![
        Unsupported::Codec(Some(codec.clone())),
        Unsupported::Codec(None),
        Unsupported::Settings { codec: codec.clone(), detail: detail.clone() },
        Unsupported::Container { detail },
        Unsupported::Channels { codec, channels: 6 },
        Unsupported::TooManyChannels { channels: 99, limit: 64 },
        Unsupported::Layout,
        Unsupported::JointFlac,
        Unsupported::Rate(7),
        Unsupported::Conversion,
        Unsupported::Track { number: 3, count: 1 },
        Unsupported::Track { number: 3, count: 2 },
    ];
    let formats = [
        Format::Named("WavPack".into()),
        Format::Rifx,
        Format::Adif,
        Format::Latm,
        Format::FreeRate,
    ];
    let videos = [
        Video::Avi,
        Video::Dv,
        Video::Flv,
        Video::MpegProgram,
        Video::MpegTransport,
        Video::MpegVideo,
        Video::Mxf,
        Video::Nut,
        Video::RealMedia,
        Video::Wtv,
    ];
    all.extend(formats.map(Unsupported::Format));
    all.extend(videos.map(Unsupported::Video));
    all
}

fn model() -> Vec<ModelError> {
    let path = || PathBuf::from("/x.th");
    let faults = [
        FileFault::NoConnection { cause: cause(OsKind::Refused) },
        FileFault::NoHost,
        FileFault::CutOff { have: None, whole: None, remedy: Remedy::Download },
        FileFault::CutOff {
            have: Some(Bytes(10_000)),
            whole: Some(Bytes(8_400_000)),
            remedy: Remedy::Install,
        },
        FileFault::CutOff { have: Some(Bytes(10_000)), whole: None, remedy: Remedy::Import },
        FileFault::Empty,
        FileFault::Folder,
        FileFault::NotAFile,
        FileFault::NotAModel { start: "\"PNG\"".into() },
        FileFault::Undescribed,
        FileFault::Unreachable { cause: "timeout".into() },
        FileFault::Unreadable { cause: cause(OsKind::Denied) },
    ];
    let malformed =
        Malformed::examples().into_iter().map(|fault| FileFault::Malformed(Box::new(fault)));
    let faults = faults.into_iter().chain(malformed);
    let misfit = || Box::new(Misfit::TensorMissing { name: "x".into() });
    let origin = |fault| ModelError::Origin { origin: "example.org".into(), fault };
    let mut all = vec![
        ModelError::Unusable { path: path(), misfit: misfit(), remedy: Remedy::Install },
        ModelError::Unusable { path: path(), misfit: misfit(), remedy: Remedy::Import },
        ModelError::NotFetched {
            model: "htdemucs".into(),
            tried: vec![origin(FileFault::Unreachable { cause: "timeout".into() })],
        },
        ModelError::Unknown { name: "x".into(), known: vec!["htdemucs".into()] },
        ModelError::NotInstalled { model: "htdemucs".into() },
        ModelError::Installing { model: "htdemucs".into() },
        ModelError::Digest {
            path: path(),
            found: "aa".into(),
            noted: "bb".into(),
            remedy: Remedy::Import,
        },
        ModelError::Replaced { path: path() },
        ModelError::OtherShape { path: path(), model: "bag".into(), remedy: Remedy::Import },
        ModelError::OtherStems { path: path(), remedy: Remedy::Install },
        ModelError::Segment { found: 3, expected: 4 },
        ModelError::Device { cause: "out of memory".into() },
        ModelError::NoDevice { device: Device::Cuda(1), is_built: true },
        ModelError::NoDevice { device: Device::Cuda(0), is_built: false },
        ModelError::NoDevice { device: Device::Metal(0), is_built: false },
        ModelError::Memory { needed: 900 << 20, limit: 100 << 20 },
        ModelError::Io { path: path(), cause: cause(OsKind::Gone) },
        ModelError::Forbidden { path: path() },
        ModelError::OtherSound { path: Some("/x.th".into()), sample_rate: 48_000, channels: 1 },
        ModelError::OtherSound { path: None, sample_rate: 48_000, channels: 2 },
        ModelError::FactsMissing {
            path: path(),
            class_name: "MelBandRoformer".into(),
            missing: vec![
                MissingFact::Hop { usual: vec![441, 512] },
                MissingFact::Chunk { usual: vec![352_800] },
                MissingFact::Stems { count: 2 },
            ],
        },
        ModelError::Cancelled,
    ];
    all.extend(faults.map(|fault| ModelError::File { path: path(), fault }));
    all.extend(Misfit::examples().into_iter().map(ModelError::from));
    all
}
