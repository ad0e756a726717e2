//! A file's bytes a piece at a time: each in a buffer of its own, so that frames can be handed to another thread without
//! being copied; and read by whichever thread has nothing else to do, since of full frames the kernel's copying is most
//! of the work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::walk::{Walked, Walker};
use crate::frames::Frames;

/// Bytes read at once: several pieces are under way between two threads, and fit their caches.
const PIECE: usize = 256 << 10;
/// Room in front of them, for the part of a record that the piece before ends with.
const ROOM: usize = 64 << 10;
/// Pieces that are read before they are wanted: with two, one thread most often waited for the other, which read M's full
/// frames all but alone (0.34 s; 0.15 with six, and with eight).
const MOST_AHEAD: u64 = 6;
/// Bytes of a page of memory, and of a file.
const PAGE: usize = 4096;
/// Bytes of a buffer.
const BUFFER: usize = ROOM + PAGE + PIECE;
/// Buffers that are kept for the next pieces: as many as are under way, since fresh memory costs more than the reading.
const MOST_SPARE: usize = 16;

/// Bytes of a file, behind [`ROOM`] bytes of no meaning or a few more.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// Where they begin and end in the buffer.
    pub(super) begin: usize,
    pub(super) end: usize,
    /// Its frames, where somebody took them out already.
    pub(super) walked: Option<Walked>,
}

/// A piece that is to be read, with a buffer and a list for it.
struct Claim {
    index: u64,
    begin: u64,
    /// Where the file ends.
    end: u64,
    spare: Option<Vec<u8>>,
    list: Frames,
}

/// The pieces of one file.
pub struct Pieces {
    /// The file and where its pieces begin and end; None where they come out of a stream.
    file: Option<(File, u64, u64)>,
    walker: Option<Walker>,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    /// Pieces that somebody reads or has read, and those that were wanted so far.
    claimed: u64,
    wanted: u64,
    /// Somebody waits for a piece that another reads.
    awaited: bool,
    ready: BTreeMap<u64, io::Result<Piece>>,
    spare: Vec<Vec<u8>>,
    lists: Vec<Frames>,
}

impl Pieces {
    /// Of a file between two places; without one, of the stream that is given whenever more is wanted.
    #[must_use]
    pub(super) fn new(file: Option<(File, u64, u64)>, walker: Option<Walker>) -> Self {
        Self { file, walker, state: Mutex::default(), came: Condvar::new() }
    }

    /// Reads a piece before it is wanted, and takes its frames out of it; false when there is none to read.
    pub fn help(&self) -> bool {
        let Some(whole) = &self.file else { return false };
        let claim = self.state().claim(whole);
        claim.map(|claim| self.read_ahead(&whole.0, claim)).is_some()
    }

    fn read_ahead(&self, file: &File, Claim { index, begin, end, spare, list }: Claim) {
        let mut piece = read(file, begin, end, spare);
        if let (Ok(piece), Some(walker)) = (&mut piece, &self.walker) {
            // Where that goes badly wrong the piece must come all the same: the other thread waits for it.
            let walk = || walker.walk(&piece.bytes, (piece.begin, piece.end), list);
            piece.walked = catch_unwind(AssertUnwindSafe(walk)).unwrap_or_default();
        }
        let mut state = self.state();
        state.ready.insert(index, piece);
        // To wake nobody takes a call of the system, too.
        if std::mem::take(&mut state.awaited) {
            drop(state);
            self.came.notify_all();
        }
    }

    /// Takes back a list of frames.
    pub fn spare_list(&self, mut list: Frames) {
        list.clear();
        let mut state = self.state();
        if state.lists.len() < MOST_SPARE {
            state.lists.push(list);
        }
    }

    /// Takes back a buffer.
    pub fn spare(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        if buffer.len() == BUFFER && state.spare.len() < MOST_SPARE {
            state.spare.push(buffer);
        }
    }

