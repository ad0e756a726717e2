//! What is made of the frames of sources that go on: one after another they come here, wherever they are from.

use std::collections::HashMap;
use std::ffi::OsString;

use super::clock::LiveClock;
use crate::assembly::{Reading, assemble};
use crate::facts::{FileFacts, Status};
use crate::flow::{Aggregate, End, Evicted, Limits};
use crate::frame::Frame;
use crate::options::Options;
use crate::pass::Pass;
use crate::problem::Problem;
use crate::serials::Serials;
use crate::tabulate::tabulate_living;

/// Files that are told apart; the oldest are told as one.
const MAX_FILES: usize = 256;
/// Bytes that control streams hold together at most.
const MAX_HELD: usize = 32 << 20;

/// What the kernel counted, and what became of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Frames that passed the filter, dropped ones among them.
    pub received: u64,
    /// Times that a ring was full.
    pub freezes: u64,
    /// Frames that came and could not be taken.
    pub own_drops: u64,
    /// Times that the interface went down or away.
    pub downs: u64,
    /// Times that it was opened anew.
    pub reopened: u64,
    /// It is up.
    pub up: bool,
}

/// Everything that was taken, less what was forgotten.
pub struct Intake {
    pass: Pass,
    serials: Serials,
    files: Vec<FileFacts>,
    /// Files that are told as one with the first.
    folded: u32,
    limits: Limits,
    evicted: Evicted,
    aggregates: HashMap<End, Aggregate>,
    pub(super) clock: LiveClock,
    pub(super) told: Told,
}

impl Intake {
    /// Nothing so far.
    pub(super) fn new(options: &Options, limits: Limits) -> Self {
        let mut pass = Pass::new(options);
        pass.tracker.hold_at_most(MAX_HELD);
        Self {
            pass,
            serials: Serials::default(),
            files: Vec::new(),
            folded: 0,
            limits,
            evicted: Evicted::default(),
            aggregates: HashMap::new(),
            clock: LiveClock::default(),
            told: Told::default(),
        }
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
    pub(super) fn take(&mut self, frame: &Frame<'_>) {
        let file = self.folded + self.files.len() as u32 - 1;
        let Some(facts) = self.files.last_mut() else { return };
        self.clock.tick(frame.time);
        self.pass.frame(frame, facts, file);
        if self.pass.tracker.population() >= self.limits.flows {
            self.evict(None);
        }
    }

    /// A source begins.
    pub(super) fn begin(&mut self, path: OsString, format: &str) {
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

    /// The source is an interface that is up, of whose frames so much is kept; frames come as they happen.
    pub(super) fn follow(&mut self, snaplen: u32) {
        let facts = self.facts();
        (facts.snaplen, facts.drops) = (Some(snaplen), Some(0));
        self.clock.follow();
        self.told.up = true;
    }

    /// Frames may be from another time from here on.
    pub(super) fn pause(&mut self) {
        self.clock.pause();
    }

    /// The facts of the source.
    pub(super) fn facts(&mut self) -> &mut FileFacts {
        self.files.last_mut().expect("a source has its facts before it is pumped")
    }
}
