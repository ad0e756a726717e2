//! Nothing is recognised in random segments: a wrong answer is worse than none.
//!
//! `AUDITOR_SEGMENTS` says how many (`make fuzz-recogniser` asks for ten million); the seed is fixed, so that a hit can be
//! had again. Segments go the way of real ones, through the flow table, on NDMP's port and on others.

use auditor_native::app::{APPS, App};
use auditor_native::decode::{Ends, Packet, Tcp, Tuple, flag, protocol};
use auditor_native::flow::{PortSet, Stamp, Tracker};

/// Segments of one flow: two of the originator, one of the responder.
const PER_FLOW: u64 = 3;
/// Flows of one table.
const FLOWS: u64 = 20_000;
const LONGEST: usize = 1460;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Short segments as often as long ones: what is recognised stands at the beginning.
    fn fill<'a>(&mut self, buffer: &'a mut [u8; LONGEST]) -> &'a [u8] {
        let most = [12, 64, 300, LONGEST as u64][(self.next() % 4) as usize];
        let length = 1 + (self.next() % most) as usize;
        for eight in buffer[..length].chunks_mut(8) {
            eight.copy_from_slice(&self.next().to_le_bytes()[..eight.len()]);
        }
        &buffer[..length]
    }
}

fn flow(tracker: &mut Tracker, random: &mut Random, number: u64) {
    let transport = if random.next().is_multiple_of(4) { protocol::UDP } else { protocol::TCP };
    let port = if random.next().is_multiple_of(2) { 10_000 } else { 20_000 };
    let (mut buffer, mut sent) = ([0; LONGEST], [1_u32; 2]);
    for (turn, side) in [0_usize, 1, 0].into_iter().enumerate() {
        let payload = random.fill(&mut buffer);
        let mut ends = [(0x0a00_0000 + number as u32, 1024), (0x0b00_0001, port)];
        ends.rotate_left(side);
        let [(source, source_port), (destination, destination_port)] = ends;
        let tcp = Tcp { seq: sent[side], ack: sent[1 - side], flags: flag::ACK, zero_window: false };
        sent[side] += payload.len() as u32;
        let packet = Packet {
            tuple: Tuple { ends: Ends::V4 { source, destination }, protocol: transport, source_port, destination_port },
            vlan: 0,
            tunnel: 0,
            tcp: (transport == protocol::TCP).then_some(tcp),
            icmp: None,
            payload,
            payload_len: payload.len() as u32,
            cut: false,
            fragment: None,
            problem: None,
        };
        let serial = number * PER_FLOW + turn as u64;
        let time = 1_790_000_000_000_000_000 + serial.cast_signed() * 1000;
        tracker.packet(&packet, None, &Stamp { serial, file: 0, time, wire_len: 1500 });
    }
}

#[test]
fn nothing_is_recognised_in_random_segments() {
    let wanted = std::env::var("AUDITOR_SEGMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300_000_u64);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut done = 0;
    while done < wanted {
        let ports: PortSet = [10_000].into_iter().collect();
        let mut tracker = Tracker::new(PortSet::default(), ports);
        for number in 0..FLOWS {
            flow(&mut tracker, &mut random, number);
        }
        done += FLOWS * PER_FLOW;
        let finished = tracker.finish();
        assert_eq!(finished.events.messages.len(), 0, "an NDMP message among the first {done} segments");
        assert!(finished.events.names.is_empty() && finished.events.handshakes.is_empty());
        for (row, record) in finished.table.into_chunks().flatten().enumerate() {
            let app = APPS[usize::from(record.app)];
            assert_eq!(record.app, App::Unknown as u8, "{app} in flow {row} among the first {done} segments");
        }
    }
    println!("{done} random segments, nothing recognised");
}
