//! Options of the server. Pure data.

use std::{net::IpAddr, path::PathBuf};

use crate::engine::settings::Flags;

/// Options of the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder.
    pub home: PathBuf,
    /// How segments are computed, from the command line.
    pub flags: Flags,
    /// Address on which to listen.
    pub address: IpAddr,
    /// Port on which to listen; 0 for any free one.
    pub port: u16,
    /// Names of this computer, besides its addresses, under which clients reach the server.
    pub names: Vec<String>,
    /// Whether clients on this computer need the token, too, as behind a proxy.
    pub requires_token: bool,
    /// Whether to replace the token.
    pub new_token: bool,
    /// Certificate for TLS.
    pub tls: Option<Tls>,
    /// Limits for clients.
    pub limits: Limits,
}

/// Files for TLS, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// Limits for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of an uploaded file, in bytes.
    pub upload_bytes: u64,
    /// Maximum size of all uploaded files together, in bytes.
    pub uploads_bytes: Option<u64>,
    /// Maximum number of songs in the library.
    pub songs: usize,
    /// Maximum number of open connections.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { upload_bytes: 2 << 30, uploads_bytes: None, songs: 10_000, connections: 512 }
    }
}

impl Options {
    /// Whether clients need the token.
    pub fn needs_token(&self) -> bool {
        self.requires_token || self.new_token || !self.is_local()
    }

    /// Whether only this computer can reach the server.
    pub fn is_local(&self) -> bool {
        self.address.is_loopback()
    }
}
