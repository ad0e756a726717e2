use std::fs;

use super::*;
use crate::decode::Ends;
use crate::testing::{Owned, Random, frames, hex, reader};
use crate::watching::Unwatched;

/// Ethernet, VLAN 7, IPv4 with an option, TCP 10000 > 1025 with a segment size and a strange option that holds an address,
/// payload "bkup".
const SEGMENT: &str = "
    0242 0a4d 0015 0242 0a4d 000a 8100 0007 0800
    46 00 0038 1234 4000 40 06 0000 0a4d000a 0a4d0015  94040000
    2710 0401 00000001 00000002 70 18 0400 abcd 0000  020405b4 fd 04 0a4d
    626b7570";
const NAMES: [u8; 32] = [5; 32];

fn owned(text: &str) -> Owned {
    let data = hex(text);
    Owned { time: 5, link: 1, wire_len: data.len() as u32, data, untimed: false }
}

fn frame(one: &Owned) -> Frame<'_> {
    Frame {
        time: one.time,
        link: one.link,
        wire_len: one.wire_len,
        data: &one.data,
        untimed: false,
        ip: crate::frame::Ip::Unasked,
    }
}

/// A pcap file with frames one second apart, from 1 s on.
fn capture(path: &std::path::Path, bodies: &[Vec<u8>]) {
    let mut bytes = hex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000");
    for (second, body) in (1u32..).zip(bodies) {
        for word in [second, 0, body.len() as u32, body.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(body);
    }
    fs::write(path, bytes).expect("a temporary folder");
}

#[test]
fn a_bare_frame_has_other_addresses_its_ports_and_no_payload() {
    let mut names = Pseudonyms::new(&NAMES);
    let shown = bare(&frame(&owned(SEGMENT)), &mut names);
    // Ethernet 14 + tag 4 + IP without its option 20 + TCP 28; four bytes of payload are missing.
    assert_eq!((shown.link, shown.data.len(), shown.wire_len), (1, 66, 70));
    let again = Owned { time: 5, link: 1, wire_len: shown.wire_len, data: shown.data.clone(), untimed: false };
    let told = decode(&frame(&again)).expect("a packet").packet;
    let original = owned(SEGMENT);
    let before = decode(&frame(&original)).expect("a packet").packet;
    let Ends::V4 { source, destination } = told.tuple.ends else { panic!("IPv4") };
    assert_eq!((source, destination), (names.v4(0x0a4d_000a), names.v4(0x0a4d_0015)));
    assert_eq!((told.tuple.source_port, told.tuple.destination_port), (10000, 1025));
    assert_eq!((told.tcp, told.payload_len, told.vlan), (before.tcp, 4, 7));
    for secret in [&[0x0a, 0x4d, 0x00][..], b"bkup", &[0xfd, 0x04, 0x0a, 0x4d], &[0xab, 0xcd], &[0x42, 0x0a]] {
        assert!(!shown.data.windows(secret.len()).any(|bytes| bytes == secret), "{secret:x?}");
    }
    // RFC 1071: over a header with its checksum the sum is all ones.
    let sum: u32 = shown.data[18..38].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
}

#[test]
fn what_an_error_quotes_is_made_anew_too() {
    let quoted = "45 00 003c 0001 4000 40 06 0000 0a4d000a 0a4d0015 9c40 2710 00000001 deadbeefdeadbeef";
    let text = format!(
        "0242 0a4d 0015 0242 0a4d 000a 0800 45 00 0044 1234 4000 40 01 0000 0a4d0015 0a4d000a
         03 03 0000 00000000 {quoted}"
    );
    let one = owned(&text);
    let mut names = Pseudonyms::new(&NAMES);
    let shown = bare(&frame(&one), &mut names);
    assert!(!shown.data.windows(3).any(|bytes| bytes == [0x0a, 0x4d, 0x00]));
    let again = Owned { time: 5, link: 1, wire_len: shown.wire_len, data: shown.data, untimed: false };
    let packet = decode(&frame(&again)).expect("a packet").packet;
    let tuple = quoted_tuple(packet.icmp.expect("ICMP").quoted).expect("a quoted packet");
    assert_eq!(tuple.ends, Ends::V4 { source: names.v4(0x0a4d_000a), destination: names.v4(0x0a4d_0015) });
    assert_eq!((tuple.source_port, tuple.destination_port), (40000, 10000));
}

#[test]
fn strange_frames_end_in_nothing_and_never_in_a_panic() {
    let mut random = Random(11);
    let mut names = Pseudonyms::new(&NAMES);
    for _ in 0..20_000 {
        let mut one = owned(SEGMENT);
        random.mutate(&mut one.data);
        one.link = [1, 101, 113, 0][random.below(4)];
        one.wire_len = if random.below(4) == 0 { u32::MAX } else { one.data.len() as u32 };
        let shown = bare(&frame(&one), &mut names);
        assert!(shown.data.len() as u64 <= u64::from(shown.wire_len) && shown.data.len() < 256);
    }
}

#[test]
fn packets_by_number_and_by_connection_in_its_period() {
    let path = std::env::temp_dir().join(format!("auditor-carve-{}.pcap", std::process::id()));
    let other = hex(&SEGMENT.replace("2710 0401", "2710 0402"));
    capture(&path, &[hex(SEGMENT), other, hex(SEGMENT), hex("00"), hex(SEGMENT)]);
    let wanted = Wanted {
        path: path.clone(),
        packets: HashMap::from([(2, vec!["BX301 one".to_owned(), "BX302".to_owned()]), (4, vec![String::new()])]),
        hash: true,
    };
    let ends = [[10, 77, 0, 21], [10, 77, 0, 10]].map(IpAddr::from);
    let connection = Connection {
        protocol: 6,
        one: (ends[0], 1025),
        other: (ends[1], 10000),
        first: 2_000_000_000,
        last: 3_000_000_000,
    };
    let mut out = Vec::new();
    let told = carve(&[wanted], &[connection], None, &mut out, &mut Unwatched).expect("a file");
    fs::remove_file(path).ok();
    let (got, fault) = frames(&mut reader(&out).expect("pcapng"));
    assert!(fault.is_none());
    assert_eq!(got.iter().map(|one| one.time / 1_000_000_000).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(got[1].data, hex(SEGMENT));
    assert_eq!((told[0].packets, told[0].by_number, told[0].error.as_deref()), (3, 2, None));
    assert_eq!(told[0].sha256.as_ref().map(String::len), Some(64));
    // draft-ietf-opsawg-pcapng, opt_comment: code 1, its length, the text, padding.
    let comment = b"\x01\x00\x09\x00BX301 one\0\0\0\x01\x00\x05\x00BX302\0\0\0\0\0\0\0";
    assert!(out.windows(comment.len()).any(|bytes| bytes == comment));
}
