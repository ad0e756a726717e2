//! Tunnels: an IP packet inside another one.
//!
//! GRE and IP in IP have protocol numbers of their own. Tunnels over UDP have no more than a port, which anybody may use
//! for something else; they are entered only where every field of their header, and the IP header inside, agrees.

use super::bytes::{u8_at, u16_at, u32_at};
use super::datagram::Datagram;
use super::inner::Inner;
use super::packet::{Ends, protocol};
use super::types::{by_type, ethernet, ppp};

/// How a packet was carried. The discriminant indexes [`TUNNELS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// GRE (RFC 2784, 2890), and its version 1 with PPP (RFC 2637).
    Gre = 1,
    /// Ethernet in GRE: NVGRE (RFC 7637) and bridges.
    GreEthernet,
    /// A mirrored port of a switch, types I to III.
    Erspan,
    /// IPv4 in IPv4, IPv6 in IPv6, IPv4 in IPv6 (RFC 2003, 2473).
    IpInIp,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// RFC 7348, and its extension for other protocols.
    Vxlan,
    /// RFC 8926.
    Geneve,
    /// RFC 4380.
    Teredo,
    /// The user plane of mobile networks, 3GPP TS 29.281.
    GtpU,
    /// RFC 7510.
    MplsInUdp,
    /// MPLS in IP (RFC 4023).
    MplsInIp,
}

/// Names of [`Tunnel`]; the first is for packets that were in none.
pub const TUNNELS: &[&str] = &[
    "none",
    "gre",
    "gre-ethernet",
    "erspan",
    "ip-in-ip",
    "6in4",
    "etherip",
    "vxlan",
    "geneve",
    "teredo",
    "gtp-u",
    "mpls-in-udp",
    "mpls-in-ip",
];

const PORT_GTP_U: u16 = 2152;
const PORT_TEREDO: u16 = 3544;
const PORT_VXLAN: u16 = 4789;
const PORT_VXLAN_GPE: u16 = 4790;
const PORT_GENEVE: u16 = 6081;
const PORT_MPLS: u16 = 6635;
/// What Linux used before there was a number for VXLAN.
const PORT_VXLAN_LINUX: u16 = 8472;

const ETHERNET_IN_IP: u8 = 97;
const MPLS_IN_IP: u8 = 137;
const GRE: u8 = 47;
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const TYPE_MPLS: u16 = 0x8847;

/// Whether a UDP port may be a tunnel's: such datagrams are left to the general path.
#[inline]
#[must_use]
pub fn is_tunnel_port(port: u16) -> bool {
    // Most ports are below or above them all.
    (PORT_GTP_U..=PORT_VXLAN_LINUX).contains(&port)
        && matches!(
            port,
            PORT_GTP_U | PORT_TEREDO | PORT_VXLAN | PORT_VXLAN_GPE | PORT_GENEVE | PORT_MPLS | PORT_VXLAN_LINUX
        )
}

/// The packet that a datagram carries, if it carries one.
pub fn enter<'a>(datagram: &Datagram<'a>, outside: &Inner<'a>) -> Option<(Tunnel, Inner<'a>)> {
    if datagram.fragment.is_some_and(|fragment| fragment.offset > 0) {
        return None;
    }
    let body = Inner { bytes: datagram.body, wire_len: datagram.body_len, ..*outside }.enter().ok()?;
    let (kind, inside) = match datagram.protocol {
        GRE => gre(body)?,
        IPV4 => (Tunnel::IpInIp, body),
        IPV6 => (if matches!(datagram.ends, Ends::V4 { .. }) { Tunnel::SixInFour } else { Tunnel::IpInIp }, body),
        ETHERNET_IN_IP if body.u16_at(0).ok()? & 0xf000 == 0x3000 => {
            (Tunnel::EtherIp, ethernet(body.skip(2).ok()?).ok()?)
        }
        MPLS_IN_IP => (Tunnel::MplsInIp, by_type(TYPE_MPLS, body).ok()?),
        protocol::UDP => udp(body, datagram.fragment.is_some())?,
        _ => return None,
    };
    Some((kind, inside))
}

