//! Link headers: where IP begins in a frame.

use super::bytes::{u8_at, u16_at};
use crate::problem::Problem;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
/// 802.1Q, 802.1ad and its predecessor.
const VLAN_TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Below this the field is a length and an LLC header follows.
const LEAST_TYPE: u16 = 0x0600;

/// The IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    /// Captured bytes from the IP header on; padding and trailers of the frame included.
    pub bytes: &'a [u8],
    /// Bytes on the wire from the IP header on, likewise.
    pub wire_len: u32,
    /// Outermost VLAN, 0 for none.
    pub vlan: u16,
}

impl Inner<'_> {
    /// Steps over a header of `count` bytes.
    #[inline]
    fn skip(self, count: usize) -> Result<Self, Problem> {
        let bytes = self.bytes.get(count..).ok_or(Problem::CutLinkHeader)?;
        Ok(Self { bytes, wire_len: self.wire_len.saturating_sub(count as u32), vlan: self.vlan })
    }

    fn u16_at(&self, at: usize) -> Result<u16, Problem> {
        u16_at(self.bytes, at).ok_or(Problem::CutLinkHeader)
    }
}

/// Finds the IP packet in a frame of the link type. This is the one place where link types are registered.
#[inline]
pub fn decode(link: u16, bytes: &[u8], wire_len: u32) -> Result<Inner<'_>, Problem> {
    let frame = Inner { bytes, wire_len, vlan: 0 };
    match link {
        1 => ethernet(frame),
        0 | 108 => loopback(frame),
        12 | 14 | 101 | 228 | 229 => Ok(frame),
        9 | 50 => ppp(frame),
        51 => ppp(frame.skip(6)?),
        104 => by_type(frame.u16_at(2)?, frame.skip(4)?),
        113 => by_type(frame.u16_at(14)?, frame.skip(16)?),
        276 => by_type(frame.u16_at(0)?, frame.skip(20)?),
        _ => Err(Problem::UnsupportedLinkType),
    }
}

#[inline]
fn ethernet(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    by_type(frame.u16_at(12)?, frame.skip(14)?)
}

/// Follows an `EtherType`; `rest` begins behind it.
#[inline]
fn by_type(kind: u16, rest: Inner<'_>) -> Result<Inner<'_>, Problem> {
    if kind == IPV4 || kind == IPV6 { Ok(rest) } else { by_rarer_type(kind, rest) }
}

#[inline(never)]
fn by_rarer_type(mut kind: u16, mut rest: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let mut tagged = false;
    while VLAN_TAGS.contains(&kind) {
        if !tagged {
            rest.vlan = rest.u16_at(0)? & 0x0fff;
            tagged = true;
        }
        kind = rest.u16_at(2)?;
        rest = rest.skip(4)?;
    }
    match kind {
        IPV4 | IPV6 => Ok(rest),
        MPLS | MPLS_MULTICAST => mpls(rest),
        PPPOE_SESSION => ppp(rest.skip(6)?),
        _ if kind < LEAST_TYPE => snap(rest),
        _ => Err(Problem::NotIp),
    }
}

/// LLC with a SNAP header whose organisation is "Ethernet types"; everything else on LLC is not IP.
fn snap(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    if !frame.bytes.starts_with(&[0xaa, 0xaa, 0x03, 0, 0, 0]) {
        return Err(Problem::NotIp);
    }
    match frame.u16_at(6)? {
        IPV4 | IPV6 => frame.skip(8),
        _ => Err(Problem::NotIp),
    }
}

fn mpls(mut frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    loop {
        let bottom = u8_at(frame.bytes, 2).ok_or(Problem::CutLinkHeader)? & 1 != 0;
        frame = frame.skip(4)?;
        if bottom {
            break;
        }
    }
    match u8_at(frame.bytes, 0).ok_or(Problem::CutLinkHeader)? >> 4 {
        4 | 6 => Ok(frame),
        // A control word: Ethernet or another link inside, which is not followed.
        _ => Err(Problem::NotIp),
    }
}

/// PPP, with or without address and control bytes, protocol of one or two bytes.
fn ppp(mut frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    if frame.bytes.starts_with(&[0xff, 0x03]) {
        frame = frame.skip(2)?;
    }
    let first = u8_at(frame.bytes, 0).ok_or(Problem::CutLinkHeader)?;
    let (protocol, length) = if first & 1 != 0 { (u16::from(first), 1) } else { (frame.u16_at(0)?, 2) };
    let rest = frame.skip(length)?;
    match protocol {
        0x0021 | 0x0057 => Ok(rest),
        0x0281 | 0x0283 => mpls(rest),
        _ => Err(Problem::NotIp),
    }
}

/// An address family of the capturing machine, in its byte order; families of IP are small numbers.
fn loopback(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let family: [u8; 4] = *frame.bytes.first_chunk().ok_or(Problem::CutLinkHeader)?;
    match u32::from_le_bytes(family).min(u32::from_be_bytes(family)) {
        // AF_INET is 2 everywhere; AF_INET6 is 10, 23, 24, 26, 28 or 30.
        2 | 10 | 23 | 24 | 26 | 28 | 30 => frame.skip(4),
        _ => Err(Problem::NotIp),
    }
}
