//! Values of requests' headers, as text of anybody. Pure, without other modules of Partita: the fuzzers
//! build them alone.

pub mod accept_language;
pub mod credentials;
pub mod hosts;
pub mod metadata;
pub mod origins;
pub mod ranges;
