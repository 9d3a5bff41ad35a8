//! The thread that separates: takes one job at a time, loads the model before a job is there, and keeps
//! it between jobs.
//!
//! It waits for nothing but work; the network itself runs on the pool.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    CancelToken, Compute, EngineError, JobId, Result,
    aim::Listener,
    memory,
    mishap::caught,
    pool, priority,
    separate::{Separation, Step},
    store::{MixStore, StemStore},
};
use crate::model::{self, Separator};

/// One job, with all it needs.
pub(super) struct Task {
    pub(super) job: JobId,
    pub(super) mix: Arc<MixStore>,
    pub(super) stems: Arc<StemStore>,
    pub(super) weights: PathBuf,
    pub(super) cancel: CancelToken,
    pub(super) compute: Compute,
    /// Seconds that a segment is expected to take, where that is known.
    pub(super) pace: Option<f64>,
    /// Where the listener is.
    pub(super) listener: Box<dyn Fn() -> Listener + Send + Sync>,
}

/// What the worker tells.
pub(super) enum Progress {
    /// A segment is being computed.
    Begins(JobId, usize),
    /// A segment can be heard.
    Readable(JobId, usize),
    /// One more segment is in the store; seconds that it took.
    Segment(JobId, f64),
    /// The job ended.
    Ended(JobId, Result<()>),
}

/// What the worker is asked for.
enum Order {
    /// The next job.
    Work(Box<Task>),
    /// A job with these weights is likely to come: so that it need not wait for them then.
    Load(PathBuf, Compute),
}

/// The worker thread. Dropping the handle ends it after its segment.
pub(super) struct Worker {
    inbox: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts it; other things take `beside` bytes of the memory.
    pub(super) fn start(
        compute: Compute,
        beside: u64,
        tell: impl Fn(Progress) + Send + 'static,
    ) -> Result<Self> {
        pool::check(compute)?;
        // A job, behind weights that are to be loaded.
        let (inbox, orders) = bounded(2);
        let thread = std::thread::Builder::new()
            .name("separate".into())
            .spawn(move || run(&orders, &|weights, compute| load(weights, compute, beside), &tell))
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    /// Gives the worker its next job; it must have ended the one before.
    pub(super) fn give(&self, task: Task) -> Result<()> {
        let order = Order::Work(Box::new(task));
        let given = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(order).is_ok());
        if given { Ok(()) } else { Err(EngineError::Busy("the worker has ended".into())) }
    }

    /// Has the worker load a network before the job comes that wants it; only while it has none.
    pub(super) fn prepare(&self, weights: PathBuf, compute: Compute) {
        if let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_empty()) {
            inbox.try_send(Order::Load(weights, compute)).ok(); // the job will load it itself
        }
    }

    /// Waits for the worker to end; its task must have been cancelled.
    pub(super) fn join(mut self) {
        self.inbox = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the separation thread panicked");
        }
    }
}

/// A network, and the threads that it runs on.
struct Loaded {
    weights: PathBuf,
    compute: Compute,
    network: Box<dyn Separator>,
    pool: rayon::ThreadPool,
}

/// Loads weights, to be run in this way.
type Load<'a> = &'a dyn Fn(&Path, Compute) -> Result<Loaded>;

fn run(orders: &Receiver<Order>, load: Load<'_>, tell: &dyn Fn(Progress)) {
    let mut loaded: Option<Loaded> = None;
    for order in orders {
        let task = match order {
            Order::Work(task) => task,
            Order::Load(weights, compute) => {
                let work = || have(&mut loaded, load, &weights, compute).map(drop);
                if let Err(e) = caught("loading the model", work) {
                    tracing::debug!("{}", e.in_words()); // the job will say it
                    loaded = None;
                }
                continue;
            }
        };
        // A bug in the network ends this job with its reason, not the thread.
        let work = || separate(&task, &mut loaded, load, tell);
        let result = caught("separating this song", work);
        if matches!(result, Err(EngineError::Stumbled { .. })) {
            loaded = None; // nobody knows what it left behind
        }
        // Between jobs a window may stand idle for hours.
        model::arena::release();
        tell(Progress::Ended(task.job, result));
    }
}

