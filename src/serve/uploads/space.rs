//! Disk space for uploads: what was promised to unfinished ones counts as taken, so that many at once do
//! not fill the disk. Asks the system for the free space.

use std::path::Path;

use super::{All, Record};
use crate::{
    engine::system::atomic_file::free_bytes,
    serve::{Limits, fault::Fault},
};

/// Space that uploads leave to the library, in bytes.
const LEFT: u64 = 64 << 20;

/// Checks that `bytes` more can be received.
///
/// # Errors
/// [`Fault::NoRoom`].
pub(super) fn check(folder: &Path, limits: &Limits, all: &All, bytes: u64) -> Result<(), Fault> {
    let unfinished = || all.records.values().filter(|record| record.is_unfinished());
    let missing: u64 = unfinished().map(|record: &Record| record.bytes - record.received).sum();
    let granted = limits.uploads_bytes.map_or(u64::MAX, |most| {
        let taken: u64 = unfinished().map(|record| record.bytes).sum();
        most.saturating_sub(all.kept_bytes().saturating_add(taken))
    });
    let on_disk = free_bytes(folder)
        .map_or(u64::MAX, |free| free.saturating_sub(missing.saturating_add(LEFT)));
    let free = granted.min(on_disk);
    if bytes > free { Err(Fault::NoRoom { needed: bytes, free }) } else { Ok(()) }
}
