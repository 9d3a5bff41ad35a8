//! The part of the server that reads what anybody sends, for the fuzzers: the rest is a front end.

#[path = "../../src/serve/headers/mod.rs"]
pub mod headers;
