//! The times of a capture's frames: silences, frames out of order, clocks that were set back.

const SECOND: i64 = 1_000_000_000;
/// Silences are counted by the power of two of their seconds, from 1 s on.
pub const SILENCES: usize = 32;

/// What the times of one file's frames show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    previous: i64,
    begun: bool,
    /// Frames earlier than one before them.
    pub unordered: u64,
    /// Times that the clock went back by a second or more.
    pub steps: u64,
    /// Longest time without a frame, ns.
    pub longest: i64,
    /// When that began, ns since the epoch.
    pub longest_at: i64,
    /// Times without a frame, by the power of two of their seconds.
    pub silences: [u64; SILENCES],
}

/// A clock that only goes on: what changes of it then, to be kept in registers.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    previous: i64,
    longest: i64,
    longest_at: i64,
}

impl Pace {
    /// Takes the time of the next frame as [`Clock::tick`] does, if it lies close behind the one before it.
    #[inline]
    pub fn tick(&mut self, time: i64) -> bool {
        let ahead = time.wrapping_sub(self.previous);
        if ahead.cast_unsigned() >= SECOND.cast_unsigned() {
            return false;
        }
        if ahead > self.longest {
            self.stood_still(ahead, time);
        }
        self.previous = time;
        true
    }

    /// Seldom longer than ever before.
    #[cold]
    fn stood_still(&mut self, ahead: i64, time: i64) {
        (self.longest, self.longest_at) = (ahead, time - ahead);
    }

    /// The latest time.
    #[must_use]
    pub fn latest(&self) -> i64 {
        self.previous
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            previous: i64::MIN,
            begun: false,
            unordered: 0,
            steps: 0,
            longest: 0,
            longest_at: 0,
            silences: [0; SILENCES],
        }
    }
}

impl Clock {
    /// Takes the time of the next frame. True when it lies close behind a frame before it, as nearly all do: it is not
    /// the earliest then.
    #[inline]
    pub fn tick(&mut self, time: i64) -> bool {
        let ahead = time.wrapping_sub(self.previous);
        // One comparison for both: what goes back is a very large number without sign.
        if ahead.cast_unsigned() >= SECOND.cast_unsigned() {
            self.unusual(time);
            return false;
        }
        self.previous = time;
        self.longest_short(ahead, time);
        // The very first time may happen to lie close to where the clock stands before it.
        self.begun
    }

    /// How it goes on, while it does so as nearly always; None before the first time.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        let Self { previous, longest, longest_at, .. } = *self;
        self.begun.then_some(Pace { previous, longest, longest_at })
    }

    /// Takes the times that were taken meanwhile.
    pub fn take(&mut self, pace: &Pace) {
        Pace { previous: self.previous, longest: self.longest, longest_at: self.longest_at } = *pace;
    }

    /// Takes what another found, in frames that came later.
    pub fn absorb(&mut self, next: &Self) {
        self.unordered += next.unordered;
        self.steps += next.steps;
        self.longest_short(next.longest, next.longest_at.saturating_add(next.longest));
        for (sum, count) in self.silences.iter_mut().zip(next.silences) {
            *sum += count;
        }
    }

    /// Whether a frame of this time is in order: what comes behind it is told the same whatever came before it.
    #[must_use]
    pub fn stands_before(&self, time: i64) -> bool {
        self.begun && time >= self.previous
    }

    /// Takes what another found, in frames of which the first was taken here too, in order.
    pub fn go_on(&mut self, next: &Self) {
        self.absorb(next);
        self.previous = next.previous;
    }

    #[inline]
    fn longest_short(&mut self, ahead: i64, time: i64) {
        if ahead > self.longest {
            self.longest = ahead;
            self.longest_at = time - ahead;
        }
    }

    #[cold]
    fn unusual(&mut self, time: i64) {
        let ahead = time.saturating_sub(self.previous);
        if !self.begun {
            self.begun = true;
            self.previous = time;
        } else if ahead < 0 {
            self.unordered += 1;
            if ahead <= -SECOND {
                self.steps += 1;
                self.previous = time;
            }
        } else {
            self.silences[((ahead / SECOND).ilog2() as usize).min(SILENCES - 1)] += 1;
            self.longest_short(ahead, time);
            self.previous = time;
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
        assert_eq!((clock.longest, clock.longest_at), (100_000_000_000, 4_500_000_000));
        let counted: Vec<(usize, u64)> = clock.silences.into_iter().enumerate().filter(|&(_, n)| n > 0).collect();
        assert_eq!(counted, [(0, 1), (1, 1), (6, 1)]);
        assert_eq!((clock.unordered, clock.steps), (0, 0));
    }

    #[test]
    fn late_frames_are_told_from_clocks_set_back() {
        // One frame is late by 0.2 s, then the clock is set back by ten minutes.
        let clock = clock(&[1000.0, 1000.5, 1000.3, 1000.6, 400.6, 400.7]);
        assert_eq!((clock.unordered, clock.steps), (2, 1));
        assert_eq!(clock.longest, 500_000_000);
    }

    #[test]
    fn times_at_the_ends_of_the_scale() {
        let mut clock = Clock::default();
        for time in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            clock.tick(time);
        }
        assert_eq!((clock.unordered, clock.longest), (2, i64::MAX));
    }
}
