//! Reading of stems: finished segments, blended where they overlap and averaged over passes.
//! Stateless; callable from any thread.

use std::io;

use super::StemStore;
use crate::engine::types::CHANNELS;

impl StemStore {
    /// Reads a stem from frame `start` on into interleaved `out`. Unfinished frames, frames past
    /// the end, and the rest are zero. Overlapping segments are crossfaded with the plan's weights,
    /// and several passes are averaged. Samples are provisional where only some of the segments are
    /// finished.
    ///
    /// # Errors
    /// I/O errors of the files.
    pub fn read(&self, stem: usize, start: u64, out: &mut [f32]) -> io::Result<()> {
        let end = (start + (out.len() / CHANNELS) as u64).min(self.plan.frames);
        let mut scratch = [Vec::new(), Vec::new()];
        let mut at = start;
        while at < end {
            let changes = (0..self.plan.passes()).map(|pass| self.plan.change_after(pass, at));
            let until = changes.fold(end, u64::min);
            let part = (at - start) as usize * CHANNELS..(until - start) as usize * CHANNELS;
            self.read_part(stem, at, &mut out[part], &mut scratch)?;
            at = until;
        }
        let rest = out.len().min((at.max(start) - start) as usize * CHANNELS);
        out[rest..].fill(0.0);
        Ok(())
    }

    /// Reads frames that the same segments hold.
    fn read_part(
        &self,
        stem: usize,
        at: u64,
        part: &mut [f32],
        [one, other]: &mut [Vec<f32>; 2],
    ) -> io::Result<()> {
        let group = self.group_of(stem);
        let mut passes_there = 0;
        for pass in 0..self.plan.passes() {
            let holders = self.plan.segments_at(pass, at);
            let is_done = |segment: &usize| group.is_some_and(|group| group.is_done(*segment));
            let done: Vec<usize> = holders.filter(is_done).collect();
            if done.is_empty() {
                continue;
            }
            passes_there += 1;
            if passes_there == 1 {
                self.read_pass(stem, &done, at, part, other)?;
                continue;
            }
            one.resize(part.len(), 0.0);
            self.read_pass(stem, &done, at, one, other)?;
            for (sum, sample) in part.iter_mut().zip(&*one) {
                *sum += sample;
            }
        }
        match passes_there {
            0 => part.fill(0.0),
            1 => {}
            several => part.iter_mut().for_each(|sample| *sample /= several as f32),
        }
        Ok(())
    }

    /// Reads frames of one pass from the segments that hold them, with crossfades.
    fn read_pass(
        &self,
        stem: usize,
        done: &[usize],
        at: u64,
        part: &mut [f32],
        other: &mut Vec<f32>,
    ) -> io::Result<()> {
        let Some((&first, others)) = done.split_first() else { return Ok(()) };
        self.read_segment(stem, first, at, part)?;
        if others.is_empty() {
            return Ok(());
        }
        let weight = |segment: usize, k: usize| self.plan.weight_at(segment, at + k as u64) as f32;
        for (k, frame) in part.chunks_exact_mut(CHANNELS).enumerate() {
            for sample in frame {
                *sample *= weight(first, k);
            }
        }
        other.resize(part.len(), 0.0);
        for &segment in others {
            self.read_segment(stem, segment, at, other)?;
            let frames = part.chunks_exact_mut(CHANNELS).zip(other.chunks_exact(CHANNELS));
            for (k, (sum, frame)) in frames.enumerate() {
                for (sum, sample) in sum.iter_mut().zip(frame) {
                    *sum += weight(segment, k) * sample;
                }
            }
        }
        for (k, frame) in part.chunks_exact_mut(CHANNELS).enumerate() {
            let all: f32 = done.iter().map(|&segment| weight(segment, k)).sum();
            if all > 0.0 {
                for sample in frame {
                    *sample /= all;
                }
            }
        }
        Ok(())
    }

    fn read_segment(
        &self,
        stem: usize,
        segment: usize,
        at: u64,
        out: &mut [f32],
    ) -> io::Result<()> {
        let offset = at - self.plan.segment(segment).start;
        self.files[stem].read((segment * self.plan.segment_frames) as u64 + offset, out)
    }
}
