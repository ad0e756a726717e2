//! TCP sequence numbers: what was reached, what was passed over, what came again.

use super::aside::Asides;
use super::history::Letter;
use super::key::Side;
use super::record::{Record, mark};
use crate::decode::{Tcp, flag, protocol};

/// Farther than this a number does not jump in a connection: windows are at most a gigabyte.
const MAX_JUMP: i32 = 1 << 30;

/// Takes the numbers of a segment with `length` bytes of payload.
#[inline]
pub fn advance(flow: u32, record: &mut Record, side: Side, tcp: &Tcp, length: u32, asides: &mut Asides) {
    if tcp.has(flag::RST) {
        return;
    }
    let controls = u32::from(tcp.has(flag::SYN)) + u32::from(tcp.has(flag::FIN));
    let space = length.wrapping_add(controls);
    if record.is_numbered(side) {
        let ahead = tcp.seq.wrapping_sub(record.next[side]).cast_signed();
        if ahead == 0 {
            record.next[side] = tcp.seq.wrapping_add(space);
        } else {
            out_of_line(flow, record, side, (tcp.seq, space, length), ahead, asides);
        }
    } else {
        record.marks |= mark::NUMBERED << side;
        record.next[side] = tcp.seq.wrapping_add(space);
        record.initial[side] = if tcp.has(flag::SYN) { tcp.seq } else { tcp.seq.wrapping_sub(1) };
    }
    if tcp.has(flag::ACK) && record.is_numbered(1 - side) {
        acknowledge(flow, record, 1 - side, tcp, asides);
    }
}

/// A segment that does not begin where the last one ended: (sequence number, space it takes, payload in it).
#[cold]
fn out_of_line(
    flow: u32,
    record: &mut Record,
    side: Side,
    (seq, space, payload): (u32, u32, u32),
    ahead: i32,
    asides: &mut Asides,
) {
    let end = seq.wrapping_add(space);
    if ahead > 0 {
        // A bare acknowledgement one ahead is all that shows of a FIN that was not captured.
        if space == 0 && ahead == 1 {
            return;
        }
        if ahead < MAX_JUMP {
            let start = record.next[side];
            record.marks |= mark::HOLES;
            asides.of(flow, record).open(side, start, seq);
        }
        record.next[side] = end;
        return;
    }
    asides.repeated += 1;
    if record.is(mark::ASIDE) {
        asides.of(flow, record).fill(side, seq, space);
    }
    if end.wrapping_sub(record.next[side]).cast_signed() > 0 {
        record.next[side] = end;
    } else if payload > 0 {
        asides.tell_repeated(flow, record, Letter::Again, side);
    }
}

/// Takes an acknowledgement of what `side` sent.
#[inline]
fn acknowledge(flow: u32, record: &mut Record, side: Side, tcp: &Tcp, asides: &mut Asides) {
    let ahead = tcp.ack.wrapping_sub(record.next[side]).cast_signed();
    if ahead > 0 || record.is(mark::HOLES) {
        acknowledge_unseen(flow, record, side, tcp, ahead, asides);
    }
}

fn acknowledge_unseen(flow: u32, record: &mut Record, side: Side, tcp: &Tcp, ahead: i32, asides: &mut Asides) {
    // One byte may be a FIN that was not captured.
    if ahead > 1 && ahead < MAX_JUMP {
        let start = record.next[side];
        record.marks |= mark::HOLES;
        asides.of(flow, record).open(side, start, tcp.ack);
        record.next[side] = tcp.ack;
    }
    // Acknowledgements at the very end of a connection are not to be relied on.
    let ending = tcp.has(flag::FIN);
    if record.is(mark::HOLES) {
        let aside = asides.of(flow, record);
        let news = aside.acknowledged(side, tcp.ack);
        // A flow whose holes are all told is as steady as any other: of a capture that lacks one packet in a hundred nearly
        // all flows have some, and took three times as many instructions for all of their packets.
        if !aside.has_untold() {
            record.marks &= !mark::HOLES;
        }
        if news && !ending {
            asides.tell_repeated(flow, record, Letter::Gap, side);
        }
    }
}

/// Payload bytes of a side that came more than once: what there is more of than sequence numbers for it.
///
/// Numbers wrap at 4 GiB, so that of more repetitions than that the multiples are lost.
#[must_use]
pub fn repeated(record: &Record, side: Side, missed: u64) -> u64 {
    if record.key.protocol() != protocol::TCP || !record.is(mark::NUMBERED << side) {
        return 0;
    }
    let fin = u32::from(record.flags[side] & flag::FIN != 0);
    let span = record.next[side].wrapping_sub(record.initial[side]).wrapping_sub(1 + fin);
    let more = (record.payload[side] + missed).wrapping_sub(u64::from(span)) & u64::from(u32::MAX);
    // A jump of the numbers gives nonsense; more than everything cannot have been repeated.
    if more <= record.payload[side] { more } else { 0 }
}
