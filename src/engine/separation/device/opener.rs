//! Access to this machine's devices, behind a trait, so that tests can simulate devices that fail.

use std::{path::Path, sync::LazyLock, time::Instant};

use crate::model::{
    self, Device, Precision, Separator,
    device::{Card, cards},
};

/// Lists graphics cards and loads networks on devices.
pub trait Opener: Send + Sync {
    /// The graphics cards, the preferred one first.
    fn cards(&self) -> Vec<Card>;

    /// The version of their driver; empty if unknown.
    fn driver(&self) -> String;

    /// Seconds since some fixed moment, to measure devices with.
    fn seconds(&self) -> f64;

    /// Loads a network on a device.
    ///
    /// # Errors
    /// Fails with the errors of [`model::load`].
    fn open(
        &self,
        weights: &Path,
        device: Device,
        precision: Precision,
    ) -> model::Result<Box<dyn Separator>>;
}

/// The devices of this machine.
pub struct Machine;

impl Opener for Machine {
    fn cards(&self) -> Vec<Card> {
        cards()
    }

    fn driver(&self) -> String {
        // CUDA's own call for it needs unsafe code. Metal is a part of the system.
        let nvidia = std::fs::read_to_string("/proc/driver/nvidia/version").ok();
        let nvidia = nvidia.and_then(|text| text.lines().next().map(|line| line.trim().to_owned()));
        nvidia.or_else(|| sysinfo::System::os_version().ok()).unwrap_or_default()
    }

    fn seconds(&self) -> f64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_secs_f64()
    }

    fn open(
        &self,
        weights: &Path,
        device: Device,
        precision: Precision,
    ) -> model::Result<Box<dyn Separator>> {
        model::load(weights, device, precision)
    }
}
