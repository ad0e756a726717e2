//! Reading big-endian values off the front of untrusted bytes; `None` where there are not enough.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A length in three bytes.
    pub fn u24(&mut self) -> Option<usize> {
        self.take(3).map(|bytes| bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    }

    /// What a length in one byte counts.
    pub fn vector8(&mut self) -> Option<Self> {
        let length = self.u8()?;
        self.take(length.into()).map(Self)
    }

    /// What a length in two bytes counts.
    pub fn vector16(&mut self) -> Option<Self> {
        let length = self.u16()?;
        self.take(length.into()).map(Self)
    }

    /// What a length in three bytes counts.
    pub fn vector24(&mut self) -> Option<Self> {
        let length = self.u24()?;
        self.take(length).map(Self)
    }

    /// The rest as values of two bytes; an odd byte at the end is left out.
    #[must_use]
    pub fn u16s(self) -> Vec<u16> {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }
}
