//! Damage that the MP3 decoder notices, conceals, and reports in its log alone.
//!
//! MP3 has no checksums as a rule: changed bytes decode to other sound. Symphonia's decoder notices when
//! a granule's codes do not end where they should, and writes a line by the `log` crate; it returns no
//! error. This is the process's logger for that crate: it counts such lines on the thread that decodes,
//! and hands every line on to `tracing`. Another MP3 decoder that returns them was not found.

use std::{cell::Cell, sync::Once};

use log::{LevelFilter, Log, Metadata, Record, set_logger, set_max_level};
use tracing_log::{AsLog as _, LogTracer};

use crate::engine::note::Note;

/// The crate that decodes MP3, as it names itself in its lines.
const DECODER: &str = "symphonia_bundle_mp3";
/// Parts of its lines about damaged data, of version 0.6.
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

/// Makes this the logger of the `log` crate, once. To be called after `tracing` has its subscriber, whose
/// level counts. A process that has another logger keeps it: reports are then not counted.
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

/// Reports of damage on this thread since the last call.
pub fn take() -> u64 {
    COUNT.take()
}

/// Damaged data that was decoded nevertheless, as a decoder reports it, or a container shows it. Places are
/// frames of the output.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Packets that the decoder reports, and the first one.
    reported: u64,
    first_reported: Option<u64>,
    /// Stretches that the container shows, and the first one.
    shown: usize,
    first_shown: Option<u64>,
}

impl Suspects {
    /// The decoder reports a packet.
    pub fn report(&mut self, at: u64) {
        self.reported += 1;
        self.first_reported.get_or_insert(at);
    }

    /// The container shows so many stretches until here.
    pub fn reach(&mut self, count: usize, at: u64) {
        if count > self.shown {
            self.shown = count;
            self.first_shown.get_or_insert(at);
        }
    }

    /// The note about them, in a song of so many packets.
    pub fn note(&self, packets: u64) -> Option<Note> {
        // Some encoders end a granule late as a habit.
        let is_habit = self.reported * 20 > packets;
        let reported = self.first_reported.filter(|_| !is_habit);
        let from = reported.into_iter().chain(self.first_shown).min()?;
        let places = reported.map_or(0, |_| self.reported) + self.shown as u64;
        Some(Note::Suspect { places, from })
    }
}
