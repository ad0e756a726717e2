//! What `tshark` answers about a frame: the fields of its outermost IP header, and the place of that header in the frame.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What is asked for, in this order.
pub const FIELDS: [&str; 18] = [
    "frame.protocols",
    "vlan.id",
    "ieee8021ad.id",
    "ip.src",
    "ip.dst",
    "ip.id",
    "ip.ttl",
    "ip.proto",
    "ip.checksum",
    "ip.flags.mf",
    "ip.frag_offset",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "ipv6.hlim",
    "ipv6.plen",
    "data.data",
    "frame.number",
];

/// How the layers of a frame begin that no dissector had.
const UNKNOWN: [&str; 4] = ["data", "user_dlt", "_ws.", "unknown"];
/// Protocol numbers of extension headers, which the answer does not have.
const EXTENSIONS: [u8; 8] = [0, 43, 44, 51, 60, 135, 139, 140];

/// An IP header, as far as fields tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The header without options or extensions.
    fixed: Vec<u8>,
    /// What comes behind it, where Wireshark calls that data.
    payload: Vec<u8>,
    /// Outermost VLAN, 0 for none.
    pub vlan: u16,
}

/// The IP packet of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It begins at this byte of the frame.
    Within(usize),
    /// It does not stand in the frame as such: it was compressed or in pieces, and put together by Wireshark.
    Rebuilt(Vec<u8>),
}

/// What is said of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has IP.
    Ip(Header),
    /// It has none; `known`: though its link type is understood.
    Nothing {
        /// Whether a dissector had it.
        known: bool,
    },
}

/// Reads a line of answers: the number of the frame, counted by those that were given, and what is said of it.
///
/// # Errors
/// It is none.
pub fn answer(line: &[u8]) -> io::Result<(u32, Answer)> {
    let line = String::from_utf8_lossy(line);
    let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
    let other = || io::Error::other("it answers in another form than was asked for");
    let fields = <[&str; FIELDS.len()]>::try_from(fields).map_err(|_| other())?;
    let told = number(fields[FIELDS.len() - 1]).ok_or_else(other)?;
    let [protocols, vlan, service, ..] = fields;
    let outer = |name: &str| protocols.split(':').position(|layer| layer == name).unwrap_or(usize::MAX);
    let fixed = match (outer("ip"), outer("ipv6")) {
        (usize::MAX, usize::MAX) => None,
        (four, six) if four < six => version_four(&fields[3..11]),
        _ => version_six(&fields[11..16]),
    };
    let tag = if outer("ieee8021ad") < outer("vlan") { service } else { vlan };
    let vlan = number(tag).map_or(0, |tag| tag as u16);
    let known = !protocols.is_empty() && !UNKNOWN.iter().any(|name| protocols.starts_with(name));
    let answer = fixed.map_or(Answer::Nothing { known }, |fixed| {
        Answer::Ip(Header { fixed, payload: hexadecimal(fields[16]), vlan })
    });
    Ok((told, answer))
}

impl Header {
    /// Where the packet is: `near` is where that of the frame before was.
    #[must_use]
    pub fn place(self, frame: &[u8], near: usize) -> Option<Place> {
        let is_at = |at: usize| frame.get(at..).is_some_and(|bytes| self.agrees(bytes));
        if is_at(near) {
            return Some(Place::Within(near));
        }
        (0..frame.len()).find(|&at| is_at(at)).map(Place::Within).or_else(|| self.rebuilt())
    }

    /// Whether these bytes begin with the header. Lengths are left out, which Wireshark corrects, and the flags.
    fn agrees(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.get(..self.fixed.len()) else { return false };
        bytes[0] >> 4 == self.fixed[0] >> 4
            && match self.fixed.len() {
                20 => bytes[4..6] == self.fixed[4..6] && bytes[8..] == self.fixed[8..],
                _ => bytes[4..] == self.fixed[4..],
            }
    }

    /// The packet out of its fields.
    fn rebuilt(mut self) -> Option<Place> {
        let length = (self.fixed.len() + self.payload.len()).min(0xffff) as u16;
        if self.fixed.len() == 20 {
            self.fixed[2..4].copy_from_slice(&length.to_be_bytes());
        } else if EXTENSIONS.contains(&self.fixed[6]) {
            return None;
        } else {
            self.fixed[4..6].copy_from_slice(&(length - 40).to_be_bytes());
        }
        self.fixed.append(&mut self.payload);
        Some(Place::Rebuilt(self.fixed))
    }
}

