//! Missed bytes: holes, reordering, repetition, wrapping numbers.

use super::{A, F, S, Scene};
use crate::flow::record::mark;

const C: bool = true;
const V: bool = false;

/// Sends client segments of (seq, length) after a handshake (next number 101); gives the bytes missed.
fn missed(segments: &[(u32, u32)]) -> u64 {
    let mut scene = Scene::new();
    scene.handshake();
    for &(seq, length) in segments {
        scene.tcp(C, A, seq, 501, length);
    }
    let table = scene.table();
    assert_eq!(table.columns.resp_missed[0], 0);
    table.columns.orig_missed[0]
}

#[test]
fn holes_count_unless_they_are_filled() {
    for (segments, bytes) in [
        (&[(101, 10), (111, 10)][..], 0),
        (&[(101, 10), (121, 10)], 10),
        // Filled late: whole, in two parts, in part, beyond both ends.
        (&[(101, 10), (121, 10), (111, 10)], 0),
        (&[(101, 10), (121, 10), (111, 4), (115, 6)], 0),
        (&[(101, 10), (121, 10), (116, 5)], 5),
        (&[(101, 10), (121, 10), (113, 4)], 6),
        (&[(101, 10), (121, 10), (101, 100)], 0),
        // Two holes, the second filled, then the first.
        (&[(111, 10), (131, 10), (121, 10)], 10),
        (&[(111, 10), (131, 10), (101, 30)], 0),
        // Repetition and keep-alives fill nothing and open nothing.
        (&[(101, 10), (101, 10), (110, 1), (110, 0)], 0),
        (&[(101, 10), (121, 10), (101, 10)], 10),
        // A bare acknowledgement shows that payload went before it.
        (&[(101, 10), (131, 0)], 20),
        // One number may be a FIN that was not captured.
        (&[(101, 10), (112, 0)], 0),
        // Garbage far away is no hole.
        (&[(101, 10), (0x7000_0000, 10), (0x7000_000a, 5)], 0),
    ] {
        assert_eq!(missed(segments), bytes, "{segments:?}");
    }
}

#[test]
fn a_hole_that_was_acknowledged_is_not_looked_at_any_more_and_filled_all_the_same() {
    let mut scene = Scene::new();
    let looks = |scene: &mut Scene| scene.tracker.table.record(0).is(mark::HOLES);
    scene.handshake();
    scene.tcp(C, A, 101, 501, 10);
    scene.tcp(C, A, 121, 501, 10);
    scene.tcp(V, A, 501, 111, 0);
    assert!(looks(&mut scene));
    scene.tcp(V, A, 501, 131, 0);
    assert!(!looks(&mut scene));
    // Another one beside it, then four of the first ten.
    scene.tcp(C, A, 141, 501, 10);
    assert!(looks(&mut scene));
    scene.tcp(C, A, 111, 501, 4);
    assert_eq!(scene.table().columns.orig_missed[0], 6 + 10);
}

/// Sends client segments of (seq, length) after a handshake (next number 101), then a FIN; gives the bytes repeated.
fn repeated(segments: &[(u32, u32)], fin: u32) -> u64 {
    let mut scene = Scene::new();
    scene.handshake();
    for &(seq, length) in segments {
        scene.tcp(C, A, seq, 501, length);
    }
    scene.tcp(C, F | A, fin, 501, 0);
    let table = scene.table();
    assert_eq!(table.columns.resp_repeated[0], 0);
    table.columns.orig_repeated[0]
}

#[test]
fn what_comes_again_counts_as_repeated() {
    for (segments, fin, bytes) in [
        (&[(101, 10), (111, 10)][..], 121, 0),
        (&[(101, 10), (101, 10), (111, 10)], 121, 10),
        // Half of it new; a keep-alive of one old byte; out of order, nothing twice.
        (&[(101, 10), (106, 10)], 116, 5),
        (&[(101, 10), (110, 1)], 111, 1),
        (&[(101, 10), (121, 10), (111, 10)], 131, 0),
        // A hole that stays, and repetition on both sides of it.
        (&[(101, 10), (121, 10), (101, 10), (125, 6)], 131, 16),
        // Garbage far away says nothing.
        (&[(101, 10), (0x7000_0000, 10)], 0x7000_000a, 0),
    ] {
        assert_eq!(repeated(segments, fin), bytes, "{segments:?}");
    }
}

#[test]
fn repetition_is_counted_over_the_wrap_and_beyond_4_gib() {
    let start = u32::MAX - 14;
    let mut scene = Scene::new();
    scene.tcp(C, S, start.wrapping_sub(1), 0, 0).tcp(V, S | A, 500, start, 0);
    scene.tcp(C, A, start, 501, 20).tcp(C, A, start.wrapping_add(10), 501, 10);
    assert_eq!(scene.table().columns.orig_repeated, [10]);
    let mut scene = Scene::new();
    scene.handshake();
    let mut seq = 101_u32;
    for _ in 0..100_000 {
        scene.tcp(C, A, seq, 501, 60_000);
        seq = seq.wrapping_add(60_000);
    }
    scene.tcp(C, A, seq.wrapping_sub(60_000), 501, 60_000);
    assert_eq!(scene.table().columns.orig_repeated, [60_000]);
}

#[test]
fn numbers_wrap() {
    let start = u32::MAX - 14;
    let mut scene = Scene::new();
    scene.tcp(C, S, start.wrapping_sub(1), 0, 0).tcp(V, S | A, 500, start, 0);
    // Ten bytes, a hole of ten over the wrap, ten bytes; then the hole's second half.
    scene.tcp(C, A, start, 501, 10).tcp(C, A, start.wrapping_add(20), 501, 10);
    scene.tcp(C, A, start.wrapping_add(15), 501, 5);
    assert_eq!(scene.table().columns.orig_missed, [5]);
}

#[test]
fn gigabytes_pass_without_a_hole() {
    let mut scene = Scene::new();
    scene.handshake();
    let mut seq = 101_u32;
    for _ in 0..300_000 {
        scene.tcp(C, A, seq, 501, 60_000);
        seq = seq.wrapping_add(60_000);
    }
    let table = scene.table();
    assert_eq!((table.columns.orig_missed[0], table.columns.orig_payload[0]), (0, 18_000_000_000));
}

#[test]
fn acknowledgements_tell_of_what_was_not_captured() {
    let mut scene = Scene::new();
    scene.handshake().tcp(C, A, 101, 501, 10).tcp(V, A, 501, 141, 0);
    let table = scene.table();
    assert_eq!(table.columns.orig_missed, [30]);
    // The letter of a gap is that of the side whose bytes are missing.
    assert_eq!(table.history_text(0).as_deref(), Some("ShADaG"));
    // Captured late after all.
    let mut scene = Scene::new();
    scene.handshake().tcp(V, A, 501, 141, 0).tcp(C, A, 101, 501, 40);
    assert_eq!(scene.table().columns.orig_missed, [0]);
}

#[test]
fn a_capture_that_begins_in_the_middle_misses_nothing() {
    let mut scene = Scene::new();
    scene.tcp(V, A, 70_000, 9_000, 100).tcp(C, A, 9_500, 70_100, 50).tcp(C, F | A, 9_550, 70_100, 0);
    let table = scene.table();
    assert_eq!((table.columns.orig_missed[0], table.columns.resp_missed[0]), (0, 0));
}

#[test]
fn more_holes_than_are_kept_still_count() {
    let segments: Vec<(u32, u32)> = (0..1000).map(|number| (111 + number * 20, 10)).collect();
    assert_eq!(missed(&segments), 10_000);
}
