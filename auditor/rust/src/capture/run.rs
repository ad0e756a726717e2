//! The common frames that lie in the buffer already, one after another: the fast path through classic pcap of Ethernet.
//!
//! [`Reader::next_frame`](super::Reader::next_frame) knows all containers, damage, and the end of the buffer; here a record
//! is taken when it is whole, sound and a common frame, and else the run is over. So nothing is decided for each frame
//! that is the same for all of the file, and what is counted of them stays in registers. Those of one connection in a row
//! make a [`Train`].

use crate::decode::{ETHERNET, Headers, quick_ethernet};
use crate::entry::Entry;
use crate::facts::FileFacts;
use crate::train::{SHORTEST, Train};
use crate::units::{RECORD_HEADER, Units};

/// Frames that lie in the buffer.
pub struct Run<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) units: Units,
    /// No frame later than that is taken.
    pub(super) last: i64,
    file: u32,
    /// Packets in a row that make a train.
    shortest: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(bytes: &'a [u8], units: Units) -> Self {
        Self { bytes, at: 0, units, last: i64::MAX, file: 0, shortest: SHORTEST }
    }

    /// The frames of a train, one by one.
    #[must_use]
    pub fn of_train(bytes: &'a [u8], units: Units, file: u32) -> Self {
        Self { file, shortest: usize::MAX, ..Self::new(bytes, units) }
    }

    /// The same for frames of that file up to a time.
    #[must_use]
    pub fn up_to(self, last: i64, file: u32) -> Self {
        Self { last, file, ..self }
    }

    /// Whether trains are made of what follows.
    pub fn by_trains(&mut self, wanted: bool) {
        self.shortest = if wanted { SHORTEST } else { usize::MAX };
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.at
    }

    /// The buffer that the frames lie in, and its address.
    #[must_use]
    pub fn buffer(&self) -> (&'a [u8], usize) {
        (self.bytes, self.bytes.as_ptr() as usize)
    }

    /// Counts and gives the next frames and trains, as many as there are places; fewer when the run is over. `ALL`: those
    /// too that are no common ones.
    #[inline]
    pub fn fill<const ALL: bool>(
        &mut self,
        places: &mut [Entry],
        trains: &mut Vec<Train>,
        facts: &mut FileFacts,
    ) -> usize {
        let mut tally = Tally::new();
        // The places that are filled, the last of them in a row, but the first of these, and what these have in common.
        let (mut filled, mut row, mut mark) = (0, 0, NO_MARK);
        while let Some(entry) = places.get_mut(filled) {
            if !self.next::<ALL>(entry) {
                break;
            }
            tally.count(entry, facts);
            let last = std::mem::replace(&mut mark, mark_of(&entry.headers));
            let goes_on = mark == last && self.direction(&places[filled - 1], &places[filled]).is_some();
            filled += 1;
            row = if goes_on { row + 1 } else { 0 };
            if row + 1 >= self.shortest {
                let first = filled - self.shortest;
                // Counted apart: what somebody has a reference to cannot stay in registers.
                let mut more = Tally::new();
                if let Some(train) = self.train(&mut places[first..filled], &mut more, facts) {
                    more.tell(facts);
                    places[first].wire_len = trains.len() as u32;
                    trains.push(train);
                    (filled, mark) = (first + 1, NO_MARK);
                }
                row = 0;
            }
        }
        tally.tell(facts);
        filled
    }

    /// The next record, if it is whole, sound, and not too late.
    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    pub(super) fn record(&self) -> Option<Record<'a>> {
        Record::first(self.bytes.get(self.at..)?, self.units, self.last).map(|(record, _)| record)
    }

    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    fn next<const ALL: bool>(&mut self, into: &mut Entry) -> bool {
        let Some(Record { time, data, wire_len }) = self.record() else { return false };
        if !quick_ethernet(data, wire_len, &mut into.headers) {
            if !ALL {
                return false;
            }
            into.headers = Headers::default();
        }
        self.at += RECORD_HEADER + data.len();
        into.time = time;
        into.at = data.as_ptr() as usize;
        into.length = data.len() as u32;
        into.wire_len = wire_len;
        into.file = self.file;
        into.link = ETHERNET;
        into.untimed = false;
        into.train = false;
        true
    }
}

/// A record of the file.
pub(super) struct Record<'a> {
    /// Nanoseconds since the epoch.
    pub(super) time: i64,
    pub(super) data: &'a [u8],
    pub(super) wire_len: u32,
}

impl<'a> Record<'a> {
    /// The first of these bytes, if it is whole, sound, and not later than that; and what is behind it.
    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    pub(super) fn first(bytes: &'a [u8], units: Units, last: i64) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<RECORD_HEADER>()?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (seconds, fraction, length, wire_len) = (word(0), word(4), word(8), word(12));
        if length > units.limit || fraction >= units.in_second {
            return None;
        }
        let (data, behind) = rest.split_at_checked(length as usize)?;
        let time = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * units.nanos;
        (time <= last).then_some((Self { time, data, wire_len }, behind))
    }
}

/// What the packets of a connection have in common whichever way they go: of most others it differs.
#[inline]
fn mark_of(headers: &Headers) -> u32 {
    u32::from(headers.source_port ^ headers.destination_port) | u32::from(headers.protocol) << 16
}

/// That of no packet.
const NO_MARK: u32 = u32::MAX;

/// What is counted of frames.
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) wire: u64,
    pub(super) captured: u64,
    pub(super) cut: u64,
    pub(super) latest: i64,
}

impl Tally {
    fn new() -> Self {
        Self { packets: 0, wire: 0, captured: 0, cut: 0, latest: i64::MIN }
    }

    #[expect(clippy::inline_always, reason = "so that it stays in registers")]
    #[inline(always)]
    pub(super) fn count(&mut self, entry: &Entry, facts: &mut FileFacts) {
        self.packets += 1;
        self.wire += u64::from(entry.wire_len);
        self.captured += u64::from(entry.length);
        self.cut += u64::from(entry.length < entry.wire_len);
        self.latest = self.latest.max(entry.time);
        facts.tick(entry.time);
    }

    fn tell(self, facts: &mut FileFacts) {
        if self.packets > 0 {
            facts.packets += self.packets;
            facts.bytes += self.wire;
            facts.captured_bytes += self.captured;
            facts.cut += self.cut;
            facts.last = facts.last.max(Some(self.latest));
            facts.count_links(ETHERNET, self.packets);
        }
    }
}
