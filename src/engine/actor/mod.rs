//! The engine's own thread: handles commands and the other threads' messages one at a time, and owns
//! the library and the queue. It blocks on its channel only.

mod backoff;
mod chains;
mod clear;
mod drafts;
mod drags;
mod exports;
mod job_commands;
mod jobs;
mod model_files;
mod queue;
mod removal;
mod running;
mod songs;
mod versions;
mod weights;
mod worker;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicI64},
    thread::ThreadId,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::engine::{
    audio::{analysis::Analyst, waveforms::Waveforms},
    command::Command,
    event::{Event, EventSink, ModelState},
    library::{
        Library, REPORT,
        import::{Imported, Importer},
        missing_files::MissingFiles,
        recovery,
        trash::{Removed, TrashBin},
    },
    player::Player,
    problem::{Activity, Problem, Result},
    separation::{
        chain::Chain,
        device::Devices,
        installed::InstalledModel,
        memory,
        options::{Defaults, SeparationOptions},
    },
    settings::Preferences,
    store::track::SongTrack,
    system::{panics::caught, threads::Thread},
    types::{Analysis, CancelToken, Compute, Config, ExportId, RequestId, Song, SongId},
};
use drags::Drags;
use model_files::ModelFiles;
use queue::Queue;
pub(super) use weights::{Change, NewModel};
use worker::{Progress, RunningTask, Worker};

/// The interval at which the engine checks whether another program has changed the library.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A message on the engine's channel.
pub(super) enum Message {
    /// A command from the window or the command line.
    Command(RequestId, Command),
    /// The import thread has imported, or could not import, a file.
    Imported(Imported),
    /// The analysis of a song; `None` if it failed.
    Analysed(SongId, Option<Analysis>),
    /// Progress of the worker.
    Work(Progress),
    /// An export has ended, successfully or not.
    ExportEnded(ExportId),
    /// This thread, which makes files to drag, has ended.
    DragEnded(ThreadId),
    /// A change of the weights has ended.
    Weights(Change, Result<Option<NewModel>>),
    /// The last handle was dropped.
    Shutdown,
}

/// The state that the engine's thread owns.
pub(super) struct Core {
    library: Library,
    sink: EventSink,
    outbox: Sender<Message>,
    player: Player,
    importer: Importer,
    analyst: Analyst,
    waveforms: Waveforms,
    worker: Worker,
    compute: Compute,
    devices: Arc<Devices>,
    queue: Queue,
    /// The worker's task for the queue's running job.
    task: Option<RunningTask>,
    /// All installed models.
    models: Vec<InstalledModel>,
    /// All chains of installed models, each model alone among them.
    chains: Vec<Arc<Chain>>,
    /// The files of models and chains when these were found.
    model_files: ModelFiles,
    /// The name of the model that is used if the default one is not installed.
    fallback: Option<String>,
    /// The options of songs for which none were chosen.
    defaults: Defaults,
    /// The options that were chosen for songs.
    chosen: BTreeMap<SongId, SeparationOptions>,
    /// The reason why the installed weights could not be used.
    model_fault: Option<Problem>,
    /// An address from which weights are downloaded first.
    mirror: Option<String>,
    install: Option<CancelToken>,
    /// The library's version at the last check.
    library_version: Option<i64>,
    /// The newest song whose cover was emitted.
    newest_cover: SongId,
    /// The newest song that was sent to the analyst, and whether its analysis is running.
    analysed: (SongId, bool),
    open: Option<Open>,
    /// The open song, for the worker, which follows the play head; 0 for none.
    listened: Arc<AtomicI64>,
    exports: BTreeMap<ExportId, (CancelToken, Thread)>,
    drags: Drags,
    /// Checks whether the users' files still exist; only in the window's engine.
    missing_files: Option<MissingFiles>,
    /// Holds removed songs until the program ends.
    trash_bin: TrashBin,
    /// The songs that can still be restored.
    removed: Vec<Removed>,
    /// Whether the user was notified that the library is missing.
    is_missed: bool,
    /// The recovery of a damaged library, until the event is emitted.
    damaged: Option<Problem>,
    /// The command that is being executed; failures meanwhile are reported as its failures.
    executing: Option<RequestId>,
}

/// The song that is loaded in the player.
struct Open {
    song: SongId,
    options: SeparationOptions,
    track: SongTrack,
}

