//! Packets into flows.

use super::aside::Asides;
use super::fragments::{DatagramId, First, Fragments, Held};
use super::history::Letter;
use super::key::{Addresses, Key, Side};
use super::ports::PortSet;
use super::recognition::{PROBES, PROBES_ON_NDMP_PORT, PROBES_UDP, Recognition, Seen};
use super::record::{OriginatorBy, Record, mark};
use super::table::Table;
use super::{Stamp, refusal, tcp};
use crate::app::ndmp::Events;
use crate::decode::{Carrier, Fragment, Icmp, Packet, Tcp, flag, protocol, quoted_tuple};

/// The flow table with everything beside it, while packets come.
#[derive(Default)]
pub struct Tracker {
    pub(super) table: Table,
    pub(super) addresses: Addresses,
    pub(super) asides: Asides,
    fragments: Fragments,
    pub(super) recognition: Recognition,
    known_ports: PortSet,
    pub(super) ndmp_ports: PortSet,
    /// Fragments whose first never came, by file.
    pub(super) orphans: Vec<u64>,
}

/// Where a packet belongs in the flow table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Both ends.
    pub(super) key: Key,
    /// The end that sent it.
    pub(super) side: Side,
    /// Hash of the key.
    pub(super) hash: u64,
}

/// Everything that was seen, when no more packets come.
pub struct Finished {
    /// Flows in the order they were made.
    pub table: Table,
    /// IPv6 addresses by code.
    pub addresses: Addresses,
    /// Rare facts.
    pub asides: Asides,
    /// What control streams said.
    pub events: Events,
    /// Fragments whose first never came, by file.
    pub orphans: Vec<u64>,
}

impl Tracker {
    /// An empty table. `known_ports` settle the direction of flows without handshake, `ndmp_ports` raise the patience in
    /// looking for a control stream.
    #[must_use]
    pub fn new(known_ports: PortSet, ndmp_ports: PortSet) -> Self {
        Self { known_ports, ndmp_ports, ..Self::default() }
    }

