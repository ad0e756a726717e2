//! One case per protocol, and look-alikes.

use super::*;
use crate::app::APPS;

fn tcp(payload: &[u8]) -> App {
    recognise(payload, TCP)
}

fn udp(payload: &[u8]) -> App {
    recognise(payload, UDP)
}

#[test]
fn every_name_has_its_discriminant() {
    assert_eq!(APPS.len(), App::AgentAnnouncement as usize + 1);
    assert_eq!(APPS[App::Ndmp as usize], "ndmp");
    assert_eq!(APPS[App::Tds as usize], "tds");
}

#[test]
fn text_protocols() {
    assert_eq!(tcp(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), App::Http);
    assert_eq!(tcp(b"HTTP/1.1 200 OK\r\n"), App::Http);
    assert_eq!(tcp(b"GET \x00\x01"), App::Unknown);
    assert_eq!(tcp(b"220 mail.example.test ESMTP ready\r\n"), App::Smtp);
    assert_eq!(tcp(b"220 files.example.test FTP server\r\n"), App::Unknown);
    assert_eq!(tcp(b"ehlo media01\r\n"), App::Smtp);
    assert_eq!(tcp(b"SSH-2.0-OpenSSH_9.2\r\n"), App::Ssh);
    assert_eq!(udp(b"GET / HTTP/1.1\r\n"), App::Unknown);
}

#[test]
fn tls_hellos_and_alerts() {
    assert_eq!(tcp(&[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), App::Tls);
    assert_eq!(tcp(&[21, 3, 3, 0, 2, 2, 40]), App::Tls);
    assert_eq!(tcp(&[23, 3, 3, 0, 2, 2, 40]), App::Unknown);
}

#[test]
fn windows_protocols() {
    assert_eq!(tcp(&[0, 0, 0, 0x68, 0xfe, b'S', b'M', b'B', 0x40, 0]), App::Smb);
    let mut request = vec![0x81, 0, 0, 68, 0x20];
    request.extend(b"CKFDENECFDEFFCFGEFFCCACACACACACA");
    assert_eq!(tcp(&request), App::NetbiosSession);
    assert_eq!(tcp(&[0x82, 0, 0, 0]), App::NetbiosSession);
    assert_eq!(tcp(&[5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0]), App::DceRpc);
    assert_eq!(tcp(&[0x12, 1, 0, 47, 0, 0, 1, 0, 0, 0, 26, 0, 6, 1, 0, 32, 0, 1]), App::Tds);
    assert_eq!(udp(&[2]), App::Unknown, "any byte may be a 2");
    assert_eq!(udp(b"\x04BKUPEXEC\x00"), App::SqlBrowser);
    assert_eq!(udp(b"\x05\x40\x00ServerName;MEDIA01;"), App::SqlBrowser);
}

#[test]
fn snmp_and_kerberos() {
    let get = [0x30, 0x1a, 2, 1, 1, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c', 0xa7, 0x0d];
    assert_eq!(udp(&get), App::Snmp);
    assert_eq!(udp(&[0x30, 0x1a, 2, 1, 1, 4, 2, 0, 1, 0xa7, 0x0d]), App::Unknown);
    let request = [0x6a, 0x1a, 0x30, 0x18, 0xa1, 3, 2, 1, 5, 0xa2, 3, 2, 1, 10, 0xa4, 0];
    assert_eq!(udp(&request), App::Kerberos);
    let mut over_tcp = vec![0, 0, 0, 28];
    over_tcp.extend(request);
    assert_eq!(tcp(&over_tcp), App::Kerberos);
    // An LDAP search begins like a sequence with a small number too.
    assert_eq!(tcp(&[0x30, 0x25, 2, 1, 1, 0x63, 0x20, 4, 0]), App::Unknown);
}

#[test]
fn tape_blocks_need_their_checksum() {
    let mut block = [0_u8; 52];
    block[..4].copy_from_slice(b"TAPE");
    block[8] = 0x50;
    assert_eq!(tcp(&block), App::Unknown);
    // 0x4154 ^ 0x4550 ^ 0x0050 by hand.
    block[50..].copy_from_slice(&0x0454_u16.to_le_bytes());
    assert_eq!(tcp(&block), App::Mtf);
}

#[test]
fn any_prefix_of_anything_is_taken_without_panic() {
    for first in 0..=255 {
        for length in 0..60 {
            let payload = vec![first; length];
            assert_ne!(recognise(&payload, TCP), App::Ndmp);
            assert_ne!(recognise(&payload, UDP), App::Ndmp);
        }
    }
}
