//! End-to-end tests with a network of another kind than HTDemucs: one with a rest, fades and no
//! normalisation. They cover import, drafts, interruptions, versions and export.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::*;
use crate::{
    engine::{
        export::{NamePattern, Place, Selection, Settings},
        separation::options::{Preset, Quality, SeparationOptions},
    },
    model::{
        Spec, seam_tests,
        weights::{ImportOptions, Store},
    },
};

const PATIENCE: Duration = Duration::from_mins(2);
const FRAMES: usize = 90_000;

struct Running {
    engine: Engine,
    events: Receiver<Event>,
}

impl Running {
    fn start(home: &Path) -> Self {
        let config = Config {
            home: home.to_owned(),
            compute: Compute::default(),
            interactive: false,
            waker: Arc::new(|| {}),
        };
        let (engine, events) = Engine::start(&config).unwrap();
        Self { engine, events }
    }

    #[track_caller]
    fn wait<T>(&self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let event = self.events.recv_deadline(until).expect("the event did not come");
            if let Event::Failed { problem, .. } = &event {
                panic!("{problem}");
            }
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    fn process(&self, song: SongId, stems: &[&str]) {
        let stems = stems.iter().map(|stem| (*stem).to_owned()).collect();
        self.engine.send(Command::Process { song, stems, from_frame: 0 });
    }

    #[track_caller]
    fn ended(&self) -> Job {
        self.wait(|event| match event {
            Event::Job(job) if !job.is_active() => Some(job.clone()),
            _ => None,
        })
    }

    #[track_caller]
    fn shown(&self) -> (SeparationOptions, bool, Vec<Option<Preset>>, usize) {
        self.wait(|event| match event {
            Event::Shown { options, stems, offers, versions, .. } => Some((
                options.clone(),
                stems.iter().any(|stem| stem.is_rest),
                offers.iter().map(|offer| offer.preset).collect(),
                versions.len(),
            )),
            _ => None,
        })
    }

    #[track_caller]
    fn export(&self, song: SongId, selection: Selection, folder: PathBuf) {
        let place = Place { folder, pattern: NamePattern::new("{stem}").unwrap() };
        let (id, settings) = (ExportId(1), Settings::default());
        self.engine.send(Command::Export { id, song, selection, place, settings });
        self.wait(|event| match event {
            Event::Export { state: ExportState::Done { .. }, .. } => Some(()),
            Event::Export { state: ExportState::Failed(problem), .. } => panic!("{problem}"),
            _ => None,
        });
    }
}

/// Creates a data folder with the network, and another of the same class next to it.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, bytes) in
        [("voice", seam_tests::file_with_rest()), ("bank", seam_tests::file("FilterBank"))]
    {
        let file = home.path().join(format!("{name}.safetensors"));
        fs::write(&file, bytes).unwrap();
        Store::new(home.path()).import(&file, &mut |_| {}, &|| false).unwrap();
    }
    let preferences =
        Preferences { model: Some("voice".into()), drafts_first: true, ..Preferences::default() };
    preferences.save(home.path()).unwrap();
    home
}

/// Writes a song of 16 bits, and returns its samples.
fn write_song(file: &Path) -> Vec<i32> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    let sample = |at: usize| ((at as f64 * 0.013).sin() * 20_000.0) as i32 + (at % 77) as i32;
    let samples: Vec<i32> = (0..2 * FRAMES).map(sample).collect();
    for sample in &samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
    samples
}

fn read(file: &Path) -> Vec<i32> {
    hound::WavReader::open(file).unwrap().samples().map(std::result::Result::unwrap).collect()
}

