//! Frames by hand; expected values read off the bytes with the RFCs beside them.

use super::{Ends, Fragment, Packet, decode as plain, flag, quick, quoted_tuple};
use crate::frame::{Frame, Ip};
use crate::problem::Problem;
use crate::testing::{Random, hex};

/// TCP SYN 10.0.0.1:40000 > 10.0.0.2:10000 without its link header: 40 bytes.
const SYN4: &str = "
    45 00 0028 1234 4000 40 06 0000 0a000001 0a000002   # IPv4, 40 bytes, DF, TCP
    9c40 2710 00000064 00000000 5002 ffff 0000 0000     # ports, seq 100, SYN
";
/// UDP from `fd00::1`, port 53, to `fd00::2`, port 1024, 4 bytes of payload.
const UDP6: &str = "
    60000000 000c 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002
    0035 0400 000c 0000 deadbeef";
const MACS: &str = "020000000002 020000000001";

fn frame(link: u16, data: &[u8]) -> Frame<'_> {
    Frame { time: 0, link, wire_len: data.len() as u32, data, untimed: false, ip: Ip::Unasked }
}

/// What the general path says; where the fast path takes the frame, it has to say the same.
fn decode<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, Problem> {
    let decoded = plain(frame).map(|decoded| decoded.packet);
    if let Some(headers) = quick(frame) {
        assert_eq!(Ok(headers.packet(frame.data)), decoded, "{frame:?}");
        assert_eq!(headers.is_cut(frame.data.len() as u32), decoded.is_ok_and(|packet| packet.cut), "{frame:?}");
    }
    decoded
}

