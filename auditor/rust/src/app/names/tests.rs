//! Messages written out by hand after the RFCs.

use super::*;
use crate::app::recognise;
use crate::testing::{Random, hex};

fn four(text: &str) -> Address {
    text.parse::<Ipv4Addr>().expect("address").to_ipv6_mapped().octets()
}

fn tuple(protocol: u8, ports: (u16, u16)) -> Tuple {
    let ends = Ends::V4 { source: 0x0a00_0001, destination: 0x0a00_0002 };
    Tuple { ends, protocol, source_port: ports.0, destination_port: ports.1 }
}

/// The names in a payload that must be recognised as `app`, with their addresses.
fn told(app: App, transport: u8, ports: (u16, u16), payload: &[u8]) -> Vec<(Address, NameKind, String, u16)> {
    assert_eq!(recognise(payload, transport), app);
    let mut names = Names::default();
    names.read(&Telling { app, tuple: &tuple(transport, ports), payload, packet: 3, file: 0 });
    names.finish().into_iter().map(|name| (name.address, name.kind, name.text, name.port)).collect()
}

/// Answer: `a.example` is 192.0.2.1, by pointer; its alias; and an address of version 6.
const ANSWER: &str = "
    1234 8180 0001 0003 0000 0000
    01 61 07 6578616d706c65 00 0001 0001
    c00c 0001 0001 0000003c 0004 c0000201
    c00c 0005 0001 0000003c 0004 01 62 c00e
    c00c 001c 0001 0000003c 0010 20010db8000000000000000000000001";

#[test]
fn dns_answers_name_addresses() {
    let six = "2001:db8::1".parse::<Ipv6Addr>().expect("address").octets();
    let expected = vec![
        (four("192.0.2.1"), NameKind::Dns, "a.example".to_owned(), 0),
        (six, NameKind::Dns, "a.example".to_owned(), 0),
    ];
    let udp = hex(ANSWER);
    assert_eq!(told(App::Dns, 17, (53, 4000), &udp), expected);
    let tcp = [&(udp.len() as u16).to_be_bytes()[..], &udp].concat();
    assert_eq!(told(App::Dns, 6, (53, 4000), &tcp), expected);
    assert_eq!(told(App::Dns, 17, (5355, 4000), &udp)[0].1, NameKind::Llmnr);
}

#[test]
fn questions_and_refusals_name_nobody() {
    let question = hex("1234 0100 0001 0000 0000 0000 01 61 07 6578616d706c65 00 0001 0001");
    assert_eq!(told(App::Dns, 17, (4000, 53), &question), []);
    let mut refused = hex(ANSWER);
    refused[3] |= 3;
    assert_eq!(told(App::Dns, 17, (53, 4000), &refused), []);
}

#[test]
fn names_of_addresses_are_read_backwards() {
    let ptr = hex("
        0000 8400 0000 0002 0000 0000
        01 31 01 32 01 30 03 313932 07 696e2d61646472 04 61727061 00 000c 8001 0000003c 0008 01 61 03 6c616e 00 00
        c00c 000c 0001 0000003c 0002 c00c");
    let names = told(App::Dns, 17, (5353, 5353), &ptr);
    // 1.2.0.192.in-addr.arpa is 192.0.2.1; the length of 8 has a byte too many, which belongs to nobody.
    assert_eq!(names[0], (four("192.0.2.1"), NameKind::Mdns, "a.lan".to_owned(), 0));
}

#[test]
fn pointers_that_turn_in_circles_end() {
    for hostile in ["c00c", "c00d", "c0ff", "01 61 c00c", "3f 61", "41 61", "c0"] {
        let mut message = hex("1234 8180 0001 0001 0000 0000");
        message.extend(hex(hostile));
        assert_eq!(dns::name(&message, 12), None, "{hostile}");
        dns::names(&message, NameKind::Dns, &mut |_, _, _, _| panic!("nobody is named"));
    }
    let mut long = hex("1234 8180 0001 0001 0000 0000");
    for _ in 0..5 {
        long.push(63);
        long.extend([b'a'; 63]);
    }
    long.push(0);
    assert_eq!(dns::name(&long, 12), None, "longer than a name may be");
}

#[test]
fn bytes_that_are_no_text_are_written_as_numbers() {
    let mut message = hex("1234 8180 0001 0000 0000 0000 04 1b 5b 2e 5c 00");
    message.extend([0, 1, 0, 1]);
    assert_eq!(dns::name(&message, 12), Some(("\\027[.\\092".to_owned(), 18)));
}

/// `HOST` with a suffix, in letters (RFC 1001, 14.1): each half of a byte is a letter from A.
fn coded(name: &str, suffix: u8) -> Vec<u8> {
    let mut plain = format!("{name:<15}").into_bytes();
    plain.push(suffix);
    let mut letters = vec![32];
    letters.extend(plain.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]));
    letters.push(0);
    letters
}

