//! Which version is in force, from what both sides said and from the layouts that fitted.

use super::bodies::Version;

/// Bit mask of versions 2, 3 and 4.
const ALL: u8 = 0b1_1100;

/// Follows greeting, `CONNECT_OPEN` and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Negotiation {
    current: Version,
    before: Version,
    opened: bool,
    layouts: u8,
}

impl Negotiation {
    /// Nothing known but a version that the caller vouches for; 0 for none.
    #[must_use]
    pub fn new(version: u8) -> Self {
        let current = Version { number: known(version), certain: known(version) != 0 };
        Self { current, before: Version::default(), opened: false, layouts: ALL }
    }

    /// The version by which the next body is read.
    #[must_use]
    pub fn version(self) -> Version {
        self.current
    }

    /// The server greeted with its highest version: it holds until the client opens with another.
    pub fn greeted(&mut self, version: u8) {
        if !self.opened && !self.current.certain {
            self.assume(version);
        }
    }

    /// `CONNECT_OPEN` asked for a version; `None` when its body was not captured.
    pub fn asked(&mut self, version: Option<u8>) {
        if !self.opened || self.current.certain {
            self.before = self.current;
        }
        self.opened = true;
        self.assume(version.unwrap_or(0));
    }

    /// A `CONNECT_OPEN` was answered; `error` is `None` when that was not captured, and `matched` false when its
    /// request was not seen.
    pub fn answered(&mut self, error: Option<u64>, matched: bool) {
        match (error, matched) {
            (Some(0), true) => self.current.certain = self.current.number != 0,
            (Some(0), false) => self.assume(0),
            (Some(_), true) => self.current = self.before,
            _ => {}
        }
        self.opened = true;
    }

    /// A body fitted the layouts of these versions exactly.
    pub fn fitted(&mut self, fits: u8) {
        if self.current.certain || fits & ALL == 0 {
            return;
        }
        let both = self.layouts & fits;
        self.layouts = if both == 0 { fits & ALL } else { both };
        if self.layouts.is_power_of_two() {
            self.current.number = u8::try_from(self.layouts.trailing_zeros()).unwrap_or(0);
        } else if self.layouts >> self.current.number & 1 == 0 {
            self.current.number = 0;
        }
    }

    fn assume(&mut self, version: u8) {
        self.current = Version { number: known(version), certain: false };
        self.layouts = ALL;
    }
}

/// The version if it is one whose layouts are known, else 0.
fn known(version: u8) -> u8 {
    if (2..=4).contains(&version) { version } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u8, certain: bool) -> Version {
        Version { number, certain }
    }

    #[test]
    fn an_accepted_open_settles_the_version() {
        let mut talk = Negotiation::new(0);
        talk.greeted(4);
        assert_eq!(talk.version(), version(4, false));
        talk.asked(Some(3));
        talk.answered(Some(0), true);
        assert_eq!(talk.version(), version(3, true));
        talk.greeted(4);
        talk.fitted(0b1_0000);
        assert_eq!(talk.version(), version(3, true));
    }

    #[test]
    fn a_refused_open_leaves_what_held_before() {
        let mut talk = Negotiation::new(0);
        talk.greeted(3);
        talk.asked(Some(4));
        talk.answered(Some(9), true);
        assert_eq!(talk.version(), version(3, false));
    }

    #[test]
    fn an_open_that_was_not_captured_makes_the_version_unknown() {
        let mut talk = Negotiation::new(0);
        talk.greeted(4);
        talk.asked(None);
        talk.answered(Some(0), true);
        assert_eq!(talk.version(), version(0, false));
    }

    #[test]
    fn layouts_narrow_an_unknown_version() {
        let mut talk = Negotiation::new(0);
        talk.fitted(0b0_1100);
        assert_eq!(talk.version().number, 0);
        talk.fitted(0b1_1000);
        assert_eq!(talk.version(), version(3, false));
    }
}
