//! Captures into one row of packets, in order of time: both sides of a firewall recorded at once, or several sensors.
//!
//! A file joins when the packets before it have reached the time of its first. Most often it is alone then, since the
//! one before has ended: then its frames are taken as they come, and nothing is compared but the time of each with that
//! at which the next file joins. Where several are open, that whose next frame is earliest has its turn, as long as it
//! stays so.
//!
//! Within a file the order of its frames stands: one that is earlier than those before it has its turn at once, and one
//! that is later than the frame behind it has the turn of that, so that a single wrong time holds nothing up.

mod feed;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::facts::{FileFacts, Status};
use crate::options::Options;
use crate::order::{Begins, Waiting};
use crate::recovery;
use crate::serials::Serials;
use crate::sink::Sink;
use crate::source;
use crate::watching::{Stopped, Watch};
use feed::{Feed, Progress};

/// Files that are open at a time; what overlaps with so many waits until one of them has ended.
const MAX_OPEN: usize = 64;
/// Likewise where each has a `tshark` of its own.
const MAX_DISSECTED: usize = 4;

/// What was read.
pub(crate) struct Merged {
    /// Facts of the captures, in the order of their first packets.
    pub(crate) files: Vec<FileFacts>,
    /// Where their packets lie.
    pub(crate) serials: Serials,
}

/// Reads captures, given in the order of their first packets.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub(crate) fn read<S: Sink>(
    captures: Vec<Waiting>,
    sink: &mut S,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Merged, Stopped> {
    let total = captures.iter().map(|capture| source::length(&capture.path)).sum();
    let mut facts = Vec::new();
    facts.resize_with(captures.len(), FileFacts::default);
    let merge = Merge {
        waiting: (0u32..).zip(captures).collect(),
        open: Vec::new(),
        facts,
        options,
        serials: Serials::default(),
        serial: 0,
        progress: Progress { done: 0, others: 0, total, watch },
    };
    merge.run(sink)
}

struct Merge<'a> {
    waiting: VecDeque<(u32, Waiting)>,
    open: Vec<Feed>,
    facts: Vec<FileFacts>,
    options: &'a Options,
    serials: Serials,
    /// Packets so far.
    serial: u64,
    progress: Progress<'a>,
}

impl Merge<'_> {
    fn run<S: Sink>(mut self, sink: &mut S) -> Result<Merged, Stopped> {
        loop {
            let mut changed = false;
            while let Some((file, capture)) = self.joining() {
                changed |= self.join(file, capture, sink)?;
            }
            let Some((_, _, turn)) = self.earliest(None) else {
                return Ok(Merged { files: self.facts, serials: self.serials });
            };
            if changed {
                self.begin_section();
            }
            if self.turn(turn, sink)? {
                let feed = self.open.remove(turn);
                self.finish(feed);
                if !self.open.is_empty() {
                    self.begin_section();
                }
            }
        }
    }

    /// Takes the next file out of those that wait, if its time has come.
    fn joining(&mut self) -> Option<(u32, Waiting)> {
        let (_, next) = self.waiting.front()?;
        let joins = match (next.begins, self.earliest(None)) {
            (_, None) | (Begins::Never, _) => true,
            (Begins::At(time), Some((now, ..))) => time <= now && self.has_room(),
            (Begins::Unknown, _) => false,
        };
        if joins { self.waiting.pop_front() } else { None }
    }

    fn has_room(&self) -> bool {
        let most = if self.options.tshark.is_some() { MAX_DISSECTED } else { MAX_OPEN };
        self.open.len() < most && !self.open.iter().any(|feed| feed.alone)
    }

    /// Time, file and place of the earliest among the open files but one.
    fn earliest(&self, but: Option<usize>) -> Option<(i64, u32, usize)> {
        let others = self.open.iter().enumerate().filter(|&(place, _)| Some(place) != but);
        others.map(|(place, feed)| (feed.time(), feed.file, place)).min()
    }

    /// Opens a file; true when it has frames.
    fn join<S: Sink>(&mut self, file: u32, capture: Waiting, sink: &mut S) -> Result<bool, Stopped> {
        let alone = capture.begins == Begins::Unknown;
        let mut facts = FileFacts { path: capture.path.into_os_string(), ..FileFacts::default() };
        let (options, progress) = (self.options, &mut self.progress);
        // Nothing in a file should be able to do this; if it is, the other files are still worth reading.
        let opened = catch_unwind(AssertUnwindSafe(|| Feed::open(&facts, (file, alone), options, progress, sink)));
        match opened.unwrap_or_else(|_| Ok(Err(broken(0))))? {
            Ok(feed) if feed.is_over() => self.finish(feed),
            Ok(feed) => {
                if !self.open.is_empty() {
                    sink.joined();
                }
                self.open.push(feed);
                return Ok(true);
            }
            Err(error) => {
                self.progress.done += source::length(Path::new(&facts.path));
                facts.fail(Status::Unreadable, error);
                self.facts[file as usize] = facts;
            }
        }
        Ok(false)
    }

    /// Other files are open from here on.
    fn begin_section(&mut self) {
        let files = self.open.iter().map(|feed| (feed.file, feed.facts.packets)).collect();
        self.serials.section(self.serial, files);
    }

    /// Takes the frames of a file that come before all others; true when it has no more.
    fn turn<S: Sink>(&mut self, turn: usize, sink: &mut S) -> Result<bool, Stopped> {
        let last = self.last_of(turn);
        self.progress.others = self.open.iter().map(|feed| feed.opened.position()).sum();
        let feed = &mut self.open[turn];
        self.progress.others -= feed.opened.position();
        let progress = &mut self.progress;
        let before = feed.facts.packets;
        let outcome = catch_unwind(AssertUnwindSafe(|| feed.turn(last, progress, sink)));
        let came = feed.facts.packets - before;
        self.serials.came(turn, came);
        self.serial += came;
        let Ok(outcome) = outcome else {
            let error = broken(feed.facts.packets);
            feed.facts.fail(Status::Unreadable, error);
            return Ok(true);
        };
        outcome.map(|()| feed.is_over())
    }

    /// The last time at which a file still comes before all others; of two at the same time, the file that began first.
    fn last_of(&self, turn: usize) -> i64 {
        let before = |(time, file, _): (i64, u32, usize)| time.saturating_sub(i64::from(file < self.open[turn].file));
        let others = self.earliest(Some(turn)).map_or(i64::MAX, before);
        match self.waiting.front() {
            // It joins first.
            Some(&(_, Waiting { begins: Begins::At(time), .. })) if self.has_room() => {
                others.min(time.saturating_sub(1))
            }
            _ => others,
        }
    }

    fn finish(&mut self, feed: Feed) {
        let Feed { mut opened, mut facts, file, length, damage, .. } = feed;
        if facts.status != Status::Unreadable {
            damage.tell(&mut facts);
            let container = opened.reader.facts();
            facts.snaplen = container.snaplen;
            facts.drops = container.drops;
            facts.sha256 = opened.digest();
            facts.names = opened.reader.into_names();
        }
        recovery::compare_length(&mut facts, length);
        self.progress.done += length;
        self.facts[file as usize] = facts;
    }
}

/// Words for a panic.
pub(crate) fn broken(packet: u64) -> String {
    format!("internal error at packet {packet} (please report it)")
}
