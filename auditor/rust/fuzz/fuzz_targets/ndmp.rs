//! What two ends say to each other, on the port that the first byte names: NDMP, TLS, names out of DNS, DHCP, NetBIOS
//! and SMTP, and whatever else is recognised from payload, with segments lost, repeated and cut as the bytes between them say.
#![no_main]

use auditor_fuzz::{End, Scene, tcp, udp};
use libfuzzer_sys::fuzz_target;

const SYN: u8 = 2;
const ACK: u8 = 16;
/// Two of a kind where a conversation may be met on its port or on another; seeds.py knows this order.
const PORTS: [u16; 16] =
    [10000, 10000, 9999, 25, 443, 6101, 53, 137, 5353, 5355, 138, 67, 68, 123, 161, 3527];

fuzz_target!(|data: &[u8]| {
    let [choice, data @ ..] = data else { return };
    let (one, other): (End, End) = ((1, 40000), (2, PORTS[usize::from(choice & 15)]));
    let datagrams = choice & 0x40 != 0;
    let mut scene = Scene::default();
    let mut next = [1u32, 1u32];
    if choice & 0x80 == 0 && !datagrams {
        scene.frame(&tcp(one, other, SYN, 0, 0, &[]));
        scene.frame(&tcp(other, one, SYN | ACK, 0, 1, &[]));
    }
    let mut rest = data;
    // A step: which side and what happens to the segment, its length in two bytes, its payload.
    while let [how, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]) & 0x1fff).min(tail.len());
        let (payload, behind) = tail.split_at(length);
        rest = behind;
        let side = usize::from(how & 1);
        let (from, to) = if side == 0 { (one, other) } else { (other, one) };
        if datagrams {
            scene.frame(&udp(from, to, payload));
            continue;
        }
        let seq = next[side];
        next[side] = seq.wrapping_add(length as u32);
        match how >> 1 & 7 {
            7 => {} // lost
            6 => scene.frame(&tcp(from, to, ACK, seq.wrapping_sub(4), next[1 - side], payload)),
            5 => (0..2).for_each(|_| scene.frame(&tcp(from, to, ACK, seq, next[1 - side], payload))),
            _ => scene.frame(&tcp(from, to, ACK, seq, next[1 - side], payload)),
        }
    }
    scene.finish();
});