impl Core {
    /// Starts the other threads.
    pub(super) fn new(
        config: &Config,
        sink: EventSink,
        outbox: Sender<Message>,
        player: Player,
    ) -> Result<Self> {
        let (library, damaged) = recovery::open(&config.home)?;
        if let Some(problem) = &damaged {
            tracing::warn!(target: REPORT, "{problem}");
        }
        // Messages are dropped only while the program ends: otherwise the receiver outlives the
        // threads.
        let sender = outbox.clone();
        // An interactive engine shares the memory with a window.
        let beside = if config.interactive { memory::WINDOW } else { 0 };
        let devices = Devices::new(&config.home);
        let report = move |progress| drop(sender.send(Message::Work(progress)));
        let worker = Worker::start(config.compute, beside, Arc::clone(&devices), report)?;
        let sender = outbox.clone();
        let importer = Importer::start(config.home.clone(), sink.clone(), move |song| {
            drop(sender.send(Message::Imported(song)));
        })?;
        let sender = outbox.clone();
        let analyst = Analyst::start(move |song, found| {
            drop(sender.send(Message::Analysed(song, found)));
        })?;
        let missing_files = config.interactive.then(|| MissingFiles::start(&sink));
        let waveforms = Waveforms::start(&sink)?;
        // The window also loads the settings, and reports their problems.
        let (preferences, _) = Preferences::load(&config.home);
        Ok(Self {
            library,
            sink,
            outbox,
            player,
            importer,
            analyst,
            waveforms,
            worker,
            compute: config.compute,
            devices,
            queue: Queue::default(),
            task: None,
            models: Vec::new(),
            chains: Vec::new(),
            model_files: ModelFiles::default(),
            fallback: None,
            defaults: preferences.defaults(),
            chosen: BTreeMap::new(),
            model_fault: None,
            mirror: preferences.mirror(),
            install: None,
            library_version: None,
            newest_cover: SongId(0),
            analysed: (SongId(0), false),
            open: None,
            listened: Arc::default(),
            exports: BTreeMap::new(),
            drags: Drags::default(),
            missing_files: missing_files.transpose()?,
            trash_bin: TrashBin::default(),
            removed: Vec::new(),
            is_missed: false,
            damaged,
            executing: None,
        })
    }

