//! ERF, the records of Endace cards. A file is nothing but records, so that it is recognised by how they follow each
//! other. Layout: Endace's "Extensible Record Format" and libpcap's `pcap-dag.c`.

use super::look::Look;
use super::{ContainerFacts, Fault, Window};
use crate::frame::{Frame, Ip};
use crate::problem::Problem;

const HEADER: usize = 16;
/// Records that must follow each other, or the whole file.
const ENOUGH: usize = 3;

const PADDING: u8 = 48;
/// Bit of the type: extension headers of eight bytes each follow.
const EXTENDED: u8 = 0x80;

/// State of an ERF file: loss counters so far.
#[derive(Default)]
pub struct Erf {
    drops: Option<u64>,
}

struct Record {
    kind: u8,
    length: usize,
    loss: u16,
    wire_len: u16,
    time: i64,
}

impl Erf {
    /// Whether a file begins with records that follow each other.
    pub fn recognise(start: &[u8]) -> Option<Self> {
        let (mut at, mut last) = (0, None);
        for number in 0..ENOUGH {
            let rest = start.get(at..)?;
            if rest.is_empty() && number > 0 {
                break;
            }
            // A file shorter than its first record, or longer than what is seen of it: a record that is there is enough.
            let record = record(rest)?;
            if last.is_some_and(|time: i64| (record.time - time).abs() > 86_400_000_000_000) {
                return None;
            }
            last = Some(record.time);
            at += record.length;
            if at > start.len() {
                return (number > 0).then(Self::default);
            }
        }
        Some(Self::default())
    }

    /// The next frame.
    pub fn next_frame<'w>(&mut self, window: &'w mut Window) -> Result<Option<Frame<'w>>, Fault> {
        loop {
            if !window.need(HEADER)? {
                return if window.bytes().is_empty() { Ok(None) } else { Err(Fault::cut(window)) };
            }
            let Some(record) = record(window.bytes()) else {
                let what = "a record of a type or length that ERF does not have".to_owned();
                return Err(Fault::damage(Problem::BadBlock, window.position(), what));
            };
            if !window.need(record.length)? {
                return Err(Fault::cut(window));
            }
            let kind = record.kind & !EXTENDED;
            if kind == PADDING || kind == 27 {
                window.take(record.length);
                continue;
            }
            // Color and hash types have something else in the place of the loss counter.
            if matches!(kind, 1..=9) {
                self.drops = Some(self.drops.unwrap_or(0) + u64::from(record.loss));
            }
            let mut begins = HEADER;
            if record.kind & EXTENDED != 0 {
                // Each extension's upper bit says that there is another.
                while begins < record.length {
                    begins += 8;
                    if window.bytes()[begins - 8] & 0x80 == 0 {
                        break;
                    }
                }
            }
            let (link, before) = link(kind);
            begins = (begins + before).min(record.length);
            let length = usize::from(record.wire_len).min(record.length - begins);
            let (time, wire_len) = (record.time, u32::from(record.wire_len));
            let data = &window.take(record.length)[begins..][..length];
            return Ok(Some(Frame { time, link, wire_len, data, untimed: false, ip: Ip::Unasked }));
        }
    }

    /// What the records so far say.
    pub fn facts(&self) -> ContainerFacts {
        ContainerFacts { snaplen: None, drops: self.drops }
    }
}

/// What a place in the file looks like.
pub fn look_at(bytes: &[u8]) -> Look {
    if bytes.len() < HEADER {
        return Look::Short;
    }
    record(bytes).map_or(Look::No, |record| Look::Sound(record.length, Some(record.time)))
}

/// The record at the beginning of `bytes`, if there can be such a one.
fn record(bytes: &[u8]) -> Option<Record> {
    let header: &[u8; HEADER] = bytes.first_chunk()?;
    let (stamp, rest) = header.split_first_chunk::<8>()?;
    let stamp = u64::from_le_bytes(*stamp);
    let half = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
    let (kind, length, loss, wire_len) = (rest[0], usize::from(half(2)), half(4), half(6));
    let known = matches!(kind & !EXTENDED, 1..=27 | 32..=33 | PADDING);
    let seconds = i64::try_from(stamp >> 32).ok()?;
    let idle = kind & !EXTENDED == PADDING;
    // Records without time, length or frame are what a page of zeros would give.
    if !known || length < HEADER || (!idle && (seconds == 0 || wire_len == 0)) {
        return None;
    }
    // 2^-32 s; the product stays below 2^62.
    let nanos = ((stamp & 0xffff_ffff) * 1_000_000_000) >> 32;
    Some(Record { kind, length, loss, wire_len, time: seconds * 1_000_000_000 + nanos.cast_signed() })
}

/// Link type in the numbers of pcap, and bytes between header and frame.
fn link(kind: u8) -> (u16, usize) {
    match kind {
        // HDLC over SONET, with and without colour.
        1 | 10 | 17 => (104, 0),
        // Ethernet, with two bytes of offset and padding.
        2 | 11 | 16 | 20 => (1, 2),
        22 => (228, 0),
        23 => (229, 0),
        other => (0xfe00 | u16::from(other), 0),
    }
}
