//! Link headers: where IP begins in a frame.

use super::inner::Inner;
use super::types::{by_type, ethernet, llc, mpls, ppp};
use super::{wan, wlan};
use crate::problem::Problem;

/// Finds the IP packet in a frame of the link type. This is the one place where link types are registered.
#[inline]
pub fn decode(link: u16, bytes: &[u8], wire_len: u32) -> Result<Inner<'_>, Problem> {
    let frame = Inner::new(bytes, wire_len);
    if link == 1 { ethernet(frame) } else { by_rarer_link(link, frame) }
}

#[inline(never)]
fn by_rarer_link(link: u16, frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    match link {
        0 | 108 => loopback(frame),
        12 | 14 | 101 | 228 | 229 => Ok(frame),
        6 => token_ring(frame),
        9 | 50 => ppp(frame),
        10 => fddi(frame),
        51 => ppp(frame.skip(6)?),
        11 | 100 => wan::atm(frame),
        104 => by_type(frame.u16_at(2)?, frame.skip(4)?),
        105 => wlan::frame(frame, false),
        107 => wan::frame_relay(frame),
        // OpenBSD's encapsulation interface and Solaris' IPNET: twelve and 24 bytes before IP.
        109 => frame.skip(12),
        226 => frame.skip(24),
        219 => mpls(frame),
        258 => pktap(frame),
        // Tags of switches (DSA), four bytes before the frame; 240: NetAnalyzer's header.
        240 | 282 => ethernet(frame.skip(4)?),
        // Tags of four or eight bytes behind the addresses; 138, IP over FireWire: two addresses of eight bytes, the type.
        138 | 281 | 284 => by_type(frame.u16_at(16)?, frame.skip(18)?),
        285 => by_type(frame.u16_at(20)?, frame.skip(22)?),
        113 => by_type(frame.u16_at(14)?, frame.skip(16)?),
        117 => frame.skip(usize::from(frame.u8_at(0)?).next_multiple_of(4)),
        119 => wlan::prism(frame),
        122 => llc(frame.skip(16)?),
        127 => wlan::radiotap(frame),
        163 => wlan::avs(frame),
        // A byte that tells the direction stands before these.
        166 | 204 => ppp(frame.skip(1)?),
        205 => by_type(frame.u16_at(3)?, frame.skip(5)?),
        206 => wan::frame_relay(frame.skip(1)?),
        178..=181 => wan::juniper(link, frame),
        192 => wlan::ppi(frame).and_then(|(link, rest)| decode(link, rest.bytes, rest.wire_len)),
        197 => wan::erf(frame),
        239 => wan::nflog(frame),
        242 => by_type(frame.u16_at(0)?, frame.skip(4)?),
        276 => by_type(frame.u16_at(0)?, frame.skip(20)?),
        _ => Err(Problem::UnsupportedLinkType),
    }
}

/// Whether frames of a link type are looked into at all.
#[must_use]
pub fn is_decoded(link: u16) -> bool {
    decode(link, &[], 0) != Err(Problem::UnsupportedLinkType)
}

/// Apple's record of where a packet was seen: its own length, and the link type of what follows.
fn pktap(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let word = |at: usize| frame.bytes.get(at..at + 4).and_then(|word| <[u8; 4]>::try_from(word).ok());
    let (Some(length), Some(link)) = (word(0), word(8)) else { return Err(Problem::CutLinkHeader) };
    let rest = frame.skip(u32::from_le_bytes(length) as usize)?.enter()?;
    match u32::from_le_bytes(link) {
        1 => ethernet(rest),
        link => by_rarer_link(u16::try_from(link).unwrap_or(u16::MAX), rest),
    }
}

/// Token Ring: access and frame control, two addresses, perhaps a route, LLC.
fn token_ring(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const DATA: u8 = 1;
    if frame.u8_at(1)? >> 6 != DATA {
        return Err(Problem::NotIp);
    }
    let routed = frame.u8_at(8)? & 0x80 != 0;
    let route = if routed { usize::from(frame.u8_at(14)? & 0x1f) } else { 0 };
    llc(frame.skip(14 + route)?)
}

/// FDDI: frame control, two addresses, LLC.
fn fddi(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    // Asynchronous and synchronous LLC frames with addresses of six bytes.
    if frame.u8_at(0)? & 0x70 != 0x50 {
        return Err(Problem::NotIp);
    }
    llc(frame.skip(13)?)
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
