//! Computes the samples of one file from blocks of the original and the stems, and feeds its
//! encoder.
//!
//! Runs on the export thread.

use ebur128::{EbuR128, Mode};

use super::{
    ExportItem, Form, MIX, Scale,
    feed::Block,
    format::{Encoder, Samples},
    level::{Level, cannot_measure},
    limiter::Limiter,
    mixing::{self, Dither},
    place::cannot_write,
};
use crate::engine::problem::Result;

/// Computes and encodes the samples of one file.
pub struct Writer<'a> {
    form: Form,
    item: &'a ExportItem,
    gain: f64,
    dithers: Vec<Option<Dither>>,
    limiter: Option<Limiter>,
    /// Loudness meter of the limiter's output.
    meter: Option<EbuR128>,
    encoder: Box<dyn Encoder>,
    samples: Vec<f64>,
    limited: Vec<f64>,
    whole: Vec<i32>,
    floats: Vec<f32>,
}

impl<'a> Writer<'a> {
    /// Creates a writer of `item` at `level`, with an optional dither per stream.
    ///
    /// # Errors
    /// Fails if loudness cannot be measured at this rate.
    pub fn new(
        form: Form,
        item: &'a ExportItem,
        level: &Level,
        dithers: Vec<Option<Dither>>,
        encoder: Box<dyn Encoder>,
    ) -> Result<Self> {
        let ceiling = level.ceiling.filter(|_| item.name == MIX);
        let limiter = ceiling.map(|ceiling| Limiter::new(ceiling, form.channels, form.rate));
        let meter =
            limiter.as_ref().map(|_| EbuR128::new(form.channels.into(), form.rate, Mode::I));
        let meter = meter.transpose().map_err(cannot_measure)?;
        let (samples, limited, whole, floats) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let gain = level.gain;
        Ok(Self {
            form,
            item,
            gain,
            dithers,
            limiter,
            meter,
            encoder,
            samples,
            limited,
            whole,
            floats,
        })
    }

    /// Appends a block.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn write(&mut self, block: &Block) -> Result<()> {
        let channels = self.form.channels;
        for (stream, (_, content)) in self.item.streams.iter().enumerate() {
            match (&mut self.limiter, self.form.scale) {
                (Some(limiter), _) => {
                    content.floats(block, channels, self.gain, &mut self.samples);
                    self.limited.clear();
                    limiter.push(&self.samples, &mut self.limited);
                    self.encode_limited(stream)?;
                }
                (None, Scale::Steps(full_scale)) => {
                    let scale = (self.gain, full_scale);
                    let dither = self.dithers[stream].as_mut();
                    content.integers(block, channels, scale, dither, &mut self.samples);
                    self.encode(stream)?;
                }
                (None, _) => {
                    content.floats(block, channels, self.gain, &mut self.samples);
                    self.encode(stream)?;
                }
            }
        }
        Ok(())
    }

    /// Completes the file. Returns the loudness of the limiter's output, in LUFS.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn finish(mut self) -> Result<Option<f64>> {
        if let Some(limiter) = &mut self.limiter {
            self.limited.clear();
            limiter.finish(&mut self.limited);
            self.encode_limited(0)?;
        }
        self.encoder.finish().map_err(cannot_write(&self.item.to))?;
        self.meter.map(|meter| meter.loudness_global().map_err(cannot_measure)).transpose()
    }

    /// Encodes the limiter's output.
    fn encode_limited(&mut self, stream: usize) -> Result<()> {
        std::mem::swap(&mut self.samples, &mut self.limited);
        if let Some(meter) = &mut self.meter {
            meter.add_frames_f64(&self.samples).map_err(cannot_measure)?;
        }
        if let Scale::Steps(full_scale) = self.form.scale {
            self.samples.iter_mut().for_each(|x| *x *= full_scale);
            mixing::round(&mut self.samples, self.dithers[stream].as_mut());
        }
        self.encode(stream)
    }

    /// Encodes samples in the units of the file.
    fn encode(&mut self, stream: usize) -> Result<()> {
        let samples = if let Scale::Steps(full_scale) = self.form.scale {
            // The level already keeps samples in range. The clamp covers changes since the
            // measurement, such as a song that decodes differently the second time.
            let fit = |x: &f64| x.clamp(-full_scale, full_scale - 1.0) as i32;
            self.whole.clear();
            self.whole.extend(self.samples.iter().map(fit));
            Samples::Int(&self.whole)
        } else {
            self.floats.clear();
            self.floats.extend(self.samples.iter().map(|&x| x as f32));
            Samples::Float(&self.floats)
        };
        self.encoder.write(stream, samples).map_err(cannot_write(&self.item.to))
    }
}
