//! When the ends of a control connection spoke and how much: all that is left of one that cannot be read.

use std::collections::HashMap;

/// Segments kept of one connection; the later ones of a long session are not told.
const MAX_OF_ONE: usize = 4096;
/// Segments kept of all: 24 MiB.
const MAX_OF_ALL: usize = 1 << 20;

/// A segment with payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beat {
    time: i64,
    length: u32,
    side: u8,
}

/// Segments with payload in columns, by flow and in order of capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beats {
    /// Flow.
    pub flow: Vec<u32>,
    /// Nanoseconds since the epoch.
    pub time: Vec<i64>,
    /// Sent by the responder.
    pub from_responder: Vec<bool>,
    /// Payload on the wire, bytes.
    pub length: Vec<u32>,
}

/// The segments of control connections, while packets come.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    flows: HashMap<u32, Vec<Beat>>,
    all: usize,
}

impl Pulse {
    /// Notes a segment of a flow; one too many is dropped.
    pub fn beat(&mut self, flow: u32, side: usize, time: i64, length: u32) {
        if self.all >= MAX_OF_ALL {
            return;
        }
        let beats = self.flows.entry(flow).or_default();
        if beats.len() < MAX_OF_ONE {
            beats.push(Beat { time, length, side: u8::from(side == 1) });
            self.all += 1;
        }
    }

    /// The flow is no control connection after all.
    pub fn forget(&mut self, flow: u32) {
        self.all -= self.flows.remove(&flow).map_or(0, |beats| beats.len());
    }

    /// All that was noted. `originator`: the originator's side of a flow.
    pub fn finish(self, mut originator: impl FnMut(u32) -> usize) -> Beats {
        let mut flows: Vec<_> = self.flows.into_iter().collect();
        flows.sort_unstable_by_key(|&(flow, _)| flow);
        let mut columns = Beats::default();
        for (flow, beats) in flows {
            let own = originator(flow);
            for beat in beats {
                columns.flow.push(flow);
                columns.time.push(beat.time);
                columns.from_responder.push(usize::from(beat.side) != own);
                columns.length.push(beat.length);
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_those_of_the_originator_in_the_end() {
        let mut pulse = Pulse::default();
        pulse.beat(7, 0, 30, 3);
        pulse.beat(2, 1, 10, 1);
        pulse.beat(2, 0, 20, 2);
        pulse.beat(9, 0, 40, 4);
        pulse.forget(9);
        let beats = pulse.finish(|flow| usize::from(flow == 2));
        assert_eq!(beats.flow, [2, 2, 7]);
        assert_eq!(beats.time, [10, 20, 30]);
        assert_eq!(beats.from_responder, [false, true, false]);
        assert_eq!(beats.length, [1, 2, 3]);
    }

    #[test]
    fn memory_is_bounded_for_one_and_for_all() {
        let mut pulse = Pulse::default();
        for flow in 0..300 {
            for time in 0..5000 {
                pulse.beat(flow, 0, time, 1);
            }
        }
        assert_eq!(pulse.flows[&0].len(), MAX_OF_ONE);
        assert_eq!(pulse.all, MAX_OF_ALL);
        pulse.forget(0);
        assert_eq!(pulse.all, MAX_OF_ALL - MAX_OF_ONE);
    }
}
