//! Two processes on one song in a chosen order: between two steps of the first, the second
//! processes the whole song. Their claims do not exclude each other, as after a hang of one process
//! beyond the lifetime of claims. The receipts alone must ensure consistency.

use std::cell::RefCell;

use super::*;
use crate::engine::{
    cluster::{
        STATE,
        report::{Report, report},
    },
    export::{DEFAULT_PATTERN, NamePattern, Place, Selection, Settings},
    separation::{
        batch::Request,
        chain::Chain,
        installed::{DEFAULT, InstalledModel},
        options::Quality,
    },
    types::Compute,
};

type Hook = Box<dyn FnOnce()>;

thread_local! {
    /// The other process, and the step after which it runs.
    static HOOK: RefCell<Option<(Step, Hook)>> = const { RefCell::new(None) };
}

/// Runs the other process if this is its step.
pub(super) fn step(step: Step) {
    let hook = HOOK.with_borrow_mut(|hook| hook.take_if(|(at, _)| *at == step));
    if let Some((_, other)) = hook {
        other();
    }
}

const STEPS: [Step; 7] = [
    Step::SawNoReceipt,
    Step::Claimed,
    Step::SawFiles,
    Step::SawMark,
    Step::Begun,
    Step::Separated,
    Step::WroteReceipt,
];

/// A folder with a small network, a song, and two folders of work.
struct Archive {
    home: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let models = home.path().join("models");
        std::fs::create_dir(&models).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let network = data.join("golden/general.weights.safetensors");
        std::fs::copy(network, models.join("htdemucs.safetensors")).unwrap();
        std::fs::copy(data.join("data/chirp.flac"), home.path().join("song.flac")).unwrap();
        Self { home }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs a process on the song, with a separate folder for unfinished work.
    fn run(home: &Path, work: &str, resumes: bool) -> Summary {
        let model = InstalledModel::find(home, DEFAULT).unwrap().unwrap();
        let compute = Compute { threads: Some(1), ..Compute::default() };
        let batch = Batch::new(Chain::of_model(model), Quality::DRAFT, compute, home).unwrap();
        let (out, file) = (home.join("out"), home.join("song.flac"));
        let entry = Entry { line: 1, path: file.clone(), ..Entry::default() };
        let request = Request {
            file,
            track: None,
            called: "song".into(),
            selection: Selection::of_stems(&batch.chain().tree, &[]).unwrap(),
            place: Place {
                folder: out.clone(),
                pattern: NamePattern::new(DEFAULT_PATTERN).unwrap(),
            },
            settings: Settings::default(),
        };
        let song = Song::new(entry, request, &batch, &out);
        let run = Run {
            batch: &batch,
            out: &out,
            state: &out.join(STATE),
            work: &home.join(work),
            failures: &out.join(format!("{work}.jsonl")),
            shard: Shard::default(),
            resumes,
        };
        run.run(&[song], Record::default(), &CancelToken::default(), &mut |_| {}).unwrap()
    }

    fn report(&self) -> Report {
        report(&[self.at("out")], true).unwrap()
    }
}

fn assert_done(summary: &Summary, after: Step) {
    let Summary { done, failed, temporary, left, .. } = *summary;
    assert_eq!((done, failed, temporary, left), (1, 0, 0, 0), "after {after:?}: {summary:?}");
}

#[test]
fn a_song_stays_completed_despite_a_second_process() {
    for at in STEPS {
        let archive = Archive::new();
        let home = archive.home.path().to_owned();
        let other = Box::new(move || assert_done(&Archive::run(&home, "second", true), at));
        HOOK.set(Some((at, other)));
        let first = Archive::run(archive.home.path(), "first", true);
        assert!(HOOK.take().is_none(), "the second process ran after {at:?}");
        assert_done(&first, at);
        let report = archive.report();
        assert_eq!((report.done, report.failed, report.remaining), (1, 0, 0), "after {at:?}");
        let again = Archive::run(archive.home.path(), "first", true);
        assert_eq!((again.skipped, again.computed), (1, 0), "after {at:?}");
        let left = ["first", "second"].map(|work| {
            std::fs::read_dir(archive.at(work)).map_or(0, |entries| entries.flatten().count())
        });
        assert_eq!(left, [0, 0], "work remains after {at:?}");
    }
}

#[test]
fn both_processes_may_redo_a_complete_song() {
    for at in STEPS {
        let archive = Archive::new();
        assert_done(&Archive::run(archive.home.path(), "before", true), at);
        let home = archive.home.path().to_owned();
        let other = Box::new(move || assert_done(&Archive::run(&home, "second", false), at));
        HOOK.set(Some((at, other)));
        assert_done(&Archive::run(archive.home.path(), "first", false), at);
        assert_eq!(archive.report().done, 1, "after {at:?}");
    }
}

#[test]
fn foreign_files_stay_in_any_order() {
    for at in [Step::SawNoReceipt, Step::Claimed, Step::SawFiles, Step::SawMark] {
        let archive = Archive::new();
        std::fs::create_dir_all(archive.at("out/song")).unwrap();
        std::fs::write(archive.at("out/song/low.wav"), "the user's own").unwrap();
        let home = archive.home.path().to_owned();
        let other = Box::new(move || {
            assert_eq!(Archive::run(&home, "second", true).failed, 1);
        });
        HOOK.set(Some((at, other)));
        assert_eq!(Archive::run(archive.home.path(), "first", true).failed, 1, "after {at:?}");
        assert!(HOOK.take().is_none(), "the second process ran after {at:?}");
        let text = std::fs::read_to_string(archive.at("out/song/low.wav")).unwrap();
        assert_eq!(text, "the user's own");
    }
}