fn registration(suffix: u8, flags: u8) -> Vec<u8> {
    let mut message = hex("8001 2910 0001 0000 0000 0001");
    message.extend(coded("HOST", suffix));
    message.extend(hex("0020 0001 c00c 0020 0001 000493e0 0006"));
    message.extend([flags, 0, 192, 0, 2, 9]);
    message
}

#[test]
fn netbios_registrations_name_hosts_and_not_groups() {
    let expected = vec![(four("192.0.2.9"), NameKind::Netbios, "HOST".to_owned(), 0)];
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &registration(0, 0)), expected);
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &registration(0x20, 0x60)), expected);
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &registration(0x1e, 0x80)), [], "a group");
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &registration(0x03, 0)), [], "a user's messenger name");
}

#[test]
fn netbios_answers_name_hosts() {
    let mut answer = hex("8001 8500 0000 0001 0000 0000");
    answer.extend(coded("FILER", 0x20));
    answer.extend(hex("0020 0001 000493e0 000c 0000 c0000209 0000 c000020a"));
    let name = |address| (four(address), NameKind::Netbios, "FILER".to_owned(), 0);
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &answer), vec![name("192.0.2.9"), name("192.0.2.10")]);

    let mut status = hex("8001 8400 0000 0001 0000 0000");
    status.extend(coded("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0));
    status.extend(hex("0021 0001 00000000 0025 02"));
    status.extend(b"NODE           \x00\x04\x00WORKGROUP      \x00\x84\x00");
    let expected = vec![(four("10.0.0.1"), NameKind::Netbios, "NODE".to_owned(), 0)];
    assert_eq!(told(App::NetbiosName, 17, (137, 137), &status), expected);
}

#[test]
fn mail_servers_and_clients_name_themselves() {
    let name = |text: &str| vec![(four("10.0.0.1"), NameKind::Smtp, text.to_owned(), 0)];
    assert_eq!(told(App::Smtp, 6, (25, 4000), b"220 mail.example ESMTP ready\r\n"), name("mail.example"));
    assert_eq!(told(App::Smtp, 6, (25, 4000), b"220-mail.example ESMTP\r\n220 x\r\n"), name("mail.example"));
    assert_eq!(told(App::Smtp, 6, (4000, 25), b"ehlo backup-1.example\r\n"), name("backup-1.example"));
    assert_eq!(told(App::Smtp, 6, (4000, 25), b"EHLO [10.0.0.1]\r\n"), []);
    smtp::names(b"HELO \x1b[31mred\r\n", &mut |_, _, _, _| panic!("no name has such bytes"));
}

#[test]
fn dhcp_clients_name_themselves() {
    let message = |kind: u8, own: [u8; 4], yours: [u8; 4]| {
        let mut bytes = vec![1, 1, 6, 0];
        bytes.resize(12, 0);
        bytes.extend(own);
        bytes.extend(yours);
        bytes.resize(236, 0);
        bytes.extend(hex("63825363 35 01"));
        bytes.push(kind);
        bytes.extend(hex("0c 05 61 67 65 6e 74 32 04 c0000207 ff"));
        bytes
    };
    let name = |address| vec![(four(address), NameKind::Dhcp, "agent".to_owned(), 0)];
    assert_eq!(told(App::Dhcp, 17, (68, 67), &message(3, [0; 4], [0; 4])), name("192.0.2.7"));
    assert_eq!(told(App::Dhcp, 17, (68, 67), &message(3, [10, 0, 0, 5], [0; 4])), name("10.0.0.5"));
    assert_eq!(told(App::Dhcp, 17, (67, 68), &message(5, [0; 4], [10, 0, 0, 6])), name("10.0.0.6"));
    assert_eq!(told(App::Dhcp, 17, (68, 67), &message(1, [0; 4], [0; 4])), [], "a search has no address yet");
}

#[test]
fn announcements_are_taken_only_where_one_reading_explains_every_byte() {
    let items = hex("0007 524e 4147454e543031 0004 5254 00000001 0006 4934 c0000208 2710");
    let mut message = vec![0xbe, 1];
    message.extend((items.len() as u16).to_be_bytes());
    message.extend(&items);
    let expected = vec![(four("192.0.2.8"), NameKind::Announcement, "AGENT01".to_owned(), 10_000)];
    assert_eq!(told(App::AgentAnnouncement, 6, (4000, 6101), &message), expected);
    for end in 0..message.len() {
        assert!(!is_announcement(&message[..end]), "cut at {end}");
    }
    message.push(0);
    assert!(!is_announcement(&message));
}

fn name(address: u32, text: String) -> Name {
    Name { address: mapped(address).to_be_bytes(), kind: NameKind::Dns, text, port: 0, packet: 1, file: 0 }
}

#[test]
fn names_that_stay_are_known_still_when_others_are_forgotten() {
    let mut names = Names::default();
    for number in 0..5 {
        for address in 1..4 {
            names.add(name(address, format!("{number}.example")));
        }
    }
    names.retain(|address| *address != mapped(2).to_be_bytes());
    for number in 0..20 {
        for address in [1, 3, 4] {
            names.add(name(address, format!("{number}.example")));
        }
    }
    let rows = names.finish();
    for (address, count) in [(1, MAX_PER_ADDRESS), (2, 0), (3, MAX_PER_ADDRESS), (4, MAX_PER_ADDRESS)] {
        let of_address = rows.iter().filter(|row| row.address == mapped(address).to_be_bytes());
        let mut texts: Vec<&str> = of_address.map(|row| row.text.as_str()).collect();
        assert_eq!(texts.len(), count, "of {address}");
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), count, "each once");
    }
}

