//! IP version 4, and the choice between the versions.

use super::bytes::{u8_at, u32_at};
use super::datagram::{Datagram, length, ports};
use super::inner::Inner;
use super::packet::{Carrier, Decoded, Ends, Fragment, Tuple};
use super::{ipv6, transport, tunnel};
use crate::problem::Problem;

/// The longest IP packet: header and a length of sixteen bits.
const LONGEST: u32 = 40 + 0xffff;

/// Decodes an IP packet down to its transport header; the innermost one, where tunnels are around it. What a tunnel
/// carries besides IP packets counts with the tunnel itself.
pub fn decode<'a>(outside: &Inner<'a>) -> Result<Decoded<'a>, Problem> {
    let mut at = *outside;
    let mut datagram = datagram(at.bytes, at.wire_len)?;
    let (mut kind, mut carrier, mut problem) = (0, None, None);
    while let Some((entered, mut inside)) = tunnel::enter(&datagram, &at) {
        if datagram.fragment.is_some() {
            // The rest of it comes with later fragments; its own header says how much.
            inside.wire_len = LONGEST;
        }
        let Ok(next) = self::datagram(inside.bytes, inside.wire_len) else { break };
        if let Some(fragment) = datagram.fragment {
            let (source_port, destination_port) = ports(datagram.body).unwrap_or_default();
            let tuple = Tuple { ends: datagram.ends, protocol: datagram.protocol, source_port, destination_port };
            carrier = carrier.or(Some(Carrier { tuple, fragment }));
        }
        if kind == 0 {
            kind = entered as u8;
        }
        problem = problem.or(datagram.problem);
        (at, datagram) = (inside, next);
    }
    let mut packet = transport::decode(&datagram);
    packet.vlan = at.vlan;
    packet.tunnel = kind;
    packet.problem = packet.problem.or(problem);
    Ok(Decoded { packet, carrier, bytes: at.bytes })
}

/// Decodes an IP header with its options or extension headers. The version is taken from the header, whatever the
/// link said.
#[inline]
pub fn datagram(bytes: &[u8], wire_len: u32) -> Result<Datagram<'_>, Problem> {
    match u8_at(bytes, 0).map(|first| first >> 4) {
        Some(4) => ipv4(bytes, wire_len),
        Some(6) => ipv6::decode(bytes, wire_len),
        Some(_) => Err(Problem::MalformedIpHeader),
        None => Err(Problem::CutIpHeader),
    }
}

#[inline]
fn ipv4(bytes: &[u8], wire_len: u32) -> Result<Datagram<'_>, Problem> {
    let header: &[u8; 20] = bytes.first_chunk().ok_or(Problem::CutIpHeader)?;
    let header_len = u32::from(header[0] & 15) * 4;
    let total = u32::from(u16::from_be_bytes([header[2], header[3]]));
    if header_len < 20 || (total != 0 && total < header_len) {
        return Err(Problem::MalformedIpHeader);
    }
    let (total, mut problem) = length(total, wire_len);
    let body_len = total.saturating_sub(header_len);
    let captured = bytes.get(header_len as usize..).unwrap_or_else(|| {
        problem = Some(Problem::CutIpHeader);
        &[]
    });
    let place = u16::from_be_bytes([header[6], header[7]]);
    let fragment = (place & 0x3fff != 0).then(|| Fragment {
        id: u32::from(u16::from_be_bytes([header[4], header[5]])),
        offset: u32::from(place & 0x1fff) * 8,
        length: body_len,
        more: place & 0x2000 != 0,
    });
    let mut datagram = Datagram {
        ends: Ends::V4 {
            source: u32_at(bytes, 12).unwrap_or_default(),
            destination: u32_at(bytes, 16).unwrap_or_default(),
        },
        protocol: header[9],
        fragment,
        body: &captured[..captured.len().min(body_len as usize)],
        body_len,
        problem,
    };
    if header[9] == ipv6::AUTHENTICATION && place.trailing_zeros() >= 13 {
        ipv6::extensions(&mut datagram);
    }
    Ok(datagram)
}
