//! A frame on its way into the flow table, by where its bytes lie: what is handed from the reader to it, one by one, in
//! batches, or between threads.

use crate::decode::{Headers, quick};
use crate::frame::{Frame, Ip};
use crate::units::RECORD_HEADER;

/// Frames that are taken at once: their places in the flow table are looked at together.
pub const AHEAD: usize = 32;

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

#[cfg(test)]
mod tests {
    #[test]
    fn an_entry_is_a_cache_line() {
        assert_eq!(size_of::<super::Entry>(), 64);
    }
}
