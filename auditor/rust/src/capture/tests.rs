//! Expected values are worked out by hand from draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.

use super::Fault;
use crate::problem::Problem;
use crate::testing::{Owned, Random, frames, hex, reader};

const FRAME: [u8; 4] = [0xde, 0xad, 0xbe, 0xef];

fn read(text: &str) -> (Vec<Owned>, Option<Fault>) {
    frames(&mut reader(&hex(text)).expect("a capture"))
}

fn damage(fault: Option<Fault>) -> (Problem, u64) {
    match fault {
        Some(Fault::Damage { problem, offset, .. }) => (problem, offset),
        other => panic!("no damage: {other:?}"),
    }
}

/// One frame of 4 bytes at 2 s and 3 units, 9 bytes on the wire; link type Ethernet, snaplen 0x40000.
const PCAP_LE_US: &str = "
    d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000   # file header
    02000000 03000000 04000000 09000000 deadbeef             # record";

#[test]
fn pcap_in_both_orders_and_units() {
    let big_ns = "
        a1b23c4d 0002 0004 00000000 00000000 00040000 00000001
        00000002 00000003 00000004 00000009 deadbeef";
    for (text, time) in [(PCAP_LE_US, 2_000_003_000), (big_ns, 2_000_000_003)] {
        let (frames, fault) = read(text);
        assert!(fault.is_none());
        assert_eq!(frames, [Owned { time, link: 1, wire_len: 9, data: FRAME.to_vec(), untimed: false }]);
    }
}

#[test]
fn pcap_facts_and_the_upper_half_of_the_link_type() {
    // 0xf4000071: frame check sequences of 2 x 15 bytes, link type 113.
    let text = "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 710000f4";
    let mut reader = reader(&hex(text)).expect("a capture");
    assert_eq!((reader.format(), reader.facts().snaplen), ("pcap", Some(65535)));
    assert!(matches!(reader.next_frame(), Ok(None)));
    let with_frame = format!("{text} 00000000 00000000 00000000 00000000");
    assert_eq!(read(&with_frame).0[0].link, 113);
}

#[test]
fn modified_pcap_has_longer_record_headers() {
    let (frames, fault) = read(
        "34cdb2a1 0200 0400 00000000 00000000 ffff0000 01000000
         02000000 03000000 04000000 04000000  01000000 0800 00 00  deadbeef",
    );
    assert!(fault.is_none());
    assert_eq!((frames.len(), &frames[0].data[..]), (1, &FRAME[..]));
}

#[test]
fn what_came_before_the_cut_counts() {
    let whole = hex(PCAP_LE_US);
    for length in 25..whole.len() {
        let (frames, fault) = frames(&mut reader(&whole[..length]).expect("a capture"));
        assert!(frames.is_empty());
        assert_eq!(damage(fault), (Problem::CutRecord, 24), "cut at {length}");
    }
    let mut more = whole.clone();
    more.extend([0; 7]);
    let (frames, fault) = frames(&mut reader(&more).expect("a capture"));
    assert_eq!(frames.len(), 1);
    assert_eq!(damage(fault), (Problem::CutRecord, 44));
}

#[test]
fn impossible_lengths_end_a_pcap() {
    for length in ["ffffffff", "01001000"] {
        let text =
            format!("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 00000000 00000000 {length} 09000000");
        assert_eq!(damage(read(&text).1), (Problem::OversizedRecord, 24));
    }
}

#[test]
fn files_that_are_no_captures_are_told_apart() {
    for (bytes, words) in [
        (&b""[..], "is empty"),
        (b"dear reader, this is a letter", "is not a capture"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "compressed twice: there is gzip"),
        (b"\x28\xb5\x2f\xfd\0\0", "compressed twice: there is zstd"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "has 6 bytes of 24"),
        (b"\xab\x01\0\x1c\x02\0", "has 6 bytes of 28"),
        (b"snoop\0\0\0\0\0\0\x03", "snoop"),
        (b"PK\x03\x04", "zip"),
    ] {
        let error = reader(bytes).err().expect("no capture");
        assert!(error.contains(words), "{error:?} should contain {words:?}");
    }
}

/// A section, an interface with nanoseconds (resolution 9) and one with 2^-10 s and an offset of 100 s, a name block
/// that is skipped, an enhanced packet of each, a simple packet, an obsolete packet, statistics.
const PCAPNG_LE: &str = "
    0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
    01000000 20000000 0100 0000 60000000  0900 0100 09 000000  0000 0000 20000000
    01000000 2c000000 6500 0000 00000000  0900 0100 8a 000000  0e00 0800 6400000000000000  0000 0000 2c000000
    04000000 10000000 00000000 10000000
    06000000 24000000 00000000 00000000 07000000 04000000 09000000 deadbeef 24000000
    06000000 24000000 01000000 00000000 00060000 03000000 03000000 deadbe00 24000000
    03000000 14000000 04000000 deadbeef 14000000
    02000000 24000000 0000 0500 01000000 00000000 04000000 04000000 deadbeef 24000000
    05000000 24000000 00000000 00000000 00000000  0500 0800 0700000000000000  24000000";

