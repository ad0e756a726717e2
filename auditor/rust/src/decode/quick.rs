//! The fast path for what nearly every packet is: TCP or UDP, whole headers, in IPv4 without options or IPv6 without
//! extension headers, on Ethernet with at most one VLAN tag, and in no tunnel.
//!
//! [`super::decode`] knows all cases and is its oracle in the tests. What is not certain here is left to it: nothing is
//! counted as a problem. What the headers say takes 32 bytes here, not the 160 of a packet: thirty-two of them lie side
//! by side while the flow table is asked for their flows.

use super::packet::{Ends, Packet, Tcp, Tuple, protocol};
use super::tunnel::is_tunnel_port;
use crate::frame::{Frame, Ip};

/// The link type of Ethernet.
pub const ETHERNET: u16 = 1;
const VLAN_TAG: [u8; 2] = [0x81, 0x00];
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
/// More fragments, or an offset.
const FRAGMENT_MASK: u16 = 0x3fff;

/// What the headers of a common frame say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Sender and receiver by IPv4; addresses of IPv6 are read where they lie.
    pub source: u32,
    /// See `source`.
    pub destination: u32,
    /// TCP: sequence number.
    pub seq: u32,
    /// TCP: acknowledgement number.
    pub ack: u32,
    /// Length of the transport payload on the wire.
    pub payload_len: u32,
    /// Sender's port.
    pub source_port: u16,
    /// Receiver's port.
    pub destination_port: u16,
    /// VLAN, 0 for none.
    pub vlan: u16,
    /// TCP or UDP; 0 where a frame is not a common one.
    pub protocol: u8,
    /// TCP flags.
    pub flags: u8,
    /// TCP: a window of zero was announced.
    pub zero_window: bool,
    /// Where IP begins in the frame.
    pub ip: u8,
    /// Where the payload begins: link, IP and transport headers have 118 bytes at most.
    pub payload: u8,
    /// The addresses are of IPv6.
    pub ipv6: bool,
}

/// What the headers of a common frame say. None says that the frame is for [`super::decode`], not that anything is wrong
/// with it.
#[inline]
#[must_use]
pub fn quick(frame: &Frame<'_>) -> Option<Headers> {
    if frame.link != ETHERNET || frame.ip != Ip::Unasked {
        return None;
    }
    let mut headers = Headers::default();
    quick_ethernet(frame.data, frame.wire_len, &mut headers).then_some(headers)
}

/// The same of a frame that is known to be Ethernet. What is told lands where it is wanted: handed from function to
/// function it takes as many instructions more as it takes to find it out. False where `into` means nothing.
#[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
#[inline(always)]
#[must_use]
pub fn quick_ethernet(data: &[u8], wire_len: u32, into: &mut Headers) -> bool {
    let Some(link) = data.first_chunk::<18>() else { return false };
    let tagged = link[12..14] == VLAN_TAG;
    let (kind, ip) = if tagged { ([link[16], link[17]], 18) } else { ([link[12], link[13]], 14) };
    let vlan = if tagged { u16::from_be_bytes([link[14], link[15]]) & 0x0fff } else { 0 };
    let bytes = &data[usize::from(ip)..];
    let wire_len = wire_len.saturating_sub(u32::from(ip));
    into.vlan = vlan;
    into.ip = ip;
    if kind == IPV4 {
        let Some((header, rest)) = bytes.split_first_chunk::<20>() else { return false };
        let total = u32::from(be16(header, 2));
        if header[0] != 0x45 || total < 20 || total > wire_len || be16(header, 6) & FRAGMENT_MASK != 0 {
            return false;
        }
        into.ipv6 = false;
        into.source = be32(header, 12);
        into.destination = be32(header, 16);
        transport(into, header[9], rest, total - 20, ip + 20)
    } else if kind == IPV6 {
        let Some((header, rest)) = bytes.split_first_chunk::<40>() else { return false };
        let length = u32::from(be16(header, 4));
        if header[0] >> 4 != 6 || length == 0 || length > wire_len.saturating_sub(40) {
            return false;
        }
        into.ipv6 = true;
        transport(into, header[6], rest, length, ip + 40)
    } else {
        false
    }
}

