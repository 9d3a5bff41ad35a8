//! The devices that compute networks: the choice among them, and the processor behind them.
//!
//! A graphics card is measured once beside the processor, and is used only if it is right and
//! quicker. If a device fails, the processor takes over within the segment, and the device is not
//! used again for this network until the program ends. Runs on the threads that separate.

pub mod choice;
mod fallback;
mod measure;
pub mod opener;
#[cfg(test)]
mod tests;
pub mod verdict;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use self::{
    choice::{DeviceChoice, Failure, Fault},
    fallback::{Fallback, Load, fault_of},
    measure::{Measured, measure},
    opener::{Machine, Opener},
    verdict::{Conditions, Verdict, Verdicts},
};
use super::{
    installed::{InstalledModel, InstalledNetwork},
    memory,
};
use crate::{
    engine::{problem::Result, system::panics::guarded, types::Compute},
    model::{self, Device, ModelError, Precision, Separator, Stop, device::Card},
};

/// The devices of this machine, and the experience with them.
pub struct Devices {
    opener: Box<dyn Opener>,
    /// Listed on first use, which may take seconds.
    cards: OnceLock<Vec<Card>>,
    driver: OnceLock<String>,
    verdicts: Verdicts,
    /// Devices that failed with a network; they are not used for it again.
    failed: Mutex<BTreeSet<(Device, String)>>,
    /// Failures of which the user has not been notified.
    unreported: Mutex<Vec<Failure>>,
}

/// A network to load.
pub struct Loading<'a> {
    /// The network.
    pub network: &'a InstalledNetwork,
    /// The user's choice.
    pub choice: DeviceChoice,
    /// Precision of the kernels.
    pub precision: Precision,
    /// Stops a measurement.
    pub stop: Stop<'a>,
    /// Fails if the processor's network does not fit into memory.
    pub fits: Arc<dyn Fn() -> model::Result<()> + Send + Sync>,
}

/// Devices without a data folder: verdicts are forgotten at the end.
impl Default for Devices {
    fn default() -> Self {
        Self::with(Box::new(Machine), None)
    }
}

impl Devices {
    /// The devices of this machine, with the verdicts of a data folder.
    pub fn new(home: &Path) -> Arc<Self> {
        Arc::new(Self::with(Box::new(Machine), Some(home)))
    }

    /// Devices of another kind of machine.
    pub fn with(opener: Box<dyn Opener>, home: Option<&Path>) -> Self {
        Self {
            opener,
            cards: OnceLock::new(),
            driver: OnceLock::new(),
            verdicts: Verdicts::new(home),
            failed: Mutex::default(),
            unreported: Mutex::default(),
        }
    }

    /// The graphics cards on which this build can compute.
    pub fn cards(&self) -> &[Card] {
        // A driver that panics is as good as none.
        self.cards.get_or_init(|| guarded(|| self.opener.cards()).unwrap_or_default())
    }

    /// Checks that this build and this machine have the chosen device.
    ///
    /// # Errors
    /// [`ModelError::NoDevice`].
    pub fn check(&self, choice: DeviceChoice) -> Result<()> {
        let DeviceChoice::Only(device) = choice else { return Ok(()) };
        if !device.is_card() || self.cards().iter().any(|card| card.device == device) {
            return Ok(());
        }
        Err(ModelError::NoDevice { device, is_built: device.is_built() }.into())
    }

    /// The device that computes a network, as far as is known without a measurement. The pace of a
    /// network depends on it.
    pub fn settled(
        &self,
        choice: DeviceChoice,
        network: &InstalledNetwork,
        precision: Precision,
    ) -> Device {
        let device = match choice {
            DeviceChoice::Only(device) => device,
            DeviceChoice::Auto => {
                let verdicts = self.candidates(network).filter_map(|card| {
                    let verdict = self.verdict_on(card, network, precision)?;
                    verdict.is_taken().then_some((verdict.seconds, card.device))
                });
                let quickest = verdicts.min_by(|one, other| one.0.total_cmp(&other.0));
                quickest.map_or(Device::Cpu, |(_, device)| device)
            }
        };
        if self.has_failed(device, network) { Device::Cpu } else { device }
    }

    /// The device that computes a model's first network, as far as is known.
    pub fn of_model(&self, compute: Compute, model: &InstalledModel) -> Device {
        let settled = |network| self.settled(compute.device, network, compute.precision);
        model.networks.first().map_or(Device::Cpu, settled)
    }

    /// The verdict on a graphics card for a network, if it was measured.
    fn verdict_on(
        &self,
        card: &Card,
        network: &InstalledNetwork,
        precision: Precision,
    ) -> Option<Verdict> {
        self.verdicts.get(&self.conditions(card, network, precision))
    }

    /// The graphics cards that have not failed with a network and whose free memory holds it.
    fn candidates<'a>(&'a self, network: &'a InstalledNetwork) -> impl Iterator<Item = &'a Card> {
        let need = memory::on(DeviceChoice::Only(Device::CandleCpu), network.memory);
        let need = need.weights + need.work;
        let fits = move |card: &&Card| card.free_bytes.is_none_or(|free| free >= need);
        self.cards().iter().filter(fits).filter(|card| !self.has_failed(card.device, network))
    }

