//! Tests of `partita serve`: the real program on a free port of this computer, with a small network.
//! Clients are curl, a small HTTP client, raw sockets, and a real Chromium.

mod access;
mod attacks;
mod browser;
mod client;
mod description;
mod driver;
mod exports;
mod floods;
mod key_speed;
mod keyboard;
mod models;
mod page;
mod server;
mod session;
mod sharing;
mod together;
mod uploads;
