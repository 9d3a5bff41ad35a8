//! Estimates: the needs of a separation before it begins, and a job's remaining time, from its own
//! pace or from earlier measurements on this machine.
//!
//! Pure: callers pass the progress and the time; [`super::batch`] computes the needs.

use std::time::{Duration, Instant};

/// The estimated needs of a separation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// The time in seconds; `None` if the network's work is unknown.
    pub seconds: Option<f64>,
    /// The peak memory use, in bytes, including the weights.
    pub memory: u64,
    /// The disk space for the mix and the stems, in bytes, without the files that are written
    /// afterwards.
    pub disk: u64,
}

/// Pace of a running job.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Expected seconds per segment before this job has its own measurement.
    expected: Option<f64>,
    began: Instant,
    done_at_begin: usize,
    latest: Instant,
    done: usize,
}

impl Estimate {
    /// Starts an estimate for a job with `done` finished segments. `expected` comes from
    /// [`crate::engine::Event::Pace`] or [`crate::engine::library::Library::pace`].
    pub fn new(expected: Option<f64>, done: usize, now: Instant) -> Self {
        let expected = expected.filter(|seconds| *seconds > 0.0);
        Self { expected, began: now, done_at_begin: done, latest: now, done }
    }

    /// Updates the number of finished segments.
    pub fn advance(&mut self, done: usize, now: Instant) {
        if done > self.done {
            (self.latest, self.done) = (now, done);
        }
    }

    /// Seconds per segment, measured by this job once it has computed one.
    pub fn seconds_per_segment(&self) -> Option<f64> {
        let computed = self.done - self.done_at_begin;
        let own = (self.latest - self.began).as_secs_f64() / computed as f64;
        if computed > 0 && own > 0.0 { Some(own) } else { self.expected }
    }

    /// Seconds until all `total` segments are finished.
    pub fn seconds_left(&self, total: usize, now: Instant) -> Option<f64> {
        let seconds = self.seconds_per_segment()?;
        let since = now.saturating_duration_since(self.latest);
        let left = total.saturating_sub(self.done) as f64 * seconds;
        // Between two segments, the estimate decreases by at most one segment.
        Some((left - since.min(Duration::from_secs_f64(seconds)).as_secs_f64()).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expectation_applies_until_the_job_has_its_own_pace() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut estimate = Estimate::new(Some(3.0), 4, start);
        assert_eq!(estimate.seconds_left(10, start), Some(18.0));
        assert_eq!(estimate.seconds_left(10, at(2)), Some(16.0));
        assert_eq!(estimate.seconds_left(10, at(60)), Some(15.0), "a late segment stops the clock");
        estimate.advance(5, at(5));
        assert_eq!(estimate.seconds_left(10, at(5)), Some(25.0));
        estimate.advance(5, at(6));
        assert_eq!(estimate.seconds_per_segment(), Some(5.0), "unchanged progress");
        estimate.advance(7, at(9));
        assert_eq!(estimate.seconds_per_segment(), Some(3.0));
        assert_eq!(estimate.seconds_left(7, at(30)), Some(0.0));
        assert_eq!(Estimate::new(None, 4, start).seconds_left(10, start), None);
        assert_eq!(Estimate::new(Some(0.0), 4, start).seconds_left(10, start), None);
    }
}
