//! Stretches of a train: segments of TCP over IPv4, right behind each other, both of whose ends spoke in the train before,
//! with nothing but data and acknowledgements in their places, at times that go on. Most of what a train holds comes so.
//!
//! [`Train::takes`] decides of each packet, and is the oracle in the tests. What it would decide, and what is counted of a
//! frame, is worked out together here for all of a stretch, so that nearly all of it stays in registers: 134 instructions
//! for each packet instead of 200, and M96 takes 0.93 of the time. A packet of which anything is not as usual ends the
//! stretch, and is decided of by the general way.

use super::like::{Like, PLAIN, TAGGED};
use super::run::{Record, Run, Tally};
use crate::decode::flag;
use crate::facts::FileFacts;
use crate::train::{Direction, Train, is_within};
use crate::units::RECORD_HEADER;

/// Flags that make a segment something else than one that goes on, and the one that it has.
const ASKED: u8 = flag::SYN | flag::FIN | flag::RST | flag::ACK;
/// Beside the flags of a direction: there were segments without payload.
const SILENT: u32 = 1 << 8;
/// A packet, in a sum of packets and their bytes.
const PACKET: u64 = 1 << 48;

impl Run<'_> {
    /// Takes and counts segments that follow, so many at most, and gives how many.
    #[inline]
    pub(super) fn stretch(
        &mut self,
        like: &Like,
        train: &mut Train,
        most: usize,
        tally: &mut Tally,
        facts: &mut FileFacts,
    ) -> usize {
        if train.ways.iter().any(|way| way.packets == 0) {
            0
        } else if like.headers == PLAIN {
            self.stretch_of::<PLAIN>(like, train, most, tally, facts)
        } else {
            self.stretch_of::<TAGGED>(like, train, most, tally, facts)
        }
    }

    #[inline(never)]
    fn stretch_of<const HEADERS: usize>(
        &mut self,
        like: &Like,
        train: &mut Train,
        most: usize,
        tally: &mut Tally,
        facts: &mut FileFacts,
    ) -> usize {
        let (units, last, mut pace) = (self.units, self.last, facts.clock.pace);
        let (mut count, mut cut, mut lacks) = (0, 0, false);
        let mut bytes = self.bytes.get(self.at..).unwrap_or_default();
        let (mut next, mut sums, mut marks) = (train.ways.map(|way| way.next), [0; 2], [0; 2]);
        while count < most {
            let Some((Record { time, data, wire_len }, behind)) = Record::first(bytes, units, last) else { break };
            let Some(headers) = data.first_chunk::<HEADERS>() else { break };
            let Some((direction, segment)) = like.read(headers, wire_len) else { break };
            let goes_on = segment.flags & ASKED == flag::ACK
                && !segment.zero_window
                && segment.seq == next[direction & 1]
                && is_within(segment.ack, next[1 - (direction & 1)]);
            if !goes_on || !pace.tick(time) {
                break;
            }
            let length = data.len() as u32;
            let payload = segment.payload_len;
            next[direction & 1] = segment.seq.wrapping_add(payload);
            sums[direction & 1] += PACKET + u64::from(wire_len);
            marks[direction & 1] |= u32::from(segment.flags) | if payload == 0 { SILENT } else { 0 };
            cut += u64::from(length < wire_len);
            lacks |= payload > 0 && length < segment.payload + payload;
            count += 1;
            bytes = behind;
        }
        if count > 0 {
            let wire =
                (0..2).map(|direction| add(train, direction, next[direction], sums[direction], marks[direction]));
            tally.wire += wire.sum::<u64>();
            tally.packets += count as u64;
            let taken = self.bytes.len() - self.at - bytes.len();
            tally.captured += (taken - count * RECORD_HEADER) as u64;
            tally.cut += cut;
            tally.latest = tally.latest.max(pace.latest());
            // The clock stood at none before the train's earliest packet.
            train.times.1 = train.times.1.max(pace.latest());
            train.cut |= lacks;
            facts.clock.pace = pace;
            self.at += taken;
        }
        count
    }
}

