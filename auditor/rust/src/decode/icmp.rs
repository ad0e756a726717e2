//! ICMP and `ICMPv6`: type, code, and the bytes that an error quotes.

use super::packet::{Icmp, Packet, is_cut, protocol, skip};
use crate::problem::Problem;

const HEADER: u32 = 8;

/// Decodes the message at the beginning of the packet's payload.
#[inline(never)]
pub fn decode(packet: &mut Packet<'_>) -> Result<(), Problem> {
    let message = packet.payload;
    if let &[kind, code, ..] = message {
        let is_error = match packet.tuple.protocol {
            protocol::ICMP => matches!(kind, 3 | 4 | 5 | 11 | 12),
            // Error messages have types below 128.
            _ => matches!(kind, 1..=4),
        };
        let quoted = if is_error { message.get(HEADER as usize..).unwrap_or_default() } else { &[] };
        packet.icmp = Some(Icmp { kind, code, quoted });
    } else if is_cut(packet) {
        skip(packet, HEADER)?;
        return Err(Problem::CutTransportHeader);
    }
    skip(packet, HEADER)
}
