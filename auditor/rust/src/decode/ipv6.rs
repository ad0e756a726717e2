//! IP version 6 and its extension headers.

use super::bytes::{u8_at, u16_at, u32_at, u128_at};
use super::datagram::{Datagram, length};
use super::packet::{Ends, Fragment};
use crate::problem::Problem;

const HEADER: usize = 40;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
/// The one extension header that IPv4 has as well.
pub const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Decodes the header and the extension headers behind it.
#[inline(never)]
pub fn decode(bytes: &[u8], wire_len: u32) -> Result<Datagram<'_>, Problem> {
    let header: &[u8; HEADER] = bytes.first_chunk().ok_or(Problem::CutIpHeader)?;
    let claimed = u32::from(u16::from_be_bytes([header[4], header[5]]));
    let (body_len, problem) = length(claimed, wire_len.saturating_sub(HEADER as u32));
    let captured = &bytes[HEADER..];
    let mut datagram = Datagram {
        ends: Ends::V6 {
            source: u128_at(bytes, 8).unwrap_or_default(),
            destination: u128_at(bytes, 24).unwrap_or_default(),
        },
        protocol: header[6],
        fragment: None,
        body: &captured[..captured.len().min(body_len as usize)],
        body_len,
        problem,
    };
    if is_extension(datagram.protocol) {
        extensions(&mut datagram);
    }
    Ok(datagram)
}

#[inline]
fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6
    )
}

/// Walks the extension headers. Every one has at least eight bytes, so that the walk ends with the bytes.
pub fn extensions(datagram: &mut Datagram<'_>) {
    while is_extension(datagram.protocol) {
        let Some(size) = extension_length(datagram) else {
            datagram.problem = Some(Problem::CutIpHeader);
            datagram.body = &[];
            return;
        };
        match datagram.protocol {
            ROUTING => final_destination(datagram),
            FRAGMENT => datagram.fragment = fragment(datagram),
            _ => {}
        }
        datagram.protocol = datagram.body[0];
        datagram.body = datagram.body.get(size..).unwrap_or_default();
        if size as u64 > u64::from(datagram.body_len) {
            datagram.problem = Some(Problem::MalformedIpHeader);
        }
        datagram.body_len = datagram.body_len.saturating_sub(size as u32);
        if datagram.fragment.is_some_and(|fragment| fragment.offset > 0) {
            return;
        }
    }
}

/// Length of the extension header at the beginning of the body; None when its first eight bytes are not there.
fn extension_length(datagram: &Datagram<'_>) -> Option<usize> {
    let header: &[u8; 8] = datagram.body.first_chunk()?;
    Some(match datagram.protocol {
        FRAGMENT => 8,
        AUTHENTICATION => (usize::from(header[1]) + 2) * 4,
        _ => (usize::from(header[1]) + 1) * 8,
    })
}

fn fragment(datagram: &Datagram<'_>) -> Option<Fragment> {
    let place = u16_at(datagram.body, 2)?;
    let fragment = Fragment {
        id: u32_at(datagram.body, 4)?,
        offset: u32::from(place & 0xfff8),
        length: datagram.body_len.saturating_sub(8),
        more: place & 1 != 0,
    };
    // A datagram in one fragment is whole (RFC 6946).
    (fragment.offset > 0 || fragment.more).then_some(fragment)
}

/// Takes the last address of a routing header as the destination, so that both directions meet in one flow.
fn final_destination(datagram: &mut Datagram<'_>) {
    let kind = u8_at(datagram.body, 2);
    let left = u8_at(datagram.body, 3).unwrap_or(0);
    let addresses = usize::from(u8_at(datagram.body, 1).unwrap_or(0)) / 2;
    let last = match kind {
        Some(0 | 2) if addresses > 0 => u128_at(datagram.body, 8 + (addresses - 1) * 16),
        // Segment lists are kept in reverse.
        Some(4) => u128_at(datagram.body, 8),
        _ => None,
    };
    if let (Ends::V6 { destination, .. }, Some(last), 1..) = (&mut datagram.ends, last, left) {
        *destination = last;
    }
}
