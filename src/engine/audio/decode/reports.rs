//! Damage that the MP3 decoder detects and conceals, but only reports to its log.
//!
//! MP3 usually has no checksums, so changed bytes decode to other sound. Symphonia's decoder
//! detects if the codes of a granule do not end where they should. It writes a line via the `log`
//! crate and returns no error. This module is the process's logger for that crate: it counts such
//! lines on the decoder thread, and forwards every line to `tracing`. No other MP3 decoder that
//! returns these errors was found.

use std::{cell::Cell, sync::Once};

use log::{LevelFilter, Log, Metadata, Record, set_logger, set_max_level};
use tracing_log::{AsLog as _, LogTracer};

use crate::engine::note::Note;

/// Log target of the MP3 decoder crate.
const DECODER: &str = "symphonia_bundle_mp3";
/// Parts of its messages about damaged data, as of version 0.6.
const DAMAGE: [&str; 2] = ["malformed bitstream", "invalid main_data_begin"];

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Watch;

static WATCH: Watch = Watch;

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(DECODER) || LogTracer::new().enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if record.target().starts_with(DECODER) {
            let line = record.args().to_string();
            if DAMAGE.iter().any(|part| line.contains(part)) {
                COUNT.set(COUNT.get() + 1);
            }
        }
        LogTracer::new().log(record);
    }

    fn flush(&self) {}
}

/// Installs this logger for the `log` crate, once. Call it after `tracing` has its subscriber,
/// whose level applies. A process with another logger keeps it; reports are then not counted.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if set_logger(&WATCH).is_ok() {
            set_max_level(
                LevelFilter::Info.max(tracing::level_filters::LevelFilter::current().as_log()),
            );
        }
    });
}

/// Returns the number of reports on this thread since the last call.
pub fn take() -> u64 {
    COUNT.take()
}

/// Damaged data that was decoded nevertheless, as reported by a decoder or a container. Positions
/// are frames of the output.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Number of packets reported by the decoder, and the position of the first.
    reported: u64,
    first_reported: Option<u64>,
    /// Number of sections reported by the container, and the position of the first.
    shown: usize,
    first_shown: Option<u64>,
}

impl Suspects {
    /// Records a packet that the decoder reports.
    pub fn report(&mut self, at: u64) {
        self.reported += 1;
        self.first_reported.get_or_insert(at);
    }

    /// Records that the container reports `count` sections up to here.
    pub fn reach(&mut self, count: usize, at: u64) {
        if count > self.shown {
            self.shown = count;
            self.first_shown.get_or_insert(at);
        }
    }

    /// Note about the damage, for a song with `packets` packets.
    pub fn note(&self, packets: u64) -> Option<Note> {
        // Some encoders habitually end a granule late.
        let is_habit = self.reported * 20 > packets;
        let reported = self.first_reported.filter(|_| !is_habit);
        let from = reported.into_iter().chain(self.first_shown).min()?;
        let places = reported.map_or(0, |_| self.reported) + self.shown as u64;
        Some(Note::Suspect { places, from })
    }
}