/// Reads the transport header, which begins `bytes` and lies at `at` in the frame, in a packet with `length` bytes behind
/// its IP header.
#[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
#[inline(always)]
fn transport(into: &mut Headers, number: u8, bytes: &[u8], length: u32, at: u8) -> bool {
    // The frame's padding is no header either.
    let bytes = &bytes[..bytes.len().min(length as usize)];
    let ports = |header: &[u8]| (be16(header, 0), be16(header, 2));
    if number == protocol::TCP {
        let Some(header) = bytes.first_chunk::<20>() else { return false };
        let header_len = header[12] >> 4 << 2;
        if header_len < 20 || u32::from(header_len) > length {
            return false;
        }
        (into.source_port, into.destination_port) = ports(header);
        into.seq = be32(header, 4);
        into.ack = be32(header, 8);
        into.protocol = number;
        into.flags = header[13];
        into.zero_window = be16(header, 14) == 0;
        into.payload_len = length - u32::from(header_len);
        into.payload = at + header_len;
        true
    } else if number == protocol::UDP {
        let Some(header) = bytes.first_chunk::<8>() else { return false };
        let (source_port, destination_port) = ports(header);
        let claimed = u32::from(be16(header, 4));
        if claimed < 8 || claimed > length || is_tunnel_port(destination_port) || is_tunnel_port(source_port) {
            return false;
        }
        into.source_port = source_port;
        into.destination_port = destination_port;
        (into.seq, into.ack, into.flags, into.zero_window) = (0, 0, 0, false);
        into.protocol = number;
        into.payload_len = claimed - 8;
        into.payload = at + 8;
        true
    } else {
        false
    }
}

impl Headers {
    /// Whether they were of a common frame.
    #[inline]
    #[must_use]
    pub fn is_common(&self) -> bool {
        self.protocol != 0
    }

    /// Whether a frame with so many captured bytes lacks payload that was on the wire.
    #[inline]
    #[must_use]
    pub fn is_cut(&self, captured: u32) -> bool {
        captured.saturating_sub(u32::from(self.payload)) < self.payload_len
    }

    /// Addresses of sender and receiver, in a packet of IPv6; `frame` are its captured bytes.
    #[inline]
    #[must_use]
    pub fn ipv6_ends(&self, frame: &[u8]) -> (u128, u128) {
        let header = frame.get(usize::from(self.ip)..).and_then(<[u8]>::first_chunk::<40>);
        let address =
            |header: &[u8; 40], at: usize| header[at..].first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        header.map_or((0, 0), |header| (address(header, 8), address(header, 24)))
    }

    /// The packet, as [`super::decode`] tells it; `frame` are the captured bytes of its frame.
    #[inline]
    #[must_use]
    pub fn packet<'a>(&self, frame: &'a [u8]) -> Packet<'a> {
        let Self { source, destination, source_port, destination_port, seq, ack, flags, zero_window, .. } = *self;
        let ends = if self.ipv6 {
            let (source, destination) = self.ipv6_ends(frame);
            Ends::V6 { source, destination }
        } else {
            Ends::V4 { source, destination }
        };
        let payload = frame.get(usize::from(self.payload)..).unwrap_or_default();
        let payload = &payload[..payload.len().min(self.payload_len as usize)];
        Packet {
            tuple: Tuple { ends, protocol: self.protocol, source_port, destination_port },
            vlan: self.vlan,
            tunnel: 0,
            tcp: (self.protocol == protocol::TCP).then_some(Tcp { seq, ack, flags, zero_window }),
            icmp: None,
            payload,
            payload_len: self.payload_len,
            cut: payload.len() < self.payload_len as usize,
            fragment: None,
            problem: None,
        }
    }
}

#[inline]
fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
