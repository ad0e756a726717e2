//! RST and ICMP as answers.

use super::{A, CLIENT, R, S, Scene, icmp, originator, quotation};
use crate::flow::REFUSALS;

const ROUTER: u32 = 0x0a00_00fe;

fn refusal(scene: Scene) -> (&'static str, u64) {
    let table = scene.table();
    (REFUSALS[usize::from(table.columns.refusal[0])], table.columns.refusal_packet[0])
}

#[test]
fn a_rst_refuses_a_syn_and_nothing_else() {
    let mut scene = Scene::new();
    scene.tcp(true, S, 100, 0, 0).tcp(true, S, 100, 0, 0).tcp(false, R | A, 0, 101, 0);
    assert_eq!(refusal(scene), ("rst", 3));
    let mut scene = Scene::new();
    scene.handshake().tcp(false, R | A, 501, 101, 0);
    assert_eq!(refusal(scene), ("none", 0));
    let mut scene = Scene::new();
    scene.tcp(true, S, 100, 0, 0).tcp(true, R, 101, 0, 0);
    assert_eq!(refusal(scene), ("none", 0));
}

#[test]
fn icmp_refuses_the_flow_that_it_quotes() {
    for (kind, code, name) in [
        (3, 0, "icmp-net-unreachable"),
        (3, 1, "icmp-host-unreachable"),
        (3, 2, "icmp-protocol-unreachable"),
        (3, 3, "icmp-port-unreachable"),
        (3, 9, "icmp-admin-prohibited"),
        (3, 10, "icmp-admin-prohibited"),
        (3, 13, "icmp-admin-prohibited"),
        (3, 5, "icmp-other"),
        // Fragmentation needed, time exceeded, redirect.
        (3, 4, "none"),
        (11, 0, "none"),
        (5, 1, "none"),
    ] {
        let mut scene = Scene::new();
        scene.tcp(true, S, 100, 0, 0).packet(&icmp(ROUTER, CLIENT.0, kind, code, &quotation(6)));
        assert_eq!(refusal(scene), (name, if name == "none" { 0 } else { 2 }));
    }
}

#[test]
fn icmp_that_quotes_another_flow_refuses_nothing() {
    let mut scene = Scene::new();
    scene.tcp(true, S, 100, 0, 0).packet(&icmp(ROUTER, CLIENT.0, 3, 3, &quotation(17)));
    assert_eq!(refusal(scene), ("none", 0));
}

#[test]
fn icmpv6_codes_differ() {
    use super::super::refusal::{Refusal, of_icmp};
    use crate::decode::Icmp;
    let of = |code| of_icmp(58, &Icmp { kind: 1, code, quoted: &[] });
    assert_eq!(of(0), Some(Refusal::NetUnreachable));
    assert_eq!(of(1), Some(Refusal::AdminProhibited));
    assert_eq!(of(3), Some(Refusal::HostUnreachable));
    assert_eq!(of(4), Some(Refusal::PortUnreachable));
    assert_eq!(of_icmp(58, &Icmp { kind: 3, code: 0, quoted: &[] }), None);
    assert_eq!(REFUSALS[Refusal::Other as usize], "icmp-other");
}

#[test]
fn the_error_itself_is_a_flow_of_its_own() {
    let mut scene = Scene::new();
    scene.tcp(true, S, 100, 0, 0).packet(&icmp(ROUTER, CLIENT.0, 3, 3, &quotation(6)));
    let table = scene.table();
    assert_eq!((table.rows(), table.columns.transport[1]), (2, 1));
    assert_eq!(originator(&table, 1).0, 0);
}
