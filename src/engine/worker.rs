//! The thread that separates: takes one job at a time, keeps the model loaded between jobs.
//!
//! It waits for nothing but work; the network itself runs on the pool.

use std::{panic::AssertUnwindSafe, path::PathBuf, sync::Arc, thread::JoinHandle, time::Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    CancelToken, Compute, EngineError, JobId, Result,
    aim::Listener,
    pool,
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
        let pool = pool::new(compute)?;
        let (inbox, tasks) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("separate".into())
            .spawn(move || run(&tasks, Means { compute, pool, loaded: None }, &tell))
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

/// What segments are computed with; kept between jobs.
struct Means {
    compute: Compute,
    pool: rayon::ThreadPool,
    loaded: Option<(PathBuf, Box<dyn Separator>)>,
}

fn run(tasks: &Receiver<Task>, mut means: Means, tell: &dyn Fn(Progress)) {
    for task in tasks {
        // A bug in the network ends this job with its reason, not the thread.
        let work = AssertUnwindSafe(|| separate(&task, &mut means, tell));
        let result = std::panic::catch_unwind(work).unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<&str>().copied();
            let words = text.or(cause.downcast_ref::<String>().map(String::as_str));
            let words = words.unwrap_or("no reason given");
            Err(EngineError::Busy(format!("Partita stumbled over this song ({words})")))
        });
        // Between jobs a window may stand idle for hours.
        model::arena::release();
        tell(Progress::Ended(task.job, result));
    }
}

fn separate(task: &Task, means: &mut Means, tell: &dyn Fn(Progress)) -> Result<()> {
    if task.compute != means.compute {
        let pool = pool::new(task.compute)?;
        *means = Means { compute: task.compute, pool, loaded: None };
    }
    let Means { compute, pool, loaded } = means;
    if loaded.as_ref().is_none_or(|(path, _)| *path != task.weights) {
        let weights = task.weights.clone();
        let network = pool.install(|| model::load(&weights, compute.precision))?;
        *loaded = Some((weights, network));
    }
    let Some((_, model)) = loaded else { return Ok(()) };
    let mut since = Instant::now();
    let (mix, stems, model, pace) = (&task.mix, &task.stems, model.as_ref(), task.pace);
    let work = Separation { mix, stems, model, pool, pace };
    work.run(&*task.listener, &task.cancel, &mut |step| match step {
        Step::Begins(segment) => tell(Progress::Begins(task.job, segment)),
        Step::Stored(segment) => {
            tell(Progress::Segment(task.job, segment, since.elapsed().as_secs_f64()));
            since = Instant::now();
        }
    })
}