fn gre(header: Inner<'_>) -> Option<(Tunnel, Inner<'_>)> {
    const CHECKSUM_OR_ROUTE: u16 = 0xc000;
    const ROUTE: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    const VERSION: u16 = 7;
    let (flags, kind) = (header.u16_at(0).ok()?, header.u16_at(2).ok()?);
    let has = |flag: u16| usize::from(flags & flag != 0);
    if flags & VERSION == 1 {
        let length = 8 + 4 * has(SEQUENCE) + 4 * has(ACKNOWLEDGEMENT);
        return (kind == 0x880b).then_some((Tunnel::Gre, ppp(header.skip(length).ok()?).ok()?));
    }
    if flags & (VERSION | ROUTE) != 0 {
        return None;
    }
    let length = 4 + 4 * (has(CHECKSUM_OR_ROUTE) + has(KEY) + has(SEQUENCE));
    let rest = header.skip(length).ok()?;
    Some(match kind {
        // Type I has no sequence number, and no header either; type II has both.
        0x88be => (Tunnel::Erspan, ethernet(rest.skip(8 * has(SEQUENCE)).ok()?).ok()?),
        0x22eb => (Tunnel::Erspan, erspan3(rest)?),
        0x6558 => (Tunnel::GreEthernet, by_type(kind, rest).ok()?),
        // Redirected to a web cache, with four bytes of its own or without.
        0x883e if rest.u8_at(0).ok()? >> 4 == 4 => (Tunnel::Gre, rest),
        0x883e => (Tunnel::Gre, rest.skip(4).ok()?),
        _ => (Tunnel::Gre, by_type(kind, rest).ok()?),
    })
}

