//! Packets of one connection in a row, where they lie in the buffer: a [`Train`].

use super::like::Like;
use super::run::{Record, Run, Tally};
use crate::decode::{Headers, quick_ethernet};
use crate::entry::Entry;
use crate::facts::FileFacts;
use crate::train::{Direction, MORE, Train};
use crate::units::RECORD_HEADER;

impl<'a> Run<'a> {
    /// Makes a train of these frames, and counts and takes those behind them that belong to it, if they are one. The
    /// first stands for it then.
    #[inline(never)]
    pub(super) fn train(&mut self, entries: &mut [Entry], more: &mut Tally, facts: &mut FileFacts) -> Option<Train> {
        let mut train = Train::new(self.units);
        let first = entries[0];
        let takes = |entry| self.direction(&first, entry).is_some_and(|direction| train.takes(direction, entry));
        if !entries.iter().all(takes) {
            return None;
        }
        let like = Like::new(self.data(&first), &first.headers);
        let mut count = 0;
        loop {
            if let Some(like) = &like {
                count += self.stretch(like, &mut train, MORE - count, more, facts);
            }
            if count == MORE {
                break;
            }
            let Some(Record { time, data, wire_len }) = self.record() else { break };
            let segment = like.as_ref().and_then(|like| like.segment(data, wire_len));
            let Some((direction, headers)) = segment.or_else(|| self.general(first, data, wire_len)) else { break };
            let entry = Entry { time, length: data.len() as u32, wire_len, headers, ..Entry::default() };
            if !train.takes(direction, &entry) {
                break;
            }
            more.count(&entry, facts);
            self.at += RECORD_HEADER + data.len();
            count += 1;
        }
        let at = first.at - RECORD_HEADER;
        let length = (self.bytes.as_ptr() as usize + self.at - at) as u32;
        entries[0] = Entry { at, length, train: true, ..first };
        Some(train)
    }

    /// The headers of a frame, if it is a common one of that frame's connection, and whether it goes where that does.
    #[inline(never)]
    fn general(&self, first: Entry, data: &[u8], wire_len: u32) -> Option<(Direction, Headers)> {
        let (at, length) = (data.as_ptr() as usize, data.len() as u32);
        let mut entry = Entry { at, length, wire_len, ..Entry::default() };
        let is_common = quick_ethernet(data, wire_len, &mut entry.headers);
        let direction = is_common.then(|| self.direction(&first, &entry)).flatten()?;
        Some((direction, entry.headers))
    }

    /// The captured bytes of a frame.
    fn data(&self, entry: &Entry) -> &'a [u8] {
        let at = entry.at - self.bytes.as_ptr() as usize;
        &self.bytes[at..at + entry.length as usize]
    }

    /// Whether two common frames are of one connection, and whether the one goes where the other does.
    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    pub(super) fn direction(&self, one: &Entry, other: &Entry) -> Option<Direction> {
        let (a, b) = (&one.headers, &other.headers);
        let ports = |headers: &Headers| u32::from(headers.source_port) << 16 | u32::from(headers.destination_port);
        let ends = |headers: &Headers| u64::from(headers.source) << 32 | u64::from(headers.destination);
        if a.protocol != b.protocol || a.ipv6 != b.ipv6 {
            None
        } else if a.ipv6 {
            self.direction_by_ipv6(*one, *other)
        } else if ports(a) == ports(b) && ends(a) == ends(b) {
            Some(0)
        } else if ports(a) == ports(b).rotate_left(16) && ends(a) == ends(b).rotate_left(32) {
            Some(1)
        } else {
            None
        }
    }

    /// By value: what somebody has a reference to cannot stay in registers.
    #[inline(never)]
    fn direction_by_ipv6(&self, one: Entry, other: Entry) -> Option<Direction> {
        let ends = |entry: Entry| {
            let Headers { source_port, destination_port, .. } = entry.headers;
            let (source, destination) = entry.headers.ipv6_ends(self.data(&entry));
            [(source, source_port), (destination, destination_port)]
        };
        let ([source, destination], there) = (ends(one), ends(other));
        let at = |ends| there == ends;
        if at([source, destination]) {
            Some(0)
        } else if at([destination, source]) {
            Some(1)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, reader};

    /// A capture of segments of one connection, 1 ms and 10 bytes of payload after the one before, every third one from
    /// the other end and without payload; then one of another connection.
    fn capture(segments: u32) -> Vec<u8> {
        let mut bytes = hex("d4c3b2a1 0200 0400 00000000 00000000 00100000 01000000");
        for number in 0..=segments {
            let back = number % 3 == 2;
            // As many of those before it had payload.
            let sent = (number - number / 3) * 10;
            let ends = if back { "0a000002 0a000001 2710 9c40" } else { "0a000001 0a000002 9c40 2710" };
            let ends = if number == segments { "0a000001 0a000003 9c40 2710" } else { ends };
            let (seq, ack, length) = if back { (77, 1000 + sent, 0) } else { (1000 + sent, 77, 10) };
            let head = format!("020000000001020000000002 0800 4500{:04x}0000400040060000", 40 + length);
            let frame = hex(&format!("{head} {ends} {seq:08x}{ack:08x} 5010 1000 00000000"));
            let size = frame.len() as u32 + length;
            for word in [1_700_000_000, number * 1000, size - length, size] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(frame);
        }
        bytes
    }

    #[test]
    fn packets_of_a_connection_in_a_row_are_one_train() {
        let reader = reader(&capture(12)).expect("a capture");
        let mut run = reader.run().expect("Ethernet");
        let (mut places, mut trains, mut facts) = ([Entry::default(); 32], Vec::new(), FileFacts::default());
        assert_eq!(run.fill::<false>(&mut places, &mut trains, &mut facts), 2);
        // Eight of the twelve go forth, with 80 bytes; frames have 54 bytes of headers.
        let [forth, back] = trains[0].ways;
        assert_eq!((forth.packets, forth.payload, forth.bytes), (8, 80, 8 * 64));
        assert_eq!((back.packets, back.payload, back.bytes), (4, 0, 4 * 54));
        assert_eq!((forth.begin, forth.next, back.begin, back.next), (1000, 1080, 77, 77));
        assert_eq!(trains[0].times, (1_700_000_000_000_000_000, 1_700_000_000_011_000_000));
        assert_eq!(places[0].length, 12 * (16 + 54));
        assert_eq!([places[0].train(), places[1].train()], [Some(0), None]);
        assert_eq!((facts.packets, facts.bytes, facts.captured_bytes, facts.cut), (13, 9 * 64 + 4 * 54, 13 * 54, 9));
    }

    #[test]
    fn a_train_has_an_end_and_is_read_again_one_by_one() {
        let reader = reader(&capture(600)).expect("a capture");
        let mut run = reader.run().expect("Ethernet");
        let (mut places, mut trains, mut facts) = ([Entry::default(); 32], Vec::new(), FileFacts::default());
        let count = run.fill::<false>(&mut places, &mut trains, &mut facts);
        assert_eq!(trains.iter().map(Train::length).collect::<Vec<_>>(), [254, 254, 92]);
        assert_eq!((count, facts.packets), (4, 601));
        let mut again = Run::of_train(places[2].data(run.buffer()), trains[2].units, 5);
        let (mut places, mut none) = ([Entry::default(); 128], Vec::new());
        assert_eq!(again.fill::<false>(&mut places, &mut none, &mut FileFacts::default()), 92);
        assert!(none.is_empty());
        assert_eq!((places[0].file, places[0].time), (5, 1_700_000_000_508_000_000));
    }
}
