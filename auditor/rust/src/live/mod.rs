//! A reading that does not end: what comes is taken in batches, what was seen can be looked at in between, and flows of
//! which nothing more is to be expected are forgotten.
//!
//! A view is what [`read`](crate::reading::read) would have given for the packets so far, less what was forgotten.

mod clock;
mod facts;
mod intake;
mod rings;
mod stream;
mod taker;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::flow::Limits;
use crate::frame::{Frame, Ip};
use crate::options::Options;
use crate::watching::{Stopped, Watch};
pub use intake::{Intake, Told};
use rings::Rings;
use stream::Stream;
pub use taker::{Shared, Taker};

/// Where frames come from.
enum Feed {
    Stream(Box<Stream>),
    Rings(Box<Rings>),
    /// A thread has the rings and takes from them.
    Taken,
    /// Frames of this link type are handed in.
    Frames(u16),
}

/// A frame that is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Handed<'a> {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Length on the wire.
    pub wire_len: u32,
    /// The captured part.
    pub data: &'a [u8],
}

/// A reading that goes on.
pub struct Live {
    intake: Intake,
    feed: Option<Feed>,
}

impl Live {
    /// Nothing so far.
    #[must_use]
    pub fn new(options: &Options, limits: Limits) -> Self {
        Self { intake: Intake::new(options, limits), feed: None }
    }

    /// What was taken so far.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The same, to forget flows of or to add counts to.
    pub fn intake_mut(&mut self) -> &mut Intake {
        &mut self.intake
    }

    fn begin(&mut self, path: OsString, format: &str) {
        self.feed = None;
        self.intake.begin(path, format);
    }

    /// Reads on from a file, a FIFO, or standard input (`-`).
    ///
    /// # Errors
    /// One sentence that says why it cannot be read.
    pub fn open_stream(&mut self, path: &Path) -> Result<(), String> {
        let stream = Stream::open(path)?;
        self.begin(path.as_os_str().to_owned(), "");
        self.feed = Some(Feed::Stream(Box::new(stream)));
        Ok(())
    }

    /// Reads on from an open file descriptor.
    ///
    /// # Errors
    /// One sentence that says why it cannot be read.
    #[cfg(unix)]
    pub fn open_fd(&mut self, fd: i32, name: &str) -> Result<(), String> {
        let stream = Stream::of_descriptor(fd)?;
        self.begin(name.into(), "");
        self.feed = Some(Feed::Stream(Box::new(stream)));
        Ok(())
    }

    /// Reads from an interface, through so many rings that share its frames; a [`Taker`] takes what they hold.
    ///
    /// # Errors
    /// Those of [`auditor_ring::Ring::open`].
    pub fn open_ring(&mut self, config: &auditor_ring::Config, rings: u16) -> Result<(), auditor_ring::Error> {
        let rings = Rings::open(config, rings)?;
        self.begin(config.interface.clone().into(), "live (packet ring)");
        self.intake.follow(config.snaplen);
        self.feed = Some(Feed::Rings(Box::new(rings)));
        Ok(())
    }

    /// Hands out the rings, where nobody has them.
    fn lend_rings(&mut self) -> Option<Rings> {
        if !matches!(self.feed, Some(Feed::Rings(_))) {
            return None;
        }
        match self.feed.replace(Feed::Taken) {
            Some(Feed::Rings(rings)) => Some(*rings),
            _ => None,
        }
    }

    /// Takes the rings back.
    fn return_rings(&mut self, rings: Rings) {
        self.feed = Some(Feed::Rings(Box::new(rings)));
    }

    /// Frames of a link type will be handed in, from a place of that name.
    pub fn open_frames(&mut self, name: &str, link: u16, snaplen: Option<u32>) {
        self.begin(name.into(), "live (frames)");
        self.intake.facts().snaplen = snaplen;
        self.feed = Some(Feed::Frames(link));
    }

    /// Closes the source; what was read stays.
    pub fn close(&mut self) {
        self.feed = None;
    }

    /// The source has no more.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.feed.is_none()
    }

    /// Takes what comes within `time` from a stream, and returns as soon as a signal came. Gives the number of frames.
    ///
    /// # Errors
    /// [`Stopped`] when the watcher wants no more.
    pub fn pump(&mut self, time: Duration, watch: &mut dyn Watch) -> Result<u64, Stopped> {
        let deadline = Instant::now() + time;
        let before = self.intake.taken();
        // Taken out, since frames are on loan from it while they are counted.
        let outcome = match self.feed.take() {
            Some(Feed::Stream(mut stream)) => {
                let outcome = stream.pump(&mut self.intake, deadline, watch);
                if !matches!(outcome, Ok(true)) {
                    self.feed = Some(Feed::Stream(stream));
                }
                outcome
            }
            other => {
                self.feed = other;
                Ok(false)
            }
        };
        outcome.map(|_| self.intake.taken() - before)
    }

    /// Takes frames that are handed in.
    ///
    /// # Errors
    /// When it is not open for such frames.
    pub fn push<'a>(&mut self, frames: impl IntoIterator<Item = Handed<'a>>) -> io::Result<u64> {
        let Some(Feed::Frames(link)) = self.feed else {
            return Err(io::Error::other("frames are handed in to a source that takes none"));
        };
        let before = self.intake.taken();
        for Handed { time, wire_len, data } in frames {
            let wire_len = wire_len.max(u32::try_from(data.len()).unwrap_or(u32::MAX));
            self.intake.take(&Frame { time, link, wire_len, data, untimed: false, ip: Ip::Unasked });
        }
        self.intake.pause();
        Ok(self.intake.taken() - before)
    }
}
