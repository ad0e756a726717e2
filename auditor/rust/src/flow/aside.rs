//! What few flows have: holes, repeated events, long histories, counters beyond their width.

use std::collections::HashMap;

use super::history::Letter;
use super::key::Side;
use super::record::{Record, mark};
use crate::hash::Seed;

/// Holes kept open per side; beyond that the oldest is given up and counts as missed.
const MAX_HOLES: usize = 64;
/// Letters kept beyond those in the record. Repeated events come at powers of ten, so that this is never reached.
const MAX_SPILL: usize = 64;

/// A stretch of sequence numbers that was passed over.
#[derive(Clone, Copy, Debug)]
struct Hole {
    start: u32,
    end: u32,
    told: bool,
}

/// Rare facts of one flow.
#[derive(Debug, Default)]
pub struct Aside {
    holes: [Vec<Hole>; 2],
    given_up: [u64; 2],
    repeats: [[u32; 3]; 2],
    /// Events that did not fit the record's history.
    pub spilled: Vec<u8>,
    /// Packets beyond the record's counters.
    pub more_packets: [u64; 2],
    /// SYNs beyond the record's counter.
    pub more_syns: u64,
}

impl Aside {
    /// Opens a hole from `start` up to `end`.
    pub fn open(&mut self, side: Side, start: u32, end: u32) {
        let holes = &mut self.holes[side];
        if holes.len() == MAX_HOLES {
            let oldest = holes.remove(0);
            self.given_up[side] += u64::from(oldest.end.wrapping_sub(oldest.start));
        }
        holes.push(Hole { start, end, told: false });
    }

    /// Closes holes, or parts of them, that a segment fills.
    pub fn fill(&mut self, side: Side, seq: u32, length: u32) {
        let end = seq.wrapping_add(length);
        let holes = &mut self.holes[side];
        let mut at = 0;
        while at < holes.len() {
            let hole = holes[at];
            // Signed distances from the hole's start, so that the numbers may wrap.
            let from = seq.wrapping_sub(hole.start).cast_signed().max(0).cast_unsigned();
            let to = end.wrapping_sub(hole.start).cast_signed().max(0).cast_unsigned();
            let width = hole.end.wrapping_sub(hole.start);
            let (from, to) = (from.min(width), to.min(width));
            if from >= to {
                at += 1;
                continue;
            }
            holes.remove(at);
            if to < width {
                holes.insert(at, Hole { start: hole.start.wrapping_add(to), ..hole });
            }
            if from > 0 {
                holes.insert(at, Hole { end: hole.start.wrapping_add(from), ..hole });
                at += 1;
            }
            at += usize::from(to < width);
        }
        // Holes of forged sequence numbers overlap, and one segment may split all of them: they would double each time.
        let excess = holes.len().saturating_sub(MAX_HOLES);
        self.given_up[side] += holes.drain(..excess).map(|one| u64::from(one.end.wrapping_sub(one.start))).sum::<u64>();
    }

    /// Whether an acknowledgement passes a hole for the first time: the receiver has what the capture lacks.
    pub fn acknowledged(&mut self, side: Side, ack: u32) -> bool {
        let mut news = false;
        for hole in &mut self.holes[side] {
            if !hole.told && ack.wrapping_sub(hole.end).cast_signed() >= 0 {
                hole.told = true;
                news = true;
            }
        }
        news
    }

    /// Whether there is a hole that no acknowledgement has passed yet.
    #[must_use]
    pub fn has_untold(&self) -> bool {
        self.holes.iter().flatten().any(|hole| !hole.told)
    }

    /// Bytes of a side that the capture lacks.
    #[must_use]
    pub fn missed(&self, side: Side) -> u64 {
        let open: u64 = self.holes[side].iter().map(|hole| u64::from(hole.end.wrapping_sub(hole.start))).sum();
        self.given_up[side] + open
    }

    /// Counts a repeated event; true at the first, tenth, hundredth …, as Zeek writes them.
    fn repeat(&mut self, letter: Letter, side: Side) -> bool {
        let kind = match letter {
            Letter::Gap => 0,
            Letter::Again => 1,
            _ => 2,
        };
        let count = &mut self.repeats[side][kind];
        *count = count.saturating_add(1);
        10u32.pow(count.ilog10()) == *count
    }
}

/// Rare facts of all flows.
#[derive(Debug)]
pub struct Asides {
    rows: HashMap<u32, Box<Aside>, Seed>,
    /// Segments that began before the place that was reached: retransmissions, late ones, and duplicates.
    pub repeated: u64,
}

impl Default for Asides {
    fn default() -> Self {
        Self { rows: HashMap::with_hasher(Seed::random()), repeated: 0 }
    }
}

impl Asides {
    /// The row of a flow, a new one if need be.
    pub fn of(&mut self, flow: u32, record: &mut Record) -> &mut Aside {
        record.marks |= mark::ASIDE;
        self.rows.entry(flow).or_default()
    }

    /// The row of a flow that has one.
    #[must_use]
    pub fn get(&self, flow: u32, record: &Record) -> Option<&Aside> {
        if record.is(mark::ASIDE) { self.rows.get(&flow).map(AsRef::as_ref) } else { None }
    }

    /// Forgets the row of a flow.
    pub fn forget(&mut self, flow: u32) {
        self.rows.remove(&flow);
    }

    /// Appends a letter to a flow's history.
    pub fn tell(&mut self, flow: u32, record: &mut Record, letter: Letter, side: Side) {
        if let Err(code) = record.history.push(letter, side) {
            let aside = self.of(flow, record);
            if aside.spilled.len() < MAX_SPILL {
                aside.spilled.push(code);
            }
        }
    }

    /// Appends a letter that repeats with the powers of ten.
    pub fn tell_repeated(&mut self, flow: u32, record: &mut Record, letter: Letter, side: Side) {
        if self.of(flow, record).repeat(letter, side) {
            self.tell(flow, record, letter, side);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_splits_overlapping_holes_leaves_no_more_than_are_kept() {
        let mut aside = Aside::default();
        for start in 0..64 {
            aside.open(0, start, start + 1_000_000);
        }
        for round in 1..40 {
            aside.fill(0, round * 1000, 10);
            assert!(aside.holes[0].len() <= MAX_HOLES, "round {round}");
        }
    }

    #[test]
    fn what_is_given_up_counts_as_missed() {
        let mut aside = Aside::default();
        for start in 0..64 {
            aside.open(0, start * 1000, start * 1000 + 100);
        }
        assert_eq!(aside.missed(0), 6400);
        aside.fill(0, 50, 10);
        assert_eq!((aside.holes[0].len(), aside.missed(0)), (MAX_HOLES, 6390));
    }
}
