//! Tests of the queue's transitions, one by one.

use std::time::Duration;

use super::*;
use crate::{
    engine::{problem::FileAction, separation::options::Quality},
    os::{Os, OsKind},
};

pub(super) const SEGMENTS: usize = 4;

pub(super) fn options(model: &str) -> SeparationOptions {
    SeparationOptions { model: model.into(), quality: Quality::default() }
}

fn job(id: i64, state: JobState) -> Job {
    Job {
        id: JobId(id),
        song: SongId(id),
        model: "m".into(),
        quality: Quality::default(),
        drafts_first: false,
        stems: vec!["bass".into()],
        state,
        segments_done: 0,
        segments_total: SEGMENTS,
        drafts_left: 0,
        created_at: 0,
        seconds: 0.0,
    }
}

pub(super) fn waiting(id: i64) -> Job {
    job(id, JobState::Waiting)
}

pub(super) fn request(song: i64, stem: &str) -> JobRequest {
    let request = JobRequest::from_job(&waiting(song), None, 0);
    JobRequest { stems: vec![stem.into()], reuse: None, ..request }
}

/// A queue in which these jobs wait, requested by commands of the same numbers.
fn queue(jobs: &[i64]) -> Queue {
    let mut queue = Queue::default();
    for &id in jobs {
        queue.push(waiting(id), Some(RequestId(id as u64)), 100);
    }
    queue
}

fn order(queue: &Queue) -> Vec<i64> {
    queue.order().map(|id| id.0).collect()
}

/// Starts the next job as the engine does; returns it.
fn start(queue: &mut Queue) -> Job {
    let next = queue.start_next().unwrap();
    let job = Job { state: JobState::Running, ..next.job };
    queue.started(job.clone());
    job
}

pub(super) fn disk_full() -> Problem {
    let cause = Os { kind: OsKind::NoSpace, number: None, text: "full".into() };
    Problem::File { action: FileAction::Write, path: "stem".into(), cause }
}

pub(super) fn finish(queue: &mut Queue, job: Job, result: Result<()>, now: Instant) -> Finished {
    queue.finish(job, result, now).unwrap()
}

#[test]
fn jobs_run_one_at_a_time_in_the_order_of_their_requests() {
    let (mut queue, now) = (queue(&[1, 2, 3]), Instant::now());
    assert_eq!(order(&queue), [1, 2, 3]);
    let next = queue.start_next().unwrap();
    assert_eq!((next.job.id, next.from_frame), (JobId(1), 100));
    assert!(queue.start_next().is_none() && !queue.is_idle());
    assert!(queue.is_running(SongId(1), &options("m")));
    assert!(
        !queue.is_running(SongId(1), &options("n")) && !queue.is_running(SongId(2), &options("m"))
    );
    let done = Job { segments_done: SEGMENTS, ..next.job };
    assert!(queue.finish(waiting(2), Ok(()), now).is_none(), "the job does not run");
    let finished = finish(&mut queue, done, Ok(()), now);
    assert_eq!(finished.job.state, JobState::Done);
    assert_eq!((finished.request, finished.outcome), (Some(RequestId(1)), Outcome::Settled));
    assert!(queue.is_idle() && queue.request_of(JobId(1)).is_none());
    assert_eq!(start(&mut queue).id, JobId(2));
}

#[test]
fn jobs_of_the_last_run_are_restored() {
    let mut queue = Queue::default();
    let states = [JobState::Running, JobState::Paused, JobState::Cancelled, JobState::Waiting];
    queue.restore((1..).zip(states).map(|(id, state)| job(id, state)));
    assert_eq!(order(&queue), [1, 4]);
    let next = queue.start_next().unwrap();
    assert_eq!((next.job.id, next.job.state), (JobId(1), JobState::Waiting));
}

#[test]
fn a_second_request_joins_the_job_that_waits_or_runs() {
    let mut queue = queue(&[1, 2]);
    let second = JobRequest { request: Some(RequestId(9)), ..request(2, "drums") };
    let joined = queue.join(&second).unwrap();
    assert_eq!(
        (joined.id, &joined.stems[..]),
        (JobId(2), &["bass".to_owned(), "drums".into()][..])
    );
    assert_eq!(queue.join(&request(2, "drums")).unwrap().stems.len(), 2, "each stem once");
    assert_eq!(queue.request_of(JobId(2)), Some(RequestId(9)));
    start(&mut queue);
    assert_eq!(queue.join(&request(1, "drums")).unwrap().stems.len(), 2);
    assert_eq!(queue.running().unwrap().stems.len(), 2);
    let other = JobRequest { options: options("n"), ..request(1, "drums") };
    assert!(queue.join(&other).is_none() && queue.join(&request(3, "bass")).is_none());
    assert!(!queue.pause(JobId(2)));
    assert!(queue.join(&request(2, "vocals")).is_none(), "a paused job is restarted, not joined");
}

