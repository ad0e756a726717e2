//! The common frames that lie in the buffer already, one after another: the fast path through classic pcap of Ethernet.
//!
//! [`Reader::next_frame`] knows all containers, damage, and the end of the buffer; here a record
//! is taken when it is whole, sound and a common frame, and else the run is over. So nothing is decided for each frame
//! that is the same for all of the file, and what is counted of them stays in registers.

use super::{Format, Reader};
use crate::decode::{ETHERNET, Headers, quick_ethernet};
use crate::entry::Entry;
use crate::facts::FileFacts;

/// Bytes of a record's header.
const HEADER: usize = 16;

/// What is the same for all records of a file.
#[derive(Clone, Copy)]
pub(super) struct Units {
    /// Nanoseconds.
    pub(super) nanos: i64,
    /// How many of them, or of microseconds, make a second.
    pub(super) in_second: u32,
    /// The longest frame that the file may hold.
    pub(super) limit: u32,
}

/// Frames that lie in the buffer.
pub struct Run<'a> {
    bytes: &'a [u8],
    at: usize,
    units: Units,
    /// No frame later than that is taken.
    last: i64,
    file: u32,
}

impl<'a> Run<'a> {
    pub(super) fn new(bytes: &'a [u8], units: Units) -> Self {
        Self { bytes, at: 0, units, last: i64::MAX, file: 0 }
    }

    /// The same for frames of that file up to a time.
    #[must_use]
    pub fn up_to(self, last: i64, file: u32) -> Self {
        Self { last, file, ..self }
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

    /// Counts and gives the next frames, as many as there are places; fewer when the run is over. `ALL`: those too that are
    /// no common ones.
    #[inline]
    pub fn fill<const ALL: bool>(&mut self, places: &mut [Entry], facts: &mut FileFacts) -> usize {
        let (mut count, mut wire, mut captured, mut cut) = (0, 0, 0, 0);
        let mut latest = i64::MIN;
        for entry in places {
            if !self.next::<ALL>(entry) {
                break;
            }
            count += 1;
            wire += u64::from(entry.wire_len);
            captured += u64::from(entry.length);
            cut += u64::from(entry.length < entry.wire_len);
            latest = latest.max(entry.time);
            facts.tick(entry.time);
        }
        if count > 0 {
            facts.packets += count as u64;
            facts.bytes += wire;
            facts.captured_bytes += captured;
            facts.cut += cut;
            facts.last = facts.last.max(Some(latest));
            facts.count_links(ETHERNET, count as u64);
        }
        count
    }

    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    fn next<const ALL: bool>(&mut self, into: &mut Entry) -> bool {
        let rest = self.bytes.get(self.at..).and_then(<[u8]>::split_first_chunk::<HEADER>);
        let Some((head, rest)) = rest else { return false };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (seconds, fraction, length, wire_len) = (word(0), word(4), word(8), word(12));
        if length > self.units.limit || fraction >= self.units.in_second {
            return false;
        }
        let Some(data) = rest.get(..length as usize) else { return false };
        let time = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.units.nanos;
        if time > self.last {
            return false;
        }
        if !quick_ethernet(data, wire_len, &mut into.headers) {
            if !ALL {
                return false;
            }
            into.headers = Headers::default();
        }
        self.at += HEADER + length as usize;
        into.time = time;
        into.at = data.as_ptr() as usize;
        into.length = length;
        into.wire_len = wire_len;
        into.file = self.file;
        into.link = ETHERNET;
        into.untimed = false;
        true
    }
}

impl Reader {
    /// The common frames that are buffered, where the container is a common one. What is taken of them is to be told to
    /// [`ran`](Self::ran).
    #[inline]
    #[must_use]
    pub fn run(&self) -> Option<Run<'_>> {
        if let Format::Pcap(pcap) = &self.format { pcap.run(self.window.bytes()) } else { None }
    }

    /// So many bytes of a run were taken.
    #[inline]
    pub fn ran(&mut self, bytes: usize) {
        self.window.take(bytes);
    }
}
