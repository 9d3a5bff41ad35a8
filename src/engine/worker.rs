//! The thread that separates: takes one job at a time, keeps the model loaded between jobs.
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
    CancelToken, Compute, EngineError, JobId, Result, memory,
    mishap::caught,
    pool,
    separate::Separation,
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
    /// The frame that is listened to.
    pub(super) head: Box<dyn Fn() -> u64 + Send>,
}

/// What the worker tells.
pub(super) enum Progress {
    /// A segment is in the store; seconds that it took.
    Segment(JobId, usize, f64),
    /// The job ended.
    Ended(JobId, Result<()>),
}

/// The worker thread. Dropping the handle ends it after its segment.
pub(super) struct Worker {
    inbox: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        compute: Compute,
        tell: impl Fn(Progress) + Send + 'static,
    ) -> Result<Self> {
        pool::check(compute)?;
        let (inbox, tasks) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("separate".into())
            .spawn(move || run(&tasks, compute, &tell))
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    /// Gives the worker its next job; it must have ended the one before.
    pub(super) fn give(&self, task: Task) -> Result<()> {
        let given = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(task).is_ok());
        if given { Ok(()) } else { Err(EngineError::Busy("the worker has ended".into())) }
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
    network: Box<dyn Separator>,
    pool: rayon::ThreadPool,
}

fn run(tasks: &Receiver<Task>, compute: Compute, tell: &dyn Fn(Progress)) {
    let mut loaded: Option<Loaded> = None;
    for task in tasks {
        // A bug in the network ends this job with its reason, not the thread.
        let work = || separate(&task, compute, &mut loaded, tell);
        let result = caught("separating this song", work);
        if matches!(result, Err(EngineError::Stumbled { .. })) {
            loaded = None; // nobody knows what it left behind
        }
        // Between jobs a window may stand idle for hours.
        model::arena::release();
        tell(Progress::Ended(task.job, result));
    }
}

fn load(weights: &Path, compute: Compute) -> Result<Loaded> {
    let (spec, _) = model::describe(weights)?;
    let bytes = weights.metadata().map_or(0, |about| about.len());
    let compute = memory::fit(compute, &spec, bytes)?;
    let pool = pool::new(compute)?;
    let network = pool.install(|| model::load(weights, compute.precision))?;
    Ok(Loaded { weights: weights.to_owned(), network, pool })
}

fn separate(
    task: &Task,
    compute: Compute,
    loaded: &mut Option<Loaded>,
    tell: &dyn Fn(Progress),
) -> Result<()> {
    if loaded.as_ref().is_none_or(|it| it.weights != task.weights) {
        *loaded = None; // never two networks at once
        *loaded = Some(load(&task.weights, compute)?);
    }
    let Some(Loaded { network, pool, .. }) = loaded else { return Ok(()) };
    let mut since = Instant::now();
    let work = Separation { mix: &task.mix, stems: &task.stems, model: network.as_ref(), pool };
    work.run(&task.head, &task.cancel, &mut |segment| {
        tell(Progress::Segment(task.job, segment, since.elapsed().as_secs_f64()));
        since = Instant::now();
    })
}
