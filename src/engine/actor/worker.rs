//! The thread that separates: takes one job at a time, loads the model before a job is there, and keeps
//! it between jobs.
//!
//! It waits for nothing but work; the network itself runs on the pool.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::{
    engine::{
        problem::{Activity, Problem, Result},
        separation::{
            installed::InstalledModel,
            loaded_model::{LoadedModel, Work},
            pool,
            run::Step,
            scheduler::Listener,
        },
        store::{MixStore, StemStore, track::SongTrack},
        system::{
            panics::caught,
            threads::{self, Thread},
        },
        types::{CancelToken, Compute, JobId},
    },
    model,
};

/// After so long without work, the memory that segments are computed in is given back.
const IDLE: Duration = Duration::from_mins(1);

/// One job, with all it needs.
pub(in crate::engine) struct Task {
    pub(in crate::engine) job: JobId,
    pub(in crate::engine) mix: Arc<MixStore>,
    pub(in crate::engine) stems: Arc<StemStore>,
    /// Made first, where there is one.
    pub(in crate::engine) draft: Option<Arc<StemStore>>,
    pub(in crate::engine) model: InstalledModel,
    /// The stems that are wanted.
    pub(in crate::engine) wanted: Vec<usize>,
    pub(in crate::engine) is_draft: bool,
    pub(in crate::engine) cancel: CancelToken,
    pub(in crate::engine) compute: Compute,
    /// Seconds that a segment of one network is expected to take, where that is known.
    pub(in crate::engine) pace: Option<f64>,
    /// Where the listener is.
    pub(in crate::engine) listener: Box<dyn Fn() -> Listener + Send + Sync>,
}

/// What the worker does for the running job, and how far it is.
pub(super) struct RunningTask {
    pub(super) track: SongTrack,
    pub(super) cancel: CancelToken,
    /// Segments that were in the store at its start, and that it has added.
    pub(super) known_segments: usize,
    /// Segments that it has added, and the seconds that they took.
    pub(super) computed: (usize, f64),
    /// The same of its draft.
    pub(super) drafted: (usize, f64),
    /// Networks that it runs for each segment.
    pub(super) networks: usize,
}

/// Progress of the worker.
pub(in crate::engine) enum Progress {
    /// A segment is being computed, of the stems or of their draft.
    Begins { job: JobId, segment: usize, is_of_draft: bool },
    /// A segment can be heard.
    Readable { job: JobId, segment: usize, is_of_draft: bool },
    /// One more segment is in the store; seconds that it took.
    Segment { job: JobId, is_of_draft: bool, seconds: f64 },
    /// The job ended.
    Ended(JobId, Result<()>),
}

/// An order to the worker.
enum Order {
    /// The next job.
    Work(Box<Task>),
    /// A job with this model is likely to come: so that it need not wait for it then.
    Load(InstalledModel, Compute),
}

/// The worker thread. Dropping the handle ends it after its segment.
pub(in crate::engine) struct Worker {
    inbox: Option<Sender<Order>>,
    thread: Option<Thread>,
}

impl Worker {
    /// Starts it; other things take `beside` bytes of the memory.
    pub(in crate::engine) fn start(
        compute: Compute,
        beside: u64,
        tell: impl Fn(Progress) + Send + 'static,
    ) -> Result<Self> {
        pool::check(compute)?;
        // A job, behind a model that is to be loaded.
        let (inbox, orders) = bounded(2);
        let thread = threads::start("separate", move || {
            let make =
                |model: &InstalledModel, compute| LoadedModel::new(model.clone(), compute, beside);
            run(&orders, &make, &tell);
        })?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    /// Gives the worker its next job; it must have ended the one before.
    pub(in crate::engine) fn give(&self, task: Task) -> Result<()> {
        let order = Order::Work(Box::new(task));
        let given = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(order).is_ok());
        if given { Ok(()) } else { Err(Problem::ThreadEnded) }
    }

    /// Has the worker load a model before the job comes that wants it; only while it has none.
    pub(in crate::engine) fn prepare(&self, model: InstalledModel, compute: Compute) {
        if let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_empty()) {
            inbox.try_send(Order::Load(model, compute)).ok(); // the job will load it itself
        }
    }

    /// Waits for the worker to end; its task must have been cancelled.
    pub(in crate::engine) fn join(mut self) {
        self.inbox = None;
        self.thread = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Detached: a segment that is being computed is not waited for. Its store is as it was before.
        if let Some(thread) = self.thread.take() {
            thread.detach();
        }
    }
}

/// Loads this model, beside what other things take of the memory.
type Make<'a> = &'a dyn Fn(&InstalledModel, Compute) -> Result<LoadedModel>;

fn run(orders: &Receiver<Order>, make: Make<'_>, tell: &dyn Fn(Progress)) {
    let mut loaded: Option<LoadedModel> = None;
    loop {
        let task = match orders.recv_timeout(IDLE) {
            Err(RecvTimeoutError::Disconnected) => return,
            // A window may stand idle for hours.
            Err(RecvTimeoutError::Timeout) => {
                model::arena::release();
                continue;
            }
            Ok(Order::Work(task)) => task,
            Ok(Order::Load(model, compute)) => {
                let work = || {
                    let loaded_model = have(&mut loaded, make, &model, compute)?;
                    loaded_model.prepare()?;
                    loaded_model.warm_up(&|| !orders.is_empty());
                    Ok(())
                };
                if let Err(e) = caught(Activity::LoadingModel, work) {
                    tracing::debug!("{e}"); // the job will say it
                    loaded = None;
                }
                continue;
            }
        };
        // A bug in the network ends this job with its reason, not the thread.
        let work = || separate(&task, &mut loaded, make, tell);
        let result = caught(Activity::Separating, work);
        if matches!(result, Err(Problem::Internal { .. })) {
            loaded = None; // its state is unknown
        }
        tell(Progress::Ended(task.job, result));
    }
}

