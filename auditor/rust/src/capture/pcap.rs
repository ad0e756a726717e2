//! Classic pcap, both byte orders, microseconds and nanoseconds, and Kuznetzov's modified form.

use super::{ContainerFacts, Fault, Frame, MAX_FRAME, Window};
use crate::problem::Problem;

/// Length of the file header.
pub const FILE_HEADER: usize = 24;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Record headers of this form have eight more bytes: interface, protocol, packet type.
const MODIFIED: u32 = 0xa1b2_cd34;

/// State of a pcap file: what its header says.
pub struct Pcap {
    big_endian: bool,
    nanos_per_unit: i64,
    record_header: usize,
    link: u16,
    snaplen: u32,
}

fn magic(start: &[u8]) -> Option<(u32, bool)> {
    let bytes: [u8; 4] = start.get(..4)?.try_into().ok()?;
    [(u32::from_le_bytes(bytes), false), (u32::from_be_bytes(bytes), true)]
        .into_iter()
        .find(|(number, _)| matches!(*number, MICROSECONDS | NANOSECONDS | MODIFIED))
}

/// Whether a file begins with one of the magic numbers.
pub fn has_magic(start: &[u8]) -> bool {
    magic(start).is_some()
}

impl Pcap {
    /// Reads the file header; None when it is not one.
    pub fn recognise(start: &[u8]) -> Option<Self> {
        let (magic, big_endian) = magic(start)?;
        let header = start.get(..FILE_HEADER)?;
        Some(Self {
            big_endian,
            nanos_per_unit: if magic == NANOSECONDS { 1 } else { 1000 },
            record_header: if magic == MODIFIED { 24 } else { 16 },
            // The upper half tells of frame check sequences; lengths come from the IP header anyway.
            link: word(header, 20, big_endian) as u16,
            snaplen: word(header, 16, big_endian),
        })
    }

    /// The next frame.
    #[inline]
    pub fn next_frame<'w>(&mut self, window: &'w mut Window) -> Result<Option<Frame<'w>>, Fault> {
        let header = self.record_header;
        if !window.need(header)? {
            return if window.bytes().is_empty() { Ok(None) } else { Err(Fault::cut(window)) };
        }
        let Some([seconds, fraction, captured, wire_len]) = window.bytes().first_chunk().map(|head| self.words(head))
        else {
            return Err(Fault::cut(window));
        };
        if captured > MAX_FRAME {
            return Err(oversized(window.position(), captured));
        }
        let length = header + captured as usize;
        if !window.need(length)? {
            return Err(Fault::cut(window));
        }
        Ok(Some(Frame {
            time: i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.nanos_per_unit,
            link: self.link,
            wire_len,
            data: &window.take(length)[header..],
            untimed: false,
        }))
    }

    /// The four words that every record begins with. Out of an array of known length each is one load.
    #[inline]
    fn words(&self, head: &[u8; 16]) -> [u32; 4] {
        [0, 4, 8, 12].map(|at| word(head, at, self.big_endian))
    }

    /// What the file header says.
    pub fn facts(&self) -> ContainerFacts {
        ContainerFacts { snaplen: (self.snaplen != 0).then_some(self.snaplen), drops: None }
    }
}

#[cold]
fn oversized(offset: u64, captured: u32) -> Fault {
    let what = format!("a record claims {captured} captured bytes, more than any frame has");
    Fault::Damage { problem: Problem::OversizedRecord, offset, what }
}

#[inline]
fn word(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let word = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if big_endian { word.swap_bytes() } else { word }
}
