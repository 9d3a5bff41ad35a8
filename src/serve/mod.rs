//! The server: library, jobs and sound over HTTP, and the web page. A front end beside the window and
//! the command line.
//!
//! [`run`] starts the engine, listens, and returns when a signal ends the program. Requests run on
//! tokio's threads. Work that reads or writes a disk runs on its threads for blocking work.
//!
//! - [`hub`]: the engine's state as known from its events, and commands with their answers.
//! - [`access`]: who may send requests: hosts, origins, the token.
//! - [`uploads`]: files that clients send.
//! - [`routes`]: one file for each group of addresses.
//! - [`views`]: the JSON of answers.
//! - [`fault`]: errors as answers.

mod access;
mod answers;
mod drain;
mod fault;
mod feed;
pub mod headers;
mod hub;
mod language;
mod listener;
mod metrics;
mod options;
mod routes;
mod stalled;
mod uploads;
mod views;

use std::{io, sync::Arc};

use tokio::runtime;

use crate::{
    engine::{
        Problem,
        system::single_instance::{self, Purpose},
    },
    os::Os,
};
use access::Access;
use hub::Hub;
use listener::Listener;
pub use listener::TlsFault;
pub use options::{Limits, Options, Tls};
use uploads::Uploads;

/// The reason why the server did not start, or ended.
#[derive(Debug)]
pub enum Failure {
    /// The engine could not start, or the data folder cannot be used.
    Engine(Problem),
    /// A window or another server uses the data folder.
    InUse,
    /// The address cannot be used.
    Address {
        /// The address and the port.
        address: String,
        /// The system's error.
        cause: Os,
    },
    /// The certificate or its key cannot be used.
    Tls(TlsFault),
    /// The program's own threads could not start.
    Start(Os),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Engine(problem)
    }
}

/// A server that is ready for requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Address of the page, without the token.
    pub url: String,
    /// The token, if it was made at this start.
    pub new_token: Option<String>,
    /// Whether requests need a token.
    pub needs_token: bool,
}

impl Ready {
    /// Address of the page, with the token if it is new. The browser does not send the part after `#`.
    pub fn link(&self) -> String {
        let Self { url, new_token, .. } = self;
        new_token.as_ref().map_or_else(|| url.clone(), |token| format!("{url}/#token={token}"))
    }
}

/// The parts of the server that all requests share.
struct Shared {
    options: Options,
    hub: Hub,
    access: Access,
    uploads: Uploads,
    metrics: metrics::Metrics,
    exports: routes::Exports,
    /// Held while the tracks of a job are written.
    tracks: tokio::sync::Mutex<()>,
    /// Becomes true when the server ends.
    ending: tokio::sync::watch::Receiver<bool>,
}

type App = Arc<Shared>;

/// Runs the server until the process gets SIGTERM or SIGINT. Calls `ready` when requests are accepted.
///
/// # Errors
/// Every [`Failure`]; after `ready`, none.
pub fn run(options: Options, ready: impl FnOnce(&Ready)) -> Result<(), Failure> {
    let Some(mut instance) = single_instance::hold(&options.home)? else {
        return Err(Failure::InUse);
    };
    let start = |cause: io::Error| Failure::Start(cause.into());
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("server")
        .enable_all()
        .build()
        .map_err(start)?;
    let (access, new_token) = Access::open(&options)?;
    let listener = runtime.block_on(Listener::bind(&options))?;
    let url = listener.url(&options.names);
    let uploads = Uploads::open(&options.home, options.limits)?;
    let hub = Hub::start(&options, runtime.handle().clone())?;
    let imports = hub.clone();
    let listening = instance.listen(Purpose::Server { url: url.clone() }, move |files| {
        imports.import_of_later_start(files);
    });
    if let Err(e) = listening {
        tracing::debug!("later starts are not received: {e}");
    }
    let needs_token = access.needs_token();
    let (end, ending) = tokio::sync::watch::channel(false);
    let exports = routes::Exports::open(&options.home)?;
    let shared = Arc::new(Shared {
        options,
        hub,
        access,
        uploads,
        metrics: metrics::Metrics::default(),
        exports,
        tracks: tokio::sync::Mutex::default(),
        ending,
    });
    shared.uploads.sweep(shared.hub.song_finder());
    runtime.spawn(routes::keep_house(Arc::clone(&shared)));
    let signals = {
        let _runtime = runtime.enter();
        listener::Signals::receive().map_err(start)?
    };
    ready(&Ready { url, new_token, needs_token });
    let router = routes::router(Arc::clone(&shared));
    runtime.block_on(listener.serve(router, &shared, signals, end));
    // Requests that still run are dropped; their files are removed at the next start.
    runtime.shutdown_timeout(listener::DRAIN);
    drop(shared);
    drop(instance);
    Ok(())
}
