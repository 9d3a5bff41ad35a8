//! The verdicts on graphics cards, kept in the data folder: a card is measured once for each network,
//! driver and version of the program. Not the measurement. Called by the threads that separate.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    engine::system::atomic_file::write_atomically,
    model::{Device, Precision, device::Card},
};

/// File name in the data folder.
const FILE: &str = "devices.json";

/// Verdicts that are kept; the oldest are dropped.
const MOST: usize = 100;

/// Maximum number of bytes read.
const MOST_BYTES: u64 = 1 << 20;

/// Range of [`Verdict::db`], because JSON has no infinity.
const MOST_DB: f64 = 200.0;

/// The conditions of a measurement. Under other ones, the device is measured again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// The device.
    pub device: Device,
    /// The card's name.
    pub name: String,
    /// Version of its driver.
    pub driver: String,
    /// Version of Partita.
    pub version: String,
    /// Identity of the network.
    pub network: String,
    /// Precision of the kernels that the device was compared with.
    pub precision: String,
}

impl Conditions {
    /// The conditions of this program on a card.
    pub fn new(card: &Card, driver: &str, network: &str, precision: Precision) -> Self {
        Self {
            device: card.device,
            name: card.name.clone(),
            driver: driver.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: network.to_owned(),
            precision: precision.id().to_owned(),
        }
    }

    /// Whether both are about the same device and network, whatever the versions.
    fn replaces(&self, other: &Self) -> bool {
        self.device == other.device
            && self.network == other.network
            && self.precision == other.precision
    }
}

/// The result of a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The conditions of the measurement.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Name of the weight file.
    pub model: String,
    /// Distance of the device's stems from the right ones, in dB.
    pub db: f64,
    /// The least distance at which the device is taken, in dB.
    pub least_db: f64,
    /// The device's seconds for a segment.
    pub seconds: f64,
    /// The processor's seconds for the same segment.
    pub processor_seconds: f64,
}

impl Verdict {
    /// Whether the device is right and quicker than the processor.
    pub fn is_taken(&self) -> bool {
        self.db >= self.least_db && self.seconds < self.processor_seconds
    }
}

/// The verdicts of a data folder. The file is read once; without a folder, nothing is kept.
pub struct Verdicts {
    path: Option<PathBuf>,
    known: Mutex<Option<Vec<Verdict>>>,
}

impl Verdicts {
    /// The verdicts of a data folder, if there is one.
    pub fn new(home: Option<&Path>) -> Self {
        Self { path: home.map(|home| home.join(FILE)), known: Mutex::new(None) }
    }

    /// All verdicts, the oldest first.
    pub fn all(&self) -> Vec<Verdict> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_with(|| self.path.as_deref().map(read).unwrap_or_default()).clone()
    }

    /// The verdict under these conditions.
    pub fn get(&self, conditions: &Conditions) -> Option<Verdict> {
        self.all().into_iter().find(|verdict| verdict.conditions == *conditions)
    }

    /// Keeps a verdict. If it cannot be written, the device is measured again by the next process.
    pub fn keep(&self, mut verdict: Verdict) {
        verdict.db =
            if verdict.db.is_nan() { -MOST_DB } else { verdict.db.clamp(-MOST_DB, MOST_DB) };
        let mut all = self.all();
        all.retain(|other| !verdict.conditions.replaces(&other.conditions));
        all.push(verdict);
        all.drain(..all.len().saturating_sub(MOST));
        if let Some(path) = &self.path {
            let written =
                serde_json::to_vec_pretty(&all).map_err(|e| e.to_string()).and_then(|text| {
                    write_atomically(path, &text).map_err(|problem| problem.to_string())
                });
            if let Err(e) = written {
                tracing::warn!("could not keep the verdict on a device: {e}");
            }
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(all);
    }
}

/// The verdicts of a file; none if it is missing or damaged, because it can be measured again.
fn read(path: &Path) -> Vec<Verdict> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text));
    match read.map(|_| serde_json::from_slice(&text)) {
        Ok(Ok(verdicts)) => verdicts,
        Ok(Err(e)) => {
            tracing::warn!("{} is damaged; devices are measured again: {e}", path.display());
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(network: &str, driver: &str) -> Verdict {
        let card = Card { device: Device::Cuda(0), name: "card".into(), free_bytes: None };
        Verdict {
            conditions: Conditions::new(&card, driver, network, Precision::Single),
            model: "m".into(),
            db: f64::INFINITY,
            least_db: 60.0,
            seconds: 0.5,
            processor_seconds: 1.0,
        }
    }

    #[test]
    fn verdicts_survive_and_another_driver_asks_again() {
        let home = tempfile::tempdir().unwrap();
        let verdicts = Verdicts::new(Some(home.path()));
        for (network, driver) in [("a", "1"), ("b", "1"), ("a", "2")] {
            verdicts.keep(verdict(network, driver));
        }
        let again = Verdicts::new(Some(home.path()));
        assert_eq!(again.all(), verdicts.all());
        assert_eq!(again.all().len(), 2, "the old driver's verdict is replaced");
        assert!(again.get(&verdict("a", "2").conditions).unwrap().is_taken());
        assert_eq!(again.get(&verdict("a", "1").conditions), None);
        for network in 0..2 * MOST {
            verdicts.keep(verdict(&network.to_string(), "1"));
        }
        assert_eq!(verdicts.all().len(), MOST);
        std::fs::write(home.path().join(FILE), "[{").unwrap();
        assert_eq!(Verdicts::new(Some(home.path())).all(), []);
    }

    #[test]
    fn a_wrong_or_slower_device_is_not_taken() {
        let good = verdict("a", "1");
        assert!(good.is_taken());
        assert!(!Verdict { db: 59.9, ..good.clone() }.is_taken());
        assert!(!Verdict { db: f64::NAN, ..good.clone() }.is_taken());
        assert!(!Verdict { seconds: 1.0, ..good }.is_taken());
    }
}
