//! IP version 4, and the choice between the versions.

use super::bytes::{u8_at, u16_at, u32_at};
use super::link::Inner;
use super::packet::{Ends, Fragment, Packet};
use super::{ipv6, transport};
use crate::problem::Problem;

/// What an IP header leads to.
#[derive(Clone, Copy)]
pub struct Datagram<'a> {
    pub ends: Ends,
    pub protocol: u8,
    pub fragment: Option<Fragment>,
    /// Captured bytes from the transport header on, without padding of the frame.
    pub body: &'a [u8],
    /// Their number on the wire.
    pub body_len: u32,
    /// Trouble with the IP header that left the packet readable.
    pub problem: Option<Problem>,
}

/// Decodes an IP packet down to its transport header.
#[inline]
pub fn decode<'a>(inner: &Inner<'a>) -> Result<Packet<'a>, Problem> {
    let datagram = datagram(inner.bytes, inner.wire_len)?;
    let mut packet = transport::decode(&datagram);
    packet.vlan = inner.vlan;
    Ok(packet)
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
    Ok(Datagram {
        ends: Ends::V4 {
            source: u32_at(bytes, 12).unwrap_or_default(),
            destination: u32_at(bytes, 16).unwrap_or_default(),
        },
        protocol: header[9],
        fragment,
        body: &captured[..captured.len().min(body_len as usize)],
        body_len,
        problem,
    })
}

/// The length to go by. Segmentation offload leaves 0 in the header: then the frame's length counts.
#[inline]
pub fn length(claimed: u32, wire_len: u32) -> (u32, Option<Problem>) {
    match claimed {
        0 => (wire_len, None),
        _ if claimed > wire_len => (wire_len, Some(Problem::IpLengthBeyondFrame)),
        _ => (claimed, None),
    }
}

/// Ports are the first two fields of every transport that has them.
#[inline]
pub fn ports(body: &[u8]) -> Option<(u16, u16)> {
    Some((u16_at(body, 0)?, u16_at(body, 2)?))
}
