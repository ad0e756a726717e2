//! The fast path for what nearly every packet does: it continues a flow that is known, whose protocol is decided, in the
//! place that its side had reached. Only counters change then. [`Tracker::credit`] knows all cases, and gets all others.

use super::Stamp;
use super::key::Side;
use super::record::{Record, mark};
use super::tcp::{TOLD_ACK, TOLD_DATA};
use super::tracker::{Place, Tracker};
use crate::decode::{Headers, protocol};
use crate::entry::AHEAD;
use crate::train::{Direction, Train, Way, goes_on, is_within};

impl Tracker {
    /// Where the packet of a common frame belongs; `frame` gives its captured bytes.
    #[inline]
    pub fn place<'a>(&mut self, headers: &Headers, frame: impl FnOnce() -> &'a [u8]) -> Place {
        let (key, side) = self.addresses.key_of(headers, frame);
        Place { key, side, hash: self.table.hash(&key) }
    }

    /// Looks at what will be wanted soon, so that it is in the cache then: first all slots, then all records, since each of
    /// them waits for memory on its own. (The processor does not wait for one before it asks for the next.)
    #[inline]
    pub fn look_ahead(&self, places: &[Place]) {
        if !self.table.is_large() {
            return;
        }
        let mut slots = [0; AHEAD];
        for (slot, place) in slots.iter_mut().zip(places) {
            *slot = self.table.first_slot(place.hash);
        }
        let seen = slots.iter().zip(places).fold(0, |seen, (&slot, place)| seen ^ self.table.glance(slot, place.hash));
        std::hint::black_box(seen);
    }

    /// Credits the packet of a common frame, of which so many bytes were captured, if nothing but counters changes; else
    /// false.
    #[expect(clippy::inline_always, reason = "a third of the instructions of a common packet were calls and returns")]
    #[inline(always)]
    pub fn credit_steady(&mut self, place: &Place, headers: &Headers, captured: u32, stamp: &Stamp) -> bool {
        let side = place.side & 1;
        match self.table.at_home(&place.key, place.hash) {
            Some(record) if is_steady(record, side, headers) => {
                count(record, side, headers, captured, stamp);
                true
            }
            _ => false,
        }
    }

    /// Credits the packet of a common frame, whose captured bytes these are, whatever it does.
    #[inline(never)]
    pub fn credit_common(&mut self, place: &Place, headers: &Headers, frame: &[u8], stamp: &Stamp) {
        let found = self.table.probe(&place.key, place.hash);
        self.credit_to(place, found, || headers.packet(frame), stamp);
    }

    /// Whether nothing is to be recognised or followed in the flow of a packet.
    #[must_use]
    pub fn is_quiet(&self, place: &Place) -> bool {
        self.table.probe(&place.key, place.hash).is_ok_and(|flow| is_quiet(self.table.peek(flow)))
    }

    /// Credits a train whose first packet is that of these headers, and whose last has that number, if nothing but
    /// counters changes; else false.
    #[inline]
    pub fn credit_train(&mut self, place: &Place, headers: &Headers, train: &Train, last: u64) -> bool {
        let Ok(flow) = self.table.probe(&place.key, place.hash) else { return false };
        let record = self.table.record(flow);
        let sides = [place.side & 1, 1 - (place.side & 1)];
        let steady = is_steady_for(record, sides, headers.protocol, train);
        if steady {
            count_train(record, sides, headers.protocol, train, last);
        }
        steady
    }
}

/// Both sides are numbered.
const NUMBERED: u16 = mark::NUMBERED | mark::NUMBERED << 1;

/// Whether nothing but counters changes. Each condition stands for one thing that the plain path would do.
#[inline]
fn is_steady(record: &Record, side: Side, headers: &Headers) -> bool {
    let (payload, peer) = (headers.payload_len, 1 - side);
    let told = if payload > 0 || headers.protocol == protocol::UDP { TOLD_DATA } else { TOLD_ACK };
    // Nothing to recognise, to follow, or to be written into the history; and the counter has room.
    let quiet = is_quiet(record) && record.told[side] & told != 0 && record.packets[side] != u32::MAX;
    if headers.protocol == protocol::UDP || !quiet {
        return quiet;
    }
    goes_on(headers)
        && record.marks & NUMBERED == NUMBERED
        && record.ends.is_settled(side)
        && record.next[side] == headers.seq
        && is_within(headers.ack, record.next[peer])
}

/// Nothing is to be recognised or followed.
#[inline]
fn is_quiet(record: &Record) -> bool {
    record.to_probe == 0 && record.marks & (mark::STREAM | mark::HOLES) == 0
}

/// The same for each packet of a train, whose directions are these sides. What a packet says itself, and how it follows
/// those of the train before it, was looked at when the train was made.
#[inline]
fn is_steady_for(record: &Record, sides: [Side; 2], protocol: u8, train: &Train) -> bool {
    let goes_on = |direction: Direction| {
        let (side, way) = (sides[direction], &train.ways[direction]);
        let needed = told_by(way, protocol);
        let quiet = record.told[side] & needed == needed && record.packets[side].checked_add(way.packets).is_some();
        let follows = || record.ends.is_settled(side) && record.next[side] == way.begin;
        way.packets == 0 || quiet && (protocol == protocol::UDP || follows())
    };
    let next = record.next[sides[1]];
    let numbered =
        record.marks & NUMBERED == NUMBERED && is_within(train.acks.0, next) && is_within(train.acks.1, next);
    is_quiet(record) && goes_on(0) && goes_on(1) && (protocol == protocol::UDP || numbered)
}

/// What the packets of a direction write into the history, the first time.
#[inline]
fn told_by(way: &Way, protocol: u8) -> u8 {
    let data = way.spoke || protocol == protocol::UDP;
    let ack = way.silent && protocol == protocol::TCP;
    (if data { TOLD_DATA } else { 0 }) | if ack { TOLD_ACK } else { 0 }
}

/// Counts such a packet. No packet before it has a higher number.
#[inline]
fn count(record: &mut Record, side: Side, headers: &Headers, captured: u32, stamp: &Stamp) {
    let payload = headers.payload_len;
    record.bytes[side] += u64::from(stamp.wire_len);
    record.payload[side] += u64::from(payload);
    record.packets[side] += 1;
    record.first_time = record.first_time.min(stamp.time);
    record.last_time = record.last_time.max(stamp.time);
    record.last = stamp.serial;
    record.marks |= if headers.is_cut(captured) { mark::CUT } else { 0 };
    record.flags[side] |= headers.flags;
    record.next[side] = record.next[side].wrapping_add(if headers.protocol == protocol::TCP { payload } else { 0 });
}

/// Counts such a train.
#[inline]
fn count_train(record: &mut Record, sides: [Side; 2], protocol: u8, train: &Train, last: u64) {
    for (way, side) in train.ways.iter().zip(sides) {
        record.bytes[side] += way.bytes;
        record.payload[side] += way.payload;
        record.packets[side] += way.packets;
        record.flags[side] |= way.flags;
        let space = if protocol == protocol::TCP { way.payload as u32 } else { 0 };
        record.next[side] = record.next[side].wrapping_add(space);
    }
    record.first_time = record.first_time.min(train.times.0);
    record.last_time = record.last_time.max(train.times.1);
    record.last = last;
    record.marks |= if train.cut { mark::CUT } else { 0 };
}
