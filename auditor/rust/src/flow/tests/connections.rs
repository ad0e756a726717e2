//! States, histories, originators, reuse of five-tuples.

use super::{A, CLIENT, F, R, S, SERVER, Scene, bare, icmp, originator, segment, state};
use crate::decode::{Packet, Tcp};

/// Plays segments of (client?, flags, seq, ack, length) and gives state and history of the only flow.
fn play(segments: &[(bool, u8, u32, u32, u32)]) -> (&'static str, String) {
    let mut scene = Scene::new();
    for &(client, flags, seq, ack, length) in segments {
        scene.tcp(client, flags, seq, ack, length);
    }
    let table = scene.table();
    assert_eq!(table.rows(), 1);
    state(&table, 0)
}

const C: bool = true;
const V: bool = false;
const SYN: (bool, u8, u32, u32, u32) = (C, S, 100, 0, 0);
const SYN_ACK: (bool, u8, u32, u32, u32) = (V, S | A, 500, 101, 0);
const ACK: (bool, u8, u32, u32, u32) = (C, A, 101, 501, 0);
const ASK: (bool, u8, u32, u32, u32) = (C, A, 101, 501, 10);
const ANSWER: (bool, u8, u32, u32, u32) = (V, A, 501, 111, 20);
const FIN: (bool, u8, u32, u32, u32) = (C, F | A, 101, 501, 0);
const FIN_BACK: (bool, u8, u32, u32, u32) = (V, F | A, 501, 102, 0);

#[test]
fn states_and_histories_as_zeek_gives_them() {
    for (segments, conn_state, history) in [
        (&[SYN][..], "S0", "S"),
        (&[SYN, SYN, SYN], "S0", "S"),
        (&[SYN, (V, R | A, 0, 101, 0)], "REJ", "Sr"),
        (&[SYN, SYN_ACK], "S1", "Sh"),
        (&[SYN, SYN_ACK, ACK, ASK, ANSWER], "S1", "ShADd"),
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, (C, A, 102, 502, 0)], "SF", "ShAFf"),
        (&[SYN, SYN_ACK, ACK, FIN], "S2", "ShAF"),
        (&[SYN, SYN_ACK, ACK, FIN_BACK], "S3", "ShAf"),
        (&[SYN, SYN_ACK, ACK, (C, R, 101, 0, 0)], "RSTO", "ShAR"),
        (&[SYN, SYN_ACK, ACK, ASK, (V, R, 501, 0, 0)], "RSTR", "ShADr"),
        (&[SYN, (C, R, 101, 0, 0)], "RSTOS0", "SR"),
        (&[SYN, (C, F | A, 101, 0, 0)], "SH", "SF"),
        // Only the responder was seen.
        (&[SYN_ACK, (V, R, 501, 0, 0)], "RSTRH", "^hr"),
        (&[SYN_ACK, FIN_BACK], "SHR", "^hf"),
        // In the middle.
        (&[ASK, ANSWER], "OTH", "Dd"),
        (&[(C, F | S, 100, 0, 0)], "SH", "Q"),
        (&[SYN, SYN_ACK, ACK, (C, F | R, 101, 501, 0)], "RSTO", "ShAI"),
        // FIN, then RST of the same side, then the other side's FIN: an orderly end.
        (&[SYN, SYN_ACK, ACK, FIN, (C, R, 102, 0, 0), FIN_BACK], "SF", "ShAFRf"),
    ] {
        assert_eq!(play(segments), (conn_state, history.to_owned()), "{segments:?}");
    }
}

#[test]
fn a_zero_window_and_repeated_payload_are_told_at_powers_of_ten() {
    let mut scene = Scene::new();
    scene.handshake().tcp(C, A, 101, 501, 10);
    for _ in 0..10 {
        scene.tcp(C, A, 101, 501, 10);
    }
    scene.packet(&segment(V, Tcp { seq: 501, ack: 111, flags: A, zero_window: true }, 0));
    let table = scene.table();
    assert_eq!(state(&table, 0).1, "ShADTTaw");
    assert_eq!(table.columns.orig_missed, [0]);
}

#[test]
fn histories_longer_than_the_record_spill() {
    let mut scene = Scene::new();
    scene.handshake();
    for _ in 0..1000 {
        scene.packet(&segment(C, Tcp { seq: 101, ack: 501, flags: A, zero_window: true }, 10));
        scene.packet(&segment(V, Tcp { seq: 501, ack: 111, flags: A, zero_window: true }, 10));
    }
    // Zero windows 1000 times each, repeated payload 999 times: letters at 1, 10, 100, 1000.
    let text = state(&scene.table(), 0).1;
    assert_eq!(text.chars().filter(|&letter| letter == 'W').count(), 4);
    assert_eq!(text.chars().filter(|&letter| letter == 'w').count(), 4);
    assert_eq!(text.chars().filter(|&letter| letter == 'T').count(), 3);
    assert!(text.starts_with("ShADWdw"), "{text}");
}

#[test]
fn the_originator_is_the_best_known() {
    for (known, segments, port, by) in [
        (&[][..], &[SYN, SYN_ACK][..], 40000, "syn"),
        (&[], &[SYN_ACK, SYN], 40000, "syn"),
        (&[], &[SYN_ACK, ACK], 40000, "syn-ack"),
        (&[40000], &[SYN_ACK, ACK], 40000, "syn-ack"),
        (&[10000], &[ANSWER, ASK], 40000, "known-port"),
        (&[10000], &[ASK, ANSWER], 40000, "known-port"),
        // Both known: nothing is known.
        (&[10000, 40000], &[ANSWER, ASK], 10000, "guess"),
        (&[], &[ANSWER, ASK], 10000, "guess"),
    ] {
        let mut scene = Scene::with_known(known);
        for &(client, flags, seq, ack, length) in segments {
            scene.tcp(client, flags, seq, ack, length);
        }
        let table = scene.table();
        assert_eq!((table.rows(), originator(&table, 0)), (1, (port, by)), "{segments:?}");
    }
}

