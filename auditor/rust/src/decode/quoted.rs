//! The packet that an ICMP error quotes.

use super::datagram::ports;
use super::ip;
use super::packet::{Tuple, protocol};

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