#[test]
fn pcapng_blocks_clocks_and_statistics() {
    let mut reader = reader(&hex(PCAPNG_LE)).expect("a capture");
    let (frames, fault) = frames(&mut reader);
    assert!(fault.is_none(), "{fault:?}");
    let expected = [
        (7, 1, 9, 4, false),
        // 0x600 = 1536 units of 1/1024 s are 1.5 s, and 100 s of offset.
        (101_500_000_000, 101, 3, 3, false),
        // A simple packet has no time: that of the frame before it.
        (101_500_000_000, 1, 4, 4, true),
        // 2^32 ns.
        (4_294_967_296, 1, 4, 4, false),
    ];
    let found: Vec<_> = frames.iter().map(|f| (f.time, f.link, f.wire_len, f.data.len(), f.untimed)).collect();
    assert_eq!(found, expected);
    let facts = reader.facts();
    // 5 told by the obsolete packet block, 7 by the statistics.
    assert_eq!((facts.snaplen, facts.drops), (Some(0x60), Some(12)));
}

#[test]
fn sections_may_differ_in_byte_order_and_begin_anew() {
    let big = "
        0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
        00000001 00000014 0001 0000 00000000 00000014
        00000006 00000024 00000000 00000000 00000007 00000004 00000004 deadbeef 00000024";
    let (frames, fault) = read(&format!("{PCAPNG_LE}{big}"));
    assert!(fault.is_none(), "{fault:?}");
    // Microseconds are the default.
    assert_eq!((frames.len(), frames[4].time), (5, 7000));
    // Interfaces end with their section.
    let orphan = "
        0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
        00000006 00000024 00000000 00000000 00000007 00000004 00000004 deadbeef 00000024";
    assert_eq!(damage(read(orphan).1), (Problem::BadBlock, 28));
}

#[test]
fn damaged_blocks_end_a_pcapng() {
    let head = "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
                01000000 14000000 0100 0000 00000000 14000000";
    for (block, problem) in [
        // trailer differs
        ("06000000 24000000 00000000 00000000 00000000 04000000 04000000 deadbeef 28000000", Problem::BadBlockLength),
        ("06000000 0b000000 00000000", Problem::BadBlockLength),
        ("06000000 0d000000 00000000", Problem::BadBlockLength),
        ("06000000 00000080 00000000", Problem::OversizedRecord),
        // claims 5 captured bytes, the block has 4
        ("06000000 24000000 00000000 00000000 00000000 05000000 05000000 deadbeef 24000000", Problem::BadBlock),
        ("06000000 24000000 00000000 00000000 00000000 ffffffff 05000000 deadbeef 24000000", Problem::BadBlock),
        ("03000000 0c000000 0c000000", Problem::BadBlock),
        ("01000000 0c000000 0c000000", Problem::BadBlock),
        ("06000000 24000000 00000000 00000000", Problem::CutRecord),
        ("0b0b0000 24000000 00000000 00000000", Problem::CutRecord),
    ] {
        let (frames, fault) = read(&format!("{head}{block}"));
        assert!(frames.is_empty());
        assert_eq!(damage(fault).0, problem, "{block}");
    }
    // The section header itself: libpcap's shb-option-too-long.
    assert_eq!(damage(read("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 30303030").1).1, 0);
}

#[test]
fn frames_longer_than_the_buffer_are_read_whole() {
    let mut file = hex("d4c3b2a1 0200 0400 00000000 00000000 00001000 01000000");
    for length in [700_000_u32, 1, 1 << 20] {
        file.extend([0; 8]);
        file.extend(length.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(std::iter::repeat_n(length as u8, length as usize));
    }
    let (frames, fault) = frames(&mut reader(&file).expect("a capture"));
    assert!(fault.is_none());
    assert_eq!(frames.iter().map(|f| f.data.len()).collect::<Vec<_>>(), [700_000, 1, 1 << 20]);
}

#[test]
fn no_bytes_make_a_reader_panic_or_run_on() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in [PCAP_LE_US, PCAPNG_LE] {
        let whole = hex(seed);
        for _ in 0..5_000 {
            let mut bytes = whole.clone();
            random.mutate(&mut bytes);
            if let Ok(mut reader) = reader(&bytes) {
                let (frames, _) = frames(&mut reader);
                assert!(frames.len() <= bytes.len());
            }
        }
    }
}
