//! The connection to the engine: commands with their answers, and the state as known from events.
//!
//! A thread reads the events. It updates the [`state`], completes the commands that wait for an answer,
//! and passes changes on to the streams of events. Everything else is usable from any thread.

pub(super) mod state;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossbeam_channel::Receiver;
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};

use super::{Options, feed::Feed};
use crate::engine::{
    Command, Config, Engine, Event, ExportId, JobId, Preferences, Problem, RequestId, Result,
    SongId, SongTrack,
    separation::installed::DEFAULT,
    system::threads::{self, Thread},
};
use state::{Change, Import, State};

/// Age at which the stores of a song are requested again: a new job's stems are in new stores.
const FRESH: Duration = Duration::from_millis(500);
/// Maximum number of songs whose stores are kept open.
const MOST_TRACKS: usize = 16;

/// The engine's answer to a command.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Job of the command.
    pub job: Option<JobId>,
    /// Stores that were requested.
    pub track: Option<SongTrack>,
    problem: Option<Problem>,
}

/// The stores of a song.
struct Opened {
    at: Instant,
    /// The models that were installed then, as [`State::models_version`].
    models: u64,
    track: SongTrack,
}

struct Pending {
    answer: Answer,
    done: oneshot::Sender<Answer>,
}

/// Commands that wait for an answer; `None` after the end of the engine.
type Waiters = Option<HashMap<RequestId, Pending>>;

/// Handle of the connection; cheap to clone.
#[derive(Clone)]
pub(super) struct Hub(Arc<Inner>);

struct Inner {
    engine: Mutex<Option<Engine>>,
    state: Arc<RwLock<State>>,
    pending: Arc<Mutex<Waiters>>,
    feed: Feed,
    /// Increases whenever an import changes.
    imports: watch::Receiver<u64>,
    tracks: Mutex<HashMap<SongId, Opened>>,
    default_model: String,
    /// Number of this run of the server.
    run: u64,
    thread: Mutex<Option<Thread>>,
}

