//! Tests of `partita serve`: the real program on a free port of this computer, with a small network.
//! Clients are curl, a small HTTP client, raw sockets, and a real Chromium.

mod client;
mod driver;
mod server;
