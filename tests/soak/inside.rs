//! An engine in this process, with its own data folder, that runs for the whole soak, so that any
//! leak of an operation adds up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use partita::engine::{
    Command, Compute, Config, Engine, Event, ExportId, JobId, Problem, SongId,
    export::{NamePattern, OnExists, Place, Selection, Settings},
};

use super::{Diary, Holds, PATIENCE, files::Files, stuck::stacks};
use crate::support::{Dice, tiny_home};

/// Warm-up rounds before threads and files are counted, so that everything created once exists.
const WARM: usize = 6;

struct Inside<'a> {
    engine: Engine,
    events: Receiver<Event>,
    diary: &'a Diary,
}

impl Inside<'_> {
    /// Waits for an event; an engine that does not answer is a fault.
    fn wait<T>(&self, what: &str, want: impl Fn(&Event) -> Option<T>) -> Option<T> {
        let until = Instant::now() + PATIENCE;
        while let Ok(event) = self.events.recv_deadline(until) {
            if let Event::Failed { problem: problem @ Problem::Internal { .. }, .. } = &event {
                self.diary.fault(problem.to_string());
            }
            if let Some(found) = want(&event) {
                return Some(found);
            }
        }
        self.diary.fault(format!("timed out waiting for {what}\n{}", stacks(std::process::id())));
        None
    }

    fn import(&self, file: &std::path::Path) -> Option<SongId> {
        self.engine.send(Command::Import(vec![file.to_owned()]));
        self.wait("an import", |event| match event {
            Event::Imported { song, .. } => Some(Some(*song)),
            Event::ImportFailed { .. } => Some(None),
            _ => None,
        })?
    }

    /// Processes a song to its end, or cancels the job at once.
    fn process(&self, song: SongId, cancels: bool) -> Option<JobId> {
        self.engine.send(Command::Process { song, stems: Vec::new(), from_frame: 0 });
        let job = self.wait("a job", |event| match event {
            Event::Job(job) if job.song == song && (cancels || !job.is_active()) => {
                Some(job.clone())
            }
            _ => None,
        })?;
        if job.is_active() {
            self.engine.send(Command::Cancel(job.id));
            self.wait("a cancelled job", |event| match event {
                Event::Job(job) if job.song == song && !job.is_active() => Some(()),
                _ => None,
            })?;
        }
        Some(job.id)
    }

    fn play(&self, song: SongId, dice: &mut Dice) {
        self.engine.send(Command::Open(song));
        let frames = self.wait("the open song", |event| match event {
            Event::Opened { song: open, frames, .. } if *open == song => Some(*frames),
            _ => None,
        });
        let Some(frames) = frames else { return };
        let player = self.engine.player();
        for _ in 0..3 {
            player.seek(dice.below(frames.max(1)));
            player.play();
            std::thread::sleep(Duration::from_millis(dice.below(400)));
        }
        player.pause();
    }

    fn export(&self, song: SongId, folder: &std::path::Path, cancels: bool) {
        let id = ExportId(7);
        let place = Place {
            folder: folder.to_owned(),
            pattern: NamePattern::new("{title} {stem}").unwrap(),
        };
        let selection = Selection { residual: true, ..Selection::default() };
        let settings = Settings { on_exists: OnExists::Replace, ..Settings::default() };
        self.engine.send(Command::Export { id, song, selection, place, settings });
        if cancels {
            self.engine.send(Command::CancelExport(id));
        }
        self.wait("the end of an export", |event| match event {
            Event::Export { state, .. } => {
                (!matches!(state, partita::engine::ExportState::Running(_))).then_some(())
            }
            _ => None,
        });
    }

    fn remove(&self, song: SongId, comes_back: bool) {
        self.engine.send(Command::Remove(song));
        self.wait("a removal", |event| {
            matches!(event, Event::SongRemoved(id) if *id == song).then_some(())
        });
        if comes_back {
            self.engine.send(Command::Restore(song));
            self.wait("a song that comes back", |event| {
                matches!(event, Event::Song(back) if back.id == song).then_some(())
            });
        }
    }
}

pub fn soak(files: &Files, diary: &Diary, until: Instant) {
    let home = tiny_home();
    let compute = Compute { threads: Some(1), ..Compute::default() };
    let config =
        Config { home: home.path().to_owned(), compute, interactive: true, waker: Arc::new(|| {}) };
    let (engine, events) = Engine::start(&config).unwrap();
    let inside = Inside { engine, events, diary };
    let (mut dice, mut rounds, mut begin) = (Dice(31), 0, None);
    while Instant::now() < until {
        let file = &files.good[dice.below(files.good.len() as u64) as usize];
        if let Some(song) = inside.import(file) {
            inside.process(song, dice.below(3) == 0);
            inside.play(song, &mut dice);
            inside.export(song, &home.path().join("out"), dice.below(3) == 0);
            inside.remove(song, dice.below(2) == 0);
        } else {
            diary.fault(format!("{} was refused", file.display()));
        }
        rounds += 1;
        diary.note("rounds of the engine inside");
        if rounds == WARM {
            begin = Holds::of(std::process::id());
        }
        if rounds % 40 == 0 {
            println!("the engine inside, round {rounds}: {:?}", Holds::of(std::process::id()));
        }
    }
    if let (Some(begin), Some(end)) = (begin, Holds::of(std::process::id())) {
        // Other helpers of this test start and end in the same process, with their pipes.
        for fault in end.grown_since(begin, "this process") {
            diary.fault(fault);
        }
    }
    drop(inside);
}
