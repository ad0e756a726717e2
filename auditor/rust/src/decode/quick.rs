//! The fast path for what nearly every packet is: TCP or UDP, whole headers, in IPv4 without options or IPv6 without
//! extension headers, on Ethernet with at most one VLAN tag, and in no tunnel.
//!
//! [`super::decode`] knows all cases and is its oracle in the tests. What is not certain here is left to it: nothing is
//! counted as a problem. Decoding on the general path hands a packet of 160 bytes from function to function by copying,
//! and each copy waits for the small writes before it; here it is built once, where it is used.

use super::packet::{Ends, Packet, Tcp, Tuple, protocol};
use super::tunnel::is_tunnel_port;
use crate::capture::{Frame, Ip};

const ETHERNET: u16 = 1;
const VLAN_TAG: [u8; 2] = [0x81, 0x00];
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
/// More fragments, or an offset.
const FRAGMENT_MASK: u16 = 0x3fff;

/// An IP packet down to its transport header.
struct Body<'a> {
    ends: Ends,
    protocol: u8,
    bytes: &'a [u8],
    length: u32,
}

/// Decodes a common frame and hands its packet to `take`: returning it would copy it. None says that the frame is for
/// [`super::decode`], not that anything is wrong with it.
#[inline]
pub fn quick<'a, T>(frame: &Frame<'a>, take: impl FnOnce(&Packet<'a>) -> T) -> Option<T> {
    if frame.link != ETHERNET || frame.ip != Ip::Unasked {
        return None;
    }
    let link: &[u8; 18] = frame.data.first_chunk()?;
    let tagged = link[12..14] == VLAN_TAG;
    let (kind, header) = if tagged { (&link[16..18], 18) } else { (&link[12..14], 14) };
    let vlan = if tagged { u16::from_be_bytes([link[14], link[15]]) & 0x0fff } else { 0 };
    let bytes = &frame.data[header..];
    let wire_len = frame.wire_len.saturating_sub(header as u32);
    let body = if kind == IPV4 {
        ipv4(bytes, wire_len)?
    } else if kind == IPV6 {
        ipv6(bytes, wire_len)?
    } else {
        return None;
    };
    let transport = match body.protocol {
        protocol::TCP => tcp(&body)?,
        protocol::UDP => udp(&body)?,
        _ => return None,
    };
    // The one place where a packet is built: with two, it is built in a function of its own and copied from there.
    Some(take(&body.packet(vlan, &transport)))
}

/// What a transport header says.
struct Transport {
    source_port: u16,
    destination_port: u16,
    header_len: u32,
    payload_len: u32,
    tcp: Option<Tcp>,
}

#[inline]
fn ipv4(bytes: &[u8], wire_len: u32) -> Option<Body<'_>> {
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let total = u32::from(be16(header, 2));
    if header[0] != 0x45 || total < 20 || total > wire_len || be16(header, 6) & FRAGMENT_MASK != 0 {
        return None;
    }
    let ends = Ends::V4 { source: be32(header, 12), destination: be32(header, 16) };
    Some(Body::new(ends, header[9], rest, total - 20))
}

#[inline]
fn ipv6(bytes: &[u8], wire_len: u32) -> Option<Body<'_>> {
    let (header, rest) = bytes.split_first_chunk::<40>()?;
    let length = u32::from(be16(header, 4));
    if header[0] >> 4 != 6 || length == 0 || length > wire_len.saturating_sub(40) {
        return None;
    }
    let address = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    let ends = Ends::V6 { source: address(8), destination: address(24) };
    Some(Body::new(ends, header[6], rest, length))
}

impl<'a> Body<'a> {
    /// The frame's padding is left out.
    #[inline]
    fn new(ends: Ends, protocol: u8, rest: &'a [u8], length: u32) -> Self {
        Self { ends, protocol, bytes: &rest[..rest.len().min(length as usize)], length }
    }

    #[inline]
    fn packet(&self, vlan: u16, transport: &Transport) -> Packet<'a> {
        let Transport { source_port, destination_port, header_len, payload_len, tcp } = *transport;
        let payload = self.bytes.get(header_len as usize..).unwrap_or_default();
        let payload = &payload[..payload.len().min(payload_len as usize)];
        Packet {
            tuple: Tuple { ends: self.ends, protocol: self.protocol, source_port, destination_port },
            vlan,
            tunnel: 0,
            tcp,
            icmp: None,
            payload,
            payload_len,
            cut: payload.len() < payload_len as usize,
            fragment: None,
            problem: None,
        }
    }
}

#[inline]
fn tcp(body: &Body<'_>) -> Option<Transport> {
    let header: &[u8; 20] = body.bytes.first_chunk()?;
    let header_len = u32::from(header[12] >> 4) * 4;
    if header_len < 20 || header_len > body.length {
        return None;
    }
    let (seq, ack) = (be32(header, 4), be32(header, 8));
    let tcp = Tcp { seq, ack, flags: header[13], zero_window: be16(header, 14) == 0 };
    Some(Transport {
        source_port: be16(header, 0),
        destination_port: be16(header, 2),
        header_len,
        payload_len: body.length - header_len,
        tcp: Some(tcp),
    })
}

#[inline]
fn udp(body: &Body<'_>) -> Option<Transport> {
    let header: &[u8; 8] = body.bytes.first_chunk()?;
    let (source_port, destination_port) = (be16(header, 0), be16(header, 2));
    let claimed = u32::from(be16(header, 4));
    if claimed < 8 || claimed > body.length || is_tunnel_port(destination_port) || is_tunnel_port(source_port) {
        return None;
    }
    Some(Transport { source_port, destination_port, header_len: 8, payload_len: claimed - 8, tcp: None })
}

#[inline]
fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
