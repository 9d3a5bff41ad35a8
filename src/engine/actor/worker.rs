//! The worker thread, which separates songs: it runs one job at a time, preloads the model, and keeps
//! the model loaded between jobs.
//!
//! It blocks only on its channel; the network itself runs on the pool.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::{
    engine::{
        problem::{Activity, Problem, Result},
        separation::{
            chain::Chain,
            device::{Devices, choice::Failure},
            loaded_chain::{LoadedChain, Work},
            pool,
            run::SegmentEvent,
            scheduler::Listener,
        },
        store::{At, MixStore, StemTree, track::SongTrack},
        system::{
            panics::caught,
            threads::{self, Thread},
        },
        types::{CancelToken, Compute, JobId},
    },
    model::{self, Device},
};

/// The idle time after which the scratch memory of the network is freed.
const IDLE: Duration = Duration::from_mins(1);

/// A job, with everything that it needs.
pub(in crate::engine) struct Task {
    pub(in crate::engine) job: JobId,
    pub(in crate::engine) mix: Arc<MixStore>,
    pub(in crate::engine) stems: Arc<StemTree>,
    /// The stores of the draft and its requested stems, if one is to be made before the stems.
    pub(in crate::engine) draft: Option<Draft>,
    pub(in crate::engine) chain: Arc<Chain>,
    /// The indices of the requested stems.
    pub(in crate::engine) wanted: Vec<usize>,
    pub(in crate::engine) is_draft: bool,
    pub(in crate::engine) cancel: CancelToken,
    pub(in crate::engine) compute: Compute,
    /// The expected seconds per segment of one network of each step, if known.
    pub(in crate::engine) paces: Vec<Option<f64>>,
    /// Returns the listener's position.
    pub(in crate::engine) listener: Box<dyn Fn() -> Listener + Send + Sync>,
}

/// A draft to make before the stems, by its own chain.
pub(in crate::engine) struct Draft {
    pub(in crate::engine) chain: Arc<Chain>,
    pub(in crate::engine) stems: Arc<StemTree>,
    /// The indices of the requested stems in the draft's chain.
    pub(in crate::engine) wanted: Vec<usize>,
    /// The expected seconds per segment of one network of each step, if known.
    pub(in crate::engine) paces: Vec<Option<f64>>,
}

/// The worker's task for the running job, and its progress.
pub(super) struct RunningTask {
    pub(super) track: SongTrack,
    pub(super) cancel: CancelToken,
    /// Segments that were in the store at the job's start, plus those that the job has added.
    pub(super) known_segments: usize,
    /// For each step, the segments that the job has added, and the seconds that they took.
    pub(super) computed: Vec<(usize, f64)>,
    /// For each step of the draft, the segments that the job has added to it, and their seconds.
    pub(super) drafted: Vec<(usize, f64)>,
    /// The devices that were expected to compute the steps.
    pub(super) devices: Vec<Device>,
    /// Last known position of the listener, as a frame.
    pub(super) heard_at: Arc<AtomicU64>,
}

/// Progress of the worker.
pub(in crate::engine) enum Progress {
    /// The worker has begun a segment of the stems or of their draft.
    Begins { job: JobId, at: At, is_of_draft: bool },
    /// A segment can be read, and so played.
    Readable { job: JobId, at: At, is_of_draft: bool },
    /// The worker has stored a segment, which took this many seconds.
    Segment { job: JobId, at: At, is_of_draft: bool, seconds: f64 },
    /// A device failed, and the processor takes over.
    DeviceFailed(JobId, Failure),
    /// The job has ended.
    Ended(JobId, Result<()>),
}

/// An order to the worker.
enum Order {
    /// The next job.
    Work(Box<Task>),
    /// Preload this chain for a draft or for stems, because a job with it is likely to follow.
    Load(Arc<Chain>, Compute, bool),
}

/// A handle to the worker thread. Dropping it ends the thread after its current segment.
pub(in crate::engine) struct Worker {
    inbox: Option<Sender<Order>>,
    thread: Option<Thread>,
}

