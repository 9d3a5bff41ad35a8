//! Random sequences of the queue's transitions, compared with a simple model.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;

use super::{
    tests::{SEGMENTS, disk_full, finish, options, request, waiting},
    *,
};
use crate::engine::actor::LOOK_EVERY;

/// A transition; jobs are given by their numbers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Request { song: i64, command: u64 },
    Retry(usize),
    StartNext,
    Started,
    Finish { result: usize, segments: usize },
    Pause(usize),
    Resume(usize),
    Cancel(usize),
    Move { job: usize, place: usize },
    Restart,
    Wait { seconds: u64 },
    Free { song: i64 },
    Lose(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let job = 0..12_usize;
    prop_oneof![
        4 => (1..6_i64, 0..1000_u64).prop_map(|(song, command)| Step::Request { song, command }),
        1 => job.clone().prop_map(Step::Retry),
        4 => Just(Step::StartNext),
        3 => Just(Step::Started),
        4 => (0..5_usize, 0..=SEGMENTS)
            .prop_map(|(result, segments)| Step::Finish { result, segments }),
        2 => job.clone().prop_map(Step::Pause),
        2 => job.clone().prop_map(Step::Resume),
        2 => job.clone().prop_map(Step::Cancel),
        2 => (job.clone(), 0..6_usize).prop_map(|(job, place)| Step::Move { job, place }),
        1 => Just(Step::Restart),
        3 => (0..80_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => (1..6_i64).prop_map(|song| Step::Free { song }),
        1 => job.prop_map(Step::Lose),
    ]
}

/// The place of a job in the simple model.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Waiting,
    Running,
    Paused,
    OnDisk { since: Instant },
    Gone,
}

/// A stand-in for the engine, with the expected state of the queue.
struct Model {
    queue: Queue,
    now: Instant,
    places: BTreeMap<JobId, Place>,
    /// The waiting jobs in the order of their turns.
    order: Vec<JobId>,
    commands: BTreeMap<JobId, Option<RequestId>>,
    /// Jobs that were cancelled and not requested again.
    cancelled: BTreeSet<JobId>,
    /// Songs whose requests another process holds up.
    held: BTreeSet<SongId>,
}

impl Model {
    fn new() -> Self {
        Self {
            queue: Queue::default(),
            now: Instant::now(),
            places: BTreeMap::new(),
            order: Vec::new(),
            commands: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            held: BTreeSet::new(),
        }
    }

    /// Songs and jobs have the same numbers, modulo ten.
    fn job_of(id: JobId) -> Job {
        Job { song: SongId(id.0 % 10), ..waiting(id.0) }
    }

    fn id(&self, number: usize) -> Option<JobId> {
        let count = self.places.len().max(1);
        self.places.keys().nth(number % count).copied()
    }

    fn put(&mut self, id: JobId, place: Place) {
        self.order.retain(|other| *other != id);
        self.places.insert(id, place);
    }

    fn request(&mut self, request: &JobRequest) {
        if let Some(job) = self.queue.join(request) {
            let place = self.places[&job.id];
            assert!(!matches!(place, Place::Paused | Place::Gone), "{place:?}");
            if request.request.is_some() {
                self.commands.insert(job.id, request.request);
            }
            self.cancelled.remove(&job.id);
            return;
        }
        // The library's job of the song, or a new one.
        let last = self.places.iter().rfind(|(id, _)| id.0 % 10 == request.song.0);
        let reusable =
            last.filter(|(id, place)| **place == Place::Paused || request.reuse == Some(**id));
        let next = last.map_or(request.song.0, |(id, _)| id.0 + 10);
        let id = reusable.map_or(JobId(next), |(id, _)| *id);
        let was_paused = self.places.get(&id) == Some(&Place::Paused);
        let kept = self.commands.get(&id).copied().flatten().filter(|_| was_paused);
        self.queue.push(Self::job_of(id), request.request, 0);
        self.put(id, Place::Waiting);
        self.order.push(id);
        self.commands.insert(id, request.request.or(kept));
        self.cancelled.remove(&id);
    }

    fn finish(&mut self, result: usize, segments: usize) {
        let Some(job) = self.queue.running().cloned() else {
            assert!(self.queue.finish(waiting(1), Ok(()), self.now).is_none());
            return;
        };
        let id = job.id;
        let result = match result {
            0 | 1 => Ok(()),
            2 => Err(Problem::Cancelled),
            3 => Err(disk_full()),
            _ => Err(Problem::Locked),
        };
        let finished =
            finish(&mut self.queue, Job { segments_done: segments, ..job }, result, self.now);
        assert_eq!((finished.job.id, finished.request), (id, self.commands[&id]));
        let place = match (finished.outcome, &finished.job.state) {
            (Outcome::HeldElsewhere, _) => {
                self.held.insert(finished.job.song);
                Place::Gone
            }
            (Outcome::HeldByDisk { .. }, _) => Place::OnDisk { since: self.now },
            (Outcome::Settled, JobState::Paused) => Place::Paused,
            (Outcome::Settled, JobState::Waiting) => Place::Waiting,
            (Outcome::Settled, state) => {
                assert!(finished.job.is_ended(), "{state:?}");
                Place::Gone
            }
        };
        assert!(!self.cancelled.contains(&id) || place == Place::Gone, "it was cancelled");
        self.put(id, place);
        if place == Place::Waiting {
            self.order.insert(0, id);
        }
    }

