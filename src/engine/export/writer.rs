//! The samples of one file, from blocks of the original and of stems to the file's encoder.
//!
//! Runs on the export's thread.

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

/// Makes the samples of one file and gives them to its encoder.
pub struct Writer<'a> {
    form: Form,
    item: &'a ExportItem,
    gain: f64,
    dithers: Vec<Option<Dither>>,
    limiter: Option<Limiter>,
    /// Of what left the limiter.
    meter: Option<EbuR128>,
    encoder: Box<dyn Encoder>,
    samples: Vec<f64>,
    limited: Vec<f64>,
    whole: Vec<i32>,
    floats: Vec<f32>,
}

impl<'a> Writer<'a> {
    /// A writer of `item` at `level`; one dither, or none, for each stream.
    ///
    /// # Errors
    /// When loudness cannot be measured at this rate.
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
    /// What the disk says.
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

    /// Completes the file. Returns the loudness of what went through a limiter, in LUFS.
    ///
    /// # Errors
    /// What the disk says.
    pub fn finish(mut self) -> Result<Option<f64>> {
        if let Some(limiter) = &mut self.limiter {
            self.limited.clear();
            limiter.finish(&mut self.limited);
            self.encode_limited(0)?;
        }
        self.encoder.finish().map_err(cannot_write(&self.item.to))?;
        self.meter.map(|meter| meter.loudness_global().map_err(cannot_measure)).transpose()
    }

    /// Gives what left the limiter to the encoder.
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

    /// Gives samples in the units of the file to the encoder.
    fn encode(&mut self, stream: usize) -> Result<()> {
        let samples = if let Scale::Steps(full_scale) = self.form.scale {
            // The level keeps them in range; the limit is for what it cannot know, such as a song
            // that reads differently the second time.
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
