//! A frame on its way into the flow table, by where its bytes lie: what is handed from the reader to it, one by one, in
//! batches, or between threads.

use crate::capture::RECORD_HEADER;
use crate::decode::{Headers, quick};
use crate::frame::{Frame, Ip};
use crate::train::Train;

/// A frame, by where its bytes lie, or the first of a train. One cache line.
#[derive(Clone, Copy, Default)]
pub struct Entry {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Address of its first byte: where it was read, or in the buffer that it was copied to, from 0. Of a train, that of
    /// its first record's header.
    pub at: usize,
    /// Captured bytes; of a train, those of its records.
    pub length: u32,
    /// Length on the wire; of a train, its place in the list of trains.
    pub wire_len: u32,
    /// Its file.
    pub file: u32,
    /// Link type.
    pub link: u16,
    /// The container gave no time.
    pub untimed: bool,
    /// It stands for a train, of which it is the first frame.
    pub train: bool,
    /// What its headers say, if it is a common frame.
    pub headers: Headers,
}

impl Entry {
    /// A frame of that file.
    #[inline]
    pub fn of(frame: &Frame<'_>, file: u32) -> Self {
        let Frame { time, link, wire_len, data, untimed, .. } = *frame;
        let headers = quick(frame).unwrap_or_default();
        Self {
            time,
            at: data.as_ptr() as usize,
            length: data.len() as u32,
            wire_len,
            file,
            link,
            untimed,
            train: false,
            headers,
        }
    }

    /// Place of its train in the list of trains, where it stands for one.
    #[inline]
    #[must_use]
    pub fn train(&self) -> Option<usize> {
        self.train.then_some(self.wire_len as usize)
    }

    /// Its captured bytes, out of a buffer that begins at this address.
    #[inline]
    pub fn data<'a>(&self, (buffer, base): (&'a [u8], usize)) -> &'a [u8] {
        // A frame of no bytes lies nowhere.
        let from = if self.length == 0 { 0 } else { self.at - base };
        &buffer[from..from + self.length as usize]
    }

    /// The same of the first frame, where it stands for a train.
    #[inline]
    pub fn first_data<'a>(&self, buffer: (&'a [u8], usize)) -> &'a [u8] {
        let data = self.data(buffer);
        if self.train { data.get(RECORD_HEADER..).unwrap_or_default() } else { data }
    }

    /// The frame again.
    #[inline]
    pub fn frame<'a>(&self, buffer: (&'a [u8], usize)) -> Frame<'a> {
        let Self { time, link, wire_len, untimed, .. } = *self;
        Frame { time, link, wire_len, data: self.data(buffer), untimed, ip: Ip::Unasked }
    }
}

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

#[cfg(test)]
mod tests {
    #[test]
    fn an_entry_is_a_cache_line() {
        assert_eq!(size_of::<super::Entry>(), 64);
    }
}
