//! The sound that reached the device, searched in exported files.

/// Stereo frames.
pub struct Sound(pub Vec<[f32; 2]>);

impl Sound {
    /// The frame of `file` (interleaved) at which `count` frames equal the sound from `at` on, up
    /// to a difference of `allowed`.
    pub fn find(&self, at: usize, count: usize, file: &[f32], allowed: f32) -> Option<usize> {
        let is_silent = self.0.get(at..at + count)?.iter().flatten().all(|x| x.abs() <= 1e-4);
        let is_equal = |place: &usize| self.differs_at(at, *place, count, file, allowed).is_none();
        (!is_silent).then(|| (0..(file.len() / 2).saturating_sub(count)).find(is_equal)).flatten()
    }

    /// The first frame from `at` on that is loud enough to identify its position.
    pub fn loud_from(&self, at: usize) -> usize {
        let is_loud = |frame: &[f32; 2]| frame.iter().any(|sample| sample.abs() > 0.1);
        at + self.0[at..].iter().position(is_loud).unwrap_or(0)
    }

    fn differs_at(
        &self,
        at: usize,
        place: usize,
        count: usize,
        file: &[f32],
        allowed: f32,
    ) -> Option<usize> {
        self.pairs(at, place, count, file).position(|(a, b)| (a - b).abs() > allowed)
    }

    fn pairs<'a>(
        &'a self,
        at: usize,
        place: usize,
        count: usize,
        file: &'a [f32],
    ) -> impl Iterator<Item = (f32, f32)> + 'a {
        let heard = self.0[at..(at + count).min(self.0.len())].iter().flatten().copied();
        // The device is given clamped samples.
        heard.zip(file[2 * place..].iter().map(|sample| sample.clamp(-1.0, 1.0)))
    }

    /// The largest difference over `count` frames.
    pub fn difference(&self, at: usize, place: usize, count: usize, file: &[f32]) -> f32 {
        self.pairs(at, place, count, file).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    /// The frame of `file` in `frames` that is most similar to the sound from `at` on, and the
    /// similarity (see [`Self::likeness`]).
    pub fn nearest(
        &self,
        at: usize,
        count: usize,
        file: &[f32],
        places: std::ops::Range<usize>,
    ) -> (usize, f64, f64) {
        let likeness = |place| {
            let (correlation, db) = self.likeness(at, place, count, file);
            (place, correlation, db)
        };
        let fitting = places.filter(|place| 2 * (place + count) <= file.len());
        fitting.map(likeness).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
    }

    /// Correlation, and level of the sound relative to the difference, in dB.
    pub fn likeness(&self, at: usize, place: usize, count: usize, file: &[f32]) -> (f64, f64) {
        let (mut product, mut one, mut other, mut error) = (0.0, 0.0, 0.0, 0.0);
        for (a, b) in self.pairs(at, place, count, file) {
            let (a, b) = (f64::from(a), f64::from(b));
            product += a * b;
            one += a * a;
            other += b * b;
            error += (a - b).powi(2);
        }
        (product / (one * other).sqrt(), 10.0 * (other / error).log10())
    }
}
