//! Connections: accepts them up to a limit, with TLS if there is a certificate, and lets running requests
//! finish at the end. Runs on tokio's threads.
//!
//! hyper is used directly, because `axum::serve` limits neither the number of connections nor the time
//! that a client takes for the head of a request.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use super::{App, Failure, Options, Tls, stalled::Stalled};
use crate::os::Os;

/// Time for the head of a request, and between requests.
const HEAD: Duration = Duration::from_secs(20);
/// Time in which a client has to read something of an answer.
const READING: Duration = Duration::from_mins(1);
/// Time for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time for running requests at the end.
pub(super) const DRAIN: Duration = Duration::from_secs(5);
/// Time without accepting after an error, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);
/// Maximum size of the head of a request in bytes.
const MOST_HEAD_BYTES: usize = 32 << 10;
/// Maximum number of headers of a request.
const MOST_HEADERS: usize = 64;

/// Address of the client of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub IpAddr);

/// A fault of the files for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// A file cannot be read.
    Read(PathBuf, Os),
    /// A file holds no certificate or key.
    Empty(PathBuf),
    /// The key does not fit the certificate, or is of an unknown kind: the library's text.
    Unfit(String),
}

/// An open port.
pub(super) struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    /// [`Failure::Address`], [`Failure::Tls`].
    pub async fn bind(options: &Options) -> Result<Self, Failure> {
        let tls = options.tls.as_ref().map(acceptor).transpose().map_err(Failure::Tls)?;
        let wanted = SocketAddr::new(options.address, options.port);
        let cannot = |cause: io::Error| Failure::Address {
            address: wanted.to_string(),
            cause: cause.into(),
        };
        let socket = TcpListener::bind(wanted).await.map_err(cannot)?;
        let address = socket.local_addr().map_err(cannot)?;
        Ok(Self { socket, tls, address })
    }

    /// Address of the page for other devices, if they can reach the server: with the first of `names`.
    pub fn url(&self, names: &[String]) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let port = self.address.port();
        if let Some(name) = names.first().filter(|_| !self.address.ip().is_loopback()) {
            return format!("{scheme}://{name}:{port}");
        }
        match self.address.ip() {
            ip if ip.is_unspecified() => {
                // The address of this computer in its network.
                let own = network_address().map_or_else(|| "localhost".to_owned(), host_of);
                format!("{scheme}://{own}:{port}")
            }
            ip => format!("{scheme}://{}:{port}", host_of(ip)),
        }
    }

    /// Serves until a signal ends the process. Then sends `end`, stops accepting, and waits for running
    /// requests for [`DRAIN`].
    pub async fn serve(
        self,
        router: Router,
        app: &App,
        mut signals: Signals,
        end: watch::Sender<bool>,
    ) {
        let free = Arc::new(Semaphore::new(app.options.limits.connections));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                () = signals.next() => break,
                accepted = self.socket.accept() => accepted,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::debug!("could not accept a connection: {error}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Closed at once, so that no memory is taken for the many.
            let Ok(permit) = Arc::clone(&free).try_acquire_owned() else { continue };
            self.start(stream, from.ip(), permit, &router, &graceful);
        }
        drop(self.socket);
        end.send_replace(true);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::info!("some requests were not finished");
        }
        app.hub.end();
    }

    fn start(
        &self,
        stream: TcpStream,
        from: IpAddr,
        permit: OwnedSemaphorePermit,
        router: &Router,
        graceful: &GracefulShutdown,
    ) {
        // Answers are small; without this they wait for more data.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("{error}");
        }
        let (router, tls, watcher) = (router.clone(), self.tls.clone(), graceful.watcher());
        let stream = Stalled::new(stream, READING);
        tokio::spawn(async move {
            let _permit = permit;
            match tls {
                None => connection(stream, from, router, watcher).await,
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, from, router, watcher).await,
                    Ok(Err(error)) => tracing::debug!("TLS: {error}"),
                    Err(_) => tracing::debug!("TLS: the handshake took too long"),
                },
            }
        });
    }
}

fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// The address under which the network knows this computer. Nothing is sent: the system only chooses
/// the route to an address that is reserved for documentation.
fn network_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}

/// Answers the requests of a connection.
async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    from: IpAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = router.layer(axum::Extension(ConnectInfo(Peer(from))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Reads the certificate and its key.
fn acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsFault> {
    let Tls { certificate, key } = tls;
    let certificates = pem(certificate, |path| {
        CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()
    })?;
    if certificates.is_empty() {
        return Err(TlsFault::Empty(certificate.clone()));
    }
    let key = pem(key, |path| PrivateKeyDer::from_pem_file(path))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| TlsFault::Unfit(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn pem<T>(
    path: &PathBuf,
    read: impl FnOnce(&PathBuf) -> Result<T, rustls::pki_types::pem::Error>,
) -> Result<T, TlsFault> {
    read(path).map_err(|error| match error {
        rustls::pki_types::pem::Error::Io(cause) => TlsFault::Read(path.clone(), cause.into()),
        _ => TlsFault::Empty(path.clone()),
    })
}

/// The signals that end the process. From [`Self::receive`] on, they no longer do so by themselves.
pub(super) struct Signals {
    #[cfg(unix)]
    both: [tokio::signal::unix::Signal; 2],
    #[cfg(not(unix))]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Begins to receive the signals.
    ///
    /// # Errors
    /// The system does not permit it.
    pub fn receive() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let both = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
            Ok(Self { both })
        }
        #[cfg(not(unix))]
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for one of them.
    async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [terminate, interrupt] = &mut self.both;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        #[cfg(not(unix))]
        self.interrupt.recv().await;
    }
}