impl Hub {
    /// Starts the engine and waits until it has read the library.
    ///
    /// # Errors
    /// The errors of [`Engine::start`].
    pub fn start(options: &Options, runtime: Handle) -> Result<Self> {
        let (preferences, notice) = Preferences::load(&options.home);
        if let Some(notice) = notice {
            tracing::warn!("{notice}");
        }
        let compute = options.flags.compute(&preferences);
        let config = Config {
            home: options.home.clone(),
            compute,
            interactive: true,
            waker: Arc::new(|| {}),
        };
        let (engine, events) = Engine::start(&config)?;
        let state = Arc::new(RwLock::new(State::default()));
        let pending = Arc::new(Mutex::new(Some(HashMap::new())));
        let feed = Feed::default();
        let (imports_changed, imports) = watch::channel(0);
        let (started, start) = crossbeam_channel::bounded(1);
        let thread = {
            let (state, pending, feed) = (Arc::clone(&state), Arc::clone(&pending), feed.clone());
            let reader = Reader { state, pending, feed, imports: imports_changed };
            threads::start("server events", move || {
                // Wakers of tokio's tasks are called from here.
                let _runtime = runtime.enter();
                reader.run(&events, started);
            })?
        };
        let inner = Inner {
            engine: Mutex::new(Some(engine)),
            state,
            pending,
            feed,
            imports,
            tracks: Mutex::default(),
            default_model: preferences.model.unwrap_or_else(|| DEFAULT.to_owned()),
            run: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |at| at.as_nanos() as u64),
            thread: Mutex::new(Some(thread)),
        };
        match start.recv() {
            Ok(None) | Err(_) => Ok(Self(Arc::new(inner))),
            Ok(Some(problem)) => Err(problem),
        }
    }

    /// The engine's state. Held for moments only, never across an `await`.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes, for streams of events.
    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// Sends a command and waits until the engine has handled it, which may take long on a slow disk.
    ///
    /// # Errors
    /// The problem that the engine reports for the command; [`Problem::ThreadEnded`] if the engine has
    /// ended.
    pub async fn request(&self, command: Command) -> Result<Answer> {
        let (done, answered) = oneshot::channel();
        {
            // The reader of events waits for this lock, so that no answer comes before its entry.
            let mut pending = lock(&self.0.pending);
            let pending = pending.as_mut().ok_or(Problem::ThreadEnded)?;
            let engine = lock(&self.0.engine);
            let engine = engine.as_ref().ok_or(Problem::ThreadEnded)?;
            let id = engine.send(command);
            pending.insert(id, Pending { answer: Answer::default(), done });
        }
        let mut answer = answered.await.map_err(|_| Problem::ThreadEnded)?;
        match answer.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(answer),
        }
    }

    /// The stores of a song, for reading on a thread for blocking work.
    ///
    /// # Errors
    /// The song is unknown, or its stores cannot be opened.
    pub async fn track(&self, song: SongId) -> Result<SongTrack> {
        let models = self.state().models_version;
        let is_fresh = |opened: &&Opened| {
            opened.at.elapsed() < FRESH && opened.models == models && opened.track.is_in_place()
        };
        if let Some(opened) = lock(&self.0.tracks).get(&song).filter(is_fresh) {
            return Ok(opened.track.clone());
        }
        let answer = self.request(Command::ReadSong(song)).await?;
        let track = answer.track.ok_or(Problem::SongRemoved)?;
        let mut tracks = lock(&self.0.tracks);
        if tracks.len() >= MOST_TRACKS {
            tracks.retain(|_, opened| opened.at.elapsed() < FRESH);
        }
        tracks.insert(song, Opened { at: Instant::now(), models, track: track.clone() });
        Ok(track)
    }

    /// Closes the stores of a song, or all, so that their files can be removed on every system.
    pub fn close_tracks(&self, song: Option<SongId>) {
        lock(&self.0.tracks).retain(|id, _| song.is_some_and(|song| song != *id));
    }

    /// Imports a file, and waits for the end. `progress` gets 0 to 1.
    ///
    /// # Errors
    /// The file is not audio, or the disk is full.
    pub async fn import(&self, path: PathBuf, progress: impl Fn(f32)) -> Result<SongId> {
        let _waiting = Waiting::start(self, &path);
        let mut changed = self.0.imports.clone();
        self.request(Command::Import(vec![path.clone()])).await?;
        loop {
            changed.mark_unchanged();
            let import = self.state().imports.get(&path).cloned();
            match import {
                Some(Import::Done(song)) => return Ok(song),
                Some(Import::Failed(problem)) => return Err(problem),
                Some(Import::Running(fraction)) => progress(fraction),
                None => return Err(Problem::Cancelled),
            }
            changed.changed().await.map_err(|_| Problem::ThreadEnded)?;
        }
    }

    /// Imports files that a later start of the program handed over.
    pub fn import_of_later_start(&self, files: Vec<PathBuf>) {
        if let Some(engine) = lock(&self.0.engine).as_ref().filter(|_| !files.is_empty()) {
            engine.send(Command::Import(files));
        }
    }

    /// Name of the model of songs for which none was chosen.
    pub fn default_model(&self) -> &str {
        &self.0.default_model
    }

    /// A number that differs between runs of the server.
    pub fn run(&self) -> u64 {
        self.0.run
    }

    /// Forgets an export that has ended.
    pub fn forget_export(&self, id: ExportId) {
        let mut state = self.state_mut();
        state.exports.remove(&id);
        state.version += 1;
    }

    /// Remembers the lane settings of a song that the engine has stored.
    pub fn set_lanes(&self, song: SongId, lanes: crate::engine::library::Lanes) {
        let mut state = self.state_mut();
        state.lanes.insert(song, lanes);
        state.version += 1;
        drop(state);
        self.0.feed.push(Change::Mixer(song));
    }

    /// Finds files of songs by their folders. Songs that are added meanwhile are found, too.
    pub fn song_finder(&self) -> impl Fn(&Path) -> Option<PathBuf> + '_ {
        let known: HashMap<PathBuf, PathBuf> = {
            let state = self.state();
            let paths = state.songs.values().map(|song| song.path.clone());
            paths.filter_map(|path| Some((path.parent()?.to_owned(), path))).collect()
        };
        move |folder| known.get(folder).cloned().or_else(|| self.song_in(folder))
    }

    /// Number of songs whose files are in folders of `folder`.
    pub fn songs_below(&self, folder: &Path) -> usize {
        let state = self.state();
        let grandparents = state.songs.values().map(|song| song.path.parent()?.parent());
        grandparents.filter(|grandparent| *grandparent == Some(folder)).count()
    }

    /// The file of a song in a folder.
    fn song_in(&self, folder: &Path) -> Option<PathBuf> {
        let state = self.state();
        let mut paths = state.songs.values().map(|song| &song.path);
        paths.find(|path| path.parent() == Some(folder)).cloned()
    }

    /// Ends the engine. The segment that is being computed is abandoned; jobs resume at the next start.
    pub fn end(&self) {
        self.close_tracks(None);
        drop(lock(&self.0.engine).take());
        drop(lock(&self.0.pending).take());
        // A download that waits for its server still holds the channel of events.
        if let Some(thread) = lock(&self.0.thread).take() {
            thread.detach();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The interest in the import of a file, until dropped.
struct Waiting<'a> {
    hub: &'a Hub,
    path: &'a Path,
}

impl<'a> Waiting<'a> {
    fn start(hub: &'a Hub, path: &'a Path) -> Self {
        let mut state = hub.state_mut();
        state.imports.insert(path.to_owned(), Import::Running(0.0));
        Self { hub, path }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.hub.state_mut().imports.remove(self.path);
    }
}

/// The thread that reads the engine's events.
struct Reader {
    state: Arc<RwLock<State>>,
    pending: Arc<Mutex<Waiters>>,
    feed: Feed,
    imports: watch::Sender<u64>,
}

impl Reader {
    /// Reads events until the engine ends. `started` gets the problem that prevents the start, if any,
    /// once the model's state is known, which is the last event of the start.
    fn run(&self, events: &Receiver<Event>, started: crossbeam_channel::Sender<Option<Problem>>) {
        let mut started = Some(started);
        let (mut has_library, mut failure) = (false, None);
        for event in events {
            has_library |= matches!(event, Event::Library { .. });
            if let Event::Failed { request: None, problem, .. } = &event {
                tracing::warn!("{problem}");
                failure.get_or_insert_with(|| problem.clone());
            }
            let is_start = matches!(event, Event::Model(_));
            self.take(event);
            if is_start && let Some(started) = started.take() {
                started.send(failure.take().filter(|_| !has_library)).ok();
            }
        }
        drop(lock(&self.pending).take()); // nothing answers those that still wait
    }

    fn take(&self, event: Event) {
        match &event {
            Event::Accepted { request, job } => {
                self.with_pending(*request, |answer| answer.job = Some(*job));
            }
            Event::Track { request, track, .. } => {
                self.with_pending(*request, |answer| answer.track = Some((**track).clone()));
            }
            Event::Failed { request: Some(request), problem, .. } => {
                self.with_pending(*request, |answer| answer.problem = Some(problem.clone()));
            }
            Event::Handled(request) => {
                let pending = lock(&self.pending).as_mut().and_then(|all| all.remove(request));
                if let Some(Pending { answer, done }) = pending {
                    drop(done.send(answer)); // the client may be gone
                }
            }
            _ => {}
        }
        let is_import = matches!(
            event,
            Event::Importing { .. } | Event::Imported { .. } | Event::ImportFailed { .. }
        );
        let changes = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.apply(event, Instant::now())
        };
        if is_import {
            self.imports.send_modify(|count| *count += 1);
        }
        for change in changes {
            self.feed.push(change);
        }
    }

    fn with_pending(&self, request: RequestId, change: impl FnOnce(&mut Answer)) {
        if let Some(pending) = lock(&self.pending).as_mut().and_then(|all| all.get_mut(&request)) {
            change(&mut pending.answer);
        }
    }
}

/// Changes that end the interest in uploaded files.
pub(super) fn frees_files(change: &Change) -> bool {
    matches!(change, Change::SongRemoved(_) | Change::All)
}
