//! Where IP begins behind a type: Ethernet's, and what bridges, PPP and LLC have in its place. They nest in each other.

use super::bytes::u8_at;
use super::inner::Inner;
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
        [0xfe, 0xfe, 0x03] => by_nlpid(frame.skip(3)?),
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
pub fn mpls(mut frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
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

/// A network layer number, perhaps after a byte of padding.
pub fn by_nlpid(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let frame = if frame.u8_at(0)? == 0 { frame.skip(1)? } else { frame };
    match frame.u8_at(0)? {
        0xcc | 0x8e => frame.skip(1),
        0x80 => snap(frame.skip(1)?),
        0xcf => ppp(frame.skip(1)?),
        _ => Err(Problem::NotIp),
    }
}
