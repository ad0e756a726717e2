//! Link headers and tunnels by hand; layouts from the RFCs and from tcpdump's list of link types. `tests/test_layers.py`
//! shows frames of these kinds to tshark as well.

use super::{Decoded, Ends, TUNNELS, decode, flag, is_decoded, quick, quoted_tuple};
use crate::frame::{Frame, Ip};
use crate::problem::Problem;
use crate::testing::{Random, hex};

/// TCP SYN 10.0.0.1:40000 > 10.0.0.2:10000: 40 bytes, its checksum right.
const SYN: &str = "45 00 0028 1234 4000 40 06 149a 0a000001 0a000002
                   9c40 2710 00000064 00000000 5002 ffff 0000 0000";
/// UDP from `2001:0:1::1`, port 53, to `fd00::2`, port 1024, 4 bytes of payload: 52 bytes.
const UDP6: &str = "60000000 000c 11 40 20010000000100000000000000000001 fd000000000000000000000000000002
                    0035 0400 000c 0000 deadbeef";
const MACS: &str = "020000000002 020000000001";

fn frame(link: u16, data: &[u8]) -> Frame<'_> {
    Frame { time: 0, link, wire_len: data.len() as u32, data, untimed: false, ip: Ip::Unasked }
}

/// IPv4 from 192.0.2.1 to 192.0.2.2 with something in it.
fn ipv4(protocol: u8, inside: &str) -> String {
    let length = 20 + hex(inside).len();
    format!("45 00 {length:04x} 0000 0000 40 {protocol:02x} 0000 c0000201 c0000202 {inside}")
}

fn udp(port: u16, inside: &str) -> String {
    ipv4(17, &format!("c000 {port:04x} {:04x} 0000 {inside}", 8 + hex(inside).len()))
}

