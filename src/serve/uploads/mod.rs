//! Files that clients send: received, imported, and kept for as long as the library has their songs.
//!
//! Each upload has a folder in the data folder, named by the server: `uploads/ID/`. It holds the bytes
//! received so far as `part`; then the whole file, whose name is made safe, as a name of a client is
//! never a path. A resumable upload also has `upload.json` until it is imported. Reads and writes disks:
//! its functions are called on threads for blocking work, where they say so.

mod form;
mod receive;
mod record;
mod space;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

pub(super) use form::receive_form;
pub(super) use receive::{Writer, in_time, receive_part};
use record::Stored;
pub(super) use record::{Record, Stage};

use super::{Limits, fault::Fault};
use crate::{
    engine::{
        Problem, Result,
        export::safe_file_name,
        system::atomic_file::{make_folders, sync_folder, write_atomically},
    },
    file_moves,
    model::weights::hex,
};

/// Folder in the data folder.
const FOLDER: &str = "uploads";
/// File with what has been received.
const PART: &str = "part";
/// File with the facts about a resumable upload.
const FACTS: &str = "upload.json";
/// Time after which an unfinished upload is removed.
pub(super) const EXPIRY: Duration = Duration::from_hours(24);
/// Maximum number of unfinished uploads.
const MOST: usize = 256;
/// Maximum length of a file's name in characters.
const MOST_NAME: usize = 200;

/// All uploads.
pub(super) struct Uploads {
    folder: PathBuf,
    limits: Limits,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    records: BTreeMap<String, Record>,
    /// Sizes of the files that songs use, in bytes, by their folders' names.
    kept: BTreeMap<String, u64>,
}

impl All {
    fn kept_bytes(&self) -> u64 {
        self.kept.values().sum()
    }
}

/// The demand for a new upload.
#[derive(Clone, Debug)]
pub(super) struct NewUpload {
    /// Name of the file, as the client says.
    pub file_name: String,
    /// Length in bytes; for a form, at most this long.
    pub bytes: u64,
    /// Whether it can go on after an interruption, also of the server.
    pub is_resumable: bool,
}