/// ERSPAN type III: twelve bytes, the last of which tell what follows and whether eight more come before it.
fn erspan3(header: Inner<'_>) -> Option<Inner<'_>> {
    let last = header.u16_at(10).ok()?;
    let rest = header.skip(if last & 1 == 0 { 12 } else { 20 }).ok()?;
    match last >> 10 & 0x1f {
        0 => ethernet(rest).ok(),
        2 => Some(rest),
        _ => None,
    }
}

/// Tunnels over UDP, by port. Of a fragment, the length in its header says nothing yet.
fn udp(datagram: Inner<'_>, fragment: bool) -> Option<(Tunnel, Inner<'_>)> {
    let (from, to) = (datagram.u16_at(0).ok()?, datagram.u16_at(2).ok()?);
    let claimed = u32::from(datagram.u16_at(4).ok()?);
    let mut body = datagram.skip(8).ok()?;
    if claimed > 8 && claimed - 8 <= body.wire_len {
        body.wire_len = claimed - 8;
        body.bytes = &body.bytes[..body.bytes.len().min(body.wire_len as usize)];
    }
    let (kind, inside) = match to {
        PORT_VXLAN | PORT_VXLAN_LINUX => (Tunnel::Vxlan, vxlan(body)?),
        PORT_VXLAN_GPE => (Tunnel::Vxlan, vxlan_gpe(body)?),
        PORT_GENEVE => (Tunnel::Geneve, geneve(body)?),
        PORT_GTP_U => (Tunnel::GtpU, gtp_u(body, fragment)?),
        PORT_MPLS => (Tunnel::MplsInUdp, by_type(TYPE_MPLS, body).ok()?),
        _ if to == PORT_TEREDO || from == PORT_TEREDO => (Tunnel::Teredo, teredo(body)?),
        _ => return None,
    };
    is_sound(&inside, fragment).then_some((kind, inside))
}

/// A header of eight bytes: flags with the bit that says that the network's number counts, and Ethernet behind it. What
/// is reserved is not looked at: RFC 7348 wants it ignored.
fn vxlan(header: Inner<'_>) -> Option<Inner<'_>> {
    const NUMBERED: u8 = 0x08;
    if header.u8_at(0).ok()? & NUMBERED == 0 {
        return None;
    }
    ethernet(header.skip(8).ok()?).ok()
}

fn vxlan_gpe(header: Inner<'_>) -> Option<Inner<'_>> {
    const NUMBERED_AND_TYPED: u8 = 0x0c;
    let rest = header.skip(8).ok()?;
    if header.u8_at(0).ok()? & NUMBERED_AND_TYPED != NUMBERED_AND_TYPED {
        return None;
    }
    match header.u8_at(3).ok()? {
        1 | 2 => Some(rest),
        3 => ethernet(rest).ok(),
        5 => by_type(TYPE_MPLS, rest).ok(),
        _ => None,
    }
}

/// Version 0, options in units of four bytes, a type of Ethernet.
fn geneve(header: Inner<'_>) -> Option<Inner<'_>> {
    let first = header.u8_at(0).ok()?;
    if first >> 6 != 0 || header.u8_at(7).ok()? != 0 {
        return None;
    }
    by_type(header.u16_at(2).ok()?, header.skip(8 + usize::from(first & 0x3f) * 4).ok()?).ok()
}

/// Version 1, a user's packet, a length that is the datagram's; extension headers in units of four bytes.
fn gtp_u(header: Inner<'_>, fragment: bool) -> Option<Inner<'_>> {
    const VERSION_AND_PROTOCOL: u8 = 0xf0;
    const USER_PACKET: u8 = 0xff;
    const EXTENSIONS: u8 = 4;
    let flags = header.u8_at(0).ok()?;
    if flags & VERSION_AND_PROTOCOL != 0x30 || header.u8_at(1).ok()? != USER_PACKET {
        return None;
    }
    if !fragment && u32::from(header.u16_at(2).ok()?) + 8 != header.wire_len {
        return None;
    }
    if flags.trailing_zeros() >= 3 {
        return header.skip(8).ok();
    }
    let mut rest = header.skip(12).ok()?;
    let mut next = if flags & EXTENSIONS == 0 { 0 } else { header.u8_at(11).ok()? };
    while next != 0 {
        let length = usize::from(rest.u8_at(0).ok()?) * 4;
        next = rest.u8_at(length.checked_sub(1)?).ok()?;
        rest = rest.skip(length).ok()?;
    }
    Some(rest)
}

/// IPv6, perhaps behind an authentication and an origin indication; one end has a Teredo address or is still asking for
/// one.
fn teredo(mut body: Inner<'_>) -> Option<Inner<'_>> {
    if body.u16_at(0).ok()? == 1 {
        let length = 13 + usize::from(body.u8_at(2).ok()?) + usize::from(body.u8_at(3).ok()?);
        body = body.skip(length).ok()?;
    }
    if body.u16_at(0).ok()? == 0 {
        body = body.skip(8).ok()?;
    }
    let teredo = |at: usize| u32_at(body.bytes, at) == Some(0x2001_0000) || u16_at(body.bytes, at) == Some(0xfe80);
    (body.u8_at(0).ok()? >> 4 == 6 && (teredo(8) || teredo(24))).then_some(body)
}

/// Whether an IP header can be believed: its lengths fit what there is, and the checksum of IPv4 is right (or absent, as
/// where a network card was to fill it in).
fn is_sound(inside: &Inner<'_>, fragment: bool) -> bool {
    match u8_at(inside.bytes, 0).map(|first| first >> 4) {
        Some(4) => is_sound4(inside, fragment),
        Some(6) => {
            let fits = u16_at(inside.bytes, 4).is_some_and(|length| u32::from(length) + 40 <= inside.wire_len);
            inside.bytes.len() >= 40 && (fits || fragment)
        }
        _ => false,
    }
}

fn is_sound4(inside: &Inner<'_>, fragment: bool) -> bool {
    let Some(header) = inside.bytes.first_chunk::<20>() else { return false };
    let length = usize::from(header[0] & 15) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fits = total as u64 <= u64::from(inside.wire_len) || fragment;
    let Some(whole) = inside.bytes.get(..length).filter(|_| length >= 20 && total >= length && fits) else {
        return false;
    };
    let sum: u32 = whole.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    header[10..12] == [0, 0] || (folded & 0xffff) + (folded >> 16) == 0xffff
}
