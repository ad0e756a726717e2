//! What time it is, by the frames; and whether the clock that stamps them was set.

use std::time::Instant;

use crate::flow::Now;

const SECOND: i64 = 1_000_000_000;
/// A frame so far from the others is not believed alone.
const FAR: i64 = 60 * SECOND;
/// So many in a row are.
const BELIEVED: u32 = 8;
/// Jumps of the clock that are remembered.
const MAX_JUMPS: usize = 16;

/// The clock of a source that goes on.
#[derive(Debug, Default)]
pub struct LiveClock {
    steady: Option<i64>,
    /// Frames in a row that are far from that.
    rogue: u32,
    /// When the steady time was told last, where frames come as they happen.
    heard: Option<Instant>,
    follows: bool,
    jumps: Vec<(i64, i64)>,
    steps: u64,
}

impl LiveClock {
    /// Frames come as they happen, so that silence can be told from a clock that was set.
    pub fn follow(&mut self) {
        self.follows = true;
        self.heard = None;
    }

    /// Another source, whose frames may be from another time.
    pub fn pause(&mut self) {
        self.heard = None;
    }

    /// A frame of that time came.
    #[inline]
    pub fn tick(&mut self, time: i64) {
        match self.steady {
            Some(steady) if time.saturating_sub(steady).saturating_abs() < FAR => {
                self.steady = Some(steady.max(time));
                self.rogue = 0;
            }
            None => self.steady = Some(time),
            Some(steady) => self.far(steady, time),
        }
    }

    /// A batch of frames has been taken.
    pub fn breathe(&mut self) {
        if self.follows {
            self.heard = Some(Instant::now());
        }
    }

    #[cold]
    fn far(&mut self, steady: i64, time: i64) {
        self.rogue += 1;
        let silence = self.heard.map(|heard| i64::try_from(heard.elapsed().as_nanos()).unwrap_or(i64::MAX));
        let ahead = time.saturating_sub(steady);
        // It was silent for as long as that: no need to wait for others.
        let real = silence.is_some_and(|silence| ahead.saturating_sub(silence).saturating_abs() < FAR);
        if !real && self.rogue < BELIEVED {
            return;
        }
        self.rogue = 0;
        self.steady = Some(time);
        if real || silence.is_none() && ahead > 0 {
            return;
        }
        self.steps += 1;
        let by = ahead.saturating_sub(silence.unwrap_or(0));
        if by > 0 {
            if self.jumps.len() == MAX_JUMPS {
                self.jumps.remove(0);
            }
            self.jumps.push((steady, by));
        }
    }

    /// The time, or that of the latest frames.
    #[must_use]
    pub fn now(&self, time: Option<i64>) -> Now {
        let time = time.or(self.steady).unwrap_or(i64::MIN);
        Now { time, jumps: self.jumps.clone() }
    }

    /// Time of the latest frames.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        self.steady
    }

    /// How often the clock was set, or went back by a minute or more.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_of_another_time_is_not_believed_and_many_are() {
        let mut clock = LiveClock::default();
        clock.tick(100 * SECOND);
        clock.tick(1_000_000 * SECOND);
        assert_eq!(clock.latest(), Some(100 * SECOND));
        clock.tick(101 * SECOND);
        assert_eq!(clock.latest(), Some(101 * SECOND));
        for _ in 0..BELIEVED {
            clock.tick(5000 * SECOND);
        }
        assert_eq!((clock.latest(), clock.steps()), (Some(5000 * SECOND), 0), "a file: silence, for all that is known");
        assert_eq!(clock.now(None).since(101 * SECOND), 4899 * SECOND);
    }

    #[test]
    fn a_clock_set_forward_makes_nothing_old() {
        let mut clock = LiveClock::default();
        clock.follow();
        clock.tick(100 * SECOND);
        clock.breathe();
        for _ in 0..BELIEVED {
            clock.tick(100_000 * SECOND);
        }
        assert_eq!((clock.latest(), clock.steps()), (Some(100_000 * SECOND), 1));
        let now = clock.now(None);
        assert!(now.since(100 * SECOND) < SECOND, "no time has passed");
        assert_eq!(now.since(99_999 * SECOND), SECOND, "what came since the clock was set");
    }

    #[test]
    fn a_clock_set_back_is_told() {
        let mut clock = LiveClock::default();
        clock.follow();
        clock.tick(100_000 * SECOND);
        clock.breathe();
        for _ in 0..BELIEVED {
            clock.tick(100 * SECOND);
        }
        assert_eq!((clock.latest(), clock.steps()), (Some(100 * SECOND), 1));
        assert!(clock.now(None).since(100_000 * SECOND) < 0);
    }
}
