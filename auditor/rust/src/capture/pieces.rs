//! A file's bytes a piece at a time: each in a buffer of its own, so that frames can be handed to another thread without
//! being copied; and read by whichever thread has nothing else to do, since of full frames the kernel's copying is most
//! of the work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes read at once: several pieces are under way between two threads, and fit their caches.
const PIECE: usize = 256 << 10;
/// Room in front of them, for the part of a record that the piece before ends with.
pub(super) const ROOM: usize = 64 << 10;
/// Pieces that are read before they are wanted.
const MOST_AHEAD: u64 = 2;
/// Buffers that are kept for the next pieces.
const MOST_SPARE: usize = 8;

/// Bytes of a file, behind [`ROOM`] bytes of no meaning.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) end: usize,
}

/// The pieces of one file.
pub struct Pieces {
    /// The file and where its pieces begin and end; None where they come out of a stream.
    file: Option<(File, u64, u64)>,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    /// Pieces that somebody reads or has read, and those that were wanted so far.
    claimed: u64,
    wanted: u64,
    ready: BTreeMap<u64, io::Result<Piece>>,
    spare: Vec<Vec<u8>>,
}

impl Pieces {
    /// Of a file between two places; without one, of the stream that is given whenever more is wanted.
    #[must_use]
    pub fn new(file: Option<(File, u64, u64)>) -> Self {
        Self { file, state: Mutex::default(), came: Condvar::new() }
    }

    /// Reads a piece before it is wanted; false when there is none to read.
    pub fn help(&self) -> bool {
        let Some((file, from, to)) = &self.file else { return false };
        let mut state = self.state();
        let index = state.claimed;
        let begin = from + index * PIECE as u64;
        if begin >= *to || index >= state.wanted + MOST_AHEAD {
            return false;
        }
        state.claimed += 1;
        let spare = state.spare.pop();
        drop(state);
        let piece = read(file, begin, *to, spare);
        self.state().ready.insert(index, piece);
        self.came.notify_all();
        true
    }

    /// Takes back a buffer.
    pub fn spare(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        if buffer.len() == ROOM + PIECE && state.spare.len() < MOST_SPARE {
            state.spare.push(buffer);
        }
    }

    /// The next piece, None at the end.
    pub(super) fn next(&self, stream: &mut dyn Read) -> io::Result<Option<Piece>> {
        let Some((file, from, to)) = &self.file else { return self.of_stream(stream) };
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
            state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }?;
        // A file that became shorter has nothing behind such a piece.
        Ok(Some(piece).filter(|piece| piece.end > ROOM))
    }

    fn of_stream(&self, stream: &mut dyn Read) -> io::Result<Option<Piece>> {
        let mut piece = Piece::new(self.state().spare.pop());
        while piece.end < piece.bytes.len() {
            match stream.read(&mut piece.bytes[piece.end..]) {
                Ok(0) => break,
                Ok(count) => piece.end += count,
                Err(_) if piece.end > ROOM => break,
                Err(error) => {
                    self.spare(piece.bytes);
                    return Err(error);
                }
            }
        }
        Ok(Some(piece).filter(|piece| piece.end > ROOM))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    fn new(spare: Option<Vec<u8>>) -> Self {
        Self { bytes: spare.unwrap_or_else(|| vec![0; ROOM + PIECE]), end: ROOM }
    }
}

/// Reads what is between two places of a file, as far as it fits.
fn read(file: &File, begin: u64, end: u64, spare: Option<Vec<u8>>) -> io::Result<Piece> {
    let mut piece = Piece::new(spare);
    let most = ROOM + PIECE.min(usize::try_from(end - begin).unwrap_or(PIECE));
    while piece.end < most {
        match read_at(file, &mut piece.bytes[piece.end..most], begin + (piece.end - ROOM) as u64) {
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
