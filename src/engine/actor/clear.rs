//! Settings of the engine, the size of the data folder, and the removal of all stems.

use std::{path::PathBuf, sync::Arc};

use super::{Core, songs::remove_folder};
use crate::engine::{
    diagnostics::{bug_report, doctor::folder_bytes},
    event::Event,
    library::{
        paths::{DRAGGED, TRACKS},
        recovery,
        trash::check_inside,
    },
    player::outputs,
    problem::{Activity, Result},
    separation::pool,
    settings::Preferences,
    system::{panics::caught, threads},
    types::{Compute, RequestId},
};

/// The folders in a song's folder that can be recreated from the song.
const CLEARED: [&str; 3] = ["stems", TRACKS, DRAGGED];

impl Core {
    /// Saves the settings.
    pub(super) fn keep_preferences(&mut self, preferences: &Preferences) -> Result<()> {
        self.mirror = preferences.mirror();
        preferences.save(self.library.home())
    }

    /// Sets how the network computes. A running job restarts its segment.
    pub(super) fn set_compute(&mut self, compute: Compute) -> Result<()> {
        if compute == self.compute {
            return Ok(());
        }
        pool::check(compute)?;
        self.devices.check(compute.device)?;
        self.compute = compute;
        if self.queue.restart_running() {
            self.stop_worker();
        }
        Ok(())
    }

    /// Emits the sound devices from a separate thread, because the sound system may be slow.
    pub(super) fn list_outputs(&self) -> Result<()> {
        let sink = self.sink.clone();
        // Detached, so that a sound system that does not answer cannot block the end of the program.
        threads::start("outputs", move || sink.send(Event::Outputs(outputs())))?.detach();
        Ok(())
    }

    /// Emits the graphics cards from a separate thread, because their drivers are slow.
    pub(super) fn list_devices(&self) -> Result<()> {
        let (sink, devices) = (self.sink.clone(), Arc::clone(&self.devices));
        let list = move || sink.send(Event::Devices(devices.cards().to_vec()));
        // Detached, so that a driver that does not answer cannot block the end of the program.
        threads::start("devices", list)?.detach();
        Ok(())
    }

    /// Writes a report on a separate thread, because examining the machine takes time.
    pub(super) fn save_report(&self, request: RequestId, path: PathBuf) -> Result<()> {
        let (home, compute) = (self.library.home().to_owned(), self.compute);
        let sink = self.sink.clone();
        let work = move || {
            let saved = caught(Activity::WritingReport, || bug_report::save(&home, compute, &path));
            sink.send(match saved {
                Ok(()) => Event::ReportSaved(path),
                Err(e) => {
                    let request = Some(request);
                    Event::Failed { request, song: None, problem: e }
                }
            });
        };
        // Detached, because it is safe to interrupt: the file gets its name only when it is complete.
        threads::start("report", work)?.detach();
        Ok(())
    }

    /// Emits the size of the data folder, which is measured on a separate thread.
    pub(super) fn measure_home(&self) -> Result<()> {
        let (home, songs) = (self.library.home().to_owned(), self.library.songs_folder());
        let sink = self.sink.clone();
        let work = move || {
            let stems = recovery::song_folders(&songs)
                .iter()
                .flat_map(|song| CLEARED.map(|folder| folder_bytes(&song.join(folder))))
                .sum();
            let all = folder_bytes(&home);
            sink.send(Event::HomeMeasured { home, all, stems });
        };
        threads::start("measure", work)?.detach(); // safe to interrupt, because it only reads
        Ok(())
    }

    /// Removes the stems of all songs, and cancels all jobs. The songs stay.
    pub(super) fn clear_stems(&mut self) -> Result<()> {
        check_inside(self.library.home(), &self.library.songs_folder())?;
        self.end_jobs_of(None)?;
        self.drags.cancel(None);
        let open = self.close(None);
        for song in recovery::song_folders(&self.library.songs_folder()) {
            for folder in CLEARED {
                if let Err(e) = remove_folder(&song.join(folder)) {
                    self.fail(None, &e);
                }
            }
        }
        self.send_library()?;
        if let Some(song) = open {
            self.open(song)?;
        }
        self.measure_home()
    }
}
