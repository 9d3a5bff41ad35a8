//! The names of devices. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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
}
