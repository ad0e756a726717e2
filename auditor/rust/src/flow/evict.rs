//! Flows that are forgotten while packets go on coming: because nothing has been heard of them for long, or because
//! there is room for so many and no more.
//!
//! What goes first, by class: connections that were never established (what a flood of forged SYNs leaves), then
//! datagrams, connections that are over, connections that are idle; then sessions that are over, and at the very last
//! sessions that go on. A session is a control connection with its data connections: those to addresses that it
//! announced, and those between its hosts. They go together, so that no half of a session is ever left over. Within a
//! class, those go first of which nothing was heard for longest. Of the connections without an answer, the newest are
//! spared, since an answer may be on its way.

use std::collections::HashMap;

use super::aside::Asides;
use super::key::Addresses;
use super::table::Table;
use super::tracker::Tracker;
use super::worth::{Candidate, Class, End, class};
use crate::app::ndmp::{Events, Messages};

/// Names of the classes.
pub const REASONS: [&str; 6] = ["unanswered", "datagram", "closed", "idle", "session-ended", "session-open"];

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Flows.
    pub flows: usize,
    /// Messages of control connections; of their fields, four times as many.
    pub messages: usize,
    /// Nanoseconds of silence after which a flow is forgotten, in order of [`REASONS`].
    pub silence: [i64; 6],
}

const SECOND: i64 = 1_000_000_000;

impl Default for Limits {
    fn default() -> Self {
        let silence = [300, 300, 900, 86_400, 86_400, 7 * 86_400].map(|seconds| seconds * SECOND);
        Self { flows: 1 << 18, messages: 1 << 18, silence }
    }
}

/// What time it is, and what the clock did.
#[derive(Clone, Debug, Default)]
pub struct Now {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// When the clock was set forward (ns, just before), and how far.
    pub jumps: Vec<(i64, i64)>,
}

impl Now {
    /// Time that has really passed since then, ns.
    #[must_use]
    pub fn since(&self, then: i64) -> i64 {
        let jumped: i64 = self.jumps.iter().filter(|(at, _)| *at >= then).map(|(_, by)| by).sum();
        self.time.saturating_sub(then).saturating_sub(jumped)
    }
}

/// How many flows were forgotten, in order of [`REASONS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// After silence.
    pub silent: [u64; 6],
    /// To make room.
    pub pressed: [u64; 6],
    /// Messages of sessions that go on, to make room.
    pub messages: u64,
}

impl Evicted {
    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        for class in 0..REASONS.len() {
            self.silent[class] += other.silent[class];
            self.pressed[class] += other.pressed[class];
        }
        self.messages += other.messages;
    }
}

/// Flows to one end that were never established and are forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aggregate {
    /// How many.
    pub flows: u64,
    /// Their packets.
    pub packets: u64,
    /// Time of the earliest, ns.
    pub first: i64,
    /// Time of the latest, ns.
    pub last: i64,
}

/// Ends that are kept apart among the aggregates; the others are taken together under no address.
const MAX_AGGREGATES: usize = 1024;

impl Tracker {
    /// Number of flows that are there.
    #[inline]
    #[must_use]
    pub fn population(&self) -> usize {
        self.table.population()
    }

    /// Number of messages that are there, and whether it is too many of them or of their fields.
    #[must_use]
    pub fn messages(&self, limits: &Limits) -> (usize, bool) {
        let events = &self.recognition.events;
        let (messages, fields) = (events.messages.len(), events.fields.len());
        (messages, messages > limits.messages || fields > limits.messages.saturating_mul(4))
    }

    /// What was seen so far, as if nothing more came: flows, addresses and rare facts, and what was said. Everything stays as
    /// it is.
    #[must_use]
    pub fn view(&self) -> (&Table, &Addresses, &Asides, Events) {
        let events = self.recognition.clone().finish(|flow| self.table.peek(flow).originator());
        (&self.table, &self.addresses, &self.asides, events)
    }

    /// Fragments so far whose first never came, by file.
    #[must_use]
    pub fn orphans(&self) -> &[u64] {
        &self.orphans
    }

    /// Sets how many bytes control streams may hold together, while they are put in order.
    pub fn hold_at_most(&mut self, bytes: usize) {
        self.recognition.most = bytes;
    }