/// The model, which is loaded unless it is there.
fn have<'a>(
    loaded: &'a mut Option<LoadedModel>,
    make: Make<'_>,
    model: &InstalledModel,
    compute: Compute,
) -> Result<&'a mut LoadedModel> {
    let loaded_model = match loaded.take().filter(|loaded| loaded.is_of(model, compute)) {
        Some(loaded_model) => loaded_model,
        None => make(model, compute)?, // never two models at once: the other is gone
    };
    Ok(loaded.insert(loaded_model))
}

fn separate(
    task: &Task,
    loaded: &mut Option<LoadedModel>,
    load: Make<'_>,
    tell: &dyn Fn(Progress),
) -> Result<()> {
    let loaded_model = have(loaded, load, &task.model, task.compute)?;
    let mut since = Instant::now();
    let mut make = |stems: &StemStore, is_draft: bool, is_of_draft: bool| {
        let (mix, wanted, pace) = (&task.mix, &task.wanted[..], task.pace);
        let work = Work { mix, stems, wanted, is_draft, pace };
        let job = task.job;
        loaded_model.separate(&work, &*task.listener, &task.cancel, &mut |step| match step {
            Step::Begins(segment) => tell(Progress::Begins { job, segment, is_of_draft }),
            Step::Readable(segment) => tell(Progress::Readable { job, segment, is_of_draft }),
            Step::Stored(_) => {
                let seconds = since.elapsed().as_secs_f64();
                tell(Progress::Segment { job, is_of_draft, seconds });
                since = Instant::now();
            }
        })
    };
    // Where little is missing, the better stems are there as soon.
    let missing = task.stems.missing(&task.wanted);
    let all = task.stems.plan().len() * task.stems.groups_of(&task.wanted).len();
    if let Some(draft) = task.draft.as_ref().filter(|_| 2 * missing > all) {
        make(draft, true, true)?;
    }
    make(&task.stems, task.is_draft, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            separation::{installed::InstalledNetwork, plan::Plan},
            store::MixWriter,
            types::CHANNELS,
        },
        model::{Memory, Result as ModelResult, Separator, Spec, Stop},
    };

    /// A network that panics at its third segment, the first time that it is loaded.
    struct Clumsy {
        spec: Spec,
        calls: std::sync::atomic::AtomicUsize,
        panics: bool,
    }

    impl Separator for Clumsy {
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
    fn a_bug_in_the_network_ends_its_job_and_the_next_goes_on_from_there() {
        let home = tempfile::tempdir().unwrap();
        let mut writer = MixWriter::create(home.path()).unwrap();
        writer.push(&vec![0.25; CHANNELS * 5000]).unwrap();
        let mix = Arc::new(writer.finish().unwrap());
        let sources = vec!["all".to_owned()];
        let stems =
            StemStore::open(&home.path().join("stems"), Plan::new(5000, 1000), &sources).unwrap();
        let stems = Arc::new(stems);
        let spec = Spec::triangle(sources.clone(), 1000);
        let (weights, memory) = ("weights".into(), Memory::default());
        let networks = vec![InstalledNetwork { weights, memory, shares: vec![1.0] }];
        let model = InstalledModel {
            name: "clumsy".into(),
            networks,
            digest: String::new(),
            spec: spec.clone(),
        };
        let (inbox, tasks) = bounded(2);
        for job in [1, 2] {
            let task = Task {
                job: JobId(job),
                mix: Arc::clone(&mix),
                stems: Arc::clone(&stems),
                draft: None,
                model: model.clone(),
                wanted: vec![0],
                is_draft: false,
                cancel: CancelToken::default(),
                compute: Compute::default(),
                pace: None,
                listener: Box::new(Listener::default),
            };
            inbox.send(Order::Work(Box::new(task))).unwrap();
        }
        drop(inbox);
        let loads = std::sync::atomic::AtomicUsize::new(0);
        let make = |model: &InstalledModel, compute| {
            let panics = loads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let network = Clumsy { spec: spec.clone(), calls: 0.into(), panics };
            Ok(LoadedModel::new(model.clone(), compute, 0)?.with(Box::new(network)))
        };
        let reported = std::sync::Mutex::new(Vec::new());
        run(&tasks, &make, &|progress| reported.lock().unwrap().push(progress));
        let (mut segments, mut ends) = (Vec::new(), Vec::new());
        for progress in reported.into_inner().unwrap() {
            match progress {
                Progress::Begins { .. } | Progress::Segment { .. } => {}
                Progress::Readable { job, segment, .. } => segments.push((job.0, segment)),
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
        let plan = stems.plan().len();
        let rest: Vec<_> = (2..plan).map(|segment| (2, segment)).collect();
        assert_eq!(segments[2..], rest, "nothing is computed again");
        assert!(stems.is_complete());
    }
}
