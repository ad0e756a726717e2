//! Compressed captures: recognised by content, unpacked on a thread of their own, never held whole.
//!
//! The thread is what keeps three promises at once: an interrupt is heard while the other end of a pipe is silent, a
//! fault in a decoder ends one file and not the reading, and a second core does the unpacking.

mod members;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::capture::Window;
use crate::threads;

/// Unpacked bytes that are handed over at once.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait to be read: with those at the two ends, 1 MiB and a half.
const WAITING: usize = 4;
/// How long a silent source keeps the reader from asking whether it should stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Unpacked bytes that are never too many, whatever the ratio.
pub const FREE: u64 = 256 << 20;
/// Beyond [`FREE`], a file that unpacks to more than so many times its size is taken for a bomb. Captures of nothing but
/// zeros in full frames stay near 100 with gzip; its own limit is 1032.
pub const MAX_RATIO: u64 = 1000;

/// A kind of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Frames of LZ4.
    Lz4,
    /// The .xz format.
    Xz,
    /// bzip2.
    Bzip2,
}

const MAGICS: &[(&[u8], Packing)] = &[
    (b"\x1f\x8b\x08", Packing::Gzip),
    (b"\x28\xb5\x2f\xfd", Packing::Zstd),
    (b"\x04\x22\x4d\x18", Packing::Lz4),
    (b"\xfd7zXZ\0", Packing::Xz),
];

impl Packing {
    /// Recognises compressed data by its first bytes; ten are enough.
    #[must_use]
    pub fn recognise(start: &[u8]) -> Option<Self> {
        if let Some(&(_, packing)) = MAGICS.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Some(packing);
        }
        // "BZh", a level, and the beginning of a block (pi) or of an empty stream's end (its square root).
        let level = start.starts_with(b"BZh") && start.get(3).is_some_and(|level| (b'1'..=b'9').contains(level));
        let mark = start.get(4..10).unwrap_or_default();
        (level && matches!(mark, b"1AY&SY" | b"\x17rE8P\x90")).then_some(Self::Bzip2)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Why compressed data could not be unpacked to its end. Travels inside an [`io::Error`].
#[derive(Debug)]
pub struct Fault {
    /// It unpacks to more than is believable.
    pub bomb: bool,
    /// What is wrong, a sentence without its end.
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

/// Compressed bytes, counted as they are taken.
struct Counted {
    inner: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The unpacked bytes. A read that must wait gives `Interrupted` now and then, so that its caller can look around.
pub struct Unpacked {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

/// Unpacks `source` on a thread of its own, to its end or to the limit; also tells how many bytes were taken from it.
///
/// With `to_end` what is left of the source after a fault is read as well, for the sake of a digest.
///
/// # Errors
/// When the system has no thread left.
pub fn unpack(source: Box<dyn Read + Send>, packing: Packing, to_end: bool) -> io::Result<(Unpacked, Arc<AtomicU64>)> {
    let (sender, chunks) = sync_channel(WAITING);
    let count = Arc::new(AtomicU64::new(0));
    let source = Counted { inner: source, count: count.clone() };
    threads::spawn("unpack", move || {
        let sink = Sink { sender, count: source.count.clone(), chunk: Vec::new(), sent: 0 };
        work(source, packing, sink, to_end);
    })?;
    Ok((Unpacked { chunks, chunk: Vec::new(), at: 0 }, count))
}

fn work(source: Counted, packing: Packing, mut sink: Sink, to_end: bool) {
    let mut source = members::Source(Window::new(Box::new(source)));
    let outcome = catch_unwind(AssertUnwindSafe(|| members::unpack(packing, &mut source, &mut sink)))
        .unwrap_or_else(|_| Err(fault("could not be unpacked (internal error, please report it)".to_owned())));
    if to_end {
        io::copy(&mut source, &mut io::sink()).ok();
    }
    if sink.flush()
        && let Err(error) = outcome
    {
        sink.sender.send(Err(error)).ok();
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => (self.chunk, self.at) = (chunk?, 0),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::Interrupted.into()),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len() - self.at);
        buffer[..count].copy_from_slice(&self.chunk[self.at..][..count]);
        self.at += count;
        Ok(count)
    }
}

/// Where unpacked bytes go.
struct Sink {
    sender: SyncSender<io::Result<Vec<u8>>>,
    /// Bytes taken from the source.
    count: Arc<AtomicU64>,
    chunk: Vec<u8>,
    sent: u64,
}

impl Sink {
    /// Takes all that a decoder gives.
    fn fill(&mut self, decoder: &mut dyn Read) -> io::Result<()> {
        loop {
            let begun = self.chunk.len();
            self.chunk.resize(CHUNK, 0);
            let read = decoder.read(&mut self.chunk[begun..]);
            self.chunk.truncate(begun + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) => return Ok(()),
                Ok(_) if self.chunk.len() == CHUNK => self.pass_on()?,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let size = self.chunk.len() as u64;
        let packed = self.count.load(Ordering::Relaxed);
        self.sent += size;
        if self.sent > FREE && self.sent / MAX_RATIO > packed {
            self.chunk.clear();
            let what = format!(
                "it unpacks to more than {MAX_RATIO} times its size ({packed} bytes gave {}); \
                 if it is what you expect, unpack it yourself and audit the result",
                self.sent
            );
            return Err(io::Error::other(Fault { bomb: true, what }));
        }
        // Nobody listens any more: not worth words, but the end.
        if self.flush() { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }

    /// Hands over what is there; false when nobody listens.
    fn flush(&mut self) -> bool {
        self.chunk.is_empty() || self.sender.send(Ok(std::mem::take(&mut self.chunk))).is_ok()
    }
}

fn fault(what: String) -> io::Error {
    io::Error::other(Fault { bomb: false, what })
}
