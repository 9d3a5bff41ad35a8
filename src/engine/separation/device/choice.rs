//! The user's choice of a device, and the failures of devices, as data. Not the decision, which is
//! the parent module's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::{Device, device::UnknownDevice};

/// The user's choice of the device that computes networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeviceChoice {
    /// The quickest graphics card that was measured to be right and quicker than the processor;
    /// otherwise the processor.
    #[default]
    Auto,
    /// This device, without a measurement.
    Only(Device),
}

const AUTO: &str = "auto";

/// The name on the command line and in the settings.
impl fmt::Display for DeviceChoice {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => to.write_str(AUTO),
            Self::Only(device) => device.fmt(to),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        if text == AUTO { Ok(Self::Auto) } else { Ok(Self::Only(text.parse()?)) }
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = UnknownDevice;

    fn try_from(text: String) -> Result<Self, UnknownDevice> {
        text.parse()
    }
}

/// The kind of a device's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The device's memory is too small, or other programs use it.
    Memory,
    /// The output has NaN or infinite samples.
    NotNumbers,
    /// Any other error; the log has its text.
    Other,
}

/// A device that failed, so that the processor computes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The device.
    pub device: Device,
    /// The kind of failure.
    pub fault: Fault,
}
