//! The times of a capture's frames: silences, frames out of order, clocks that were set back.

const SECOND: i64 = 1_000_000_000;
/// Silences are counted by the power of two of their seconds, from 1 s on.
pub const SILENCES: usize = 32;

/// What the times of one file's frames show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// How it goes on.
    pub pace: Pace,
    begun: bool,
    /// Frames earlier than one before them.
    pub unordered: u64,
    /// Times that the clock went back by a second or more.
    pub steps: u64,
    /// Times without a frame, by the power of two of their seconds.
    pub silences: [u64; SILENCES],
}

/// A clock as long as each frame lies close behind the one before it: what changes of it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    previous: i64,
    /// Longest time without a frame, ns.
    pub longest: i64,
    /// When that began, ns since the epoch.
    pub longest_at: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { previous: i64::MIN, longest: 0, longest_at: 0 }
    }
}

impl Pace {
    /// Takes the time of the next frame, if it lies close behind the one before it.
    #[inline]
    pub fn tick(&mut self, time: i64) -> bool {
        let ahead = time.wrapping_sub(self.previous);
        // One comparison for both: what goes back is a very large number without sign.
        if ahead.cast_unsigned() >= SECOND.cast_unsigned() {
            return false;
        }
        self.previous = time;
        self.waited(ahead, time);
        true
    }

    /// The latest time.
    #[must_use]
    pub fn latest(&self) -> i64 {
        self.previous
    }

    #[inline]
    fn waited(&mut self, ahead: i64, time: i64) {
        if ahead > self.longest {
            self.waited_longest(ahead, time);
        }
    }

    /// Seldom longer than ever before.
    #[cold]
    fn waited_longest(&mut self, ahead: i64, time: i64) {
        (self.longest, self.longest_at) = (ahead, time - ahead);
    }
}

impl Clock {
    /// Takes the time of the next frame. True when it lies close behind a frame before it, as nearly all do: it is not
    /// the earliest then.
    #[inline]
    pub fn tick(&mut self, time: i64) -> bool {
        if !self.pace.tick(time) {
            self.unusual(time);
            return false;
        }
        // The very first time may happen to lie close to where the clock stands before it.
        self.begun
    }

    /// Takes what another found, in frames that came later.
    pub fn absorb(&mut self, next: &Self) {
        self.unordered += next.unordered;
        self.steps += next.steps;
        let Pace { longest, longest_at, .. } = next.pace;
        self.pace.waited(longest, longest_at.saturating_add(longest));
        for (sum, count) in self.silences.iter_mut().zip(next.silences) {
            *sum += count;
        }
    }

    /// Whether a frame of this time is in order: what comes behind it is told the same whatever came before it.
    #[must_use]
    pub fn stands_before(&self, time: i64) -> bool {
        self.begun && time >= self.pace.previous
    }

    /// Takes what another found, in frames of which the first was taken here too, in order.
    pub fn go_on(&mut self, next: &Self) {
        self.absorb(next);
        self.pace.previous = next.pace.previous;
    }

    #[cold]
    fn unusual(&mut self, time: i64) {
        let ahead = time.saturating_sub(self.pace.previous);
        if !self.begun {
            self.begun = true;
            self.pace.previous = time;
        } else if ahead < 0 {
            self.unordered += 1;
            if ahead <= -SECOND {
                self.steps += 1;
                self.pace.previous = time;
            }
        } else {
            self.silences[((ahead / SECOND).ilog2() as usize).min(SILENCES - 1)] += 1;
            self.pace.waited(ahead, time);
            self.pace.previous = time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(seconds: &[f64]) -> Clock {
        let mut clock = Clock::default();
        for second in seconds {
            clock.tick((second * 1e9) as i64);
        }
        clock
    }

    #[test]
    fn silences_are_counted_by_length() {
        // 0.5, 1, 3 and 100 seconds: the last three are of at least one, two and 64 seconds.
        let clock = clock(&[0.0, 0.5, 1.5, 4.5, 104.5]);
        assert_eq!((clock.pace.longest, clock.pace.longest_at), (100_000_000_000, 4_500_000_000));
        let counted: Vec<(usize, u64)> = clock.silences.into_iter().enumerate().filter(|&(_, n)| n > 0).collect();
        assert_eq!(counted, [(0, 1), (1, 1), (6, 1)]);
        assert_eq!((clock.unordered, clock.steps), (0, 0));
    }

    #[test]
    fn late_frames_are_told_from_clocks_set_back() {
        // One frame is late by 0.2 s, then the clock is set back by ten minutes.
        let clock = clock(&[1000.0, 1000.5, 1000.3, 1000.6, 400.6, 400.7]);
        assert_eq!((clock.unordered, clock.steps), (2, 1));
        assert_eq!(clock.pace.longest, 500_000_000);
    }

    #[test]
    fn times_at_the_ends_of_the_scale() {
        let mut clock = Clock::default();
        for time in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            clock.tick(time);
        }
        assert_eq!((clock.unordered, clock.pace.longest), (2, i64::MAX));
    }
}