impl Worker {
    /// Starts the thread. `beside` is the memory that the rest of the program uses, in bytes.
    pub(in crate::engine) fn start(
        compute: Compute,
        beside: u64,
        devices: Arc<Devices>,
        report: impl Fn(Progress) + Send + 'static,
    ) -> Result<Self> {
        pool::check(compute)?;
        devices.check(compute.device)?;
        // Room for a model to preload, and the job after it.
        let (inbox, orders) = bounded(2);
        let thread = threads::start("separate", move || {
            let make = |chain: &Arc<Chain>, compute| {
                LoadedChain::new(Arc::clone(chain), compute, beside, Arc::clone(&devices))
            };
            run(&orders, &make, &report);
        })?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    /// Sends the worker its next job. The previous one must have ended.
    ///
    /// # Errors
    /// [`Problem::ThreadEnded`] if the worker has ended or is busy.
    pub(in crate::engine) fn give(&self, task: Task) -> Result<()> {
        let order = Order::Work(Box::new(task));
        let was_sent = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(order).is_ok());
        if was_sent { Ok(()) } else { Err(Problem::ThreadEnded) }
    }

    /// Preloads a chain for a likely job, which begins with a draft or with stems, unless the worker has
    /// something to do.
    pub(in crate::engine) fn prepare(&self, chain: Arc<Chain>, compute: Compute, is_draft: bool) {
        if let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_empty()) {
            // Failure is harmless: the job loads its model itself.
            inbox.try_send(Order::Load(chain, compute, is_draft)).ok();
        }
    }

    /// Waits for the worker to end. Its task must have been cancelled.
    pub(in crate::engine) fn join(mut self) {
        self.inbox = None;
        self.thread = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Detached instead of joined, because a segment may take long. The store has complete
        // segments only.
        if let Some(thread) = self.thread.take() {
            thread.detach();
        }
    }
}

/// Loads a chain within the memory that the rest of the program leaves.
type Make<'a> = &'a dyn Fn(&Arc<Chain>, Compute) -> Result<LoadedChain>;

fn run(orders: &Receiver<Order>, make: Make<'_>, report: &dyn Fn(Progress)) {
    let mut loaded: Option<LoadedChain> = None;
    loop {
        let task = match orders.recv_timeout(IDLE) {
            Err(RecvTimeoutError::Disconnected) => return,
            // A window may be idle for hours.
            Err(RecvTimeoutError::Timeout) => {
                model::arena::release();
                continue;
            }
            Ok(Order::Work(task)) => task,
            Ok(Order::Load(chain, compute, is_draft)) => {
                let work = || {
                    let loaded_chain = ensure_loaded(&mut loaded, make, &chain, compute)?;
                    let stop = || !orders.is_empty();
                    loaded_chain.prepare(is_draft, &stop)?;
                    loaded_chain.warm_up(&stop);
                    Ok(())
                };
                if let Err(e) = caught(Activity::LoadingModel, work) {
                    tracing::debug!("{e}"); // the job fails with the same error, and reports it
                    loaded = None;
                }
                continue;
            }
        };
        // A panic in the network fails this job, and leaves the thread running.
        let work = || separate(&task, &mut loaded, make, report);
        let result = caught(Activity::Separating, work);
        if matches!(result, Err(Problem::Internal { .. })) {
            loaded = None; // its state is unknown
        }
        report(Progress::Ended(task.job, result));
    }
}

/// The chain, loaded if it is not already.
fn ensure_loaded<'a>(
    loaded: &'a mut Option<LoadedChain>,
    make: Make<'_>,
    chain: &Arc<Chain>,
    compute: Compute,
) -> Result<&'a mut LoadedChain> {
    let loaded_chain = match loaded.take().filter(|loaded| loaded.is_of(chain, compute)) {
        Some(loaded_chain) => loaded_chain,
        None => make(chain, compute)?, // the previous one was dropped: two may not fit into memory
    };
    Ok(loaded.insert(loaded_chain))
}

