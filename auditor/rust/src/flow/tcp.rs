//! What a TCP segment does to its flow.

use super::aside::Asides;
use super::history::Letter;
use super::key::Side;
use super::record::{OriginatorBy, Record};
use super::refusal::Refusal;
use super::sequence;
use super::state::EndState;
use crate::decode::{Tcp, flag};

/// Bit of [`Record::told`]: payload was seen.
pub const TOLD_DATA: u8 = 4;
/// Bit of [`Record::told`]: a bare acknowledgement was seen.
pub const TOLD_ACK: u8 = 2;

const CONTROL: u8 = flag::SYN | flag::FIN | flag::RST;

/// Whether a segment begins a new connection on the five-tuple of `record`.
///
/// A new handshake is a SYN with another sequence number on a connection that got beyond its own SYN. A SYN that came
/// again, came late, or was tried again without any answer is not.
pub fn is_new_connection(record: &Record, side: Side, tcp: &Tcp) -> bool {
    if !tcp.has(flag::SYN) || tcp.has(flag::RST) {
        return false;
    }
    if record.is_numbered(side) && record.initial[side] == tcp.seq {
        return false;
    }
    if record.ends.over() {
        // A SYN+ACK of a side that never spoke may be one that came late.
        return !tcp.has(flag::ACK) || record.is_numbered(side);
    }
    if tcp.has(flag::ACK) {
        return false;
    }
    // Tried again without an answer; both ends at once; the SYN that an earlier SYN+ACK answers.
    let own_first = matches!(
        (record.ends.get(side), record.ends.get(1 - side)),
        (EndState::SynSent, EndState::Inactive)
            | (EndState::Inactive, EndState::Inactive | EndState::SynSent | EndState::Established)
    );
    !own_first
}

/// Takes a segment. Tells whether originator and responder changed places.
#[inline]
pub fn update(
    flow: u32,
    record: &mut Record,
    side: Side,
    tcp: &Tcp,
    payload: u32,
    serial: u64,
    asides: &mut Asides,
) -> bool {
    record.flags[side] |= tcp.flags;
    let mut turned = false;
    if tcp.flags & CONTROL != 0 {
        turned = control(flow, record, side, tcp, asides);
    } else if payload > 0 {
        tell_once(flow, record, side, Letter::Data, asides);
    } else if tcp.has(flag::ACK) {
        tell_once(flow, record, side, Letter::Ack, asides);
    }
    if tcp.zero_window && !tcp.has(flag::RST) {
        zero_window(flow, record, side, asides);
    }
    sequence::advance(flow, record, side, tcp, payload, asides);
    if record.ends.step(side, tcp) {
        record.refuse(Refusal::Rst as u8, serial);
    }
    turned
}

#[cold]
fn control(flow: u32, record: &mut Record, side: Side, tcp: &Tcp, asides: &mut Asides) -> bool {
    let letter = match tcp.flags & CONTROL {
        flag::SYN if tcp.has(flag::ACK) => Letter::Handshake,
        flag::SYN => Letter::Syn,
        flag::FIN => Letter::Fin,
        flag::RST => Letter::Reset,
        both if both == flag::FIN | flag::RST => Letter::Inconsistent,
        _ => Letter::MultiFlag,
    };
    tell_once(flow, record, side, letter, asides);
    match letter {
        Letter::Handshake => record.settle_originator(1 - side, OriginatorBy::SynAck),
        Letter::Syn => {
            if record.syns == u8::MAX {
                asides.of(flow, record).more_syns += 1;
            } else {
                record.syns += 1;
            }
            record.settle_originator(side, OriginatorBy::Syn)
        }
        _ => false,
    }
}

#[cold]
fn zero_window(flow: u32, record: &mut Record, side: Side, asides: &mut Asides) {
    let over = record.ends.get(1 - side) == EndState::Closed
        || matches!(record.ends.get(side), EndState::Reset | EndState::ClosedReset);
    if !over {
        asides.tell_repeated(flow, record, Letter::ZeroWindow, side);
    }
}

/// Writes an event of a side into the history the first time it happens. SYN and SYN+ACK count as one, as in Zeek.
#[inline]
pub fn tell_once(flow: u32, record: &mut Record, side: Side, letter: Letter, asides: &mut Asides) {
    let bit: u8 = match letter {
        Letter::Syn | Letter::Handshake => 1,
        Letter::Ack => TOLD_ACK,
        Letter::Data => TOLD_DATA,
        Letter::Fin => 8,
        Letter::Reset => 16,
        Letter::Inconsistent => 32,
        _ => 64,
    };
    if record.told[side] & bit == 0 {
        record.told[side] |= bit;
        asides.tell(flow, record, letter, side);
    }
}
