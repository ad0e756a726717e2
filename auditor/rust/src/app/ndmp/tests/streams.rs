//! Whole streams: pieces, order, holes, TLS, foreign bytes, direction.

use super::{Wire, addresses, dialogue, gist, ip4, named, numbered, record, segments};
use crate::app::ndmp::{
    Status,
    samples::{fragmented, hex},
};

#[test]
fn a_dialogue_gives_its_messages_and_its_address() {
    let mut wire = Wire::new(true);
    dialogue(&mut wire);
    assert!(wire.stream.confirmed() && !wire.stream.server_is_originator());
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x900, 0x900, 0x901, 0x901, 0x409, 0x409]);
    assert_eq!(events.messages.packet, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(events.messages.version, [0, 3, 3, 3, 3, 3, 3]);
    assert_eq!(events.messages.status, [0; 7]);
    assert_eq!(addresses(&events), [(0x409, ip4([192, 0, 2, 20]), 50123)]);
    assert_eq!(named(&events, "auth_id"), [(0, "backup".to_owned())]);
    let streams = &events.streams;
    assert_eq!((&streams.messages[..], &streams.skipped_bytes[..], &streams.began[..]), (&[7][..], &[0][..], &[0][..]));
}

#[test]
fn every_split_of_the_segments_gives_the_same() {
    let mut whole = Wire::new(true);
    dialogue(&mut whole);
    let whole = gist(&whole.finish());
    for size in 1..48 {
        let mut wire = Wire::new(true);
        for (from_responder, bytes) in segments() {
            for part in bytes.chunks(size) {
                wire.send(from_responder, part);
            }
        }
        assert_eq!(gist(&wire.finish()), whole, "segments of {size}");
    }
}

#[test]
fn frames_cut_at_96_bytes_still_give_their_headers() {
    let mut wire = Wire::new(true);
    for (from_responder, bytes) in segments() {
        wire.send_cut(from_responder, &bytes, 30);
    }
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x900, 0x900, 0x901, 0x901, 0x409, 0x409]);
    assert_eq!(events.messages.status, [Status::NotCaptured as u8; 7]);
    assert_eq!(events.messages.version, [0; 7]);
    assert_eq!(events.messages.packet, [1, 2, 3, 4, 5, 6, 7]);
    assert!(addresses(&events).is_empty());
    assert_eq!((events.streams.messages[0], events.streams.not_captured[0]), (7, 7));
}

#[test]
fn a_cut_body_keeps_its_first_fields_when_the_version_is_certain() {
    let mut wire = Wire::new(true);
    for (from_responder, bytes) in segments().into_iter().take(5) {
        wire.send(from_responder, &bytes);
    }
    wire.send_cut(false, &fragmented(), 300);
    let events = wire.finish();
    assert_eq!(events.messages.status.last(), Some(&(Status::NotCaptured as u8)));
    assert_eq!(named(&events, "bu_type"), [(0, "dump".to_owned())]);
}

#[test]
fn after_a_gap_the_next_record_is_found() {
    let mut wire = Wire::new(true);
    for (from_responder, bytes) in segments().into_iter().take(5) {
        wire.send(from_responder, &bytes);
    }
    // Lost: something of unknown framing. Then the end of a record, and whole ones, in one segment.
    wire.lose(true, 1000);
    let tail = [&[0x55_u8; 37][..], &numbered("V10", 9, 7), &numbered("V15", 10, 0)].concat();
    wire.send(true, &tail);
    let events = wire.finish();
    assert_eq!(&events.messages.message[5..], [0x409, 0x501]);
    assert_eq!(addresses(&events), [(0x409, ip4([192, 0, 2, 20]), 50123)]);
    assert_eq!(events.streams.skipped_bytes, [37]);
}

#[test]
fn a_stream_joined_in_the_middle_of_a_record_is_read_by_layout() {
    let mut wire = Wire::new(false);
    wire.send(true, &[&record("V19")[40..], &numbered("V12", 30, 12)].concat());
    wire.send(false, &numbered("V13", 12, 0));
    let events = wire.finish();
    assert_eq!(events.messages.version, [0, 4]);
    assert_eq!(addresses(&events).len(), 3);
    assert_eq!(addresses(&events)[0], (0xa01, ip4([198, 51, 100, 5]), 60001));
    assert_eq!(events.streams.began, [1]);
}

#[test]
fn foreign_bytes_of_one_side_leave_the_other_alone() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    wire.send(false, b"GET / HTTP/1.1\r\nHost: agent1\r\nUser-Agent: scanner\r\n\r\n");
    wire.send(true, &numbered("V15", 2, 0));
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x501]);
    assert_eq!(events.streams.skipped_bytes, [53]);
}