    /// Segments so far that began before the place that their connection had reached.
    #[inline]
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.asides.repeated
    }

    /// Takes a packet, and the fragment of a tunnel that it came in.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, carrier: Option<&Carrier>, stamp: &Stamp) {
        match (packet.fragment, carrier) {
            (Some(fragment), None) => self.fragment(packet, &fragment, stamp),
            _ => self.credit(packet, stamp),
        }
        if let Some(carrier) = carrier {
            self.carried(packet, carrier, stamp);
        }
        if let Some(icmp) = packet.icmp {
            self.refusal(packet.tuple.protocol, &icmp, stamp);
        }
    }

    /// Credits a packet to its flow; one that is neither a fragment nor an ICMP message needs nothing else.
    #[inline]
    pub fn credit(&mut self, packet: &Packet<'_>, stamp: &Stamp) {
        let (key, side) = self.addresses.key(&packet.tuple);
        let hash = self.table.hash(&key);
        let found = self.table.probe(&key, hash);
        self.credit_to(&Place { key, side, hash }, found, || *packet, stamp);
    }

    /// The same where the flow table was asked already: `found` is its answer to [`Table::probe`]. The packet comes by a
    /// function, that of a common frame out of its headers: what is asked of it here stays in registers then, and the
    /// whole is only made for those who look into it.
    #[expect(clippy::inline_always, reason = "a fifth of the instructions of a new flow built packets in memory")]
    #[inline(always)]
    pub(super) fn credit_to<'a>(
        &mut self,
        place: &Place,
        found: Result<u32, usize>,
        make: impl Fn() -> Packet<'a>,
        stamp: &Stamp,
    ) {
        let Place { key, side, hash } = *place;
        let packet = make();
        let (mut flow, mut fresh) = match found {
            Ok(flow) => (flow, false),
            Err(slot) => (self.table.insert(&key, hash, slot), true),
        };
        if let Some(tcp) = packet.tcp
            && tcp.has(flag::SYN)
            && !fresh
            && tcp::is_new_connection(self.table.record(flow), side, &tcp)
        {
            self.recognition.end(flow);
            flow = self.table.succeed(&key);
            fresh = true;
        }
        let record = self.table.record(flow);
        if fresh {
            begin(record, &packet, side, stamp, &self.known_ports, &self.ndmp_ports);
        }
        count(flow, record, side, &packet, stamp, &mut self.asides);
        let undecided = record.to_probe > 0 && packet.payload_len > 0 || record.is(mark::STREAM);
        let first_payload = record.told[side] & tcp::TOLD_DATA == 0;
        if let Some(segment) = packet.tcp {
            let turned = tcp::update(flow, record, side, &segment, packet.payload_len, stamp.serial, &mut self.asides);
            if turned && record.is(mark::STREAM) {
                self.recognition.turned(flow);
            }
        } else if packet.tuple.protocol == protocol::UDP {
            tcp::tell_once(flow, record, side, Letter::Data, &mut self.asides);
        }
        if undecided {
            let on_ndmp_port = touches(record, &self.ndmp_ports);
            let seen = Seen { flow, side, stamp, packet: &make(), first_payload, on_ndmp_port };
            self.recognition.inspect(record, &seen);
        }
    }

    /// Notes a packet inside the first fragment of its tunnel, so that the later ones count with it.
    #[cold]
    fn carried(&mut self, packet: &Packet<'_>, carrier: &Carrier, stamp: &Stamp) {
        let id = DatagramId::new(&carrier.tuple, &carrier.fragment);
        let first = First { tuple: packet.tuple, origin: None, tunnel: packet.tunnel };
        for held in self.fragments.first(id, first, &carrier.fragment, stamp.time) {
            self.credit_later(&held, &[], Some(&first));
        }
    }

    #[cold]
    fn fragment(&mut self, packet: &Packet<'_>, fragment: &Fragment, stamp: &Stamp) {
        let id = DatagramId::new(&packet.tuple, fragment);
        if fragment.offset == 0 {
            self.credit(packet, stamp);
            // The header lies between the datagram's byte 0 and the payload's.
            let header = fragment.length.saturating_sub(packet.payload_len);
            let origin = packet.tcp.map(|tcp| tcp.seq.wrapping_sub(header));
            let first = First { tuple: packet.tuple, origin, tunnel: 0 };
            for held in self.fragments.first(id, first, fragment, stamp.time) {
                self.credit_later(&held, &[], Some(&first));
            }
        } else {
            let Packet { tuple, vlan, tunnel, cut, .. } = *packet;
            let held = Held { tuple, stamp: *stamp, fragment: *fragment, vlan, tunnel, cut };
            match self.fragments.later(id, fragment, stamp.time) {
                Some(first) => self.credit_later(&held, packet.payload, Some(&first)),
                None if self.fragments.hold(id, held) => {}
                None => self.orphan(&held),
            }
        }
        for held in self.fragments.evict() {
            self.orphan(&held);
        }
    }

    fn orphan(&mut self, held: &Held) {
        let file = held.stamp.file as usize;
        if self.orphans.len() <= file {
            self.orphans.resize(file + 1, 0);
        }
        self.orphans[file] += 1;
        self.credit_later(held, &[], None);
    }

    /// Credits a fragment that has no transport header, as if it were a packet of its own.
    fn credit_later(&mut self, held: &Held, payload: &[u8], first: Option<&First>) {
        let Held { tuple, stamp, fragment, vlan, tunnel, cut } = held;
        // The packet inside a tunnel counted its payload with the first fragment.
        let inside = first.map_or(0, |first| first.tunnel);
        let seq = first.and_then(|first| first.origin).map(|origin| origin.wrapping_add(fragment.offset));
        let packet = Packet {
            tuple: first.map_or(*tuple, |first| first.tuple),
            vlan: *vlan,
            tunnel: if inside == 0 { *tunnel } else { inside },
            tcp: seq.map(|seq| Tcp { seq, ack: 0, flags: 0, zero_window: false }),
            icmp: None,
            payload: if inside == 0 { payload } else { &[] },
            payload_len: if inside == 0 { fragment.length } else { 0 },
            cut: *cut,
            fragment: Some(*fragment),
            problem: None,
        };
        self.credit(&packet, stamp);
    }

    #[cold]
    fn refusal(&mut self, transport: u8, icmp: &Icmp<'_>, stamp: &Stamp) {
        let (Some(refusal), Some(quoted)) = (refusal::of_icmp(transport, icmp), quoted_tuple(icmp.quoted)) else {
            return;
        };
        let (key, _) = self.addresses.key(&quoted);
        if let Some(flow) = self.table.get(&key) {
            self.table.record(flow).refuse(refusal as u8, stamp.serial);
        }
    }

    /// No more packets come.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        for held in self.fragments.finish() {
            self.orphan(&held);
        }
        let events = self.recognition.finish(|flow| self.table.record(flow).originator());
        Finished { table: self.table, addresses: self.addresses, asides: self.asides, events, orphans: self.orphans }
    }
}