fn version_four(fields: &[&str]) -> Option<Vec<u8>> {
    let [source, destination, identification, ttl, protocol, checksum, more, offset] = fields else { return None };
    let (source, destination): (Ipv4Addr, Ipv4Addr) = (source.parse().ok()?, destination.parse().ok()?);
    let more = u16::from(matches!(*more, "1" | "True")) << 13;
    let mut header = vec![0x45, 0, 0, 0];
    header.extend((number(identification)? as u16).to_be_bytes());
    header.extend((more | (number(offset).unwrap_or(0) / 8) as u16 & 0x1fff).to_be_bytes());
    header.extend([number(ttl)? as u8, number(protocol)? as u8]);
    header.extend((number(checksum)? as u16).to_be_bytes());
    header.extend(source.octets());
    header.extend(destination.octets());
    Some(header)
}

fn version_six(fields: &[&str]) -> Option<Vec<u8>> {
    let [source, destination, next, hops, length] = fields else { return None };
    let (source, destination): (Ipv6Addr, Ipv6Addr) = (source.parse().ok()?, destination.parse().ok()?);
    let mut header = vec![0x60, 0, 0, 0];
    header.extend((number(length)? as u16).to_be_bytes());
    header.extend([number(next)? as u8, number(hops)? as u8]);
    header.extend(source.octets());
    header.extend(destination.octets());
    Some(header)
}

/// A number, as the field shows it: decimal or hexadecimal.
fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())
}

/// Bytes; older programs write colons between them.
fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// What tshark 4.0 prints of a frame: the header of RFC 791's first example, from 10.77.0.21 to 10.77.0.10.
    const LINE: &[u8] =
        b"eth:ethertype:ip:data\t\t\t10.77.0.21\t10.77.0.10\t0x4f9b\t64\t6\t0xd668\t0\t0\t\t\t\t\t\tc3c4\t1";
    const PACKET: &str = "4500003c 4f9b4000 4006d668 0a4d0015 0a4d000a c3c4";

    fn header(line: &[u8]) -> Header {
        match answer(line).expect("an answer").1 {
            Answer::Ip(header) => header,
            Answer::Nothing { .. } => panic!("IP is in it"),
        }
    }

    #[test]
    fn the_header_is_found_wherever_it_stands() {
        for before in [0, 14, 300] {
            let mut frame = vec![0x45; before];
            frame.extend(hex(PACKET));
            for near in [0, before, before + 1, 9999] {
                assert_eq!(header(LINE).place(&frame, near), Some(Place::Within(before)), "{before}, {near}");
            }
        }
    }

    #[test]
    fn what_does_not_stand_in_the_frame_is_rebuilt() {
        let rebuilt = "45000016 4f9b0000 4006d668 0a4d0015 0a4d000a c3c4";
        assert_eq!(header(LINE).place(b"another", 0), Some(Place::Rebuilt(hex(rebuilt))));
        let six = b"wpan:6lowpan:ipv6:data\t\t\t\t\t\t\t\t\t\t\tfd88::15\tfd88::a\t17\t64\t4\t27:10:da:bc\t1";
        let rebuilt = "60000000 0004 11 40 fd880000000000000000000000000015 fd88000000000000000000000000000a 2710dabc";
        assert_eq!(header(six).place(b"another", 0), Some(Place::Rebuilt(hex(rebuilt))));
        // A header of which extensions are not told would be read wrongly.
        let extended = b"wpan:6lowpan:ipv6:data\t\t\t\t\t\t\t\t\t\t\tfd88::15\tfd88::a\t0\t64\t4\t2710dabc\t1";
        assert_eq!(header(extended).place(b"another", 0), None);
    }

    #[test]
    fn the_outermost_header_and_tag_count() {
        let inside = b"eth:ieee8021ad:vlan:ipv6:ip\t7\t100\t10.0.0.1\t10.0.0.2\t1\t1\t6\t0\t0\t0\tfd88::15\tfd88::a\t4\t64\t40\t\t1";
        let found = header(inside);
        assert_eq!((found.fixed[0], found.vlan), (0x60, 100));
    }

    #[test]
    fn nothing_is_told_from_not_understood() {
        for (layers, known) in [("eth:ethertype:arp", true), ("usb", true), ("data", false), ("user_dlt:data", false)] {
            let line = format!("{layers}{}77", "\t".repeat(FIELDS.len() - 1));
            assert_eq!(answer(line.as_bytes()).expect("an answer"), (77, Answer::Nothing { known }), "{layers}");
        }
        for line in ["", "Segmentation fault", &"\t".repeat(FIELDS.len() - 1)] {
            answer(line.as_bytes()).expect_err("no answer");
        }
    }
}