fn separate(
    task: &Task,
    loaded: &mut Option<LoadedChain>,
    load: Make<'_>,
    report: &dyn Fn(Progress),
) -> Result<()> {
    let (mix, job, mut since) = (&task.mix, task.job, Instant::now());
    let mut make = |chain: &Arc<Chain>, work: &Work<'_>, is_of_draft: bool| {
        let loaded_chain = ensure_loaded(loaded, load, chain, task.compute)?;
        loaded_chain.separate(work, &*task.listener, &task.cancel, &mut |event| match event {
            SegmentEvent::Begins(at) => report(Progress::Begins { job, at, is_of_draft }),
            SegmentEvent::Readable(at) => report(Progress::Readable { job, at, is_of_draft }),
            SegmentEvent::DeviceFailed(failure) => report(Progress::DeviceFailed(job, failure)),
            SegmentEvent::Stored(at) => {
                let seconds = since.elapsed().as_secs_f64();
                report(Progress::Segment { job, at, is_of_draft, seconds });
                since = Instant::now();
            }
        })
    };
    if let Some(Draft { chain, stems, wanted, paces }) = &task.draft {
        make(chain, &Work { mix, stems, wanted, is_draft: true, paces }, true)?;
    }
    let Task { chain, stems, wanted, is_draft, paces, .. } = task;
    make(chain, &Work { mix, stems, wanted, is_draft: *is_draft, paces }, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            separation::installed::{InstalledModel, InstalledNetwork},
            store::MixWriter,
            types::CHANNELS,
        },
        model::{Memory, Result as ModelResult, Separator, Spec, Stop},
    };

    /// A network that panics at its third segment, the first time that it is loaded.
    struct PanickingNetwork {
        spec: Spec,
        calls: std::sync::atomic::AtomicUsize,
        panics: bool,
    }

    impl Separator for PanickingNetwork {
        fn spec(&self) -> &Spec {
            &self.spec
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(call < 2 || !self.panics, "on purpose");
            Ok(mix.to_vec())
        }
    }

    #[test]
    fn a_panic_in_the_network_fails_its_job_and_the_next_job_resumes_after_it() {
        let home = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(home.path()).unwrap();
        writer.push(&vec![0.25; CHANNELS * 5000]).unwrap();
        let mix = Arc::new(writer.finish().unwrap());
        let sources = vec!["all".to_owned()];
        let spec = Spec::triangle(sources.clone(), 1000);
        let (weights, memory) = ("weights".into(), Memory::default());
        let (identity, shares) = (String::new(), vec![1.0]);
        let networks = vec![InstalledNetwork { weights, identity, memory, shares }];
        let model = InstalledModel {
            name: "panicking".into(),
            networks,
            digest: String::new(),
            spec: spec.clone(),
        };
        let chain = Arc::new(Chain::of_model(model));
        let quality = crate::engine::separation::options::Quality::default();
        let stems = StemTree::open(Arc::clone(&chain), home.path(), Arc::clone(&mix), quality);
        let stems = Arc::new(stems.unwrap());
        let (inbox, tasks) = bounded(2);
        for job in [1, 2] {
            let task = Task {
                job: JobId(job),
                mix: Arc::clone(&mix),
                stems: Arc::clone(&stems),
                draft: None,
                chain: Arc::clone(&chain),
                wanted: vec![0],
                is_draft: false,
                cancel: CancelToken::default(),
                compute: Compute::default(),
                paces: Vec::new(),
                listener: Box::new(Listener::default),
            };
            inbox.send(Order::Work(Box::new(task))).unwrap();
        }
        drop(inbox);
        let loads = std::sync::atomic::AtomicUsize::new(0);
        let make = |chain: &Arc<Chain>, compute| {
            let panics = loads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let network = PanickingNetwork { spec: spec.clone(), calls: 0.into(), panics };
            Ok(LoadedChain::new(Arc::clone(chain), compute, 0, Arc::default())?
                .with(Box::new(network)))
        };
        let reported = std::sync::Mutex::new(Vec::new());
        run(&tasks, &make, &|progress| reported.lock().unwrap().push(progress));
        let (mut segments, mut ends) = (Vec::new(), Vec::new());
        for progress in reported.into_inner().unwrap() {
            match progress {
                Progress::Begins { .. } | Progress::Segment { .. } | Progress::DeviceFailed(..) => {
                }
                Progress::Readable { job, at, .. } => segments.push((job.0, at.segment)),
                Progress::Ended(JobId(job), result) => ends.push((job, result)),
            }
        }
        assert!(
            matches!(&ends[0], (1, Err(e)) if e.to_string().contains("on purpose")),
            "{ends:?}"
        );
        assert!(matches!(&ends[1], (2, Ok(()))), "{ends:?}");
        assert_eq!(loads.into_inner(), 2, "a network that panicked is not used again");
        assert_eq!(segments[..2], [(1, 0), (1, 1)]);
        let plan = stems.plan(0).len();
        let rest: Vec<_> = (2..plan).map(|segment| (2, segment)).collect();
        assert_eq!(segments[2..], rest, "no stored segment is computed again");
        assert!(stems.is_complete());
    }
}