fn check<T>(link: u16, text: &str, look: impl FnOnce(Result<Decoded<'_>, Problem>) -> T) -> T {
    let bytes = hex(text);
    let frame = frame(link, &bytes);
    let decoded = decode(&frame);
    if let Some(headers) = quick(&frame) {
        assert_eq!(Ok(headers.packet(frame.data)), decoded.map(|decoded| decoded.packet), "{text}");
    }
    look(decoded)
}

/// Checks that [`SYN`] was found, or [`UDP6`]; gives the tunnel and the VLAN.
fn found(link: u16, text: &str) -> (&'static str, u16) {
    check(link, text, |decoded| {
        let packet = decoded.unwrap_or_else(|problem| panic!("{problem:?}: {text}")).packet;
        let ports = (packet.tuple.source_port, packet.tuple.destination_port);
        if packet.tuple.protocol == 6 {
            assert_eq!(packet.tuple.ends, Ends::V4 { source: 0x0a00_0001, destination: 0x0a00_0002 }, "{text}");
            assert_eq!((ports, packet.tcp.map(|tcp| tcp.flags)), ((40000, 10000), Some(flag::SYN)), "{text}");
            assert_eq!(packet.payload_len, 0);
        } else {
            assert_eq!((packet.tuple.protocol, ports, packet.payload_len), (17, (53, 1024), 4), "{text}");
        }
        assert_eq!((packet.problem, packet.cut), (None, false), "{text}");
        (TUNNELS[usize::from(packet.tunnel)], packet.vlan)
    })
}

#[test]
fn ip_is_found_behind_rarer_link_headers() {
    let snap = "aaaa03 000000 0800";
    let wlan = "0800 0000 020000000001 020000000002 020000000003 1000";
    for (link, header) in [
        (6, format!("1040 {MACS} {snap}")),
        // Token Ring with a route of six bytes.
        (6, format!("1040 020000000002 820000000001 0630 0011 0022 {snap}")),
        (10, format!("50 {MACS} {snap}")),
        (100, snap.to_owned()),
        (100, String::new()),
        (100, format!("aaaa03 0080c2 0007 0000 {MACS} 0800")),
        (105, format!("{wlan} {snap}")),
        // Between access points, four addresses; quality of service.
        (105, format!("8803 0000 020000000001 020000000002 020000000003 1000 020000000004 0000 {snap}")),
        (107, "1841 03 cc".to_owned()),
        (107, "1841 03 00 80 000000 0800".to_owned()),
        (107, "1841 0800".to_owned()),
        (109, "02000000 00000000 00000000".to_owned()),
        (117, format!("3d 02 00 00 {}", "00".repeat(60))),
        (119, format!("44000000 {} {wlan} {snap}", "00".repeat(140))),
        (122, format!("1000020000000002 1000020000000001 {snap}")),
        (127, format!("0000 0800 00000000 {wlan} {snap}")),
        // Radiotap with a time, and flags that say: header filled up to four bytes (26 to 28).
        (127, format!("0000 1100 03000000 0000000000000000 20 8801 0000 {} 1000 0000 0000 {snap}", "02".repeat(18))),
        (138, "0000000000000000 0000000000000000 0800".to_owned()),
        (163, format!("80211001 00000040 {} {wlan} {snap}", "00".repeat(56))),
        (166, "01 0021".to_owned()),
        (178, format!("4d4743 00 {MACS} 0800")),
        (178, format!("4d4743 81 0006 010100020100 {MACS} 0800")),
        (178, "4d4743 02 00000000".to_owned()),
        (179, "4d4743 00 ff03 0021".to_owned()),
        (180, "4d4743 00 1841 03 cc".to_owned()),
        (181, "4d4743 00 0f00 0800".to_owned()),
        (192, format!("0000 0800 01000000 {MACS} 0800")),
        (192, format!("0000 0800 69000000 {wlan} {snap}")),
        (197, format!("0000000000000000 02 00 0060 0000 0036 0000 {MACS} 0800")),
        (197, format!("0000000000000000 82 00 0068 0000 0036 0300000000000000 0000 {MACS} 0800")),
        (204, "00 ff03 0021".to_owned()),
        (205, "00 0f00 0800".to_owned()),
        (219, "00010140".to_owned()),
        (226, "00".repeat(24)),
        // Two bytes of mark that are filled up to four, then the packet.
        (239, "02 00 0000 0600 0100 abcd 0000 2c00 0900".to_owned()),
        (240, format!("00000000 {MACS} 0800")),
        (242, "0800 0000".to_owned()),
        // Apple's header with an interface name: Ethernet, and raw IP as BSD numbers it.
        (258, format!("6c000000 01000000 01000000 {} {MACS} 0800", "00".repeat(96))),
        (258, format!("6c000000 01000000 0c000000 {}", "00".repeat(96))),
        // Switches of Broadcom and Marvell.
        (281, format!("{MACS} 00002000 0800")),
        (282, format!("00002000 {MACS} 0800")),
        (284, format!("{MACS} 40080001 0800")),
        (285, format!("{MACS} dada 0000 40080001 0800")),
        (1, format!("{MACS} 002b 060603")),
        (1, format!("{MACS} 0030 aaaa03 0000f8 0800")),
        (1, format!("{MACS} 8909 0101 0001 0005 0800")),
        (1, format!("{MACS} 893f 0001 0001 0000 0800")),
        (1, format!("{MACS} 88e7 00000101 {MACS} 0800")),
        // MPLS with a control word and Ethernet.
        (1, format!("{MACS} 8847 00010140 00000000 {MACS} 0800")),
    ] {
        assert_eq!(found(link, &format!("{header} {SYN}")), ("none", 0), "link {link}, {header}");
        assert!(is_decoded(link));
    }
    assert!(![8, 147, 189, 195, 249, 252].into_iter().any(is_decoded));
}

#[test]
fn frames_of_wireless_networks_that_hold_no_packet_say_why() {
    for (text, problem) in [
        ("8000 0000", Problem::NotIp),
        ("4800 0000", Problem::NotIp),
        ("0841 0000 020000000001 020000000002 020000000003 1000 00000020", Problem::EncryptedFrame),
        ("0805 0000 020000000001 020000000002 020000000003 1000 aaaa03", Problem::LinkFragment),
        ("0801 0000 020000000001 020000000002 020000000003 1100 aaaa03", Problem::LinkFragment),
    ] {
        check(105, text, |decoded| assert_eq!(decoded, Err(problem), "{text}"));
    }
}

#[test]
fn the_packet_inside_a_tunnel_counts() {
    let inner = format!("{MACS} 0800 {SYN}");
    let tagged = format!("{MACS} 8100 0065 0800 {SYN}");
    for (tunnel, vlan, outer) in [
        ("gre", 0, ipv4(47, &format!("0000 0800 {SYN}"))),
        ("gre", 0, ipv4(47, &format!("b000 0800 00000000 0000002a 00000001 {SYN}"))),
        ("gre", 0, ipv4(47, &format!("0000 86dd {UDP6}"))),
        ("gre", 0, ipv4(47, &format!("0000 8847 00010140 {SYN}"))),
        // Version 1 with a sequence number and an acknowledgement: PPP.
        ("gre", 0, ipv4(47, &format!("3081 880b 002c 0001 00000001 00000001 ff03 0021 {SYN}"))),
        ("gre", 0, ipv4(47, &format!("0000 883e 00000000 {SYN}"))),
        ("gre-ethernet", 0, ipv4(47, &format!("2000 6558 00002a01 {inner}"))),
        ("gre-ethernet", 101, ipv4(47, &format!("2000 6558 00002a01 {tagged}"))),
        ("erspan", 0, ipv4(47, &format!("0000 88be {inner}"))),
        ("erspan", 0, ipv4(47, &format!("1000 88be 00000001 1000 0001 00000000 {inner}"))),
        ("erspan", 0, ipv4(47, &format!("1000 22eb 00000001 2000 0001 00000000 0000 0000 {inner}"))),
        ("erspan", 0, ipv4(47, &format!("1000 22eb 00000001 2000 0001 00000000 0000 0001 0000000000000000 {inner}"))),
        ("ip-in-ip", 0, ipv4(4, SYN)),
        ("6in4", 0, ipv4(41, UDP6)),
        ("etherip", 0, ipv4(97, &format!("3000 {inner}"))),
        ("mpls-in-ip", 0, ipv4(137, &format!("00010140 {SYN}"))),
        ("vxlan", 0, udp(4789, &format!("08000000 00002a00 {inner}"))),
        ("vxlan", 101, udp(8472, &format!("08000000 00002a00 {tagged}"))),
        ("vxlan", 0, udp(4790, &format!("0c000001 00002a00 {SYN}"))),
        ("geneve", 0, udp(6081, &format!("0000 6558 00002a00 {inner}"))),
        ("geneve", 0, udp(6081, &format!("0100 0800 00002a00 01028000 {SYN}"))),
        ("gtp-u", 0, udp(2152, &format!("30ff 0028 00000001 {SYN}"))),
        // With a sequence number; then with an extension of four bytes.
        ("gtp-u", 0, udp(2152, &format!("32ff 002c 00000001 00010000 {SYN}"))),
        ("gtp-u", 0, udp(2152, &format!("34ff 0030 00000001 00000085 01000900 {SYN}"))),
        ("teredo", 0, udp(3544, UDP6)),
        ("teredo", 0, udp(3544, &format!("0001 0000 0000000000000000 00 0000 f000 3ffffdfe {UDP6}"))),
        ("mpls-in-udp", 0, udp(6635, &format!("00010140 {SYN}"))),
        // The outermost is told: VXLAN in IP in IP.
        ("ip-in-ip", 0, ipv4(4, &udp(4789, &format!("08000000 00002a00 {inner}")))),
    ] {
        assert_eq!(found(101, &outer), (tunnel, vlan));
        // The VLAN around the tunnel comes first.
        assert_eq!(found(1, &format!("{MACS} 8100 0007 0800 {outer}")), (tunnel, 7));
    }
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    for (port, inside) in [
        (4789, format!("00000000 00002a00 {MACS} 0800 {SYN}")),
        // The checksum of the packet inside is wrong; its length is beyond the datagram's; ARP.
        (4789, format!("08000000 00002a00 {MACS} 0800 {}", SYN.replace("149a", "149b"))),
        (
            4789,
            format!("08000000 00002a00 {MACS} 0800 {}", SYN.replace("0028 1234", "0029 1234").replace("149a", "1499")),
        ),
        (4789, format!("08000000 00002a00 {MACS} 0806 0001080006040001")),
        (2152, format!("30ff 0029 00000001 {SYN}")),
        (2152, format!("3001 0028 00000001 {SYN}")),
        (3544, UDP6.replace("20010000", "20010db8")),
        (6081, format!("4000 0800 00002a00 {SYN}")),
        (6081, "0000".to_owned()),
        (53, SYN.to_owned()),
    ] {
        check(101, &udp(port, &inside), |decoded| {
            let packet = decoded.expect("a datagram").packet;
            let ports = (packet.tuple.source_port, packet.tuple.destination_port);
            assert_eq!((packet.tunnel, ports), (0, (0xc000, port)), "{inside}");
        });
    }
    // Keep-alives of GRE, and what is not known inside of it, count with the tunnel.
    for inside in ["0000 0000", "0000 88b5 0102", "4000 0800"] {
        check(101, &ipv4(47, inside), |decoded| {
            let packet = decoded.expect("a packet").packet;
            assert_eq!((packet.tunnel, packet.tuple.protocol), (0, 47));
        });
    }
}

#[test]
fn the_first_fragment_of_a_tunnel_tells_what_the_others_belong_to() {
    // The packet inside is 1400 bytes long, of which 40 are in the first fragment.
    let inside = SYN.replace("0028 1234 4000", "0578 1234 4000");
    let first = ipv4(4, &inside).replace("0000 0000 40 04", "00aa 2000 40 04");
    check(101, &first, |decoded| {
        let decoded = decoded.expect("a packet");
        let carrier = decoded.carrier.expect("fragments of a tunnel");
        assert_eq!(carrier.tuple.ends, Ends::V4 { source: 0xc000_0201, destination: 0xc000_0202 });
        assert_eq!((carrier.fragment.id, carrier.fragment.length, carrier.fragment.more), (0xaa, 40, true));
        let packet = decoded.packet;
        assert_eq!((packet.tuple.destination_port, packet.payload_len, packet.cut), (10000, 1360, true));
        assert_eq!((packet.fragment, packet.problem), (None, None));
    });
}

#[test]
fn the_authentication_header_of_ipv4_is_stepped_over() {
    let segment = SYN.split_once('\n').expect("two lines").1;
    let header = "06 04 0000 00000001 00000001 000000000000000000000000";
    let text = format!("45 00 0040 1234 4000 40 33 0000 0a000001 0a000002 {header} {segment}");
    assert_eq!(found(101, &text), ("none", 0));
}

#[test]
fn layers_end() {
    // Twenty times IP in IP.
    let mut text = SYN.to_owned();
    for _ in 0..20 {
        text = ipv4(4, &text);
    }
    check(101, &text, |decoded| assert_eq!(decoded.expect("a packet").packet.tuple.protocol, 4));
    let nested = format!("{}{MACS} 0800 {SYN}", format!("{MACS} 6558 ").repeat(20));
    check(1, &nested, |decoded| assert_eq!(decoded, Err(Problem::TooManyLayers)));
}

#[test]
fn no_tunnel_and_no_link_header_makes_the_decoder_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let inner = format!("{MACS} 0800 {SYN}");
    let seeds: Vec<Vec<u8>> = [
        ipv4(47, &format!("b000 6558 00000000 0000002a 00000001 {inner}")),
        ipv4(47, &format!("1000 22eb 00000001 2000 0001 00000000 0000 0001 0000000000000000 {inner}")),
        ipv4(41, UDP6),
        udp(4789, &format!("08000000 00002a00 {inner}")),
        udp(2152, &format!("34ff 0030 00000001 00000085 01000900 {SYN}")),
        udp(3544, &format!("0001 0000 0000000000000000 00 0000 f000 3ffffdfe {UDP6}")),
        format!("0000 1100 03000000 0000000000000000 20 8801 0000 {} 1000 0000 0000 aaaa03 {SYN}", "02".repeat(18)),
        format!("4d4743 81 0006 010100020100 {MACS} 0800 {SYN}"),
    ]
    .iter()
    .map(|text| hex(text))
    .collect();
    let links = [1, 6, 10, 11, 101, 105, 107, 117, 119, 127, 163, 178, 180, 181, 192, 197, 206, 239];
    for round in 0..40_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        random.mutate(&mut bytes);
        for link in links {
            if let Ok(decoded) = decode(&frame(link, &bytes)) {
                let packet = decoded.packet;
                packet.icmp.and_then(|icmp| quoted_tuple(icmp.quoted));
                let most = if decoded.carrier.is_some() { 0x1_0000 } else { bytes.len() as u32 };
                assert!(packet.payload_len <= most, "payload beyond the frame: {bytes:02x?}");
            }
        }
    }
}
