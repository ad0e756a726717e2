//! A record under way: its fragments are joined as their bytes come.

use super::{
    assembler::Stamp,
    header::{HEADER, Header, MARKER, MAX_RECORD, Marker},
    message,
};

/// Bytes of a body kept for decoding. Environments and file lists are far below; tape data need not be kept.
const MAX_BODY: usize = 1 << 20;
/// Bytes kept of bodies that are only counted.
const COUNTED_BODY: usize = 64;
/// Fragments of one record: a record of the largest size in fragments of 4000 bytes has half as many.
const MAX_FRAGMENTS: u32 = 1 << 15;

/// A record of which the header was read.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its header.
    pub header: Header,
    /// What is kept of its body.
    pub body: Vec<u8>,
    /// How much of the body is kept at most.
    keep: usize,
    /// Payload bytes announced by the markers so far.
    pub length: u32,
    /// Bytes of the current fragment that are still to come.
    left: u32,
    /// The current fragment is the last.
    pub last: bool,
    fragments: u32,
    /// Bytes of the next marker.
    marker: Vec<u8>,
    /// No byte is missing so far.
    pub whole: bool,
    /// Where its header was.
    pub began: Stamp,
    /// Where its latest byte was.
    pub ended: Stamp,
}

/// How a record stands after some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More is to come.
    Open,
    /// It is complete.
    Done,
    /// A marker breaks the rules, or was lost.
    Broken,
}

impl Open {
    /// A record with this first marker and header.
    #[must_use]
    pub fn new(marker: Marker, header: Header, stamp: Stamp) -> Self {
        Self {
            header,
            body: Vec::new(),
            keep: if message::is_bulk(header.message) { COUNTED_BODY } else { MAX_BODY },
            length: marker.length,
            left: marker.length.saturating_sub(HEADER as u32),
            last: marker.last,
            fragments: 1,
            marker: Vec::new(),
            whole: true,
            began: stamp,
            ended: stamp,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn end(&self) -> End {
        if self.left == 0 && self.last { End::Done } else { End::Open }
    }

    /// Takes bytes of the fragment, or of the next marker: how many, and how the record stands then.
    pub fn take(&mut self, bytes: &[u8], stamp: Stamp) -> (usize, End) {
        self.ended = stamp;
        if self.left == 0 {
            return self.next_marker(bytes);
        }
        let taken = bytes.len().min(self.left as usize);
        let room = if self.whole { self.keep - self.body.len() } else { 0 };
        self.body.extend_from_slice(bytes.get(..taken.min(room)).unwrap_or_default());
        self.left -= u32::try_from(taken).unwrap_or(self.left);
        (taken, self.end())
    }

    fn next_marker(&mut self, bytes: &[u8]) -> (usize, End) {
        let taken = bytes.len().min(MARKER - self.marker.len());
        self.marker.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        let Some(&marker) = self.marker.first_chunk::<MARKER>() else { return (taken, End::Open) };
        self.marker.clear();
        let marker = Marker::new(marker);
        let length = self.length.saturating_add(marker.length);
        self.fragments += 1;
        if length > MAX_RECORD || self.fragments > MAX_FRAGMENTS || marker.length == 0 && !marker.last {
            return (taken, End::Broken);
        }
        self.length = length;
        self.left = marker.length;
        self.last = marker.last;
        (taken, self.end())
    }

    /// Goes over missing bytes; gives how many of them lie behind the fragment.
    pub fn miss(&mut self, len: u64) -> (u64, End) {
        self.whole = false;
        let over = len.saturating_sub(self.left.into());
        self.left = u32::try_from(u64::from(self.left).saturating_sub(len)).unwrap_or(0);
        // Part of a marker is as good as none.
        let torn = self.left == 0 && !self.marker.is_empty();
        (over, if torn { End::Broken } else { self.end() })
    }
}
