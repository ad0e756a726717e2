//! What packets do to flows. Expected states and histories are those that Zeek's documentation of `conn.log` gives for
//! the same exchanges; counters are added up by hand.

mod connections;
mod fragments;
mod fuzz;
mod many;
mod refusals;
mod sequences;
mod trains;

use super::{ORIGINATOR_BY, PortSet, STATES, Stamp, Tracker};
use crate::columns::{FlowTable, Serials};
use crate::decode::{Ends, Icmp, Packet, Tcp, Tuple, flag};
use crate::tabulate::tabulate;

pub const CLIENT: (u32, u16) = (0x0a00_0001, 40000);
pub const SERVER: (u32, u16) = (0x0a00_0002, 10000);
pub const S: u8 = flag::SYN;
pub const A: u8 = flag::ACK;
pub const F: u8 = flag::FIN;
pub const R: u8 = flag::RST;

/// A capture in the making: packets go in, a table comes out.
pub struct Scene {
    tracker: Tracker,
    count: u64,
}

impl Scene {
    pub fn new() -> Self {
        Self::with_known(&[])
    }

    pub fn with_known(known: &[u16]) -> Self {
        let ports = |list: &[u16]| list.iter().copied().collect::<PortSet>();
        Self { tracker: Tracker::new(ports(known), ports(&[10000])), count: 0 }
    }

    pub fn packet(&mut self, packet: &Packet<'_>) -> &mut Self {
        let number = self.count;
        self.count += 1;
        let stamp =
            Stamp { serial: number, file: 0, time: 1000 + number.cast_signed(), wire_len: packet.payload_len + 54 };
        self.tracker.packet(packet, None, &stamp);
        self
    }

    /// A TCP segment of the client (`c`) or the server with sequence number, acknowledgement and payload length.
    pub fn tcp(&mut self, client: bool, flags: u8, seq: u32, ack: u32, length: u32) -> &mut Self {
        let tcp = Tcp { seq, ack, flags, zero_window: false };
        self.packet(&segment(client, tcp, length))
    }

    /// SYN, SYN+ACK, ACK; client's numbers begin at 100, the server's at 500.
    pub fn handshake(&mut self) -> &mut Self {
        self.tcp(true, S, 100, 0, 0).tcp(false, S | A, 500, 101, 0).tcp(true, A, 101, 501, 0)
    }

    pub fn table(self) -> FlowTable {
        let mut serials = Serials::default();
        serials.file(0);
        tabulate(self.tracker.finish(), &serials, 1).0
    }
}

pub fn segment(client: bool, tcp: Tcp, length: u32) -> Packet<'static> {
    const PAYLOAD: [u8; 4096] = [0x2e; 4096];
    let (from, to) = if client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let payload = &PAYLOAD[..(length as usize).min(PAYLOAD.len())];
    Packet { tcp: Some(tcp), payload, payload_len: length, ..bare(6, from, to) }
}

pub fn bare(protocol: u8, from: (u32, u16), to: (u32, u16)) -> Packet<'static> {
    let tuple = Tuple {
        ends: Ends::V4 { source: from.0, destination: to.0 },
        protocol,
        source_port: from.1,
        destination_port: to.1,
    };
    Packet {
        tuple,
        vlan: 0,
        tunnel: 0,
        tcp: None,
        icmp: None,
        payload: &[],
        payload_len: 0,
        cut: false,
        fragment: None,
        problem: None,
    }
}

/// An ICMP message; `quoted` is an IP packet, see [`quotation`].
pub fn icmp(from: u32, to: u32, kind: u8, code: u8, quoted: &[u8]) -> Packet<'_> {
    Packet { icmp: Some(Icmp { kind, code, quoted }), ..bare(1, (from, 0), (to, 0)) }
}

/// The beginning of a packet from the client to the server, as an ICMP error quotes it: header and 8 bytes.
pub fn quotation(protocol: u8) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[0] = 0x45;
    bytes[3] = 28;
    bytes[9] = protocol;
    bytes[12..16].copy_from_slice(&CLIENT.0.to_be_bytes());
    bytes[16..20].copy_from_slice(&SERVER.0.to_be_bytes());
    bytes[20..22].copy_from_slice(&CLIENT.1.to_be_bytes());
    bytes[22..24].copy_from_slice(&SERVER.1.to_be_bytes());
    bytes
}

/// State and history of a row.
pub fn state(table: &FlowTable, row: usize) -> (&'static str, String) {
    let text = table.history_text(row as u32).expect("a row");
    (STATES[usize::from(table.columns.state[row])], text)
}

/// Originator's port, and how it is known.
pub fn originator(table: &FlowTable, row: usize) -> (u16, &'static str) {
    (table.columns.orig_port[row], ORIGINATOR_BY[usize::from(table.columns.originator_by[row])])
}
