//! Compressed data by other people's encoders, whole and spoiled; bytes by hand where a format has a corner.

use std::io::{Cursor, ErrorKind, Read, Write};

use super::{Fault, Packing, unpack};
use crate::testing::hex;

/// Text that compresses, in several blocks of none of the formats.
fn text() -> Vec<u8> {
    (0..4000_u32).flat_map(|number| format!("line {number}\n").into_bytes()).collect()
}

fn packed(packing: Packing, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match packing {
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
            encoder.write_all(data).and_then(|()| encoder.finish().map(drop)).expect("memory");
        }
        Packing::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(&mut out, bzip2::Compression::fast());
            encoder.write_all(data).and_then(|()| encoder.finish().map(drop)).expect("memory");
        }
        // With checksums, as the programs of the two formats write by themselves.
        Packing::Zstd => {
            let mut encoder = zstd::Encoder::new(&mut out, 1).expect("memory");
            encoder.include_checksum(true).expect("an option");
            encoder.write_all(data).and_then(|()| encoder.finish().map(drop)).expect("memory");
        }
        Packing::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, &mut out);
            encoder.write_all(data).expect("memory");
            encoder.finish().expect("memory");
        }
        Packing::Xz => unreachable!("no encoder is compiled in"),
    }
    out
}

/// Everything that comes out, and the fault that ended it.
fn unpacked(packing: Packing, data: &[u8]) -> (Vec<u8>, Option<String>) {
    let (mut reader, _) = unpack(Box::new(Cursor::new(data.to_vec())), packing, false).expect("a thread");
    let (mut out, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (out, None),
            Ok(count) => out.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                assert!(
                    error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()).is_some(),
                    "{error:?} has no words"
                );
                return (out, Some(error.to_string()));
            }
        }
    }
}

const ENCODED: [Packing; 4] = [Packing::Gzip, Packing::Bzip2, Packing::Zstd, Packing::Lz4];

#[test]
fn members_follow_each_other_and_zeros_follow_them() {
    let text = text();
    for packing in ENCODED {
        let mut data = packed(packing, &text);
        assert_eq!(Packing::recognise(&data), Some(packing));
        data.extend(packed(packing, b"second"));
        assert_eq!(unpacked(packing, &data), ([&text[..], b"second"].concat(), None), "{packing:?}");
        data.extend([0; 700]);
        assert_eq!(unpacked(packing, &data).1, None, "{packing:?}");
        data.extend(b"something else");
        let (out, fault) = unpacked(packing, &data);
        assert_eq!(out.len(), text.len() + 6);
        assert!(fault.is_some_and(|words| words.contains("something else")), "{packing:?}");
    }
}

#[test]
fn what_came_before_a_cut_is_given_and_the_cut_is_told() {
    let text = text();
    for packing in ENCODED {
        let data = packed(packing, &text);
        for cut in (11..data.len()).step_by(data.len() / 60 + 1).chain([data.len() - 1]) {
            let (out, fault) = unpacked(packing, &data[..cut]);
            assert!(text.starts_with(&out), "{packing:?} cut at {cut}");
            let words = fault.unwrap_or_else(|| panic!("{packing:?} cut at {cut} of {} passes for whole", data.len()));
            assert!(words.contains("is cut") || words.contains("is damaged"), "{words}");
        }
    }
}

#[test]
fn no_flipped_byte_passes_or_harms() {
    let text = text();
    for packing in ENCODED {
        let data = packed(packing, &text);
        for at in (0..data.len()).step_by(data.len() / 60 + 1) {
            let mut flipped = data.clone();
            flipped[at] ^= 0x5a;
            if let (out, None) = unpacked(packing, &flipped) {
                // Fields that are not part of the data: gzip's time and system, a frame for somebody else.
                assert!(out == text || out.is_empty(), "{packing:?} flipped at {at}");
            }
        }
    }
}

#[test]
fn frames_for_other_programs_are_skipped() {
    for packing in [Packing::Zstd, Packing::Lz4] {
        let mut data = packed(packing, b"first");
        data.extend(hex("532a4d18 03000000 010203"));
        data.extend(packed(packing, b"second"));
        assert_eq!(unpacked(packing, &data), (b"firstsecond".to_vec(), None));
        data.extend(hex("532a4d18 03000000 01"));
        assert!(unpacked(packing, &data).1.is_some());
    }
}

#[test]
fn xz_by_hand() {
    // What `printf hello | xz --check=crc32` (xz 5.4) wrote; two streams, with the padding that the format allows.
    let stream = hex("fd377a585a0000016922de36 0200210116000000742fe5a3 01000468656c6c6f00000000 86a61036
         00011905bce8eccb 9042990d010000000001595a");
    assert_eq!(Packing::recognise(&stream), Some(Packing::Xz));
    let twice = [&stream[..], &[0; 8], &stream].concat();
    assert_eq!(unpacked(Packing::Xz, &twice), (b"hellohello".to_vec(), None));
    for cut in 12..stream.len() {
        assert!(unpacked(Packing::Xz, &stream[..cut]).1.is_some(), "cut at {cut}");
    }
    // A block header that asks for a dictionary of 4 GiB (filter property 40), its CRC32 right.
    let greedy = hex("fd377a585a0000016922de36 0200210128000000 e6a011b3 01000468656c6c6f00");
    assert!(unpacked(Packing::Xz, &greedy).1.is_some());
}

#[test]
fn more_than_is_believable_is_refused() {
    // RFC 8878: a frame of a window of 128 KiB whose blocks each repeat one zero 128 Ki times. 2^12 of them are 512 MiB.
    let mut data = hex("28b52ffd 00 38");
    for _ in 0..4096 {
        // Type 1 (RLE), size 0x20000: (0x20000 << 3) | (1 << 1).
        data.extend([0x02, 0x00, 0x10, 0x00]);
    }
    let (mut reader, _) = unpack(Box::new(Cursor::new(data)), Packing::Zstd, false).expect("a thread");
    let mut count = 0_u64;
    let mut buffer = vec![0; 1 << 20];
    let error = loop {
        match reader.read(&mut buffer) {
            Ok(0) => panic!("all of it came out"),
            Ok(more) => count += more as u64,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("more than 1000 times its size"), "{error}");
    assert!(count <= super::FREE, "{count}");
}
