//! Frames and trains on their way into the flow table, in lists that are handed on.

use crate::entry::Entry;
use crate::train::Train;

/// Frames and trains, in order.
#[derive(Default)]
pub struct Frames {
    /// The frames; for each train there is one.
    pub entries: Vec<Entry>,
    /// The trains.
    pub trains: Vec<Train>,
}

impl Frames {
    /// Neither frames nor trains.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets them, and keeps the room.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.trains.clear();
    }

    /// Appends a frame, or the train of another list that it stands for.
    #[inline]
    pub fn push(&mut self, mut entry: Entry, trains: &[Train]) {
        if let Some(place) = entry.train() {
            entry.wire_len = self.trains.len() as u32;
            self.trains.push(trains[place]);
        }
        self.entries.push(entry);
    }

    /// Appends another list.
    pub fn append(&mut self, other: &Self) {
        self.entries.reserve(other.entries.len());
        for entry in &other.entries {
            self.push(*entry, &other.trains);
        }
    }

    /// Moves what comes behind the first `count` to another list. (The trains stay; nothing stands for them any more.)
    pub fn split_off(&mut self, count: usize, into: &mut Self) {
        for entry in self.entries.drain(count..) {
            into.push(entry, &self.trains);
        }
    }

    /// How many frames these are among its entries.
    #[inline]
    #[must_use]
    pub fn count(&self, entries: &[Entry]) -> u64 {
        entries.iter().map(|entry| self.count_of(entry)).sum()
    }

    /// How many frames one of its entries stands for.
    #[inline]
    #[must_use]
    pub fn count_of(&self, entry: &Entry) -> u64 {
        entry.train().map_or(1, |place| u64::from(self.trains[place].length()))
    }
}
