//! Connections that are TLS from their first byte: their first segments put in order, for a bounded number at a time.

use std::collections::HashMap;

use super::{Details, Handshake, MAX_DETAILS};
use crate::app::ndmp::Stamp;

/// Handshakes under way at a time; each holds at most 32 KiB of either direction, and as much out of order.
const MAX_OPEN: usize = 1024;
/// Segments with payload before a handshake is left as it is.
const MAX_SEGMENTS: u32 = 64;
/// Segments that came too early, per direction, and how far ahead they may be.
const MAX_EARLY: usize = 16;
const MAX_AHEAD: i32 = 32 << 10;

/// A segment with payload.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Direction, 0 or 1.
    pub side: usize,
    /// Sequence number of its first byte.
    pub seq: u32,
    /// Sequence number of the first byte of its direction, as far as that is known.
    pub first: u32,
    /// Captured payload.
    pub payload: &'a [u8],
    /// All of the payload was captured.
    pub whole: bool,
    /// Where it was seen.
    pub stamp: Stamp,
}

/// Puts one direction in order.
#[derive(Clone, Debug, Default)]
struct Order {
    next: Option<u32>,
    early: Vec<(u32, Vec<u8>, bool)>,
}

impl Order {
    /// Takes a segment and gives what is in order now; false in `whole` ends a direction.
    fn take(&mut self, segment: &Segment<'_>, out: &mut impl FnMut(&[u8], bool)) {
        let next = *self.next.get_or_insert(segment.first);
        let ahead = segment.seq.wrapping_sub(next).cast_signed();
        if ahead > 0 {
            if ahead < MAX_AHEAD && self.early.len() < MAX_EARLY && segment.payload.len() < MAX_AHEAD as usize {
                self.early.push((segment.seq, segment.payload.to_vec(), segment.whole));
            }
            return;
        }
        self.deliver(segment.seq, segment.payload, segment.whole, out);
        while let Some(at) = self
            .early
            .iter()
            .position(|(seq, ..)| self.next.is_some_and(|next| seq.wrapping_sub(next).cast_signed() <= 0))
        {
            let (seq, payload, whole) = self.early.swap_remove(at);
            self.deliver(seq, &payload, whole, out);
        }
    }

    fn deliver(&mut self, seq: u32, payload: &[u8], whole: bool, out: &mut impl FnMut(&[u8], bool)) {
        let Some(next) = self.next else { return };
        let seen = next.wrapping_sub(seq) as usize;
        let Some(fresh) = payload.get(seen..).filter(|fresh| !fresh.is_empty()) else { return };
        self.next = Some(next.wrapping_add(fresh.len() as u32));
        out(fresh, whole);
    }
}

#[derive(Clone, Debug)]
struct Open {
    handshake: Handshake,
    orders: [Order; 2],
    segments: u32,
}

/// Handshakes under way, and what the finished ones showed.
#[derive(Clone, Debug, Default)]
pub struct Hellos {
    open: HashMap<u32, Box<Open>>,
    /// Finished ones.
    details: Vec<Details>,
}

impl Hellos {
    /// A handshake of the flow is under way.
    #[inline]
    #[must_use]
    pub fn holds(&self, flow: u32) -> bool {
        !self.open.is_empty() && self.open.contains_key(&flow)
    }

    /// TLS begins on a flow with this segment; false where there is no room for it.
    pub fn open(&mut self, flow: u32, stamp: Stamp) -> bool {
        if self.details.len() >= MAX_DETAILS {
            return false;
        }
        if self.open.len() >= MAX_OPEN {
            self.make_room();
        }
        let handshake = Handshake::new(flow, 1, stamp);
        self.open.insert(flow, Box::new(Open { handshake, orders: Default::default(), segments: 0 }));
        true
    }

    /// Takes a segment of a flow that it holds. Gives the name of the server once that is read, and whether the flow is of
    /// interest still.
    pub fn take(&mut self, flow: u32, segment: &Segment<'_>) -> (Option<String>, bool) {
        let Some(open) = self.open.get_mut(&flow) else { return (None, false) };
        let Open { handshake, orders, segments } = open.as_mut();
        *segments += 1;
        let mut name = None;
        orders[segment.side & 1].take(segment, &mut |bytes, whole| {
            if let Some(found) = handshake.take(segment.side, bytes) {
                name = Some(found.to_owned());
            }
            if !whole {
                handshake.miss(segment.side);
            }
        });
        let over = handshake.is_done() || *segments >= MAX_SEGMENTS;
        if over {
            self.end(flow);
        }
        (name, !over)
    }

    /// The flow is over, or turned out to be something else.
    pub fn end(&mut self, flow: u32) {
        if let Some(details) = self.open.remove(&flow).and_then(|open| open.handshake.finish()) {
            self.details.push(details);
        }
    }

    /// Forgets what belongs to flows that are not wanted.
    pub fn retain(&mut self, wanted: impl Fn(u32) -> bool) {
        self.open.retain(|&flow, _| wanted(flow));
        self.details.retain(|details| wanted(details.flow));
    }

    /// Finishes the older half.
    #[cold]
    fn make_room(&mut self) {
        let mut flows: Vec<u32> = self.open.keys().copied().collect();
        flows.sort_unstable();
        for &flow in &flows[..flows.len() / 2] {
            self.end(flow);
        }
    }

    /// The capture is over.
    #[must_use]
    pub fn finish(mut self) -> Vec<Details> {
        let flows: Vec<u32> = self.open.keys().copied().collect();
        for flow in flows {
            self.end(flow);
        }
        self.details
    }
}