    /// All verdicts of the data folder.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.all()
    }

    /// Loads a network on the device of choice.
    ///
    /// # Errors
    /// Errors of the weights and of the kernels; [`ModelError::Cancelled`] in a measurement. The failure
    /// of a device is not an error.
    pub fn load(self: &Arc<Self>, loading: &Loading<'_>) -> Result<Box<dyn Separator>> {
        let Loading { network, choice, precision, .. } = *loading;
        let measured = match choice {
            DeviceChoice::Auto => self.measure_cards(loading)?,
            DeviceChoice::Only(_) => None,
        };
        let settled = self.settled(choice, network, precision);
        let loaded = match measured.filter(|(device, _)| *device == settled) {
            Some((_, loaded)) => Ok(loaded),
            None => contained(|| self.opener.open(&network.weights, settled, precision)),
        };
        match (settled, loaded) {
            (Device::Cpu, loaded) => Ok(loaded?),
            (device, Ok(loaded)) => Ok(self.guarded(device, loaded, loading)),
            (device, Err(error)) => self.lost(device, &error, loading),
        }
    }

    /// Takes the failures of which the user has not been notified.
    pub fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.unreported.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Measures the cards that were not measured for a network. Returns the network on the better device
    /// of the last measurement.
    fn measure_cards(&self, loading: &Loading<'_>) -> Result<Option<(Device, Box<dyn Separator>)>> {
        let Loading { network, precision, stop, .. } = *loading;
        let is_unknown = |card: &&Card| self.verdict_on(card, network, precision).is_none();
        let cards: Vec<&Card> = self.candidates(network).filter(is_unknown).collect();
        let mut loaded = None;
        for card in cards {
            drop(loaded.take()); // the cards' measurements must not share memory
            let conditions = self.conditions(card, network, precision);
            let measure = || measure(&*self.opener, &network.weights, conditions, precision, stop);
            loaded = Some(match contained(measure) {
                Ok(Measured { verdict, device, processor }) => {
                    tracing::info!(
                        "{} ({}) for {}: {:.1} dB (at least {:.0}), {:.3} s a segment; the \
                         processor: {:.3} s; {}",
                        card.device,
                        card.name,
                        verdict.model,
                        verdict.db,
                        verdict.least_db,
                        verdict.seconds,
                        verdict.processor_seconds,
                        if verdict.is_taken() { "taken" } else { "not taken" }
                    );
                    let is_taken = verdict.is_taken();
                    self.verdicts.keep(verdict);
                    if is_taken { (card.device, device) } else { (Device::Cpu, processor) }
                }
                // Not kept: another program may have used the card's memory.
                Err(error) => (Device::Cpu, self.lost(card.device, &error, loading)?),
            });
        }
        Ok(loaded)
    }

    /// A network on a device, with the processor behind it.
    fn guarded(
        self: &Arc<Self>,
        device: Device,
        loaded: Box<dyn Separator>,
        loading: &Loading<'_>,
    ) -> Box<dyn Separator> {
        let network = loading.network;
        let (devices, identity) = (Arc::clone(self), network.identity.clone());
        let on_failure = move |fault, text: &str| devices.record(device, &identity, fault, text);
        let (devices, precision) = (Arc::clone(self), loading.precision);
        let (weights, fits) = (network.weights.clone(), Arc::clone(&loading.fits));
        let load: Load = Box::new(move || {
            fits()?;
            devices.opener.open(&weights, Device::Cpu, precision)
        });
        Box::new(Fallback::new(loaded, load, Box::new(on_failure)))
    }

    /// The processor's network after a device could not be opened or measured.
    fn lost(
        &self,
        device: Device,
        error: &ModelError,
        loading: &Loading<'_>,
    ) -> Result<Box<dyn Separator>> {
        if *error == ModelError::Cancelled {
            return Err(error.clone().into());
        }
        (loading.fits)()?;
        // Damaged weights fail here with their own error, without blaming the device.
        let network = loading.network;
        let loaded = self.opener.open(&network.weights, Device::Cpu, loading.precision)?;
        self.record(device, &network.identity, fault_of(error), &error.to_string());
        Ok(loaded)
    }

    fn record(&self, device: Device, identity: &str, fault: Fault, text: &str) {
        tracing::warn!("the device {device} failed, and the processor takes over: {text}");
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.insert((device, identity.to_owned())) {
            let mut unreported = self.unreported.lock().unwrap_or_else(PoisonError::into_inner);
            unreported.push(Failure { device, fault });
        }
    }

    fn has_failed(&self, device: Device, network: &InstalledNetwork) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.contains(&(device, network.identity.clone()))
    }

    fn conditions(
        &self,
        card: &Card,
        network: &InstalledNetwork,
        precision: Precision,
    ) -> Conditions {
        let driver = self.driver.get_or_init(|| self.opener.driver());
        Conditions::new(card, driver, &network.identity, precision)
    }
}

/// Calls a device's library; a panic is an error.
fn contained<T>(work: impl FnOnce() -> model::Result<T>) -> model::Result<T> {
    let panicked = || Err(ModelError::Device { cause: "a library panicked".into() });
    guarded(work).unwrap_or_else(panicked)
}