#[test]
fn a_job_that_is_being_stopped_restarts_when_it_is_requested_again() {
    let (mut queue, now) = (queue(&[1, 2]), Instant::now());
    let job = start(&mut queue);
    assert!(queue.cancel(job.id, Some(job.song)));
    let again = JobRequest { request: Some(RequestId(9)), ..request(1, "drums") };
    let joined = queue.join(&again).unwrap();
    assert_eq!((joined.id, &joined.stems[..]), (job.id, &["drums".to_owned()][..]));
    let finished = finish(&mut queue, joined, Err(Problem::Cancelled), now);
    assert_eq!((finished.job.state, finished.request), (JobState::Waiting, Some(RequestId(9))));
    assert_eq!(order(&queue), [1, 2]);
}

#[test]
fn a_paused_job_is_passed_over_until_it_is_resumed() {
    let (mut queue, now) = (queue(&[1, 2, 3]), Instant::now());
    assert!(!queue.pause(JobId(1)));
    assert_eq!(order(&queue), [2, 3]);
    let running = start(&mut queue);
    assert_eq!(running.id, JobId(2));
    assert!(queue.pause(JobId(2)), "the worker is to be stopped");
    assert!(queue.unstopped(JobId(2)).is_none() && queue.running().is_some());
    let finished = finish(&mut queue, running, Err(Problem::Cancelled), now);
    assert_eq!(finished.job.state, JobState::Paused);
    assert_eq!(order(&queue), [3]);
    assert!(!queue.resume_running(JobId(2)));
    queue.resume(waiting(2));
    assert_eq!(order(&queue), [2, 3], "next in the queue");
    assert_eq!(queue.request_of(JobId(2)), Some(RequestId(2)));
}

#[test]
fn a_running_job_that_is_resumed_before_it_stops_restarts() {
    let (mut queue, now) = (queue(&[1, 2]), Instant::now());
    let job = start(&mut queue);
    assert!(queue.pause(job.id));
    assert!(queue.resume_running(job.id) && !queue.resume_running(JobId(2)));
    assert_eq!(finish(&mut queue, job, Err(Problem::Cancelled), now).job.state, JobState::Waiting);
    assert_eq!(order(&queue), [1, 2]);
}

#[test]
fn a_cancellation_overrides_other_reasons_and_nothing_overrides_it() {
    let (mut queue, now) = (queue(&[1]), Instant::now());
    let job = start(&mut queue);
    assert!(queue.restart_running() && queue.pause(job.id) && queue.cancel(job.id, None));
    assert!(queue.pause(job.id) && queue.restart_running() && queue.resume_running(job.id));
    assert_eq!(queue.interrupted().unwrap().state, JobState::Cancelled);
    let finished = finish(&mut queue, job, Err(Problem::Cancelled), now);
    assert_eq!(finished.job.state, JobState::Cancelled);
    assert!(order(&queue).is_empty() && !queue.restart_running());
}

/// A bag whose job got more stems just before the worker ended has segments left.
#[test]
fn an_incomplete_job_restarts_unless_it_was_stopped() {
    let now = Instant::now();
    let after = |stop: fn(&mut Queue) -> bool| {
        let mut queue = queue(&[1, 2]);
        let job = start(&mut queue);
        stop(&mut queue);
        let finished = finish(&mut queue, Job { segments_done: 1, ..job }, Ok(()), now);
        (finished.job.state, order(&queue))
    };
    assert_eq!(after(|_| true), (JobState::Waiting, vec![1, 2]));
    assert_eq!(after(|queue| queue.cancel(JobId(1), None)), (JobState::Cancelled, vec![2]));
    assert_eq!(after(|queue| queue.pause(JobId(1))), (JobState::Paused, vec![2]));
}

#[test]
fn a_cancelled_job_and_its_songs_held_requests_are_gone() {
    let mut queue = queue(&[1, 2]);
    for song in [1, 2] {
        queue.hold_request(JobRequest { options: options("n"), ..request(song, "bass") });
    }
    assert!(!queue.cancel(JobId(1), Some(SongId(1))));
    assert_eq!(order(&queue), [2]);
    assert_eq!(queue.held_requests().len(), 1);
    queue.drop_held_requests(Some(SongId(1)));
    assert_eq!(queue.held_requests().len(), 1);
    queue.drop_held_requests(None);
    assert!(queue.held_requests().is_empty());
}