    /// Forgets flows of which nothing was heard for long, and more where there is too little room.
    pub fn evict(&mut self, now: &Now, limits: &Limits, aggregates: &mut HashMap<End, Aggregate>) -> Evicted {
        let mut evicted = Evicted::default();
        let mut gone = Vec::new();
        let mut rest = Vec::new();
        for candidate in self.candidates() {
            if now.since(candidate.last) > limits.silence[candidate.class as usize] {
                evicted.silent[candidate.class as usize] += 1;
                gone.push(candidate.flow);
            } else {
                rest.push(candidate);
            }
        }
        if rest.len() >= limits.flows {
            spare_newest(&mut rest, limits.flows / 16);
            rest.sort_unstable();
            let excess = rest.len() - limits.flows / 4 * 3;
            let mut owner = None;
            for (number, candidate) in rest.into_iter().enumerate() {
                let whole = candidate.class >= Class::SessionEnded && owner == Some(candidate.owner);
                if number >= excess && !whole {
                    break;
                }
                owner = Some(candidate.owner);
                evicted.pressed[candidate.class as usize] += 1;
                gone.push(candidate.flow);
            }
        }
        self.aggregate(&gone, aggregates);
        self.forget(&gone);
        if self.messages(limits).1 {
            self.thin(limits, &mut evicted);
        }
        evicted
    }

    /// Keeps, of sessions that go on, the messages that tell most; forgets sessions that are over, the oldest first, before.
    fn thin(&mut self, limits: &Limits, evicted: &mut Evicted) {
        let mut ended: Vec<_> = self.candidates().filter(|flow| flow.class == Class::SessionEnded).collect();
        ended.sort_unstable();
        let mut ended = ended.into_iter().peekable();
        while self.messages(limits).1 && ended.peek().is_some() {
            // A quarter of them at a time: every step looks at all messages.
            let mut gone = Vec::new();
            let (step, mut owner) = (ended.len().div_ceil(4), None);
            while let Some(flow) = ended.next_if(|flow| gone.len() < step || owner == Some(flow.owner)) {
                owner = Some(flow.owner);
                gone.push(flow.flow);
            }
            evicted.pressed[Class::SessionEnded as usize] += gone.len() as u64;
            self.forget(&gone);
        }
        let events = &mut self.recognition.events;
        let before = events.messages.len();
        for thinner in [is_telling as fn(&Messages, usize) -> bool, is_telling_much] {
            let (messages, fields) = (events.messages.len(), events.fields.len());
            if messages > limits.messages / 4 * 3 || fields > limits.messages.saturating_mul(3) {
                events.retain(thinner, |_| true);
            }
        }
        if events.messages.len() > limits.messages / 4 * 3 {
            let edge = events.messages.len() - limits.messages / 2;
            events.retain(|_, row| row >= edge, |_| true);
        }
        evicted.messages += (before - events.messages.len()) as u64;
    }

    /// Counts flows that were never established by the end that did not answer.
    fn aggregate(&mut self, gone: &[u32], aggregates: &mut HashMap<End, Aggregate>) {
        for &flow in gone {
            let record = self.table.record(flow).clone();
            if class(&record) != Class::Unanswered {
                continue;
            }
            let mut end = self.end(&record, 1 - record.originator());
            if aggregates.len() >= MAX_AGGREGATES && !aggregates.contains_key(&end) {
                end = ([0; 16], 0);
            }
            let fresh = Aggregate { first: record.first_time, last: record.last_time, ..Aggregate::default() };
            let sum = aggregates.entry(end).or_insert(fresh);
            sum.flows += 1;
            sum.packets += record.packets.iter().map(|&packets| u64::from(packets)).sum::<u64>();
            sum.first = sum.first.min(record.first_time);
            sum.last = sum.last.max(record.last_time);
        }
    }
}

/// The newest connections without an answer may be under way: they are as good as idle ones, so many of them at least.
fn spare_newest(candidates: &mut [Candidate], count: usize) {
    let is_unanswered = |candidate: &Candidate| candidate.class == Class::Unanswered;
    let mut times: Vec<i64> = candidates.iter().filter(|flow| is_unanswered(flow)).map(|flow| flow.last).collect();
    let first = times.len().saturating_sub(count.max(1));
    if first >= times.len() {
        return;
    }
    let (_, &mut edge, _) = times.select_nth_unstable(first);
    let mut left = count.max(1);
    for flow in candidates.iter_mut().rev().filter(|flow| is_unanswered(flow) && flow.last >= edge) {
        if left == 0 {
            return;
        }
        left -= 1;
        (flow.class, flow.tries) = (Class::Idle, 0);
    }
}

/// Neither devices nor file history nor log: who, from where to where, how much, how it ended.
fn is_telling(messages: &Messages, row: usize) -> bool {
    !matches!(messages.message[row] >> 8, 2 | 3 | 6 | 7)
}

/// Neither are questions how far it is.
fn is_telling_much(messages: &Messages, row: usize) -> bool {
    const DATA_GET_STATE: u32 = 0x400;
    const MOVER_GET_STATE: u32 = 0xa00;
    is_telling(messages, row) && !matches!(messages.message[row], DATA_GET_STATE | MOVER_GET_STATE)
}
