//! Frame Relay, ATM, and headers that routers and capture cards put before a frame.

use super::inner::Inner;
use super::types::{by_nlpid, by_type, ethernet, llc, ppp};
use crate::problem::Problem;

/// Frame Relay: an address of two to four bytes, then a network layer number (RFC 2427) or, on Cisco's, a type.
pub fn frame_relay(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let mut length = 1;
    // The last byte of the address has its lowest bit set.
    while frame.u8_at(length)? & 1 == 0 {
        length += 1;
        if length > 4 {
            return Err(Problem::NotIp);
        }
    }
    let rest = frame.skip(length + 1)?;
    if rest.u8_at(0)? == 0x03 { by_nlpid(rest.skip(1)?) } else { by_type(rest.u16_at(0)?, rest.skip(2)?) }
}

/// ATM adaptation layer 5 (RFC 2684): LLC, or IP itself. Bridged Ethernet has two bytes of padding there.
pub fn atm(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const BRIDGED: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0x80, 0xc2];
    if frame.bytes.starts_with(&BRIDGED) {
        return ethernet(frame.skip(10)?);
    }
    if matches!(frame.u8_at(0)?, 0x45 | 0x60) { Ok(frame) } else { llc(frame) }
}

/// Juniper's header before Ethernet (178), PPP (179), Frame Relay (180) and Cisco HDLC (181): magic, flags, and with
/// one of them a length of extensions.
pub fn juniper(link: u16, frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const NO_LINK_HEADER: u8 = 2;
    const EXTENSIONS: u8 = 0x80;
    if !frame.bytes.starts_with(b"MGC") {
        return Err(if frame.bytes.len() < 3 { Problem::CutLinkHeader } else { Problem::NotIp });
    }
    let flags = frame.u8_at(3)?;
    let extensions = if flags & EXTENSIONS == 0 { 0 } else { 2 + usize::from(frame.u16_at(4)?) };
    let rest = frame.skip(4 + extensions)?;
    match link {
        // Four bytes of protocol, then IP.
        _ if flags & NO_LINK_HEADER != 0 => rest.skip(4),
        178 => ethernet(rest),
        179 => ppp(rest),
        180 => frame_relay(rest),
        _ => by_type(rest.u16_at(2)?, rest.skip(4)?),
    }
}

/// A record of an Endace card: 16 bytes with the kind at 8, extensions of eight bytes, then the frame.
pub fn erf(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const MORE: u8 = 0x80;
    let (kind, mut length) = (frame.u8_at(8)?, 16);
    let mut more = kind & MORE != 0;
    while more {
        more = frame.u8_at(length)? & MORE != 0;
        length += 8;
    }
    let rest = frame.skip(length)?;
    match kind & !MORE {
        // Packets over SONET: PPP, or Cisco HDLC, which begins with its address.
        1 if matches!(rest.u8_at(0)?, 0x0f | 0x8f) => by_type(rest.u16_at(2)?, rest.skip(4)?),
        1 => ppp(rest),
        // Ethernet, plain and of cards that hash or colour; two bytes of offset and padding before it.
        2 | 11 | 16 | 20 => ethernet(rest.skip(2)?),
        22 | 23 => Ok(rest),
        _ => Err(Problem::NotIp),
    }
}

/// Linux' packet filter log: values with type and length in the order of small machines, one of which is the packet.
pub fn nflog(frame: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const PAYLOAD: u16 = 9;
    let mut rest = frame.skip(4)?;
    loop {
        let (length, kind) = (rest.u16_at(0)?.swap_bytes(), rest.u16_at(2)?.swap_bytes());
        match kind & 0x7fff {
            PAYLOAD => return rest.skip(4),
            _ if length < 4 => return Err(Problem::NotIp),
            _ => rest = rest.skip(usize::from(length).next_multiple_of(4))?,
        }
    }
}
