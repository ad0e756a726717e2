//! What an IP header leads to, whichever its version.

use super::bytes::u16_at;
use super::packet::{Ends, Fragment};
use crate::problem::Problem;

/// What an IP header leads to.
#[derive(Clone, Copy)]
pub struct Datagram<'a> {
    pub ends: Ends,
    pub protocol: u8,
    pub fragment: Option<Fragment>,
    /// Captured bytes from the transport header on, without padding of the frame.
    pub body: &'a [u8],
    /// Their number on the wire.
    pub body_len: u32,
    /// Trouble with the IP header that left the packet readable.
    pub problem: Option<Problem>,
}

/// The length to go by. Segmentation offload leaves 0 in the header: then the frame's length counts.
#[inline]
pub fn length(claimed: u32, wire_len: u32) -> (u32, Option<Problem>) {
    match claimed {
        0 => (wire_len, None),
        _ if claimed > wire_len => (wire_len, Some(Problem::IpLengthBeyondFrame)),
        _ => (claimed, None),
    }
}

/// Ports are the first two fields of every transport that has them.
#[inline]
pub fn ports(body: &[u8]) -> Option<(u16, u16)> {
    Some((u16_at(body, 0)?, u16_at(body, 2)?))
}
