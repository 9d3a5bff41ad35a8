//! The rooms of Partita that read others' files, built for the fuzzers: see `Cargo.toml`.

#[path = "../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/os.rs"]
pub mod os;
