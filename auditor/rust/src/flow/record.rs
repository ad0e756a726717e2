//! One flow in 128 bytes: two cache lines, everything that every flow has. The rest is in [`super::aside`].

use super::history::History;
use super::key::{Key, Side};
use super::state::EndStates;

/// How the originator is known, best first. The discriminant indexes [`ORIGINATOR_BY`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginatorBy {
    /// It sent a SYN.
    Syn,
    /// The other end sent SYN+ACK.
    SynAck,
    /// The other end greeted as an NDMP server does, or the NDMP dialogue shows it to be the server.
    NdmpGreeting,
    /// The other end's port is a known responder port, its own is not.
    KnownPort,
    /// It sent the first packet that was seen.
    #[default]
    Guess,
}

/// Names of [`OriginatorBy`].
pub const ORIGINATOR_BY: &[&str] = &["syn", "syn-ack", "ndmp-greeting", "known-port", "guess"];

/// Bits of [`Record::marks`].
pub mod mark {
    /// Payload was not captured.
    pub const CUT: u16 = 1;
    /// IP fragments belong to the flow.
    pub const FRAGMENTS: u16 = 2;
    /// The flow has a row in [`super::super::aside::Asides`].
    pub const ASIDE: u16 = 4;
    /// The flow has a control stream.
    pub const STREAM: u16 = 8;
    /// The first packet came from side 1.
    pub const FIRST_FROM_HIGH: u16 = 16;
    /// The originator is side 1.
    pub const ORIGINATOR_HIGH: u16 = 32;
    /// Sequence numbers of side 0 are known; shift by the side.
    pub const NUMBERED: u16 = 64;
    /// Sequence numbers were passed over, and no acknowledgement was seen that passes them, too: the row aside has holes.
    pub const HOLES: u16 = 1 << 11;
    /// Place of [`OriginatorBy`](super::OriginatorBy).
    pub const BY_SHIFT: u32 = 8;
    /// Place of the refusal.
    pub const REFUSAL_SHIFT: u32 = 12;
}

/// A flow. Pairs are by [`Side`], so that nothing moves when the originator turns out to be the other end.
#[derive(Clone, Debug, Default)]
#[repr(align(128))]
pub struct Record {
    /// Both ends.
    pub key: Key,
    /// Bytes of frames on the wire.
    pub bytes: [u64; 2],
    /// Bytes of transport payload on the wire.
    pub payload: [u64; 2],
    /// Packets; what does not fit is counted aside.
    pub packets: [u32; 2],
    /// Earliest packet, ns.
    pub first_time: i64,
    /// Latest packet, ns.
    pub last_time: i64,
    /// First packet, by its serial number over all files.
    pub first: u64,
    /// Last packet, likewise.
    pub last: u64,
    /// TCP: sequence number that comes next.
    pub next: [u32; 2],
    /// TCP: sequence number of the SYN, or of the byte before the first segment.
    pub initial: [u32; 2],
    /// What happened.
    pub history: History,
    /// Packets from the first to the one that refused the flow, when it was refused.
    pub refused_after: u32,
    /// SYNs without ACK; what does not fit is counted aside.
    pub syns: u8,
    /// Letters that stand in the history already, by side.
    pub told: [u8; 2],
    /// TCP flags, or-ed.
    pub flags: [u8; 2],
    /// TCP states of the ends.
    pub ends: EndStates,
    /// Protocol recognised.
    pub app: u8,
    /// Outermost VLAN of the first packet, and above its twelve bits the outermost tunnel.
    pub place: u16,
    /// See [`mark`].
    pub marks: u16,
    /// Segments with payload that are still to be looked at for the protocol; 0 when that is decided.
    pub to_probe: u8,
}

impl Record {
    /// Whether all marks of `mask` are set.
    #[inline]
    #[must_use]
    pub fn is(&self, mask: u16) -> bool {
        self.marks & mask == mask
    }

    /// The originator's side.
    #[inline]
    #[must_use]
    pub fn originator(&self) -> Side {
        Side::from(self.is(mark::ORIGINATOR_HIGH))
    }