    /// Handles messages until the last handle is dropped.
    pub(super) fn run(mut self, messages: &Receiver<Message>, interactive: bool) {
        self.find_models();
        self.library_version = self.library.version().ok();
        if let Err(e) = self.send_library() {
            self.fail(None, &e);
        }
        match self.library.lanes() {
            Ok(lanes) => self.sink.send(Event::Lanes(lanes)),
            Err(e) => self.fail(None, &e),
        }
        self.show_pace();
        // Before the model's state, which ends the start of the command line.
        if let Some(problem) = self.damaged.take() {
            self.sink.send(Event::Failed { request: None, song: None, problem });
        }
        self.sink.send(Event::Model(self.model_state()));
        if interactive {
            self.list_models();
        }
        if interactive && let Err(e) = self.restore_jobs() {
            self.fail(None, &e);
        }
        self.show_order();
        if interactive {
            self.analyse_next();
        }
        let mut next_look = Instant::now() + LOOK_EVERY;
        loop {
            let message = match messages.recv_deadline(next_look) {
                Ok(Message::Shutdown) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
            };
            // A panic is reported, and the engine goes on with the next message.
            let work = caught(Activity::Engine, || {
                if let Some(message) = message {
                    self.handle(message);
                }
                if Instant::now() >= next_look {
                    next_look = Instant::now() + LOOK_EVERY;
                    self.check_surroundings(interactive);
                }
                Ok(())
            });
            if let Err(e) = work {
                self.fail(None, &e);
                self.executing = None;
            }
            self.show_order();
        }
        self.shut_down();
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Command(request, command) => self.execute(request, command),
            Message::Imported(Imported::Song(path, song)) => {
                self.show_imported(path, *song);
                // Songs are analysed only in the window's engine, which has idle time.
                if self.missing_files.is_some() {
                    self.analyse_next();
                }
            }
            Message::Analysed(song, found) => self.analysed(song, found.as_ref()),
            Message::Imported(Imported::NoRoom(path, track, problem)) => {
                self.import_again(path, track, problem);
            }
            Message::Imported(Imported::All) => self.sink.send(Event::ImportEnded),
            Message::Work(Progress::Begins { job, at, is_of_draft }) => {
                self.segment_begins(job, at, is_of_draft);
            }
            Message::Work(Progress::Readable { job, at, is_of_draft }) => {
                self.segment_readable(job, at, is_of_draft);
            }
            Message::Work(Progress::Segment { job, at, is_of_draft, seconds }) => {
                self.segment_done(job, at, is_of_draft, seconds);
            }
            Message::Work(Progress::DeviceFailed(id, failure)) => self.device_failed(id, failure),
            Message::Work(Progress::Ended(job, result)) => self.job_ended(job, result),
            Message::ExportEnded(id) => {
                if let Some((_, thread)) = self.exports.remove(&id) {
                    thread.detach(); // it has sent its last message and is about to end
                }
            }
            Message::DragEnded(thread) => self.drag_ended(thread),
            Message::Weights(change, result) => self.weights_changed(&change, result),
            Message::Shutdown => {}
        }
    }

    /// Checks what other programs have done, and whether the disk has space again.
    fn check_surroundings(&mut self, interactive: bool) {
        if interactive {
            self.watch_library();
            self.follow_others();
            self.follow_models();
            self.release_jobs();
        }
        self.repeat_held_requests();
    }

    fn execute(&mut self, request: RequestId, command: Command) {
        self.executing = Some(request);
        let song = song_of(&command);
        let result = match command {
            Command::Import(paths) => self.importer.import(paths, None),
            Command::ImportTrack { paths, track } => self.importer.import(paths, Some(track)),
            Command::Open(song) => self.open(song),
            Command::ReadSong(song) => self.read_song(request, song),
            Command::ShowDetail { song, frames, frames_per_peak } => {
                self.show_detail(song, frames, frames_per_peak);
                Ok(())
            }
            Command::Process { song, stems, from_frame } => {
                self.process(request, song, stems, from_frame)
            }
            Command::Cancel(job) => self.cancel(job),
            Command::Pause(job) => self.pause_job(job),
            Command::Continue(job) => self.resume_job(job),
            Command::Retry(job) => self.retry_job(request, job),
            Command::MoveJob { job, to } => self.move_job(job, to),
            Command::ClearJobs(jobs) => self.clear_jobs(jobs),
            Command::MakeTracks(job) => self.make_tracks(request, job),
            Command::Remove(song) => self.remove(song),
            Command::Restore(song) => self.restore(song),
            Command::Reset => self.reset(),
            Command::KeepPreferences(preferences) => self.keep_preferences(&preferences),
            Command::KeepLanes(song, lanes) => self.library.set_lanes(song, &lanes),
            Command::ListOutputs => self.list_outputs(),
            Command::ListDevices => self.list_devices(),
            Command::SetCompute(compute) => self.set_compute(compute),
            Command::MeasureHome => self.measure_home(),
            Command::ClearStems => self.clear_stems(),
            Command::SaveReport(path) => self.save_report(request, path),
            Command::Rename { song, title } => self.rename(song, &title),
            Command::Describe(song) => self.emit_fields(song),
            Command::Export { id, song, selection, place, settings } => {
                self.export(id, song, selection, place, settings);
                Ok(())
            }
            Command::PrepareDrag { song, stems } => self.prepare_drag(request, song, stems),
            Command::CancelExport(id) => {
                if let Some((cancel, _)) = self.exports.get(&id) {
                    cancel.cancel();
                }
                Ok(())
            }
            Command::Choose { song, options } => self.choose(song, options),
            Command::UseModel { song, model } => self.use_model(song, model),
            Command::NextVersion(song) => self.next_version(song),
            Command::SetDefaults(defaults) => self.set_defaults(defaults),
            Command::ListModels => {
                self.list_models();
                Ok(())
            }
            Command::ListChains => {
                self.list_chains();
                Ok(())
            }
            Command::SaveChain { name, file } => self.save_chain(&name, &file),
            Command::ImportChain(path) => self.import_chain(&path),
            Command::RemoveChain(name) => self.remove_chain(&name),
            Command::InstallModel(name) => self.change_weights(Change::Install(name)),
            Command::ImportModel { file, options } => {
                self.change_weights(Change::Import(file, options))
            }
            Command::RemoveModel(name) => self.remove_model(&name),
            Command::VerifyModel(name) => self.change_weights(Change::Verify(name)),
            Command::CancelInstall => {
                if let Some(cancel) = &self.install {
                    cancel.cancel();
                }
                Ok(())
            }
        };
        if let Err(e) = result {
            self.fail(song, &e);
        }
        self.executing = None;
        self.sink.send(Event::Handled(request));
    }

    /// Reports a failure, as a failure of the command that is being executed, if any.
    fn fail(&self, song: Option<SongId>, error: &Problem) {
        self.fail_request(self.executing, song, error);
    }

    fn fail_request(&self, request: Option<RequestId>, song: Option<SongId>, error: &Problem) {
        self.sink.send(Event::Failed { request, song, problem: error.clone() });
    }

    /// The stores of a song. The stem store of the running job or the open song is reused.
    fn track(&self, song: &Song, options: &SeparationOptions) -> Result<SongTrack> {
        let is_shown = |open: &&Open| open.song == song.id && open.options == *options;
        let open = self.open.as_ref().filter(is_shown).map(|open| open.track.clone());
        // A removed store's files are still open, but writes to them are lost.
        let shared = self.track_of_running(song.id, options).or(open);
        if let Some(track) = shared.filter(SongTrack::is_in_place) {
            return Ok(track);
        }
        let folder = self.library.song_folder(&song.hash);
        let track = SongTrack::open(&folder, self.chain(options), options.quality)?;
        self.with_draft(track, &folder, options)
    }

    /// The chain that these options name, if its networks are installed.
    fn chain(&self, options: &SeparationOptions) -> Option<&Arc<Chain>> {
        self.chains.iter().find(|chain| chain.name == options.model)
    }

    /// The reason why the model of these options is missing, or `otherwise`.
    fn why_missing(&self, options: &SeparationOptions, otherwise: Problem) -> Problem {
        InstalledModel::why_missing(self.library.home(), &options.model, otherwise)
    }

    /// The default options. If their model is not installed, they name the fallback model instead.
    fn default_options(&self) -> SeparationOptions {
        let options = self.defaults.options.clone();
        let fallback =
            || self.chains.iter().find(|chain| Some(&chain.name) == self.fallback.as_ref());
        match self.chain(&options).or_else(fallback) {
            Some(chain) => SeparationOptions {
                model: chain.name.clone(),
                quality: chain.quality(options.quality),
            },
            None => options,
        }
    }

    /// The options of the stems that a song shows.
    fn options_of(&self, song: SongId) -> SeparationOptions {
        let chosen = self.chosen.get(&song).filter(|options| self.chain(options).is_some());
        chosen.cloned().unwrap_or_else(|| self.default_options())
    }

    fn model_state(&self) -> ModelState {
        match (self.chain(&self.default_options()), &self.model_fault) {
            (Some(chain), _) => {
                ModelState::Ready { sources: chain.stems(), least_memory: chain.least_memory() }
            }
            (None, Some(problem)) => ModelState::Failed(problem.clone()),
            (None, None) => ModelState::Missing,
        }
    }

    /// Ends everything that is not safe to interrupt. The segment that is being computed is
    /// abandoned: a store contains complete segments only.
    fn shut_down(mut self) {
        for (cancel, _) in self.exports.values() {
            cancel.cancel();
        }
        self.drags.cancel(None);
        if let Some(cancel) = &self.install {
            cancel.cancel();
        }
        self.analyst.join();
        self.player.load(None);
        self.interrupt_running_job();
        self.trash_bin = TrashBin::default(); // deletes the removed songs
        self.exports.clear(); // joins their threads
        self.drags.join();
        if self.queue.is_idle() {
            self.worker.join();
        }
    }
}

fn song_of(command: &Command) -> Option<SongId> {
    match command {
        Command::Open(song)
        | Command::ReadSong(song)
        | Command::Process { song, .. }
        | Command::Describe(song)
        | Command::Restore(song)
        | Command::PrepareDrag { song, .. }
        | Command::Choose { song, .. }
        | Command::UseModel { song, .. }
        | Command::NextVersion(song)
        | Command::Export { song, .. } => Some(*song),
        _ => None,
    }
}