#[test]
fn a_network_with_a_rest_works_end_to_end() {
    let home = home();
    let file = home.path().join("song.wav");
    let samples = write_song(&file);
    let running = Running::start(home.path());
    running.engine.send(Command::Import(vec![file]));
    let song = running.wait(|event| match event {
        Event::Song(song) => Some(song.id),
        _ => None,
    });

    running.engine.send(Command::Open(song));
    let stems = running.wait(|event| match event {
        Event::Opened { stems, .. } => Some(stems.clone()),
        _ => None,
    });
    assert_eq!(stems, ["voice", "Instrumental"]);
    let (options, has_rest, presets, _) = running.shown();
    assert_eq!(
        (options.quality.suffix().as_str(), has_rest),
        ("o50", true),
        "the network's own standard"
    );
    assert_eq!(presets, Preset::ALL.map(Some));

    // Separate the rest alone, with an interruption in the middle.
    running.process(song, &["instrumental"]);
    let job = running.wait(|event| match event {
        Event::Job(job) if job.segments_done > 2 => Some(job.clone()),
        _ => None,
    });
    assert_eq!(job.stems, ["Instrumental"], "the spelling of the model must be used");
    running.engine.send(Command::Cancel(job.id));
    let cut = running.ended();
    assert!(cut.segments_done < cut.segments_total || cut.state == JobState::Done, "{cut:?}");
    drop(running);
    let running = Running::start(home.path());
    running.engine.send(Command::Open(song));
    running.process(song, &["Instrumental"]);
    let job = running.ended();
    assert_eq!(job.state, JobState::Done);
    // The first job may have ended before it was cancelled; the second job then ends at once, and
    // shows nothing.
    running.engine.send(Command::Open(song));
    let (_, _, _, versions) = running.shown();
    assert_eq!(versions, 1, "the draft must be removed");
    // There are waveforms of the voice, the rest, and the empty residual.
    let mut lanes = std::collections::HashMap::new();
    running.engine.send(Command::Open(song));
    running.wait(|event| {
        if let Event::Peaks { lane, peaks, .. } = event {
            let most = peaks.iter().fold(0.0, |most: f32, peak| most.max(peak.max));
            let kept: &mut f32 = lanes.entry(format!("{lane:?}")).or_default();
            *kept = kept.max(most);
        }
        (lanes.len() == 4).then_some(())
    });
    assert!(lanes["Residual"] < 1e-6, "{lanes:?}");
    assert!((lanes["Stem(1)"] / lanes["Stem(0)"] - 3.0).abs() < 0.1, "{lanes:?}");

    // The files add up to the song exactly.
    let folder = home.path().join("out");
    let selection = Selection {
        stems: stems.clone(),
        all_but: stems,
        residual: true,
        mix: Some(vec![export::Part::plain("Instrumental")]),
    };
    running.export(song, selection, folder.clone());
    let [voice, rest, residual] =
        ["voice", "Instrumental", "residual"].map(|name| read(&folder.join(format!("{name}.wav"))));
    let sum: Vec<i32> = voice.iter().zip(&rest).map(|(a, b)| a + b).collect();
    assert!(sum == samples, "the stems must add up to the song");
    assert!(residual.iter().all(|x| *x == 0));
    assert!(read(&folder.join("all but voice.wav")) == rest);
    for (at, (x, song)) in voice.iter().zip(&samples).enumerate() {
        assert!((f64::from(*x) - f64::from(*song) / 4.0).abs() <= 2.0, "{at}: {x} {song}");
    }

    // Select another model by name, then the other version again, which still exists.
    running.engine.send(Command::UseModel { song, model: "bank".into() });
    let (options, has_rest, ..) = running.shown();
    let standard = SeparationOptions { model: "bank".into(), quality: Quality::STANDARD };
    assert_eq!((options, has_rest), (standard, false), "the preset must stay standard");
    running.engine.send(Command::UseModel { song, model: "voice".into() });
    let (options, ..) = running.shown();
    let spec = Spec::fade(Vec::new(), 4000, 50);
    assert_eq!(options.quality.preset(&spec), Some(Preset::Standard));
    let beyond = SeparationOptions { quality: Quality::BEST, ..options };
    running.engine.send(Command::Choose { song, options: Some(beyond) });
    assert_eq!(running.shown().0.quality.suffix(), "o50", "this network allows no shifts");
}

#[test]
fn importing_a_model_does_not_change_songs() {
    let home = tempfile::tempdir().unwrap();
    let [voice, bank, another] =
        ["voice", "bank", "another"].map(|name| home.path().join(format!("{name}.safetensors")));
    fs::write(&voice, seam_tests::file_with_rest()).unwrap();
    fs::write(&bank, seam_tests::file("FilterBank")).unwrap();
    fs::write(&another, seam_tests::other_file()).unwrap();
    Store::new(home.path()).import(&voice, &mut |_| {}, &|| false).unwrap();
    // The default model is missing, so the only model takes its place.
    let preferences = Preferences { model: Some("bank".into()), ..Preferences::default() };
    preferences.save(home.path()).unwrap();
    let running = Running::start(home.path());
    let file = home.path().join("song.wav");
    write_song(&file);
    running.engine.send(Command::Import(vec![file]));
    let song = running.wait(|event| match event {
        Event::Song(song) => Some(song.id),
        _ => None,
    });
    running.engine.send(Command::Open(song));
    assert_eq!(running.shown().0.model, "voice");
    let import = |file: &PathBuf| {
        let options = ImportOptions::default();
        running.engine.send(Command::ImportModel { file: file.clone(), options });
        running.wait(|event| match event {
            Event::ModelTask(None, ModelTask::Imported { model, .. }) => Some(model.clone()),
            Event::ModelTask(_, ModelTask::Failed(problem)) => panic!("{problem}"),
            _ => None,
        })
    };
    // A model that is listed earlier does not change the song.
    assert_eq!(import(&another), "another");
    assert_eq!(running.shown().0.model, "voice");
    running.process(song, &[]);
    assert_eq!(running.ended().state, JobState::Done);
    // The default model does not change a song that has stems, either.
    assert_eq!(import(&bank), "bank");
    let (options, _, _, versions) = running.shown();
    assert_eq!((options.model.as_str(), versions), ("voice", 1));
    drop(running);
    let running = Running::start(home.path());
    running.engine.send(Command::Open(song));
    assert_eq!(running.shown().0.model, "voice");
}
