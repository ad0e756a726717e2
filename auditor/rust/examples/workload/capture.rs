//! The capture that is written: pcap, microseconds, Ethernet.

use std::io::{self, Write};

use crate::{
    frame::{Ends, Frame},
    truth::Truth,
};

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 20;

/// A capture being written, and the truth of it.
pub struct Capture {
    sink: Box<dyn Write>,
    gathered: Vec<u8>,
    snaplen: usize,
    /// The frame that is built next, and written by [`Capture::write`].
    pub frame: Frame,
    /// What was written so far.
    pub truth: Truth,
}

impl Capture {
    /// Writes the header of a file; `each` keeps the truth of every flow.
    pub fn begin(sink: Box<dyn Write>, snaplen: usize, each: bool) -> Self {
        let mut gathered = Vec::with_capacity(BUFFER + (1 << 16));
        for word in [0xA1B2_C3D4, 4 << 16 | 2, 0, 0, snaplen as u32, 1] {
            gathered.extend_from_slice(&u32::to_le_bytes(word));
        }
        Self { sink, gathered, snaplen, frame: Frame::new(), truth: Truth::new(each) }
    }

    /// Writes the frame, a packet of `flow` from one of its ends, at a time in microseconds.
    pub fn write(&mut self, time: u64, flow: usize, ends: &Ends, from: usize) -> io::Result<()> {
        self.truth.packet(flow, ends, from, self.frame.bytes.len());
        self.record(time)
    }

    /// Writes the frame, which belongs to no flow.
    pub fn write_other(&mut self, time: u64) -> io::Result<()> {
        self.truth.frame(self.frame.bytes.len());
        self.record(time)
    }

    fn record(&mut self, time: u64) -> io::Result<()> {
        let length = self.frame.bytes.len();
        let kept = length.min(self.snaplen);
        for word in [(time / 1_000_000) as u32, (time % 1_000_000) as u32, kept as u32, length as u32] {
            self.gathered.extend_from_slice(&word.to_le_bytes());
        }
        self.gathered.extend_from_slice(&self.frame.bytes[..kept]);
        if self.gathered.len() >= BUFFER {
            self.sink.write_all(&self.gathered)?;
            self.gathered.clear();
        }
        Ok(())
    }

    /// Writes what is left and returns the truth.
    pub fn finish(mut self) -> io::Result<Truth> {
        self.sink.write_all(&self.gathered)?;
        self.sink.flush()?;
        Ok(self.truth)
    }
}
