//! The thread that separates: takes one job at a time, loads the model before a job is there, and keeps
//! it between jobs.
//!
//! It waits for nothing but work; the network itself runs on the pool.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    CancelToken, Compute, EngineError, JobId, Result,
    aim::Listener,
    ensemble::{Ensemble, Work},
    mishap::caught,
    models::InstalledModel,
    pool,
    separate::Step,
    store::{MixStore, StemStore},
};
use crate::model;

/// One job, with all it needs.
pub(super) struct Task {
    pub(super) job: JobId,
    pub(super) mix: Arc<MixStore>,
    pub(super) stems: Arc<StemStore>,
    /// Made first, where there is one.
    pub(super) draft: Option<Arc<StemStore>>,
    pub(super) model: InstalledModel,
    /// The stems that are wanted.
    pub(super) wanted: Vec<usize>,
    pub(super) is_draft: bool,
    pub(super) cancel: CancelToken,
    pub(super) compute: Compute,
    /// Seconds that a segment of one network is expected to take, where that is known.
    pub(super) pace: Option<f64>,
    /// Where the listener is.
    pub(super) listener: Box<dyn Fn() -> Listener + Send + Sync>,
}

/// What the worker tells.
pub(super) enum Progress {
    /// A segment is being computed, of the stems or of their draft.
    Begins { job: JobId, segment: usize, is_of_draft: bool },
    /// A segment can be heard.
    Readable { job: JobId, segment: usize, is_of_draft: bool },
    /// One more segment is in the store; seconds that it took.
    Segment { job: JobId, is_of_draft: bool, seconds: f64 },
    /// The job ended.
    Ended(JobId, Result<()>),
}

/// What the worker is asked for.
enum Order {
    /// The next job.
    Work(Box<Task>),
    /// A job with this model is likely to come: so that it need not wait for it then.
    Load(InstalledModel, Compute),
}

/// The worker thread. Dropping the handle ends it after its segment.
pub(super) struct Worker {
    inbox: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        compute: Compute,
        tell: impl Fn(Progress) + Send + 'static,
    ) -> Result<Self> {
        pool::check(compute)?;
        // A job, behind a model that is to be loaded.
        let (inbox, orders) = bounded(2);
        let thread = std::thread::Builder::new()
            .name("separate".into())
            .spawn(move || run(&orders, &tell))
            .map_err(|e| EngineError::Busy(format!("the system gives no thread: {e}")))?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    /// Gives the worker its next job; it must have ended the one before.
    pub(super) fn give(&self, task: Task) -> Result<()> {
        let order = Order::Work(Box::new(task));
        let given = self.inbox.as_ref().is_some_and(|inbox| inbox.try_send(order).is_ok());
        if given { Ok(()) } else { Err(EngineError::Busy("the worker has ended".into())) }
    }

    /// Has the worker load a model before the job comes that wants it; only while it has none.
    pub(super) fn prepare(&self, model: InstalledModel, compute: Compute) {
        if let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_empty()) {
            inbox.try_send(Order::Load(model, compute)).ok(); // the job will load it itself
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

fn run(orders: &Receiver<Order>, tell: &dyn Fn(Progress)) {
    let mut loaded: Option<Ensemble> = None;
    for order in orders {
        let task = match order {
            Order::Work(task) => task,
            Order::Load(model, compute) => {
                let work = || have(&mut loaded, &model, compute)?.prepare();
                if let Err(e) = caught("loading the model", work) {
                    tracing::debug!("{}", e.in_words()); // the job will say it
                    loaded = None;
                }
                continue;
            }
        };
        // A bug in the network ends this job with its reason, not the thread.
        let work = || separate(&task, &mut loaded, tell);
        let result = caught("separating this song", work);
        if matches!(result, Err(EngineError::Stumbled { .. })) {
            loaded = None; // nobody knows what it left behind
        }
        // Between jobs a window may stand idle for hours.
        model::arena::release();
        tell(Progress::Ended(task.job, result));
    }
}

/// The ensemble of this model; makes it unless it is there.
fn have<'a>(
    loaded: &'a mut Option<Ensemble>,
    model: &InstalledModel,
    compute: Compute,
) -> Result<&'a mut Ensemble> {
    let ensemble = match loaded.take().filter(|it| it.is_of(model, compute)) {
        Some(ensemble) => ensemble,
        None => Ensemble::new(model.clone(), compute)?, // never two models at once: the other is gone
    };
    Ok(loaded.insert(ensemble))
}

fn separate(task: &Task, loaded: &mut Option<Ensemble>, tell: &dyn Fn(Progress)) -> Result<()> {
    let ensemble = have(loaded, &task.model, task.compute)?;
    let mut since = Instant::now();
    let mut make = |stems: &StemStore, is_draft: bool, is_of_draft: bool| {
        let (mix, wanted, pace) = (&task.mix, &task.wanted[..], task.pace);
        let work = Work { mix, stems, wanted, is_draft, pace };
        let job = task.job;
        ensemble.separate(&work, &*task.listener, &task.cancel, &mut |step| match step {
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