#[test]
fn names_are_kept_once_and_not_without_end() {
    let mut names = Names::default();
    for text in ["a.example", "A.EXAMPLE", "a.example."] {
        names.add(name(1, text.to_owned()));
    }
    for number in 0..20 {
        names.add(name(2, format!("{number}.example")));
    }
    names.add(name(0, "nobody".to_owned()));
    names.add(name(0xe000_00fb, "everybody".to_owned()));
    names.add(name(3, "x".repeat(256)));
    let rows = names.finish();
    assert_eq!(rows.iter().filter(|row| row.address == mapped(1).to_be_bytes()).count(), 1);
    assert_eq!(rows.len(), 1 + MAX_PER_ADDRESS);
}

#[test]
fn damage_never_panics() {
    let samples = [hex(ANSWER), registration(0, 0), hex("be01 0009 0005 524e 4147454e54")];
    let mut random = Random(5);
    let mut names = Names::default();
    for round in 0..60_000 {
        let mut bytes = samples[round % samples.len()].clone();
        random.mutate(&mut bytes);
        for app in [App::Dns, App::NetbiosName, App::Dhcp, App::Smtp, App::AgentAnnouncement] {
            names.read(&Telling { app, tuple: &tuple(17, (53, 53)), payload: &bytes, packet: 1, file: 0 });
        }
    }
    assert!(names.finish().len() <= MAX_NAMES);
}