/// Whether an end of the flow is on one of the ports.
fn touches(record: &Record, ports: &PortSet) -> bool {
    ports.contains(record.key.end(0).1) || ports.contains(record.key.end(1).1)
}

/// Fills a new record from its first packet.
#[inline]
fn begin(record: &mut Record, packet: &Packet<'_>, side: Side, stamp: &Stamp, known: &PortSet, ndmp: &PortSet) {
    record.first_time = stamp.time;
    record.last_time = stamp.time;
    record.first = stamp.serial;
    record.last = stamp.serial;
    record.put_place(packet.vlan, packet.tunnel);
    if side == 1 {
        record.marks |= mark::FIRST_FROM_HIGH;
    }
    let (from, to) = (known.contains(packet.tuple.source_port), known.contains(packet.tuple.destination_port));
    let (originator, by) = match (from, to) {
        (true, false) => (1 - side, OriginatorBy::KnownPort),
        (false, true) => (side, OriginatorBy::KnownPort),
        _ if is_echo_reply(packet) => (1 - side, OriginatorBy::Guess),
        _ => (side, OriginatorBy::Guess),
    };
    record.put_originator(originator, by);
    record.to_probe = match packet.tuple.protocol {
        protocol::TCP if touches(record, ndmp) => PROBES_ON_NDMP_PORT,
        protocol::TCP => PROBES,
        protocol::UDP => PROBES_UDP,
        _ => 0,
    };
}

fn is_echo_reply(packet: &Packet<'_>) -> bool {
    let reply = if packet.tuple.protocol == protocol::ICMP { 0 } else { 129 };
    packet.icmp.is_some_and(|icmp| icmp.kind == reply)
}

/// Counts a packet.
#[inline]
fn count(flow: u32, record: &mut Record, side: Side, packet: &Packet<'_>, stamp: &Stamp, asides: &mut Asides) {
    record.bytes[side] += u64::from(stamp.wire_len);
    record.payload[side] += u64::from(packet.payload_len);
    record.first_time = record.first_time.min(stamp.time);
    record.last_time = record.last_time.max(stamp.time);
    record.last = record.last.max(stamp.serial);
    if stamp.serial < record.first {
        record.moved_back(stamp.serial);
    }
    if packet.cut {
        record.marks |= mark::CUT;
    }
    if packet.fragment.is_some() {
        record.marks |= mark::FRAGMENTS;
    }
    if let Some(more) = record.packets[side].checked_add(1) {
        record.packets[side] = more;
    } else {
        asides.of(flow, record).more_packets[side] += 1;
    }
}
