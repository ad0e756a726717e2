//! Wireless LAN: data frames, and what capturing programs put before them.

use super::bytes::{u8_at, u32_at};
use super::inner::Inner;
use super::types::llc;
use crate::problem::Problem;

const TYPE_DATA: u8 = 2;
/// Bits of the second byte of the frame control field.
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const ORDERED: u8 = 0x80;
/// Bits of the subtype of a data frame.
const QOS: u8 = 8;
const NO_DATA: u8 = 4;

/// An 802.11 frame; `padded` when its header was filled up to four bytes.
pub fn frame(frame: Inner<'_>, padded: bool) -> Result<Inner<'_>, Problem> {
    let (first, flags) = (frame.u8_at(0)?, frame.u8_at(1)?);
    let (kind, subtype) = (first >> 2 & 3, first >> 4);
    if first & 3 != 0 || kind != TYPE_DATA || subtype & NO_DATA != 0 {
        return Err(Problem::NotIp);
    }
    if flags & PROTECTED != 0 {
        return Err(Problem::EncryptedFrame);
    }
    // A later fragment has no header of its own, and a first one is not whole.
    if flags & MORE_FRAGMENTS != 0 || frame.u8_at(22)? & 0x0f != 0 {
        return Err(Problem::LinkFragment);
    }
    let mut length = if flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS { 30 } else { 24 };
    let mut aggregated = false;
    if subtype & QOS != 0 {
        aggregated = frame.u8_at(length)? & 0x80 != 0;
        length += if flags & ORDERED == 0 { 2 } else { 6 };
    }
    if padded {
        length = length.next_multiple_of(4);
    }
    let body = frame.skip(length)?;
    // An aggregate: the first of its frames, behind two addresses and a length.
    if aggregated { llc(body.skip(14)?) } else { llc(body) }
}

/// Radiotap: version, length in the order of small machines, bits of the fields that follow.
pub fn radiotap(header: Inner<'_>) -> Result<Inner<'_>, Problem> {
    frame(header.skip(usize::from(little16(&header, 2)?))?, is_padded(header.bytes))
}

/// Whether radiotap's flags say that the frame's header was filled up.
fn is_padded(header: &[u8]) -> bool {
    const TIME: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    let word = |at: usize| u32_at(header, at).map_or(0, u32::swap_bytes);
    let present = word(4);
    let mut at = 8;
    while word(at - 4) & MORE != 0 {
        at += 4;
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    present & FLAGS != 0 && u8_at(header, at).is_some_and(|flags| flags & 0x20 != 0)
}

/// The header of Prism cards, 144 bytes, in whose place AVS may stand.
pub fn prism(header: Inner<'_>) -> Result<Inner<'_>, Problem> {
    const AVS_MAGIC: u16 = 0x8021;
    if header.u16_at(0)? == AVS_MAGIC { avs(header) } else { frame(header.skip(144)?, false) }
}

/// AVS: magic, then the header's length.
pub fn avs(header: Inner<'_>) -> Result<Inner<'_>, Problem> {
    let length = u32_at(header.bytes, 4).ok_or(Problem::CutLinkHeader)?;
    frame(header.skip(length as usize)?, false)
}

/// PPI: flags, length and link type of what follows, which are given.
pub fn ppi(header: Inner<'_>) -> Result<(u16, Inner<'_>), Problem> {
    const PPI: u16 = 192;
    let (length, link) = (usize::from(little16(&header, 2)?), little16(&header, 4)?);
    let rest = header.skip(length)?;
    if link == PPI { Err(Problem::UnsupportedLinkType) } else { Ok((link, rest)) }
}

fn little16(frame: &Inner<'_>, at: usize) -> Result<u16, Problem> {
    frame.u16_at(at).map(u16::swap_bytes)
}
