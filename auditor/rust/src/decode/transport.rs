//! Transport headers: ports, TCP fields, length of the payload.

use super::bytes::{u8_at, u16_at, u32_at};
use super::datagram::{Datagram, ports};
use super::icmp;
use super::packet::{Packet, Tcp, Tuple, is_cut, protocol, skip};
use crate::problem::Problem;

const UDP_HEADER: u32 = 8;
const SCTP_HEADER: u32 = 12;
const TCP_HEADER: u32 = 20;
/// DCCP and UDP-Lite have ports at the same place as TCP.
const OTHERS_WITH_PORTS: [u8; 2] = [33, 136];

/// Decodes the transport header of a datagram.
#[inline]
pub fn decode<'a>(datagram: &Datagram<'a>) -> Packet<'a> {
    let tuple = Tuple { ends: datagram.ends, protocol: datagram.protocol, source_port: 0, destination_port: 0 };
    let mut packet = Packet {
        tuple,
        vlan: 0,
        tunnel: 0,
        tcp: None,
        icmp: None,
        payload: datagram.body,
        payload_len: datagram.body_len,
        cut: false,
        fragment: datagram.fragment,
        problem: datagram.problem,
    };
    let trouble = match datagram.protocol {
        _ if datagram.fragment.is_some_and(|fragment| fragment.offset > 0) => Ok(()),
        protocol::TCP => tcp(&mut packet),
        protocol::UDP => udp(&mut packet),
        protocol::ICMP | protocol::ICMPV6 => icmp::decode(&mut packet),
        protocol::SCTP => with_ports(&mut packet).and_then(|()| skip(&mut packet, SCTP_HEADER)),
        other if OTHERS_WITH_PORTS.contains(&other) => with_ports(&mut packet),
        _ => Ok(()),
    };
    if let Err(problem) = trouble {
        packet.problem.get_or_insert(problem);
    }
    packet.cut = is_cut(&packet);
    packet
}

#[inline]
fn tcp(packet: &mut Packet<'_>) -> Result<(), Problem> {
    let header = packet.payload;
    with_ports(packet)?;
    let (Some(place), Some(flags)) = (u8_at(header, 12), u8_at(header, 13)) else {
        // Most segments of a connection have options, but which ones is not captured: the least is certain.
        let problem = cut_or_malformed(packet);
        skip(packet, TCP_HEADER)?;
        return Err(problem);
    };
    let header_len = u32::from(place >> 4) * 4;
    if header_len < TCP_HEADER || header_len > packet.payload_len {
        packet.payload = &[];
        packet.payload_len = 0;
        return Err(Problem::MalformedTransportHeader);
    }
    packet.tcp = Some(Tcp {
        seq: u32_at(header, 4).unwrap_or_default(),
        ack: u32_at(header, 8).unwrap_or_default(),
        flags,
        zero_window: u16_at(header, 14) == Some(0),
    });
    skip(packet, header_len)
}

#[inline]
fn udp(packet: &mut Packet<'_>) -> Result<(), Problem> {
    let header = packet.payload;
    with_ports(packet)?;
    let claimed = u16_at(header, 4).map_or(0, u32::from);
    skip(packet, UDP_HEADER)?;
    // 0 is left by segmentation offload and by jumbograms; the length of a first fragment is its datagram's.
    if claimed == 0 || packet.fragment.is_some() {
        return Ok(());
    }
    let length = claimed.checked_sub(UDP_HEADER).ok_or(Problem::MalformedTransportHeader)?;
    if length > packet.payload_len {
        return Err(Problem::MalformedTransportHeader);
    }
    packet.payload_len = length;
    packet.payload = &packet.payload[..packet.payload.len().min(length as usize)];
    Ok(())
}

#[inline]
fn with_ports(packet: &mut Packet<'_>) -> Result<(), Problem> {
    let (source, destination) = ports(packet.payload).ok_or_else(|| {
        let problem = cut_or_malformed(packet);
        packet.payload = &[];
        problem
    })?;
    packet.tuple.source_port = source;
    packet.tuple.destination_port = destination;
    Ok(())
}

fn cut_or_malformed(packet: &Packet<'_>) -> Problem {
    if is_cut(packet) { Problem::CutTransportHeader } else { Problem::MalformedTransportHeader }
}
