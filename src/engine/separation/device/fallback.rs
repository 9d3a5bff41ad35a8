//! A network on a device, with the processor behind it: no song fails for a device's failure.
//!
//! The failed segment is computed again by the kernels, and so are all later ones. Runs on the
//! caller's thread.

use std::sync::{Arc, Mutex, PoisonError};

use super::choice::Fault;
use crate::{
    engine::system::panics::guarded,
    model::{self, ModelError, Separator, Spec, Stop},
};

/// Loads the processor's network.
pub type Load = Box<dyn Fn() -> model::Result<Box<dyn Separator>> + Send + Sync>;

/// Records that the device failed, with the text for the log.
pub type OnFailure = Box<dyn Fn(Fault, &str) + Send + Sync>;

/// A network on a device, until that fails.
pub struct Fallback {
    spec: Spec,
    /// `None` once the device has failed; its memory is then free.
    device: Mutex<Option<Arc<dyn Separator>>>,
    /// The processor's network, loaded when it is needed.
    processor: Mutex<Option<Arc<dyn Separator>>>,
    load: Load,
    on_failure: OnFailure,
}

impl Fallback {
    pub fn new(device: Box<dyn Separator>, load: Load, on_failure: OnFailure) -> Self {
        let spec = device.spec().clone();
        let device = Mutex::new(Some(Arc::from(device)));
        Self { spec, device, processor: Mutex::new(None), load, on_failure }
    }

    /// The processor's network.
    fn processor(&self) -> model::Result<Arc<dyn Separator>> {
        let mut processor = self.processor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = &*processor {
            return Ok(Arc::clone(network));
        }
        let network: Arc<dyn Separator> = Arc::from((self.load)()?);
        Ok(Arc::clone(processor.insert(network)))
    }

    /// Runs the device's network; a panic and an invalid output are failures too.
    fn attempt(
        &self,
        network: &dyn Separator,
        mix: &[f32],
        stop: Stop<'_>,
    ) -> Result<Vec<f32>, Ending> {
        let Some(result) = guarded(|| network.separate_unless(mix, stop)) else {
            return Err(Ending::Failed(Fault::Other, "a library panicked".to_owned()));
        };
        let stems = result.map_err(|error| match error {
            ModelError::Cancelled => Ending::Cancelled,
            error => Ending::Failed(fault_of(&error), error.to_string()),
        })?;
        let Spec { sources, channels, segment_frames, .. } = &self.spec;
        if stems.len() != sources.len() * channels * segment_frames {
            let text = format!("the output has {} samples", stems.len());
            return Err(Ending::Failed(Fault::Other, text));
        }
        if !stems.iter().all(|sample| sample.is_finite()) {
            let text = "the output has NaN or infinite samples".to_owned();
            return Err(Ending::Failed(Fault::NotNumbers, text));
        }
        Ok(stems)
    }
}

/// The end of a segment without stems.
enum Ending {
    Cancelled,
    Failed(Fault, String),
}

impl Separator for Fallback {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn separate_unless(&self, mix: &[f32], stop: Stop<'_>) -> model::Result<Vec<f32>> {
        // The caller's mistake, not the device's.
        self.spec.check_segment(mix)?;
        let device = self.device.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(network) = device {
            match self.attempt(&*network, mix, stop) {
                Ok(stems) => return Ok(stems),
                Err(Ending::Cancelled) => return Err(ModelError::Cancelled),
                Err(Ending::Failed(fault, text)) => {
                    *self.device.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    (self.on_failure)(fault, &text);
                }
            }
        }
        self.processor()?.separate_unless(mix, stop)
    }
}

/// The kind of a failure, by the library's text: candle's errors have no kinds.
pub fn fault_of(error: &ModelError) -> Fault {
    let text = error.to_string().to_lowercase().replace('_', " ");
    if text.contains("out of memory") { Fault::Memory } else { Fault::Other }
}
