//! The layers of Partita that read untrusted files, built for the fuzzers; see `Cargo.toml`.

#[path = "../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../src/file_identity.rs"]
pub mod file_identity;
#[path = "../../src/file_lock.rs"]
pub mod file_lock;
#[path = "../../src/file_moves.rs"]
pub mod file_moves;
#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/os.rs"]
pub mod os;
#[path = "serve.rs"]
pub mod serve;
