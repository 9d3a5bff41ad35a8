//! Reading of a tree's stems: outputs of steps, combined, and rests. Stateless; callable from any
//! thread.

use std::io;

use super::{StemTree, combine};
use crate::engine::separation::chain::{Part, Terms};

impl StemTree {
    /// Reads a stem from frame `start` on into interleaved `out`. Unfinished frames of stems that
    /// networks make are zero; samples are provisional where only some of their segments are finished.
    ///
    /// # Errors
    /// I/O errors of the files.
    pub fn read(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.read_terms(&self.tree().terms(stem), start, out)
    }

    /// Reads the input of a step. It equals, bit for bit, what an export of that stem in 32-bit float
    /// contains.
    ///
    /// # Errors
    /// I/O errors of the files.
    pub fn read_input(&self, step: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.read_terms(&self.chain.steps[step].input, start, out)
    }

    fn read_terms(&self, terms: &Terms, start: u64, out: &mut [f32]) -> io::Result<()> {
        match terms.of {
            Some(stem) => self.read_made(stem, start, out)?,
            None => self.mix.read(start, out)?,
        }
        subtract(out, &terms.minus, &mut |stem, part| self.read_made(stem, start, part))
    }

    /// Reads a stem that networks make.
    ///
    /// # Errors
    /// I/O errors of the files.
    pub fn read_made(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let Some(made) = &self.tree().stems()[stem].made else {
            out.fill(0.0);
            return Ok(());
        };
        if let Some(part) = made.only() {
            return self.read_output(part, start, out);
        }
        let read = &|part: &Part, start: u64, out: &mut [f32]| self.read_output(*part, start, out);
        combine::read(made, self.mix.frames(), start, out, read)
    }

    /// Reads an output of a step; zeros if the step was not requested yet.
    fn read_output(&self, part: Part, start: u64, out: &mut [f32]) -> io::Result<()> {
        let Some(store) = self.store(part.step) else {
            out.fill(0.0);
            return Ok(());
        };
        let sources = store.sources().len();
        if part.output < sources {
            return store.read(part.output, start, out);
        }
        self.read_input(part.step, start, out)?;
        let sources: Vec<usize> = (0..sources).collect();
        subtract(out, &sources, &mut |source, part| store.read(source, start, part))
    }
}

/// Subtracts stems from `out`. The exports subtract in the same order and precision.
pub fn subtract(
    out: &mut [f32],
    stems: &[usize],
    read: &mut dyn FnMut(usize, &mut [f32]) -> io::Result<()>,
) -> io::Result<()> {
    if stems.is_empty() {
        return Ok(());
    }
    let mut rest: Vec<f64> = out.iter().map(|&x| x.into()).collect();
    for &stem in stems {
        read(stem, out)?;
        for (rest, x) in rest.iter_mut().zip(&*out) {
            *rest -= f64::from(*x);
        }
    }
    for (out, rest) in out.iter_mut().zip(rest) {
        *out = rest as f32;
    }
    Ok(())
}
