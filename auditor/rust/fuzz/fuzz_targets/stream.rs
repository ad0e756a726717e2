//! Segments of four connections in any order, with any flags, numbers and lengths.
#![no_main]

use auditor_fuzz::{End, Scene, tcp};
use libfuzzer_sys::fuzz_target;

const NEAR_END: u32 = u32::MAX - 2000;
const PAYLOAD: [u8; 256] = [0x2e; 256];
const ENDS: [(End, End); 4] =
    [((1, 40000), (2, 10000)), ((1, 40001), (2, 10000)), ((2, 50000), (1, 50001)), ((3, 10000), (3, 10000))];

fuzz_target!(|data: &[u8]| {
    let mut scene = Scene::default();
    for step in data.chunks_exact(8).take(4096) {
        let (one, other) = ENDS[usize::from(step[0] & 3)];
        let (from, to) = if step[0] & 4 == 0 { (one, other) } else { (other, one) };
        // Numbers stay near each other, and near the end of the number space, or nothing would ever fit.
        let seq = NEAR_END.wrapping_add(u32::from(u16::from_be_bytes([step[2], step[3]])) % 4096);
        let ack = NEAR_END.wrapping_add(u32::from(u16::from_be_bytes([step[4], step[5]])) % 4096);
        scene.frame(&tcp(from, to, step[1], seq, ack, &PAYLOAD[..usize::from(step[6])]));
    }
    let table = scene.finish();
    let columns = &table.columns;
    let packets: u64 = columns.orig_packets.iter().chain(&columns.resp_packets).sum();
    assert_eq!(packets, data.chunks_exact(8).take(4096).len() as u64);
});
