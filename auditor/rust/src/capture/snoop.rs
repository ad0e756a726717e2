//! snoop, RFC 1761: what Solaris writes.

use super::look::Look;
use super::{ContainerFacts, Fault, Window};
use crate::frame::{Frame, Ip, MAX_FRAME};
use crate::problem::Problem;

/// Length of the file header.
pub const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;
/// Padding of a record beyond what alignment needs; capturing programs add a few bytes.
const MAX_PADDING: usize = 64;

/// State of a snoop file.
pub struct Snoop {
    link: u16,
    /// Dropped packets so far, as the last record says.
    drops: Option<u64>,
}

struct Record {
    wire_len: u32,
    captured: u32,
    length: usize,
    drops: u32,
    time: i64,
}

impl Snoop {
    /// Reads the file header; None when it is not one.
    pub fn recognise(start: &[u8]) -> Option<Self> {
        let header: &[u8; FILE_HEADER] = start.first_chunk()?;
        // Version 2 is the only one that was ever written.
        (header.starts_with(b"snoop\0\0\0\0\0\0\x02")).then(|| Self { link: link(word(header, 12)), drops: None })
    }

    /// The next frame.
    pub fn next_frame<'w>(&mut self, window: &'w mut Window) -> Result<Option<Frame<'w>>, Fault> {
        if !window.need(RECORD_HEADER)? {
            return if window.bytes().is_empty() { Ok(None) } else { Err(Fault::cut(window)) };
        }
        let Some(record) = record(window.bytes()) else {
            let what = "a record whose lengths contradict each other".to_owned();
            return Err(Fault::damage(Problem::OversizedRecord, window.position(), what));
        };
        let data = RECORD_HEADER + record.captured as usize;
        if !window.need(record.length)? && !window.need(data)? {
            return Err(Fault::cut(window));
        }
        self.drops = Some(u64::from(record.drops));
        // The last record's padding may be missing.
        let length = record.length.min(window.bytes().len());
        let data = &window.take(length)[RECORD_HEADER..data];
        Ok(Some(Frame {
            time: record.time,
            link: self.link,
            wire_len: record.wire_len,
            data,
            untimed: false,
            ip: Ip::Unasked,
        }))
    }

    /// What a place in the file looks like.
    #[expect(clippy::unused_self, reason = "other containers need their header")]
    pub fn look_at(&self, bytes: &[u8]) -> Look {
        if bytes.len() < RECORD_HEADER {
            return Look::Short;
        }
        record(bytes)
            .filter(|record| record.captured > 0 && record.captured <= record.wire_len)
            .map_or(Look::No, |record| Look::Sound(record.length, Some(record.time)))
    }

    /// What the records so far say.
    pub fn facts(&self) -> ContainerFacts {
        ContainerFacts { snaplen: None, drops: self.drops }
    }
}

/// The record at the beginning of `bytes`, if its lengths agree.
fn record(bytes: &[u8]) -> Option<Record> {
    let [wire_len, captured, length, drops, seconds, micros] = [0, 4, 8, 12, 16, 20].map(|at| word(bytes, at));
    let padding = (length as usize).checked_sub(RECORD_HEADER + captured.min(MAX_FRAME) as usize)?;
    (captured <= MAX_FRAME && padding <= MAX_PADDING && micros < 1_000_000).then(|| Record {
        wire_len,
        captured,
        length: length as usize,
        drops,
        time: i64::from(seconds) * 1_000_000_000 + i64::from(micros) * 1000,
    })
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Data link types of RFC 1761 in the numbers of pcap; those without one keep theirs, above 65 280.
fn link(datalink: u32) -> u16 {
    match datalink {
        0 | 4 => 1,
        2 => 6,
        5 => 104,
        8 => 10,
        other => 0xff00 | (other.min(0xff) as u16),
    }
}