#[test]
fn everything_turns_with_the_originator() {
    let mut scene = Scene::new();
    // The server's payload was captured first, the SYN last.
    scene.tcp(V, A, 501, 111, 20).tcp(C, A, 111, 521, 0).tcp(C, S, 110, 0, 0);
    let table = scene.table();
    let columns = &table.columns;
    assert_eq!((table.rows(), originator(&table, 0)), (1, (40000, "syn")));
    assert_eq!((columns.orig_packets[0], columns.resp_packets[0]), (2, 1));
    assert_eq!((columns.orig_payload[0], columns.resp_payload[0]), (0, 20));
    assert_eq!((columns.orig_bytes[0], columns.resp_bytes[0]), (108, 74));
    assert_eq!((columns.orig_flags[0], columns.resp_flags[0], columns.syn_packets[0]), (S | A, A, 1));
    assert!(state(&table, 0).1.starts_with("^d"));
}

#[test]
fn a_new_handshake_is_a_new_flow() {
    let again = (C, S, 9000, 0, 0);
    for (segments, flows) in [
        // A SYN that came again, and one tried again without an answer.
        (&[SYN, SYN][..], 1),
        (&[SYN, again], 1),
        // Beyond the SYN, closed, refused.
        (&[SYN, SYN_ACK, ACK, again], 2),
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, again], 2),
        (&[SYN, (V, R | A, 0, 101, 0), again], 2),
        (&[SYN, (V, R | A, 0, 101, 0), again, (V, R | A, 0, 9001, 0)], 2),
        (&[ASK, ANSWER, again], 2),
        // The same SYN once more after everything: an old copy.
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, SYN], 1),
        // The SYN came late, behind its answer or behind the first payload.
        (&[SYN_ACK, SYN, ACK], 1),
        (&[ASK, (C, S, 100, 0, 0), ANSWER], 1),
        // Both ends at once.
        (&[SYN, (V, S, 500, 0, 0)], 1),
        // The other end opens the next one.
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, (V, S, 7000, 0, 0)], 2),
        // The SYN of the second connection was not captured.
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, (V, S | A, 7000, 1, 0)], 2),
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, SYN_ACK], 1),
        // Going on after a pause, without a SYN.
        (&[SYN, SYN_ACK, ACK, FIN, FIN_BACK, (C, A, 102, 502, 0)], 1),
    ] {
        let mut scene = Scene::new();
        for &(client, flags, seq, ack, length) in segments {
            scene.tcp(client, flags, seq, ack, length);
        }
        let table = scene.table();
        assert_eq!(table.rows(), flows, "{segments:?}");
        let packets: u64 = table.columns.orig_packets.iter().chain(&table.columns.resp_packets).sum();
        assert_eq!(packets, segments.len() as u64);
    }
}

#[test]
fn udp_states() {
    let packet = |client: bool| -> Packet<'static> {
        let (from, to) = if client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        Packet { payload: b"hello", payload_len: 5, ..bare(17, from, to) }
    };
    let mut scene = Scene::new();
    scene.packet(&packet(C));
    assert_eq!(state(&scene.table(), 0), ("S0", "D".to_owned()));
    let mut scene = Scene::new();
    scene.packet(&packet(C)).packet(&packet(V)).packet(&packet(C));
    let table = scene.table();
    assert_eq!(state(&table, 0), ("SF", "Dd".to_owned()));
    assert_eq!((table.columns.orig_payload[0], table.columns.resp_payload[0]), (10, 5));
    // Only the answer was captured.
    let mut scene = Scene::with_known(&[10000]);
    scene.packet(&packet(V));
    assert_eq!(state(&scene.table(), 0), ("SHR", "^d".to_owned()));
}

#[test]
fn echo_and_reply_are_one_flow() {
    for first_reply in [false, true] {
        let (ask, answer) = (icmp(CLIENT.0, SERVER.0, 8, 0, &[]), icmp(SERVER.0, CLIENT.0, 0, 0, &[]));
        let mut scene = Scene::new();
        if first_reply {
            scene.packet(&answer).packet(&ask)
        } else {
            scene.packet(&ask).packet(&answer)
        };
        let table = scene.table();
        assert_eq!((table.rows(), state(&table, 0).0), (1, "OTH"));
        assert_eq!((table.columns.orig_port[0], table.columns.resp_port[0]), (0, 0));
        let originator = table.addresses.text(table.columns.orig_addr[0]);
        assert_eq!(originator.as_deref(), Some("10.0.0.1"));
    }
}

#[test]
fn many_flows_are_all_found_again() {
    let mut scene = Scene::new();
    for round in 0..2 {
        for number in 0..20_000_u32 {
            let from = (0x0a00_0000 + number / 7, (number % 7) as u16 + 1);
            let mut packet = bare(17, from, SERVER);
            packet.payload_len = round;
            scene.packet(&packet);
        }
    }
    let table = scene.table();
    assert_eq!(table.rows(), 20_000);
    assert!(table.columns.orig_packets.iter().all(|&packets| packets == 2));
    assert!(table.columns.orig_payload.iter().all(|&payload| payload == 1));
    assert!(table.columns.first_packet.is_sorted());
}
