//! A window that slides over a byte stream: one buffer, no allocation per record.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use super::pieces::Pieces;
use super::walk::Walked;

/// Fits the L2 cache together with the flow table's hot part: twice as much costs a million flows a twentieth more, and
/// half as much gains nothing.
const CAPACITY: usize = 256 << 10;

/// The bytes of a stream that are buffered now, and where in the stream they lie.
pub struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the stream of `buffer[start]`.
    position: u64,
    ended: bool,
    /// Where buffers come from, when each piece of the stream has one of its own.
    pieces: Option<Arc<Pieces>>,
    retired: VecDeque<Vec<u8>>,
    /// Frames of the buffer that were taken out of it before.
    walked: Option<Walked>,
}

impl Window {
    /// A window at the beginning of `source`.
    #[must_use]
    pub fn new(source: Box<dyn Read + Send>) -> Self {
        let (buffer, retired) = (vec![0; CAPACITY], VecDeque::new());
        Self { source, buffer, start: 0, end: 0, position: 0, ended: false, pieces: None, retired, walked: None }
    }

    /// Makes sure that `count` bytes are buffered; false when the stream ends before that.
    ///
    /// # Errors
    /// What the read gave, `Interrupted` included; nothing is lost, the call may be repeated.
    #[inline]
    pub fn need(&mut self, count: usize) -> io::Result<bool> {
        if self.end - self.start >= count { Ok(true) } else { self.refill(count) }
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self, count: usize) -> io::Result<bool> {
        if let Some(pieces) = self.pieces.clone() {
            return self.refill_by_pieces(count, &pieces);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if count > self.buffer.len() {
            self.buffer.resize(count, 0);
        }
        while self.end < count && !self.ended {
            let read = self.source.read(&mut self.buffer[self.end..])?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.end >= count)
    }

    /// From here on each piece of the stream has a buffer of its own; those before it are [`retired`](Self::retired).
    pub fn by_pieces(&mut self, pieces: Arc<Pieces>) {
        self.pieces = Some(pieces);
    }

    /// The oldest buffer from which all was taken.
    #[inline]
    pub fn retired(&mut self) -> Option<Vec<u8>> {
        if self.retired.is_empty() { None } else { self.retired.pop_front() }
    }

    /// Frames that begin where the next byte is, if they were taken out of the buffer before, and their bytes.
    #[inline]
    pub fn walked(&mut self) -> Option<(Walked, usize)> {
        // Where they begin elsewhere, whoever took them was wrong.
        let walked = if self.walked.is_some() { self.walked.take() } else { None };
        walked.filter(|walked| walked.begin == self.start).map(|walked| {
            let bytes = walked.end - walked.begin;
            (walked, bytes)
        })
    }

    /// The whole buffer, what was taken from it included.
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    fn refill_by_pieces(&mut self, count: usize, pieces: &Pieces) -> io::Result<bool> {
        while self.end - self.start < count && !self.ended {
            let Some(mut piece) = pieces.next(&mut self.source)? else {
                self.ended = true;
                break;
            };
            let rest = &self.buffer[self.start..self.end];
            (self.start, self.end) = if let Some(start) = piece.begin.checked_sub(rest.len()) {
                piece.bytes[start..piece.begin].copy_from_slice(rest);
                self.walked = piece.walked.take();
                (start, piece.end)
            } else {
                self.walked = None;
                let joined = [rest, &piece.bytes[piece.begin..piece.end]].concat();
                pieces.spare(std::mem::replace(&mut piece.bytes, joined));
                (0, piece.bytes.len())
            };
            self.retired.push_back(std::mem::replace(&mut self.buffer, piece.bytes));
        }
        Ok(self.end - self.start >= count)
    }

    /// What is buffered and not yet taken.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Offset in the stream of the next byte.
    #[inline]
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes `count` bytes, which must be buffered.
    #[inline]
    pub fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start += count;
        self.position += count as u64;
        &self.buffer[from..self.start]
    }

    /// Makes room for `count` bytes at once, so that looking far ahead does not move bytes for every step.
    pub fn reserve(&mut self, count: usize) {
        // Buffers by pieces stay where they are, since frames lie in them.
        if count > self.buffer.len() && self.pieces.is_none() {
            self.buffer.resize(count, 0);
        }
    }

    /// The stream from here on: what is buffered, then the source.
    #[must_use]
    pub fn into_rest(mut self) -> Box<dyn Read + Send> {
        self.buffer.truncate(self.end);
        let mut buffered = io::Cursor::new(self.buffer);
        buffered.set_position(self.start as u64);
        Box::new(buffered.chain(self.source))
    }

    /// Skips `count` bytes without holding them; false when the stream ends before that.
    ///
    /// # Errors
    /// As [`Window::need`]; what was skipped until then stays skipped, `count` says how much is left.
    pub fn skip(&mut self, count: &mut u64) -> io::Result<bool> {
        while *count > 0 {
            if !self.need(1)? {
                return Ok(false);
            }
            let step = self.bytes().len().min(usize::try_from(*count).unwrap_or(usize::MAX));
            self.take(step);
            *count -= step as u64;
        }
        Ok(true)
    }
}
