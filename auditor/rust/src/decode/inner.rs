//! What is inside a frame, while one header after another is stepped over.

use super::bytes::{u8_at, u16_at};
use crate::problem::Problem;

/// Frames within frames that are followed; more have no honest use.
const MOST_LAYERS: u8 = 8;

/// The IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    /// Captured bytes from the IP header on; padding and trailers of the frame included.
    pub bytes: &'a [u8],
    /// Bytes on the wire from the IP header on, likewise.
    pub wire_len: u32,
    /// Outermost VLAN, 0 for none.
    pub vlan: u16,
    /// Frames and tunnels that were entered on the way.
    pub layers: u8,
}

impl<'a> Inner<'a> {
    /// What begins at the first of these bytes.
    #[inline]
    pub fn new(bytes: &'a [u8], wire_len: u32) -> Self {
        Self { bytes, wire_len, vlan: 0, layers: 0 }
    }

    /// Steps over a header of `count` bytes.
    #[inline]
    pub fn skip(self, count: usize) -> Result<Self, Problem> {
        let bytes = self.bytes.get(count..).ok_or(Problem::CutLinkHeader)?;
        Ok(Self { bytes, wire_len: self.wire_len.saturating_sub(count as u32), ..self })
    }

    /// Counts a frame or a tunnel that is entered.
    pub fn enter(self) -> Result<Self, Problem> {
        if self.layers >= MOST_LAYERS {
            return Err(Problem::TooManyLayers);
        }
        Ok(Self { layers: self.layers + 1, ..self })
    }

    /// A byte of the header.
    pub fn u8_at(&self, at: usize) -> Result<u8, Problem> {
        u8_at(self.bytes, at).ok_or(Problem::CutLinkHeader)
    }

    /// Two bytes of the header.
    pub fn u16_at(&self, at: usize) -> Result<u16, Problem> {
        u16_at(self.bytes, at).ok_or(Problem::CutLinkHeader)
    }
}