    fn pause(&mut self, id: JobId) {
        let runs = self.queue.pause(id);
        assert_eq!(runs, self.places[&id] == Place::Running);
        if !runs && self.places[&id] != Place::Gone {
            self.put(id, Place::Paused);
        }
        // A paused job is not repeated when the other process ends.
        let held = self.queue.held_requests();
        self.held.retain(|song| held.iter().any(|held| held.song == *song));
    }

    fn resume(&mut self, id: JobId) {
        if self.queue.resume_running(id) {
            assert_eq!(self.places[&id], Place::Running);
        } else if self.places[&id] == Place::Paused {
            self.queue.resume(Self::job_of(id));
            self.put(id, Place::Waiting);
            self.order.insert(0, id);
        }
    }

    fn cancel(&mut self, id: JobId) {
        let song = Self::job_of(id).song;
        let runs = self.queue.cancel(id, Some(song));
        assert_eq!(runs, self.places[&id] == Place::Running);
        self.cancelled.insert(id);
        if !runs {
            self.put(id, Place::Gone);
            self.held.remove(&song);
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        let due: Vec<JobId> = self.queue.due(self.now).map(|job| job.id).collect();
        // Jobs that are not due are released too, without effect.
        let all: Vec<JobId> = self.places.keys().copied().collect();
        self.queue.release(&all, self.now);
        for id in due {
            let Place::OnDisk { since } = self.places[&id] else { panic!("{id:?}") };
            assert!(self.now >= since + LOOK_EVERY);
            self.put(id, Place::Waiting);
            self.order.push(id);
        }
    }

    fn free(&mut self, song: SongId) {
        let requests = self.queue.take_requests(&[(song, options("m"))]);
        assert_eq!(requests.len(), usize::from(self.held.remove(&song)));
        for request in requests {
            self.request(&request);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Request { song, command } => {
                let command = (command % 4 > 0).then_some(RequestId(command));
                self.request(&JobRequest { request: command, ..request(song, "bass") });
            }
            Step::Retry(number) => {
                if let Some(id) = self.id(number).filter(|id| self.places[id] == Place::Gone) {
                    self.request(&JobRequest::from_job(&Self::job_of(id), None, 0));
                }
            }
            Step::StartNext => {
                let was_idle = self.queue.is_idle();
                match self.queue.start_next() {
                    Some(Next { job, .. }) => {
                        assert!(was_idle, "two jobs at a time");
                        assert!(!self.cancelled.contains(&job.id));
                        assert_eq!(Some(&job.id), self.order.first());
                        self.put(job.id, Place::Running);
                    }
                    None => assert!(!was_idle || self.order.is_empty(), "{:?}", self.order),
                }
            }
            Step::Started => {
                if let Some(job) = self.queue.running().cloned() {
                    self.queue.started(Job { state: JobState::Running, ..job });
                }
            }
            Step::Finish { result, segments } => self.finish(result, segments),
            Step::Pause(number) => self.id(number).into_iter().for_each(|id| self.pause(id)),
            Step::Resume(number) => self.id(number).into_iter().for_each(|id| self.resume(id)),
            Step::Cancel(number) => self.id(number).into_iter().for_each(|id| self.cancel(id)),
            Step::Move { job, place } => {
                let Some(id) = self.id(job) else { return };
                let is_waiting = self.places[&id] == Place::Waiting;
                assert_eq!(self.queue.move_to(id, place), is_waiting);
                if is_waiting {
                    self.order.retain(|other| *other != id);
                    self.order.insert(place.min(self.order.len()), id);
                }
            }
            Step::Restart => {
                assert_eq!(self.queue.restart_running(), !self.queue.is_idle());
            }
            Step::Wait { seconds } => self.wait(seconds),
            Step::Free { song } => self.free(SongId(song)),
            Step::Lose(number) => {
                let Some(id) = self.id(number) else { return };
                let runs = self.queue.retain(|other| other != id, |_| true);
                assert_eq!(runs, self.places[&id] == Place::Running);
                if runs {
                    self.cancelled.insert(id);
                } else {
                    self.put(id, Place::Gone);
                }
            }
        }
    }

    fn check(&self) {
        let Queue { entries, running, .. } = &self.queue;
        let mut places = BTreeMap::new();
        let running = running.iter().map(|running| (&running.entry, Place::Running));
        let others = entries.iter().map(|entry| match entry.hold {
            Hold::None => (entry, Place::Waiting),
            Hold::User => (entry, Place::Paused),
            Hold::Disk { .. } => {
                let place = self.places[&entry.job.id];
                assert!(matches!(place, Place::OnDisk { .. }), "{place:?}");
                (entry, place)
            }
        });
        for (entry, place) in running.chain(others) {
            let id = entry.job.id;
            assert!(places.insert(id, place).is_none(), "{id:?} is in two places");
            assert_eq!(entry.request, self.commands[&id], "{id:?}");
            assert_eq!(self.queue.request_of(id), self.commands[&id]);
        }
        let expected = self.places.iter().filter(|(_, place)| **place != Place::Gone);
        let expected: BTreeMap<JobId, Place> = expected.map(|(id, place)| (*id, *place)).collect();
        assert_eq!(places, expected);
        let waiting = self.places.values().filter(|place| **place == Place::Waiting).count();
        let order: Vec<JobId> = self.queue.order().collect();
        assert_eq!(order[..waiting], self.order[..]);
        let held: BTreeSet<SongId> =
            self.queue.held_requests().iter().map(|request| request.song).collect();
        assert_eq!(held, self.held);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A job is in one place, is never lost, and keeps its command. It waits in the order of requests
    /// unless it is moved. It never starts after its cancellation or before its hold ends.
    #[test]
    fn no_sequence_of_transitions_loses_repeats_or_reorders_a_job(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
            model.check();
        }
    }
}
