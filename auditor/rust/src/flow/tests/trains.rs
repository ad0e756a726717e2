//! A train is credited as its packets are one by one, or not at all.

use super::super::{Stamp, Tracker};
use super::{A, CLIENT, S, SERVER};
use crate::decode::{Headers, protocol};
use crate::entry::Entry;
use crate::testing::Random;
use crate::train::Train;
use crate::units::Units;

/// Headers of a packet between the two, of TCP unless told.
fn headers(client: bool, flags: u8, (seq, ack, length): (u32, u32, u32), udp: bool) -> Headers {
    let (from, to) = if client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let protocol = if udp { protocol::UDP } else { protocol::TCP };
    let [seq, ack] = [seq, ack].map(|number| if udp { 0 } else { number });
    Headers {
        source: from.0,
        destination: to.0,
        source_port: from.1,
        destination_port: to.1,
        seq,
        ack,
        payload_len: length,
        protocol,
        flags: if udp { 0 } else { flags },
        payload: 54,
        ip: 14,
        ..Headers::default()
    }
}

struct Both {
    one_by_one: Tracker,
    by_trains: Tracker,
    serial: u64,
}

impl Both {
    fn packet(&mut self, entry: &Entry, everywhere: bool) {
        let stamp = Stamp { serial: self.serial, file: 0, time: entry.time, wire_len: entry.wire_len };
        self.one_by_one.credit(&entry.headers.packet(&[]), &stamp);
        if everywhere {
            self.by_trains.credit(&entry.headers.packet(&[]), &stamp);
        }
        self.serial += 1;
    }

    /// Whether the train was credited as one.
    fn train(&mut self, entries: &[Entry], train: &Train) -> bool {
        let place = self.by_trains.place(&entries[0].headers, || &[]);
        let last = self.serial + entries.len() as u64 - 1;
        let credited = self.by_trains.credit_train(&place, &entries[0].headers, train, last);
        for entry in entries {
            self.packet(entry, !credited);
        }
        credited
    }
}

#[test]
fn trains_change_a_flow_as_their_packets_do() {
    let mut random = Random(3);
    let (mut credited, mut refused, mut none) = (0, 0, 0);
    for round in 0..2000u64 {
        let udp = round % 5 == 0;
        let trackers = || Tracker::new([9].into_iter().collect(), [10000].into_iter().collect());
        let mut both = Both { one_by_one: trackers(), by_trains: trackers(), serial: 0 };
        let mut next = [u32::MAX - 200, 500];
        let entry = |both: &Both, client: bool, flags: u8, numbers, random: &mut Random| Entry {
            time: 1000 + both.serial.cast_signed() * 10 + i64::from(random.below(15) as u8),
            wire_len: 60,
            headers: headers(client, flags, numbers, udp),
            ..Entry::default()
        };
        let begin = [(true, S, 0), (false, S | A, 0), (true, A, 0), (true, A, 9), (false, A, 9), (false, A, 0)];
        // Some of what a flow begins with is missing now and then.
        for (client, flags, length) in begin.into_iter().filter(|_| random.below(9) > 0).collect::<Vec<_>>() {
            let side = usize::from(!client);
            let first = entry(&both, client, flags, (next[side], next[1 - side], length), &mut random);
            next[side] = next[side].wrapping_add(length + u32::from(flags & S != 0));
            both.packet(&first, true);
        }
        let decided = random.below(20) > 0;
        for tracker in [&mut both.one_by_one, &mut both.by_trains] {
            if !tracker.table.is_empty() && decided {
                tracker.table.record(0).to_probe = 0;
            }
        }
        for _ in 0..3 {
            let (mut entries, mut train): (Vec<Entry>, _) = (Vec::new(), Train::new(Units::default()));
            let client_first = random.below(2) == 0;
            for _ in 0..=random.below(12) {
                let client = entries.is_empty() && client_first || random.below(2) == 0;
                let side = usize::from(!client);
                let ack =
                    next[1 - side].wrapping_sub([0, 0, 0, 1, 1000, 1 << 31, u32::MAX, u32::MAX - 699][random.below(8)]);
                let seq = next[side].wrapping_add(u32::from(random.below(60) == 0));
                let numbers = (seq, ack, [0, 10, 1448][random.below(3)]);
                entries.push(entry(&both, client, A, numbers, &mut random));
                next[side] = seq.wrapping_add(numbers.2);
            }
            let towards = entries[0].headers.source;
            let is_train = entries.iter().all(|e| train.takes(usize::from(e.headers.source != towards), e));
            if !is_train {
                none += 1;
                for entry in &entries {
                    both.packet(entry, true);
                }
            } else if both.train(&entries, &train) {
                credited += 1;
            } else {
                refused += 1;
            }
            let seen = [&both.one_by_one, &both.by_trains].map(|tracker| format!("{:?}", tracker.table.peek(0)));
            assert_eq!(seen[0], seen[1], "round {round}");
        }
    }
    assert!(credited > 500 && refused > 500 && none > 500, "{credited}, {refused}, {none}");
}
