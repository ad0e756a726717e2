//! Who waits for a reading, and may stop it.

/// Someone who wants to know how far the reading is, and may stop it.
pub trait Watch {
    /// `read` of `total` bytes are done; `total` is 0 when nobody knows. False stops the reading.
    fn progress(&mut self, read: u64, total: u64) -> bool;
    /// A signal came while a read was waiting. False stops the reading.
    fn interrupted(&mut self) -> bool;
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _read: u64, _total: u64) -> bool {
        true
    }
    fn interrupted(&mut self) -> bool {
        true
    }
}

/// The watcher stopped the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;
