//! Devices that compute a network: the processor with the kernels, and candle's operations on the
//! processor or on a graphics card.
//!
//! Names them, lists the graphics cards of this build and machine, and opens them. Not the choice
//! among them, which is the engine's. Usable from any thread; listing and opening may take seconds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{ModelError, Result};

/// A device that computes a network.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub enum Device {
    /// The processor, with the kernels.
    #[default]
    Cpu,
    /// The processor, with candle's operations: the readable reference, several times slower.
    CandleCpu,
    /// NVIDIA's graphics card of this number, from 0.
    Cuda(usize),
    /// Apple's graphics card of this number, from 0.
    Metal(usize),
}

impl Device {
    /// Whether this build can compute on such a device.
    pub fn is_built(self) -> bool {
        match self {
            Self::Cpu | Self::CandleCpu => true,
            Self::Cuda(_) => cfg!(feature = "cuda"),
            Self::Metal(_) => cfg!(target_os = "macos"),
        }
    }

    /// Whether this is a graphics card, with memory and failures of its own.
    pub fn is_card(self) -> bool {
        matches!(self, Self::Cuda(_) | Self::Metal(_))
    }

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

/// The name on the command line, in settings and in errors: `cpu`, `candle-cpu`, `cuda`, `cuda:1`.
impl fmt::Display for Device {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => to.write_str("cpu"),
            Self::CandleCpu => to.write_str("candle-cpu"),
            Self::Cuda(0) => to.write_str("cuda"),
            Self::Cuda(number) => write!(to, "cuda:{number}"),
            Self::Metal(0) => to.write_str("metal"),
            Self::Metal(number) => write!(to, "metal:{number}"),
        }
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

/// The text that is not the name of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDevice(String);

impl fmt::Display for UnknownDevice {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "unknown device {:?}; expected cpu, candle-cpu, cuda or metal", self.0)
    }
}

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let unknown = || UnknownDevice(text.to_owned());
        let (name, number) = match text.split_once(':') {
            // At most two digits, so that no spelling of a number exists twice.
            Some((name, number)) if matches!(number.len(), 1 | 2) => {
                (name, Some(number.parse().map_err(|_| unknown())?))
            }
            Some(_) => return Err(unknown()),
            None => (text, None),
        };
        match (name, number) {
            ("cpu", None) => Ok(Self::Cpu),
            ("candle-cpu", None) => Ok(Self::CandleCpu),
            ("cuda", number) => Ok(Self::Cuda(number.unwrap_or(0))),
            ("metal", number) => Ok(Self::Metal(number.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for Device {
    type Error = UnknownDevice;

    fn try_from(text: String) -> Result<Self, UnknownDevice> {
        text.parse()
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
    fn names_are_read_back() {
        let all =
            [Device::Cpu, Device::CandleCpu, Device::Cuda(0), Device::Cuda(12), Device::Metal(1)];
        for device in all {
            assert_eq!(device.to_string().parse(), Ok(device));
            let json = serde_json::to_string(&device).unwrap();
            assert_eq!(serde_json::from_str::<Device>(&json).unwrap(), device);
        }
        assert_eq!("cuda:0".parse(), Ok(Device::Cuda(0)));
        for wrong in
            ["", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:100", "cuda:x", "gpu", "metal:1:2"]
        {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }

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
