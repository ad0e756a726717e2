//! Shuffled, lost, cut and mutated segments.

use super::{SEQ, VECTORS, Wire, addresses, empty, gist, numbered, record, segments};
use crate::app::ndmp::{
    Chunk, decode_records,
    samples::{Noise, fragmented},
};

/// One direction's stream in segments of random size, shuffled, some sent twice, across the wrap of the sequence.
#[test]
fn any_order_of_segments_gives_the_same() {
    let mut noise = Noise(11);
    let stream: Vec<u8> = [record("V02"), numbered("V05", 2, 0), fragmented(), numbered("V09", 4, 0)].concat();
    let mut plain = Wire::new(true);
    plain.send(false, &stream);
    let plain = gist(&plain.finish());
    for _ in 0..200 {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < stream.len() {
            let len = (1 + noise.below(400)).min(stream.len() - at);
            parts.push((at, len));
            if noise.below(8) == 0 {
                parts.push((at.saturating_sub(noise.below(50)), len));
            }
            at += len;
        }
        for index in (1..parts.len()).rev() {
            parts.swap(index, noise.below(index + 1));
        }
        let mut wire = Wire::new(true);
        let syn = Chunk { from_responder: false, seq: SEQ[0].wrapping_sub(1), syn: true, ..empty() };
        wire.stream.push(&syn, &mut wire.events);
        for (at, len) in parts {
            let seq = SEQ[0].wrapping_add(u32::try_from(at).expect("short"));
            wire.chunk(false, seq, &stream[at..at + len], len);
        }
        assert_eq!(gist(&wire.finish()), plain);
    }
}

/// Real addresses of the vectors: nothing else may ever come out of damaged streams.
#[test]
fn losing_and_cutting_segments_never_invents_an_address() {
    let known: Vec<_> = VECTORS
        .iter()
        .filter(|vector| vector.version == 3)
        .flat_map(|vector| {
            let mut wire = Wire::new(true);
            wire.send(true, &record("V01"));
            wire.send(vector.from_server, &vector.bytes());
            addresses(&wire.finish())
        })
        .collect();
    let mut noise = Noise(23);
    for round in 0..2000 {
        let mut wire = Wire::new(round % 2 == 0);
        for (from_responder, bytes) in segments() {
            wire.send_cut(from_responder, &bytes, bytes.len());
        }
        for vector in VECTORS.iter().filter(|vector| vector.version == 3) {
            let bytes = vector.bytes();
            let split = noise.below(bytes.len());
            for part in [&bytes[..split], &bytes[split..]] {
                match noise.below(4) {
                    0 => wire.lose(vector.from_server, u32::try_from(part.len()).expect("short")),
                    1 => wire.send_cut(vector.from_server, part, noise.below(60)),
                    _ => wire.send(vector.from_server, part),
                }
            }
        }
        for address in addresses(&wire.finish()) {
            assert!(known.contains(&address), "round {round}: {address:?}");
        }
    }
}

#[test]
fn mutated_streams_never_panic_and_stay_small() {
    let mut noise = Noise(42);
    for _ in 0..3000 {
        let mut wire = Wire::new(noise.below(2) == 0);
        for vector in VECTORS {
            let mut bytes = vector.bytes();
            for _ in 0..noise.below(4) {
                let at = noise.below(bytes.len());
                bytes[at] = noise.next().to_le_bytes()[0];
            }
            if noise.below(6) == 0 {
                bytes.truncate(noise.below(bytes.len()));
            }
            let _ = decode_records(&bytes, u8::try_from(noise.below(6)).expect("small"));
            let cut = if noise.below(5) == 0 { noise.below(bytes.len() + 1) } else { bytes.len() };
            wire.send_cut(noise.below(8) == 0 || vector.from_server, &bytes, cut);
            if noise.below(20) == 0 {
                wire.lose(vector.from_server, u32::try_from(noise.below(1 << 20)).expect("small"));
            }
            assert!(wire.stream.memory() < 3 << 20);
        }
        wire.finish();
    }
}

/// The incremental framer against the plain decoder of whole records.
#[test]
fn both_ways_of_joining_records_agree() {
    let mut noise = Noise(5);
    for _ in 0..300 {
        let mut stream = record("V01");
        for _ in 0..8 {
            match noise.below(VECTORS.len() + 1) {
                0 => stream.extend(fragmented()),
                index => stream.extend(VECTORS[index - 1].bytes()),
            }
        }
        let plain = decode_records(&stream, 0).expect("records");
        let mut wire = Wire::new(true);
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            let (part, behind) = rest.split_at((1 + noise.below(1500)).min(rest.len()));
            wire.send(true, part);
            rest = behind;
        }
        let events = wire.finish();
        let codes: Vec<_> = plain.iter().map(|record| (record.message, record.sequence, record.length)).collect();
        let m = &events.messages;
        let read: Vec<_> = (0..m.len()).map(|row| (m.message[row], m.sequence[row], m.length[row])).collect();
        assert_eq!(read, codes);
    }
}

/// Every byte position as the first of a capture that begins in the middle of a stream.
#[test]
fn joining_anywhere_finds_the_next_record() {
    let stream: Vec<u8> = (20..24).flat_map(|number| numbered("V10", number, number - 1)).collect();
    for start in 0..3 * 44 {
        let mut wire = Wire::new(false);
        wire.send(true, &stream[start..]);
        let events = wire.finish();
        let first = start.div_ceil(44);
        assert_eq!(events.messages.len(), 4 - first, "from byte {start}");
        assert_eq!(addresses(&events).len(), 4 - first, "from byte {start}");
    }
}
