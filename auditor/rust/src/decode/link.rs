//! Link headers: where IP begins in a frame.

use super::bytes::{u8_at, u16_at};
use super::{wan, wlan};
use crate::problem::Problem;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
const PPP: u16 = 0x880b;
/// Ethernet in something that has types of Ethernet ("transparent Ethernet bridging").
const BRIDGED: u16 = 0x6558;
/// LLC behind a type, for frames longer than a length can say.
const LLC: u16 = 0x8870;
/// Cisco's security group tag: six bytes, then the type.
const CISCO_METADATA: u16 = 0x8909;
/// Tags of virtual interfaces: VN-Tag with four bytes, 802.1BR with six; then the type.
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;
/// Provider backbone bridging: four bytes of service tag, then the customer's frame.
const BACKBONE: u16 = 0x88e7;
/// 802.1Q, 802.1ad and its predecessors.
const VLAN_TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// Below this the field is a length and an LLC header follows.
const LEAST_TYPE: u16 = 0x0600;
/// Frames within frames that are followed; more have no honest use.
const MOST_LAYERS: u8 = 8;

/// The IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    /// Captured bytes from the IP header on; padding and trailers of the frame included.
    pub bytes: &'a [u8],
    /// Bytes on the wire from the IP header on, likewise.
    pub wire_len: u32,
    /// Outermost VLAN, 0 for none.
    pub vlan: u16,
    /// Frames and tunnels that were entered on the way.
    pub layers: u8,
}

impl<'a> Inner<'a> {
    /// What begins at the first of these bytes.
    #[inline]
    pub fn new(bytes: &'a [u8], wire_len: u32) -> Self {
        Self { bytes, wire_len, vlan: 0, layers: 0 }
    }

    /// Steps over a header of `count` bytes.
    #[inline]
    pub fn skip(self, count: usize) -> Result<Self, Problem> {
        let bytes = self.bytes.get(count..).ok_or(Problem::CutLinkHeader)?;
        Ok(Self { bytes, wire_len: self.wire_len.saturating_sub(count as u32), ..self })
    }

    /// Counts a frame or a tunnel that is entered.
    pub fn enter(self) -> Result<Self, Problem> {
        if self.layers >= MOST_LAYERS {
            return Err(Problem::TooManyLayers);
        }
        Ok(Self { layers: self.layers + 1, ..self })
    }

    /// A byte of the header.
    pub fn u8_at(&self, at: usize) -> Result<u8, Problem> {
        u8_at(self.bytes, at).ok_or(Problem::CutLinkHeader)
    }

    /// Two bytes of the header.
    pub fn u16_at(&self, at: usize) -> Result<u16, Problem> {
        u16_at(self.bytes, at).ok_or(Problem::CutLinkHeader)
    }
}

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
        192 => wlan::ppi(frame),
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

/// An Ethernet frame.
#[inline]
pub fn ethernet(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    by_type(frame.u16_at(12)?, frame.skip(14)?)
}

/// Follows an `EtherType`; `rest` begins behind it.
#[inline]
pub fn by_type(kind: u16, rest: Inner<'_>) -> Result<Inner<'_>, Problem> {
    if kind == IPV4 || kind == IPV6 { Ok(rest) } else { by_rarer_type(kind, rest) }
}

#[inline(never)]
fn by_rarer_type(mut kind: u16, mut rest: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let mut tagged = rest.vlan != 0;
    loop {
        match kind {
            _ if VLAN_TAGS.contains(&kind) => {
                if !tagged {
                    rest.vlan = rest.u16_at(0)? & 0x0fff;
                    tagged = true;
                }
                (kind, rest) = (rest.u16_at(2)?, rest.skip(4)?);
            }
            CISCO_METADATA | E_TAG => (kind, rest) = (rest.u16_at(6)?, rest.skip(8)?),
            VN_TAG => (kind, rest) = (rest.u16_at(4)?, rest.skip(6)?),
            _ => break,
        }
    }
    match kind {
        IPV4 | IPV6 => Ok(rest),
        MPLS | MPLS_MULTICAST => mpls(rest),
        PPPOE_SESSION => ppp(rest.skip(6)?),
        PPP => ppp(rest),
        BRIDGED => ethernet(rest.enter()?),
        BACKBONE => ethernet(rest.skip(4)?.enter()?),
        LLC => llc(rest),
        _ if kind < LEAST_TYPE => llc(rest),
        _ => Err(Problem::NotIp),
    }
}

/// LLC: IP by its own service access point, by an ISO number, or by SNAP.
pub fn llc(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let header: [u8; 3] = *frame.bytes.first_chunk().ok_or(Problem::CutLinkHeader)?;
    match header {
        [0xaa | 0xab, 0xaa | 0xab, 0x03] => snap(frame.skip(3)?),
        [0x06, 0x06, 0x03] => frame.skip(3),
        [0xfe, 0xfe, 0x03] => wan::by_nlpid(frame.skip(3)?),
        _ => Err(Problem::NotIp),
    }
}

/// SNAP: types of Ethernet, as such or as a bridge writes them, and bridged Ethernet itself (RFC 2684, RFC 2427).
pub fn snap(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let organisation: [u8; 3] = *frame.bytes.first_chunk().ok_or(Problem::CutLinkHeader)?;
    let (kind, rest) = (frame.u16_at(3)?, frame.skip(5)?);
    match organisation {
        [0, 0, 0 | 0xf8] if kind >= LEAST_TYPE => by_type(kind, rest.enter()?),
        [0, 0x80, 0xc2] if kind == 1 || kind == 7 => ethernet(rest.enter()?),
        _ => Err(Problem::NotIp),
    }
}

/// MPLS labels. What is below the last shows in its first bits alone: IP, or Ethernet behind a control word (RFC 4448).
fn mpls(mut frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    loop {
        let bottom = frame.u8_at(2)? & 1 != 0;
        frame = frame.skip(4)?;
        if bottom {
            break;
        }
    }
    match frame.u8_at(0)? >> 4 {
        4 | 6 => Ok(frame),
        0 => ethernet(frame.skip(4)?.enter()?).map_err(|_| Problem::NotIp),
        _ => Err(Problem::NotIp),
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

/// PPP, with or without address and control bytes, protocol of one or two bytes.
pub fn ppp(mut frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
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
