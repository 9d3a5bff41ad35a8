//! Who may send requests: every request passes [`check`] before its handler.
//!
//! - [`Hosts`]: the `Host` must be an address, or a name of this computer. Otherwise a page of another
//!   site could reach the server under a name of its own (DNS rebinding).
//! - [`Sender`]: pages of other sites may not change anything (cross-site request forgery).
//! - [`token`]: the token, for servers that other computers can reach.

mod token;
mod tries;

use std::{net::IpAddr, time::Instant};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    App, Failure, Options,
    fault::Fault,
    headers::{
        hosts::{Hosts, without_port},
        origins::Sender,
    },
    listener::Peer,
};
pub(super) use token::COOKIE;
use token::Tokens;
use tries::Tries;

/// Addresses that need no token: what the page needs to ask for it, and whether the server lives.
const OPEN: [&str; 4] = ["/api/v1/session", "/api/v1/health", "/", "/favicon.ico"];
/// Folders that need no token.
const OPEN_FOLDERS: [&str; 2] = ["/assets/", "/words/"];

/// The server's rules.
pub(super) struct Access {
    hosts: Hosts,
    /// `None` if no token is needed.
    tokens: Option<Tokens>,
    tries: Tries,
}

impl Access {
    /// Reads the token's digest, or makes a token if one is needed and none exists. Returns a new token.
    ///
    /// # Errors
    /// The file of the digest cannot be read or written.
    pub fn open(options: &Options) -> Result<(Self, Option<String>), Failure> {
        let (tokens, new) = if options.needs_token() {
            let (tokens, new) = Tokens::open(&options.home, options.new_token)?;
            (Some(tokens), new)
        } else {
            (None, None)
        };
        let mut names = options.names.clone();
        if !options.is_local()
            && let Ok(own) = sysinfo::System::host_name()
        {
            names.push(format!("{own}.local"));
            names.push(own);
        }
        let hosts = Hosts::new(options.is_local(), &names);
        Ok((Self { hosts, tokens, tries: Tries::default() }, new))
    }

    /// Whether requests need a token.
    pub fn needs_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// Whether a request has the token in its cookie or its `Authorization`.
    pub fn is_open(&self, headers: &HeaderMap) -> bool {
        let Some(tokens) = &self.tokens else { return true };
        token::sent(headers).is_some_and(|sent| tokens.is_right(&sent))
    }

    /// Checks a token that a client at `from` sends. The right one is never counted: its owner may send
    /// many requests at once.
    ///
    /// # Errors
    /// [`Fault::Token`], or [`Fault::TooManyTries`] after many wrong ones.
    pub fn check_token(&self, sent: &str, from: IpAddr) -> Result<(), Fault> {
        let Some(tokens) = &self.tokens else { return Ok(()) };
        if tokens.is_right(sent) {
            return Ok(());
        }
        self.tries
            .count(from, Instant::now())
            .map_err(|seconds| Fault::TooManyTries { seconds })?;
        Err(Fault::Token)
    }

    fn permits(&self, parts: &Parts, from: IpAddr) -> Result<(), Fault> {
        if parts.headers.get_all(header::HOST).iter().count() > 1 {
            return Err(Fault::Request("there are several Host headers".into()));
        }
        let host = host_of(parts);
        if !host.is_some_and(|host| self.hosts.permit(host)) {
            let host = without_port(host.unwrap_or_default()).chars().take(100).collect();
            return Err(Fault::Host { host });
        }
        let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if !sender(&parts.headers).may_send(host.unwrap_or_default(), is_read) {
            return Err(Fault::Origin);
        }
        let path = parts.uri.path();
        if OPEN.contains(&path) || OPEN_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            return Ok(());
        }
        if self.tokens.is_none() {
            return Ok(());
        }
        let sent = token::sent(&parts.headers).ok_or(Fault::Token)?;
        self.check_token(&sent, from)
    }
}

/// A browser's information about the page that sends a request.
fn sender(headers: &HeaderMap) -> Sender<'_> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("invalid"));
    Sender {
        origin: text("origin"),
        site: text("sec-fetch-site"),
        mode: text("sec-fetch-mode"),
        destination: text("sec-fetch-dest"),
    }
}

/// The host that a request names.
fn host_of(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // A request with a whole address names its host there.
    parts.uri.authority().map(axum::http::uri::Authority::as_str).or(header)
}

/// Rejects requests that may not be sent.
pub(super) async fn check(
    State(app): State<App>,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(fault) = app.access.permits(&parts, from) {
        return fault.into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}
