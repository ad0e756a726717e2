//! Finding the next sound record after damage.
//!
//! A place is taken for a record when a chain begins there: three records whose headers are each plausible, or fewer
//! that end exactly with the file. What plausible means is the container's business; every one asks for more than
//! thirty bits to be right in each header, so that a chain does not come about by chance.

use std::io;

use super::Window;

/// Headers that make a chain.
const CHAIN: usize = 3;
/// Bytes in which a chain must fit.
const AHEAD: usize = 1 << 20;
/// Bytes that are searched at once.
const ROOM: usize = 4 << 20;
/// How far a record's time may be from those of the records before it.
const NEAR: i64 = 30 * 86_400 * 1_000_000_000;

/// What a place looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The header of a record or block of so many bytes, and its time where it has one.
    Sound(usize, Option<i64>),
    /// Too few bytes to tell.
    Short,
    /// Something else.
    No,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The next frame can be read; so many bytes were skipped.
    Found(u64),
    /// Nothing more, to the end of the file; so many bytes were skipped.
    Ended(u64),
    /// Not yet: call again.
    Going,
}

/// Whether a chain begins at the beginning of `bytes`, which go up to the end of the file when `ended`.
pub fn is_chain(bytes: &[u8], ended: bool, near: Option<(i64, i64)>, look: impl Fn(&[u8]) -> Look) -> bool {
    let (mut at, mut range) = (0, near);
    for number in 0..CHAIN {
        let Some(rest) = bytes.get(at..) else { return false };
        if rest.is_empty() && ended {
            return number > 0;
        }
        match look(rest) {
            Look::Sound(length, time) => {
                if let (Some(time), Some((least, most))) = (time, range)
                    && (time < least.saturating_sub(NEAR) || time > most.saturating_add(NEAR))
                {
                    return false;
                }
                range = time.map(|time| (time, time)).or(range);
                at += length;
            }
            // The file goes on where we cannot see.
            Look::Short => return number > 1 && !ended,
            Look::No => return false,
        }
    }
    at <= bytes.len() || !ended
}

/// Searches what is ahead; `near` are the earliest and latest time of the frames so far.
pub fn search(window: &mut Window, near: Option<(i64, i64)>, look: impl Fn(&[u8]) -> Look) -> io::Result<Search> {
    window.reserve(ROOM);
    let ended = !window.need(2 * AHEAD)?;
    let bytes = window.bytes();
    let span = if ended { bytes.len() } else { bytes.len() - AHEAD };
    let found = (0..span).find(|&at| {
        // Most places are none at the first look.
        !matches!(look(&bytes[at..]), Look::No) && is_chain(&bytes[at..], ended, near, &look)
    });
    window.take(found.unwrap_or(span));
    Ok(match found {
        Some(_) => Search::Found(0),
        None if ended => Search::Ended(0),
        None => Search::Going,
    })
}
