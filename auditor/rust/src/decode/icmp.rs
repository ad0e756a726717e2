//! ICMP and `ICMPv6`: type, code, and the packet that an error quotes.

use super::ip::{self, ports};
use super::packet::{Icmp, Packet, Tuple, protocol};
use super::transport::{is_cut, skip};
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

/// Five-tuple of a quoted packet, of which only the beginning is there; None when that does not reach to the ports.
#[must_use]
pub fn quoted_tuple(bytes: &[u8]) -> Option<Tuple> {
    let datagram = ip::datagram(bytes, u32::MAX).ok()?;
    if datagram.fragment.is_some_and(|fragment| fragment.offset > 0) {
        return None;
    }
    let (source_port, destination_port) = match datagram.protocol {
        protocol::TCP | protocol::UDP | protocol::SCTP => ports(datagram.body)?,
        _ => (0, 0),
    };
    Some(Tuple { ends: datagram.ends, protocol: datagram.protocol, source_port, destination_port })
}