#[test]
fn tls_is_noticed_and_ndmp_after_it_read_again() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    wire.send(false, &numbered("V23", 1, 0));
    wire.send(true, &numbered("V24", 2, 1));
    wire.send(false, &[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]);
    wire.send(true, &[22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3]);
    wire.send(false, &[23, 3, 3, 0, 40]);
    wire.send(false, &[0xaa; 40]);
    wire.send_cut(true, &[&[23, 3, 3, 1, 0][..], &[9; 256]].concat(), 20);
    wire.send(false, &numbered("V09", 2, 0));
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0xf383, 0xf383, 0x409]);
    assert_eq!((events.streams.tls[0], events.streams.tls_packet[0]), (true, 4));
    assert_eq!(events.streams.skipped_bytes, [0]);
    assert_eq!(named(&events, "media_server_fqdn"), [(0, "media01.example.test".to_owned())]);
    assert_eq!(named(&events, "opcode"), [(4, String::new())]);
}

#[test]
fn a_server_that_is_the_originator_is_noticed_and_flipped() {
    let mut wire = Wire::new(false);
    let mut flipped = false;
    for (from_server, bytes) in segments() {
        wire.send(!from_server ^ flipped, &bytes);
        if wire.stream.server_is_originator() {
            wire.stream.flip();
            wire.next.swap(0, 1);
            flipped = !flipped;
        }
    }
    assert!(flipped && !wire.stream.server_is_originator());
    let events = wire.finish();
    assert_eq!(events.messages.from_responder, [true, false, true, false, true, false, true]);
}

#[test]
fn a_stream_that_never_convinces_gives_nothing() {
    let mut wire = Wire::new(true);
    // A time stamp of 0, as scanners send it, so that the clock proves nothing.
    let mut open = record("V02");
    open[8..12].fill(0);
    wire.send(false, &open);
    wire.send(false, &[0x5a; 500]);
    assert!(!wire.stream.confirmed());
    let events = wire.finish();
    assert!(events.messages.is_empty() && events.streams.flow.is_empty());
}

#[test]
fn a_refused_version_does_not_count() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    wire.send(false, &hex("8000001c0000000166a3c0de0000000000000900000000000000000000000004"));
    wire.send(true, &hex("8000001c0000000266a3c0de0000000100000900000000010000000000000009"));
    wire.send(true, &numbered("V10", 3, 0));
    let events = wire.finish();
    assert_eq!(events.messages.error, [0, 0, 9, 0]);
    assert_eq!(events.messages.version[3], 3);
}

#[test]
fn endless_fragments_end() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    let mut first = record("V02");
    first[..4].copy_from_slice(&100_u32.to_be_bytes());
    first.resize(104, 0);
    wire.send(false, &first);
    wire.send(false, &[0; 4000]);
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x900]);
    assert_eq!(events.messages.status[1], Status::Malformed as u8);
    assert!(events.streams.skipped_bytes[0] > 3900);
}

#[test]
fn cut_frames_joined_in_the_middle_are_believed_by_their_common_clock() {
    let mut wire = Wire::new(false);
    wire.lose(true, 10);
    for number in 20..24 {
        // The sender's clock is five years behind the capture's.
        let mut bytes = numbered("V19", number, 30);
        bytes[8..12].copy_from_slice(&0x5d40_0000_u32.to_be_bytes());
        wire.send_cut(true, &bytes, 30);
    }
    let events = wire.finish();
    assert_eq!(events.messages.sequence, [21, 22, 23]);
    assert_eq!(events.streams.skipped_bytes, [30]);
}

#[test]
fn bulk_is_counted_and_not_kept() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    let mut history =
        hex("8030001c 00000002 66a3c0de 00000000 00000703 00000000 00000000 00000007".replace(' ', "").as_str());
    history.resize(0x0030_0000 + 32, 0);
    for part in history.chunks(1448) {
        wire.send(true, part);
        assert!(wire.stream.memory() < 20_000);
    }
    wire.send(true, &numbered("V15", 3, 0));
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x703, 0x501]);
    assert_eq!(events.messages.status, [0; 3]);
    assert_eq!(named(&events, "fh_count"), [(7, String::new())]);
}

#[test]
fn a_body_too_long_to_keep_is_opaque_and_the_stream_goes_on() {
    let mut wire = Wire::new(true);
    wire.send(true, &record("V01"));
    let mut body = hex("0000000166a3c0de00000000000004020000000000000000");
    body.extend(1600_u32.to_be_bytes());
    for _ in 0..1600 {
        body.extend(hex("0000000156000000"));
        body.extend(1000_u32.to_be_bytes());
        body.extend([b'x'; 1000]);
    }
    body.extend(hex("000000000000000464756d70"));
    let mut long = (0x8000_0000 | u32::try_from(body.len()).expect("short")).to_be_bytes().to_vec();
    long.extend(body);
    for part in long.chunks(60_000) {
        wire.send(false, part);
    }
    wire.send(false, &numbered("V09", 2, 0));
    let events = wire.finish();
    assert_eq!(events.messages.message, [0x502, 0x402, 0x409]);
    assert_eq!(events.messages.status[2], Status::Decoded as u8);
    assert_eq!(events.messages.status[1], Status::Opaque as u8);
    assert_eq!(events.streams.not_captured, [0]);
}
