//! Devices that compute a network: the processor with the kernels, and candle's operations on the
//! processor or on a graphics card.
//!
//! Lists the graphics cards of this build and machine, and opens devices. Not the choice among them,
//! which is the engine's. Usable from any thread; listing and opening may take seconds.

pub mod name;

use serde::Serialize;

pub use name::{Device, UnknownDevice};

use super::{ModelError, Result};

impl Device {
    /// The device in candle's terms.
    ///
    /// # Errors
    /// [`ModelError::NoDevice`] if this build lacks it; [`ModelError::Device`].
    pub fn open(self) -> Result<candle_core::Device> {
        if !self.is_built() {
            return Err(ModelError::NoDevice { device: self, is_built: false });
        }
        Ok(match self {
            Self::Cpu | Self::CandleCpu => candle_core::Device::Cpu,
            Self::Cuda(number) => candle_core::Device::new_cuda(number)?,
            Self::Metal(number) => candle_core::Device::new_metal(number)?,
        })
    }
}

/// A graphics card of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The device.
    pub device: Device,
    /// The manufacturer's name.
    pub name: String,
    /// Free memory in bytes, if known.
    pub free_bytes: Option<u64>,
}

/// The graphics cards of this machine on which this build can compute.
pub fn cards() -> Vec<Card> {
    let mut cards = Vec::new();
    #[cfg(feature = "cuda")]
    cards.extend(cuda_cards());
    #[cfg(target_os = "macos")]
    cards.extend(metal_card());
    cards.sort_by_key(|card: &Card| card.device);
    cards
}

/// Whether this build and this machine have the device. Lists the cards only if it is one.
pub fn is_present(device: Device) -> bool {
    let is_listed = || cards().iter().any(|card| card.device == device);
    device.is_built() && (!device.is_card() || is_listed())
}

#[cfg(feature = "cuda")]
fn cuda_cards() -> Vec<Card> {
    use candle_core::cuda::cudarc::driver::CudaContext;

    let count = CudaContext::device_count().unwrap_or(0).max(0) as usize;
    let card = |number| {
        let context = CudaContext::new(number).ok()?;
        let free_bytes = context.mem_get_info().ok().map(|(free, _)| free as u64);
        Some(Card { device: Device::Cuda(number), name: context.name().ok()?, free_bytes })
    };
    (0..count).filter_map(card).collect()
}

#[cfg(target_os = "macos")]
fn metal_card() -> Option<Card> {
    // candle panics on a Mac without a graphics card, such as a virtual one.
    let device = std::panic::catch_unwind(|| candle_core::Device::new_metal(0)).ok()?.ok()?;
    let metal = device.as_metal_device().ok()?.device();
    let free =
        metal.recommended_max_working_set_size().saturating_sub(metal.current_allocated_size());
    let (device, name) = (Device::Metal(0), metal.architecture_name());
    Some(Card { device, name, free_bytes: Some(free as u64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_the_build_lacks_is_an_error_with_the_remedy() {
        let device = if cfg!(feature = "cuda") { Device::Metal(0) } else { Device::Cuda(0) };
        if device.is_built() {
            return; // a Mac with CUDA
        }
        let error = device.open().unwrap_err();
        assert_eq!(error, ModelError::NoDevice { device, is_built: false });
        assert!(error.to_string().contains(&device.to_string()), "{error}");
    }
}