fn check<T>(link: u16, text: &str, look: impl FnOnce(Result<Packet<'_>, Problem>) -> T) -> T {
    let bytes = hex(text);
    look(decode(&frame(link, &bytes)))
}

fn is_syn(packet: Result<Packet<'_>, Problem>) -> u16 {
    let packet = packet.expect("a packet");
    assert_eq!(packet.tuple.ends, Ends::V4 { source: 0x0a00_0001, destination: 0x0a00_0002 });
    assert_eq!((packet.tuple.protocol, packet.tuple.source_port, packet.tuple.destination_port), (6, 40000, 10000));
    let tcp = packet.tcp.expect("a TCP header");
    assert_eq!((tcp.seq, tcp.ack, tcp.flags, tcp.zero_window), (100, 0, flag::SYN, false));
    assert_eq!((packet.payload_len, packet.problem, packet.cut), (0, None, false));
    packet.vlan
}

fn is_datagram(packet: Result<Packet<'_>, Problem>) {
    let packet = packet.expect("a packet");
    assert_eq!((packet.tuple.protocol, packet.tuple.source_port, packet.tuple.destination_port), (17, 53, 1024));
    assert_eq!((packet.payload, packet.payload_len), (&[0xde, 0xad, 0xbe, 0xef][..], 4));
}

#[test]
fn ip_is_found_behind_every_link_header() {
    for (link, header) in [
        (1, format!("{MACS} 0800")),
        (1, format!("{MACS} 8100 0000 0800")),
        (0, "02000000".to_owned()),
        (0, "00000002".to_owned()),
        (108, "00000002".to_owned()),
        (12, String::new()),
        (14, String::new()),
        (101, String::new()),
        (228, String::new()),
        // Cooked, version 1: type, hardware, address length, address, protocol.
        (113, "0000 0001 0006 0200000000010000 0800".to_owned()),
        // Version 2: protocol, reserved, interface, hardware, type, address length, address.
        (276, "0800 0000 00000002 0001 00 06 0200000000010000".to_owned()),
        (9, "ff03 0021".to_owned()),
        (9, "0021".to_owned()),
        (9, "21".to_owned()),
        (50, "ff03 0021".to_owned()),
        (51, "11 00 0001 002a 0021".to_owned()),
        (104, "0f00 0800".to_owned()),
        // Two MPLS labels, the second at the bottom of the stack.
        (1, format!("{MACS} 8847 00010040 00011140")),
        // PPPoE session data.
        (1, format!("{MACS} 8864 11 00 0001 002a 0021")),
        // 802.3 length with SNAP.
        (1, format!("{MACS} 0030 aaaa03 000000 0800")),
    ] {
        assert_eq!(check(link, &format!("{header} {SYN4}"), is_syn), 0, "link {link}, header {header}");
    }
    for (link, header) in [
        (229, String::new()),
        (1, format!("{MACS} 86dd")),
        (0, "1e000000".to_owned()),
        (0, "18000000".to_owned()),
        (0, "0000000a".to_owned()),
        (9, "0057".to_owned()),
    ] {
        check(link, &format!("{header} {UDP6}"), is_datagram);
    }
}

#[test]
fn the_outermost_vlan_is_kept() {
    // Priority 5 and the CFI bit stand before the number 77.
    assert_eq!(check(1, &format!("{MACS} 8100 b04d 0800 {SYN4}"), is_syn), 77);
    assert_eq!(check(1, &format!("{MACS} 88a8 0064 8100 00c8 0800 {SYN4}"), is_syn), 100);
    assert_eq!(check(1, &format!("{MACS} 9100 0064 8100 00c8 0800 {SYN4}"), is_syn), 100);
}

#[test]
fn what_is_no_ip_has_a_name() {
    for (link, text, problem) in [
        (1, format!("{MACS} 0806 0001 0800 06 04 0001"), Problem::NotIp),
        (1, format!("{MACS} 0026 424203 0000000000"), Problem::NotIp),
        (1, format!("{MACS} 8847 00010140 00000000 02"), Problem::NotIp),
        (0, "07000000 45".to_owned(), Problem::NotIp),
        (9, "ff03 c021 01".to_owned(), Problem::NotIp),
        (147, "00".to_owned(), Problem::UnsupportedLinkType),
        (1, "0200".to_owned(), Problem::CutLinkHeader),
        (1, format!("{MACS} 8100 00"), Problem::CutLinkHeader),
        (1, format!("{MACS} 8847 000100"), Problem::CutLinkHeader),
        (1, format!("{MACS} 0800"), Problem::CutIpHeader),
        (1, format!("{MACS} 0800 4500 0028"), Problem::CutIpHeader),
        (1, format!("{MACS} 0800 {}", SYN4.replace("45 00", "44 00")), Problem::MalformedIpHeader),
        (1, format!("{MACS} 0800 {}", SYN4.replace("0028", "0013")), Problem::MalformedIpHeader),
        (1, format!("{MACS} 0800 {}", SYN4.replace("45 00", "55 00")), Problem::MalformedIpHeader),
        (229, "60000000 000c 11 40 fd00".to_owned(), Problem::CutIpHeader),
    ] {
        check(link, &text, |packet| assert_eq!(packet, Err(problem), "{text}"));
    }
}

#[test]
fn the_common_kinds_take_the_fast_path() {
    for text in [
        format!("{MACS} 0800 {SYN4}"),
        format!("{MACS} 8100 b04d 0800 {SYN4} 000000000000"),
        format!("{MACS} 86dd {UDP6}"),
        format!("{MACS} 8100 b04d 86dd {UDP6}"),
    ] {
        let bytes = hex(&text);
        assert!(quick(&frame(1, &bytes)).is_some(), "{text}");
        // Cut at every byte, and longer on the wire than captured.
        for length in 0..=bytes.len() {
            let _ = decode(&frame(1, &bytes[..length]));
            let _ = decode(&Frame { wire_len: bytes.len() as u32, ..frame(1, &bytes[..length]) });
        }
    }
}

#[test]
fn padding_of_short_frames_is_no_payload() {
    let padded = format!("{MACS} 0800 {SYN4} 000000000000");
    check(1, &padded, is_syn);
    // UDP whose length is smaller than IP says: the rest is no payload either.
    let short = UDP6.replace("0035 0400 000c", "0035 0400 000a");
    check(101, &short, |packet| {
        let packet = packet.expect("a packet");
        assert_eq!((packet.payload_len, packet.payload), (2, &[0xde, 0xad][..]));
    });
}

#[test]
fn lengths_come_from_the_headers_when_the_frame_is_cut() {
    // 1500 bytes of IP, 32 of TCP header: 1448 of payload, of which 2 were captured.
    let bytes = hex("45 00 05dc 1234 4000 40 06 0000 0a000001 0a000002
                     9c40 2710 00000064 00000001 8010 ffff 0000 0000 0101 080a 00000000 00000000 abcd");
    for captured in (40..bytes.len()).rev() {
        let frame =
            Frame { time: 0, link: 101, wire_len: 1500, data: &bytes[..captured], untimed: false, ip: Ip::Unasked };
        let packet = decode(&frame).expect("a packet");
        assert_eq!((packet.payload_len, packet.cut), (1448, true), "{captured} bytes");
        assert_eq!(packet.tcp.map(|tcp| tcp.seq), Some(100));
    }
    // Cut behind the ports, and before them.
    for (captured, port) in [(33, 40000), (24, 40000), (23, 0), (20, 0)] {
        let frame =
            Frame { time: 0, link: 101, wire_len: 1500, data: &bytes[..captured], untimed: false, ip: Ip::Unasked };
        let packet = decode(&frame).expect("a packet");
        assert_eq!((packet.tuple.source_port, packet.problem), (port, Some(Problem::CutTransportHeader)));
        assert_eq!(packet.tcp, None);
    }
}

#[test]
fn segmentation_offload_leaves_the_length_to_the_frame() {
    let zero = SYN4.replace("0028 1234", "0000 1234");
    check(101, &format!("{zero} 01020304"), |packet| {
        let packet = packet.expect("a packet");
        assert_eq!((packet.payload_len, packet.problem), (4, None));
    });
    check(101, &UDP6.replace("000c 11 40", "0000 11 40"), is_datagram);
}

#[test]
fn a_length_beyond_the_frame_is_not_believed() {
    check(101, &SYN4.replace("0028 1234", "ffff 1234"), |packet| {
        let packet = packet.expect("a packet");
        assert_eq!((packet.payload_len, packet.problem), (0, Some(Problem::IpLengthBeyondFrame)));
    });
}

#[test]
fn transport_headers_that_contradict_themselves() {
    for text in [
        SYN4.replace("5002 ffff", "4002 ffff"),
        SYN4.replace("5002 ffff", "6002 ffff"),
        UDP6.replace("0035 0400 000c", "0035 0400 0007"),
        UDP6.replace("0035 0400 000c", "0035 0400 000d"),
    ] {
        check(101, &text, |packet| {
            let packet = packet.expect("a packet");
            assert_eq!(packet.problem, Some(Problem::MalformedTransportHeader));
            assert_ne!(packet.tuple.source_port, 0);
        });
    }
}

#[test]
fn ipv4_options_and_fragments() {
    // A header of 24 bytes: router alert.
    let options = SYN4.replace("45 00 0028", "46 00 002c").replace("0a000002   #", "0a000002 94040000 #");
    check(101, &options, |packet| assert_eq!(is_syn(packet), 0));
    // Offset 185 * 8 = 1480, the last: no ports, all of it is payload.
    check(101, "45 00 001c 00ff 00b9 40 11 0000 0a000001 0a000002 0102030405060708", |packet| {
        let packet = packet.expect("a packet");
        assert_eq!(packet.fragment, Some(Fragment { id: 255, offset: 1480, length: 8, more: false }));
        assert_eq!((packet.tuple.source_port, packet.payload_len), (0, 8));
    });
    // The first: ports are there, the UDP length of the whole datagram does not count.
    check(101, "45 00 0024 00ff 2000 40 11 0000 0a000001 0a000002 0035 0400 0578 0000 0102030405060708", |packet| {
        let packet = packet.expect("a packet");
        assert_eq!(packet.fragment, Some(Fragment { id: 255, offset: 0, length: 16, more: true }));
        assert_eq!((packet.tuple.source_port, packet.payload_len, packet.problem), (53, 8, None));
    });
}

/// Puts extension headers between the header of [`UDP6`] and its datagram.
fn extended(next: &str, extensions: &str, length: usize) -> String {
    let (header, rest) = UDP6.split_at(UDP6.find("\n    0035").expect("the datagram"));
    let header = header.replace("000c 11 40", &format!("{:04x} {next} 40", 12 + length));
    format!("{header} {extensions} {rest}")
}

#[test]
fn ipv6_extension_headers_are_stepped_over() {
    for (next, headers, length) in [
        ("00", "11 00 050200000104", 8),
        ("3c", "11 01 010c 000000000000000000000000", 16),
        // Hop by hop, then destination options.
        ("00", "3c 00 010400000000 11 00 010400000000", 16),
        // Authentication header: (4 + 2) * 4 bytes.
        ("33", "11 04 0000 00000001 00000001 000000000000000000000000", 24),
        // A fragment header of a datagram that is whole.
        ("2c", "11 00 0000 00000007", 8),
    ] {
        check(101, &extended(next, headers, length), is_datagram);
    }
}

#[test]
fn ipv6_routing_headers_name_the_final_destination() {
    // Type 0, one address, one segment left.
    let kind0 = extended("2b", "11 02 00 01 00000000 fd000000000000000000000000000009", 24);
    // Segment routing keeps the list in reverse: the first entry is the last stop.
    let kind4 =
        extended("2b", "11 04 04 01 01 00 0000 fd000000000000000000000000000009 fd000000000000000000000000000005", 40);
    for text in [kind0, kind4] {
        check(101, &text, |packet| {
            let Ends::V6 { destination, .. } = packet.expect("a packet").tuple.ends else { panic!("IPv6") };
            assert_eq!(destination & 0xffff, 9);
        });
        check(101, &text, is_datagram);
    }
}

#[test]
fn ipv6_fragments() {
    check(101, &extended("2c", "11 00 0001 00000007", 8), |packet| {
        let packet = packet.expect("a packet");
        assert_eq!(packet.fragment, Some(Fragment { id: 7, offset: 0, length: 12, more: true }));
        assert_eq!((packet.tuple.source_port, packet.payload_len), (53, 4));
    });
    // Offset 0x20 = 4 units of 8 bytes, last.
    check(101, &extended("2c", "11 00 0020 00000007", 8), |packet| {
        let packet = packet.expect("a packet");
        assert_eq!(packet.fragment, Some(Fragment { id: 7, offset: 32, length: 12, more: false }));
        assert_eq!((packet.tuple.source_port, packet.payload_len), (0, 12));
    });
}

#[test]
fn icmp_errors_quote_the_packet_they_answer() {
    // Destination unreachable, port: the quoted header and 8 bytes of 10.0.0.2:1024 > 10.0.0.1:161.
    let text = "45 00 0038 0000 0000 40 01 0000 0a000001 0a000002  03 03 0000 00000000
                45 00 0030 0001 0000 40 11 0000 0a000002 0a000001  0400 00a1 001c 0000";
    check(101, text, |packet| {
        let icmp = packet.expect("a packet").icmp.expect("a message");
        let quoted = quoted_tuple(icmp.quoted).expect("a quotation");
        assert_eq!((icmp.kind, icmp.code, quoted.protocol), (3, 3, 17));
        assert_eq!(quoted.ends, Ends::V4 { source: 0x0a00_0002, destination: 0x0a00_0001 });
        assert_eq!((quoted.source_port, quoted.destination_port), (1024, 161));
    });
    let text6 = format!(
        "60000000 0038 3a 40 fd000000000000000000000000000002 fd000000000000000000000000000001
         01 01 0000 00000000 {}",
        &UDP6[..UDP6.find(" deadbeef").expect("payload")]
    );
    check(101, &text6, |packet| {
        let icmp = packet.expect("a packet").icmp.expect("a message");
        assert_eq!((icmp.kind, icmp.code), (1, 1));
        let quoted = quoted_tuple(icmp.quoted).expect("a quotation");
        assert_eq!((quoted.source_port, quoted.destination_port), (53, 1024));
    });
    // An echo request quotes nothing.
    check(101, "45 00 001e 0000 0000 40 01 0000 0a000001 0a000002  08 00 0000 0001 0001 4500", |packet| {
        let packet = packet.expect("a packet");
        assert_eq!(packet.icmp.map(|icmp| (icmp.kind, icmp.quoted)), Some((8, &[][..])));
        assert_eq!(packet.payload_len, 2);
    });
}

#[test]
fn no_frame_makes_the_decoder_panic() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let seeds: Vec<Vec<u8>> = [
        format!("{MACS} 8100 b04d 0800 {SYN4} 01020304"),
        format!(
            "{MACS} 86dd {}",
            extended("2b", "2c 02 00 01 00000000 fd000000000000000000000000000009 11 00 0001 00000007", 32)
        ),
        format!("{MACS} 8847 00010040 00011140 {UDP6}"),
        format!("{MACS} 8864 11 00 0001 002a 0021 {SYN4}"),
    ]
    .iter()
    .map(|text| hex(text))
    .collect();
    for round in 0..60_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        random.mutate(&mut bytes);
        let wire_len = if random.below(2) == 0 { bytes.len() as u32 } else { random.next() as u32 };
        for link in [1, 0, 9, 51, 101, 104, 108, 113, 276] {
            let frame = Frame { time: 0, link, wire_len, data: &bytes, untimed: false, ip: Ip::Unasked };
            if let Ok(packet) = decode(&frame) {
                packet.icmp.and_then(|icmp| quoted_tuple(icmp.quoted));
                assert!(packet.payload_len <= wire_len, "payload beyond the frame: {bytes:02x?}");
            }
        }
    }
}
