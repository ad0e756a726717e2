//! Trains: packets of one connection right behind each other that do nothing to it but go on, summed up where they are
//! taken out of the buffer.
//!
//! Backup jobs come so: of M96, 256 KB with 2,600 packets hold 40 to 200 stretches of one connection. The flow table is
//! asked once for each train then, and between two threads 192 bytes are handed over, not 64 for each packet. Whether the
//! connection stood where a train begins is seen when it reaches the flow table; else the train's frames are read again
//! one by one ([`crate::pass`]). What is asked of the connection is in [`crate::flow`]'s `steady.rs`.

use crate::decode::{Headers, flag, protocol};
use crate::entry::Entry;
use crate::units::Units;

/// Packets in a row that make a train: fewer are handed on sooner than summed up.
pub const SHORTEST: usize = 4;
/// Packets that a train takes behind those at most, so that little is read again where it is refused.
pub const MORE: usize = 250;

/// Which packets of a train: 0 those that go where its first one goes, 1 the others.
pub type Direction = usize;

/// Packets of a connection in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Train {
    /// What goes in each direction.
    pub ways: [Way; 2],
    /// Earliest and latest packet, ns.
    pub times: (i64, i64),
    /// TCP: lowest and highest acknowledgement by direction 0 before direction 1 spoke; what lies between is less than
    /// half of the numbers.
    pub acks: (u32, u32),
    /// Payload of some was not captured.
    pub cut: bool,
    /// How its records are to be read again.
    pub units: Units,
}

/// What goes in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Bytes of frames on the wire.
    pub bytes: u64,
    /// Bytes of transport payload on the wire.
    pub payload: u64,
    /// Packets.
    pub packets: u32,
    /// TCP: sequence number of the first packet, where there is one.
    pub begin: u32,
    /// TCP: sequence number that comes next.
    pub next: u32,
    /// TCP flags, or-ed.
    pub flags: u8,
    /// There were packets with payload.
    pub spoke: bool,
    /// There were packets without.
    pub silent: bool,
}

/// Whether a packet may continue a connection without doing anything else, by what it says itself.
#[inline]
#[must_use]
pub fn goes_on(headers: &Headers) -> bool {
    const CONTROL: u8 = flag::SYN | flag::FIN | flag::RST;
    match headers.protocol {
        protocol::UDP => true,
        protocol::TCP => headers.flags & (CONTROL | flag::ACK) == flag::ACK && !headers.zero_window,
        _ => false,
    }
}

/// Whether an acknowledgement is of nothing beyond the next sequence number of the other end.
#[inline]
#[must_use]
pub fn is_within(ack: u32, next: u32) -> bool {
    ack.wrapping_sub(next).cast_signed() <= 0
}

impl Train {
    /// An empty one.
    #[must_use]
    pub fn new(units: Units) -> Self {
        Self { times: (i64::MAX, i64::MIN), units, ..Self::default() }
    }

    /// Packets.
    #[inline]
    #[must_use]
    pub fn length(&self) -> u32 {
        self.ways[0].packets + self.ways[1].packets
    }

    /// Takes the next packet, if it only continues the train.
    #[expect(clippy::inline_always, reason = "so that what is summed up stays in registers")]
    #[inline(always)]
    pub fn takes(&mut self, direction: Direction, entry: &Entry) -> bool {
        let headers = &entry.headers;
        if !goes_on(headers) || headers.protocol == protocol::TCP && !self.follows(direction, headers) {
            return false;
        }
        let way = &mut self.ways[direction & 1];
        way.packets += 1;
        way.bytes += u64::from(entry.wire_len);
        way.payload += u64::from(headers.payload_len);
        way.flags |= headers.flags;
        way.spoke |= headers.payload_len > 0;
        way.silent |= headers.payload_len == 0;
        self.times = (self.times.0.min(entry.time), self.times.1.max(entry.time));
        self.cut |= headers.is_cut(entry.length);
        true
    }

    /// Whether a segment of TCP is the next one of its direction, and acknowledges nothing that was not there.
    #[expect(clippy::inline_always, reason = "so that what is summed up stays in registers")]
    #[inline(always)]
    fn follows(&mut self, direction: Direction, headers: &Headers) -> bool {
        let (way, other) = (self.ways[direction & 1], self.ways[1 - (direction & 1)]);
        let is_first = way.packets == 0;
        if !is_first && headers.seq != way.next {
            return false;
        }
        if other.packets > 0 {
            if !is_within(headers.ack, other.next) {
                return false;
            }
        } else if is_first {
            self.acks = (headers.ack, headers.ack);
        } else {
            // They rise, so that all lie between the first and the last.
            let rises = |from: u32| headers.ack.wrapping_sub(from).cast_signed() >= 0;
            if !rises(self.acks.0) || !rises(self.acks.1) {
                return false;
            }
            self.acks.1 = headers.ack;
        }
        let way = &mut self.ways[direction & 1];
        way.begin = if is_first { headers.seq } else { way.begin };
        way.next = headers.seq.wrapping_add(headers.payload_len);
        true
    }
}
