//! Flows that are forgotten while packets go on coming: because nothing has been heard of them for long, or because
//! there is room for so many and no more.
//!
//! What goes first, by [`Class`]: connections that were never established (what a flood of forged SYNs leaves), then
//! datagrams, connections that are over, connections that are idle; then sessions that are over, and at the very last
//! sessions that go on. A session is a control connection with its data connections: those to addresses that it
//! announced, and those between its hosts. They go together, so that no half of a session is ever left over. Within a
//! class, those go first of which nothing was heard for longest. Of the connections without an answer, the newest are
//! spared, since an answer may be on its way.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use super::key::{Addresses, Side};
use super::record::Record;
use super::state::tcp_state;
use super::tracker::Tracker;
use crate::app::App;
use crate::app::ndmp::{Events, Messages};
use crate::columns::{FlowTable, Serials, tabulate_living};
use crate::decode::{flag, protocol};

/// What a flow is to those who decide what to forget, least valuable first. The discriminant indexes [`REASONS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// TCP without payload whose originator never acknowledged anything.
    Unanswered,
    /// No TCP.
    Datagram,
    /// TCP that both ends closed, or one reset.
    Closed,
    /// Other TCP.
    Idle,
    /// A control connection that is over, or one of its data connections.
    SessionEnded,
    /// A control connection that goes on, or one of its data connections.
    SessionOpen,
}

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

/// An end: address, IPv4 mapped into IPv6, and port.
pub type End = ([u8; 16], u16);

/// Ends that are kept apart among the aggregates; the others are taken together under no address.
const MAX_AGGREGATES: usize = 1024;

/// A flow that may be forgotten, in the order of going.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    class: Class,
    /// Within a class: connections that were tried again, and those between hosts of a session, go later.
    tries: u8,
    last: i64,
    /// Control connection of the session, the flow itself where there is none.
    owner: u32,
    flow: u32,
}

/// Which control connection a flow belongs to.
#[derive(Default)]
struct Owners {
    ends: HashMap<End, u32>,
    hosts: HashMap<([u8; 16], [u8; 16]), u32>,
}

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

    /// What was seen so far, as if nothing more came. Everything stays as it is.
    #[must_use]
    pub fn view(&self, serials: &Serials) -> (FlowTable, Events) {
        let events = self.recognition.clone().finish(|flow| self.table.peek(flow).originator());
        (tabulate_living(&self.table, &self.addresses, &self.asides, serials), events)
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

    /// All flows, each with its class.
    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let owners = self.owners();
        let mut flows: Vec<Candidate> =
            self.table.living().map(|(flow, record)| self.candidate(flow, record, &owners)).collect();
        // A session is as young as its youngest connection, and goes on while one of them does.
        let mut sessions: HashMap<u32, (Class, i64)> = HashMap::new();
        for flow in flows.iter().filter(|flow| flow.class >= Class::SessionEnded) {
            let session = sessions.entry(flow.owner).or_insert((flow.class, flow.last));
            *session = (session.0.max(flow.class), session.1.max(flow.last));
        }
        for flow in flows.iter_mut().filter(|flow| flow.class >= Class::SessionEnded) {
            (flow.class, flow.last) = sessions[&flow.owner];
        }
        flows.into_iter()
    }

    fn candidate(&self, flow: u32, record: &Record, owners: &Owners) -> Candidate {
        let class = class(record);
        let owner = if self.is_control(record) { Some(flow) } else { self.owner(record, owners) };
        let mut candidate = Candidate { class, tries: 0, last: record.last_time, owner: owner.unwrap_or(flow), flow };
        if class == Class::Unanswered {
            candidate.tries = u8::from(record.syns > 1) + 2 * u8::from(owner.is_some());
            candidate.owner = flow;
        } else if owner.is_some() {
            candidate.class = if class == Class::Closed { Class::SessionEnded } else { Class::SessionOpen };
        }
        candidate
    }

    fn owners(&self) -> Owners {
        let mut owners = Owners::default();
        for (flow, record) in self.table.living().filter(|(_, record)| self.is_control(record)) {
            owners.hosts.insert(self.hosts(record), flow);
        }
        let events = &self.recognition.events;
        let fields = &events.fields;
        for row in (0..fields.len()).filter(|&row| fields.has_address[row]) {
            let flow = events.messages.flow[fields.message[row] as usize];
            owners.ends.insert((fields.address[row], fields.number[row] as u16), flow);
        }
        owners
    }

    /// NDMP, or a connection to an NDMP port on which both ends spoke: it may be NDMP that cannot be read.
    fn is_control(&self, record: &Record) -> bool {
        let speaks = record.payload.iter().all(|&bytes| bytes > 0) && record.key.protocol() == protocol::TCP;
        record.app == App::Ndmp as u8 || speaks && (0..2).any(|side| self.ndmp_ports.contains(record.key.end(side).1))
    }

    /// Control connection of a data connection.
    fn owner(&self, record: &Record, owners: &Owners) -> Option<u32> {
        if owners.hosts.is_empty() || record.key.protocol() != protocol::TCP {
            return None;
        }
        let announced = (0..2).find_map(|side| owners.ends.get(&self.end(record, side)));
        announced.or_else(|| owners.hosts.get(&self.hosts(record))).copied()
    }

    fn end(&self, record: &Record, side: Side) -> End {
        (address(record, side, &self.addresses), record.key.end(side).1)
    }

    fn hosts(&self, record: &Record) -> ([u8; 16], [u8; 16]) {
        let [one, other] = [0, 1].map(|side| address(record, side, &self.addresses));
        (one.min(other), one.max(other))
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

    /// Removes flows, and everything that was noted of them.
    fn forget(&mut self, gone: &[u32]) {
        if gone.is_empty() {
            return;
        }
        let lost: HashSet<u32> = gone.iter().copied().collect();
        for &flow in gone {
            self.asides.forget(flow);
        }
        self.recognition.forget(&lost);
        self.table.remove(gone);
        if self.addresses.len() > 2 * self.table.population() + 1024 {
            let change = self.addresses.compact(self.table.living().map(|(_, record)| &record.key));
            self.table.rekey(change);
        }
        let mut known = HashSet::new();
        if self.recognition.names.is_half_full() {
            for (_, record) in self.table.living() {
                known.extend([0, 1].map(|side| address(record, side, &self.addresses)));
            }
            self.recognition.names.retain(|address| known.contains(address));
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

fn address(record: &Record, side: Side, v6: &Addresses) -> [u8; 16] {
    let (address, _) = record.key.end(side);
    if record.key.is_ipv6() {
        v6.address(address).to_be_bytes()
    } else {
        Ipv4Addr::from_bits(address).to_ipv6_mapped().octets()
    }
}

fn class(record: &Record) -> Class {
    if record.key.protocol() != protocol::TCP {
        return Class::Datagram;
    }
    let orig = record.originator();
    if record.payload == [0, 0] && record.flags[orig] & flag::ACK == 0 {
        return Class::Unanswered;
    }
    let state = tcp_state(record.ends, orig, record.payload == [0, 0]);
    use super::state::ConnState::{Rej, Rsto, Rstos0, Rstr, Rstrh, Sf};
    if matches!(state, Rej | Rsto | Rstos0 | Rstr | Rstrh | Sf) { Class::Closed } else { Class::Idle }
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
