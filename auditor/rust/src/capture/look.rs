//! Whether a place in a file is the beginning of a record.
//!
//! A place is taken for a record when a chain begins there: three records whose headers are each plausible, or fewer
//! that end exactly with the file. What plausible means is the container's business; every one asks for more than
//! thirty bits to be right in each header, so that a chain does not come about by chance.

/// Headers that make a chain.
const CHAIN: usize = 3;
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
