//! Level of an export: one gain for all files, found in a first pass over their samples. Runs on
//! the export thread.

use ebur128::{EbuR128, Mode};

use super::{
    ExportItem, Form, MIX, Scale, Settings,
    feed::Block,
    mixing::{Content, Dither},
};
use crate::engine::problem::{Problem, Result};

/// Highest true peaks of the mix, in dB of full scale: for a target loudness (EBU R 128), and for a
/// limiter that only prevents clipping.
const LOUD_PEAK_DB: f64 = -1.0;
const LIMITED_PEAK_DB: f64 = -0.1;

/// Headroom below the ceiling for the limiter, in dB. Its moving gain, and meters with longer
/// filters, show peaks slightly above those it saw (0.2 dB, measured on loud rock).
const LIMITER_MARGIN_DB: f64 = 0.3;

/// Gain and limiting of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Linear gain of all samples.
    pub gain: f64,
    /// Ceiling of the limiter, if the mix needs one.
    pub ceiling: Option<f64>,
    /// Loudness that the mix reaches, in LUFS, if below the target.
    pub short_lufs: Option<f64>,
}

/// Measures all samples in one pass.
pub struct Measure<'a> {
    form: Form,
    settings: &'a Settings,
    /// Extremes of all samples that must not clip, in the units of the form's scale.
    low: f64,
    high: f64,
    /// Steps that rounding and dither may add once a gain applies.
    slack: f64,
    meter: Option<EbuR128>,
    samples: Vec<f64>,
}

impl<'a> Measure<'a> {
    /// Whether the level depends on the samples.
    pub fn is_needed(form: &Form, settings: &Settings) -> bool {
        form.scale != Scale::Free || settings.loudness_lufs.is_some() || settings.limiter
    }

    /// Creates a measurement for this form and these settings.
    ///
    /// # Errors
    /// Fails if loudness cannot be measured at this rate.
    pub fn new(form: Form, settings: &'a Settings) -> Result<Self> {
        let mode = Mode::I | Mode::TRUE_PEAK;
        let meter = (settings.limiter || settings.loudness_lufs.is_some())
            .then(|| EbuR128::new(form.channels.into(), form.rate, mode).map_err(cannot_measure));
        let meter = meter.transpose()?;
        Ok(Self { form, settings, low: 0.0, high: 0.0, slack: 0.0, meter, samples: Vec::new() })
    }

    /// Measures a block of one stream.
    ///
    /// # Errors
    /// Fails if the loudness meter rejects the samples.
    pub fn see(
        &mut self,
        item: &ExportItem,
        content: &Content,
        dither: Option<&mut Dither>,
        block: &Block,
    ) -> Result<()> {
        let channels = self.form.channels;
        if let Some(meter) = self.meter.as_mut().filter(|_| item.name == MIX) {
            content.floats(block, channels, 1.0, &mut self.samples);
            meter.add_frames_f64(&self.samples).map_err(cannot_measure)?;
            if self.settings.limiter {
                return Ok(()); // the limiter handles the mix without turning down the other files
            }
        }
        if let Scale::Steps(full_scale) = self.form.scale {
            content.integers(block, channels, (1.0, full_scale), dither, &mut self.samples);
            self.slack = self.slack.max(content.stems().len() as f64 + 2.0);
        } else {
            content.floats(block, channels, 1.0, &mut self.samples);
        }
        for &x in &self.samples {
            (self.low, self.high) = (self.low.min(x), self.high.max(x));
        }
        Ok(())
    }

    /// Level for the samples measured so far.
    ///
    /// # Errors
    /// Fails if the loudness meter cannot compute a result.
    pub fn level(&self) -> Result<Level> {
        let peak = self.true_peak()?;
        let mut level = Level { gain: 1.0, ceiling: None, short_lufs: None };
        if let (Some(meter), Some(target)) = (&self.meter, self.settings.loudness_lufs) {
            let lufs = meter.loudness_global().map_err(cannot_measure)?;
            // The loudness of silence is not finite; leave silence unchanged.
            if lufs.is_finite() {
                let wanted = linear(f64::from(target) - lufs);
                let most =
                    if self.settings.limiter { f64::INFINITY } else { linear(LOUD_PEAK_DB) / peak };
                level.gain = self.fitting(wanted.min(most));
                let reached = lufs + 20.0 * level.gain.log10();
                level.short_lufs = (level.gain < wanted).then_some(reached);
            }
        } else {
            level.gain = self.fitting(1.0);
        }
        if self.settings.limiter {
            let is_loud = self.settings.loudness_lufs.is_some();
            let ceiling_db = if is_loud { LOUD_PEAK_DB } else { LIMITED_PEAK_DB };
            let is_over = peak * level.gain > linear(ceiling_db);
            level.ceiling = is_over.then(|| linear(ceiling_db - LIMITER_MARGIN_DB));
        }
        Ok(level)
    }

    /// Returns `gain`, or the largest gain that avoids clipping.
    fn fitting(&self, gain: f64) -> f64 {
        let peak = self.high.max(-self.low);
        match self.form.scale {
            Scale::Free => gain,
            Scale::Full => {
                if peak * gain > 1.0 {
                    1.0 / peak
                } else {
                    gain
                }
            }
            Scale::Steps(full_scale) => {
                let fits = self.low >= -full_scale && self.high <= full_scale - 1.0;
                let room = full_scale - 1.0 - self.slack;
                let is_free = if gain == 1.0 { fits } else { peak * gain <= room };
                if is_free { gain } else { room / peak }
            }
        }
    }

    /// True peak of the mix; 0 if it is not measured.
    fn true_peak(&self) -> Result<f64> {
        let mut peak = 0.0;
        if let Some(meter) = &self.meter {
            for channel in 0..self.form.channels {
                peak = f64::max(peak, meter.true_peak(channel.into()).map_err(cannot_measure)?);
            }
        }
        Ok(peak)
    }
}

fn linear(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

/// Wraps the error of the loudness meter.
pub fn cannot_measure(error: ebur128::Error) -> Problem {
    Problem::Loudness { cause: error.to_string() }
}
