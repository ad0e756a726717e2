//! TLS inside a control connection: recognised, counted over, never read.

use super::header::{self, PROLOGUE};

/// Bytes of a TLS record header.
const RECORD: usize = 5;
/// Longest TLS record: 2^14 and what encryption adds.
const MAX_TLS: usize = (1 << 14) + 2048;

/// Content types that may begin TLS: handshake, with `ClientHello` or `ServerHello` in it.
const HANDSHAKE: u8 = 22;

/// Length of the TLS record that begins here, `None` when none does. Needs five bytes.
fn record(bytes: &[u8]) -> Option<usize> {
    let &[kind, 3, minor, high, low, ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    ((20..=24).contains(&kind) && minor <= 4 && (1..=MAX_TLS).contains(&length)).then_some(length)
}

/// TLS begins with these bytes. Where the other direction is in TLS (`expected`), any TLS record will do.
#[must_use]
pub fn begins(bytes: &[u8], expected: bool) -> bool {
    let hello = bytes.first() == Some(&HANDSHAKE) && matches!(bytes.get(RECORD), Some(1 | 2));
    record(bytes).is_some() && (expected || hello) || ssl2_hello(bytes).is_some()
}

/// Length of a version 2 `ClientHello` that offers SSL 3 or TLS: old agents' libraries may still send it. No NDMP
/// marker looks like it, because its last two bytes make a length that is no multiple of four.
fn ssl2_hello(bytes: &[u8]) -> Option<usize> {
    let &[high, low, 1, 3, minor, suites_high, suites_low, ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
    let suites = u16::from_be_bytes([suites_high, suites_low]);
    let sane = high & 0x80 != 0 && minor <= 4 && length >= 9 && suites > 0 && suites % 3 == 0;
    (sane && usize::from(suites) < length).then_some(length)
}

/// What became of bytes inside TLS.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes were TLS, or are not understood.
    Taken(usize),
    /// TLS ended and NDMP goes on in clear: its first bytes, and how many of the given ones are among them.
    Ndmp(Vec<u8>, usize),
}

/// Counts over TLS records.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Bytes of the current record still to come.
    left: u64,
    head: Vec<u8>,
    /// Out of step: looks only at the start of segments.
    lost: bool,
}

impl Tls {
    /// Takes bytes, at least one; `fresh` when they begin a segment.
    pub fn take(&mut self, bytes: &[u8], fresh: bool) -> Step {
        if self.lost && !fresh {
            return Step::Taken(bytes.len());
        }
        self.lost = false;
        if self.left > 0 {
            let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= taken as u64;
            return Step::Taken(taken);
        }
        let taken = bytes.len().min(PROLOGUE - self.head.len());
        let before = self.head.len();
        self.head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        let length = record(&self.head).map(|length| RECORD + length).or_else(|| Some(2 + ssl2_hello(&self.head)?));
        if let Some(length) = length {
            // What was collected of the next record along with this one's head is not taken.
            let used = length.min(self.head.len());
            self.left = (length - used) as u64;
            self.head.clear();
            return Step::Taken(used.saturating_sub(before).clamp(1, taken));
        }
        match header::prologue(&self.head) {
            Some(Ok(_)) => Step::Ndmp(std::mem::take(&mut self.head), taken),
            None if self.head.len() < RECORD || self.may_be_ndmp() => Step::Taken(taken),
            _ => {
                self.lost = true;
                self.head.clear();
                Step::Taken(bytes.len())
            }
        }
    }

    /// Goes over missing bytes.
    pub fn miss(&mut self, len: u64) {
        if len > self.left || !self.head.is_empty() {
            self.lost = true;
            self.head.clear();
        }
        self.left = self.left.saturating_sub(len);
    }

    /// The few bytes there may be the start of a record in clear.
    fn may_be_ndmp(&self) -> bool {
        matches!(self.head.first(), Some(0 | 0x80..=0x83))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: [u8; 28] =
        [0x80, 0, 0, 0x24, 0, 0, 0, 1, 0x66, 0xa3, 0xc0, 0xde, 0, 0, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn hellos_begin_tls_and_records_do_not() {
        assert!(begins(&[22, 3, 1, 0, 200, 1], false));
        assert!(!begins(&[23, 3, 3, 0, 200, 1], false));
        assert!(begins(&[23, 3, 3, 0, 200, 1], true));
        assert!(begins(&[0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0], false));
        assert!(!begins(&GREETING, false) && !begins(&GREETING, true));
    }

    #[test]
    fn records_are_counted_over_in_any_split_and_ndmp_after_them_is_found() {
        let mut stream = vec![22, 3, 3, 0, 7, 2, 2, 2, 2, 2, 2, 2, 23, 3, 3, 0, 1, 9];
        stream.extend(GREETING);
        for size in 1..=stream.len() {
            let mut tls = Tls::default();
            let mut found = None;
            let mut at = 0;
            while at < stream.len() && found.is_none() {
                let end = (at + size).min(stream.len());
                match tls.take(&stream[at..end], at % size == 0) {
                    Step::Taken(taken) => at += taken,
                    Step::Ndmp(head, taken) => {
                        at += taken;
                        found = Some((head, at));
                    }
                }
            }
            assert_eq!(found, Some((GREETING.to_vec(), stream.len())), "pieces of {size}");
        }
    }
}