    /// How the originator is known.
    #[must_use]
    pub fn originator_by(&self) -> OriginatorBy {
        match self.marks >> mark::BY_SHIFT & 7 {
            0 => OriginatorBy::Syn,
            1 => OriginatorBy::SynAck,
            2 => OriginatorBy::NdmpGreeting,
            3 => OriginatorBy::KnownPort,
            _ => OriginatorBy::Guess,
        }
    }

    /// Settles the originator if `by` is better evidence than before; tells whether it changed sides. This is the one
    /// place where a flow is turned round.
    pub fn settle_originator(&mut self, side: Side, by: OriginatorBy) -> bool {
        if by >= self.originator_by() {
            return false;
        }
        let turned = side != self.originator();
        self.put_originator(side, by);
        turned
    }

    /// Sets the originator.
    pub fn put_originator(&mut self, side: Side, by: OriginatorBy) {
        self.marks &= !(mark::ORIGINATOR_HIGH | 7 << mark::BY_SHIFT);
        self.marks |= (by as u16) << mark::BY_SHIFT;
        if side == 1 {
            self.marks |= mark::ORIGINATOR_HIGH;
        }
    }

    /// Whether the sequence numbers of a side are known.
    #[inline]
    #[must_use]
    pub fn is_numbered(&self, side: Side) -> bool {
        self.is(mark::NUMBERED << side)
    }

    /// Notes VLAN and tunnel of the first packet.
    pub fn put_place(&mut self, vlan: u16, tunnel: u8) {
        self.place = vlan & 0x0fff | u16::from(tunnel) << 12;
    }

    /// Outermost VLAN of the first packet, 0 for none.
    #[must_use]
    pub fn vlan(&self) -> u16 {
        self.place & 0x0fff
    }

    /// Outermost tunnel of the first packet, 0 for none.
    #[must_use]
    pub fn tunnel(&self) -> u8 {
        (self.place >> 12) as u8
    }

    /// The side that sent the first packet.
    #[must_use]
    pub fn first_sender(&self) -> Side {
        Side::from(self.is(mark::FIRST_FROM_HIGH))
    }

    /// Code of the refusal, 0 for none.
    #[must_use]
    pub fn refusal(&self) -> u8 {
        (self.marks >> mark::REFUSAL_SHIFT) as u8
    }

    /// A packet that had to wait for its ports turns out to be the first of the flow.
    #[cold]
    pub fn moved_back(&mut self, serial: u64) {
        let earlier = u32::try_from(self.first - serial).unwrap_or(u32::MAX);
        self.refused_after = self.refused_after.saturating_add(earlier);
        self.first = serial;
    }

    /// Notes the first refusal.
    pub fn refuse(&mut self, code: u8, serial: u64) {
        if self.refusal() == 0 {
            self.marks |= u16::from(code) << mark::REFUSAL_SHIFT;
            self.refused_after = u32::try_from(serial.saturating_sub(self.first)).unwrap_or(u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_two_cache_lines() {
        assert_eq!(size_of::<Record>(), 128);
    }

    #[test]
    fn better_evidence_turns_a_flow_and_worse_does_not() {
        let mut record = Record::default();
        record.put_originator(1, OriginatorBy::Guess);
        assert_eq!((record.originator(), record.originator_by()), (1, OriginatorBy::Guess));
        assert!(record.settle_originator(0, OriginatorBy::SynAck));
        assert!(!record.settle_originator(1, OriginatorBy::KnownPort));
        assert!(!record.settle_originator(0, OriginatorBy::Syn));
        assert_eq!((record.originator(), record.originator_by()), (0, OriginatorBy::Syn));
    }

    #[test]
    fn the_first_refusal_stays() {
        let mut record = Record { first: 10, ..Record::default() };
        record.refuse(5, 12);
        record.refuse(1, 15);
        assert_eq!((record.refusal(), record.refused_after), (5, 2));
    }
}
