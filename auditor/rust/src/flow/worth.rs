//! What a flow is worth to those who decide which to forget.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::key::{Addresses, Side};
use super::record::Record;
use super::state::ConnState::{Rej, Rsto, Rstos0, Rstr, Rstrh, Sf};
use super::state::tcp_state;
use super::tracker::Tracker;
use crate::app::App;
use crate::decode::{flag, protocol};

/// An end: address, IPv4 mapped into IPv6, and port.
pub type End = ([u8; 16], u16);

/// What a flow is to those who decide what to forget, least valuable first. The discriminant indexes [`REASONS`](super::evict::REASONS).
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
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

/// A flow that may be forgotten, in the order of going.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) class: Class,
    /// Within a class: connections that were tried again, and those between hosts of a session, go later.
    pub(super) tries: u8,
    pub(super) last: i64,
    /// Control connection of the session, the flow itself where there is none.
    pub(super) owner: u32,
    pub(super) flow: u32,
}

/// Which control connection a flow belongs to.
#[derive(Default)]
struct Owners {
    ends: HashMap<End, u32>,
    hosts: HashMap<([u8; 16], [u8; 16]), u32>,
}

impl Tracker {
    /// All flows, each with its class.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Candidate> {
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

    pub(super) fn end(&self, record: &Record, side: Side) -> End {
        (address(record, side, &self.addresses), record.key.end(side).1)
    }

    fn hosts(&self, record: &Record) -> ([u8; 16], [u8; 16]) {
        let [one, other] = [0, 1].map(|side| address(record, side, &self.addresses));
        (one.min(other), one.max(other))
    }
}

pub(super) fn address(record: &Record, side: Side, v6: &Addresses) -> [u8; 16] {
    let (address, _) = record.key.end(side);
    if record.key.is_ipv6() {
        v6.address(address).to_be_bytes()
    } else {
        Ipv4Addr::from_bits(address).to_ipv6_mapped().octets()
    }
}

pub(super) fn class(record: &Record) -> Class {
    if record.key.protocol() != protocol::TCP {
        return Class::Datagram;
    }
    let orig = record.originator();
    if record.payload == [0, 0] && record.flags[orig] & flag::ACK == 0 {
        return Class::Unanswered;
    }
    let state = tcp_state(record.ends, orig, record.payload == [0, 0]);
    if matches!(state, Rej | Rsto | Rstos0 | Rstr | Rstrh | Sf) { Class::Closed } else { Class::Idle }
}
