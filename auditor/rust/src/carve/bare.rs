//! A frame made anew out of its headers, with other addresses and without payload.
//!
//! Nothing is copied that was not understood: of the link layer the Ethernet header with its VLAN tags, of IP the
//! fields of the fixed header, of TCP, UDP, SCTP and ICMP theirs. Checksums of transports are zero, because the true one
//! tells of the true addresses; that of IPv4 is computed.

use crate::decode::{Datagram, Ends, datagram, decode, protocol};
use crate::frame::Frame;
use crate::pseudonyms::Pseudonyms;

const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;
const FRAGMENT_HEADER: u8 = 44;

/// A frame that may be shown to others.
pub struct Bare {
    /// Link type: Ethernet, or raw IP where there was another.
    pub link: u16,
    /// Length on the wire, without what was left out of headers.
    pub wire_len: u32,
    /// Its headers; empty where the frame could not be decoded.
    pub data: Vec<u8>,
}

/// Makes a frame anew.
#[must_use]
pub fn bare(frame: &Frame<'_>, names: &mut Pseudonyms) -> Bare {
    let nothing = Bare { link: RAW_IP, wire_len: frame.wire_len, data: Vec::new() };
    let Ok(decoded) = decode(frame) else { return nothing };
    let offset = frame.data.len().saturating_sub(decoded.bytes.len());
    let wire_len = frame.wire_len.saturating_sub(offset as u32);
    let Ok(inside) = datagram(decoded.bytes, wire_len) else { return nothing };
    let mut data = Vec::new();
    let header = &frame.data[..offset];
    let link = if frame.link == ETHERNET && is_plain(header) {
        for address in header[..12].as_chunks::<6>().0 {
            data.extend(names.mac(*address));
        }
        data.extend_from_slice(&header[12..]);
        ETHERNET
    } else {
        RAW_IP
    };
    let left_out = packet(&mut data, decoded.bytes, &inside, names, true);
    Bare { link, wire_len: left_out.saturating_add(data.len() as u32), data }
}

/// Whether a link header is that of Ethernet with VLAN tags at most.
fn is_plain(header: &[u8]) -> bool {
    let Some((_, types)) = header.split_at_checked(12) else { return false };
    let (groups, rest) = types.as_chunks::<4>();
    rest.len() == 2 && groups.iter().all(|tag| matches!(tag[..2], [0x81 | 0x91, 0] | [0x88, 0xa8]))
}

/// Appends an IP packet; returns how many bytes of it on the wire were left out. A `whole` one may quote another.
fn packet(data: &mut Vec<u8>, bytes: &[u8], inside: &Datagram<'_>, names: &mut Pseudonyms, whole: bool) -> u32 {
    let later = inside.fragment.is_some_and(|fragment| fragment.offset > 0);
    let transport = if later { Vec::new() } else { transport(inside, names, whole) };
    match inside.ends {
        Ends::V4 { source, destination } => {
            let total = u16::try_from(inside.body_len + 20).unwrap_or(0);
            let mut header = [0; 20];
            header.copy_from_slice(&bytes[..20]);
            header[0] = 0x45;
            header[2..4].copy_from_slice(&total.to_be_bytes());
            header[9] = inside.protocol;
            header[10..12].fill(0);
            header[12..16].copy_from_slice(&names.v4(source).to_be_bytes());
            header[16..20].copy_from_slice(&names.v4(destination).to_be_bytes());
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            data.extend(header);
        }
        Ends::V6 { source, destination } => {
            let extra = if inside.fragment.is_some() { 8 } else { 0 };
            let next = if extra > 0 { FRAGMENT_HEADER } else { inside.protocol };
            let length = u16::try_from(inside.body_len + extra).unwrap_or(0);
            data.extend_from_slice(&bytes[..4]);
            data.extend(length.to_be_bytes());
            data.extend([next, bytes[7]]);
            data.extend(names.v6(source).to_be_bytes());
            data.extend(names.v6(destination).to_be_bytes());
            if let Some(fragment) = inside.fragment {
                let place = (fragment.offset as u16) & 0xfff8 | u16::from(fragment.more);
                data.extend([inside.protocol, 0]);
                data.extend(place.to_be_bytes());
                data.extend(fragment.id.to_be_bytes());
            }
        }
    }
    let left_out = inside.body_len.saturating_sub(transport.len() as u32);
    data.extend(transport);
    left_out
}

/// The transport header.
fn transport(inside: &Datagram<'_>, names: &mut Pseudonyms, whole: bool) -> Vec<u8> {
    let body = inside.body;
    let (size, checksum) = match inside.protocol {
        protocol::TCP => (usize::from(body.get(12).copied().unwrap_or(0x50) >> 4).max(5) * 4, 16),
        protocol::UDP => (8, 6),
        protocol::SCTP => (12, 8),
        protocol::ICMP | protocol::ICMPV6 => return icmp(inside, names, whole),
        _ => return Vec::new(),
    };
    let mut header = body[..body.len().min(size)].to_vec();
    let end = if inside.protocol == protocol::SCTP { 12 } else { checksum + 2 };
    if let Some(sum) = header.get_mut(checksum..end) {
        sum.fill(0);
    }
    if inside.protocol == protocol::TCP {
        without_strange_options(header.get_mut(20..).unwrap_or_default());
    }
    header
}

/// Leaves end, no-operation, segment size, window scale, both kinds of selective acknowledgement, and timestamps.
fn without_strange_options(options: &mut [u8]) {
    let mut at = 0;
    while at < options.len() {
        let length = match options[at] {
            1 => 1,
            2 | 3 | 4 | 5 | 8 => usize::from(options.get(at + 1).copied().unwrap_or(0)),
            _ => 0,
        };
        if length == 0 || at + length > options.len() {
            let skipped = match options[at] {
                0 => options.len(),
                _ => usize::from(options.get(at + 1).copied().unwrap_or(0)).max(2),
            };
            let end = (at + skipped).min(options.len());
            options[at..end].fill(1);
            at = end;
        } else {
            at += length;
        }
    }
}

/// An ICMP message: of an error what it quotes, made anew too; of anything else the first eight bytes.
fn icmp(inside: &Datagram<'_>, names: &mut Pseudonyms, whole: bool) -> Vec<u8> {
    let Some(header) = inside.body.first_chunk::<8>() else { return Vec::new() };
    let four = inside.protocol == protocol::ICMP;
    let (error, echo) = match header[0] {
        3 | 4 | 11 | 12 if four => (true, false),
        1..=4 if !four => (true, false),
        0 | 8 if four => (false, true),
        128 | 129 if !four => (false, true),
        _ => (false, false),
    };
    let mut message = header.to_vec();
    message[2..4].fill(0);
    if !error && !echo {
        message[4..].fill(0);
    }
    if error && whole {
        let quoted = &inside.body[8..];
        // A router quotes what it likes; the length in the quoted header is that of the whole packet.
        if let Ok(within) = datagram(quoted, u32::MAX) {
            packet(&mut message, quoted, &within, names, false);
        }
    }
    message
}

fn checksum(header: &[u8; 20]) -> u16 {
    let sum: u32 = header.as_chunks::<2>().0.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(folded + (folded >> 16)) as u16
}