#[test]
fn a_job_waits_for_the_disk_twice_as_long_after_each_try_without_progress() {
    let (mut queue, mut now) = (queue(&[1, 2]), Instant::now());
    let mut delays = Vec::new();
    for tries in 0..9 {
        let job = queue.start_next().unwrap().job;
        assert_eq!(job.id, JobId(1));
        let finished = finish(&mut queue, job, Err(disk_full()), now);
        assert_eq!(finished.job.state, JobState::Waiting);
        let Outcome::HeldByDisk { notice } = finished.outcome else { panic!("not held") };
        assert_eq!(notice.is_some(), tries == 0, "the user is notified once");
        assert_eq!(order(&queue), [2, 1]);
        let seconds =
            (0..200).find(|s| queue.due(now + Duration::from_secs(*s)).count() > 0).unwrap();
        delays.push(seconds);
        let again = now + Duration::from_secs(seconds);
        queue.release(&[JobId(1)], now + Duration::from_millis(1000 * seconds - 1));
        assert_eq!(queue.due(again).count(), 1, "too early");
        now = again;
        queue.release(&[JobId(1)], now);
        assert_eq!((order(&queue), queue.due(now).count()), (vec![2, 1], 0));
        assert!(queue.move_to(JobId(1), 0));
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    let job = Job { segments_done: 1, ..queue.start_next().unwrap().job };
    let finished = finish(&mut queue, job, Err(disk_full()), now);
    let notice = Some(Problem::WaitsForDisk { cause: Box::new(disk_full()) });
    assert_eq!(finished.outcome, Outcome::HeldByDisk { notice }, "it had progressed");
    assert_eq!(queue.due(now + Duration::from_secs(1)).count(), 1);
}

#[test]
fn a_stopped_job_does_not_wait_for_the_disk() {
    let (mut queue, now) = (queue(&[1]), Instant::now());
    let job = start(&mut queue);
    assert!(queue.cancel(job.id, None));
    let finished = finish(&mut queue, job, Err(disk_full()), now);
    assert_eq!(finished.job.state, JobState::Failed(disk_full()));
    assert!(order(&queue).is_empty());
}

#[test]
fn a_job_that_restarts_waits_for_the_disk() {
    let (mut queue, now) = (queue(&[1]), Instant::now());
    let job = start(&mut queue);
    assert!(queue.restart_running());
    let finished = finish(&mut queue, job, Err(disk_full()), now);
    assert_eq!(finished.job.state, JobState::Waiting);
    assert_eq!(order(&queue), [1]);
}

#[test]
fn a_job_on_whose_song_another_process_works_becomes_a_request() {
    let (mut queue, now) = (queue(&[1, 2]), Instant::now());
    let job = queue.start_next().unwrap().job;
    let finished = finish(&mut queue, job, Err(Problem::Locked), now);
    assert_eq!(finished.outcome, Outcome::HeldElsewhere);
    assert_eq!(finished.job.state, JobState::Waiting, "the other process owns the job's row");
    assert_eq!(order(&queue), [2]);
    let held = &queue.held_requests()[0];
    assert_eq!((held.reuse, held.request), (Some(JobId(1)), Some(RequestId(1))));
    assert_eq!(held.from_frame, 100);
    assert!(queue.take_requests(&[(SongId(1), options("n"))]).is_empty());
    assert_eq!(queue.take_requests(&[(SongId(1), options("m"))]).len(), 1);
    assert!(queue.held_requests().is_empty());
}

#[test]
fn requests_for_the_same_stems_are_held_as_one() {
    let mut queue = Queue::default();
    let first = JobRequest { reuse: Some(JobId(7)), ..request(1, "bass") };
    queue.hold_request(first);
    queue.hold_request(JobRequest { request: Some(RequestId(3)), ..request(1, "drums") });
    queue.hold_request(JobRequest { options: options("n"), ..request(1, "bass") });
    let [held, other] = queue.held_requests() else { panic!("{:?}", queue.held_requests()) };
    assert_eq!(held.stems, ["bass", "drums"]);
    assert_eq!((held.reuse, held.request), (Some(JobId(7)), Some(RequestId(3))));
    assert_eq!(other.stems, ["bass"]);
    assert!(!queue.pause(JobId(7)));
    assert_eq!(queue.held_requests().len(), 1, "a paused job is not repeated");
}

#[test]
fn a_waiting_job_is_moved_among_the_waiting() {
    let mut queue = queue(&[1, 2, 3, 4]);
    assert!(!queue.pause(JobId(2)));
    assert!(queue.move_to(JobId(4), 1));
    assert_eq!(order(&queue), [1, 4, 3]);
    assert!(queue.move_to(JobId(1), 99));
    assert_eq!(order(&queue), [4, 3, 1]);
    assert!(queue.move_to(JobId(3), 0));
    assert_eq!(order(&queue), [3, 4, 1]);
    assert!(!queue.move_to(JobId(2), 0), "it is paused");
    assert!(!queue.move_to(JobId(9), 0));
}

#[test]
fn jobs_that_the_library_lost_are_forgotten() {
    let (mut queue, now) = (queue(&[1, 2, 3]), Instant::now());
    let job = start(&mut queue);
    queue.hold_request(request(2, "drums"));
    assert!(!queue.retain(|id| id != JobId(2), |song| song != SongId(2)));
    assert_eq!(order(&queue), [3]);
    assert!(queue.held_requests().is_empty());
    assert!(queue.retain(|id| id != JobId(1), |_| true), "the worker is to be stopped");
    let finished = finish(&mut queue, job, Err(Problem::Cancelled), now);
    assert_eq!(finished.job.state, JobState::Cancelled);
    queue.forget(JobId(3));
    assert!(queue.start_next().is_none());
}

#[test]
fn a_change_of_the_order_is_returned_once() {
    let mut queue = queue(&[1, 2]);
    assert_eq!(queue.order_change(), Some(vec![JobId(1), JobId(2)]));
    assert_eq!(queue.order_change(), None);
    start(&mut queue);
    assert_eq!(queue.order_change(), Some(vec![JobId(2)]));
}