impl Uploads {
    /// Opens the folder; creates it if it is missing.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn open(home: &Path, limits: Limits) -> Result<Self> {
        let home = std::path::absolute(home).map_err(|e| Problem::home_unwritable(home, e))?;
        let folder = home.join(FOLDER);
        make_folders(&folder).map_err(|e| Problem::home_unwritable(&home, e))?;
        Ok(Self { folder, limits, all: Mutex::default() })
    }

    /// Size of all files, the unfinished ones included, in bytes.
    pub fn stored_bytes(&self) -> u64 {
        let all = self.all();
        let unfinished = all.records.values().filter(|record| record.is_unfinished());
        all.kept_bytes() + unfinished.map(|record| record.received).sum::<u64>()
    }

    /// Removes folders that no song and no unfinished upload needs, and takes unfinished uploads of an
    /// earlier run over. `song_in` finds the file of a song in a folder. Blocks.
    pub fn sweep(&self, song_in: impl Fn(&Path) -> Option<PathBuf>) {
        let Ok(folders) = fs::read_dir(&self.folder) else { return };
        for folder in folders.flatten().map(|entry| entry.path()) {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // Before the look for the song: an upload is unfinished until the library has its song.
            if self.get(name).is_some_and(|record| record.is_unfinished()) {
                continue;
            }
            if let Some(song) = song_in(&folder) {
                if !self.all().kept.contains_key(name) {
                    let bytes = fs::metadata(song).map_or(0, |file| file.len());
                    self.all().kept.insert(name.to_owned(), bytes);
                    fs::remove_file(folder.join(FACTS)).ok();
                }
                continue;
            }
            self.all().kept.remove(name);
            let is_new = self.get(name).is_none();
            match Stored::read(&folder)
                .filter(|stored| is_new && is_id(name) && !stored.is_expired())
            {
                Some(stored) => {
                    let record = stored.record(name, &folder);
                    self.all().records.insert(name.to_owned(), record);
                }
                None => remove(&folder),
            }
        }
    }

    /// Begins an upload. Blocks.
    ///
    /// # Errors
    /// The file is too large, or the disk lacks space.
    pub fn begin(&self, new: &NewUpload) -> Result<Record, Fault> {
        if new.bytes > self.limits.upload_bytes && new.is_resumable {
            return Err(Fault::TooLarge { most: self.limits.upload_bytes });
        }
        let id = new_id()?;
        let name: String = new.file_name.chars().take(MOST_NAME).collect();
        // Folders that a client names are dropped.
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let record = Record::new(&id, &safe_file_name(name), new);
        {
            let mut all = self.all();
            if all.records.values().filter(|record| record.is_unfinished()).count() >= MOST {
                return Err(Fault::Busy);
            }
            space::check(&self.folder, &self.limits, &all, new.bytes)?;
            all.records.insert(id.clone(), record.clone());
        }
        if let Err(error) = self.create(&record) {
            self.forget(&id);
            return Err(Problem::write(&self.folder_of(&id), error).into());
        }
        Ok(record)
    }

    fn create(&self, record: &Record) -> io::Result<()> {
        let folder = self.folder_of(&record.id);
        make_folders(&folder)?;
        fs::File::create_new(folder.join(PART))?;
        if record.is_resumable {
            let facts = serde_json::to_vec(&Stored::of(record))?;
            write_atomically(&folder.join(FACTS), &facts).map_err(io::Error::other)?;
        }
        sync_folder(&self.folder);
        Ok(())
    }

    /// An upload that is known.
    pub fn get(&self, id: &str) -> Option<Record> {
        self.all().records.get(id).cloned()
    }

    /// Unfinished uploads of which everything was received: their import was interrupted.
    pub fn complete(&self) -> Vec<Record> {
        let is_complete =
            |record: &&Record| record.stage == Stage::Receiving && record.received == record.bytes;
        self.all().records.values().filter(is_complete).cloned().collect()
    }

    /// Changes an upload that is known.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.all().records.get_mut(id) {
            change(record);
        }
    }

    /// Gives a received file its name. Returns its path. Blocks.
    ///
    /// # Errors
    /// The file cannot be renamed.
    pub fn finish(&self, record: &Record) -> Result<PathBuf, Fault> {
        let folder = self.folder_of(&record.id);
        let (part, path) = (folder.join(PART), folder.join(&record.file_name));
        // An import that was interrupted begins again with the named file.
        if part.exists() {
            file_moves::rename(&part, &path)
                .map_err(|error| Fault::from(Problem::write(&path, error)))?;
            sync_folder(&folder);
        }
        Ok(path)
    }

    /// Ends an upload whose file is a song's now. The file is removed if the library has the song from
    /// another file, `song_path`. Blocks.
    pub fn imported(&self, record: &Record, song_path: &Path) {
        let folder = self.folder_of(&record.id);
        if song_path.parent() == Some(&folder) {
            fs::remove_file(folder.join(FACTS)).ok();
            self.all().kept.insert(record.id.clone(), record.bytes);
        } else {
            remove(&folder);
        }
    }

    /// Number of folders that are kept for songs.
    pub fn kept_folders(&self) -> usize {
        self.all().kept.len()
    }

    /// Folder of all uploads.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes an upload with its files. Blocks.
    pub fn remove(&self, id: &str) {
        self.forget(id);
        remove(&self.folder_of(id));
    }

    /// Removes the files of an upload that failed; clients can still ask for the reason. Blocks.
    pub fn remove_files(&self, id: &str) {
        remove(&self.folder_of(id));
    }

    /// Forgets an upload, whose files stay.
    pub fn forget(&self, id: &str) {
        self.all().records.remove(id);
    }

    /// Removes the uploads of which bytes are missing, unless a request is sending them. Blocks.
    pub fn clear(&self) {
        let is_left = |record: &&Record| record.stage == Stage::Receiving && !record.is_busy;
        let left: Vec<String> =
            self.all().records.values().filter(is_left).map(|record| record.id.clone()).collect();
        for id in left {
            self.remove(&id);
        }
    }

    /// Removes expired uploads, and what is known of old ended ones. Blocks.
    pub fn expire(&self) {
        let is_expired = |record: &&Record| !record.is_busy && record.age() > EXPIRY;
        let expired: Vec<Record> =
            self.all().records.values().filter(is_expired).cloned().collect();
        for record in expired {
            match record.stage {
                Stage::Receiving => self.remove(&record.id),
                Stage::Importing(_) => {}
                Stage::Imported(_) | Stage::Failed(_) => self.forget(&record.id),
            }
        }
    }

    /// Maximum size of a file in bytes.
    pub fn most_bytes(&self) -> u64 {
        self.limits.upload_bytes
    }

    fn folder_of(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A random name for an upload, so that others cannot find it.
fn new_id() -> Result<String, Fault> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|_| Fault::Internal)?;
    Ok(hex(&random))
}

/// Whether a text has the form of an upload's name. Others never reach a disk.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn remove(folder: &Path) {
    match file_moves::remove_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("could not remove {}: {error}", folder.display());
        }
        _ => {}
    }
}

fn age(since: SystemTime) -> Duration {
    since.elapsed().unwrap_or_default()
}

#[cfg(test)]
mod tests;
