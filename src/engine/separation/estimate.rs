//! How long a job still takes, from its own pace, or from what segments took on this machine before.
//!
//! Pure: told what is done and when. Owned by whoever shows it.

use std::time::{Duration, Instant};

/// The pace of a running job.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Seconds for a segment before this job has shown its own.
    expected: Option<f64>,
    began: Instant,
    done_at_begin: usize,
    latest: Instant,
    done: usize,
}

impl Estimate {
    /// A job that begins, or goes on, with `done` segments in the store. `expected` is what
    /// [`crate::engine::Event::Pace`] or [`crate::engine::library::Library::pace`] states.
    pub fn new(expected: Option<f64>, done: usize, now: Instant) -> Self {
        let expected = expected.filter(|seconds| *seconds > 0.0);
        Self { expected, began: now, done_at_begin: done, latest: now, done }
    }

    /// So many segments are in the store now.
    pub fn advance(&mut self, done: usize, now: Instant) {
        if done > self.done {
            (self.latest, self.done) = (now, done);
        }
    }

    /// Seconds for a segment: this job's own once it has computed one.
    pub fn seconds_per_segment(&self) -> Option<f64> {
        let computed = self.done - self.done_at_begin;
        let own = (self.latest - self.began).as_secs_f64() / computed as f64;
        if computed > 0 && own > 0.0 { Some(own) } else { self.expected }
    }

    /// Seconds until all of `total` segments are there.
    pub fn seconds_left(&self, total: usize, now: Instant) -> Option<f64> {
        let seconds = self.seconds_per_segment()?;
        let since = now.saturating_duration_since(self.latest);
        let left = total.saturating_sub(self.done) as f64 * seconds;
        // Between two segments the clock runs down by no more than the segment that is due.
        Some((left - since.min(Duration::from_secs_f64(seconds)).as_secs_f64()).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_counts_until_the_job_shows_its_own_pace() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut estimate = Estimate::new(Some(3.0), 4, start);
        assert_eq!(estimate.seconds_left(10, start), Some(18.0));
        assert_eq!(estimate.seconds_left(10, at(2)), Some(16.0));
        assert_eq!(estimate.seconds_left(10, at(60)), Some(15.0), "a late segment stops the clock");
        estimate.advance(5, at(5));
        assert_eq!(estimate.seconds_left(10, at(5)), Some(25.0));
        estimate.advance(5, at(6));
        assert_eq!(estimate.seconds_per_segment(), Some(5.0), "no news");
        estimate.advance(7, at(9));
        assert_eq!(estimate.seconds_per_segment(), Some(3.0));
        assert_eq!(estimate.seconds_left(7, at(30)), Some(0.0));
        assert_eq!(Estimate::new(None, 4, start).seconds_left(10, start), None);
        assert_eq!(Estimate::new(Some(0.0), 4, start).seconds_left(10, start), None);
    }
}
