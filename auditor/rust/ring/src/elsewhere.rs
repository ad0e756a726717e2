//! The ring where there is none.

use std::io;
use std::time::Duration;

use crate::{Config, Error, Frame, Statistics};

/// What became of waiting.
#[derive(Debug)]
pub enum Event {
    /// Frames are there.
    Ready,
    /// None came.
    Quiet,
    /// The interface went down.
    Down,
}

/// A ring that cannot be.
pub enum Ring {}

impl Ring {
    /// There is no packet ring but on Linux.
    ///
    /// # Errors
    /// Always.
    pub fn open(_config: &Config) -> Result<Self, Error> {
        let error = io::Error::new(io::ErrorKind::Unsupported, "only Linux has it; use dumpcap or scapy here");
        Err(Error { what: "opening a packet ring", error })
    }

    /// Link type of the frames.
    #[must_use]
    pub fn link(&self) -> u16 {
        match *self {}
    }

    /// The interface is there, and is the one that was opened.
    #[must_use]
    pub fn is_current(&self) -> bool {
        match *self {}
    }

    /// The interface is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match *self {}
    }

    /// What the kernel counted since it was asked last.
    ///
    /// # Errors
    /// None.
    pub fn statistics(&mut self) -> io::Result<Statistics> {
        match *self {}
    }

    /// Takes the frames of the next block.
    pub fn drain(&mut self, _take: impl FnMut(Frame<'_>)) -> bool {
        match *self {}
    }

    /// Waits for one of several rings.
    ///
    /// # Errors
    /// None.
    pub fn wait(_rings: &[Self], _time: Duration) -> io::Result<Event> {
        Ok(Event::Quiet)
    }
}