    /// The next piece, None at the end. While another reads it, those behind it are read.
    pub(super) fn next(&self, stream: &mut dyn Read) -> io::Result<Option<Piece>> {
        let Some(whole) = &self.file else { return self.of_stream(stream) };
        let (file, from, to) = whole;
        let mut state = self.state();
        let index = state.wanted;
        let begin = from + index * PIECE as u64;
        if begin >= *to {
            return Ok(None);
        }
        state.wanted += 1;
        let piece = loop {
            if let Some(piece) = state.ready.remove(&index) {
                break piece;
            }
            if state.claimed == index {
                state.claimed += 1;
                let spare = state.spare.pop();
                drop(state);
                break read(file, begin, *to, spare);
            }
            state = if let Some(claim) = state.claim(whole) {
                drop(state);
                self.read_ahead(file, claim);
                self.state()
            } else {
                state.awaited = true;
                self.came.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }?;
        // A file that became shorter has nothing behind such a piece.
        Ok(Some(piece).filter(|piece| piece.end > piece.begin))
    }

    fn of_stream(&self, stream: &mut dyn Read) -> io::Result<Option<Piece>> {
        let mut piece = Piece::new(self.state().spare.pop(), 0);
        while piece.end < piece.bytes.len() {
            match stream.read(&mut piece.bytes[piece.end..]) {
                Ok(0) => break,
                Ok(count) => piece.end += count,
                Err(_) if piece.end > piece.begin => break,
                Err(error) => {
                    self.spare(piece.bytes);
                    return Err(error);
                }
            }
        }
        Ok(Some(piece).filter(|piece| piece.end > piece.begin))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next piece that nobody reads yet, unless it is too far ahead.
    fn claim(&mut self, &(_, from, to): &(File, u64, u64)) -> Option<Claim> {
        let index = self.claimed;
        let begin = from + index * PIECE as u64;
        if begin >= to || index >= self.wanted + MOST_AHEAD {
            return None;
        }
        self.claimed += 1;
        Some(Claim { index, begin, end: to, spare: self.spare.pop(), list: self.lists.pop().unwrap_or_default() })
    }
}

impl Piece {
    /// One without bytes, for those from that place of a file on: they get the places in their pages of memory that they
    /// have in those of the page cache. For where two places lie up to 31 bytes apart (and the allocator's begin 16 bytes
    /// behind a page), AMD's Zen 4 takes 1.4 to 3.6 times as long to copy from the one to the other.
    fn new(spare: Option<Vec<u8>>, offset: u64) -> Self {
        let bytes = spare.unwrap_or_else(|| vec![0; BUFFER]);
        let room = bytes[ROOM..].as_ptr() as usize;
        let begin = ROOM + (offset as usize).wrapping_sub(room) % PAGE;
        Self { bytes, begin, end: begin, walked: None }
    }
}

/// Reads what is between two places of a file, as far as it fits.
fn read(file: &File, begin: u64, end: u64, spare: Option<Vec<u8>>) -> io::Result<Piece> {
    let mut piece = Piece::new(spare, begin);
    let most = piece.begin + PIECE.min(usize::try_from(end - begin).unwrap_or(PIECE));
    while piece.end < most {
        match read_at(file, &mut piece.bytes[piece.end..most], begin + (piece.end - piece.begin) as u64) {
            Ok(0) => break,
            Ok(count) => piece.end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(piece)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn pieces_hold_the_file_and_lie_in_their_pages_as_it_does() {
        let mut random = Random(11);
        let path = std::env::temp_dir().join(format!("auditor-pieces-{}", std::process::id()));
        let held: Vec<u8> = (0..3 * PIECE + 77).map(|_| random.next() as u8).collect();
        std::fs::write(&path, &held).expect("a file");
        for from in [0, 24, 4095, 262_144, 300_001] {
            let file = File::open(&path).expect("a file");
            let pieces = Pieces::new(Some((file, from as u64, held.len() as u64)), None);
            let mut read = held[..from].to_vec();
            // Two are read ahead, in buffers that are used again.
            assert!(pieces.help() && pieces.help());
            while let Some(piece) = pieces.next(&mut io::empty()).expect("bytes") {
                assert!(piece.begin >= ROOM, "there is room before it");
                let bytes = &piece.bytes[piece.begin..piece.end];
                assert_eq!(bytes.as_ptr() as usize % PAGE, read.len() % PAGE);
                read.extend(bytes);
                pieces.spare(piece.bytes);
            }
            assert_eq!(read, held);
        }
        std::fs::remove_file(path).expect("its end");
    }
}
