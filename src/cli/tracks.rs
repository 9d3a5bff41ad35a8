//! The tracks of a finished job as files in the data folder: one WAV a stem, and their mix.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::{Map, Value, json};

use super::events::Session;
use crate::engine::{Command, Depth, Event, ExportId, ExportState, Job, library::Library};

/// The name of the mix among the tracks.
const MIX: &str = "mix";

/// Each track's name and file. Written the first time that they are asked for.
pub(super) fn of_job(home: PathBuf, job: &Job) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let library = Library::open(&home)?;
    let song = library.song(job.song)?;
    let folder = library.song_folder(&song.hash).join("tracks").join(job.id.0.to_string());
    drop(library);
    let names = job.stems.iter().cloned().chain([MIX.to_owned()]);
    let tracks: Vec<_> =
        names.map(|name| (name.clone(), folder.join(format!("{name}.wav")))).collect();
    if tracks.iter().all(|(_, path)| path.is_file()) {
        return Ok(tracks);
    }
    let session = Session::start(home)?;
    let (id, depth, song) = (ExportId(0), Depth::Int24, job.song);
    let to = folder.clone();
    let stems = job.stems.clone();
    export(&session, Command::ExportStems { id, song, stems, depth, to })?;
    let stems = job.stems.iter().map(|stem| (stem.clone(), 1.0)).collect();
    let to = folder.join(format!("{MIX}.wav"));
    export(&session, Command::ExportMix { id, song, stems, depth, to })?;
    Ok(tracks)
}

/// The same for machines.
pub(super) fn json(tracks: &[(String, PathBuf)]) -> Value {
    let entries = tracks.iter().map(|(name, path)| (name.clone(), json!(path)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn export(session: &Session, command: Command) -> anyhow::Result<()> {
    session.engine.send(command);
    loop {
        match session.next()? {
            Event::Export { state: ExportState::Done { .. }, .. } => return Ok(()),
            Event::Export { state: ExportState::Failed(reason), .. }
            | Event::Failed { reason, .. } => bail!(reason),
            _ => {}
        }
    }
}
