//! Finding the records again after a hole or foreign bytes.

use super::{
    assembler::Stamp,
    bodies::{self, Version},
    header::{self, HEADER, MARKER, PROLOGUE},
    talk::{self, KNOWN_CLOCK, Talk},
};

/// Bytes looked at together: a candidate that needs more to be judged is refused.
const WINDOW: usize = 4096;
/// Longest body that is decoded to judge a candidate; longer ones are judged by what follows them.
const MAX_TRIAL: usize = 512;

/// Stretches of bytes, each with where it was seen.
type Stretches = Vec<(Vec<u8>, Stamp)>;

/// Bytes in which no record was found yet.
#[derive(Clone, Debug, Default)]
pub struct Search {
    held: Vec<u8>,
    /// Where in `held` bytes of another packet begin.
    marks: Vec<(usize, Stamp)>,
    /// How far the clock of the latest header was ahead that fitted and could not be proved.
    rumour: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Accept,
    Refuse,
    Wait,
    /// The header fits and nothing contradicts it: a second one by the same clock proves it.
    Doubt(i64),
}

impl Search {
    /// Bytes held, not yet counted as skipped.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.len() as u64
    }

    /// Memory held.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.held.capacity() + self.marks.capacity() * size_of::<(usize, Stamp)>()
    }

    /// Drops what is held: what follows is not next to it.
    pub fn clear(&mut self) {
        self.held.clear();
        self.marks.clear();
    }

    /// Takes bytes: how many were taken, how many were found to be no NDMP, and, when a record was found, the bytes
    /// from its start.
    pub fn take(&mut self, bytes: &[u8], stamp: Stamp, side: usize, talk: &Talk) -> (usize, u64, Stretches) {
        let taken = bytes.len().min(WINDOW + PROLOGUE - self.held.len());
        self.marks.push((self.held.len(), stamp));
        self.held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        let more = self.held.len() < WINDOW + PROLOGUE;
        let (at, found) = self.scan(more, side, talk);
        self.forget(at);
        (taken, at as u64, if found { self.release() } else { Stretches::new() })
    }

    /// No byte that follows belongs to those held: judges them as they are. When a record is found, gives how many
    /// bytes before it were no NDMP, and those from its start; else they stay held.
    pub fn exhaust(&mut self, side: usize, talk: &Talk) -> (u64, Stretches) {
        let (at, found) = self.scan(false, side, talk);
        if !found {
            return (0, Stretches::new());
        }
        self.forget(at);
        (at as u64, self.release())
    }

    /// The first place where a record begins or may begin.
    fn scan(&mut self, more: bool, side: usize, talk: &Talk) -> (usize, bool) {
        for at in 0..self.held.len() {
            let rest = self.held.get(at..).unwrap_or_default();
            if rest.len() < PROLOGUE {
                return (at, false);
            }
            // Cheap: the record marker's length and the message type are mostly zero bytes.
            if rest[0] & 0x7c != 0 || rest[12..15] != [0; 3] {
                continue;
            }
            match judge(rest, self.stamp(at), more, side, talk) {
                Judgement::Accept => return (at, true),
                Judgement::Wait => return (at, false),
                Judgement::Doubt(ahead) => {
                    let before = self.rumour.replace(ahead);
                    if before.is_some_and(|before| before.abs_diff(ahead) <= KNOWN_CLOCK) {
                        return (at, true);
                    }
                }
                Judgement::Refuse => {}
            }
        }
        (self.held.len(), false)
    }

    fn stamp(&self, at: usize) -> Stamp {
        self.marks.iter().rev().find(|(start, _)| *start <= at).map(|(_, stamp)| *stamp).unwrap_or_default()
    }

    /// Drops the first bytes.
    fn forget(&mut self, len: usize) {
        let current = self.stamp(len);
        self.held.drain(..len);
        self.marks.retain(|(start, _)| *start > len);
        for (start, _) in &mut self.marks {
            *start -= len;
        }
        self.marks.insert(0, (0, current));
        if self.held.is_empty() {
            self.marks.clear();
        }
    }

    /// Gives everything held, by packet.
    fn release(&mut self) -> Stretches {
        let held = std::mem::take(&mut self.held);
        let marks = std::mem::take(&mut self.marks);
        let ends = marks.iter().skip(1).map(|(start, _)| *start).chain([held.len()]);
        let stretches = marks.iter().zip(ends);
        stretches.filter_map(|((start, stamp), end)| Some((held.get(*start..end)?.to_vec(), *stamp))).collect()
    }
}

/// Judges whether a record begins at the first of `rest`, which has at least [`PROLOGUE`] bytes.
fn judge(rest: &[u8], stamp: Stamp, more: bool, side: usize, talk: &Talk) -> Judgement {
    let Some(Ok((marker, header))) = header::prologue(rest) else { return Judgement::Refuse };
    if talk.vouches(side, &header, stamp) {
        return Judgement::Accept;
    }
    let end = MARKER + marker.length as usize;
    let unproved = || talk::ahead(&header, stamp).map_or(Judgement::Refuse, Judgement::Doubt);
    if !marker.last || end > WINDOW {
        return unproved();
    }
    let Some(body) = rest.get(PROLOGUE..end) else {
        return if more { Judgement::Wait } else { unproved() };
    };
    let total = marker.length as usize - HEADER;
    if total <= MAX_TRIAL && bodies::decode(&header, body, total, Version::default()).exact {
        return Judgement::Accept;
    }
    match rest.get(end..).and_then(header::prologue) {
        Some(Ok(_)) => Judgement::Accept,
        None if more => Judgement::Wait,
        Some(Err(_)) => Judgement::Refuse,
        None => unproved(),
    }
}