/// Adds what a stretch holds in a direction; gives its bytes on the wire.
fn add(train: &mut Train, direction: Direction, next: u32, sum: u64, marks: u32) -> u64 {
    let way = &mut train.ways[direction];
    // One behind the other: what they sent is what the numbers went on by.
    let payload = u64::from(next.wrapping_sub(way.next));
    let (packets, bytes) = ((sum / PACKET) as u32, sum % PACKET);
    way.packets += packets;
    way.bytes += bytes;
    way.payload += payload;
    way.next = next;
    way.flags |= marks as u8;
    way.spoke |= payload > 0;
    way.silent |= marks & SILENT != 0;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::testing::{Random, reader};
    use crate::train::{MORE, SHORTEST};

    /// A capture of segments of a connection, most of which only go on, each after the one before it and cut now and then;
    /// in some nobody says anything.
    fn capture(random: &mut Random, tagged: bool, silent: bool) -> Vec<u8> {
        let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0".to_vec();
        let (mut time, mut next) = (1_700_000_000_000_000u64, [u32::MAX - 2000, 77]);
        for _ in 0..700 {
            let back = random.below(3) == 0;
            let odd = if random.below(60) == 0 { 1 + random.below(9) } else { 0 };
            let (from, to) = (usize::from(back), usize::from(!back));
            let payload = if silent { 0 } else { [0, 1 + random.below(900), 40][random.below(3)] };
            let options = [0, 12][random.below(2)];
            let total = 40 + options + payload;
            let seq = next[from].wrapping_add(if odd == 1 { 5 } else { 0 });
            let ack = next[to].wrapping_add(if odd == 2 { 9 } else { 0 });
            let flags = if odd == 3 { 0x11 } else { [0x10, 0x18][random.below(2)] };
            let mut frame = vec![2, 0, 0, 0, 0, from as u8, 2, 0, 0, 0, 0, to as u8];
            if tagged {
                frame.extend([0x81, 0, 0x20, 7 + u8::from(odd == 4)]);
            }
            let fragment = if odd == 5 { 0x20 } else { 0x40 };
            frame.extend([8, 0, 0x45, 0, (total >> 8) as u8, total as u8]);
            frame.extend([random.next() as u8, 0, fragment, 0, 64, 6, 0, 0, 10, 0, 0, from as u8, 10, 0, 0, to as u8]);
            let ports = [40_000 + u16::from(odd == 6), 10_000];
            frame.extend([ports[from], ports[to]].map(u16::to_be_bytes).concat());
            frame.extend([seq, ack].map(u32::to_be_bytes).concat());
            let window = u8::from(odd != 7);
            frame.extend([((20 + options) << 2) as u8, flags, window, 0, 0, 0, 0, 0]);
            frame.resize(frame.len() + options + payload, 1);
            next[from] = next[from].wrapping_add(payload as u32);
            time = time + [3, 900_000, 0][random.below(3)] - if odd == 8 { 1_200_000 } else { 0 };
            time += if odd == 9 { 3_000_000 } else { 0 };
            let wire_len = frame.len() + [0, 0, 6][random.below(3)];
            frame.truncate([frame.len(), 96, 54][random.below(3)]);
            let words = [(time / 1_000_000) as u32, (time % 1_000_000) as u32, frame.len() as u32, wire_len as u32];
            bytes.extend(words.map(u32::to_le_bytes).concat());
            bytes.extend(frame);
        }
        bytes
    }

    /// All frames of a run, those of trains too where it makes none.
    fn frames(run: &mut Run<'_>) -> (Vec<Entry>, Vec<Train>, FileFacts) {
        let (mut places, mut trains, mut facts) = (vec![Entry::default(); 1000], Vec::new(), FileFacts::default());
        let count = run.fill::<true>(&mut places, &mut trains, &mut facts);
        places.truncate(count);
        (places, trains, facts)
    }

    #[test]
    fn a_train_is_what_its_frames_make_one_by_one_and_as_long_as_may_be() {
        let mut random = Random(21);
        let (mut long, mut packets) = (0, 0);
        for round in 0..60 {
            let bytes = capture(&mut random, round % 2 == 0, round % 5 == 0);
            let reader = reader(&bytes).expect("a capture");
            let mut run = reader.run().expect("Ethernet");
            let (entries, trains, facts) = frames(&mut run);
            let mut plain = reader.run().expect("Ethernet");
            plain.by_trains(false);
            let (all, none, counted) = frames(&mut plain);
            assert!(none.is_empty());
            assert_eq!(format!("{facts:?}"), format!("{counted:?}"));
            let mut left = &all[..];
            for entry in &entries {
                let length = entry.train().map_or(1, |place| trains[place].length() as usize);
                let (its, behind) = left.split_at(length);
                left = behind;
                let Some(place) = entry.train() else { continue };
                let mut train = Train::new(trains[place].units);
                let mut takes = |frame: &Entry| {
                    let direction = run.direction(&its[0], frame).filter(|_| frame.headers.is_common());
                    direction.is_some_and(|direction| train.takes(direction, frame))
                };
                assert!(its.iter().all(&mut takes));
                if length < SHORTEST + MORE
                    && let Some(next) = left.first()
                {
                    assert!(!takes(next));
                }
                assert_eq!(train, trains[place]);
                (long, packets) = (long + usize::from(length > 40), packets + length);
            }
            assert!(left.is_empty());
        }
        assert!(long > 100 && packets > 20_000, "{long} long ones, {packets} packets in trains");
    }
}
