//! Hostile traffic: nothing panics, nothing is lost.

use super::{CLIENT, SERVER, Scene, bare, icmp, quotation};
use crate::decode::{Fragment, Packet, Tcp};
use crate::testing::Random;

static QUOTED: std::sync::LazyLock<[u8; 28]> = std::sync::LazyLock::new(|| quotation(6));

fn any_packet(random: &mut Random) -> Packet<'static> {
    let near = [(CLIENT, SERVER), (SERVER, CLIENT), (CLIENT, CLIENT)][random.below(3)];
    let mut packet = bare([1, 6, 17, 47][random.below(4)], near.0, near.1);
    packet.payload_len = [0, 1, 10, 1448, u32::MAX][random.below(5)];
    let number = |random: &mut Random| [100, 101, 102, 150, u32::MAX, 1 << 31][random.below(6)];
    match packet.tuple.protocol {
        6 => {
            packet.tcp = Some(Tcp {
                seq: number(random),
                ack: number(random),
                flags: random.next() as u8,
                zero_window: random.below(4) == 0,
            });
        }
        1 => {
            packet.icmp = icmp(0, 0, random.below(20) as u8, random.below(16) as u8, &*QUOTED).icmp;
        }
        _ => {}
    }
    if random.below(5) == 0 {
        packet.fragment = Some(Fragment {
            id: random.below(3) as u32,
            offset: [0, 8, 16, 65528][random.below(4)],
            length: packet.payload_len.min(65535),
            more: random.below(2) == 0,
        });
    }
    packet
}

#[test]
fn any_sequence_of_packets_is_counted_in_full() {
    for seed in 1..400 {
        let mut random = Random(seed * 0x9e37_79b9);
        let mut scene = Scene::new();
        let count = 1 + random.below(200);
        for _ in 0..count {
            let mut packet = any_packet(&mut random);
            packet.payload_len = packet.payload_len.min(u32::MAX - 54);
            scene.packet(&packet);
        }
        let table = scene.table();
        let columns = &table.columns;
        let packets: u64 = columns.orig_packets.iter().chain(&columns.resp_packets).sum();
        assert_eq!(packets, count as u64, "seed {seed}");
        assert!(columns.first_packet.is_sorted());
        for row in 0..table.rows() {
            assert!(table.history_text(row as u32).is_some());
            assert!(columns.first_packet[row] <= columns.last_packet[row]);
        }
    }
}
