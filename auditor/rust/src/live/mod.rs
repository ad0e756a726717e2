//! A reading that does not end: what comes is taken in batches, what was seen can be looked at in between, and flows of
//! which nothing more is to be expected are forgotten.
//!
//! A view is what [`read`](crate::reading::read) would have given for the packets so far, less what was forgotten.

mod clock;
mod facts;
mod rings;
mod stream;
mod taker;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::assembly::{Reading, assemble};
use crate::facts::{FileFacts, Status};
use crate::flow::{Aggregate, End, Evicted, Limits};
use crate::frame::{Frame, Ip};
use crate::options::Options;
use crate::pass::Pass;
use crate::problem::Problem;
use crate::serials::Serials;
use crate::tabulate::tabulate_living;
use crate::watching::{Stopped, Watch};
use clock::LiveClock;
use rings::Rings;
pub use rings::Told;
use stream::Stream;
pub use taker::{Shared, Taker};

/// Files that are told apart; the oldest are told as one.
const MAX_FILES: usize = 256;
/// Bytes that control streams hold together at most.
const MAX_HELD: usize = 32 << 20;
/// Frames between two looks at the clock.
const BATCH: u64 = 256;

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
    pass: Pass,
    serials: Serials,
    files: Vec<FileFacts>,
    /// Files that are told as one with the first.
    folded: u32,
    feed: Option<Feed>,
    limits: Limits,
    evicted: Evicted,
    aggregates: HashMap<End, Aggregate>,
    clock: LiveClock,
    told: Told,
}

impl Live {
    /// Nothing so far.
    #[must_use]
    pub fn new(options: &Options, limits: Limits) -> Self {
        let mut pass = Pass::new(options);
        pass.tracker.hold_at_most(MAX_HELD);
        Self {
            pass,
            serials: Serials::default(),
            files: Vec::new(),
            folded: 0,
            feed: None,
            limits,
            evicted: Evicted::default(),
            aggregates: HashMap::new(),
            clock: LiveClock::default(),
            told: Told::default(),
        }
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
        let facts = self.facts();
        facts.snaplen = Some(config.snaplen);
        facts.drops = Some(0);
        self.clock.follow();
        self.told.up = true;
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

    /// Adds what the kernel counted for a source that hands frames in: those received, dropped ones among them.
    pub fn add_statistics(&mut self, received: u64, dropped: u64) {
        self.told.received += received;
        if let Some(facts) = self.files.last_mut() {
            facts.drops = Some(facts.drops.unwrap_or(0) + dropped);
        }
    }

    /// What the kernel and the interface did.
    #[must_use]
    pub fn counters(&self) -> Told {
        self.told
    }

    /// Frames of a link type will be handed in, from a place of that name.
    pub fn open_frames(&mut self, name: &str, link: u16, snaplen: Option<u32>) {
        self.begin(name.into(), "live (frames)");
        if let Some(facts) = self.files.last_mut() {
            facts.snaplen = snaplen;
        }
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

    /// What is wrong with the latest source, in a sentence.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.files.last().and_then(|facts| facts.error.as_deref())
    }

    /// What is known of the sources; the first may stand for several.
    #[must_use]
    pub fn files(&self) -> &[FileFacts] {
        &self.files
    }

    /// Frames that were taken so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.pass.serial
    }

    /// Flows and messages that are there.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.pass.tracker.population(), self.pass.tracker.messages(&self.limits).0)
    }

    /// Flows that were forgotten so far.
    #[must_use]
    pub fn evicted(&self) -> &Evicted {
        &self.evicted
    }

    /// Flows that were never established and are forgotten, by the end that did not answer.
    #[must_use]
    pub fn aggregates(&self) -> &HashMap<End, Aggregate> {
        &self.aggregates
    }

    /// Time of the latest frames, and how often the clock was set against the time that passed here.
    #[must_use]
    pub fn clock(&self) -> (Option<i64>, u64) {
        (self.clock.latest(), self.clock.steps())
    }

    /// Takes what comes within `time` from a stream, and returns as soon as a signal came. Gives the number of frames.
    ///
    /// # Errors
    /// [`Stopped`] when the watcher wants no more.
    pub fn pump(&mut self, time: Duration, watch: &mut dyn Watch) -> Result<u64, Stopped> {
        let deadline = Instant::now() + time;
        let before = self.pass.serial;
        // Taken out, since frames are on loan from it while they are counted.
        let outcome = match self.feed.take() {
            Some(Feed::Stream(mut stream)) => {
                let outcome = stream.pump(self, deadline, watch);
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
        outcome.map(|_| self.pass.serial - before)
    }

    /// Takes frames that are handed in.
    ///
    /// # Errors
    /// When it is not open for such frames.
    pub fn push<'a>(&mut self, frames: impl IntoIterator<Item = Handed<'a>>) -> io::Result<u64> {
        let Some(Feed::Frames(link)) = self.feed else {
            return Err(io::Error::other("frames are handed in to a source that takes none"));
        };
        let before = self.pass.serial;
        for Handed { time, wire_len, data } in frames {
            let wire_len = wire_len.max(u32::try_from(data.len()).unwrap_or(u32::MAX));
            self.take(&Frame { time, link, wire_len, data, untimed: false, ip: Ip::Unasked });
        }
        self.clock.pause();
        Ok(self.pass.serial - before)
    }

    /// Forgets flows of which nothing was heard for long before `now`, by default the time of the latest frames.
    pub fn evict(&mut self, now: Option<i64>) -> Evicted {
        let now = self.clock.now(now);
        let evicted = self.pass.tracker.evict(&now, &self.limits, &mut self.aggregates);
        self.evicted.add(&evicted);
        evicted
    }

    /// What was seen so far.
    #[must_use]
    pub fn view(&self) -> Reading {
        let mut files = self.files.clone();
        for (file, &orphans) in (0u32..).zip(self.pass.tracker.orphans()) {
            let told = file.saturating_sub(self.folded) as usize;
            files[told].problems.add(Problem::FragmentWithoutFirst, orphans);
        }
        let (table, addresses, asides, events) = self.pass.tracker.view();
        let flows = tabulate_living(table, addresses, asides, &self.serials);
        assemble(files, flows, events, self.serials.clone())
    }

    /// One frame.
    #[inline]
    fn take(&mut self, frame: &Frame<'_>) {
        let file = self.folded + self.files.len() as u32 - 1;
        let Some(facts) = self.files.last_mut() else { return };
        self.clock.tick(frame.time);
        self.pass.frame(frame, facts, file);
        if self.pass.tracker.population() >= self.limits.flows {
            self.evict(None);
        }
    }

    /// A source begins.
    fn begin(&mut self, path: std::ffi::OsString, format: &str) {
        self.feed = None;
        self.clock.pause();
        if self.files.len() == MAX_FILES {
            let second = self.files.remove(1);
            self.files[0].absorb(second, self.folded + 2);
            self.folded += 1;
            self.serials.fold();
        }
        self.serials.file(self.pass.serial);
        let format = format.to_owned();
        self.files.push(FileFacts { path, format, status: Status::Read, ..FileFacts::default() });
    }

    fn facts(&mut self) -> &mut FileFacts {
        self.files.last_mut().expect("a source has its facts before it is pumped")
    }
}
