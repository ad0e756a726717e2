//! Fragments are credited to the flow of their first.

use super::{A, CLIENT, SERVER, Scene, bare, segment};
use crate::columns::FLAG_FRAGMENTS;
use crate::decode::{Fragment, Packet, Tcp};

/// A fragment of a UDP datagram with 8 bytes of header and 40 of payload, in pieces of 16 bytes.
fn piece(number: u32) -> Packet<'static> {
    let fragment = Fragment { id: 7, offset: number * 16, length: 16, more: number < 2 };
    let first = Packet { payload_len: 8, fragment: Some(fragment), ..bare(17, CLIENT, SERVER) };
    if number == 0 {
        return first;
    }
    Packet { payload_len: 16, fragment: Some(fragment), ..bare(17, (CLIENT.0, 0), (SERVER.0, 0)) }
}

#[test]
fn in_any_order_all_fragments_count_for_the_flow() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let mut scene = Scene::new();
        for number in order {
            scene.packet(&piece(number));
        }
        let table = scene.table();
        let columns = &table.columns;
        assert_eq!((table.rows(), columns.orig_port[0], columns.flags[0]), (1, 40000, FLAG_FRAGMENTS), "{order:?}");
        assert_eq!((columns.orig_packets[0], columns.orig_payload[0]), (3, 40));
        assert_eq!((columns.first_packet[0], columns.last_packet[0]), (1, 3));
        assert_eq!((columns.first_time[0], columns.last_time[0]), (1000, 1002));
    }
}

#[test]
fn fragments_whose_first_never_comes_have_no_ports() {
    let mut scene = Scene::new();
    scene.packet(&piece(1)).packet(&piece(2));
    let table = scene.table();
    assert_eq!((table.rows(), table.columns.orig_port[0], table.columns.orig_packets[0]), (1, 0, 2));
    assert_eq!(table.columns.orig_payload[0], 32);
}

#[test]
fn rows_stay_in_order_of_the_first_packet() {
    let mut scene = Scene::new();
    // Waits for its ports while another flow begins.
    scene.packet(&piece(1)).tcp(true, A, 100, 0, 5).packet(&piece(0));
    let table = scene.table();
    assert_eq!(table.columns.first_packet, [1, 2]);
    assert_eq!(table.columns.transport, [17, 6]);
    assert_eq!((table.history_text(0).as_deref(), table.history_text(1).as_deref()), (Some("D"), Some("D")));
    let mut rows = [0, 1];
    assert!(table.renumber(&mut rows));
    assert_eq!(rows, [1, 0]);
}

#[test]
fn fragments_of_tcp_leave_no_hole() {
    let mut scene = Scene::new();
    scene.handshake();
    // A segment of 20 bytes of header and 44 of payload, in pieces of 32 bytes: 12 of payload, then 32.
    let tcp = Tcp { seq: 101, ack: 501, flags: A, zero_window: false };
    let first = Fragment { id: 9, offset: 0, length: 32, more: true };
    let second = Fragment { id: 9, offset: 32, length: 32, more: false };
    scene.packet(&Packet { fragment: Some(first), ..segment(true, tcp, 12) });
    let rest = bare(6, (CLIENT.0, 0), (SERVER.0, 0));
    scene.packet(&Packet { fragment: Some(second), payload_len: 32, ..rest });
    scene.tcp(true, A, 145, 501, 5);
    let table = scene.table();
    assert_eq!((table.rows(), table.columns.orig_missed[0], table.columns.orig_payload[0]), (1, 0, 49));
}

#[test]
fn what_waits_is_bounded() {
    let mut scene = Scene::new();
    for id in 0..50_000 {
        let fragment = Fragment { id, offset: 16, length: 16, more: true };
        let rest = bare(17, (CLIENT.0, 0), (SERVER.0, 0));
        scene.packet(&Packet { fragment: Some(fragment), payload_len: 16, ..rest });
    }
    let table = scene.table();
    assert_eq!((table.rows(), table.columns.orig_packets[0]), (1, 50_000));
}
