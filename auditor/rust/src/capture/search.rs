//! Finding the next sound record after damage.

use std::io;

use super::look::{Look, is_chain};
use super::window::Window;

/// Bytes in which a chain must fit.
const AHEAD: usize = 1 << 20;
/// Bytes that are searched at once.
const ROOM: usize = 4 << 20;

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