/// The network of these weights; loads it unless it is there.
fn have<'a>(
    loaded: &'a mut Option<Loaded>,
    load: Load<'_>,
    weights: &Path,
    compute: Compute,
) -> Result<&'a Loaded> {
    let is_it = |it: &Loaded| it.weights == weights && it.compute == compute;
    let network = match loaded.take().filter(is_it) {
        Some(network) => network,
        None => load(weights, compute)?, // never two networks at once: the other is gone
    };
    Ok(loaded.insert(network))
}

fn load(weights: &Path, compute: Compute, beside: u64) -> Result<Loaded> {
    let (spec, _) = model::describe(weights)?;
    let bytes = weights.metadata().map_or(0, |about| about.len());
    let fitting = memory::fit(compute, &spec, bytes, beside)?;
    let pool = pool::new(fitting)?;
    pool.broadcast(|_| priority::step_back(priority::SEPARATING));
    let network = pool.install(|| model::load(weights, fitting.precision))?;
    Ok(Loaded { weights: weights.to_owned(), compute, network, pool })
}

fn separate(
    task: &Task,
    loaded: &mut Option<Loaded>,
    load: Load<'_>,
    tell: &dyn Fn(Progress),
) -> Result<()> {
    let Loaded { network, pool, .. } = have(loaded, load, &task.weights, task.compute)?;
    let mut since = Instant::now();
    let (mix, stems, model, pace) = (&task.mix, &task.stems, network.as_ref(), task.pace);
    let work = Separation { mix, stems, model, pool, pace };
    work.run(&*task.listener, &task.cancel, &mut |step| match step {
        Step::Begins(segment) => tell(Progress::Begins(task.job, segment)),
        Step::Readable(segment) => tell(Progress::Readable(task.job, segment)),
        Step::Stored(_) => {
            tell(Progress::Segment(task.job, since.elapsed().as_secs_f64()));
            since = Instant::now();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{CHANNELS, plan::Plan, store::MixWriter},
        model::{Result as ModelResult, Spec, Stop},
    };

    /// A network that stumbles over its third segment, the first time that it is loaded.
    struct Clumsy {
        spec: Spec,
        calls: std::sync::atomic::AtomicUsize,
        stumbles: bool,
    }

    impl Separator for Clumsy {
        fn spec(&self) -> &Spec {
            &self.spec
        }

        fn separate_unless(&self, mix: &[f32], _stop: Stop<'_>) -> ModelResult<Vec<f32>> {
            let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(call < 2 || !self.stumbles, "on purpose");
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
        let (inbox, tasks) = bounded(2);
        for job in [1, 2] {
            let task = Task {
                job: JobId(job),
                mix: Arc::clone(&mix),
                stems: Arc::clone(&stems),
                weights: PathBuf::from("weights"),
                cancel: CancelToken::default(),
                compute: Compute::default(),
                pace: None,
                listener: Box::new(Listener::default),
            };
            inbox.send(Order::Work(Box::new(task))).unwrap();
        }
        drop(inbox);
        let loads = std::sync::atomic::AtomicUsize::new(0);
        let load = |weights: &Path, compute| {
            let stumbles = loads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            let spec = Spec {
                sources: sources.clone(),
                sample_rate: 44_100,
                channels: CHANNELS,
                segment_frames: 1000,
            };
            let network = Box::new(Clumsy { spec, calls: 0.into(), stumbles });
            let pool = pool::new(Compute { threads: Some(2), ..Compute::default() })?;
            Ok(Loaded { weights: weights.to_owned(), compute, network, pool })
        };
        let told = std::sync::Mutex::new(Vec::new());
        run(&tasks, &load, &|news| told.lock().unwrap().push(news));
        let (mut segments, mut ends) = (Vec::new(), Vec::new());
        for news in told.into_inner().unwrap() {
            match news {
                Progress::Begins(..) | Progress::Segment(..) => {}
                Progress::Readable(JobId(job), segment) => segments.push((job, segment)),
                Progress::Ended(JobId(job), result) => ends.push((job, result)),
            }
        }
        assert!(matches!(&ends[0], (1, Err(e)) if e.in_words().contains("on purpose")), "{ends:?}");
        assert!(matches!(&ends[1], (2, Ok(()))), "{ends:?}");
        assert_eq!(loads.into_inner(), 2, "what stumbled is not used again");
        assert_eq!(segments[..2], [(1, 0), (1, 1)]);
        let plan = stems.plan().len();
        let rest: Vec<_> = (2..plan).map(|segment| (2, segment)).collect();
        assert_eq!(segments[2..], rest, "nothing is computed again");
        assert!(stems.is_complete());
    }
}
