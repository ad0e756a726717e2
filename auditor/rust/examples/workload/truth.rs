//! What was made, counted while it was made.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::{
    frame::Ends,
    ports::{CONTROL_PORT, DATA_PORTS},
};

/// What one flow carried, by direction: packets, and bytes of their frames on the wire.
#[derive(Clone, Copy, Default)]
struct Carried {
    packets: [u64; 2],
    bytes: [u64; 2],
}

/// Counts of a whole capture, and of each flow where that was asked for.
#[derive(Default)]
pub struct Truth {
    /// Frames, those that are no IP included.
    pub packets: u64,
    wire_bytes: u64,
    ip_packets: u64,
    vlan_packets: u64,
    ipv6_packets: u64,
    icmp_packets: u64,
    tcp_flows: u64,
    udp_flows: u64,
    icmp_flows: u64,
    control: u64,
    data: u64,
    rows: Option<Vec<(Ends, Carried)>>,
}

impl Truth {
    /// Counts nothing yet; each flow too where `each` says so.
    pub fn new(each: bool) -> Self {
        Self { rows: each.then(Vec::new), ..Self::default() }
    }

    /// A flow has its first packet; returns its number.
    pub fn flow(&mut self, ends: &Ends) -> usize {
        match ends.protocol {
            6 => {
                self.tcp_flows += 1;
                self.control += u64::from(ends.port[1] == CONTROL_PORT);
                self.data += u64::from(DATA_PORTS.contains(&ends.port[1]));
            }
            17 => self.udp_flows += 1,
            _ => self.icmp_flows += 1,
        }
        let Some(rows) = &mut self.rows else { return 0 };
        rows.push((*ends, Carried::default()));
        rows.len() - 1
    }

    /// A packet of a flow was written.
    pub fn packet(&mut self, flow: usize, ends: &Ends, from: usize, length: usize) {
        self.frame(length);
        self.ip_packets += 1;
        self.vlan_packets += u64::from(ends.vlan > 0);
        self.ipv6_packets += u64::from(ends.v6);
        self.icmp_packets += u64::from(ends.port[1] == 0);
        if let Some((_, carried)) = self.rows.as_mut().and_then(|rows| rows.get_mut(flow)) {
            carried.packets[from] += 1;
            carried.bytes[from] += length as u64;
        }
    }

    /// A frame that belongs to no flow was written.
    pub fn frame(&mut self, length: usize) {
        self.packets += 1;
        self.wire_bytes += length as u64;
    }

    /// Returns the counts as one line of JSON.
    pub fn summary(&self) -> String {
        let flows = self.tcp_flows + self.udp_flows + self.icmp_flows;
        let named = [
            ("packets", self.packets),
            ("wire_bytes", self.wire_bytes),
            ("ip_packets", self.ip_packets),
            ("vlan_packets", self.vlan_packets),
            ("ipv6_packets", self.ipv6_packets),
            ("icmp_packets", self.icmp_packets),
            ("flows", flows),
            ("tcp_flows", self.tcp_flows),
            ("udp_flows", self.udp_flows),
            ("icmp_flows", self.icmp_flows),
            ("control", self.control),
            ("data", self.data),
        ];
        let pairs: Vec<_> = named.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", pairs.join(", "))
    }

    /// Writes a line for each flow, in order of first packets: protocol, originator, responder, packets and bytes both ways.
    pub fn save(&self, path: &str) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(
            file,
            "protocol\torig\torig_port\tresp\tresp_port\torig_packets\tresp_packets\torig_bytes\tresp_bytes"
        )?;
        for (ends, carried) in self.rows.iter().flatten() {
            let [orig, resp] = [0, 1].map(|end| address(ends, end));
            let [out, back] = ends.port;
            let ([sent, got], [sent_bytes, got_bytes]) = (carried.packets, carried.bytes);
            let protocol = ends.protocol;
            writeln!(file, "{protocol}\t{orig}\t{out}\t{resp}\t{back}\t{sent}\t{got}\t{sent_bytes}\t{got_bytes}")?;
        }
        file.flush()
    }
}

fn address(ends: &Ends, end: usize) -> String {
    let octets = ends.address[end];
    if ends.v6 {
        return Ipv6Addr::from(octets).to_string();
    }
    Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).to_string()
}
